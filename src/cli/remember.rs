//! The store on the command line: who asks it, and how a command ended for it.

use std::path::PathBuf;

use evenkeel::baseline::disk::Disk;
use evenkeel::reconcile::Kept;
use evenkeel::reconcile::keeping::StorePlace;
use evenkeel::store::Store;

use super::args::Global;
use super::exit::Exit;
use super::failure::Failure;
use super::settings;

/// The store that the fleet file names, or the controller's beside the audit log.
///
/// # Errors
/// There is none, or it cannot be used.
pub async fn kept(global: &Global, audit_log: Option<&PathBuf>) -> Result<(Kept, Store), Failure> {
    let fleet = settings::fleet_file(global, &Disk)?;
    let audit_log = settings::audit_log(global, audit_log)?;
    let kept = match StorePlace::of(fleet.as_ref(), &audit_log, false) {
        Some(place) => Kept::at(&place, fleet.as_ref()).await?,
        None => Kept::Nowhere,
    };
    match kept {
        Kept::In(ref store, _) => {
            let store = store.clone();
            Ok((kept, store))
        }
        Kept::Gone(error) => Err(error.into()),
        Kept::Nowhere => Err(Failure::usage(
            format!(
                "nothing is remembered: the fleet file names no store, and no controller has run with the audit log {}",
                audit_log.display()
            ),
            "name one: [store] url = \"sqlite://.evenkeel/store.db\", or postgres://… for several controllers; or name the controller's audit log with --audit-log",
        )),
    }
}

/// Insists that what is written can be remembered.
///
/// # Errors
/// The store is gone.
pub fn insist(kept: &Kept) -> Result<(), Failure> {
    kept.insist().map_err(|error| Failure::usage(error.to_string(), error.remedy()))
}

/// Says how a command ended whose run nobody has ended.
pub fn close(kept: &Kept, done: Result<Exit, &Failure>) {
    let outcome = done.unwrap_or_else(Failure::exit).into();
    kept.close(outcome, done.err().map(Failure::to_string).as_deref());
}

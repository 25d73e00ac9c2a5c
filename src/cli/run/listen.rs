//! What a running controller shows of itself, and where it answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use evenkeel::aws::meter;
use evenkeel::fleet::notify::{SecretPlace, channels};
use evenkeel::fleet::{Fleet, file};
use evenkeel::reconcile::LeaseCounts;
use evenkeel::store::{Memory, Store};
use evenkeel::telemetry::hub::Sources;
use evenkeel::telemetry::known;
use evenkeel::telemetry::serve::{Server, TokenPlace};
use evenkeel::telemetry::tls::TlsFiles;
use evenkeel::telemetry::{self, Around, Telemetry};
use serde_json::json;

use super::super::failure::Failure;
use super::super::remember::{Keeper, Kept};
use super::super::{memory, notices};
use super::files::Files;
use super::runs::Reconciler;

/// How long it is waited for a store that is not open.
const LONGEST: Duration = Duration::from_secs(3);

/// What is shown, and where.
pub struct Shown {
    /// What is shown.
    pub telemetry: Arc<Telemetry>,
    server: Server,
}

/// Takes the address that the fleet file names, if it names one.
///
/// # Errors
/// Somebody else has it, or its token cannot be read.
pub async fn open(
    part: &file::Controller,
    folder: &Path,
    sources: Sources,
) -> Result<Option<Shown>, Failure> {
    let Some(address) = part.listen.as_ref().and_then(|listen| listen.parse().ok()) else {
        return Ok(None);
    };
    let token = part.listen_token.as_deref().and_then(SecretPlace::of);
    let token = token.map(|place| TokenPlace { place, folder: folder.to_owned() });
    let tls = part.listen_tls.as_ref().map(|tls| TlsFiles::of(tls, folder));
    let server = Server::bind(address, token, tls).await.map_err(|why| {
        Failure::usage(
            why,
            "correct [controller] listen, listen_token and listen_tls in the fleet file, or end who has the address",
        )
    })?;
    super::log(&json!({"event": "listening", "address": server.address()}));
    let telemetry = Arc::new(Telemetry::new(sources).answering_by(server.tls().cloned()));
    let hearing = Arc::clone(&telemetry);
    meter::watch(move |sent| hearing.sent(sent));
    Ok(Some(Shown { telemetry, server }))
}

impl Shown {
    /// Answers, until it is dropped.
    pub async fn serve(self, files: &Arc<Files>, runs: &Arc<Reconciler>) {
        let around = AroundTheRuns { files: Arc::clone(files), runs: Arc::clone(runs) };
        around.tell_since_when(&self.telemetry).await;
        self.server.serve(self.telemetry, Arc::new(around)).await;
    }
}

struct AroundTheRuns {
    files: Arc<Files>,
    runs: Arc<Reconciler>,
}

impl AroundTheRuns {
    /// Drift is older than this process where the store remembers it.
    async fn tell_since_when(&self, telemetry: &Telemetry) {
        let Some(Ok(store)) = self.kept().await.store else { return };
        match known::in_time(store.open_drift()).await {
            Ok(all) => telemetry.objects().known(all.into_iter().map(|one| (one.object, one.time))),
            Err(error) => tracing::warn!("since when drift is so is not known: {error}"),
        }
    }
}

#[async_trait]
impl Around for AroundTheRuns {
    fn files(&self) -> telemetry::Files {
        self.files.shown()
    }

    fn leases(&self) -> Option<LeaseCounts> {
        self.runs.leases()
    }

    async fn kept(&self) -> telemetry::Kept {
        let version = self.files.good();
        let fleet = version.what.fleet.as_ref();
        let store = store(self.runs.keeper(), fleet).await;
        where_it_is_kept(fleet, store, self.runs.audit_log())
    }
}

/// The store that is open, or why none is.
async fn store(keeper: &Keeper, fleet: Option<&Fleet>) -> Option<Result<Store, String>> {
    let place = keeper.place(fleet)?;
    let asking = async {
        match keeper.open(&place).await {
            Some(store) => Some(Ok(store)),
            None => match keeper.kept(fleet).await {
                Kept::In(store, _) => Some(Ok(store)),
                Kept::Gone(error) => Some(Err(error.to_string())),
                Kept::Nowhere => None,
            },
        }
    };
    let late = |_| Some(Err(format!("no answer within {} s", LONGEST.as_secs())));
    tokio::time::timeout(LONGEST, asking).await.unwrap_or_else(late)
}

/// Where things are kept: in the store that the fleet file names, and without one beside the audit log.
pub fn where_it_is_kept(
    fleet: Option<&Fleet>,
    store: Option<Result<Store, String>>,
    audit_log: PathBuf,
) -> telemetry::Kept {
    let named = fleet.is_some_and(|fleet| fleet.file.store.url.is_some());
    let (guards, notices): (Arc<dyn Memory>, Arc<dyn Memory>) = match &store {
        _ if !named => (memory::beside(&audit_log), notices::beside(&audit_log)),
        None => (memory::beside(&audit_log), notices::beside(&audit_log)),
        Some(Ok(store)) => (Arc::new(store.clone()), Arc::new(store.clone())),
        Some(Err(why)) => (memory::gone(why), memory::gone(why)),
    };
    let named = fleet.map(|fleet| channels(&fleet.file.notify).into_keys().collect());
    telemetry::Kept {
        store,
        guards,
        notices,
        waves: fleet.map(|fleet| fleet.file.rollout.waves.clone()).unwrap_or_default(),
        channels: named.unwrap_or_default(),
    }
}

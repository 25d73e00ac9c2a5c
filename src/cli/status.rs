//! `evenkeel status`: how everything stands, in one screen. The running controller is asked; without it,
//! what can be read is read, and the rest is said to be unknown.

mod text;

use std::net::SocketAddr;

use chrono::Utc;
use evenkeel::baseline::disk::Disk;
use evenkeel::fleet::Fleet;
use evenkeel::fleet::notify::SecretPlace;
use evenkeel::guards::KillSwitch;
use evenkeel::notify::secret;
use evenkeel::telemetry::status::{Standing, Status};
use evenkeel::telemetry::{ask, report};

use super::args::{Global, ListFormat, StatusArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::notices::store_of;
use super::remember::Kept;
use super::run::listen::where_it_is_kept;
use super::{out, settings};

/// Runs the command.
///
/// # Errors
/// The fleet file cannot be used.
pub async fn run(global: &Global, args: &StatusArgs) -> Result<Exit, Failure> {
    let fleet = settings::fleet_file(global, &Disk)?;
    let listen = fleet.as_ref().and_then(listen);
    if args.alive {
        return is_alive(listen).await;
    }
    let asked = match (listen, fleet.as_ref()) {
        (Some(address), Some(fleet)) => ask(address, fleet).await,
        _ => Err("the fleet file does not say where it listens ([controller] listen)".to_owned()),
    };
    let status = match asked {
        Ok(status) => status,
        Err(why) => without_controller(global, args, fleet.as_ref(), why).await?,
    };
    match args.format {
        ListFormat::Json => out::line(&serde_json::to_string(&status).unwrap_or_default()),
        ListFormat::Text => out::text(&text::render(&status)),
    }
    Ok(match status.standing(listen.is_some()) {
        Standing::Good => Exit::Done,
        Standing::Drift => Exit::Drift,
        Standing::HeldBack => Exit::Refused,
        Standing::Partly => Exit::Partly,
    })
}

/// Asks the running controller whether it is alive.
async fn is_alive(listen: Option<SocketAddr>) -> Result<Exit, Failure> {
    let Some(address) = listen else {
        return Err(Failure::usage(
            "nobody can ask whether the controller is alive",
            "let it listen: [controller] listen = \"127.0.0.1:9464\" in the fleet file",
        ));
    };
    match ask::is_alive(address).await {
        Ok(()) => {
            out::line("alive");
            Ok(Exit::Done)
        }
        Err(why) => Err(Failure::usage(why, "look at its log; docs/operations.md has the alerts")),
    }
}

/// Where the controller of a fleet listens.
fn listen(fleet: &Fleet) -> Option<SocketAddr> {
    fleet.file.controller.as_ref()?.listen.as_ref()?.parse().ok()
}

async fn ask(address: SocketAddr, fleet: &Fleet) -> Result<Status, String> {
    let named = fleet.file.controller.as_ref().and_then(|part| part.listen_token.as_deref());
    let token = match named.and_then(SecretPlace::of) {
        Some(place) => Some(secret::read(&place, &fleet.folder)?),
        None => None,
    };
    ask::status(address, token.as_ref()).await
}

async fn without_controller(
    global: &Global,
    args: &StatusArgs,
    fleet: Option<&Fleet>,
    why: String,
) -> Result<Status, Failure> {
    let audit_log = match &args.beside.audit_log {
        Some(path) => path.clone(),
        None => settings::audit_log(global)?,
    };
    let kept = Kept::open(fleet).await;
    let store = match &kept {
        Kept::Nowhere => None,
        Kept::In(..) => store_of(&kept).cloned().map(Ok),
        Kept::Gone(error) => Some(Err(error.to_string())),
    };
    let kept = where_it_is_kept(fleet, store, audit_log);
    let kill_switch = KillSwitch::at(fleet.and_then(Fleet::kill_switch));
    Ok(report::without_controller(&kept, &kill_switch, why, Utc::now()).await)
}

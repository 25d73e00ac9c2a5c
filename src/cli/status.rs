//! `evenkeel status`: how everything stands, in one screen. The running controller is asked; without it,
//! what can be read is read, and the rest is said to be unknown.

mod text;

use chrono::Utc;
use evenkeel::baseline::disk::Disk;
use evenkeel::fleet::Fleet;
use evenkeel::fleet::notify::SecretPlace;
use evenkeel::guards::KillSwitch;
use evenkeel::notify::secret;
use evenkeel::reconcile::Kept;
use evenkeel::telemetry;
use evenkeel::telemetry::ask::Asked;
use evenkeel::telemetry::report;
use evenkeel::telemetry::status::{Standing, Status};
use evenkeel::telemetry::trust::{Known, Trust};

use super::args::{Global, ListFormat, StatusArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::{out, settings};

/// Runs the command.
///
/// # Errors
/// The fleet file cannot be used.
pub async fn run(global: &Global, args: &StatusArgs) -> Result<Exit, Failure> {
    let fleet = settings::fleet_file(global, &Disk)?;
    let asked = asked(args, fleet.as_ref())?;
    if args.alive {
        return is_alive(asked.as_ref()).await;
    }
    let is_named = asked.is_some();
    let asked = match asked {
        Some(asked) => ask(&asked, fleet.as_ref()).await,
        None => {
            Err("the fleet file does not say where it listens ([controller] listen)".to_owned())
        }
    };
    let status = match asked {
        Ok(status) => status,
        Err(why) => without_controller(global, args, fleet.as_ref(), why).await?,
    };
    match args.format {
        ListFormat::Json => out::line(&serde_json::to_string(&status).unwrap_or_default()),
        ListFormat::Text => out::text(&text::render(&status)),
    }
    Ok(match status.standing(is_named) {
        Standing::Good => Exit::Done,
        Standing::Drift => Exit::Drift,
        Standing::HeldBack => Exit::Refused,
        Standing::Partly => Exit::Partly,
    })
}

/// Asks the running controller whether it is alive.
async fn is_alive(asked: Option<&Asked>) -> Result<Exit, Failure> {
    let Some(asked) = asked else {
        return Err(Failure::usage(
            "nobody can ask whether the controller is alive",
            "let it listen: [controller] listen = \"127.0.0.1:9464\" in the fleet file",
        ));
    };
    match asked.is_alive().await {
        Ok(()) => {
            out::line("alive");
            Ok(Exit::Done)
        }
        Err(why) => Err(Failure::usage(why, "look at its log; docs/operations.md has the alerts")),
    }
}

/// The controller that is asked: that of the URL, or that of this machine by the fleet file.
fn asked(args: &StatusArgs, fleet: Option<&Fleet>) -> Result<Option<Asked>, Failure> {
    let part = fleet.and_then(|fleet| Some((fleet, fleet.file.controller.as_ref()?)));
    // The same file on this machine: it is the controller itself that reads it.
    let certificate = || {
        let (fleet, part) = part?;
        Some(fleet.folder.join(&part.listen_tls.as_ref()?.certificate))
    };
    let known = match (&args.ca, &args.url) {
        (Some(path), _) => Some(Known::Authorities(path.clone())),
        (None, Some(_)) => None,
        (None, None) => certificate().map(Known::Certificate),
    };
    let own = args.certificate.clone().zip(args.key.clone());
    let trust = known.map(|known| Trust { known, own });
    let asked = match &args.url {
        Some(url) => Some(Asked::at(url, trust).map_err(|why| {
            Failure::usage(why, "name it as in --url https://evenkeel.example.com:9464 --ca FILE")
        })?),
        None => {
            let listen = part.and_then(|(_, part)| part.listen.as_ref()?.parse().ok());
            let is_tls = part.is_some_and(|(_, part)| part.listen_tls.is_some());
            listen.map(|listen| Asked::listening(listen, trust.filter(|_| is_tls)))
        }
    };
    Ok(asked.map(|asked| asked.named(args.server_name.as_deref())))
}

async fn ask(asked: &Asked, fleet: Option<&Fleet>) -> Result<Status, String> {
    let token = fleet.and_then(|fleet| {
        let named = fleet.file.controller.as_ref()?.listen_token.as_deref()?;
        Some((fleet, SecretPlace::of(named)?))
    });
    let token = token.map(|(fleet, place)| secret::read(&place, &fleet.folder)).transpose()?;
    asked.status(token.as_ref()).await
}

async fn without_controller(
    global: &Global,
    args: &StatusArgs,
    fleet: Option<&Fleet>,
    why: String,
) -> Result<Status, Failure> {
    let audit_log = settings::audit_log(global, args.beside.audit_log.as_ref())?;
    let kept = Kept::open(fleet, &audit_log, &out::warns()).await;
    let store = match &kept {
        Kept::Nowhere => None,
        Kept::In(store, _) => Some(Ok(store.clone())),
        Kept::Gone(error) => Some(Err(error.to_string())),
    };
    let kept = telemetry::Kept::of(fleet, store, &audit_log);
    let kill_switch = KillSwitch::at(fleet.and_then(Fleet::kill_switch));
    Ok(report::without_controller(&kept, &kill_switch, why, Utc::now()).await)
}

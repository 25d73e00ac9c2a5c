//! `evenkeel notify test`.

use std::time::Duration;

use chrono::Utc;
use evenkeel::baseline::disk::Disk;
use evenkeel::fleet::notify::{On, Severity};
use evenkeel::notify::letter::{AffectedObject, Status};
use evenkeel::notify::{Letter, Notice, Subject, channels};

use super::args::{Global, NotifyTestArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::{out, settings};

/// How long it is waited for a channel.
const LONGEST: Duration = Duration::from_secs(40);

/// Runs `notify test`.
pub async fn test(global: &Global, args: &NotifyTestArgs) -> Result<Exit, Failure> {
    let fleet = settings::fleet_file(global, &Disk)?;
    settings::declares(fleet.as_ref())?;
    let all = fleet.as_ref().map_or_else(Vec::new, |fleet| {
        channels::all(&fleet.file.notify, &fleet.folder, &fleet.options())
    });
    let names: Vec<&str> = all.iter().map(|reached| reached.name.as_str()).collect();
    let Some(reached) = all.iter().find(|reached| reached.name == args.channel) else {
        let help = match names.as_slice() {
            [] => "the fleet file has none: add [notify.sns.NAME], or another channel".to_owned(),
            names => format!("there are {}", names.join(", ")),
        };
        return Err(Failure::usage(format!("there is no channel {:?}", args.channel), help));
    };
    let sent = tokio::time::timeout(LONGEST, reached.channel.send(&a_test())).await;
    match sent {
        Ok(Ok(())) => {
            out::line(&format!("{} has taken a test notice", args.channel));
            Ok(Exit::Done)
        }
        Ok(Err(error)) => Err(Failure::usage(
            format!("{} did not take a test notice: {}", args.channel, error.why),
            "see docs/notices.md for what the channel needs",
        )),
        Err(_) => Err(Failure::usage(
            format!("{} did not answer in time", args.channel),
            "see docs/notices.md for what the channel needs",
        )),
    }
}

fn a_test() -> Letter {
    let now = Utc::now();
    let notice = Notice {
        id: uuid_of_test(),
        status: Status::Test,
        on: On::Drift,
        severity: Severity::Low,
        what: vec!["nothing is wrong".to_owned()],
        did: String::new(),
        look: String::new(),
        places: vec![AffectedObject {
            subject: Subject::named("test", "a test"),
            since: now,
            by: Vec::new(),
            more_by: 0,
            not_kept: 0,
        }],
        count: 1,
    };
    Letter::of(now, evenkeel::notify::matter::About::default(), vec![notice])
}

/// Each test is another notice.
fn uuid_of_test() -> String {
    format!("test-{:016x}", fastrand::u64(..))
}

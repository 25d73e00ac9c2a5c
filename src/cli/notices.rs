//! Notices on the command line: which commands tell, where what waits is kept, and `notify test`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use evenkeel::aws::session::Options;
use evenkeel::baseline::disk::Disk;
use evenkeel::controller::TRAIL;
use evenkeel::fleet::Fleet;
use evenkeel::fleet::notify::{Notify as Channels, On, Severity};
use evenkeel::names::{AccountId, Region};
use evenkeel::notify::letter::{AffectedObject, Status};
use evenkeel::notify::{Hearing, Letter, Matter, Notice, Run, Seen, Subject, Teller, channels};
use evenkeel::reconcile::{Listener, Look, Remembering};
use evenkeel::store::audit::head_of;
use evenkeel::store::history::ByWhom;
use evenkeel::store::kept::{Keeps, KeptInFile};
use evenkeel::store::{Memory, Store};

use tokio::sync::Notify;

use super::args::{Global, NotifyTestArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::remember::{Kept, commit};
use super::{out, settings};

/// The file beside the audit log, where there is no store.
const FILE: &str = "notices.json";
/// How long a command that ends waits for channels; what they have not taken then is sent by the next.
const AT_THE_END: Duration = Duration::from_secs(40);
/// The same for a controller that somebody waits for.
const AT_A_STOP: Duration = Duration::from_secs(10);
/// How often the controller looks for what waits.
const EVERY: Duration = Duration::from_secs(5);

/// The notices of a command.
pub struct Notices {
    teller: Teller,
    audit_log: PathBuf,
    hearing: Mutex<Option<Arc<Hearing>>>,
    /// What was said last of why nothing can be told.
    said: Mutex<Option<String>>,
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Notices")
    }
}

impl Notices {
    /// Those of a fleet file that has channels.
    pub fn of(fleet: Option<&Fleet>, audit_log: &Path, store: Option<&Store>) -> Option<Self> {
        let fleet = fleet.filter(|fleet| fleet.file.notify != Channels::default())?;
        let memory: Arc<dyn Memory> = match store {
            Some(store) => Arc::new(store.clone()),
            None => beside(audit_log),
        };
        let teller =
            Teller::new(&fleet.file.notify, &fleet.folder, &options(fleet), memory, store.cloned());
        Some(Self {
            teller,
            audit_log: audit_log.to_owned(),
            hearing: Mutex::default(),
            said: Mutex::default(),
        })
    }

    /// Who hears a run of a command.
    pub fn hearing(
        &self,
        command: &str,
        look: &Look,
        commit: Option<String>,
        caused_by: Vec<ByWhom>,
    ) -> Arc<Hearing> {
        let of_look = Remembering::of(command, look, commit);
        Arc::new(Hearing::of(Run {
            keeps_drift: of_look.keeps_drift,
            is_whole: of_look.is_whole,
            only_looks: command == "check",
            commit: of_look.commit,
            caused_by,
            path: &[TRAIL],
        }))
    }

    /// The same, for a command that has one run.
    pub fn listener(&self, command: &str, look: &Look) -> Arc<dyn Listener> {
        let mut there = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        // A later look takes the place of the one before.
        let hearing = there.get_or_insert_with(|| {
            let folder = look.fleet.as_ref().map(|fleet| fleet.folder.as_path());
            self.hearing(command, look, commit(folder), Vec::new())
        });
        Arc::clone(hearing) as Arc<dyn Listener>
    }

    /// Tells what was heard of a run, and what else is over by it.
    pub async fn tell(&self, hearing: &Hearing, over: &[String]) {
        if let Some(mut seen) = hearing.seen(Utc::now(), head_of(&self.audit_log)) {
            over.iter().for_each(|key| seen.fine.add(key));
            self.teller.tell(seen).await;
            self.say_trouble();
        }
    }

    /// Says why nothing can be told; what was said is not said again.
    fn say_trouble(&self) {
        let Some(why) = self.teller.trouble() else { return };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.as_ref() != Some(&why) {
            out::say(&format!("warning: notices are neither kept nor sent: {why}"));
            *said = Some(why);
        }
    }

    /// Sends what waits.
    async fn send(&self) -> usize {
        let left = self.teller.send().await.left;
        self.say_trouble();
        left
    }

    /// Tells what was not seen in a run.
    pub async fn tell_of(&self, matters: Vec<Matter>, over: &[(Option<AccountId>, String)]) {
        let mut seen = Seen::at(Utc::now());
        seen.about.audit_log = head_of(&self.audit_log);
        seen.standing = matters;
        for (account, key) in over {
            seen.fine.add(key);
            seen.accounts.extend(account.clone());
        }
        self.teller.tell(seen).await;
        self.say_trouble();
    }

    /// Tells what a command has seen, and sends it, for as long as a command may take at its end.
    pub async fn end(&self) {
        let hearing = self.hearing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(hearing) = hearing {
            self.tell(&hearing, &[]).await;
        }
        self.send_within(AT_THE_END).await;
    }

    /// Sends what waits, for so long at most.
    pub async fn send_within(&self, longest: Duration) {
        let left = tokio::time::timeout(longest, self.send()).await;
        if left.unwrap_or(1) > 0 {
            out::say("warning: not every notice could be sent; the next run tries again");
        }
    }
}

/// The notices of a controller, whose fleet file may name other channels from one run to the next.
#[derive(Debug, Default)]
pub struct Telling {
    current: Mutex<Option<Current>>,
    /// What is to be told, in its order.
    noted: Mutex<VecDeque<Noted>>,
    /// Said when there is something to be told or sent.
    wake: Notify,
}

/// What begins, and what is over.
type Noted = (Vec<Matter>, Vec<(Option<AccountId>, String)>);

#[derive(Debug)]
struct Current {
    notify: Channels,
    store: Option<String>,
    notices: Option<Arc<Notices>>,
}

impl Telling {
    /// Those of a run.
    pub fn of(&self, fleet: Option<&Fleet>, audit_log: &Path, kept: &Kept) -> Option<Arc<Notices>> {
        let notify = fleet.map(|fleet| fleet.file.notify.clone()).unwrap_or_default();
        let store = store_of(kept);
        let name = store.map(|store| store.name().to_owned());
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) =
            current.as_ref().filter(|there| there.notify == notify && there.store == name)
        {
            return there.notices.clone();
        }
        let notices = Notices::of(fleet, audit_log, store).map(Arc::new);
        *current = Some(Current { notify, store: name, notices: notices.clone() });
        notices
    }

    /// Those of the latest run.
    pub fn now(&self) -> Option<Arc<Notices>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().and_then(|current| current.notices.clone())
    }

    /// Notes what was not seen in a run, to be told.
    pub fn note(&self, matters: Vec<Matter>, over: Vec<(Option<AccountId>, String)>) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.push_back((matters, over));
        self.wake.notify_one();
    }

    /// Says that there is something to be sent.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    fn next(&self) -> Option<Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Tells what was noted.
    async fn tell(&self, notices: &Notices) {
        while let Some((matters, over)) = self.next() {
            notices.tell_of(matters, &over).await;
        }
    }

    /// Tells and sends what waits, until this is dropped. Nothing waits for a channel that hangs.
    pub async fn keep_sending(&self) {
        loop {
            if let Some(notices) = self.now() {
                self.tell(&notices).await;
                tokio::spawn(async move { notices.send().await });
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// Sends what waits once more, when the controller ends.
    pub async fn end(&self) {
        if let Some(notices) = self.now() {
            self.tell(&notices).await;
            notices.send_within(AT_A_STOP).await;
        }
    }
}

/// Where notices wait beside an audit log.
pub fn beside(audit_log: &Path) -> Arc<dyn Memory> {
    Arc::new(KeptInFile::at(audit_log.with_file_name(FILE), Keeps::Notices))
}

/// The store of a command in which all of it is kept, if it is open; not one that has runs alone.
pub fn store_of(kept: &Kept) -> Option<&Store> {
    match kept {
        Kept::In(store, memory) if !memory.is_implied => Some(store),
        Kept::Nowhere | Kept::In(..) | Kept::Gone(_) => None,
    }
}

/// How a fleet file's own way to AWS is gone.
pub fn options(fleet: &Fleet) -> Options {
    Options {
        home_region: fleet.file.home_region.as_deref().map(Region::new),
        requests_per_second: fleet.file.limits.requests_per_second,
        ..Options::default()
    }
}

/// Runs `notify test`.
pub async fn test(global: &Global, args: &NotifyTestArgs) -> Result<Exit, Failure> {
    let fleet = settings::fleet_file(global, &Disk)?;
    settings::declares(fleet.as_ref())?;
    let all = fleet.as_ref().map_or_else(Vec::new, |fleet| {
        channels::all(&fleet.file.notify, &fleet.folder, &options(fleet))
    });
    let names: Vec<&str> = all.iter().map(|reached| reached.name.as_str()).collect();
    let Some(reached) = all.iter().find(|reached| reached.name == args.channel) else {
        let help = match names.as_slice() {
            [] => "the fleet file has none: add [notify.sns.NAME], or another channel".to_owned(),
            names => format!("there are {}", names.join(", ")),
        };
        return Err(Failure::usage(format!("there is no channel {:?}", args.channel), help));
    };
    let sent = tokio::time::timeout(AT_THE_END, reached.channel.send(&a_test())).await;
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
        }],
        count: 1,
    };
    Letter::of(now, evenkeel::notify::matter::About::default(), vec![notice])
}

/// Each test is another notice.
fn uuid_of_test() -> String {
    format!("test-{:016x}", fastrand::u64(..))
}

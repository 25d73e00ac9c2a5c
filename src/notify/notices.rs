//! Who hears a run to tell of it, and where what waits is kept.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;

use super::listen::{Hearing, Run};
use super::matter::{Matter, PATH, Seen};
use super::over::Over;
use super::tell::Teller;
use crate::fleet::Fleet;
use crate::fleet::checkout::commit;
use crate::fleet::notify::Notify as Channels;
use crate::reconcile::{Kept, Listener, Look, Remembering, Warn, Warning};
use crate::store::Memory;
use crate::store::audit::head_of;
use crate::store::kept::{Keeps, KeptInFile};

/// The file beside the audit log, where there is no store.
const FILE: &str = "notices.json";
/// How long who ends waits for channels; what they have not taken then is sent by the next.
const AT_THE_END: Duration = Duration::from_secs(40);

/// The notices of a run.
pub struct Notices {
    teller: Teller,
    audit_log: PathBuf,
    warn: Warn,
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
    pub fn of(fleet: Option<&Fleet>, audit_log: &Path, kept: &Kept, warn: &Warn) -> Option<Self> {
        let fleet = fleet.filter(|fleet| fleet.file.notify != Channels::default())?;
        let memory: Arc<dyn Memory> = match kept.store() {
            Some(store) => Arc::new(store.clone()),
            None => beside(audit_log),
        };
        let (channels, options) = (&fleet.file.notify, fleet.options());
        Some(Self {
            teller: Teller::new(channels, &fleet.folder, &options, memory, kept.history().cloned()),
            audit_log: audit_log.to_owned(),
            warn: Arc::clone(warn),
            hearing: Mutex::default(),
            said: Mutex::default(),
        })
    }

    /// Who hears a run of a command.
    pub fn hearing(&self, command: &str, look: &Look, commit: Option<String>) -> Arc<Hearing> {
        let of_look = Remembering::of(command, look, commit);
        Arc::new(Hearing::of(Run {
            keeps_drift: of_look.keeps_drift,
            is_whole: of_look.is_whole,
            only_looks: command == "check",
            commit: of_look.commit,
            heard: of_look.heard,
            path: PATH,
            targets: of_look.targets,
        }))
    }

    /// The same, for a command that has one run.
    pub fn listener(&self, command: &str, look: &Look) -> Arc<dyn Listener> {
        let mut there = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        // A later look takes the place of the one before.
        let hearing = there.get_or_insert_with(|| {
            let folder = look.fleet.as_ref().map(|fleet| fleet.folder.as_path());
            self.hearing(command, look, commit(folder))
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
            (self.warn)(&Warning::NothingTold(why.clone()));
            *said = Some(why);
        }
    }

    /// Sends what waits.
    pub(super) async fn send(&self) -> usize {
        let left = self.teller.send().await.left;
        self.say_trouble();
        left
    }

    /// Tells what was not seen in a run.
    pub async fn tell_of(&self, matters: Vec<Matter>, over: &[Over]) {
        let mut seen = Seen::at(Utc::now());
        seen.about.audit_log = head_of(&self.audit_log);
        seen.standing = matters;
        for Over { account, key, why } in over {
            seen.fine.add(key);
            seen.fine.because(key, *why);
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
            (self.warn)(&Warning::NoticesLeft);
        }
    }
}

/// Where notices wait beside an audit log.
pub fn beside(audit_log: &Path) -> Arc<dyn Memory> {
    Arc::new(KeptInFile::at(audit_log.with_file_name(FILE), Keeps::Notices))
}

//! The kill switch: as long as it is on, nothing new is written to AWS. It is asked directly before
//! each write, so that the write in hand is the last one. Looking goes on, and drift is reported.
//!
//! It is on while a file is there, while a parameter says so, or after somebody has pulled it in the process.
//! A file of which nobody can say whether it is there counts as there, and a parameter that nobody can
//! read counts as on.

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::parameter::{OFF, Parameter};
use crate::fleet::Fleet;
use crate::plan::{Guard, Held};
use crate::visible::{shortened, visible};

/// Characters of what a parameter says.
const LONGEST: usize = 100;

/// How old what a parameter said may be when a write begins.
const FRESH: Duration = Duration::from_secs(1);

/// The kill switch of a process; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct KillSwitch(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    files: Mutex<Vec<PathBuf>>,
    parameter: Mutex<Option<Arc<Parameter>>>,
    is_pulled: AtomicBool,
}

/// Why the kill switch is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pulled {
    /// A file is there.
    File(PathBuf),
    /// Nobody can say whether a file is there.
    Unknown {
        /// The file.
        file: PathBuf,
        /// Why nobody can say it.
        why: String,
    },
    /// A parameter says so.
    Parameter {
        /// Its name.
        name: String,
        /// What it says.
        says: String,
    },
    /// Nobody can say what a parameter says.
    Unread {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
    /// Somebody pulled it in the process.
    Here,
}

impl fmt::Display for Pulled {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(out, "the file {} is there", file.display()),
            Self::Unknown { file, why } => {
                write!(out, "nobody can say whether the file {} is there: {why}", file.display())
            }
            Self::Parameter { name, says } => {
                write!(out, "the parameter {name} says {:?}", shortened(&visible(says), LONGEST))
            }
            Self::Unread { name, why } => {
                write!(out, "nobody can say what the parameter {name} says: {why}")
            }
            Self::Here => out.write_str("somebody sent SIGUSR1"),
        }
    }
}

impl From<&Pulled> for Held {
    fn from(pulled: &Pulled) -> Self {
        Self::by(Guard::KillSwitch, format!("the kill switch is on: {pulled}"), pulled.release())
    }
}

impl Pulled {
    /// What releases it.
    pub fn release(&self) -> String {
        match self {
            Self::File(file) => {
                format!("find out who put it there; then remove {}", file.display())
            }
            Self::Unknown { file, .. } => {
                format!("let evenkeel look at {}, and remove it if it is there", file.display())
            }
            Self::Parameter { name, .. } => format!(
                "find out who set it; then aws ssm put-parameter --overwrite --name {name} --value {OFF}"
            ),
            Self::Unread { name, .. } => format!(
                "let evenkeel's own credentials have ssm:GetParameter on it; where it is not there, aws ssm put-parameter --type String --name {name} --value {OFF}"
            ),
            Self::Here => "find out who sent it; then send SIGUSR1 once more".to_owned(),
        }
    }
}

impl KillSwitch {
    /// One that is on while one of the files is there.
    pub fn at(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let switch = Self::default();
        switch.watch(files);
        switch
    }

    /// Looks at these files from now on.
    pub fn watch(&self, files: impl IntoIterator<Item = PathBuf>) {
        let mut watched = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        *watched = files.into_iter().collect();
    }

    /// One that is on as a fleet file says.
    pub fn of(fleet: Option<&Fleet>) -> Self {
        let switch = Self::default();
        switch.follow(fleet);
        switch
    }

    /// Goes by this fleet file from now on.
    pub fn follow(&self, fleet: Option<&Fleet>) {
        self.watch(fleet.and_then(Fleet::kill_switch));
        let wanted = fleet.and_then(|fleet| fleet.file.safety.kill_switch_parameter.as_ref());
        let mut followed = self.0.parameter.lock().unwrap_or_else(PoisonError::into_inner);
        if followed.as_ref().map(|parameter| &parameter.of) != wanted {
            let parameter = fleet.zip(wanted);
            *followed =
                parameter.map(|(fleet, of)| Arc::new(Parameter::of_aws(of, fleet.options())));
        }
    }

    /// Reads the parameter, if there is one, and nobody has read it just now.
    pub async fn look(&self) {
        self.look_within(FRESH).await;
    }

    /// The same, unless somebody has read it within this time.
    pub async fn look_within(&self, within: Duration) {
        let parameter = self.0.parameter.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(parameter) = parameter {
            parameter.look(within).await;
        }
    }

    /// Pulls it, or releases what was pulled in this way; gives whether it is pulled now.
    pub fn toggle(&self) -> bool {
        !self.0.is_pulled.fetch_xor(true, Ordering::SeqCst)
    }

    /// Why it is on, if it is.
    pub fn pulled(&self) -> Option<Pulled> {
        if self.0.is_pulled.load(Ordering::SeqCst) {
            return Some(Pulled::Here);
        }
        let files = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        let by_file = files.iter().find_map(|file| match std::fs::symlink_metadata(file) {
            Ok(_) => Some(Pulled::File(file.clone())),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(Pulled::Unknown { file: file.clone(), why: error.to_string() }),
        });
        drop(files);
        by_file.or_else(|| {
            let parameter = self.0.parameter.lock().unwrap_or_else(PoisonError::into_inner);
            let parameter = parameter.as_ref()?;
            let name = parameter.of.name.clone();
            Some(match parameter.said()? {
                Ok(says) => Pulled::Parameter { name, says },
                Err(why) => Pulled::Unread { name, why },
            })
        })
    }
}

/// What somebody who watches it knows already, so that each thing is told once.
#[derive(Debug, Default)]
pub struct Watched {
    told: Option<Pulled>,
    /// Why it is on, where that is not told yet.
    untold: Option<Pulled>,
}

/// What is new of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It is on.
    On(Pulled),
    /// It is off again.
    Off {
        /// Whether somebody was told that it was on.
        was_told: bool,
    },
}

impl Watched {
    /// What is new, as it was just looked at. That nobody can say what the parameter says is told when it
    /// was so twice: a call that fails once is no news, and holds back only what asks at that moment.
    pub fn news(&mut self, now: Option<Pulled>) -> Option<News> {
        let is_unread = |pulled: &Option<Pulled>| matches!(pulled, Some(Pulled::Unread { .. }));
        let untold = self.untold.take();
        let Some(pulled) = now else {
            let was_told = self.told.take().is_some();
            return (was_told || untold.is_some()).then_some(News::Off { was_told });
        };
        let now = Some(pulled.clone());
        if self.told == now || (is_unread(&self.told) && is_unread(&now)) {
            return None;
        }
        if is_unread(&now) && untold.is_none() {
            self.untold = now;
            return None;
        }
        self.told = now;
        Some(News::On(pulled))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::parameter::Reading;
    use super::*;
    use crate::fleet::file::SwitchParameter;

    #[test]
    fn it_is_on_while_its_file_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stop");
        let switch = KillSwitch::at([file.clone()]);
        assert_eq!(switch.pulled(), None);
        std::fs::write(&file, "").unwrap();
        assert_eq!(switch.clone().pulled(), Some(Pulled::File(file.clone())));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(switch.pulled(), None);
        // A link that leads nowhere is there as well.
        std::os::unix::fs::symlink("/nowhere/at/all", &file).unwrap();
        assert!(switch.pulled().is_some());
    }

    #[test]
    fn what_nobody_can_look_at_counts_as_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let switch = KillSwitch::at([file.join("below")]);
        assert!(matches!(switch.pulled(), Some(Pulled::Unknown { .. })), "{:?}", switch.pulled());
    }

    /// Says one thing after the other, and then nothing any more.
    struct Saying(Mutex<Vec<Said>>);

    type Said = Result<&'static str, &'static str>;

    #[async_trait::async_trait]
    impl Reading for Saying {
        async fn read(&self) -> Result<String, String> {
            let next = self.0.lock().unwrap().pop();
            match next {
                Some(Err("")) => std::future::pending().await,
                Some(said) => said.map(str::to_owned).map_err(str::to_owned),
                None => std::future::pending().await,
            }
        }
    }

    fn saying(words: &[Said]) -> KillSwitch {
        let words = words.iter().rev().copied().collect();
        let of = SwitchParameter { name: "/evenkeel/stop".to_owned(), region: None };
        let mut parameter = Parameter::new(of, Box::new(Saying(Mutex::new(words))));
        parameter.longest = Duration::from_millis(20);
        let switch = KillSwitch::default();
        *switch.0.parameter.lock().unwrap() = Some(Arc::new(parameter));
        switch
    }

    #[tokio::test]
    async fn a_parameter_that_does_not_say_off_or_cannot_be_read_is_on() {
        let says = [Ok("on"), Ok(""), Ok("OFF"), Ok("Off"), Ok("off "), Err("denied")];
        // What cannot be read is read once more.
        let switch = saying(&[&[Ok("off")][..], &says, &[Err("denied"), Ok("off")]].concat());
        let now = Duration::ZERO;
        assert!(matches!(switch.pulled(), Some(Pulled::Unread { .. })), "nobody has read it yet");
        switch.look_within(now).await;
        assert_eq!(switch.pulled(), None);
        for said in says {
            let expected = said.map_or_else(str::to_owned, |said| format!("says {said:?}"));
            switch.look_within(now).await;
            let pulled = switch.clone().pulled().unwrap();
            assert!(pulled.to_string().contains(&expected), "{pulled}");
            assert!(pulled.release().contains("--value off"), "{}", pulled.release());
        }
        switch.look_within(now).await;
        assert_eq!(switch.pulled(), None);
        // Who gives no answer is not waited for.
        switch.look_within(now).await;
        assert!(switch.pulled().unwrap().to_string().contains("no answer"));
    }

    #[tokio::test]
    async fn a_read_that_fails_once_is_tried_again_before_it_counts() {
        for fails in [Err("throttled"), Err("")] {
            let switch = saying(&[fails, Ok("off"), fails, Ok("on"), fails, fails]);
            switch.look_within(Duration::ZERO).await;
            assert_eq!(switch.pulled(), None, "{fails:?}");
            switch.look_within(Duration::ZERO).await;
            assert!(matches!(switch.pulled(), Some(Pulled::Parameter { .. })), "{fails:?}");
            // Nobody writes without knowing that it is off.
            switch.look_within(Duration::ZERO).await;
            assert!(matches!(switch.pulled(), Some(Pulled::Unread { .. })), "{fails:?}");
        }
    }

    #[test]
    fn that_it_cannot_be_read_is_news_when_it_could_not_be_read_twice() {
        let unread = |why: &str| {
            Some(Pulled::Unread { name: "/evenkeel/stop".to_owned(), why: why.to_owned() })
        };
        let on = |pulled: Option<Pulled>| pulled.map(News::On);
        let mut watched = Watched::default();
        assert_eq!(watched.news(None), None);
        assert_eq!(watched.news(unread("no answer")), None);
        // Somebody may have been held back meanwhile.
        assert_eq!(watched.news(None), Some(News::Off { was_told: false }));
        assert_eq!(watched.news(unread("no answer")), None);
        assert_eq!(watched.news(unread("denied")), on(unread("denied")));
        assert_eq!(watched.news(unread("no answer")), None, "it is the same still");
        assert_eq!(watched.news(Some(Pulled::Here)), on(Some(Pulled::Here)));
        assert_eq!(watched.news(Some(Pulled::Here)), None);
        assert_eq!(watched.news(None), Some(News::Off { was_told: true }));
        assert_eq!(watched.news(None), None);
    }

    #[tokio::test]
    async fn a_parameter_is_read_once_for_all_who_ask_within_a_second() {
        let switch = saying(&[Ok("off"), Ok("on")]);
        futures::future::join_all((0..20).map(|_| switch.look())).await;
        assert_eq!(switch.pulled(), None);
        switch.look_within(Duration::ZERO).await;
        assert!(switch.pulled().is_some());
    }

    #[test]
    fn who_pulls_it_twice_has_released_it() {
        let switch = KillSwitch::default();
        assert!(switch.clone().toggle());
        assert_eq!(switch.pulled(), Some(Pulled::Here));
        assert!(!switch.toggle());
        assert_eq!(switch.pulled(), None);
    }
}

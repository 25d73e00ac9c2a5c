//! One version of the files, read and judged.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use croner::Cron;

use crate::baseline::Problems;
use crate::baseline::load::Reader;
use crate::baseline::texts::Texts;
use crate::fleet::Fleet;
use crate::fleet::elsewhere::OwnParts;
use crate::reconcile::settings::{Hears, counted, read_all, schedules};
use crate::reconcile::{Selectors, Settings, SettingsError};

/// Looks at files that do not settle, after which they are left to the next time.
const LOOKS: usize = 20;
/// Problems of which somebody is told.
const MOST_TOLD: usize = 100;

/// The texts of the files, read once, of whatever reader.
pub type FileTexts = Texts<Box<dyn Reader + Send + Sync>>;

/// A version of the files.
pub struct Version {
    /// Their texts.
    pub texts: FileTexts,
    /// The targets with their schedules.
    pub targets: BTreeMap<String, Cron>,
    /// The fleet file, if there is one.
    pub fleet: Option<Fleet>,
}

/// A look at the files.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// The fleet file.
    pub config: &'a Path,
    /// What is selected.
    pub selectors: &'a Selectors,
    /// When targets are looked at that have no schedule of their own.
    pub schedule: &'a str,
    /// Where the controller remembers, where the files come from elsewhere.
    pub own: Option<&'a OwnParts>,
}

impl Look<'_> {
    /// All of their texts as they are now.
    pub fn texts(self, reader: Box<dyn Reader + Send + Sync>) -> FileTexts {
        let mut texts = FileTexts::of(reader);
        read_all(self.config, self.selectors, &texts);
        texts.seal();
        texts
    }

    /// All of their texts, once they stay as they are for some time.
    pub async fn settled(
        self,
        reader: impl Fn() -> Box<dyn Reader + Send + Sync>,
        settled: Duration,
    ) -> FileTexts {
        let mut texts = self.texts(reader());
        for _ in 0..LOOKS {
            tokio::time::sleep(settled).await;
            if texts.is_as_in(&reader()) {
                break;
            }
            texts = self.texts(reader());
        }
        texts
    }

    /// Whether they can be used.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(self, texts: FileTexts, hears: Hears<'_>) -> Result<Version, SettingsError> {
        let mut settings = Settings::resolve(self.config, self.selectors, &texts, hears)?;
        if let (Some(own), Some(fleet)) = (self.own, &mut settings.fleet) {
            if let Some(strays) = own.strays(self.config, fleet, &texts) {
                return Err(SettingsError::Declared(strays));
            }
            own.put_into(fleet);
        }
        let targets = schedules(settings.fleet.as_ref(), self.selectors, self.schedule)?;
        Ok(Version { texts, targets, fleet: settings.fleet })
    }
}

/// Why files are refused: the first problem in the first line, how many there are in the last.
pub fn why(error: &SettingsError) -> String {
    let in_lines = |problems: &Problems| {
        // That nothing was looked at is said of a command; here, the last good version goes on.
        let mut lines = problems.errors_in_lines(MOST_TOLD);
        lines.push(counted(problems));
        lines.join("\n")
    };
    match error {
        SettingsError::Declared(problems) => in_lines(problems),
        other => other.to_string(),
    }
}

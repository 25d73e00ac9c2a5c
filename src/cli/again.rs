//! The command line that the reader can run next, written out: every word that a refusal asks for, in
//! a form that a shell takes as it stands.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use evenkeel::kinds::{GrantClass, Risk};
use evenkeel::plan::Guard;
use evenkeel::reconcile::{Selection, Selectors};
use evenkeel::visible::visible;

use super::args::{self, ApplyArgs, Global, GrantArg, GuardArg, PlanArgs, RiskArg, RollbackArgs};
use super::key::KeyPlace;

/// A command line.
pub struct Line {
    words: Vec<String>,
    /// The later one of the same name counts.
    options: Vec<(&'static str, Option<String>)>,
}

impl Line {
    /// `evenkeel COMMAND`.
    pub fn new(command: &str) -> Self {
        Self { words: vec!["evenkeel".to_owned(), command.to_owned()], options: Vec::new() }
    }

    /// A word without a name.
    #[must_use]
    pub fn word(mut self, word: &OsStr) -> Self {
        self.words.push(quoted(word));
        self
    }

    /// An option with its value.
    #[must_use]
    pub fn option(mut self, name: &'static str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.set(name, Some(quoted(OsStr::new(value))));
        }
        self
    }

    /// An option without a value.
    #[must_use]
    pub fn flag(mut self, name: &'static str, is_given: bool) -> Self {
        if is_given {
            self.set(name, None);
        }
        self
    }

    /// The classes of rights that are allowed.
    #[must_use]
    fn grants(mut self, classes: &[GrantArg]) -> Self {
        for class in classes {
            self.set("--allow-grants", Some(GrantClass::from(*class).as_str().to_owned()));
        }
        self
    }

    /// The guards that are overruled.
    #[must_use]
    fn overruled(mut self, guards: &[GuardArg]) -> Self {
        for guard in guards {
            self.set("--overrule", Some(Guard::from(*guard).as_str().to_owned()));
        }
        self
    }

    /// What a refusal asks for, such as `--max-changes 40`.
    #[must_use]
    pub fn asked(mut self, options: &[(&'static str, Option<String>)]) -> Self {
        for (name, value) in options {
            self.set(name, value.clone());
        }
        self
    }

    fn set(&mut self, name: &'static str, value: Option<String>) {
        // All limits are given once; classes of rights and guards add up.
        let is_list = name == "--allow-grants" || name == "--overrule";
        self.options.retain(|(there, with)| *there != name || (is_list && *with != value));
        self.options.push((name, value));
    }

    /// The fleet file, where it is not the usual one.
    #[must_use]
    fn config(mut self, config: &Path) -> Self {
        if config != Path::new("evenkeel.toml") {
            self = self.repeated("--config", [config.as_os_str()]);
        }
        self
    }

    /// What was selected.
    #[must_use]
    fn selectors(self, selectors: &Selectors) -> Self {
        fn texts(texts: &[String]) -> impl Iterator<Item = &OsStr> {
            texts.iter().map(OsStr::new)
        }
        self.repeated("-b", selectors.baselines.iter().map(|path| path.as_os_str()))
            .repeated("-t", texts(&selectors.targets))
            .repeated("-a", texts(&selectors.accounts))
            .repeated("-r", texts(&selectors.regions))
            .repeated("-k", texts(&selectors.kinds))
            .option("--shard", selectors.shard.map(|shard| shard.to_string()).as_deref())
            .flag("--outside-fleet", selectors.outside_fleet)
    }

    fn repeated<'a>(mut self, name: &str, values: impl IntoIterator<Item = &'a OsStr>) -> Self {
        for value in values {
            self.words.push(name.to_owned());
            self.words.push(quoted(value));
        }
        self
    }

    /// As one line.
    pub fn text(&self) -> String {
        let mut words = self.words.clone();
        for (name, value) in &self.options {
            words.push((*name).to_owned());
            words.extend(value.clone());
        }
        visible(&words.join(" ")).into_owned()
    }
}

/// The `apply` with which a person writes what a guard held back of these kinds in a run that nobody watches.
/// A window opens for nobody.
pub fn by_hand(
    config: &Path,
    selectors: &Selectors,
    kinds: &BTreeSet<String>,
    guard: Guard,
) -> Option<String> {
    // What an event touches is looked at whether it is declared or not.
    let selects = |word: &String| {
        let only = Selection { kinds: [word.clone()].into(), ..Selection::default() };
        kinds.iter().any(|kind| only.has_kind(kind))
    };
    let mut selectors = selectors.clone();
    if selectors.kinds.iter().any(selects) {
        selectors.kinds.retain(selects);
    }
    let apply = Line::new("apply").config(config).selectors(&selectors);
    let apply = match guard {
        Guard::ChangeWindow => return None,
        // Whoever sees the plan confirms it, or is told how far the limit is to be raised.
        Guard::FirstRun | Guard::Budget => apply,
        Guard::KillSwitch
        | Guard::Breaker
        | Guard::Fight
        | Guard::Wave
        | Guard::Hold
        | Guard::Memory => apply.asked(&[("--overrule", Some(guard.as_str().to_owned()))]),
    };
    Some(apply.text())
}

/// `apply` once more, as it was called, with what a refusal asks for.
pub fn apply(
    global: &Global,
    args: &ApplyArgs,
    asked: &[(&'static str, Option<String>)],
) -> String {
    let line = Line::new("apply").config(&global.config);
    let line = match &args.plan {
        Some(plan) => line.word(plan.as_os_str()),
        None => line,
    };
    line.selectors(&args.selectors.plain())
        .option("--max-changes", args.max_changes.map(|max| max.to_string()).as_deref())
        .option(
            "--max-changes-per-account",
            args.max_changes_per_account.map(|max| max.to_string()).as_deref(),
        )
        .option("--max-risk", args.max_risk.map(risk))
        .grants(&args.allow_grants)
        .overruled(&args.overrule)
        .option("--verify", args.verify.as_ref().map(KeyPlace::word).as_deref())
        .option("--audit-log", args.audit_log.as_ref().and_then(|path| path.to_str()))
        .flag("--yes", args.yes)
        .asked(asked)
        .text()
}

/// `rollback` once more, as it was called, with what a refusal asks for.
pub fn rollback(
    global: &Global,
    args: &RollbackArgs,
    asked: &[(&'static str, Option<String>)],
) -> String {
    let line = Line::new("rollback").config(&global.config).word(OsStr::new(&args.run));
    let line = match &args.plan {
        Some(plan) => line.word(plan.as_os_str()),
        None => line,
    };
    let number = |most: Option<usize>| most.map(|most| most.to_string());
    let days = (args.hold_days != 7).then(|| args.hold_days.to_string());
    line.option("--max-changes", number(args.max_changes).as_deref())
        .option("--max-changes-per-account", number(args.max_changes_per_account).as_deref())
        .option("--max-risk", args.max_risk.map(risk))
        .grants(&args.allow_grants)
        .overruled(&args.overrule)
        .option("--hold-days", days.as_deref())
        .option("--verify", args.verify.as_ref().map(KeyPlace::word).as_deref())
        .option("--audit-log", args.audit_log.as_ref().and_then(|path| path.to_str()))
        .flag("--yes", args.yes)
        .asked(asked)
        .text()
}

/// `rollback` of the plan that was just saved.
pub fn rollback_of_plan(global: &Global, args: &RollbackArgs, run: &str, saved: &Path) -> String {
    Line::new("rollback")
        .config(&global.config)
        .word(OsStr::new(run))
        .word(saved.as_os_str())
        .option("--verify", args.sign.as_ref().map(KeyPlace::word).as_deref())
        .text()
}

/// `apply` of the plan that was just saved, or would be.
pub fn apply_plan(
    global: &Global,
    args: &PlanArgs,
    saved: &Path,
    asked: &[(&'static str, Option<String>)],
) -> String {
    // Targets, Regions, kinds and shards are in the plan; baselines are named again.
    let selectors = Selectors {
        baselines: args.selectors.baseline.clone(),
        accounts: match args.selectors.baseline.is_empty() {
            true => Vec::new(),
            false => args.selectors.account.clone(),
        },
        outside_fleet: args.selectors.outside_fleet,
        ..Selectors::default()
    };
    Line::new("apply")
        .config(&global.config)
        .word(saved.as_os_str())
        .selectors(&selectors)
        .option("--max-risk", args.max_risk.map(risk))
        .grants(&args.allow_grants)
        .option("--verify", args.sign.as_ref().map(KeyPlace::word).as_deref())
        .asked(asked)
        .text()
}

/// `plan` once more, saved.
pub fn plan_saved(global: &Global, args: &PlanArgs, saved: &Path) -> String {
    Line::new("plan")
        .config(&global.config)
        .selectors(&args.selectors.plain())
        .option("--max-risk", args.max_risk.map(risk))
        .grants(&args.allow_grants)
        .option("--save", saved.to_str())
        .text()
}

/// `apply` of a plan whose baselines were named on the command line: they are named again.
pub fn apply_with_baselines(
    global: &Global,
    args: &ApplyArgs,
    files: &[String],
    accounts: &[String],
    asked: &[(&'static str, Option<String>)],
) -> String {
    let selectors = args::Selectors {
        baseline: files.iter().map(Into::into).collect(),
        account: accounts.to_vec(),
        ..args.selectors.clone()
    };
    apply(global, &ApplyArgs { selectors, ..args.clone() }, asked)
}

fn risk(risk: RiskArg) -> &'static str {
    Risk::from(risk).as_str()
}

/// A word as a shell takes it.
fn quoted(word: &OsStr) -> String {
    let Some(text) = word.to_str() else { return escaped(word) };
    // A word with a zero byte cannot have come from a command line.
    shlex::try_quote(text).map_or_else(|_| escaped(word), |quoted| quoted.into_owned())
}

/// What is no text, byte by byte: `$'b\xff.toml'`.
fn escaped(word: &OsStr) -> String {
    let mut text = String::from("$'");
    for byte in word.as_encoded_bytes() {
        match byte {
            b'\'' | b'\\' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, wanted) in [
            ("b.toml", "b.toml"),
            ("my baselines/b.toml", "'my baselines/b.toml'"),
            ("$(touch x)", "'$(touch x)'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(OsStr::new(word)), wanted);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_written_byte_by_byte() {
        use std::os::unix::ffi::OsStrExt;
        assert_eq!(quoted(OsStr::from_bytes(b"b\xff'.toml")), r"$'b\xff\'.toml'");
    }

    #[test]
    fn a_rollback_is_called_as_it_was() {
        use clap::Parser;

        use super::super::args::{Cli, Command};
        let words = ["evenkeel", "rollback", "01a2", "--yes", "--hold-days", "0"];
        let cli = Cli::try_parse_from(words).ok();
        let line = cli.and_then(|cli| match &cli.command {
            Command::Rollback(args) => {
                let asked = [("--overrule", Some("budget".to_owned()))];
                Some(rollback(&cli.global, args, &asked))
            }
            _ => None,
        });
        let wanted = "evenkeel rollback 01a2 --hold-days 0 --yes --overrule budget";
        assert_eq!(line.as_deref(), Some(wanted));
    }

    #[test]
    fn by_hand_names_what_is_held_back_and_not_what_else_an_event_touches() {
        let kinds = ["cloudwatch.log_alarm", "s3", "sns.subscription", "sns.topic"];
        let selectors = Selectors {
            accounts: vec!["222222222222".to_owned()],
            kinds: kinds.map(str::to_owned).to_vec(),
            ..Selectors::default()
        };
        let held = ["s3.bucket", "sns.topic"].map(str::to_owned).into();
        let line = by_hand(Path::new("evenkeel.toml"), &selectors, &held, Guard::Fight);
        let wanted = "evenkeel apply -a 222222222222 -k s3 -k sns.topic --overrule fight";
        assert_eq!(line.as_deref(), Some(wanted));
        // No command opens a window.
        let shut = by_hand(Path::new("evenkeel.toml"), &selectors, &held, Guard::ChangeWindow);
        assert_eq!(shut, None);
    }

    #[test]
    fn the_later_option_counts() {
        let asked = [("--max-changes", Some("40".to_owned())), ("--yes", None)];
        let line = Line::new("apply").option("--max-changes", Some("5")).asked(&asked);
        assert_eq!(line.text(), "evenkeel apply --max-changes 40 --yes");
    }
}

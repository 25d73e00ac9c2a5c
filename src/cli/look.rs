//! A look as the command line wishes it: what `plan`, `check`, `apply`, `rollback` and `snapshot` share.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use evenkeel::guards::KillSwitch;
use evenkeel::kinds::{GrantClass, Risk};
use evenkeel::notify::Notices;
use evenkeel::plan::{Detail, Guard, Spot};
use evenkeel::reconcile::look::Other;
use evenkeel::reconcile::settings::audit_log as audit_log_of;
use evenkeel::reconcile::{
    AccountLocks, Claims, Guarded, Hand, Kept, Listener, Listeners, Look, Looked, Settings, Source,
    Stop,
};

use super::args::{Global, Selectors};
use super::failure::Failure;
use super::git::Version;
use super::listen::Talk;
use super::watch::Bar;
use super::{ask, memory, out, settings};

/// What a command wants beyond the selectors.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Another risk limit than the fleet file's.
    pub max_risk: Option<Risk>,
    /// Classes of rises of privileges that are allowed besides the fleet file's.
    pub allow_grants: Vec<GrantClass>,
    /// Another limit of changes.
    pub max_changes: Option<usize>,
    /// Another limit of changes in one account.
    pub max_changes_per_account: Option<usize>,
    /// Only these places: those that a plan would change.
    pub only: Option<BTreeSet<Spot>>,
    /// How much of the plan is kept.
    pub detail: Option<Detail>,
    /// Whether the plan is only made, and applied by another command or nobody.
    pub only_made: bool,
    /// The snapshot to look at, instead of AWS.
    pub snapshot: Option<PathBuf>,
    /// The hours after which that snapshot is too old.
    pub max_age: Option<u32>,
    /// The other version of the baselines.
    pub compare_to: Option<String>,
    /// Where to record what is seen.
    pub record: Option<PathBuf>,
    /// Whether it is to be put back: then the role's own policy is the only limit of its session, since
    /// what was there before is not declared.
    pub puts_back: bool,
    /// Who is told of it.
    pub notices: Option<Arc<Notices>>,
    /// Who asks the guards, and what of them is overruled.
    pub asking: Asking,
}

/// Who asks the guards.
#[derive(Debug, Clone, Default)]
pub struct Asking {
    /// Guards that the person overrules.
    pub overruled: BTreeSet<Guard>,
    /// The audit log, beside which it is remembered where there is no store.
    pub audit_log: Option<PathBuf>,
}

/// Says which accounts are only reported because they are outside of the fleet.
pub fn say_outside(looked: &Looked) {
    for why in &looked.outside {
        out::say(&format!("note: {}", evenkeel::reconcile::Note::OutsideFleet(why)));
    }
}

/// Looks, until somebody presses Ctrl-C.
///
/// # Errors
/// The files cannot be used, the credentials are not good, or they belong to another account.
pub async fn look(global: &Global, selectors: &Selectors, wish: Wish) -> Result<Looked, Failure> {
    let stop = Stop::default();
    let _listening = ask::stop_on_signals(&stop);
    at(global, selectors, settings::resolve(global, selectors)?, wish, &stop).await
}

/// Looks, until somebody presses Ctrl-C, and remembers it.
///
/// # Errors
/// As [`look`].
pub async fn look_remembered(
    global: &Global,
    selectors: &Selectors,
    wish: Wish,
    command: &str,
) -> Result<Looked, Failure> {
    let stop = Stop::default();
    let _listening = ask::stop_on_signals(&stop);
    let settings = settings::resolve(global, selectors)?;
    let audit_log = audit_log(&wish.asking, &settings);
    let kept = Kept::open(settings.fleet.as_ref(), &audit_log, &out::warns()).await;
    let command = Some((command, &kept));
    Ok(remembering(global, selectors, settings, wish, &stop, command).await?.0)
}

/// Looks with settings that have been resolved.
///
/// # Errors
/// As [`look`].
pub async fn at(
    global: &Global,
    selectors: &Selectors,
    settings: Settings,
    wish: Wish,
    stop: &Stop,
) -> Result<Looked, Failure> {
    Ok(remembering(global, selectors, settings, wish, stop, None).await?.0)
}

/// Looks, and remembers what a command sees. Who remembers hears of what follows from it, too.
///
/// # Errors
/// As [`look`].
pub async fn remembering(
    global: &Global,
    selectors: &Selectors,
    settings: Settings,
    mut wish: Wish,
    stop: &Stop,
    command: Option<(&str, &Kept)>,
) -> Result<(Looked, Vec<Arc<dyn Listener>>), Failure> {
    let notices = wish.notices.take();
    let is_kept = matches!(command, Some(("check", Kept::In(..)))) || notices.is_some();
    if let (true, Some(Detail::Shown)) = (is_kept, wish.detail) {
        // That drift has ended is seen on the objects that are as declared.
        wish.detail = Some(Detail::Drift);
    }
    let kept = command.map(|(_, kept)| kept);
    let wanted = wanted(global, selectors, settings, wish, kept).await?;
    let who = command
        .and_then(|(command, kept)| kept.listener(command, &wanted, Vec::new(), &out::warns()));
    let mut who: Vec<Arc<dyn Listener>> = who.into_iter().collect();
    if let (Some(notices), Some((command, _))) = (&notices, command) {
        who.push(notices.listener(command, &wanted));
    }
    let mut all: Vec<Arc<dyn Listener>> =
        vec![Arc::new(Bar::new(global, Arc::clone(&wanted.meter))), Arc::new(Talk)];
    all.extend(who.iter().cloned());
    let listener: Arc<dyn Listener> = Arc::new(Listeners(all));
    let locks = wanted.locks.clone();
    let looked = evenkeel::reconcile::look(wanted, &listener, stop).await;
    if looked.is_err() {
        // What was stopped has leases still.
        locks.end().await;
    }
    Ok((looked?, who))
}

/// The audit log beside which it is remembered, where there is no store.
fn audit_log(asking: &Asking, settings: &Settings) -> PathBuf {
    let named = asking.audit_log.clone().or_else(settings::audit_log_of_environment);
    named.unwrap_or_else(|| audit_log_of(settings.fleet.as_ref()))
}

/// What is looked at, as the library takes it.
///
/// # Errors
/// The selectors name what is not there.
pub async fn wanted(
    global: &Global,
    selectors: &Selectors,
    settings: Settings,
    wish: Wish,
    kept: Option<&Kept>,
) -> Result<Look, Failure> {
    let beside = audit_log(&wish.asking, &settings);
    let compare_to = match wish.compare_to {
        None => None,
        Some(name) => {
            let version = Version::find(&name)?;
            let targets = settings::other_targets(global, selectors, &version, &name)?;
            Some(Other { name, targets })
        }
    };
    let memory = memory::of_run(kept, settings.fleet.as_ref(), &beside).await;
    let mut guarded = Guarded::of(Hand::Person, settings.fleet.as_ref(), memory);
    // Who allows a run more than a day has means it.
    let rules = &mut guarded.rules;
    rules.per_day = rules.per_day.max(wish.max_changes.unwrap_or_default());
    rules.per_account_per_day =
        rules.per_account_per_day.max(wish.max_changes_per_account.unwrap_or_default());
    let is_overruled = wish.asking.overruled.contains(&Guard::KillSwitch);
    guarded.overruled = wish.asking.overruled;
    let to_apply = wish.detail == Some(Detail::All) && !wish.only_made;
    let shared = kept.and_then(Kept::store).filter(|store| to_apply && store.is_shared());
    let locks = match shared {
        Some(store) => AccountLocks::claimed(Claims::within(store, settings.fleet.as_ref())),
        None => AccountLocks::default(),
    };
    let mut look = Look {
        compare_to,
        source: match wish.snapshot {
            Some(path) => Source::Recorded { path, max_age: wish.max_age },
            None => Source::Live { own: None, record: wish.record },
        },
        only: wish.only,
        puts_back: wish.puts_back,
        detail: wish.detail.unwrap_or(Detail::Shown),
        to_apply,
        locks,
        ..settings.look(&selectors.plain(), guarded)?
    };
    if is_overruled {
        look.kill_switch = KillSwitch::default();
    }
    let safety = &mut look.safety;
    safety.max_risk = wish.max_risk.unwrap_or(safety.max_risk);
    safety.allow_grants.extend(wish.allow_grants);
    safety.max_changes = wish.max_changes.unwrap_or(safety.max_changes);
    safety.max_changes_per_account =
        wish.max_changes_per_account.unwrap_or(safety.max_changes_per_account);
    Ok(look)
}

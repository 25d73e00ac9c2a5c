//! Looks at the selected targets and makes the plan: what `plan`, `check` and `apply` share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use evenkeel::aws::meter::Meter;
use evenkeel::aws::{ConnectError, Session};
use evenkeel::digest;
use evenkeel::kinds::{Facts, Risk, registry};
use evenkeel::names::{AccountId, ItemName, Region};
use evenkeel::plan::{BaselineRef, Cost, Plan, PlanInput, TargetRef, Waiver, make_plan};
use evenkeel::reconcile::{Refusal, Safety, Selection, declare, observe_all};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{Global, Selectors};
use super::failure::Failure;
use super::settings::{self, Settings, Work};

/// Where an item was observed.
pub type Place = (AccountId, ItemName, Region);

/// What a command wants beyond the selectors.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Another risk limit than the fleet file's.
    pub max_risk: Option<Risk>,
    /// Another limit of changes.
    pub max_changes: Option<usize>,
    /// Another audit log.
    pub audit_log: Option<PathBuf>,
    /// Only these places.
    pub only: Option<BTreeSet<Place>>,
}

/// What was found.
pub struct Looked {
    /// The plan.
    pub plan: Plan,
    /// The ways into the accounts.
    pub sessions: BTreeMap<AccountId, Arc<Session>>,
    /// The limits of the run.
    pub safety: Safety,
    /// The audit log.
    pub audit_log: PathBuf,
    /// The change windows of the fleet file.
    pub windows: Vec<evenkeel::fleet::file::ChangeWindow>,
}

/// Looks.
///
/// # Errors
/// The files cannot be used, the credentials are not good, or they belong to another account.
pub async fn look(global: &Global, selectors: &Selectors, wish: Wish) -> Result<Looked, Failure> {
    let settings = settings::resolve(global, selectors)?;
    at(global, selectors, &settings, &settings.targets.iter().collect::<Vec<_>>(), wish).await
}

/// Looks at some targets of the settings.
///
/// # Errors
/// As [`look`].
pub async fn at(
    global: &Global,
    selectors: &Selectors,
    settings: &Settings,
    works: &[&Work],
    wish: Wish,
) -> Result<Looked, Failure> {
    let started = Instant::now();
    let meter = Arc::new(Meter::default());
    let own = Arc::new(Session::connect(Arc::clone(&meter)).await?);
    let max_risk = wish.max_risk.unwrap_or(settings.safety.max_risk);
    let mut sessions: BTreeMap<AccountId, Arc<Session>> = BTreeMap::new();
    let mut items = Vec::new();
    let mut targets: BTreeMap<AccountId, TargetRef> = BTreeMap::new();
    let progress = progress(global);
    for work in works {
        for account in accounts(work, &own) {
            let session = match sessions.get(&account) {
                Some(session) => Arc::clone(session),
                None => session_for(settings, &own, &account).await?,
            };
            sessions.insert(account.clone(), Arc::clone(&session));
            let selection = selection(selectors, &wish, &account);
            let declared = declare(&work.baseline, &session, work.ceiling, &selection)
                .await
                .map_err(ConnectError::Identity)?;
            progress.inc_length(u64::try_from(declared.items.len()).unwrap_or_default());
            items.extend(observe_all(&session, declared.items, || progress.inc(1)).await);
            items.extend(declared.unresolved);
            let target = targets.entry(account.clone()).or_insert_with(|| TargetRef {
                account,
                name: None,
                partition: session.partition().to_owned(),
                home_region: session.home_region().clone(),
                regions: Vec::new(),
            });
            let all: BTreeSet<Region> =
                target.regions.iter().cloned().chain(declared.regions).collect();
            target.regions = all.into_iter().collect();
        }
    }
    progress.finish_and_clear();
    let today = Utc::now().date_naive();
    let plan = make_plan(PlanInput {
        run: uuid::Uuid::now_v7().to_string(),
        baseline: baseline_ref(works),
        targets: targets.into_values().collect(),
        items,
        kind: &registry::find,
        waiver: &|item, facts, object| waiver(works, item, facts, object, today),
        max_risk,
        cost: Cost {
            requests: meter.requests(),
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
    });
    tracing::info!(requests = meter.requests(), throttled = meter.throttled(), "observed");
    for (call, count) in meter.calls() {
        tracing::debug!(%call, count, "read");
    }
    Ok(Looked {
        plan,
        sessions,
        safety: Safety {
            max_risk,
            max_changes: wish.max_changes.unwrap_or(settings.safety.max_changes),
            // Who allows more changes in all allows them in one account too.
            max_changes_per_account: wish
                .max_changes
                .map_or(settings.safety.max_changes_per_account, |max| {
                    max.max(settings.safety.max_changes_per_account)
                }),
        },
        audit_log: wish.audit_log.unwrap_or_else(|| settings.audit_log.clone()),
        windows: settings
            .fleet
            .as_ref()
            .map(|fleet| fleet.file.safety.change_windows.clone())
            .unwrap_or_default(),
    })
}

fn accounts(work: &Work, own: &Session) -> Vec<AccountId> {
    if work.accounts.is_empty() {
        vec![own.account().clone()]
    } else {
        work.accounts.iter().cloned().collect()
    }
}

/// The way into an account: our own credentials, or the fleet file's role.
async fn session_for(
    settings: &Settings,
    own: &Arc<Session>,
    account: &AccountId,
) -> Result<Arc<Session>, Failure> {
    let wrong = |actual: &Session| Refusal::WrongAccount {
        wanted: account.to_string(),
        actual: actual.account().clone(),
    };
    if account == own.account() {
        return Ok(Arc::clone(own));
    }
    let role = match &settings.fleet {
        Some(fleet) => settings::role(fleet, account, own.partition())?,
        None => None,
    };
    let Some(role) = role else { return Err(wrong(own).into()) };
    let session = Arc::new(own.assume(&role).await?);
    if session.account() == account { Ok(session) } else { Err(wrong(&session).into()) }
}

fn selection(selectors: &Selectors, wish: &Wish, account: &AccountId) -> Selection {
    Selection {
        regions: selectors.region.iter().map(Region::new).collect(),
        kinds: selectors.kind.iter().cloned().collect(),
        only: wish.only.as_ref().map(|only| {
            only.iter()
                .filter(|(of, _, _)| of == account)
                .map(|(_, item, region)| (item.clone(), region.clone()))
                .collect()
        }),
    }
}

fn baseline_ref(works: &[&Work]) -> BaselineRef {
    let names: BTreeSet<_> = works.iter().map(|work| work.baseline.name.as_str()).collect();
    let mut files = Vec::new();
    for file in works.iter().flat_map(|work| &work.baseline.files) {
        let file = file.display().to_string();
        if !files.contains(&file) {
            files.push(file);
        }
    }
    let digest = match works {
        [only] => only.baseline.digest.clone(),
        many => digest::of(&many.iter().map(|work| &work.baseline.digest).collect::<Vec<_>>()),
    };
    BaselineRef { name: names.into_iter().collect::<Vec<_>>().join("+"), digest, files }
}

fn waiver(
    works: &[&Work],
    item: &ItemName,
    facts: &Facts,
    object: &str,
    today: chrono::NaiveDate,
) -> Option<Waiver> {
    works
        .iter()
        .flat_map(|work| &work.baseline.exceptions)
        .find(|exception| exception.covers(item, &facts.account, &facts.region, object, today))
        .map(|exception| Waiver {
            until: exception.until.to_string(),
            owner: exception.owner.clone(),
            reason: exception.reason.clone(),
        })
}

/// A progress bar on a terminal; nothing elsewhere.
fn progress(global: &Global) -> ProgressBar {
    let target =
        if global.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    if let Ok(style) = ProgressStyle::with_template("observing {bar:30} {pos}/{len}  {elapsed}") {
        bar.set_style(style);
    }
    bar
}

//! Looks at the selected targets and makes the plan: what `plan`, `check` and `apply` share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use evenkeel::aws::meter::Meter;
use evenkeel::aws::{AwsError, Session, session};
use evenkeel::digest;
use evenkeel::fleet::organization::{Organization, discover};
use evenkeel::fleet::select::{Choice, SelectError, needs_organization, needs_tags, select};
use evenkeel::fleet::shard::Shard;
use evenkeel::kinds::{GrantClass, Risk};
use evenkeel::names::{AccountId, Region};
use evenkeel::plan::compare::compare;
use evenkeel::plan::thin::Alike;
use evenkeel::plan::words::counted;
use evenkeel::plan::{
    AccountPlan, Assembly, BaselineRef, Cost, Detail, FailedAccount, Mode, Plan, PlanHead,
    SkippedAccount, TargetRef,
};
use evenkeel::reconcile::declare::Conflict;
use evenkeel::reconcile::fleet::{
    FleetTarget, Job, Outcome, Place, Wanted, Watch, Ways, look_at_all,
};
use evenkeel::reconcile::observe::turns;
use evenkeel::reconcile::{Refusal, Safety, Selection, Stop};

use super::args::{Global, Selectors};
use super::failure::Failure;
use super::git::Version;
use super::out;
use super::settings::{self, Settings, Work};
use super::snapshot::{self, Recording};
use super::watch::Bar;
use super::{ask, ceilings};

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
    /// Another audit log.
    pub audit_log: Option<PathBuf>,
    /// Only these places: those that a plan would change.
    pub only: Option<BTreeSet<Place>>,
    /// How much of the plan is kept; what is to be applied, with the ways in.
    pub detail: Option<Detail>,
    /// The snapshot to look at, instead of AWS.
    pub snapshot: Option<PathBuf>,
    /// The hours after which that snapshot is too old.
    pub max_age: Option<u32>,
    /// The other version of the baselines.
    pub compare_to: Option<String>,
    /// Where to record what is seen.
    pub record: Option<PathBuf>,
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
    /// Accounts worked on at the same time.
    pub concurrent_accounts: usize,
    /// With -b: why accounts are outside of the fleet, so that they are only reported.
    pub outside: Vec<String>,
}

impl Looked {
    /// Says which accounts are only reported because they are outside of the fleet.
    pub fn say_outside(&self) {
        for why in &self.outside {
            out::say(&format!(
                "note: {why}: it is only reported; --outside-fleet lets -b write there"
            ));
        }
    }
}

/// Looks.
///
/// # Errors
/// The files cannot be used, the credentials are not good, or they belong to another account.
pub async fn look(global: &Global, selectors: &Selectors, wish: Wish) -> Result<Looked, Failure> {
    let settings = settings::resolve(global, selectors)?;
    at(global, selectors, settings, wish).await
}

/// What has been seen so far.
#[derive(Default)]
struct Found {
    targets: Vec<TargetRef>,
    parts: Assembly,
    before: Vec<AccountPlan>,
    failed: Vec<FailedAccount>,
    conflicts: Vec<Conflict>,
    sessions: BTreeMap<AccountId, Arc<Session>>,
    /// Items of all accounts and Regions.
    declared: usize,
    /// Accounts that only the other version of the baselines selects.
    of_other_alone: BTreeSet<AccountId>,
    /// Where only what is shown is kept: what is alike, once.
    alike: Option<Alike>,
}

impl Found {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Seen(mut seen) => {
                if let Some(alike) = &mut self.alike {
                    seen.plan.objects.iter_mut().for_each(|object| alike.note(object));
                }
                self.declared += seen.declared;
                let account = seen.target.account.clone();
                if let Some(session) = seen.session {
                    self.sessions.insert(account.clone(), session);
                }
                self.before.extend(seen.before);
                if !self.of_other_alone.contains(&account) {
                    self.parts.add(account, seen.plan);
                    self.targets.push(seen.target);
                }
            }
            Outcome::Failed(failed) if self.of_other_alone.contains(&failed.account) => {
                out::say(&format!(
                    "note: account {}, which this version of the files does not select, could not be looked at, so that nobody can say what is removed there: {}",
                    failed.account, failed.reason
                ));
            }
            Outcome::Failed(failed) => self.failed.push(failed),
            Outcome::Conflicts(conflicts) => self.conflicts.extend(conflicts),
        }
    }
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
) -> Result<Looked, Failure> {
    tokio::select! {
        looked = looking(global, selectors, settings, wish) => looked,
        // Nothing has been written: there is nothing to finish.
        () = ask::signalled() => Err(Failure::Interrupted),
    }
}

async fn looking(
    global: &Global,
    selectors: &Selectors,
    settings: Settings,
    wish: Wish,
) -> Result<Looked, Failure> {
    let started = Instant::now();
    let run = uuid::Uuid::now_v7().to_string();
    let meter = Arc::new(Meter::default());
    let Settings { fleet, targets: works, safety, audit_log } = settings;
    let other = match &wish.compare_to {
        None => None,
        Some(name) => {
            let version = Version::find(name)?;
            Some(settings::other_targets(global, selectors, &version, name)?)
        }
    };
    let limits = fleet.as_ref().map(|fleet| fleet.file.limits.clone()).unwrap_or_default();
    let max_risk = wish.max_risk.unwrap_or(safety.max_risk);
    let mut allow_grants = safety.allow_grants;
    allow_grants.extend(wish.allow_grants.iter().copied());
    let reference = baseline_ref(&works, !selectors.baseline.is_empty());
    let other_digest = other.as_ref().map(digest_of);

    // Who are we, and which accounts are there?
    let mut offline = wish.snapshot.as_deref().map(snapshot::open).transpose()?;
    if let (Some(snapshot), Some(hours)) = (&offline, wish.max_age) {
        snapshot.refuse_older_than(hours)?;
    }
    let home_region =
        fleet.as_ref().and_then(|fleet| fleet.file.home_region.as_deref()).map(Region::new);
    let ways = match &offline {
        Some(_) => None,
        None => {
            let options = session::Options {
                home_region: home_region.clone(),
                requests_per_second: limits.requests_per_second,
                record: wish.record.is_some(),
            };
            let own = Arc::new(Session::connect(Arc::clone(&meter), options).await?);
            let roles = fleet.as_ref().and_then(|fleet| settings::roles(fleet, &run));
            if let Some(roles) = &roles {
                // A placeholder that cannot be filled in is wrong for every account.
                roles.role(own.account(), own.partition(), None)?;
            }
            Some(Arc::new(Ways { own, roles }))
        }
    };
    let choices: Vec<Choice<'_>> =
        works.iter().chain(other.iter().flatten()).map(Work::choice).collect();
    // With -b, the targets of the fleet file still say what may be done in which account.
    let governing = match (&fleet, selectors.baseline.is_empty()) {
        (Some(fleet), false) => ceilings::choices(fleet),
        _ => Vec::new(),
    };
    let organization = match (&offline, &ways) {
        (Some(snapshot), _) => snapshot.head.organization.clone(),
        (None, Some(ways)) => {
            let mut all = works.iter().chain(other.iter().flatten());
            let tags = needs_tags(&choices)
                || needs_tags(&governing)
                || all.any(|work| work.baseline.may_use_account_tags());
            let both: Vec<Choice<'_>> = choices.iter().chain(&governing).cloned().collect();
            match organization(ways, &both, tags).await {
                // Only the ceilings need it, and without it nothing is written.
                Err(failure) if !needs_organization(&choices) && !governing.is_empty() => {
                    out::say(&format!("note: {failure}"));
                    None
                }
                found => found?,
            }
        }
        (None, None) => None,
    };
    let own = match (&offline, &ways) {
        (Some(snapshot), _) => snapshot.head.own.clone(),
        (None, Some(ways)) => ways.own.account().clone(),
        (None, None) => return Err(Failure::usage("there is no way to look", "")),
    };
    let (mut jobs, mut skipped) =
        jobs(&works, other.as_deref(), selectors, &own, organization.as_ref())?;
    if let Some(only) = &wish.only {
        let accounts: BTreeSet<&AccountId> = only.iter().map(|(account, _, _)| account).collect();
        jobs.retain(|job| accounts.contains(&job.account.id));
        skipped.retain(|skip| accounts.contains(&skip.account));
        if let (true, true, Some(wanted)) =
            (jobs.is_empty(), selectors.account.is_empty(), accounts.first())
            && !selectors.baseline.is_empty()
        {
            let wanted = wanted.to_string();
            return Err(Refusal::WrongAccount { wanted, actual: own }.into());
        }
    }
    let mut outside = Vec::new();
    if let (Some(fleet), false) = (&fleet, selectors.baseline.is_empty()) {
        for job in &mut jobs {
            let standing = ceilings::standing(fleet, &job.account, &own, organization.as_ref());
            job.ceiling = standing.ceiling(selectors.outside_fleet);
            outside.extend(standing.outside.filter(|_| !selectors.outside_fleet));
        }
    }
    if let Some(ways) = &ways
        && ways.roles.is_none()
        && let Some(job) = jobs.iter().find(|job| job.account.id != own)
    {
        let wanted = job.account.id.to_string();
        return Err(Refusal::WrongAccount { wanted, actual: own }.into());
    }

    // Look.
    let comparing = other.is_some();
    let concurrent_accounts = limits.concurrent_accounts;
    let wanted = Arc::new(Wanted {
        targets: works.into_iter().map(target).collect(),
        before: other.into_iter().flatten().map(target).collect(),
        organization: organization.as_ref().map(|organization| organization.id.clone()),
        home_region,
        selection: Selection {
            regions: selectors.region.iter().map(Region::new).collect(),
            kinds: selectors.kind.iter().cloned().collect(),
            only: None,
        },
        only: wish.only.clone(),
        max_risk,
        allow_grants,
        today: Utc::now().date_naive(),
        account_timeout: Duration::from_secs(limits.account_timeout_seconds),
        concurrent_accounts,
        turns: turns(),
        read_only: wish.record.is_some(),
        // Two versions are compared by their writes.
        detail: match wish.detail.unwrap_or(Detail::Shown) {
            Detail::Shown if comparing => Detail::Drift,
            detail => detail,
        },
    });
    let bar = Arc::new(Bar::new(global, jobs.len(), Arc::clone(&meter)));
    let watch: Arc<dyn Watch> = Arc::clone(&bar) as Arc<dyn Watch>;
    let stop = Stop::default();
    let mut found = Found {
        alike: (wanted.detail == Detail::Shown).then(Alike::default),
        of_other_alone: jobs
            .iter()
            .filter(|job| job.targets.is_empty())
            .map(|job| job.account.id.clone())
            .collect(),
        ..Found::default()
    };
    let mut taken_from = None;
    match (&mut offline, &ways) {
        (Some(snapshot), _) => {
            taken_from = Some(snapshot.reference());
            snapshot.look(jobs, &wanted, &watch, |outcome| found.add(outcome)).await?;
        }
        (None, Some(ways)) => {
            let mut recording = match &wish.record {
                None => None,
                Some(path) => Some(Recording::start(path, &run, &own, organization.clone())?),
            };
            let mut trouble = None;
            let all = look_at_all(jobs, &wanted, ways, &watch, &stop, |job, mut outcome| {
                if let Some(recording) = &mut recording
                    && let Err(error) = recording.add(&job, &mut outcome)
                {
                    trouble.get_or_insert(error);
                }
                found.add(outcome);
            });
            all.await;
            if let Some(error) = trouble {
                return Err(error);
            }
            // A snapshot of nothing would take the place of an older one that is of use.
            if let Some(recording) = recording.filter(|_| !found.targets.is_empty()) {
                recording.finish()?;
            }
        }
        (None, None) => {}
    }
    bar.clear();
    if !found.conflicts.is_empty() {
        return Err(contradiction(&found.conflicts));
    }
    if found.declared == 0 && found.failed.is_empty() && !found.targets.is_empty() {
        // In a shard, the accounts may just be those that nothing is declared for.
        let narrowed = !selectors.region.is_empty() || !selectors.kind.is_empty();
        if wish.only.is_none() && selectors.shard.is_none() {
            return Err(nothing_declared(narrowed));
        }
    }

    found.targets.sort_by(|left, right| left.account.cmp(&right.account));
    found.failed.sort_by(|left, right| left.account.cmp(&right.account));
    let head = PlanHead {
        run,
        baseline: reference,
        targets: found.targets,
        failed: found.failed,
        skipped,
        snapshot: taken_from,
        shards: selectors.shard.map(Into::into),
        cost: Cost {
            requests: meter.requests(),
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
    };
    let mut plan = found.parts.finish(head);
    if let (Some(name), Some(digest)) = (wish.compare_to, other_digest) {
        plan.comparison = Some(compare(&plan, name, digest, found.before));
    }
    tracing::info!(requests = meter.requests(), throttled = meter.throttled(), "observed");
    for (call, count) in meter.calls() {
        tracing::debug!(%call, count, "read");
    }
    Ok(Looked {
        plan,
        sessions: found.sessions,
        safety: Safety {
            max_risk,
            allow_grants,
            max_changes: wish.max_changes.unwrap_or(safety.max_changes),
            max_changes_per_account: wish
                .max_changes_per_account
                .unwrap_or(safety.max_changes_per_account),
        },
        audit_log: wish.audit_log.unwrap_or(audit_log),
        windows: fleet
            .as_ref()
            .map(|fleet| fleet.file.safety.change_windows.clone())
            .unwrap_or_default(),
        concurrent_accounts,
        outside,
    })
}

/// Asks the organization when something depends on it.
async fn organization(
    ways: &Ways,
    choices: &[Choice<'_>],
    with_tags: bool,
) -> Result<Option<Organization>, Failure> {
    let own = &ways.own;
    let role = match &ways.roles {
        Some(roles) => roles.organizations_role(own.account(), own.partition())?,
        None => None,
    };
    if role.is_none() && !needs_organization(choices) {
        return Ok(None);
    }
    let session = match &role {
        Some(role) => Arc::new(own.assume(role).await?),
        None => Arc::clone(own),
    };
    discover(&session, with_tags).await.map(Some).map_err(cannot_discover)
}

fn cannot_discover(error: AwsError) -> Failure {
    Failure::usage(
        format!("cannot list the organization's accounts: {error}"),
        format!(
            "{}. Accounts are listed from the management account or a delegated administrator; [access] organizations_role_arn names a role there",
            error.remedy()
        ),
    )
}

/// Which accounts to look at, and for which targets.
fn jobs(
    works: &[Work],
    other: Option<&[Work]>,
    selectors: &Selectors,
    own: &AccountId,
    organization: Option<&Organization>,
) -> Result<(Vec<Job>, Vec<SkippedAccount>), Failure> {
    let choose = |works: &[Work]| {
        let choices: Vec<Choice<'_>> = works.iter().map(Work::choice).collect();
        select(&choices, own, organization)
    };
    let (assigned, mut skipped) = choose(works)?;
    let mut jobs: BTreeMap<AccountId, Job> = assigned
        .into_iter()
        .map(|one| {
            let job = Job {
                account: one.account,
                targets: one.targets,
                before: Vec::new(),
                ceiling: Mode::Enforce,
            };
            (job.account.id.clone(), job)
        })
        .collect();
    if let Some(other) = other {
        let of_other = |error: SelectError| {
            Failure::usage(
                format!("in the version that --compare-to names: {error}"),
                error.remedy(),
            )
        };
        for one in choose(other).map_err(of_other)?.0 {
            jobs.entry(one.account.id.clone())
                .or_insert_with(|| Job {
                    account: one.account,
                    targets: Vec::new(),
                    before: Vec::new(),
                    ceiling: Mode::Enforce,
                })
                .before = one.targets;
        }
    }
    let asked = settings::accounts(&selectors.account)?;
    if !asked.is_empty() {
        let missing: Vec<String> = asked
            .iter()
            .filter(|account| {
                !jobs.contains_key(*account)
                    && !skipped.iter().any(|skip| skip.account == **account)
            })
            .map(ToString::to_string)
            .collect();
        if !missing.is_empty() {
            return Err(Failure::usage(
                format!("no target selects the account {}", missing.join(", ")),
                "correct -a, or `select` and `except` in the fleet file",
            ));
        }
        jobs.retain(|account, _| asked.contains(account));
        skipped.retain(|skip| asked.contains(&skip.account));
        if jobs.is_empty() && skipped.is_empty() {
            return Err(nothing_left());
        }
    }
    if jobs.is_empty() {
        return Err(all_left_out(&skipped));
    }
    if let Some(shard) = &selectors.shard {
        let mine = |account: &AccountId| Shard::has(*shard, account);
        jobs.retain(|account, _| mine(account));
        skipped.retain(|skip| mine(&skip.account));
        if jobs.is_empty() {
            // Right for a job of a matrix, and still to be said.
            out::say(&format!(
                "note: the shard {shard} holds no account; there is nothing to look at"
            ));
        }
    }
    Ok((jobs.into_values().collect(), skipped))
}

/// Says once what two targets contradict each other in, however many accounts they share.
fn contradiction(conflicts: &[Conflict]) -> Failure {
    const NAMED: usize = 3;
    let mut accounts: BTreeMap<(&str, &str, &str), BTreeSet<&AccountId>> = BTreeMap::new();
    for conflict in conflicts {
        let key = (conflict.what.as_str(), conflict.first.as_str(), conflict.second.as_str());
        accounts.entry(key).or_default().insert(&conflict.account);
    }
    let lines: Vec<String> = accounts
        .into_iter()
        .map(|((what, first, second), accounts)| {
            let mut names: Vec<String> =
                accounts.iter().take(NAMED).map(ToString::to_string).collect();
            if accounts.len() > NAMED {
                names.push(format!("and {} more", accounts.len() - NAMED));
            }
            format!(
                "{what}, at {first} and at {second}, for {}: {}",
                counted(accounts.len(), "account"),
                names.join(", ")
            )
        })
        .collect();
    Failure::usage(
        lines.join("\n"),
        "let one target declare it, or give both the same values; an object is declared in one item only",
    )
}

fn nothing_declared(narrowed: bool) -> Failure {
    if narrowed {
        return Failure::usage(
            "nothing is selected: no item that is declared is left by -r and -k",
            "a run that looks at nothing would look green; correct -r and -k",
        );
    }
    Failure::usage(
        "nothing is declared for these accounts",
        "a run that looks at nothing would look green; look at `when`, `mode` and `regions` of the items",
    )
}

/// A run that looks at nothing would look green.
fn nothing_left() -> Failure {
    Failure::usage(
        "no target is left: the selectors exclude everything",
        "a run that looks at nothing would look green; correct -a and -t",
    )
}

fn all_left_out(skipped: &[SkippedAccount]) -> Failure {
    const NAMED: usize = 5;
    let mut words: Vec<String> = skipped
        .iter()
        .take(NAMED)
        .map(|skip| format!("{} is {}", skip.account, skip.reason))
        .collect();
    if skipped.len() > NAMED {
        words.push(format!("and so on for {} more", skipped.len() - NAMED));
    }
    Failure::usage(
        format!("no account can be looked at: {}", words.join(", ")),
        "a run that looks at nothing would look green; select an active account",
    )
}

fn target(work: Work) -> FleetTarget {
    FleetTarget {
        name: work.name,
        baseline: work.baseline,
        ceiling: work.ceiling.min(Mode::Enforce),
    }
}

fn baseline_ref(works: &[Work], named: bool) -> BaselineRef {
    let names: BTreeSet<_> = works.iter().map(|work| work.baseline.name.as_str()).collect();
    let mut files = Vec::new();
    for file in works.iter().flat_map(|work| &work.baseline.files) {
        let file = file.display().to_string();
        if !files.contains(&file) {
            files.push(file);
        }
    }
    let targets = if named { &[][..] } else { works };
    BaselineRef {
        name: names.into_iter().collect::<Vec<_>>().join("+"),
        digest: digest_of(works),
        files,
        targets: targets.iter().map(|work| work.name.clone()).collect(),
    }
}

/// The digest of what targets declare.
pub fn digest_of<'a>(works: impl IntoIterator<Item = &'a Work>) -> String {
    let digests: Vec<&String> = works.into_iter().map(|work| &work.baseline.digest).collect();
    match digests.as_slice() {
        [only] => (*only).clone(),
        many => digest::of(&many),
    }
}

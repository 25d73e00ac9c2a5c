//! One look, whole: who we are, which accounts there are, what is declared and observed in each, and
//! the plan that follows. Writes nothing to AWS.

mod error;
mod found;
mod listed;
mod way;
mod wish;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::Semaphore;
use tracing::Instrument;

pub use error::LookError;
pub use found::Claimants;
use found::Found;
pub use listed::{Listed, Listing};
use way::Way;
pub use wish::{Look, Other, Source};

use super::event::{Listener, Note, RunEvent, Stream};
use super::fleet::{Wanted, look_at_all};
use super::guard::Guards;
use super::guarded::{Aim, Standing, View};
use super::locks::AccountLocks;
use super::observe::turns;
use super::recorded::Recording;
use super::refusal::Refusal;
use super::regions;
use super::stop::Stop;
use super::target::{FleetTarget, digest_of, reference};
use crate::aws::Session;
use crate::aws::meter::Meter;
use crate::baseline::{Exception, Mode};
use crate::fleet::access::ways_in;
use crate::fleet::ceilings::standing;
use crate::fleet::jobs::{Asked, Chosen, Job};
use crate::fleet::organization::Organization;
use crate::fleet::select::{Choice, needs_organization, needs_tags, select};
use crate::names::{AccountId, TRACE};
use crate::plan::compare::compare;
use crate::plan::{Cost, Detail, Plan, PlanHead};

/// What was found.
pub struct Looked {
    /// The plan.
    pub plan: Plan,
    /// The ways into the accounts, where the plan is to be applied.
    pub sessions: BTreeMap<AccountId, Arc<Session>>,
    /// The items whose objects claim things, where all of the plan was kept.
    pub claimants: Claimants,
    /// The exceptions of each account, where what is there is to be put back: they cover as well what
    /// is as declared.
    pub exceptions: BTreeMap<AccountId, Vec<Exception>>,
    /// What stands between the plan and its writes.
    pub guards: Guards,
    /// What the guards say that remember more than one run, where they are asked.
    pub standing: Option<Arc<Standing>>,
    /// The accounts that runs hold.
    pub locks: AccountLocks,
    /// Accounts worked on at the same time.
    pub concurrent_accounts: usize,
    /// Why accounts are outside of the fleet, so that they are only reported.
    pub outside: Vec<String>,
    /// Of which accounts nobody knows what targets that were not asked for declare there, so that they
    /// are only reported.
    pub undecided: Vec<String>,
}

/// Looks.
///
/// # Errors
/// Nobody knows who we are or which accounts there are, a choice leaves nothing, targets contradict
/// each other, or somebody wishes to stop.
pub async fn look(
    look: Look,
    listener: &Arc<dyn Listener>,
    stop: &Stop,
) -> Result<Looked, LookError> {
    let span = tracing::debug_span!(target: TRACE, "look", evenkeel.run = %look.run);
    tokio::select! {
        biased;
        // Nothing has been written: there is nothing to finish.
        () = stop.raised() => Err(LookError::Stopped),
        looked = Box::pin(looking(look, listener)).instrument(span) => looked,
    }
}

async fn looking(mut look: Look, listener: &Arc<dyn Listener>) -> Result<Looked, LookError> {
    let started = Instant::now();
    let run = look.run.clone();
    let stream = Stream::new(&run, vec![listener.as_ref()]);
    let mut way = Way::open(&look).await?;
    if let Way::Live(ways) = &way {
        regions::insist(&ways.own, &look.selection.regions).await?;
    }
    let organization = organization(&look, &way, &stream).await?;
    let trusted = trusted(&look, &way, organization.as_ref(), &stream);
    look.safety.allow_grants.trust_all(trusted);
    let Choices { chosen, outside, undecided } =
        choose(&look, &way, organization.as_ref(), &stream)?;
    say_chosen(&look, &chosen, &stream);

    let baseline = reference(&look.targets, !look.beside_fleet);
    let comparison =
        look.compare_to.as_ref().map(|other| (other.name.clone(), digest_of(&other.targets)));
    let (limits, shard) = (look.limits(), look.shard);
    // In a shard, the accounts may just be those that nothing is declared for.
    let may_be_empty =
        look.only.is_some() || shard.is_some() || look.share.is_some() || look.patience.is_some();
    // Who is alone keeps nobody waiting.
    look.patience = look.patience.filter(|_| chosen.jobs.len() > 1);
    let selection = look.selection.clone();
    let is_whole = look.is_whole();
    let guards = guards(&look);
    let locks = look.locks.clone();
    let meter = Arc::clone(&look.meter);
    let recording = recording(&look, &way, organization.as_ref())?;
    let standing = ask_guards(&look, &chosen).await;
    let exceptions = exceptions(&look, &chosen);
    let mut wanted = wanted(look, organization.as_ref());
    wanted.standing.clone_from(&standing);
    let wanted = Arc::new(wanted);

    let mut found = Found::new(&wanted, &chosen.jobs, &stream);
    observe(&mut way, chosen.jobs.clone(), &wanted, listener, recording, &mut found).await?;
    guards.kill_switch.look().await;
    observe_again(&way, &chosen.jobs, &wanted, listener, &mut found).await;
    if let Some(error) = standing.as_ref().and_then(|standing| standing.forgotten()) {
        stream.mention(RunEvent::Noted(Note::GuardsForget(&error)));
    }
    stream.mention(RunEvent::Looked);
    found.check(&selection, may_be_empty)?;
    found.say_what_met_nothing(is_whole);

    let head = PlanHead {
        run: run.clone(),
        baseline,
        targets: Vec::new(),
        failed: Vec::new(),
        skipped: chosen.skipped,
        snapshot: way.taken_from(),
        shards: shard.map(Into::into),
        cost: Cost {
            requests: meter.requests(),
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
    };
    let (mut plan, before, sessions, claimants) = found.plan(head);
    guards.hold(&mut plan, standing.as_deref(), Utc::now());
    if let Some((name, digest)) = comparison {
        plan.comparison = Some(compare(&plan, name, digest, before));
    }
    log(&meter);
    stream.tell(RunEvent::Planned { plan: &plan })?;
    Ok(Looked {
        plan,
        sessions,
        claimants,
        exceptions,
        guards,
        standing,
        locks,
        concurrent_accounts: limits.concurrent_accounts,
        outside,
        undecided,
    })
}

/// Says how many accounts are looked at, and which are selected, where nothing narrows that.
fn say_chosen(look: &Look, chosen: &Chosen, stream: &Stream<'_>) {
    stream.mention(RunEvent::Chosen { accounts: chosen.jobs.len() });
    if look.fleet.is_some() && look.is_of_all_accounts() {
        let own = chosen.jobs.iter().map(|job| &job.account.id);
        let accounts = own.chain(chosen.elsewhere.keys()).cloned().collect();
        stream.mention(RunEvent::Selected { accounts: &accounts });
    }
    let asked_for = look.targets.iter().filter(|target| !target.is_beside);
    if look.beside_fleet || asked_for.count() < 2 {
        return;
    }
    for job in &chosen.jobs {
        let targets = job.targets.iter().map(|at| look.targets[*at].name.clone()).collect();
        stream.mention(RunEvent::SelectedBy { account: &job.account.id, targets: &targets });
    }
}

/// The guards that know this run alone.
fn guards(look: &Look) -> Guards {
    let file = look.fleet.as_ref().map(|fleet| &fleet.file);
    Guards {
        safety: look.safety.clone(),
        windows: file.map(|file| file.safety.change_windows.clone()).unwrap_or_default(),
        kill_switch: look.kill_switch.clone(),
    }
}

/// The exceptions of each account, where somebody asks for them.
fn exceptions(look: &Look, chosen: &Chosen) -> BTreeMap<AccountId, Vec<Exception>> {
    let jobs = chosen.jobs.iter().filter(|_| look.puts_back);
    let of_job = |job: &Job| {
        let targets = job.targets.iter().chain(&job.beside.targets);
        let all = targets.flat_map(|target| look.targets[*target].baseline.exceptions.clone());
        (job.account.id.clone(), all.collect())
    };
    jobs.map(of_job).collect()
}

/// The snapshot that is written, if one is wanted.
fn recording(
    look: &Look,
    way: &Way,
    organization: Option<&Organization>,
) -> Result<Option<Recording>, LookError> {
    let Source::Live { record: Some(path), .. } = &look.source else { return Ok(None) };
    Ok(Some(Recording::start(path, &look.run, way.own(), organization.cloned())?))
}

/// What was asked of AWS, for the log.
fn log(meter: &Meter) {
    tracing::info!(requests = meter.requests(), throttled = meter.throttled(), "observed");
    for (call, count) in meter.calls() {
        tracing::debug!(%call, count, "read");
    }
}

/// Asks the guards that remember more than one run. Of a snapshot, nobody asks what may be written.
async fn ask_guards(look: &Look, chosen: &Chosen) -> Option<Arc<Standing>> {
    let guarded = &look.guarded;
    let is_live = matches!(look.source, Source::Live { record: None, .. });
    let view =
        View { writes: look.to_apply, is_full: look.is_full(), is_all: look.shard.is_none() };
    match is_live {
        true => {
            let aims = Aim::all(&look.targets, chosen);
            Some(Arc::new(Standing::of(guarded, aims, view, guarded.now()).await))
        }
        false => None,
    }
}

/// The organization, where something depends on it.
async fn organization(
    look: &Look,
    way: &Way,
    stream: &Stream<'_>,
) -> Result<Option<Organization>, LookError> {
    let choices: Vec<Choice<'_>> = look.all_targets().map(FleetTarget::choice).collect();
    let governing = look.governing();
    let tags = needs_tags(&choices)
        || needs_tags(&governing)
        || look.all_targets().any(|target| target.baseline.may_use_account_tags());
    let both: Vec<Choice<'_>> = choices.iter().chain(&governing).cloned().collect();
    let asked_for = choices.iter().filter(|choice| !choice.is_beside);
    match way.organization(&both, tags, &look.listing).await {
        // Only ceilings, trust and targets beside need it, and without it nothing is written or trusted.
        Err(error) if !needs_organization(asked_for) && needs_organization(&both) => {
            let why = error.to_string();
            stream.mention(RunEvent::Noted(Note::NoOrganization { why: &why }));
            Ok(None)
        }
        found => found,
    }
}

/// The accounts of the fleet, where they are trusted: all of them, whatever is looked at.
fn trusted(
    look: &Look,
    way: &Way,
    organization: Option<&Organization>,
    stream: &Stream<'_>,
) -> Vec<AccountId> {
    if !look.trusts_fleet() {
        return Vec::new();
    }
    match select(&look.governing(), way.own(), organization) {
        Ok((fleet, _)) => fleet.into_iter().map(|one| one.account.id).collect(),
        Err(error) => {
            stream.mention(RunEvent::Noted(Note::TrustsNobody(&error)));
            Vec::new()
        }
    }
}

/// Which accounts are looked at, and which of them are outside of the fleet.
struct Choices {
    chosen: Chosen,
    outside: Vec<String>,
    undecided: Vec<String>,
}

fn choose(
    look: &Look,
    way: &Way,
    organization: Option<&Organization>,
    stream: &Stream<'_>,
) -> Result<Choices, LookError> {
    let own = way.own();
    let targets: Vec<Choice<'_>> = look.targets.iter().map(FleetTarget::choice).collect();
    let before: Option<Vec<Choice<'_>>> = look
        .compare_to
        .as_ref()
        .map(|other| other.targets.iter().map(FleetTarget::choice).collect());
    let asked = Asked {
        own,
        organization,
        targets: &targets,
        before: before.as_deref(),
        accounts: &look.accounts,
        shard: look.shard,
    };
    let mut chosen = asked.choose()?;
    if let (Some(shard), true) = (look.shard, chosen.jobs.is_empty()) {
        // Right for a job of a matrix, and still to be said.
        stream.mention(RunEvent::Noted(Note::EmptyShard(shard)));
    }
    let wrong = |wanted: &AccountId| Refusal::WrongAccount {
        wanted: wanted.to_string(),
        actual: own.clone(),
    };
    if let Some(only) = &look.only {
        let accounts: BTreeSet<&AccountId> = only.iter().map(|(account, _, _)| account).collect();
        chosen.jobs.retain(|job| accounts.contains(&job.account.id));
        chosen.skipped.retain(|skip| accounts.contains(&skip.account));
        if let (true, true, Some(wanted)) =
            (chosen.jobs.is_empty(), look.accounts.is_empty(), accounts.first())
            && look.beside_fleet
        {
            return Err(wrong(wanted).into());
        }
    }
    let mut undecided = Vec::new();
    for job in &mut chosen.jobs {
        for beside in &job.beside.undecided {
            job.ceiling = Mode::Report;
            undecided.push(format!(
                "nobody knows whether the target {:?}, which was not asked for, selects account {} and excepts something there: its organization could not be asked",
                targets[*beside].name, job.account.id
            ));
        }
    }
    let mut outside = Vec::new();
    if let Some(fleet) = look.fleet.as_ref().filter(|_| look.beside_fleet) {
        for job in &mut chosen.jobs {
            let standing = standing(fleet, &job.account, own, organization);
            job.ceiling = standing.ceiling(look.outside_fleet);
            outside.extend(standing.outside.filter(|_| !look.outside_fleet));
        }
    }
    if way.leads_only_home()
        && let Some(job) = chosen.jobs.iter().find(|job| job.account.id != *own)
    {
        return Err(wrong(&job.account.id).into());
    }
    for why in &undecided {
        stream.mention(RunEvent::Noted(Note::Undecided(why)));
    }
    Ok(Choices { chosen, outside, undecided })
}

/// What each account is asked.
fn wanted(look: Look, organization: Option<&Organization>) -> Wanted {
    let (limits, home_region) = (look.limits(), look.home_region());
    let entered_by = look.fleet.as_ref().map(ways_in).unwrap_or_default();
    let is_recording = matches!(look.source, Source::Live { record: Some(_), .. });
    Wanted {
        run: look.run,
        organization: organization.map(|organization| organization.id.clone()),
        home_region,
        selection: look.selection,
        only: look.only,
        puts_back: look.puts_back,
        entered_by,
        max_risk: look.safety.max_risk,
        allow_grants: look.safety.allow_grants,
        today: Utc::now().date_naive(),
        account_timeout: Duration::from_secs(limits.account_timeout_seconds),
        concurrent_accounts: limits.concurrent_accounts,
        locks: look.locks,
        looked_in: Mutex::default(),
        share: look.share,
        patience: look.patience,
        behind: Semaphore::new(MOST_BEHIND),
        turns: turns(),
        read_only: is_recording,
        // Two versions are compared by their writes.
        detail: match (look.detail, &look.compare_to) {
            (Detail::Shown, Some(_)) => Detail::Drift,
            (detail, _) => detail,
        },
        to_apply: look.to_apply,
        standing: None,
        targets: look.targets,
        before: look.compare_to.map(|other| other.targets).unwrap_or_default(),
    }
}

/// Accounts that are left behind at most: where more are slow, it is not they.
const MOST_BEHIND: usize = 8;

/// How often accounts are looked at again that others had in hand meanwhile.
const ROUNDS: usize = 3;

/// Looks again at the accounts that other runs of this process had in hand since they were looked at here: a look at a
/// large fleet takes minutes, and what it saw first would be told as if it were so at its end.
async fn observe_again(
    way: &Way,
    jobs: &[Job],
    wanted: &Arc<Wanted>,
    listener: &Arc<dyn Listener>,
    found: &mut Found<'_>,
) {
    let Way::Live(ways) = way else { return };
    for _ in 0..ROUNDS {
        let overtaken = wanted.overtaken();
        if overtaken.is_empty() || !found.forget(&overtaken) {
            return;
        }
        let again = jobs.iter().filter(|job| overtaken.contains(&job.account.id)).cloned();
        let again = again.collect();
        look_at_all(again, None, wanted, ways, listener, |_, outcome| found.add(outcome)).await;
    }
}

/// Looks at the accounts, and records what they say where that is wanted.
async fn observe(
    way: &mut Way,
    jobs: Vec<Job>,
    wanted: &Arc<Wanted>,
    listener: &Arc<dyn Listener>,
    mut recording: Option<Recording>,
    found: &mut Found<'_>,
) -> Result<(), LookError> {
    let ways = match way {
        Way::Recorded(snapshot) => {
            let seen = snapshot.look(jobs, wanted, listener, |outcome| found.add(outcome));
            return Ok(seen.await?);
        }
        Way::Live(ways) => ways,
    };
    let mut trouble = None;
    let share = wanted.share.clone();
    let all = look_at_all(jobs, share, wanted, ways, listener, |job, mut outcome| {
        if let Some(recording) = &mut recording
            && let Err(error) = recording.add(&job, &mut outcome)
        {
            trouble.get_or_insert(error);
        }
        found.add(outcome);
    });
    all.await;
    if let Some(error) = trouble {
        return Err(error.into());
    }
    // A snapshot of nothing would take the place of an older one that is of use.
    if let Some(recording) = recording.filter(|_| found.has_seen()) {
        recording.finish()?;
    }
    Ok(())
}

//! Looks at many accounts at the same time. Each is observed and planned on its own, and handed on
//! as soon as it is done: one that fails or hangs hides no other.

mod wanted;
mod way;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

use self::way::{NoWay, open};
use super::declare::{
    About, Aimed, Conflict, Declarations, Selection, declare, declare_beside, join, join_beside,
};
use super::event::{Listener, RunEvent, Stream};
use super::guarded::Origins;
use super::met::Met;
use super::observe::observe_all;
use super::share::Share;
use super::target::FleetTarget;
use crate::aws::Session;
use crate::aws::reads::ReadCache;
use crate::aws::tape::Tape;
use crate::fleet::jobs::Job;
use crate::kinds::{Facts, Scope, registry};
use crate::names::{AccountId, ItemName, Region, TRACE};
use crate::plan::{
    AccountInput, AccountPlan, Declared, FailedAccount, Mode, ObservedItem, TargetRef, Waiver,
    plan_account,
};

pub use self::wanted::{Outcome, Seen, Wanted};
pub use self::way::Ways;

/// Looks at all jobs, or at what is left of them to this process where several share them, and hands on each as it
/// is done.
pub async fn look_at_all(
    jobs: Vec<Job>,
    share: Option<Arc<Share>>,
    wanted: &Arc<Wanted>,
    ways: &Arc<Ways>,
    listener: &Arc<dyn Listener>,
    each: impl FnMut(Job, Outcome),
) {
    let mut looks = Looks::new(wanted.concurrent_accounts, each);
    let mut left = Left { jobs: jobs.into(), taken: VecDeque::new(), share };
    while let Some(job) = left.next(&mut looks).await {
        let (wanted, ways) = (Arc::clone(wanted), Arc::clone(ways));
        let listener = Arc::clone(listener);
        let about = job.clone();
        let span = tracing::debug_span!(target: TRACE, "account", aws.account = %job.account.id);
        let look = async move {
            let stream = Stream::new(&wanted.run, vec![listener.as_ref()]);
            let (account, looking) = (&job.account.id, look_at(&job, &wanted, &ways, &stream));
            let Some(outcome) = in_patience(looking, wanted.patience, &wanted.behind).await else {
                wanted.leaves(account);
                return Outcome::LeftBehind(account.clone());
            };
            stream.mention(RunEvent::Seen { account });
            outcome
        };
        looks.begin(about, look.instrument(span)).await;
    }
    looks.finish().await;
}

/// What is done as long as others wait for it; none where it takes longer, and may be left behind.
async fn in_patience<T>(
    work: impl Future<Output = T>,
    patience: Option<Duration>,
    behind: &Semaphore,
) -> Option<T> {
    let mut work = std::pin::pin!(work);
    if let Some(patience) = patience {
        if let Ok(done) = tokio::time::timeout(patience, work.as_mut()).await {
            return Some(done);
        }
        if let Ok(room) = behind.try_acquire() {
            room.forget();
            return None;
        }
    }
    Some(work.await)
}

/// What is left to be looked at.
struct Left {
    jobs: VecDeque<Job>,
    /// Of them, those that were taken among several controllers.
    taken: VecDeque<Job>,
    share: Option<Arc<Share>>,
}

impl Left {
    /// The next one, once there is room for it; where several controllers look, one that nobody else
    /// looks at.
    async fn next<F: FnMut(Job, Outcome)>(&mut self, looks: &mut Looks<F>) -> Option<Job> {
        looks.has_room().await;
        let Some(share) = &self.share else { return self.jobs.pop_front() };
        if self.taken.is_empty() && !self.jobs.is_empty() {
            let accounts: Vec<AccountId> =
                self.jobs.iter().map(|job| job.account.id.clone()).collect();
            let taken = share.take(&accounts, looks.room()).await;
            let taken: BTreeSet<AccountId> = taken.into_iter().collect();
            let jobs = std::mem::take(&mut self.jobs).into_iter();
            (self.taken, self.jobs) = jobs.partition(|job| taken.contains(&job.account.id));
        }
        self.taken.pop_front()
    }
}

/// Looks in hand: so many at a time, each handed on when it is done. One that panics is a failed
/// account, and no account that nobody hears of.
pub struct Looks<F> {
    most: usize,
    tasks: JoinSet<Outcome>,
    jobs: HashMap<tokio::task::Id, Job>,
    each: F,
}

impl<F: FnMut(Job, Outcome)> Looks<F> {
    /// At most so many at a time.
    pub fn new(most: usize, each: F) -> Self {
        Self { most: most.max(1), tasks: JoinSet::new(), jobs: HashMap::new(), each }
    }

    /// Waits until there is room for another one.
    async fn has_room(&mut self) {
        while self.tasks.len() >= self.most {
            self.next().await;
        }
    }

    /// For how many more there is room.
    fn room(&self) -> usize {
        self.most.saturating_sub(self.tasks.len())
    }

    /// Begins a look, once there is room for it.
    pub async fn begin(&mut self, job: Job, look: impl Future<Output = Outcome> + Send + 'static) {
        self.has_room().await;
        let task = self.tasks.spawn(look);
        self.jobs.insert(task.id(), job);
    }

    /// Waits for all that have begun.
    pub async fn finish(mut self) {
        while !self.tasks.is_empty() {
            self.next().await;
        }
    }

    async fn next(&mut self) {
        let (id, outcome) = match self.tasks.join_next_with_id().await {
            None => return,
            Some(Ok((id, outcome))) => (id, Ok(outcome)),
            Some(Err(error)) => (error.id(), Err(error)),
        };
        let Some(job) = self.jobs.remove(&id) else { return };
        let outcome = outcome.unwrap_or_else(|_| failed(&job, &NoWay::Defect));
        (self.each)(job, outcome);
    }
}

/// Looks at one account.
async fn look_at(job: &Job, wanted: &Wanted, ways: &Ways, stream: &Stream<'_>) -> Outcome {
    // Another run may have it in hand; that time is not the account's.
    let account = &job.account.id;
    let held = wanted.locks.hold(account).await;
    wanted.looks_in(account, held.turn());
    if let Some(token) = held.token() {
        stream.mention(RunEvent::Held { account, token });
    }
    let outcome = look_at_held(job, wanted, ways, stream).await;
    held.give_back().await;
    outcome
}

async fn look_at_held(job: &Job, wanted: &Wanted, ways: &Ways, stream: &Stream<'_>) -> Outcome {
    let started = Instant::now();
    let deadline = started + wanted.account_timeout;
    let (reporting, enforcing): (Vec<usize>, Vec<usize>) = job
        .targets
        .iter()
        .partition(|target| wanted.read_only || ceiling(job, wanted, **target) != Mode::Enforce);
    let mut groups = Vec::new();
    for (targets, narrowed) in [(enforcing, false), (reporting, true)] {
        // What is only compared with is read with the first way in.
        let alone = groups.is_empty() && narrowed && !job.before.is_empty();
        if targets.is_empty() && !alone {
            continue;
        }
        let session =
            match tokio::time::timeout_at(deadline, open(job, wanted, ways, narrowed)).await {
                Ok(Ok(session)) => session,
                Ok(Err(no_way)) => return failed(job, &no_way),
                Err(_) => return failed(job, &NoWay::Late(wanted.account_timeout.as_secs())),
            };
        groups.push((session, targets));
    }
    look_with(job, wanted, groups, Some(deadline), stream).await
}

/// Looks at an account in a snapshot.
pub async fn look_at_recorded(
    job: &Job,
    wanted: &Wanted,
    session: Arc<Session>,
    stream: &Stream<'_>,
) -> Outcome {
    look_with(job, wanted, vec![(session, job.targets.clone())], None, stream).await
}

/// What is declared for an account: a part for each target.
struct InParts {
    /// What each way in has read.
    caches: Vec<Arc<ReadCache>>,
    parts: Vec<Declarations>,
    /// The way in of each part.
    of_group: Vec<usize>,
    origins: Origins,
}

/// None where the account's time is up.
async fn in_parts(
    job: &Job,
    wanted: &Wanted,
    groups: &[(Arc<Session>, Vec<usize>)],
    deadline: Option<Instant>,
    about: About<'_>,
    selection: &Selection,
) -> Option<InParts> {
    let mut found = InParts {
        caches: groups.iter().map(|_| Arc::new(ReadCache::default())).collect(),
        parts: Vec::new(),
        of_group: Vec::new(),
        origins: Origins::new(),
    };
    for (position, (session, targets)) in groups.iter().enumerate() {
        for target in targets {
            let aimed = aimed(&wanted.targets[*target], job.ceiling);
            let part = declare(aimed, session, &found.caches[position], about, selection);
            let part = in_time(part, deadline).await?;
            for (declared, _) in &part.items {
                found.origins.entry(declared.item.clone()).or_default().insert(*target);
            }
            found.parts.push(part);
            found.of_group.push(position);
        }
    }
    Some(found)
}

async fn look_with(
    job: &Job,
    wanted: &Wanted,
    groups: Vec<(Arc<Session>, Vec<usize>)>,
    deadline: Option<Instant>,
    stream: &Stream<'_>,
) -> Outcome {
    let about = About { account: &job.account, organization: wanted.organization.as_deref() };
    let selection = selection(wanted, &job.account.id);
    let Some(InParts { caches, mut parts, of_group, origins }) =
        in_parts(job, wanted, &groups, deadline, about, &selection).await
    else {
        return failed(job, &NoWay::Late(wanted.account_timeout.as_secs()));
    };
    if let Err(conflicts) = join(&mut parts) {
        return Outcome::Conflicts(conflicts);
    }
    if job.targets.len() > 1 {
        let name = |at: &usize| wanted.targets[*at].name.clone();
        let named = |targets: &BTreeSet<usize>| targets.iter().map(name).collect();
        let items = origins.iter().map(|(item, targets)| (item.clone(), named(targets))).collect();
        stream.mention(RunEvent::DeclaredBy { account: &job.account.id, items: &items });
    }
    let has_regional = parts.iter().any(|part| part.has_regional);
    let (Some((session, _)), Some(cache)) = (groups.first(), caches.first()) else {
        return unasked(job);
    };
    let not_asked_for = Beside { job, wanted, about, selection: &selection, session };
    let beside = match not_asked_for.joined(&parts) {
        Ok(beside) => beside,
        Err(conflicts) => return Outcome::Conflicts(conflicts),
    };
    if !job.beside.targets.is_empty() {
        let names = job.beside.targets.iter().map(|at| wanted.targets[*at].name.clone());
        let (account, targets) = (session.account(), &names.collect());
        stream.mention(RunEvent::GovernedBeside { account, targets });
    }
    let claimants = match wanted.to_apply {
        true => claimants(&parts, &beside),
        false => Vec::new(),
    };
    let mut items = Vec::new();
    let mut regions: BTreeSet<Region> = BTreeSet::new();
    for (part, group) in parts.into_iter().zip(of_group) {
        let (session, cache) = (&groups[group].0, &caches[group]);
        regions.extend(part.regions.iter().cloned());
        items.extend(observe(part, session, cache, deadline, &wanted.turns, stream).await);
    }
    let beside = observe_all(session, cache, beside, deadline, &wanted.turns, |_, _| {}).await;
    let before = match wanted.before.is_empty() {
        true => None,
        false => match not_asked_for.plan_before(cache, deadline, stream).await {
            Some(plan) => Some(plan),
            None => return failed(job, &NoWay::Late(wanted.account_timeout.as_secs())),
        },
    };
    let left_out = caches.iter().flat_map(|cache| cache.left_out()).collect();
    let own = job.targets.iter().map(|target| &wanted.targets[*target].baseline);
    let met = Met::of(session.account(), own, &items, &left_out, wanted.today);
    let (declared, governed) = (items.len(), has_regional.then(|| governed(&items)));
    let heard = job.targets.iter().chain(&job.beside.targets);
    let mut plan = planned(&wanted.targets, heard, items, beside, wanted);
    if let Some(standing) = &wanted.standing {
        standing.hold(&job.account.id, &mut plan, &origins).await;
    }
    plan.keep(wanted.detail);
    Outcome::Seen(Box::new(Seen {
        target: target(job, session, regions),
        declared,
        governed,
        claimants,
        met,
        session: wanted.to_apply.then(|| Arc::clone(session)),
        plan,
        before,
        recorded: match session.tape() {
            Some(tape @ Tape::Recording(_)) => Some((session.identity().clone(), tape.recorded())),
            _ => None,
        },
    }))
}

fn target(job: &Job, session: &Session, regions: BTreeSet<Region>) -> TargetRef {
    TargetRef {
        account: job.account.id.clone(),
        name: job.account.name.clone(),
        partition: session.partition().to_owned(),
        home_region: session.home_region().clone(),
        regions: regions.into_iter().collect(),
    }
}

/// The items whose objects claim things.
fn claimants(parts: &[Declarations], beside: &[(Declared, Facts)]) -> Vec<(Declared, Facts)> {
    let claims = |item: &&(Declared, Facts)| {
        registry::find(&item.0.item.kind).is_some_and(|kind| !kind.claimed().is_empty())
    };
    parts.iter().flat_map(|part| &part.items).chain(beside).filter(claims).cloned().collect()
}

fn unasked(job: &Job) -> Outcome {
    Outcome::Failed(FailedAccount {
        account: job.account.id.clone(),
        name: job.account.name.clone(),
        reason: "no target asks for this account".to_owned(),
        remedy: Some("let a target of the fleet file select it, or correct -a and -t".to_owned()),
    })
}

/// What was not asked for in an account, and is heard all the same: a choice changes no verdict.
struct Beside<'a> {
    job: &'a Job,
    wanted: &'a Wanted,
    about: About<'a>,
    selection: &'a Selection,
    session: &'a Arc<Session>,
}

impl Beside<'_> {
    /// What can contradict what was asked for, or lead it elsewhere.
    fn joined(&self, parts: &[Declarations]) -> Result<Vec<(Declared, Facts)>, Vec<Conflict>> {
        let job = self.job;
        join_beside(parts, self.of(&self.wanted.targets, &job.targets, &job.beside.targets, parts))
    }

    /// The plan of the version that is compared with, which nobody holds to account for contradictions;
    /// `None` when the time is over.
    async fn plan_before(
        &self,
        cache: &Arc<ReadCache>,
        deadline: Option<Instant>,
        stream: &Stream<'_>,
    ) -> Option<AccountPlan> {
        let Self { job, wanted, about, selection, session } = *self;
        let mut parts = Vec::new();
        for target in &job.before {
            let aimed = aimed(&wanted.before[*target], job.ceiling);
            parts.push(in_time(declare(aimed, session, cache, about, selection), deadline).await?);
        }
        let beside = self.of(&wanted.before, &job.before, &job.beside_before.targets, &parts);
        let beside = join_beside(&parts, beside).unwrap_or_default();
        let mut items = Vec::new();
        for part in parts {
            items.extend(observe(part, session, cache, deadline, &wanted.turns, stream).await);
        }
        let beside = observe_all(session, cache, beside, deadline, &wanted.turns, |_, _| {}).await;
        let heard = job.before.iter().chain(&job.beside_before.targets);
        Some(planned(&wanted.before, heard, items, beside, wanted))
    }

    fn of(
        &self,
        targets: &[FleetTarget],
        chosen: &[usize],
        beside: &[usize],
        parts: &[Declarations],
    ) -> Vec<(Declared, Facts)> {
        let regions: BTreeSet<Region> =
            parts.iter().flat_map(|part| &part.regions).cloned().collect();
        // Without a selection, all of a chosen target is asked for.
        let chosen = chosen.iter().filter(|_| self.selection.leaves_out());
        let both = chosen.map(|at| (at, false)).chain(beside.iter().map(|at| (at, true)));
        let declared = both.flat_map(|(at, is_beside)| {
            let aimed = aimed(&targets[*at], self.job.ceiling);
            declare_beside(aimed, is_beside, self.session, self.about, self.selection, &regions)
        });
        declared.collect()
    }
}

/// The Regions in which an item that has Regions is declared.
fn governed(items: &[ObservedItem]) -> BTreeSet<Region> {
    let has_regions = |item: &&ObservedItem| {
        registry::find(&item.declared.item.kind).is_some_and(|kind| kind.scope() == Scope::Regional)
    };
    items.iter().filter(has_regions).map(|item| item.facts.region.clone()).collect()
}

/// What is done before the deadline.
async fn in_time<T>(work: impl Future<Output = T>, deadline: Option<Instant>) -> Option<T> {
    match deadline {
        None => Some(work.await),
        Some(deadline) => tokio::time::timeout_at(deadline, work).await.ok(),
    }
}

async fn observe(
    part: Declarations,
    session: &Arc<Session>,
    reads: &Arc<ReadCache>,
    deadline: Option<Instant>,
    turns: &Semaphore,
    stream: &Stream<'_>,
) -> Vec<ObservedItem> {
    let account = session.account();
    stream.mention(RunEvent::Found { account, items: part.items.len() });
    let seen = |item: &ItemName, region: &Region| {
        stream.mention(RunEvent::Observed { account, item, region });
    };
    let mut items = observe_all(session, reads, part.items, deadline, turns, seen).await;
    items.extend(part.unresolved);
    items
}

fn planned<'a>(
    targets: &[FleetTarget],
    of_account: impl Iterator<Item = &'a usize> + Clone,
    items: Vec<ObservedItem>,
    beside: Vec<ObservedItem>,
    wanted: &Wanted,
) -> AccountPlan {
    plan_account(&AccountInput {
        items,
        beside,
        kind: &registry::find,
        waiver: &|item, facts, object| {
            let baselines = of_account.clone().map(|target| &targets[*target].baseline);
            let exceptions = baselines.flat_map(|baseline| &baseline.exceptions);
            let place = (item, &facts.account, &facts.region);
            Waiver::among(exceptions, place, object, wanted.today)
        },
        max_risk: wanted.max_risk,
        allow_grants: wanted.allow_grants.clone(),
    })
}

fn aimed(target: &FleetTarget, most: Mode) -> Aimed<'_> {
    Aimed { baseline: &target.baseline, ceiling: target.ceiling.min(most) }
}

/// What a target may do in an account.
fn ceiling(job: &Job, wanted: &Wanted, target: usize) -> Mode {
    wanted.targets[target].ceiling.min(job.ceiling)
}

fn selection(wanted: &Wanted, account: &AccountId) -> Selection {
    Selection {
        only: wanted.only.as_ref().map(|only| {
            only.iter()
                .filter(|(of, _, _)| of == account)
                .map(|(_, item, region)| (item.clone(), region.clone()))
                .collect()
        }),
        ..wanted.selection.clone()
    }
}

fn failed(job: &Job, no_way: &NoWay) -> Outcome {
    Outcome::Failed(FailedAccount {
        account: job.account.id.clone(),
        name: job.account.name.clone(),
        reason: no_way.to_string(),
        remedy: Some(no_way.remedy()),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::fleet::organization::Account;

    fn job(id: &str) -> Job {
        let account: Account =
            serde_json::from_value(serde_json::json!({"id": id, "state": "ACTIVE"})).unwrap();
        Job {
            account,
            targets: Vec::new(),
            before: Vec::new(),
            beside: Default::default(),
            beside_before: Default::default(),
            ceiling: Mode::Enforce,
        }
    }

    #[tokio::test]
    async fn a_few_that_are_slow_are_left_behind_and_no_more() {
        let (soon, room) = (Some(Duration::from_millis(20)), Semaphore::new(1));
        let takes = |millis| async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            millis
        };
        assert_eq!(in_patience(takes(1), soon, &room).await, Some(1));
        assert_eq!(in_patience(takes(60), None, &room).await, Some(60));
        assert_eq!(in_patience(takes(60), soon, &room).await, None);
        assert_eq!(in_patience(takes(60), soon, &room).await, Some(60), "another one is slow");
    }

    #[tokio::test]
    async fn a_look_that_panics_is_a_failed_account() {
        let mut seen = Vec::new();
        let mut looks = Looks::new(1, |job: Job, outcome| {
            let Outcome::Failed(failed) = outcome else { panic!("not failed") };
            assert_eq!(job.account.id, failed.account);
            seen.push((failed.account.to_string(), failed.reason));
        });
        looks.begin(job("000000000001"), async { panic!("by accident") }).await;
        let late = failed(&job("000000000002"), &NoWay::Late(1));
        looks.begin(job("000000000002"), async { late }).await;
        looks.finish().await;
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(seen[0].1.contains("evenkeel itself"), "{seen:?}");
    }
}

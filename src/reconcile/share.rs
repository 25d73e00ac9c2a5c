//! What several controllers share out: each takes some accounts of what a tick wants that nobody has in hand and
//! nobody has looked at since, and says of each whether that is done.
//!
//! A run takes no more than its part of what is free when it begins, and whoever is done with a run takes a part
//! of what is left by then: looking is quick and writing is slow, so that otherwise whoever comes first would have
//! all of a small fleet to write, and the others nothing.
//!
//! An account whose look or write failed is not done: who comes back to it first looks at it again,
//! this controller or another one. What a dead controller had in hand is free when its term is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::task::JoinHandle;

use super::event::{ListenError, Listener, RunEvent, Told};
use super::locks::Claims;
use crate::names::AccountId;
use crate::plan::{Plan, Verdict};
use crate::store::{Shares, StoreError, ToShare};

/// Some accounts of a target, taken by one run.
pub struct Share {
    shares: Arc<dyn Shares>,
    claims: Claims,
    /// What the names of its accounts begin with.
    of: String,
    /// Who was looked at since then is left out.
    since: DateTime<Utc>,
    among: Sharing,
    state: Arc<Mutex<State>>,
    keeping: JoinHandle<()>,
}

/// Among how many it is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Whoever comes first takes what it can have in hand.
    Anybody,
    /// Each run takes its part, among all who are there, and so many at least.
    AtLeast(usize),
}

#[derive(Default)]
struct State {
    /// What was there to be taken.
    all: BTreeSet<AccountId>,
    taken: BTreeSet<AccountId>,
    /// Those that are not done.
    failed: BTreeSet<AccountId>,
    /// How many this run takes at most, once that is known.
    part: Option<usize>,
}

/// What became of all accounts that there were to share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared {
    /// How many this run took.
    pub taken: usize,
    /// Those that somebody else has looked at.
    pub elsewhere: BTreeSet<AccountId>,
    /// All others.
    pub rest: BTreeSet<AccountId>,
    /// How many somebody else has in hand, or has left.
    pub open: usize,
    /// Of these, how many this run has left, since they were more than its part, and nobody has in hand.
    pub left: usize,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Share {
    /// Nothing taken yet, of what nobody has looked at since a time.
    pub fn new(
        shares: Arc<dyn Shares>,
        claims: Claims,
        of: String,
        since: DateTime<Utc>,
        among: Sharing,
    ) -> Arc<Self> {
        let state: Arc<Mutex<State>> = Arc::default();
        let keeping = {
            let (shares, claims, of) = (Arc::clone(&shares), claims.clone(), of.clone());
            let state = Arc::clone(&state);
            tokio::spawn(async move {
                loop {
                    (claims.pause)(claims.renew_every()).await;
                    let names: Vec<String> =
                        lock(&state).taken.iter().map(|account| name(&of, account)).collect();
                    if let Err(error) = shares.keep(&names, &claims.holder, claims.term).await {
                        tracing::warn!("what this run has in hand is not kept: {error}");
                    }
                }
            })
        };
        Arc::new(Self { shares, claims, of, since, among, state, keeping })
    }

    /// Takes some of these accounts, so many at most. Where nobody can be asked, all of them: looking
    /// needs no agreement.
    pub async fn take(&self, accounts: &[AccountId], most: usize) -> Vec<AccountId> {
        lock(&self.state).all.extend(accounts.iter().cloned());
        let by_name: BTreeMap<String, &AccountId> =
            accounts.iter().map(|account| (name(&self.of, account), account)).collect();
        let names: Vec<String> = by_name.keys().cloned().collect();
        let Claims { holder, term, .. } = &self.claims;
        let of_part = async {
            match most.min(self.left(&names).await?) {
                0 => Ok(Vec::new()),
                most => self.shares.take(&names, holder, *term, most, self.since).await,
            }
        };
        let taken: Vec<AccountId> = match of_part.await {
            Ok(taken) => {
                taken.iter().filter_map(|name| Some((*by_name.get(name)?).clone())).collect()
            }
            Err(error) => {
                tracing::warn!("nobody knows what others have in hand: {error}");
                accounts.to_vec()
            }
        };
        lock(&self.state).taken.extend(taken.iter().cloned());
        taken
    }

    /// How many more this run may take.
    async fn left(&self, names: &[String]) -> Result<usize, StoreError> {
        let Sharing::AtLeast(least) = self.among else { return Ok(usize::MAX) };
        let known = lock(&self.state).part;
        let part = match known {
            Some(part) => part,
            None => {
                let ToShare { free, among } = self.shares.to_share(names, self.since).await?;
                let part = free.div_ceil(among.max(least).max(1));
                lock(&self.state).part = Some(part);
                part
            }
        };
        Ok(part.saturating_sub(lock(&self.state).taken.len()))
    }

    /// Gives everything back: what is done as looked at, the rest to be looked at again.
    ///
    /// # Errors
    /// The store cannot be asked; then it runs out.
    pub async fn end(&self, is_over: bool) -> Result<Shared, StoreError> {
        self.keeping.abort();
        let (all, taken, failed, part) = {
            let state = lock(&self.state);
            (state.all.clone(), state.taken.clone(), state.failed.clone(), state.part)
        };
        let (done, left): (Vec<&AccountId>, Vec<&AccountId>) =
            taken.iter().partition(|account| is_over && !failed.contains(*account));
        let names = |some: &[&AccountId]| -> Vec<String> {
            some.iter().map(|account| name(&self.of, account)).collect()
        };
        let holder = &self.claims.holder;
        self.shares.finish(&names(&done), holder, Some(self.since)).await?;
        if !left.is_empty() {
            self.shares.finish(&names(&left), holder, None).await?;
        }
        let others: Vec<&AccountId> = all.difference(&taken).collect();
        let looked = match others.is_empty() {
            true => BTreeMap::new(),
            false => self.shares.looked(&names(&others), self.since).await?,
        };
        let open = others.len() - looked.len();
        let left = match part.is_some_and(|part| part > 0 && taken.len() >= part) && open > 0 {
            true => self.shares.to_share(&names(&others), self.since).await?.free,
            false => 0,
        };
        let (elsewhere, rest) = all.into_iter().partition(|account| {
            let by = looked.get(&name(&self.of, account));
            // What this process has looked at earlier in the same tick is its own.
            !taken.contains(account) && by.is_some_and(|by| by != holder)
        });
        Ok(Shared { taken: taken.len(), open, left, elsewhere, rest })
    }

    fn fails(&self, account: &AccountId) {
        lock(&self.state).failed.insert(account.clone());
    }

    fn planned(&self, plan: &Plan) {
        plan.failed.iter().for_each(|failed| self.fails(&failed.account));
        for object in plan.objects.each() {
            if matches!(object.verdict, Verdict::Unknown(_)) {
                self.fails(&object.account);
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// What an account's lease is called.
fn name(of: &str, account: &AccountId) -> String {
    format!("{of}/{account}")
}

impl Listener for Share {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        use super::report::Step;
        match told.event {
            RunEvent::Planned { plan } => self.planned(plan),
            RunEvent::Wrote { object, step, .. } => {
                let is_held = matches!(step, Step::HeldBack { .. });
                if !step.is_done() && !is_held {
                    self.fails(&object.account);
                }
            }
            RunEvent::Verified { object, in_sync: false, .. } => self.fails(&object.account),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::{Leases, Store};

    fn accounts() -> Vec<AccountId> {
        (1..=6).map(|number| format!("{number:012}").parse().unwrap()).collect()
    }

    fn share(store: &Store, since: DateTime<Utc>) -> Arc<Share> {
        let store = Arc::new(store.clone());
        let claims = Claims::new(Arc::clone(&store) as _, Duration::from_secs(600));
        Share::new(store, claims, "target/t".to_owned(), since, Sharing::Anybody)
    }

    /// A controller that is there, and its share.
    async fn one_of(store: &Store, since: DateTime<Utc>, least: usize) -> Arc<Share> {
        let store = Arc::new(store.clone());
        let claims = Claims::new(Arc::clone(&store) as _, Duration::from_secs(600));
        store.appear(&claims.holder, claims.term).await.unwrap();
        again(&store, &claims, since, least)
    }

    fn again(
        store: &Arc<Store>,
        claims: &Claims,
        since: DateTime<Utc>,
        least: usize,
    ) -> Arc<Share> {
        let (of, among) = ("target/t".to_owned(), Sharing::AtLeast(least));
        Share::new(Arc::clone(store) as _, claims.clone(), of, since, among)
    }

    #[tokio::test]
    async fn fewer_accounts_than_one_can_have_in_hand_are_shared_out_and_the_faster_takes_more() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite://store.db", folder.path()).await.unwrap();
        let (all, tick) = (accounts(), Utc::now());
        let one = one_of(&store, tick, 1).await;
        let two = one_of(&store, tick, 1).await;
        let three = one_of(&store, tick, 1).await;
        let first = one.take(&all, 32).await;
        assert_eq!(first.len(), 2, "a third of six");
        assert!(one.take(&all, 32).await.is_empty(), "it has its part");
        assert_eq!(two.take(&all, 32).await.len(), 2, "a third of four, and a bit");
        // It is done before the third one has begun, and takes its part of what is left by then.
        let shared = one.end(true).await.unwrap();
        assert_eq!((shared.taken, shared.open, shared.left), (2, 4, 2));
        let shares = Arc::new(store.clone());
        let one = again(&shares, &one.claims, tick, 1);
        assert_eq!(one.take(&all, 32).await.len(), 1);
        assert_eq!(three.take(&all, 32).await.len(), 1);
        let shared = one.end(true).await.unwrap();
        // What others have in hand is theirs.
        assert_eq!((shared.taken, shared.open, shared.left), (1, 3, 0));
        for other in [two, three] {
            other.end(true).await.unwrap();
        }
        assert_eq!(again(&shares, &one.claims, tick, 1).take(&all, 32).await.len(), 0);
    }

    #[tokio::test]
    async fn who_is_alone_takes_everything_and_who_is_gone_has_no_part() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite://store.db", folder.path()).await.unwrap();
        let (all, tick) = (accounts(), Utc::now());
        let gone = one_of(&store, tick, 1).await;
        store.release_all(&gone.claims.holder).await.unwrap();
        let one = one_of(&store, tick, 1).await;
        assert_eq!(one.take(&all, 4).await.len(), 4);
        assert_eq!(one.take(&all, 4).await.len(), 2);
        let shared = one.end(true).await.unwrap();
        assert_eq!((shared.taken, shared.open, shared.left), (6, 0, 0));
        // Those that begin with it may not be there yet.
        let next = tick + chrono::TimeDelta::minutes(15);
        let shares = Arc::new(store.clone());
        let again = again(&shares, &one.claims, next, 3);
        assert_eq!(again.take(&all, 32).await.len(), 2);
        assert_eq!(again.end(true).await.unwrap().left, 4);
    }

    #[tokio::test]
    async fn each_account_is_taken_once_in_a_tick_and_what_failed_is_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite://store.db", folder.path()).await.unwrap();
        let (all, tick) = (accounts(), Utc::now());
        let (one, two) = (share(&store, tick), share(&store, tick));
        let (first, second) = (one.take(&all, 2).await, two.take(&all, 9).await);
        assert_eq!((first.len(), second.len()), (2, 4));
        assert!(first.iter().all(|account| !second.contains(account)));
        assert!(one.take(&all, 9).await.is_empty());
        two.fails(&second[0]);
        let shared = one.end(true).await.unwrap();
        let rest = all.iter().cloned().collect();
        assert_eq!(shared, Shared { taken: 2, elsewhere: BTreeSet::new(), rest, open: 4, left: 0 });
        let shared = two.end(true).await.unwrap();
        assert_eq!((shared.taken, shared.open), (4, 0));
        assert_eq!(shared.elsewhere, first.iter().cloned().collect());
        assert_eq!(shared.rest, second.iter().cloned().collect());
        // Later in the same tick: only what failed is left, and in the next one everything.
        assert_eq!(share(&store, tick).take(&all, 9).await, [second[0].clone()]);
        let next = tick + chrono::TimeDelta::minutes(15);
        let of_next = share(&store, next);
        assert_eq!(of_next.take(&all, 9).await.len(), 5, "one is in hand still");
        // A run that came to nothing has looked at nothing.
        of_next.end(false).await.unwrap();
        assert_eq!(share(&store, next).take(&all, 9).await.len(), 5);
    }

    #[tokio::test]
    async fn what_a_process_has_looked_at_earlier_in_a_tick_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite://store.db", folder.path()).await.unwrap();
        let (all, tick) = (accounts(), Utc::now());
        let (one, other) = (share(&store, tick), share(&store, tick));
        let (first, elsewhere) = (one.take(&all, 2).await, other.take(&all, 2).await);
        one.end(true).await.unwrap();
        other.end(true).await.unwrap();
        let claims = one.claims.clone();
        let of = "target/t".to_owned();
        let again = Share::new(Arc::new(store), claims, of, tick, Sharing::Anybody);
        let second = again.take(&all, 9).await;
        let shared = again.end(true).await.unwrap();
        assert_eq!(shared.elsewhere, elsewhere.into_iter().collect());
        assert_eq!(shared.rest, first.into_iter().chain(second).collect());
        assert_eq!((shared.taken, shared.open), (2, 0));
    }
}

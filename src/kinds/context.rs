//! What a kind may know and do while it observes or applies.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::write_error::{Made, WriteError};
use crate::aws::error::AbsentIf;
use crate::aws::reads::ReadCache;
use crate::aws::session::SdkResult;
use crate::aws::tape::Tape;
use crate::aws::{AwsError, Call, Session};
use crate::names::{AccountId, ItemName, Region};

/// What a pure function may know of where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The account.
    pub account: AccountId,
    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: String,
    /// The Region of the objects; for global kinds the home Region.
    pub region: Region,
    /// The account's home Region.
    pub home_region: Region,
    /// The item.
    pub item: ItemName,
}

impl Facts {
    /// Whether this is the home Region.
    pub fn is_home(&self) -> bool {
        self.region == self.home_region
    }

    /// Somewhere to be in tests: an item in an account whose home is eu-west-1.
    #[cfg(test)]
    pub fn example(item: &str) -> Self {
        let account =
            "111122223333".parse().unwrap_or_else(|_| unreachable!("it is an account id"));
        let item = item.parse().unwrap_or_else(|_| unreachable!("{item} names an item"));
        let home = Region::new("eu-west-1");
        Self { account, partition: "aws".to_owned(), region: home.clone(), home_region: home, item }
    }

    /// The same in another Region than the home Region.
    #[cfg(test)]
    pub fn away(self) -> Self {
        Self { region: Region::new("us-east-1"), ..self }
    }
}

/// Reads, in one account and Region, for one item.
#[derive(Debug, Clone)]
pub struct Cx {
    facts: Facts,
    session: Arc<Session>,
    reads: Arc<ReadCache>,
    deadline: Option<Instant>,
    items: usize,
}

impl Cx {
    /// A context whose reads are shared through `reads`.
    pub fn new(facts: Facts, session: Arc<Session>, reads: Arc<ReadCache>) -> Self {
        Self { facts, session, reads, deadline: None, items: 1 }
    }

    /// The same, whose time is over at some moment.
    #[must_use]
    pub fn until(mut self, deadline: Option<Instant>) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same, for one of so many items of its kind that are looked at in this Region together.
    #[must_use]
    pub fn among(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// How many items of its kind are looked at in this Region together: many are read with one listing
    /// of all objects, few by their names.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Whether answers come from a snapshot, which has those that were asked for when it was made.
    pub fn is_recorded(&self) -> bool {
        matches!(self.session.tape(), Some(Tape::Playing { .. }))
    }

    /// Waits between two questions for the same thing; not at all where the answers come from a snapshot,
    /// which has the last one already.
    pub async fn pause(&self, time: Duration) {
        tokio::time::sleep(self.waits(time)).await;
    }

    fn waits(&self, time: Duration) -> Duration {
        if self.is_recorded() { Duration::ZERO } else { time }
    }

    /// When the time is over.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The same, sharing no answer with reads that were made before.
    #[must_use]
    pub fn afresh(&self) -> Self {
        let mut again = self.clone();
        again.reads = Arc::new(ReadCache::default());
        again
    }

    /// Notes that an entry of the item's `exclude`, by its place, leaves an object out.
    pub fn note_left_out(&self, entry: usize) {
        self.reads.note_left_out(&self.facts.item, entry);
    }

    /// Where we are.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether evenkeel itself works as a role of this account.
    pub fn works_as(&self, role: &str) -> bool {
        self.session.works_as(role)
    }

    /// The same in another Region, such as a bucket's own.
    #[must_use]
    pub fn in_region(&self, region: Region) -> Self {
        let mut there = self.clone();
        there.facts.region = region;
        there
    }

    /// The same with the right to write, in a run. Only for code that has passed the guards.
    #[must_use]
    pub fn writable(self, run: &str) -> WriteCx {
        WriteCx { cx: self, run: run.into(), made: Arc::default() }
    }

    /// A client for this Region, made once: `cx.client(aws_sdk_iam::Client::new)`.
    pub fn client<C: Clone + Send + Sync + 'static>(
        &self,
        make: impl FnOnce(&SdkConfig) -> C,
    ) -> C {
        self.session.client(&self.facts.region, make)
    }

    /// Makes a read, or shares the answer when somebody made it before in this run.
    ///
    /// `arguments` tells reads of the same operation in the same Region apart.
    ///
    /// # Errors
    /// What AWS answered, with account, Region and operation.
    pub async fn read<T, E>(
        &self,
        call: Call,
        arguments: &str,
        request: impl Future<Output = SdkResult<T, E>> + Send,
    ) -> Result<Arc<T>, AwsError>
    where
        T: Send + Sync + 'static,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let region = &self.facts.region;
        // SDK futures are large. On the heap from the start, they are not copied from frame to frame,
        // each of which would have room for them.
        let send = self.session.send(region, call, Some(arguments), Box::pin(request));
        self.reads.once(region, call, arguments, send).await
    }
}

impl Cx {
    /// Makes a read of several pages: `list_roles().into_paginator().items().send()`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn pages<T, E>(
        &self,
        call: Call,
        arguments: &str,
        pages: PaginationStream<SdkResult<T, E>>,
    ) -> Result<Arc<Vec<T>>, AwsError>
    where
        T: Send + Sync + 'static,
        E: ProvideErrorMetadata + std::error::Error + Send + 'static,
    {
        self.read(call, arguments, pages.collect::<Result<Vec<_>, _>>()).await
    }
}

impl Cx {
    /// Makes a read of a list, `list_aliases().into_paginator().send()`, of which each page has a part,
    /// `|page| page.aliases`, under AWS's name `member`. An answer without the list does not say that it
    /// is empty.
    ///
    /// # Errors
    /// As [`read`](Self::read), and where a page has no list.
    pub async fn list<P, T, E>(
        &self,
        call: Call,
        arguments: &str,
        pages: PaginationStream<SdkResult<P, E>>,
        member: &str,
        part: fn(P) -> Option<Vec<T>>,
    ) -> Result<Arc<Vec<T>>, AwsError>
    where
        P: Send + 'static,
        T: Send + Sync + 'static,
        E: ProvideErrorMetadata + std::error::Error + Send + 'static,
    {
        let parts = async {
            let pages: Vec<P> = pages.collect::<Result<_, _>>().await?;
            let parts: Option<Vec<Vec<T>>> = pages.into_iter().map(part).collect();
            Ok(parts.map(|parts| Arc::new(parts.into_iter().flatten().collect())))
        };
        let list: Arc<Option<Arc<Vec<T>>>> = self.read(call, arguments, parts).await?;
        let untold =
            || AwsError::malformed(&self.region, call, &format!("AWS did not say {member}"));
        list.as_ref().clone().ok_or_else(untold)
    }
}

impl Deref for Cx {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

/// Reads and writes, for one change. The engine makes one after its guards.
#[derive(Debug, Clone)]
pub struct WriteCx {
    cx: Cx,
    run: Arc<str>,
    made: Arc<Mutex<Vec<String>>>,
}

impl WriteCx {
    /// The same in another Region.
    #[must_use]
    pub fn in_region(&self, region: Region) -> Self {
        Self { cx: self.cx.in_region(region), ..self.clone() }
    }

    /// The run whose plan is applied.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Notes an id or ARN that AWS gave to what it has just made, and gives to nothing else ever. The state of the
    /// object must say it: a rollback takes away this one, and no other that somebody has made in its place.
    pub fn note_made(&self, id: Option<&str>) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).extend(id.map(str::to_owned));
    }

    /// The ids of what was made.
    pub fn noted(&self) -> Vec<String> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a write.
    ///
    /// # Errors
    /// What AWS answered, with account, Region and operation.
    pub async fn write<T, E>(
        &self,
        call: Call,
        request: impl Future<Output = SdkResult<T, E>> + Send,
    ) -> Result<T, AwsError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.cx.session.send(&self.cx.facts.region, call, None, Box::pin(request)).await
    }

    /// Makes a write whose answer says nothing more.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn send<T, E>(
        &self,
        call: Call,
        request: impl Future<Output = SdkResult<T, E>> + Send,
    ) -> Result<(), WriteError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        Ok(self.write(call, request).await.map(drop)?)
    }

    /// Makes a write that makes something, and gives what shows that AWS has accepted it.
    ///
    /// # Errors
    /// As [`write`](Self::write); what was there already is none that was made.
    pub async fn make<T, E>(
        &self,
        call: Call,
        request: impl Future<Output = SdkResult<T, E>> + Send,
    ) -> Result<(T, Made), AwsError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        Ok((self.write(call, request).await?, Made::by_aws()))
    }

    /// The same where the answer says nothing more.
    ///
    /// # Errors
    /// As [`make`](Self::make).
    pub async fn made<T, E>(
        &self,
        call: Call,
        request: impl Future<Output = SdkResult<T, E>> + Send,
    ) -> Result<Made, WriteError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        Ok(self.make(call, request).await?.1)
    }

    /// Makes a write that takes something away: it is no error that it is gone already, which AWS
    /// says by one of these codes.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn remove<T, E>(
        &self,
        call: Call,
        request: impl Future<Output = SdkResult<T, E>> + Send,
        gone: &[&str],
    ) -> Result<(), WriteError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        Ok(self.write(call, request).await.absent_if(gone).map(drop)?)
    }
}

impl Deref for WriteCx {
    type Target = Cx;

    fn deref(&self) -> &Cx {
        &self.cx
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::aws::meter::Meter;
    use crate::aws::session::Identity;

    fn cx(tape: Tape) -> Cx {
        let facts = Facts::example("iam.root_user");
        let meter = Arc::new(Meter::default());
        let clients = Session::playing_clients(&facts.home_region, &meter);
        let identity = Identity {
            account: facts.account.clone(),
            partition: facts.partition.clone(),
            caller_arn: "arn:aws:iam::111122223333:user/evenkeel".to_owned(),
            home_region: facts.home_region.clone(),
        };
        let session = Session::playing(identity, tape, clients, meter);
        Cx::new(facts, Arc::new(session), Arc::new(ReadCache::default()))
    }

    #[test]
    fn nobody_waits_for_what_is_recorded() {
        let pause = Duration::from_secs(2);
        assert_eq!(cx(Tape::blank()).waits(pause), pause);
        assert_eq!(cx(Tape::playing(Vec::new(), String::new())).waits(pause), Duration::ZERO);
    }
}

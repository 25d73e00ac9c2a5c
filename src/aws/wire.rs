//! What goes with a call down to the HTTP client, past the SDK: which read it is, where its answer
//! is recorded or taken from, what it is signed with, and who must hear that AWS wants us to slow
//! down.
//!
//! The SDK runs a request in the task that awaits it, so a task-local carries it. Credentials are
//! fetched in the middle of a request; [`apart`] keeps them out of it, so that what STS answers is
//! never taken for the answer of a read, and never recorded.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_credential_types::provider::SharedCredentialsProvider;

use super::permission::Call;
use super::rate::RateLimits;
use super::tape::{ReadKey, Tape};
use crate::names::Region;

/// The header with which an answer says that an earlier try of its call was lost: no header of AWS's.
pub const AFTER_LOSS: &str = "x-evenkeel-after-loss";

tokio::task_local! {
    static IN_HAND: Option<Arc<Wire>>;
}

/// The call in hand.
#[derive(Debug)]
pub struct Wire {
    /// The Region of its endpoint.
    pub region: Region,
    /// The operation.
    pub call: Call,
    /// What it is signed with.
    pub credentials: SharedCredentialsProvider,
    /// Who limits the account's calls.
    pub limits: Arc<RateLimits>,
    /// Where its answers go, or come from; writes have none.
    pub tape: Option<(Tape, ReadKey)>,
    /// Whether an earlier try of it had no answer, or one of a failure on AWS's side: it may have been done.
    pub was_lost: AtomicBool,
}

/// The call that the present task is making.
pub fn in_hand() -> Option<Arc<Wire>> {
    IN_HAND.try_with(Clone::clone).ok().flatten()
}

/// Makes a call.
pub async fn carrying<T>(wire: Wire, request: impl Future<Output = T>) -> T {
    IN_HAND.scope(Some(Arc::new(wire)), request).await
}

/// Does something that is not part of the call in hand.
pub async fn apart<T>(something: impl Future<Output = T>) -> T {
    IN_HAND.scope(None, something).await
}

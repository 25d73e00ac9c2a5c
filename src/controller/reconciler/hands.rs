//! Who looks at accounts and writes there: all that a controller's run needs of AWS, and the one part of it that a simulation
//! has another one of.

use std::sync::Arc;

use async_trait::async_trait;

use crate::reconcile::{Listener, Look, RunError, RunOutcome, Stop, reconcile};
use crate::store::audit::SharedLog;

/// Who looks at accounts and writes there.
#[async_trait]
pub trait Hands: Send + Sync {
    /// Makes a run that is wished for, and tells what happens in it.
    ///
    /// # Errors
    /// It came to an end before its first write.
    async fn reconcile(
        &self,
        wish: Look,
        log: &SharedLog,
        stop: &Stop,
        listener: &Arc<dyn Listener>,
    ) -> Result<RunOutcome, RunError>;
}

/// evenkeel's own: the accounts are those of AWS.
#[derive(Debug, Clone, Copy)]
pub struct OfAws;

#[async_trait]
impl Hands for OfAws {
    async fn reconcile(
        &self,
        wish: Look,
        log: &SharedLog,
        stop: &Stop,
        listener: &Arc<dyn Listener>,
    ) -> Result<RunOutcome, RunError> {
        reconcile(wish, log, stop, listener).await
    }
}

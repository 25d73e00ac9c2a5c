//! What people should know beside a run: no event of it tells.

use std::sync::Arc;

use super::event::ListenError;
use crate::store::StoreError;

/// What people should know beside a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// It is done without a store that nobody named.
    #[error(
        "{0}; runs are not remembered, and all else goes on; [store] url names another place for it"
    )]
    Without(StoreError),
    /// The store that somebody named is gone.
    #[error("{0}; this run is not remembered, and writes nothing")]
    Unremembered(String),
    /// A store that nobody named could not take something in.
    #[error(
        "{0}; the history has a gap until there is room for it: then it is filled from the audit log"
    )]
    Gap(ListenError),
    /// Nobody can be told of what was seen.
    #[error("notices are neither kept nor sent: {0}")]
    NothingTold(String),
    /// Notices wait that could not be sent.
    #[error("not every notice could be sent; the next run tries again")]
    NoticesLeft,
}

/// Who hears warnings.
pub type Warn = Arc<dyn Fn(&Warning) + Send + Sync>;

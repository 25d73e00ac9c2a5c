//! Where the store of a run is.

use std::path::{Path, PathBuf};

use crate::fleet::Fleet;
use crate::store::{Store, StoreError};

/// What ends the name of the store beside an audit log.
const ENDING: &str = "history.db";

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// The fleet file names it.
    Named {
        /// Its URL.
        url: String,
        /// Where relative paths start.
        folder: PathBuf,
    },
    /// Nobody names one: a file beside the audit log.
    Implied(PathBuf),
}

impl StorePlace {
    /// The store that a fleet file names, or else the one beside the audit log, which only the controller
    /// makes: a job whose disk ends with it, or a look at a branch, needs none.
    pub fn of(fleet: Option<&Fleet>, audit_log: &Path, makes_it: bool) -> Option<Self> {
        let named = fleet.and_then(|fleet| Some((fleet.file.store.url.clone()?, fleet)));
        match named {
            Some((url, fleet)) => Some(Self::Named { url, folder: fleet.folder.clone() }),
            None => {
                let file = audit_log.with_extension(ENDING);
                (makes_it || file.exists()).then_some(Self::Implied(file))
            }
        }
    }

    /// Whether nobody names it.
    pub fn is_implied(&self) -> bool {
        matches!(self, Self::Implied(_))
    }

    /// Opens it.
    ///
    /// # Errors
    /// It cannot be used.
    pub async fn open(&self) -> Result<Store, StoreError> {
        match self {
            Self::Named { url, folder } => Store::open(url, folder).await,
            Self::Implied(file) => Store::in_file(file).await,
        }
    }
}

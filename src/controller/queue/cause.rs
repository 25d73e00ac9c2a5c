//! Why something is looked at. Of events, all are kept by what they say: who called what, and what the call names, once,
//! with when. Whoever sends many events pushes nobody else out.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::Region;
use crate::reconcile::Named;
use crate::store::history::ByWhom;
use crate::store::history::callers::{self, Kept, Room, Told};

/// Events that are kept for each thing: of one principal with one call, which may name so many objects, and of all.
const ROOM: Room = Room { of_one: 50, of_all: 2_000 };

/// Why something is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The controller has just started.
    Start,
    /// The kill switch is off again.
    Released,
    /// Its schedule says so.
    Schedule,
    /// AWS told of a call that may have changed it.
    Event(Box<Called>),
    /// Nothing is heard of the account.
    Blind,
    /// Events depend on it.
    Path,
    /// Other controllers share it: some of it is left, or they had it in hand and may have died with it.
    Elsewhere,
    /// The look before failed.
    Again {
        /// Failures in a row.
        failures: u32,
    },
}

/// A call of which AWS told, however often it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// Who AWS says made it, and when.
    pub by: ByWhom,
    /// The source identity of their session.
    pub source_identity: Option<String>,
    /// The Region that it was made in.
    pub region: Region,
    /// What it names.
    pub named: Arc<Named>,
    /// When it was told of last.
    pub told: DateTime<Utc>,
    /// A digest of what it says.
    sort: u64,
}

impl Called {
    /// Of one event.
    pub fn of(
        by: ByWhom,
        source_identity: Option<String>,
        region: Region,
        named: Arc<Named>,
        told: DateTime<Utc>,
    ) -> Self {
        let sort = callers::digest((&by.principal, &by.call, &region, &*named));
        Self { by, source_identity, region, named, told, sort }
    }
}

/// A call that waits for its look, as the store keeps it.
#[derive(Serialize, Deserialize)]
struct Stored {
    by: ByWhom,
    source_identity: Option<String>,
    region: Region,
    named: Named,
    told: DateTime<Utc>,
}

impl Called {
    /// As the store keeps it.
    ///
    /// # Errors
    /// It cannot be put in JSON.
    pub fn stored(&self) -> Result<Value, serde_json::Error> {
        let Self { by, source_identity, region, named, told, .. } = self.clone();
        let named = (*named).clone();
        serde_json::to_value(Stored { by, source_identity, region, named, told })
    }

    /// What the store kept.
    ///
    /// # Errors
    /// It is none.
    pub fn of_stored(stored: &Value) -> Result<Self, serde_json::Error> {
        let Stored { by, source_identity, region, named, told } = Stored::deserialize(stored)?;
        Ok(Self::of(by, source_identity, region, Arc::new(named), told))
    }

    /// What tells it apart from the others that wait.
    pub fn mark(&self) -> String {
        format!("{:016x}", callers::digest((self.sort, self.by.time)))
    }
}

impl Told for Cause {
    fn is_alike(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Event(one), Self::Event(other)) => {
                one.sort == other.sort && one.by.is_alike(&other.by) && one.named == other.named
            }
            (Self::Event(_), _) | (_, Self::Event(_)) => false,
            _ => self == other,
        }
    }

    fn join(&mut self, other: Self, is_another: bool) {
        if let (Self::Event(one), Self::Event(other)) = (self, other) {
            let count = one.by.count() + other.by.count();
            one.told = one.told.max(other.told);
            one.by.add_times(&other.by);
            // Of many callers, each is one more, also within a second.
            if is_another {
                one.by.more += count.saturating_sub(one.by.count());
            }
        }
    }

    fn group(&self) -> Option<u64> {
        match self {
            Self::Event(one) if !one.by.is_not_kept() => {
                Some(callers::digest((one.by.whose(), &one.by.call)))
            }
            _ => None,
        }
    }

    fn not_kept(self) -> Self {
        match self {
            Self::Event(one) => {
                let Called { by, region, told, .. } = *one;
                let of_nobody = Called::of(by.not_kept(), None, region, Arc::default(), told);
                Self::Event(Box::new(of_nobody))
            }
            other => other,
        }
    }
}

/// The causes of one look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Causes {
    /// All that are kept; of the others, how many there were.
    pub kept: Vec<Cause>,
}

impl Causes {
    /// Whether AWS told of one of them.
    pub fn has_event(&self) -> bool {
        self.kept.iter().any(|cause| matches!(cause, Cause::Event(_)))
    }

    /// Adds one.
    pub fn add(&mut self, cause: Cause) -> Kept {
        callers::keep(&mut self.kept, cause, ROOM)
    }

    /// Adds those of another part of the same look, for which as many were kept.
    pub fn add_all(&mut self, others: Self) {
        let room = Room { of_one: usize::MAX, of_all: usize::MAX };
        for cause in others.kept {
            callers::keep(&mut self.kept, cause, room);
        }
    }
}

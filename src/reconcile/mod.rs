//! One run, whole, as a library: look, make the plan, and, where allowed, apply and verify it.
//!
//! [`look::look`] gives the plan; [`run::Run`] opens the audit log, looks after what an earlier run
//! left unfinished, asks the guards and applies; [`run::reconcile`] does all of it. Whoever shows or
//! remembers a run is an [`event::Listener`].
//!
//! A whole run of a baseline in the account of the AWS settings, with the guards that a fleet file would
//! have which says nothing; what they remember is beside the audit log:
//!
//! ```no_run
//! use std::path::{Path, PathBuf};
//! use std::sync::Arc;
//!
//! use evenkeel::baseline::{self, Environment, LoadOptions, disk::Disk};
//! use evenkeel::kinds::registry;
//! use evenkeel::reconcile::guarded::beside;
//! use evenkeel::reconcile::{
//!     FleetTarget, Guarded, Hand, Listener, Look, Nobody, RunOutcome, Stop, reconcile,
//! };
//! use evenkeel::store::audit::SharedLog;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let options = LoadOptions {
//!     variables: Default::default(),
//!     environment: Environment::default(),
//!     today: chrono::Utc::now().date_naive(),
//! };
//! let files = [PathBuf::from("baselines/foundation.toml")];
//! let loaded = baseline::load(&files, &Disk, registry::catalog(), options)?;
//! let log = Path::new("audit.jsonl");
//! let guarded = Guarded::of(Hand::Loop, None, beside(log));
//! let wish = Look::at(vec![FleetTarget::own(loaded.baseline)], None, guarded);
//!
//! let listener: Arc<dyn Listener> = Arc::new(Nobody);
//! let log = SharedLog::at(log);
//! let outcome = reconcile(wish, &log, &Stop::default(), &listener).await?;
//! assert_eq!(outcome, RunOutcome::InSync);
//! # Ok(())
//! # }
//! ```

pub mod again;
pub mod apply;
pub mod audited;
pub mod blame;
pub mod bound;
pub mod declare;
mod disputed;
mod drift_key;
pub mod event;
pub mod fleet;
pub mod guard;
pub mod guarded;
pub mod heard;
pub mod keeping;
pub mod limits;
pub mod locks;
pub mod look;
pub mod met;
pub mod named;
pub mod observe;
pub mod outcome;
pub mod recorded;
pub mod recover;
pub mod refusal;
pub mod regions;
pub mod remembered;
pub mod report;
pub mod right;
pub mod rollback;
pub mod run;
pub mod settings;
pub mod share;
pub mod stop;
pub mod tally;
pub mod target;
pub mod warning;
pub mod wide;

pub use apply::Applier;
pub use bound::{Bounded, LeftAlone, bound};
pub use declare::{About, Aimed, Conflict, Declarations, Selection, declare};
pub use disputed::contradictions;
pub use event::{ListenError, Listener, Listeners, Nobody, Note, RunEvent, Told};
pub use guard::Guards;
pub use guarded::{Guarded, Hand, Rules};
pub use heard::{Heard, Hearsay};
pub use keeping::{Keeper, Kept};
pub use limits::Safety;
pub use locks::{AccountLocks, Claims};
pub use look::{Look, LookError, Looked, Source, look};
pub use named::Named;
pub use observe::observe_all;
pub use outcome::RunOutcome;
pub use refusal::Refusal;
pub use remembered::{Remembered, Remembering};
pub use report::{Anew, ApplyOutcome, ApplyReport, Step};
pub use right::LastRight;
pub use run::{Run, RunError, reconcile};
pub use settings::{Selectors, Settings, SettingsError};
pub use share::{Share, Shared, Sharing};
pub use stop::Stop;
pub use tally::LeaseCounts;
pub use target::FleetTarget;
pub use warning::{Warn, Warning};

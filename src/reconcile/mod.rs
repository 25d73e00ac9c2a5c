//! One run: observe all, make the plan, and, where allowed, apply and verify it.

pub mod again;
pub mod apply;
pub mod bound;
pub mod declare;
pub mod fleet;
pub mod guard;
pub mod observe;
pub mod recover;
pub mod regions;
pub mod stop;

pub use apply::{Applier, ApplyOutcome, ApplyReport, Progress, Step};
pub use bound::{Bounded, LeftAlone, bound};
pub use declare::{About, Aimed, Conflict, Declarations, Selection, declare};
pub use guard::{Refusal, Safety};
pub use observe::observe_all;
pub use stop::Stop;

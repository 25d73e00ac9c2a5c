//! The store of a run: where it is, whether it can be used, and who listens to the run for it.

mod keeper;
mod kept;
mod person;
mod place;

pub use keeper::Keeper;
pub use kept::{Kept, Noting};
pub use person::person;
pub use place::Place;

//! The store of a run: where it is, whether it can be used, and who listens to the run for it.

mod keeper;
mod kept;
mod person;
mod store_place;

pub use keeper::Keeper;
pub use kept::{Kept, Noting};
pub use person::person;
pub use store_place::StorePlace;

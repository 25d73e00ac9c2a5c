//! The way to AWS: credentials, clients, one read per run, typed errors, call metering.
//!
//! Nothing here knows of kinds, plans or baselines.

pub mod error;
pub mod http;
pub mod meter;
pub mod permission;
pub mod reads;
pub mod session;
pub mod settle;

pub use error::{AwsError, ErrorClass};
pub use permission::Call;
pub use session::{ConnectError, Session};

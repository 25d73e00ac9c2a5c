//! The way to AWS: credentials, clients, one read per run, typed errors, call metering.
//!
//! Nothing here knows of kinds, plans or baselines.

pub mod clients;
pub mod environment;
pub mod error;
pub mod http;
pub mod lacking;
pub mod mac;
pub mod meter;
pub mod permission;
pub mod plain;
pub mod quota;
pub mod rate;
pub mod reach;
pub mod reads;
mod refusals;
pub mod required;
pub mod role;
pub mod said;
pub mod session;
pub mod settle;
pub mod tape;
pub mod trust;
pub mod whole;
pub mod wire;

pub use error::{AwsError, ErrorClass};
pub use permission::Call;
pub use role::AssumedRole;
pub use session::{ConnectError, Session};

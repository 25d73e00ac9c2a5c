//! Notices: what a run found, did or could not do, told to people and to other programs.
//!
//! [`listen`] hears a run and gathers what matters; [`worth`] (pure) decides what of it is said, and
//! says it once; [`outbox`] keeps it until it was sent, in the store or in a file beside the audit log;
//! [`courier`] sends, each channel on its own. A channel that does not answer stops nothing.
//! [`notices`] does all of it for a run of a command, [`telling`] for the runs of a controller.
//! [`anchor`] keeps the audit log's head where nobody can change it.

pub mod anchor;
pub mod besides;
pub mod channel;
pub mod channels;
pub mod courier;
pub mod eventbridge;
pub mod holds;
pub mod http;
pub mod letter;
pub mod listen;
pub mod matter;
mod named;
pub mod notices;
pub mod outbox;
pub mod over;
pub mod secret;
pub mod securityhub;
pub mod slack;
pub mod sns;
mod targets;
pub mod tell;
pub mod telling;
pub mod webhook;
pub mod words;
pub mod worth;

pub use channel::NotSent;
pub use courier::Courier;
pub use letter::{Letter, Notice};
pub use listen::{Hearing, Run};
pub use matter::{Matter, Seen, Subject};
pub use notices::Notices;
pub use tell::Teller;
pub use telling::Telling;

//! What holds writes back over many runs. Each guard is a room of its own: it decides from what it is
//! told, and asks no clock.

pub mod kill_switch;

pub use kill_switch::{KillSwitch, Pulled};

//! What stands between a plan and its writes over more than one run: a budget of a day, the protection
//! of a first run, circuit breakers, the detector of fights, holds, waves of a rollout and the kill
//! switch.
//!
//! Each guard is pure: what it remembers is a small document, what happens goes in, a verdict comes
//! out, and the clock is an argument. `reconcile::guarded` asks them, and keeps what they remember.

pub mod breaker;
pub mod budget;
pub mod fight;
pub mod first_run;
pub mod hold;
pub mod kill_switch;
pub mod object;
pub mod parameter;
pub mod rollout;

use chrono::{DateTime, SecondsFormat, Utc};

pub use breaker::Breaker;
pub use budget::Budget;
pub use fight::{Fight, Who};
pub use first_run::Confirmed;
pub use hold::Hold;
pub use kill_switch::{KillSwitch, Pulled};
pub use object::ObjectKey;
pub use rollout::{Rollout, Version};

/// A time as all guards write it: `2027-03-31T09:00:00Z`.
fn at(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The same sequence of numbers for the same seed, for tests over many histories.
#[cfg(test)]
mod seeded {
    /// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
    pub struct Seeded(pub u64);

    impl Seeded {
        /// A number below `end`.
        pub fn below(&mut self, end: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)) % end
        }
    }
}

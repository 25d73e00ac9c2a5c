//! The guards: what holds writes back, beside what the latest looks found held back.

use chrono::{DateTime, Utc};

use super::book::{Book, Levels};
use super::known::Guards;
use super::{number, seconds_since};

/// The guards.
#[derive(Debug, Clone)]
pub struct Hold {
    kill_switch: Levels,
    memory: Levels,
    breakers: Levels,
    fights: Levels,
    holds: Levels,
    rollouts: Levels,
    wave: Levels,
}

impl Hold {
    /// Describes them.
    pub fn of(book: &mut Book) -> Self {
        Self {
            kill_switch: book.gauge("kill_switch", &[], "Whether the kill switch is on: nothing is written"),
            memory: book.gauge(
                "guards_memory_up",
                &[],
                "Whether what the guards remember can be read and written; else nothing is written, and the other figures of guards are absent",
            ),
            breakers: book.gauge(
                "breakers_open",
                &["scope"],
                "Breakers that are not closed. scope: all, wave, account",
            ),
            fights: book.gauge(
                "fights",
                &[],
                "Objects that somebody changes back again and again, and that are not written any more",
            ),
            holds: book.gauge("holds", &[], "Objects that somebody asked to be left as they are"),
            rollouts: book.gauge(
                "rollouts",
                &["state"],
                "New versions of baselines that have not reached all accounts. state: moving, halted",
            ),
            wave: book.gauge(
                "rollout_wave_oldest_seconds",
                &[],
                "For how long the rollout that has been in its wave for the longest time is there; absent without one",
            ),
        }
    }

    /// Says how they stand now.
    pub fn fill(&self, is_pulled: bool, guards: Option<&Guards>, now: DateTime<Utc>) {
        self.kill_switch.is(&[], is_pulled);
        self.memory.is(&[], guards.is_some());
        let Some(guards) = guards else {
            for levels in [&self.breakers, &self.fights, &self.holds, &self.rollouts, &self.wave] {
                levels.clear();
            }
            return;
        };
        for scope in ["all", "wave", "account"] {
            let open = guards.breakers.iter().filter(|one| one.scope == scope).count();
            self.breakers.set(&[("scope", scope)], number(open));
        }
        self.fights.set(&[], number(guards.fights.len()));
        self.holds.set(&[], number(guards.holds.len()));
        let halted = guards.rollouts.iter().filter(|one| one.halted.is_some()).count();
        self.rollouts.set(&[("state", "halted")], number(halted));
        self.rollouts.set(&[("state", "moving")], number(guards.rollouts.len() - halted));
        let oldest = guards.rollouts.iter().filter_map(|one| one.reached).min();
        self.wave.maybe(&[], oldest.map(|reached| seconds_since(reached, now)));
    }
}

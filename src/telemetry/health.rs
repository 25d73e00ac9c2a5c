//! Whether the controller is alive, and whether it is ready: for who starts it again, and for who waits
//! until it works.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::known::Known;
use super::pace::Signs;

/// The loop comes round every 30 s at least; one that has not for so long never will.
pub const LONGEST_TURN: Duration = Duration::from_secs(120);

/// Whether the loop goes round. At its end it waits for the runs in hand, which have their own time.
pub fn is_alive(signs: &Signs, started: Duration, now: Duration) -> bool {
    let last = signs.turn.unwrap_or(started);
    signs.is_stopping || now.saturating_sub(last) <= LONGEST_TURN
}

/// What it takes to be ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The loop goes round, by files that can be used.
    pub working: bool,
    /// The store answers and takes in what is written; what there is none of is no hindrance.
    pub store: bool,
    /// What the guards remember can be read and written.
    pub guards: bool,
    /// The queue of events answers.
    pub events: bool,
    /// Nobody asked it to stop.
    pub staying: bool,
}

impl Ready {
    /// How it stands. `hears` is whether a queue of events is configured.
    pub fn of(signs: &Signs, hears: bool, known: &Known) -> Self {
        Self {
            working: signs.turn.is_some(),
            store: known.store.as_ref().is_none_or(Result::is_ok),
            guards: known.guards.is_ok(),
            events: !hears || (signs.answered.is_some() && signs.no_events().is_none()),
            staying: !signs.is_stopping,
        }
    }

    /// Whether nothing is missing.
    pub fn is_whole(self) -> bool {
        self.parts().iter().all(|(_, is_so)| *is_so)
    }

    /// Each part by its name.
    pub fn parts(self) -> [(&'static str, bool); 5] {
        [
            ("working", self.working),
            ("store", self.store),
            ("guards", self.guards),
            ("events", self.events),
            ("staying", self.staying),
        ]
    }

    /// A line for each, which says nothing that is not for everybody.
    pub fn text(self) -> String {
        let line =
            |(name, is_so): &(_, bool)| format!("{name}: {}\n", if *is_so { "yes" } else { "no" });
        self.parts().iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::known::Guards;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_loop_that_does_not_come_round_is_not_alive() {
        let mut signs = Signs::default();
        assert!(is_alive(&signs, seconds(10), seconds(130)));
        assert!(!is_alive(&signs, seconds(10), seconds(131)));
        signs.turn = Some(seconds(500));
        assert!(is_alive(&signs, seconds(10), seconds(620)));
        assert!(!is_alive(&signs, seconds(10), seconds(621)));
        signs.is_stopping = true;
        assert!(is_alive(&signs, seconds(10), seconds(10_000)), "the write in hand has its time");
    }

    #[test]
    fn each_thing_that_is_missing_is_named() {
        let mut known =
            Known { store: None, guards: Ok(Guards::default()), notices: Ok(Vec::new()) };
        let mut signs = Signs { turn: Some(seconds(1)), ..Signs::default() };
        assert!(Ready::of(&signs, false, &known).is_whole());
        assert!(!Ready::of(&signs, true, &known).events, "it has not been heard of yet");
        signs.answered = Some(seconds(1));
        assert!(Ready::of(&signs, true, &known).is_whole());
        signs.deaf = Some((seconds(2), "gone".to_owned()));
        known.store = Some(Err("gone: password=1".to_owned()));
        signs.is_stopping = true;
        let ready = Ready::of(&signs, true, &known);
        assert!(!ready.is_whole());
        assert_eq!(ready.text(), "working: yes\nstore: no\nguards: yes\nevents: no\nstaying: no\n");
    }
}

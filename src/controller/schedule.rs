//! When each target is looked at by itself: cron expressions against the clock on the wall, which is
//! an argument.
//!
//! Ticks that were missed, because the machine slept or a run took longer, are one tick.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use croner::Cron;

/// The schedules of targets.
#[derive(Debug, Default)]
pub struct Schedules(BTreeMap<String, Planned>);

#[derive(Debug)]
struct Planned {
    cron: Cron,
    next: Option<DateTime<Utc>>,
}

impl Schedules {
    /// Takes over the schedules of the targets that there are now. Those that are as before keep
    /// their next tick.
    pub fn set(&mut self, targets: BTreeMap<String, Cron>, now: DateTime<Utc>) {
        let mut before = std::mem::take(&mut self.0);
        for (name, cron) in targets {
            let planned = match before.remove(&name) {
                Some(planned) if planned.cron == cron => planned,
                _ => Planned { next: after(&cron, now), cron },
            };
            self.0.insert(name, planned);
        }
    }

    /// The targets whose tick has come, each once, however many ticks were missed.
    pub fn due(&mut self, now: DateTime<Utc>) -> Vec<String> {
        let mut due = Vec::new();
        for (name, planned) in &mut self.0 {
            let next = after(&planned.cron, now);
            if planned.next.is_some_and(|at| at <= now) {
                due.push(name.clone());
                planned.next = next;
            } else if next < planned.next {
                // The clock was set back: what was to come in an hour may be due in a minute.
                planned.next = next;
            }
        }
        due
    }

    /// How long until the next tick, if there is one.
    pub fn pause(&self, now: DateTime<Utc>) -> Option<Duration> {
        let next = self.0.values().filter_map(|planned| planned.next).min()?;
        Some((next - now).to_std().unwrap_or_default())
    }
}

fn after(cron: &Cron, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    cron.find_next_occurrence(&whole_second(now), false).ok()
}

/// The latest tick of a schedule: the same instant for whoever asks until the next one.
pub fn latest(cron: &Cron, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    cron.find_previous_occurrence(&whole_second(now), true).ok()
}

/// Ticks are at whole seconds; what is found of a time in between has its fraction.
fn whole_second(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::fleet::file::schedule;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-03-01T{text}Z").parse().unwrap()
    }

    fn schedules(now: &str) -> Schedules {
        let crons = [("quarter", "0 */15 * * * *"), ("hour", "0 0 * * * *")];
        let crons = crons.map(|(name, cron)| (name.to_owned(), schedule(cron).unwrap()));
        let mut schedules = Schedules::default();
        schedules.set(crons.into(), at(now));
        schedules
    }

    #[test]
    fn a_tick_comes_once() {
        let mut schedules = schedules("08:01:00");
        assert_eq!(schedules.pause(at("08:01:00")), Some(Duration::from_secs(14 * 60)));
        assert!(schedules.due(at("08:14:59")).is_empty());
        assert_eq!(schedules.due(at("08:15:00")), ["quarter"]);
        assert!(schedules.due(at("08:15:00")).is_empty());
        assert_eq!(schedules.due(at("09:00:01")), ["hour", "quarter"]);
    }

    #[test]
    fn a_tick_is_the_same_instant_for_whoever_looks_at_the_clock() {
        let quarter = schedule("0 */15 * * * *").unwrap();
        let tick = Some(at("08:15:00"));
        for now in ["08:15:00", "08:15:00.004", "08:15:00.950", "08:15:07.3", "08:29:59.999"] {
            assert_eq!(latest(&quarter, at(now)), tick, "{now}");
        }
        assert_eq!(latest(&quarter, at("08:14:59.999")), Some(at("08:00:00")));
        // Two controllers that started at other moments.
        for start in ["08:01:00.2", "08:14:59.9"] {
            let mut schedules = schedules(start);
            assert!(schedules.due(at("08:14:59.999")).is_empty(), "{start}");
            assert_eq!(schedules.due(at("08:15:00")), ["quarter"], "{start}");
            assert!(schedules.due(at("08:15:00.999")).is_empty(), "{start}");
            assert_eq!(schedules.pause(at("08:15:00.5")), Some(Duration::from_millis(899_500)));
        }
    }

    #[test]
    fn missed_ticks_are_one() {
        let mut schedules = schedules("08:01:00");
        assert_eq!(schedules.due(at("17:20:00")), ["hour", "quarter"]);
        assert!(schedules.due(at("17:20:01")).is_empty());
        assert_eq!(schedules.pause(at("17:20:00")), Some(Duration::from_secs(600)));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_the_ticks() {
        let mut schedules = schedules("12:01:00");
        assert!(schedules.due(at("08:01:00")).is_empty());
        assert_eq!(schedules.due(at("08:15:00")), ["quarter"]);
    }

    #[test]
    fn what_is_as_before_keeps_its_tick_and_what_has_gone_is_forgotten() {
        let mut schedules = schedules("08:01:00");
        let same = BTreeMap::from([("hour".to_owned(), schedule("0 0 * * * *").unwrap())]);
        schedules.set(same, at("09:30:00"));
        assert_eq!(schedules.due(at("09:30:00")), ["hour"]);
        let other = BTreeMap::from([("hour".to_owned(), schedule("0 45 * * * *").unwrap())]);
        schedules.set(other, at("09:30:00"));
        assert_eq!(schedules.due(at("09:45:00")), ["hour"]);
        schedules.set(BTreeMap::new(), at("09:45:00"));
        assert_eq!(schedules.pause(at("09:45:00")), None);
    }
}

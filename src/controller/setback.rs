//! Why a look failed, and how long it waits until it is repeated. Pure.
//!
//! What passes by itself is repeated soon; what only people can mend, such as a missing permission, is not
//! asked for again and again. Schedules and events do not wait for any of these pauses.

use std::time::Duration;

use crate::aws::error::ErrorClass;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Why a look failed, all or in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// AWS asked to slow down.
    Throttled {
        /// For so long at least, where AWS said it.
        after: Option<Duration>,
    },
    /// No answer, or AWS failed on its side, or is still busy with an earlier change.
    Unreachable,
    /// AWS does not let us, or does not take what was asked: somebody has to mend that.
    Denied,
    /// evenkeel itself failed.
    Defect,
    /// Something else, such as credentials, a store or a disk.
    Other,
}

/// What a pause begins with, and what doubles it up to its end.
struct Pauses {
    first: Duration,
    longest: Duration,
}

impl Setback {
    /// What a look met that failed. Where some of it passes by itself, that decides when it is repeated.
    pub fn of(met: impl IntoIterator<Item = ErrorClass>, after: Option<Duration>) -> Self {
        let worst = met.into_iter().filter_map(Self::from_class).max_by_key(Self::rank);
        match worst {
            Some(Self::Throttled { .. }) => Self::Throttled { after },
            worst => worst.unwrap_or(Self::Other),
        }
    }

    /// What a class of error is to a look that failed; none where it is no failure.
    fn from_class(class: ErrorClass) -> Option<Self> {
        match class {
            // What is not there is an answer.
            ErrorClass::Absent => None,
            ErrorClass::Throttled => Some(Self::Throttled { after: None }),
            ErrorClass::Settling | ErrorClass::Unreachable | ErrorClass::ServerFault => {
                Some(Self::Unreachable)
            }
            ErrorClass::Blocked
            | ErrorClass::Denied
            | ErrorClass::RegionUnavailable
            | ErrorClass::Quota
            | ErrorClass::Refused => Some(Self::Denied),
            ErrorClass::Credentials | ErrorClass::NotRecorded | ErrorClass::Late => {
                Some(Self::Other)
            }
        }
    }

    /// Which of several decides: who is asked to slow down does; what passes comes before what stays.
    fn rank(&self) -> u8 {
        match self {
            Self::Denied => 0,
            Self::Defect => 1,
            Self::Other => 2,
            Self::Unreachable => 3,
            Self::Throttled { .. } => 4,
        }
    }

    /// Whether a failure is of the same sort.
    pub fn is_like(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }

    /// Why, in a word, for logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "throttled",
            Self::Unreachable => "unreachable",
            Self::Denied => "denied",
            Self::Defect => "defect",
            Self::Other => "other",
        }
    }

    fn pauses(&self) -> Pauses {
        let (first, longest) = match self {
            Self::Throttled { after } => {
                let first = after.unwrap_or_default().clamp(15 * SECOND, HOUR);
                (first, first.max(15 * MINUTE))
            }
            Self::Unreachable => (5 * SECOND, 5 * MINUTE),
            Self::Denied => (15 * MINUTE, 4 * HOUR),
            Self::Defect => (MINUTE, HOUR),
            Self::Other => (15 * SECOND, 15 * MINUTE),
        };
        Pauses { first, longest }
    }

    /// How long a look waits after so many failures of this sort in a row: the pause doubles with each,
    /// up to its longest. `spread` between 0 and 1 makes that up to a fifth shorter, so that what failed
    /// together does not come back together; and up to half as long again where AWS asked to slow
    /// down, since nobody may come back before the time that AWS said.
    pub fn pause(&self, failures: u32, spread: f64) -> Duration {
        let Pauses { first, longest } = self.pauses();
        let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest);
        let spread = spread.clamp(0.0, 1.0);
        doubled.mul_f64(match self {
            Self::Throttled { .. } => 1.0 + spread / 2.0,
            _ => 1.0 - spread / 5.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(setback: Setback) -> Vec<u64> {
        (1..=8).map(|failures| setback.pause(failures, 0.0).as_secs()).collect()
    }

    #[test]
    fn what_passes_is_repeated_soon_and_what_stays_is_not() {
        assert_eq!(pauses(Setback::Unreachable), [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(pauses(Setback::Other), [15, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(pauses(Setback::Defect), [60, 120, 240, 480, 960, 1920, 3600, 3600]);
        let denied = [900, 1800, 3600, 7200, 14400, 14400, 14400, 14400];
        assert_eq!(pauses(Setback::Denied), denied);
    }

    #[test]
    fn nobody_comes_back_before_the_time_that_aws_said() {
        let said = |seconds| Setback::Throttled { after: Some(Duration::from_secs(seconds)) };
        assert_eq!(pauses(Setback::Throttled { after: None })[..3], [15, 30, 60]);
        assert_eq!(pauses(said(40))[..3], [40, 80, 160]);
        // Longer than the longest pause of others; but not for ever.
        assert_eq!(pauses(said(1200))[..2], [1200, 1200]);
        assert_eq!(pauses(said(86_400))[0], 3600);
        for spread in [0.0, 0.3, 1.0, 7.0, -1.0] {
            let pause = said(40).pause(1, spread).as_secs();
            assert!((40..=60).contains(&pause), "{pause}");
            let other = Setback::Unreachable.pause(1, spread).as_secs();
            assert!((4..=5).contains(&other), "{other}");
        }
    }

    #[test]
    fn who_fails_for_ever_waits_no_longer_than_the_longest_pause() {
        assert_eq!(Setback::Denied.pause(u32::MAX, 0.0), 4 * HOUR);
        assert_eq!(Setback::Other.pause(0, 0.0), 15 * SECOND);
    }

    #[test]
    fn of_what_was_met_the_part_that_passes_decides() {
        let after = Some(Duration::from_secs(3));
        let of = |met: &[ErrorClass]| Setback::of(met.iter().copied(), after);
        assert_eq!(of(&[]), Setback::Other);
        assert_eq!(of(&[ErrorClass::Absent]), Setback::Other);
        assert_eq!(of(&[ErrorClass::Absent, ErrorClass::Denied]), Setback::Denied);
        assert_eq!(of(&[ErrorClass::Denied, ErrorClass::Unreachable]), Setback::Unreachable);
        let all = [ErrorClass::Throttled, ErrorClass::Denied, ErrorClass::ServerFault];
        assert_eq!(of(&all), Setback::Throttled { after });
        assert_eq!(of(&[ErrorClass::Credentials]), Setback::Other);
        for class in [ErrorClass::Blocked, ErrorClass::Quota, ErrorClass::Refused] {
            assert_eq!(of(&[class]), Setback::Denied);
        }
    }
}

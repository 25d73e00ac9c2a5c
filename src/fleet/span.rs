//! Lengths of time as the fleet file writes them: `90s`, `15m`, `1h`, `2d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The units, the largest first, with their seconds.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
/// What fits.
const PATTERN: &str = "^[1-9][0-9]{0,5}[smhd]$";

/// A length of time, one second at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(Duration);

impl Span {
    /// So many seconds; one at least.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(if seconds == 0 { 1 } else { seconds }))
    }

    /// The time.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no length of time: write \"90s\", \"15m\", \"1h\" or \"2d\"");
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let count = text.strip_suffix(unit).filter(|count| count.len() <= 6).ok_or_else(wrong)?;
        let is_number = count.bytes().all(|byte| byte.is_ascii_digit());
        let count: u64 = count.parse().ok().filter(|count| *count > 0).ok_or_else(wrong)?;
        if !is_number {
            return Err(wrong());
        }
        Ok(Self::seconds(count * seconds))
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.as_secs();
        let fits = UNITS.iter().find(|(_, seconds)| all.is_multiple_of(*seconds));
        let (unit, seconds) = fits.unwrap_or(&('s', 1));
        write!(out, "{}{unit}", all / seconds)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": PATTERN})
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1h", 3600), ("2d", 172_800)] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.duration().as_secs(), span.to_string().as_str()), (seconds, text));
        }
        assert_eq!("60m".parse::<Span>().unwrap().to_string(), "1h");
        for wrong in ["", "s", "1", "0s", "-1s", "1.5h", "1 h", "1w", "9999999s", "+5m", "1ü"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }
}

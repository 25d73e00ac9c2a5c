//! The credential report: when the root user was last used. Nobody else's row is kept.

use std::time::Duration;

use aws_sdk_iam::Client;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::{Cx, ObserveError, told};

pub const GENERATE: Call = Call::new("iam", "GenerateCredentialReport");
pub const GET: Call = Call::new("iam", "GetCredentialReport");
/// What AWS answers instead of a report.
const NOT_READY: [&str; 3] = ["ReportInProgress", "ReportNotPresent", "ReportExpired"];
/// What stands in the place of a date where there was no use, or no credential, or AWS has not kept
/// it. Source: IAM User Guide, "Getting credential reports for your AWS account".
const NEVER: [&str; 3] = ["N/A", "no_information", "not_supported"];
/// AWS takes some seconds to make a report; in large accounts, a minute.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(1500);

/// The last use of the root user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    /// The day.
    pub date: String,
    /// Days between it and the report.
    pub days_ago: u32,
}

/// When the root user was last used, by password or key; `None` for never.
pub async fn root_last_use(cx: &Cx) -> Result<Option<LastUse>, ObserveError> {
    let client = cx.client(Client::new);
    let mut tries = 0;
    loop {
        let request = client.generate_credential_report().send();
        let answer = cx.read(GENERATE, &tries.to_string(), request).await?;
        if answer.state().is_some_and(|state| state.as_str() == "COMPLETE") {
            break;
        }
        tries += 1;
        if tries == TRIES {
            return Err(not_ready());
        }
        cx.pause(PAUSE).await;
    }
    let answer = cx.read(GET, "", client.get_credential_report().send()).await;
    // A report that was complete a moment ago can be outdated or made anew by now.
    let answer = answer.absent_if(&NOT_READY)?.ok_or_else(not_ready)?;
    let made = told("GeneratedTime", answer.generated_time())?;
    let made = DateTime::from_timestamp(made.secs(), 0)
        .ok_or_else(|| malformed("the time at which it was made is none"))?;
    last_use(told("Content", answer.content())?.as_ref(), made)
}

/// AWS has no report to give now.
fn not_ready() -> ObserveError {
    ObserveError::Pending {
        reason:
            "AWS is still making the credential report, which says when the root user was last used"
                .to_owned(),
        remedy: "run again in some minutes".to_owned(),
    }
}

fn malformed(problem: impl ToString) -> ObserveError {
    ObserveError::Malformed { field: "CredentialReport".to_owned(), problem: problem.to_string() }
}

fn last_use(csv: &[u8], made: DateTime<Utc>) -> Result<Option<LastUse>, ObserveError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv);
    // Columns are found by name: AWS adds some over time.
    let columns = reader.headers().map_err(malformed)?.clone();
    let user = columns
        .iter()
        .position(|name| name == "user")
        .ok_or_else(|| malformed("it has no column \"user\""))?;
    let uses = ["password_last_used", "access_key_1_last_used_date", "access_key_2_last_used_date"];
    let mut places = Vec::new();
    for name in uses {
        let place = columns.iter().position(|column| column == name);
        places.push(place.ok_or_else(|| malformed(format!("it has no column {name:?}")))?);
    }
    for row in reader.records() {
        let row = row.map_err(malformed)?;
        if row.get(user) != Some("<root_account>") {
            continue;
        }
        let mut last: Option<DateTime<Utc>> = None;
        for place in &places {
            let value =
                row.get(*place).ok_or_else(|| malformed("the root user's row is cut short"))?;
            if NEVER.contains(&value) {
                continue;
            }
            let used = DateTime::parse_from_rfc3339(value)
                .map_err(|error| malformed(format!("{value:?} is no date: {error}")))?;
            last = last.max(Some(used.to_utc()));
        }
        let Some(last) = last else { return Ok(None) };
        return Ok(Some(LastUse {
            date: last.date_naive().to_string(),
            // A use that is younger than the report is one of today.
            days_ago: u32::try_from((made - last).num_days().max(0)).map_err(malformed)?,
        }));
    }
    Err(malformed("it has no row for the root user"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn made() -> DateTime<Utc> {
        "2026-03-11T12:00:00Z".parse().unwrap()
    }

    const HEAD: &str = "user,arn,password_last_used,new_column,access_key_1_last_used_date,access_key_2_last_used_date\n";

    fn of(rows: &str) -> Result<Option<LastUse>, ObserveError> {
        last_use(format!("{HEAD}{rows}").as_bytes(), made())
    }

    #[test]
    fn the_latest_use_of_root_counts_and_nobody_elses() {
        let last = of("alice,arn:a,2026-03-10T00:00:00+00:00,x,N/A,N/A\n\
            <root_account>,arn:r,2026-01-01T00:00:00+00:00,x,2026-03-01T09:00:00+00:00,N/A\n");
        let expected = LastUse { date: "2026-03-01".to_owned(), days_ago: 10 };
        assert_eq!(last.unwrap(), Some(expected));
    }

    #[test]
    fn words_are_no_dates() {
        for word in NEVER {
            let row = format!("<root_account>,arn:r,{word},x,{word},{word}\n");
            assert_eq!(of(&row).unwrap(), None, "{word}");
        }
    }

    #[test]
    fn what_is_cut_short_is_unknown_and_not_unused() {
        for row in [
            "<root_account>,arn:r,2026-03-10,x,N/A,N/A\n",
            "<root_account>,arn:r,2026-03-10T00:00,x,N/A,N/A\n",
            "<root_account>,arn:r,,x,N/A,N/A\n",
            "<root_account>,arn:r,N/A,x,N/A,\n",
            "<root_account>,arn:r,N/A,x,N/A\n",
            "<root_account>\n",
        ] {
            assert!(of(row).is_err(), "{row}");
        }
        let without_a_column = "user,password_last_used\n<root_account>,N/A\n";
        assert!(last_use(without_a_column.as_bytes(), made()).is_err());
    }

    #[test]
    fn a_report_without_root_is_unknown_not_unused() {
        assert!(of("alice,a,N/A,x,N/A,N/A\n").is_err());
        assert!(last_use(b"", made()).is_err());
    }
}

//! The credential report: when the root user was last used. Nobody else's row is kept.

use std::time::Duration;

use aws_sdk_iam::Client;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::kinds::{Cx, ObserveError};

pub const GENERATE: Call = Call::new("iam", "GenerateCredentialReport");
pub const GET: Call = Call::new("iam", "GetCredentialReport");
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
            return Err(malformed("AWS has not made the report in a minute"));
        }
        tokio::time::sleep(PAUSE).await;
    }
    let answer = cx.read(GET, "", client.get_credential_report().send()).await?;
    let made = answer
        .generated_time()
        .and_then(|time| DateTime::from_timestamp(time.secs(), 0))
        .ok_or_else(|| malformed("it does not say when it was made"))?;
    let content = answer.content().map(AsRef::as_ref).unwrap_or_default();
    last_use(content, made)
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
    for row in reader.records() {
        let row = row.map_err(malformed)?;
        if row.get(user) != Some("<root_account>") {
            continue;
        }
        let last = columns
            .iter()
            .zip(row.iter())
            .filter(|(name, _)| uses.contains(name))
            // "N/A", "no_information" and "not_supported" are no dates.
            .filter_map(|(_, value)| DateTime::parse_from_rfc3339(value).ok())
            .max();
        return Ok(last.map(|last| LastUse {
            date: last.date_naive().to_string(),
            days_ago: u32::try_from((made - last.to_utc()).num_days()).unwrap_or_default(),
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

    #[test]
    fn the_latest_use_of_root_counts_and_nobody_elses() {
        let csv = "user,arn,password_last_used,new_column,access_key_1_last_used_date\n\
            alice,arn:a,2026-03-10T00:00:00+00:00,x,N/A\n\
            <root_account>,arn:r,2026-01-01T00:00:00+00:00,x,2026-03-01T09:00:00+00:00\n";
        let last = last_use(csv.as_bytes(), made()).unwrap().unwrap();
        assert_eq!(last, LastUse { date: "2026-03-01".to_owned(), days_ago: 10 });
    }

    #[test]
    fn words_are_no_dates() {
        for word in ["N/A", "no_information", "not_supported", ""] {
            let csv = format!("user,password_last_used\n<root_account>,{word}\n");
            assert_eq!(last_use(csv.as_bytes(), made()).unwrap(), None, "{word}");
        }
    }

    #[test]
    fn a_report_without_root_is_unknown_not_unused() {
        assert!(last_use(b"user,arn\nalice,a\n", made()).is_err());
        assert!(last_use(b"", made()).is_err());
    }
}

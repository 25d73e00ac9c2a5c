//! Waiting for AWS to settle: a role that was made a second ago is not yet known to KMS, a bucket
//! policy not yet to CloudTrail. Only for errors that pass by themselves.

use std::time::Duration;

/// Pauses between the attempts, about two minutes in all.
const PAUSES: [u64; 14] = [1, 2, 3, 4, 6, 8, 10, 12, 12, 12, 12, 12, 12, 12];

/// Makes a request again while `settling` says of its error that it passes by itself, for about
/// two minutes.
///
/// # Errors
/// The last answer.
pub async fn settle<T, E, F>(
    settling: impl Fn(&E) -> bool,
    attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    settle_within(&PAUSES.map(Duration::from_secs), settling, attempt).await
}

async fn settle_within<T, E, F>(
    pauses: &[Duration],
    settling: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    for pause in pauses {
        match attempt().await {
            Err(error) if settling(&error) => tokio::time::sleep(*pause).await,
            answer => return answer,
        }
    }
    attempt().await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::aws::error::Detail;
    use crate::aws::{AwsError, Call, ErrorClass};
    use crate::names::Region;

    fn error(code: &str) -> AwsError {
        AwsError::new(Detail {
            after_loss: false,
            account: None,
            region: Region::new("us-east-1"),
            call: Call::new("kms", "CreateKey"),
            code: code.to_owned(),
            message: String::new(),
            status: Some(400),
            request_id: None,
            class: ErrorClass::Refused,
        })
    }

    #[tokio::test]
    async fn an_error_that_does_not_pass_is_given_back_at_once() {
        let tries = Cell::new(0);
        let answer: Result<(), _> = settle(
            |error: &AwsError| error.is_code(&["Settling"]),
            || {
                tries.set(tries.get() + 1);
                async { Err(error("Other")) }
            },
        )
        .await;
        assert_eq!(answer.unwrap_err().code, "Other");
        assert_eq!(tries.get(), 1);
    }

    #[tokio::test]
    async fn an_error_that_passes_is_waited_for() {
        let tries = Cell::new(0);
        let answer = settle_within(
            &[Duration::ZERO; 5],
            |error: &AwsError| error.is_code(&["Settling"]),
            || {
                tries.set(tries.get() + 1);
                let tried = tries.get();
                async move { if tried < 4 { Err(error("Settling")) } else { Ok(tried) } }
            },
        )
        .await;
        assert_eq!(answer.unwrap(), 4);
    }

    #[tokio::test]
    async fn waiting_ends() {
        let answer: Result<(), _> =
            settle_within(&[Duration::ZERO; 2], |_| true, || async { Err(error("Settling")) })
                .await;
        assert_eq!(answer.unwrap_err().code, "Settling");
    }
}

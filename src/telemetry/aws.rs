//! Requests to AWS: how many, how long, and what came of them, by service.

use prometheus_client::metrics::histogram::Histogram;

use super::book::{Book, Counts, Sizes};
use crate::aws::meter::{Answer, Sent};

/// Most answers come within a tenth of a second; a question to a queue waits for twenty.
fn buckets() -> Histogram {
    Histogram::new([0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

/// Requests to AWS.
#[derive(Debug, Clone)]
pub struct Requests {
    sent: Counts,
    took: Sizes,
}

impl Requests {
    /// Describes them.
    pub fn of(book: &mut Book) -> Self {
        Self {
            sent: book.counter(
                "aws_requests",
                &["service", "answer"],
                "HTTP requests to AWS, each page and each retry. answer: ok, error (4xx and 5xx), throttled, none",
            ),
            took: book.histogram(
                "aws_request_duration_seconds",
                &["service"],
                buckets,
                "Time to the beginning of AWS's answer; questions to SQS wait up to 20 s for messages",
            ),
        }
    }

    /// Hears of one.
    pub fn hear(&self, sent: &Sent) {
        let answer = match sent.answer {
            Answer::Ok => "ok",
            Answer::Error => "error",
            Answer::Throttled => "throttled",
            Answer::Nothing => "none",
        };
        self.sent.add(&[("service", sent.service), ("answer", answer)]);
        self.took.note(&[("service", sent.service)], sent.took.as_secs_f64());
    }
}

//! Recorded answers of AWS: what a snapshot is made of. Planning from a tape runs the same code as
//! planning live, down to the parsing of the answers; only the network is left out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::base64;
use aws_smithy_types::body::SdkBody;
use serde::{Deserialize, Serialize};

use crate::digest;

/// Headers that carry meaning to the SDK; all others are left out.
const HEADERS: [&str; 8] = [
    "content-type",
    "smithy-protocol",
    "x-amzn-errortype",
    "x-amz-bucket-region",
    "x-amzn-query-error",
    "x-amz-error-code",
    "x-amz-error-message",
    "x-amz-transition-default-minimum-object-size",
];

/// Which read an answer belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReadKey {
    /// The Region of the endpoint.
    pub region: String,
    /// `service:Operation`.
    pub call: String,
    /// What tells reads of the same operation apart.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arguments: String,
}

/// An answer on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// AWS answered.
    Response {
        /// The HTTP status.
        status: u16,
        /// The headers that matter.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// The body.
        #[serde(flatten)]
        body: Body,
    },
    /// No answer came.
    Nothing {
        /// Why.
        error: String,
    },
}

/// The body of an answer. Most services speak JSON or XML; what CloudWatch speaks, CBOR, is no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// A text.
    #[serde(rename = "body")]
    Text(String),
    /// What is none, in base64.
    #[serde(rename = "body_base64", with = "as_base64")]
    Bytes(Vec<u8>),
}

impl Body {
    /// The body of what was sent.
    pub fn of(sent: &[u8]) -> Self {
        match std::str::from_utf8(sent) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(sent.to_vec()),
        }
    }

    /// As it was sent.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Whether a word is in it. CBOR writes words as they are.
    fn mentions(&self, word: &str) -> bool {
        self.bytes().windows(word.len()).any(|part| part == word.as_bytes())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Body> for SdkBody {
    fn from(body: Body) -> Self {
        match body {
            Body::Text(text) => Self::from(text),
            Body::Bytes(bytes) => Self::from(bytes),
        }
    }
}

/// Bytes as a text of base64.
mod as_base64 {
    use serde::de::Error;

    use super::{Deserialize, base64};

    pub fn serialize<S: serde::Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&base64::encode(bytes))
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Vec<u8>, D::Error> {
        base64::decode(String::deserialize(text)?).map_err(D::Error::custom)
    }
}

/// A read with its answers: one for each page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The read.
    #[serde(flatten)]
    pub key: ReadKey,
    /// Digest of a page's request, and its answer.
    pub pages: BTreeMap<String, Answer>,
}

/// What a tape holds of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Nobody asked.
    Nothing,
    /// Somebody asked, and the time for the account was over before the answer came.
    GivenUp,
    /// Its answers.
    Answers,
}

/// A read that has begun.
#[derive(Debug)]
pub struct Begun {
    tape: Tape,
    key: ReadKey,
    ended: bool,
}

impl Begun {
    /// The answer is there.
    pub fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let (false, Tape::Recording(reads)) = (self.ended, &self.tape) {
            let mut reads = reads.lock().unwrap_or_else(PoisonError::into_inner);
            // Half of the pages is worth nothing.
            reads.insert(self.key.clone(), BTreeMap::new());
        }
    }
}

type Reads = Arc<Mutex<BTreeMap<ReadKey, BTreeMap<String, Answer>>>>;

/// A tape in one of its two uses.
#[derive(Debug, Clone)]
pub enum Tape {
    /// Answers are written on it.
    Recording(Reads),
    /// Answers come from it, and never from AWS.
    Playing {
        /// What was recorded.
        reads: Reads,
        /// When, for error messages.
        taken: String,
    },
}

impl Tape {
    /// An empty tape to record on.
    pub fn blank() -> Self {
        Self::Recording(Reads::default())
    }

    /// A recorded tape.
    pub fn playing(recorded: Vec<Recorded>, taken: String) -> Self {
        let reads = recorded.into_iter().map(|read| (read.key, read.pages)).collect();
        Self::Playing { reads: Arc::new(Mutex::new(reads)), taken }
    }

    /// Everything on the tape, in a stable order.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.reads()
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(key, pages)| Recorded { key: key.clone(), pages: pages.clone() })
            .collect()
    }

    /// What the tape holds of a read.
    pub fn held(&self, key: &ReadKey) -> Held {
        let reads = self.reads().lock().unwrap_or_else(PoisonError::into_inner);
        match reads.get(key) {
            None => Held::Nothing,
            Some(pages) if pages.is_empty() => Held::GivenUp,
            Some(_) => Held::Answers,
        }
    }

    /// Notes that a read has begun. One that is dropped before its end was given up.
    pub fn begin(&self, key: &ReadKey) -> Begun {
        Begun { tape: self.clone(), key: key.clone(), ended: false }
    }

    fn reads(&self) -> &Reads {
        match self {
            Self::Recording(reads) | Self::Playing { reads, .. } => reads,
        }
    }

    /// Answers a request from the tape; `None` while recording.
    pub fn play(&self, key: &ReadKey, request: &HttpRequest) -> Option<HttpConnectorFuture> {
        let Self::Playing { reads, taken } = self else { return None };
        let page = page_of(request);
        let answer = reads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .and_then(|pages| pages.get(&page))
            .cloned();
        Some(HttpConnectorFuture::ready(match answer {
            Some(answer) => answer.replay(),
            None => Err(ConnectorError::other(
                format!("the snapshot of {taken} does not hold this page of {}", key.call).into(),
                None,
            )),
        }))
    }

    /// Writes an answer down; the last one counts, since earlier ones were tried again.
    pub fn record(&self, key: &ReadKey, page: String, answer: Answer) {
        if let Self::Recording(reads) = self {
            reads
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(key.clone())
                .or_default()
                .insert(page, answer);
        }
    }
}

/// Tells the pages of one read apart: everything of a request that does not depend on where the
/// endpoint is or who signs.
pub fn page_of(request: &HttpRequest) -> String {
    let query = request.uri().split_once('?').map(|(_, query)| query).unwrap_or_default();
    let body = request.body().bytes().unwrap_or_default();
    let full = match std::str::from_utf8(body) {
        Ok(text) => digest::of(&(request.method(), query, text)),
        Err(_) => digest::of(&(request.method(), query, base64::encode(body))),
    };
    full.get(..12).unwrap_or(&full).to_owned()
}

impl Answer {
    /// Takes a response down, and gives back one that can still be read.
    ///
    /// # Errors
    /// The body breaks off.
    pub async fn take(response: HttpResponse) -> Result<(Self, HttpResponse), ConnectorError> {
        let status = response.status();
        let headers = response.headers().clone();
        let body = aws_smithy_types::byte_stream::ByteStream::new(response.into_body())
            .collect()
            .await
            .map_err(|error| ConnectorError::io(Box::new(error)))?
            .into_bytes();
        let answer = Self::Response {
            status: status.as_u16(),
            headers: HEADERS
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), headers.get(*name)?.to_owned())))
                .collect(),
            body: Body::of(&body),
        };
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        *response.headers_mut() = headers;
        Ok((answer, response))
    }

    /// Whether a word is in the answer's headers or body.
    pub fn mentions(&self, word: &str) -> bool {
        match self {
            Self::Nothing { error } => error.contains(word),
            Self::Response { headers, body, .. } => {
                body.mentions(word) || headers.values().any(|value| value.contains(word))
            }
        }
    }

    fn replay(self) -> Result<HttpResponse, ConnectorError> {
        match self {
            Self::Nothing { error } => Err(ConnectorError::other(error.into(), None)),
            Self::Response { status, headers, body } => {
                let status = StatusCode::try_from(status)
                    .map_err(|error| ConnectorError::other(Box::new(error), None))?;
                let mut response = HttpResponse::new(status, SdkBody::from(body));
                for (name, value) in headers {
                    if let Err(error) = response.headers_mut().try_insert(name, value) {
                        return Err(ConnectorError::other(Box::new(error), None));
                    }
                }
                Ok(response)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn response(body: &[u8]) -> HttpResponse {
        let mut response = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(body.to_vec()));
        for (name, value) in [
            ("content-type", "application/cbor"),
            ("smithy-protocol", "rpc-v2-cbor"),
            ("x-amzn-requestid", "1"),
        ] {
            response.headers_mut().try_insert(name, value).unwrap();
        }
        response
    }

    /// `{"ok": -1.5}`, which is no text.
    const CBOR: &[u8] = b"\xa1\x62ok\xfb\xbf\xf8\0\0\0\0\0\0";

    #[tokio::test]
    async fn a_body_that_is_no_text_comes_back_as_it_was() {
        let (taken, passed) = Answer::take(response(CBOR)).await.unwrap();
        assert_eq!(passed.body().bytes().unwrap(), CBOR);
        let text = serde_json::to_string(&taken).unwrap();
        assert!(text.contains(r#""body_base64":"oWJva/u/+AAAAAAAAA==""#), "{text}");
        assert!(!text.contains("x-amzn-requestid"), "{text}");
        let kept: Answer = serde_json::from_str(&text).unwrap();
        assert_eq!(kept, taken);
        let replayed = kept.replay().unwrap();
        assert_eq!(replayed.body().bytes().unwrap(), CBOR);
        assert_eq!(replayed.headers().get("smithy-protocol"), Some("rpc-v2-cbor"));
    }

    #[tokio::test]
    async fn a_text_is_kept_as_one_and_old_tapes_are_read() {
        let (taken, _) = Answer::take(response(b"{}")).await.unwrap();
        assert!(serde_json::to_string(&taken).unwrap().contains(r#""body":"{}""#));
        let old: Answer = serde_json::from_str(r#"{"status": 200, "body": "<a/>"}"#).unwrap();
        let (status, headers) = (200, BTreeMap::new());
        assert_eq!(old, Answer::Response { status, headers, body: "<a/>".to_owned().into() });
        for none in [r#"{"status": 200}"#, r#"{"status": 200, "body_base64": "?"}"#] {
            assert!(serde_json::from_str::<Answer>(none).is_err(), "{none}");
        }
    }

    #[tokio::test]
    async fn what_asks_to_slow_down_is_found_in_bytes() {
        let body = b"\xa1\x66__type\x6aThrottling\xff";
        let (taken, _) = Answer::take(response(body)).await.unwrap();
        assert!(matches!(&taken, Answer::Response { body: Body::Bytes(_), .. }));
        assert!(taken.mentions("Throttl") && !taken.mentions("SlowDown"));
    }

    #[test]
    fn pages_are_told_apart_by_every_byte_of_a_request() {
        let page = |body: &[u8]| page_of(&HttpRequest::new(SdkBody::from(body.to_vec())));
        assert_ne!(page(b"\xfe"), page(b"\xff"));
        assert_eq!(page(b"\xff"), page(b"\xff"));
        // As it was before there were bodies of bytes.
        let full = digest::of(&("GET", "", "{}"));
        assert_eq!(page(b"{}"), full[..12]);
    }
}

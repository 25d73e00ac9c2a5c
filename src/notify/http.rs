//! One request to a webhook, through the HTTP client that AWS is reached by: its proxies, its trusted
//! certificates (`AWS_CA_BUNDLE`). Redirects are not followed: who is trusted with a notice is who the
//! fleet file names.

use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;

use super::channel::NotSent;
use super::secret::Secret;
use crate::aws::plain::Plain;
use crate::fleet::notify::check_url;
use crate::visible::{shortened, visible};

/// How long an answer may take in all.
const LONGEST: Duration = Duration::from_secs(15);
/// Of an answer's body, what is read, and what of it is shown.
const BODY: usize = 4096;
const SHOWN: usize = 120;

/// Posts JSON, and insists on a 2xx.
///
/// # Errors
/// The URL is none to send to, nobody answered in time, or with another status. The URL is not said:
/// it may be a secret.
pub async fn post(
    url: &Secret,
    body: String,
    headers: &[(&'static str, String)],
    hidden: &[&Secret],
) -> Result<(), NotSent> {
    check_url(url.expose()).map_err(|why| NotSent::because(format!("its URL {why}")))?;
    let plain = Plain::from_environment().map_err(|error| NotSent::because(error.to_string()))?;
    let hide = |text: &str| {
        let text = hidden.iter().fold(url.hide(text), |text, secret| secret.hide(&text));
        visible(&text).into_owned()
    };
    let mut request = HttpRequest::new(SdkBody::from(body));
    let broken = |_| NotSent::because("its URL cannot be sent to");
    request.set_method("POST").map_err(broken)?;
    request.set_uri(url.expose()).map_err(broken)?;
    let headers = headers.iter().map(|(name, value)| (*name, value.clone()));
    let own = [
        ("content-type", "application/json".to_owned()),
        ("user-agent", concat!("evenkeel/", env!("CARGO_PKG_VERSION")).to_owned()),
    ];
    for (name, value) in own.into_iter().chain(headers) {
        request.headers_mut().insert(name, value);
    }
    let began = Instant::now();
    let late = || {
        let seconds = began.elapsed().as_secs();
        NotSent::because(format!("it did not answer within {seconds} s"))
    };
    let answered = async {
        let answer = plain.send(request).await.map_err(|error| match error.is_timeout() {
            true => late(),
            false => NotSent::because(hide(&format!("it could not be reached: {}", root(&error)))),
        })?;
        let status = answer.status().as_u16();
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|seconds| seconds.parse().ok())
            .map(Duration::from_secs);
        if (200..300).contains(&status) {
            return Ok(());
        }
        let words = match status {
            300..400 => ": redirects are not followed".to_owned(),
            _ => said(answer.into_body())
                .await
                .map_or_else(String::new, |said| format!(": {}", shortened(&hide(&said), SHOWN))),
        };
        Err(NotSent { retry_after, ..NotSent::because(format!("it answered {status}{words}")) })
    };
    tokio::time::timeout(LONGEST, answered).await.map_err(|_| late())?
}

/// The beginning of an answer's body, as far as it is short enough to be words.
async fn said(body: SdkBody) -> Option<String> {
    use aws_smithy_types::byte_stream::ByteStream;
    let mut stream = ByteStream::new(body);
    let mut bytes = Vec::new();
    while let Some(Ok(chunk)) = stream.next().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > BODY {
            return None;
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    let text = text.trim();
    (!text.is_empty() && !text.starts_with('<')).then(|| text.to_owned())
}

/// What is at the bottom of an error.
fn root(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.to_string()
}

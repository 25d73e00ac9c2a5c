//! Lists that end in the middle. IAM and KMS say by a flag whether a page is the last, and by a marker
//! where the next one begins; the SDK looks at the marker alone, and takes a page without one for the
//! last. What says that there is more and not where is no whole answer.
//!
//! Sources: IAM API Reference, `ListRoles` (`IsTruncated`, `Marker`); KMS API Reference, `ListKeys`
//! (`Truncated`, `NextMarker`). The other services have no flag, only a token: without it, a page is
//! the last.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::{Map, Value};

use super::permission::Call;
use super::wire;

/// What is said of such an answer.
pub const CUT_SHORT: &str = "AWS said that its list goes on, and not where";

/// A client that takes only whole answers of another one.
pub fn client(inner: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Whole(inner))
}

#[derive(Debug)]
struct Whole<T>(T);

impl HttpClient for Whole<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Whole(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for Whole<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        match wire::in_hand() {
            Some(wire) if cut_short_in(wire.call).is_some() => {
                HttpConnectorFuture::new(async move { whole(wire.call, answer.await?).await })
            }
            _ => answer,
        }
    }
}

/// How answers to a call tell that they end in the middle, if they do.
fn cut_short_in(call: Call) -> Option<fn(&str) -> bool> {
    match call.service {
        _ if !call.is_read() => None,
        "iam" => Some(xml_is_cut_short),
        "kms" => Some(json_is_cut_short),
        _ => None,
    }
}

/// The answer to a call, when it is whole.
async fn whole(call: Call, response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let Some(cut_short) = cut_short_in(call).filter(|_| response.status().is_success()) else {
        return Ok(response);
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let body = ByteStream::new(response.into_body())
        .collect()
        .await
        .map_err(|error| ConnectorError::io(Box::new(error)))?
        .into_bytes();
    if cut_short(&String::from_utf8_lossy(&body)) {
        return Err(ConnectorError::other(CUT_SHORT.into(), None));
    }
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    *response.headers_mut() = headers;
    Ok(response)
}

fn xml_is_cut_short(body: &str) -> bool {
    let text = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        rest.split_once('<').map(|(text, _)| text.trim())
    };
    text("IsTruncated").is_some_and(|text| text.eq_ignore_ascii_case("true"))
        && text("Marker").is_none_or(str::is_empty)
}

fn json_is_cut_short(body: &str) -> bool {
    if !body.contains("\"Truncated\"") {
        return false;
    }
    // What cannot be parsed is said by whoever needs it.
    let Ok(members) = serde_json::from_str::<Map<String, Value>>(body) else { return false };
    let marker = members.get("NextMarker").and_then(Value::as_str);
    members.get("Truncated") == Some(&Value::Bool(true)) && marker.is_none_or(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_goes_on_says_where() {
        for (body, is_cut_short) in [
            ("<R><IsTruncated>false</IsTruncated></R>", false),
            ("<R><IsTruncated>true</IsTruncated><Marker>x</Marker></R>", false),
            ("<R><Marker>x</Marker><IsTruncated> true </IsTruncated></R>", false),
            ("<R><IsTruncated>true</IsTruncated></R>", true),
            ("<R><IsTruncated>true</IsTruncated><Marker/></R>", true),
            ("<R><IsTruncated>true</IsTruncated><Marker></Marker></R>", true),
            ("<R></R>", false),
            ("", false),
        ] {
            assert_eq!(xml_is_cut_short(body), is_cut_short, "{body}");
        }
        for (body, is_cut_short) in [
            (r#"{"Keys": [], "Truncated": false}"#, false),
            (r#"{"Keys": [], "Truncated": true, "NextMarker": "x"}"#, false),
            (r#"{"Keys": [], "Truncated": true}"#, true),
            (r#"{"Keys": [], "Truncated":true,"NextMarker":""}"#, true),
            (r#"{"Keys": [], "Truncated": true, "NextMarker": null}"#, true),
            (r#"{"Tags": [{"TagKey": "\"Truncated\": true", "TagValue": ""}]}"#, false),
            ("{", false),
        ] {
            assert_eq!(json_is_cut_short(body), is_cut_short, "{body}");
        }
    }
}

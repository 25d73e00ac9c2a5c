//! Lists that end in the middle. IAM and KMS say by a flag whether a page is the last, and by a marker
//! where the next one begins; the SDK looks at the marker alone, and takes a page without one for the
//! last. What says that there is more and not where is no whole answer. Neither is one without a list
//! that AWS's API model requires, which the SDK gives as an empty one ([`super::required`]).
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
use super::{required, wire};

/// What is said of a list that ends in the middle.
const CUT_SHORT: &str = "AWS said that its list goes on, and not where";

/// An answer that came, and that is not whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotWhole(String);

impl NotWhole {
    /// Finds it among the causes of an error.
    pub fn in_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

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
            Some(wire) if may_lack(wire.call) => {
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

/// Whether an answer to a call must be looked at.
fn may_lack(call: Call) -> bool {
    cut_short_in(call).is_some() || required::of(call).next().is_some()
}

/// What the body of an answer lacks, in words.
fn lack(call: Call, body: &str) -> Option<String> {
    if cut_short_in(call).is_some_and(|is_cut_short| is_cut_short(body)) {
        return Some(CUT_SHORT.to_owned());
    }
    let missing = required::of(call).find(|list| !list.is_in(body))?;
    Some(format!("AWS did not say {}", missing.member))
}

/// The answer to a call, when it is whole.
async fn whole(call: Call, response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    if !response.status().is_success() {
        return Ok(response);
    }
    let (status, headers) = (response.status(), response.headers().clone());
    let body = ByteStream::new(response.into_body())
        .collect()
        .await
        .map_err(|error| ConnectorError::io(Box::new(error)))?
        .into_bytes();
    if let Some(lack) = lack(call, &String::from_utf8_lossy(&body)) {
        return Err(ConnectorError::other(NotWhole(lack).into(), None));
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
    fn a_list_that_must_be_there_is_missed() {
        let policies = Call::new("iam", "ListRolePolicies");
        let answer = |inside: &str| {
            format!("<R><ListRolePoliciesResult>{inside}</ListRolePoliciesResult></R>")
        };
        for inside in ["<PolicyNames/>", "<PolicyNames><member>a</member></PolicyNames>"] {
            assert_eq!(lack(policies, &answer(inside)), None, "{inside}");
        }
        let said = lack(policies, &answer("<IsTruncated>false</IsTruncated>"));
        assert_eq!(said.as_deref(), Some("AWS did not say PolicyNames"));
        let policy = Call::new("iam", "GetRolePolicy");
        assert!(!may_lack(Call::new("s3", "GetBucketPolicy")) && lack(policy, "<R/>").is_none());
    }

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

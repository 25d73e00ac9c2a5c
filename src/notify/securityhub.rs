//! Security Hub: a finding for each object, which is updated while the object is not as declared, and
//! archived when that is over. It always has the same id, so that it is never there twice.
//!
//! Source: AWS Security Hub API Reference, `BatchImportFindings` (100 findings; with the default product
//! the account that calls is the finding's; what failed is told with HTTP 200; severity and types go into
//! `FindingProviderFields`; `Workflow` is the customers'), "AwsSecurityFinding" (lengths).

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    AwsSecurityFinding, Compliance, ComplianceStatus, FindingProviderFields,
    FindingProviderSeverity, Partition, Recommendation, RecordState, Remediation, Resource,
    ResourceDetails, SeverityLabel,
};
use chrono::{DateTime, SecondsFormat, Utc};

use super::channel::{Channel, NotSent, Own};
use super::letter::{AffectedObject, Letter, Notice, Status};
use super::words;
use crate::aws::Call;
use crate::aws::session::Identity;
use crate::digest;
use crate::fleet::notify::{On, Severity};
use crate::names::Region;
use crate::visible::{shortened, visible};

/// The call.
pub const IMPORT: Call = Call::new("securityhub", "BatchImportFindings");
/// Findings of a request.
const FINDINGS: usize = 100;
/// Characters of a title, less those that a cut adds.
const TITLE: usize = 250;
/// Characters of a description.
const DESCRIPTION: usize = 1_000;
/// Characters of an id that is for people; a longer one is a digest.
const ID: usize = 400;
/// Characters of a recommendation.
const RECOMMENDATION: usize = 500;

/// Security Hub in a Region.
pub struct Hub {
    /// The Region.
    pub region: Option<Region>,
    /// Our own way to AWS.
    pub own: Arc<Own>,
}

#[async_trait]
impl Channel for Hub {
    async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let session = self.own.session().await.map_err(NotSent::because)?;
        let region = self.region.clone().unwrap_or_else(|| session.home_region().clone());
        let of = Of { identity: session.identity(), region: &region, letter };
        let all: Vec<(&Notice, AwsSecurityFinding)> = letter
            .notices
            .iter()
            .filter_map(|notice| Some((notice, of.finding(notice, notice.places.first()?)?)))
            .collect();
        let client = session.client(&region, Client::new);
        let mut left = Vec::new();
        let mut why = None;
        for some in all.chunks(FINDINGS) {
            let findings = some.iter().map(|(_, finding)| finding.clone()).collect();
            let request = client.batch_import_findings().set_findings(Some(findings)).send();
            match session.send(&region, IMPORT, None, request).await {
                Ok(answer) => {
                    for failed in answer.failed_findings() {
                        why.get_or_insert(format!(
                            "Security Hub did not take every finding: {} {}",
                            failed.error_code().unwrap_or_default(),
                            failed.error_message().unwrap_or_default()
                        ));
                        let is_it = |finding: &AwsSecurityFinding| finding.id() == failed.id();
                        let of_it = some.iter().filter(|(_, finding)| is_it(finding));
                        left.extend(of_it.map(|(notice, _)| (*notice).clone()));
                    }
                    // It counts what it does not name.
                    let failed = usize::try_from(answer.failed_count().unwrap_or(0)).unwrap_or(0);
                    if failed > answer.failed_findings().len() {
                        why.get_or_insert(format!("Security Hub did not take {failed} findings"));
                        left.extend(some.iter().map(|(notice, _)| (*notice).clone()));
                    }
                }
                Err(error) => {
                    why.get_or_insert(error.to_string());
                    left.extend(some.iter().map(|(notice, _)| (*notice).clone()));
                }
            }
        }
        match why {
            None => Ok(()),
            Some(why) => Err(NotSent { left: Some(left), ..NotSent::because(why) }),
        }
    }
}

/// What all findings of a letter have in common.
struct Of<'a> {
    identity: &'a Identity,
    region: &'a Region,
    letter: &'a Letter,
}

impl Of<'_> {
    /// The finding of a notice: only what is about an object, or an account as a whole, is one.
    fn finding(&self, notice: &Notice, place: &AffectedObject) -> Option<AwsSecurityFinding> {
        let Identity { account, partition, .. } = self.identity;
        let is_test = notice.status == Status::Test;
        if place.subject.account.is_none() && !is_test {
            return None;
        }
        let is_over = match notice.status {
            Status::New | Status::Changed => false,
            Status::Resolved | Status::Test => true,
            Status::Done if notice.on == On::Applied => true,
            // It happened, and nobody will say that it is over.
            Status::Done => return None,
        };
        let (state, compliance) = match is_over {
            true => (RecordState::Archived, ComplianceStatus::Passed),
            false => (RecordState::Active, ComplianceStatus::Failed),
        };
        let text = one_line(&words::text(
            &Letter { notices: vec![notice.clone()], more: 0, ..self.letter.clone() },
            &str::to_owned,
        ));
        let provider = FindingProviderFields::builder()
            .severity(
                FindingProviderSeverity::builder()
                    .label(label(notice.severity))
                    .original(notice.severity.as_str())
                    .build(),
            )
            .types("Software and Configuration Checks/Policy")
            .build();
        let mut finding = AwsSecurityFinding::builder()
            .schema_version("2018-10-08")
            .id(finding_id(&place.subject.key))
            .product_arn(format!(
                "arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
                region = self.region
            ))
            .product_name("evenkeel")
            .generator_id(format!("evenkeel/{}", kind(place)))
            .aws_account_id(account.as_str())
            .created_at(time(place.since))
            .updated_at(time(self.letter.time))
            .title(shortened(&words::headline(notice), TITLE))
            .description(shortened(&text, DESCRIPTION))
            .finding_provider_fields(provider)
            .compliance(Compliance::builder().status(compliance).build())
            .record_state(state)
            .resources(self.resource(place));
        if !notice.look.is_empty() {
            let how = format!("Look closer: {}", notice.look);
            let how =
                Recommendation::builder().text(shortened(&one_line(&how), RECOMMENDATION)).build();
            finding = finding.remediation(Remediation::builder().recommendation(how).build());
        }
        for (name, value) in self.fields(notice, place) {
            finding = finding.product_fields(format!("evenkeel/{name}"), value);
        }
        Some(finding.build())
    }

    fn fields(&self, notice: &Notice, place: &AffectedObject) -> Vec<(&'static str, String)> {
        let about = &self.letter.about;
        let by = place.by.first();
        let all = [
            ("on", Some(notice.on.as_str().to_owned())),
            ("did", Some(notice.did.clone())),
            ("run", about.run.clone()),
            ("commit", about.commit.clone()),
            ("audit_log", about.audit_log.clone()),
            ("by", by.map(|by| by.principal.clone())),
            ("call", by.map(|by| by.call.clone())),
        ];
        all.into_iter()
            .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
            .map(|(name, value)| (name, shortened(&visible(&value), DESCRIPTION).into_owned()))
            .collect()
    }

    fn resource(&self, place: &AffectedObject) -> Resource {
        let subject = &place.subject;
        let partition = Partition::from(self.identity.partition.as_str());
        let mut details = ResourceDetails::builder();
        let of = [
            ("account", subject.account.as_ref().map(ToString::to_string)),
            ("account_name", subject.account_name.clone()),
            ("item", subject.item.as_ref().map(ToString::to_string)),
            ("object", Some(subject.object.clone()).filter(|object| !object.is_empty())),
        ];
        for (name, value) in of {
            if let Some(value) = value {
                details = details.other(name, shortened(&visible(&value), DESCRIPTION));
            }
        }
        let region = subject.region.as_ref().unwrap_or(self.region);
        Resource::builder()
            .r#type("Other")
            .id(finding_id(&subject.key))
            .partition(partition)
            .region(region.as_str())
            .details(details.build())
            .build()
    }
}

/// The id of the finding of an object: always the same.
fn finding_id(key: &str) -> String {
    let is_plain = key.len() <= ID && key.bytes().all(|byte| byte.is_ascii_graphic());
    match is_plain {
        true => format!("evenkeel/{key}"),
        false => format!("evenkeel/{}", digest::of_bytes(key.as_bytes())),
    }
}

fn kind(place: &AffectedObject) -> String {
    place.subject.item.as_ref().map_or_else(|| "notice".to_owned(), |item| item.kind.clone())
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn label(severity: Severity) -> SeverityLabel {
    match severity {
        Severity::Low => SeverityLabel::Low,
        Severity::Medium => SeverityLabel::Medium,
        Severity::High => SeverityLabel::High,
        Severity::Critical => SeverityLabel::Critical,
    }
}

/// A text without line ends: by its pattern in the API model (`.*\S.*`), a finding's text may have none.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_object_always_has_the_same_finding() {
        let key = "111122223333/eu-west-1/s3.bucket/logs";
        assert_eq!(finding_id(key), format!("evenkeel/{key}"));
        assert_eq!(finding_id(&"x".repeat(2_000)).len(), 73);
        assert_ne!(finding_id("a b"), finding_id("a  b"));
    }
}

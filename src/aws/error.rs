//! What went wrong at AWS: account, Region, operation, AWS's own code and text, and what to do next.

use std::fmt;
use std::ops::Deref;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use serde::{Deserialize, Serialize};

use super::permission::Call;
use super::refusals;
use super::whole::NotWhole;
use super::wire::AFTER_LOSS;
use crate::names::{AccountId, Region};

/// What kind of failure an error is, which decides what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The thing is not there, or not set.
    Absent,
    /// AWS asks us to slow down, and the SDK's retries were not enough.
    Throttled,
    /// AWS is still busy with an earlier change of the same thing.
    Settling,
    /// An organization policy forbids it: nobody in the account can do it.
    Blocked,
    /// The credentials lack a permission.
    Denied,
    /// The Region is not enabled, or does not have the service.
    RegionUnavailable,
    /// There are no credentials, or they are expired or not valid.
    Credentials,
    /// No answer: name resolution, connection, time-out.
    Unreachable,
    /// AWS failed on its side.
    ServerFault,
    /// A snapshot does not hold the answer.
    NotRecorded,
    /// The time for the account was over before the answer came.
    Late,
    /// There is no room for more: a quota is used up.
    Quota,
    /// The request itself was refused: validation, conflict.
    Refused,
}

impl ErrorClass {
    /// The class of an error code in AWS's words. `message` separates organization policies
    /// from missing permissions.
    pub fn of(code: &str, message: &str, status: Option<u16>) -> Self {
        match code {
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "SlowDown"
            | "RateExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "EC2ThrottledException" => Self::Throttled,
            "ConflictException"
            | "ConcurrentModification"
            | "ConcurrentModificationException"
            | "OperationAborted"
            | "OperationAbortedException"
            | "ResourceInUseException"
            | "KMSInvalidStateException"
            | "EntityTemporarilyUnmodifiable"
            | "InsufficientDeliveryPolicyException" => Self::Settling,
            "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "TokenRefreshRequired" => Self::Credentials,
            "OptInRequired"
            | "AuthFailure"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "UnrecognizedClient"
            | "UnknownOperationException"
            | "UnknownOperation" => Self::RegionUnavailable,
            "BLOCKED_BY_ORGANIZATION_POLICY"
            | "DeclarativePolicyViolation"
            | "UnmodifiableEntity"
            | "UnmodifiableEntityException"
            | "ManagedRuleException"
            | "NotOrganizationMasterAccountException" => Self::Blocked,
            _ if code.starts_with("AccessDenied")
                || code.starts_with("UnauthorizedOperation")
                || code.starts_with("AuthorizationError")
                || code == "Forbidden"
                || code == "403" =>
            {
                let denied_by_policy =
                    ["service control policy", "resource control policy", "declarative policy"];
                let message = message.to_lowercase();
                if denied_by_policy.iter().any(|policy| message.contains(policy)) {
                    Self::Blocked
                } else {
                    Self::Denied
                }
            }
            _ if is_quota(code) => Self::Quota,
            _ if code.starts_with("NoSuch")
                || code.ends_with("NotFound")
                || code.ends_with("NotFoundError")
                || code.ends_with("NotFoundException")
                || code == "404" =>
            {
                Self::Absent
            }
            // Inside an answer that says "done", no status tells whose fault it is.
            "InternalError" | "InternalFailure" => Self::ServerFault,
            _ if status.is_some_and(|status| status >= 500) => Self::ServerFault,
            _ => Self::Refused,
        }
    }
}

/// Whether a code says that there are as many as there may be.
fn is_quota(code: &str) -> bool {
    code.starts_with("LimitExceeded")
        || code.ends_with("LimitExceeded")
        || code.ends_with("LimitExceededException")
        || code.starts_with("TooMany")
        || code == "MaximumNumberOfTrailsExceededException"
        || code == "MaxNumberOfConfigRulesExceededException"
        || code == "MaxNumberOfConformancePacksExceededException"
}

/// The fields of an [`AwsError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// Whether an earlier try of the call had no answer, so that it may have been done.
    pub after_loss: bool,
    /// The account whose credentials made the call, when it is known.
    pub account: Option<AccountId>,
    /// The Region of the endpoint.
    pub region: Region,
    /// The operation that failed.
    pub call: Call,
    /// AWS's error code, or a word of ours when no answer came (`NoAnswer`, `NoCredentials`).
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// The HTTP status, when an answer came.
    pub status: Option<u16>,
    /// AWS's request id, for their support.
    pub request_id: Option<String>,
    /// What kind of failure it is.
    pub class: ErrorClass,
}

/// A call to AWS that failed after all retries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError(Box<Detail>);

impl AwsError {
    /// The same with what calls before it have done already.
    #[must_use]
    pub fn after(mut self, done: &str) -> Self {
        self.0.message = format!("{} ({done})", self.0.message);
        self
    }

    /// Makes an error from its fields.
    pub fn new(detail: Detail) -> Self {
        Self(Box::new(detail))
    }

    /// Translates an SDK error, adding where the call was made.
    pub fn from_sdk<E>(
        account: Option<&AccountId>,
        region: &Region,
        call: Call,
        error: &SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let (code, message, class) = match error {
            // A success that cannot be read is no answer either.
            SdkError::ServiceError(_) if status.is_some_and(|status| status < 300) => {
                ("UnreadableAnswer".to_owned(), root_text(error), ErrorClass::ServerFault)
            }
            SdkError::ServiceError(_) => {
                let code = error
                    .code()
                    .map(str::to_owned)
                    .or_else(|| status.map(|status| status.to_string()))
                    .unwrap_or_else(|| "Unknown".to_owned());
                let message = error.message().unwrap_or("AWS gave no message").to_owned();
                let class = ErrorClass::of(&code, &message, status);
                (code, message, class)
            }
            SdkError::ResponseError(_) => {
                let text = root_text(error);
                let class = match status {
                    Some(status) if status >= 500 => ErrorClass::ServerFault,
                    _ => ErrorClass::Unreachable,
                };
                ("UnreadableAnswer".to_owned(), text, class)
            }
            _ => {
                let text = root_text(error);
                if let Some(lack) = NotWhole::in_error(error) {
                    ("UnreadableAnswer".to_owned(), lack.to_string(), ErrorClass::ServerFault)
                } else if text.contains("credentials") || text.contains("identity") {
                    ("NoCredentials".to_owned(), text, ErrorClass::Credentials)
                } else {
                    ("NoAnswer".to_owned(), text, ErrorClass::Unreachable)
                }
            }
        };
        let request_id = error.request_id().map(str::to_owned);
        let marked = |response: &HttpResponse| response.headers().get(AFTER_LOSS).is_some();
        Self::new(Detail {
            after_loss: error.raw_response().is_some_and(marked),
            account: account.cloned(),
            region: region.clone(),
            call,
            code,
            message,
            status,
            request_id,
            class,
        })
    }

    /// An answer that came and cannot be used.
    pub fn malformed(region: &Region, call: Call, problem: &str) -> Self {
        Self::new(Detail {
            after_loss: false,
            account: None,
            region: region.clone(),
            call,
            code: "UnreadableAnswer".to_owned(),
            message: problem.to_owned(),
            status: None,
            request_id: None,
            class: ErrorClass::ServerFault,
        })
    }

    /// Whether AWS's code is one of `codes`.
    pub fn is_code(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code.as_str())
    }

    /// The IAM action that the caller lacks, when that is what is wrong.
    pub fn missing_permission(&self) -> Option<String> {
        (self.class == ErrorClass::Denied).then(|| self.call.iam_action().into_owned())
    }

    /// Whether there was an HTTP status alone, as from a server that speaks no AWS. S3 answers HEAD
    /// that way, too, where there is no body to hold a code.
    fn has_no_code(&self) -> bool {
        self.status.is_some_and(|status| self.code == status.to_string())
            && !self.call.operation.starts_with("Head")
    }

    /// What helps where nobody can raise a limit.
    ///
    /// Source: IAM User Guide, "IAM and AWS STS quotas"; Tagging AWS Resources, "Tag naming limits and
    /// requirements".
    fn fixed_limit(&self) -> Option<&'static str> {
        match self.call.operation {
            "PutRolePolicy" => Some(
                "the inline policies of a role have at most 10,240 characters together, and nobody can raise that: shorten them, or make managed policies of some (managed_policy_arns); then run again",
            ),
            "TagRole" | "TagResource" | "AddTags" | "PutBucketTagging" => Some(
                "a resource has at most 50 tags, and nobody can raise that: take some away; then run again",
            ),
            _ => None,
        }
    }

    /// Where the deny stands, in AWS's own words (IAM User Guide, "Troubleshoot access denied error messages").
    fn denied_in(&self) -> &str {
        let after = |text: &'static str| self.message.split_once(text).map(|(_, after)| after);
        let place = after("explicit deny in an ").or_else(|| after("explicit deny in a "));
        let end =
            |place: &str| place.find(|c: char| !c.is_ascii_alphabetic() && c != '-' && c != ' ');
        match place {
            Some(place) => place[..end(place).unwrap_or(place.len())].trim(),
            None => {
                "a policy of the identity, of the resource or of the session, or a permissions boundary"
            }
        }
    }

    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        if let Some(remedy) = refusals::remedy(&self.code, self.call.operation) {
            return remedy.to_owned();
        }
        match self.class {
            ErrorClass::Denied if self.message.contains("explicit deny") => format!(
                "a policy denies it, which no allow changes: look for a Deny of {} where AWS's message says ({}); one that `evenkeel policy --own-role` made for evenkeel's own role and its policies is meant to be",
                self.call.iam_action(),
                self.denied_in()
            ),
            ErrorClass::Denied => format!(
                "allow {} to the identity that evenkeel uses; `evenkeel policy` prints the whole policy, and with --with-rollback what a rollback needs besides",
                self.call.iam_action()
            ),
            ErrorClass::Blocked if self.call.is_read() => format!(
                "an organization policy forbids this read: allow {} in {} there, or leave the Region out with `regions`",
                self.call.iam_action(),
                self.region
            ),
            ErrorClass::Blocked => {
                "an organization policy forbids this call: change it there, or set the item's mode to \"report\""
                    .to_owned()
            }
            ErrorClass::Throttled => {
                "AWS kept throttling: run again later, or with fewer Regions at a time".to_owned()
            }
            ErrorClass::Settling => {
                "AWS is still applying an earlier change: run again in a minute".to_owned()
            }
            ErrorClass::RegionUnavailable => format!(
                "enable the Region {} in this account, or leave it out with `regions`",
                self.region
            ),
            ErrorClass::Credentials => {
                "sign in again (aws sso login, aws configure) or set AWS_PROFILE, then check with `aws sts get-caller-identity`".to_owned()
            }
            ErrorClass::Unreachable if self.message.contains("certificate") => {
                "where a proxy looks into connections, name its certificate authority: AWS_CA_BUNDLE=FILE.pem; else check AWS_ENDPOINT_URL".to_owned()
            }
            ErrorClass::Unreachable => {
                "check the network, proxy, Region name and AWS_ENDPOINT_URL, then run again".to_owned()
            }
            ErrorClass::ServerFault if self.call.is_read() => {
                "AWS failed on its side: run again in a minute; when it stays so, look at https://health.aws.amazon.com".to_owned()
            }
            ErrorClass::ServerFault => "AWS failed on its side: run again; what was done is in the audit log".to_owned(),
            ErrorClass::Absent if self.has_no_code() => format!(
                "what answered does not seem to be AWS's {}, or does not know the host name that the SDK asked for: check AWS_ENDPOINT_URL, the proxy and the Region name",
                self.call.service
            ),
            ErrorClass::Absent if self.call.is_read() => format!(
                "AWS says that what was asked for is not there: where the baseline names it, check the name, the account and the Region; where it names nothing, evenkeel does not know the answer {} to {}: check AWS_ENDPOINT_URL and the proxy, and report it with its message",
                self.code,
                self.call.operation
            ),
            // The object itself was looked at directly before: what it refers to is more likely.
            ErrorClass::Absent => "what AWS's message names is not there: when the baseline names it, check the name, the account and the Region there, or make it first; when it is the object itself, make a new plan".to_owned(),
            ErrorClass::NotRecorded => {
                "take a new snapshot with this baseline (`evenkeel snapshot`), or plan without --snapshot".to_owned()
            }
            ErrorClass::Late => {
                "take a new snapshot, with more time: [limits] account_timeout_seconds".to_owned()
            }
            ErrorClass::Quota => self
                .fixed_limit()
                .unwrap_or("raise the quota in Service Quotas, or take away what is not needed any more; then run again")
                .to_owned(),
            ErrorClass::Refused if self.call.is_read() => {
                "AWS does not take what evenkeel asked for: check in the baseline what its message names (`evenkeel validate`), and AWS_ENDPOINT_URL".to_owned()
            }
            ErrorClass::Refused => {
                "AWS does not take a value, or not in this state: correct in the baseline what its message names (`evenkeel explain` says what a field can be; the plan shows what was sent), then make a new plan".to_owned()
            }
        }
    }
}

impl Deref for AwsError {
    type Target = Detail;

    fn deref(&self) -> &Detail {
        &self.0
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} in {}", self.call, self.region)?;
        if let Some(account) = &self.account {
            write!(out, " of account {account}")?;
        }
        write!(out, ": {}: {}", self.code, self.message)?;
        if let Some(id) = &self.request_id {
            write!(out, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for AwsError {}

/// An SDK error's causes as one line: what it says first, and the cause below all others, such as the
/// host name that was not found.
fn root_text<E: std::error::Error>(error: &E) -> String {
    let first = DisplayErrorContext(error).to_string();
    let first = first.split(" (").next().unwrap_or_default();
    let mut last = None;
    let mut cause = error.source();
    while let Some(error) = cause {
        last = Some(error.to_string());
        cause = error.source();
    }
    match last {
        Some(last) if !first.contains(&last) => format!("{first}: {last}"),
        _ => first.to_owned(),
    }
}

/// Treats some codes as "not there".
pub trait AbsentIf<T> {
    /// `Ok(None)` when AWS answered with one of `codes`.
    ///
    /// # Errors
    /// Every other error is passed on.
    fn absent_if(self, codes: &[&str]) -> Result<Option<T>, AwsError>;
}

impl<T> AbsentIf<T> for Result<T, AwsError> {
    fn absent_if(self, codes: &[&str]) -> Result<Option<T>, AwsError> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_code(codes) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explicit_deny_has_a_remedy_of_its_own() {
        let remedy = |message: &str| {
            AwsError::new(Detail {
                after_loss: false,
                account: None,
                region: Region::new("us-east-1"),
                call: Call::new("iam", "UpdateRole"),
                code: "AccessDenied".to_owned(),
                message: message.to_owned(),
                status: Some(403),
                request_id: None,
                class: ErrorClass::of("AccessDenied", message, Some(403)),
            })
            .remedy()
        };
        for (place, told) in [
            ("with an explicit deny in an identity-based policy", "(identity-based policy)"),
            (
                "with an explicit deny in a permissions boundary: arn:aws:iam::1:policy/b",
                "(permissions boundary)",
            ),
            ("with an explicit deny", "(a policy of the identity"),
        ] {
            let said =
                remedy(&format!("User: x is not authorized to perform: iam:UpdateRole {place}"));
            assert!(said.contains("a Deny of iam:UpdateRole") && said.contains(told), "{said}");
            assert!(!said.starts_with("allow"), "{said}");
        }
        let missing = "because no identity-based policy allows the iam:UpdateRole action";
        assert!(remedy(missing).starts_with("allow iam:UpdateRole"));
    }

    #[test]
    fn codes_have_classes() {
        let cases = [
            ("NoSuchEntity", "", Some(404), ErrorClass::Absent),
            ("TrailNotFoundException", "", Some(400), ErrorClass::Absent),
            ("ThrottlingException", "", Some(400), ErrorClass::Throttled),
            ("AccessDenied", "no identity-based policy allows it", Some(403), ErrorClass::Denied),
            (
                "AccessDeniedException",
                "with an explicit deny in a service control policy",
                Some(400),
                ErrorClass::Blocked,
            ),
            (
                "UnauthorizedOperation",
                "This functionality has been disabled by a Declarative Policy.",
                None,
                ErrorClass::Blocked,
            ),
            ("DeclarativePolicyViolation", "", None, ErrorClass::Blocked),
            ("UnauthorizedOperation", "", Some(403), ErrorClass::Denied),
            ("OptInRequired", "", Some(403), ErrorClass::RegionUnavailable),
            ("ExpiredToken", "", Some(403), ErrorClass::Credentials),
            ("InternalFailure", "", Some(500), ErrorClass::ServerFault),
            ("InternalError", "", None, ErrorClass::ServerFault),
            ("ValidationError", "", Some(400), ErrorClass::Refused),
            ("MaxNumberOfConformancePacksExceededException", "", Some(400), ErrorClass::Quota),
        ];
        for (code, message, status, class) in cases {
            assert_eq!(ErrorClass::of(code, message, status), class, "{code}");
        }
    }

    #[test]
    fn a_read_that_finds_nothing_is_not_something_that_has_gone() {
        let absent = |call: Call, code: &str| {
            AwsError::new(Detail {
                after_loss: false,
                account: None,
                region: Region::new("us-east-1"),
                call,
                code: code.to_owned(),
                message: String::new(),
                status: Some(404),
                request_id: None,
                class: ErrorClass::of(code, "", Some(404)),
            })
            .remedy()
        };
        let read = Call::new("s3control", "GetPublicAccessBlock");
        assert!(absent(read, "404").contains("AWS_ENDPOINT_URL"));
        let said = absent(read, "NoSuchThing");
        assert!(said.contains("check the name"), "{said}");
        // A setting of the account has no name that could be wrong.
        assert!(said.contains("the answer NoSuchThing to GetPublicAccessBlock"), "{said}");
        let write = Call::new("iam", "AttachRolePolicy");
        let said = absent(write, "NoSuchEntity");
        assert!(said.contains("check the name") && said.contains("make a new plan"), "{said}");
    }

    #[test]
    fn a_refusal_names_what_helps_against_it() {
        let remedy = |service: &'static str, operation: &'static str, code: &str| {
            AwsError::new(Detail {
                after_loss: false,
                account: None,
                region: Region::new("us-east-1"),
                call: Call::new(service, operation),
                code: code.to_owned(),
                message: String::new(),
                status: None,
                request_id: None,
                class: match code {
                    "InternalFailure" => ErrorClass::ServerFault,
                    code => ErrorClass::of(code, "", Some(400)),
                },
            })
            .remedy()
        };
        for (service, operation, code, words) in [
            ("s3", "PutBucketLogging", "InvalidTargetBucketForLogging", "s3_access_logs"),
            ("logs", "AssociateKmsKey", "InvalidParameterException", "service_principals"),
            ("iam", "UpdateAssumeRolePolicy", "MalformedPolicyDocument", "is not there"),
            (
                "ec2",
                "EnableSnapshotBlockPublicAccess",
                "DeclarativePolicyViolation",
                "organization",
            ),
            ("ec2", "AuthorizeSecurityGroupIngress", "InvalidPermission.Duplicate", "new plan"),
            ("config", "PutDeliveryChannel", "InsufficientDeliveryPolicyException", "services"),
            ("logs", "PutRetentionPolicy", "InvalidParameterException", "evenkeel explain"),
            ("iam", "GetRole", "InternalFailure", "run again"),
            ("securityhub", "GetEnabledStandards", "InvalidAccessException", "evenkeel policy"),
        ] {
            let said = remedy(service, operation, code);
            assert!(said.contains(words), "{code}: {said}");
        }
        let read = AwsError::malformed(&Region::new("us-east-1"), Call::new("iam", "GetRole"), "x");
        assert!(!read.remedy().contains("audit log"), "nothing is done by a read");
    }

    #[test]
    fn a_limit_that_nobody_can_raise_has_another_remedy() {
        let full = |operation: &'static str| {
            AwsError::new(Detail {
                after_loss: false,
                account: None,
                region: Region::new("us-east-1"),
                call: Call::new("iam", operation),
                code: "LimitExceeded".to_owned(),
                message: String::new(),
                status: Some(409),
                request_id: None,
                class: ErrorClass::Quota,
            })
            .remedy()
        };
        assert!(full("AttachRolePolicy").contains("Service Quotas"));
        assert!(full("PutRolePolicy").contains("managed_policy_arns"));
        assert!(full("TagRole").contains("50 tags"));
    }

    #[test]
    fn a_denied_call_names_the_permission() {
        let error = AwsError::new(Detail {
            after_loss: false,
            account: None,
            region: Region::new("us-east-1"),
            call: Call::new("s3", "HeadBucket"),
            code: "403".to_owned(),
            message: String::new(),
            status: Some(403),
            request_id: None,
            class: ErrorClass::of("403", "", Some(403)),
        });
        assert_eq!(error.missing_permission().as_deref(), Some("s3:ListBucket"));
    }
}

//! A key that another kind's field names: which one it is, and whether a service can encrypt with
//! it. AWS takes many a key that cannot work, and the failures come later and elsewhere.
//!
//! Where a key must be: EBS, S3 and CloudWatch Logs use keys of their object's own Region, which is
//! judged here. CloudTrail and Config want the Region of the bucket that they deliver to, which is
//! not theirs to read: CloudTrail refuses any other itself (`KmsKeyNotFoundException`: "when the
//! Amazon S3 bucket and the KMS key are not in the same Region"), and a delivery of Config that fails
//! is a finding of `config.recorder`.

use aws_sdk_kms::types::KeyMetadata;
use serde::{Deserialize, Serialize};

use super::reads;
use crate::aws::ErrorClass;
use crate::aws::settle::settle;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::{Cx, ObserveError, WriteCx, WriteError, told};
use crate::names::{Region, is_arn};

/// What is said of a key that another account has: that can take it away, and with it what it encrypted.
pub const LEFT: &str = "the key of what is encrypted is left";

/// What a name of a key stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Named {
    /// A key that is there.
    There {
        /// Its ARN.
        arn: String,
        /// Whether it is AWS's own key for the service.
        is_own: bool,
        /// Why the service cannot encrypt with it.
        unusable: Option<String>,
    },
    /// Nothing: the key is not there, any more or yet.
    Missing,
    /// A key of another account, which does not let evenkeel look. Its ARN tells it from others, and
    /// whether it works, only that account knows.
    Hidden,
}

impl Named {
    /// Whether a key that is there is meant by this name: by its ARN, whatever each is called.
    pub fn is_behind(&self, arn: &str) -> bool {
        matches!(self, Self::There { arn: own, .. } if own == arn)
    }

    /// Whether it is AWS's own key for the service.
    pub fn is_own(&self) -> bool {
        matches!(self, Self::There { is_own: true, .. })
    }

    /// The ARN of a key that is there.
    pub fn arn(&self) -> Option<&str> {
        match self {
            Self::There { arn, .. } => Some(arn),
            Self::Missing | Self::Hidden => None,
        }
    }

    /// Why the service cannot encrypt with the key, as far as it is known.
    pub fn problem(&self) -> Option<&str> {
        match self {
            Self::There { unusable, .. } => unusable.as_deref(),
            Self::Missing => Some("it is not there"),
            Self::Hidden => None,
        }
    }
}

/// A service that encrypts with keys, and which of them it takes.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// The alias of AWS's own key for it; those of other services are of no use to it.
    pub own_key: Option<&'static str>,
    /// Whether its keys must be of the Region that is asked.
    pub of_region: bool,
}

/// Services that deliver to a bucket, whose Region it is that counts.
pub const DELIVERY: Service = Service { own_key: None, of_region: false };

/// The right key, and that it does not work: what is there of a field, and what is to be.
pub fn out_of_order(actual: Option<&str>, declared: &str) -> (String, String) {
    let actual = actual.unwrap_or(declared);
    (format!("{actual}, not in working order"), format!("{declared}, in working order"))
}

/// Whether a name can be given to a key later on: an id cannot.
pub fn is_alias(name: &str) -> bool {
    name.starts_with("alias/") || name.contains(":alias/")
}

/// Whether a key that was planned is the one that is needed now: one that the same plan makes has an alias in
/// the plan, and its ARN once it is there. The write finds it by the alias again ([`ready`]).
pub fn is_there_by_now(planned: &str, now: &str) -> bool {
    is_alias(planned) && is_arn(now, "kms", "key/")
}

/// The same of what a write may give an object, or take away from it.
pub fn is_same(planned: &Option<String>, now: &Option<String>) -> bool {
    planned == now
        || matches!((planned, now), (Some(planned), Some(now)) if is_there_by_now(planned, now))
}

/// Why a text cannot be the name of a key that a service uses, whatever is in the account.
pub fn wrong(field: &str, name: &str, service: Service) -> Option<SpecProblem> {
    const HELP: &str =
        "write the key's ARN, its id, its alias with alias/ before it, or the alias's ARN";
    if name.is_empty() {
        return None;
    }
    if !is_key_name(name) {
        return Some(SpecProblem::new(field, format!("{name:?} is no KMS key"), HELP));
    }
    let alias = name.find("alias/").map(|at| &name[at..]);
    let is_foreign =
        |alias: &&str| alias.starts_with("alias/aws/") && service.own_key != Some(*alias);
    let alias = alias.filter(is_foreign)?;
    Some(SpecProblem::new(
        field,
        format!("{alias} is AWS's own key of another service, which alone may use it"),
        "name a key of your own",
    ))
}

/// An ARN of a key or alias, an alias, or an id: a UUID, or `mrk-` with 32 digits.
fn is_key_name(text: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_id = (text.len() == 36 && hex(text))
        || text.strip_prefix("mrk-").is_some_and(|id| id.len() == 32 && hex(id));
    let is_name = |name: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte);
        !name.is_empty() && name.bytes().all(fits)
    };
    let is_alias = text.strip_prefix("alias/").is_some_and(is_name);
    is_id || is_alias || is_arn(text, "kms", "key/") || is_arn(text, "kms", "alias/")
}

/// Looks at the key that a field names by its id, ARN, alias or the alias's ARN. An ARN names its own
/// Region; `cx` is for the other names.
///
/// # Errors
/// KMS did not say it.
pub async fn look_up(cx: &Cx, name: &str, service: Service) -> Result<Named, ObserveError> {
    let place = ArnParts::of(name);
    let elsewhere =
        place.as_ref().map(|place| place.region).filter(|one| *one != cx.region.as_str());
    if let Some(region) = elsewhere.filter(|_| service.of_region) {
        let unusable = Some(format!("it is a key of {region}, and must be one of {}", cx.region));
        return Ok(Named::There { arn: name.to_owned(), is_own: false, unusable });
    }
    let cx = &elsewhere.map_or_else(|| cx.clone(), |region| cx.in_region(Region::new(region)));
    let metadata = match reads::describe(cx, name).await {
        Ok(Some(metadata)) => metadata,
        Ok(None) => return Ok(Named::Missing),
        Err(error) => {
            let is_foreign = place.is_some_and(|place| {
                place.account != cx.facts().account.as_str() && place.names_a_key
            });
            return if is_foreign && is_denied(&error) { Ok(Named::Hidden) } else { Err(error) };
        }
    };
    let arn = arn(&metadata)?.to_owned();
    if reads::is_customers(&metadata)? {
        return Ok(Named::There { arn, is_own: false, unusable: unusable(&metadata)? });
    }
    let is_own = match service.own_key {
        Some(own) => is_key_of_aws(cx, own, &arn).await?,
        None => false,
    };
    // The policy of such a key lets in one service alone (KMS Developer Guide, "AWS managed keys").
    let unusable = (!is_own).then(|| "it is AWS's own key of another service".to_owned());
    Ok(Named::There { arn, is_own, unusable })
}

/// Whether a key of AWS is the one behind an alias: KMS knows its predefined aliases in every account.
async fn is_key_of_aws(cx: &Cx, alias: &str, key: &str) -> Result<bool, ObserveError> {
    let field = format!("the key behind {alias}");
    let own = told(&field, reads::describe(cx, alias).await?)?;
    Ok(arn(&own)? == key)
}

/// The ARN of a declared key directly before it is written: a key that the same plan made has one
/// only then, and AWS would take one that cannot work.
///
/// # Errors
/// The key is not there, cannot work, or nobody can say.
pub async fn ready(cx: &WriteCx, name: &str, service: Service) -> Result<String, WriteError> {
    // One that was just made may not be seen yet.
    let look = || async {
        match look_up(&cx.afresh(), name, service).await {
            Ok(Named::Missing) => Err(None),
            found => found.map_err(Some),
        }
    };
    let found = match settle(Option::is_none, look).await {
        Err(None) => Named::Missing,
        Err(Some(error)) => return Err(error.into()),
        Ok(found) => found,
    };
    if let Some(problem) = found.problem() {
        let remedy = match found {
            Named::Missing => {
                "make the key first (an item kms.key for this account and Region), or declare one that is there; then run again"
            }
            _ => "put the key right, or declare another; then run again",
        };
        return Err(WriteError::Look(ObserveError::Unclear {
            reason: format!("the key {name}: {problem}, so that nothing was sent"),
            remedy: remedy.to_owned(),
        }));
    }
    // Only what is named by its ARN can be hidden.
    Ok(found.arn().unwrap_or(name).to_owned())
}

fn is_denied(error: &ObserveError) -> bool {
    matches!(error, ObserveError::Refused { error, .. } if error.class == ErrorClass::Denied)
}

/// Where an ARN of KMS says that its key is: `arn:aws:kms:REGION:ACCOUNT:key/ID`.
struct ArnParts<'a> {
    region: &'a str,
    account: &'a str,
    names_a_key: bool,
}

impl<'a> ArnParts<'a> {
    fn of(name: &'a str) -> Option<Self> {
        let parts: Vec<&str> = name.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "kms", region, account, what] if !region.is_empty() => {
                Some(Self { region, account, names_a_key: what.starts_with("key/") })
            }
            _ => None,
        }
    }
}

/// The ARN of a key, which two names of it have in common: one that is empty would be everybody's.
fn arn(metadata: &KeyMetadata) -> Result<&str, ObserveError> {
    told("Arn", metadata.arn().filter(|arn| !arn.is_empty()))
}

/// Why no service can encrypt with a key: all want a symmetric key that is enabled.
///
/// Source: KMS Developer Guide, "Key states of KMS keys"; the services' own pages on encryption.
fn unusable(metadata: &KeyMetadata) -> Result<Option<String>, ObserveError> {
    let spec = reads::key_spec(metadata)?;
    let state = told("KeyState", metadata.key_state())?.as_str();
    Ok(if spec != "SYMMETRIC_DEFAULT" {
        Some(format!("it is of the spec {spec}, and must be SYMMETRIC_DEFAULT"))
    } else if state != "Enabled" {
        Some(format!("it is in the state {state}, and must be Enabled"))
    } else {
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_without_an_arn_are_not_the_same() {
        let key = |arn: Option<&str>| {
            let key = KeyMetadata::builder().key_id("1").set_arn(arn.map(str::to_owned));
            key.build().ok()
        };
        assert!(key(Some("arn")).is_some_and(|key| arn(&key).is_ok_and(|arn| arn == "arn")));
        for nothing in [None, Some("")] {
            assert!(key(nothing).is_some_and(|key| arn(&key).is_err()), "{nothing:?}");
        }
    }

    #[test]
    fn what_can_be_no_key_of_a_service_is_refused() {
        let s3 = Service { own_key: Some("alias/aws/s3"), of_region: true };
        let problem = |name: &str, service: Service| {
            wrong("key", name, service).map(|problem| problem.message).unwrap_or_default()
        };
        for name in [
            "",
            "alias/k",
            "alias/team/k_1-x",
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "mrk-1234abcd12ab34cd56ef1234567890ab",
            "arn:aws:kms:eu-west-1:111122223333:key/1",
            "arn:aws:kms:eu-west-1:111122223333:alias/k",
            "alias/aws/s3",
        ] {
            assert_eq!(problem(name, s3), "", "{name}");
        }
        for name in ["nonsense key", "nonsense", "alias/", "alias/a b", "arn:aws:iam::1:role/r"] {
            assert!(problem(name, s3).contains("is no KMS key"), "{name}");
        }
        for name in ["alias/aws/logs", "arn:aws:kms:eu-west-1:111122223333:alias/aws/logs"] {
            assert!(problem(name, s3).contains("of another service"), "{name}");
        }
        assert!(problem("alias/aws/s3", DELIVERY).contains("of another service"));
    }

    #[test]
    fn what_was_planned_by_its_alias_is_there_by_its_arn_and_not_the_other_way_round() {
        let arn = "arn:aws:kms:eu-west-1:111122223333:key/1";
        let (alias, key) = (Some("alias/k".to_owned()), Some(arn.to_owned()));
        assert!(is_same(&alias, &key) && is_same(&key, &key) && is_same(&None, &None));
        assert!(!is_same(&key, &alias), "the alias has gone since the plan");
        assert!(!is_same(&alias, &None) && !is_same(&None, &key));
        assert!(!is_same(&alias, &Some("alias/other".to_owned())));
        assert!(!is_same(&Some(format!("{arn}2")), &key));
    }

    #[test]
    fn an_arn_says_where_its_key_is() {
        let place = ArnParts::of("arn:aws:kms:eu-west-1:111122223333:key/1");
        assert!(place.is_some_and(|place| place.region == "eu-west-1"
            && place.account == "111122223333"
            && place.names_a_key));
        for name in ["alias/audit", "1234", "arn:aws:iam::111122223333:role/a"] {
            assert!(ArnParts::of(name).is_none(), "{name}");
        }
    }
}

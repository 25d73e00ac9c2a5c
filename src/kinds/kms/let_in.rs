//! Whether the policy of a key lets those services in that another kind's field names.
//!
//! A key policy decides alone over services: no permission of an identity stands for one. What it shuts
//! out fails later and elsewhere, and without a word.
//!
//! Sources: KMS Developer Guide, "Key policies in AWS KMS"; KMS API Reference, `GetKeyPolicy`
//! ("Cross-account use: No").

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::key::policy;
pub use super::key::policy::GET_POLICY;
use super::named::{self, Named, Service};
use crate::kinds::{Cx, ObserveError};
use crate::names::{Arn, Region};
use crate::policy_document::{Admission, Keys, PolicyDocument, PolicyError};

/// A key by the name that a field has for it, and what decides whom it lets in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Keyed {
    /// As it is named.
    pub name: String,
    /// What the name stands for.
    pub key: Named,
    /// Its policy, as AWS returned it; `None` for a key that is not there, of AWS, or of another account,
    /// whose policy is told to nobody here.
    pub policy: Option<String>,
}

/// What a service asks of a key.
#[derive(Debug)]
pub struct Asking {
    /// What it is called for a reader.
    pub service: String,
    /// The statement that would let it in, with what its requests say of themselves as conditions.
    pub statement: Value,
    /// What is known of its requests beside.
    pub keys: Keys<'static>,
}

/// A service that cannot use a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShutOut {
    /// What it is called for a reader.
    pub service: String,
    /// In what words the policy says it.
    pub words: &'static str,
}

impl Asking {
    /// A service that asks for some calls on the key of this ARN, with what its requests say of themselves.
    pub fn of(service: &str, partition: &str, key: &str, actions: &[&str], says: &Value) -> Self {
        Self {
            service: service.to_owned(),
            statement: json!({
                "Effect": "Allow", "Principal": { "Service": principals(service, partition) },
                "Action": actions, "Resource": key, "Condition": says,
            }),
            keys: Keys::default(),
        }
    }

    /// The same for an account of several.
    #[must_use]
    pub fn for_account(mut self, account: &str) -> Self {
        self.service = format!("{} for account {account}", self.service);
        self
    }

    /// The same with what is known of its requests beside.
    #[must_use]
    pub fn with(self, keys: Keys<'static>) -> Self {
        Self { keys, ..self }
    }
}

/// The names that policies have for a service. In China, some are of `amazonaws.com.cn` (CloudTrail User Guide
/// of that partition, "Granting encrypt permissions").
fn principals(service: &str, partition: &str) -> Vec<String> {
    let of_china = (partition == "aws-cn").then(|| format!("{service}.cn"));
    [service.to_owned()].into_iter().chain(of_china).collect()
}

/// The policy of a key that a name stands for, where it is told here; asked for once, whoever asks.
///
/// # Errors
/// KMS did not say it.
pub async fn policy_of(
    cx: &Cx,
    key: &Named,
    service: Service,
) -> Result<Option<String>, ObserveError> {
    let Some(text) = key.arn().filter(|_| !key.is_own()) else { return Ok(None) };
    let Some(arn) = Arn::parse(text) else { return Ok(None) };
    let is_elsewhere = arn.region != cx.region.as_str();
    if arn.account != cx.facts().account.as_str() || (is_elsewhere && service.of_region) {
        return Ok(None);
    }
    policy::read(&cx.in_region(Region::new(arn.region)), text).await.map(Some)
}

/// Looks at a key and its policy.
///
/// # Errors
/// KMS did not say it.
pub async fn look_at(cx: &Cx, name: &str, service: Service) -> Result<Keyed, ObserveError> {
    let key = named::look_up(cx, name, service).await?;
    let policy = policy_of(cx, &key, service).await?;
    Ok(Keyed { name: name.to_owned(), key, policy })
}

/// Who cannot use the key of such a name, in words for a reader; `None` for nobody, and where nobody here
/// knows.
pub fn said(
    name: &str,
    policy: Option<&str>,
    asking: &[Asking],
    partition: &str,
) -> Option<String> {
    match shut_out(policy?, asking, partition) {
        Ok(out) => words(name, &out),
        Err(error) => Some(format!("the policy of the key {name} is none: {error}")),
    }
}

/// The same of those who were found.
pub fn words(name: &str, out: &[ShutOut]) -> Option<String> {
    let said = out
        .iter()
        .map(|one| format!("{} {} of the policy of the key {name}", one.service, one.words));
    (!out.is_empty()).then(|| said.collect::<Vec<_>>().join("; "))
}

/// What helps those who are shut out.
pub fn remedy(actions: &str) -> String {
    format!(
        "let them use the key for {actions} (service_principals of the item kms.key, or its policy where \
         they ask for other accounts), or let whoever owns the key do it"
    )
}

/// Those whom a policy shuts out.
///
/// # Errors
/// The policy is none.
pub fn shut_out(
    policy: &str,
    asking: &[Asking],
    partition: &str,
) -> Result<Vec<ShutOut>, PolicyError> {
    let policy = PolicyDocument::from_text(policy)?;
    let of = |one: &Asking| {
        let words = match policy.admission(&one.statement, one.keys, partition) {
            Admission::In => return None,
            Admission::Out => "is let in by no statement",
            Admission::Denied => "is denied it, or may be, by a statement",
            Admission::Perhaps => {
                "is let in only under conditions of which nobody can say here whether they hold, by a statement"
            }
        };
        Some(ShutOut { service: one.service.clone(), words })
    };
    Ok(asking.iter().filter_map(of).collect())
}

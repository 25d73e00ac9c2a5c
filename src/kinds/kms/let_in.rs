//! Whether the policy of a key lets those services in that another kind's field names.
//!
//! A key policy decides alone over services: no permission of an identity stands for one. What it shuts
//! out fails later and elsewhere, and without a word.
//!
//! Sources: KMS Developer Guide, "Key policies in AWS KMS"; KMS API Reference, `GetKeyPolicy`
//! ("Cross-account use: No").

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::key::policy;
pub use super::key::policy::GET_POLICY;
use super::named::{self, Named, Service};
use crate::kinds::{Cx, ObserveError};
use crate::names::Arn;
use crate::policy_document::{Admission, PolicyDocument, PolicyError};

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
    pub service: &'static str,
    /// The statement that would let it in, with what its requests say of themselves as conditions.
    pub statement: Value,
    /// The condition keys that its requests lack.
    pub not_sent: &'static [&'static str],
}

/// Looks at a key and its policy.
///
/// # Errors
/// KMS did not say it.
pub async fn look_at(cx: &Cx, name: &str, service: Service) -> Result<Keyed, ObserveError> {
    let key = named::look_up(cx, name, service).await?;
    let own = |arn: &&str| {
        let is_of = |arn: Arn<'_>| {
            arn.account == cx.facts().account.as_str() && arn.region == cx.region.as_str()
        };
        Arn::parse(arn).is_some_and(is_of)
    };
    let policy = match key.arn().filter(|_| !key.is_own()).filter(own) {
        Some(arn) => Some(policy::read(cx, arn).await?),
        None => None,
    };
    Ok(Keyed { name: name.to_owned(), key, policy })
}

impl Keyed {
    /// Those who cannot use the key, and in what words its policy says it; none where nobody here knows.
    ///
    /// # Errors
    /// The policy is none.
    pub fn shut_out(
        &self,
        asking: &[Asking],
        partition: &str,
    ) -> Result<Vec<(&'static str, &'static str)>, PolicyError> {
        let Some(text) = &self.policy else { return Ok(Vec::new()) };
        let policy = PolicyDocument::from_text(text)?;
        let words = |one: &Asking| {
            let words = match policy.admission(&one.statement, one.not_sent, partition) {
                Admission::In => return None,
                Admission::Out => "is let in by no statement",
                Admission::Denied => "is denied it, or may be",
                Admission::Perhaps => {
                    "is let in only under conditions of which nobody can say here whether they hold"
                }
            };
            Some((one.service, words))
        };
        Ok(asking.iter().filter_map(words).collect())
    }
}

//! How an object is named where a person or a document names it: `ACCOUNT/REGION/ITEM/ID`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest;
use crate::names::{AccountId, ItemName, Region};
use crate::plan::ObjectPlan;

/// The Region of what is there once in an account.
const GLOBAL: &str = "global";

/// An object: `111122223333/eu-west-1/ec2.default_security_group/vpc-0a1b`,
/// `111122223333/global/iam.password_policy`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ObjectKey {
    account: AccountId,
    region: String,
    item: ItemName,
    id: String,
}

/// A text that names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no object: write it as ACCOUNT/REGION/ITEM or ACCOUNT/REGION/ITEM/ID, with \"global\" for what has no Region"
)]
pub struct NoObject(String);

impl ObjectKey {
    /// An object of a plan.
    pub fn of(object: &ObjectPlan) -> Self {
        let region = if object.global { GLOBAL } else { object.region.as_str() };
        Self {
            account: object.account.clone(),
            region: region.to_owned(),
            item: object.item.clone(),
            id: object.observed.id.clone(),
        }
    }

    /// An object by where it is; of what has no Region, without one.
    pub fn at(account: &AccountId, region: Option<&Region>, item: &ItemName, id: &str) -> Self {
        Self {
            account: account.clone(),
            region: region.map_or(GLOBAL, Region::as_str).to_owned(),
            item: item.clone(),
            id: id.to_owned(),
        }
    }

    /// Its account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// A name for what is remembered of it: short whatever its id is, and the account first.
    pub fn document(&self, of: &str) -> String {
        format!("{}/{}", folder(of, &self.account), digest::of(&self.to_string()))
    }
}

/// Where documents about the objects of an account are.
pub fn folder(of: &str, account: &AccountId) -> String {
    format!("guards/{of}/{account}")
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}/{}", self.account, self.region, self.item)?;
        if self.id.is_empty() { Ok(()) } else { write!(out, "/{}", self.id) }
    }
}

impl FromStr for ObjectKey {
    type Err = NoObject;

    fn from_str(text: &str) -> Result<Self, NoObject> {
        let none = || NoObject(text.to_owned());
        let mut parts = text.splitn(4, '/');
        let mut next = || parts.next().ok_or_else(none);
        Ok(Self {
            account: next()?.parse().map_err(|_| none())?,
            region: next().map(str::to_owned)?,
            item: next()?.parse().map_err(|_| none())?,
            id: next().map(str::to_owned).unwrap_or_default(),
        })
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = NoObject;

    fn try_from(text: String) -> Result<Self, NoObject> {
        text.parse()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "111122223333/global/iam.password_policy",
            "111122223333/eu-west-1/ec2.default_security_group/vpc-0a1b",
            "111122223333/global/iam.role.audit/arn:aws:iam::111122223333:role/a/b",
        ] {
            let key: ObjectKey = text.parse().unwrap();
            assert_eq!(key.to_string(), text);
            assert!(key.document("fight").starts_with("guards/fight/111122223333/"));
        }
        for text in ["", "111122223333", "1/eu-west-1/iam.password_policy", "111122223333/global"] {
            assert_eq!(text.parse::<ObjectKey>(), Err(NoObject(text.to_owned())));
        }
    }
}

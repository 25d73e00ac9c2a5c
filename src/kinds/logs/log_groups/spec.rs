//! What a baseline declares of all log groups, what is observed of each, and the writes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::catalog::SpecProblem;
use crate::kinds::kms::named::{self, Named};
use crate::kinds::logs::log_group::{LogGroupClass, kms_key, retention};
use crate::names::AccountId;

/// Every log group of every Region: for how long it keeps its events at least, with which key they are
/// encrypted, and whether anybody can delete it.
///
/// Nothing is ever made to keep events for a shorter time: a group that keeps them for longer, or for
/// ever, is left as it is. `logs.log_group` declares a single group with all that it has; what both
/// declare of one group must agree.
///
/// Groups of AWS Control Tower are reported and left alone. Those that services of AWS have made for this
/// account, such as `/aws/lambda/…`, are the account's own and are kept like all others. Groups of the
/// class `DELIVERY` keep events for one day, whatever is declared: they are skipped where a longer
/// retention is all that is declared, and else reported.
///
/// Source: CloudWatch Logs API Reference, `DescribeLogGroups`, `PutRetentionPolicy`, `AssociateKmsKey`,
/// `PutLogGroupDeletionProtection`.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The groups that are meant, by name; `*` stands for any text, `?` for any letter. All of them by
    /// default.
    #[serde(default)]
    #[schemars(length(min = 1, max = 512))]
    pub name_pattern: Option<String>,
    /// For how many days events are kept at least: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545,
    /// 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653; 0 for ever, which is AWS's default. An
    /// account-level retention policy goes before it, and is reported where it does.
    #[serde(default)]
    pub retention_in_days: Option<u32>,
    /// The KMS key of new events, by ARN, id or alias; "" for a key of AWS. Compared is the key itself;
    /// one that is gone or disabled is reported, and so is one of this account whose policy does not let
    /// `logs.<region>.amazonaws.com` use it for a group.
    #[serde(default)]
    pub kms_key_id: Option<String>,
    /// Whether nobody can delete a group before this is turned off. AWS's default is false.
    #[serde(default)]
    pub deletion_protection_enabled: Option<bool>,
    /// Groups that are left out. Of what one entry gives, all must hold; of several entries, one is enough.
    #[serde(default)]
    pub exclude: Option<Vec<Exclude>>,
}

/// Groups that are left out: by their names, tags or accounts. Of what one entry gives, all must hold; of
/// several entries, one is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exclude {
    /// Names of groups; `*` stands for any text, `?` for any letter.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub log_group_names: BTreeSet<String>,
    /// Tags and their values; a group must have all of them. AWS is asked for the tags of each group that
    /// the rest of the entry does not settle.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub log_group_tags: BTreeMap<String, String>,
    /// Accounts whose groups are left alone.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub accounts: BTreeSet<AccountId>,
}

impl Spec {
    /// Whether nothing is declared but for how long events are kept, and that is more than a day.
    pub fn is_of_retention_alone(&self) -> bool {
        self.retention_in_days.is_some_and(|days| days != 1)
            && self.kms_key_id.is_none()
            && self.deletion_protection_enabled.is_none()
    }

    /// The declared key's name; `None` for a key of AWS.
    pub fn key(&self) -> Option<&str> {
        self.kms_key_id.as_deref().filter(|name| !name.is_empty())
    }

    /// Whether tags decide anything.
    pub fn looks_at_tags(&self) -> bool {
        self.exclude.iter().flatten().any(|entry| !entry.log_group_tags.is_empty())
    }

    /// Everything that is wrong with it.
    pub fn problems(&self) -> Vec<SpecProblem> {
        let mut problems: Vec<SpecProblem> =
            retention::unknown_days(self.retention_in_days).into_iter().collect();
        let key = self.kms_key_id.as_deref().unwrap_or_default();
        problems.extend(named::wrong("kms_key_id", key, kms_key::KEYS));
        let names = self.name_pattern.iter().map(|name| ("name_pattern".to_owned(), name));
        let entries = self.exclude.iter().flatten().enumerate();
        let left_out = entries.flat_map(|(index, entry)| {
            let field = format!("exclude[{index}].log_group_names");
            entry.log_group_names.iter().map(move |name| (field.clone(), name))
        });
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#*?".contains(&byte);
        let wrong = names.chain(left_out).filter(|(_, name)| !name.bytes().all(fits));
        problems.extend(wrong.map(|(field, name)| {
            SpecProblem::new(
                field,
                format!("{name:?} is the name of no log group, and meets nothing"),
                "names have letters, digits and .-_/#; ARNs are no names",
            )
        }));
        problems
    }
}

/// A group as observed.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Its class; AWS's default is `STANDARD`.
    #[serde(default)]
    pub log_group_class: Option<LogGroupClass>,
    /// For how many days events are kept; `None` for ever.
    #[serde(default)]
    pub retention_in_days: Option<u32>,
    /// The account-level policy that decides instead of the group.
    #[serde(default)]
    pub retention_policy: Option<String>,
    /// The ARN of its key; `None` for a key of AWS.
    #[serde(default)]
    pub kms_key_id: Option<String>,
    /// What the declared key's name stands for.
    #[serde(default)]
    pub declared_key: Option<Named>,
    /// In what words the declared key shuts CloudWatch Logs out, if it does.
    #[serde(default)]
    pub shut_out: Option<String>,
    /// Whether nobody can delete it; `None` when AWS does not say it, which then differs from either.
    #[serde(default)]
    pub deletion_protection_enabled: Option<bool>,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The group.
    pub log_group_name: String,
    /// What to do.
    pub step: Step,
}

/// What to do with a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Keeps events for so many days; `None` for ever.
    Retain(Option<u32>),
    /// Gives it a key, by its ARN, or by its name where none is there yet; `None` for a key of AWS.
    Encrypt(Option<String>),
    /// Turns its protection on or off.
    Protect(bool),
}

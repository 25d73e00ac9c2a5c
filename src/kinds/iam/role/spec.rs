//! What a baseline declares of an IAM role, what is observed of it, and the writes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::AccountId;
use crate::policy_document::PolicyDocument;

/// An IAM role: who may assume it, for how long, and what it may do.
///
/// The trust policy is either declared as a whole with `assume_role_policy`, or put together from
/// `trusted_account_ids`, `external_id`, `allowed_source_org`, `require_mfa` and
/// `mfa_max_age_seconds`. Policies are compared by what they mean.
///
/// `managed_policy_arns` and `inline_policies` are complete lists: what is not in them is taken
/// away, unless `exclusive_policies` is false.
///
/// Service-linked roles, those of IAM Identity Center and of AWS Control Tower, and the roles that
/// evenkeel itself runs as, or by which `[access]` of the fleet file enters the account, are reported
/// and left alone.
///
/// Source: IAM API Reference, `CreateRole`, `UpdateRole`, `UpdateAssumeRolePolicy`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The role's name, 1 to 64 letters, digits and `_+=,.@-`; unique whatever the case. Of a role
    /// that is there, the name that it was made with: its ARN has that one, and another spelling is a
    /// finding.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_+=,.@-]+$"))]
    pub role_name: String,
    /// The path, `/` or `/…/`, up to 512 characters; cannot be changed. AWS's default is `/`.
    #[schemars(length(max = 512), regex(pattern = r"^/([!-\x7E]+/)?$"))]
    pub path: Option<String>,
    /// What the role is for, up to 1000 characters.
    #[schemars(length(max = 1000))]
    pub description: Option<String>,
    /// The longest session in seconds, 3600 to 43200. AWS's default is 3600.
    #[schemars(range(min = 3600, max = 43200))]
    pub max_session_duration: Option<u32>,
    /// Who may assume the role, as a whole trust policy: a table or JSON.
    pub assume_role_policy: Option<PolicyDocument>,
    /// Accounts whose principals may assume the role, where their own policies allow it.
    #[schemars(length(min = 1))]
    pub trusted_account_ids: Option<BTreeSet<AccountId>>,
    /// The external id that those who assume the role must give.
    #[schemars(length(min = 2, max = 1224))]
    pub external_id: Option<String>,
    /// The organization, `o-…`, that those who assume the role must belong to.
    #[schemars(regex(pattern = r"^o-[a-z0-9]{10,32}$"))]
    pub allowed_source_org: Option<String>,
    /// Whether a session with MFA is needed. Federated and chained sessions never carry MFA: they
    /// are locked out by this.
    pub require_mfa: Option<bool>,
    /// How many seconds old that MFA may be.
    #[schemars(range(min = 60, max = 129_600))]
    pub mfa_max_age_seconds: Option<u32>,
    /// The policy that limits what the role can ever do, an ARN; "" for none.
    pub permissions_boundary: Option<String>,
    /// The managed policies that are attached, ARNs.
    #[schemars(length(max = 20))]
    pub managed_policy_arns: Option<BTreeSet<String>>,
    /// The role's own policies, by name; 10,240 characters together, white space not counted.
    pub inline_policies: Option<BTreeMap<String, PolicyDocument>>,
    /// Whether policies that are not declared are taken away; true by default.
    pub exclusive_policies: Option<bool>,
    /// All tags of the role, up to 50; tags of AWS's own (`aws:…`) do not count.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Spec {
    /// Whether policies that are not declared are taken away.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive_policies.unwrap_or(true)
    }

    /// Whether the trust policy is declared, one way or the other.
    pub fn has_trust(&self) -> bool {
        self.assume_role_policy.is_some() || self.trusted_account_ids.is_some()
    }
}

/// A role as observed. What the spec does not declare may be absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The name that the role was made with: IAM finds it whatever the case.
    pub role_name: String,
    /// Its ARN.
    pub arn: String,
    /// The id that IAM gives to no other role, of the same name either.
    #[serde(default)]
    pub role_id: String,
    pub path: String,
    /// As in [`Spec`]; "" for none.
    pub description: String,
    /// As in [`Spec`]; known where description or duration are declared.
    pub max_session_duration: Option<u32>,
    /// The trust policy as AWS returned it.
    pub assume_role_policy: String,
    pub permissions_boundary: Option<String>,
    pub managed_policy_arns: Option<BTreeSet<String>>,
    /// The role's own policies as AWS returned them, by name.
    pub inline_policies: Option<BTreeMap<String, String>>,
    /// Its tags, without reserved ones.
    pub tags: BTreeMap<String, String>,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The role's name.
    pub role_name: String,
    /// What to do.
    pub step: Step,
}

/// What to do with a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Makes the role.
    Create(Box<NewRole>),
    /// Deletes the role; only to undo its making.
    Delete,
    /// Changes description and longest session, always both: AWS resets what is left out.
    Update {
        /// The description.
        description: String,
        /// Seconds.
        max_session_duration: u32,
    },
    /// Replaces the trust policy.
    UpdateTrust {
        /// The JSON.
        policy: String,
    },
    /// Sets the permissions boundary.
    PutBoundary {
        /// The policy's ARN.
        policy_arn: String,
    },
    /// Takes the permissions boundary away.
    DeleteBoundary,
    /// Attaches a managed policy.
    Attach {
        /// The policy's ARN.
        policy_arn: String,
    },
    /// Detaches a managed policy.
    Detach {
        /// The policy's ARN.
        policy_arn: String,
    },
    /// Sets one of the role's own policies.
    PutInline {
        /// The policy's name.
        name: String,
        /// The JSON.
        policy: String,
    },
    /// Deletes one of the role's own policies.
    DeleteInline {
        /// The policy's name.
        name: String,
    },
    /// Sets tags.
    Tag {
        /// The tags.
        tags: BTreeMap<String, String>,
    },
    /// Takes tags away.
    Untag {
        /// The tags, with the values that they have.
        tags: BTreeMap<String, String>,
    },
}

/// AWS's own session duration of a new role, in seconds (IAM API Reference, `CreateRole`).
pub const DEFAULT_DURATION: u32 = 3600;

/// A role to be made.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewRole {
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub max_session_duration: Option<u32>,
    /// The JSON of the trust policy.
    pub assume_role_policy: String,
    #[serde(default)]
    pub permissions_boundary: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl NewRole {
    /// What it has besides its trust policy, IAM's defaults included.
    pub fn besides(&self) -> (&str, &str, u32, &str, &BTreeMap<String, String>) {
        (
            self.path.as_deref().unwrap_or("/"),
            self.description.as_deref().unwrap_or_default(),
            self.max_session_duration.unwrap_or(DEFAULT_DURATION),
            self.permissions_boundary.as_deref().unwrap_or_default(),
            &self.tags,
        )
    }
}

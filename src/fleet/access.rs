//! How to get into an account: the role of the fleet file, with its placeholders filled in.

use std::collections::{BTreeMap, BTreeSet};

use super::file::Access;
use super::load::Fleet;
use crate::aws::AssumedRole;
use crate::names::AccountId;

/// What stands for the account, and for its partition.
const ACCOUNT: &str = "${account.id}";
const PARTITION: &str = "${partition}";

/// `[access]` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// An environment variable is not set.
    #[error("[access] needs the environment variable {0}, which is not set")]
    NotSet(String),
    /// A placeholder that is not known.
    #[error("[access] holds a placeholder that is not known: {0}")]
    Placeholder(String),
}

impl AccessError {
    /// What the reader should do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotSet(_) => "set it, or correct `env` and [access] in the fleet file",
            Self::Placeholder(_) => {
                "it can hold ${account.id}, ${partition}, and ${env.NAME} for names in `env`"
            }
        }
    }
}

/// Everything that roles are made from.
#[derive(Debug, Clone)]
pub struct Roles {
    /// What the fleet file says.
    pub access: Access,
    /// The environment variables that it allows; `None` for those that are not set.
    pub environment: BTreeMap<String, Option<String>>,
    /// The run's id.
    pub run: String,
}

/// How a fleet's roles are taken in a run; none where the fleet file names none.
pub fn roles(fleet: &Fleet, run: &str) -> Option<Roles> {
    let access = fleet.file.access.clone()?;
    let environment =
        fleet.file.env.iter().map(|name| (name.clone(), std::env::var(name).ok())).collect();
    Some(Roles { access, environment, run: run.to_owned() })
}

/// The roles by which the fleet's accounts are entered, as [`Options::entered_by`] has them. A
/// placeholder that cannot be filled in is an error of whoever takes a role, not of this.
///
/// [`Options::entered_by`]: crate::aws::session::Options::entered_by
pub fn ways_in(fleet: &Fleet) -> Vec<String> {
    let Some(Roles { access, environment, .. }) = roles(fleet, "") else { return Vec::new() };
    let arns = std::iter::once(access.role_arn).chain(access.organizations_role_arn);
    arns.map(|arn| {
        environment.iter().fold(arn, |arn, (name, value)| match value {
            Some(value) => arn.replace(&format!("${{env.{name}}}"), value),
            None => arn,
        })
    })
    .collect()
}

/// The source identity of a run's sessions, which CloudTrail has in each of their events.
pub fn source_identity(run: &str) -> String {
    format!("evenkeel-{run}")
}

impl Roles {
    /// The role for an account. `policy` narrows what the session may do.
    ///
    /// # Errors
    /// A placeholder cannot be filled in.
    pub fn role(
        &self,
        account: &AccountId,
        partition: &str,
        policy: Option<String>,
    ) -> Result<AssumedRole, AccessError> {
        let fill = |text: &str| self.fill(text, account.as_str(), partition);
        let access = &self.access;
        Ok(AssumedRole {
            role_arn: fill(&access.role_arn)?,
            session_name: fill(&access.session_name)?,
            external_id: access.external_id.as_deref().map(fill).transpose()?,
            source_identity: access.source_identity.then(|| source_identity(&self.run)),
            run: access.session_tags.then(|| self.run.clone()),
            policy,
        })
    }

    /// The ARN of the role, for a policy; `account` is `*` for any.
    ///
    /// # Errors
    /// A placeholder cannot be filled in.
    pub fn own_role(&self, account: &str, partition: &str) -> Result<String, AccessError> {
        self.fill(&self.access.role_arn, account, partition)
    }

    /// The role that lists the organization, if the fleet file names one.
    ///
    /// # Errors
    /// A placeholder cannot be filled in.
    pub fn organizations_role(
        &self,
        own: &AccountId,
        partition: &str,
    ) -> Result<Option<AssumedRole>, AccessError> {
        let Some(arn) = &self.access.organizations_role_arn else { return Ok(None) };
        let role_arn = self.fill(arn, own.as_str(), partition)?;
        Ok(Some(AssumedRole { role_arn, ..self.role(own, partition, None)? }))
    }

    /// The ARNs of all roles that are taken, as a policy has them: those of the accounts, in any of them, and
    /// the one that lists the organization, which is in the account `own` unless it says otherwise.
    ///
    /// # Errors
    /// A placeholder cannot be filled in.
    pub fn taken(&self, own: &str, partition: &str) -> Result<BTreeSet<String>, AccessError> {
        let access = &self.access;
        let of_accounts = self.fill(&access.role_arn, "*", partition)?;
        let lists = access.organizations_role_arn.as_deref();
        let lists = lists.map(|arn| self.fill(arn, own, partition)).transpose()?;
        Ok(std::iter::once(of_accounts).chain(lists).collect())
    }

    /// What is filled in for the account and the partition may be a placeholder itself: that of a template.
    fn fill(&self, text: &str, account: &str, partition: &str) -> Result<String, AccessError> {
        let mut filled = text.to_owned();
        for (name, value) in &self.environment {
            let placeholder = format!("${{env.{name}}}");
            if filled.contains(&placeholder) {
                let value = value.as_ref().ok_or_else(|| AccessError::NotSet(name.clone()))?;
                filled = filled.replace(&placeholder, value);
            }
        }
        if filled.replace(ACCOUNT, "").replace(PARTITION, "").contains("${") {
            return Err(AccessError::Placeholder(text.to_owned()));
        }
        Ok(filled.replace(ACCOUNT, account).replace(PARTITION, partition))
    }
}

//! The way to what is looked at: our credentials with the fleet file's roles, or a snapshot.

use std::sync::Arc;

use super::super::fleet::Ways;
use super::super::recorded::Snapshot;
use super::error::LookError;
use super::listed::Listing;
use super::wish::{Look, Source};
use crate::aws::{Session, session};
use crate::fleet::access::{roles, ways_in};
use crate::fleet::organization::{Organization, discover};
use crate::fleet::select::{Choice, needs_organization};
use crate::names::AccountId;
use crate::plan::SnapshotRef;

/// The way to what is looked at.
pub enum Way {
    /// To the accounts themselves.
    Live(Arc<Ways>),
    /// To a snapshot of them.
    Recorded(Box<Snapshot>),
}

impl Way {
    /// Finds out who we are, or opens the snapshot.
    ///
    /// # Errors
    /// The credentials or the snapshot cannot be used.
    pub async fn open(look: &Look) -> Result<Self, LookError> {
        let (own, record) = match &look.source {
            Source::Recorded { path, max_age } => {
                let snapshot = Snapshot::open(path)?;
                if let Some(hours) = max_age {
                    snapshot.refuse_older_than(*hours)?;
                }
                return Ok(Self::Recorded(Box::new(snapshot)));
            }
            Source::Live { own, record } => (own.clone(), record.is_some()),
        };
        let options = session::Options {
            home_region: look.home_region(),
            requests_per_second: look.limits().requests_per_second,
            record,
            entered_by: look.fleet.as_ref().map(ways_in).unwrap_or_default(),
        };
        let own = match own {
            Some(own) => own,
            None => Arc::new(Session::connect(Arc::clone(&look.meter), options).await?),
        };
        let roles = look.fleet.as_ref().and_then(|fleet| roles(fleet, &look.run));
        if let Some(roles) = &roles {
            // A placeholder that cannot be filled in is wrong for every account.
            roles.role(own.account(), own.partition(), None)?;
        }
        Ok(Self::Live(Arc::new(Ways { own, roles })))
    }

    /// The account of the credentials.
    pub fn own(&self) -> &AccountId {
        match self {
            Self::Live(ways) => ways.own.account(),
            Self::Recorded(snapshot) => &snapshot.head.own,
        }
    }

    /// Whether no other account than that of the credentials can be entered.
    pub fn leads_only_home(&self) -> bool {
        matches!(self, Self::Live(ways) if ways.roles.is_none())
    }

    /// When the snapshot was taken.
    pub fn taken_from(&self) -> Option<SnapshotRef> {
        match self {
            Self::Live(_) => None,
            Self::Recorded(snapshot) => Some(snapshot.reference()),
        }
    }

    /// The organization, where a choice depends on it or the fleet file names a role for it.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn organization(
        &self,
        choices: &[Choice<'_>],
        with_tags: bool,
        listing: &Listing,
    ) -> Result<Option<Organization>, LookError> {
        let ways = match self {
            Self::Recorded(snapshot) => return Ok(snapshot.head.organization.clone()),
            Self::Live(ways) => ways,
        };
        let own = &ways.own;
        let role = match &ways.roles {
            Some(roles) => roles.organizations_role(own.account(), own.partition())?,
            None => None,
        };
        if role.is_none() && !needs_organization(choices) {
            return Ok(None);
        }
        let by = match &role {
            Some(role) => role.role_arn.clone(),
            None => own.caller_arn().to_owned(),
        };
        if let Some(organization) = listing.at.within(listing.within, &by, with_tags) {
            return Ok(Some(organization));
        }
        let session = match &role {
            Some(role) => Arc::new(own.assume(role).await?),
            None => Arc::clone(own),
        };
        let organization = discover(&session, with_tags).await.map_err(LookError::Organization)?;
        listing.at.note(by, with_tags, organization.clone());
        Ok(Some(organization))
    }
}

//! Reading event data stores.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::operation::get_event_data_store::GetEventDataStoreOutput;

use super::spec::{State, Store};
use crate::aws::Call;
use crate::kinds::cloudtrail::trail::selectors::{AdvancedEventSelector, read_advanced};
use crate::kinds::spec::aws_enum;
use crate::kinds::together::all;
use crate::kinds::{Cx, ObserveError, count, known, told};

pub const LIST: Call = Call::new("cloudtrail", "ListEventDataStores");
pub const GET: Call = Call::new("cloudtrail", "GetEventDataStore");
/// How a Region without CloudTrail Lake answers (CloudTrail API Reference, `ListEventDataStores`).
const NOT_HERE: &[&str] = &["UnsupportedOperationException"];

aws_enum! {
    /// What a store does.
    Status {
        Created = "CREATED",
        Enabled = "ENABLED",
        PendingDeletion = "PENDING_DELETION",
        StartingIngestion = "STARTING_INGESTION",
        StoppingIngestion = "STOPPING_INGESTION",
        StoppedIngestion = "STOPPED_INGESTION",
    }
}

impl Status {
    /// Whether it takes in events, or is about to.
    pub fn takes_in(self) -> bool {
        matches!(self, Self::Enabled | Self::StartingIngestion)
    }
}

aws_enum! {
    /// Whether a store can be queried from outside of CloudTrail.
    Federation {
        Enabling = "ENABLING",
        Enabled = "ENABLED",
        Disabling = "DISABLING",
        Disabled = "DISABLED",
    }
}

pub async fn observe(cx: &Cx) -> Result<State, ObserveError> {
    let pages = cx.client(Client::new).list_event_data_stores().into_paginator().send();
    let listed =
        match cx.list(LIST, "", pages, "EventDataStores", |page| page.event_data_stores).await {
            Ok(listed) => listed,
            Err(error) if error.is_code(NOT_HERE) => return Ok(State::default()),
            Err(error) => return Err(error.into()),
        };
    let each = listed.iter().map(|one| async move {
        let arn = told("EventDataStoreArn", one.event_data_store_arn())?;
        let request = cx.client(Client::new).get_event_data_store().event_data_store(arn);
        let answer = cx.read(GET, arn, request.send()).await?;
        Ok((told("Name", answer.name())?.to_owned(), store(&answer)?))
    });
    let stores: Vec<_> = all::<_, ObserveError>(each).await?;
    Ok(State { stores: stores.into_iter().collect() })
}

fn store(said: &GetEventDataStoreOutput) -> Result<Store, ObserveError> {
    let selectors = said.advanced_event_selectors();
    // Without selectors nothing would be taken in, and AWS makes no such store.
    let selectors =
        told("AdvancedEventSelectors", (!selectors.is_empty()).then_some(selectors))?.iter();
    let status = told("Status", said.status())?;
    let federation = told("FederationStatus", said.federation_status())?;
    let protection = said.termination_protection_enabled();
    Ok(Store {
        status: known("Status", status.as_str())?,
        retention_period: count(
            "RetentionPeriod",
            told("RetentionPeriod", said.retention_period())?,
        )?,
        termination_protection: told("TerminationProtectionEnabled", protection)?,
        multi_region: told("MultiRegionEnabled", said.multi_region_enabled())?,
        organization: told("OrganizationEnabled", said.organization_enabled())?,
        federation: known("FederationStatus", federation.as_str())?,
        // A store without a key of one's own has no such member.
        kms_key_id: said.kms_key_id().filter(|key| !key.is_empty()).map(str::to_owned),
        advanced_event_selectors: selectors
            .map(read_advanced)
            .collect::<Result<Vec<AdvancedEventSelector>, _>>()?,
    })
}

//! What an aggregator collects, which AWS replaces as a whole.

use std::collections::BTreeSet;

use aws_sdk_config::Client;
use aws_sdk_config::types::{
    AccountAggregationSource, AggregatorFilterResourceType, AggregatorFilterServicePrincipal,
    AggregatorFilterType, AggregatorFilters, ConfigurationAggregator,
    OrganizationAggregationSource, Tag,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::spec::{AccountSource, Filters, OrganizationSource, Spec};
use super::{Aggregator, PUT, Place, aggregator, described};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, Made, ObserveError, Undo, Use, WriteCx, WriteError, told};

const DELETE: Call = Call::new("config", "DeleteConfigurationAggregator");

pub struct Collecting;

/// All of it but the name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Collected {
    accounts: Option<AccountSource>,
    organization: Option<OrganizationSource>,
    filters: Filters,
}

/// A write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Replaces what is collected.
    Put(Collected),
    /// Deletes the aggregator; only to undo that it was made.
    Delete,
}

/// The write that undoes that an aggregator was made.
pub fn deleting() -> (&'static str, Value) {
    (Collecting::NAME, json!(Write::Delete))
}

/// What would have made it.
pub fn making(collected: &Collected) -> Option<Value> {
    serde_json::to_value(Write::Put(collected.clone())).ok()
}

impl Collected {
    /// What Config says of an aggregator.
    pub fn of(one: &ConfigurationAggregator) -> Result<Self, ObserveError> {
        let accounts = one.account_aggregation_sources();
        if accounts.len() > 1 {
            return Err(ObserveError::Malformed {
                field: "AccountAggregationSources".to_owned(),
                problem: format!(
                    "AWS documents at most one entry, and there are {}",
                    accounts.len()
                ),
            });
        }
        let accounts = accounts.first().map(accounts_of).transpose()?;
        let organization =
            one.organization_aggregation_source().map(organization_of).transpose()?;
        if accounts.is_some() == organization.is_some() {
            return Err(ObserveError::Untold {
                field: "from which of AccountAggregationSources and OrganizationAggregationSource it collects"
                    .to_owned(),
            });
        }
        // No filter stands for all recorders: a filter is what includes some of them alone
        // (AWS Config API Reference, `AggregatorFilters`).
        let filters = one.aggregator_filters().map(filters_of).transpose()?;
        Ok(Self { accounts, organization, filters: filters.unwrap_or_default() })
    }

    pub fn is_of_organization(&self) -> bool {
        self.organization.is_some()
    }

    /// Compares what is declared.
    pub fn compare(&self, spec: &Spec, drift: &mut Drift) {
        drift.compare(
            "account_aggregation_source",
            self.accounts.as_ref(),
            spec.account_aggregation_source.as_ref(),
        );
        drift.compare(
            "organization_aggregation_source",
            self.organization.as_ref(),
            spec.organization_aggregation_source.as_ref(),
        );
        drift.compare("aggregator_filters", Some(&self.filters), spec.aggregator_filters.as_ref());
    }

    /// The same with what is declared in its place.
    pub fn with(&self, spec: &Spec) -> Self {
        Self {
            accounts: spec.account_aggregation_source.clone().or_else(|| self.accounts.clone()),
            organization: spec
                .organization_aggregation_source
                .clone()
                .or_else(|| self.organization.clone()),
            filters: spec.aggregator_filters.clone().unwrap_or_else(|| self.filters.clone()),
        }
    }

    /// Whether the other one leaves something out that this one collects.
    fn loses(&self, then: &Self) -> bool {
        let accounts = |one: &Self| one.accounts.clone().unwrap_or_default();
        let organization = |one: &Self| one.organization.clone().unwrap_or_default();
        let regions = |one: &Self| {
            let (accounts, organization) = (accounts(one), organization(one));
            let all = accounts.all_aws_regions || organization.all_aws_regions;
            (all, &accounts.aws_regions | &organization.aws_regions)
        };
        let ((all, some), (all_then, some_then)) = (regions(self), regions(then));
        let loses_regions = !all_then && (all || !some.is_subset(&some_then));
        let narrows = |now: &BTreeSet<String>, then: &BTreeSet<String>| {
            !then.is_empty() && (now.is_empty() || !now.is_subset(then))
        };
        loses_regions
            || !accounts(self).account_ids.is_subset(&accounts(then).account_ids)
            || narrows(&self.filters.resource_types, &then.filters.resource_types)
            || narrows(&self.filters.service_principals, &then.filters.service_principals)
    }
}

fn accounts_of(said: &AccountAggregationSource) -> Result<AccountSource, ObserveError> {
    Ok(AccountSource {
        account_ids: said.account_ids().iter().cloned().collect(),
        all_aws_regions: said.all_aws_regions(),
        aws_regions: regions(said.all_aws_regions(), said.aws_regions())?,
    })
}

fn organization_of(
    said: &OrganizationAggregationSource,
) -> Result<OrganizationSource, ObserveError> {
    Ok(OrganizationSource {
        role_arn: said.role_arn().to_owned(),
        all_aws_regions: said.all_aws_regions(),
        aws_regions: regions(said.all_aws_regions(), said.aws_regions())?,
    })
}

/// The Regions; where they are not all, AWS must say which.
fn regions(are_all: bool, said: &[String]) -> Result<BTreeSet<String>, ObserveError> {
    told("AwsRegions", (are_all || !said.is_empty()).then(|| said.iter().cloned().collect()))
}

fn filters_of(said: &AggregatorFilters) -> Result<Filters, ObserveError> {
    let types = said.resource_type().map(|one| filter_of(one.r#type(), one.value()));
    let services = said.service_principal().map(|one| filter_of(one.r#type(), one.value()));
    Ok(Filters {
        resource_types: types.transpose()?.unwrap_or_default(),
        service_principals: services.transpose()?.unwrap_or_default(),
    })
}

/// What a filter includes. One that includes nothing is not one of AWS's.
fn filter_of(
    of_type: Option<&AggregatorFilterType>,
    values: &[String],
) -> Result<BTreeSet<String>, ObserveError> {
    let of_type = told("AggregatorFilters.Type", of_type)?;
    if *of_type != AggregatorFilterType::Include {
        return Err(ObserveError::UnknownValue {
            field: "AggregatorFilters.Type".to_owned(),
            value: of_type.as_str().to_owned(),
        });
    }
    let values = (!values.is_empty()).then(|| values.iter().cloned().collect());
    told("AggregatorFilters.Value", values)
}

fn list(set: &BTreeSet<String>) -> Option<Vec<String>> {
    (!set.is_empty()).then(|| set.iter().cloned().collect())
}

fn send_filters(filters: &Filters) -> Option<AggregatorFilters> {
    let types = list(&filters.resource_types).map(|values| {
        AggregatorFilterResourceType::builder()
            .r#type(AggregatorFilterType::Include)
            .set_value(Some(values))
            .build()
    });
    let services = list(&filters.service_principals).map(|values| {
        AggregatorFilterServicePrincipal::builder()
            .r#type(AggregatorFilterType::Include)
            .set_value(Some(values))
            .build()
    });
    (*filters != Filters::default()).then(|| {
        AggregatorFilters::builder()
            .set_resource_type(types)
            .set_service_principal(services)
            .build()
    })
}

/// Makes the aggregator, or replaces what it collects.
pub async fn put(
    cx: &WriteCx,
    place: &Place,
    collected: &Collected,
    tags: Option<Vec<Tag>>,
) -> Result<Made, WriteError> {
    let all = |are_all: bool| are_all.then_some(true);
    let accounts = collected.accounts.as_ref().map(|source| {
        AccountAggregationSource::builder()
            .set_account_ids(list(&source.account_ids))
            .set_all_aws_regions(all(source.all_aws_regions))
            .set_aws_regions(list(&source.aws_regions))
            .build()
    });
    let organization = collected.organization.as_ref().map(|source| {
        OrganizationAggregationSource::builder()
            .role_arn(&source.role_arn)
            .set_all_aws_regions(all(source.all_aws_regions))
            .set_aws_regions(list(&source.aws_regions))
            .build()
    });
    let request = cx
        .client(Client::new)
        .put_configuration_aggregator()
        .configuration_aggregator_name(&place.configuration_aggregator_name)
        .set_account_aggregation_sources(accounts.transpose()?.map(|source| vec![source]))
        .set_organization_aggregation_source(organization.transpose()?)
        .set_aggregator_filters(send_filters(&collected.filters))
        .set_tags(tags);
    let (answer, made) = cx.make(PUT, request.send()).await?;
    let one = answer.configuration_aggregator();
    cx.note_made(one.and_then(ConfigurationAggregator::configuration_aggregator_arn));
    Ok(made)
}

impl Part for Collecting {
    type Of = Aggregator;
    type Now = Collected;
    type Write = Write;

    const NAME: &'static str = "collected";
    const CALLS: &'static [Use<Spec>] =
        &[Use::write(PUT, aggregator), Use::undo(DELETE, aggregator)];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Collected, ObserveError> {
        let one = described(cx, &place.configuration_aggregator_name).await?;
        Collected::of(&told("ConfigurationAggregators", one)?)
    }

    fn diff(look: &Look<'_, Aggregator>, now: &Collected) -> Vec<Change<Write>> {
        let mut drift = Drift::new();
        now.compare(look.spec, &mut drift);
        // A new aggregator is made with it.
        if drift.is_empty() || look.is_new() {
            return Vec::new();
        }
        let then = now.with(look.spec);
        let loses = now.loses(&then);
        let change = Change::new(Write::Put(then), drift);
        if !loses {
            return vec![change];
        }
        vec![change.warn("what is no longer collected cannot be looked at here any more")]
    }

    fn calls(write: &Write) -> Vec<Call> {
        vec![match write {
            Write::Put(_) => PUT,
            Write::Delete => DELETE,
        }]
    }

    async fn write(cx: &WriteCx, place: &Place, write: &Write) -> Result<(), WriteError> {
        match write {
            Write::Put(collected) => put(cx, place, collected, None).await.map(drop),
            Write::Delete => {
                let name = &place.configuration_aggregator_name;
                let client = cx.client(Client::new);
                let request =
                    client.delete_configuration_aggregator().configuration_aggregator_name(name);
                cx.remove(DELETE, request.send(), &["NoSuchConfigurationAggregatorException"]).await
            }
        }
    }

    fn undo(write: &Write, before: &Collected) -> Undo<Write> {
        match write {
            Write::Delete if *before == Collected::default() => {
                Undo::Impossible("nothing was there before it".to_owned())
            }
            Write::Put(_) | Write::Delete => Undo::By(vec![Write::Put(before.clone())]),
        }
    }

    fn export(now: &Collected, spec: &mut Spec) {
        spec.account_aggregation_source = now.accounts.clone();
        spec.organization_aggregation_source = now.organization.clone();
        spec.aggregator_filters = Some(now.filters.clone());
    }
}

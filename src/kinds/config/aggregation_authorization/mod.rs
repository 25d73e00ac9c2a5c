//! `config.aggregation_authorization`: who in another account may collect what Config records here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_config::Client;
use aws_sdk_config::types::AggregationAuthorization;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tags::{Resource, made_with};
use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::On;
use crate::kinds::shapes::part::{AnyPart, Look, Part, Parted, by_parts};
use crate::kinds::shapes::tagged::OwnTags;
use crate::kinds::spec::found;
use crate::kinds::tags::{CONFIG, Tags};
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Drift, Facts, Found, Kind, Made, Object, ObserveError,
    Scope, Undo, Use, WriteCx, WriteError, told,
};
use crate::names::Region;
use crate::policy_document::grants::Rise;

const DESCRIBE: Call = Call::new("config", "DescribeAggregationAuthorizations");
const PUT: Call = Call::new("config", "PutAggregationAuthorization");
const DELETE: Call = Call::new("config", "DeleteAggregationAuthorization");

/// An authorization: the aggregator of another account, in one Region, may collect what AWS Config
/// records here.
///
/// It stands in each account and Region that is collected from, beside `config.aggregator` in the account
/// that collects; an aggregator of the organization needs none. Whoever is authorized sees the
/// configuration of all recorded resources and what rules find: evenkeel shows that as a rise of
/// privileges for another account, which `[safety]` must allow or whose account it must trust. evenkeel
/// makes an authorization that is not there, and takes none away: those that nobody declared go on.
///
/// Source: AWS Config API Reference, `PutAggregationAuthorization`, `DescribeAggregationAuthorizations`;
/// AWS Config Developer Guide, "Authorizing Aggregator Accounts".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The account that collects.
    #[schemars(regex(pattern = r"^[0-9]{12}$"))]
    pub authorized_account_id: String,
    /// The Region of its aggregator.
    #[schemars(regex(pattern = r"^[a-z]{2,}(-[a-z]+)+-[0-9]+$"))]
    pub authorized_aws_region: String,
    /// All tags of the authorization; {} for none. Tags of AWS (`aws:…`) are left alone.
    pub tags: Option<BTreeMap<String, String>>,
}

/// Which authorization.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    authorized_account_id: String,
    authorized_aws_region: String,
    /// Of one that is there.
    arn: Option<String>,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorization;

impl Kind for Authorization {
    const NAME: &'static str = "config.aggregation_authorization";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "authorized_account_id", prefix: "" };
    const AFTER: &'static [&'static str] = &["config.recorder"];
    const NOT_STATE: &'static [&'static str] = &["authorized_account_id", "authorized_aws_region"];
    const CONTROLS: Controls = Controls { well_architected: &["SEC04-BP02"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[Use::read(DESCRIBE), Use::write(PUT, authorization)];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[config.aggregation_authorization.audit]
authorized_account_id = "999988887777"
authorized_aws_region = "eu-west-1"
tags                  = { team = "security", purpose = "audit" }
"#,
        r#"
[config.aggregation_authorization.audit]
authorized_account_id = "999988887777"
authorized_aws_region = "eu-west-1"
tags                  = { team = "core" }

[config.aggregation_authorization.elsewhere]
authorized_account_id = "999988886666"
authorized_aws_region = "us-east-1"
"#,
    ];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        CONFIG.check(spec.tags.as_ref())
    }

    fn governs(spec: &Value, _home: Option<&Region>) -> Option<String> {
        let text = |field: &str| spec.get(field).and_then(Value::as_str);
        Some(id(text("authorized_account_id")?, text("authorized_aws_region")?))
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let fields = |one: &AggregationAuthorization| {
            let [account, region] = keys(one)?;
            Ok(found([
                ("authorized_account_id", account.to_owned()),
                ("authorized_aws_region", region.to_owned()),
            ]))
        };
        authorizations(cx).await?.iter().map(fields).collect()
    }

    by_parts!();
}

impl Parted for Authorization {
    type Place = Place;
    type Making = Tags;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[&Given, &OwnTags::<Self>::PART];
    const CREATE: Call = PUT;
    const CREATING: &'static [Call] = &[PUT, DESCRIBE];
    const KEPT: &'static str = "evenkeel takes no authorization away";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let id = id(&spec.authorized_account_id, &spec.authorized_aws_region);
        let wanted = [&spec.authorized_account_id, &spec.authorized_aws_region];
        for one in authorizations(cx).await?.iter() {
            if keys(one)? == wanted {
                let arn = told("AggregationAuthorizationArn", one.aggregation_authorization_arn())?;
                let place = Place { arn: Some(arn.to_owned()), ..place(spec) };
                return Ok(Object::present(id, place));
            }
        }
        Ok(Object::absent(id))
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        place(spec)
    }

    fn making(facts: &Facts, spec: &Spec) -> Change<Tags> {
        let mut drift = Drift::new();
        let account = &spec.authorized_account_id;
        drift.add("", None::<&str>, Some(id(account, &spec.authorized_aws_region)));
        drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
        let change = Change::new(spec.tags.clone().unwrap_or_default(), drift);
        // Whoever is not this account is another one, also where the text is no account's id.
        let is_outside = account != facts.account.as_str();
        let what = format!("what Config records and finds may be collected by account {account}");
        change.rises(is_outside.then(|| Rise::accounts(what, [account.as_str()])))
    }

    // AWS says the same of one that is there already.
    fn looked_for(place: &Place) -> Option<Spec> {
        Some(Self::named("", place))
    }

    async fn create(cx: &WriteCx, place: &Place, tags: &Tags) -> Result<Made, WriteError> {
        let request = cx
            .client(Client::new)
            .put_aggregation_authorization()
            .authorized_account_id(&place.authorized_account_id)
            .authorized_aws_region(&place.authorized_aws_region)
            .set_tags(made_with(tags));
        cx.made(PUT, request.send()).await
    }

    fn unmade() -> Option<(&'static str, Value)> {
        Some((Given::NAME, json!(Taken::Away)))
    }

    fn named(_id: &str, place: &Place) -> Spec {
        Spec {
            authorized_account_id: place.authorized_account_id.clone(),
            authorized_aws_region: place.authorized_aws_region.clone(),
            tags: None,
        }
    }
}

impl Resource for Authorization {
    const OBJECTS: On<Spec> = authorization;

    fn arn(place: &Place) -> Option<&str> {
        place.arn.as_deref()
    }

    fn declared(spec: &Spec) -> Option<&Tags> {
        spec.tags.as_ref()
    }

    fn declare(spec: &mut Spec, tags: Tags) {
        spec.tags = Some(tags);
    }
}

/// That it is given: nothing of it can be declared, and taking it away undoes it.
pub struct Given;

/// The write that undoes that one was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// Takes it away.
    Away,
}

impl Part for Given {
    type Of = Authorization;
    type Now = ();
    type Write = Taken;

    const NAME: &'static str = "given";
    const CALLS: &'static [Use<Spec>] = &[Use::undo(DELETE, authorization)];

    fn is_declared(_spec: &Spec) -> bool {
        false
    }

    async fn read(_cx: &Cx, _spec: &Spec, _place: &Place) -> Result<(), ObserveError> {
        Ok(())
    }

    fn diff(_look: &Look<'_, Authorization>, _now: &()) -> Vec<Change<Taken>> {
        Vec::new()
    }

    fn calls(_write: &Taken) -> Vec<Call> {
        vec![DELETE]
    }

    async fn write(cx: &WriteCx, place: &Place, _write: &Taken) -> Result<(), WriteError> {
        let request = cx
            .client(Client::new)
            .delete_aggregation_authorization()
            .authorized_account_id(&place.authorized_account_id)
            .authorized_aws_region(&place.authorized_aws_region);
        cx.send(DELETE, request.send()).await
    }

    fn undo(_write: &Taken, _before: &()) -> Undo<Taken> {
        Undo::Impossible("this undoes something already".to_owned())
    }

    fn export(_now: &(), _spec: &mut Spec) {}
}

/// All authorizations of the Region.
async fn authorizations(cx: &Cx) -> Result<Arc<Vec<AggregationAuthorization>>, ObserveError> {
    let pages = cx.client(Client::new).describe_aggregation_authorizations();
    let pages = pages.into_paginator().send();
    let part = |page: aws_sdk_config::operation::describe_aggregation_authorizations::DescribeAggregationAuthorizationsOutput| {
        page.aggregation_authorizations
    };
    Ok(cx.list(DESCRIBE, "", pages, "AggregationAuthorizations", part).await?)
}

/// Who is authorized: the account and the Region.
fn keys(one: &AggregationAuthorization) -> Result<[&str; 2], ObserveError> {
    Ok([
        told("AuthorizedAccountId", one.authorized_account_id())?,
        told("AuthorizedAwsRegion", one.authorized_aws_region())?,
    ])
}

fn id(account: &str, region: &str) -> String {
    format!("{account} {region}")
}

fn place(spec: &Spec) -> Place {
    Place {
        authorized_account_id: spec.authorized_account_id.clone(),
        authorized_aws_region: spec.authorized_aws_region.clone(),
        arn: None,
    }
}

fn authorization(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let Spec { authorized_account_id: account, authorized_aws_region: region, .. } = spec;
    let name = format!("aggregation-authorization/{}/{}", arns.text(account), arns.text(region));
    Allowed::on([arns.regional("config", &name)]).into()
}

#[cfg(test)]
mod tests;

//! Reading which standards there are, and which are on.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    Standard, StandardsProvider, StandardsStatus, StandardsSubscription,
};

use super::spec::{Enabled, Spec, State};
use super::{ENABLED, STANDARDS, is_of_another_service, name};
use crate::kinds::securityhub::{administrator, described};
use crate::kinds::together::together;
use crate::kinds::{Cx, Object, ObserveError, told};

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    if described(cx).await?.is_none() {
        return Ok(vec![Object::present("", State::default())]);
    }
    let (administrator, available, subscriptions) =
        together!(administrator::of(cx), standards(cx), subscriptions(cx))?;
    let mut enabled = BTreeMap::new();
    for one in subscriptions.iter().filter(|one| is_of_aws(one.provider())) {
        let standard = standard_of(one)?;
        if let Some(there) = read(one, standard)? {
            enabled.insert(standard.to_owned(), there);
        }
    }
    let arns = available.iter().filter(|one| is_of_aws(one.provider())).map(|one| {
        told("Standards.StandardsArn", one.standards_arn().and_then(name)).map(str::to_owned)
    });
    let state = State { is_on: true, available: arns.collect::<Result<_, _>>()?, enabled };
    let object = Object::present("", state);
    Ok(vec![administrator::govern(object, administrator.as_deref(), spec.under_administrator)])
}

/// Those of other clouds are others' (Security Hub API Reference, `Standard`, `Provider`). A standard from
/// before there were others has none.
pub fn is_of_aws(provider: Option<&StandardsProvider>) -> bool {
    provider.is_none_or(|provider| *provider == StandardsProvider::Aws)
}

pub async fn standards(cx: &Cx) -> Result<Arc<Vec<Standard>>, ObserveError> {
    let pages = cx.client(Client::new).describe_standards().into_paginator().send();
    Ok(cx.list(STANDARDS, "", pages, "Standards", |page| page.standards).await?)
}

pub async fn subscriptions(cx: &Cx) -> Result<Arc<Vec<StandardsSubscription>>, ObserveError> {
    let pages = cx.client(Client::new).get_enabled_standards().into_paginator().send();
    let part =
        |page: aws_sdk_securityhub::operation::get_enabled_standards::GetEnabledStandardsOutput| {
            page.standards_subscriptions
        };
    Ok(cx.list(ENABLED, "", pages, "StandardsSubscriptions", part).await?)
}

pub fn standard_of(one: &StandardsSubscription) -> Result<&str, ObserveError> {
    told("StandardsSubscriptions.StandardsArn", one.standards_arn().and_then(name))
}

/// What is said of a standard that is on; nothing of one that is not evenkeel's to judge.
fn read(one: &StandardsSubscription, name: &str) -> Result<Option<Enabled>, ObserveError> {
    if is_of_another_service(name) {
        return Ok(None);
    }
    let problem = match told("StandardsStatus", one.standards_status())? {
        // Being turned on, or on and being given new controls.
        StandardsStatus::Ready | StandardsStatus::Pending => None,
        status @ (StandardsStatus::Incomplete | StandardsStatus::Failed) => {
            let reason = one.standards_status_reason().and_then(|one| one.status_reason_code());
            let words = [Some(status.as_str()), reason.map(|code| code.as_str())];
            Some(words.into_iter().flatten().collect::<Vec<_>>().join(": "))
        }
        StandardsStatus::Deleting => {
            return Err(ObserveError::Pending {
                reason: format!("AWS is still turning {name} off"),
                remedy: "run again in a few minutes".to_owned(),
            });
        }
        other => {
            return Err(ObserveError::UnknownValue {
                field: "StandardsStatus".to_owned(),
                value: other.as_str().to_owned(),
            });
        }
    };
    let input = told("StandardsInput", one.standards_input())?;
    let input = input.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Ok(Some(Enabled { input, problem }))
}

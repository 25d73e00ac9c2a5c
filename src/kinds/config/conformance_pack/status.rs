//! How far AWS is with a pack: it makes, changes and deletes them in some minutes.

use std::sync::Arc;

use aws_sdk_config::Client;
use aws_sdk_config::operation::describe_conformance_pack_status::DescribeConformancePackStatusOutput as Page;
use aws_sdk_config::types::ConformancePackStatusDetail;

use crate::aws::Call;
use crate::aws::settle::settle;
use crate::kinds::{Cx, ObserveError, WriteCx, WriteError};

pub const STATUS: Call = Call::new("config", "DescribeConformancePackStatus");

/// The status of a pack by its name; nothing where there is none.
pub async fn status(
    cx: &Cx,
    name: &str,
) -> Result<Option<ConformancePackStatusDetail>, ObserveError> {
    let pages = cx.client(Client::new).describe_conformance_pack_status().into_paginator().send();
    let part = |page: Page| page.conformance_pack_status_details;
    let all: Arc<Vec<ConformancePackStatusDetail>> =
        cx.list(STATUS, "", pages, "ConformancePackStatusDetails", part).await?;
    Ok(all.iter().find(|one| one.conformance_pack_name() == name).cloned())
}

/// Whether AWS keeps a pack itself: such packs have no stack (AWS Config API Reference,
/// `ConformancePackStatusDetail`, `StackArn`).
pub fn is_of_aws(one: &ConformancePackStatusDetail) -> bool {
    one.stack_arn().is_empty()
}

/// What AWS could not do with a pack, if so; an error while it is still at work.
pub fn problem(one: &ConformancePackStatusDetail) -> Result<Option<String>, ObserveError> {
    let (name, state) = (one.conformance_pack_name(), one.conformance_pack_state().as_str());
    // The SDK does not know all of these words by name.
    match state {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" => Ok(None),
        "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" => Err(ObserveError::Awaited {
            reason: format!("AWS is still making the conformance pack {name} ({state})"),
            remedy: "run again in some minutes: AWS makes the rules of a pack one after the other"
                .to_owned(),
        }),
        "DELETE_IN_PROGRESS" => Err(ObserveError::Pending {
            reason: format!("AWS is still deleting the conformance pack {name}"),
            remedy: "run again in some minutes: evenkeel makes it again then".to_owned(),
        }),
        "CREATE_FAILED" | "UPDATE_FAILED" | "DELETE_FAILED" => {
            let reason = one.conformance_pack_status_reason().filter(|text| !text.is_empty());
            let words = [Some(state), reason];
            Ok(Some(words.into_iter().flatten().collect::<Vec<_>>().join(": ")))
        }
        other => Err(ObserveError::UnknownValue {
            field: "ConformancePackState".to_owned(),
            value: other.to_owned(),
        }),
    }
}

/// Waits until AWS has made a pack, for about two minutes; whoever looks then sees that it is still at
/// work.
///
/// # Errors
/// AWS could not make it.
pub async fn made(cx: &WriteCx, name: &str) -> Result<(), WriteError> {
    let is_at_work = |error: &ObserveError| matches!(error, ObserveError::Awaited { .. });
    let looked = settle(is_at_work, || async {
        // It may not be in the list yet.
        let row = status(&cx.afresh(), name).await?;
        row.map_or(Ok(None), |row| problem(&row))
    });
    match looked.await {
        Err(error) if is_at_work(&error) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(None) => Ok(()),
        Ok(Some(problem)) => Err(ObserveError::Unclear {
            reason: format!("AWS could not make the conformance pack {name}: {problem}"),
            remedy: REMEDY.to_owned(),
        }
        .into()),
    }
}

/// What helps against a pack that AWS could not make.
pub const REMEDY: &str = "put right what AWS names, such as a recorder that is not there or a rule that the template spells wrongly, and run again; where AWS goes on refusing, delete the pack (aws configservice delete-conformance-pack), and evenkeel makes it anew";

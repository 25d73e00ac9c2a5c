//! What a run makes, where AWS's reads lag behind its writes: nobody else writes, and so it must all be made.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;

use crate::properties::Kind;
use crate::support;
use crate::support::library::{self, Declaration, apply, observe};

/// How many reads of what was written are answered as they were before.
const CALLS: u32 = 2;

/// Each sample of a kind, in an account of its own that has nothing yet. They mostly wait.
pub async fn is_made_though_reads_lag(kind: Kind) {
    join_all(kind.samples().iter().map(|sample| is_made(kind, sample))).await;
}

async fn is_made(kind: Kind, sample: &str) {
    let account = support::emulator().account();
    support::organization::prepare(&account, kind.name());
    let session = library::connect(&account).await;
    let declaration = Declaration::new(&account, sample);
    account.forget_calls();
    let plan = library::plan(&session, &declaration, observe(&session, &declaration).await);
    let services: BTreeSet<String> = account.calls().into_iter().map(|call| call.service).collect();
    for service in services.iter().filter(|service| *service != "sts") {
        let lag = json!({ "service": service, "account": account.id, "calls": CALLS });
        account.control("POST", "lag", Some(lag));
    }
    let report = apply(&account, &session, &plan).await;
    account.control("DELETE", "lag", None);
    assert!(report.is_complete(), "{}\n{report:#?}", declaration.text);
}

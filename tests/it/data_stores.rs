//! Event data stores as a user meets them: only told, never written.

use serde_json::Value;

use crate::support::Account;
use crate::support::declared::{APPLY, account};

const ALL: &str = "[cloudtrail.event_data_stores]\n\
    min_retention_period = 366\nrequire_termination_protection = true\nrequire_multi_region = true\n\
    require_ingestion = true\nrecord_all_management_events = true\nallow_federation = false\n";

fn lake(account: &Account, script: &str) -> Value {
    account
        .boto3(&format!("lake = boto3.client('cloudtrail', 'eu-west-1')\n{script}\nprint('null')"))
}

#[test]
fn a_store_that_becomes_weaker_is_told_and_nothing_is_written() {
    let account = account(ALL);
    account.check().code(2).says("no store takes in every management event");
    lake(&account, "lake.create_event_data_store(Name='audit')");
    account.check().code(0).says("1 in sync");
    account.forget_calls();
    let weaken = "arn = lake.list_event_data_stores()['EventDataStores'][0]['EventDataStoreArn']\n\
        lake.update_event_data_store(EventDataStore=arn, RetentionPeriod=7, TerminationProtectionEnabled=False, MultiRegionEnabled=False)\n\
        lake.stop_event_data_store_ingestion(EventDataStore=arn)";
    lake(&account, weaken);
    account.forget_calls();
    account
        .check()
        .code(2)
        .says("min_retention_period.audit")
        .says("7 days")
        .says("require_termination_protection.audit")
        .says("require_multi_region.audit")
        .says("require_ingestion.audit")
        .says("STOPPED_INGESTION")
        .says("no store takes in every management event");
    account.run(&APPLY);
    assert_eq!(account.writes(), Vec::<String>::new());
    account
        .run(&["export", "-k", "cloudtrail.event_data_stores", "-r", "eu-west-1"])
        .code(0)
        .says("min_retention_period")
        .says("expected_stores");
}

#[test]
fn a_store_that_must_be_there_is_missed_and_a_refused_read_is_unknown() {
    let account = account("[cloudtrail.event_data_stores]\nexpected_stores = { audit = {} }\n");
    account.check().code(2).says("no such store");
    lake(
        &account,
        "lake.create_event_data_store(Name='audit', TerminationProtectionEnabled=False)",
    );
    account.check().code(0);
    lake(
        &account,
        "lake.delete_event_data_store(EventDataStore=lake.list_event_data_stores()['EventDataStores'][0]['EventDataStoreArn'])",
    );
    account.check().code(2).says("about to be deleted").says("restore-event-data-store");
    for operation in ["ListEventDataStores", "GetEventDataStore"] {
        let fault =
            serde_json::json!({ "service": "cloudtrail", "operation": operation, "kind": "error" });
        account.fault(fault);
        account.check().code(1).says(&format!("missing permission: cloudtrail:{operation}"));
        account.no_faults();
    }
}

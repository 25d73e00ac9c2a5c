//! Detective as a user meets it: a graph that is made, whose it is in a member, and what AWS refuses.

use serde_json::{Value, json};

use crate::support::Account;
use crate::support::declared::{APPLY, HEADER, account};

const GRAPH: &str = "[detective.graph]\nenabled = true\n\
    datasource_packages = [\"DETECTIVE_CORE\", \"EKS_AUDIT\"]\ntags = { team = \"security\" }\n";

fn detective(account: &Account, script: &str) -> Value {
    let head = "detective = boto3.client('detective', 'eu-west-1')\n\
        def graph():\n\
        \x20   return detective.list_graphs()['GraphList'][0]['Arn']\n\
        def there():\n\
        \x20   arns = [one['Arn'] for one in detective.list_graphs()['GraphList']]\n\
        \x20   packages = lambda arn: sorted(detective.list_datasource_packages(GraphArn=arn)['DatasourcePackages'])\n\
        \x20   return [[packages(arn), detective.list_tags_for_resource(ResourceArn=arn)['Tags']] for arn in arns]\n";
    account.boto3(&format!("{head}{script}"))
}

fn there(account: &Account) -> Value {
    detective(account, "print(json.dumps(there()))")
}

#[test]
fn a_graph_is_made_with_its_sources_and_read_back() {
    let account = account(GRAPH);
    account.run(&["plan", "-b", "b.toml"]).code(0).says("AWS charges for each gigabyte");
    account.run(&APPLY).code(0);
    account.check().code(0).says("1 in sync");
    assert_eq!(there(&account), json!([[["DETECTIVE_CORE", "EKS_AUDIT"], { "team": "security" }]]));
    account
        .run(&["export", "-k", "detective.graph", "-r", "eu-west-1"])
        .code(0)
        .says("[\"DETECTIVE_CORE\", \"EKS_AUDIT\"]");
    // It goes only where that is declared, and says what goes with it.
    account.declare("[detective.graph]\nenabled = false\n");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(2).says("only reported");
    account.run(&APPLY).code(0).says("nobody brings it back");
    account.check().code(0);
    assert_eq!(there(&account), json!([]));
}

#[test]
fn a_graph_that_somebody_made_again_gets_its_sources_and_tags() {
    let account = account(GRAPH);
    account.run(&APPLY).code(0);
    detective(
        &account,
        "detective.delete_graph(GraphArn=graph())\ndetective.create_graph(Tags={'theirs': 'x'})\nprint('null')",
    );
    account.check().code(2).says("datasource_packages.EKS_AUDIT").says("tags.theirs");
    account.run(&APPLY).code(0);
    assert_eq!(there(&account), json!([[["DETECTIVE_CORE", "EKS_AUDIT"], { "team": "security" }]]));
}

#[test]
fn in_a_member_the_administrator_is_named_and_nothing_is_made() {
    let account = account(GRAPH);
    let plant = format!(
        "import os, urllib.request\n\
         url = os.environ['AWS_ENDPOINT_URL'] + '/_evenkeel/plant?account={}&of=detective:invitations&region=eu-west-1'\n\
         one = {{'AccountId': '{}', 'AdministratorId': '444455556666', 'Status': 'ENABLED'}}\n\
         request = urllib.request.Request(url, json.dumps([one]).encode(), {{'Content-Type': 'application/json'}})\n\
         urllib.request.urlopen(request)\nprint('null')",
        account.id, account.id
    );
    detective(&account, &plant);
    account.forget_calls();
    account.run(&APPLY);
    assert_eq!(account.writes(), Vec::<String>::new());
    account.check().says("the Detective administrator account 444455556666");
}

#[test]
fn what_aws_refuses_is_said_and_leaves_the_object_unknown() {
    let account = account(GRAPH);
    for operation in ["ListGraphs", "ListInvitations"] {
        account.fault(json!({ "service": "detective", "operation": operation, "kind": "error" }));
        account.check().code(1).says(&format!("missing permission: detective:{operation}"));
        account.no_faults();
    }
    account.run(&APPLY).code(0);
    for operation in ["ListDatasourcePackages", "ListTagsForResource"] {
        account.fault(json!({ "service": "detective", "operation": operation, "kind": "error" }));
        account.check().code(1).says(&format!("missing permission: detective:{operation}"));
        account.no_faults();
    }
    account.declare(&format!("{GRAPH}auto_enable_members = true\n"));
    account.check().code(1).says("for the organization's Detective administrator account alone");
}

/// Osaka is one of the Regions that Detective is not offered in, and no name leads to an endpoint there.
#[test]
fn a_region_that_lacks_detective_is_left_out_and_neither_unknown_nor_drift() {
    let account = account("");
    account.write("b.toml", &format!("{}{GRAPH}", HEADER.replace("eu-west-1", "ap-northeast-3")));
    account.check().code(2);
    account.fault(json!({ "service": "detective", "region": "ap-northeast-3", "kind": "drop" }));
    account
        .run(&["check", "-b", "b.toml", "-v"])
        .code(0)
        .says("Amazon Detective is not available in ap-northeast-3");
}

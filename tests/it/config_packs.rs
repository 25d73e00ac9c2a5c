//! Conformance packs, whose template AWS never tells, and aggregators with those who let them in.

use serde_json::json;

use crate::support::declared::{APPLY, account};
use crate::support::organization::Organization;
use crate::support::{Account, Run};

const RECORDER: &str = r#"
[s3.bucket.config]
bucket   = "config-${account.id}"
services = ["config"]

[config.recorder]
role_arn       = ""
recording      = true
s3_bucket_name = "${s3.bucket.config.bucket}"
"#;

/// A pack with one rule.
fn pack(rule: &str, identifier: &str) -> String {
    format!(
        "[config.conformance_pack.keys]\ntemplate_body = '''\nResources:\n  Rule:\n    Type: AWS::Config::ConfigRule\n    \
         Properties:\n      ConfigRuleName: {rule}\n      Source: {{Owner: AWS, SourceIdentifier: {identifier}}}\n'''\n"
    )
}

fn declared(rule: &str, identifier: &str) -> String {
    format!("{RECORDER}\n{}", pack(rule, identifier))
}

fn apply(account: &Account) -> Run {
    account.run(&APPLY)
}

/// Somebody else puts a pack of the same name without a rule.
const EMPTIED: &str = "boto3.client('config').put_conformance_pack(ConformancePackName='keys', TemplateBody='Resources: {}')";

#[test]
fn a_pack_brings_its_rules_and_is_known_again_by_its_mark() {
    let account = account(&declared("mfa-enabled", "IAM_USER_MFA_ENABLED"));
    apply(&account).code(0).says("AWS charges for every evaluation");
    account.check().code(0).says("3 in sync");
    let seen = account.boto3(
        "config = boto3.client('config')\n\
         pack = config.describe_conformance_packs()['ConformancePackDetails'][0]\n\
         rules = [[one['ConfigRuleName'].rsplit('-conformance', 1)[0], one['CreatedBy']] for one in config.describe_config_rules()['ConfigRules']]\n\
         tags = config.list_tags_for_resource(ResourceArn=pack['ConformancePackArn'])['Tags']\n\
         print(json.dumps([rules, [one['Key'] for one in tags], tags[0]['Value'][:21]]))",
    );
    let rules = json!([["mfa-enabled", "config-conforms.amazonaws.com"]]);
    assert_eq!(seen, json!([rules, ["evenkeel:template"], "template_body sha256:"]));
    account.forget_calls();
    apply(&account).code(0);
    assert_eq!(account.writes(), Vec::<String>::new());
    // Nobody can ask AWS for the template: that somebody put another one shows in the time.
    account.boto3(EMPTIED);
    let check = account.check().code(2);
    check.says("AWS does not tell it, and evenkeel did not put it").says("results");
    apply(&account).code(0);
    account.check().code(0);
    let rules = "print(len(boto3.client('config').describe_config_rules()['ConfigRules']))";
    assert_eq!(account.boto3(rules), json!(1));
}

#[test]
fn the_rules_of_a_pack_are_nobodys_else() {
    let account = account(&format!(
        "{}\n[config.rule.password]\nsource_identifier = \"IAM_PASSWORD_POLICY\"\n",
        declared("mfa-enabled", "IAM_USER_MFA_ENABLED")
    ));
    apply(&account).code(0);
    account.check().code(0).says("4 in sync");
    let export = account.run(&["export", "-r", "eu-west-1", "-k", "config.rule"]).code(0);
    export.says("[config.rule.password]");
    let export = account.run(&["export", "-r", "eu-west-1", "-k", "config"]).stdout;
    assert!(!export.contains("mfa-enabled"), "{export}");
}

#[test]
fn what_aws_could_not_make_is_named_and_put_again_once_it_is_right() {
    let account = account(&declared("wrong-rule", "NO_SUCH_RULE"));
    apply(&account).code(4).says("could not make the conformance pack keys: CREATE_FAILED");
    account.check().code(2).says("The rule wrong-rule could not be made");
    account.declare(&declared("mfa-enabled", "IAM_USER_MFA_ENABLED"));
    apply(&account).code(0);
    account.check().code(0).says("3 in sync");
}

#[test]
fn a_pack_that_aws_is_still_making_waits() {
    let account = account(&declared("mfa-enabled", "IAM_USER_MFA_ENABLED"));
    apply(&account).code(0);
    account.boto3(&format!(
        "import os, urllib.request\n\
         url = os.environ['AWS_ENDPOINT_URL'] + '/_evenkeel/settling?account={}&reads=2'\n\
         urllib.request.urlopen(urllib.request.Request(url, b''))\n\
         {EMPTIED}",
        account.id
    ));
    account.check().code(4).says("AWS is still making the conformance pack keys");
    // What is applied meanwhile is waited for.
    account.boto3("boto3.client('config').describe_conformance_pack_status()");
    apply(&account).code(0);
    account.check().code(0).says("3 in sync");
}

#[test]
fn a_pack_that_aws_keeps_is_left_alone() {
    let account = account(RECORDER);
    apply(&account).code(0);
    account.boto3("boto3.client('config').put_conformance_pack(ConformancePackName='keys', Source={'SourceIdentifier': 'CIS'})");
    account.declare(&declared("mfa-enabled", "IAM_USER_MFA_ENABLED"));
    account.check().code(2).says("keys is a managed pack");
    account.forget_calls();
    apply(&account);
    assert_eq!(account.writes(), Vec::<String>::new());
}

#[test]
fn a_template_in_s3_is_known_by_its_address() {
    let uri = |name: &str| {
        format!(
            "{RECORDER}\n[config.conformance_pack.keys]\ntemplate_s3_uri = \"s3://packs-${{account.id}}/{name}.yaml\"\n"
        )
    };
    let account = account(&uri("one"));
    account.boto3(&format!(
        "s3 = boto3.client('s3')\n\
         s3.create_bucket(Bucket='packs-{0}', CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\n\
         for name, rule in (('one', 'a'), ('two', 'b')):\n\
         \x20   rule = {{'ConfigRuleName': rule, 'Source': {{'Owner': 'AWS', 'SourceIdentifier': 'IAM_PASSWORD_POLICY'}}}}\n\
         \x20   text = json.dumps({{'Resources': {{'R': {{'Type': 'AWS::Config::ConfigRule', 'Properties': rule}}}}}})\n\
         \x20   s3.put_object(Bucket='packs-{0}', Key=name + '.yaml', Body=text.encode())",
        account.id
    ));
    apply(&account).code(0).says("does not look into this template");
    account.check().code(0).says("3 in sync");
    account.declare(&uri("two"));
    account.check().code(2).says("two.yaml");
    apply(&account).code(0);
    account.check().code(0);
    let rule = "print(json.dumps(boto3.client('config').describe_config_rules()['ConfigRules'][0]['ConfigRuleName'][:2]))";
    assert_eq!(account.boto3(rule), json!("b-"));
}

#[test]
fn an_aggregator_names_the_accounts_that_do_not_let_it_in() {
    let other = crate::support::emulator().account();
    let account = account(&format!(
        "[config.aggregator.all]\naccount_aggregation_source = {{ account_ids = [\"${{account.id}}\", \"{}\"], aws_regions = [\"eu-west-1\"] }}\n",
        other.id
    ));
    apply(&account);
    account
        .check()
        .code(2)
        .says(&format!("account_aggregation_source.{}", other.id))
        .says("config.aggregation_authorization there");
    other.declare(&format!(
        "[config.aggregation_authorization.all]\nauthorized_account_id = \"{}\"\nauthorized_aws_region = \"eu-west-1\"\n",
        account.id
    ));
    apply(&other).says("--allow-grants foreign");
    other.check().code(2).says("may be collected by account");
    other.run(&[&APPLY[..], &["--allow-grants", "foreign"]].concat()).code(0);
    other.check().code(0).says("1 in sync");
    account.check().code(0).says("1 in sync");
    let seen = other.boto3(
        "row = boto3.client('config').describe_aggregation_authorizations()['AggregationAuthorizations'][0]\n\
         print(json.dumps([row['AuthorizedAccountId'], row['AuthorizedAwsRegion']]))",
    );
    assert_eq!(seen, json!([account.id, "eu-west-1"]));
    other.boto3(&format!(
        "boto3.client('config').delete_aggregation_authorization(AuthorizedAccountId='{}', AuthorizedAwsRegion='eu-west-1')",
        account.id
    ));
    account.check().code(2).says("has not authorized the aggregator");
}

#[test]
fn an_aggregator_of_the_organization_is_made_where_aws_makes_it() {
    const OF_ORGANIZATION: &str = r#"
[iam.role.aggregator]
assume_role_policy  = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "config.amazonaws.com" }, Action = "sts:AssumeRole" }] }
managed_policy_arns = ["arn:${partition}:iam::aws:policy/service-role/AWSConfigRoleForOrganizations"]

[config.aggregator.organization]
organization_aggregation_source = { role_arn = "arn:${partition}:iam::${account.id}:role/${iam.role.aggregator.role_name}", all_aws_regions = true }
aggregator_filters              = {}
"#;
    let alone = account(OF_ORGANIZATION);
    alone.check().code(4).says("this account is in no organization, so that no aggregator");
    let organization = Organization::new();
    let management = &organization.management;
    management.declare(OF_ORGANIZATION);
    apply(management).code(0);
    management.check().code(0).says("2 in sync");
    let seen = management.boto3(
        "one = boto3.client('config').describe_configuration_aggregators()['ConfigurationAggregators'][0]\n\
         print(json.dumps([one['OrganizationAggregationSource']['AllAwsRegions'], 'AggregatorFilters' in one]))",
    );
    assert_eq!(seen, json!([true, false]));
    // An aggregator of accounts does not take its place.
    management.declare(
        "[config.aggregator.organization]\naccount_aggregation_source = { account_ids = [\"${account.id}\"], all_aws_regions = true }\n",
    );
    management.check().code(2).says("AWS does not change that, and evenkeel deletes none");
}

#[test]
fn that_something_was_made_is_taken_back() {
    let account = account(
        "[config.aggregator.all]\naccount_aggregation_source = { account_ids = [\"${account.id}\"], all_aws_regions = true }\n\
         [config.aggregation_authorization.own]\nauthorized_account_id = \"${account.id}\"\nauthorized_aws_region = \"eu-west-1\"\n",
    );
    account.write(
        "evenkeel.toml",
        "schema = 1\n\n[store]\nurl = \"sqlite://.evenkeel/store.db\"\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\n",
    );
    account.run(&["apply", "--yes"]).code(0).says("2 changes applied");
    let list = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    let run = list["runs"][0]["run"].as_str().unwrap();
    account
        .run(&["rollback", run, "--yes", "--max-risk", "destructive"])
        .code(0)
        .says("2 changes put back");
    let left = account.boto3(
        "config = boto3.client('config')\n\
         print(json.dumps([config.describe_configuration_aggregators()['ConfigurationAggregators'],\n\
         \x20   config.describe_aggregation_authorizations()['AggregationAuthorizations']]))",
    );
    assert_eq!(left, json!([[], []]));
}

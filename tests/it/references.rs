//! Items that refer to what is not there, wherever or for whomever they are: refused where that is so for
//! every account, and unknown where an account's facts decide.

use crate::support::{self, Account};

fn account(items: &str) -> Account {
    let account = support::emulator().account();
    let head = "schema = 1\n[baseline]\nname = \"test\"\nregions = [\"eu-west-1\"]\n";
    account.write("b.toml", &format!("{head}{items}"));
    account
}

/// A key, and a log group that refers to it, each with some words.
fn pair(key: &str, group: &str) -> String {
    format!(
        "[kms.key.k]\n{key}\nenable_key_rotation = true\n\
         [logs.log_group.a]\n{group}\nkms_key_id = \"${{kms.key.k.alias}}\"\n"
    )
}

const ONE: &str = "when = { accounts = [\"111122223333\"] }";

#[test]
fn a_reference_that_leads_to_nothing_is_refused_with_both_lines() {
    for (key, group, why) in [
        ("regions = [\"us-east-1\"]", "", "which does not hold in eu-west-1"),
        ("regions = [\"us-east-1\"]", "regions = \"enabled\"", "which does not hold in us-east-2"),
        ("regions = \"home\"", "regions = \"enabled\"", "other Regions than the home"),
        ("mode = \"off\"", "", "whose mode is \"off\""),
        (ONE, "when = { accounts = [\"444455556666\"] }", "not for account 444455556666"),
        ("when = { not_accounts = [\"111122223333\"] }", ONE, "not for account 111122223333"),
    ] {
        let run = account(&pair(key, group))
            .run(&["validate", "b.toml"])
            .code(1)
            .complains("logs.log_group.a refers to kms.key.k, ")
            .complains(why);
        let lines = ["b.toml:10:", "  5 │ [kms.key.k]", "kms.key.k is declared here"];
        assert!(lines.iter().all(|line| run.stderr.contains(line)), "{}", run.stderr);
    }
    for (key, group) in [
        ("", ""),
        ("regions = \"enabled\"", "regions = [\"us-east-1\"]"),
        ("regions = \"home\"", ""),
        (ONE, ONE),
        ("mode = \"off\"", "mode = \"off\""),
    ] {
        account(&pair(key, group)).run(&["validate", "b.toml"]).code(0);
    }
}

#[test]
fn a_bucket_is_where_its_region_says() {
    let items = |bucket: &str| {
        format!(
            "[kms.key.k]\nenable_key_rotation = true\n[s3.bucket.b]\nbucket = \"b-${{account.id}}\"\n\
             sse_algorithm = \"aws:kms\"\nkms_master_key_id = \"${{kms.key.k.alias}}\"\n{bucket}\n"
        )
    };
    account(&items("region = \"us-east-1\""))
        .run(&["validate", "b.toml"])
        .code(1)
        .complains("s3.bucket.b refers to kms.key.k, which does not hold in us-east-1");
    account(&items("region = \"eu-west-1\"")).run(&["validate", "b.toml"]).code(0);
    account(&items("region = \"mars\""))
        .run(&["validate", "b.toml"])
        .code(1)
        .complains("AWS has no Region \"mars\"");
}

#[test]
fn an_arn_names_the_region_of_its_key() {
    let group = |arn: &str| format!("[logs.log_group.a]\nkms_key_id = \"{arn}\"\n");
    account(&group("arn:aws:kms:us-east-1:111122223333:key/1"))
        .run(&["validate", "b.toml"])
        .code(1)
        .complains("`kms_key_id` is of us-east-1, and the item holds in eu-west-1");
    account(&group("arn:aws:kms:eu-west-1:111122223333:key/1"))
        .run(&["validate", "b.toml"])
        .code(0);
}

#[test]
fn where_an_account_decides_the_item_is_unknown() {
    for (key, group, why) in [
        ("regions = \"home\"", "regions = [\"us-west-2\"]", "which does not hold in us-west-2"),
        (ONE, "", "which is not for this account"),
    ] {
        let account = account(&pair(key, group));
        account.run(&["validate", "b.toml"]).code(0);
        let run = account.run(&["check", "-b", "b.toml"]);
        run.says("its kms_key_id refers to kms.key.k (b.toml:5), ").says(why);
        account.forget_calls();
        account.run(&["apply", "-b", "b.toml", "--yes", "-k", "logs.log_group"]);
        assert_eq!(account.writes(), Vec::<String>::new());
    }
}

//! Grants of keys: what nobody may list is not known, and what is there is said before a key is adopted.

use serde_json::json;

use crate::support::{self, Account};

const HEADER: &str =
    "schema = 1\n\n[baseline]\nname = \"test\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\n";
const AUDIT: &str = "[kms.key.audit]\nkey_users = [\"arn:aws:iam::${account.id}:root\"]\nenable_key_rotation = true\n";

fn account(items: &str) -> Account {
    let account = support::emulator().account();
    account.write("b.toml", &format!("{HEADER}{items}"));
    account
}

#[test]
fn a_key_whose_grants_nobody_may_list_is_unknown_and_not_written() {
    let account = account(AUDIT);
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.write("b.toml", &format!("{HEADER}{}", AUDIT.replace("= true", "= false")));
    account.fault(json!({ "service": "kms", "operation": "ListGrants",
        "kind": "error", "code": "AccessDeniedException" }));
    account
        .run(&["check", "-b", "b.toml"])
        .code(1)
        .says("kms:ListGrants")
        .says("Unknown: could not be read");
    account.forget_calls();
    account.run(&["apply", "-b", "b.toml", "--yes"]);
    assert_eq!(account.writes(), Vec::<String>::new());
    account.no_faults();
    account.run(&["check", "-b", "b.toml"]).code(2);
}

#[test]
fn the_grants_of_a_key_are_said_before_it_is_adopted() {
    let account = account(AUDIT);
    account.boto3(
        "kms = boto3.client('kms')\n\
         mark = [{'TagKey': 'evenkeel:alias', 'TagValue': 'alias/audit'}]\n\
         key = kms.create_key(Tags=mark)['KeyMetadata']['KeyId']\n\
         kms.create_grant(KeyId=key, GranteePrincipal='arn:aws:iam::999999999999:root', Operations=['Decrypt'])",
    );
    account
        .run(&["plan", "-b", "b.toml"])
        .code(0)
        .says("adopts the key")
        .says("gives Decrypt to arn:aws:iam::999999999999:root")
        .says("whatever its policy says");
    // Nobody may see whom it lets in: it is not adopted at all.
    account.fault(json!({ "service": "kms", "operation": "ListGrants",
        "kind": "error", "code": "AccessDeniedException" }));
    account.forget_calls();
    account.run(&["apply", "-b", "b.toml", "--yes"]).says("kms:ListGrants");
    assert_eq!(account.writes(), Vec::<String>::new());
}

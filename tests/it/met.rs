//! What is declared and does nothing is said: exceptions and exclusions that met no object, items that
//! declare nothing.

use crate::support::{self, Account};

const HEADER: &str =
    "schema = 1\n\n[baseline]\nname = \"test\"\nmode = \"report\"\nregions = [\"eu-west-1\"]\n\n";

fn account(items: &str) -> Account {
    let account = support::emulator().account();
    account.write("b.toml", &format!("{HEADER}{items}"));
    account
}

fn exception(more: &str) -> String {
    format!(
        "[iam.password_policy]\nminimum_password_length = 14\n[ec2.ebs_encryption]\nenabled = true\n\
         [[exception]]\n{more}until = 2099-12-31\nowner = \"ops@example.com\"\nreason = \"OPS-1\"\n"
    )
}

#[test]
fn an_exception_that_meets_nothing_is_said() {
    for (more, meets) in [
        ("item = \"iam.password_policy\"\n", true),
        ("item = \"ec2.ebs_encryption\"\nregion = \"eu-west-1\"\n", true),
        ("item = \"iam.password_policy\"\nobject = \"vpc-1\"\n", false),
        ("item = \"iam.password_policy\"\naccount = \"999999999999\"\n", false),
        // What exists once in an account is in no Region.
        ("item = \"iam.password_policy\"\nregion = \"us-east-1\"\n", false),
        ("item = \"iam.password_policy\"\nregion = \"eu-west-1\"\n", false),
    ] {
        let account = account(&exception(more));
        for command in ["plan", "check"] {
            let run = account.run(&[command, "-b", "b.toml"]);
            let said = run.stderr.contains("matched nothing");
            assert_eq!(said, !meets, "{command} {more}: {}", run.stderr);
        }
        // Of a part, nobody knows.
        let part = account.run(&["check", "-b", "b.toml", "-k", "ec2"]);
        assert!(!part.stderr.contains("matched nothing"), "{}", part.stderr);
    }
}

#[test]
fn an_exception_that_can_meet_nothing_is_said_by_validate() {
    let idle = exception("item = \"ec2.ebs_encryption\"\nregion = \"us-east-1\"\n")
        .replace("enabled = true", "enabled = true\nregions = [\"eu-west-1\"]");
    account(&idle)
        .run(&["validate", "b.toml"])
        .code(0)
        .complains("can match nothing: the item does not hold in us-east-1");
    let not_for = exception("item = \"ec2.ebs_encryption\"\naccount = \"111122223333\"\n")
        .replace("enabled = true", "enabled = true\nwhen = { not_accounts = [\"111122223333\"] }");
    account(&not_for)
        .run(&["validate", "b.toml"])
        .code(0)
        .complains("can match nothing: the item is not for account");
    let meets = account(&exception("item = \"ec2.ebs_encryption\"\nregion = \"eu-west-1\"\n"))
        .run(&["validate", "b.toml"])
        .code(0);
    assert!(!meets.stderr.contains("can match nothing"), "{}", meets.stderr);
}

#[test]
fn an_entry_of_exclude_leaves_out_what_all_of_it_names() {
    let account = account("");
    let made = account.boto3(
        "ec2 = boto3.client('ec2')\n\
         ids = []\n\
         for legacy in ('true', 'false'):\n\
         \x20   vpc = ec2.create_vpc(CidrBlock='10.9.0.0/16')['Vpc']['VpcId']\n\
         \x20   ec2.create_tags(Resources=[vpc], Tags=[{'Key': 'legacy', 'Value': legacy}])\n\
         \x20   ids.append(vpc)\n\
         print(json.dumps(ids))",
    );
    let (one, other) = (made[0].as_str().unwrap(), made[1].as_str().unwrap());
    let excluded = |entries: &str| {
        account.write(
            "b.toml",
            &format!("{HEADER}[ec2.default_security_group]\ningress = []\nexclude = [{entries}]\n"),
        );
        let run = account.run(&["check", "-b", "b.toml", "-v"]);
        let skipped = run.stdout.split("Skipped").nth(1).unwrap_or_default().to_owned();
        ([skipped.contains(one), skipped.contains(other)], run.stderr)
    };
    let tags = "vpc_tags = { legacy = \"true\" }";
    let both = format!("vpc_ids = [\"{one}\", \"{other}\"]");
    let (of_one_entry, said) = excluded(&format!("{{ {both}, {tags} }}"));
    assert_eq!(of_one_entry, [true, false]);
    assert!(!said.contains("matched nothing"), "{said}");
    let (of_two, _) = excluded(&format!("{{ {both} }}, {{ {tags} }}"));
    assert_eq!(of_two, [true, true]);
    let (none, said) = excluded(&format!("{{ {tags} }}, {{ vpc_ids = [\"vpc-00000000\"] }}"));
    assert_eq!(none, [true, false]);
    assert!(said.contains("entry 2 of `exclude` of ec2.default_security_group"), "{said}");
    assert!(said.contains("matched nothing") && !said.contains("entry 1"), "{said}");
}

#[test]
fn an_item_that_declares_nothing_is_refused() {
    for item in [
        "[iam.password_policy]\n",
        "[ec2.default_security_group]\nin_use = \"report\"\n",
        "[kms.key_rotation]\nnote = \"later\"\nexclude = [{ aliases = [\"alias/x\"] }]\n",
    ] {
        account(item).run(&["check", "-b", "b.toml"]).code(1).complains("declares nothing");
    }
    account("[ec2.ebs_encryption]\nenabled = false\n[iam.password_policy]\nmode = \"off\"\n")
        .run(&["validate", "b.toml"])
        .code(0);
    // A named item says that its object is there.
    account("[kms.key.audit]\n").run(&["validate", "b.toml"]).code(0);
}

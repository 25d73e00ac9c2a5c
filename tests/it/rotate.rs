//! The table "Rotate" of the runbook: what it says of each secret is tried.

use crate::support::organization::{Organization, POLICY};
use crate::support::postgres::Postgres;
use crate::support::{self, Account, Run};

#[test]
fn each_row_of_the_runbook_names_the_test_that_tries_it() {
    let text = std::fs::read_to_string(support::root().join("docs/runbook.md")).unwrap();
    let part = text.split("\n## ").find(|part| part.starts_with("Rotate")).unwrap();
    let rows: Vec<&str> = part.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    assert!(rows.len() > 6, "{rows:?}");
    for row in rows {
        // That the test is there, the tests of the documentation see to.
        let last = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(
            last.starts_with('`') && (last.contains("::") || last.contains("tests.rs")),
            "{row}"
        );
    }
}

fn account(more: &str) -> Account {
    let account = support::emulator().account();
    account.write("b.toml", POLICY);
    account.write(
        "evenkeel.toml",
        &format!(
            "schema = 1\n{more}\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\n"
        ),
    );
    account
}

#[test]
fn keys_of_the_environment_are_known_to_nobody_but_the_process() {
    let account = account("[store]\nurl = \"sqlite://.evenkeel/store.db\"\n");
    account.run(&["apply", "--yes", "-vv"]).code(0);
    for secret in [&account.access_key, &account.secret_key, &account.session_token] {
        let found = std::process::Command::new("grep")
            .args(["-rlF", "--", secret])
            .arg(account.folder.path())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "", "a key is kept");
    }
    let new = account.boto3(
        "iam = boto3.client('iam')\n\
         iam.create_user(UserName='next')\n\
         iam.put_user_policy(UserName='next', PolicyName='all', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]}))\n\
         print(json.dumps(iam.create_access_key(UserName='next')['AccessKey'], default=str))",
    );
    let of = |name: &str| new[name].as_str().unwrap().to_owned();
    let mut check = account.command(&["check"]);
    check.env("AWS_ACCESS_KEY_ID", of("AccessKeyId"));
    check.env("AWS_SECRET_ACCESS_KEY", of("SecretAccessKey"));
    check.env_remove("AWS_SESSION_TOKEN");
    // The password policy is that of the same account.
    Run::new(&["check"], check.output().unwrap()).code(0).says("1 in sync");
}

#[test]
fn an_external_id_changes_while_roles_allow_both() {
    let org = Organization::new();
    org.fleet("env = [\"X_ID\"]\n[[target]]\nname = \"a\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"<alpha>\"] }\n");
    let text = org.management.read("evenkeel.toml") + "external_id = \"${env.X_ID}\"\n";
    org.management.write("evenkeel.toml", &text);
    let trust = |ids: &str| {
        format!(
            "json.dumps({{'Version': '2012-10-17', 'Statement': [{{'Effect': 'Allow', 'Principal': {{'AWS': '*'}}, 'Action': ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'], 'Condition': {{'StringEquals': {{'sts:ExternalId': {ids}}}}}}}]}})"
        )
    };
    let create = trust("'old'");
    org.inside(
        "alpha",
        &format!(
            "client('iam').create_role(RoleName='evenkeel', AssumeRolePolicyDocument={create})"
        ),
    );
    let update = |ids: &str| {
        let document = trust(ids);
        org.inside(
            "alpha",
            &format!(
                "client('iam').update_assume_role_policy(RoleName='evenkeel', PolicyDocument={document})"
            ),
        );
    };
    let with = |id: &str| {
        let output = org.management.command(&["check"]).env("X_ID", id).output().unwrap();
        output.status.code()
    };
    assert_eq!([with("old"), with("new")], [Some(2), Some(1)]);
    update("['old', 'new']");
    assert_eq!([with("old"), with("new")], [Some(2), Some(2)]);
    update("'new'");
    assert_eq!([with("old"), with("new")], [Some(1), Some(2)]);
}

#[test]
fn a_new_password_of_the_database_is_for_the_next_start() {
    let server = Postgres::start();
    let host = server.url().rsplit_once("host=").unwrap().1.to_owned();
    let sql = |text: &str, password: &str| {
        let done = std::process::Command::new("psql")
            .args(["-qtA", "-h", &host, "-U", "evenkeel", "-d", "postgres", "-c", text])
            .env("PGPASSWORD", password)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    sql("ALTER ROLE evenkeel PASSWORD 'old'", "");
    // Nobody is let in without a password, from when this is read again.
    let file = std::path::Path::new(&host).join("data/pg_hba.conf");
    std::fs::write(file, "local all all scram-sha-256\n").unwrap();
    sql("SELECT pg_reload_conf()", "old");
    let account = account(&format!("[store]\nurl = \"{}\"\n", server.url()));
    let with = |args: &[&str], password: &str| {
        let output = account.command(args).env("PGPASSWORD", password).output().unwrap();
        Run::new(args, output)
    };
    with(&["apply", "--yes"], "old").code(0);
    sql("ALTER ROLE evenkeel PASSWORD 'new'", "old");
    account.boto3("boto3.client('iam').update_account_password_policy(MinimumPasswordLength=9)");
    account.forget_calls();
    let refused = with(&["apply", "--yes"], "old").code(1).complains("password");
    assert!(account.writes().is_empty(), "{}", refused.stderr);
    with(&["history"], "old").code(1).complains("password");
    with(&["apply", "--yes"], "new").code(0);
    let list = with(&["history", "--outcome", "applied", "--format", "json"], "new").code(0).json();
    assert_eq!(list["entries"].as_array().map(Vec::len), Some(2), "{list}");
}

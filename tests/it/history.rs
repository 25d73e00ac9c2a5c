//! What is remembered of runs, changes and drift, and putting it back: the command as a process against
//! the emulator, with SQLite and with PostgreSQL.

use crate::controller::Running;
use crate::support::postgres::Postgres;
use crate::support::{self, Account, kill};
use serde_json::{Value, json};

const POLICY: &str = "schema = 1\n\n[baseline]\nname = \"test\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\n[iam.password_policy]\nminimum_password_length = 14\nrequire_symbols = true\n";

fn with_store(url: &str) -> Account {
    let account = support::emulator().account();
    account.write("b.toml", POLICY);
    account.write(
        "evenkeel.toml",
        &format!(
            "schema = 1\n\n[store]\nurl = \"{url}\"\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\n"
        ),
    );
    account
}

fn account() -> Account {
    with_store("sqlite://.evenkeel/store.db")
}

/// What a list of the history has, as words.
fn words(account: &Account, args: &[&str]) -> Vec<String> {
    let args: Vec<&str> = ["history", "--format", "json"].iter().chain(args).copied().collect();
    let list = account.run(&args).code(0).json();
    let entries = list["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["what"].as_str().unwrap().to_owned()).collect()
}

fn runs(account: &Account) -> Vec<Value> {
    let list = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    list["runs"].as_array().unwrap().clone()
}

fn policy(account: &Account) -> Value {
    account.boto3(
        "iam = boto3.client('iam')\n\
         try: print(json.dumps(iam.get_account_password_policy()['PasswordPolicy']))\n\
         except iam.exceptions.NoSuchEntityException: print('null')",
    )
}

fn weaken(account: &Account) {
    account
        .boto3("boto3.client('iam').update_account_password_policy(MinimumPasswordLength=9, RequireSymbols=True)");
}

fn a_year_in_short(account: &Account) {
    account.run(&["history"]).code(0);
    account.run(&["check"]).code(2);
    account.run(&["check"]).code(2);
    assert_eq!(words(account, &[]), ["drift"], "the same drift is one");
    account.run(&["apply", "--yes"]).code(0).says("verified");
    assert_eq!(words(account, &[]), ["resolved", "applied", "drift"]);
    let entries = account.run(&["history", "--format", "json"]).json()["entries"].clone();
    // It ended in the run that put it right, and began in the one that found it.
    assert_eq!(entries[0]["run"], entries[1]["run"]);
    assert_eq!(entries[0]["about"]["opened_in"], entries[2]["run"]);
    assert_ne!(entries[0]["run"], entries[2]["run"]);
    account.run(&["check"]).code(0);
    weaken(account);
    account.run(&["check"]).code(2);
    assert_eq!(words(account, &["--outcome", "drift"]), ["drift", "drift"]);
    account.run(&["run", "--once"]).code(0);
    assert_eq!(
        words(account, &[]),
        ["resolved", "applied", "drift", "resolved", "applied", "drift"]
    );
    account
        .run(&["history"])
        .code(0)
        .says(&format!("applied     iam.password_policy of {}", account.id))
        .says("minimum_password_length 9 → 14")
        .says("by evenkeel");
    // Filters.
    assert_eq!(words(account, &["-k", "s3.bucket"]), [""; 0]);
    assert_eq!(words(account, &["-a", "000000000000"]), [""; 0]);
    assert_eq!(words(account, &["-i", "iam.password_policy", "--limit", "1"]), ["resolved"]);
    assert_eq!(words(account, &["--since", "1h", "--outcome", "applied"]).len(), 2);
    account.run(&["history", "--since", "soon"]).code(1).complains("an age such as 24h");
    // Runs.
    let runs = runs(account);
    let commands: Vec<&str> = runs.iter().map(|run| run["command"].as_str().unwrap()).collect();
    assert_eq!(commands, ["run", "check", "check", "apply", "check", "check"]);
    let outcomes: Vec<&str> = runs.iter().map(|run| run["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["in_sync", "drift", "in_sync", "in_sync", "drift", "drift"]);
    assert_eq!(runs[0]["about"]["applied"], 1);
    let id = runs[0]["run"].as_str().unwrap();
    account
        .run(&["show", id])
        .code(0)
        .says("minimum_password_length 9 → 14")
        .says("afterwards as declared")
        .says("here");
    let shown = account.run(&["show", id, "--format", "json"]).code(0).json();
    assert_eq!(shown["changes"][0]["outcome"], "applied");
    assert_eq!(shown["changes"][0]["after"]["state"]["minimum_password_length"], 14);
    account.run(&["show", "nobody"]).code(1).complains("history --runs");
}

#[test]
fn what_runs_saw_and_did_is_remembered() {
    a_year_in_short(&account());
}

#[test]
fn what_runs_saw_and_did_is_remembered_in_postgres() {
    let server = Postgres::start();
    a_year_in_short(&with_store(&server.url()));
}

#[test]
fn a_plan_is_remembered_and_begins_no_drift() {
    let account = account();
    account.run(&["plan"]).code(0);
    assert_eq!(words(&account, &[]), [""; 0]);
    assert_eq!(runs(&account)[0]["command"], "plan");
    // Nobody agreed.
    account
        .at_terminal(&["apply"], &[("Apply 1 change", "no\n")])
        .code(130)
        .says("Nothing was changed");
    let latest = &runs(&account)[0];
    assert_eq!((&latest["command"], &latest["outcome"]), (&json!("apply"), &json!("interrupted")));
}

#[test]
fn a_run_is_put_back_as_a_plan_like_any_other() {
    let account = account();
    weaken(&account);
    let before = policy(&account);
    account.run(&["apply", "--yes"]).code(0);
    let run = runs(&account)[0]["run"].as_str().unwrap().to_owned();
    account.run(&["rollback", &run]).code(3).complains("nobody is there to agree");
    account
        .run(&["rollback", &run, "--save", "back.json"])
        .code(0)
        .says("minimum_password_length")
        .says("weaker than before")
        .says("Nothing was changed");
    assert_eq!(policy(&account)["MinimumPasswordLength"], 14);
    account.run(&["rollback", &run, "--yes", "--max-changes", "0"]).code(3);
    account.run(&["rollback", &run, "back.json", "--yes"]).code(0).says("1 change put back");
    assert_eq!(policy(&account), before);
    let latest = &runs(&account)[0];
    assert_eq!(latest["command"], "rollback");
    assert_eq!(latest["about"]["rolls_back"], run.as_str());
    // It is drift again, and said to be.
    account.run(&["check"]).code(2);
    assert_eq!(words(&account, &["--limit", "1"]), ["drift"]);
    // What was put back is not put back twice.
    account
        .run(&["rollback", &run, "--yes"])
        .code(3)
        .says("it is as it was before the run already");
}

#[test]
fn what_the_run_made_is_taken_away_and_what_moved_since_is_left_alone() {
    let account = account();
    account.run(&["apply", "--yes"]).code(0);
    let run = runs(&account)[0]["run"].as_str().unwrap().to_owned();
    weaken(&account);
    account
        .run(&["rollback", &run, "--yes"])
        .code(3)
        .says("left alone: iam.password_policy")
        .says("somebody has changed it since the run");
    assert_eq!(policy(&account)["MinimumPasswordLength"], 9);
    account.run(&["apply", "--yes"]).code(0);
    let last = runs(&account)[0]["run"].as_str().unwrap().to_owned();
    account.run(&["rollback", &last[..last.len() - 1], "--yes"]).code(0);
    assert_eq!(policy(&account)["MinimumPasswordLength"], 9);
    // It is held as it is, until its end or until somebody lets it go.
    account.run(&["apply", "--yes"]).code(3).complains("hold").says("rollback of run");
    let object = format!("{}/global/iam.password_policy", account.id);
    account.run(&["release", &object]).code(0);
    account.run(&["apply", "--yes"]).code(0);
    // The terminal asks.
    let id = runs(&account)[0]["run"].as_str().unwrap().to_owned();
    account
        .at_terminal(&["rollback", &id], &[("Put back 1 change in 1 account", "yes\n")])
        .code(0)
        .says("1 change put back");
    assert_eq!(policy(&account)["MinimumPasswordLength"], 9);
}

#[test]
fn an_object_that_a_run_made_is_gone_after_the_rollback() {
    let account = account();
    account.run(&["apply", "--yes"]).code(0);
    let run = runs(&account)[0]["run"].as_str().unwrap().to_owned();
    account.run(&["rollback", &run, "--yes"]).code(0).says("1 change put back");
    assert_eq!(policy(&account), Value::Null);
}

#[test]
fn a_store_that_cannot_be_reached_stops_writes_and_never_a_look() {
    let account = with_store("postgres://nobody@127.0.0.1:1/none");
    account.run(&["check"]).code(2).complains("this run is not remembered, and writes nothing");
    account.run(&["apply", "--yes"]).code(1).complains("nothing is written to AWS while the store");
    account.run(&["run", "--once"]).code(4);
    assert_eq!(policy(&account), Value::Null);
    assert_eq!(account.writes(), [""; 0]);
    account.run(&["history"]).code(1).complains("cannot be reached");
}

#[test]
fn nobody_else_writes_with_the_store_of_a_controller_that_lives() {
    let account = account();
    let fleet = account.read("evenkeel.toml");
    account.write(
        "evenkeel.toml",
        &fleet.replace(
            "name = \"here\"",
            "name = \"here\"\nconfirmed = true\nschedule = \"0 0 0 1 1 *\"",
        ),
    );
    let mut controller = Running::start(&account);
    assert_eq!(controller.next("run", |_| true)["outcome"], "in sync");
    weaken(&account);
    let other = ["--audit-log", "other.jsonl"];
    for command in [&["run"][..], &["run", "--once"], &["apply", "--yes"]] {
        account
            .run(&[command, &other].concat())
            .code(3)
            .complains("another run is writing with the store")
            .complains(&format!("process {}", controller.process.id()));
    }
    assert_eq!(policy(&account)["MinimumPasswordLength"], 9);
    // Who only asks goes on.
    account.run(&["check"]).code(2);
    account.run(&["status"]).code(2);
    assert_eq!(words(&account, &["--outcome", "applied"]).len(), 1);
    assert_eq!(runs(&account).len(), 3, "what was refused has not begun: {:?}", runs(&account));
    // Killed, it has nothing any more.
    support::kill(&mut controller.process);
    account.run(&[&["run", "--once"][..], &other].concat()).code(0);
    assert_eq!(policy(&account)["MinimumPasswordLength"], 14);
}

#[test]
fn a_run_that_was_killed_in_a_write_is_looked_after() {
    let account = account();
    let mut child =
        account.hanging_with("iam", "UpdateAccountPasswordPolicy", true, &["apply", "--yes"]);
    kill(&mut child);
    account.no_faults();
    assert_eq!(words(&account, &["--outcome", "unfinished"]), ["unfinished"]);
    account.run(&["history", "--runs"]).says("not ended");
    account.run(&["run", "--once"]).code(0);
    assert_eq!(words(&account, &["--outcome", "unfinished"]), [""; 0]);
    assert_eq!(words(&account, &["--outcome", "recovered"]), ["recovered"]);
    account.run(&["audit", "verify"]).code(0);
    // What the later run saw says how the killed one left it.
    let (later, killed) = (&runs(&account)[0]["run"], &runs(&account)[1]["run"]);
    let (later, killed) = (later.as_str().unwrap(), killed.as_str().unwrap());
    account.run(&["history"]).says(&format!("looked at again by run {later}"));
    account.run(&["show", killed]).says(&format!("looked at again by run {later}"));
    // That it was killed is known by now.
    assert_eq!(runs(&account)[1]["about"]["killed"], true);
    account.run(&["history", "--runs"]).says("  killed  ");
    account.run(&["status"]).says("  killed  ");
    account.run(&["show", killed]).says("killed, and heard of last");
    // But whether the killed run wrote it, or somebody else, nobody knows: no rollback takes it away.
    account.run(&["rollback", killed, "--yes"]).code(3).says("somebody else may have done that");
}

#[test]
fn the_audit_log_is_exported_as_lines_of_json() {
    let account = account();
    account.run(&["apply", "--yes"]).code(0);
    let lines = |args: &[&str]| -> Vec<Value> {
        let args: Vec<&str> = ["audit", "export"].iter().chain(args).copied().collect();
        let run = account.run(&args).code(0);
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let phases: Vec<Value> = lines(&[]).iter().map(|line| line["phase"].clone()).collect();
    assert_eq!(phases, ["intent", "applied", "observed"]);
    assert!(lines(&[]).iter().all(|line| line["digest"].is_string()), "as they stand in the log");
    assert_eq!(lines(&["-a", "000000000000"]), [json!(null); 0]);
    assert_eq!(lines(&["--since", "1h"]).len(), 3);
    let run = runs(&account)[0]["run"].as_str().unwrap().to_owned();
    assert_eq!(lines(&["--run", &run]).len(), 3);
    assert_eq!(lines(&["--run", &run[..13]]).len(), 3, "the beginning of an id is enough");
    let unknown = account.run(&["audit", "export", "--run", "zzz"]).code(1);
    unknown.complains("has no record of a run \"zzz\"").complains("evenkeel audit verify lists");
    account.run(&["audit", "export", "--out", "log.jsonl"]).code(0);
    assert_eq!(account.read("log.jsonl"), account.read(".evenkeel/audit.jsonl"));
    account.run(&["audit", "export", "--out", ".evenkeel/audit.jsonl"]).code(1);
}

/// The heads that a bucket has, also those that are hidden: their names, how long they are locked, and what
/// they say.
const HEADS: &str = "s3 = boto3.client('s3')\n\
     heads = []\n\
     for one in s3.list_object_versions(Bucket=bucket).get('Versions', []):\n\
     \x20   head = s3.get_object(Bucket=bucket, Key=one['Key'], VersionId=one['VersionId'])\n\
     \x20   days = (head['ObjectLockRetainUntilDate'] - head['LastModified']).days\n\
     \x20   heads.append([one['Key'], head['ObjectLockMode'], days, json.loads(head['Body'].read())])\n\
     print(json.dumps(heads))";

#[test]
fn heads_that_are_kept_in_a_locked_bucket_show_a_log_that_was_cut_off_or_replaced() {
    let account = account();
    let bucket = format!("heads-{}", account.id);
    let in_bucket = |script: &str| account.boto3(&format!("bucket = '{bucket}'\n{script}"));
    in_bucket(
        "boto3.client('s3').create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True, CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})\nprint('null')",
    );
    account.run(&["audit", "verify", "--anchored"]).code(1).complains("names no bucket");
    let fleet = account.read("evenkeel.toml");
    let anchor = format!(
        "anchor = {{ bucket = \"{bucket}\", region = \"eu-west-1\", prefix = \"logs/\", days = 30 }}\n\n[[target]]"
    );
    account.write("evenkeel.toml", &fleet.replace("[[target]]", &anchor));

    account.run(&["apply", "--yes"]).code(0);
    let heads = in_bucket(HEADS);
    let [name, mode, days, said] = serde_json::from_value::<[Value; 4]>(heads[0].clone()).unwrap();
    assert_eq!((&mode, &said["record"]), (&json!("COMPLIANCE"), &json!(3)), "{heads}");
    assert!([29, 30].contains(&days.as_u64().unwrap()), "{heads}");
    let digest = said["digest"].as_str().unwrap();
    assert!(name.as_str().unwrap().starts_with("logs/"), "{heads}");
    assert!(account.run(&["audit", "verify"]).stdout.contains(digest), "{heads}");
    account.run(&["audit", "verify", "--anchored"]).code(0).says("all of 1 head that were kept");
    // Nothing was written: there is nothing to keep. The controller keeps what it writes.
    account.run(&["apply", "--yes"]).code(0);
    weaken(&account);
    account.run(&["run", "--once"]).code(0);
    let heads = in_bucket(HEADS);
    assert_eq!(heads.as_array().unwrap().len(), 2, "{heads}");
    account.run(&["audit", "verify", "--anchored"]).code(0).says("all of 2 heads");

    // A delete hides them, and takes nothing away.
    in_bucket(
        "s3 = boto3.client('s3')\n\
         for one in s3.list_objects_v2(Bucket=bucket)['Contents']: s3.delete_object(Bucket=bucket, Key=one['Key'])\nprint('null')",
    );
    account.run(&["audit", "verify", "--anchored"]).code(0).says("all of 2 heads");
    let log = account.read(".evenkeel/audit.jsonl");
    let first: String = log.split_inclusive('\n').take(3).collect();
    account.write("cut.jsonl", &first);
    account.run(&["audit", "verify", "cut.jsonl"]).code(0).says("whole");
    let cut = account.run(&["audit", "verify", "cut.jsonl", "--anchored"]).code(1);
    cut.says("BROKEN").says("record 6 is not the one whose digest");
    let other = self::account();
    other.run(&["apply", "--yes"]).code(0);
    account.write("other.jsonl", &other.read(".evenkeel/audit.jsonl"));
    account.run(&["audit", "verify", "other.jsonl"]).code(0).says("whole");
    let replaced = account.run(&["audit", "verify", "other.jsonl", "--anchored"]).code(1);
    replaced
        .says("no head of this log was kept: it was replaced")
        .says("2 heads were kept of another log")
        .says("up to record 6");
    // Replaced by a new one, of which heads are kept as well: nobody calls that whole.
    std::fs::remove_file(account.folder.path().join(".evenkeel/audit.jsonl")).unwrap();
    weaken(&account);
    account.run(&["run", "--once"]).code(0);
    let replaced = account.run(&["audit", "verify", "--anchored"]).code(1);
    replaced.says("NOT ALL THERE").says("2 heads were kept of another log").says("with --also");
    account.write("before.jsonl", &log);
    let both = ["audit", "verify", "--anchored", "--also", "before.jsonl"];
    account.run(&both).code(0).says("before.jsonl: whole").says("all of 2 heads");
    account.write("before.jsonl", &first);
    account.run(&both).code(1).says("before.jsonl: BROKEN");
    // Removed, with nothing in its place.
    account.write(".evenkeel/audit.jsonl", "");
    account.run(&["audit", "verify", "--anchored"]).code(1).says("NOT ALL THERE");
}

#[test]
fn a_bucket_that_keeps_no_head_is_said_and_stops_nothing() {
    let account = account();
    let fleet = account.read("evenkeel.toml");
    let anchor = "anchor = { bucket = \"nobody-has-this\" }\n\n[[target]]";
    account.write("evenkeel.toml", &fleet.replace("[[target]]", anchor));
    let applied = account.run(&["apply", "--yes"]).code(0);
    applied.complains("the head of the audit log is not kept").complains("NoSuchBucket");
    account.run(&["audit", "verify"]).code(0).says("whole");
    account.run(&["audit", "verify", "--anchored"]).code(1).complains("s3:ListBucketVersions");
    account
        .run(&["policy", "--mode", "enforce"])
        .code(0)
        .says("s3:PutObjectRetention")
        .says(":::nobody-has-this/evenkeel/*");
}

/// The lines of the runbook that begin with one of these commands, in the part with this heading.
fn of_runbook(heading: &str, commands: &[&str]) -> String {
    let text = std::fs::read_to_string(support::root().join("docs/runbook.md")).unwrap();
    let part = text.split("\n## ").find(|part| part.starts_with(heading)).unwrap();
    let blocks = part.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let is_it = |line: &&str| commands.iter().any(|command| line.starts_with(command));
    let lines: Vec<&str> = blocks.flat_map(str::lines).filter(is_it).collect();
    assert_eq!(lines.len(), commands.len(), "{heading}: {lines:?}");
    lines.join("\n")
}

/// Runs lines of the runbook where the fleet file is.
fn follow(account: &Account, lines: &str, env: &[(&str, String)]) {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-euc", lines]).current_dir(account.folder.path());
    let output = shell.envs(env.iter().map(|(name, value)| (name, value))).output().unwrap();
    assert!(output.status.success(), "{lines}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What was remembered before a store was copied is remembered when the copy was brought back, and nothing else.
fn is_copied_and_brought_back(account: &Account, env: &[(&str, String)], copy: &str, back: &str) {
    account.run(&["apply", "--yes"]).code(0);
    follow(account, copy, env);
    let before = words(account, &[]);
    assert_eq!(before, ["resolved", "applied", "drift"]);
    weaken(account);
    account.run(&["apply", "--yes"]).code(0);
    assert_eq!(words(account, &[]).len(), 6);
    follow(account, back, env);
    assert_eq!(words(account, &[]), before);
    // It goes on from there.
    weaken(account);
    account.run(&["apply", "--yes"]).code(0);
    assert_eq!(words(account, &[]).len(), 6);
    account.run(&["audit", "verify"]).code(0);
}

#[test]
fn a_store_in_a_file_is_copied_and_brought_back_as_the_runbook_says() {
    let account = account();
    let copy = of_runbook("Upgrade", &["umask", "sqlite3"]);
    let back = of_runbook("The store is lost", &["mkdir", "install"]);
    is_copied_and_brought_back(&account, &[], &copy, &back);
    follow(&account, &of_runbook("It grows too large", &["sqlite3"]), &[]);
    assert_eq!(words(&account, &[]).len(), 6);
    for name in ["store-before.db", ".evenkeel/store.db"] {
        let file = std::fs::metadata(account.folder.path().join(name)).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.permissions());
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_store_in_postgres_is_copied_and_brought_back_as_the_runbook_says() {
    let server = Postgres::start();
    // The socket's folder, as the URL names it.
    let url = server.url();
    let host = url.rsplit_once("host=").unwrap().1.to_owned();
    let env = [("PGHOST", host), ("PGUSER", "evenkeel".to_owned())];
    let url = url.replace("/postgres?", "/evenkeel?");
    let account = with_store(&url);
    let create = of_runbook("The store is lost", &["createdb"]);
    follow(&account, &create, &env);
    let copy = of_runbook("Upgrade", &["umask", "pg_dump"]);
    let back = of_runbook("The store is lost", &["pg_restore"]);
    is_copied_and_brought_back(&account, &env, &copy, &back);
    // Into a database that is gone as well.
    follow(&account, &format!("dropdb evenkeel\n{create}\n{back}"), &env);
    assert_eq!(words(&account, &[]), ["resolved", "applied", "drift"]);
}

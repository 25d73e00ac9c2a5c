//! `evenkeel run` as a process: what an event tells is looked at and put back, and the rest is left to
//! the schedule.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{self, Account};

/// A bucket for trails, another trail that keeps telling, a queue, and a rule that fills it.
const HUB: &str = r#"
account = boto3.client('sts').get_caller_identity()['Account']
bucket, region = f'trails-{account}', 'eu-west-1'
s3, sqs = boto3.client('s3'), boto3.client('sqs')
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={'LocationConstraint': region})
s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Principal': {'Service': 'cloudtrail.amazonaws.com'},
     'Action': ['s3:GetBucketAcl', 's3:PutObject'],
     'Resource': [f'arn:aws:s3:::{bucket}', f'arn:aws:s3:::{bucket}/*']}]}))
trail = boto3.client('cloudtrail')
trail.create_trail(Name='another', S3BucketName=bucket)
trail.start_logging(Name='another')
url = sqs.create_queue(QueueName='events')['QueueUrl']
arn = f'arn:aws:sqs:{region}:{account}:events'
sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': json.dumps({
    'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow',
    'Principal': {'Service': 'events.amazonaws.com'}, 'Action': 'sqs:SendMessage', 'Resource': arn}]})})
events = boto3.client('events')
events.put_rule(Name='calls', EventPattern=json.dumps({'detail-type': ['AWS API Call via CloudTrail']}))
events.put_targets(Rule='calls', Targets=[{'Id': 'queue', 'Arn': arn}])
print(json.dumps(url))
"#;

/// An account whose calls become events, with a trail that is declared.
pub fn watched(mode: &str) -> Account {
    let account = support::emulator().account();
    let url = account.boto3(HUB);
    account.write(
        "b.toml",
        &format!(
            "schema = 1\n[baseline]\nname = \"t\"\nmode = \"{mode}\"\nregions = [\"eu-west-1\"]\n\n\
             [cloudtrail.trail.main]\ns3_bucket_name = \"trails-${{account.id}}\"\nis_logging = true\n\
             \n[ec2.ebs_encryption]\nenabled = true\n"
        ),
    );
    account.write(
        "evenkeel.toml",
        // Never by itself within this test.
        &format!(
            "schema = 1\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nschedule = \"0 0 0 1 1 *\"\nconfirmed = true\n\n\
             [controller]\nevent_queue_url = {url}\n"
        ),
    );
    account.control("POST", "events", Some(json!({})));
    account
}

/// What a test waits for and has not come after so long does not come: it fails instead of waiting for ever.
const PATIENCE: Duration = Duration::from_secs(600);

/// The controller, running.
pub struct Running {
    /// Its process.
    pub process: Child,
    lines: Receiver<String>,
}

impl Running {
    pub fn start(account: &Account) -> Self {
        Self::with(account.command(&["run"]))
    }

    /// Started by a command of one's own.
    pub fn with(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            let mut said = said.map_while(Result::ok);
            said.try_for_each(|line| sender.send(line))
        });
        Self { process, lines }
    }

    /// The next line of the log that is of this sort.
    pub fn next(&mut self, event: &str, mut is_it: impl FnMut(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = match self.lines.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Disconnected) => panic!("the controller ended"),
                Err(RecvTimeoutError::Timeout) => panic!("the controller says no such {event}"),
            };
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["event"] == event && is_it(&line) {
                return line;
            }
        }
    }

    /// Ends it as a supervisor does; gives the lines that were left.
    pub fn end(mut self) -> Vec<Value> {
        support::send(&self.process, "TERM");
        let left = self.lines.iter().map(|line| serde_json::from_str(&line).unwrap());
        let left = left.collect();
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
        left
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        support::kill(&mut self.process);
    }
}

#[test]
fn what_somebody_did_is_put_back_and_said_with_their_name() {
    let account = watched("enforce");
    let mut controller = Running::start(&account);
    let first = controller.next("run", |_| true);
    assert_eq!(
        (&first["target"], &first["causes"]),
        (&json!("here"), &json!(["start"])),
        "{first}"
    );
    assert_eq!(first["outcome"], "in sync", "{first}");
    // What it wrote itself is looked at once more, without a role.
    controller.next("run", |line| line["causes"].to_string().contains("EnableEbsEncryption"));

    account.boto3("boto3.client('cloudtrail').delete_trail(Name='main')\nprint('null')");
    let told =
        controller.next("told", |line| line["call"] == "cloudtrail.amazonaws.com:DeleteTrail");
    assert!(told["by"].as_str().unwrap().starts_with("arn:aws:"), "{told}");
    let repaired = controller.next("run", |line| line["applied"] != 0);
    assert_eq!(repaired["parts"], json!(["cloudtrail.trail"]), "{repaired}");
    assert_eq!(repaired["causes"][0]["call"], "cloudtrail.amazonaws.com:DeleteTrail");
    assert_eq!(repaired["causes"][0]["by"], told["by"]);
    assert_eq!(repaired["outcome"], "in sync", "{repaired}");
    let trails = account.boto3(
        "c = boto3.client('cloudtrail')\nprint(json.dumps([c.get_trail_status(Name='main')['IsLogging']]))",
    );
    assert_eq!(trails, json!([true]));
    controller.end();
}

/// A question to the queue that is open when its controller dies goes on there for up to 20 seconds, and what
/// comes meanwhile may be given to nobody: it comes again when its time is over.
#[test]
fn what_the_open_question_of_a_killed_controller_takes_comes_to_the_next_one() {
    let account = watched("enforce");
    let mut first = Running::start(&account);
    first.next("run", |_| true);
    support::kill(&mut first.process);
    let mut next = Running::start(&account);
    next.next("run", |_| true);
    account.boto3(STOP_LOGGING);
    next.next("told", |line| line["call"] == "cloudtrail.amazonaws.com:StopLogging");
    let repaired = next.next("run", |line| line["applied"] == 1);
    assert_eq!(repaired["outcome"], "in sync", "{repaired}");
    next.end();
}

#[test]
fn our_own_writes_end_the_looks_that_they_cause() {
    let account = watched("enforce");
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    account.boto3("boto3.client('cloudtrail').stop_logging(Name='main')\nprint('null')");
    let repaired = controller.next("run", |line| line["applied"] != 0);
    assert_eq!(repaired["outcome"], "in sync", "{repaired}");
    // Without a role there is no source identity: our own call is looked after once, and no more.
    controller.next("run", |line| line["causes"].to_string().contains("StartLogging"));
    let left = controller.end();
    assert!(
        !left.iter().any(|line| line["event"] == "run"
            && line["applied"].as_u64().is_some_and(|applied| applied != 0)),
        "{left:?}"
    );
}

#[test]
fn what_only_reports_is_told_and_left() {
    let account = watched("report");
    let mut controller = Running::start(&account);
    let first = controller.next("run", |_| true);
    assert_eq!(first["outcome"], "drift", "{first}");
    account.forget_calls();
    account.boto3("boto3.client('ec2').disable_ebs_encryption_by_default()\nprint('null')");
    let run = controller.next("run", |_| true);
    assert_eq!(run["parts"], json!(["ec2.ebs_encryption in eu-west-1"]), "{run}");
    assert_eq!(run["outcome"], "drift", "{run}");
    controller.end();
    let ours = account.writes();
    let ours: Vec<_> = ours.iter().filter(|call| !call.starts_with("sqs:")).collect();
    assert_eq!(ours, ["ec2:DisableEbsEncryptionByDefault"]);
}

#[test]
fn without_its_queue_it_says_so_and_goes_on() {
    let account = watched("enforce");
    account.boto3("q = boto3.client('sqs')\nq.delete_queue(QueueUrl=q.get_queue_url(QueueName='events')['QueueUrl'])\nprint('null')");
    let mut controller = Running::start(&account);
    let deaf = controller.next("deaf", |_| true);
    assert!(deaf["error"].as_str().unwrap().contains("NonExistentQueue"), "{deaf}");
    controller.end();
}

pub const STOP_LOGGING: &str =
    "boto3.client('cloudtrail').stop_logging(Name='main')\nprint('null')";

fn is_logging(account: &Account) -> bool {
    account.boto3(
        "print(json.dumps(boto3.client('cloudtrail').get_trail_status(Name='main')['IsLogging']))",
    ) == json!(true)
}

#[test]
fn files_that_break_are_refused_and_the_last_good_ones_repair() {
    let account = watched("enforce");
    let good = account.read("b.toml");
    let mut controller = Running::start(&account);
    let first = controller.next("run", |_| true)["files"].clone();
    assert!(first["digest"].is_string() && first["refused"].is_null(), "{first}");
    account.write("b.toml", "schema = 1\n[baseline\n");
    support::send(&controller.process, "HUP");
    let refused = controller.next("files", |_| true);
    assert_eq!(refused["in_force"], false, "{refused}");
    assert!(refused["error"].as_str().unwrap().contains("1 error"), "{refused}");
    // Somebody who has only the log knows where.
    assert!(refused["error"].as_str().unwrap().starts_with("b.toml:2: "), "{refused}");
    account.boto3(STOP_LOGGING);
    let repaired = controller.next("run", |line| line["applied"] == 1);
    assert_eq!(repaired["files"]["digest"], first["digest"], "{repaired}");
    assert_eq!(repaired["files"]["refused"]["digest"], refused["digest"], "{repaired}");
    assert!(is_logging(&account));

    account.write("b.toml", &good.replace("enabled = true", "enabled = false"));
    support::send(&controller.process, "HUP");
    let taken = controller.next("files", |_| true);
    assert_eq!(taken["in_force"], true, "{taken}");
    account.boto3(STOP_LOGGING);
    let repaired = controller.next("run", |line| line["applied"] == 1);
    assert_eq!(repaired["files"]["digest"], taken["digest"], "{repaired}");
    assert!(repaired["files"]["refused"].is_null(), "{repaired}");
    controller.end();
}

#[test]
fn while_the_kill_switch_is_on_nothing_is_written() {
    let account = watched("enforce");
    let fleet = account.read("evenkeel.toml");
    account.write("evenkeel.toml", &format!("{fleet}\n[safety]\nkill_switch = \"STOP\"\n"));
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    account.write("STOP", "");
    let on = controller.next("kill_switch", |_| true);
    assert!(on["on"] == true && on["why"].as_str().unwrap().contains("STOP"), "{on}");
    account.boto3(STOP_LOGGING);
    let held = controller.next("run", |line| line["causes"].to_string().contains("StopLogging"));
    assert!(held["kill_switch"].as_str().unwrap().contains("STOP"), "{held}");
    assert!(!is_logging(&account));
    std::fs::remove_file(account.folder.path().join("STOP")).unwrap();
    assert_eq!(controller.next("kill_switch", |_| true)["on"], false);
    let repaired = controller.next("run", |line| line["causes"].to_string().contains("released"));
    assert!(repaired["applied"] == 1 && repaired["kill_switch"].is_null(), "{repaired}");
    assert!(is_logging(&account));
    for on in [true, false] {
        support::send(&controller.process, "USR1");
        assert_eq!(controller.next("kill_switch", |_| true)["on"], on);
    }
    controller.end();
}

#[test]
fn nobody_else_writes_with_the_log_of_a_controller_that_lives() {
    let account = watched("enforce");
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    account.boto3("boto3.client('ec2').disable_ebs_encryption_by_default()\nprint('null')");
    account.run(&["apply", "--yes"]).code(3).complains("another run is writing with the audit log");
    controller.end();
}

#[test]
fn files_come_from_a_repository_elsewhere() {
    let account = watched("enforce");
    let folder = account.folder.path();
    let fleet = account.read("evenkeel.toml");
    let git = |args: &[&str]| {
        let output = std::process::Command::new("git")
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.com",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(args)
            .current_dir(folder.join("theirs"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let commit = |baseline: &str| {
        std::fs::write(folder.join("theirs/b.toml"), baseline).unwrap();
        git(&["add", "-A"]);
        git(&["commit", "-q", "-m", "c"]);
        git(&["rev-parse", "HEAD"])
    };
    std::fs::create_dir(folder.join("theirs")).unwrap();
    git(&["init", "-q", "-b", "main"]);
    let baseline = account.read("b.toml");
    std::fs::remove_file(folder.join("b.toml")).unwrap();
    account.write("theirs/evenkeel.toml", fleet.split("[controller]").next().unwrap());
    let first = commit(&baseline);
    account.write(
        "evenkeel.toml",
        &format!(
            "schema = 1\n[controller]\ngit = {{ url = \"file://{}/theirs\", every = \"1s\" }}\n",
            folder.display()
        ),
    );
    let mut controller = Running::start(&account);
    let run = controller.next("run", |_| true);
    assert_eq!((&run["files"]["commit"], &run["outcome"]), (&json!(first), &json!("in sync")));
    commit("schema = 1\n[baseline\n");
    let refused = controller.next("files", |_| true);
    assert_eq!(refused["in_force"], false, "{refused}");
    let third = commit(&baseline.replace("enabled = true", "enabled = false"));
    let taken = controller.next("files", |line| line["commit"] == json!(third));
    assert_eq!(taken["in_force"], true, "{taken}");
    controller.end();
    std::fs::rename(folder.join("theirs"), folder.join("gone")).unwrap();
    account.run(&["run", "--once"]).code(1).complains("git fetch failed");
}

/// What the environment says of git: who signs, and whose signature is known.
fn signing(folder: &std::path::Path) -> Option<[(&'static str, String); 1]> {
    let key = folder.join("key");
    let mut keygen = Command::new("ssh-keygen");
    let made = keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    made.is_ok_and(|status| status.success()).then_some(())?;
    let public = std::fs::read_to_string(folder.join("key.pub")).unwrap();
    std::fs::write(folder.join("allowed"), format!("t@example.com {public}")).unwrap();
    let config = format!(
        "[user]\nname = t\nemail = t@example.com\nsigningKey = {0}/key\n[gpg]\nformat = ssh\n\
         [gpg \"ssh\"]\nallowedSignersFile = {0}/allowed\n",
        folder.display()
    );
    std::fs::write(folder.join("gitconfig"), config).unwrap();
    Some([("GIT_CONFIG_GLOBAL", folder.join("gitconfig").display().to_string())])
}

#[test]
fn a_commit_that_is_not_signed_is_refused_by_name_and_is_no_trouble_of_the_network() {
    let account = watched("enforce");
    let folder = account.folder.path();
    // Without ssh-keygen nobody signs here; what is not signed is refused in the tests of git.
    let Some(env) = signing(folder) else { return };
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        let output = git.args(args).envs(env.clone()).current_dir(folder.join("theirs")).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let fleet = account.read("evenkeel.toml");
    std::fs::create_dir(folder.join("theirs")).unwrap();
    account.write("theirs/evenkeel.toml", fleet.split("[controller]").next().unwrap());
    std::fs::rename(folder.join("b.toml"), folder.join("theirs/b.toml")).unwrap();
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-S", "-m", "signed"]);
    let first = git(&["rev-parse", "HEAD"]);
    let port = support::free_port();
    account.write(
        "evenkeel.toml",
        &format!(
            "schema = 1\n[controller]\nlisten = \"127.0.0.1:{port}\"\n\
             git = {{ url = \"file://{}/theirs\", every = \"1s\", verify_signatures = true }}\n",
            folder.display()
        ),
    );
    let mut command = account.command(&["run"]);
    command.envs(env.clone());
    let mut controller = Running::with(command);
    assert_eq!(controller.next("run", |_| true)["files"]["commit"], json!(first));
    git(&["commit", "-q", "--allow-empty", "--no-gpg-sign", "-m", "not signed"]);
    let second = git(&["rev-parse", "HEAD"]);
    let refused = controller.next("files", |_| true);
    assert_eq!(refused["commit"], json!(second), "{refused}");
    assert_eq!(refused["in_force"], false, "{refused}");
    let status = account.run(&["status", "--format", "json"]).code(4).json();
    let files = &status["controller"]["files"];
    assert_eq!(files["refused"]["commit"], json!(second), "{files}");
    assert!(files["refused"]["why"].as_str().unwrap().contains("is not signed"), "{files}");
    assert!(files["unreachable"].is_null(), "{files}");
    // So is a history that was rewritten, which takes the place of what was refused before.
    git(&["commit", "-q", "--amend", "--allow-empty", "-S", "-m", "signed too"]);
    let third = controller.next("files", |_| true);
    assert_eq!(third["in_force"], true, "{third}");
    git(&["reset", "-q", "--hard", &first]);
    let back = controller.next("files", |_| true);
    assert_eq!((&back["commit"], &back["in_force"]), (&json!(first), &json!(false)), "{back}");
    assert!(back["error"].as_str().unwrap().contains("rewritten"), "{back}");
    controller.end();
}

#[test]
fn the_file_that_names_the_repository_says_nothing_else_and_people_are_told_where_to_go() {
    let account = support::emulator().account();
    let only = "schema = 1\n[controller]\ngit = { url = \"https://git.invalid/fleet.git\" }\n";
    account.write("b.toml", "schema = 1\n[baseline]\nname = \"t\"\n");
    for besides in [
        "[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\n",
        "[notify.webhook.w]\nurl = \"https://hooks.invalid/x\"\nsecret = \"${env.SECRET}\"\n",
        "[safety]\nmax_changes = 3\n",
    ] {
        account.write("evenkeel.toml", &format!("{only}{besides}"));
        let part = besides.split([']', '.']).next().unwrap();
        for command in [&["validate"][..], &["run", "--once"]] {
            account.run(command).code(1).complains("does not count here").complains(part);
        }
    }
    account.write("evenkeel.toml", &format!("{only}[safety]\nkill_switch = \"STOP\"\n"));
    account.run(&["validate"]).code(0);
    for command in [
        &["confirm", "here"][..],
        &["check"],
        &["plan"],
        &["apply", "--yes"],
        &["rollout", "status"],
        &["notify", "test", "webhook.w"],
    ] {
        account
            .run(command)
            .code(1)
            .complains("this fleet file declares nothing")
            .complains("in a checkout of that repository");
    }
}

/// An event of an account, as the queue has it.
fn event_of(account: &str) -> Value {
    json!({
        "version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2", "account": account, "region": "eu-west-1", "resources": [],
        "time": "2026-11-26T12:00:00Z",
        "detail": {
            "eventVersion": "1.11", "eventSource": "ec2.amazonaws.com", "eventID": "e1",
            "eventName": "DisableEbsEncryptionByDefault", "awsRegion": "eu-west-1",
            "eventTime": "2026-11-26T12:00:00Z", "recipientAccountId": account,
            "userIdentity": {
                "type": "IAMUser", "arn": format!("arn:aws:iam::{account}:user/zoe"),
                "accountId": account,
            },
        },
    })
}

#[test]
fn an_event_of_an_account_that_nobody_declares_is_no_run_that_failed() {
    let account = watched("enforce");
    let fleet = account.read("evenkeel.toml");
    let port = support::free_port();
    account.write(
        "evenkeel.toml",
        &fleet.replace("[controller]\n", &format!("[controller]\nlisten = \"127.0.0.1:{port}\"\n")),
    );
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    let body = event_of("999999999999").to_string();
    account.boto3(&format!(
        "q = boto3.client('sqs')\nu = q.get_queue_url(QueueName='events')['QueueUrl']\n\
         q.send_message(QueueUrl=u, MessageBody={body:?})\nprint('null')"
    ));
    controller.next("told", |line| line["account"] == "999999999999");
    // What came later is looked at later: by then, the first would have failed.
    account.boto3(STOP_LOGGING);
    let mut strange = Vec::new();
    controller.next("run", |line| {
        let is_ours = line["account"] == account.id.as_str();
        if !is_ours {
            strange.push(line.clone());
        }
        is_ours && line["applied"] == 1
    });
    assert!(strange.is_empty(), "{strange:?}");
    let status = account.run(&["status", "--format", "json"]).json();
    let runs = status["runs"].as_array().unwrap();
    assert!(runs.iter().all(|run| run["outcome"] != "failed"), "{status}");
    assert!(!controller.end().iter().any(|line| line["event"] == "again"));
}

#[test]
fn an_account_whose_events_do_not_come_is_blind() {
    let account = watched("report");
    let fleet = account.read("evenkeel.toml");
    let heartbeat = "heartbeat = { every = \"1s\", within = \"3s\" }\n";
    account.write("evenkeel.toml", &format!("{fleet}{heartbeat}"));
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    account.boto3("boto3.client('events').disable_rule(Name='calls')\nprint('null')");
    let id =
        account.boto3("print(json.dumps(boto3.client('sts').get_caller_identity()['Account']))");
    assert_eq!(controller.next("blind", |_| true)["account"], id);
    controller.next("run", |line| line["causes"] == json!(["blind"]));
    account.boto3("boto3.client('events').enable_rule(Name='calls')\nprint('null')");
    assert_eq!(controller.next("sees", |_| true)["account"], id);
    controller.end();
}

#[test]
fn the_store_is_that_of_the_file_that_names_the_repository_and_the_repositorys_is_refused() {
    let account = watched("report");
    let folder = account.folder.path();
    let git = |args: &[&str]| {
        let who = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
        let mut git = Command::new("git");
        let output = git.args(who).args(args).current_dir(folder.join("theirs")).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let commit = |more: &str| {
        let fleet = account.read("fleet.toml");
        account.write("theirs/evenkeel.toml", &format!("{fleet}{more}"));
        git(&["add", "-A"]);
        git(&["commit", "-q", "--no-gpg-sign", "-m", "another one"]);
    };
    std::fs::create_dir(folder.join("theirs")).unwrap();
    let fleet = account.read("evenkeel.toml");
    account.write("fleet.toml", fleet.split("[controller]").next().unwrap());
    std::fs::rename(folder.join("b.toml"), folder.join("theirs/b.toml")).unwrap();
    git(&["init", "-q", "-b", "main"]);
    commit("");
    account.write(
        "evenkeel.toml",
        &format!(
            "schema = 1\n[store]\nurl = \"sqlite://own.db\"\n[controller]\n\
             git = {{ url = \"file://{}/theirs\", every = \"1s\" }}\n",
            folder.display()
        ),
    );
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    let remembered = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    assert_eq!(remembered["runs"].as_array().unwrap().len(), 1, "{remembered}");
    commit("[store]\nurl = \"sqlite:///tmp/theirs.db\"\n");
    let refused = controller.next("files", |_| true);
    assert_eq!(refused["in_force"], false, "{refused}");
    let why = refused["error"].as_str().unwrap();
    assert!(why.contains("evenkeel.toml:10: [store] url does not count"), "{why}");
    controller.end();
    // Nor does one begin with it.
    account.run(&["run", "--once"]).code(1).complains("does not count");
    for (more, what) in [
        ("[safety]\nkill_switch = \"STOP\"\n", "[safety] kill_switch does not count"),
        ("[controller]\nlisten = \"127.0.0.1:9464\"\n", "[controller] listen does not count"),
    ] {
        commit(more);
        account.run(&["run", "--once"]).code(1).complains(what);
    }
    commit("");
    // In force, and it only reports.
    account.run(&["run", "--once"]).code(2);
}

#[test]
fn a_queue_whose_policy_lets_nobody_in_is_told_as_deaf_until_it_does() {
    let account = watched("report");
    let fleet = account.read("evenkeel.toml");
    account.write("evenkeel.toml", &format!("{fleet}path_every = \"1s\"\n"));
    let policy = |principal: &str| {
        account.boto3(&format!(
            "sqs = boto3.client('sqs')\n\
             url = sqs.get_queue_url(QueueName='events')['QueueUrl']\n\
             arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']\n\
             sqs.set_queue_attributes(QueueUrl=url, Attributes={{'Policy': json.dumps({{\n\
             \x20   'Version': '2012-10-17', 'Statement': [{{'Effect': 'Allow', 'Principal': {principal},\n\
             \x20   'Action': 'sqs:SendMessage', 'Resource': arn}}]}})}})\n\
             print('null')"
        ))
    };
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    policy("{'AWS': arn.split(':')[4]}");
    let deaf = controller.next("deaf", |_| true);
    let why = deaf["error"].as_str().unwrap();
    assert!(why.contains("neither EventBridge nor SNS"), "{deaf}");
    assert!(
        why.contains("let events.amazonaws.com have sqs:SendMessage on arn:aws:sqs:"),
        "{deaf}"
    );
    policy("{'Service': 'events.amazonaws.com'}");
    controller.next("hears", |_| true);
    controller.end();
}

/// Sends the controller events of calls, all at once: who made them, what they are, when, and what was asked.
pub fn tell(account: &Account, calls: &[(&str, &str, DateTime<Utc>, Value)]) {
    let event = |(who, call, time, asked): &(&str, &str, DateTime<Utc>, Value)| {
        let (source, name) = call.split_once(':').unwrap();
        let detail = json!({
            "eventID": format!("{who} {time}"), "eventTime": time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "eventSource": format!("{source}.amazonaws.com"), "eventName": name,
            "userIdentity": {"arn": format!("arn:aws:iam::{}:user/{who}", account.id)},
            "requestParameters": asked,
        });
        json!({
            "detail-type": "AWS API Call via CloudTrail", "account": account.id, "region": "eu-west-1",
            "detail": detail,
        })
        .to_string()
    };
    let events: Vec<String> = calls.iter().map(event).collect();
    account.write("events.json", &json!(events).to_string());
    let file = account.folder.path().join("events.json");
    account.boto3(&format!(
        "q = boto3.client('sqs')\n\
         q.send_message_batch(QueueUrl=q.get_queue_url(QueueName='events')['QueueUrl'], Entries=[\n\
         \x20   {{'Id': str(n), 'MessageBody': e}} for n, e in enumerate(json.load(open('{}')))])\n\
         print('null')",
        file.display()
    ));
}

/// Who is named for the last drift of an object.
pub fn named(account: &Account, item: &str) -> String {
    let run = account.run(&["history", "-i", item, "--outcome", "drift", "--limit", "1"]);
    run.code(0).stdout
}

#[test]
fn nobody_is_named_for_what_they_did_to_another_object_or_before_it_was_put_right() {
    let account = watched("enforce");
    // Only what this test tells is told.
    account
        .boto3("boto3.client('events').remove_targets(Rule='calls', Ids=['queue'])\nprint('null')");
    let items = account.read("b.toml");
    let topics = "\n[sns.topic.alpha]\ndisplay_name = \"alpha\"\n\n[sns.topic.beta]\ndisplay_name = \"beta\"\n";
    account.write("b.toml", &format!("{items}{topics}"));
    let mut controller = Running::start(&account);
    controller.next("run", |line| line["outcome"] == "in sync");
    let arn = |name: &str| format!("arn:aws:sns:eu-west-1:{}:{name}", account.id);
    let spoil = |name: &str| {
        account.boto3(&format!(
            "boto3.client('sns').set_topic_attributes(TopicArn='{}', AttributeName='DisplayName', AttributeValue='x')\nprint('null')",
            arn(name)
        ));
    };
    let asked = |name: &str| json!({"topicArn": arn(name), "attributeName": "DisplayName"});
    let set = "sns:SetTopicAttributes";

    spoil("alpha");
    spoil("beta");
    let calls = [
        ("innocent", "sns:TagResource", Utc::now(), json!({"resourceArn": arn("alpha")})),
        ("other", set, Utc::now(), asked("gamma")),
        ("bob", set, Utc::now(), asked("beta")),
        ("eve", set, Utc::now(), asked("alpha")),
    ];
    tell(&account, &calls);
    controller.next("run", |line| line["applied"] == 2);
    for (topic, who) in [("alpha", "user/eve"), ("beta", "user/bob")] {
        let said = named(&account, &format!("sns.topic.{topic}"));
        assert!(said.contains(who) && said.matches("user/").count() == 1, "{said}");
    }

    // Of twenty minutes ago: it was as declared since.
    spoil("alpha");
    tell(&account, &[("carol", set, Utc::now() - TimeDelta::minutes(20), asked("alpha"))]);
    controller.next("run", |line| line["applied"] != 0);
    let late = named(&account, "sns.topic.alpha");
    assert!(late.contains("drift") && !late.contains("user/"), "{late}");
    // Now it is she; alpha changed once more would be a fight.
    std::thread::sleep(Duration::from_millis(1_100));
    spoil("beta");
    tell(&account, &[("carol", set, Utc::now(), asked("beta"))]);
    controller.next("run", |line| line["applied"] != 0);
    let now = named(&account, "sns.topic.beta");
    assert!(now.contains("user/carol"), "{now}");
    controller.end();
}

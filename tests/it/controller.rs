//! `evenkeel run` as a process: what an event tells is looked at and put back, and the rest is left to
//! the schedule.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

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
fn watched(mode: &str) -> Account {
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

/// The controller, running.
struct Running {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(account: &Account) -> Self {
        let mut command = account.command(&["run"]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// The next line of the log that is of this sort.
    fn next(&mut self, event: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        for line in &mut self.lines {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if line["event"] == event && is_it(&line) {
                return line;
            }
        }
        panic!("the controller ended")
    }

    /// Ends it as a supervisor does; gives the lines that were left.
    fn end(mut self) -> Vec<Value> {
        support::send(&self.process, "TERM");
        let left = self.lines.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
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
    assert!(!left.iter().any(|line| line["event"] == "run" && line["applied"] != 0), "{left:?}");
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

#[test]
fn files_that_break_are_said_with_the_run_that_they_stop() {
    let account = watched("enforce");
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    account.write("b.toml", "schema = 1\n[baseline\n");
    account.boto3("boto3.client('cloudtrail').stop_logging(Name='main')\nprint('null')");
    let failed = controller.next("run", |line| line["outcome"] == "failed");
    assert!(failed["error"].as_str().unwrap().contains("1 error"), "{failed}");
    controller.next("again", |line| line["failures"] == 1);
    controller.end();
}

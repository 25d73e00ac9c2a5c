//! Notices as people and programs get them: by SNS, EventBridge and Security Hub of the emulator, and
//! by webhooks of a small server here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::controller::Running;
use crate::support::{self, Account};

const SECRET: &str = "0123456789abcdef0123456789abcdef-verysecret";

/// An account with a password policy that is too short, and a baseline that declares a longer one.
fn drifting(mode: &str, notify: &str) -> Account {
    let account = support::emulator().account();
    account.boto3("boto3.client('iam').update_account_password_policy(MinimumPasswordLength=9)\nprint('null')");
    account.write(
        "b.toml",
        &format!(
            "schema = 1\n[baseline]\nname = \"t\"\nmode = \"{mode}\"\n\n\
             [iam.password_policy]\nminimum_password_length = 14\n"
        ),
    );
    fleet(&account, notify);
    account
}

fn fleet(account: &Account, notify: &str) {
    account.write(
        "evenkeel.toml",
        &format!(
            "schema = 1\n\n[[target]]\nname = \"prod\"\nbaselines = [\"b.toml\"]\n\n{notify}\n"
        ),
    );
}

fn lengthen(account: &Account) {
    account.boto3("boto3.client('iam').update_account_password_policy(MinimumPasswordLength=14)\nprint('null')");
}

/// Makes a queue and gives its URL and ARN.
pub const QUEUE: &str = r"
account = boto3.client('sts').get_caller_identity()['Account']
sqs = boto3.client('sqs')
url = sqs.create_queue(QueueName='told')['QueueUrl']
arn = f'arn:aws:sqs:eu-west-1:{account}:told'
sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': json.dumps({
    'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow',
    'Principal': {'Service': ['events.amazonaws.com', 'sns.amazonaws.com']},
    'Action': 'sqs:SendMessage', 'Resource': arn}]})})
";

/// What is in the queue, and in it no more.
pub fn told(account: &Account) -> Vec<Value> {
    let bodies = account.boto3(
        "sqs = boto3.client('sqs')\nurl = sqs.get_queue_url(QueueName='told')['QueueUrl']\nall = []\n\
         while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get('Messages'):\n\
         \x20   for one in found:\n\
         \x20       all.append(json.loads(one['Body']))\n\
         \x20       sqs.delete_message(QueueUrl=url, ReceiptHandle=one['ReceiptHandle'])\n\
         print(json.dumps(all))",
    );
    bodies.as_array().unwrap().clone()
}

#[test]
fn a_head_of_the_audit_log_that_is_not_kept_is_told_once_and_that_it_is_kept_again() {
    let account = drifting("enforce", "");
    account.boto3(&format!(
        "{QUEUE}\nsns = boto3.client('sns')\ntopic = sns.create_topic(Name='security')['TopicArn']\n\
         sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=arn)\nprint('null')"
    ));
    let (topic, bucket) =
        (format!("arn:aws:sns:eu-west-1:{}:security", account.id), format!("heads-{}", account.id));
    fleet(
        &account,
        &format!(
            "confirmed = true\n[notify.sns.security]\ntopic_arn = \"{topic}\"\non = [\"failed\"]\n\
             [store]\nanchor = {{ bucket = \"{bucket}\", region = \"eu-west-1\" }}"
        ),
    );
    let subjects = || -> Vec<String> {
        told(&account).iter().map(|one| one["Subject"].as_str().unwrap().to_owned()).collect()
    };
    account.run(&["run", "--once"]).code(0);
    let first = subjects();
    assert!(first.len() == 1 && first[0].contains("the anchor of the audit log"), "{first:?}");
    account.run(&["run", "--once"]).code(0);
    assert_eq!(subjects(), [""; 0], "it was told");
    account.boto3(&format!(
        "boto3.client('s3').create_bucket(Bucket='{bucket}', ObjectLockEnabledForBucket=True, CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\nprint('null')"
    ));
    account.run(&["run", "--once"]).code(0);
    let last = subjects();
    assert!(last.len() == 1 && last[0].contains("over: the anchor of the audit log"), "{last:?}");
    account.run(&["audit", "verify", "--anchored"]).code(0).says("all of 1 head");
}

#[test]
fn a_topic_tells_of_drift_once_and_of_its_end() {
    let account = drifting("report", "");
    account.boto3(&format!(
        "{QUEUE}\nsns = boto3.client('sns')\ntopic = sns.create_topic(Name='security')['TopicArn']\n\
         sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=arn)\nprint('null')"
    ));
    let topic = format!("arn:aws:sns:eu-west-1:{}:security", account.id);
    fleet(&account, &format!("[notify.sns.security]\ntopic_arn = \"{topic}\""));
    account.run(&["run", "--once"]).code(2);
    let first = told(&account);
    assert_eq!(first.len(), 1, "{first:?}");
    let subject = first[0]["Subject"].as_str().unwrap();
    assert!(
        subject.starts_with("[evenkeel] medium: not as declared: iam.password_policy"),
        "{subject}"
    );
    let text = first[0]["Message"].as_str().unwrap();
    for part in [
        "minimum_password_length 9 → 14",
        "evenkeel: only reports it",
        &format!("look closer: evenkeel plan -a {} -k iam.password_policy", account.id),
        "since ",
        "run ",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    // It is so still: nobody is told again. A plan, and a check that is not asked to, tell nobody.
    account.run(&["run", "--once"]).code(2);
    account.run(&["plan"]).code(0);
    account.run(&["check"]).code(2);
    assert_eq!(told(&account), [json!(null); 0]);
    lengthen(&account);
    account.run(&["check", "--notify"]).code(0);
    let last = told(&account);
    assert_eq!(last.len(), 1, "{last:?}");
    assert!(last[0]["Subject"].as_str().unwrap().contains("over: iam.password_policy"), "{last:?}");
    assert!(
        account.shell("evenkeel notify test sns.security").code(0).stdout.contains("test notice")
    );
    assert!(told(&account)[0]["Subject"].as_str().unwrap().contains("test of evenkeel"));
}

/// Where there is no store, what waits is in a file: a damaged one is said once, with what helps, and
/// stops nothing.
#[test]
fn a_damaged_file_of_notices_is_said_once_and_stops_nothing() {
    let arn = "arn:aws:sns:eu-west-1:111122223333:alerts";
    let channels = format!(
        "[notify.sns.one]\ntopic_arn = \"{arn}\"\n[notify.sns.two]\ntopic_arn = \"{arn}\"\n"
    );
    let account = drifting("enforce", &channels);
    let kept = r#"{"latest": 1, "documents": {"notices/one/out/x": 1}}"#;
    for damaged in ["{\"latest\": 1, \"docu", kept] {
        account.write(".evenkeel/notices.json", damaged);
        let run = account.run(&["check", "--notify"]).code(2);
        let said: Vec<&str> = run.stderr.lines().filter(|line| line.contains("notices")).collect();
        let [line] = said.as_slice() else { panic!("{}", run.stderr) };
        assert!(line.starts_with("warning: notices are neither kept nor sent: the file"), "{line}");
        assert!(
            line.contains("notices.json is damaged") && line.contains("move it away"),
            "{line}"
        );
        assert!(!run.stderr.contains("WARN"), "{}", run.stderr);
        assert_eq!(account.read(".evenkeel/notices.json"), damaged);
    }
    account.run(&["apply", "--yes"]).code(0).complains("notices.json is damaged");
}

#[test]
fn a_fifo_topic_is_sent_to_with_a_group_and_the_letters_id() {
    let account = drifting("report", "");
    account.boto3(
        "sqs = boto3.client('sqs')\nsns = boto3.client('sns')\n\
         url = sqs.create_queue(QueueName='told.fifo', Attributes={'FifoQueue': 'true'})['QueueUrl']\n\
         arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']\n\
         sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': json.dumps({'Version': '2012-10-17', 'Statement': [\
         {'Effect': 'Allow', 'Principal': {'Service': 'sns.amazonaws.com'}, 'Action': 'sqs:SendMessage', 'Resource': arn}]})})\n\
         topic = sns.create_topic(Name='t.fifo', Attributes={'FifoTopic': 'true'})['TopicArn']\n\
         sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=arn)\nprint('null')",
    );
    let topic = format!("arn:aws:sns:eu-west-1:{}:t.fifo", account.id);
    fleet(&account, &format!("[notify.sns.x]\ntopic_arn = \"{topic}\""));
    account.run(&["notify", "test", "sns.x"]).code(0);
    let attributes = account.boto3(
        "sqs = boto3.client('sqs')\nurl = sqs.get_queue_url(QueueName='told.fifo')['QueueUrl']\n\
         found = sqs.receive_message(QueueUrl=url, AttributeNames=['All'])['Messages'][0]\n\
         print(json.dumps([found['Attributes']['MessageGroupId'], json.loads(found['Body'])['Message']]))",
    );
    assert_eq!(attributes[0], "evenkeel", "{attributes}");
}

#[test]
fn a_bus_has_an_event_for_each_object_that_rules_can_match() {
    let account = drifting("enforce", "[notify.eventbridge.bus]\n");
    account.boto3(&format!(
        "{QUEUE}\nevents = boto3.client('events')\n\
         events.put_rule(Name='told', EventPattern=json.dumps({{'source': ['evenkeel'], \
         'detail': {{'on': ['applied'], 'item': ['iam.password_policy']}}}}))\n\
         events.put_targets(Rule='told', Targets=[{{'Id': 'queue', 'Arn': arn}}])\nprint('null')"
    ));
    account.run(&["apply", "--yes"]).code(0);
    let all = told(&account);
    assert_eq!(all.len(), 1, "{all:?}");
    let detail = &all[0]["detail"];
    assert_eq!(all[0]["detail-type"], "evenkeel notice");
    assert_eq!(detail["account"], json!(account.id), "{detail}");
    assert_eq!(detail["status"], "done");
    assert_eq!(detail["what"], json!(["minimum_password_length 9 → 14"]));
    assert!(detail["did"].as_str().unwrap().starts_with("put it right"), "{detail}");
    // The head of the audit log, which `audit verify` finds again.
    let head = detail["audit_log"].as_str().unwrap().split(", ").nth(1).unwrap().to_owned();
    account.run(&["audit", "verify", "--head", &head]).code(0);
    account.boto3("boto3.client('iam').update_account_password_policy(MinimumPasswordLength=9)\nprint('null')");
    // What the bus does not take waits, and is sent by the next run.
    account.fault(json!({"service": "events", "operation": "PutEvents", "kind": "partial"}));
    account.run(&["apply", "--yes"]).code(0).complains("not every notice could be sent");
    assert_eq!(told(&account), [json!(null); 0]);
    account.no_faults();
    at_once(&account);
    account.run(&["run", "--once"]).code(0);
    assert_eq!(told(&account).len(), 1);
}

/// Lets what waits be tried now.
fn at_once(account: &Account) {
    let mut kept: Value = serde_json::from_str(&account.read(".evenkeel/notices.json")).unwrap();
    for (name, document) in kept["documents"].as_object_mut().unwrap() {
        if name.contains("/out/") {
            document["body"]["not_before"] = json!("2020-01-01T00:00:00Z");
        }
    }
    account.write(".evenkeel/notices.json", &kept.to_string());
}

#[test]
fn security_hub_has_one_finding_for_an_object_and_archives_it() {
    let account = drifting("report", "[notify.securityhub.hub]\n");
    account.boto3("boto3.client('securityhub').enable_security_hub()\nprint('null')");
    let findings = || {
        account.boto3("print(json.dumps(boto3.client('securityhub').get_findings()['Findings']))")
    };
    // What Security Hub does not take waits.
    account.fault(
        json!({"service": "securityhub", "operation": "BatchImportFindings", "kind": "partial"}),
    );
    account.run(&["run", "--once"]).code(2).complains("did not take every finding: InvalidInput");
    assert_eq!(findings(), json!([]));
    account.no_faults();
    account.forget_calls();
    at_once(&account);
    account.run(&["run", "--once"]).code(2);
    account.run(&["run", "--once"]).code(2);
    let found = findings();
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    let finding = &found[0];
    assert_eq!(finding["RecordState"], "ACTIVE", "{finding}");
    assert_eq!(finding["Compliance"]["Status"], "FAILED");
    assert_eq!(finding["AwsAccountId"], json!(account.id));
    assert_eq!(finding["FindingProviderFields"]["Severity"]["Label"], "MEDIUM");
    assert_eq!(
        finding["ProductArn"],
        json!(format!("arn:aws:securityhub:eu-west-1:{0}:product/{0}/default", account.id))
    );
    assert!(finding["Description"].as_str().unwrap().contains("minimum_password_length 9 → 14"));
    let imports =
        || account.calls().iter().filter(|call| call.operation == "BatchImportFindings").count();
    assert_eq!(imports(), 1);
    // Another state of the same object is the same finding.
    account.boto3("boto3.client('iam').update_account_password_policy(MinimumPasswordLength=8)\nprint('null')");
    account.run(&["run", "--once"]).code(2);
    let changed = findings();
    assert_eq!(changed.as_array().unwrap().len(), 1, "{changed}");
    assert_eq!(
        (&changed[0]["Id"], &changed[0]["CreatedAt"]),
        (&finding["Id"], &finding["CreatedAt"])
    );
    assert!(changed[0]["Description"].as_str().unwrap().contains("8 → 14"), "{changed}");
    lengthen(&account);
    account.run(&["run", "--once"]).code(0);
    let over = findings();
    assert_eq!(over.as_array().unwrap().len(), 1, "{over}");
    assert_eq!(
        (&over[0]["RecordState"], &over[0]["Compliance"]["Status"]),
        (&json!("ARCHIVED"), &json!("PASSED"))
    );
    assert_eq!(imports(), 3);
}

/// A request that arrived.
#[derive(Debug)]
struct Arrived {
    head: String,
    body: String,
}

impl Arrived {
    fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
    }
}

/// A server that gives each request an answer; without one, it never answers.
struct Server {
    port: u16,
    arrived: Receiver<Arrived>,
}

impl Server {
    fn answering(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, arrived) = channel();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                take(&mut stream, &sender);
                match answer {
                    Some(answer) => drop(stream.write_all(answer.as_bytes())),
                    None => open.push(stream),
                }
            }
        });
        Self { port, arrived }
    }

    fn next(&self) -> Arrived {
        self.arrived.recv_timeout(Duration::from_secs(60)).expect("a request arrives")
    }

    fn nothing_more(&self) {
        assert!(self.arrived.try_recv().is_err());
    }
}

fn take(stream: &mut TcpStream, sender: &Sender<Arrived>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_ok() {
        drop(sender.send(Arrived { head, body: String::from_utf8(body).unwrap() }));
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

fn hook(server: &Server) -> String {
    format!(
        "[notify.webhook.ops]\nurl = \"http://127.0.0.1:{}/told\"\nsecret = \"${{env.HOOK_SECRET}}\"",
        server.port
    )
}

fn run(account: &Account, args: &[&str]) -> support::Run {
    let mut command = account.command(args);
    command.env("HOOK_SECRET", SECRET);
    support::Run::new(args, command.output().unwrap())
}

/// The secret is nowhere where people or other programs read.
fn nothing_leaks(account: &Account, run: &support::Run, secret: &str) {
    assert!(
        !run.stdout.contains(secret) && !run.stderr.contains(secret),
        "{} {}",
        run.stdout,
        run.stderr
    );
    for entry in std::fs::read_dir(account.folder.path().join(".evenkeel")).into_iter().flatten() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains(secret));
    }
}

#[test]
fn a_webhook_gets_a_signed_letter_and_its_secret_is_nowhere_else() {
    let server = Server::answering(Some(OK));
    let account = drifting("enforce", &hook(&server));
    let done = run(&account, &["apply", "--yes", "-vv"]).code(0);
    let arrived = server.next();
    let letter: Value = serde_json::from_str(&arrived.body).unwrap();
    assert_eq!(letter["format_version"], 1);
    assert_eq!(letter["run"].as_str().unwrap().len(), 36);
    assert_eq!(letter["notices"][0]["on"], "applied", "{letter}");
    assert_eq!(letter["notices"][0]["places"][0]["account"], json!(account.id));
    assert_eq!(arrived.header("evenkeel-id"), letter["id"].as_str().unwrap());
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{}.{}", arrived.header("evenkeel-timestamp"), arrived.body).as_bytes());
    let signature = format!("v1={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(arrived.header("evenkeel-signature"), signature);
    nothing_leaks(&account, &done, SECRET);
    server.nothing_more();
}

#[test]
fn a_new_secret_of_a_channel_counts_for_the_next_letter() {
    let server = Server::answering(Some(OK));
    let hook = hook(&server).replace("${env.HOOK_SECRET}", "file:hook");
    let account = drifting("report", &hook);
    let is_signed_with = |secret: &str| {
        account.run(&["notify", "test", "webhook.ops"]).code(0);
        let arrived = server.next();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{}.{}", arrived.header("evenkeel-timestamp"), arrived.body).as_bytes());
        let signature = format!("v1={}", hex::encode(mac.finalize().into_bytes()));
        assert_eq!(arrived.header("evenkeel-signature"), signature);
    };
    account.write("hook", SECRET);
    is_signed_with(SECRET);
    let next = SECRET.replace('0', "9");
    account.write("hook", &next);
    is_signed_with(&next);
}

#[test]
fn what_a_webhook_refuses_is_kept_and_sent_once_with_the_same_id() {
    let refusing = Server::answering(Some(
        "HTTP/1.1 500 No\r\nContent-Length: 8\r\nConnection: close\r\n\r\nnot now!",
    ));
    let account = drifting("report", &hook(&refusing));
    let failed = run(&account, &["run", "--once"]).code(2).complains("it answered 500: not now!");
    nothing_leaks(&account, &failed, SECRET);
    let first = refusing.next();
    let good = Server::answering(Some(OK));
    fleet(&account, &hook(&good));
    // Not before its time.
    run(&account, &["run", "--once"]).code(2);
    good.nothing_more();
    at_once(&account);
    run(&account, &["run", "--once"]).code(2);
    let second = good.next();
    assert_eq!(first.header("evenkeel-id"), second.header("evenkeel-id"));
    assert_eq!(first.body, second.body);
    run(&account, &["run", "--once"]).code(2);
    good.nothing_more();
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::answering(Some(OK));
    let answer = format!(
        "HTTP/1.1 307 Over there\r\nLocation: http://127.0.0.1:{}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        elsewhere.port
    );
    let server = Server::answering(Some(answer.leak()));
    let account = drifting("report", &hook(&server));
    run(&account, &["notify", "test", "webhook.ops"])
        .code(1)
        .complains("redirects are not followed");
    server.next();
    elsewhere.nothing_more();
}

#[test]
fn a_webhook_that_hangs_is_cut_off_and_changes_nothing_of_the_run() {
    let server = Server::answering(None);
    let other = Server::answering(Some(OK));
    let notify = format!("{}\n[notify.slack.ops]\nurl = \"${{env.SLACK_URL}}\"\n", hook(&server));
    let account = drifting("enforce", &notify);
    let mut command = account.command(&["apply", "--yes", "-vv"]);
    let url = format!("http://127.0.0.1:{}/services/T0/verysecret", other.port);
    command.env("HOOK_SECRET", SECRET).env("SLACK_URL", url);
    let done = support::Run::new(&["apply", "--yes"], command.output().unwrap());
    let done = done.code(0).complains("it did not answer");
    nothing_leaks(&account, &done, "verysecret");
    server.next();
    let told: Value = serde_json::from_str(&other.next().body).unwrap();
    assert!(told["text"].as_str().unwrap().contains("put right: iam.password_policy"), "{told}");
}

#[test]
fn a_test_says_for_how_long_it_waited() {
    let server = Server::answering(None);
    let account = drifting("report", &hook(&server));
    let began = Instant::now();
    let tested = run(&account, &["notify", "test", "webhook.ops"]).code(1);
    let waited = began.elapsed().as_secs();
    let said = tested.stderr.split("did not answer within ").nth(1).unwrap();
    let said: u64 = said.split_whitespace().next().unwrap().parse().unwrap();
    // As docs/notices.md has it; the process takes a moment to begin and to end.
    assert!(said >= 15 && (said..said + 5).contains(&waited), "{said} of {waited} s");
}

/// A git repository, `theirs`, in the account's folder.
fn git(account: &Account, args: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(args);
    let output = git.current_dir(account.folder.path().join("theirs")).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_refused_commit_is_told_with_its_id_and_where_to_look_at_it() {
    let server = Server::answering(Some(OK));
    let account = drifting("report", &hook(&server));
    let folder = account.folder.path();
    std::fs::create_dir(folder.join("theirs")).unwrap();
    for file in ["evenkeel.toml", "b.toml"] {
        std::fs::rename(folder.join(file), folder.join("theirs").join(file)).unwrap();
    }
    let commit = || {
        git(&account, &["add", "-A"]);
        git(&account, &["commit", "-q", "--no-gpg-sign", "-m", "c"]);
        git(&account, &["rev-parse", "HEAD"])
    };
    git(&account, &["init", "-q", "-b", "main"]);
    commit();
    let own = format!(
        "schema = 1\n[controller]\ngit = {{ url = \"file://{}/theirs\", every = \"1s\" }}\n",
        folder.display()
    );
    account.write("evenkeel.toml", &own);
    let mut command = account.command(&["run"]);
    command.env("HOOK_SECRET", SECRET);
    let mut controller = Running::with(command);
    controller.next("run", |_| true);
    // Twice with the same problem: whoever made the second one thought to have mended it.
    for text in ["schema = 1\n[baseline\n", "schema = 1\n[baseline\n\n"] {
        account.write("theirs/b.toml", text);
        let refused = commit();
        let notice = loop {
            let letter: Value = serde_json::from_str(&server.next().body).unwrap();
            let of_files = letter["notices"][0].clone();
            if of_files["on"] == "files" {
                break of_files;
            }
        };
        let what = notice["what"].as_array().unwrap();
        assert_eq!(what[0], format!("commit {refused}"), "{notice}");
        assert!(what[1].as_str().unwrap().starts_with("b.toml:2"), "{notice}");
        let look = notice["look"].as_str().unwrap();
        assert!(look.starts_with("evenkeel status"), "{look}");
        assert!(look.contains("in a checkout of") && look.contains(&refused), "{look}");
    }
    controller.end();
}

#[test]
fn a_certificate_of_an_unknown_authority_is_not_trusted_until_somebody_says_so() {
    let server = Server::answering(Some(OK));
    let account = drifting("report", "");
    let authority = account.folder.path().join("authority.pem");
    let mut front = Command::new(support::python())
        .arg(support::root().join("tests/it/support/tls_front.py"))
        .arg(format!("127.0.0.1:{}", server.port))
        .arg(&authority)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(front.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let url = format!("https://localhost:{}/", port.trim());
    fleet(
        &account,
        &format!("[notify.webhook.ops]\nurl = \"{url}\"\nsecret = \"${{env.HOOK_SECRET}}\""),
    );
    run(&account, &["notify", "test", "webhook.ops"]).code(1).complains("ertificate");
    server.nothing_more();
    let mut command = account.command(&["notify", "test", "webhook.ops"]);
    command.env("HOOK_SECRET", SECRET).env("AWS_CA_BUNDLE", &authority);
    support::Run::new(&["notify test"], command.output().unwrap()).code(0);
    assert!(server.next().body.contains("nothing is wrong"));
    support::kill(&mut front);
}

#[test]
fn what_is_no_toml_is_said_without_the_secret_beside_it() {
    let account = support::emulator().account();
    let head =
        "schema = 1\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\n[notify.webhook.x]\n";
    for lines in [
        // Before, behind and on the line of the secret.
        "url = https\nsecret = \"verysecret\"\n",
        "secret = \"verysecret\"\nurl = [\n",
        "secret = verysecret\n",
        "secret = \"verysecret\n",
        "secret = \n\"verysecret\"\n",
        "secret \"verysecret\"\n",
        "secret: verysecret\n",
        "secret = [\n\"verysecret\"\nonly = 1\n",
        "secret.value = \"verysecret\" oops\n",
        "ulr = \"https://hooks.slack.com/services/T0/verysecret\" oops\n",
    ] {
        account.write("evenkeel.toml", &format!("{head}{lines}"));
        let refused = account.run(&["validate"]).code(1);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(!said.contains("verysecret"), "{lines}\n{said}");
        assert!(said.contains("TOML"), "{lines}\n{said}");
    }
}

#[test]
fn channels_that_cannot_be_are_refused_with_their_field_and_no_secret() {
    let account = drifting(
        "report",
        "[notify.slack.ops]\nurl = \"https://hooks.slack.com/services/T0/B0/verysecret\"\n\
         [notify.webhook.x]\nurl = \"http://hooks.example.com/\"\nsecret = \"verysecret\"\n\
         [notify.sns.y]\ntopic_arn = \"topic\"\nkinds = [\"nope\"]\ntargets = [\"nope\"]\n",
    );
    let refused = account.run(&["validate"]).code(1);
    for part in [
        "the URL of slack.ops is a secret",
        "the secret of webhook.x must not stand in this file",
        "the url of webhook.x is not https",
        "the topic of sns.y is no ARN",
        "\"nope\", which is no kind",
        "the target \"nope\"",
    ] {
        assert!(refused.stderr.contains(part), "no {part:?} in {}", refused.stderr);
    }
    assert!(!refused.stderr.contains("verysecret"), "{}", refused.stderr);
    fleet(&account, "[notify.sms.x]\nnumber = \"1\"\n");
    account.run(&["validate"]).code(1).complains("sms");
    fleet(&account, "");
    account.run(&["notify", "test", "sns.x"]).code(1).complains("there is no channel");
    account.run(&["check", "--notify"]).code(1).complains("no channel to tell");
}

//! What may happen while a plan is applied: somebody else writes, a quota is full, the disk is full,
//! the process is killed, another run is there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::support::declared::{self, HEADER, POLICY, ROLE, account};
use crate::support::library::{self, Declaration};
use crate::support::{self, Account, Run};
use evenkeel::aws::Session;
use evenkeel::aws::reads::ReadCache;
use evenkeel::plan::Plan;
use evenkeel::reconcile::observe::turns;
use evenkeel::reconcile::{
    AccountLocks, Applier, ApplyReport, ListenError, Listener, Nobody, RunEvent, Step, Stop, Told,
    observe_all,
};
use evenkeel::store::audit::{AuditLog, Check};
use serde_json::{Value, json};

/// An account, a way into it, and the plan for a sample there.
struct Planned {
    account: Account,
    session: Arc<Session>,
    plan: Plan,
}

impl Planned {
    async fn new(account: Account, sample: &str) -> Self {
        let session = library::connect(&account).await;
        let declaration = Declaration::new(&account, sample);
        let reads = Arc::new(ReadCache::default());
        let declared = declaration.items(&session).await;
        let items = observe_all(&session, &reads, declared, None, &turns(), |_, _| {}).await;
        let plan = library::plan(&session, &declaration, items);
        Self { account, session, plan }
    }

    async fn apply(&self, listener: &dyn Listener) -> ApplyReport {
        let audit = AuditLog::open(&self.audit_log()).unwrap();
        let sessions =
            BTreeMap::from([(self.session.account().clone(), Arc::clone(&self.session))]);
        let stop = Stop::default();
        Applier {
            sessions: &sessions,
            claimants: &BTreeMap::new(),
            audit: &audit,
            stop: &stop,
            guarded: None,
            kill_switch: &evenkeel::guards::KillSwitch::default(),
            safety: &library::EVERYTHING,
            concurrent_accounts: 1,
            may_begin: &|| Ok(()),
            locks: &AccountLocks::default(),
        }
        .apply(&self.plan, listener)
        .await
    }

    fn audit_log(&self) -> std::path::PathBuf {
        self.account.folder.path().join("audit.jsonl")
    }

    fn records(&self) -> Vec<Value> {
        let log = self.account.read("audit.jsonl");
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Somebody who acts as soon as evenkeel has made its first write.
struct AfterTheFirst<'a>(Mutex<Option<Box<dyn FnMut() + Send + 'a>>>);
impl Listener for AfterTheFirst<'_> {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        if let RunEvent::Wrote { .. } = told.event
            && let Some(mut act) = self.0.lock().unwrap().take()
        {
            act();
        }
        Ok(())
    }
}

/// Somebody who cannot hear of a write that is about to be sent.
struct Deaf;
impl Listener for Deaf {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        match told.event {
            RunEvent::Writing { .. } => Err(ListenError::Other("the notice board is full".into())),
            _ => Ok(()),
        }
    }
}

fn moved(report: &ApplyReport) -> Vec<&str> {
    let outcomes = report.outcomes.iter();
    let moved = outcomes.filter(|outcome| matches!(outcome.step, Step::Moved { .. }));
    moved.map(|outcome| outcome.title.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_of_a_setting() {
    let account = support::emulator().account();
    account.mess();
    let planned = Planned::new(account, POLICY).await;
    planned.account.boto3(
        "boto3.client('iam').update_account_password_policy(MinimumPasswordLength=10, RequireSymbols=True)",
    );
    let report = planned.apply(&Nobody).await;
    assert_eq!(moved(&report).len(), 1, "{report:#?}");
    let now = planned.account.boto3(
        "p = boto3.client('iam').get_account_password_policy()['PasswordPolicy']\n\
         print(json.dumps([p['MinimumPasswordLength'], p['RequireSymbols'], p['RequireNumbers']]))",
    );
    assert_eq!(now, json!([10, true, false]), "the other one's policy is as it was left");
    assert_eq!(planned.account.read("audit.jsonl"), "", "nothing was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_cannot_hear_of_is_not_written() {
    let planned = Planned::new(support::emulator().account(), &format!("{POLICY}{ROLE}")).await;
    let report = planned.apply(&Deaf).await;
    assert_eq!(report.applied(), 0, "{report:#?}");
    assert!(report.outcomes.iter().all(|one| one.step == Step::NotTried), "{report:#?}");
    assert_eq!(report.log_failure.as_deref(), Some("the notice board is full"));
    assert_eq!(planned.account.writes(), [""; 0], "nothing was sent");
    let records = planned.records();
    let phases: Vec<_> = records.iter().map(|record| &record["phase"]).collect();
    assert_eq!(phases, ["intent", "failed"], "and the log says so");
    assert_eq!(records[1]["class"], "unheard");
    assert!(AuditLog::open(&planned.audit_log()).unwrap().unfinished().is_empty());
}

/// Between two writes of one object: the second is a document that holds what was there.
#[tokio::test(flavor = "multi_thread")]
async fn two_writers_of_a_named_object() {
    let account = support::emulator().account();
    let deny = |sid: &str, action: &str| {
        format!(
            "{{'Sid': '{sid}', 'Effect': 'Deny', 'Principal': '*', 'Action': '{action}', 'Resource': 'arn:aws:s3:::logs-{}/*'}}",
            account.id
        )
    };
    let put = |statements: &str| {
        format!(
            "s.put_bucket_policy(Bucket=b, Policy=json.dumps({{'Version': '2012-10-17', 'Statement': [{statements}]}}))"
        )
    };
    let head = format!("s, b = boto3.client('s3'), 'logs-{}'\n", account.id);
    account.boto3(&format!(
        "{head}s.create_bucket(Bucket=b, CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\n{}",
        put(&deny("Existing", "s3:DeleteObject"))
    ));
    let both = format!(
        "{}, {}",
        deny("Existing", "s3:DeleteObject"),
        deny("IncidentLockdown", "s3:GetObject")
    );
    let lockdown = format!("{head}{}", put(&both));
    let planned = Planned::new(
        account,
        "[s3.bucket.logs]\nbucket = \"logs-${account.id}\"\nversioning = \"Enabled\"\nrequire_tls = true\n",
    )
    .await;
    assert_eq!(planned.plan.order.len(), 2, "{:#?}", planned.plan.objects);
    let report = planned
        .apply(&AfterTheFirst(Mutex::new(Some(Box::new(|| {
            drop(planned.account.boto3(&lockdown))
        })))))
        .await;
    let steps: Vec<_> = report.outcomes.iter().map(|outcome| &outcome.step).collect();
    assert!(matches!(steps[..], [Step::Applied, Step::Moved { .. }]), "{report:#?}");
    let sids = planned.account.boto3(&format!(
        "{head}print(json.dumps([one.get('Sid') for one in json.loads(s.get_bucket_policy(Bucket=b)['Policy'])['Statement']]))"
    ));
    assert_eq!(sids, json!(["Existing", "IncidentLockdown"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_of_one_object_of_a_sweep() {
    let account = support::emulator().account();
    account.mess();
    let planned = Planned::new(
        account,
        "[ec2.default_security_group]\ningress = []\negress = []\nin_use = \"enforce\"\n",
    )
    .await;
    let script = |what: &str| {
        format!(
            "ec2 = boto3.client('ec2', region_name='us-east-1')\n\
             g = ec2.describe_security_groups(Filters=[{{'Name': 'group-name', 'Values': ['default']}}])['SecurityGroups'][0]['GroupId']\n\
             {what}"
        )
    };
    planned.account.boto3(&script(
        "ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=[{'IpProtocol': 'tcp', 'FromPort': 5, 'ToPort': 5, 'IpRanges': [{'CidrIp': '10.0.0.0/8'}]}])",
    ));
    let report = planned.apply(&Nobody).await;
    assert!(!moved(&report).is_empty(), "{report:#?}");
    assert!(moved(&report).iter().all(|title| title.contains("us-east-1")), "{report:#?}");
    assert!(report.applied() > 0, "the groups of the other Region are done: {report:#?}");
    let ports = planned.account.boto3(&script(
        "print(json.dumps(sorted(r['FromPort'] for r in ec2.describe_security_group_rules(Filters=[{'Name': 'group-id', 'Values': [g]}])['SecurityGroupRules'] if not r['IsEgress'])))",
    ));
    assert_eq!(ports, json!([-1, 5, 22]), "nothing of it was touched");
}

#[test]
fn what_has_moved_is_named_and_the_rest_goes_on() {
    let account = account(&format!("{ROLE}\n{POLICY}"));
    account.mess();
    // The first read is the plan's; later ones see what somebody did meanwhile.
    account.fault(json!({
        "service": "iam", "operation": "GetAccountPasswordPolicy", "kind": "replace", "after": 1,
        "find": "<MinimumPasswordLength>8<", "replace": "<MinimumPasswordLength>9<",
    }));
    account.forget_calls();
    account
        .run(&["apply", "-b", "b.toml", "--yes"])
        .code(4)
        .says("MOVED")
        .says("done      iam.role");
    assert!(account.calls().iter().all(|call| call.operation != "UpdateAccountPasswordPolicy"));
    account.no_faults();
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
}

#[test]
fn what_somebody_did_as_declared_is_not_done_again() {
    let account = account(POLICY);
    account.mess();
    account.fault(json!({
        "service": "iam", "operation": "GetAccountPasswordPolicy", "kind": "replace", "after": 1,
        "find": "<MinimumPasswordLength>8<", "replace": "<MinimumPasswordLength>14<",
    }));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0).says("0 changes applied");
}

/// Ten managed policies are the most; one is exchanged for another.
#[tokio::test(flavor = "multi_thread")]
async fn what_makes_room_goes_first_when_a_quota_is_full() {
    let account = support::emulator().account();
    account.boto3(
        "iam = boto3.client('iam')\n\
         allow = lambda action, **more: json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': action, **more}]})\n\
         iam.create_role(RoleName='full', AssumeRolePolicyDocument=allow('sts:AssumeRole', Principal={'Service': 'ec2.amazonaws.com'}))\n\
         for number in range(11):\n\
         \x20   arn = iam.create_policy(PolicyName=f'p{number}', PolicyDocument=allow('s3:ListAllMyBuckets', Resource='*'))['Policy']['Arn']\n\
         \x20   if number < 10: iam.attach_role_policy(RoleName='full', PolicyArn=arn)",
    );
    let arns: Vec<String> = (1..11)
        .map(|number| format!("\"arn:aws:iam::${{account.id}}:policy/p{number}\""))
        .collect();
    let mut planned = Planned::new(
        account,
        &format!("[iam.role.full]\nmanaged_policy_arns = [{}]\n", arns.join(", ")),
    )
    .await;
    let changes = &mut planned.plan.objects[0].changes;
    // As in an account whose quota is lower than the one that evenkeel plans for: the addition comes
    // first, and the quota turns the order.
    changes.sort_by_key(|change| change.action.as_ref().unwrap()["step"].get("attach").is_none());
    for (id, change) in (1..).zip(changes.iter_mut()) {
        change.id = id;
        change.depends_on = Vec::new();
        let is_removal = change.action.as_ref().unwrap()["step"].get("detach").is_some();
        assert_eq!(change.makes_room, is_removal);
    }
    let order: Vec<u32> = changes.iter().map(|change| change.id).collect();
    planned.plan.order = order;
    let report = planned.apply(&Nobody).await;
    assert!(report.is_complete(), "{report:#?}");
    let phases: Vec<_> = planned
        .records()
        .iter()
        .map(|record| {
            (record["change"].as_u64().unwrap(), record["phase"].as_str().unwrap().to_owned())
        })
        .collect();
    let expected = [
        (1, "intent"),
        (1, "failed"),
        (2, "intent"),
        (2, "applied"),
        (1, "intent"),
        (1, "applied"),
        (0, "observed"),
    ];
    assert_eq!(phases, expected.map(|(change, phase)| (change, phase.to_owned())));
    let refused = &planned.records()[1];
    assert_eq!((&refused["class"], &refused["again_after"]), (&json!("quota"), &json!(2)));
    assert_eq!(Check::of(&planned.audit_log(), None).unwrap().faults(), []);
}

#[test]
fn a_full_disk_ends_the_run_with_its_closing_lines() {
    // The log is the first file that has no room any more.
    let long = "a".repeat(700);
    let account = account(&format!("{ROLE}description = \"{long}\"\n\n{POLICY}"));
    // As if the disk had so many KiB.
    let on_a_disk_of = |size: u32| {
        let inner = account.command(&["apply", "-b", "b.toml", "--yes"]);
        let mut command = std::process::Command::new("bash");
        command
            .args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\"", &size.to_string()])
            .arg(inner.get_program())
            .args(inner.get_args())
            .current_dir(account.folder.path())
            .envs(account.env());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = on_a_disk_of(4);
    assert_eq!(code, Some(4), "{text}");
    for words in ["done      iam.role", "the audit log", "nothing more was written", "applied"] {
        assert!(text.contains(words), "no {words:?}: {text}");
    }
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["audit", "verify"]).code(0).says("whole");
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn a_second_run_is_refused_while_the_first_one_writes() {
    let account = account(POLICY);
    let mut first = account.hanging("iam", "UpdateAccountPasswordPolicy", false);
    let process = format!("process {}", first.id());
    account
        .run(&["apply", "-b", "b.toml", "--yes"])
        .code(3)
        .complains("another run is writing")
        .complains(&process);
    assert!(!account.read(".evenkeel/audit.jsonl").contains("recovered"), "it is alive");
    support::kill(&mut first);
    account.no_faults();
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0).complains("was killed while");
}

fn open_intent(account: &Account) -> bool {
    account.run(&["audit", "verify"]).code(0).stdout.contains("No outcome")
}

#[test]
fn a_write_that_a_run_died_in_stays_open_until_somebody_looked() {
    let account = account(&format!("{ROLE}\n{POLICY}"));
    support::kill(&mut account.hanging("iam", "CreateRole", true));
    account.no_faults();
    assert!(open_intent(&account));
    // Nobody can look: nobody says that it was looked at.
    account.fault(json!({ "service": "iam", "operation": "GetRole" }));
    let run = |kind: &str| -> Run { account.run(&["apply", "-b", "b.toml", "--yes", "-k", kind]) };
    run("iam.password_policy").code(0).complains("iam.role.audit").complains("nobody knows");
    assert!(open_intent(&account));
    account.no_faults();
    account.forget_calls();
    // Also a run that is about something else looks at what is open.
    run("iam.password_policy").complains("was killed while it wrote iam.role.audit");
    assert!(account.calls().iter().any(|call| call.operation == "GetRole"));
    assert!(!open_intent(&account));
    let log = account.read(".evenkeel/audit.jsonl");
    let recovered: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|record: &Value| record["phase"] == "recovered")
        .collect();
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered[0]["after"]["status"], "present", "{recovered:#?}");
    assert_eq!(recovered[0]["in_sync"], false);
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
}

#[test]
fn an_audit_log_that_was_changed_is_noticed() {
    let account = account(&format!("{ROLE}\n{POLICY}"));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["audit", "verify"]).code(0).says("whole").says("1 run").says("assumed-role");
    let log = account.read(".evenkeel/audit.jsonl");
    account.write("cut.jsonl", &log[..log.len() - 40]);
    account.run(&["audit", "verify", "cut.jsonl"]).code(0).says("torn");
    let head = account.run(&["audit", "verify"]).code(0).stdout;
    let head = head.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    account.run(&["audit", "verify", "cut.jsonl", "--head", &head]).code(1).says("cut off");
    // Nothing, or a single digit, is a variable of a workflow that is not there.
    for head in ["", "f"] {
        account.run(&["audit", "verify", "--head", head]).code(1).complains("--head");
    }
    account.run(&["audit", "verify", "nothere"]).code(1).complains("cannot open nothere");
    let forged = log.replace(":assumed-role/", ":user/mallory/");
    assert_ne!(forged, log);
    account.write(".evenkeel/audit.jsonl", &forged);
    account.run(&["audit", "verify"]).code(1).says("BROKEN").says("line 1");
    account
        .run(&["apply", "-b", "b.toml", "--yes"])
        .code(0)
        .complains("audit log")
        .complains("evenkeel audit verify");
}

#[test]
fn an_audit_log_that_is_no_file_is_refused_at_once() {
    let account = account(POLICY);
    let status = std::process::Command::new("mkfifo")
        .arg(account.folder.path().join("pipe"))
        .status()
        .unwrap();
    assert!(status.success());
    std::os::unix::fs::symlink("/dev/full", account.folder.path().join("full")).unwrap();
    for name in ["pipe", "full"] {
        account
            .run(&["apply", "-b", "b.toml", "--yes", "--audit-log", name])
            .code(1)
            .complains("not a regular file");
        account.run(&["audit", "verify", name]).code(1).complains("not a regular file");
    }
    account.run(&["check", "-b", "b.toml"]).code(2);
}

/// What takes rights away waits for nothing that gives some, and for no description.
#[test]
fn what_closes_a_door_waits_for_nothing_that_opens_one() {
    let fault = |account: &Account, service: &str, operation: &str| {
        account.fault(json!({
            "service": service, "operation": operation, "kind": "error", "code": "AccessDenied", "status": 403,
        }));
    };
    let apply = |account: &Account| {
        account.run(&["apply", "-b", "b.toml", "--yes", "--max-risk", "destructive"]).code(4);
    };
    // An administrator's policy goes although the one that is to come is not there.
    let account = declared::account(
        "[iam.role.door]\nmanaged_policy_arns = [\"arn:aws:iam::${account.id}:policy/nothere\"]\ninline_policies = {}\n\
         trusted_account_ids = [\"${account.id}\"]\npermissions_boundary = \"arn:aws:iam::aws:policy/ReadOnlyAccess\"\n",
    );
    account.boto3(
        "iam = boto3.client('iam')\n\
         trust = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': '*', 'Action': 'sts:AssumeRole'}]})\n\
         every = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]})\n\
         iam.create_role(RoleName='door', AssumeRolePolicyDocument=trust)\n\
         iam.attach_role_policy(RoleName='door', PolicyArn='arn:aws:iam::aws:policy/AdministratorAccess')\n\
         iam.put_role_policy(RoleName='door', PolicyName='bad', PolicyDocument=every)",
    );
    fault(&account, "iam", "PutRolePermissionsBoundary");
    apply(&account);
    let left = account.boto3(
        "iam = boto3.client('iam')\n\
         role = iam.get_role(RoleName='door')['Role']\n\
         print(json.dumps([iam.list_attached_role_policies(RoleName='door')['AttachedPolicies'],\n\
         \x20   iam.list_role_policies(RoleName='door')['PolicyNames'],\n\
         \x20   role['AssumeRolePolicyDocument']['Statement'][0]['Principal'] == '*']))",
    );
    assert_eq!(left, json!([[], [], false]));
    // A description keeps no key open.
    let account = declared::account(
        "[kms.key.door]\ndescription = \"x\"\nkey_users = [\"arn:aws:iam::${account.id}:root\"]\nenable_key_rotation = true\n",
    );
    account.boto3(
        "kms = boto3.client('kms')\n\
         own = boto3.client('sts').get_caller_identity()['Account']\n\
         policy = json.dumps({'Version': '2012-10-17', 'Statement': [\n\
         \x20   {'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{own}:root'}, 'Action': 'kms:*', 'Resource': '*'},\n\
         \x20   {'Effect': 'Allow', 'Principal': '*', 'Action': 'kms:Decrypt', 'Resource': '*'}]})\n\
         kms.create_alias(AliasName='alias/door', TargetKeyId=kms.create_key(Policy=policy)['KeyMetadata']['KeyId'])",
    );
    fault(&account, "kms", "UpdateKeyDescription");
    account.forget_calls();
    apply(&account);
    let writes = account.writes();
    for operation in ["PutKeyPolicy", "EnableKeyRotation"] {
        assert!(writes.iter().any(|one| one.contains(operation)), "{operation}: {writes:?}");
    }
}

/// Two inline policies that fit before and after, and not while both are long.
#[test]
fn an_inline_policy_that_shrinks_makes_room_for_one_that_grows() {
    let policy = |resources: usize| {
        let list: Vec<String> =
            (0..resources).map(|at| format!("\"arn:aws:s3:::bucket-{at:04}/*\"")).collect();
        format!(
            "{{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"s3:GetObject\", Resource = [{}] }}] }}",
            list.join(", ")
        )
    };
    let items = |new: usize, two: usize| {
        format!(
            "[iam.role.long]\ntrusted_account_ids = [\"${{account.id}}\"]\ninline_policies.new = {}\ninline_policies.two = {}\n",
            policy(new),
            policy(two)
        )
    };
    let account = account(&items(50, 250));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.declare(&items(250, 50));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn an_audit_log_in_a_linked_folder_is_not_written() {
    let account = account(POLICY);
    std::fs::create_dir(account.folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", account.folder.path().join(".evenkeel")).unwrap();
    let run = account.run(&["apply", "-b", "b.toml", "--yes"]).code(1);
    run.complains("in a linked folder");
    assert_eq!(account.writes(), Vec::<String>::new());
}

/// Whoever changes the repository can make a link as well; the folder of the fleet file is no part of that.
#[test]
fn what_the_fleet_file_names_in_a_linked_folder_is_not_written_however_the_file_is_named() {
    let account = account(POLICY);
    let fleet =
        "schema = 1\n[[target]]\nname = \"t\"\nbaselines = [\"b.toml\"]\nconfirmed = true\n";
    let path = |name: &str| account.folder.path().join(name);
    std::fs::create_dir(path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", path("logs")).unwrap();
    for (line, field) in [
        ("audit_log = \"logs/audit.jsonl\"", "store.audit_log"),
        ("url = \"sqlite://logs/store.db\"", "store.url"),
    ] {
        account.write("evenkeel.toml", &format!("{fleet}[store]\n{line}\n"));
        let absolute = path("evenkeel.toml").to_str().unwrap().to_owned();
        for config in ["evenkeel.toml", "./evenkeel.toml", &absolute] {
            let run = account.run(&["apply", "--yes", "--config", config]).code(1);
            run.complains(&format!("what {field} names is in logs, which is a link"));
            // A controller reads its files by other hands.
            let run = account.run(&["run", "--once", "--config", config]).code(1);
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(said.contains("which is a link"), "{said}");
            assert_eq!(account.writes(), Vec::<String>::new());
        }
    }
    assert_eq!(std::fs::read_dir(path("elsewhere")).unwrap().count(), 0);
}

/// Two changes of one object, of which one is over the limit.
#[test]
fn what_is_only_reported_is_not_waited_for() {
    let account = account("");
    account.boto3(&format!(
        "s, b = boto3.client('s3'), 'logs-{}'\n\
         s.create_bucket(Bucket=b, CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\n\
         s.put_object(Bucket=b, Key='k', Body=b'')",
        account.id
    ));
    account.write(
        "b.toml",
        &format!(
            "{HEADER}[s3.bucket.logs]\nbucket = \"logs-${{account.id}}\"\nversioning = \"Enabled\"\n\
             lifecycle = [{{ id = \"all\", expiration = {{ days = 30 }} }}]\n"
        ),
    );
    let run = account.run(&["apply", "-b", "b.toml", "--yes", "--max-risk", "disruptive"]).code(2);
    let run = run.says("1 change applied").says("what the plan only reports of it is left");
    assert!(!run.stdout.contains("in a minute"), "{}", run.stdout);
    assert!(!run.stdout.contains("verified"), "{}", run.stdout);
    let log = account.read(".evenkeel/audit.jsonl");
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!((&last["phase"], &last["in_sync"]), (&json!("observed"), &json!(false)));
    account.run(&["check", "-b", "b.toml"]).code(2);
}

#[test]
fn what_nobody_could_observe_again_is_not_called_different() {
    let account = account(ROLE);
    // Read of what is there alone: the role is new, and is looked at once before its policy is attached.
    account.fault(json!({ "service": "iam", "operation": "ListAttachedRolePolicies", "after": 1 }));
    account
        .run(&["apply", "-b", "b.toml", "--yes"])
        .code(4)
        .says("nobody knows whether it is as declared")
        .says("ListAttachedRolePolicies");
}

#[test]
fn a_saved_plan_is_a_regular_file_of_a_sane_size() {
    let account = account(POLICY);
    let path = |name: &str| account.folder.path().join(name);
    let status = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
    assert!(status.success());
    // Sparse: it takes no room.
    std::fs::File::create(path("large.json")).unwrap().set_len((1 << 30) + 1).unwrap();
    for (name, words) in [("pipe", "not a regular file"), ("large.json", "1024 MiB")] {
        account.run(&["apply", name, "-b", "b.toml", "--yes"]).code(1).complains(words);
        account.run(&["merge-reports", name]).code(1).complains(words);
    }
    account.run(&["plan", "-b", "pipe"]).code(1).complains("not a regular file");
    account.run(&["plan", "-b", "b.toml", "--snapshot", "pipe"]).code(1).complains("regular file");
}

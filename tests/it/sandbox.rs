//! The properties in a real account, for those who have one: `EVENKEEL_SANDBOX_ACCOUNT=<12 digits>
//! cargo test --test it sandbox::`, with credentials from the environment. CONTRIBUTING.md says how.
//!
//! Each kind is taken through its samples: what was applied is there, planning again finds nothing,
//! and at the end everything is taken back, last change first, until the account looks as before.
//! The account must say that it is one to try things in. Kinds that cost money, interrupt somebody
//! or cannot be taken back are left out unless `EVENKEEL_SANDBOX_KINDS` names them.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use crate::support::library::{self, Declaration, observe};
use crate::support::{self, Account};
use evenkeel::aws::meter::Meter;
use evenkeel::aws::session::Options;
use evenkeel::aws::{Call, Session};
use evenkeel::kinds::erased::DynKind;
use evenkeel::kinds::{Object, Undo, registry};
use evenkeel::plan::{ObjectPlan, Plan, Verdict};
use evenkeel::reconcile::{AccountLocks, Applier, Nobody, Stop};
use evenkeel::store::audit::AuditLog;
use serde_json::Value;

/// What an account says that is there to try things in: in its alias, or as the key of a tag of the
/// role that the credentials are of.
const MARK: &str = "evenkeel-sandbox";
/// Kinds that are free, interrupt nobody, and can be taken back whole.
const HARMLESS: [&str; 4] =
    ["iam.role", "iam.password_policy", "s3.account_public_access_block", "iam.root_user"];
/// How often, and how long apart, an account is looked at until it is as before: IAM takes seconds.
const LOOKS: u32 = 30;
const PAUSE: Duration = Duration::from_secs(2);

/// Whether the account is one to try things in.
async fn is_marked(session: &Session) -> bool {
    let iam = session.client(session.home_region(), aws_sdk_iam::Client::new);
    let call = Call::new("iam", "ListAccountAliases");
    let aliases = iam.list_account_aliases().send();
    let aliases = session.send(session.home_region(), call, None, Box::pin(aliases)).await;
    if aliases.is_ok_and(|list| list.account_aliases().iter().any(|alias| alias.contains(MARK))) {
        return true;
    }
    // arn:aws:sts::111122223333:assumed-role/NAME/SESSION
    let Some(role) = session.caller_arn().split('/').nth(1) else { return false };
    let call = Call::new("iam", "ListRoleTags");
    let tags = iam.list_role_tags().role_name(role).send();
    let tags = session.send(session.home_region(), call, None, Box::pin(tags)).await;
    tags.is_ok_and(|list| list.tags().iter().any(|tag| tag.key() == MARK))
}

/// The kinds to try.
fn kinds() -> Vec<&'static dyn DynKind> {
    let named = std::env::var("EVENKEEL_SANDBOX_KINDS").unwrap_or_default();
    let named: Vec<&str> =
        named.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let wanted: Vec<&str> = if named.is_empty() { HARMLESS.to_vec() } else { named };
    for name in &wanted {
        assert!(registry::find(name).is_some(), "EVENKEEL_SANDBOX_KINDS: there is no kind {name}");
        assert_ne!(*name, "iam.account_alias", "the alias is what marks the account");
    }
    let all = registry::all().iter().map(AsRef::as_ref);
    all.filter(|kind| wanted.contains(&kind.name())).collect()
}

/// What was looked at, without what AWS makes anew each time.
async fn states(session: &Arc<Session>, declaration: &Declaration) -> BTreeMap<String, Value> {
    let mut states = BTreeMap::new();
    for item in observe(session, declaration).await {
        for object in item.objects.unwrap_or_default() {
            let object: Option<Object<Value>> = library::comparable(Some(&object));
            let key = format!(
                "{} {} {}",
                item.declared.item,
                item.facts.region,
                object.as_ref().map_or("", |one| one.id.as_str())
            );
            states.insert(key, serde_json::to_value(object).unwrap());
        }
    }
    states
}

/// A plan that is applied whole, and after which there is nothing to do.
async fn bring(
    session: &Arc<Session>,
    audit: &AuditLog,
    declaration: &Declaration,
    done: &mut Vec<(ObjectPlan, Undo<Value>)>,
) -> Result<(), String> {
    let plan = library::plan(session, declaration, observe(session, declaration).await);
    // Noted before it is done: what was done in half is taken back too.
    for id in &plan.order {
        let (object, change) = plan.changes()[id];
        if let Some(undo) = &change.undo {
            done.push((object.clone(), undo.as_ref().clone()));
        }
    }
    let sessions = BTreeMap::from([(session.account().clone(), Arc::clone(session))]);
    let stop = Stop::default();
    let report = Applier {
        sessions: &sessions,
        claimants: &BTreeMap::new(),
        audit,
        stop: &stop,
        guarded: None,
        kill_switch: &evenkeel::guards::KillSwitch::default(),
        safety: &library::EVERYTHING,
        concurrent_accounts: 1,
        may_begin: &|| Ok(()),
        locks: &AccountLocks::default(),
    }
    .apply(&plan, &Nobody)
    .await;
    if !report.is_complete() {
        return Err(format!("not all was done: {report:#?}"));
    }
    let mut left = Vec::new();
    for _ in 0..LOOKS {
        let plan = library::plan(session, declaration, observe(session, declaration).await);
        left = left_to_do(&plan);
        if left.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(format!("planning again is not quiet: {left:#?}"))
}

fn left_to_do(plan: &Plan) -> Vec<String> {
    let objects = plan
        .objects
        .iter()
        .filter(|object| object.is_changed() || matches!(object.verdict, Verdict::Unknown(_)));
    objects.map(|object| format!("{}: {:?}", object.title(), object.verdict)).collect()
}

/// What stays of a kind in an account.
#[derive(Default)]
struct Rest {
    /// What evenkeel says that it cannot take back.
    left: Vec<String>,
    /// What went wrong.
    wrong: Vec<String>,
}

/// Takes everything back, last change first.
async fn put_back(session: &Arc<Session>, done: Vec<(ObjectPlan, Undo<Value>)>, rest: &mut Rest) {
    for (object, undo) in done.into_iter().rev() {
        match undo {
            Undo::Impossible(reason) => rest.left.push(format!("{}: {reason}", object.title())),
            Undo::By(actions) => {
                for action in &actions {
                    if let Err(error) = library::try_write(session, &object, action).await {
                        rest.wrong.push(format!("{}: {error}", object.title()));
                    }
                }
            }
        }
    }
}

/// Takes one kind through its samples and back.
async fn try_kind(session: &Arc<Session>, audit: &AuditLog, kind: &dyn DynKind) -> Rest {
    let declarations: Vec<Declaration> =
        kind.samples().iter().map(|sample| Declaration::of(library::sample(sample))).collect();
    let mut before = Vec::new();
    for declaration in &declarations {
        before.push(states(session, declaration).await);
    }
    let (mut done, mut rest) = (Vec::new(), Rest::default());
    for declaration in &declarations {
        if let Err(error) = bring(session, audit, declaration, &mut done).await {
            rest.wrong.push(format!("{}: {error}", kind.name()));
            break;
        }
    }
    put_back(session, done, &mut rest).await;
    if rest.left.is_empty() && rest.wrong.is_empty() {
        for (declaration, before) in declarations.iter().zip(&before) {
            let mut after = states(session, declaration).await;
            for _ in 0..LOOKS {
                if after == *before {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
                after = states(session, declaration).await;
            }
            if after != *before {
                rest.wrong.push(format!("{}: {before:#?}\nis now {after:#?}", kind.name()));
            }
        }
    }
    rest
}

/// Does nothing unless an account is named; the tests below name one of the emulator's.
#[tokio::test(flavor = "multi_thread")]
async fn properties_in_a_real_account() {
    let Ok(account) = std::env::var("EVENKEEL_SANDBOX_ACCOUNT") else { return };
    let session = Session::connect(Arc::new(Meter::default()), Options::default()).await.unwrap();
    assert_eq!(session.account().as_str(), account, "the credentials are of another account");
    assert!(
        is_marked(&session).await,
        "the account {account} does not say that it is one to try things in: give it an alias with {MARK} in it, or the role of the credentials a tag {MARK}"
    );
    let session = Arc::new(session);
    let folder = tempfile::tempdir().unwrap();
    let audit = AuditLog::open(&folder.path().join("audit.jsonl")).unwrap();
    let mut wrong = Vec::new();
    for kind in kinds() {
        let rest = try_kind(&session, &audit, kind).await;
        wrong.extend(rest.wrong);
        // Who asked for a kind that leaves something behind is told what.
        match HARMLESS.contains(&kind.name()) {
            true => wrong.extend(rest.left),
            false => rest
                .left
                .iter()
                .for_each(|left| writeln!(std::io::stderr(), "stays: {left}").unwrap()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// This test executable once more, as somebody with an account would start it.
fn with_account(account: &Account, id: &str, kinds: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sandbox::properties_in_a_real_account"])
        .envs(account.env())
        .env("EVENKEEL_SANDBOX_ACCOUNT", id)
        .env("EVENKEEL_SANDBOX_KINDS", kinds)
        .output()
        .unwrap()
}

#[test]
fn a_marked_account_is_tried_and_put_back() {
    let account = support::emulator().account();
    let mark = format!("evenkeel-sandbox-{}", account.id);
    account.boto3(&format!("boto3.client('iam').create_account_alias(AccountAlias='{mark}')"));
    account.mess();
    for kinds in ["", "s3.bucket, ec2.ebs_encryption"] {
        let output = with_account(&account, &account.id, kinds);
        let words = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{kinds}: {words}");
    }
    assert!(account.calls().iter().any(|call| call.operation == "UpdateAccountPasswordPolicy"));
}

#[test]
fn no_other_account_is_touched() {
    let account = support::emulator().account();
    for (id, why) in [(account.id.as_str(), "does not say"), ("999988887777", "another account")] {
        account.forget_calls();
        let output = with_account(&account, id, "");
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success() && words.contains(why), "{words}");
        let calls = account.calls();
        let reads = ["GetCallerIdentity", "ListAccountAliases", "ListRoleTags"];
        assert!(calls.iter().all(|call| reads.contains(&call.operation.as_str())), "{calls:?}");
    }
}

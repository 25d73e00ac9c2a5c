//! The library against the emulator, for tests that look closer than the command line does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use evenkeel::aws::reads::ReadCache;
use evenkeel::aws::session::Options;
use evenkeel::aws::{Session, meter::Meter};
use evenkeel::baseline::check::Checker;
use evenkeel::baseline::load::Memory;
use evenkeel::baseline::{self, Baseline, Environment, LoadOptions};
use evenkeel::kinds::erased::{ApplyError, DynKind};
use evenkeel::kinds::{AllowedGrants, Cx, Facts, Object, Risk, registry};
use evenkeel::names::Region;
use evenkeel::plan::{
    AccountInput, BaselineRef, Cost, Declared, Mode, ObjectPlan, ObservedItem, Plan, PlanHead,
    TargetRef, assemble, plan_account,
};
use evenkeel::reconcile::observe::turns;
use evenkeel::reconcile::{
    About, AccountLocks, Aimed, Applier, ApplyReport, Nobody, Safety, Selection, Stop, declare,
    observe_all,
};
use evenkeel::store::Store;
use evenkeel::store::audit::AuditLog;
use serde_json::Value;

use super::Account;

/// The Regions that the tests look at.
pub const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];

/// A session for an account of the emulator.
pub async fn connect(account: &Account) -> Arc<Session> {
    connect_with(account, Options::default()).await
}

/// The same with options.
pub async fn connect_with(account: &Account, options: Options) -> Arc<Session> {
    let env = account.env();
    let credentials = aws_credential_types::Credentials::new(
        &account.access_key,
        &account.secret_key,
        Some(account.session_token.clone()),
        None,
        "test",
    );
    let meter = Arc::new(Meter::default());
    let loader = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .credentials_provider(credentials)
        .endpoint_url(&env["AWS_ENDPOINT_URL"])
        .region(aws_config::Region::new("eu-west-1"));
    Arc::new(Session::with_loader(loader, meter, options).await.unwrap())
}

/// A sample as a whole baseline, in mode enforce.
pub fn sample(sample: &str) -> String {
    format!(
        "schema = 1\n[baseline]\nname = \"sample\"\nmode = \"enforce\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n{sample}"
    )
}

/// A baseline in mode enforce.
pub struct Declaration {
    /// Its text.
    pub text: String,
    baseline: Baseline<'static>,
    only: Option<&'static str>,
    /// IAM actions behind the calls of an apply.
    pub seen: Mutex<Vec<String>>,
}

impl Declaration {
    /// A sample with a header.
    pub fn new(account: &Account, sample: &str) -> Self {
        let _ = account;
        Self::of(self::sample(sample))
    }

    /// A whole baseline file.
    pub fn of(text: String) -> Self {
        Self::tried(text.clone()).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
    }

    /// The same, or what is wrong with it.
    pub fn tried(text: String) -> Result<Self, String> {
        let path = PathBuf::from("sample.toml");
        let memory = Memory(BTreeMap::from([(path.clone(), text.clone())]));
        let options = LoadOptions {
            variables: BTreeMap::new(),
            environment: Environment::default(),
            today: NaiveDate::default(),
        };
        let loaded = baseline::load(&[path], &memory, registry::catalog(), options)
            .map_err(|problems| problems.to_string())?;
        Ok(Self { text, baseline: loaded.baseline, only: None, seen: Mutex::default() })
    }

    /// A sample of which only the items of one kind are looked at.
    pub fn only(account: &Account, kind: &'static dyn DynKind, sample: &str) -> Self {
        Self::new(account, sample).of_kind(kind)
    }

    /// The same, of which only the items of one kind are looked at.
    #[must_use]
    pub fn of_kind(self, kind: &'static dyn DynKind) -> Self {
        Self { only: Some(kind.name()), ..self }
    }

    /// What it declares for the account.
    pub async fn items(&self, session: &Arc<Session>) -> Vec<(Declared, Facts)> {
        self.resolved(session).await.unwrap_or_else(|unresolved| panic!("{unresolved}"))
    }

    /// The same, or what of it stands for nothing there.
    pub async fn resolved(&self, session: &Arc<Session>) -> Result<Vec<(Declared, Facts)>, String> {
        let selection = Selection {
            kinds: self.only.iter().map(|kind| (*kind).to_owned()).collect(),
            ..Selection::default()
        };
        let account = evenkeel::fleet::organization::Account {
            id: session.account().clone(),
            name: None,
            email: None,
            state: "ACTIVE".to_owned(),
            ous: Vec::new(),
            tags: None,
        };
        let about = About { account: &account, organization: None };
        let aimed = Aimed { baseline: &self.baseline, ceiling: Mode::Enforce };
        let reads = Arc::new(ReadCache::default());
        let declared = declare(aimed, session, &reads, about, &selection).await;
        match declared.unresolved.is_empty() {
            true => Ok(declared.items),
            false => Err(format!("{:?}", declared.unresolved)),
        }
    }
}

/// Looks at what is declared.
pub async fn observe(session: &Arc<Session>, declaration: &Declaration) -> Vec<ObservedItem> {
    let reads = Arc::new(ReadCache::default());
    observe_all(session, &reads, declaration.items(session).await, None, &turns(), |_, _| {}).await
}

/// The plan for what was observed, whatever its risk.
pub fn plan(session: &Arc<Session>, declaration: &Declaration, items: Vec<ObservedItem>) -> Plan {
    let target = TargetRef {
        account: session.account().clone(),
        name: None,
        partition: session.partition().to_owned(),
        home_region: session.home_region().clone(),
        regions: REGIONS.into_iter().map(Region::new).collect(),
    };
    let account = plan_account(&AccountInput {
        items,
        beside: Vec::new(),
        kind: &registry::find,
        waiver: &|_, _, _| None,
        max_risk: Risk::Destructive,
        allow_grants: AllowedGrants::ALL,
    });
    let head = PlanHead {
        run: "test".to_owned(),
        baseline: BaselineRef {
            name: "sample".to_owned(),
            digest: declaration.baseline.digest.clone(),
            files: Vec::new(),
            targets: Vec::new(),
        },
        targets: vec![target],
        failed: Vec::new(),
        skipped: Vec::new(),
        snapshot: None,
        shards: None,
        cost: Cost::default(),
    };
    assemble(head, vec![account])
}

/// Limits within which everything is.
pub const EVERYTHING: Safety = Safety {
    max_changes: usize::MAX,
    max_changes_per_account: usize::MAX,
    max_risk: Risk::Destructive,
    allow_grants: AllowedGrants::ALL,
};

/// Applies a plan.
pub async fn apply(account: &Account, session: &Arc<Session>, plan: &Plan) -> ApplyReport {
    let audit = AuditLog::open(&account.folder.path().join("audit.jsonl")).unwrap();
    let sessions = BTreeMap::from([(session.account().clone(), Arc::clone(session))]);
    let stop = Stop::default();
    Applier {
        sessions: &sessions,
        claimants: &BTreeMap::new(),
        audit: &audit,
        stop: &stop,
        guarded: None,
        kill_switch: &evenkeel::guards::KillSwitch::default(),
        safety: &EVERYTHING,
        concurrent_accounts: 1,
        may_begin: &|| Ok(()),
        locks: &AccountLocks::default(),
    }
    .apply(plan, &Nobody)
    .await
}

/// Does one write of a kind, without a plan.
pub async fn write(session: &Arc<Session>, object: &ObjectPlan, action: &Value) {
    try_write(session, object, action)
        .await
        .unwrap_or_else(|error| panic!("{}: {action}: {error}", object.title()));
}

/// The same, which AWS may refuse.
pub async fn try_write(
    session: &Arc<Session>,
    object: &ObjectPlan,
    action: &Value,
) -> Result<(), ApplyError> {
    let facts = Facts {
        account: object.account.clone(),
        partition: session.partition().to_owned(),
        region: object.region.clone(),
        home_region: session.home_region().clone(),
        item: object.item.clone(),
    };
    let cx = Cx::new(facts, Arc::clone(session), Arc::new(ReadCache::default()));
    let kind = registry::find(&object.item.kind).unwrap();
    kind.apply(&cx.writable("test"), action).await
}

/// An observed object without what AWS makes anew each time, such as the ids of rules, and without what it tells
/// of another object: the policy of its key is the key's own, and whose a bucket is, the bucket's.
pub fn comparable(object: Option<&Object<Value>>) -> Option<Object<Value>> {
    object.map(|object| {
        let mut object = object.clone();
        if let evenkeel::kinds::Status::Present(state) = &mut object.status {
            without_what_is_not_its_own(state);
        }
        object
    })
}

/// Security group rules, flow logs, exclusions and the like have a new id after they were taken away and put back.
fn without_what_is_not_its_own(value: &mut Value) {
    match value {
        Value::Object(map) => {
            const OTHERS: [&str; 10] = [
                "rule_id",
                "security_group_rule_id",
                "flow_log_id",
                "exclusion_id",
                "custom_data_identifier_id",
                "allow_list_id",
                "scan_configuration_arn",
                "key_policy",
                "declared_key",
                "is_own_bucket",
            ];
            map.retain(|key, _| !OTHERS.contains(&key.as_str()));
            map.values_mut().for_each(without_what_is_not_its_own);
        }
        Value::Array(list) => {
            list.iter_mut().for_each(without_what_is_not_its_own);
            list.sort_by_key(ToString::to_string);
        }
        _ => {}
    }
}

/// Insists that a spec fits its kind's schema and rules.
#[track_caller]
pub fn fits(kind: &dyn DynKind, spec: &Value) {
    let mismatches = Checker::new(kind.schema()).unwrap().mismatches(spec);
    assert!(mismatches.is_empty(), "{}: {spec:#}\n{mismatches:#?}", kind.name());
    let problems = kind.check(spec);
    assert!(problems.is_empty(), "{}: {spec:#}\n{problems:#?}", kind.name());
}

/// Asks the store that a database keeps.
pub fn ask<T>(url: &str, what: impl AsyncFnOnce(Store) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(url, Path::new(".")).await.unwrap();
        what(store).await
    })
}

//! The properties that every kind must have, checked for all kinds of the registry against the
//! emulator. A new kind is covered by its `SAMPLES` alone: going from an untidy account to each
//! sample in turn, and back, exercises all its reads and writes.
//!
//! One kind only: `EVENKEEL_KIND=s3.bucket cargo test --test it properties::`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::lagging;
use crate::own_writes;

use crate::support::library::{self, Declaration, apply, observe};
use crate::support::{self, Account, organization};
use evenkeel::aws::Session;
use evenkeel::aws::permission::iam_action;
use evenkeel::kinds::erased::DynKind;
use evenkeel::kinds::object::Cause;
use evenkeel::kinds::{Arns, Object, Status, Undo, registry};
use evenkeel::permissions::Permissions;
use evenkeel::plan::{Mode, ObservedItem, Plan, PlannedChange, Verdict};
use evenkeel::reconcile::Step;
use futures::StreamExt;
use serde_json::Value;

/// Engine calls that are no kind's: who am I, which Regions.
const ENGINE_CALLS: [&str; 2] = ["sts:GetCallerIdentity", "ec2:DescribeRegions"];
/// Operations that change nothing in the account, whatever their names begin with.
const READ_PREFIXES: [&str; 5] = ["BatchGet", "Get", "List", "Describe", "Head"];

pub type Kind = &'static dyn DynKind;

/// A test for each property: all kinds, some at the same time.
macro_rules! properties {
    ($($test:ident => $property:path),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                each_kind($property).await;
            }
        )+
    };
}

properties! {
    convergence_and_quiet => converges_and_is_quiet,
    idempotence => is_idempotent,
    lagging_reads => lagging::is_made_though_reads_lag,
    honest_permissions => says_its_permissions,
    undo => is_undone,
    undo_of_what_is_made => own_writes::of_what_is_made_are_taken_back,
    undo_of_each_field => own_writes::of_each_field_are_taken_back,
    round_trip => comes_round,
    fail_closed => fails_closed,
    skipped_with_a_reason => says_why_it_skips,
    needs_with_a_reason => has_reasons_for_its_needs,
    blame => fails_alone,
}

async fn each_kind<R: Future<Output = ()> + Send + 'static>(property: fn(Kind) -> R) {
    let runs = kinds().into_iter().map(|kind| async move {
        tokio::spawn(property(kind)).await.err().map(|error| format!("{}: {error}", kind.name()))
    });
    let wrong: Vec<String> = futures::stream::iter(runs)
        .buffer_unordered(support::cores())
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(wrong.is_empty(), "what is wrong stands above: {wrong:#?}");
}

fn kinds() -> Vec<Kind> {
    let only = std::env::var("EVENKEEL_KIND").ok();
    let kinds: Vec<Kind> = registry::all()
        .iter()
        .map(AsRef::as_ref)
        .filter(|kind| only.as_deref().is_none_or(|only| only == kind.name()))
        .collect();
    assert!(!kinds.is_empty(), "no kind {only:?}");
    kinds
}

/// An untidy account in which a kind has its place, with a session for it.
pub async fn messy(kind: Kind) -> (Account, Arc<Session>) {
    let account = support::emulator().account();
    account.mess();
    organization::prepare(&account, kind.name());
    let session = library::connect(&account).await;
    (account, session)
}

async fn plan(session: &Arc<Session>, declaration: &Declaration) -> Plan {
    library::plan(session, declaration, observe(session, declaration).await)
}

/// Insists that a plan could be made for everything and was applied whole.
pub async fn apply_whole(
    account: &Account,
    session: &Arc<Session>,
    declaration: &Declaration,
) -> Plan {
    let plan = plan(session, declaration).await;
    no_unknown(&plan);
    let report = apply(account, session, &plan).await;
    assert!(report.is_complete(), "{}\n{report:#?}", declaration.text);
    plan
}

/// Nothing is unknown but what waits for others, of which evenkeel has done its part.
#[track_caller]
fn no_unknown(plan: &Plan) {
    for object in &plan.objects {
        let is_unknown = match &object.verdict {
            Verdict::Unknown(unknown) => unknown.cause != Cause::Awaited,
            _ => false,
        };
        assert!(!is_unknown, "{}: {:?}", object.title(), object.verdict);
    }
}

#[track_caller]
fn nothing_to_do(plan: &Plan, when: &str) {
    no_unknown(plan);
    for object in &plan.objects {
        assert!(!object.is_changed(), "{when}: {}: {:#?}", object.title(), object.changes);
    }
}

fn writes(calls: &[support::WireCall]) -> Vec<String> {
    calls
        .iter()
        .filter(|call| !READ_PREFIXES.iter().any(|prefix| call.operation.starts_with(prefix)))
        .filter(|call| call.operation != "GenerateCredentialReport" && call.service != "sts")
        .map(|call| format!("{}:{}", call.service, call.operation))
        .collect()
}

/// 1 and 3: what was applied is there, planning again finds nothing, and writes nothing.
async fn converges_and_is_quiet(kind: Kind) {
    let (account, session) = messy(kind).await;
    let samples = kind.samples();
    for sample in samples.iter().chain(samples.first()) {
        let declaration = Declaration::new(&account, sample);
        apply_whole(&account, &session, &declaration).await;
        account.forget_calls();
        nothing_to_do(&plan(&session, &declaration).await, kind.name());
        assert_eq!(writes(&account.calls()), Vec::<String>::new(), "{} is not quiet", kind.name());
    }
}

/// 2: the same writes twice leave the same state, and the same plan twice writes nothing.
async fn is_idempotent(kind: Kind) {
    let (account, session) = messy(kind).await;
    for sample in kind.samples() {
        let declaration = Declaration::new(&account, sample);
        let plan = apply_whole(&account, &session, &declaration).await;
        let once = observe(&session, &declaration).await;
        account.forget_calls();
        apply(&account, &session, &plan).await;
        assert_eq!(writes(&account.calls()), Vec::<String>::new(), "{}", kind.name());
        let changes = plan.changes();
        for (object, change) in plan.order.iter().map(|id| changes[id]) {
            // What was made is there, and AWS may say so.
            let action = change.action.as_ref().unwrap();
            let _ = library::try_write(&session, object, action).await;
        }
        let twice = observe(&session, &declaration).await;
        assert_eq!(states(&once), states(&twice), "{}", kind.name());
    }
}

/// The observed objects by item, Region and id.
pub fn states(items: &[ObservedItem]) -> BTreeMap<(String, String, String), Object<Value>> {
    items
        .iter()
        .flat_map(|item| {
            item.objects.as_ref().unwrap().iter().map(|object| {
                (
                    (
                        item.declared.item.to_string(),
                        item.facts.region.to_string(),
                        object.id.clone(),
                    ),
                    object.clone(),
                )
            })
        })
        .collect()
}

/// What somebody else does, and a kind takes back by a write, or looks at by a read, that no sample needs.
const MISHAPS: [(&str, &str); 4] = [
    (
        "kms.key",
        "kms = boto3.client('kms')\nkms.update_alias(AliasName='alias/audit', TargetKeyId=kms.create_key()['KeyMetadata']['KeyId'])",
    ),
    (
        "guardduty.suppressions",
        "guardduty = boto3.client('guardduty')\nhere = {'DetectorId': guardduty.list_detectors()['DetectorIds'][0]}\n\
         of = {'Name': 'one', 'Format': 'TXT', 'Location': 'https://s3.amazonaws.com/b/x.txt', 'Activate': True, **here}\n\
         guardduty.create_filter(**here, Name='one', Action='ARCHIVE', FindingCriteria={'Criterion': {'severity': {'Lt': 4}}})\n\
         guardduty.create_ip_set(**of)\nguardduty.create_trusted_entity_set(**of)",
    ),
    (
        "securityhub.hub_v2",
        "hub = boto3.client('securityhub')\nhub.enable_security_hub_v2()\nhub.create_aggregator_v2(RegionLinkingMode='ALL_REGIONS')",
    ),
    (
        "cloudtrail.event_data_stores",
        "boto3.client('cloudtrail').create_event_data_store(Name='one')",
    ),
];

/// 4: the permissions that a kind declares are exactly the calls on the wire. Other kinds in its samples
/// do no more than they declare; that they need all of it, their own samples show.
async fn says_its_permissions(kind: Kind) {
    let (account, session) = messy(kind).await;
    let (mut declared, mut own) = (Permissions::default(), Permissions::default());
    account.forget_calls();
    let mut seen_reads = BTreeSet::new();
    let samples = kind.samples();
    let mishaps = MISHAPS.iter().filter(|(of, _)| *of == kind.name());
    let mishaps = mishaps.map(|(_, script)| (&samples[0], Some(*script)));
    let all = samples.iter().chain(samples.first()).map(|sample| (sample, None));
    for (sample, mishap) in all.chain(mishaps) {
        if let Some(script) = mishap {
            account.boto3(script);
        }
        let declaration = Declaration::new(&account, sample);
        let arns = Arns::of(session.partition(), &account.id);
        for (item, _) in declaration.items(&session).await {
            let of_item = registry::find(&item.item.kind).unwrap();
            declared.add(of_item, &item.spec, Mode::Enforce, &arns).unwrap();
            if of_item.name() == kind.name() {
                own.add(of_item, &item.spec, Mode::Enforce, &arns).unwrap();
            }
        }
        account.forget_calls();
        let plan = plan(&session, &declaration).await;
        seen_reads.extend(actions(&account.calls()));
        let report = apply(&account, &session, &plan).await;
        assert!(report.is_complete(), "{}\n{report:#?}", declaration.text);
        declaration.seen.lock().unwrap().extend(actions(&account.calls()));
        seen_reads
            .extend(declaration.seen.lock().unwrap().drain(..).map(|action| format!("w {action}")));
    }
    let reads: BTreeSet<String> =
        seen_reads.iter().filter(|action| !action.starts_with("w ")).cloned().collect();
    let all: BTreeSet<String> =
        seen_reads.iter().map(|action| action.trim_start_matches("w ").to_owned()).collect();
    let engine: BTreeSet<String> = ENGINE_CALLS.iter().map(|call| (*call).to_owned()).collect();
    let strip = |set: &BTreeSet<String>| set.difference(&engine).cloned().collect::<BTreeSet<_>>();
    let none = BTreeSet::new();
    let beyond = |set: &BTreeSet<String>, bound: &BTreeSet<String>| -> BTreeSet<String> {
        strip(set).difference(bound).cloned().collect()
    };
    let name = kind.name();
    assert_eq!(beyond(&reads, &declared.reads), none, "{name}: reads that are not declared");
    assert_eq!(beyond(&own.reads, &reads), none, "{name}: declared reads that are not made");
    let declared_all = declared.reads.union(&declared.called).cloned().collect();
    assert_eq!(beyond(&all, &declared_all), none, "{name}: calls that are not declared");
    let own_all = own.reads.union(&own.called).cloned().collect();
    assert_eq!(beyond(&own_all, &all), none, "{name}: declared calls that are not made");
}

/// The IAM actions behind calls on the wire.
fn actions(calls: &[support::WireCall]) -> Vec<String> {
    calls.iter().map(|call| iam_action(&call.service, &call.operation).into_owned()).collect()
}

/// 5: undoing the changes of an object gives back its state, or the kind says that it cannot.
async fn is_undone(kind: Kind) {
    let (account, session) = messy(kind).await;
    let samples = kind.samples();
    for (from, to) in
        samples.iter().zip(samples.iter().skip(1)).chain(samples.iter().skip(1).zip(samples.iter()))
    {
        let before_declaration = Declaration::new(&account, from);
        let plan_before = apply_whole(&account, &session, &before_declaration).await;
        own_writes::are_taken_back(kind, &plan_before, &session, &before_declaration).await;
        let declaration = Declaration::new(&account, to);
        let before = states(&observe(&session, &declaration).await);
        let plan = plan(&session, &declaration).await;
        let report = apply(&account, &session, &plan).await;
        assert!(report.is_complete(), "{report:#?}");
        own_writes::are_taken_back(kind, &plan, &session, &declaration).await;
        for object in plan.objects.iter().filter(|object| object.item.kind == kind.name()) {
            let mut possible = true;
            for change in object.changes.iter().rev().filter(|change| change.is_applied()) {
                match change.undo.as_deref().expect("an applied change says how it is undone") {
                    Undo::Impossible(reason) => {
                        assert!(!reason.is_empty());
                        possible = false;
                    }
                    Undo::By(actions) => {
                        for action in actions {
                            library::write(&session, object, action).await;
                        }
                    }
                }
            }
            if possible {
                let after = states(&observe(&session, &declaration).await);
                let key = (
                    object.item.to_string(),
                    object.region.to_string(),
                    object.observed.id.clone(),
                );
                assert_eq!(
                    library::comparable(before.get(&key)),
                    library::comparable(after.get(&key)),
                    "{}",
                    object.title()
                );
            }
        }
    }
}

/// 6: what is observed, exported and declared again, needs no change.
async fn comes_round(kind: Kind) {
    let (account, session) = messy(kind).await;
    for sample in kind.samples() {
        let declaration = Declaration::new(&account, sample);
        apply_whole(&account, &session, &declaration).await;
        for item in observe(&session, &declaration).await {
            if item.declared.item.kind != kind.name() {
                continue;
            }
            for object in item.objects.as_ref().unwrap() {
                let Some(spec) = kind.export(&item.facts, object).unwrap() else { continue };
                library::fits(kind, &spec);
                let changes = kind.diff(&item.facts, &spec, object).unwrap();
                assert!(changes.is_empty(), "{}: {spec:#}\n{changes:#?}", kind.name());
            }
        }
    }
}

/// 7: whatever a read's failure, the object is unknown with a reason, and nothing is written.
async fn fails_closed(kind: Kind) {
    let (account, session) = messy(kind).await;
    let declaration = Declaration::only(&account, kind, kind.samples()[0]);
    account.forget_calls();
    plan(&session, &declaration).await;
    let reads: BTreeSet<(String, String)> = account
        .calls()
        .into_iter()
        .filter(|call| {
            !ENGINE_CALLS.contains(&format!("{}:{}", call.service, call.operation).as_str())
        })
        .map(|call| (call.service, call.operation))
        .collect();
    assert!(!reads.is_empty(), "{} reads nothing", kind.name());
    for (service, operation) in reads {
        account.fault(serde_json::json!({
            "service": service, "operation": operation, "kind": "error",
        }));
        account.forget_calls();
        let plan = plan(&session, &declaration).await;
        let unknown = plan.objects.iter().filter_map(|object| match &object.verdict {
            Verdict::Unknown(unknown) => Some(unknown),
            _ => None,
        });
        let permission = iam_action(&service, &operation);
        assert!(
            unknown.clone().any(|unknown| unknown.permission.as_deref() == Some(&permission)),
            "{}: {service}:{operation} denied: {:#?}",
            kind.name(),
            plan.objects
                .iter()
                .map(|object| (&object.verdict, &object.changes))
                .collect::<Vec<_>>()
        );
        apply(&account, &session, &plan).await;
        for object in &plan.objects {
            if let Verdict::Unknown(_) = object.verdict {
                assert!(object.changes.is_empty());
            }
        }
        account.no_faults();
    }
}

/// A skipped object always says why.
async fn says_why_it_skips(kind: Kind) {
    let (account, session) = messy(kind).await;
    for item in observe(&session, &Declaration::new(&account, kind.samples()[0])).await {
        for object in item.objects.unwrap() {
            if let Status::Skipped { reason } = object.status {
                assert!(!reason.is_empty(), "{} {}", kind.name(), object.id);
            }
        }
    }
}

/// The needs of changes of objects that are there: which write waits for which, each with its reason.
/// Everything else stands alone, so that nothing that fails or is only reported stops it.
const NEEDS: [(&str, &str, &str, &str); 14] = [
    (
        "cloudwatch.log_alarm",
        "cloudwatch:TagResource",
        "cloudwatch:PutMetricAlarm",
        "of an alarm that is made there is nothing to tag before, and the filter is the first write",
    ),
    (
        "config.recorder",
        "config:PutConfigurationRecorder",
        "iam:CreateServiceLinkedRole",
        "Config takes no recorder whose role is not there",
    ),
    (
        "config.recorder",
        "config:PutDeliveryChannel",
        "config:PutConfigurationRecorder",
        "Config takes no channel where no recorder is",
    ),
    (
        "config.recorder",
        "config:StartConfigurationRecorder",
        "config:PutConfigurationRecorder",
        "what is made is started",
    ),
    (
        "config.recorder",
        "config:StartConfigurationRecorder",
        "config:PutDeliveryChannel",
        "Config starts no recorder that has nowhere to deliver to",
    ),
    (
        "ec2.allowed_images",
        "ec2:EnableAllowedImagesSettings",
        "ec2:ReplaceImageCriteriaInAllowedImagesSettings",
        "what is refused goes by the criteria that are there",
    ),
    (
        "ec2.ebs_encryption",
        "ec2:EnableEbsEncryptionByDefault",
        "ec2:ModifyEbsDefaultKmsKeyId",
        "a volume keeps the key that it was made with",
    ),
    (
        "ec2.vpc_block_public_access",
        "ec2:ModifyVpcBlockPublicAccessOptions",
        "ec2:CreateVpcBlockPublicAccessExclusion",
        "what must pass is excluded before the rest is blocked",
    ),
    (
        "ec2.vpc_block_public_access",
        "ec2:ModifyVpcBlockPublicAccessOptions",
        "ec2:ModifyVpcBlockPublicAccessExclusion",
        "what must pass is excluded before the rest is blocked",
    ),
    (
        "ec2.vpc_block_public_access",
        "ec2:DeleteVpcBlockPublicAccessExclusion",
        "ec2:ModifyVpcBlockPublicAccessOptions",
        "what passes stays excluded until the rest is let through",
    ),
    (
        "guardduty.organization",
        "guardduty:UpdateOrganizationConfiguration",
        "guardduty:EnableOrganizationAdminAccount",
        "the administrator configures, and nobody else",
    ),
    (
        "route53resolver.query_log_config",
        "route53resolver:AssociateResolverQueryLogConfig",
        "route53resolver:CreateResolverQueryLogConfig",
        "a VPC is associated with what is there; the VPCs of the Region are seen before it is",
    ),
    (
        "s3.bucket",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketVersioning",
        "object lock is for versions",
    ),
    (
        "securityhub.organization",
        "securityhub:UpdateOrganizationConfiguration",
        "securityhub:EnableOrganizationAdminAccount",
        "the administrator configures, and nobody else",
    ),
];

/// 8: what a change waits for is the making of its object, or written down here with its reason.
async fn has_reasons_for_its_needs(kind: Kind) {
    let mut needs = BTreeSet::new();
    for sample in kind.samples() {
        let (account, session) = messy(kind).await;
        let plan = plan(&session, &Declaration::only(&account, kind, sample)).await;
        for object in plan.objects.iter().filter(|object| object.item.kind == kind.name()) {
            let making = object.changes.iter().find(|change| change.action.is_some());
            let is_made = object.observed.status == Status::Absent;
            let making = making.filter(|_| is_made).map(|change| change.id);
            for change in &object.changes {
                let others = object.changes.iter().filter(|other| {
                    change.depends_on.contains(&other.id) && Some(other.id) != making
                });
                needs.extend(
                    others
                        .map(|other| [&change.permissions[0], &other.permissions[0]])
                        .map(|[later, earlier]| (kind.name(), later.clone(), earlier.clone())),
                );
            }
        }
    }
    let known: BTreeSet<_> = NEEDS
        .iter()
        .map(|(kind, later, earlier, _)| (*kind, (*later).to_owned(), (*earlier).to_owned()))
        .collect();
    let new: Vec<_> = needs.difference(&known).collect();
    assert!(new.is_empty(), "{new:#?}");
}

/// 9: a write that fails stops the changes that say they need it, and no others. Each operation
/// fails once, where a sample needs it first.
async fn fails_alone(kind: Kind) {
    let mut failed = BTreeSet::new();
    for sample in kind.samples() {
        for operation in writes_of(sample, kind).await {
            if !failed.insert(operation.clone()) {
                continue;
            }
            let (account, session) = messy(kind).await;
            let declaration = Declaration::new(&account, sample);
            let plan = plan(&session, &declaration).await;
            let (service, name) = operation.split_once(':').unwrap();
            account.fault(serde_json::json!({
                "service": service, "operation": name, "code": "AccessDenied", "status": 403,
            }));
            let report = apply(&account, &session, &plan).await;
            let about = format!("{}: {operation} fails in\n{sample}\n{report:#?}", kind.name());
            let step = |id: u32| {
                report.outcomes.iter().find(|outcome| outcome.change == id).map(|one| &one.step)
            };
            let changes = plan.changes();
            let is_it = |change: &PlannedChange| {
                let action = iam_action(service, name);
                change.permissions.iter().any(|permission| *permission == action)
            };
            let mut stopped: BTreeSet<u32> = BTreeSet::new();
            let mut met = false;
            for id in &plan.order {
                let change = changes[id].1;
                let waits = change.depends_on.iter().any(|earlier| stopped.contains(earlier));
                // What AWS gives a new object by itself is there all the same.
                met |=
                    is_it(change) && matches!(step(*id), Some(Step::Failed { .. } | Step::Found));
                match step(*id) {
                    Some(Step::Failed { .. }) if is_it(change) && !waits => stopped.insert(*id),
                    Some(Step::Blocked { .. }) if waits => stopped.insert(*id),
                    Some(Step::Applied | Step::Needless | Step::Found | Step::WasThere { .. })
                        if !waits =>
                    {
                        false
                    }
                    other => panic!("change {id} {change:#?}\nbecame {other:?}\n{about}"),
                };
            }
            assert!(met, "{about}");
        }
    }
}

/// The writes that bring an untidy account to a sample, on objects of a kind.
async fn writes_of(sample: &str, kind: Kind) -> BTreeSet<String> {
    let (account, session) = messy(kind).await;
    let declaration = Declaration::new(&account, sample);
    account.forget_calls();
    let plan = apply_whole(&account, &session, &declaration).await;
    let own: BTreeSet<String> = plan
        .objects
        .iter()
        .filter(|object| object.item.kind == kind.name())
        .flat_map(|object| &object.changes)
        .flat_map(|change| change.permissions.clone())
        .collect();
    account
        .calls()
        .into_iter()
        .filter(|call| own.contains(iam_action(&call.service, &call.operation).as_ref()))
        .map(|call| format!("{}:{}", call.service, call.operation))
        .filter(|name| {
            !READ_PREFIXES
                .iter()
                .any(|prefix| name.split(':').nth(1).is_some_and(|name| name.starts_with(prefix)))
        })
        .collect()
}

//! The default encryption of a bucket, and the key that it names.

use std::collections::BTreeSet;

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    BlockedEncryptionTypes, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use serde::{Deserialize, Serialize};

use super::spec::{Service, Spec};
use super::{Bucket, Place, bucket, delivery, request};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::kms::let_in::{self, GET_POLICY};
use crate::kinds::kms::named::{self, Named, Service as Encryptor};
use crate::kinds::kms::reads::DESCRIBE as DESCRIBE_KEY;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::spec::aws_enum;
use crate::kinds::together::together;
use crate::kinds::{
    Change, Cx, Drift, Facts, ObserveError, Undo, Use, WriteCx, WriteError, compared, known, told,
};

const GET: Call = Call::new("s3", "GetBucketEncryption");
pub const PUT: Call = Call::new("s3", "PutBucketEncryption");
const DELETE: Call = Call::new("s3", "DeleteBucketEncryption");
/// S3 takes symmetric keys of the bucket's own Region, and of AWS's keys its own alone (S3 User
/// Guide, "Using server-side encryption with AWS KMS keys").
const KEYS: Encryptor = Encryptor { own_key: Some("alias/aws/s3"), of_region: true };

aws_enum! {
    /// How objects are encrypted.
    SseAlgorithm { Aes256 = "AES256", Kms = "aws:kms", KmsDsse = "aws:kms:dsse", }
}

aws_enum! {
    /// Encryption that writers may not ask for.
    EncryptionType { SseC = "SSE-C", None = "NONE", }
}

/// The default encryption of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// As in [`Spec`]; absent where the rule of the bucket names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sse_algorithm: Option<SseAlgorithm>,
    /// As in [`Spec`]; absent for AWS's own key.
    pub kms_master_key_id: Option<String>,
    /// As in [`Spec`].
    pub bucket_key_enabled: bool,
    /// As in [`Spec`].
    pub blocked_encryption_types: BTreeSet<EncryptionType>,
}

/// What is there of the encryption.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// The default encryption; `None` when S3 says none.
    pub encryption: Option<Encryption>,
    /// What its key is, when a key is declared.
    pub key: Option<Named>,
    /// What the declared key is; absent when none is declared, or the bucket is not there.
    pub declared_key: Option<Named>,
    /// The policy of the declared key, where services are to deliver with it and it is told here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_policy: Option<String>,
}

/// What is written.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Put {
    #[serde(flatten)]
    encryption: Encryption,
    /// The declared name of a key that could not be looked at before: it may only be made now.
    #[serde(default)]
    key_to_find: Option<String>,
}

pub struct DefaultEncryption;

impl Part for DefaultEncryption {
    type Of = Bucket;
    type Now = Now;
    /// `None` goes back to AWS's default.
    type Write = Option<Put>;

    const NAME: &'static str = "encryption";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        Use::read_if(DESCRIBE_KEY, |spec| spec.kms_master_key_id.is_some()),
        Use::read_if(GET_POLICY, |spec| spec.key().is_some() && delivery::uses_key(spec)),
        Use::write_if(PUT, Self::is_declared, bucket),
        Use::undo(DELETE, bucket),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.sse_algorithm.is_some()
            || spec.kms_master_key_id.is_some()
            || spec.bucket_key_enabled.is_some()
            || spec.blocked_encryption_types.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let encryption = encryption(cx, &place.bucket).await?;
        let name = encryption.as_ref().and_then(|now| now.kms_master_key_id.as_deref());
        let there = name.filter(|_| spec.kms_master_key_id.is_some());
        let (key, declared_key) = together!(key_of(cx, there), key_of(cx, spec.key()))?;
        let key_policy = match declared_key.as_ref().filter(|_| delivery::uses_key(spec)) {
            Some(key) => let_in::policy_of(cx, key, KEYS).await?,
            None => None,
        };
        Ok(Now { encryption, key, declared_key, key_policy })
    }

    fn diff(look: &Look<'_, Bucket>, now: &Now) -> Vec<Change<Self::Write>> {
        let spec = look.spec;
        let Some(problem) = useless_key(look, now) else {
            let said =
                delivery::shut_out(look, now.declared_key.as_ref(), now.key_policy.as_deref());
            let changed = changed(look, spec, now);
            if is_same_key(spec, now) {
                let closed = said.map(|said| delivery::closed_key(spec, &said));
                return changed.into_iter().chain(closed).collect();
            }
            return changed.map(|change| delivery::warned(change, said)).into_iter().collect();
        };
        if is_same_key(spec, now) {
            let health = key_health(spec, now, &problem);
            return changed(look, spec, now).into_iter().chain(health).collect();
        }
        // What needs no key is not to wait for one that works.
        let (of_key, others) = apart(spec, &there(now));
        let of_key = changed(look, &of_key, now)
            .map(|change| Change { action: None, ..change }.withhold(problem));
        of_key.into_iter().chain(changed(look, &others, now)).collect()
    }

    fn calls(put: &Self::Write) -> Vec<Call> {
        match put {
            Some(Put { key_to_find: Some(_), .. }) => vec![PUT, DESCRIBE_KEY],
            Some(_) => vec![PUT],
            None => vec![DELETE],
        }
    }

    async fn write(cx: &WriteCx, place: &Place, put: &Self::Write) -> Result<(), WriteError> {
        let bucket = &place.bucket;
        let Some(Put { encryption, key_to_find }) = put else {
            let request = request!(delete_bucket_encryption, cx, bucket);
            return cx.send(DELETE, request.send()).await;
        };
        let mut encryption = encryption.clone();
        if let Some(name) = key_to_find {
            encryption.kms_master_key_id = Some(named::ready(cx, name, KEYS).await?);
        }
        let request = request!(put_bucket_encryption, cx, bucket)
            .server_side_encryption_configuration(send(&encryption)?);
        cx.send(PUT, request.send()).await
    }

    fn is_same(planned: &Self::Write, now: &Self::Write) -> bool {
        let (Some(planned), Some(now)) = (planned, now) else { return planned == now };
        let (was, key) =
            (planned.key_to_find.as_deref(), now.encryption.kms_master_key_id.as_deref());
        let Some((was, key)) = was.zip(key) else { return planned == now };
        let by_now =
            Encryption { kms_master_key_id: Some(key.to_owned()), ..planned.encryption.clone() };
        named::is_there_by_now(was, key) && by_now == now.encryption
    }

    fn undo(_: &Self::Write, before: &Now) -> Undo<Self::Write> {
        let put = |encryption| Put { encryption, key_to_find: None };
        Undo::By(vec![before.encryption.clone().map(put)])
    }

    fn export(now: &Now, spec: &mut Spec) {
        let encryption = now.encryption.as_ref();
        let with_kms = encryption.filter(|encryption| encryption.is_with_kms());
        spec.sse_algorithm = encryption.and_then(|encryption| encryption.sse_algorithm);
        spec.kms_master_key_id =
            with_kms.map(|encryption| encryption.kms_master_key_id.clone().unwrap_or_default());
        // Without KMS it says nothing, and may be on all the same.
        spec.bucket_key_enabled = encryption
            .filter(|encryption| encryption.is_with_kms() || encryption.bucket_key_enabled)
            .map(|encryption| encryption.bucket_key_enabled);
        spec.blocked_encryption_types = encryption
            .map(|encryption| encryption.blocked_encryption_types.clone())
            .filter(|types| !types.is_empty());
    }

    fn as_it_was(_facts: &Facts, now: &Now, spec: &mut Spec) {
        Self::export(now, spec);
        if let Some(encryption) = &now.encryption {
            spec.bucket_key_enabled = Some(encryption.bucket_key_enabled);
            spec.blocked_encryption_types = Some(encryption.blocked_encryption_types.clone());
        }
    }
}

async fn encryption(cx: &Cx, bucket: &str) -> Result<Option<Encryption>, ObserveError> {
    let request = request!(get_bucket_encryption, cx, bucket).send();
    let answer = cx
        .read(GET, bucket, request)
        .await
        .absent_if(&["ServerSideEncryptionConfigurationNotFoundError"])?;
    let Some(answer) = answer else { return Ok(None) };
    let configuration =
        told("ServerSideEncryptionConfiguration", answer.server_side_encryption_configuration())?;
    // A bucket has one rule.
    let [rule] = configuration.rules() else {
        return Err(ObserveError::Malformed {
            field: "Rules".to_owned(),
            problem: format!(
                "a bucket has one rule of encryption, not {}",
                configuration.rules().len()
            ),
        });
    };
    // A rule may speak of its other members alone (S3 API Reference, ServerSideEncryptionRule: not
    // required). What S3 then encrypts with, AWS does not say: it is no algorithm that was declared.
    let default = rule.apply_server_side_encryption_by_default();
    let blocked = rule.blocked_encryption_types().map(|blocked| blocked.encryption_type());
    Ok(Some(Encryption {
        sse_algorithm: default
            .map(|default| known("SSEAlgorithm", default.sse_algorithm().as_str()))
            .transpose()?,
        kms_master_key_id: default
            .and_then(|default| default.kms_master_key_id())
            .filter(|key| !key.is_empty())
            .map(str::to_owned),
        // "By default, S3 Bucket Key is not enabled." (S3 API Reference, ServerSideEncryptionRule)
        bucket_key_enabled: rule.bucket_key_enabled().unwrap_or(false),
        // Buckets from before there were blocked types have none.
        blocked_encryption_types: blocked
            .unwrap_or_default()
            .iter()
            .map(|blocked| known("EncryptionType", blocked.as_str()))
            .collect::<Result<_, _>>()?,
    }))
}

async fn key_of(cx: &Cx, name: Option<&str>) -> Result<Option<Named>, ObserveError> {
    let Some(name) = name else { return Ok(None) };
    named::look_up(cx, name, KEYS).await.map(Some)
}

/// What S3 does with new objects.
fn there(now: &Now) -> Encryption {
    now.encryption.clone().unwrap_or(Encryption {
        sse_algorithm: Some(SseAlgorithm::Aes256),
        kms_master_key_id: None,
        bucket_key_enabled: false,
        blocked_encryption_types: BTreeSet::new(),
    })
}

impl Encryption {
    /// Whether it has a key of KMS, be it AWS's own.
    fn is_with_kms(&self) -> bool {
        self.sse_algorithm.is_some_and(|algorithm| algorithm != SseAlgorithm::Aes256)
    }
}

/// What differs of the fields of `spec`, which are some of those declared.
fn changed(look: &Look<'_, Bucket>, spec: &Spec, now: &Now) -> Option<Change<Option<Put>>> {
    let mut actual = there(now);
    if look.is_new() {
        // Since April 2026 AWS blocks SSE-C in each new bucket, and a write without it would allow it again.
        actual.blocked_encryption_types.insert(EncryptionType::SseC);
    }
    let sse_algorithm = spec.sse_algorithm.or(actual.sse_algorithm);
    let declared_arn = now.declared_key.as_ref().and_then(Named::arn);
    let new_key = spec.key().filter(|_| !is_same_key(spec, now));
    let key_id = match new_key {
        // Of a key's names only the ARN means the same to everybody and for ever.
        Some(key) => Some(declared_arn.unwrap_or(key).to_owned()),
        // AES256 has no key of its own.
        None if spec.key().is_none()
            && (sse_algorithm == Some(SseAlgorithm::Aes256)
                || spec.kms_master_key_id.is_some()) =>
        {
            None
        }
        None => actual.kms_master_key_id.clone(),
    };
    let desired = Encryption {
        sse_algorithm,
        kms_master_key_id: key_id,
        bucket_key_enabled: spec.bucket_key_enabled.unwrap_or(actual.bucket_key_enabled),
        blocked_encryption_types: spec
            .blocked_encryption_types
            .clone()
            .unwrap_or_else(|| actual.blocked_encryption_types.clone()),
    };
    let known = (!look.is_new()).then_some(&actual);
    let mut drift = Drift::new();
    drift.compare(
        "sse_algorithm",
        known.and_then(|known| known.sse_algorithm.as_ref()),
        spec.sse_algorithm.as_ref(),
    );
    let key_differs = compare_key(spec, now, known, &mut drift);
    drift.compare(
        "bucket_key_enabled",
        known.map(|known| &known.bucket_key_enabled),
        spec.bucket_key_enabled.as_ref(),
    );
    compare_blocked(spec, known, &mut drift);
    if drift.is_empty() {
        return None;
    }
    let to_kms = desired.is_with_kms() && (key_differs || !actual.is_with_kms());
    let blocks = desired.blocked_encryption_types.contains(&EncryptionType::SseC)
        && !actual.blocked_encryption_types.contains(&EncryptionType::SseC);
    let key_to_find = new_key.filter(|_| declared_arn.is_none()).map(str::to_owned);
    let mut change = Change::new(Some(Put { encryption: desired, key_to_find }), drift);
    change.moves = key_differs && actual.is_with_kms();
    if to_kms {
        change = look
            .disruptive(change, "who writes to or reads from this bucket needs rights to the key");
    }
    if let Some(key) = new_key {
        change = change.sends(&look.facts.account, named::LEFT, key);
    }
    if new_key.is_some() && now.declared_key == Some(Named::Missing) {
        change = change.warn("the key is not there yet: it must be by the time of this change");
    }
    if blocks {
        change = look.disruptive(change, "writers with keys of their own (SSE-C) are refused");
    }
    Some(change)
}

/// Whether the bucket's key is the declared one, whatever either is called.
fn is_same_key(spec: &Spec, now: &Now) -> bool {
    let Some(declared) = spec.kms_master_key_id.as_deref() else { return true };
    let there = now
        .encryption
        .as_ref()
        .filter(|encryption| encryption.is_with_kms())
        .map(|encryption| encryption.kms_master_key_id.as_deref());
    let (key, declared_key) = (now.key.as_ref(), now.declared_key.as_ref());
    let is_own = |key: Option<&Named>| key.is_some_and(Named::is_own);
    match (there, declared) {
        // A bucket without KMS has no key, which AWS's own need not be told from.
        (None, declared) => declared.is_empty(),
        (Some(None), "") => true,
        (Some(Some(_)), "") => is_own(key),
        (Some(None), _) => is_own(declared_key),
        (Some(Some(name)), declared) => {
            let arn = |key: Option<&Named>| key.and_then(|key| key.arn().map(str::to_owned));
            match (arn(key), arn(declared_key)) {
                (Some(key), Some(declared)) => key == declared,
                _ => name == declared,
            }
        }
    }
}

fn compare_key(spec: &Spec, now: &Now, known: Option<&Encryption>, drift: &mut Drift) -> bool {
    compared::mark("kms_master_key_id");
    let Some(declared) = spec.kms_master_key_id.as_deref() else { return false };
    if is_same_key(spec, now) {
        return false;
    }
    let there = known.and_then(|known| known.kms_master_key_id.as_deref());
    drift.add("kms_master_key_id", there, Some(declared).filter(|key| !key.is_empty()));
    true
}

/// "NONE" and nothing blocked are the same.
fn compare_blocked(spec: &Spec, known: Option<&Encryption>, drift: &mut Drift) {
    compared::mark("blocked_encryption_types");
    let Some(desired) = &spec.blocked_encryption_types else { return };
    let blocks = |types: &BTreeSet<EncryptionType>| types.contains(&EncryptionType::SseC);
    match known {
        Some(known) if blocks(&known.blocked_encryption_types) == blocks(desired) => {}
        known => drift.add(
            "blocked_encryption_types",
            known.map(|known| &known.blocked_encryption_types),
            Some(desired),
        ),
    }
}

/// Why a declared key of a bucket that is there is of no use.
fn useless_key(look: &Look<'_, Bucket>, now: &Now) -> Option<String> {
    let (name, declared) = (look.spec.key()?, now.declared_key.as_ref()?);
    let problem = declared.problem()?;
    // Another item may be about to make what an alias stands for.
    let may_come = *declared == Named::Missing && named::is_alias(name);
    if look.is_new() || may_come && !is_same_key(look.spec, now) {
        return None;
    }
    Some(format!(
        "S3 cannot encrypt with the key {name}: {problem}; nothing can be written to or read from the \
         bucket with it until it works again, or another is declared"
    ))
}

/// The right key is there and cannot be used, so that nobody can write or read.
fn key_health(spec: &Spec, now: &Now, problem: &str) -> Option<Change<Option<Put>>> {
    let mut drift = Drift::new();
    let actual = now.encryption.as_ref().and_then(|now| now.kms_master_key_id.as_deref());
    let name = spec.key()?;
    let (there, wanted) = named::out_of_order(actual, name);
    drift.add("kms_master_key_id", Some(there), Some(wanted));
    Some(Change::finding(drift).withhold(problem))
}

/// What cannot be written without the declared key, and what can.
fn apart(spec: &Spec, there: &Encryption) -> (Spec, Spec) {
    let (mut of_key, mut others) = (spec.clone(), spec.clone());
    of_key.blocked_encryption_types = None;
    others.kms_master_key_id = None;
    // Another algorithm goes with the key, and with the algorithm its bucket key.
    if spec.sse_algorithm.is_none_or(|declared| Some(declared) == there.sse_algorithm) {
        of_key.bucket_key_enabled = None;
    } else {
        (others.sse_algorithm, others.bucket_key_enabled) = (None, None);
    }
    (of_key, others)
}

/// The whole setting for AWS.
///
/// # Errors
/// A required member is missing.
fn send(encryption: &Encryption) -> Result<ServerSideEncryptionConfiguration, BuildError> {
    let default = encryption
        .sse_algorithm
        .map(|algorithm| {
            ServerSideEncryptionByDefault::builder()
                .sse_algorithm(ServerSideEncryption::from(algorithm.as_str()))
                .set_kms_master_key_id(encryption.kms_master_key_id.clone())
                .build()
        })
        .transpose()?;
    let blocked: Vec<_> =
        encryption.blocked_encryption_types.iter().map(|kind| kind.as_str().into()).collect();
    let rule =
        ServerSideEncryptionRule::builder()
            .set_apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(encryption.bucket_key_enabled)
            .set_blocked_encryption_types((!blocked.is_empty()).then(|| {
                BlockedEncryptionTypes::builder().set_encryption_type(Some(blocked)).build()
            }))
            .build();
    ServerSideEncryptionConfiguration::builder().rules(rule).build()
}

/// What S3 would refuse of the declared encryption.
pub fn check(spec: &Spec, problems: &mut Vec<SpecProblem>) {
    let algorithm = spec.sse_algorithm;
    let name = spec.kms_master_key_id.as_deref().unwrap_or_default();
    problems.extend(named::wrong("kms_master_key_id", name, KEYS));
    if spec.key().is_some() && matches!(algorithm, None | Some(SseAlgorithm::Aes256)) {
        problems.push(SpecProblem::new(
            "kms_master_key_id",
            "a KMS key needs encryption with KMS",
            "add sse_algorithm = \"aws:kms\"",
        ));
    }
    if spec.bucket_key_enabled == Some(true) && algorithm == Some(SseAlgorithm::Aes256) {
        problems.push(SpecProblem::new(
            "bucket_key_enabled",
            "a bucket key has no effect with AES256",
            "leave it out, or set sse_algorithm = \"aws:kms\"",
        ));
    }
    let own_key_of_aws = spec.kms_master_key_id.as_deref() == Some("");
    if own_key_of_aws
        && matches!(algorithm, Some(SseAlgorithm::Kms | SseAlgorithm::KmsDsse))
        && spec.services.as_ref().is_some_and(|services| !services.is_empty())
    {
        problems.push(SpecProblem::new(
            "kms_master_key_id",
            "services that deliver logs may not use AWS's own key, aws/s3",
            "name a key of your own, or set sse_algorithm = \"AES256\"",
        ));
    }
    let services = spec.services.iter().flatten();
    let needs_aes =
        services.filter(|service| matches!(service, Service::S3AccessLogs | Service::Elb)).count();
    if needs_aes > 0 && !matches!(algorithm, None | Some(SseAlgorithm::Aes256)) {
        problems.push(SpecProblem::new(
            "sse_algorithm",
            "S3 access logs and load balancers cannot write to a bucket with KMS encryption",
            "set sse_algorithm = \"AES256\", or give them a bucket of their own",
        ));
    }
}

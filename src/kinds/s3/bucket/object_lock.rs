//! How new objects of a bucket are locked.

use aws_sdk_s3::types::{
    DefaultRetention, EventHoldDuration, ObjectLockConfiguration, ObjectLockEnabled,
    ObjectLockRetentionMode, ObjectLockRule,
};
use serde::{Deserialize, Serialize};

use super::spec::Spec;
use super::versioning::{Versioning, Versions};
use super::{Bucket, Place, bucket, request, unknown_value};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared, count, known,
    sendable, told,
};

const GET: Call = Call::new("s3", "GetObjectLockConfiguration");
const PUT: Call = Call::new("s3", "PutObjectLockConfiguration");
const NEVER_OFF: &str = "a bucket's object lock can never be turned off again";

aws_enum! {
    /// How strictly objects are locked.
    ObjectLockMode { Governance = "GOVERNANCE", Compliance = "COMPLIANCE", }
}

/// The object lock of a bucket, which once there stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectLock {
    /// As in [`Spec`]; absent when new objects are not locked.
    pub mode: Option<ObjectLockMode>,
    /// As in [`Spec`].
    pub days: Option<u32>,
    /// As in [`Spec`].
    pub years: Option<u32>,
    /// For how long objects are held at least after an event, which cannot be declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_hold: Option<EventHold>,
}

/// A period of `DefaultEventHold`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventHold {
    /// Days.
    pub days: Option<u32>,
    /// Years.
    pub years: Option<u32>,
}

pub struct Lock;

impl Part for Lock {
    type Of = Bucket;
    type Now = Option<ObjectLock>;
    type Write = ObjectLock;

    const NAME: &'static str = "object_lock";
    const NEEDS: &'static [&'static str] = &[Versions::NAME];
    const CALLS: &'static [Use<Spec>] =
        &[Use::read_if(GET, Self::is_declared), Use::write_if(PUT, Self::is_declared, bucket)];

    fn is_declared(spec: &Spec) -> bool {
        spec.object_lock_mode.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Self::Now, ObserveError> {
        let bucket = &place.bucket;
        let request = request!(get_object_lock_configuration, cx, bucket).send();
        let answer = cx.read(GET, bucket, request).await;
        let answer = answer.absent_if(&["ObjectLockConfigurationNotFoundError"])?;
        let Some(answer) = answer else { return Ok(None) };
        read(told("ObjectLockConfiguration", answer.object_lock_configuration())?).map(Some)
    }

    fn diff(look: &Look<'_, Bucket>, now: &Self::Now) -> Vec<Change<ObjectLock>> {
        let Some(mode) = look.spec.object_lock_mode else { return Vec::new() };
        let desired = ObjectLock {
            mode: Some(mode),
            days: look.spec.object_lock_days,
            years: look.spec.object_lock_years,
            event_hold: now.as_ref().and_then(|lock| lock.event_hold.clone()),
        };
        let actual = now.clone().unwrap_or_default();
        let mut drift = Drift::new();
        drift.compare("object_lock_mode", actual.mode.as_ref(), desired.mode.as_ref());
        for (field, actual, desired) in [
            ("object_lock_days", actual.days, desired.days),
            ("object_lock_years", actual.years, desired.years),
        ] {
            compared::mark(field);
            if actual != desired {
                drift.add(field, actual, desired);
            }
        }
        if drift.is_empty() {
            return Vec::new();
        }
        let weaker = weakens(&actual, &desired);
        let mut change = Change::new(desired, drift);
        if let Some(how) = weaker {
            change = change.warn(format!("weaker than before: {how}"));
        }
        vec![if mode == ObjectLockMode::Compliance {
            change.risk(Risk::Destructive).warn(
                "in COMPLIANCE mode nobody, not even the root user, can delete an object before its time",
            )
        } else if now.is_none() && !look.is_new() {
            change.risk(Risk::Destructive).warn(NEVER_OFF)
        } else {
            change
        }]
    }

    fn calls(_: &ObjectLock) -> Vec<Call> {
        vec![PUT]
    }

    async fn write(cx: &WriteCx, place: &Place, lock: &ObjectLock) -> Result<(), WriteError> {
        let request = request!(put_object_lock_configuration, cx, &place.bucket)
            .object_lock_configuration(send(lock)?);
        cx.send(PUT, request.send()).await
    }

    fn undo(_: &ObjectLock, before: &Self::Now) -> Undo<ObjectLock> {
        match before {
            Some(lock) => Undo::By(vec![lock.clone()]),
            None => Undo::Impossible(NEVER_OFF.to_owned()),
        }
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        let lock = now.as_ref().filter(|lock| lock.mode.is_some());
        spec.object_lock_mode = lock.and_then(|lock| lock.mode);
        spec.object_lock_days = lock.and_then(|lock| lock.days);
        spec.object_lock_years = lock.and_then(|lock| lock.years);
    }
}

/// How new objects are kept less safely than now, if they are.
fn weakens(actual: &ObjectLock, desired: &ObjectLock) -> Option<String> {
    let days = |lock: &ObjectLock| match (lock.days, lock.years) {
        (Some(days), _) => i64::from(days),
        // S3 counts a year as 365 days.
        (None, years) => i64::from(years.unwrap_or_default()) * 365,
    };
    let mut how = Vec::new();
    if actual.mode == Some(ObjectLockMode::Compliance)
        && desired.mode == Some(ObjectLockMode::Governance)
    {
        how.push(
            "in GOVERNANCE mode, who may bypass it can delete a new object before its time"
                .to_owned(),
        );
    }
    if days(desired) < days(actual) {
        how.push(format!(
            "new objects are kept {} days, and were kept {}",
            days(desired),
            days(actual)
        ));
    }
    (!how.is_empty()).then(|| how.join("; "))
}

fn read(lock: &ObjectLockConfiguration) -> Result<ObjectLock, ObserveError> {
    // "Enabled" is its only value (S3 API Reference, ObjectLockConfiguration).
    match told("ObjectLockEnabled", lock.object_lock_enabled())?.as_str() {
        "Enabled" => {}
        other => return Err(unknown_value("ObjectLockEnabled", other)),
    }
    let retention = lock.rule().and_then(|rule| rule.default_retention());
    let hold = retention.and_then(|retention| retention.default_event_hold());
    Ok(ObjectLock {
        mode: retention
            .and_then(|retention| retention.mode())
            .map(|mode| known("Mode", mode.as_str()))
            .transpose()?,
        days: period("Days", retention.and_then(|retention| retention.days()))?,
        years: period("Years", retention.and_then(|retention| retention.years()))?,
        event_hold: hold
            .map(|hold| {
                Ok::<_, ObserveError>(EventHold {
                    days: period("Days", hold.days())?,
                    years: period("Years", hold.years())?,
                })
            })
            .transpose()?,
    })
}

/// A period has days or years; 0 of the other is none.
fn period(field: &str, value: Option<i32>) -> Result<Option<u32>, ObserveError> {
    let value = value.map(|value| count(field, value)).transpose()?;
    Ok(value.filter(|value| *value > 0))
}

fn send(lock: &ObjectLock) -> Result<ObjectLockConfiguration, WriteError> {
    let count = |field: &str, count: Option<u32>| {
        count.map(|count| sendable::<u32, i32>(field, count)).transpose()
    };
    let hold = match &lock.event_hold {
        Some(hold) => Some(
            EventHoldDuration::builder()
                .set_days(count("Days", hold.days)?)
                .set_years(count("Years", hold.years)?)
                .build(),
        ),
        None => None,
    };
    let is_set = lock.mode.is_some() || hold.is_some();
    let retention = DefaultRetention::builder()
        .set_mode(lock.mode.map(|mode| ObjectLockRetentionMode::from(mode.as_str())))
        .set_days(count("Days", lock.days)?)
        .set_years(count("Years", lock.years)?)
        .set_default_event_hold(hold)
        .build();
    let rule = ObjectLockRule::builder().default_retention(retention).build();
    Ok(ObjectLockConfiguration::builder()
        .object_lock_enabled(ObjectLockEnabled::Enabled)
        .set_rule(is_set.then_some(rule))
        .build())
}

/// What S3 would refuse of the declared lock.
pub fn check(spec: &Spec, problems: &mut Vec<SpecProblem>) {
    let periods = [spec.object_lock_days, spec.object_lock_years].into_iter().flatten().count();
    match (spec.object_lock_mode, periods) {
        (Some(_), 1) | (None, 0) => {}
        (Some(_), 0) => problems.push(SpecProblem::new(
            "object_lock_mode",
            "an object lock needs a period",
            "add object_lock_days or object_lock_years",
        )),
        (Some(_), _) => problems.push(SpecProblem::new(
            "object_lock_years",
            "an object lock has one period, and this one has days and years",
            "keep one of them",
        )),
        (None, _) => {
            let days = spec.object_lock_days.is_some();
            problems.push(SpecProblem::new(
                if days { "object_lock_days" } else { "object_lock_years" },
                "a period of object lock needs a mode",
                "add object_lock_mode = \"GOVERNANCE\"",
            ));
        }
    }
    if spec.object_lock_mode.is_some() && spec.versioning == Some(Versioning::Suspended) {
        problems.push(SpecProblem::new(
            "versioning",
            "a bucket with object lock always keeps versions",
            "set versioning = \"Enabled\"",
        ));
    }
}

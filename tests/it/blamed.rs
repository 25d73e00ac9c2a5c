//! Whoever calls what a kind watches can be named with what came of it: each event of each kind, with the members that
//! AWS's own models give the call, against the drifted objects of the recorded answers.
//!
//! One kind only: `EVENKEEL_KIND=kms.key cargo test --test it blamed::`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use chrono::Utc;
use evenkeel::baseline::catalog::Identity;
use evenkeel::kinds::erased::DynKind;
use evenkeel::kinds::registry;
use evenkeel::plan::{ObjectPlan, Plan, Verdict};
use evenkeel::reconcile::{Heard, Hearsay, LastRight, Named, RunEvent, Told};
use evenkeel::store::history::ByWhom;
use serde::Deserialize;
use serde_json::Value;

use crate::fixtures;
use crate::support::answers::{self, Played};
use crate::support::{python, root};

/// What the recorded answers do not show to be named, and nobody has looked into yet: each is a gap until it is shown or
/// mended, and goes from this list then.
const NOT_SHOWN: &str = "the recorded answers do not show that it can be named";

/// Events that name nobody, by kind (`*` is all), and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("events.bus_policies", "PutPermission", NOT_SHOWN),
    ("events.bus_policies", "RemovePermission", NOT_SHOWN),
    ("iam.root_user", "CreateAccessKey", NOT_SHOWN),
    ("iam.root_user", "DeactivateMFADevice", NOT_SHOWN),
    ("iam.root_user", "EnableMFADevice", NOT_SHOWN),
    ("kms.key", "DeleteAlias", NOT_SHOWN),
    ("kms.key_rotation", "EnableKeyRotation", NOT_SHOWN),
    ("kms.key_rotation", "DisableKeyRotation", NOT_SHOWN),
    ("kms.key_rotation", "CancelKeyDeletion", NOT_SHOWN),
    ("kms.key_rotation", "EnableKey", NOT_SHOWN),
    ("kms.key_rotation", "DisableKey", NOT_SHOWN),
    ("kms.key_rotation", "ScheduleKeyDeletion", NOT_SHOWN),
    ("logs.resource_policy", "PutResourcePolicy", NOT_SHOWN),
];

/// Kinds whose objects AWS gives ids that do not hold their names.
const WITH_IDS: &[&str] = &[];

/// What an event says.
#[derive(Debug, Default, Deserialize)]
struct Members {
    /// All that can be asked.
    whole: Value,
    /// What must be asked.
    least: Value,
    /// What is answered.
    answered: Value,
}

fn members(events: &[String]) -> BTreeMap<String, Members> {
    let mut asking = Command::new(python())
        .arg(root().join("tests/it/support/calls.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = serde_json::to_vec(events).unwrap();
    asking.stdin.take().unwrap().write_all(&asked).unwrap();
    let told = asking.wait_with_output().unwrap();
    assert!(told.status.success());
    serde_json::from_slice(&told.stdout).unwrap()
}

/// Where texts stand: the pointer, and the member.
fn texts(value: &Value, at: &str, member: &str, all: &mut Vec<(String, String)>) {
    match value {
        Value::String(_) => all.push((at.to_owned(), member.to_owned())),
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                texts(value, &format!("{at}/{place}"), member, all);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let member = if name == "items" { member } else { name };
                texts(value, &format!("{at}/{name}"), member, all);
            }
        }
        _ => {}
    }
}

/// All texts, and the names of members, each with the member that it stands in.
fn words(value: &Value, member: &str, all: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => all.push((member.to_owned(), text.clone())),
        Value::Array(values) => values.iter().for_each(|value| words(value, member, all)),
        Value::Object(members) => {
            for (name, value) in members {
                all.push((member.to_owned(), name.clone()));
                words(value, name, all);
            }
        }
        _ => {}
    }
}

fn plain(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).map(|one| one.to_ascii_lowercase()).collect()
}

/// What a member names: `vpc` of `vpcIds`.
fn thing(member: &str) -> String {
    let member = plain(member);
    let one = member.trim_end_matches('s');
    let ends = ["name", "arn", "identifier", "id"];
    ends.iter().find_map(|end| one.strip_suffix(end)).unwrap_or(one).to_owned()
}

/// What a kind is of, in one word: `store` of `cloudtrail.event_data_stores`.
fn one_of(kind: &str) -> &str {
    kind.rsplit(['.', '_']).next().unwrap_or_default().trim_end_matches('s')
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
}

/// What a kind's looks have seen.
struct Seen {
    kind: &'static dyn DynKind,
    objects: Vec<ObjectPlan>,
    right: Arc<LastRight>,
}

impl Seen {
    fn of(kind: &'static dyn DynKind, plans: &[Plan]) -> Self {
        let right = Arc::new(LastRight::default());
        let hearing = right.hearing(Utc::now());
        for plan in plans {
            let event = RunEvent::Planned { plan };
            hearing.hear(&Told { time: Utc::now(), run: "r", event }).unwrap();
        }
        let all = plans.iter().flat_map(|plan| plan.objects.each().map(Cow::into_owned));
        let all = all.filter(|one| matches!(one.verdict, Verdict::Drifted | Verdict::InSync));
        // What is as declared may differ at any time, in whatever way.
        let objects = all.map(|object| ObjectPlan { verdict: Verdict::Drifted, ..object });
        Self { kind, objects: objects.collect(), right }
    }

    /// How AWS may call an object in a member: by a name that is of what the member is about.
    fn called(&self, object: &ObjectPlan, member: &str) -> Vec<String> {
        let mut all = Vec::new();
        words(&object.spec, "", &mut all);
        object.observed.state().into_iter().for_each(|state| words(state, "", &mut all));
        let (wanted, about) = (plain(member), thing(member));
        let mut texts: Vec<String> = all
            .iter()
            .filter(|(member, _)| plain(member) == wanted)
            .map(|(_, text)| text.clone())
            .collect();
        let field = match self.kind.identity() {
            Identity::Named { field, .. } => Some(field),
            Identity::Singleton | Identity::Sweep => None,
        };
        let kind = plain(self.kind.name());
        let mut own = vec![object.observed.id.clone()];
        own.extend(object.observed.label.clone());
        own.extend(field.and_then(|field| object.spec.get(field)?.as_str()).map(str::to_owned));
        own.retain(|name| !name.is_empty());
        let is_own = about.is_empty()
            || about.ends_with("resource")
            || kind.ends_with(&about)
            || about.ends_with(one_of(self.kind.name()))
            || field.is_some_and(|field| thing(field) == about)
            || own.iter().any(|name| name.starts_with(&format!("{about}-")));
        if is_own {
            texts.extend(self.right.known_as(object));
            texts.extend(own.iter().cloned());
        }
        // Of what there are several in an object, each has a name.
        let is_part = |at: &str| {
            at.ends_with('s') && (is_own || plain(at).trim_end_matches('s').ends_with(&about))
        };
        texts.extend(all.iter().filter(|(at, _)| is_part(at)).map(|(_, text)| text.clone()));
        if wanted.trim_end_matches('s').ends_with("arn") {
            texts.retain(|text| is_arn(text));
            if is_own && !WITH_IDS.contains(&self.kind.name()) {
                let made = own.iter().filter(|name| !is_arn(name));
                texts.extend(made.map(|name| format!("arn:aws:x:eu-west-1:111122223333:x/{name}")));
            }
        }
        texts.sort_unstable();
        texts.dedup();
        texts
    }

    /// Whether an event that says so names who called.
    fn names(&self, event: &str, object: &ObjectPlan, asked: &Value, answered: &Value) -> bool {
        let by =
            ByWhom { principal: "eve".to_owned(), call: event.to_owned(), ..ByWhom::default() };
        let heard = Heard {
            account: object.account.clone(),
            kind: self.kind.name().to_owned(),
            region: None,
            by,
            named: Arc::new(Named::of(asked, &Value::Null, answered)),
            told: Utc::now(),
        };
        let right = Arc::clone(&self.right);
        let hearsay = Hearsay { told: vec![heard], right, ..Hearsay::default() };
        !hearsay.of_object(object).is_empty()
    }

    /// Whether an event can name who called with some object: what it says of it is what the object is called, and
    /// all else is of something else.
    fn can_name(&self, event: &str, asked: &Value, answered: &Value) -> bool {
        self.objects.iter().any(|object| {
            let both = [self.filled(object, asked), self.filled(object, answered)];
            let said = |asked: &Value, answered: &Value| self.names(event, object, asked, answered);
            said(asked, answered)
                || said(&both[0].0, answered)
                || both[0].1.iter().any(|asked| said(asked, answered))
                || both[1].1.iter().any(|answered| said(asked, answered))
        })
    }

    /// What is said with all that an object is called, and with one of it each.
    fn filled(&self, object: &ObjectPlan, said: &Value) -> (Value, Vec<Value>) {
        let (mut places, mut whole, mut each) = (Vec::new(), said.clone(), Vec::new());
        texts(said, "", "", &mut places);
        for (place, member) in places {
            for (number, name) in self.called(object, &member).into_iter().enumerate() {
                let mut one = said.clone();
                *one.pointer_mut(&place).unwrap() = Value::String(name.clone());
                each.push(one);
                if number == 0 {
                    *whole.pointer_mut(&place).unwrap() = Value::String(name);
                }
            }
        }
        (whole, each)
    }
}

async fn seen() -> Vec<Seen> {
    let mut plans: BTreeMap<&str, Vec<Plan>> = BTreeMap::new();
    for case in fixtures::cases() {
        let played = Played::new(case.answers());
        let declaration = case.declaration();
        let items = declaration.items(&answers::session()).await;
        let plan = answers::plan(&declaration, items, &played).await;
        plans.entry(case.kind.name()).or_default().push(plan);
    }
    let one = |(kind, plans): (_, Vec<Plan>)| Seen::of(registry::find(kind).unwrap(), &plans);
    plans.into_iter().map(one).collect()
}

#[tokio::test]
async fn whoever_calls_what_a_kind_watches_can_be_named() {
    let seen = seen().await;
    let events: Vec<String> = seen.iter().flat_map(|seen| seen.kind.events()).collect();
    let members = members(&events);
    let (mut wrong, none) = (Vec::new(), Members::default());
    for seen in seen {
        let kind = seen.kind.name();
        for event in seen.kind.events() {
            let Members { whole, least, answered } = members.get(&event).unwrap_or(&none);
            let can = |asked| seen.can_name(&event, asked, answered);
            let nobody = [("whole", can(whole)), ("least", can(least))]
                .into_iter()
                .filter(|(_, can)| !can)
                .map(|(which, _)| which)
                .collect::<Vec<_>>();
            let reason = EXCEPTIONS.iter().find(|(of, call, _)| {
                event.ends_with(&format!(":{call}")) && (*of == "*" || *of == kind)
            });
            match (nobody.is_empty(), reason) {
                (false, None) => wrong.push(format!("{kind}: {event} names nobody ({nobody:?})")),
                (true, Some((of, ..))) if *of != "*" => {
                    wrong.push(format!("{kind}: {event} names somebody: no exception"));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

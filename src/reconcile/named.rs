//! What a call was about, as its event tells: the names, ARNs and ids in what was asked and answered. Whoever
//! called something that names another object has not touched this one.
//!
//! Source: CloudTrail User Guide, "CloudTrail record contents for management, data, and network activity
//! events": `requestParameters`, `responseElements`, `resources`.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::Call;
use crate::baseline::catalog::Identity;
use crate::kinds::erased::DynKind;
use crate::kinds::{Object, Touches, registry};
use crate::plan::ObjectPlan;

/// Texts of one event that are kept, of what was asked and of what was answered; how many more there are is counted.
const MOST: usize = 200;
/// The longest name that AWS has is an ARN.
const LONGEST: usize = 2_048;
/// What EC2 and others put around what they name.
const AROUND: [&str; 5] = ["items", "item", "content", "member", "members"];
/// How the members end that say which object is meant.
const ENDS: [&str; 4] = ["name", "arn", "id", "identifier"];
/// Members that say it in another word.
const WORDS: [&str; 6] = ["rule", "resource", "bucket", "topic", "endpoint", "alias"];
/// Members that end so, and name a part, the call, or an account.
const PARTS: [&str; 7] =
    ["attributename", "statementid", "sid", "clienttoken", "metricname", "requestid", "ownerid"];
/// Members of a state by which AWS calls its object.
const IN_STATE: [&str; 4] = ["arn", "id", "key_id", "vpc_id"];
/// Those of them that are an object's own where they stand first, and the member that holds where it is.
const OWN: [&str; 2] = ["arn", "id"];
const PLACE: &str = "place";
/// So deep in a state they are looked for.
const DEEP: usize = 3;

/// What an event names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Named {
    asked: Vec<Text>,
    resources: Vec<String>,
    answered: Vec<Text>,
    /// How much more it names.
    #[serde(default, skip_serializing_if = "is_none")]
    more: usize,
}

/// A text in what was asked or answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Text {
    /// The member, in small letters and without what stands between words.
    member: String,
    text: String,
}

impl Text {
    fn is_name(&self) -> bool {
        is_name(&self.member)
    }

    /// Whether it is what a field of a spec says: `roleName` of `role_name`, `bucketName` of `bucket`.
    fn is_of(&self, field: &str) -> bool {
        let field = plain(field);
        let member = self.member.trim_end_matches('s');
        member == field.trim_end_matches('s') || member == format!("{field}name")
    }
}

fn plain(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).map(|one| one.to_ascii_lowercase()).collect()
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

fn is_name(member: &str) -> bool {
    let one = member.strip_suffix('s').unwrap_or(member);
    !PARTS.contains(&member)
        && (WORDS.contains(&member)
            || ENDS.iter().any(|end| member.ends_with(end) || one.ends_with(end)))
}

impl Named {
    /// What an event names, by what was asked, the resources of the event, and what was answered.
    pub fn of(asked: &Value, resources: &Value, answered: &Value) -> Self {
        let arns = resources.as_array().into_iter().flatten();
        let arns = arns.filter_map(|one| one.get("ARN").or_else(|| one.get("arn"))?.as_str());
        let mut named = Self {
            asked: first_named(asked),
            resources: arns.filter(|arn| arn.len() <= LONGEST).map(str::to_owned).collect(),
            answered: first_named(answered),
            more: 0,
        };
        // What there is one of says what it is about, before what there are many of.
        for texts in [&mut named.asked, &mut named.answered] {
            let mut count: HashMap<String, usize> = HashMap::new();
            texts.iter().for_each(|text| *count.entry(text.member.clone()).or_default() += 1);
            texts.sort_by_key(|text| count[&text.member] > 1);
            named.more += left_out(texts);
        }
        named.more += left_out(&mut named.resources);
        named
    }

    /// Whether the call may have touched what is declared of an object: not where it names another one, or
    /// touches only what is not declared. `known_as` are ids that AWS has called it or its parts by.
    pub fn may_touch(&self, call: &str, object: &ObjectPlan, known_as: &[String]) -> bool {
        let Some(kind) = registry::find(&object.item.kind) else { return false };
        let touches = kind.touches(call, &object.spec);
        if touches == Touches::Undeclared || self.is_of_others(kind) {
            return false;
        }
        let (texts, resources) = self.told();
        // What a call such as `PutAccountPolicy` changes, all of the account have.
        let is_of_all = is_own(kind, call) && thing(call).starts_with("account");
        if is_of_all || texts.is_empty() && resources.is_empty() {
            return true;
        }
        // What a kind watches that writes nothing is all that may come of it.
        let is_own = touches == Touches::Watched || is_own(kind, call);
        let is_id = |text: &str| known_as.iter().any(|id| same(text, id));
        if is_own && texts.iter().any(|text| text.is_name() && is_id(&text.text)) {
            return true;
        }
        let made = |known: &dyn Fn(&str) -> bool| self.made(call).any(|text| known(&text.text));
        let is_called = |text: &str| names(object, None).iter().any(|name| same(text, name));
        let is_it = |identity| is_it(texts, resources, object, kind, identity);
        match kind.identity() {
            // A call of another service is about something that the object depends on.
            _ if !is_own => {
                let known = known(object);
                let is_known = |text: &str| known.iter().any(|name| same(text, name));
                made(&is_known) || are_known(texts, resources, is_known)
            }
            Identity::Singleton => true,
            Identity::Named { field, .. } => {
                is_it(Some(field)) || made(&is_called) || self.may_be_left_out()
            }
            Identity::Sweep => is_it(None) || made(&is_called) || self.may_be_left_out(),
        }
    }

    /// Whether it names more than is kept, and nothing that stands alone, and so may name an object there.
    fn may_be_left_out(&self) -> bool {
        let stands_alone = |text: &&Text| {
            let alike = self.asked.iter().filter(|other| other.member == text.member);
            text.is_name() && alike.count() == 1
        };
        self.more > 0 && !self.asked.iter().any(|text| stands_alone(&text))
    }

    /// Whether a call on a part, by its name, is one on another part than differs: it is the filter `quiet` that
    /// `allowed_filters.quiet` is about.
    pub fn is_of_another_part(&self, call: &str, object: &ObjectPlan, field: &str) -> bool {
        let kind = registry::find(&object.item.kind);
        let is_watched = |kind: &dyn DynKind| kind.touches(call, &object.spec) == Touches::Watched;
        let (Some((_, part)), true) = (field.split_once('.'), kind.is_some_and(is_watched)) else {
            return false;
        };
        let by_name = format!("{}name", thing(call));
        // An update may be what gives the name.
        let is_part =
            |text: &&Text| text.member == by_name || (text.member == "name" && !is_update(call));
        let is_it = |text: &Text| {
            let rest = part.strip_prefix(text.text.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let mut parts = self.asked.iter().filter(is_part).peekable();
        parts.peek().is_some() && !parts.any(is_it)
    }

    fn is_of_others(&self, kind: &dyn DynKind) -> bool {
        let others = kind.of_others();
        self.asked.iter().any(|text| others.iter().any(|other| plain(other) == text.member))
    }

    /// What a call has made, as it was answered: `CreateVpc` with a `vpcId`.
    fn made(&self, call: &str) -> impl Iterator<Item = &Text> {
        let thing = thing(call);
        let is_made = move |text: &&Text| {
            let of = ENDS.iter().find_map(|end| text.member.strip_suffix(end));
            of.is_some_and(|of| thing.ends_with(of))
        };
        let makes = word(call) == "Create";
        self.answered.iter().filter(move |text| makes && is_made(text))
    }

    /// What was asked says what it is about; where it does not, what was answered does.
    fn told(&self) -> (&[Text], &[String]) {
        match self.asked.is_empty() && self.resources.is_empty() {
            true => (&self.answered, &[]),
            false => (&self.asked, &self.resources),
        }
    }
}

/// The first word of a call: `Update` of `UpdateIPSet`.
fn word(call: &str) -> &str {
    let name = call.rsplit(':').next().unwrap_or_default();
    let end = name.char_indices().skip(1).find(|(_, letter)| letter.is_ascii_uppercase());
    end.map_or(name, |(end, _)| &name[..end])
}

/// What a call is about by its name, in small letters: `ipset` of `UpdateIPSet`.
fn thing(call: &str) -> String {
    let name = call.rsplit(':').next().unwrap_or_default();
    plain(&name[word(call).len()..])
}

fn is_update(call: &str) -> bool {
    word(call) == "Update"
}

/// Whether a call is one of the service of a kind.
fn is_own(kind: &dyn DynKind, call: &str) -> bool {
    let service = kind.name().split('.').next().unwrap_or_default();
    let own = Call::new(service, "").event();
    call.split(':').next() == own.split(':').next()
}

/// The texts that stand beside the first names: what is deeper names what the object is to use.
fn first_named(value: &Value) -> Vec<Text> {
    let mut all = Vec::new();
    collect(value, "", 0, &mut all);
    let first = all.iter().filter(|(_, text)| text.is_name()).map(|(depth, _)| *depth).min();
    let of_first = all.into_iter().filter(|(depth, _)| Some(*depth) == first);
    of_first.map(|(_, text)| text).collect()
}

/// Leaves out what is not kept, and says how much that is.
fn left_out<T>(all: &mut Vec<T>) -> usize {
    let more = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    more
}

fn collect(value: &Value, member: &str, depth: usize, all: &mut Vec<(usize, Text)>) {
    match value {
        Value::String(text) if text.len() <= LONGEST && !text.is_empty() => {
            all.push((depth, Text { member: plain(member), text: text.clone() }));
        }
        Value::Array(values) => {
            values.iter().for_each(|value| collect(value, member, depth, all));
        }
        Value::Object(members) => {
            for (name, value) in members {
                match AROUND.contains(&name.as_str()) && !member.is_empty() {
                    true => collect(value, member, depth, all),
                    false => collect(value, name, depth + 1, all),
                }
            }
        }
        _ => {}
    }
}

/// Whether what is named is this object, and not another one of its kind.
fn is_it(
    texts: &[Text],
    resources: &[String],
    object: &ObjectPlan,
    kind: &dyn DynKind,
    identity: Option<&str>,
) -> bool {
    let mut is_of_field = false;
    let beside = kind.not_state().iter().copied();
    for field in identity.into_iter().chain(beside.filter(|field| Some(*field) != identity)) {
        let Some(declared) = object.spec.get(field).and_then(Value::as_str) else { continue };
        let mut said = texts.iter().filter(|text| text.is_of(field)).peekable();
        if said.peek().is_none() {
            continue;
        }
        let id = object.observed.id.as_str();
        let is_same = |text: &Text| {
            same(&text.text, declared) || (Some(field) == identity && same(&text.text, id))
        };
        if !said.any(is_same) {
            return false;
        }
        is_of_field = true;
    }
    let names = names(object, identity);
    let is_one = |text: &str| names.iter().any(|name| same(text, name));
    is_of_field
        || texts.iter().filter(|text| text.is_name()).any(|text| is_one(&text.text))
        || resources.iter().any(|arn| is_one(arn))
}

/// The ids by which AWS calls an object and its parts, as the state says that a look has seen: those of a kind by its
/// own name, such as the `group_id` of a security group and each `flow_log_id` of flow logs. Its own id is none of them.
pub fn own_ids(object: &ObjectPlan) -> Vec<String> {
    let mut ids = ids_of(&object.item.kind, &object.observed, &object.spec);
    ids.retain(|id| !same(id, &object.observed.id));
    ids
}

fn ids_of(kind: &str, object: &Object<Value>, spec: &Value) -> Vec<String> {
    let mut ids = Vec::new();
    if let Some(state) = object.state() {
        // Its own, or those of where it is.
        for of in [Some(state), state.get(PLACE)].into_iter().flatten() {
            let own = OWN.iter().filter_map(|member| of.get(member)?.as_str());
            ids.extend(own.filter(|id| !id.is_empty()).map(str::to_owned));
        }
        ids_in(state, spec, &one_of(kind), DEEP, &mut ids);
    }
    ids
}

/// Whether an object has an id or ARN of its own that it did not have before: something was made, which is more than a
/// setting.
pub fn has_new_ids(kind: &str, before: &Object<Value>, after: &Object<Value>) -> bool {
    let ids = |object: &Object<Value>| {
        // Of whomever they are.
        let mut ids = ids_of(kind, object, &Value::Null);
        object.state().into_iter().for_each(|state| arns_in(state, DEEP, &mut ids));
        ids
    };
    let before = ids(before);
    ids(after).iter().any(|id| !before.contains(id))
}

fn arns_in(state: &Value, deep: usize, arns: &mut Vec<String>) {
    for (member, value) in state.as_object().into_iter().flatten() {
        match value {
            Value::String(text) if member == "arn" && !text.is_empty() => arns.push(text.clone()),
            Value::Object(_) if deep > 1 => arns_in(value, deep - 1, arns),
            _ => {}
        }
    }
}

fn one_of(kind: &str) -> String {
    plain(kind).trim_end_matches('s').to_owned()
}

/// Whether a part of an object is one that somebody else has there: it names something else in a field that is declared.
fn is_others(part: &Value, spec: &Value) -> bool {
    let names_another = |(field, declared): (&String, &Value)| {
        let (Some(declared), Some(there)) = (declared.as_str(), part.get(field)) else {
            return false;
        };
        let is_named = |text: &str| text.starts_with(ARN) || is_name(&plain(field));
        there.as_str().is_some_and(|there| is_named(there) && !same(there, declared))
    };
    spec.as_object().into_iter().flatten().any(names_another)
}

fn ids_in(value: &Value, spec: &Value, kind: &str, deep: usize, ids: &mut Vec<String>) {
    match value {
        Value::Array(values) => {
            let own = values.iter().filter(|part| !is_others(part, spec));
            own.for_each(|part| ids_in(part, spec, kind, deep, ids));
        }
        Value::Object(members) => {
            for (member, value) in members {
                let thing = member.strip_suffix("_id").or(member.strip_suffix("_arn"));
                match value {
                    Value::String(text)
                        if !text.is_empty()
                            && thing.is_some_and(|thing| kind.ends_with(&plain(thing))) =>
                    {
                        ids.push(text.clone());
                    }
                    Value::Array(_) | Value::Object(_) if deep > 1 => {
                        ids_in(value, spec, kind, deep - 1, ids);
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// How an object is called.
fn names<'a>(object: &'a ObjectPlan, identity: Option<&str>) -> Vec<&'a str> {
    let mut names = vec![object.observed.id.as_str()];
    names.extend(object.observed.label.as_deref());
    names.extend(identity.and_then(|field| object.spec.get(field)?.as_str()));
    if let Some(state) = object.observed.state() {
        in_state(state, DEEP, &mut names);
    }
    names.retain(|name| !name.is_empty());
    names
}

fn in_state<'a>(state: &'a Value, deep: usize, names: &mut Vec<&'a str>) {
    for (member, value) in state.as_object().into_iter().flatten() {
        match value {
            Value::String(text) if IN_STATE.contains(&member.as_str()) => names.push(text),
            Value::Object(_) if deep > 1 => in_state(value, deep - 1, names),
            _ => {}
        }
    }
}

/// What an object knows: what it is declared or observed to be and to use.
fn known(object: &ObjectPlan) -> Vec<&str> {
    let mut known = names(object, None);
    strings(&object.spec, &mut known);
    object.observed.state().into_iter().for_each(|state| strings(state, &mut known));
    known
}

/// Whether all that is named is known.
fn are_known(texts: &[Text], resources: &[String], is_known: impl Fn(&str) -> bool) -> bool {
    let mut named = texts.iter().filter(|text| text.is_name()).map(|text| text.text.as_str());
    match named.clone().next() {
        Some(_) => named.all(is_known),
        None => resources.iter().any(|arn| is_known(arn)),
    }
}

fn strings<'a>(value: &'a Value, all: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if !text.is_empty() => all.push(text),
        Value::Array(values) => values.iter().for_each(|value| strings(value, all)),
        Value::Object(members) => {
            for (name, value) in members {
                all.push(name);
                strings(value, all);
            }
        }
        _ => {}
    }
}

/// Whether two texts name one thing: one is the other, or the other's ARN.
fn same(one: &str, other: &str) -> bool {
    one == other
        || in_arn(one).any(|name| name == other)
        || (!one.starts_with(ARN) && in_arn(other).any(|name| name == one))
}

const ARN: &str = "arn:";

/// What an ARN calls its resource, with and without the word for its type.
fn in_arn(text: &str) -> impl Iterator<Item = &str> {
    let parts: Vec<&str> = match text.starts_with(ARN) {
        true => text.splitn(6, ':').collect(),
        false => Vec::new(),
    };
    let service = parts.get(2).copied().unwrap_or_default();
    let resource = parts.get(5).map(|resource| resource.strip_suffix(":*").unwrap_or(resource));
    let rest = resource.and_then(|resource| Some(resource.split_once([':', '/'])?.1));
    // A path or a bus stands before the name.
    let last = resource
        .filter(|_| matches!(service, "iam" | "events"))
        .and_then(|resource| resource.rsplit('/').next());
    // A subscription and an object stand behind it.
    let first = resource
        .filter(|_| matches!(service, "sns" | "s3"))
        .and_then(|resource| resource.split([':', '/']).next());
    [resource, rest, last, first].into_iter().flatten()
}

#[cfg(test)]
#[path = "named_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;

//! The verdict property: "in sync" is concluded only from answers that say so.
//!
//! Each kind's cases in sync (`tests/kinds/<kind>/in-sync*`) are played again and again, each time
//! with one member of one answer changed, or with one declared field changed. Whatever AWS answers
//! otherwise must be noticed: as drift, a finding, or unknown. What means the same is listed beside
//! the cases in `immaterial.toml`, each with its reason; an entry that nothing needs is an error.
//!
//! One kind only: `EVENKEEL_KIND=kms.key cargo test --test it verdicts::`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fixtures::{self, Case};
use crate::support::answers::{self, Answers, Played};
use crate::support::library::Declaration;
use crate::support::root;
use crate::support::tree::{Node, Tree};
use evenkeel::aws::tape::{Answer, Body, ReadKey};
use evenkeel::baseline::ResolvedItem;
use evenkeel::baseline::check::Checker;
use evenkeel::kinds::Facts;
use evenkeel::kinds::erased::DynKind;
use evenkeel::plan::{Declared, Plan, Verdict};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

/// Words of AWS and what AWS says in their place.
const WORDS: &[&[&str]] = &[
    &["Enabled", "Disabled", "Suspended"],
    &["enabled", "disabled"],
    &["ENABLED", "DISABLED"],
    &["Success", "Failure"],
    &["SUCCESS", "FAILURE"],
    &["All", "ReadOnly", "WriteOnly"],
    &["Management", "Data"],
    &["AES256", "aws:kms"],
    &["Allow", "Deny"],
    &["CUSTOMER", "AWS"],
    &["available", "pending"],
    &["StringEquals", "StringNotEquals"],
    &["ACTIVE", "CREATING", "DISABLED", "FAILED", "DELETING"],
    &["READY", "PENDING", "INCOMPLETE", "FAILED", "DELETING"],
    &["ACCOUNT", "ORGANIZATION"],
    &[
        "PUBLISHING",
        "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY",
        "STOPPED",
        "PENDING_VERIFICATION",
    ],
    &["ARCHIVE", "NOOP"],
    &["EQUALS", "NOT_EQUALS"],
    &["WITHIN", "OLDER_THAN"],
    &["AVAILABLE", "UNAVAILABLE"],
    &["READY_FOR_UPDATES", "NOT_READY_FOR_UPDATES"],
    &["STARTED", "STOPPED"],
    &["CREATED", "CREATING"],
    &["NONE", "ACCESS_DENIED"],
    &["NONE", "ERROR"],
    &["OK", "S3_OBJECT_NOT_FOUND"],
    &["IDLE", "CANCELLED", "USER_PAUSED"],
    &["ALL", "NEW", "NONE"],
    &["ENABLED", "DISABLE_IN_PROGRESS"],
];
/// Names of XML elements that are the entries of a list.
const ENTRIES: [&str; 9] = [
    "member",
    "item",
    "Bucket",
    "Rule",
    "Tag",
    "Grant",
    "Transition",
    "EncryptionType",
    "NoncurrentVersionTransition",
];
/// What says that a page is not the last, by service.
const MORE_PAGES: &[(&str, &[(&str, &str)])] = &[
    ("iam", &[("IsTruncated", "true"), ("Marker", "more")]),
    ("kms", &[("Truncated", "true"), ("NextMarker", "more")]),
    ("cloudtrail", &[("NextToken", "more")]),
    ("config", &[("NextToken", "more")]),
    ("ec2", &[("nextToken", "more")]),
    ("s3", &[("ContinuationToken", "more")]),
    ("logs", &[("nextToken", "more")]),
    ("sns", &[("NextToken", "more")]),
    ("events", &[("NextToken", "more")]),
    ("cloudwatch", &[("NextToken", "more")]),
    ("accessanalyzer", &[("nextToken", "more")]),
    ("guardduty", &[("nextToken", "more")]),
    ("securityhub", &[("NextToken", "more")]),
    ("route53resolver", &[("NextToken", "more")]),
    ("detective", &[("NextToken", "more")]),
    ("macie2", &[("nextToken", "more")]),
    ("inspector2", &[("nextToken", "more")]),
];
/// Parts of answers that belong to the protocol.
const PROTOCOL: [&str; 4] = ["ResponseMetadata", "requestId", "RequestId", "HostId"];

/// What may be answered or declared otherwise without changing the verdict.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Immaterial {
    /// `service:Operation`.
    #[serde(default)]
    read: String,
    /// Members of the read's answer, each with all below it; `*` stands for a part of a name. `.`
    /// is the answer as a whole.
    #[serde(default)]
    members: Vec<String>,
    /// In which ways they may be changed; all, if none are named.
    #[serde(default)]
    how: Vec<String>,
    /// Declared fields instead of members.
    #[serde(default)]
    fields: Vec<String>,
    /// Why the verdict stays the same.
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    immaterial: Vec<Immaterial>,
}

/// Something that was changed.
#[derive(Debug, Clone)]
struct Mutant {
    read: String,
    member: String,
    how: &'static str,
    answers: Answers,
    items: Vec<(Declared, Facts)>,
}

impl Mutant {
    fn words(&self, case: &Case) -> String {
        format!("{}: {} {} {}", case.title(), self.read, self.member, self.how)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_sync_is_concluded_only_from_answers_that_say_so() {
    let mut by_kind: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for case in fixtures::cases().into_iter().filter(Case::is_in_sync) {
        by_kind.entry(case.kind.name()).or_default().push(case);
    }
    if std::env::var_os("EVENKEEL_KIND").is_none() {
        for kind in evenkeel::kinds::registry::all() {
            assert!(by_kind.contains_key(kind.name()), "{} has no case in sync", kind.name());
        }
    }
    let mut wrong = Vec::new();
    for (kind, cases) in by_kind {
        let file = root().join("tests/kinds").join(kind).join("immaterial.toml");
        let list = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let list: List = toml::from_str(&list).unwrap();
        let mut unlisted = Vec::new();
        let mut silent = Vec::new();
        for case in &cases {
            for (mutant, outcome) in unnoticed(case).await {
                if let Some(panic) = outcome {
                    wrong.push(format!("{}: {panic}", mutant.words(case)));
                } else if !list.immaterial.iter().any(|entry| entry.covers(&mutant)) {
                    unlisted.push(mutant.words(case));
                }
                silent.push(mutant);
            }
        }
        wrong.extend(unlisted.into_iter().map(|words| format!("in sync: {words}")));
        wrong.extend(list.immaterial.iter().flat_map(|entry| {
            let stale = entry.stale(&silent).into_iter();
            stale.map(|what| format!("{kind}: immaterial.toml lists {what}, which is noticed"))
        }));
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The mutants of a case that look as if nothing was wrong, or that end in a panic.
async fn unnoticed(case: &Case) -> Vec<(Mutant, Option<String>)> {
    let declaration = Arc::new(case.declaration());
    let items = declaration.items(&answers::session()).await;
    let answers = case.answers();
    let plan = answers::plan(&declaration, items.clone(), &Played::new(answers.clone())).await;
    assert!(!is_noticed(&plan), "{} is not in sync, so that nothing is tried", case.title());
    let mut mutants = Vec::new();
    for (key, pages) in &answers {
        for (page, there) in pages.iter().enumerate() {
            for (member, how, answer) in changed(key, there) {
                let mut answers = answers.clone();
                answers.get_mut(key).unwrap()[page] = answer;
                let read = key.call.clone();
                mutants.push(Mutant { read, member, how, answers, items: items.clone() });
            }
        }
    }
    for (field, items) in redeclared(case.kind, &items) {
        let read = String::new();
        mutants.push(Mutant { read, member: field, how: "field", answers: answers.clone(), items });
    }
    assert!(mutants.len() > 10, "{} has hardly any members", case.title());
    let runs = mutants.into_iter().map(|mutant| {
        let declaration = Arc::clone(&declaration);
        async move {
            let run = tokio::spawn(verdict(declaration, mutant.clone())).await;
            match run {
                Ok(true) => None,
                Ok(false) => Some((mutant, None)),
                Err(error) => Some((mutant, Some(error.to_string()))),
            }
        }
    });
    futures::stream::iter(runs).buffered(64).filter_map(std::future::ready).collect().await
}

/// Whether something is seen to be wrong.
async fn verdict(declaration: Arc<Declaration>, mutant: Mutant) -> bool {
    let plan = answers::plan(&declaration, mutant.items, &Played::new(mutant.answers)).await;
    is_noticed(&plan)
}

fn is_noticed(plan: &Plan) -> bool {
    plan.objects.iter().any(|object| {
        matches!(object.verdict, Verdict::Drifted | Verdict::Unknown(_) | Verdict::Excepted { .. })
    })
}

/// An answer in all the ways in which AWS, or what stands between, might give another one.
pub fn changed(key: &ReadKey, answer: &Answer) -> Vec<(String, &'static str, Answer)> {
    let Answer::Response { status, headers, body } = answer else { return Vec::new() };
    let mut all = Vec::new();
    let mut add = |member: &str, how, status, body: String| {
        let answer = Answer::Response { status, headers: headers.clone(), body: body.into() };
        all.push((member.to_owned(), how, answer));
    };
    let Body::Text(body) = body else { return Vec::new() };
    let tree = Tree::of(body);
    let (service, _) = key.call.split_once(':').unwrap();
    let is_xml = tree.as_ref().map_or(service.starts_with("s3"), Tree::is_xml);
    for (how, status, code) in [
        ("denied", 403, "AccessDenied"),
        ("throttled", 400, "ThrottlingException"),
        ("unavailable", 503, "ServiceUnavailable"),
    ] {
        add(".", how, status, error(is_xml, service, code));
    }
    add(".", "not-found", 404, String::new());
    add(".", "server-error", 500, String::new());
    add(".", "garbage", 200, "<html><body>login</body></html>".to_owned());
    add(".", "no-body", 200, String::new());
    let Some(tree) = tree else { return all };
    for (how, changed) in mutations(&tree, service) {
        let (member, changed) = changed;
        let changed = changed.body();
        if changed != *body {
            add(&member, how, *status, changed);
        }
    }
    all
}

/// An error in the form of the service's protocol.
fn error(is_xml: bool, service: &str, code: &str) -> String {
    let inner = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    match (is_xml, service) {
        (false, _) => json!({ "__type": code, "message": "no" }).to_string(),
        (true, "s3" | "s3control") => inner,
        (true, "ec2") => format!("<Response><Errors>{inner}</Errors></Response>"),
        (true, _) => format!("<ErrorResponse>{inner}</ErrorResponse>"),
    }
}

/// A changed body with the name of what was changed in it, by the way of changing.
type Mutation = (&'static str, (String, Tree));

fn mutations(tree: &Tree, service: &str) -> Vec<Mutation> {
    let mut all = Vec::new();
    // XML has the operation's name on top, which is no member.
    let mut top = Vec::new();
    if tree.is_xml() {
        top.push(0);
        let mut root = tree.root.clone();
        let result = root.at(&top).children();
        if result.first().is_some_and(|(name, _)| name.ends_with("Result")) {
            top.push(0);
        }
    }
    let mut change = |path: &[usize], member: &str, how, edit: &dyn Fn(&mut Node)| {
        let mut changed = tree.clone();
        edit(changed.root.at(path));
        all.push((how, (member.to_owned(), changed)));
    };
    change(&top, ".", "emptied", &|node| *node = Node::Map(Vec::new()));
    for (paged, members) in MORE_PAGES {
        if *paged == service {
            change(&top, ".", "more-pages", &|node| more_pages(node, members));
            // More, and not where.
            if let [flag, _] = members {
                change(&top, ".", "cut-short", &|node| more_pages(node, &[*flag]));
            }
        }
    }
    walk(&top, "", tree.root.clone().at(&top), tree.is_xml(), &mut change);
    all
}

fn more_pages(node: &mut Node, members: &[(&str, &str)]) {
    let Node::Map(map) = node else { return };
    map.retain(|(name, _)| members.iter().all(|(member, _)| name != member));
    map.extend(members.iter().map(|(name, value)| {
        let value = if *value == "true" { json!(true) } else { json!(value) };
        ((*name).to_owned(), Node::Leaf(value))
    }));
}

fn walk(
    path: &[usize],
    name: &str,
    node: &Node,
    is_xml: bool,
    change: &mut impl FnMut(&[usize], &str, &'static str, &dyn Fn(&mut Node)),
) {
    let children = node.children();
    let is_list = match node {
        Node::List(_) => true,
        Node::Map(_) => children.iter().all(|(name, _)| is_xml && ENTRIES.contains(&name.as_str())),
        _ => false,
    };
    if is_list && !children.is_empty() && !name.is_empty() {
        change(path, name, "emptied", &|node| match node {
            Node::List(items) => items.clear(),
            node => *node = Node::Map(Vec::new()),
        });
    }
    for (at, (child_name, child)) in children.iter().enumerate() {
        if PROTOCOL.contains(&child_name.as_str()) {
            continue;
        }
        let is_entry = is_xml && ENTRIES.contains(&child_name.as_str());
        let place = match key_of(child) {
            Some(key) if child_name == "entry" => format!("entry[{key}]"),
            _ if is_entry => format!("{child_name}[{at}]"),
            _ => child_name.clone(),
        };
        let dot = if name.is_empty() || place.starts_with('[') { "" } else { "." };
        let member = format!("{name}{dot}{place}");
        change(path, &member, "absent", &|node| node.remove(at));
        if is_entry || matches!(node, Node::List(_)) {
            change(path, &member, "doubled", &|node| node.double(at));
        }
        let below = [path, &[at]].concat();
        let nothing = if is_xml { Node::Map(Vec::new()) } else { Node::Leaf(Value::Null) };
        change(&below, &member, "null", &|node| *node = nothing.clone());
        for (how, value) in others(child) {
            change(&below, &member, how, &|node| *node = Node::Leaf(value.clone()));
        }
        walk(&below, &member, child, is_xml, change);
    }
}

/// The key of an entry of a map, as IAM writes them.
fn key_of(entry: &Node) -> Option<String> {
    let children = entry.children();
    let (_, key) = children.iter().find(|(name, _)| name == "key")?;
    match key {
        Node::Leaf(Value::String(key)) => Some(key.clone()),
        _ => None,
    }
}

/// What could stand in the place of a scalar.
fn others(node: &Node) -> Vec<(&'static str, Value)> {
    let value = match node {
        Node::Leaf(value) => value.clone(),
        Node::Inside(..) => return vec![("empty", json!("")), ("unknown", json!("unreadable"))],
        Node::Map(_) | Node::List(_) => return Vec::new(),
    };
    match &value {
        Value::Bool(value) => vec![("other", json!(!value))],
        Value::Number(number) => {
            // A number with a point stays one: CBOR tells them apart.
            let (next, zero) = match number.as_i64() {
                Some(number) => (json!(number + 1), json!(0)),
                None => (json!(number.as_f64().unwrap_or_default() + 1.0), json!(0.0)),
            };
            let mut all = vec![("other", next)];
            if number.as_f64() != Some(0.0) {
                all.push(("zero", zero));
            }
            all
        }
        Value::String(text) => {
            let mut all = vec![("empty", json!("")), ("unknown", json!(format!("{text}-x")))];
            let upper = text.to_uppercase();
            let other_case = if *text == upper { text.to_lowercase() } else { upper };
            if other_case != *text {
                all.push(("case", json!(other_case)));
            }
            match (text.parse::<i64>(), text.as_str()) {
                (Ok(number), _) => {
                    all.push(("other", json!((number + 1).to_string())));
                    all.push(("zero", json!("0")));
                }
                (_, "true") => all.push(("other", json!("false"))),
                (_, "false") => all.push(("other", json!("true"))),
                _ => {}
            }
            let words = WORDS.iter().filter(|words| words.contains(&text.as_str()));
            let words = words.flat_map(|words| words.iter()).filter(|word| *word != text);
            all.extend(words.map(|word| ("other", json!(word))));
            all
        }
        Value::Null | Value::Array(_) | Value::Object(_) => Vec::new(),
    }
}

/// The items with one declared field changed, for each field in which another value fits.
fn redeclared(
    kind: &dyn DynKind,
    items: &[(Declared, Facts)],
) -> Vec<(String, Vec<(Declared, Facts)>)> {
    let schema = kind.schema();
    let checker = Checker::new(schema.clone()).unwrap();
    let mut all = Vec::new();
    for (at, (declared, facts)) in items.iter().enumerate() {
        let fields = declared.spec.as_object().unwrap();
        for (field, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            if kind.not_state().contains(&field.as_str()) {
                continue;
            }
            let fits =
                |spec: &Value| checker.mismatches(spec).is_empty() && kind.check(spec).is_empty();
            let others = other_declarations(&schema, value);
            // Alone; or, where fields go together, without one of the others.
            let without = fields.keys().filter(|other| *other != field).map(Some);
            let specs = std::iter::once(None).chain(without).map(|without| {
                let mut spec = declared.spec.clone();
                without.and_then(|other| spec.as_object_mut().unwrap().remove(other));
                let specs = others.iter().map(|other| {
                    let mut spec = spec.clone();
                    spec[field] = other.clone();
                    spec
                });
                specs.filter(fits).collect::<Vec<Value>>()
            });
            let mut specs = specs.filter(|specs| !specs.is_empty());
            // Where nothing fits, nothing is changed, and the list has to say why.
            for spec in specs.next().unwrap_or_else(|| vec![declared.spec.clone()]) {
                let resolved = ResolvedItem { spec, ..(*declared.resolved).clone() };
                let mut items = items.to_vec();
                items[at] =
                    (Declared { resolved: Arc::new(resolved), mode: declared.mode }, facts.clone());
                all.push((field.clone(), items));
            }
        }
    }
    all
}

/// Values that might be declared in the place of one; not all of them fit.
fn other_declarations(schema: &Value, value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or_default();
            // The latter where AWS takes few numbers: days, and seconds of flow logs.
            let others = [number + 1, number - 1, 7, 60, 600];
            others.into_iter().filter(|other| *other != number).map(|other| json!(other)).collect()
        }
        Value::String(text) => {
            let mut all = vec![
                json!(format!("{text}x")),
                json!(format!("{text}/x")),
                json!("arn:aws:sns:eu-west-1:111122223333:x"),
                json!("arn:aws:logs:eu-west-1:111122223333:log-group:x:*"),
                json!("/x/"),
                json!("alias/x"),
                json!("o-zzzzzzzzzz"),
                json!("999988887777"),
                json!("us-west-2"),
            ];
            all.extend(words_beside(schema, text).into_iter().map(|word| json!(word)));
            all
        }
        Value::Array(list) => {
            let mut all = vec![json!([])];
            for (at, item) in list.iter().enumerate() {
                for other in other_declarations(schema, item) {
                    let mut list = list.clone();
                    list[at] = other;
                    all.push(json!(list));
                }
            }
            all.retain(|other| other != value);
            if list.is_empty() {
                all.extend(words(schema).into_iter().map(|word| json!([word])));
                all.push(json!([{ "ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0" }]));
                all.push(json!([{ "read_write_type": "ReadOnly" }]));
            }
            all
        }
        Value::Object(map) => {
            let mut all = Vec::new();
            for (name, inner) in map {
                for other in other_declarations(schema, inner) {
                    let mut map = map.clone();
                    map[name] = other;
                    all.push(json!(map));
                }
            }
            if map.is_empty() {
                all.push(json!({ "team": "other" }));
                all.push(json!({ "team": ["other"] }));
                let retries = json!({ "defaultHealthyRetryPolicy": { "numRetries": 10 } });
                all.push(json!({ "http": retries }));
                let what = json!(["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]);
                let audit = json!({ "Audit": { "FindingsDestination": {} } });
                let mask = json!({ "Deidentify": { "MaskConfig": {} } });
                all.push(json!({
                    "Name": "x",
                    "Version": "2021-06-01",
                    "Statement": [
                        { "Sid": "find", "DataIdentifier": what, "Operation": audit },
                        { "Sid": "mask", "DataIdentifier": what, "Operation": mask },
                    ],
                }));
            }
            all
        }
        Value::Null => Vec::new(),
    }
}

/// All words of the enumerations in a schema.
fn enumerations(schema: &Value) -> Vec<Vec<String>> {
    let below: Vec<&Value> = match schema {
        Value::Object(map) => map.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => Vec::new(),
    };
    let mut all: Vec<Vec<String>> = below.into_iter().flat_map(enumerations).collect();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        all.push(words.iter().filter_map(text).collect());
    }
    if let Some(variants) = schema.get("oneOf").and_then(Value::as_array) {
        all.push(variants.iter().filter_map(|one| one.get("const").and_then(text)).collect());
    }
    all
}

fn words(schema: &Value) -> Vec<String> {
    enumerations(schema).into_iter().flatten().collect()
}

fn words_beside(schema: &Value, word: &str) -> Vec<String> {
    let lists = enumerations(schema).into_iter().filter(|list| list.iter().any(|one| one == word));
    lists.flatten().filter(|other| other != word).collect()
}

impl Immaterial {
    fn covers(&self, mutant: &Mutant) -> bool {
        if mutant.how == "field" {
            return self.fields.contains(&mutant.member);
        }
        self.read == mutant.read
            && self.members.iter().any(|member| is_below(member, &mutant.member))
            && (self.how.is_empty() || self.how.iter().any(|how| how == mutant.how))
    }

    /// What of this entry no mutant needs.
    fn stale(&self, silent: &[Mutant]) -> Vec<String> {
        assert!(!self.reason.is_empty());
        let covered: Vec<&Mutant> = silent.iter().filter(|mutant| self.covers(mutant)).collect();
        let fields =
            self.fields.iter().filter(|field| !covered.iter().any(|one| one.member == **field));
        let members = self
            .members
            .iter()
            .filter(|member| !covered.iter().any(|one| is_below(member, &one.member)));
        let ways = self.how.iter().filter(|how| !covered.iter().any(|one| one.how == **how));
        let read = &self.read;
        fields.chain(members).chain(ways).map(|what| format!("{read} {what}")).collect()
    }
}

/// Whether a member is the one of a pattern, or below it.
fn is_below(pattern: &str, member: &str) -> bool {
    match pattern.split_once('*') {
        None => {
            member == pattern
                || member.strip_prefix(pattern).is_some_and(|rest| rest.starts_with(['.', '[']))
        }
        Some((start, rest)) => member.strip_prefix(start).is_some_and(|member| {
            let end = member.find(['.', ']']).unwrap_or(member.len());
            (0..=end).any(|at| member.is_char_boundary(at) && is_below(rest, &member[at..]))
        }),
    }
}

#[test]
fn a_pattern_stands_for_one_part_of_a_name_and_all_below() {
    assert!(is_below("Role.Tags", "Role.Tags.member[0].Key"));
    assert!(!is_below("Role.Tag", "Role.Tags"));
    assert!(is_below("Roles[*].Arn", "Roles[12].Arn"));
    assert!(!is_below("Roles[*].Arn", "Roles[1].Name.Arn"));
    assert!(!is_below(".", "Role"));
}

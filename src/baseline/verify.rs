//! Checks a composed baseline without any target: every placeholder, type, range and rule.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::Baseline;
use super::catalog::{Identity, KindInfo, SpecProblem};
use super::check::{Checker, Mismatch, steps};
use super::declare::Declared;
use super::interpolate::{Filled, Target, Unfilled};
use super::item::Regions;
use super::node::{Node, Value};
use super::problem::{Problem, SourcePlace};
use super::references::{self, Known};
use super::resolve::{Parts, regions_of, split};
use super::words::{ENGINE_WORDS, locate, mode_schema, regions_schema, word_schema};
use crate::names::{AccountId, ItemName, known_region, well_formed_region};

/// An item of a named kind, and where it holds.
type Governor<'a> = (&'a ItemName, &'a Declared, Regions);

/// Adds all problems of a baseline.
pub(super) fn verify(baseline: &Baseline<'_>, problems: &mut Vec<Problem>) {
    let filler = baseline.filler(Target::Sample);
    for field in baseline.declarations.variables.values() {
        if let Err(unfilled) = filler.fill(&field.node, "", &mut Filled::default()) {
            problems.push(problem_of(unfilled));
        }
    }
    verify_header(baseline, problems);
    verify_exceptions(baseline, problems);
    let mut identities: BTreeMap<(String, String), Vec<Governor<'_>>> = BTreeMap::new();
    let mut known = BTreeMap::new();
    for (name, declared) in &baseline.declarations.items {
        let Some(kind) = baseline.catalog.find(&name.kind) else { continue };
        let parts = match split(&filler, baseline, name, declared) {
            Ok(parts) => parts,
            Err(first) => {
                all_unfilled(baseline, declared, first, problems);
                continue;
            }
        };
        for (word, value) in &parts.words {
            verify_word(kind, declared, word, value, &parts.samples, problems);
        }
        verify_place(kind, declared, &parts, problems);
        let Some(checker) = baseline.catalog.checker(kind.name) else { continue };
        let mismatches: Vec<Mismatch> = checker
            .mismatches(&parts.spec)
            .into_iter()
            .filter(|wrong| {
                let pointer = format!("/{}", wrong.path.join("/"));
                !(wrong.concerns_text() && parts.samples.contains(&pointer))
            })
            .collect();
        let fits = mismatches.is_empty();
        if fits {
            verify_reach(name, declared, kind, &parts, problems);
        }
        problems.extend(mismatches.into_iter().map(|wrong| placed(name, declared, wrong)));
        if fits {
            // A sample stands for a fact that every target has its own of: what a rule says of it
            // holds for no target, and is said for each when it is known.
            let of_sample = |rule: &SpecProblem| is_of_sample(rule, &parts);
            for rule in (kind.check)(&parts.spec).into_iter().filter(|rule| !of_sample(rule)) {
                problems.push(rule_problem(name, declared, rule));
            }
        }
        // What exists once in an account has no Regions.
        let regions = regions_of(parts.words.get("regions").filter(|_| kind.regional).cloned());
        let governed = (kind.governs)(&parts.spec);
        known.insert(name, Known { declared, kind, parts });
        let Some(governed) = governed else { continue };
        let others = identities.entry((name.kind.clone(), governed.clone())).or_default();
        let same = others.iter().find(|(_, _, there)| there.surely_meet(&regions));
        let same = same.map(|(other, there, _)| (*other, *there));
        others.push((name, declared, regions));
        if let Some((other, there)) = same {
            problems.push(
                Problem::error(
                    "same-object",
                    format!("{other} and {name} both govern {governed:?}"),
                    declared.place.clone(),
                )
                .related(there.place.clone(), format!("{other} is declared here"))
                .help("declare an object in one item only"),
            );
        }
    }
    references::verify(&known, problems);
}

/// What holds of nothing, or for nobody.
fn verify_reach(
    name: &ItemName,
    declared: &Declared,
    kind: &KindInfo,
    parts: &Parts,
    problems: &mut Vec<Problem>,
) {
    if declares_nothing(kind, &parts.spec) && !is_off(parts) {
        problems.push(
            Problem::error(
                "declares-nothing",
                format!("{name} declares nothing: there is nothing to compare"),
                declared.place.clone(),
            )
            .help(format!(
                "declare a field (`evenkeel explain {}` lists them), or take the item away",
                kind.name
            )),
        );
    }
    let accounts = parts.words.get("when").and_then(|when| when["accounts"].as_array());
    if accounts.is_some_and(Vec::is_empty) {
        let place = declared.fields.get("when").map_or(&declared.place, |when| &when.node.place);
        problems.push(
            Problem::error(
                "holds-nowhere",
                format!("{name} is for no account: `when` has an empty list of accounts"),
                place.clone(),
            )
            .help("name the accounts, or take `when` away for all of them; mode = \"off\" rests an item")
            .warning(),
        );
    }
}

/// Exceptions that can match nothing, whatever is in the accounts.
fn verify_exceptions(baseline: &Baseline<'_>, problems: &mut Vec<Problem>) {
    let declarations = &baseline.declarations;
    for (exception, node) in baseline.exceptions.iter().zip(&declarations.exceptions) {
        let identity = baseline.catalog.find(&exception.item.kind).map(|kind| kind.identity);
        let Some(declared) = declarations.items.get(&exception.item) else { continue };
        let json = |word: &str| declared.fields.get(word).map(|field| field.node.to_json());
        let accounts = |word: &str| {
            let when = json("when")?;
            let list = when.get(word)?.as_array()?;
            list.iter().map(|id| id.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        let is_in = |list: &Vec<String>, id: &str| list.iter().any(|one| one == id);
        let account = exception.account.as_ref().map(AccountId::as_str);
        let object = exception.object.as_deref();
        let why = if let Some(object) = object.filter(|object| object.contains(['*', '?'])) {
            format!(
                "`object` is one id, and {object:?} is a pattern; without it, all objects are meant"
            )
        } else if let (Some(object), Some(Identity::Singleton)) = (object, identity)
            && !object.is_empty()
        {
            format!("{} has one object, which has no id: leave `object` out", exception.item.kind)
        } else if let (Some(""), Some(Identity::Named { .. } | Identity::Sweep)) =
            (object, identity)
        {
            "`object` is empty; without it, all objects are meant".to_owned()
        } else if json("mode").as_ref().and_then(Json::as_str) == Some("off") {
            "its mode is \"off\"".to_owned()
        } else if let (Some(_), Some(false)) = (
            &exception.region,
            baseline.catalog.find(&exception.item.kind).map(|kind| kind.regional),
        ) {
            format!("{} is in no Region: leave `region` out", exception.item.kind)
        } else if let (Some(region), Some(Regions::List(list))) =
            (&exception.region, json("regions").map(|regions| regions_of(Some(regions))))
            && !list.contains(region)
            && list.iter().all(|region| !region.as_str().contains("${"))
        {
            format!("the item does not hold in {region}")
        } else if let (Some(account), Some(list)) = (account, accounts("accounts"))
            && !is_in(&list, account)
            && list.iter().all(|id| !id.contains("${"))
        {
            format!("the item is not for account {account} (`when`)")
        } else if let (Some(account), Some(list)) = (account, accounts("not_accounts"))
            && is_in(&list, account)
        {
            format!("the item is not for account {account} (`when`)")
        } else {
            continue;
        };
        problems.push(
            Problem::error(
                "exception-idle",
                format!("the exception of {} can match nothing: {why}", exception.item),
                node.place.clone(),
            )
            .help("correct it, or take it away")
            .warning(),
        );
    }
}

/// The Region that an item of a kind without Regions names, and entries of `exclude` that name nothing.
fn verify_place(kind: &KindInfo, declared: &Declared, parts: &Parts, problems: &mut Vec<Problem>) {
    let region = kind.region.and_then(|field| Some((field, parts.spec.get(field)?.as_str()?)));
    if let Some((field, region)) = region.filter(|(field, region)| {
        !region.is_empty() && !parts.samples.contains(&format!("/{field}"))
    }) && let Err(error) = known_region(region)
    {
        let place = locate(declared, &[field.to_owned()], false);
        let problem =
            Problem::error("unknown-region", error.to_string(), place).help(error.remedy());
        // AWS may have more Regions than this version knows; all have one form.
        problems.push(match well_formed_region(region) {
            Ok(()) => problem.warning(),
            Err(_) => problem,
        });
    }
    let entries = parts.spec.get("exclude").filter(|_| kind.identity == Identity::Sweep);
    for (at, entry) in entries.and_then(Json::as_array).into_iter().flatten().enumerate() {
        if entry.as_object().is_some_and(Map::is_empty) {
            let place = locate(declared, &["exclude".to_owned(), at.to_string()], false);
            problems.push(
                Problem::error("declares-nothing", "this entry names nothing to leave out", place)
                    .help("name what it leaves out, or take it away"),
            );
        }
    }
}

/// Whether a rule speaks of a sample: of the very field, or by quoting one that is inside of it.
fn is_of_sample(rule: &SpecProblem, parts: &Parts) -> bool {
    // The name of an entry may have dots itself, such as the id of a control.
    let field = steps(&rule.field).join(".");
    let dotted = |sample: &str| sample.trim_start_matches('/').replace('/', ".");
    let is_quoted = |sample: &String| {
        let text = parts.spec.pointer(sample).and_then(Json::as_str);
        (field.is_empty() || dotted(sample).starts_with(&format!("{field}.")))
            && text.is_some_and(|text| !text.is_empty() && rule.message.contains(text))
    };
    parts.samples.iter().any(|sample| dotted(sample) == field || is_quoted(sample))
}

/// Whether an item says nothing of any state. One of a named kind says at least that the object is there.
fn declares_nothing(kind: &KindInfo, spec: &Json) -> bool {
    let is_state = |(field, value): (&String, &Json)| {
        !value.is_null() && !kind.not_state.contains(&field.as_str())
    };
    !matches!(kind.identity, Identity::Named { .. })
        && !spec.as_object().is_some_and(|fields| fields.iter().any(is_state))
}

fn is_off(parts: &Parts) -> bool {
    parts.words.get("mode").and_then(Json::as_str) == Some("off")
}

/// Every placeholder of an item that cannot be filled in, not the first alone.
fn all_unfilled(
    baseline: &Baseline<'_>,
    declared: &Declared,
    first: Unfilled,
    problems: &mut Vec<Problem>,
) {
    let filler = baseline.filler(Target::Sample);
    let before = problems.len();
    for field in declared.fields.values() {
        if let Err(unfilled) = filler.fill(&field.node, "", &mut Filled::default()) {
            problems.push(problem_of(unfilled));
        }
    }
    if problems.len() == before {
        problems.push(problem_of(first));
    }
}

fn problem_of(unfilled: Unfilled) -> Problem {
    let problem = Problem::error(unfilled.code, unfilled.message, unfilled.place);
    match unfilled.help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// `[baseline]`: its texts are texts, its mode and Regions are some.
fn verify_header(baseline: &Baseline<'_>, problems: &mut Vec<Problem>) {
    for (key, field) in &baseline.declarations.header {
        let schema = match key.as_str() {
            "name" | "description" => json!({"type": "string"}),
            "mode" => mode_schema(),
            "regions" => regions_schema(),
            _ => continue,
        };
        word_problems(key, &schema, &field.node.to_json(), &field.node.place, problems);
        if key == "regions" {
            verify_regions(&field.node, problems);
        }
    }
}

fn verify_word(
    kind: &KindInfo,
    declared: &Declared,
    word: &str,
    value: &Json,
    samples: &BTreeSet<String>,
    problems: &mut Vec<Problem>,
) {
    let Some(field) = declared.fields.get(word) else { return };
    if word == "regions" && !kind.regional {
        problems.push(
            Problem::error(
                "global-kind",
                format!("{} exists once per account and has no Regions", kind.name),
                field.key.clone(),
            )
            .help("remove the line"),
        );
        return;
    }
    let inside = format!("/{word}");
    // A sample stands for a fact of each target, and is looked at there.
    if samples.iter().any(|sample| sample.starts_with(&inside)) {
        return;
    }
    word_problems(word, &word_schema(word), value, &field.node.place, problems);
    if word == "regions" {
        verify_regions(&field.node, problems);
    }
}

/// Regions that AWS has not, or not yet when this version was made.
fn verify_regions(node: &Node, problems: &mut Vec<Problem>) {
    let Value::List(list) = &node.value else { return };
    for entry in list {
        if let Some(Err(error)) = entry.as_text().map(known_region) {
            problems.push(
                Problem::error("unknown-region", error.to_string(), entry.place.clone())
                    .help(error.remedy())
                    .warning(),
            );
        }
    }
}

fn word_problems(
    word: &str,
    schema: &Json,
    value: &Json,
    place: &SourcePlace,
    problems: &mut Vec<Problem>,
) {
    let Some(checker) = Checker::new(schema.clone()) else { return };
    for wrong in checker.mismatches(value) {
        let message = wrong.message.replacen("this", &format!("`{word}`"), 1);
        let problem = Problem::error(wrong.code, message, place.clone());
        problems.push(match wrong.help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }
}

/// A mismatch at its place in the file.
fn placed(name: &ItemName, declared: &Declared, wrong: Mismatch) -> Problem {
    let place = locate(declared, &wrong.path, wrong.at_key);
    let mut message = format!("{name}: {}", wrong.message);
    let mut help = wrong.help;
    if wrong.code == "unknown-field" && wrong.path.len() == 1 {
        let field = wrong.path.concat();
        message = format!("{} has no field `{field}`", name.kind);
        if help.is_none() {
            help = Some(format!("`evenkeel explain {}` lists its fields", name.kind));
        }
        if let Some(word) = super::problem::nearest(&field, ENGINE_WORDS).filter(|_| help.is_none())
        {
            help = Some(format!("did you mean `{word}`?"));
        }
    }
    let problem = Problem::error(wrong.code, message, place);
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

fn rule_problem(name: &ItemName, declared: &Declared, rule: SpecProblem) -> Problem {
    let path = steps(&rule.field);
    let place = locate(declared, &path, rule.at_key);
    let problem = Problem::error("rule", format!("{name}: {}", rule.message), place);
    match rule.help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

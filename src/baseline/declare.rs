//! From a parsed file to what it declares: header, variables, items, exceptions. The shape of the
//! file is checked here; the fields of the kinds are checked later, when all files are composed.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::catalog::{Catalog, Identity};
use super::node::{Node, Table, Value};
use super::problem::{Problem, SourcePlace, did_you_mean};
use crate::names::ItemName;

/// The version of the language.
pub const SCHEMA: i64 = 1;
/// The top-level tables that are no service.
const TOP: [&str; 4] = ["schema", "baseline", "variables", "exception"];
/// The words of `[baseline]`.
const HEADER: [&str; 5] = ["name", "description", "extends", "mode", "regions"];

/// A field of an item, of `[baseline]` or of `[variables]`: where its key stands, and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The key's place.
    pub key: SourcePlace,
    /// The value.
    pub node: Node,
}

/// An item as one file, or all composed files, declare it.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// Where its name stands.
    pub place: SourcePlace,
    /// Its fields, the engine's words included.
    pub fields: BTreeMap<String, Field>,
}

/// What a file, or all composed files, declare.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Declarations {
    /// `[baseline]`.
    pub header: BTreeMap<String, Field>,
    /// `[variables]`.
    pub variables: BTreeMap<String, Field>,
    /// The items.
    pub items: BTreeMap<ItemName, Declared>,
    /// `[[exception]]`.
    pub exceptions: Vec<Node>,
}

/// Reads the shape of a file.
pub fn declarations(root: &Node, catalog: &Catalog, problems: &mut Vec<Problem>) -> Declarations {
    let mut found = Declarations::default();
    let Some(table) = root.as_table() else { return found };
    check_schema(root, table, problems);
    for (key, key_place, node) in &table.entries {
        match key.as_str() {
            "schema" => {}
            "baseline" => header(node, &mut found, problems),
            "variables" => variables(node, &mut found, problems),
            "exception" => match &node.value {
                Value::List(list) => found.exceptions.extend(list.iter().cloned()),
                _ => problems.push(
                    Problem::error(
                        "wrong-type",
                        "exceptions are a list of tables",
                        key_place.clone(),
                    )
                    .help("write [[exception]], with two brackets"),
                ),
            },
            service => service_table(service, key_place, node, catalog, &mut found, problems),
        }
    }
    found
}

fn check_schema(root: &Node, table: &Table, problems: &mut Vec<Problem>) {
    let start = SourcePlace { source: root.place.source, start: 0, end: 0 };
    match table.get("schema").map(|node| (&node.value, &node.place)) {
        None => problems.push(
            Problem::error(
                "missing-schema",
                "the file does not say which version of the language it is in",
                start,
            )
            .label("the first line should be `schema = 1`")
            .help("add `schema = 1` at the top of the file"),
        ),
        Some((Value::Plain(Json::Number(number)), place)) if number.as_i64() != Some(SCHEMA) => {
            problems.push(
                Problem::error(
                    "unknown-schema",
                    format!("this evenkeel reads version {SCHEMA} of the language, and the file is in version {number}"),
                    place.clone(),
                )
                .help("use a newer evenkeel, or correct the number"),
            );
        }
        Some((Value::Plain(Json::Number(_)), _)) => {}
        Some((_, place)) => problems.push(
            Problem::error("wrong-type", "`schema` is a number", place.clone())
                .help("write `schema = 1`"),
        ),
    }
}

fn header(node: &Node, found: &mut Declarations, problems: &mut Vec<Problem>) {
    let Some(table) = table_or_problem(node, "[baseline]", problems) else { return };
    for (key, place, value) in &table.entries {
        if HEADER.contains(&key.as_str()) {
            found.header.insert(key.clone(), Field { key: place.clone(), node: value.clone() });
        } else {
            problems.push(unknown("field", key, "[baseline]", &HEADER, place));
        }
    }
}

fn variables(node: &Node, found: &mut Declarations, problems: &mut Vec<Problem>) {
    let Some(table) = table_or_problem(node, "[variables]", problems) else { return };
    for (key, place, value) in &table.entries {
        if let Value::Table(_) | Value::Date(_) = value.value {
            problems.push(
                Problem::error(
                    "wrong-type",
                    format!("the variable `{key}` is {}", value.kind_word()),
                    value.place.clone(),
                )
                .help("a variable is a text, a number, true or false, or a list of those"),
            );
        } else {
            found.variables.insert(key.clone(), Field { key: place.clone(), node: value.clone() });
        }
    }
}

fn service_table(
    service: &str,
    place: &SourcePlace,
    node: &Node,
    catalog: &Catalog,
    found: &mut Declarations,
    problems: &mut Vec<Problem>,
) {
    let services = catalog.services();
    if !services.contains(&service) {
        let mut names = services;
        names.extend(TOP);
        problems.push(unknown("table", service, "a baseline", &names, place));
        return;
    }
    let Some(table) = table_or_problem(node, &format!("[{service}]"), problems) else { return };
    for (thing, thing_place, value) in &table.entries {
        let name = format!("{service}.{thing}");
        let Some(kind) = catalog.find(&name) else {
            problems.push(unknown(
                "kind",
                &name,
                &format!("the service {service}"),
                &qualified(service, catalog),
                thing_place,
            ));
            continue;
        };
        let Some(inner) = table_or_problem(value, &format!("[{name}]"), problems) else { continue };
        match kind.identity {
            Identity::Singleton | Identity::Sweep => {
                let item = ItemName::singleton(name);
                found.items.insert(item, declared(thing_place, inner));
            }
            Identity::Named { .. } => {
                for (own, own_place, value) in &inner.entries {
                    if let Value::Table(fields) = &value.value {
                        let item = ItemName::named(name.clone(), own.clone());
                        found.items.insert(item, declared(own_place, fields));
                    } else {
                        problems.push(
                            Problem::error(
                                "missing-name",
                                format!("an item of {name} needs a name of its own"),
                                own_place.clone(),
                            )
                            .label("this field stands in a table without a name")
                            .help(format!("write [{name}.NAME] and put the fields below it")),
                        );
                    }
                }
            }
        }
    }
}

fn qualified<'a>(service: &str, catalog: &'a Catalog) -> Vec<&'a str> {
    catalog.kinds().iter().map(|kind| kind.name).filter(|name| name.starts_with(service)).collect()
}

fn declared(place: &SourcePlace, table: &Table) -> Declared {
    let fields = table
        .entries
        .iter()
        .map(|(key, place, node)| (key.clone(), Field { key: place.clone(), node: node.clone() }))
        .collect();
    Declared { place: place.clone(), fields }
}

fn table_or_problem<'a>(
    node: &'a Node,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Option<&'a Table> {
    let table = node.as_table();
    if table.is_none() {
        problems.push(Problem::error(
            "wrong-type",
            format!("{name} should be a table, and is {}", node.kind_word()),
            node.place.clone(),
        ));
    }
    table
}

/// "there is no … in …".
pub fn unknown(what: &str, name: &str, of: &str, names: &[&str], place: &SourcePlace) -> Problem {
    let code = match what {
        "kind" => "unknown-kind",
        "table" => "unknown-table",
        "item" => "unknown-item",
        _ => "unknown-field",
    };
    let problem = Problem::error(code, format!("{of} has no {what} `{name}`"), place.clone())
        .label(format!("unknown {what}"));
    match did_you_mean(name, names) {
        Some(help) => problem.help(help),
        None => problem,
    }
}

//! `${…}`: variables, facts of the target, and fields of other items. No expressions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::catalog::{Catalog, Identity};
use super::declare::{Declarations, Field};
use super::node::{Node, Value};
use super::problem::{SourcePlace, nearest};
use crate::names::{AccountId, ItemName, Region};

/// What is known of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// The account.
    pub account_id: AccountId,
    /// Its name.
    pub account_name: Option<String>,
    /// Its e-mail address.
    pub account_email: Option<String>,
    /// Its tags in the organization.
    pub account_tags: Option<BTreeMap<String, String>>,
    /// The organizational units that it is in, nearest first.
    pub ous: Option<Vec<String>>,
    /// The organization.
    pub organization_id: Option<String>,
    /// `aws`, `aws-cn` …
    pub partition: String,
    /// The Region of the objects.
    pub region: Region,
    /// The account's home Region.
    pub home_region: Region,
}

/// How much of a target is known.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// A real one: what is not known is an error.
    Real(&'a TargetFacts),
    /// None yet, as in `validate`: facts get sample values, and values made from them are marked.
    Sample,
    /// Any of a partition: facts get the values of [`UNKNOWN_FACTS`].
    Anyone {
        /// The partition.
        partition: &'a str,
        /// The account, where it is known.
        account: Option<&'a str>,
    },
    /// None: placeholders of facts stay as they are written.
    AsWritten,
}

/// A value, what it was made from, and the parts that a sample took part in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filled {
    /// The items that it refers to.
    pub depends_on: BTreeSet<ItemName>,
    /// Paths (JSON pointers) of texts that hold sample values.
    pub samples: BTreeSet<String>,
    /// Whether the Region took part.
    pub uses_region: bool,
    /// What its placeholders stand for so far, in characters and values.
    expanded: usize,
}

/// A placeholder that cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfilled {
    /// A stable word for it.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where.
    pub place: SourcePlace,
}

/// The environment, for the names that the fleet file allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// The allowed names with their values; `None` where a name is not set.
    pub values: BTreeMap<String, Option<String>>,
}

/// Fills in placeholders.
pub struct Filler<'a> {
    /// What is declared.
    pub declarations: &'a Declarations,
    /// The kinds.
    pub catalog: &'a Catalog,
    /// Values that a target gives to variables.
    pub overrides: &'a BTreeMap<String, Json>,
    /// The environment.
    pub environment: &'a Environment,
    /// The target.
    pub target: Target<'a>,
}

/// What stands for facts that depend on the target: texts that nobody would write, so that they
/// can be found again in what was made from them. Each has the form of its fact.
pub const UNKNOWN_FACTS: [&str; 4] =
    [UNKNOWN_ACCOUNT, UNKNOWN_REGION, UNKNOWN_ORGANIZATION, UNKNOWN_TEXT];
const UNKNOWN_ACCOUNT: &str = "000000000000";
const UNKNOWN_REGION: &str = "any-evenkeel-0";
const UNKNOWN_ORGANIZATION: &str = "o-anyevenkeel0";
const UNKNOWN_TEXT: &str = "evenkeel-any-0";

/// Placeholders that never end are stopped by the cycle check; this stops very deep ones.
const DEEPEST: usize = 64;
/// The most that the placeholders of one field may stand for, in characters and values. AWS takes no
/// policy of more than some 20,000 characters; variables that name each other ten times over and over
/// would fill any memory.
const MOST_EXPANDED: usize = 256 * 1024;

impl Filler<'_> {
    /// A node as JSON with its placeholders filled in.
    ///
    /// # Errors
    /// The first placeholder that cannot be.
    pub fn fill(&self, node: &Node, path: &str, filled: &mut Filled) -> Result<Json, Unfilled> {
        filled.expanded = 0;
        self.node(node, path, filled, &mut Vec::new())
    }

    fn node(
        &self,
        node: &Node,
        path: &str,
        filled: &mut Filled,
        chain: &mut Vec<String>,
    ) -> Result<Json, Unfilled> {
        Ok(match &node.value {
            Value::Text(text) => self.text(text, &node.place, path, filled, chain)?,
            Value::Plain(json) => json.clone(),
            Value::Date(date) => Json::String(date.clone()),
            Value::List(list) => Json::Array(
                list.iter()
                    .enumerate()
                    .map(|(index, entry)| {
                        self.node(entry, &format!("{path}/{index}"), filled, chain)
                    })
                    .collect::<Result<_, _>>()?,
            ),
            Value::Table(table) => {
                let mut map = Map::new();
                for (key, _, entry) in &table.entries {
                    let value = self.node(entry, &format!("{path}/{key}"), filled, chain)?;
                    map.insert(key.clone(), value);
                }
                Json::Object(map)
            }
        })
    }

    /// A text; one that is a single placeholder takes the placeholder's own type.
    fn text(
        &self,
        text: &str,
        place: &SourcePlace,
        path: &str,
        filled: &mut Filled,
        chain: &mut Vec<String>,
    ) -> Result<Json, Unfilled> {
        let parts = parts(text).map_err(|message| Unfilled {
            code: "bad-placeholder",
            message,
            help: Some("write ${name}, or $${ for the two characters themselves".to_owned()),
            place: place.clone(),
        })?;
        if let [Part::Name(name, offset)] = parts.as_slice() {
            let at = inside(place, text, *offset, name);
            return self.lookup(name, &at, path, filled, chain);
        }
        let mut out = String::new();
        for part in parts {
            match part {
                Part::Literal(literal) => out.push_str(&literal),
                Part::Name(name, offset) => {
                    let at = inside(place, text, offset, &name);
                    match self.lookup(&name, &at, path, filled, chain)? {
                        Json::String(value) => out.push_str(&value),
                        value @ (Json::Number(_) | Json::Bool(_)) => {
                            out.push_str(&value.to_string())
                        }
                        _ => {
                            return Err(Unfilled {
                                code: "wrong-type",
                                message: format!(
                                    "`{name}` is a list or a table, and cannot be part of a text"
                                ),
                                help: Some(format!(
                                    "write \"${{{name}}}\" alone to take the whole value"
                                )),
                                place: at,
                            });
                        }
                    }
                }
            }
        }
        Ok(Json::String(out))
    }

    fn lookup(
        &self,
        name: &str,
        place: &SourcePlace,
        path: &str,
        filled: &mut Filled,
        chain: &mut Vec<String>,
    ) -> Result<Json, Unfilled> {
        filled.uses_region |= name == "region";
        if let Some(fact) = self.fact(name, place)? {
            if !matches!(self.target, Target::Real(_)) {
                filled.samples.insert(path.to_owned());
            }
            return Ok(Json::String(fact));
        }
        if chain.iter().any(|above| above == name) || chain.len() > DEEPEST {
            chain.push(name.to_owned());
            return Err(Unfilled {
                code: "cycle",
                message: format!("these refer to each other without end: {}", chain.join(" → ")),
                help: Some("give one of them a value of its own".to_owned()),
                place: place.clone(),
            });
        }
        chain.push(name.to_owned());
        let value = self.declared(name, place, path, filled, chain)?;
        chain.pop();
        filled.expanded += size(&value);
        if filled.expanded > MOST_EXPANDED {
            return Err(Unfilled {
                code: "too-large",
                message: format!("`{name}` stands for more than any setting of AWS can hold"),
                help: Some(
                    "variables that name others several times multiply: write it out, or say less"
                        .to_owned(),
                ),
                place: place.clone(),
            });
        }
        Ok(value)
    }

    /// The value of a variable, or of a field of another item.
    fn declared(
        &self,
        name: &str,
        place: &SourcePlace,
        path: &str,
        filled: &mut Filled,
        chain: &mut Vec<String>,
    ) -> Result<Json, Unfilled> {
        if let Some(value) = self.overrides.get(name) {
            return Ok(value.clone());
        }
        if let Some(Field { node, .. }) = self.declarations.variables.get(name) {
            return self.node(node, path, filled, chain);
        }
        if let Some((item, field)) = self.reference(name) {
            let Some(declared) = self.declarations.items.get(&item) else {
                let names: Vec<String> =
                    self.declarations.items.keys().map(ToString::to_string).collect();
                let near = nearest(&item.to_string(), names.iter().map(String::as_str));
                return Err(Unfilled {
                    code: "unknown-reference",
                    message: format!("there is no item {item}"),
                    help: near.map(|near| format!("did you mean `${{{near}.{field}}}`?")),
                    place: place.clone(),
                });
            };
            filled.depends_on.insert(item.clone());
            return self.field(&item, &field, declared, place, path, filled, chain);
        }
        Err(self.unknown(name, place))
    }

    #[allow(clippy::too_many_arguments)]
    fn field(
        &self,
        item: &ItemName,
        field: &str,
        declared: &super::declare::Declared,
        place: &SourcePlace,
        path: &str,
        filled: &mut Filled,
        chain: &mut Vec<String>,
    ) -> Result<Json, Unfilled> {
        let mut steps = field.split('.');
        let first = steps.next().unwrap_or_default();
        if let Some(found) = declared.fields.get(first) {
            let mut value = self.node(&found.node, path, filled, chain)?;
            for step in steps {
                let inner = value.get(step).cloned();
                value = inner.ok_or_else(|| Unfilled {
                    code: "unknown-reference",
                    message: format!("{item} declares no `{field}`"),
                    help: None,
                    place: place.clone(),
                })?;
            }
            return Ok(value);
        }
        if let Some(default) = self.default_name(item, first) {
            return Ok(Json::String(default));
        }
        let names: Vec<&str> = declared.fields.keys().map(String::as_str).collect();
        Err(Unfilled {
            code: "unknown-reference",
            message: format!("{item} declares no `{first}`"),
            help: Some(match nearest(first, names) {
                Some(near) => format!("did you mean `${{{item}.{near}}}`?"),
                None => format!("only fields that {item} declares can be referred to"),
            }),
            place: place.clone(),
        })
    }

    /// The AWS name that an item has when it declares none.
    fn default_name(&self, item: &ItemName, field: &str) -> Option<String> {
        match (self.catalog.find(&item.kind)?.identity, &item.name) {
            (Identity::Named { field: own, prefix }, Some(name)) if own == field => {
                Some(format!("{prefix}{name}"))
            }
            _ => None,
        }
    }

    /// Splits `s3.bucket.audit.bucket` into item and field.
    fn reference(&self, name: &str) -> Option<(ItemName, String)> {
        let mut parts = name.splitn(3, '.');
        let kind = format!("{}.{}", parts.next()?, parts.next()?);
        let rest = parts.next()?;
        match self.catalog.find(&kind)?.identity {
            Identity::Singleton | Identity::Sweep => {
                Some((ItemName::singleton(kind), rest.to_owned()))
            }
            Identity::Named { .. } => {
                let (own, field) = rest.split_once('.')?;
                Some((ItemName::named(kind, own), field.to_owned()))
            }
        }
    }

    /// A fact of the target or a name of the environment; `None` when the name is neither.
    fn fact(&self, name: &str, place: &SourcePlace) -> Result<Option<String>, Unfilled> {
        if let Some(variable) = name.strip_prefix("env.") {
            return self.environment(variable, place).map(Some);
        }
        let known = [
            "account.id",
            "account.name",
            "account.email",
            "region",
            "partition",
            "organization.id",
        ];
        if !known.contains(&name) && !name.starts_with("account.tags.") {
            return Ok(None);
        }
        let facts = match self.target {
            Target::AsWritten => return Ok(Some(format!("${{{name}}}"))),
            Target::Anyone { partition, account } => {
                return Ok(Some(
                    match name {
                        "account.id" => account.unwrap_or(UNKNOWN_ACCOUNT),
                        "region" => UNKNOWN_REGION,
                        "partition" => partition,
                        "organization.id" => UNKNOWN_ORGANIZATION,
                        _ => UNKNOWN_TEXT,
                    }
                    .to_owned(),
                ));
            }
            Target::Sample => {
                return Ok(Some(
                    match name {
                        "account.id" => "111122223333",
                        "region" => "us-east-1",
                        "partition" => "aws",
                        "organization.id" => "o-exampleorgid",
                        _ => return Ok(Some(sample_of(name))),
                    }
                    .to_owned(),
                ));
            }
            Target::Real(facts) => facts,
        };
        let value = match name {
            "account.id" => Some(facts.account_id.to_string()),
            "account.name" => facts.account_name.clone(),
            "account.email" => facts.account_email.clone(),
            "region" => Some(facts.region.to_string()),
            "partition" => Some(facts.partition.clone()),
            "organization.id" => facts.organization_id.clone(),
            tag => facts
                .account_tags
                .as_ref()
                .and_then(|tags| tags.get(tag.trim_start_matches("account.tags.")).cloned()),
        };
        value.map(Some).ok_or_else(|| Unfilled {
            code: "unknown-fact",
            message: format!("`{name}` of account {} is not known", facts.account_id),
            help: Some("it comes from AWS Organizations: set [access] organizations_role_arn in the fleet file, or use a variable".to_owned()),
            place: place.clone(),
        })
    }

    fn environment(&self, name: &str, place: &SourcePlace) -> Result<String, Unfilled> {
        match self.environment.values.get(name) {
            Some(Some(value)) => Ok(value.clone()),
            Some(None) if matches!(self.target, Target::Anyone { .. }) => {
                Ok(UNKNOWN_TEXT.to_owned())
            }
            Some(None) if !matches!(self.target, Target::Real(_)) => Ok(sample_of(name)),
            Some(None) => Err(Unfilled {
                code: "unset-environment",
                message: format!("the environment variable {name} is not set"),
                help: None,
                place: place.clone(),
            }),
            None => Err(Unfilled {
                code: "forbidden-environment",
                message: format!("the environment variable {name} may not be used here"),
                help: Some(format!("allow it in the fleet file: env = [\"{name}\"]")),
                place: place.clone(),
            }),
        }
    }

    fn unknown(&self, name: &str, place: &SourcePlace) -> Unfilled {
        let mut names: Vec<String> = self.declarations.variables.keys().cloned().collect();
        names.extend(self.overrides.keys().cloned());
        names.extend(
            [
                "account.id",
                "account.name",
                "account.email",
                "region",
                "partition",
                "organization.id",
            ]
            .map(str::to_owned),
        );
        let message = if name.contains('.') {
            format!("there is no kind, fact or variable for `{name}`")
        } else {
            format!("there is no variable `{name}`")
        };
        let help = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `${{{near}}}`?"),
            None => format!("declare it: [variables] {name} = …"),
        };
        Unfilled { code: "unknown-variable", message, help: Some(help), place: place.clone() }
    }
}

/// What stands for a fact of which nothing is known before its account is: another text for each.
fn sample_of(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    format!("sample-{}", name.to_lowercase().chars().map(plain).collect::<String>())
}

/// How much a value is, in characters and values.
fn size(value: &Json) -> usize {
    match value {
        Json::String(text) => 1 + text.len(),
        Json::Array(list) => 1 + list.iter().map(size).sum::<usize>(),
        Json::Object(map) => {
            1 + map.iter().map(|(key, value)| key.len() + size(value)).sum::<usize>()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => 1,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A name, and the byte at which its `${` starts in the text.
    Name(String, usize),
}

/// Splits a text at its placeholders.
fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let offset = text.len() - rest.len() + at;
        if rest[..at].ends_with('$') {
            literal.push_str(&rest[..at]);
            literal.push('{');
            rest = &rest[at + 2..];
            continue;
        }
        literal.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let Some(end) = inner.find('}') else {
            return Err("a placeholder is not closed: `}` is missing".to_owned());
        };
        let name = inner[..end].trim();
        if name.is_empty() {
            return Err("a placeholder has no name".to_owned());
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(Part::Name(name.to_owned(), offset));
        rest = &inner[end + 1..];
    }
    literal.push_str(rest);
    if !literal.is_empty() || parts.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

/// The place of a placeholder inside a text, where the text has no escapes; else of the text.
fn inside(place: &SourcePlace, text: &str, offset: usize, name: &str) -> SourcePlace {
    // One quote on each side: the text stands in the file as it is.
    let verbatim = place.end - place.start == text.len() + 2;
    if verbatim {
        let start = place.start + 1 + offset;
        SourcePlace { source: place.source, start, end: start + name.len() + 3 }
    } else {
        place.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_at_placeholders() {
        let literal = |text: &str| Part::Literal(text.to_owned());
        assert_eq!(parts("plain"), Ok(vec![literal("plain")]));
        assert_eq!(parts(""), Ok(vec![literal("")]));
        assert_eq!(
            parts("a-${b}-c"),
            Ok(vec![literal("a-"), Part::Name("b".to_owned(), 2), literal("-c")])
        );
        assert_eq!(parts("$${aws:username}"), Ok(vec![literal("${aws:username}")]));
        assert!(parts("${open").is_err());
        assert!(parts("${}").is_err());
    }
}

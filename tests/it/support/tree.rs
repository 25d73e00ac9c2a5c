//! The body of an answer as a tree, whatever its format, so that any member can be changed and the
//! rest goes out as it came.

use aws_smithy_types::base64;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::Event;
use serde_json::Value;

/// A body.
#[derive(Debug, Clone)]
pub struct Tree {
    format: Format,
    /// All of it.
    pub root: Node,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Format {
    Json,
    Xml,
}

/// A member of a body.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A JSON object, or an XML element with elements in it; names may come more than once, and an
    /// XML name has its attributes with it.
    Map(Vec<(String, Node)>),
    /// A JSON array.
    List(Vec<Node>),
    /// A JSON scalar, or the text of an XML element.
    Leaf(Value),
    /// A document in a text.
    Inside(Wrapping, Box<Node>),
}

/// How a document is written in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wrapping {
    /// As JSON.
    Plain,
    /// As JSON, percent-encoded, as IAM does.
    Percent,
    /// As a table with headings, in base64, as IAM's credential report.
    Report,
}

impl Tree {
    /// Takes a body apart; `None` when it is empty or in neither format.
    pub fn of(body: &str) -> Option<Self> {
        let tree = match body.trim_start().chars().next()? {
            '{' => Self { format: Format::Json, root: json(serde_json::from_str(body).ok()?) },
            '<' => Self { format: Format::Xml, root: xml(body)? },
            _ => return None,
        };
        Some(tree)
    }

    /// The body again.
    pub fn body(&self) -> String {
        match self.format {
            Format::Json => value(&self.root).to_string(),
            Format::Xml => {
                let mut out = String::new();
                write_xml(&self.root, &mut out);
                out
            }
        }
    }

    /// Whether it is XML.
    pub fn is_xml(&self) -> bool {
        self.format == Format::Xml
    }
}

impl Node {
    /// The members below, with their names.
    pub fn children(&self) -> Vec<(String, &Self)> {
        match self {
            Self::Map(members) => {
                members.iter().map(|(name, node)| (plain(name).to_owned(), node)).collect()
            }
            Self::List(items) => {
                items.iter().enumerate().map(|(at, node)| (format!("[{at}]"), node)).collect()
            }
            Self::Leaf(_) => Vec::new(),
            Self::Inside(_, document) => document.children(),
        }
    }

    /// Goes down a path of places.
    pub fn at(&mut self, path: &[usize]) -> &mut Self {
        let Some((first, rest)) = path.split_first() else { return self };
        let next = match self {
            Self::Map(members) => &mut members[*first].1,
            Self::List(items) => &mut items[*first],
            Self::Inside(_, document) => return document.at(path),
            Self::Leaf(_) => panic!("a leaf has nothing below"),
        };
        next.at(rest)
    }

    /// Takes the member at a place out.
    pub fn remove(&mut self, place: usize) {
        match self {
            Self::Map(members) => drop(members.remove(place)),
            Self::List(items) => drop(items.remove(place)),
            Self::Inside(_, document) => document.remove(place),
            Self::Leaf(_) => {}
        }
    }

    /// Puts the member at a place there twice.
    pub fn double(&mut self, place: usize) {
        match self {
            Self::Map(members) => members.insert(place, members[place].clone()),
            Self::List(items) => items.insert(place, items[place].clone()),
            Self::Inside(_, document) => document.double(place),
            Self::Leaf(_) => {}
        }
    }
}

/// The name of an element without its attributes.
fn plain(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or(name)
}

/// A text, and the document in it if there is one.
fn text(text: String) -> Node {
    let parse = |text: &str| serde_json::from_str(text).ok().filter(Value::is_object).map(json);
    if text.starts_with('{') {
        if let Some(document) = parse(&text) {
            return Node::Inside(Wrapping::Plain, Box::new(document));
        }
    } else if text.starts_with("%7B") {
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if let Some(document) = parse(&decoded) {
            return Node::Inside(Wrapping::Percent, Box::new(document));
        }
    } else if let Some(report) = base64::decode(&text).ok().and_then(|report| table(&report)) {
        return Node::Inside(Wrapping::Report, Box::new(report));
    }
    Node::Leaf(Value::String(text))
}

fn table(report: &[u8]) -> Option<Node> {
    let report = std::str::from_utf8(report).ok()?;
    let mut lines = report.lines().map(|line| line.split(',').map(str::to_owned));
    let headings: Vec<String> = lines.next()?.collect();
    headings.contains(&"arn".to_owned()).then(|| {
        let row = |cells| headings.iter().cloned().zip(cells);
        let leaf = |(name, cell)| (name, Node::Leaf(Value::String(cell)));
        Node::List(lines.map(|cells| Node::Map(row(cells).map(leaf).collect())).collect())
    })
}

/// The table again; a row without a heading has no cell there, and the headings are the first row's.
fn write_table(rows: &Node) -> String {
    let Node::List(rows) = rows else { return base64::encode("") };
    let line = |cells: Vec<String>| cells.join(",") + "\n";
    let mut out = String::new();
    for row in rows {
        let Node::Map(cells) = row else { continue };
        if out.is_empty() {
            out += &line(cells.iter().map(|(name, _)| name.clone()).collect());
        }
        let cell = |node: &Node| match value(node) {
            Value::String(text) => text,
            _ => String::new(),
        };
        out += &line(cells.iter().map(|(_, node)| cell(node)).collect());
    }
    base64::encode(out)
}

fn json(value: Value) -> Node {
    match value {
        Value::Object(map) => {
            Node::Map(map.into_iter().map(|(name, value)| (name, json(value))).collect())
        }
        Value::Array(list) => Node::List(list.into_iter().map(json).collect()),
        Value::String(string) => text(string),
        scalar => Node::Leaf(scalar),
    }
}

/// A node as JSON; XML has none where names repeat.
fn value(node: &Node) -> Value {
    match node {
        Node::Map(members) => {
            members.iter().map(|(name, node)| (name.clone(), value(node))).collect()
        }
        Node::List(items) => items.iter().map(value).collect(),
        Node::Leaf(scalar) => scalar.clone(),
        Node::Inside(wrapping, document) => Value::String(match wrapping {
            Wrapping::Plain => value(document).to_string(),
            Wrapping::Percent => {
                utf8_percent_encode(&value(document).to_string(), NON_ALPHANUMERIC).to_string()
            }
            Wrapping::Report => write_table(document),
        }),
    }
}

/// An element that is being read: its name, the elements in it so far, and its text.
type Open = (String, Vec<(String, Node)>, String);

fn xml(body: &str) -> Option<Node> {
    let mut reader = Reader::from_str(body);
    let mut open: Vec<Open> = vec![(String::new(), Vec::new(), String::new())];
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                let name = std::str::from_utf8(&tag).ok()?.to_owned();
                open.push((name, Vec::new(), String::new()));
            }
            Event::Empty(tag) => {
                let name = std::str::from_utf8(&tag).ok()?.to_owned();
                open.last_mut()?.1.push((name, Node::Map(Vec::new())));
            }
            Event::Text(part) => open.last_mut()?.2 += &part.decode().ok()?,
            Event::GeneralRef(name) => {
                let reference = format!("&{};", name.decode().ok()?);
                open.last_mut()?.2 += &unescape(&reference).ok()?;
            }
            Event::End(_) => {
                let (name, members, inside) = open.pop()?;
                let node = if members.is_empty() { text(inside) } else { Node::Map(members) };
                open.last_mut()?.1.push((name, node));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let (_, members, _) = open.pop()?;
    open.is_empty().then_some(Node::Map(members))
}

fn write_xml(node: &Node, out: &mut String) {
    match node {
        Node::Map(members) => {
            for (name, node) in members {
                *out += &format!("<{name}>");
                write_xml(node, out);
                *out += &format!("</{}>", plain(name));
            }
        }
        Node::List(items) => items.iter().for_each(|item| write_xml(item, out)),
        Node::Leaf(_) | Node::Inside(..) => match value(node) {
            Value::String(text) => *out += &escape(text),
            scalar => *out += &scalar.to_string(),
        },
    }
}

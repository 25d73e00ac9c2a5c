//! Problems with baselines and fleet files, each with its place, and often the nearest right answer.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{LabeledSpan, MietteDiagnostic, NamedSource, Report};

use crate::visible::{masked, visible, visible_lines, without_secrets};

/// The longest line that is shown with a caret; above, the place is said in words alone.
const LONGEST_SHOWN_LINE: usize = 2_000;

/// A stretch of a source text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePlace {
    /// Which file, by its position in [`Sources`].
    pub source: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl SourcePlace {
    /// A place from a span.
    pub fn new(source: usize, span: Range<usize>) -> Self {
        Self { source, start: span.start, end: span.end }
    }
}

/// The texts that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    files: Vec<(String, Arc<str>)>,
}

impl Sources {
    /// Adds a text and returns its position.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> usize {
        self.files.push((name.into(), text.into()));
        self.files.len() - 1
    }

    /// A file's name, as it was given.
    pub fn name(&self, source: usize) -> &str {
        self.files.get(source).map_or("", |(name, _)| name)
    }

    /// A file's text.
    pub fn text(&self, source: usize) -> &str {
        self.files.get(source).map_or("", |(_, text)| text)
    }

    /// Whether any of the texts holds a word.
    pub fn mention(&self, word: &str) -> bool {
        self.files.iter().any(|(_, text)| text.contains(word))
    }

    /// The line of a place, from 1.
    pub fn line(&self, place: &SourcePlace) -> usize {
        let text = self.text(place.source).as_bytes();
        1 + text[..place.start.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
    }

    /// The column of a place in characters, from 1.
    pub fn column(&self, place: &SourcePlace) -> usize {
        let text = self.text(place.source);
        let before = text.get(..place.start.min(text.len())).unwrap_or(text);
        1 + before.rsplit('\n').next().unwrap_or_default().chars().count()
    }
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used; somebody should look.
    Warning,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// A stable word for it, such as `unknown-field`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where, with a few words at the caret.
    pub place: Option<(SourcePlace, String)>,
    /// Other places that belong to it.
    pub related: Vec<(SourcePlace, String)>,
}

impl Problem {
    /// An error at a place.
    pub fn error(code: &'static str, message: impl Into<String>, place: SourcePlace) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            help: None,
            place: Some((place, "here".to_owned())),
            related: Vec::new(),
        }
    }

    /// An error without a place, such as a file that is not there.
    pub fn general(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            help: None,
            place: None,
            related: Vec::new(),
        }
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with other words at the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some((_, old)) = &mut self.place {
            *old = label.into();
        }
        self
    }

    /// The same with another place.
    #[must_use]
    pub fn related(mut self, place: SourcePlace, label: impl Into<String>) -> Self {
        self.related.push((place, label.into()));
        self
    }
}

/// What is shown of source texts.
type Texts = BTreeMap<usize, Option<Arc<str>>>;

/// All problems of all files, in the order of the files.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    /// The texts that the places are in.
    pub sources: Arc<Sources>,
    /// The problems.
    pub list: Vec<Problem>,
}

impl Problems {
    /// Orders problems by place and joins them with their texts.
    pub fn new(sources: Arc<Sources>, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| problem.place.as_ref().map(|(place, _)| place.clone()));
        list.dedup();
        Self { sources, list }
    }

    /// How many errors there are; the rest are warnings.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// The errors in a line each, with file and line, for as many as are wanted.
    pub fn errors_in_lines(&self, most: usize) -> Vec<String> {
        let errors = self.list.iter().filter(|problem| problem.severity == Severity::Error);
        let line = |problem: &Problem| {
            let place = problem.place.as_ref().map_or_else(String::new, |(place, _)| {
                format!("{}:{}: ", self.sources.name(place.source), self.sources.line(place))
            });
            visible(&without_secrets(&format!("{place}{}", problem.message))).into_owned()
        };
        errors.take(most).map(line).collect()
    }

    /// One report a problem, with file, line and caret, for as many as are wanted.
    pub fn reports(&self, most: usize) -> Vec<Report> {
        let mut texts = BTreeMap::new();
        self.list.iter().take(most).map(|problem| self.report(problem, &mut texts)).collect()
    }

    /// A source text without what nobody may see; none if a line of it is too long to be shown. Made once for
    /// all its problems.
    fn shown_text(&self, source: usize, texts: &mut Texts) -> Option<Arc<str>> {
        let make = || {
            let text = self.sources.text(source);
            let can_be_shown = text.lines().all(|line| line.len() <= LONGEST_SHOWN_LINE);
            can_be_shown.then(|| Arc::from(masked(&without_secrets(text))))
        };
        texts.entry(source).or_insert_with(make).clone()
    }

    /// Texts of others are made visible: a baseline must not steer the reader's terminal.
    fn report(&self, problem: &Problem, texts: &mut Texts) -> Report {
        let message = visible_lines(&problem.message);
        let mut diagnostic = MietteDiagnostic::new(message).with_code(problem.code);
        if problem.severity == Severity::Warning {
            diagnostic = diagnostic.with_severity(miette::Severity::Warning);
        }
        let Some((place, shown)) = &problem.place else {
            return Report::new(match &problem.help {
                Some(help) => diagnostic.with_help(visible_lines(help)),
                None => diagnostic,
            });
        };
        let text = self.shown_text(place.source, texts);
        let label = |label: &str| Some(visible(label).into_owned());
        let mut labels = Vec::new();
        let mut help: Vec<String> = problem.help.iter().cloned().collect();
        if text.is_some() {
            labels.push(LabeledSpan::new_primary_with_span(label(shown), span(place)));
        } else {
            help.insert(0, self.in_words(place, shown));
        }
        for (other, words) in &problem.related {
            if other.source == place.source && text.is_some() {
                labels.push(LabeledSpan::new_with_span(label(words), span(other)));
            } else {
                help.push(self.in_words(other, words));
            }
        }
        if !help.is_empty() {
            diagnostic = diagnostic.with_help(visible_lines(&help.join("\n")));
        }
        let Some(text) = text else {
            return Report::new(diagnostic);
        };
        Report::new(diagnostic.with_labels(labels))
            .with_source_code(NamedSource::new(visible(self.sources.name(place.source)), text))
    }

    /// A place where its line cannot be shown.
    fn in_words(&self, place: &SourcePlace, label: &str) -> String {
        let name = self.sources.name(place.source);
        format!("{label}: {name}:{}:{}", self.sources.line(place), self.sources.column(place))
    }
}

fn span(place: &SourcePlace) -> (usize, usize) {
    (place.start, place.end.saturating_sub(place.start))
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.list {
            if let Some((place, _)) = &problem.place {
                write!(
                    out,
                    "{}:{}:{}: ",
                    self.sources.name(place.source),
                    self.sources.line(place),
                    self.sources.column(place)
                )?;
            }
            writeln!(out, "{}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The name that looks most like a text, when one does.
pub fn nearest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = snake(text);
    let likeness = |name: &str| {
        // AWS's own words are written in capitals, too.
        let lower = strsim::jaro_winkler(&wanted, &snake(name));
        strsim::jaro_winkler(&wanted, name).max(lower)
    };
    names
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| name)
}

/// What a word can be, the one that looks most like it first.
pub fn one_of(text: &str, words: &[&str]) -> String {
    let list = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let same = words.iter().find(|word| word.eq_ignore_ascii_case(text)).copied();
    match same.or_else(|| nearest(text, words.iter().copied())) {
        Some(near) => format!("did you mean \"{near}\"? It can be {list}"),
        None => format!("it can be {list}"),
    }
}

/// AWS's CamelCase as snake_case, so that a name copied from AWS's documentation is recognised.
fn snake(text: &str) -> String {
    let mut out = String::new();
    let mut lower_before = false;
    for character in text.chars() {
        if character.is_ascii_uppercase() {
            if lower_before {
                out.push('_');
            }
            out.push(character.to_ascii_lowercase());
            lower_before = false;
        } else {
            out.push(if character == '-' { '_' } else { character });
            lower_before = character != '_' && character != '.';
        }
    }
    out
}

/// "did you mean …?", or a list when it is short.
pub fn did_you_mean(text: &str, names: &[&str]) -> Option<String> {
    // Half a name is said of each that begins so: which is meant, nobody knows.
    let half = format!("{}_", snake(text));
    let whole: Vec<String> = names
        .iter()
        .filter(|name| name.starts_with(&half))
        .map(|name| format!("`{name}`"))
        .collect();
    if (1..=4).contains(&whole.len()) {
        return Some(format!("did you mean {}?", whole.join(" or ")));
    }
    match nearest(text, names.iter().copied()) {
        Some(name) => Some(format!("did you mean `{name}`?")),
        None if names.is_empty() => None,
        None if names.len() <= 12 => Some(format!("it can be {}", names.join(", "))),
        None => None,
    }
}

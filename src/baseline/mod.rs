//! Desired state: TOML files, composed, checked, and resolved for an account and Region.
//!
//! Pure but for reading the files: today's date, the environment and the kinds are arguments.

pub mod catalog;
pub mod check;
pub mod declare;
pub mod disk;
pub mod exceptions;
pub mod expand;
pub mod interpolate;
pub mod item;
pub mod load;
pub mod node;
pub mod problem;
pub mod references;
pub mod resolve;
pub mod schema;
pub mod texts;
pub mod verify;
pub mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::Value as Json;

pub use exceptions::Exception;
pub use interpolate::{Environment, TargetFacts, UNKNOWN_FACTS};
pub use item::{Location, Mode, Regions, ResolvedItem};
pub use problem::{Problem, Problems};
pub use resolve::{ItemError, Resolution, Resolver};

use catalog::Catalog;
use declare::Declarations;
use load::{Loader, Reader};
use problem::{Severity, Sources};

/// What loading depends on besides the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// Values that a target gives to variables.
    pub variables: BTreeMap<String, Json>,
    /// The environment variables that may be used, with their values.
    pub environment: Environment,
    /// Today, for exceptions.
    pub today: NaiveDate,
}

/// A composed and checked baseline.
pub struct Baseline<'a> {
    /// Its name, for the reader.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The files that were named.
    pub files: Vec<PathBuf>,
    /// Digest of the effective content, hexadecimal: formatting and comments do not count.
    pub digest: String,
    /// The waivers.
    pub exceptions: Vec<Exception>,
    declarations: Declarations,
    options: LoadOptions,
    sources: Arc<Sources>,
    catalog: &'a Catalog,
}

impl Baseline<'_> {
    /// Whether something in it may depend on the tags of accounts, which cost a call for each. Said
    /// of the texts, so that it is rather too often true than too seldom.
    pub fn may_use_account_tags(&self) -> bool {
        self.sources.mention("account.tags") || self.sources.mention("account_tags")
    }
}

/// A baseline, and what somebody should look at.
pub struct Loaded<'a> {
    /// The baseline.
    pub baseline: Baseline<'a>,
    /// Its warnings.
    pub warnings: Problems,
}

/// Loads and checks files given side by side.
///
/// # Errors
/// Every problem of every file, warnings included, when one of them is an error. A baseline
/// without items is an error: absence must never be taken for "nothing is desired".
pub fn load<'a>(
    paths: &[PathBuf],
    reader: &dyn Reader,
    catalog: &'a Catalog,
    options: LoadOptions,
) -> Result<Loaded<'a>, Problems> {
    let mut loader = Loader::new(reader, catalog);
    let declarations = loader.side_by_side(paths);
    let Loader { sources, mut problems, .. } = loader;
    let sources = Arc::new(sources);
    if declarations.items.is_empty() && problems.is_empty() {
        let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        problems.push(
            Problem::general("empty", format!("{} declares no item", names.join(", "))).help(
                "an empty baseline is more likely a mistake than a wish; declare at least one item",
            ),
        );
    }
    let exceptions = exceptions::read(&declarations, options.today, &mut problems);
    let name = declarations
        .header
        .get("name")
        .and_then(|field| field.node.as_text())
        .map_or_else(|| stem(paths), str::to_owned);
    let description = declarations
        .header
        .get("description")
        .and_then(|field| field.node.as_text())
        .map(str::to_owned);
    let mut baseline = Baseline {
        name,
        description,
        files: paths.to_vec(),
        digest: String::new(),
        exceptions,
        declarations,
        options,
        sources: Arc::clone(&sources),
        catalog,
    };
    verify::verify(&baseline, &mut problems);
    let problems = Problems::new(sources, problems);
    if problems.list.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }
    baseline.digest = expand::digest(&baseline);
    Ok(Loaded { baseline, warnings: problems })
}

/// A name from the first file's.
fn stem(paths: &[PathBuf]) -> String {
    paths
        .first()
        .and_then(|path| path.file_stem())
        .map_or_else(|| "baseline".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

impl Baseline<'_> {
    /// The names of its items.
    pub fn items(&self) -> impl Iterator<Item = &crate::names::ItemName> {
        self.declarations.items.keys()
    }

    /// The exceptions, and where each stands.
    pub fn exceptions_with_places(&self) -> impl Iterator<Item = (&Exception, Location)> {
        let nodes = &self.declarations.exceptions;
        self.exceptions.iter().zip(nodes).map(|(one, node)| (one, self.location(&node.place)))
    }

    fn location(&self, place: &problem::SourcePlace) -> Location {
        Location {
            file: self.sources.name(place.source).to_owned(),
            line: self.sources.line(place),
        }
    }
}

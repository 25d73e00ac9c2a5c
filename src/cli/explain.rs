//! `evenkeel explain`: what a kind is, from the same source as the documentation.

use evenkeel::kinds::describe;
use evenkeel::kinds::registry;

use super::args::ExplainArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::out;

/// Runs the command.
pub fn run(args: &ExplainArgs) -> Result<Exit, Failure> {
    let Some(subject) = &args.subject else {
        list();
        return Ok(Exit::Done);
    };
    let mut parts = subject.splitn(3, '.');
    let name = [parts.next(), parts.next()].into_iter().flatten().collect::<Vec<_>>().join(".");
    let Some(kind) = registry::find(&name) else { return Err(unknown_kind(&name)) };
    let field = parts.next();
    if let Some(field) = field {
        let fields = describe::fields(kind);
        if !fields.iter().any(|known| known.path == field) {
            let names = fields.iter().map(|known| known.path.as_str());
            let help = match nearest(field, names) {
                Some(near) => format!("did you mean {name}.{near}?"),
                None => format!("`evenkeel explain {name}` lists its fields"),
            };
            return Err(Failure::usage(format!("{name} has no field {field:?}"), help));
        }
    }
    out::text(&describe::explain(kind, field)?);
    Ok(Exit::Done)
}

fn list() {
    let width = registry::all().iter().map(|kind| kind.name().len()).max().unwrap_or_default();
    for kind in registry::all() {
        let summary = describe::summary(kind.as_ref());
        let first = summary.split_inclusive(". ").next().unwrap_or_default();
        out::line(&format!(
            "{:width$}  {}",
            kind.name(),
            first.lines().next().unwrap_or_default().trim()
        ));
    }
    out::line("\nMore: evenkeel explain KIND, or KIND.FIELD");
}

/// An error that names the nearest kind.
pub fn unknown_kind(name: &str) -> Failure {
    let help = match nearest(name, registry::all().iter().map(|kind| kind.name())) {
        Some(near) => format!("did you mean {near}?"),
        None => "`evenkeel explain` lists all kinds".to_owned(),
    };
    Failure::usage(format!("there is no kind {name:?}"), help)
}

/// The name that looks most like a text, when one does.
fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::jaro_winkler(text, name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| name)
}

//! `evenkeel policy`: the least-privilege IAM policy for exactly this baseline. Offline.

use evenkeel::kinds::registry;
use evenkeel::permissions::{MANAGED_POLICY_LIMIT, Permissions, cloudformation, terraform};
use evenkeel::plan::Mode;
use evenkeel::reconcile::Selection;

use super::args::{Global, PolicyArgs, PolicyFormat, PolicyMode};
use super::exit::Exit;
use super::failure::Failure;
use super::{out, settings};

/// Runs the command.
pub fn run(global: &Global, args: &PolicyArgs) -> Result<Exit, Failure> {
    let settings = settings::resolve(global, &args.selectors)?;
    let limit = match args.mode {
        PolicyMode::Report => Mode::Report,
        PolicyMode::Enforce => Mode::Enforce,
    };
    let selection =
        Selection { kinds: args.selectors.kind.iter().cloned().collect(), ..Selection::default() };
    let mut permissions = Permissions::default();
    for work in &settings.targets {
        let ceiling = work.ceiling.min(limit);
        for item in work.baseline.resolve_for_anyone() {
            if !selection.has_kind(&item.item.kind) {
                continue;
            }
            if let Some(kind) = registry::find(&item.item.kind) {
                permissions.add(kind, &item.spec, item.mode.min(ceiling))?;
            }
        }
    }
    let document = permissions.document();
    let pretty =
        |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    out::text(&match args.format {
        PolicyFormat::Json => pretty(&document),
        PolicyFormat::Terraform => terraform(&document),
        PolicyFormat::Cloudformation => pretty(&cloudformation(&document)),
    });
    let length = document.to_string().len();
    if length > MANAGED_POLICY_LIMIT {
        out::say(&format!(
            "note: the policy has {length} characters, and a managed policy takes {MANAGED_POLICY_LIMIT}: \
             use it as an inline policy of the role (10,240), or split it with -k"
        ));
    }
    Ok(Exit::Done)
}

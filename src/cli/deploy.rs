//! `evenkeel deploy`: templates of what evenkeel itself needs in AWS. Offline.

use evenkeel::baseline::disk::Disk;
use evenkeel::deploy::split::TooLong;
use evenkeel::deploy::{Asked, DeployError, Part, cloudformation, terraform};
use evenkeel::fleet::Fleet;
use serde_json::Value;

use super::args::{
    DeployArgs, DeployForm, DeployPart, Global, PolicyArgs, PolicyFormat, PolicyMode,
};
use super::exit::Exit;
use super::failure::Failure;
use super::{out, policy, settings};

/// Runs the command.
pub fn run(global: &Global, args: &DeployArgs) -> Result<Exit, Failure> {
    let part = match args.part {
        DeployPart::Hub => Part::Hub,
        DeployPart::MemberRole => Part::Role,
        DeployPart::MemberEvents => Part::Events,
    };
    let (fleet, permissions) = match part {
        Part::Role => permissions(global, args)?,
        Part::Hub => (settings::fleet_file(global, &Disk)?, Value::Null),
        Part::Events => (None, Value::Null),
    };
    if part == Part::Hub {
        says_who_tells(fleet.as_ref());
    }
    let asked = Asked { part, fleet: fleet.as_ref(), permissions: &permissions };
    let template = match args.form {
        DeployForm::Cloudformation => cloudformation::template(&asked),
        DeployForm::Terraform => terraform::configuration(&asked),
    };
    let template = template.map_err(|error| match error {
        DeployError::Access(error) => Failure::from(error),
        DeployError::TooLong(error) => {
            let help = match error {
                TooLong::Statement(_) => "name fewer objects in one item, or grant its permissions by hand: `evenkeel policy`",
                TooLong::Policies(_) => "split the baseline over several roles with -k, each with a fleet file of its own",
            };
            Failure::usage(error.to_string(), help)
        }
    })?;
    let text = serde_json::to_string_pretty(&template).unwrap_or_default() + "\n";
    out::result(&text, args.out.as_deref())?;
    Ok(Exit::Done)
}

/// Says so, where the fleet file that names roles and channels is another one.
fn says_who_tells(fleet: Option<&Fleet>) {
    let controller = fleet.and_then(|fleet| fleet.file.controller.as_ref());
    if controller.is_some_and(|controller| controller.git.is_some()) {
        out::say(
            "note: [access] and [notify] are in the repository's fleet file: what they need is in the template that is made in a checkout of it",
        );
    }
}

/// What evenkeel may do in an account, with the notes that `evenkeel policy` has, and the fleet file.
fn permissions(global: &Global, args: &DeployArgs) -> Result<(Option<Fleet>, Value), Failure> {
    let settings = settings::resolve(global, &args.selectors)?;
    let asked = PolicyArgs {
        selectors: args.selectors.clone(),
        mode: args.mode.unwrap_or(PolicyMode::Report),
        format: PolicyFormat::Json,
        bounds: args.bounds.clone(),
    };
    let mut permissions = policy::permissions(&settings, &asked)?;
    // The rules of a member pass the event on, whether or not the controller makes the call.
    policy::heartbeat(&mut permissions, &settings, &asked);
    for note in policy::notes(&permissions) {
        out::say(&format!("note: {note}"));
    }
    Ok((settings.fleet, permissions.document()))
}

//! `evenkeel deploy`: templates of what evenkeel itself needs in AWS. Offline.

use evenkeel::deploy::split::TooLong;
use evenkeel::deploy::{Part, cloudformation, terraform};
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
    let permissions = match part {
        Part::Role => permissions(global, args)?,
        Part::Hub | Part::Events => Value::Null,
    };
    let template = match args.form {
        DeployForm::Cloudformation => cloudformation::template(part, &permissions),
        DeployForm::Terraform => terraform::configuration(part, &permissions),
    };
    let template = template.map_err(|error| {
        let help = match error {
            TooLong::Statement(_) => "name fewer objects in one item, or grant its permissions by hand: `evenkeel policy`",
            TooLong::Policies(_) => "split the baseline over several roles with -k, each with a fleet file of its own",
        };
        Failure::usage(error.to_string(), help)
    })?;
    let text = serde_json::to_string_pretty(&template).unwrap_or_default() + "\n";
    out::result(&text, args.out.as_deref())?;
    Ok(Exit::Done)
}

/// What evenkeel may do in an account, with the notes that `evenkeel policy` has.
fn permissions(global: &Global, args: &DeployArgs) -> Result<Value, Failure> {
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
    Ok(permissions.document())
}

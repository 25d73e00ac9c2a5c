//! `evenkeel policy`: the least-privilege IAM policy for exactly this baseline. Offline.

use std::collections::BTreeSet;

use evenkeel::baseline::Mode;
use evenkeel::baseline::UNKNOWN_FACTS;
use evenkeel::controller::pulse;
use evenkeel::deploy::own;
use evenkeel::fleet::Fleet;
use evenkeel::fleet::access::roles;
use evenkeel::kinds::calls::Allowed;
use evenkeel::kinds::{Arns, registry};
use evenkeel::names::{Arn, partition_of};
use evenkeel::permissions::{MANAGED_POLICY_LIMIT, Permissions, cloudformation, terraform};
use evenkeel::reconcile::{Selection, Settings};

use super::args::{Global, PolicyArgs, PolicyFormat, PolicyMode};
use super::exit::Exit;
use super::failure::Failure;
use super::out;
use super::settings;

/// Runs the command.
pub fn run(global: &Global, args: &PolicyArgs) -> Result<Exit, Failure> {
    let settings = settings::resolve(global, &args.selectors)?;
    let mut permissions = permissions(&settings, args)?;
    if let Some(fleet) = &settings.fleet {
        beside(&mut permissions, fleet, &settings, args);
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
    for note in notes(&permissions).into_iter().chain(too_long(length)) {
        out::say(&format!("note: {note}"));
    }
    Ok(Exit::Done)
}

/// What evenkeel needs.
///
/// # Errors
/// The own role is none, or the boundary contradicts what is declared.
pub fn permissions(settings: &Settings, args: &PolicyArgs) -> Result<Permissions, Failure> {
    let limit = match args.mode {
        PolicyMode::Report => Mode::Report,
        PolicyMode::Enforce => Mode::Enforce,
    };
    let selection =
        Selection { kinds: args.selectors.kind.iter().cloned().collect(), ..Selection::default() };
    let partition = partition(settings, args);
    let only = match args.selectors.account.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    let account = only.unwrap_or("*");
    let arns = Arns::of(partition, account).with_unknown(UNKNOWN_FACTS);
    let mut permissions = Permissions {
        own_role: own_role(settings, args, account, partition)?,
        rolls_back: args.bounds.with_rollback,
        ..Permissions::default()
    };
    let mut claimed: BTreeSet<&'static str> = BTreeSet::new();
    let mut beside = Vec::new();
    for target in &settings.targets {
        let ceiling = target.ceiling.min(limit);
        for item in target.baseline.resolve_for_anyone(partition, only) {
            let Some(kind) = registry::find(&item.item.kind) else { continue };
            if target.is_beside || !selection.has_kind(&item.item.kind) {
                beside.push((kind, item));
                continue;
            }
            claimed.extend(kind.claimed());
            permissions.add(kind, &item.spec, item.mode.min(ceiling), &arns)?;
        }
    }
    // What can contradict the rest is read with it.
    for (kind, item) in beside {
        if kind.claimed().iter().any(|sort| claimed.contains(sort)) {
            permissions.add(kind, &item.spec, Mode::Report, &arns)?;
        }
    }
    if let Some(boundary) = &args.bounds.permissions_boundary {
        permissions.bound(boundary).map_err(|error| {
            Failure::usage(
                error.to_string(),
                "declare that permissions_boundary for every iam.role of the baseline",
            )
        })?;
    }
    Ok(permissions)
}

/// What evenkeel's role calls beside the items, where the fleet file says so.
fn beside(permissions: &mut Permissions, fleet: &Fleet, settings: &Settings, args: &PolicyArgs) {
    let (partition, account) = (partition(settings, args), account_of(args));
    if fleet.file.controller.as_ref().is_some_and(|part| part.heartbeat.is_some()) {
        heartbeat(permissions, settings, args);
    }
    let at = own::At { partition, account, plain: str::to_owned };
    for own::Need { actions, resources, .. } in own::beside(&fleet.file, &at) {
        for action in actions {
            permissions.allow(&action, Allowed::on(resources.clone()));
        }
    }
}

/// What the call needs that the controller makes to be heard of.
pub fn heartbeat(permissions: &mut Permissions, settings: &Settings, args: &PolicyArgs) {
    let (action, resource) = pulse::needs(partition(settings, args), account_of(args));
    permissions.allow(action, Allowed::on([resource]));
}

/// The account that the policy is for; any, where it is for several.
fn account_of(args: &PolicyArgs) -> &str {
    match args.selectors.account.as_slice() {
        [only] => only.as_str(),
        _ => "*",
    }
}

/// The partition of the Regions: that of the command line's or the fleet file's home Region.
fn partition(settings: &Settings, args: &PolicyArgs) -> &'static str {
    let home = settings.fleet.as_ref().and_then(|fleet| fleet.file.home_region.clone());
    let region = args.selectors.region.first().cloned().or(home).unwrap_or_default();
    partition_of(&region)
}

/// The role that evenkeel runs as, when it is known.
fn own_role(
    settings: &Settings,
    args: &PolicyArgs,
    account: &str,
    partition: &str,
) -> Result<Option<String>, Failure> {
    if let Some(arn) = &args.bounds.own_role {
        return a_role(arn, account, partition).map(Some);
    }
    let roles = settings.fleet.as_ref().and_then(|fleet| roles(fleet, ""));
    Ok(roles.map(|roles| roles.own_role(account, partition)).transpose()?)
}

/// The ARN of a role, where it is one: a denial for anything else would deny nothing, or everything.
fn a_role(arn: &str, account: &str, partition: &str) -> Result<String, Failure> {
    let wrong = |help: String| {
        Err(Failure::usage(format!("--own-role {arn:?} is not the ARN of a role"), help))
    };
    let form = format!(
        "write it as arn:{partition}:iam::{}:role/NAME",
        match account {
            "*" => "111122223333",
            known => known,
        }
    );
    let Some(Arn { partition: in_partition, service, region: "", account: of, resource: thing }) =
        Arn::parse(arn)
    else {
        return wrong(form);
    };
    let digits = of.len() == 12 && of.bytes().all(|byte| byte.is_ascii_digit());
    if let ("sts", Some(session)) = (service, thing.strip_prefix("assumed-role/")) {
        let name = session.split('/').next().unwrap_or_default();
        return wrong(format!(
            "this is a session of it: name the role, arn:{in_partition}:iam::{of}:role/{name}, with its path where it has one (`aws iam get-role --role-name {name}` shows it)"
        ));
    }
    let name = thing.strip_prefix("role/").unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/+=,.@_-".contains(&byte);
    let is_name = !name.is_empty() && !name.ends_with('/') && name.bytes().all(fits);
    if service != "iam" || in_partition != partition || !digits || !is_name {
        return wrong(form);
    }
    if account != "*" && account != of {
        return wrong(format!("it is a role of account {of}, and the policy is for {account}"));
    }
    Ok(arn.to_owned())
}

/// What the reader of the policy should know.
pub fn notes(permissions: &Permissions) -> Vec<String> {
    let mut notes = Vec::new();
    let everywhere = permissions.everywhere();
    if !everywhere.is_empty() {
        let names: Vec<&str> = everywhere.iter().copied().collect();
        notes.push(format!(
            "{} on \"*\" because AWS has no resource for {}: {}",
            if names.len() == 1 {
                "1 write stands".to_owned()
            } else {
                format!("{} writes stand", names.len())
            },
            if names.len() == 1 { "it" } else { "them" },
            names.join(", "),
        ));
    }
    if permissions.changes_roles() && permissions.own_role.is_none() {
        notes.push(
            "the policy changes roles, and nothing says which one evenkeel runs as: name it with \
             --own-role, so that the policy denies evenkeel to change itself"
                .to_owned(),
        );
    }
    notes
}

/// That the policy is longer than a managed policy takes, if it is.
fn too_long(length: usize) -> Option<String> {
    (length > MANAGED_POLICY_LIMIT).then(|| {
        format!(
            "the policy has {length} characters, and a managed policy takes {MANAGED_POLICY_LIMIT}: \
             use it as an inline policy of the role (10,240), split it with -k, or let `evenkeel deploy` split it"
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_arn_of_a_role_is_one() {
        let own = "arn:aws:iam::111122223333:role/ops/evenkeel";
        assert_eq!(a_role(own, "*", "aws").unwrap(), own);
        assert_eq!(a_role(own, "111122223333", "aws").unwrap(), own);
        for other in [
            "arn:aws:sts::111122223333:assumed-role/evenkeel/x",
            "evenkeel",
            "",
            "bad",
            "*",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::*:role/evenkeel",
            "arn:aws:iam::111122223333:user/evenkeel",
            "arn:aws:iam::111122223333:role/",
            "arn:aws-cn:iam::111122223333:role/evenkeel",
        ] {
            assert!(a_role(other, "*", "aws").is_err(), "{other}");
        }
        assert!(a_role(own, "999999999999", "aws").is_err());
        let Err(Failure::Usage { help, .. }) =
            a_role("arn:aws:sts::111122223333:assumed-role/evenkeel/x", "*", "aws")
        else {
            unreachable!()
        };
        assert!(help.contains("arn:aws:iam::111122223333:role/evenkeel"), "{help}");
    }
}

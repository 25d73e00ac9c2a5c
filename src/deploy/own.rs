//! What evenkeel calls with its own credentials, beside what it looks at in the accounts: by the fleet file,
//! and from the calls themselves. `evenkeel policy` and the policy of the hub have it from here.
//!
//! Source of the resources: Service Authorization Reference.

use std::collections::BTreeSet;

use crate::aws::Call;
use crate::fleet::Fleet;
use crate::fleet::access::{AccessError, roles};
use crate::fleet::file::{Anchor, FleetFile, SwitchParameter};
use crate::fleet::organization::READS;
use crate::guards::parameter;
use crate::names::Arn;
use crate::notify::{anchor, eventbridge, securityhub, sns};

/// The parameter of the kill switch where there is no fleet file yet.
const SWITCH: &str = "/evenkeel/stop";

/// Where the credentials are: the words of a policy, or the placeholders of a template.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The partition.
    pub partition: &'a str,
    /// The account.
    pub account: &'a str,
    /// How text of the fleet file is written, so that it is no placeholder.
    pub plain: fn(&str) -> String,
}

/// Some actions, and what they are needed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// What it is for, as the id of a statement.
    pub sid: &'static str,
    /// The IAM actions.
    pub actions: Vec<String>,
    /// The resources.
    pub resources: BTreeSet<String>,
}

impl Need {
    fn of(sid: &'static str, calls: &[Call], resources: impl IntoIterator<Item = String>) -> Self {
        let actions = calls.iter().map(|call| call.iam_action().into_owned()).collect();
        Self { sid, actions, resources: resources.into_iter().collect() }
    }
}

/// What the controller needs beside its queue: the organization, the roles in the accounts, and what is
/// [`beside`] them. Where the fleet file says nothing of roles, `role` is taken.
///
/// # Errors
/// `[access]` holds a placeholder that cannot be filled in.
pub fn of_controller(
    fleet: Option<&Fleet>,
    at: &At<'_>,
    role: String,
) -> Result<Vec<Need>, AccessError> {
    let roles = fleet.and_then(|fleet| roles(fleet, ""));
    let access = roles.as_ref().map(|roles| &roles.access);
    let mut needs = Vec::new();
    // Otherwise that role asks the organization.
    if access.is_none_or(|access| access.organizations_role_arn.is_none()) {
        needs.push(Need::of("Accounts", &READS, ["*".to_owned()]));
    }
    let taken = match &roles {
        Some(roles) => roles.taken(at.account, at.partition)?,
        None => BTreeSet::from([role]),
    };
    let actions = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"];
    needs.push(Need { sid: "Roles", actions: actions.map(str::to_owned).into(), resources: taken });
    match fleet {
        Some(fleet) => needs.extend(beside(&fleet.file, at)),
        None => {
            let ready_made = SwitchParameter { name: SWITCH.to_owned(), region: None };
            needs.push(kill_switch(&ready_made, "*", at));
        }
    }
    Ok(needs)
}

/// What a fleet file asks for beside the accounts: the kill switch, the audit log's anchor and the channels of
/// notices.
pub fn beside(file: &FleetFile, at: &At<'_>) -> Vec<Need> {
    let At { partition, account, plain } = *at;
    let home = file.home_region.as_deref().unwrap_or("*");
    let region = |named: &Option<String>| plain(named.as_deref().unwrap_or(home));
    let mut needs = Vec::new();
    if let Some(switch) = &file.safety.kill_switch_parameter {
        needs.push(kill_switch(switch, home, at));
    }
    if let Some(Anchor { bucket, prefix, .. }) = &file.store.anchor {
        let arn = format!("arn:{partition}:s3:::{}/{}*", plain(bucket), plain(prefix));
        let mut need = Need::of("Anchor", &[anchor::PUT], [arn]);
        // AWS checks it for an object that is put with a retention.
        need.actions.push("s3:PutObjectRetention".to_owned());
        needs.push(need);
    }
    let topics = file.notify.sns.values().map(|topic| plain(&topic.topic_arn));
    let buses = file.notify.eventbridge.values().map(|bus| match Arn::parse(&bus.event_bus_name) {
        Some(_) => plain(&bus.event_bus_name),
        None => format!(
            "arn:{partition}:events:{}:{account}:event-bus/{}",
            region(&bus.region),
            plain(&bus.event_bus_name)
        ),
    });
    let hubs = file.notify.securityhub.values().map(|hub| {
        let region = region(&hub.region);
        format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default")
    });
    let channels = [
        Need::of("Topics", &[sns::PUBLISH], topics),
        Need::of("Buses", &[eventbridge::PUT], buses),
        Need::of("Findings", &[securityhub::IMPORT], hubs),
    ];
    needs.extend(channels.into_iter().filter(|need| !need.resources.is_empty()));
    needs
}

fn kill_switch(switch: &SwitchParameter, home: &str, at: &At<'_>) -> Need {
    let SwitchParameter { name, region } = switch;
    let At { partition, account, plain } = *at;
    // One of another account is named by its ARN.
    let arn = match Arn::parse(name) {
        Some(_) => plain(name),
        None => format!(
            "arn:{partition}:ssm:{}:{account}:parameter/{}",
            plain(region.as_deref().unwrap_or(home)),
            plain(name.trim_start_matches('/'))
        ),
    };
    Need::of("KillSwitch", &[parameter::GET], [arn])
}

//! `ec2.default_security_group`: the rules of the group that every VPC comes with.

mod direction;
mod observe;
pub mod peer;
mod room;
pub mod rule;
pub mod traffic;
pub mod written;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{IpPermission, ResourceType, Tag, TagSpecification};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::ec2::vpcs::{self, Exclude, VPCS};
use crate::kinds::shapes::sweep;
use crate::kinds::spec::InUse;
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Facts, Kind, Object, ObserveError, Scope, Undo, Use,
    WriteCx, WriteError, told,
};
use direction::Direction;
use peer::Same;
use rule::Rule;
use written::Written;

const REVOKE_INGRESS: Call = Call::new("ec2", "RevokeSecurityGroupIngress");
const REVOKE_EGRESS: Call = Call::new("ec2", "RevokeSecurityGroupEgress");
const AUTHORIZE_INGRESS: Call = Call::new("ec2", "AuthorizeSecurityGroupIngress");
const AUTHORIZE_EGRESS: Call = Call::new("ec2", "AuthorizeSecurityGroupEgress");
/// Never called: a permission that adding a rule with tags needs.
const CREATE_TAGS: Call = Call::new("ec2", "CreateTags");
/// Tags whose keys begin so are AWS's own, and cannot be written.
const TAGS_OF_AWS: &str = "aws:";

/// The default security group of every VPC in every Region.
///
/// Whatever is launched without a group of its own gets the default one; AWS's own rules let its
/// members talk to each other and to everywhere. With `ingress = []` and `egress = []` such a
/// launch gets no network, which shows the omission at once. A direction that is not declared is
/// not managed.
///
/// A group that network interfaces use is only reported, until `in_use = "enforce"`; the plan names
/// the interfaces. Rules are removed by their ids. VPCs that another account shares with this one
/// are left to their owner.
///
/// Rules are added before others are removed, so that nobody is cut off in between; only where
/// AWS's quota leaves no room, as few as needed go first, and the plan says so. Descriptions and
/// tags of rules are not compared: a rule that stays keeps its own, one that is added has none, and
/// undoing a removal brings back both.
///
/// Source: EC2 API Reference, `DescribeSecurityGroupRules`, `RevokeSecurityGroupIngress`,
/// `IpPermission`.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The rules for traffic to members of the group; [] for none.
    #[serde(default)]
    pub ingress: Option<Vec<Written>>,
    /// The rules for traffic from members of the group; [] for none.
    #[serde(default)]
    pub egress: Option<Vec<Written>>,
    /// What to do with a group that network interfaces use; `report` by default.
    #[serde(default)]
    pub in_use: Option<InUse>,
    /// VPCs that are left out. Of what one entry gives, all must hold; of several entries, one is enough.
    #[serde(default)]
    pub exclude: Option<Vec<Exclude>>,
}

/// A default group as observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The group.
    pub group_id: String,
    /// Its rules for traffic to its members.
    pub ingress: Vec<SeenRule>,
    /// Its rules for traffic from its members.
    pub egress: Vec<SeenRule>,
    /// The network interfaces that use it.
    pub used_by: Vec<Interface>,
}

/// A rule that is there.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenRule {
    /// Its id; absent when the rule was there once and has none any more.
    #[serde(default)]
    pub security_group_rule_id: Option<String>,
    /// What it allows.
    pub rule: Rule,
    /// Its description.
    #[serde(default)]
    pub description: Option<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// Rules that are added together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Addition {
    /// The rules.
    pub rules: Vec<NewRule>,
    /// The tags that each of them gets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A rule that is added.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewRule {
    /// What it allows.
    pub rule: Rule,
    /// Its description, where it had one before.
    #[serde(default)]
    pub description: Option<String>,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interface {
    /// Its id.
    pub network_interface_id: String,
    /// The instance that has it, or what AWS says that it is for.
    pub user: Option<String>,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The group.
    pub group_id: String,
    /// Whether outgoing traffic is meant.
    pub egress: bool,
    /// What to do with the rules.
    pub step: Step,
}

/// What to do with rules of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Takes them away.
    Revoke(Vec<SeenRule>),
    /// Adds them.
    Authorize(Addition),
}

/// The kind.
pub struct DefaultSecurityGroup;

impl Kind for DefaultSecurityGroup {
    const NAME: &'static str = "ec2.default_security_group";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Sweep;
    const NOT_STATE: &'static [&'static str] = &["in_use", "exclude"];
    const BESIDE: &'static [&'static str] = &["/used_by"];
    const CONTROLS: Controls = Controls {
        cis_v3: &["5.4"],
        cis_v5: &["5.5"],
        fsbp: &["EC2.2"],
        well_architected: &["SEC05-BP02"],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(VPCS),
        Use::read(observe::GROUPS),
        Use::read(observe::RULES),
        Use::read(observe::INTERFACES),
        Use::write_if(REVOKE_INGRESS, |spec| spec.ingress.is_some(), groups),
        Use::write_if(AUTHORIZE_INGRESS, |spec| adds(&spec.ingress), groups),
        Use::write_if(REVOKE_EGRESS, |spec| spec.egress.is_some(), groups),
        Use::write_if(AUTHORIZE_EGRESS, |spec| adds(&spec.egress), groups),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "ec2.amazonaws.com:ModifySecurityGroupRules",
        "ec2.amazonaws.com:CreateVpc",
        "ec2.amazonaws.com:CreateDefaultVpc",
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[ec2.default_security_group]
ingress = []
egress  = []
in_use  = "enforce"
exclude = [{ vpc_tags = { "legacy" = "true" } }, { vpc_ids = ["vpc-0abc"] }, { accounts = ["444455556666"] }]
"#,
        r#"
[ec2.default_security_group]
ingress = [
    { ip_protocol = "-1", referenced_group_id = "self" },
    { ip_protocol = "tcp", from_port = 22, to_port = 22, cidr_ipv4 = "10.0.0.0/8" },
    { ip_protocol = "tcp", from_port = 22, to_port = 22, cidr_ipv6 = "fd00::/8" },
    { ip_protocol = "tcp", from_port = 443, to_port = 443, prefix_list_id = "pl-0123456789abcdef0" },
]
egress  = [
    { ip_protocol = "-1", referenced_group_id = "self" },
    { ip_protocol = "tcp", from_port = 443, to_port = 443, cidr_ipv4 = "0.0.0.0/0" },
    { ip_protocol = "tcp", from_port = 443, to_port = 443, cidr_ipv6 = "::/0" },
    { ip_protocol = "tcp", from_port = 443, to_port = 443, prefix_list_id = "pl-0123456789abcdef0" },
    { ip_protocol = "udp", from_port = 53, to_port = 53, cidr_ipv4 = "10.0.0.0/8" },
]
in_use  = "enforce"
"#,
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = Vec::new();
        for (direction, rules) in [("ingress", &spec.ingress), ("egress", &spec.egress)] {
            for (index, rule) in rules.iter().flatten().enumerate() {
                for wrong in rule.problems() {
                    let gap = if wrong.field.is_empty() { "" } else { "." };
                    let field = format!("{direction}[{index}]{gap}{}", wrong.field);
                    problems.push(SpecProblem {
                        field,
                        message: wrong.message,
                        help: wrong.help,
                        at_key: false,
                    });
                }
            }
        }
        problems.extend(vpcs::problems(spec.exclude.as_deref().unwrap_or_default()));
        problems
    }

    fn calls(action: &Action) -> Vec<Call> {
        let write = match (&action.step, action.egress) {
            (Step::Revoke(_), false) => REVOKE_INGRESS,
            (Step::Revoke(_), true) => REVOKE_EGRESS,
            (Step::Authorize(_), false) => AUTHORIZE_INGRESS,
            (Step::Authorize(_), true) => AUTHORIZE_EGRESS,
        };
        let mut calls = vec![write, observe::RULES];
        if matches!(&action.step, Step::Authorize(addition) if !addition.tags.is_empty()) {
            // AWS asks for it when something is made with tags.
            calls.push(CREATE_TAGS);
        }
        calls
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        sweep::observe::<Self>(cx, spec).await
    }

    async fn observe_one(
        cx: &Cx,
        spec: &Spec,
        id: &str,
    ) -> Result<Option<Object<State>>, ObserveError> {
        sweep::observe_one::<Self>(cx, spec, id).await
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let Some(state) = object.state() else { return Vec::new() };
        let mut changes = Vec::new();
        for (egress, declared) in [(false, &spec.ingress), (true, &spec.egress)] {
            let Some(declared) = declared else { continue };
            let direction = Direction { facts, spec, state, egress };
            changes.extend(direction.changes(declared, changes.len()));
        }
        changes
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        // What is there now decides: a rule that has gone cannot be revoked, and one that is there
        // cannot be added.
        let group = action.group_id.as_str();
        let now = observe::rules_of(cx, group, action.egress).await.map_err(unsendable)?;
        match &action.step {
            Step::Revoke(rules) => {
                let is_meant = |there: &&SeenRule| {
                    rules.iter().any(|rule| rule.rule.is(&there.rule) == Same::Yes)
                };
                let ids: Vec<String> = now
                    .iter()
                    .filter(is_meant)
                    .map(|there| told("SecurityGroupRuleId", there.security_group_rule_id.clone()))
                    .collect::<Result<_, _>>()
                    .map_err(unsendable)?;
                if ids.is_empty() { Ok(()) } else { revoke(cx, action, ids).await }
            }
            Step::Authorize(addition) => {
                let is_missing =
                    |new: &&NewRule| !now.iter().any(|there| new.rule.is(&there.rule) == Same::Yes);
                let missing: Vec<_> = addition
                    .rules
                    .iter()
                    .filter(is_missing)
                    .map(|new| new.rule.send(group, &cx.account, new.description.as_deref()))
                    .collect();
                if missing.is_empty() {
                    Ok(())
                } else {
                    authorize(cx, action, missing, &addition.tags).await
                }
            }
        }
    }

    fn undo(action: &Action, _before: &Object<State>) -> Undo<Action> {
        let steps = match &action.step {
            // One call gives the same tags to all its rules.
            Step::Revoke(rules) => {
                let mut additions: Vec<Addition> = Vec::new();
                for seen in rules {
                    let new =
                        NewRule { rule: seen.rule.clone(), description: seen.description.clone() };
                    let tags = own_tags(&seen.tags);
                    match additions.iter_mut().find(|addition| addition.tags == tags) {
                        Some(addition) => addition.rules.push(new),
                        None => additions.push(Addition { rules: vec![new], tags }),
                    }
                }
                additions.into_iter().map(Step::Authorize).collect()
            }
            Step::Authorize(Addition { rules, tags }) => vec![Step::Revoke(
                rules
                    .iter()
                    .map(|new| SeenRule {
                        security_group_rule_id: None,
                        rule: new.rule.clone(),
                        description: new.description.clone(),
                        tags: tags.clone(),
                    })
                    .collect(),
            )],
        };
        Undo::By(steps.into_iter().map(|step| Action { step, ..action.clone() }).collect())
    }

    fn export(facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let rules = |list: &[SeenRule]| {
            let rules = list.iter().map(|seen| seen.rule.clone().without_own(&facts.account));
            Some(rules.map(Written::from).collect())
        };
        Some(Spec {
            ingress: rules(&state.ingress),
            egress: rules(&state.egress),
            in_use: None,
            exclude: None,
        })
    }
}

fn adds(rules: &Option<Vec<Written>>) -> bool {
    rules.as_ref().is_some_and(|rules| !rules.is_empty())
}

/// IAM cannot tell default groups from others. It knows the VPC of each, so that those that are
/// left out by their id stay out of reach; tags of a VPC are not known with its groups.
fn groups(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let groups = Allowed::on([arns.regional("ec2", "security-group/*")]);
    let excluded = vpcs::excluded_ids(spec.exclude.as_deref().unwrap_or_default());
    let arn = |id| arns.regional("ec2", &format!("vpc/{}", arns.text(id)));
    let excluded: BTreeSet<String> = excluded.map(arn).collect();
    if excluded.is_empty() {
        return groups.into();
    }
    groups.when("ArnNotLike", "ec2:Vpc", excluded).into()
}

async fn revoke(cx: &WriteCx, action: &Action, ids: Vec<String>) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    let written = if action.egress {
        let request = client.revoke_security_group_egress().group_id(&action.group_id);
        let request = request.set_security_group_rule_ids(Some(ids));
        cx.write(REVOKE_EGRESS, request.send()).await.map(drop)
    } else {
        let request = client.revoke_security_group_ingress().group_id(&action.group_id);
        let request = request.set_security_group_rule_ids(Some(ids));
        cx.write(REVOKE_INGRESS, request.send()).await.map(drop)
    };
    Ok(written?)
}

async fn authorize(
    cx: &WriteCx,
    action: &Action,
    rules: Vec<IpPermission>,
    tags: &BTreeMap<String, String>,
) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    let tags = (!tags.is_empty()).then(|| {
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let specification =
            TagSpecification::builder().resource_type(ResourceType::SecurityGroupRule);
        vec![specification.set_tags(Some(tags.collect())).build()]
    });
    let written = if action.egress {
        let request = client.authorize_security_group_egress().group_id(&action.group_id);
        let request = request.set_ip_permissions(Some(rules)).set_tag_specifications(tags);
        cx.write(AUTHORIZE_EGRESS, request.send()).await.map(drop)
    } else {
        let request = client.authorize_security_group_ingress().group_id(&action.group_id);
        let request = request.set_ip_permissions(Some(rules)).set_tag_specifications(tags);
        cx.write(AUTHORIZE_INGRESS, request.send()).await.map(drop)
    };
    Ok(written?)
}

/// The tags that somebody other than AWS has set.
fn own_tags(tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = tags.iter().filter(|(key, _)| !key.starts_with(TAGS_OF_AWS));
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A look before a write that ended without an answer to go by.
fn unsendable(error: ObserveError) -> WriteError {
    match error {
        ObserveError::Aws(error) => WriteError::Aws(error),
        other => WriteError::Unsendable(other.to_string()),
    }
}

#[cfg(test)]
mod tests;

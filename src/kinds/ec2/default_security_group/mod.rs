//! `ec2.default_security_group`: the rules of the group that every VPC comes with.

mod observe;
pub mod rule;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::spec::InUse;
use crate::kinds::{
    Allowed, Arns, Change, Control, Cx, Drift, Facts, Kind, Object, ObserveError, Risk, Scope,
    Undo, Use, WriteCx, WriteError, compared, control,
};
use rule::Rule;

const REVOKE_INGRESS: Call = Call::new("ec2", "RevokeSecurityGroupIngress");
const REVOKE_EGRESS: Call = Call::new("ec2", "RevokeSecurityGroupEgress");
const AUTHORIZE_INGRESS: Call = Call::new("ec2", "AuthorizeSecurityGroupIngress");
const AUTHORIZE_EGRESS: Call = Call::new("ec2", "AuthorizeSecurityGroupEgress");
/// How many network interfaces a warning names.
const NAMED_INTERFACES: usize = 5;

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
/// Source: EC2 API Reference, `DescribeSecurityGroupRules`, `RevokeSecurityGroupIngress`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The rules for traffic to members of the group; [] for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<BTreeSet<Rule>>,
    /// The rules for traffic from members of the group; [] for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress: Option<BTreeSet<Rule>>,
    /// What to do with a group that network interfaces use; `report` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<InUse>,
    /// VPCs that are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Vec<Exclude>>,
}

/// VPCs that are left out: those that are named, and those that have all of the tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exclude {
    /// Tags and their values; a VPC must have all of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub vpc_tags: BTreeMap<String, String>,
    /// Ids of VPCs.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub vpc_ids: BTreeSet<String>,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenRule {
    /// Its id; absent when the rule was there once and has none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_group_rule_id: Option<String>,
    /// What it allows.
    pub rule: Rule,
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
    Authorize(Vec<Rule>),
}

/// The kind.
pub struct DefaultSecurityGroup;

impl Kind for DefaultSecurityGroup {
    const NAME: &'static str = "ec2.default_security_group";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Sweep;
    const NOT_STATE: &'static [&'static str] = &["in_use", "exclude"];
    const CONTROLS: &'static [Control] = &[
        control("cis-v3", "5.4"),
        control("cis-v5", "5.5"),
        control("fsbp", "EC2.2"),
        control("wa-security", "SEC05-BP02"),
    ];
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(observe::VPCS),
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
exclude = [{ vpc_tags = { "legacy" = "true" } }, { vpc_ids = ["vpc-0abc"] }]
"#,
        r#"
[ec2.default_security_group]
ingress = [{ ip_protocol = "-1", referenced_group_id = "self" }]
egress  = [
    { ip_protocol = "tcp", from_port = 443, to_port = 443, cidr_ipv4 = "0.0.0.0/0" },
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
                if rule.peers() != 1 {
                    problems.push(SpecProblem {
                        field: format!("{direction}[{index}]"),
                        message: format!("a rule has one peer, and this one has {}", rule.peers()),
                        help: Some(
                            "give one of cidr_ipv4, cidr_ipv6, prefix_list_id and referenced_group_id"
                                .to_owned(),
                        ),
                    });
                }
                if rule.from_port.is_some() != rule.to_port.is_some() {
                    problems.push(SpecProblem {
                        field: format!("{direction}[{index}]"),
                        message: "a range of ports needs both from_port and to_port".to_owned(),
                        help: None,
                    });
                }
            }
        }
        problems
    }

    fn calls(action: &Action) -> Vec<Call> {
        let write = match (&action.step, action.egress) {
            (Step::Revoke(_), false) => REVOKE_INGRESS,
            (Step::Revoke(_), true) => REVOKE_EGRESS,
            (Step::Authorize(_), false) => AUTHORIZE_INGRESS,
            (Step::Authorize(_), true) => AUTHORIZE_EGRESS,
        };
        vec![write, observe::RULES]
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        observe::observe(cx, spec).await
    }

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let Some(state) = object.state() else { return Vec::new() };
        let mut changes = Vec::new();
        for (egress, declared, actual) in
            [(false, &spec.ingress, &state.ingress), (true, &spec.egress, &state.egress)]
        {
            let Some(declared) = declared else { continue };
            changes.extend(direction(spec, state, egress, declared, actual));
        }
        changes
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        let group = action.group_id.as_str();
        // What is there now decides: a rule that has gone cannot be revoked, and one that is there
        // cannot be added.
        let now = observe::rules(cx, &[group.to_owned()]).await?;
        let now: Vec<SeenRule> = now
            .iter()
            .filter(|rule| rule.is_egress() == Some(action.egress))
            .map(|rule| SeenRule {
                security_group_rule_id: rule.security_group_rule_id().map(str::to_owned),
                rule: Rule::read(group, rule),
            })
            .collect();
        match &action.step {
            Step::Revoke(rules) => {
                let ids: Vec<String> = now
                    .iter()
                    .filter(|there| rules.iter().any(|rule| rule.rule == there.rule))
                    .filter_map(|there| there.security_group_rule_id.clone())
                    .collect();
                if ids.is_empty() {
                    return Ok(());
                }
                if action.egress {
                    let request = client
                        .revoke_security_group_egress()
                        .group_id(group)
                        .set_security_group_rule_ids(Some(ids));
                    cx.write(REVOKE_EGRESS, request.send()).await.map(drop).map_err(Into::into)
                } else {
                    let request = client
                        .revoke_security_group_ingress()
                        .group_id(group)
                        .set_security_group_rule_ids(Some(ids));
                    cx.write(REVOKE_INGRESS, request.send()).await.map(drop).map_err(Into::into)
                }
            }
            Step::Authorize(rules) => {
                let missing: Vec<_> = rules
                    .iter()
                    .filter(|rule| !now.iter().any(|there| there.rule == **rule))
                    .map(|rule| rule.send(group))
                    .collect();
                if missing.is_empty() {
                    return Ok(());
                }
                if action.egress {
                    let request = client
                        .authorize_security_group_egress()
                        .group_id(group)
                        .set_ip_permissions(Some(missing));
                    cx.write(AUTHORIZE_EGRESS, request.send()).await.map(drop).map_err(Into::into)
                } else {
                    let request = client
                        .authorize_security_group_ingress()
                        .group_id(group)
                        .set_ip_permissions(Some(missing));
                    cx.write(AUTHORIZE_INGRESS, request.send()).await.map(drop).map_err(Into::into)
                }
            }
        }
    }

    fn undo(action: &Action, _before: &Object<State>) -> Undo<Action> {
        let step = match &action.step {
            Step::Revoke(rules) => {
                Step::Authorize(rules.iter().map(|seen| seen.rule.clone()).collect())
            }
            Step::Authorize(rules) => Step::Revoke(
                rules
                    .iter()
                    .map(|rule| SeenRule { security_group_rule_id: None, rule: rule.clone() })
                    .collect(),
            ),
        };
        Undo::By(vec![Action { step, ..action.clone() }])
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let rules = |list: &[SeenRule]| Some(list.iter().map(|seen| seen.rule.clone()).collect());
        Some(Spec {
            ingress: rules(&state.ingress),
            egress: rules(&state.egress),
            in_use: None,
            exclude: None,
        })
    }
}

fn adds(rules: &Option<BTreeSet<Rule>>) -> bool {
    rules.as_ref().is_some_and(|rules| !rules.is_empty())
}

/// IAM cannot tell default groups from others. It knows the VPC of each, so that those that are
/// left out by their id stay out of reach; tags of a VPC are not known with its groups.
fn groups(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let groups = Allowed::on([arns.regional("ec2", "security-group/*")]);
    let excluded: BTreeSet<String> = spec
        .exclude
        .iter()
        .flatten()
        .flat_map(|exclude| &exclude.vpc_ids)
        .map(|id| arns.regional("ec2", &format!("vpc/{}", arns.text(id))))
        .collect();
    if excluded.is_empty() {
        return groups.into();
    }
    groups.when("ArnNotLike", "ec2:Vpc", excluded).into()
}

fn direction(
    spec: &Spec,
    state: &State,
    egress: bool,
    declared: &BTreeSet<Rule>,
    actual: &[SeenRule],
) -> Vec<Change<Action>> {
    let field = if egress { "egress" } else { "ingress" };
    compared::mark(field);
    let act = |step| Action { group_id: state.group_id.clone(), egress, step };
    let declared: BTreeSet<Rule> = declared.iter().cloned().map(Rule::normal).collect();
    let mut changes = Vec::new();
    let missing: Vec<Rule> = declared
        .iter()
        .filter(|rule| !actual.iter().any(|seen| seen.rule == **rule))
        .cloned()
        .collect();
    if !missing.is_empty() {
        let mut drift = Drift::new();
        for rule in &missing {
            drift.add(field, None::<&str>, Some(rule.words(egress)));
        }
        changes.push(Change::new(act(Step::Authorize(missing)), drift));
    }
    let extra: Vec<SeenRule> =
        actual.iter().filter(|seen| !declared.contains(&seen.rule)).cloned().collect();
    if extra.is_empty() {
        return changes;
    }
    let mut drift = Drift::new();
    for seen in &extra {
        drift.add(field, Some(seen.rule.words(egress)), None::<&str>);
    }
    let mut change = Change::new(act(Step::Revoke(extra)), drift);
    if !state.used_by.is_empty() {
        let users = users(&state.used_by);
        change = change.risk(Risk::Disruptive).warn(format!("{users} lose this traffic"));
        if spec.in_use.unwrap_or_default() == InUse::Report {
            change = change.withhold(format!(
                "the group is in use by {users}; move them to groups of their own, or set in_use = \"enforce\""
            ));
        }
    }
    changes.push(change);
    changes
}

/// `eni-1 (i-1), eni-2 and 3 more`.
fn users(interfaces: &[Interface]) -> String {
    let mut names: Vec<String> = interfaces
        .iter()
        .take(NAMED_INTERFACES)
        .map(|interface| match &interface.user {
            Some(user) => format!("{} ({user})", interface.network_interface_id),
            None => interface.network_interface_id.clone(),
        })
        .collect();
    let more = interfaces.len().saturating_sub(NAMED_INTERFACES);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests;

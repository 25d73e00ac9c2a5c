//! Reading the default groups of a Region: VPCs, groups, their rules, and who uses them. Four
//! calls, however many VPCs there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, NetworkInterface, SecurityGroup, SecurityGroupRule, Tag, Vpc};

use super::rule::Rule;
use super::{Interface, SeenRule, Spec, State};
use crate::aws::{AwsError, Call};
use crate::kinds::together::together;
use crate::kinds::{Cx, Object, ObserveError, told};

pub const VPCS: Call = Call::new("ec2", "DescribeVpcs");
pub const GROUPS: Call = Call::new("ec2", "DescribeSecurityGroups");
pub const RULES: Call = Call::new("ec2", "DescribeSecurityGroupRules");
pub const INTERFACES: Call = Call::new("ec2", "DescribeNetworkInterfaces");
/// AWS takes at most 200 values in a filter.
const FILTER_VALUES: usize = 200;

fn filter(name: &str, values: &[String]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.to_vec())).build()
}

/// The group and what is read beside it: rules and interfaces of many groups at once.
struct Around {
    rules: Vec<Arc<Vec<SecurityGroupRule>>>,
    interfaces: Vec<Arc<Vec<NetworkInterface>>>,
}

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    let (vpcs, groups) = together!(vpcs(cx), groups(cx))?;
    let mut of_vpc = BTreeMap::new();
    let mut ids = Vec::new();
    for group in groups.iter() {
        let id = told("GroupId of a security group", group.group_id())?;
        of_vpc.insert(told("VpcId of a security group", group.vpc_id())?, id);
        ids.push(id.to_owned());
    }
    let mut around = Around { rules: Vec::new(), interfaces: Vec::new() };
    for ids in ids.chunks(FILTER_VALUES) {
        let (some_rules, some_interfaces) =
            together!(self::rules(cx, ids), self::interfaces(cx, ids))?;
        around.rules.push(some_rules);
        around.interfaces.push(some_interfaces);
    }
    let mut objects = Vec::new();
    for vpc in vpcs.iter() {
        let id = told("VpcId", vpc.vpc_id())?;
        let group = of_vpc.get(id).copied();
        let object = match (group, excluded(spec, id, vpc)) {
            (_, Some(reason)) => Object::skipped(id, reason),
            (None, None) => without_group(cx, id, vpc),
            (Some(group), None) => match around.state(group) {
                Ok(state) => Object::present(id, state),
                Err(error) => Object::unknown(id, error),
            },
        };
        objects.push(object.labelled(label(vpc, group)));
        of_vpc.remove(id);
    }
    // Every VPC has one default group, so that a group alone says that AWS has not shown all VPCs.
    objects.extend(of_vpc.into_iter().map(|(vpc, group)| {
        let problem = format!("AWS shows the default group {group} of this VPC, and not the VPC");
        Object::unknown(vpc, ObserveError::Malformed { field: "Vpcs".to_owned(), problem })
    }));
    Ok(objects)
}

impl Around {
    fn state(&self, group: &str) -> Result<State, ObserveError> {
        let mut state = State {
            group_id: group.to_owned(),
            ingress: Vec::new(),
            egress: Vec::new(),
            used_by: Vec::new(),
        };
        for rule in self.rules.iter().flat_map(|list| list.iter()) {
            if told("GroupId of a rule", rule.group_id())? != group {
                continue;
            }
            let seen = read_rule(group, rule)?;
            match told("IsEgress", rule.is_egress())? {
                true => state.egress.push(seen),
                false => state.ingress.push(seen),
            }
        }
        for list in [&mut state.ingress, &mut state.egress] {
            list.sort_by(|one, other| one.rule.cmp(&other.rule));
        }
        for interface in self.interfaces.iter().flat_map(|list| list.iter()) {
            // Each was found by one of its groups.
            told("Groups of an interface", interface.groups().first())?;
            if interface.groups().iter().any(|used| used.group_id() == Some(group)) {
                state.used_by.push(read_interface(interface)?);
            }
        }
        Ok(state)
    }
}

fn read_rule(group: &str, rule: &SecurityGroupRule) -> Result<SeenRule, ObserveError> {
    let tags = rule.tags().iter().map(|tag| {
        let key = told("Key of a rule's tag", tag.key())?;
        // A tag without a value has an empty one.
        Ok((key.to_owned(), tag.value().unwrap_or_default().to_owned()))
    });
    Ok(SeenRule {
        security_group_rule_id: rule.security_group_rule_id().map(str::to_owned),
        rule: Rule::read(group, rule)?,
        description: rule.description().filter(|text| !text.is_empty()).map(str::to_owned),
        tags: tags.collect::<Result<_, ObserveError>>()?,
    })
}

/// The rules of one direction of a group, as they are now.
pub async fn rules_of(cx: &Cx, group: &str, egress: bool) -> Result<Vec<SeenRule>, ObserveError> {
    let around =
        Around { rules: vec![rules(cx, &[group.to_owned()]).await?], interfaces: Vec::new() };
    let state = around.state(group)?;
    Ok(if egress { state.egress } else { state.ingress })
}

/// A VPC that shows no default group: it is somebody else's, or AWS has not said all.
fn without_group(cx: &Cx, id: &str, vpc: &Vpc) -> Object<State> {
    match told("OwnerId", vpc.owner_id()) {
        Ok(owner) if owner != cx.account.as_str() => {
            Object::skipped(id, format!("the VPC belongs to account {owner}, which shares it"))
        }
        // Every VPC has one.
        Ok(_) => Object::unknown(
            id,
            ObserveError::Untold { field: "the default security group of this VPC".to_owned() },
        ),
        Err(error) => Object::unknown(id, error),
    }
}

/// Why the item leaves a VPC out.
fn excluded(spec: &Spec, id: &str, vpc: &Vpc) -> Option<String> {
    spec.exclude.iter().flatten().find_map(|exclude| {
        if exclude.vpc_ids.contains(id) {
            return Some(format!("excluded: vpc_ids names {id}"));
        }
        let matches = !exclude.vpc_tags.is_empty()
            && exclude.vpc_tags.iter().all(|(key, value)| tag(vpc.tags(), key) == Some(value));
        matches.then(|| {
            let tags: Vec<_> =
                exclude.vpc_tags.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            format!("excluded: it has the tag {}", tags.join(" and "))
        })
    })
}

fn tag<'a>(tags: &'a [Tag], key: &str) -> Option<&'a str> {
    tags.iter().find(|tag| tag.key() == Some(key)).and_then(|tag| tag.value())
}

/// `sg-0123456789abcdef0, payments, 10.0.0.0/16`.
fn label(vpc: &Vpc, group: Option<&str>) -> String {
    let name = tag(vpc.tags(), "Name").filter(|name| !name.is_empty());
    let name = name.or_else(|| (vpc.is_default() == Some(true)).then_some("default VPC"));
    let parts: Vec<_> = [group, name, vpc.cidr_block()].into_iter().flatten().collect();
    parts.join(", ")
}

fn read_interface(interface: &NetworkInterface) -> Result<Interface, ObserveError> {
    let attached = interface.attachment();
    let user = attached
        .and_then(|attachment| attachment.instance_id())
        .map(str::to_owned)
        .or_else(|| interface.description().filter(|text| !text.is_empty()).map(str::to_owned));
    let id = told("NetworkInterfaceId", interface.network_interface_id())?;
    Ok(Interface { network_interface_id: id.to_owned(), user })
}

async fn vpcs(cx: &Cx) -> Result<Arc<Vec<Vpc>>, AwsError> {
    let client = cx.client(Client::new);
    cx.read(VPCS, "", async {
        client.describe_vpcs().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await
    })
    .await
}

async fn groups(cx: &Cx) -> Result<Arc<Vec<SecurityGroup>>, AwsError> {
    let client = cx.client(Client::new);
    cx.read(GROUPS, "group-name=default", async {
        client
            .describe_security_groups()
            .filters(filter("group-name", &["default".to_owned()]))
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
    })
    .await
}

/// The rules of some groups.
pub async fn rules(cx: &Cx, groups: &[String]) -> Result<Arc<Vec<SecurityGroupRule>>, AwsError> {
    let client = cx.client(Client::new);
    cx.read(RULES, &groups.join(","), async {
        client
            .describe_security_group_rules()
            .filters(filter("group-id", groups))
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
    })
    .await
}

async fn interfaces(cx: &Cx, groups: &[String]) -> Result<Arc<Vec<NetworkInterface>>, AwsError> {
    let client = cx.client(Client::new);
    cx.read(INTERFACES, &groups.join(","), async {
        client
            .describe_network_interfaces()
            .filters(filter("group-id", groups))
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
    })
    .await
}

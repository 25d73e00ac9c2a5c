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
use crate::kinds::{Cx, Object, ObserveError};

pub const VPCS: Call = Call::new("ec2", "DescribeVpcs");
pub const GROUPS: Call = Call::new("ec2", "DescribeSecurityGroups");
pub const RULES: Call = Call::new("ec2", "DescribeSecurityGroupRules");
pub const INTERFACES: Call = Call::new("ec2", "DescribeNetworkInterfaces");
/// AWS takes at most 200 values in a filter.
const FILTER_VALUES: usize = 200;

fn filter(name: &str, values: &[String]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.to_vec())).build()
}

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    let (vpcs, groups) = together!(vpcs(cx), groups(cx))?;
    let of_vpc: BTreeMap<&str, &SecurityGroup> =
        groups.iter().filter_map(|group| Some((group.vpc_id()?, group))).collect();
    let ids: Vec<String> =
        groups.iter().filter_map(|group| group.group_id()).map(str::to_owned).collect();
    let (mut rules, mut interfaces) = (Vec::new(), Vec::new());
    for ids in ids.chunks(FILTER_VALUES) {
        let (some_rules, some_interfaces) =
            together!(self::rules(cx, ids), self::interfaces(cx, ids))?;
        rules.push(some_rules);
        interfaces.push(some_interfaces);
    }
    let mut objects = Vec::new();
    for vpc in vpcs.iter() {
        let id = vpc.vpc_id().unwrap_or_default();
        let Some(group) = of_vpc.get(id) else {
            objects.push(Object::skipped(id, reason_without_group(cx, vpc)).labelled(label(vpc)));
            continue;
        };
        if let Some(reason) = excluded(spec, vpc) {
            objects.push(Object::skipped(id, reason).labelled(label(vpc)));
            continue;
        }
        let group_id = group.group_id().unwrap_or_default();
        let of_group = |egress: bool| {
            let mut list: Vec<SeenRule> = rules
                .iter()
                .flat_map(|list| list.iter())
                .filter(|rule| rule.group_id() == Some(group_id))
                .filter(|rule| rule.is_egress() == Some(egress))
                .map(|rule| SeenRule {
                    security_group_rule_id: rule.security_group_rule_id().map(str::to_owned),
                    rule: Rule::read(group_id, rule),
                })
                .collect();
            list.sort_by(|one, other| one.rule.cmp(&other.rule));
            list
        };
        let used_by = interfaces
            .iter()
            .flat_map(|list| list.iter())
            .filter(|interface| {
                interface.groups().iter().any(|used| used.group_id() == Some(group_id))
            })
            .map(read_interface)
            .collect();
        let state = State {
            group_id: group_id.to_owned(),
            ingress: of_group(false),
            egress: of_group(true),
            used_by,
        };
        objects.push(Object::present(id, state).labelled(label(vpc)));
    }
    Ok(objects)
}

fn reason_without_group(cx: &Cx, vpc: &Vpc) -> String {
    match vpc.owner_id() {
        Some(owner) if owner != cx.account.as_str() => {
            format!("the VPC belongs to account {owner}, which shares it")
        }
        _ => "AWS shows no default security group for this VPC".to_owned(),
    }
}

/// Why the item leaves a VPC out.
fn excluded(spec: &Spec, vpc: &Vpc) -> Option<String> {
    let id = vpc.vpc_id().unwrap_or_default();
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

/// `payments, 10.0.0.0/16`.
fn label(vpc: &Vpc) -> String {
    let name = tag(vpc.tags(), "Name").filter(|name| !name.is_empty());
    let name = name.or_else(|| vpc.is_default().unwrap_or(false).then_some("default VPC"));
    let parts: Vec<_> = [name, vpc.cidr_block()].into_iter().flatten().collect();
    parts.join(", ")
}

fn read_interface(interface: &NetworkInterface) -> Interface {
    let attached = interface.attachment();
    let user = attached
        .and_then(|attachment| attachment.instance_id())
        .map(str::to_owned)
        .or_else(|| interface.description().filter(|text| !text.is_empty()).map(str::to_owned));
    Interface {
        network_interface_id: interface.network_interface_id().unwrap_or_default().to_owned(),
        user,
    }
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

//! Reading the default groups of a Region: VPCs, groups, their rules, and who uses them. Four
//! calls, however many VPCs there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, NetworkInterface, SecurityGroup, SecurityGroupRule, Vpc};

use super::rule::Rule;
use super::{DefaultSecurityGroup, Interface, SeenRule, Spec, State};
use crate::aws::{AwsError, Call};
use crate::kinds::ec2::vpcs::{self, Exclude};
use crate::kinds::shapes::sweep::{Sweep, Way};
use crate::kinds::together::together;
use crate::kinds::{Cx, ObserveError, Status, told};

pub const GROUPS: Call = Call::new("ec2", "DescribeSecurityGroups");
pub const RULES: Call = Call::new("ec2", "DescribeSecurityGroupRules");
pub const INTERFACES: Call = Call::new("ec2", "DescribeNetworkInterfaces");
/// AWS takes at most 200 values in a filter.
const FILTER_VALUES: usize = 200;

fn filter(name: &str, values: &[String]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.to_vec())).build()
}

/// A VPC and its default group, as they are listed.
pub struct Listed {
    id: String,
    vpc: Option<Vpc>,
    group: Option<String>,
    /// Groups whose rules and interfaces are asked for together, this one among them.
    together: Arc<[String]>,
}

/// What is read of many groups at once.
struct Around {
    rules: Arc<Vec<SecurityGroupRule>>,
    interfaces: Arc<Vec<NetworkInterface>>,
}

impl Sweep for DefaultSecurityGroup {
    type Listed = Listed;
    type Exclude = Exclude;

    async fn list(cx: &Cx) -> Result<Vec<Listed>, ObserveError> {
        let (vpcs, groups) = together!(vpcs::all(cx), groups(cx))?;
        let mut of_vpc = BTreeMap::new();
        for group in groups.iter() {
            let id = told("GroupId of a security group", group.group_id())?;
            of_vpc.insert(told("VpcId of a security group", group.vpc_id())?, id.to_owned());
        }
        let ids: Vec<String> = of_vpc.values().cloned().collect();
        let chunks: Vec<Arc<[String]>> = ids.chunks(FILTER_VALUES).map(Arc::from).collect();
        let beside = |group: Option<&String>| {
            let own = chunks.iter().find(|chunk| group.is_some_and(|group| chunk.contains(group)));
            own.cloned().unwrap_or_else(|| Arc::from([]))
        };
        let mut listed = Vec::new();
        for vpc in vpcs.iter() {
            let id = told("VpcId", vpc.vpc_id())?;
            let group = of_vpc.remove(id);
            let together = beside(group.as_ref());
            listed.push(Listed { id: id.to_owned(), vpc: Some(vpc.clone()), group, together });
        }
        listed.extend(of_vpc.into_iter().map(|(vpc, group)| {
            let together = beside(Some(&group));
            Listed { id: vpc.to_owned(), vpc: None, group: Some(group), together }
        }));
        Ok(listed)
    }

    async fn find(cx: &Cx, id: &str) -> Result<Option<Listed>, ObserveError> {
        let mut listed = Self::list(cx).await?.into_iter().find(|listed| listed.id == id);
        if let Some(listed) = &mut listed {
            listed.together = listed.group.iter().cloned().collect();
        }
        Ok(listed)
    }

    fn id(listed: &Listed) -> &str {
        &listed.id
    }

    /// `sg-0123456789abcdef0, payments, 10.0.0.0/16`.
    fn label(listed: &Listed) -> Option<String> {
        let [name, range] = vpcs::shown(listed.vpc.as_ref()?);
        let parts = [listed.group.as_deref(), name, range];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }

    fn exclude(spec: &Spec) -> &[Exclude] {
        spec.exclude.as_deref().unwrap_or_default()
    }

    fn ways<'a>(entry: &'a Exclude, listed: &'a Listed) -> Vec<Way<'a>> {
        vpcs::ways(entry, &listed.id)
    }

    async fn tags(_cx: &Cx, listed: &Listed) -> Result<BTreeMap<String, String>, ObserveError> {
        // Of a VPC that was not listed, nobody knows the tags; its group is unknown in any case.
        listed.vpc.as_ref().map_or_else(|| Ok(BTreeMap::new()), vpcs::tags)
    }

    async fn read(cx: &Cx, _spec: &Spec, listed: &Listed) -> Result<Status<State>, ObserveError> {
        match (&listed.vpc, &listed.group) {
            (Some(_), Some(group)) => {
                let (rules, interfaces) =
                    together!(rules(cx, &listed.together), interfaces(cx, &listed.together))?;
                Ok(Status::Present(Around { rules, interfaces }.state(group)?))
            }
            // Every VPC has one default group, so that a group alone says that AWS has not shown all
            // VPCs, and a VPC alone that it is somebody else's, or that AWS has not said all.
            (None, group) => Err(ObserveError::Malformed {
                field: "Vpcs".to_owned(),
                problem: format!(
                    "AWS shows the default group {} of this VPC, and not the VPC",
                    group.as_deref().unwrap_or_default()
                ),
            }),
            (Some(vpc), None) => {
                let untold = || ObserveError::Untold {
                    field: "the default security group of this VPC".to_owned(),
                };
                let reason = vpcs::shared_by(cx, vpc)?.ok_or_else(untold)?;
                Ok(Status::Skipped { reason })
            }
        }
    }
}

impl Around {
    fn state(&self, group: &str) -> Result<State, ObserveError> {
        let mut state = State {
            group_id: group.to_owned(),
            ingress: Vec::new(),
            egress: Vec::new(),
            used_by: Vec::new(),
        };
        for rule in self.rules.iter() {
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
        for interface in self.interfaces.iter() {
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
    let rules = rules(cx, &[group.to_owned()]).await?;
    let around = Around { rules, interfaces: Arc::default() };
    let state = around.state(group)?;
    Ok(if egress { state.egress } else { state.ingress })
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

async fn groups(cx: &Cx) -> Result<Arc<Vec<SecurityGroup>>, AwsError> {
    let client = cx.client(Client::new);
    let pages = client
        .describe_security_groups()
        .filters(filter("group-name", &["default".to_owned()]))
        .into_paginator()
        .send();
    cx.list(GROUPS, "group-name=default", pages, "SecurityGroups", |page| page.security_groups)
        .await
}

/// The rules of some groups.
pub async fn rules(cx: &Cx, groups: &[String]) -> Result<Arc<Vec<SecurityGroupRule>>, AwsError> {
    let client = cx.client(Client::new);
    let pages = client
        .describe_security_group_rules()
        .filters(filter("group-id", groups))
        .into_paginator()
        .send();
    cx.list(RULES, &groups.join(","), pages, "SecurityGroupRules", |page| page.security_group_rules)
        .await
}

async fn interfaces(cx: &Cx, groups: &[String]) -> Result<Arc<Vec<NetworkInterface>>, AwsError> {
    let client = cx.client(Client::new);
    let pages = client
        .describe_network_interfaces()
        .filters(filter("group-id", groups))
        .into_paginator()
        .send();
    cx.list(INTERFACES, &groups.join(","), pages, "NetworkInterfaces", |page| {
        page.network_interfaces
    })
    .await
}

//! A security group rule in one spelling, so that equal rules are equal.

use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroupRule, UserIdGroupPair,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a rule names its own group.
const SELF: &str = "self";

/// A rule: one protocol, one range of ports, one peer.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol number, or `-1` for all.
    pub ip_protocol: String,
    /// The first port, or the ICMP type; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = 65535))]
    pub from_port: Option<i32>,
    /// The last port, or the ICMP code; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = 65535))]
    pub to_port: Option<i32>,
    /// The peer: an IPv4 range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr_ipv4: Option<String>,
    /// The peer: an IPv6 range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr_ipv6: Option<String>,
    /// The peer: a prefix list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_list_id: Option<String>,
    /// The peer: members of a security group, its id or `self`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referenced_group_id: Option<String>,
}

impl Rule {
    /// How many peers the rule names; one is right.
    pub fn peers(&self) -> usize {
        [&self.cidr_ipv4, &self.cidr_ipv6, &self.prefix_list_id, &self.referenced_group_id]
            .into_iter()
            .flatten()
            .count()
    }

    /// The rule in one spelling.
    #[must_use]
    pub fn normal(mut self) -> Self {
        self.ip_protocol = match self.ip_protocol.to_lowercase().as_str() {
            "all" | "-1" => "-1",
            "6" | "tcp" => "tcp",
            "17" | "udp" => "udp",
            "1" | "icmp" => "icmp",
            "58" | "icmpv6" => "icmpv6",
            other => return Self { ip_protocol: other.to_owned(), ..self },
        }
        .to_owned();
        if self.ip_protocol == "-1" {
            (self.from_port, self.to_port) = (None, None);
        }
        self
    }

    /// A rule as AWS describes it; `group` is the group that it belongs to.
    pub fn read(group: &str, seen: &SecurityGroupRule) -> Self {
        let peer_group = seen
            .referenced_group_info()
            .and_then(|info| info.group_id())
            .map(|id| if id == group { SELF.to_owned() } else { id.to_owned() });
        Self {
            ip_protocol: seen.ip_protocol().unwrap_or_default().to_owned(),
            from_port: seen.from_port(),
            to_port: seen.to_port(),
            cidr_ipv4: seen.cidr_ipv4().map(str::to_owned),
            cidr_ipv6: seen.cidr_ipv6().map(str::to_owned),
            prefix_list_id: seen.prefix_list_id().map(str::to_owned),
            referenced_group_id: peer_group,
        }
        .normal()
    }

    /// The rule as AWS wants it.
    pub fn send(&self, group: &str) -> IpPermission {
        let peer =
            self.referenced_group_id.as_deref().map(|id| if id == SELF { group } else { id });
        IpPermission::builder()
            .ip_protocol(&self.ip_protocol)
            .set_from_port(self.from_port)
            .set_to_port(self.to_port)
            .set_ip_ranges(
                self.cidr_ipv4.as_ref().map(|cidr| vec![IpRange::builder().cidr_ip(cidr).build()]),
            )
            .set_ipv6_ranges(
                self.cidr_ipv6
                    .as_ref()
                    .map(|cidr| vec![Ipv6Range::builder().cidr_ipv6(cidr).build()]),
            )
            .set_prefix_list_ids(
                self.prefix_list_id
                    .as_ref()
                    .map(|id| vec![PrefixListId::builder().prefix_list_id(id).build()]),
            )
            .set_user_id_group_pairs(
                peer.map(|id| vec![UserIdGroupPair::builder().group_id(id).build()]),
            )
            .build()
    }

    /// The rule in a few words: `tcp 22 from 0.0.0.0/0`.
    pub fn words(&self, egress: bool) -> String {
        let what = if self.ip_protocol == "-1" { "all traffic" } else { &self.ip_protocol };
        let ports = match (self.from_port, self.to_port) {
            (Some(from), Some(to)) if from == to => format!(" {from}"),
            (Some(from), Some(to)) => format!(" {from}-{to}"),
            _ => String::new(),
        };
        let peer = [&self.cidr_ipv4, &self.cidr_ipv6, &self.prefix_list_id]
            .into_iter()
            .flatten()
            .next()
            .cloned()
            .unwrap_or_else(|| match self.referenced_group_id.as_deref() {
                Some(SELF) => "the group itself".to_owned(),
                Some(group) => group.to_owned(),
                None => "nobody".to_owned(),
            });
        format!("{what}{ports} {} {peer}", if egress { "to" } else { "from" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(protocol: &str, from_port: Option<i32>) -> Rule {
        Rule {
            ip_protocol: protocol.to_owned(),
            from_port,
            to_port: from_port,
            cidr_ipv4: Some("0.0.0.0/0".to_owned()),
            ..Rule::default()
        }
    }

    #[test]
    fn protocols_have_one_spelling() {
        for (one, other) in [("all", "-1"), ("6", "tcp"), ("17", "UDP"), ("58", "icmpv6")] {
            assert_eq!(rule(one, Some(-1)).normal(), rule(other, Some(-1)).normal(), "{one}");
        }
        assert_eq!(rule("50", None).normal().ip_protocol, "50");
    }

    #[test]
    fn all_protocols_have_no_ports() {
        assert_eq!(rule("-1", Some(-1)).normal(), rule("-1", None).normal());
        assert_ne!(rule("icmp", Some(-1)).normal(), rule("icmp", None).normal());
    }

    #[test]
    fn rules_are_told_in_words() {
        assert_eq!(rule("tcp", Some(22)).words(false), "tcp 22 from 0.0.0.0/0");
        assert_eq!(rule("-1", None).words(true), "all traffic to 0.0.0.0/0");
    }
}

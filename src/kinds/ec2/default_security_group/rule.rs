//! A security group rule in the one form that AWS stores, on both sides of every comparison.

use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroupRule, UserIdGroupPair,
};
use serde::{Deserialize, Serialize};

use super::peer::{Group, Peer, Same};
use super::traffic::Traffic;
use super::written::Written;
use super::wrong::Wrong;
use crate::kinds::{ObserveError, told};
use crate::names::AccountId;

/// What a rule allows. Made from what a baseline writes or from what AWS says, and from nothing
/// else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Rule {
    traffic: Traffic,
    peer: Peer,
}

impl TryFrom<Written> for Rule {
    type Error = Wrong;

    fn try_from(written: Written) -> Result<Self, Wrong> {
        (&written).try_into()
    }
}

impl TryFrom<&Written> for Rule {
    type Error = Wrong;

    fn try_from(written: &Written) -> Result<Self, Wrong> {
        Ok(Self { traffic: written.traffic()?, peer: written.peer()? })
    }
}

impl From<Rule> for Written {
    fn from(rule: Rule) -> Self {
        let (from_port, to_port) = rule.traffic.ports().unzip();
        let mut written = Self {
            ip_protocol: rule.traffic.protocol().to_owned(),
            from_port,
            to_port,
            ..Self::default()
        };
        let peer = Some(rule.peer.to_string());
        match rule.peer {
            Peer::Ipv4(_) => written.cidr_ipv4 = peer,
            Peer::Ipv6(_) => written.cidr_ipv6 = peer,
            Peer::PrefixList(_) => written.prefix_list_id = peer,
            Peer::Itself | Peer::Group(_) => written.referenced_group_id = peer,
        }
        written
    }
}

impl Rule {
    /// Whom it lets in, or out to.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// A rule as AWS describes it; `group` is the group that it belongs to.
    ///
    /// # Errors
    /// AWS leaves out what the rule means, or says what no rule of AWS's can be.
    pub fn read(group: &str, seen: &SecurityGroupRule) -> Result<Self, ObserveError> {
        let protocol = told("IpProtocol", seen.ip_protocol())?;
        let has_ports = matches!(protocol, "tcp" | "udp" | "icmp" | "icmpv6");
        let (from, to) = match has_ports {
            true => {
                (Some(told("FromPort", seen.from_port())?), Some(told("ToPort", seen.to_port())?))
            }
            false => (None, None),
        };
        let referenced = match seen.referenced_group_info() {
            None => None,
            Some(peer) => {
                let id = told("ReferencedGroupInfo.GroupId", peer.group_id())?;
                Some(match (id == group, peer.user_id()) {
                    (true, _) => Peer::Itself.to_string(),
                    (false, None) => id.to_owned(),
                    (false, Some(account)) => format!("{account}/{id}"),
                })
            }
        };
        let written = Written {
            ip_protocol: protocol.to_owned(),
            from_port: from,
            to_port: to,
            cidr_ipv4: seen.cidr_ipv4().map(str::to_owned),
            cidr_ipv6: seen.cidr_ipv6().map(str::to_owned),
            prefix_list_id: seen.prefix_list_id().map(str::to_owned),
            referenced_group_id: referenced,
        };
        Self::try_from(written).map_err(|wrong| ObserveError::Malformed {
            field: format!("rule {}", seen.security_group_rule_id().unwrap_or("without an id")),
            problem: wrong.message,
        })
    }

    /// The rule as it looks from the group that has it, or shall have it.
    #[must_use]
    pub fn seen_within(mut self, group: &str, account: &AccountId) -> Self {
        self.peer = self.peer.seen_within(group, account);
        self
    }

    /// The rule with its peer's account only where it is another one.
    #[must_use]
    pub fn without_own(mut self, own: &AccountId) -> Self {
        self.peer = self.peer.without_own(own);
        self
    }

    /// Whether it allows all that another does.
    pub fn covers(&self, other: &Self) -> bool {
        self.traffic.covers(&other.traffic) && self.peer.covers(&other.peer)
    }

    /// Whether this rule, which is declared, is one that is there.
    pub fn is(&self, there: &Self) -> Same {
        if self.traffic == there.traffic { self.peer.is(&there.peer) } else { Same::No }
    }

    /// The rule as AWS wants it.
    pub fn send(&self, group: &str, own: &AccountId, description: Option<&str>) -> IpPermission {
        let (from, to) = self.traffic.ports().unzip();
        let permission = IpPermission::builder()
            .ip_protocol(self.traffic.protocol())
            .set_from_port(from)
            .set_to_port(to);
        let description = description.map(str::to_owned);
        match &self.peer {
            Peer::Ipv4(range) => permission.ip_ranges(
                IpRange::builder().cidr_ip(range.to_string()).set_description(description).build(),
            ),
            Peer::Ipv6(range) => permission.ipv6_ranges(
                Ipv6Range::builder()
                    .cidr_ipv6(range.to_string())
                    .set_description(description)
                    .build(),
            ),
            Peer::PrefixList(list) => permission.prefix_list_ids(
                PrefixListId::builder().prefix_list_id(list).set_description(description).build(),
            ),
            Peer::Itself => permission.user_id_group_pairs(
                UserIdGroupPair::builder().group_id(group).set_description(description).build(),
            ),
            // AWS wants the account of a group of somebody else, and looks for the id alone in the
            // VPC's own account.
            Peer::Group(Group { account, id }) => permission.user_id_group_pairs(
                UserIdGroupPair::builder()
                    .group_id(id)
                    .set_user_id(account.as_ref().filter(|of| *of != own).map(ToString::to_string))
                    .set_description(description)
                    .build(),
            ),
        }
        .build()
    }

    /// The rule in a few words: `tcp 22 from 0.0.0.0/0`.
    pub fn words(&self, egress: bool, own: &AccountId) -> String {
        let peer = match self.peer.clone().without_own(own) {
            Peer::Itself => "the group itself".to_owned(),
            other => other.to_string(),
        };
        format!("{} {} {peer}", self.traffic, if egress { "to" } else { "from" })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use aws_sdk_ec2::types::ReferencedSecurityGroup;

    use super::*;

    fn own() -> AccountId {
        "111122223333".parse().unwrap()
    }

    fn written(protocol: &str, ports: Option<(i32, i32)>, peer: &str) -> Rule {
        let (from_port, to_port) = ports.unzip();
        let mut written =
            Written { ip_protocol: protocol.to_owned(), from_port, to_port, ..Written::default() };
        match peer {
            peer if peer.contains("::") => written.cidr_ipv6 = Some(peer.to_owned()),
            peer if peer.contains("sg-") => written.referenced_group_id = Some(peer.to_owned()),
            peer => written.cidr_ipv4 = Some(peer.to_owned()),
        }
        Rule::try_from(&written).unwrap()
    }

    fn seen(protocol: &str, ports: Option<(i32, i32)>) -> SecurityGroupRule {
        let (from, to) = ports.unzip();
        SecurityGroupRule::builder()
            .ip_protocol(protocol)
            .set_from_port(from)
            .set_to_port(to)
            .cidr_ipv4("10.0.0.0/8")
            .build()
    }

    #[test]
    fn rules_are_told_in_words() {
        let cases = [
            ("tcp", Some((22, 22)), "0.0.0.0/0", false, "tcp 22 from 0.0.0.0/0"),
            ("udp", None, "::/0", true, "all udp to ::/0"),
            ("-1", None, "0.0.0.0/0", true, "all traffic to 0.0.0.0/0"),
            ("icmp", Some((3, 4)), "10.0.0.0/8", false, "icmp type 3 code 4 from 10.0.0.0/8"),
            ("58", None, "::/0", false, "all icmpv6 from ::/0"),
            ("50", None, "444455556666/sg-1", false, "all of protocol 50 from 444455556666/sg-1"),
            ("tcp", Some((1, 9)), "111122223333/sg-1", false, "tcp 1-9 from sg-1"),
        ];
        for (protocol, ports, peer, egress, words) in cases {
            assert_eq!(written(protocol, ports, peer).words(egress, &own()), words);
        }
    }

    #[test]
    fn what_aws_says_and_what_is_declared_are_one() {
        for (there, declared) in [
            (seen("icmp", Some((-1, -1))), written("1", None, "10.0.0.0/8")),
            (seen("tcp", Some((0, 65535))), written("tcp", None, "10.9.9.9/8")),
            (seen("-1", Some((-1, -1))), written("all", None, "10.0.0.0/8")),
            (seen("50", Some((0, 0))), written("50", None, "10.0.0.0/8")),
        ] {
            assert_eq!(declared.is(&Rule::read("sg-1", &there).unwrap()), Same::Yes);
        }
    }

    #[test]
    fn what_aws_leaves_out_is_not_known() {
        let no_peer = SecurityGroupRule::builder().ip_protocol("-1").build();
        let no_protocol = SecurityGroupRule::builder().cidr_ipv4("10.0.0.0/8").build();
        for there in [seen("tcp", None), no_peer, no_protocol] {
            assert!(Rule::read("sg-1", &there).is_err(), "{there:?}");
        }
    }

    #[test]
    fn the_account_of_a_peer_is_read_and_sent() {
        let peer =
            ReferencedSecurityGroup::builder().group_id("sg-2").user_id("444455556666").build();
        let there =
            SecurityGroupRule::builder().ip_protocol("-1").referenced_group_info(peer).build();
        let rule = Rule::read("sg-1", &there).unwrap();
        assert_eq!(rule.peer().to_string(), "444455556666/sg-2");
        let sent = rule.send("sg-1", &own(), Some("why"));
        let pair = &sent.user_id_group_pairs()[0];
        assert_eq!(pair.user_id(), Some("444455556666"));
        assert_eq!(pair.description(), Some("why"));
        let own_peer = written("-1", None, "111122223333/sg-2").send("sg-1", &own(), None);
        assert_eq!(own_peer.user_id_group_pairs()[0].user_id(), None);
    }

    #[test]
    fn a_rule_cannot_be_stored_in_another_form() {
        let rule: Rule = serde_json::from_value(serde_json::json!({
            "ip_protocol": "6", "cidr_ipv4": "10.1.2.3/8",
        }))
        .unwrap();
        let stored = serde_json::json!({
            "ip_protocol": "tcp", "from_port": 0, "to_port": 65535, "cidr_ipv4": "10.0.0.0/8",
        });
        assert_eq!(serde_json::to_value(&rule).unwrap(), stored);
        let two =
            serde_json::json!({"ip_protocol": "6", "cidr_ipv4": "10.0.0.0/8", "cidr_ipv6": "::/0"});
        assert!(serde_json::from_value::<Rule>(two).is_err());
    }
}

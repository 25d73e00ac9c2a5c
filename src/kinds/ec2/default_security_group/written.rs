//! A security group rule as a baseline writes it, and what of it AWS would refuse.

use std::fmt::Display;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{Ipv4Net, Ipv6Net};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::peer::{Group, Peer, SELF};
use super::traffic::Traffic;
use super::wrong::Wrong;

/// A rule: one protocol, one range of ports, one peer.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, another protocol's number, or `-1` for all.
    pub ip_protocol: String,
    /// The first port of `tcp` and `udp`, 0 to 65535, or the ICMP type. Absent in both for all:
    /// 0 to 65535, or -1 and -1 for ICMP. Other protocols have no ports.
    #[serde(default)]
    #[schemars(range(min = -1, max = 65535))]
    pub from_port: Option<i32>,
    /// The last port, or the ICMP code.
    #[serde(default)]
    #[schemars(range(min = -1, max = 65535))]
    pub to_port: Option<i32>,
    /// The peer: an IPv4 range. AWS clears the bits behind the prefix, and so does evenkeel.
    #[serde(default)]
    pub cidr_ipv4: Option<String>,
    /// The peer: an IPv6 range, in any spelling; AWS keeps the shortest one.
    #[serde(default)]
    pub cidr_ipv6: Option<String>,
    /// The peer: a prefix list.
    #[serde(default)]
    pub prefix_list_id: Option<String>,
    /// The peer: members of a security group: `self`, its id, or `ACCOUNT/sg-…` for a group of
    /// another account.
    #[serde(default)]
    pub referenced_group_id: Option<String>,
}

impl Written {
    /// What it lets through.
    ///
    /// # Errors
    /// AWS would refuse it, or let more through than it says.
    pub fn traffic(&self) -> Result<Traffic, Wrong> {
        Traffic::new(&self.ip_protocol, self.from_port, self.to_port)
    }

    /// Whom it lets in, or out to.
    ///
    /// # Errors
    /// It names none or several, or one that AWS would not understand.
    pub fn peer(&self) -> Result<Peer, Wrong> {
        let named = [
            self.cidr_ipv4.as_deref().map(|text| ipv4(text).map(Peer::Ipv4)),
            self.cidr_ipv6.as_deref().map(|text| ipv6(text).map(Peer::Ipv6)),
            self.prefix_list_id.as_ref().map(|id| Ok(Peer::PrefixList(id.clone()))),
            self.referenced_group_id.as_deref().map(group),
        ];
        let mut named: Vec<_> = named.into_iter().flatten().collect();
        match named.len() {
            1 => named.remove(0),
            count => Err(Wrong::new("", format!("a rule has one peer, and this one has {count}"))
                .help("give one of cidr_ipv4, cidr_ipv6, prefix_list_id and referenced_group_id")),
        }
    }

    /// Everything that AWS would refuse.
    pub fn problems(&self) -> Vec<Wrong> {
        let mut problems: Vec<Wrong> =
            [self.traffic().err(), self.peer().err()].into_iter().flatten().collect();
        let mut id = |field, prefix: &str, id: &str| {
            if !is_id(prefix, id) {
                problems.push(
                    Wrong::new(field, format!("{id:?} is no id of AWS's"))
                        .help(format!("such as \"{prefix}-0123456789abcdef0\"")),
                );
            }
        };
        match self.peer() {
            Ok(Peer::PrefixList(list)) => id("prefix_list_id", "pl", &list),
            Ok(Peer::Group(group)) => id("referenced_group_id", "sg", &group.id),
            _ => {}
        }
        problems
    }
}

/// Ids have 8 hexadecimal digits, or 17 since 2018.
fn is_id(prefix: &str, id: &str) -> bool {
    id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')).is_some_and(|digits| {
        (8..=17).contains(&digits.len())
            && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn ipv4(text: &str) -> Result<Ipv4Net, Wrong> {
    let field = "cidr_ipv4";
    if let Some(range) = range(text, Ipv4Net::new) {
        return Ok(range.trunc());
    }
    if let Some(other) = range(text.trim(), Ipv6Net::new) {
        return Err(Wrong::new(field, format!("{text:?} is an IPv6 range"))
            .help(format!("write cidr_ipv6 = \"{}\"", other.trunc())));
    }
    Err(not_a_range::<Ipv4Addr, _>(field, text, "IPv4", 32, "10.0.0.0/8", Ipv4Net::new))
}

fn ipv6(text: &str) -> Result<Ipv6Net, Wrong> {
    let field = "cidr_ipv6";
    if let Some(range) = range(text, Ipv6Net::new) {
        return Ok(range.trunc());
    }
    if let Some(other) = range(text.trim(), Ipv4Net::new) {
        return Err(Wrong::new(field, format!("{text:?} is an IPv4 range"))
            .help(format!("write cidr_ipv4 = \"{}\"", other.trunc())));
    }
    Err(not_a_range::<Ipv6Addr, _>(field, text, "IPv6", 128, "2001:db8::/32", Ipv6Net::new))
}

/// An address and the length of its prefix, as strict as AWS: no blanks, no signs, no zeros in front.
fn range<A: FromStr, N, E>(text: &str, make: impl Fn(A, u8) -> Result<N, E>) -> Option<N> {
    let (address, prefix) = text.split_once('/')?;
    let length: u8 = prefix.parse().ok()?;
    (length.to_string() == prefix).then_some(())?;
    make(address.parse().ok()?, length).ok()
}

fn not_a_range<A: FromStr, N: Display>(
    field: &'static str,
    text: &str,
    family: &str,
    bits: u8,
    example: &str,
    make: impl Fn(A, u8) -> Result<N, ipnet::PrefixLenError>,
) -> Wrong {
    let wrong = Wrong::new(field, format!("{text:?} is no {family} range"));
    if let Some(range) = range(text.trim(), make) {
        return wrong.help(format!("write \"{range}\""));
    }
    let address = text.trim();
    if address.parse::<A>().is_ok() {
        return wrong.help(format!("for the one address write \"{address}/{bits}\""));
    }
    match address.split_once('/') {
        Some((address, _)) if address.parse::<A>().is_ok() => {
            wrong.help(format!("its prefix has 0 to {bits} bits, as in \"{address}/{bits}\""))
        }
        _ => wrong.help(format!("such as \"{example}\"")),
    }
}

fn group(text: &str) -> Result<Peer, Wrong> {
    if text == SELF {
        return Ok(Peer::Itself);
    }
    let (account, id) = match text.split_once('/') {
        Some((account, id)) => {
            let account = account.parse().map_err(|_| {
                Wrong::new(
                    "referenced_group_id",
                    format!("{account:?} is no account id, which has 12 digits"),
                )
                .help("write \"self\", \"sg-…\" or \"111122223333/sg-…\"")
            })?;
            (Some(account), id)
        }
        None => (None, text),
    };
    Ok(Peer::Group(Group { account, id: id.to_owned() }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn from(peer: (&str, &str)) -> Written {
        let mut rule = Written { ip_protocol: "-1".to_owned(), ..Written::default() };
        let text = Some(peer.1.to_owned());
        match peer.0 {
            "cidr_ipv4" => rule.cidr_ipv4 = text,
            "cidr_ipv6" => rule.cidr_ipv6 = text,
            "prefix_list_id" => rule.prefix_list_id = text,
            _ => rule.referenced_group_id = text,
        }
        rule
    }

    #[test]
    fn ranges_have_the_form_that_aws_stores() {
        let cases = [
            ("cidr_ipv4", "100.68.0.18/18", "100.68.0.0/18"),
            ("cidr_ipv4", "0.0.0.0/0", "0.0.0.0/0"),
            ("cidr_ipv4", "10.1.2.3/32", "10.1.2.3/32"),
            ("cidr_ipv6", "2001:0DB8:0:0::1/32", "2001:db8::/32"),
            ("cidr_ipv6", "0:0:0:0:0:0:0:0/0", "::/0"),
            ("cidr_ipv6", "2001:DB8:0:0:1:0:0:1/128", "2001:db8::1:0:0:1/128"),
        ];
        for (field, written, stored) in cases {
            assert_eq!(from((field, written)).peer().unwrap().to_string(), stored, "{written}");
        }
    }

    #[test]
    fn what_aws_would_refuse_is_refused_with_the_right_spelling() {
        let cases = [
            ("cidr_ipv4", "", "10.0.0.0/8"),
            ("cidr_ipv4", "x", "10.0.0.0/8"),
            ("cidr_ipv4", "10.0.0.0/33", "0 to 32 bits"),
            ("cidr_ipv4", "10.0.0.0/-1", "0 to 32 bits"),
            ("cidr_ipv4", "10.0.0.0/+8", "0 to 32 bits"),
            ("cidr_ipv4", "10.0.0.0/08", "0 to 32 bits"),
            ("cidr_ipv4", "10.0.0.300/8", "10.0.0.0/8"),
            ("cidr_ipv4", "010.0.0.0/8", "10.0.0.0/8"),
            ("cidr_ipv4", "10.0.0.1", "\"10.0.0.1/32\""),
            ("cidr_ipv4", "0.0.0.0/0 ", "\"0.0.0.0/0\""),
            ("cidr_ipv4", "::/0", "cidr_ipv6 = \"::/0\""),
            ("cidr_ipv6", "10.0.0.0/8", "cidr_ipv4 = \"10.0.0.0/8\""),
            ("cidr_ipv6", "::1", "\"::1/128\""),
            ("cidr_ipv6", "::/129", "0 to 128 bits"),
            ("cidr_ipv6", "fe80::1%eth0/64", "2001:db8::/32"),
            ("prefix_list_id", "pl-", "pl-0123456789abcdef0"),
            ("prefix_list_id", "sg-0123456789abcdef0", "pl-0123456789abcdef0"),
            ("referenced_group_id", "default", "sg-0123456789abcdef0"),
            ("referenced_group_id", "SG-0123456789ABCDEF0", "sg-0123456789abcdef0"),
            ("referenced_group_id", "4444/sg-0123456789abcdef0", "111122223333/sg-…"),
            ("referenced_group_id", "444455556666/", "sg-0123456789abcdef0"),
            ("referenced_group_id", "444455556666/self", "sg-0123456789abcdef0"),
        ];
        for (field, written, help) in cases {
            let problems = from((field, written)).problems();
            assert_eq!(problems.len(), 1, "{written:?}: {problems:?}");
            assert_eq!(problems[0].field, field, "{written:?}");
            let told = problems[0].help.as_deref().unwrap();
            assert!(told.contains(help), "{written:?}: {told}");
        }
    }

    #[test]
    fn right_peers_are_taken() {
        for peer in [
            ("prefix_list_id", "pl-12345678"),
            ("referenced_group_id", "self"),
            ("referenced_group_id", "sg-0123456789abcdef0"),
            ("referenced_group_id", "444455556666/sg-12345678"),
        ] {
            assert_eq!(from(peer).problems(), [], "{peer:?}");
            assert_eq!(from(peer).peer().unwrap().to_string(), peer.1);
        }
    }

    #[test]
    fn a_rule_has_one_peer() {
        let none = Written { ip_protocol: "-1".to_owned(), ..Written::default() };
        let two =
            Written { cidr_ipv6: Some("::/0".to_owned()), ..from(("cidr_ipv4", "0.0.0.0/0")) };
        for (rule, count) in [(none, "has 0"), (two, "has 2")] {
            assert!(rule.problems()[0].message.contains(count), "{rule:?}");
        }
    }
}

//! What a rule lets through: a protocol, and its ports where it has some.
//!
//! Source: EC2 API Reference, `IpPermission`: AWS answers with names for the four protocols that
//! have one, wants ports for `tcp`, `udp` and `icmp`, and lets all ports through for every other
//! protocol, whatever range it is given.

use std::fmt;

use super::wrong::Wrong;

/// AWS's word for all protocols.
const ALL: &str = "-1";
/// All ports of TCP and UDP.
const PORTS: (i32, i32) = (0, 65535);
/// All types and codes of ICMP.
const TYPES: (i32, i32) = (-1, -1);

/// What a rule lets through, in AWS's own form. Made by [`Traffic::new`] alone, so that there is
/// no second spelling of the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traffic {
    protocol: String,
    ports: Option<(i32, i32)>,
}

impl Traffic {
    /// A protocol by name or number, and its ports; none given means all.
    ///
    /// # Errors
    /// AWS would refuse it, or let more through than it says.
    pub fn new(protocol: &str, from: Option<i32>, to: Option<i32>) -> Result<Self, Wrong> {
        let protocol = name(protocol)?;
        let given = match (from, to) {
            (Some(from), Some(to)) => Some((from, to)),
            (None, None) => None,
            (Some(_), None) => return Err(half("to_port")),
            (None, Some(_)) => return Err(half("from_port")),
        };
        let ports = match protocol.as_str() {
            "tcp" | "udp" => Some(port_range(&protocol, given.unwrap_or(PORTS))?),
            "icmp" | "icmpv6" => Some(type_and_code(given.unwrap_or(TYPES))?),
            _ => match given {
                None | Some(TYPES | PORTS | (0, 0)) => None,
                Some(_) => {
                    return Err(Wrong::new(
                        "from_port",
                        "AWS lets all ports through for this protocol, whatever range it is given",
                    )
                    .help("leave out from_port and to_port, or name tcp or udp as ip_protocol"));
                }
            },
        };
        Ok(Self { protocol, ports })
    }

    /// Whether all that another lets through goes through here.
    pub fn covers(&self, other: &Self) -> bool {
        if self.protocol != other.protocol {
            return self.protocol == ALL;
        }
        let is_icmp = self.protocol.starts_with("icmp");
        match (self.ports, other.ports) {
            (None | Some(TYPES), _) => true,
            // An ICMP type with all of its codes.
            (Some((kind, -1)), Some((other, _))) if is_icmp => kind == other,
            (Some(ports), Some(others)) if is_icmp => ports == others,
            (Some((from, to)), Some((first, last))) => from <= first && last <= to,
            (Some(_), None) => false,
        }
    }

    /// The protocol in AWS's spelling.
    pub fn protocol(&self) -> &str {
        &self.protocol
    }

    /// The ports, or the ICMP type and code; none where the protocol has none.
    pub fn ports(&self) -> Option<(i32, i32)> {
        self.ports
    }
}

/// The protocol as AWS spells it in its answers.
fn name(protocol: &str) -> Result<String, Wrong> {
    let lower = protocol.to_lowercase();
    let known = match lower.as_str() {
        "all" | ALL => ALL,
        "6" | "tcp" => "tcp",
        "17" | "udp" => "udp",
        "1" | "icmp" => "icmp",
        "58" | "icmpv6" => "icmpv6",
        other if other.parse::<u8>().is_ok_and(|number| number.to_string() == other) => other,
        _ => {
            return Err(Wrong::new("ip_protocol", format!("{protocol:?} is no protocol for AWS"))
                .help("write tcp, udp, icmp, icmpv6, -1 for all, or IANA's number, such as 50 for ESP"));
        }
    };
    Ok(known.to_owned())
}

fn half(missing: &'static str) -> Wrong {
    Wrong::new("", "a range of ports needs both from_port and to_port")
        .help(format!("add {missing}, or leave out both for all ports"))
}

fn port_range(protocol: &str, (from, to): (i32, i32)) -> Result<(i32, i32), Wrong> {
    if from < 0 || to < 0 {
        let field = if from < 0 { "from_port" } else { "to_port" };
        return Err(Wrong::new(field, format!("ports of {protocol} are 0 to 65535"))
            .help("leave out from_port and to_port for all ports"));
    }
    if from > to {
        return Err(Wrong::new("from_port", format!("the range of ports {from} to {to} is empty"))
            .help(format!("write from_port = {to}, to_port = {from}")));
    }
    Ok((from, to))
}

fn type_and_code((kind, code): (i32, i32)) -> Result<(i32, i32), Wrong> {
    for (field, number) in [("from_port", kind), ("to_port", code)] {
        if !(-1..=255).contains(&number) {
            return Err(Wrong::new(field, format!("{number} is no ICMP type or code"))
                .help("from_port is the ICMP type, to_port the code: 0 to 255, or -1 for all"));
        }
    }
    if kind == -1 && code != -1 {
        return Err(
            Wrong::new("to_port", "all ICMP types have all codes").help("write to_port = -1")
        );
    }
    Ok((kind, code))
}

impl fmt::Display for Traffic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.protocol.as_str(), self.ports) {
            (ALL, _) => out.write_str("all traffic"),
            (number, None) => write!(out, "all of protocol {number}"),
            (name, Some(PORTS | TYPES)) => write!(out, "all {name}"),
            (name @ ("icmp" | "icmpv6"), Some((kind, -1))) => write!(out, "{name} type {kind}"),
            (name @ ("icmp" | "icmpv6"), Some((kind, code))) => {
                write!(out, "{name} type {kind} code {code}")
            }
            (name, Some((from, to))) if from == to => write!(out, "{name} {from}"),
            (name, Some((from, to))) => write!(out, "{name} {from}-{to}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_one_form() {
        let cases = [
            (("all", None), ("-1", Some((-1, -1)))),
            (("-1", Some((0, 0))), ("-1", None)),
            (("6", Some((22, 22))), ("TCP", Some((22, 22)))),
            (("tcp", None), ("tcp", Some((0, 65535)))),
            (("17", None), ("udp", Some((0, 65535)))),
            (("1", None), ("icmp", Some((-1, -1)))),
            (("58", None), ("icmpv6", Some((-1, -1)))),
            (("50", None), ("50", Some((0, 65535)))),
        ];
        let made = |(protocol, ports): (&str, Option<(i32, i32)>)| {
            Traffic::new(protocol, ports.map(|ports| ports.0), ports.map(|ports| ports.1)).unwrap()
        };
        for (one, other) in cases {
            assert_eq!(made(one), made(other), "{one:?}");
        }
        assert_ne!(made(("icmp", Some((0, -1)))), made(("icmp", None)));
        assert_ne!(made(("tcp", Some((0, 0)))), made(("tcp", None)));
    }

    #[test]
    fn what_goes_through_one_goes_through_a_wider_one() {
        let made = |(protocol, from, to): (&str, i32, i32)| {
            Traffic::new(protocol, Some(from), Some(to)).unwrap()
        };
        for (wide, narrow, covers) in [
            (("-1", -1, -1), ("tcp", 22, 22), true),
            (("tcp", 0, 65535), ("tcp", 22, 22), true),
            (("tcp", 20, 30), ("tcp", 22, 30), true),
            (("tcp", 20, 30), ("tcp", 22, 31), false),
            (("tcp", 22, 22), ("udp", 22, 22), false),
            (("tcp", 0, 65535), ("-1", -1, -1), false),
            (("icmp", -1, -1), ("icmp", 8, 0), true),
            (("icmp", 8, -1), ("icmp", 8, 0), true),
            (("icmp", 8, 0), ("icmp", 8, -1), false),
        ] {
            assert_eq!(made(wide).covers(&made(narrow)), covers, "{wide:?} {narrow:?}");
        }
    }

    #[test]
    fn what_aws_would_refuse_is_refused() {
        let cases = [
            ("esp", None, None, "ip_protocol"),
            ("256", None, None, "ip_protocol"),
            ("+6", None, None, "ip_protocol"),
            ("", None, None, "ip_protocol"),
            ("tcp", Some(90), Some(80), "from_port"),
            ("tcp", Some(-1), Some(-1), "from_port"),
            ("udp", Some(1), None, ""),
            ("-1", None, Some(1), ""),
            ("-1", Some(443), Some(443), "from_port"),
            ("50", Some(1), Some(2), "from_port"),
            ("icmp", Some(-1), Some(3), "to_port"),
            ("icmpv6", Some(256), Some(-1), "from_port"),
        ];
        for (protocol, from, to, field) in cases {
            let wrong = Traffic::new(protocol, from, to).unwrap_err();
            assert_eq!(wrong.field, field, "{protocol} {from:?} {to:?}");
            assert!(wrong.help.is_some(), "{wrong:?}");
        }
    }
}

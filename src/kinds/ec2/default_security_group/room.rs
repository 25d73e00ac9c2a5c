//! Room for new rules: what a group may hold, as far as it is known.

use super::peer::Peer;
use super::rule::Rule;

/// Rules of a group in each direction, counted apart for IPv4 and IPv6; groups and prefix lists
/// count for both. It can be raised, and a prefix list counts as many times as it can have entries,
/// which is not looked at: where this count is wrong, AWS's refusal turns the order.
///
/// Source: VPC User Guide, "Amazon VPC quotas", "Inbound or outbound rules per security group".
pub const QUOTA: usize = 60;

/// How many of the rules that go have to go before the new ones come: the places of those in
/// `extra`, as few as make the room. Empty when there is room, or when the quota is known to have
/// been raised, so that nobody knows where it is.
pub fn to_go_first(there: &[&Rule], missing: &[Rule], extra: &[&Rule]) -> Vec<usize> {
    let before = count(there.iter().copied());
    let new = count(missing);
    let gone = count(extra.iter().copied());
    let over = |before: usize, new: usize, gone: usize| {
        let is_raised = before > QUOTA || before + new > QUOTA + gone;
        if is_raised || new == 0 { 0 } else { (before + new).saturating_sub(QUOTA) }
    };
    let mut over = (over(before.0, new.0, gone.0), over(before.1, new.1, gone.1));
    let mut first = Vec::new();
    for (place, rule) in extra.iter().enumerate() {
        let (ipv4, ipv6) = families(rule);
        let helps = (ipv4 && over.0 > 0) || (ipv6 && over.1 > 0);
        if helps {
            first.push(place);
            over.0 = over.0.saturating_sub(usize::from(ipv4));
            over.1 = over.1.saturating_sub(usize::from(ipv6));
        }
    }
    first
}

/// How many rules count for IPv4, and for IPv6.
fn count<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> (usize, usize) {
    rules
        .into_iter()
        .map(families)
        .fold((0, 0), |sum, (ipv4, ipv6)| (sum.0 + usize::from(ipv4), sum.1 + usize::from(ipv6)))
}

/// Whether a rule counts for IPv4, and for IPv6.
fn families(rule: &Rule) -> (bool, bool) {
    match rule.peer() {
        Peer::Ipv4(_) => (true, false),
        Peer::Ipv6(_) => (false, true),
        Peer::PrefixList(_) | Peer::Itself | Peer::Group(_) => (true, true),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rules(count: usize, peer: &str) -> Vec<Rule> {
        (0..count)
            .map(|port| {
                serde_json::from_value(serde_json::json!({
                    "ip_protocol": "tcp", "from_port": port, "to_port": port,
                    peer: match peer { "cidr_ipv4" => "10.0.0.0/8", "cidr_ipv6" => "::/0", _ => "self" },
                }))
                .unwrap()
            })
            .collect()
    }

    fn first(there: &[Rule], missing: &[Rule], extra: &[Rule]) -> usize {
        let there: Vec<&Rule> = there.iter().collect();
        let extra: Vec<&Rule> = extra.iter().collect();
        to_go_first(&there, missing, &extra).len()
    }

    #[test]
    fn as_few_go_first_as_make_the_room() {
        let full = rules(60, "cidr_ipv4");
        let cases = [
            // there, missing, extra, how many go first
            (&full[..], rules(1, "cidr_ipv4"), &full[..], 1),
            (&full[..59], rules(1, "cidr_ipv4"), &full[..59], 0),
            (&full[..58], rules(5, "cidr_ipv4"), &full[..58], 3),
            // The families are counted apart, and a group counts in both.
            (&full[..], rules(5, "cidr_ipv6"), &full[..], 0),
            (&full[..], rules(2, "referenced_group_id"), &full[..], 2),
            // What goes makes too little room: the quota must have been raised.
            (&full[..], rules(2, "cidr_ipv4"), &full[..1], 0),
            (&full[..], rules(2, "cidr_ipv4"), &full[..0], 0),
        ];
        for (there, missing, extra, expected) in cases {
            assert_eq!(
                first(there, &missing, extra),
                expected,
                "{} {}",
                there.len(),
                missing.len()
            );
        }
        let raised = rules(61, "cidr_ipv4");
        assert_eq!(first(&raised, &rules(3, "cidr_ipv4"), &raised), 0);
    }
}

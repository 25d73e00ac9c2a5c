//! The order of changes: prerequisites first, and otherwise as the registry lists the kinds. What a
//! change cannot do without is less than what comes before it: a failure stops only what needs it.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::{AccountId, ItemName, Region};

/// The changes of one object, and what it waits for.
#[derive(Debug, Clone)]
pub struct Node {
    /// The account.
    pub account: AccountId,
    /// The Region; `None` for global kinds.
    pub region: Option<Region>,
    /// The item.
    pub item: ItemName,
    /// The kinds that come first where nothing else decides: an order, not a need.
    pub after: &'static [&'static str],
    /// Its changes, in order.
    pub changes: Vec<Step>,
}

/// One change of an object, and what it cannot do without.
#[derive(Debug, Clone)]
pub struct Step {
    /// The change.
    pub id: u32,
    /// Whether those wait for it that refer to the object.
    pub is_lent: bool,
    /// Whether it is for the whole account.
    pub of_account: bool,
    /// Earlier changes of the same object.
    pub needs: Vec<u32>,
    /// Items that the fields which it writes refer to.
    pub references: BTreeSet<ItemName>,
    /// Whether it leads what is delivered elsewhere.
    pub moves: bool,
    /// Whether it waits until all have moved that move.
    pub comes_last: bool,
}

impl Node {
    /// Whether what this object delivers may go to another one, or may have gone there.
    fn may_deliver_to(&self, other: &Self) -> bool {
        self.account == other.account
            && see_each_other(self.region.as_ref(), other.region.as_ref())
            && delivers(&self.item, self.after, &other.item)
    }

    /// The changes that those wait for who refer to this object, save those that another one of
    /// these waits for.
    fn lent(&self) -> impl Iterator<Item = u32> {
        let lent = || self.changes.iter().filter(|step| step.is_lent);
        lent().map(|step| step.id).filter(move |id| !lent().any(|later| later.needs.contains(id)))
    }
}

/// Whether objects of an item may deliver to those of another: its kind comes after that kind, or is the
/// same, as buckets log to buckets.
pub fn delivers(item: &ItemName, after: &[&str], to: &ItemName) -> bool {
    after.contains(&to.kind.as_str()) || (item.kind == to.kind && item != to)
}

/// All changes in the order of applying, and for each the changes that it cannot do without: those
/// of its own object that the kind names, and those of an object of the same account to which one of
/// its fields refers that others wait for. That one kind comes before another is an order alone. In a cycle (the loader
/// refuses them in baselines) the input order decides.
pub fn sort(nodes: &[Node]) -> (Vec<u32>, BTreeMap<u32, Vec<u32>>) {
    let places = Places::of(nodes);
    let (mut order, mut last) = (Vec::new(), Vec::new());
    let mut depends_on: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for place in Queue::of(nodes, &places).in_order() {
        let node = &nodes[place];
        for step in &node.changes {
            let referred =
                step.references.iter().flat_map(|item| places.of_item(nodes, place, item));
            let lent = referred.flat_map(|other| nodes[other].lent());
            let mut before: BTreeSet<u32> = step.needs.iter().copied().chain(lent).collect();
            let moving: Vec<u32> =
                if step.comes_last { moving(nodes, node).collect() } else { Vec::new() };
            // Where nobody moves, nothing is to wait for.
            if moving.is_empty() {
                order.push(step.id)
            } else {
                last.push(step.id)
            }
            before.extend(moving);
            depends_on.insert(step.id, before.into_iter().collect());
        }
    }
    order.append(&mut last);
    (order, depends_on)
}

/// The changes by which what may be delivered to an object goes elsewhere, or comes there from elsewhere.
fn moving<'a>(nodes: &'a [Node], from: &'a Node) -> impl Iterator<Item = u32> + 'a {
    let delivering = nodes.iter().filter(move |other| other.may_deliver_to(from));
    delivering.flat_map(|other| &other.changes).filter(|step| step.moves).map(|step| step.id)
}

/// Where objects stand in the input. A group is the objects of one kind in one account and Region.
#[derive(Default)]
struct Places<'a> {
    items: BTreeMap<(&'a AccountId, &'a ItemName), Vec<usize>>,
    kinds: BTreeMap<(&'a AccountId, &'a str), BTreeMap<Option<&'a Region>, usize>>,
    /// The group of each object.
    group_of: Vec<usize>,
    /// How many objects each group has.
    groups: Vec<usize>,
}

/// Whether two objects of one account are in Regions that see each other.
pub fn see_each_other(one: Option<&Region>, other: Option<&Region>) -> bool {
    one == other || one.is_none() || other.is_none()
}

impl<'a> Places<'a> {
    fn of(nodes: &'a [Node]) -> Self {
        let mut places = Self::default();
        for (place, node) in nodes.iter().enumerate() {
            places.items.entry((&node.account, &node.item)).or_default().push(place);
            let kind = places.kinds.entry((&node.account, node.item.kind.as_str())).or_default();
            let next = places.groups.len();
            let group = *kind.entry(node.region.as_ref()).or_insert(next);
            if group == next {
                places.groups.push(0);
            }
            places.groups[group] += 1;
            places.group_of.push(group);
        }
        places
    }

    /// The objects of an item that an object sees, itself left out.
    fn of_item(&self, nodes: &[Node], from: usize, item: &ItemName) -> Vec<usize> {
        let node = &nodes[from];
        let found = self.items.get(&(&node.account, item)).into_iter().flatten().copied();
        let sees = |other: &usize| {
            *other != from && see_each_other(node.region.as_ref(), nodes[*other].region.as_ref())
        };
        found.filter(sees).collect()
    }

    /// The groups that an object comes after where nothing else decides.
    fn groups_before(&self, node: &Node) -> BTreeSet<usize> {
        let kinds = node.after.iter().filter_map(|kind| self.kinds.get(&(&node.account, *kind)));
        kinds
            .flatten()
            .filter(|(region, _)| see_each_other(node.region.as_ref(), **region))
            .map(|(_, group)| *group)
            .collect()
    }
}

/// A topological order that keeps the input order where it can. Where preferences contradict what
/// is needed, they yield.
struct Queue {
    /// What each object still cannot do without.
    needed: Vec<usize>,
    /// How many groups each object would still rather wait for.
    preferred: Vec<usize>,
    /// The objects that cannot do without an object.
    needed_by: Vec<Vec<usize>>,
    /// The objects that would rather wait for a group.
    preferred_by: Vec<Vec<usize>>,
    group_of: Vec<usize>,
    /// How many objects of each group are left.
    groups: Vec<usize>,
}

impl Queue {
    fn of(nodes: &[Node], places: &Places<'_>) -> Self {
        let mut queue = Self {
            needed: vec![0; nodes.len()],
            preferred: vec![0; nodes.len()],
            needed_by: vec![Vec::new(); nodes.len()],
            preferred_by: vec![Vec::new(); places.groups.len()],
            group_of: places.group_of.clone(),
            groups: places.groups.clone(),
        };
        for (place, node) in nodes.iter().enumerate() {
            let items: BTreeSet<&ItemName> =
                node.changes.iter().flat_map(|step| &step.references).collect();
            for other in items.into_iter().flat_map(|item| places.of_item(nodes, place, item)) {
                queue.needed[place] += 1;
                queue.needed_by[other].push(place);
            }
            for group in places.groups_before(node) {
                queue.preferred[place] += 1;
                queue.preferred_by[group].push(place);
            }
        }
        queue
    }

    fn in_order(mut self) -> Vec<usize> {
        let mut waiting: BTreeSet<usize> = (0..self.needed.len()).collect();
        let mut possible: BTreeSet<usize> =
            waiting.iter().copied().filter(|place| self.needed[*place] == 0).collect();
        let mut best: BTreeSet<usize> =
            possible.iter().copied().filter(|place| self.preferred[*place] == 0).collect();
        let mut sequence = Vec::new();
        while let Some(next) =
            best.first().or_else(|| possible.first()).or_else(|| waiting.first()).copied()
        {
            for set in [&mut best, &mut possible, &mut waiting] {
                set.remove(&next);
            }
            sequence.push(next);
            let mut freed = std::mem::take(&mut self.needed_by[next]);
            for later in &freed {
                self.needed[*later] -= 1;
            }
            let group = self.group_of[next];
            self.groups[group] -= 1;
            if self.groups[group] == 0 {
                for later in std::mem::take(&mut self.preferred_by[group]) {
                    self.preferred[later] -= 1;
                    freed.push(later);
                }
            }
            for place in freed {
                if !waiting.contains(&place) || self.needed[place] > 0 {
                    continue;
                }
                possible.insert(place);
                if self.preferred[place] == 0 {
                    best.insert(place);
                }
            }
        }
        sequence
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn step(id: u32, needs: &[u32], references: &[&str]) -> Step {
        Step {
            id,
            is_lent: true,
            of_account: false,
            needs: needs.to_vec(),
            references: references.iter().map(|item| item.parse().unwrap()).collect(),
            moves: false,
            comes_last: false,
        }
    }

    fn node(item: &str, changes: impl Into<Vec<Step>>) -> Node {
        Node {
            account: "111122223333".parse().unwrap(),
            region: None,
            item: item.parse().unwrap(),
            after: &[],
            changes: changes.into(),
        }
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        let nodes = [
            node(
                "cloudtrail.trail.a",
                [step(1, &[], &["s3.bucket.a"]), step(2, &[1], &[]), step(6, &[], &[])],
            ),
            node("iam.password_policy", [step(3, &[], &[])]),
            node("s3.bucket.a", [step(4, &[], &[]), step(5, &[4], &[]), step(7, &[4], &[])]),
        ];
        let (order, depends_on) = sort(&nodes);
        assert_eq!(order, [3, 4, 5, 7, 1, 2, 6]);
        assert_eq!(depends_on[&1], [5, 7], "what is referred to must be whole");
        assert_eq!(depends_on[&2], [1]);
        assert!(depends_on[&3].is_empty());
        assert_eq!(depends_on[&7], [4]);
        assert!(depends_on[&6].is_empty(), "a field that refers to nothing waits for nothing");
    }

    #[test]
    fn who_refers_to_an_object_waits_for_what_it_needs_of_it() {
        let apart = |id, needs| Step { is_lent: false, ..step(id, needs, &[]) };
        let nodes = [
            node("cloudtrail.trail.a", [step(1, &[], &["s3.bucket.a"])]),
            node("s3.bucket.a", [step(2, &[], &[]), apart(3, &[2]), step(4, &[2], &[])]),
            node("cloudtrail.trail.b", [step(5, &[], &["s3.bucket.b"])]),
            node("s3.bucket.b", [apart(6, &[])]),
        ];
        let (order, depends_on) = sort(&nodes);
        assert_eq!(order, [2, 3, 4, 1, 6, 5], "the order stays");
        assert_eq!(depends_on[&1], [4], "its tags are nothing to wait for");
        assert!(depends_on[&5].is_empty());
    }

    #[test]
    fn an_order_of_kinds_is_no_need() {
        let trail = |references: &[&str]| Node {
            after: &["s3.bucket"],
            ..node("cloudtrail.trail.a", [step(1, &[], references)])
        };
        let (order, depends_on) = sort(&[trail(&[]), node("s3.bucket.a", [step(2, &[], &[])])]);
        assert_eq!(order, [2, 1]);
        assert!(depends_on[&1].is_empty());
        // The bucket refers to the trail: what is needed goes before what is preferred.
        let bucket = node("s3.bucket.a", [step(2, &[], &["cloudtrail.trail.a"])]);
        let (order, depends_on) = sort(&[trail(&[]), bucket]);
        assert_eq!(order, [1, 2]);
        assert_eq!(depends_on[&2], [1]);
    }

    #[test]
    fn what_others_may_still_use_goes_once_they_have_moved() {
        let after = |node: Node| Node { after: &["s3.bucket"], ..node };
        let moves = |id, references| Step { moves: true, ..step(id, &[], references) };
        let leaves = |id, needs| Step { is_lent: false, comes_last: true, ..step(id, needs, &[]) };
        let nodes = [
            node("s3.bucket.a", [step(1, &[], &[]), leaves(2, &[1]), step(3, &[], &[])]),
            after(node("cloudtrail.trail.a", [moves(4, &["s3.bucket.a"]), step(5, &[], &[])])),
            // It names no bucket that is declared.
            after(node("cloudtrail.trail.b", [moves(6, &[])])),
            // Buckets log to buckets.
            node("s3.bucket.b", [moves(7, &[])]),
            node("iam.role.a", [moves(8, &[])]),
        ];
        let (order, depends_on) = sort(&nodes);
        assert_eq!(order, [1, 3, 7, 4, 5, 6, 8, 2]);
        assert_eq!(depends_on[&2], [1, 4, 6, 7]);
        assert_eq!(depends_on[&4], [1, 3], "nobody waits for what waits for them");
        let nodes = [
            node("s3.bucket.a", [step(1, &[], &[]), leaves(2, &[1]), step(3, &[], &[])]),
            after(node("cloudtrail.trail.a", [step(4, &[], &[])])),
        ];
        assert_eq!(sort(&nodes).0, [1, 2, 3, 4], "nobody moves");
    }

    #[test]
    fn other_accounts_do_not_wait() {
        let mut there = node("s3.bucket.a", [step(2, &[], &[])]);
        there.account = "444455556666".parse().unwrap();
        let (order, depends_on) =
            sort(&[node("cloudtrail.trail.a", [step(1, &[], &["s3.bucket.a"])]), there]);
        assert_eq!(order, [1, 2]);
        assert!(depends_on[&1].is_empty());
    }

    #[test]
    fn a_cycle_loses_no_change() {
        let nodes = [
            node("s3.bucket.a", [step(1, &[], &["s3.bucket.b"])]),
            node("s3.bucket.b", [step(2, &[], &["s3.bucket.a"])]),
        ];
        assert_eq!(sort(&nodes).0, [1, 2]);
    }

    /// What the order is by its definition: the first object that waits for nothing, else the first
    /// that lacks nothing it needs, else the first of all.
    fn by_looking_at_all_pairs(nodes: &[Node]) -> Vec<usize> {
        let sees = |one: &Node, other: &Node| {
            one.account == other.account
                && (one.region == other.region || one.region.is_none() || other.region.is_none())
        };
        let needs = |one: &Node, other: &Node| {
            one.changes.iter().any(|step| step.references.contains(&other.item))
        };
        let mut waiting: Vec<usize> = (0..nodes.len()).collect();
        let mut sequence = Vec::new();
        while !waiting.is_empty() {
            let is_free = |place: &usize, all: bool| {
                let one = &nodes[*place];
                waiting.iter().filter(|other| *other != place).all(|other| {
                    let other = &nodes[*other];
                    let prefers = all && one.after.contains(&other.item.kind.as_str());
                    !sees(one, other) || !(needs(one, other) || prefers)
                })
            };
            let next = (0..waiting.len())
                .find(|at| is_free(&waiting[*at], true))
                .or_else(|| (0..waiting.len()).find(|at| is_free(&waiting[*at], false)))
                .unwrap_or(0);
            sequence.push(waiting.remove(next));
        }
        sequence
    }

    proptest::proptest! {
        #[test]
        fn the_index_gives_the_order_that_all_pairs_give(
            shape in proptest::collection::vec((0..2_usize, 0..3_usize, 0..5_usize, 0..5_usize, 0..3_usize), 0..12),
        ) {
            const ITEMS: [&str; 5] =
                ["s3.bucket.a", "s3.bucket.b", "kms.key.a", "cloudtrail.trail.a", "iam.role.a"];
            const AFTER: [&[&str]; 3] = [&[], &["s3.bucket"], &["kms.key", "cloudtrail.trail"]];
            let nodes: Vec<Node> = shape
                .iter()
                .zip(0..)
                .map(|((account, region, item, reference, after), id)| Node {
                    account: ["111122223333", "444455556666"][*account].parse().unwrap(),
                    region: [None, Some("eu-west-1"), Some("us-east-1")][*region].map(Region::new),
                    // No kind comes after itself: the registry's own test.
                    after: if AFTER[*after].iter().any(|kind| ITEMS[*item].starts_with(kind)) { &[] } else { AFTER[*after] },
                    ..node(ITEMS[*item], [step(id, &[], &ITEMS[*reference..(*reference + 1).min(4)])])
                })
                .collect();
            let expected: Vec<u32> =
                by_looking_at_all_pairs(&nodes).into_iter().map(|place| nodes[place].changes[0].id).collect();
            proptest::prop_assert_eq!(sort(&nodes).0, expected);
        }
    }
}

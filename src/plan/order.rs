//! The order of changes: prerequisites first, and otherwise as the registry lists the kinds. What a
//! change cannot do without is less than what comes before it: a failure stops only what needs it.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

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
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// The change.
    pub id: u32,
    /// Earlier changes of the same object.
    pub needs: Vec<u32>,
    /// Items that the fields which it writes refer to.
    pub references: BTreeSet<ItemName>,
}

impl Node {
    /// Whether both are of one account and of Regions that see each other.
    fn is_beside(&self, other: &Self) -> bool {
        self.account == other.account
            && (self.region == other.region || self.region.is_none() || other.region.is_none())
    }

    fn refers_to(&self, other: &Self) -> bool {
        self.changes.iter().any(|step| step.references.contains(&other.item))
    }

    /// The changes that no other one of this object waits for: once they are done, all are.
    fn last(&self) -> impl Iterator<Item = u32> {
        self.changes
            .iter()
            .map(|step| step.id)
            .filter(|id| !self.changes.iter().any(|later| later.needs.contains(id)))
    }
}

/// All changes in the order of applying, and for each the changes that it cannot do without: those
/// of its own object that the kind names, and all of an object of the same account that one of its
/// fields refers to. That one kind comes before another is an order alone. In a cycle (the loader
/// refuses them in baselines) the input order decides.
pub fn sort(nodes: &[Node]) -> (Vec<u32>, BTreeMap<u32, Vec<u32>>) {
    let mut graph: DiGraph<usize, Edge> = DiGraph::new();
    let indices: Vec<NodeIndex> = (0..nodes.len()).map(|index| graph.add_node(index)).collect();
    for (later, node) in nodes.iter().enumerate() {
        for (earlier, other) in nodes.iter().enumerate() {
            if earlier == later || !node.is_beside(other) {
                continue;
            }
            if node.refers_to(other) {
                graph.update_edge(indices[earlier], indices[later], Edge::Needed);
            } else if node.after.contains(&other.item.kind.as_str()) {
                graph.update_edge(indices[earlier], indices[later], Edge::Preferred);
            }
        }
    }
    let mut order = Vec::new();
    let mut depends_on: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for index in stable_order(&graph) {
        let node = &nodes[graph[index]];
        for step in &node.changes {
            let referred = graph
                .neighbors_directed(index, Direction::Incoming)
                .map(|other| &nodes[graph[other]])
                .filter(|other| step.references.contains(&other.item))
                .flat_map(Node::last);
            let before: BTreeSet<u32> = step.needs.iter().copied().chain(referred).collect();
            depends_on.insert(step.id, before.into_iter().collect());
            order.push(step.id);
        }
    }
    (order, depends_on)
}

/// Why one object comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// The later one cannot do without it.
    Needed,
    /// The later one goes more smoothly after it.
    Preferred,
}

/// A topological order that keeps the input order where it can. Where preferences contradict what
/// is needed, they yield.
fn stable_order(graph: &DiGraph<usize, Edge>) -> Vec<NodeIndex> {
    let mut waiting: BTreeMap<usize, NodeIndex> =
        graph.node_indices().map(|index| (graph[index], index)).collect();
    let mut done: BTreeSet<NodeIndex> = BTreeSet::new();
    let mut sequence = Vec::new();
    let is_ready = |index: NodeIndex, done: &BTreeSet<NodeIndex>, all: bool| {
        graph.edges_directed(index, Direction::Incoming).all(|edge| {
            done.contains(&edge.source()) || (!all && *edge.weight() == Edge::Preferred)
        })
    };
    while !waiting.is_empty() {
        let ready = waiting
            .iter()
            .find(|(_, index)| is_ready(**index, &done, true))
            .or_else(|| waiting.iter().find(|(_, index)| is_ready(**index, &done, false)))
            .or_else(|| waiting.first_key_value())
            .map(|(position, index)| (*position, *index));
        let Some((position, index)) = ready else { break };
        waiting.remove(&position);
        done.insert(index);
        sequence.push(index);
    }
    sequence
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn step(id: u32, needs: &[u32], references: &[&str]) -> Step {
        Step {
            id,
            needs: needs.to_vec(),
            references: references.iter().map(|item| item.parse().unwrap()).collect(),
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
}

//! The order of changes: prerequisites first, and otherwise as the registry lists the kinds.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

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
    /// The items that it refers to.
    pub references: BTreeSet<ItemName>,
    /// The kinds that come first.
    pub after: &'static [&'static str],
    /// Its changes, in order.
    pub changes: Vec<u32>,
}

/// All changes in the order of applying, and for each the changes that it waits for.
///
/// Changes of an object wait for each other in turn; the first waits for the last change of every
/// object of the same account that the item refers to, or whose kind comes first. In a cycle (the
/// loader refuses them in baselines) the input order decides.
pub fn sort(nodes: &[Node]) -> (Vec<u32>, BTreeMap<u32, Vec<u32>>) {
    let mut graph: DiGraph<usize, ()> = DiGraph::new();
    let indices: Vec<NodeIndex> = (0..nodes.len()).map(|index| graph.add_node(index)).collect();
    for (later, node) in nodes.iter().enumerate() {
        for (earlier, other) in nodes.iter().enumerate() {
            let same_place = node.account == other.account
                && (node.region == other.region || node.region.is_none() || other.region.is_none());
            let waits = node.references.contains(&other.item)
                || node.after.contains(&other.item.kind.as_str());
            if earlier != later && same_place && waits {
                graph.update_edge(indices[earlier], indices[later], ());
            }
        }
    }
    let sequence = stable_order(&graph);
    let mut order = Vec::new();
    let mut depends_on: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for index in sequence {
        let node = &nodes[graph[index]];
        let mut before: Vec<u32> = graph
            .neighbors_directed(index, Direction::Incoming)
            .filter_map(|other| nodes[graph[other]].changes.last().copied())
            .collect();
        before.sort_unstable();
        for change in &node.changes {
            depends_on.insert(*change, before);
            before = vec![*change];
            order.push(*change);
        }
    }
    (order, depends_on)
}

/// A topological order that keeps the input order where it can.
fn stable_order(graph: &DiGraph<usize, ()>) -> Vec<NodeIndex> {
    let mut waiting: BTreeMap<usize, NodeIndex> =
        graph.node_indices().map(|index| (graph[index], index)).collect();
    let mut done: BTreeSet<NodeIndex> = BTreeSet::new();
    let mut sequence = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting
            .iter()
            .find(|(_, index)| {
                graph
                    .neighbors_directed(**index, Direction::Incoming)
                    .all(|other| done.contains(&other))
            })
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

    fn node(item: &str, references: &[&str], changes: &[u32]) -> Node {
        Node {
            account: "111122223333".parse().unwrap(),
            region: None,
            item: item.parse().unwrap(),
            references: references.iter().map(|item| item.parse().unwrap()).collect(),
            after: &[],
            changes: changes.to_vec(),
        }
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        let nodes = [
            node("cloudtrail.trail.a", &["s3.bucket.a"], &[1, 2]),
            node("iam.password_policy", &[], &[3]),
            node("s3.bucket.a", &[], &[4, 5]),
        ];
        let (order, depends_on) = sort(&nodes);
        assert_eq!(order, [3, 4, 5, 1, 2]);
        assert_eq!(depends_on[&1], [5]);
        assert_eq!(depends_on[&2], [1]);
        assert!(depends_on[&3].is_empty());
    }

    #[test]
    fn other_accounts_do_not_wait() {
        let mut there = node("s3.bucket.a", &[], &[2]);
        there.account = "444455556666".parse().unwrap();
        let nodes = [node("cloudtrail.trail.a", &["s3.bucket.a"], &[1]), there];
        assert_eq!(sort(&nodes).0, [1, 2]);
    }

    #[test]
    fn a_cycle_loses_no_change() {
        let nodes = [
            node("s3.bucket.a", &["s3.bucket.b"], &[1]),
            node("s3.bucket.b", &["s3.bucket.a"], &[2]),
        ];
        assert_eq!(sort(&nodes).0, [1, 2]);
    }
}

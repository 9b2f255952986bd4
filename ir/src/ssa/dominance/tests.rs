use super::*;
use crate::Id;
use crate::ssa::toy::Noise;

fn order_of(nodes: usize, edges: &[(usize, usize)]) -> Order {
    let mut start = vec![0];
    let mut succs = Vec::new();
    for node in 0..nodes {
        succs.extend(edges.iter().filter(|e| e.0 == node).map(|e| Id::new(e.1)));
        start.push(succs.len() as u32);
    }
    Order::of_successors(start, succs)
}

/// Blocks reachable from the entry without entering `without`.
fn reach(nodes: usize, edges: &[(usize, usize)], without: usize) -> Vec<bool> {
    let mut seen = vec![false; nodes];
    let mut work = if without == 0 { Vec::new() } else { vec![0] };
    while let Some(node) = work.pop() {
        if node != without && !std::mem::replace(&mut seen[node], true) {
            work.extend(edges.iter().filter(|e| e.0 == node).map(|e| e.1));
        }
    }
    seen
}

#[test]
fn the_tree_agrees_with_the_definition_on_random_graphs() {
    let mut noise = Noise(7);
    for _ in 0..400 {
        let nodes = 1 + noise.below(14);
        let edges: Vec<(usize, usize)> = (0..noise.below(nodes * 3)).map(|_| (noise.below(nodes), noise.below(nodes))).collect();
        let order = order_of(nodes, &edges);
        let tree = Dominators::of(&order);
        let reachable = reach(nodes, &edges, usize::MAX);
        for a in 0..nodes {
            let left = reach(nodes, &edges, a);
            for b in 0..nodes {
                let expect = match (reachable[a], reachable[b]) {
                    (_, false) => true,
                    (false, true) => a == b,
                    (true, true) => a == b || !left[b],
                };
                assert_eq!(tree.dominates(Id::new(a), Id::new(b)), expect, "{a} over {b} in {edges:?}");
            }
            if reachable[a] && a != 0 {
                let idom = tree.idom(Id::new(a));
                assert!(idom != Id::new(a) && tree.dominates(idom, Id::new(a)));
                // Every other strict dominator is above the immediate one.
                for b in (0..nodes).filter(|&b| b != a && reachable[b] && tree.dominates(Id::new(b), Id::new(a))) {
                    assert!(tree.dominates(Id::new(b), idom));
                }
            }
        }
    }
}

#[test]
fn one_block_with_an_edge_from_every_other_costs_no_square() {
    let nodes = 200_000;
    let mut start = vec![0];
    let mut succs = Vec::new();
    for node in 0..nodes {
        if node + 2 < nodes {
            succs.extend([Id::new(nodes - 1), Id::new(node + 1)]);
        }
        start.push(succs.len() as u32);
    }
    let tree = Dominators::of(&Order::of_successors(start, succs));
    assert_eq!(tree.idom(Id::new(nodes - 1)), ENTRY);
    assert_eq!(tree.idom(Id::new(nodes - 2)), Id::new(nodes - 3));
}

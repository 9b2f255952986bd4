//! `reuse`: the room of a cell that has been opened goes to the next cell of its class.
//!
//! Tokens are offered along every way from the `open` that gives them: the first `new` of the class takes one ("drop-guided" reuse, Lorenzen and Leijen 2022).
//! Where ways meet that all have one to offer, and there is somebody to take it, a block gets a parameter. What nobody takes on some way is freed there, as owned values
//! are dropped. No token goes around a loop, and a function holds as many as it has `open`s, so what waits for its use is bounded by the stack.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use hir::Type;
use ir::ssa::order::Order;
use ir::ssa::{Block, Graph, Inst, NewInst, Value};
use ir::{Fuel, Stop};

use super::open::{Classes, pass};
use super::opened::is_token;
use crate::ir::{Context, Mir};
use crate::ops::Op;

/// Tokens at hand by class, oldest first.
type Offers = BTreeMap<u32, Vec<Value>>;

/// So many tokens of one class are passed to a block.
const MOST: usize = 4;

/// Gives tokens to the cells that are made behind them. What is left of them is no result any more.
pub(super) fn run(graph: &mut Graph<Mir>, order: &Order, classes: &mut Classes, fuel: &mut Fuel, cx: &dyn Context) -> Result<(), Stop> {
    let mut wanted: HashMap<Inst, u32> = HashMap::new();
    let offered: HashSet<u32> = classes.values().copied().collect();
    for &block in &order.blocks {
        for &inst in &graph.blocks[block].insts {
            if graph.op(inst) == Op::New
                && let Some(class) = cx.cell_class(graph.ty(graph.result(inst)))?
                && offered.contains(&class)
            {
                wanted.insert(inst, class);
            }
        }
    }
    let mut taken: HashSet<Value> = HashSet::new();
    if !wanted.is_empty() {
        pair(graph, order, &wanted, classes, &mut taken, fuel);
    }
    forget(graph, order, classes, &taken);
    Ok(())
}

/// How many cells of each class may still be made on a way from the start of each block.
fn needs(graph: &Graph<Mir>, order: &Order, wanted: &HashMap<Inst, u32>) -> Vec<BTreeMap<u32, usize>> {
    let mut needs: Vec<BTreeMap<u32, usize>> = vec![BTreeMap::new(); graph.blocks.len()];
    for &block in order.blocks.iter().rev() {
        let mut need: BTreeMap<u32, usize> = BTreeMap::new();
        for &next in order.succs(block).iter().filter(|&&next| !order.is_back_edge(block, next)) {
            for (&class, &count) in &needs[next.index()] {
                let most = need.entry(class).or_default();
                *most = count.max(*most);
            }
        }
        for inst in &graph.blocks[block].insts {
            if let Some(&class) = wanted.get(inst) {
                *need.entry(class).or_default() += 1;
            }
        }
        needs[block.index()] = need;
    }
    needs
}

fn pair(
    graph: &mut Graph<Mir>,
    order: &Order,
    wanted: &HashMap<Inst, u32>,
    classes: &mut Classes,
    taken: &mut HashSet<Value>,
    fuel: &mut Fuel,
) {
    let needs = needs(graph, order, wanted);
    let mut preds: Vec<Vec<Block>> = vec![Vec::new(); graph.blocks.len()];
    let mut is_pad = vec![false; graph.blocks.len()];
    for &block in &order.blocks {
        for &inst in &graph.blocks[block].insts {
            if let Some(pad) = graph.edges[inst].unwind {
                is_pad[pad.index()] = true;
            }
            for target in graph.targets(inst) {
                let preds = &mut preds[target.block.index()];
                if !preds.contains(&block) {
                    preds.push(block);
                }
            }
        }
    }
    let mut ends: Vec<Option<Offers>> = vec![None; graph.blocks.len()];
    for &block in &order.blocks {
        let ways: Option<Vec<&Offers>> = preds[block.index()].iter().map(|pred| ends[pred.index()].as_ref()).collect();
        let ways: Vec<Offers> = match ways {
            Some(ways) if !is_pad[block.index()] => ways.into_iter().cloned().collect(),
            _ => Vec::new(),
        };
        let mut offers = meet(graph, block, &preds[block.index()], &ways, &needs[block.index()], classes, taken);
        for inst in graph.blocks[block].insts.clone() {
            if graph.op(inst) == Op::Open {
                let tokens: Vec<Value> = graph.results(inst).filter(|&value| is_token(graph.ty(value))).collect();
                for token in tokens {
                    if let Some(&class) = classes.get(&token) {
                        offers.entry(class).or_default().push(token);
                    }
                }
            } else if let Some(class) = wanted.get(&inst)
                && let Some(list) = offers.get_mut(class)
                && !list.is_empty()
                && fuel.spend()
            {
                let token = list.remove(0);
                taken.insert(token);
                let args: Vec<Value> = [token].into_iter().chain(graph.args(inst).iter().copied()).collect();
                graph.insts[inst].args = graph.args.add(args);
                graph.insts[inst].op = Op::Reuse;
            }
        }
        ends[block.index()] = Some(offers);
    }
}

/// What is at hand on all ways into a block.
fn meet(
    graph: &mut Graph<Mir>,
    block: Block,
    preds: &[Block],
    ways: &[Offers],
    needs: &BTreeMap<u32, usize>,
    classes: &mut Classes,
    taken: &mut HashSet<Value>,
) -> Offers {
    let Some((first, others)) = ways.split_first() else { return Offers::new() };
    if others.is_empty() {
        return first.clone();
    }
    let mut offers = Offers::new();
    for (&class, tokens) in first {
        // What is the same on all ways is just there.
        let mut list: Vec<Value> = tokens
            .iter()
            .copied()
            .filter(|token| others.iter().all(|other| other.get(&class).is_some_and(|list| list.contains(token))))
            .collect();
        let rest = |offers: &Offers| -> Vec<Value> {
            offers.get(&class).map_or(Vec::new(), |tokens| tokens.iter().copied().filter(|token| !list.contains(token)).collect())
        };
        let rests: Vec<Vec<Value>> = ways.iter().map(rest).collect();
        let need = needs.get(&class).copied().unwrap_or(0).min(MOST).saturating_sub(list.len());
        let count = rests.iter().map(Vec::len).min().unwrap_or(0).min(need);
        for number in 0..count {
            let param = graph.add_param(block, Type::cell(&[]));
            classes.insert(param, class);
            for (&pred, rest) in preds.iter().zip(&rests) {
                taken.insert(rest[number]);
                pass(graph, pred, block, rest[number]);
            }
            list.push(param);
        }
        offers.insert(class, list);
    }
    offers
}

/// Tokens that nobody took are no results.
fn forget(graph: &mut Graph<Mir>, order: &Order, classes: &mut Classes, taken: &HashSet<Value>) {
    let mut new_names: HashMap<Value, Value> = HashMap::new();
    for &block in &order.blocks {
        for at in 0..graph.blocks[block].insts.len() {
            let inst = graph.blocks[block].insts[at];
            if graph.op(inst) != Op::Open {
                continue;
            }
            let results: Vec<Value> = graph.results(inst).collect();
            let stays = |value: Value| !is_token(graph.ty(value)) || taken.contains(&value);
            if results.iter().all(|&value| stays(value)) {
                continue;
            }
            let (whole, parts) = (graph.args(inst)[0], graph.args(inst)[1..].to_vec());
            let kept: Vec<(Value, Value)> = parts.into_iter().zip(results).filter(|&(_, result)| stays(result)).collect();
            let args: Vec<Value> = [whole].into_iter().chain(kept.iter().map(|row| row.0)).collect();
            let types: Vec<Type> = kept.iter().map(|row| graph.ty(row.1)).collect();
            let new = graph.make(NewInst { args: &args, ..NewInst::new(Op::Open) }, &types);
            for (result, (_, old)) in graph.results(new).zip(kept) {
                new_names.insert(old, result);
                if let Some(class) = classes.remove(&old) {
                    classes.insert(result, class);
                }
            }
            graph.blocks[block].insts[at] = new;
        }
    }
    if !new_names.is_empty() {
        graph.rename(|value| new_names.get(&value).copied().unwrap_or(value));
    }
}

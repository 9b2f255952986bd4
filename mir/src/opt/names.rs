//! What locals are in a copy of a callee.

use hashbrown::HashMap;
use ir::ssa::names::{Local, LocalRow, Name};
use ir::ssa::{Graph, Inst, NewInst, Value};

use crate::ir::Mir;

/// Instructions of a callee were copied to where `call` stands: they see what its instructions saw, and what is seen at the call. `values` says what became of
/// its values.
pub(super) fn import(graph: &mut Graph<Mir>, callee: &Graph<Mir>, call: Inst, copied: &[(Inst, Inst)], values: &mut [Value]) {
    let Some(mut names) = graph.names.take() else { return };
    let (at_call, call_place) = (names.of(call), graph.edges[call].place);
    let Some(of_callee) = &callee.names else {
        for &(_, new) in copied {
            names.set(new, at_call);
        }
        graph.names = Some(names);
        return;
    };
    for &ghost in of_callee.ghosts.iter().filter(|&&ghost| callee.insts[ghost].results == 1) {
        // In the order in which they are made of each other; nothing else is where there is nothing yet.
        let args: Vec<Value> = callee.args(ghost).iter().map(|arg| values[arg.index()]).collect();
        if args.iter().any(|arg| graph.values.get(*arg).is_none()) {
            continue;
        }
        let row = callee.insts[ghost];
        let new = NewInst { args: &args, imm: row.imm, flags: row.flags, ..NewInst::new(row.op) };
        let ghost = graph.make(new, &[callee.ty(row.first_result)]);
        values[row.first_result.index()] = graph.result(ghost);
        names.ghosts.push(ghost);
    }
    let mut locals: HashMap<Local, Local> = HashMap::new();
    let mut rows: HashMap<Name, Name> = HashMap::new();
    for &(old, new) in copied {
        let mut open = Vec::new();
        let mut last = at_call;
        for (at, row) in of_callee.chain(of_callee.of(old)) {
            if let Some(&known) = rows.get(&at) {
                last = Some(known);
                break;
            }
            open.push((at, *row));
        }
        for (at, row) in open.into_iter().rev() {
            let local = *locals.entry(row.local).or_insert_with(|| {
                let local = of_callee.locals[row.local];
                let place = if local.place.is_some() { graph.places.import(&callee.places, local.place, call_place) } else { local.place };
                names.locals.push(LocalRow { place, ..local })
            });
            let value = row.value.map(|value| values[value.index()]).filter(|&value| graph.values.get(value).is_some());
            let to = names.add(last, local, row.part, value);
            rows.insert(at, to);
            last = Some(to);
        }
        names.set(new, last);
    }
    graph.names = Some(names);
}

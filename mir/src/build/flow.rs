//! Current definitions of locals, and what happens to them where control meets.

use hir::Type;
use hir::ir::LocalId;
use ir::ssa::{Block, Def, ENTRY, Inst, NewInst, Target, Value};

use super::{Builder, Leave, Lower};
use crate::ops::Op;

/// The definition of every local at the current point, with a log of changes.
pub(super) struct Flow {
    defs: Vec<Option<Value>>,
    /// Changed locals with the definition they had before.
    log: Vec<(LocalId, Option<Value>)>,
    /// Goes up with every change of a definition.
    version: u64,
    /// Locals that the running walk has met: `seen[local] == stamp`.
    seen: Vec<u32>,
    stamp: u32,
    /// Column of a local in the matrix of the join that is being sealed; valid while `seen`.
    column: Vec<u32>,
    /// Values that turned out to be another one, by value number.
    forward: Vec<Option<Value>>,
    /// Names of patterns whose arm is not entered yet: they are seen by joins that lead there, and by no others.
    hidden: Vec<bool>,
    /// Emptied lists of joins, to be used again.
    spare: Vec<(Vec<Edge>, Changes)>,
    scratch: Scratch,
}

/// Definitions of changed locals.
type Changes = Vec<(LocalId, Value)>;

/// Working memory of [`Builder::seal`].
#[derive(Default)]
struct Scratch {
    locals: Vec<LocalId>,
    matrix: Vec<Option<Value>>,
    needed: Vec<bool>,
    args: Vec<Value>,
}

impl Flow {
    pub(super) fn new(locals: usize) -> Flow {
        Flow {
            defs: vec![None; locals],
            log: Vec::with_capacity(locals),
            version: 0,
            seen: vec![0; locals],
            stamp: 0,
            column: vec![0; locals],
            forward: Vec::new(),
            hidden: Vec::new(),
            spare: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    pub(super) fn get(&self, local: LocalId) -> Option<Value> {
        self.defs[local.index()]
    }

    pub(super) fn set(&mut self, local: LocalId, value: Value) {
        self.version += 1;
        let slot = &mut self.defs[local.index()];
        self.log.push((local, *slot));
        *slot = Some(value);
    }

    /// A number that differs whenever the definitions may.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Hides a name of a pattern until its arm is entered.
    pub(super) fn hide(&mut self, local: LocalId) {
        if self.hidden.is_empty() {
            self.hidden.resize(self.defs.len(), false);
        }
        self.hidden[local.index()] = true;
    }

    /// The arm is entered: from here on it is a local like any other.
    pub(super) fn show(&mut self, local: LocalId) {
        if let Some(hidden) = self.hidden.get_mut(local.index()) {
            *hidden = false;
        }
    }

    /// Undoes all changes since the log had `mark` entries.
    pub(super) fn restore(&mut self, mark: usize) {
        self.version += 1;
        for (local, old) in self.log.drain(mark..).rev() {
            self.defs[local.index()] = old;
        }
    }

    fn is_first_visit(&mut self, local: LocalId) -> bool {
        let first = self.seen[local.index()] != self.stamp;
        self.seen[local.index()] = self.stamp;
        first
    }

    /// Are these definitions not all the same?
    fn differ(&self, mut values: impl Iterator<Item = Option<Value>>) -> bool {
        let first = values.next().flatten().map(|v| self.resolve(v));
        values.any(|v| v.map(|v| self.resolve(v)) != first)
    }

    fn resolve(&self, mut value: Value) -> Value {
        while let Some(&Some(next)) = self.forward.get(value.index()) {
            value = next;
        }
        value
    }
}

/// A point where edges will meet. Jumps are written at once, with a target that [`Builder::seal`] fills in.
#[derive(Default)]
pub(super) struct Join {
    /// Length of the log when the join was opened: what changed since then may differ between edges.
    mark: usize,
    /// Type of the value that the edges bring.
    ty: Option<Type>,
    edges: Vec<Edge>,
    changes: Changes,
    /// Leads to an arm: hidden names pass.
    takes_names: bool,
}

struct Edge {
    from: Block,
    inst: Inst,
    target: u32,
    value: Option<Value>,
    /// Its part of the changes.
    changes: std::ops::Range<usize>,
}

/// A loop that is being built.
#[derive(Default)]
pub(super) struct Frame {
    /// Where `break` goes.
    pub(super) exit: Join,
    /// Where `continue` goes.
    pub(super) again: Join,
}

/// A loop header: a block whose parameters must be known before its back edges are.
pub(super) struct Header {
    pub(super) block: Block,
    /// Parameters of the loop's own come first (the counter); then one a local.
    own: usize,
    locals: Vec<LocalId>,
    params: Vec<Value>,
    edges: Vec<(Inst, u32)>,
    /// One row of arguments an edge.
    args: Vec<Value>,
}

impl Builder<'_> {
    /// Opens a join; all that is assigned from here on may differ between its edges.
    pub(super) fn open(&mut self, ty: Option<Type>) -> Join {
        let (edges, changes) = self.flow.spare.pop().unwrap_or_default();
        Join { mark: self.flow.log.len(), ty, edges, changes, takes_names: false }
    }

    /// Opens a join on the way into an arm: every edge gives the arm's names a value.
    pub(super) fn open_arm(&mut self) -> Join {
        Join { takes_names: true, ..self.open(None) }
    }

    /// Keeps the memory of a join that is done.
    fn recycle(&mut self, mut join: Join) {
        join.edges.clear();
        join.changes.clear();
        self.flow.spare.push((join.edges, join.changes));
    }

    /// Ends the block with a jump whose target is not known yet.
    pub(super) fn open_jump(&mut self) -> Inst {
        self.terminate(NewInst { targets: &[(ENTRY, &[])], ..NewInst::new(Op::Jump) })
    }

    /// Ends the block with a branch whose targets are not known yet.
    pub(super) fn open_branch(&mut self, condition: Value) -> Inst {
        self.terminate(NewInst { args: &[condition], targets: &[(ENTRY, &[]), (ENTRY, &[])], ..NewInst::new(Op::Branch) })
    }

    /// Makes target `target` of the terminator of the current block an edge of the join.
    pub(super) fn edge(&mut self, join: &mut Join, inst: Inst, target: u32, value: Option<Value>) {
        let start = join.changes.len();
        let flow = &mut self.flow;
        flow.stamp += 1;
        for at in join.mark..flow.log.len() {
            let (local, before) = flow.log[at];
            // The first entry of a local has its definition at the opening; a local that had none is not visible behind the join.
            let is_hidden = flow.hidden.get(local.index()) == Some(&true);
            if flow.is_first_visit(local)
                && (if is_hidden { join.takes_names } else { before.is_some() })
                && let Some(value) = flow.defs[local.index()]
            {
                join.changes.push((local, value));
            }
        }
        let changes = start..join.changes.len();
        let value = value.filter(|_| join.ty.is_some());
        join.edges.push(Edge { from: self.current, inst, target, value, changes });
    }

    /// Ends the block with a jump to the join.
    pub(super) fn jump(&mut self, join: &mut Join, value: Option<Value>) {
        let inst = self.open_jump();
        self.edge(join, inst, 0, value);
    }

    /// Ends the block with a branch between two joins.
    pub(super) fn branch(&mut self, condition: Value, yes: &mut Join, no: &mut Join) {
        let inst = self.open_branch(condition);
        self.edge(yes, inst, 0, None);
        self.edge(no, inst, 1, None);
    }

    /// Goes on where the edges of the join meet. Diverges when it has none.
    pub(super) fn seal(&mut self, join: Join) -> Lower<Option<Value>> {
        self.restore(join.mark);
        let result = match &*join.edges {
            [] => Err(Leave::Diverged),
            [edge] => {
                if self.graph.op(edge.inst) == Op::Jump {
                    // The only way here is a jump: its block simply goes on.
                    self.graph.blocks[edge.from].insts.pop();
                    self.current = edge.from;
                } else {
                    self.current = self.graph.add_block();
                    self.patch(edge.inst, edge.target, self.current, &[]);
                }
                for &(local, value) in &join.changes[edge.changes.clone()] {
                    self.set(local, value);
                }
                Ok(edge.value)
            }
            [..] => Ok(self.meet(&join)),
        };
        self.recycle(join);
        result
    }

    /// A new block where several edges meet.
    fn meet(&mut self, join: &Join) -> Option<Value> {
        self.current = self.graph.add_block();
        let Scratch { mut locals, mut matrix, mut needed, mut args } = std::mem::take(&mut self.flow.scratch);
        // One column a changed local, one row an edge; a column of equal values needs no parameter.
        self.flow.stamp += 1;
        locals.clear();
        for &(local, _) in &join.changes {
            if self.flow.is_first_visit(local) {
                self.flow.column[local.index()] = locals.len() as u32;
                locals.push(local);
            }
        }
        let width = locals.len();
        matrix.clear();
        for edge in &join.edges {
            let row = matrix.len();
            matrix.extend(locals.iter().map(|&l| self.flow.get(l)));
            for &(local, value) in &join.changes[edge.changes.clone()] {
                matrix[row + self.flow.column[local.index()] as usize] = Some(value);
            }
        }
        needed.clear();
        for k in 0..width {
            needed.push(self.flow.differ((0..join.edges.len()).map(|e| matrix[e * width + k])));
        }
        let value_needed = join.ty.is_some() && self.flow.differ(join.edges.iter().map(|e| e.value));
        for (k, &local) in locals.iter().enumerate() {
            if needed[k] {
                let param = self.graph.add_param(self.current, self.body.locals[local].ty);
                self.set(local, param);
            } else if let Some(value) = matrix[k] {
                self.set(local, value);
            }
        }
        let value = match join.ty {
            Some(ty) if value_needed => Some(self.graph.add_param(self.current, ty)),
            Some(_) | None => join.edges[0].value,
        };
        for (e, edge) in join.edges.iter().enumerate() {
            args.clear();
            let row = &matrix[e * width..(e + 1) * width];
            args.extend(row.iter().zip(&needed).filter(|(_, n)| **n).filter_map(|(v, _)| *v));
            if value_needed {
                args.extend(edge.value);
            }
            self.patch(edge.inst, edge.target, self.current, &args);
        }
        self.flow.scratch = Scratch { locals, matrix, needed, args };
        value
    }

    fn patch(&mut self, inst: Inst, target: u32, block: Block, args: &[Value]) {
        let args = self.graph.args.add(args.iter().copied());
        let targets = self.graph.edges[inst].targets;
        if let Some(slot) = self.graph.targets.get_mut(targets).get_mut(target as usize) {
            *slot = Target { block, args };
        }
    }

    /// Makes a loop header with a parameter of each type of `own`, and one for each of the locals that has a definition now.
    pub(super) fn header(&mut self, locals: &[LocalId], own: &[Type]) -> Header {
        let block = self.graph.add_block();
        let mut params: Vec<Value> = own.iter().map(|&ty| self.graph.add_param(block, ty)).collect();
        let mut kept = Vec::with_capacity(locals.len());
        for &local in locals {
            if self.flow.get(local).is_some() {
                params.push(self.graph.add_param(block, self.body.locals[local].ty));
                kept.push(local);
            }
        }
        Header { block, own: own.len(), locals: kept, params, edges: Vec::new(), args: Vec::new() }
    }

    /// Makes target `target` of a terminator an edge to the header, with all arguments.
    pub(super) fn header_edge(&mut self, header: &mut Header, inst: Inst, target: u32, args: &[Value]) {
        debug_assert_eq!(args.len(), header.params.len());
        header.edges.push((inst, target));
        header.args.extend_from_slice(args);
    }

    /// Like [`Builder::header_edge`], with the current definitions behind the loop's own arguments.
    pub(super) fn header_edge_now(&mut self, header: &mut Header, inst: Inst, target: u32, own: &[Value]) {
        header.edges.push((inst, target));
        header.args.extend_from_slice(own);
        // A local of the header had a definition when the header was made, so it has one on every way through the loop.
        header.args.extend(header.locals.iter().filter_map(|&l| self.flow.get(l)));
    }

    /// Makes every edge of the join an edge to the header.
    pub(super) fn join_to_header(&mut self, join: Join, header: &mut Header) {
        self.restore(join.mark);
        for edge in &join.edges {
            header.edges.push((edge.inst, edge.target));
            let changes = &join.changes[edge.changes.clone()];
            for &local in &header.locals {
                let changed = changes.iter().find(|(l, _)| *l == local).map(|(_, v)| *v);
                header.args.extend(changed.or(self.flow.get(local)));
            }
        }
        self.recycle(join);
    }

    /// Goes on in the header; its parameters are the definitions of its locals. Returns the loop's own parameter `own`, if there is one.
    pub(super) fn enter(&mut self, header: &Header, own: usize) -> Option<Value> {
        self.current = header.block;
        for (&local, &param) in header.locals.iter().zip(&header.params[header.own..]) {
            self.set(local, param);
        }
        header.params[..header.own].get(own).copied()
    }

    /// All edges are known: drops the parameters that are always the same, and writes the arguments.
    pub(super) fn finish_header(&mut self, header: Header) {
        let width = header.params.len();
        let mut kept = vec![true; width];
        let mut changed = true;
        while changed {
            changed = false;
            for (k, (kept, &param)) in kept.iter_mut().zip(&header.params).enumerate() {
                if !*kept {
                    continue;
                }
                let mut others = (0..header.edges.len()).map(|e| self.flow.resolve(header.args[e * width + k])).filter(|&v| v != param);
                let Some(first) = others.next() else { continue };
                if others.any(|v| v != first) {
                    continue;
                }
                *kept = false;
                changed = true;
                if self.flow.forward.len() <= param.index() {
                    self.flow.forward.resize(param.index() + 1, None);
                }
                self.flow.forward[param.index()] = Some(first);
            }
        }
        let mut params = Vec::with_capacity(width);
        for (k, &param) in header.params.iter().enumerate() {
            if kept[k] {
                self.graph.values[param].def = Def::Param(header.block, params.len() as u32);
                params.push(param);
            }
        }
        self.graph.blocks[header.block].params = params;
        let mut args = Vec::with_capacity(width);
        for (e, &(inst, target)) in header.edges.iter().enumerate() {
            args.clear();
            args.extend((0..width).filter(|&k| kept[k]).map(|k| header.args[e * width + k]));
            self.patch(inst, target, header.block, &args);
        }
    }

    /// Replaces dropped header parameters everywhere.
    pub(super) fn apply_forwards(&mut self) {
        if self.flow.forward.is_empty() {
            return;
        }
        let flow = &self.flow;
        self.graph.rename(|value| flow.resolve(value));
    }
}

//! HIR to MIR: control flow, SSA construction, match compilation.
//!
//! HIR is structured, so SSA needs no search: at every join the builder knows which locals changed on which edge, because each assignment is
//! logged. A join gives a parameter to those locals alone whose values differ; only a loop header must guess (every local assigned in the loop),
//! and what it guessed too much is taken back when the last back edge is known. The result is the minimal form of Braun et al., "Simple and
//! Efficient Construction of Static Single Assignment Form" (2013), without per-block maps.
//!
//! | room           | holds                                                                    |
//! |----------------|--------------------------------------------------------------------------|
//! | `flow`         | current definitions, the log, joins, loop headers                        |
//! | `scopes`       | which locals are seen at an instruction, for debuggers                   |
//! | `scan`         | what is known of a body before it is built: assigned locals, self tail calls |
//! | `expr`         | expressions, places, calls                                               |
//! | `tail`         | expressions in tail position                                             |
//! | `branch`       | `if`, `&&`, `||`, conditions                                             |
//! | `catch`        | `catch`: where panics inside it land                                     |
//! | `loops`        | `loop`, `while`, `for`                                                   |
//! | `matching`     | `match` on scalars: switches and chains                                  |
//! | `decide`       | `match` on what has parts: decision trees                                |
//! | `intrinsics`   | built-in operations                                                      |
//! | `mono`         | instances of generic bodies                                              |
//! | `object`       | methods of trait objects                                                 |
//! | `unpack`       | what a function value with captured values points to                     |
//! | `within`       | what a generic body sees of types                                        |

mod branch;
mod catch;
mod cells;
mod decide;
mod expr;
mod flow;
mod intrinsics;
mod literals;
mod loops;
mod matching;
mod mono;
mod object;
mod scan;
mod scopes;
mod tail;
#[cfg(test)]
mod tests;
mod unpack;
mod within;

use std::cell::Cell;

use hir::Type;
use hir::ir::ExprId;
use ir::ops::Effect;
use ir::ssa::{Block, Graph, Inst, NewInst, Value};
use ir::{ItemId, Place, PlaceId, Stop};

use crate::ir::{Body, Built, Context, Mir};
use crate::ops::{NOUNWIND, Op};

pub use mono::{instance, mono};
pub use object::{InObject, in_object_signature, object_cell, on_object};
pub use scan::calls;
pub use unpack::{unpacking, unpacking_signature};
pub use within::Within;

use abi::{Kind, PanicKind, RuntimeCall};
use flow::{Flow, Frame, Header};
use scan::Assigned;
use scopes::Scopes;

/// Builds the SSA form of a typed body.
pub fn build(body: &hir::Body, cx: &dyn Context) -> Result<Body<Built>, Stop> {
    let mut graph = SPARE.take().unwrap_or_else(|| Box::new(Graph::new(body.owner, Vec::new())));
    graph.reset(body.owner, &[body.result]);
    graph.names = cx.names_locals()?.then(Box::default);
    let mut builder = Builder::new(body, cx, *graph);
    builder.function()?;
    // What stays is a copy in columns that are just as long as it takes; the next body is built where this one was.
    let built = Body::new(builder.graph.clone());
    SPARE.set(Some(Box::new(builder.graph)));
    Ok(built)
}

thread_local! {
    /// The graph in which the last body of this thread was built. Whoever builds takes it, and a body that is asked for meanwhile gets another.
    static SPARE: Cell<Option<Box<Graph<Mir>>>> = const { Cell::new(None) };
}

/// Why lowering an expression gave no value.
enum Leave {
    /// The engine wants to stop.
    Stop(Stop),
    /// Control never gets past the expression; its block is already terminated.
    Diverged,
}

impl From<Stop> for Leave {
    fn from(stop: Stop) -> Leave {
        Leave::Stop(stop)
    }
}

/// The result of lowering something that may diverge.
type Lower<T> = Result<T, Leave>;

/// `None` when control did not get past it.
fn reached<T>(result: Lower<T>) -> Result<Option<T>, Stop> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Leave::Diverged) => Ok(None),
        Err(Leave::Stop(stop)) => Err(stop),
    }
}

struct Builder<'a> {
    body: &'a hir::Body,
    cx: &'a dyn Context,
    graph: Graph<Mir>,
    flow: Flow,
    /// The block that grows. Terminated, and not to be used, after something diverged.
    current: Block,
    assigned: Assigned,
    /// Open loops, by loop id.
    frames: Vec<Option<Frame>>,
    /// Header of self tail calls.
    top: Option<Header>,
    /// The one landing block, made when first needed.
    landing: Option<Block>,
    /// Open `catch` expressions, outermost first.
    catches: Vec<catch::Catch>,
    /// Operators whose left operand is being lowered.
    spine: Vec<ExprId>,
    scopes: Scopes,
}

impl<'a> Builder<'a> {
    fn new(body: &'a hir::Body, cx: &'a dyn Context, mut graph: Graph<Mir>) -> Self {
        let current = graph.add_block();
        Builder {
            body,
            cx,
            graph,
            flow: Flow::new(body.locals.len()),
            current,
            assigned: Assigned::of(body),
            frames: (0..body.loops.len()).map(|_| None).collect(),
            top: None,
            landing: None,
            catches: Vec::new(),
            spine: Vec::new(),
            scopes: Scopes::new(body),
        }
    }

    fn function(&mut self) -> Result<(), Stop> {
        let body = self.body;
        for &local in &body.params {
            let value = self.graph.add_param(self.current, body.locals[local].ty);
            self.set(local, value);
        }
        if scan::has_self_tail_call(body) {
            let mut header = self.header(&body.params, &[]);
            let args: Vec<Value> = body.params.iter().filter_map(|&l| self.flow.get(l)).collect();
            let jump = self.open_jump();
            self.header_edge(&mut header, jump, 0, &args);
            self.enter(&header, 0);
            self.top = Some(header);
        }
        reached(self.tail(body.root))?;
        if let Some(header) = self.top.take() {
            self.finish_header(header);
        }
        self.apply_forwards();
        // Blocks that several ways lead to were begun on one of them.
        self.graph.settle_names();
        Ok(())
    }

    fn ty(&self, e: ExprId) -> Type {
        self.body.types[e]
    }

    /// An op that cannot panic.
    fn op(&mut self, op: Op, args: &[Value], ty: Type) -> Value {
        self.op_with(op, args, 0, ty)
    }

    /// An op that cannot panic, with an immediate.
    fn op_with(&mut self, op: Op, args: &[Value], imm: u64, ty: Type) -> Value {
        let place = if op.info().effect == Effect::Pure { self.here() } else { PlaceId::NONE };
        self.graph.append1(self.current, NewInst { args, imm, place, ..NewInst::new(op) }, ty)
    }

    /// An op that cannot panic and that may ask for memory: it says where it stands, so that somebody can be told.
    fn making(&mut self, op: Op, args: &[Value], imm: u64, ty: Type, at: ExprId) -> Value {
        let place = self.place(at);
        self.graph.append1(self.current, NewInst { args, imm, place, ..NewInst::new(op) }, ty)
    }

    /// An op of the table that panics, proved here not to do so.
    fn sure(&mut self, op: Op, args: &[Value], ty: Type) -> Value {
        self.graph.append1(self.current, NewInst { args, flags: NOUNWIND, ..NewInst::new(op) }, ty)
    }

    /// An op that may panic, at the place of an expression.
    fn risky(&mut self, op: Op, args: &[Value], imm: u64, ty: Type, at: ExprId) -> Value {
        let (place, unwind) = (self.place(at), Some(self.landing()));
        self.graph.append1(self.current, NewInst { args, imm, place, unwind, ..NewInst::new(op) }, ty)
    }

    /// A runtime call; `None` for one without result.
    fn runtime(&mut self, call: RuntimeCall, args: &[Value], at: ExprId) -> Option<Value> {
        let imm = call as u64;
        let mut new = NewInst { args, imm, ..NewInst::new(Op::Runtime) };
        if call.statuses().is_empty() {
            new.flags = NOUNWIND;
            // It says where it was called, or may ask for memory.
            if call == RuntimeCall::DebugPrint || call.result() == Kind::Str {
                new.place = self.place(at);
            }
        } else {
            (new.place, new.unwind) = (self.place(at), Some(self.landing()));
        }
        match type_of_kind(call.result()) {
            Some(ty) => Some(self.graph.append1(self.current, new, ty)),
            None => {
                self.graph.append(self.current, new, &[]);
                None
            }
        }
    }

    /// Ends the block with a panic.
    fn panic(&mut self, kind: PanicKind, args: &[Value], at: ExprId) -> Leave {
        let (place, unwind) = (self.place(at), Some(self.landing()));
        self.graph.append(self.current, NewInst { args, imm: kind as u64, place, unwind, ..NewInst::new(Op::Panic) }, &[]);
        Leave::Diverged
    }

    /// Panics when the condition holds; else goes on.
    fn panic_if(&mut self, condition: Value, kind: PanicKind, args: &[Value], at: ExprId) {
        let (bad, good) = (self.graph.add_block(), self.graph.add_block());
        self.terminate(NewInst { args: &[condition], targets: &[(bad, &[]), (good, &[])], ..NewInst::new(Op::Branch) });
        self.current = bad;
        self.panic(kind, args, at);
        self.current = good;
    }

    /// Ends the block where control cannot come.
    fn unreachable(&mut self) -> Leave {
        self.terminate(NewInst::new(Op::Unreachable));
        Leave::Diverged
    }

    fn ret(&mut self, value: Value) -> Leave {
        self.terminate(NewInst { args: &[value], ..NewInst::new(Op::Return) });
        Leave::Diverged
    }

    fn terminate(&mut self, new: NewInst<'_, Op>) -> Inst {
        self.graph.append(self.current, new, &[])
    }

    /// The block that panics unwind to here: in a `catch` one of its own, elsewhere the one of the function, which goes on unwinding.
    fn landing(&mut self) -> Block {
        if !self.catches.is_empty() {
            return self.catch_landing();
        }
        if let Some(block) = self.landing {
            return block;
        }
        let block = self.graph.add_block();
        self.graph.append(block, NewInst::new(Op::Resume), &[]);
        self.landing = Some(block);
        block
    }

    fn place(&mut self, at: ExprId) -> PlaceId {
        let (line, column) = self.body.places.at(at);
        self.graph.places.add(Place { item: self.body.owner, line, column, inlined_at: PlaceId::NONE })
    }

    fn int(&mut self, value: i64) -> Value {
        self.op_with(Op::Int, &[], value as u64, Type::INT)
    }

    fn bool(&mut self, value: bool) -> Value {
        self.op_with(Op::Bool, &[], u64::from(value), Type::BOOL)
    }

    fn unit(&mut self) -> Value {
        self.op(Op::Unit, &[], Type::VOID)
    }
}

/// The language type of what crosses the runtime boundary.
fn type_of_kind(kind: Kind) -> Option<Type> {
    Some(match kind {
        Kind::Void => return None,
        Kind::Int => Type::INT,
        Kind::Float => Type::FLOAT,
        Kind::Bool => Type::BOOL,
        Kind::Char => Type::CHAR,
        Kind::Byte => Type::BYTE,
        Kind::Str => Type::STR,
        // MIR calls nothing that gives one.
        Kind::Address => return None,
    })
}

/// Are both items of one module? Only then can they call each other in a circle (decision 4).
fn same_module(a: ItemId, b: ItemId) -> bool {
    a.module() == b.module()
}

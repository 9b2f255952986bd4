//! One body: blocks, edges, landing pads.

use std::fmt::Write;

use ir::ItemId;
use ir::ssa::order::Order;
use ir::ssa::{Block, ENTRY, Graph, Inst, Target, Value};
use lir::{Lir, Op, Type};

use crate::debug::Lines;
use crate::facts::Fact;
use crate::text::{Module, narrow, quoted, result, wide};
use crate::unit::{Function, Linkage};
use crate::variables::Told;

/// Types of the parameters of a function.
pub(crate) fn params(graph: &Graph<Lir>) -> Vec<Type> {
    graph.blocks.get(ENTRY).map_or_else(Vec::new, |entry| entry.params.iter().map(|&value| graph.ty(value)).collect())
}

/// Writes function `number` of the unit.
pub(crate) fn write(module: &mut Module<'_>, number: usize) {
    let unit = module.unit;
    let Some(function) = unit.functions.get(number) else { return };
    let graph = function.graph();
    let order = Order::of(graph);
    let count = graph.blocks.len();
    let mut before = vec![Vec::new(); count];
    if graph.names.is_some() {
        for &block in &order.blocks {
            order.succs(block).iter().for_each(|succ| before[succ.index()].push(block));
        }
    }
    let lines = module.records.as_mut().map(|records| Lines::new(records, function));
    let mut writer = Writer {
        module,
        graph,
        function,
        lines,
        names: vec![None; graph.values.len()],
        blocks: (0..count).map(|_| Text::default()).collect(),
        slots: String::new(),
        head: String::new(),
        cold: String::new(),
        now: String::new(),
        label: String::new(),
        block: ENTRY,
        splits: 0,
        temps: 0,
        pads: 0,
        dies: false,
        resumes: resuming(graph, &order),
        before,
    };
    writer.constants(&order);
    for &block in &order.blocks {
        writer.block(block);
    }
    writer.finish(&order, &function.symbol, function.linkage);
}

/// Blocks from which a path leads on unwinding.
fn resuming(graph: &Graph<Lir>, order: &Order) -> Vec<bool> {
    let mut resumes = vec![false; graph.blocks.len()];
    // Against the order nearly everything is seen in one round; loops take another.
    loop {
        let mut changed = false;
        for &block in order.blocks.iter().rev() {
            if resumes[block.index()] {
                continue;
            }
            let last = graph.terminator(block);
            let on = last
                .is_some_and(|last| graph.op(last) == Op::Resume || graph.targets(last).iter().any(|target| resumes[target.block.index()]));
            if on {
                resumes[block.index()] = true;
                changed = true;
            }
        }
        if !changed {
            return resumes;
        }
    }
}

/// A block in the making.
#[derive(Default)]
struct Text {
    /// Behind the label and the parameters.
    body: String,
    /// Where it is entered from: label and arguments.
    incoming: Vec<(String, Vec<String>)>,
}

pub(crate) struct Writer<'m, 'u> {
    pub(crate) module: &'m mut Module<'u>,
    pub(crate) graph: &'u Graph<Lir>,
    function: &'u Function,
    /// Where instructions are, for a debugger.
    lines: Option<Lines>,
    /// Texts of constants; other values are `%v` and their number.
    names: Vec<Option<String>>,
    blocks: Vec<Text>,
    /// Stack slots, at the start of the function.
    slots: String,
    /// What locals are there.
    head: String,
    /// Panics and landing pads, at its end.
    cold: String,
    /// The block at hand.
    pub(crate) now: String,
    /// The label of its last part.
    label: String,
    block: Block,
    splits: u32,
    temps: u32,
    pads: u32,
    /// Is there a call behind which nothing comes?
    dies: bool,
    resumes: Vec<bool>,
    /// The blocks that lead to each, where locals are told.
    before: Vec<Vec<Block>>,
}

impl Writer<'_, '_> {
    /// Values that need no instruction.
    fn constants(&mut self, order: &Order) {
        let graph = self.graph;
        for &block in &order.blocks {
            let ghosts = graph.names.iter().filter(|_| block == ENTRY).flat_map(|names| &names.ghosts);
            for &inst in graph.blocks[block].insts.iter().chain(ghosts) {
                let row = &graph.insts[inst];
                let name = match row.op {
                    Op::Iconst => match graph.ty(row.first_result) {
                        Type::Ptr if row.imm == 0 => "null".to_owned(),
                        // The first word of a short text: never an address that anybody looks at.
                        Type::Ptr => format!("inttoptr (i64 {} to ptr)", row.imm as i64),
                        Type::I8 => format!("{}", row.imm as u8),
                        Type::I32 => format!("{}", row.imm as u32),
                        Type::I64 | Type::F64 => format!("{}", row.imm as i64),
                    },
                    Op::Fconst => format!("0x{:016X}", row.imm),
                    Op::Data => self.module.data(ir::Symbol::from_raw(row.imm as u32)),
                    Op::Static => self.module.statics(ir::Symbol::from_raw(row.imm as u32)),
                    Op::Code => self.module.address(ItemId::from_raw(row.imm as u32)),
                    Op::Slot => {
                        let _ = writeln!(self.slots, "  %v{} = alloca [{} x i8], align 8", row.first_result.raw(), row.imm);
                        continue;
                    }
                    _ => continue,
                };
                self.names[row.first_result.index()] = Some(name);
            }
        }
    }

    /// A value as an operand, without its type.
    pub(crate) fn name(&self, value: Value) -> String {
        match self.names.get(value.index()) {
            Some(Some(name)) => name.clone(),
            _ => format!("%v{}", value.raw()),
        }
    }

    /// A value as an operand, with its type.
    pub(crate) fn typed(&self, value: Value) -> String {
        format!("{} {}", narrow(self.graph.ty(value)), self.name(value))
    }

    /// A name that no value has.
    pub(crate) fn temp(&mut self) -> String {
        self.temps += 1;
        format!("%t{}", self.temps)
    }

    /// A value as it crosses a call: small integers as `i64`.
    pub(crate) fn widened(&mut self, value: Value) -> String {
        let ty = self.graph.ty(value);
        if !matches!(ty, Type::I8 | Type::I32) {
            return self.typed(value);
        }
        let temp = self.temp();
        let _ = writeln!(self.now, "  {temp} = zext {} to i64", self.typed(value));
        format!("i64 {temp}")
    }

    /// Defines a value by what crossed a call.
    pub(crate) fn narrowed(&mut self, value: Value, from: &str) {
        let ty = self.graph.ty(value);
        match ty {
            Type::I8 | Type::I32 => {
                let _ = writeln!(self.now, "  %v{} = trunc i64 {from} to {}", value.raw(), narrow(ty));
            }
            // LLVM's IR has no copy.
            Type::I64 | Type::Ptr | Type::F64 => self.names[value.index()] = Some(from.to_owned()),
        }
    }

    /// The block at hand goes on under a new label.
    pub(crate) fn split(&mut self) -> String {
        self.splits += 1;
        format!("b{}.{}", self.block.raw(), self.splits)
    }

    pub(crate) fn enter(&mut self, label: String) {
        let _ = writeln!(self.now, "{label}:");
        self.label = label;
    }

    fn block(&mut self, block: Block) {
        let graph = self.graph;
        self.block = block;
        self.splits = 0;
        self.now = String::new();
        self.label = format!("b{}", block.raw());
        let insts = &graph.blocks[block].insts;
        if let (Some(lines), Some(records)) = (&mut self.lines, &mut self.module.records) {
            lines.variables.enter(graph, block, &self.before[block.index()]);
            lines.block(records, self.function, insts);
        }
        for (position, &inst) in insts.iter().enumerate() {
            self.tell(position, inst);
            let from = (self.now.len(), self.cold.len());
            self.inst(inst);
            if let Some(lines) = &self.lines {
                lines.mark(inst, &mut self.now, from.0);
                lines.mark(inst, &mut self.cold, from.1);
            }
        }
        self.blocks[block.index()].body = std::mem::take(&mut self.now);
    }

    /// A ghost that reads from memory is told as what lies there.
    fn told_value(&self, value: Value) -> Told {
        let ghost = self.graph.def_inst(value).filter(|&inst| self.graph.op(inst) == Op::Load);
        let ghost = ghost.filter(|inst| self.graph.names.as_ref().is_some_and(|names| names.ghosts.contains(inst)));
        match ghost {
            Some(load) => Told::There(self.typed(self.graph.args(load)[0]), self.graph.insts[load].imm),
            None => Told::Value(self.typed(value)),
        }
    }

    /// What locals are before an instruction.
    fn tell(&mut self, position: usize, inst: Inst) {
        let Some(mut lines) = self.lines.take() else { return };
        if let Some(records) = &mut self.module.records {
            let view = lines.variables.at(records, self.function, inst);
            let told = lines.variables.tell(self.graph, &view, position, |value| self.told_value(value));
            // What the function is given is told where it comes in.
            if position == 0 && self.block == ENTRY { &mut self.head } else { &mut self.now }.push_str(&told);
        }
        self.lines = Some(lines);
    }

    /// A jump along an edge: the label to name.
    pub(crate) fn edge(&mut self, target: Target, is_only: bool) -> String {
        let args: Vec<String> = self.graph.target_args(target).iter().map(|&value| self.name(value)).collect();
        let to = format!("b{}", target.block.raw());
        let Some(text) = self.blocks.get_mut(target.block.index()) else { return to };
        if args.is_empty() || is_only {
            text.incoming.push((self.label.clone(), args));
            return to;
        }
        // Two edges of one block to another with different arguments: LLVM's phis know blocks, not edges.
        self.temps += 1;
        let label = format!("e{}", self.temps);
        text.incoming.push((label.clone(), args));
        let _ = writeln!(self.cold, "{label}:\n  br label %{to}");
        label
    }

    /// Where unwinding from an instruction goes on in this function; `None` when nothing here has to be done. With a place, the pad tells it.
    pub(crate) fn pad(&mut self, inst: Inst, place: &str) -> Option<String> {
        let to = self.graph.edges[inst].unwind?;
        let block = self.graph.blocks.get(to)?;
        let only_resumes = matches!(block.insts.as_slice(), [only] if self.graph.op(*only) == Op::Resume);
        if only_resumes && place == "null" {
            return None;
        }
        self.pads += 1;
        let label = format!("pad{}", self.pads);
        let _ = write!(self.cold, "{label}:\n  %l{} = landingpad {{ ptr, i32 }} cleanup", self.pads);
        if place != "null" {
            let _ = write!(self.cold, " catch ptr {place}");
        }
        if !self.resumes[to.index()] {
            self.cold.push_str(" catch ptr null");
        }
        let _ = writeln!(self.cold, "\n  br label %b{}", to.raw());
        self.blocks[to.index()].incoming.push((label.clone(), Vec::new()));
        Some(label)
    }

    /// A block of its own that panics; its label.
    pub(crate) fn panic(&mut self, inst: Inst, kind: abi::PanicKind, args: &[Value]) -> String {
        let graph = self.graph;
        let place = self.module.place(&graph.places, graph.edges[inst].place);
        self.temps += 1;
        let label = format!("x{}", self.temps);
        let mut text = format!("{label}:\n");
        let mut words = Vec::new();
        for &arg in args.iter().take(2) {
            words.push(match graph.ty(arg) {
                Type::I64 => self.name(arg),
                ty => {
                    let temp = self.temp();
                    let how = if ty == Type::Ptr { "ptrtoint" } else { "zext" };
                    let _ = writeln!(text, "  {temp} = {how} {} to i64", self.typed(arg));
                    temp
                }
            });
        }
        words.resize(2, "0".to_owned());
        let call = format!("void @ori_panic_at(i64 {}, i64 {}, i64 {}, ptr {place})", words[0], words[1], kind as u64);
        // The place is an argument: the pad has nothing to tell.
        match self.pad(inst, "null") {
            Some(pad) => {
                self.dies = true;
                let _ = writeln!(text, "  invoke {call} to label %dead unwind label %{pad}");
            }
            None => {
                let cold = self.told(Fact::Cold, " #1");
                let _ = writeln!(text, "  call {call}{cold}\n  unreachable");
            }
        }
        self.cold.push_str(&text);
        label
    }

    fn finish(self, order: &Order, symbol: &str, linkage: Linkage) {
        let Writer { module, graph, mut blocks, slots, head, cold, dies, lines, .. } = self;
        let out = &mut module.body;
        let entry = graph.blocks.get(ENTRY).map_or(&[][..], |entry| &entry.params);
        let listed: Vec<String> = entry
            .iter()
            .map(|&value| match graph.ty(value) {
                Type::I8 | Type::I32 => format!("i64 %w{}", value.raw()),
                ty => format!("{} %v{}", wide(ty), value.raw()),
            })
            .collect();
        let _ = writeln!(
            out,
            "define {} swiftcc {} {}({}) #0 personality ptr @ori_personality{} {{",
            linkage.text(),
            result(&graph.results),
            quoted(symbol),
            listed.join(", "),
            lines.map_or_else(String::new, |lines| lines.head())
        );
        out.push_str("entry:\n");
        out.push_str(&slots);
        for &value in entry {
            let ty = graph.ty(value);
            if matches!(ty, Type::I8 | Type::I32) {
                let _ = writeln!(out, "  %v{0} = trunc i64 %w{0} to {1}", value.raw(), narrow(ty));
            }
        }
        out.push_str(&head);
        out.push_str("  br label %b0\n");
        for &block in &order.blocks {
            let text = std::mem::take(&mut blocks[block.index()]);
            let _ = writeln!(out, "b{}:", block.raw());
            if block != ENTRY {
                for (at, &param) in graph.blocks[block].params.iter().enumerate() {
                    let from: Vec<String> = text
                        .incoming
                        .iter()
                        .map(|(label, args)| format!("[ {}, %{label} ]", args.get(at).map_or("poison", String::as_str)))
                        .collect();
                    let _ = writeln!(out, "  %v{} = phi {} {}", param.raw(), narrow(graph.ty(param)), from.join(", "));
                }
            }
            out.push_str(&text.body);
        }
        out.push_str(&cold);
        if dies {
            out.push_str("dead:\n  unreachable\n");
        }
        out.push_str("}\n\n");
    }
}

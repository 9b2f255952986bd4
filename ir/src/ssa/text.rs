//! A graph to and from dump text.
//!
//! Printing is canonical: a graph is compacted first unless it is compact. The order of an instruction's parts is fixed by its row of the
//! op table: operands (the immediate stands before the variadic ones), targets with the case values between them, the unwind block,
//! facts, place. Reading accepts the parts in any order, because the first character of each says what it is.
//!
//! | room       | holds                                                                    |
//! |------------|--------------------------------------------------------------------------|
//! | here       | [`print_graph`], and [`Printing`]: what a level adds to the text         |
//! | [`read`]   | [`parse_function`], and [`Reading`]: the other direction                 |
//! | [`faults`] | faults at the end of guilty lines: appending and expecting them          |

pub mod faults;
pub mod read;

#[cfg(test)]
mod tests;

pub use faults::{annotate, expected_faults, line_of};
pub use read::{Reading, parse_function};

use hashbrown::HashMap;

use super::compact::{compact, is_compact};
use super::names::Names;
use super::{Block, Graph, Inst, Level, Value};
use crate::ops::{Imm, OpInfo, OpTable};
use crate::text::writer;
use crate::{ItemId, PlaceId, Symbol};

/// What stands for locals and rows ([`super::names`]), which are lines of their own behind the last block.
pub(crate) const LOCAL: &str = "local";
pub(crate) const NAME: &str = "name";
/// Facts: of a row, the row before it; of an instruction, its row; of a ghost, that it is one.
pub(crate) const BEHIND: &str = "behind";
pub(crate) const SEES: &str = "sees";
pub(crate) const GHOST: &str = "ghost";

/// A spot in the text where `own` or `ref` may stand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Spot {
    /// Result `n` of the function.
    Result(u32),
    /// Definition of a value.
    Def(Value),
    /// Operand `n` of an instruction.
    Use(Inst, u32),
    /// Argument `.2` of target `.1` of an instruction.
    TargetUse(Inst, u32, u32),
}

/// What a level adds to the printed text. Each method sees the compact graph that is printed.
pub trait Printing<L: Level> {
    /// `own`, `ref` or nothing.
    fn mode(&self, _graph: &Graph<L>, _spot: Spot) -> &'static str {
        ""
    }
    /// Appends facts of an instruction besides its flags.
    fn facts(&self, _graph: &Graph<L>, _inst: Inst, _facts: &mut Vec<String>) {}
    /// What stands in brackets after the function's name.
    fn generics(&self, _graph: &Graph<L>) -> String {
        String::new()
    }
}

/// A level that adds nothing.
#[derive(Clone, Copy, Default, Debug)]
pub struct Plain;

impl<L: Level> Printing<L> for Plain {}
impl<L: Level> Reading<L> for Plain {}

/// How many operands of an op stand before its variadic class.
pub fn fixed_operands<L: Level>(info: &OpInfo<<L::Op as OpTable>::Class>) -> usize {
    match info.operands.last() {
        Some(&last) if L::is_variadic(last) => info.operands.len() - 1,
        Some(_) | None => info.operands.len(),
    }
}

/// Appends the canonical text of a function.
pub fn print_graph<L: Level>(out: &mut String, graph: &Graph<L>, printing: &impl Printing<L>) {
    let copy;
    let graph = if is_compact(graph) {
        graph
    } else {
        copy = compact(graph);
        &copy
    };
    let mut types: HashMap<L::Type, String> = HashMap::new();
    let mut items: HashMap<ItemId, String> = HashMap::new();
    Printer { out, graph, printing, types: &mut types, items: &mut items }.function();
}

struct Printer<'a, L: Level, P> {
    out: &'a mut String,
    graph: &'a Graph<L>,
    printing: &'a P,
    /// Texts already made; looked up by key only, so hash order cannot show.
    types: &'a mut HashMap<L::Type, String>,
    items: &'a mut HashMap<ItemId, String>,
}

impl<L: Level, P: Printing<L>> Printer<'_, L, P> {
    fn function(&mut self) {
        let graph = self.graph;
        self.out.push_str("fn ");
        self.item(graph.name);
        let generics = self.printing.generics(graph);
        if !generics.is_empty() {
            self.out.push('[');
            self.out.push_str(&generics);
            self.out.push(']');
        }
        self.out.push('(');
        if let Some(entry) = graph.blocks.rows().first() {
            self.definitions(&entry.params);
        }
        self.out.push_str(") -> ");
        let several = graph.results.len() != 1;
        let start = self.out.len();
        if several {
            self.out.push('(');
        }
        for (index, &ty) in graph.results.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.mode(Spot::Result(index as u32));
            self.ty(ty);
        }
        if several {
            self.out.push(')');
            // A comma behind the last tells results from one type of that text, as a tuple of them is.
            if L::parse_type(&self.out[start..]).is_some() {
                self.out.insert(self.out.len() - 1, ',');
            }
        }
        self.out.push_str(" {\n");
        for (block, row) in graph.blocks.iter() {
            writer::label(self.out, block.raw());
            if block.index() > 0 && !row.params.is_empty() {
                self.out.push('(');
                self.definitions(&row.params);
                self.out.push(')');
            }
            self.out.push_str(":\n");
            for &inst in &row.insts {
                self.inst(inst, false);
            }
        }
        if let Some(names) = &graph.names {
            self.names(names);
        }
        self.out.push_str("}\n");
    }

    /// Ghosts, locals, and rows in their order, behind the last block.
    fn names(&mut self, names: &Names) {
        for &ghost in &names.ghosts {
            self.inst(ghost, true);
        }
        for local in names.locals.rows() {
            self.out.push_str("  ");
            self.out.push_str(LOCAL);
            self.out.push(' ');
            writer::string(self.out, local.name.as_str());
            self.out.push_str(", ");
            writer::string(self.out, local.ty.as_str());
            self.out.push_str(", ");
            writer::integer(self.out, i128::from(local.param));
            self.place(local.place);
            self.out.push('\n');
        }
        for row in names.rows.rows() {
            self.out.push_str("  ");
            self.out.push_str(NAME);
            self.out.push(' ');
            writer::integer(self.out, i128::from(row.local.raw()));
            self.out.push_str(", ");
            writer::integer(self.out, i128::from(row.part));
            if let Some(value) = row.value {
                self.out.push_str(", ");
                writer::value(self.out, value.raw());
            }
            if let Some(before) = row.before {
                self.out.push_str(", ");
                writer::facts(self.out, &[format!("{BEHIND}{}", before.raw())]);
            }
            self.out.push('\n');
        }
    }

    fn inst(&mut self, inst: Inst, is_ghost: bool) {
        let graph = self.graph;
        let row = &graph.insts[inst];
        let edges = &graph.edges[inst];
        let info = row.op.info();
        self.out.push_str("  ");
        if row.results > 0 {
            for (index, value) in graph.results(inst).enumerate() {
                if index > 0 {
                    self.out.push_str(", ");
                }
                self.definition(value);
            }
            self.out.push_str(" = ");
        }
        self.out.push_str(info.name);
        let mut separator = " ";
        let args = graph.args(inst);
        let fixed = fixed_operands::<L>(info).min(args.len());
        for (index, &value) in args[..fixed].iter().enumerate() {
            self.separate(&mut separator);
            self.mode(Spot::Use(inst, index as u32));
            writer::value(self.out, value.raw());
        }
        self.immediate(info.imm, row.op, row.imm, &mut separator);
        for (index, &value) in args.iter().enumerate().skip(fixed) {
            self.separate(&mut separator);
            self.mode(Spot::Use(inst, index as u32));
            writer::value(self.out, value.raw());
        }
        let mut cases = if info.imm == Imm::Cases { graph.cases(inst) } else { &[] };
        let targets = graph.targets(inst);
        for (index, target) in targets.iter().enumerate() {
            // The last target is the default and has no case before it.
            if index + 1 < targets.len()
                && let Some((&case, rest)) = cases.split_first()
            {
                self.separate(&mut separator);
                writer::integer(self.out, i128::from(case));
                cases = rest;
            }
            self.separate(&mut separator);
            writer::label(self.out, target.block.raw());
            let given = graph.target_args(*target);
            if !given.is_empty() {
                self.out.push('(');
                for (at, &value) in given.iter().enumerate() {
                    if at > 0 {
                        self.out.push_str(", ");
                    }
                    self.mode(Spot::TargetUse(inst, index as u32, at as u32));
                    writer::value(self.out, value.raw());
                }
                self.out.push(')');
            }
        }
        for &case in cases {
            self.separate(&mut separator);
            writer::integer(self.out, i128::from(case));
        }
        if let Some(unwind) = edges.unwind {
            self.separate(&mut separator);
            writer::label(self.out, unwind.raw());
        }
        self.facts(inst, row.flags, is_ghost, &mut separator);
        self.place(edges.place);
        self.out.push('\n');
    }

    fn immediate(&mut self, kind: Imm, op: L::Op, imm: u64, separator: &mut &'static str) {
        match kind {
            Imm::None | Imm::Cases => return,
            Imm::Int | Imm::Bits | Imm::Str | Imm::Item | Imm::Word => self.separate(separator),
        }
        match kind {
            Imm::None | Imm::Cases => {}
            Imm::Int => writer::integer(self.out, i128::from(imm as i64)),
            Imm::Bits => writer::bits(self.out, imm),
            Imm::Str => writer::string(self.out, Symbol::from_raw(imm as u32).as_str()),
            Imm::Item => self.item(ItemId::from_raw(imm as u32)),
            Imm::Word => writer::word(self.out, &L::word_text(op, imm)),
        }
    }

    fn facts(&mut self, inst: Inst, flags: u16, is_ghost: bool, separator: &mut &'static str) {
        let mut more = Vec::new();
        self.printing.facts(self.graph, inst, &mut more);
        if is_ghost {
            more.push(GHOST.to_owned());
        }
        if let Some(name) = self.graph.names.as_ref().and_then(|names| names.of(inst)) {
            more.push(format!("{SEES}{}", name.raw()));
        }
        if flags == 0 && more.is_empty() {
            return;
        }
        self.separate(separator);
        if more.is_empty() && flags.is_power_of_two() {
            self.out.push('{');
            match L::FLAGS.get(flags.trailing_zeros() as usize) {
                Some(name) => self.out.push_str(name),
                None => self.out.push_str(&unnamed_flag(flags.trailing_zeros())),
            }
            self.out.push('}');
            return;
        }
        for bit in (0..u16::BITS).filter(|bit| flags >> bit & 1 == 1) {
            more.push(L::FLAGS.get(bit as usize).map_or_else(|| unnamed_flag(bit), |name| (*name).to_owned()));
        }
        more.sort_unstable();
        writer::facts(self.out, &more);
    }

    fn place(&mut self, id: PlaceId) {
        if !id.is_some() {
            return;
        }
        self.out.push_str(" !");
        let mut first = true;
        for place in self.graph.places.chain(id) {
            if !first {
                self.out.push_str(" < ");
            }
            first = false;
            if place.item != self.graph.name {
                self.item(place.item);
                self.out.push(' ');
            }
            writer::position(self.out, place.line, place.column);
        }
        if first {
            // The id dangles. Line 0 exists nowhere, so the text is refused for the same reason as the graph.
            self.out.push_str("0:0");
        }
    }

    fn separate(&mut self, separator: &mut &'static str) {
        self.out.push_str(separator);
        *separator = ", ";
    }

    fn mode(&mut self, spot: Spot) {
        let mode = self.printing.mode(self.graph, spot);
        if !mode.is_empty() {
            self.out.push_str(mode);
            self.out.push(' ');
        }
    }

    fn definitions(&mut self, values: &[Value]) {
        for (index, &value) in values.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.definition(value);
        }
    }

    fn definition(&mut self, value: Value) {
        writer::value(self.out, value.raw());
        self.out.push_str(": ");
        self.mode(Spot::Def(value));
        if let Some(row) = self.graph.values.get(value) {
            self.ty(row.ty);
        }
    }

    fn ty(&mut self, ty: L::Type) {
        self.out.push_str(self.types.entry(ty).or_insert_with(|| L::type_text(ty)));
    }

    fn item(&mut self, item: ItemId) {
        let text = self.items.entry(item).or_insert_with(|| {
            let mut text = String::new();
            writer::name(&mut text, &item.to_string());
            text
        });
        self.out.push_str(text);
    }
}

/// Text of a flag bit that the level does not name: only mutants have one, and a verifier refuses it.
fn unnamed_flag(bit: u32) -> String {
    format!("flag{bit}")
}

/// The number of a block in the text of its function.
pub fn block_name(block: Block) -> String {
    let mut out = String::new();
    writer::label(&mut out, block.raw());
    out
}

//! The data of an SSA graph, and the edits that keep it consistent.

use std::fmt::Debug;
use std::hash::Hash;

use super::names::Names;
use crate::ops::{Effect, OpTable};
use crate::{Column, Id, ItemId, List, PlaceId, Places, Pool};

/// What MIR and LIR fill in.
pub trait Level: Clone + PartialEq + Eq + Debug + 'static {
    /// The op table.
    type Op: OpTable;
    /// Type of a value.
    type Type: Copy + Eq + Hash + Debug + 'static;
    /// `mir` or `lir`.
    const NAME: &'static str;
    /// Names of the flag bits of an instruction, bit 0 first; printed `{a, b}`.
    const FLAGS: &'static [&'static str];
    /// The text of a type.
    fn type_text(ty: Self::Type) -> String;
    /// The type with this text, as far as it can be known without context.
    fn parse_type(text: &str) -> Option<Self::Type>;
    /// The text of a [`crate::ops::Imm::Word`] immediate.
    fn word_text(op: Self::Op, imm: u64) -> String;
    /// The immediate with this text.
    fn parse_word(op: Self::Op, text: &str) -> Option<u64>;
    /// Does the class stand for any number of operands or results? Such a class stands last in its row.
    fn is_variadic(_class: <Self::Op as OpTable>::Class) -> bool {
        false
    }
    /// May running the op panic, so that it needs a place and an unwind edge (or the flag `nounwind`)? A level whose calls are `Writes`,
    /// or whose terminators panic, says so here.
    fn may_panic(op: Self::Op) -> bool {
        op.info().effect == Effect::Panics
    }
    /// Can an instruction of this op stay for the rows alone that name what it gives ([`super::names`])?
    fn is_ghostly(_op: Self::Op) -> bool {
        false
    }
}

/// Tag of value ids.
#[derive(Debug)]
pub enum ValueTag {}
/// Tag of instruction ids.
#[derive(Debug)]
pub enum InstTag {}
/// Tag of block ids.
#[derive(Debug)]
pub enum BlockTag {}
/// A value: a block parameter or a result.
pub type Value = Id<ValueTag>;
/// An instruction.
pub type Inst = Id<InstTag>;
/// A block.
pub type Block = Id<BlockTag>;

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Def {
    /// Parameter `index` of a block.
    Param(Block, u32),
    /// Result `index` of an instruction.
    Result(Inst, u32),
}

/// A value's type and origin.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ValueRow<T> {
    /// Type, written once, where the value is defined.
    pub ty: T,
    /// The definition.
    pub def: Def,
}

/// What every pass reads of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstRow<O> {
    /// The op.
    pub op: O,
    /// Number of results; they are consecutive values.
    pub results: u8,
    /// Flag bits, named by the level.
    pub flags: u16,
    /// First result (dangling when there is none).
    pub first_result: Value,
    /// Operands.
    pub args: List<Value>,
    /// Immediate; its meaning is the op's [`crate::ops::Imm`].
    pub imm: u64,
}

/// What only control flow and diagnostics read of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EdgeRow {
    /// Targets of a terminator.
    pub targets: List<Target>,
    /// Where a panic goes; `None` for ops that cannot panic, and for those marked so.
    pub unwind: Option<Block>,
    /// Source place; required on every op that can panic, and on calls.
    pub place: PlaceId,
}

const _: () = assert!(size_of::<InstRow<u8>>() == 24 && size_of::<EdgeRow>() == 20 && size_of::<ValueRow<u32>>() == 16);

/// A jump to a block with arguments for its parameters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    /// The block.
    pub block: Block,
    /// One argument per parameter of the block.
    pub args: List<Value>,
}

/// A block: parameters, instructions; the last instruction is the terminator.
#[derive(PartialEq, Eq, Hash, Default, Debug)]
pub struct BlockRow {
    /// Parameters.
    pub params: Vec<Value>,
    /// Instructions in order.
    pub insts: Vec<Inst>,
}

impl Clone for BlockRow {
    fn clone(&self) -> Self {
        BlockRow { params: self.params.clone(), insts: self.insts.clone() }
    }

    fn clone_from(&mut self, other: &Self) {
        self.params.clone_from(&other.params);
        self.insts.clone_from(&other.insts);
    }
}

/// All that describes a new instruction but its results.
#[derive(Clone, Copy, Debug)]
pub struct NewInst<'a, O> {
    /// The op.
    pub op: O,
    /// Operands.
    pub args: &'a [Value],
    /// Immediate.
    pub imm: u64,
    /// Flag bits.
    pub flags: u16,
    /// Targets: block and arguments.
    pub targets: &'a [(Block, &'a [Value])],
    /// Unwind edge.
    pub unwind: Option<Block>,
    /// Place.
    pub place: PlaceId,
}

impl<O> NewInst<'_, O> {
    /// An instruction of this op with nothing else.
    pub const fn new(op: O) -> Self {
        NewInst { op, args: &[], imm: 0, flags: 0, targets: &[], unwind: None, place: PlaceId::NONE }
    }
}

/// One function in SSA form. Block 0 is the entry; its parameters are the function's.
#[derive(PartialEq, Eq, Debug)]
pub struct Graph<L: Level> {
    /// The function.
    pub name: ItemId,
    /// Types of the results (MIR: always one).
    pub results: Vec<L::Type>,
    /// All values ever made; dead ones stay until [`compact`](super::compact).
    pub values: Column<ValueTag, ValueRow<L::Type>>,
    /// All instructions ever made, hot part.
    pub insts: Column<InstTag, InstRow<L::Op>>,
    /// All instructions ever made, cold part.
    pub edges: Column<InstTag, EdgeRow>,
    /// All blocks; unreachable ones stay until [`compact`](super::compact).
    pub blocks: Column<BlockTag, BlockRow>,
    /// Operand lists.
    pub args: Pool<Value>,
    /// Target lists.
    pub targets: Pool<Target>,
    /// Case values of switches.
    pub ints: Pool<i64>,
    /// Source places.
    pub places: Places,
    /// Which locals have which values; `None` unless somebody wants to know.
    pub names: Option<Box<Names>>,
}

impl<L: Level> Clone for Graph<L> {
    fn clone(&self) -> Self {
        Graph {
            name: self.name,
            results: self.results.clone(),
            values: self.values.clone(),
            insts: self.insts.clone(),
            edges: self.edges.clone(),
            blocks: self.blocks.clone(),
            args: self.args.clone(),
            targets: self.targets.clone(),
            ints: self.ints.clone(),
            places: self.places.clone(),
            names: self.names.clone(),
        }
    }

    // Keeps the memory of all columns: a graph to work on is copied from one that stays, body after body.
    fn clone_from(&mut self, other: &Self) {
        self.name = other.name;
        self.results.clone_from(&other.results);
        self.values.clone_from(&other.values);
        self.insts.clone_from(&other.insts);
        self.edges.clone_from(&other.edges);
        self.blocks.clone_from(&other.blocks);
        self.args.clone_from(&other.args);
        self.targets.clone_from(&other.targets);
        self.ints.clone_from(&other.ints);
        self.places.clone_from(&other.places);
        self.names.clone_from(&other.names);
    }
}

/// The entry block.
pub const ENTRY: Block = Id::new(0);

impl<L: Level> Graph<L> {
    /// A function without blocks.
    pub fn new(name: ItemId, results: Vec<L::Type>) -> Self {
        Graph {
            name,
            results,
            values: Column::new(),
            insts: Column::new(),
            edges: Column::new(),
            blocks: Column::new(),
            args: Pool::new(),
            targets: Pool::new(),
            ints: Pool::new(),
            places: Places::new(),
            names: None,
        }
    }

    /// Empties it for another function, and keeps the memory of the columns.
    pub fn reset(&mut self, name: ItemId, results: &[L::Type]) {
        self.name = name;
        self.results.clear();
        self.results.extend_from_slice(results);
        self.values.clear();
        self.insts.clear();
        self.edges.clear();
        self.blocks.clear();
        self.args.clear();
        self.targets.clear();
        self.ints.clear();
        self.places.clear();
        self.names = None;
    }

    /// Makes room for this many blocks, instructions, values and operands.
    pub fn reserve(&mut self, blocks: usize, insts: usize, values: usize, args: usize) {
        self.blocks.reserve(blocks);
        self.insts.reserve(insts);
        self.edges.reserve(insts);
        self.values.reserve(values);
        self.args.reserve(args);
        // Every block but those that leave the function has a target or two.
        self.targets.reserve(blocks + blocks / 2);
    }

    /// Adds an empty block.
    pub fn add_block(&mut self) -> Block {
        self.blocks.push(BlockRow::default())
    }

    /// Adds a parameter to a block.
    pub fn add_param(&mut self, block: Block, ty: L::Type) -> Value {
        let index = self.blocks[block].params.len() as u32;
        let value = self.values.push(ValueRow { ty, def: Def::Param(block, index) });
        self.blocks[block].params.push(value);
        value
    }

    /// Makes an instruction that stands in no block yet.
    pub fn make(&mut self, new: NewInst<'_, L::Op>, results: &[L::Type]) -> Inst {
        let args = self.args.add(new.args.iter().copied());
        let mut targets = List::EMPTY;
        if !new.targets.is_empty() {
            let pool = &mut self.args;
            targets =
                self.targets.add(new.targets.iter().map(|(block, args)| Target { block: *block, args: pool.add(args.iter().copied()) }));
        }
        let inst = self.insts.next_id();
        let first_result = self.values.next_id();
        for (index, &ty) in results.iter().enumerate() {
            self.values.push(ValueRow { ty, def: Def::Result(inst, index as u32) });
        }
        self.insts.push(InstRow { op: new.op, results: results.len() as u8, flags: new.flags, first_result, args, imm: new.imm });
        if let Some(names) = &mut self.names
            && names.now.is_some()
        {
            let now = names.now;
            names.set(inst, now);
        }
        self.edges.push(EdgeRow { targets, unwind: new.unwind, place: new.place })
    }

    /// Makes an instruction at the end of a block.
    pub fn append(&mut self, block: Block, new: NewInst<'_, L::Op>, results: &[L::Type]) -> Inst {
        let inst = self.make(new, results);
        let insts = &mut self.blocks[block].insts;
        if insts.capacity() == 0 {
            // Most blocks are of some such size.
            insts.reserve_exact(8);
        }
        insts.push(inst);
        inst
    }

    /// Makes an instruction with one result at the end of a block.
    pub fn append1(&mut self, block: Block, new: NewInst<'_, L::Op>, ty: L::Type) -> Value {
        let inst = self.append(block, new, &[ty]);
        self.insts[inst].first_result
    }

    /// The op of an instruction.
    #[inline]
    pub fn op(&self, inst: Inst) -> L::Op {
        self.insts[inst].op
    }

    /// Operands of an instruction.
    #[inline]
    pub fn args(&self, inst: Inst) -> &[Value] {
        &self.args[self.insts[inst].args]
    }

    /// Results of an instruction.
    #[inline]
    pub fn results(&self, inst: Inst) -> impl ExactSizeIterator<Item = Value> + use<L> {
        let row = &self.insts[inst];
        let first = row.first_result.index();
        (first..first + row.results as usize).map(Id::new)
    }

    /// The only result of an instruction; panics in debug builds when there is none.
    #[inline]
    pub fn result(&self, inst: Inst) -> Value {
        debug_assert_eq!(self.insts[inst].results, 1);
        self.insts[inst].first_result
    }

    /// Targets of an instruction (empty unless it is a terminator).
    #[inline]
    pub fn targets(&self, inst: Inst) -> &[Target] {
        &self.targets[self.edges[inst].targets]
    }

    /// Arguments given to a target.
    #[inline]
    pub fn target_args(&self, target: Target) -> &[Value] {
        &self.args[target.args]
    }

    /// Case values of a switch; one fewer than its targets.
    pub fn cases(&self, inst: Inst) -> &[i64] {
        let imm = self.insts[inst].imm;
        let (start, len) = ((imm >> 32) as usize, imm as u32 as usize);
        self.ints.slice(start, len)
    }

    /// The immediate that makes an instruction own these case values.
    pub fn add_cases(&mut self, cases: impl IntoIterator<Item = i64>) -> u64 {
        let list = self.ints.add(cases);
        (list.start() as u64) << 32 | list.len() as u64
    }

    /// Type of a value.
    #[inline]
    pub fn ty(&self, value: Value) -> L::Type {
        self.values[value].ty
    }

    /// The instruction that defines a value, unless it is a parameter.
    #[inline]
    pub fn def_inst(&self, value: Value) -> Option<Inst> {
        match self.values[value].def {
            Def::Result(inst, _) => Some(inst),
            Def::Param(..) => None,
        }
    }

    /// The last instruction of a block, when it is a terminator.
    pub fn terminator(&self, block: Block) -> Option<Inst> {
        let last = *self.blocks[block].insts.last()?;
        (self.op(last).info().effect == Effect::Ends).then_some(last)
    }

    /// Calls `visit` for each successor: the unwind blocks in order (consecutive equal ones once), then the targets.
    #[inline]
    pub fn each_successor(&self, block: Block, mut visit: impl FnMut(Block)) {
        let edges = self.edges.rows();
        let mut last_unwind = None;
        for &inst in &self.blocks[block].insts {
            let edges = &edges[inst.index()];
            if let Some(pad) = edges.unwind
                && edges.unwind != last_unwind
            {
                last_unwind = edges.unwind;
                visit(pad);
            }
            if !edges.targets.is_empty() {
                for target in &self.targets[edges.targets] {
                    visit(target.block);
                }
            }
        }
    }

    /// Number of instructions that stand in blocks.
    pub fn size(&self) -> usize {
        self.blocks.rows().iter().map(|b| b.insts.len()).sum()
    }

    /// Rewrites every operand and target argument by `new`, in all blocks, and what locals are.
    pub fn rename(&mut self, mut new: impl FnMut(Value) -> Value) {
        self.rename_names(&mut new);
        for block in self.blocks.rows() {
            for &inst in &block.insts {
                let row = &self.insts[inst];
                for arg in self.args.get_mut(row.args) {
                    *arg = new(*arg);
                }
                for i in 0..self.targets[self.edges[inst].targets].len() {
                    let target = self.targets[self.edges[inst].targets][i];
                    for arg in self.args.get_mut(target.args) {
                        *arg = new(*arg);
                    }
                }
            }
        }
    }
}

//! The data of MachineIR: 16-byte records in one arena per function, side tables for what does not fit, phases in the type.
//!
//! - `select`: registers are virtual (but for the operands that ops fix), blocks have parameters, edges have arguments.
//! - `alloc`: registers are physical in the same records; copies, spills and reloads are records; edges and blocks have no arguments; with checking on,
//!   a cold column keeps the virtual register behind each operand (decision 12).
//! - `final`: slots have offsets, the frame is known, records are laid in order of emission, and bytes exist.
//!
//! There is no heap per instruction: lists live in one pool.

use std::marker::PhantomData;

use abi::{PanicKind, RuntimeCall};
use ir::{Column, Id, ItemId, List, PlaceId, Places, Pool, Symbol};

use crate::ops::Op;
use crate::regs::{Class, Reg, RegSet};

/// One instruction.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Record {
    /// Template.
    pub op: Op,
    /// First register operand.
    pub a: Reg,
    /// Second.
    pub b: Reg,
    /// Third.
    pub c: Reg,
    /// Immediate; see the op's row.
    pub imm: i32,
    /// Auxiliary word; see the op's row.
    pub aux: u32,
}

const _: () = assert!(size_of::<Record>() == 16);

/// Tag of block ids.
#[derive(Debug)]
pub enum BlockTag {}
/// A block.
pub type Block = Id<BlockTag>;

/// A block: a run of records.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BlockRow {
    /// First record.
    pub start: u32,
    /// One past the last record.
    pub end: u32,
    /// Parameters: virtual registers (`select` only).
    pub params: List<Reg>,
    /// Loop nesting depth.
    pub depth: u16,
    /// A landing pad: entered by unwinding only; reads frame slots only (decision 10).
    pub is_pad: bool,
}

/// An edge of a terminator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Edge {
    /// Where to.
    pub to: Block,
    /// Arguments: virtual registers (`select` only).
    pub args: List<Reg>,
}

/// Where an operand of a call or stub is found, or goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Location {
    /// A register: virtual in `select`, physical after `alloc`.
    Reg(Reg),
    /// A stack slot holding the value (after `alloc`).
    Slot(u32),
    /// A constant (rematerialised).
    Const(i64),
    /// The address of a slot.
    SlotAddress(u32),
    /// The address of a row of the data table.
    Data(u32),
}

/// Who is called.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Callee {
    /// A function of the program.
    Function(ItemId),
    /// A function of the runtime.
    Runtime(RuntimeCall),
    /// The function whose address is in this slot.
    Slot(u32),
}

/// A row of the call table: a call, tail call or return.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CallRow {
    /// Who; `None` for a return.
    pub callee: Option<Callee>,
    /// Operands in registers (virtual in `select`): the convention in [`crate::regs`] says where each goes, by class and position. Operands on the
    /// stack are stored to [`SlotKind::Outgoing`] slots (a tail call: to [`SlotKind::Incoming`] slots) by records before.
    pub args: List<Reg>,
    /// Results (virtual in `select`), in the convention's result registers.
    pub results: List<Reg>,
    /// Registers destroyed.
    pub clobbers: RegSet,
    /// Source place.
    pub place: PlaceId,
    /// Landing pad.
    pub pad: Option<Block>,
}

/// A cold stub: a check that failed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StubRow {
    /// What panics.
    pub kind: PanicKind,
    /// Operands for `rdi`, `rsi`: virtual registers in `select`, then anywhere.
    pub args: List<Location>,
    /// Source place.
    pub place: PlaceId,
    /// Landing pad.
    pub pad: Option<Block>,
}

/// A stack slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SlotRow {
    /// Bytes, a multiple of 8.
    pub size: u32,
    /// What it is for.
    pub kind: SlotKind,
    /// Offset from `rbp` (`final` only; incoming arguments from the start).
    pub offset: i32,
}

/// What a slot is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SlotKind {
    /// Made by the program: its address is taken.
    Local,
    /// A spilled value.
    Spill,
    /// Stack argument `n` of this function, at `rbp + 16 + 8n`.
    Incoming(u32),
    /// Stack argument `n` of calls made here, at `rsp + 8n`.
    Outgoing(u32),
}

/// What is true of a function.
pub trait Phase: Clone + PartialEq + Eq + std::fmt::Debug + Send + Sync + 'static {
    /// Name in dumps.
    const NAME: &'static str;
}

/// Selected: virtual registers.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Select {}
/// Allocated: physical registers.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Alloc {}
/// Finished: frame and branch forms.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Final {}

impl Phase for Select {
    const NAME: &'static str = "select";
}
impl Phase for Alloc {
    const NAME: &'static str = "alloc";
}
impl Phase for Final {
    const NAME: &'static str = "final";
}

/// One function of MachineIR.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Function<P: Phase> {
    /// The function.
    pub name: ItemId,
    /// Parameters that come in registers, in the convention's order: virtual (`select`), physical afterwards. Those that come on the stack are read from
    /// their [`SlotKind::Incoming`] slots by records of the entry block.
    pub params: Vec<Reg>,
    /// Classes of the parameters, for dumps of later phases.
    pub param_classes: Vec<Class>,
    /// Classes of the results.
    pub result_classes: Vec<Class>,
    /// Blocks in emission order; block 0 is the entry.
    pub blocks: Column<BlockTag, BlockRow>,
    /// All records, block after block.
    pub records: Vec<Record>,
    /// Class of each virtual register.
    pub classes: Vec<Class>,
    /// Edges.
    pub edges: Vec<Edge>,
    /// Calls, tail calls and returns.
    pub calls: Vec<CallRow>,
    /// Cold stubs.
    pub stubs: Vec<StubRow>,
    /// Stack slots.
    pub slots: Vec<SlotRow>,
    /// 16-byte constants; doubles use the low 8 bytes.
    pub constants: Vec<[u64; 2]>,
    /// Static data.
    pub data: Vec<StaticData>,
    /// Functions whose address is taken.
    pub functions: Vec<ItemId>,
    /// Lists of registers.
    pub regs: Pool<Reg>,
    /// Lists of locations.
    pub locations: Pool<Location>,
    /// Source places.
    pub places: Places,
    /// Callee-saved registers in use (after `alloc`).
    pub saved: RegSet,
    /// With checking on, after `alloc`: the virtual registers behind `a`, `b`, `c` of each record ([`crate::regs::NONE`] for none).
    pub virtuals: Vec<[Reg; 3]>,
    /// With checking on, after `alloc`: the block of `select` behind each block; [`EDGE`] for a block that allocation made for the moves of an edge.
    pub origins: Vec<u32>,
    /// The phase.
    pub phase: PhantomData<fn() -> P>,
}

impl<P: Phase> Function<P> {
    /// A function of nothing.
    pub(crate) fn new(name: ItemId) -> Self {
        Function {
            name,
            params: Vec::new(),
            param_classes: Vec::new(),
            result_classes: Vec::new(),
            blocks: Column::new(),
            records: Vec::new(),
            classes: Vec::new(),
            edges: Vec::new(),
            calls: Vec::new(),
            stubs: Vec::new(),
            slots: Vec::new(),
            constants: Vec::new(),
            data: Vec::new(),
            functions: Vec::new(),
            regs: Pool::new(),
            locations: Pool::new(),
            places: Places::new(),
            saved: 0,
            virtuals: Vec::new(),
            origins: Vec::new(),
            phase: PhantomData,
        }
    }

    /// A function of nothing in the memory of this one.
    pub(crate) fn renew(mut self, name: ItemId) -> Self {
        self.name = name;
        self.params.clear();
        self.param_classes.clear();
        self.result_classes.clear();
        self.blocks.clear();
        self.records.clear();
        self.classes.clear();
        self.edges.clear();
        self.calls.clear();
        self.stubs.clear();
        self.slots.clear();
        self.constants.clear();
        self.data.clear();
        self.functions.clear();
        self.regs.clear();
        self.locations.clear();
        self.saved = 0;
        self.virtuals.clear();
        self.origins.clear();
        self
    }

    /// The same function in another phase. Whoever says so has made true what that phase promises.
    pub(crate) fn into_phase<Q: Phase>(self) -> Function<Q> {
        Function {
            name: self.name,
            params: self.params,
            param_classes: self.param_classes,
            result_classes: self.result_classes,
            blocks: self.blocks,
            records: self.records,
            classes: self.classes,
            edges: self.edges,
            calls: self.calls,
            stubs: self.stubs,
            slots: self.slots,
            constants: self.constants,
            data: self.data,
            functions: self.functions,
            regs: self.regs,
            locations: self.locations,
            places: self.places,
            saved: self.saved,
            virtuals: self.virtuals,
            origins: self.origins,
            phase: PhantomData,
        }
    }
}

/// What lies beside the code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StaticData {
    /// A text.
    Text(Symbol),
    /// Sections, as the text says ([`lir::statics`]).
    Sections(Symbol),
}

/// Origin of a block that belongs to an edge.
pub const EDGE: u32 = u32::MAX;

//! The dense form of a function.

use abi::{PanicKind, RuntimeCall};
use hir::program::ObjectMethod;
use ir::ssa::Inst;
use ir::{ItemId, Places};
use std::rc::Rc;

use super::value::Heap;
use crate::ir::Contract;
use crate::ownership::Opened;

/// Bit that marks a heap slot where slots of both kinds may stand.
pub(super) const HEAP: u32 = 1 << 31;

/// Index of a word or heap slot in the frame.
pub(super) type Slot = u32;

/// A run of `operands`, `moves` or the like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Run {
    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

/// One instruction. `d` is the destination, `a` and `b` are operands; all are slots of the kind that the op needs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Insn {
    Static {
        d: Slot,
        list: u32,
    },
    Text {
        d: Slot,
        text: u32,
    },
    Add {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Sub {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Mul {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Div {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Rem {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    FloorDiv {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Neg {
        d: Slot,
        a: Slot,
    },
    Abs {
        d: Slot,
        a: Slot,
    },
    Shl {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Shr {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    ByteShl {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    ByteShr {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    WrapAdd {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    WrapSub {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    WrapMul {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    And {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Or {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Xor {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    /// `a` with all bits of `mask` flipped.
    Flip {
        d: Slot,
        a: Slot,
        mask: i32,
    },
    Eq {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Ne {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Lt {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Le {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Gt {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Ge {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    Select {
        d: Slot,
        c: Slot,
        a: Slot,
        b: Slot,
    },
    SelectHeap {
        d: Slot,
        c: Slot,
        a: Slot,
        b: Slot,
    },
    FAdd {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    FSub {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    FMul {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    FDiv {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    FNeg {
        d: Slot,
        a: Slot,
    },
    FAbs {
        d: Slot,
        a: Slot,
    },
    FSqrt {
        d: Slot,
        a: Slot,
    },
    FEq {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    FNe {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    FLt {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    FLe {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    FGt {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    FGe {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    IntToFloat {
        d: Slot,
        a: Slot,
    },
    FloatBits {
        d: Slot,
        a: Slot,
    },
    FloatToInt {
        d: Slot,
        a: Slot,
    },
    IntToByte {
        d: Slot,
        a: Slot,
    },
    IntToChar {
        d: Slot,
        a: Slot,
    },
    /// A conversion that keeps the word.
    Copy {
        d: Slot,
        a: Slot,
    },
    Aggregate {
        d: Slot,
        parts: Run,
    },
    Field {
        d: Slot,
        a: Slot,
        index: u32,
    },
    FieldHeap {
        d: Slot,
        a: Slot,
        index: u32,
    },
    /// `value` may be of either kind.
    WithField {
        d: Slot,
        a: Slot,
        value: Slot,
        index: u32,
    },
    Variant {
        d: Slot,
        variant: u32,
        parts: Run,
    },
    Tag {
        d: Slot,
        a: Slot,
    },
    Is {
        d: Slot,
        a: Slot,
        variant: u32,
    },
    Payload {
        d: Slot,
        a: Slot,
        variant: u32,
        part: u32,
    },
    PayloadHeap {
        d: Slot,
        a: Slot,
        variant: u32,
        part: u32,
    },
    New {
        d: Slot,
        parts: Run,
    },
    Part {
        d: Slot,
        a: Slot,
        index: u32,
    },
    PartHeap {
        d: Slot,
        a: Slot,
        index: u32,
    },
    StrLen {
        d: Slot,
        a: Slot,
    },
    ListLen {
        d: Slot,
        a: Slot,
    },
    /// The result may be of either kind.
    ListGet {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    /// The result may be of either kind.
    ListAt {
        d: Slot,
        a: Slot,
        b: Slot,
    },
    List {
        d: Slot,
        parts: Run,
    },
    /// `value` may be of either kind.
    ListPush {
        d: Slot,
        a: Slot,
        value: Slot,
    },
    /// `value` may be of either kind.
    ListSet {
        d: Slot,
        a: Slot,
        b: Slot,
        value: Slot,
        sole: bool,
    },
    ListOwn {
        d: Slot,
        a: Slot,
    },
    /// A hole with nothing around it.
    Hole {
        d: Slot,
    },
    /// `value` goes where the hole of `a` is; its part is the hole then.
    Plug {
        d: Slot,
        a: Slot,
        value: Slot,
        part: u32,
    },
    Fill {
        d: Slot,
        a: Slot,
        value: Slot,
    },
    /// The operands are the list, the index, the element, and where what stood there goes.
    ListSwap {
        d: Slot,
        all: Run,
        sole: bool,
    },
    ListSlice {
        d: Slot,
        a: Slot,
        b: Slot,
        c: Slot,
    },
    TableDouble {
        d: Slot,
        a: Slot,
    },
    /// The same value.
    CopyHeap {
        d: Slot,
        a: Slot,
    },
    /// A runtime call; its operands and result have the kinds of the table.
    Runtime {
        call: RuntimeCall,
        d: Slot,
        a: Slot,
        b: Slot,
        c: Slot,
    },
    /// `d` and the arguments may be of either kind.
    Call {
        callee: u32,
        args: Run,
        d: Slot,
    },
    /// A function value: the callee and what is captured.
    Closure {
        callee: u32,
        parts: Run,
        d: Slot,
    },
    /// As `Call`, of the function in slot `a`.
    CallValue {
        a: Slot,
        args: Run,
        d: Slot,
    },
    /// As `CallValue`, of the method of this number in the code's table on the object that is the last argument.
    CallMethod {
        method: u32,
        args: Run,
        d: Slot,
    },
    /// One holder more of what is in the slot; the result is in the same slot.
    Dup {
        a: Slot,
    },
    Drop {
        a: Slot,
    },
    /// The value is taken apart; the parts that are taken out stay in their slots.
    Open {
        a: Slot,
        opened: u32,
    },
    Jump {
        edge: u32,
    },
    Branch {
        c: Slot,
        yes: u32,
        no: u32,
    },
    BranchEq {
        a: Slot,
        b: Slot,
        yes: u32,
        no: u32,
    },
    BranchNe {
        a: Slot,
        b: Slot,
        yes: u32,
        no: u32,
    },
    BranchLt {
        a: Slot,
        b: Slot,
        yes: u32,
        no: u32,
    },
    BranchLe {
        a: Slot,
        b: Slot,
        yes: u32,
        no: u32,
    },
    BranchGt {
        a: Slot,
        b: Slot,
        yes: u32,
        no: u32,
    },
    BranchGe {
        a: Slot,
        b: Slot,
        yes: u32,
        no: u32,
    },
    Switch {
        a: Slot,
        table: u32,
    },
    /// `a` may be of either kind.
    Return {
        a: Slot,
    },
    Tail {
        callee: u32,
        args: Run,
    },
    Panic {
        kind: PanicKind,
        args: Run,
    },
    Resume,
    Unreachable,
}

const _: () = assert!(size_of::<Insn>() <= 20);

/// A way into a block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Edge {
    /// First instruction of the block.
    pub(super) pc: u32,
    /// Instructions of the block, as steps are counted.
    pub(super) cost: u32,
    /// Word moves, then heap moves, to be done in order.
    pub(super) words: Run,
    pub(super) heaps: Run,
}

/// A decoded function.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) item: ItemId,
    pub(super) insns: Vec<Insn>,
    /// The instruction of the graph, by index in `insns`.
    pub(super) origin: Vec<Inst>,
    /// The value that each instruction makes or else takes first, as it is numbered in dumps.
    pub(super) values: Vec<u32>,
    /// Which parameters are the caller's.
    pub(super) contract: Contract,
    /// Start of the unwind block, and place, of each instruction that has them.
    pub(super) sites: Vec<Site>,
    pub(super) places: Places,
    /// Slots of the parameters.
    pub(super) params: Vec<Slot>,
    /// Slots of lists of operands.
    pub(super) operands: Vec<Slot>,
    pub(super) moves: Vec<(Slot, Slot)>,
    pub(super) edges: Vec<Edge>,
    /// Switches: sorted cases with their edges, and the edge of all other values.
    pub(super) tables: Vec<(Vec<(i64, u32)>, u32)>,
    pub(super) texts: Vec<Rc<str>>,
    /// Lists that nobody holds.
    pub(super) statics: Vec<Heap>,
    /// What is taken apart.
    pub(super) opened: Vec<Opened>,
    /// Methods that are called on objects.
    pub(super) methods: Vec<ObjectMethod>,
    /// The words of a new frame: literals are in place.
    pub(super) template: Vec<u64>,
    pub(super) heaps: u32,
    /// Steps of the entry block.
    pub(super) entry_cost: u32,
}

/// What panicking at an instruction needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) unwind: Option<u32>,
    pub(super) place: ir::PlaceId,
}

impl Code {
    /// What a frame of this function takes of the stack: about as much as a native one.
    pub(super) fn frame_cost(&self) -> u64 {
        64 + 4 * (self.template.len() as u64 + 2 * u64::from(self.heaps))
    }
}

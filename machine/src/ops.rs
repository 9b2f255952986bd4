//! The op table of MachineIR: operand roles, fixed registers, flags. The encoding templates stand beside it in [`crate::encode`].
//!
//! A record has three register operands `a`, `b`, `c`, a 32-bit immediate and a 32-bit auxiliary word. The row of an op says what each is.
//! All integer ops are 64-bit unless the name says otherwise; small integers are zero-extended.

use crate::regs::{Class, RAX, RCX, RDX, Reg, RegSet, bit};

/// What a register operand of a record is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// Unused.
    No,
    /// Written.
    Def(Class),
    /// Read.
    Use(Class),
    /// Read, and in the same register as `a` after allocation (operand `b` of two-address instructions).
    Tied(Class),
    /// Written, in this register.
    DefIn(Reg),
    /// Read, in this register.
    UseIn(Reg),
    /// Base of an address: read.
    Base,
    /// Index of an address: read, may be absent.
    Index,
}

/// What the immediate is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ImmKind {
    /// Unused.
    No,
    /// Signed 32-bit operand.
    Value,
    /// Low half of a 64-bit operand whose high half is `aux`.
    Wide,
    /// Displacement of an address.
    Displacement,
    /// Condition code, as in the encoding of `jcc`.
    Condition,
}

/// What the auxiliary word is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AuxKind {
    /// Unused (or part of a wide immediate).
    No,
    /// Scale of the index: 1, 2, 4, 8.
    Scale,
    /// Signed 32-bit operand beside a displacement (store of an immediate).
    Value,
    /// Row of the slot table.
    Slot,
    /// Row of the constant table.
    Constant,
    /// Row of the data table.
    Data,
    /// Row of the edge table.
    Edge,
    /// Row of the stub table.
    Stub,
    /// Row of the call table.
    Call,
    /// Row of the table of functions whose address is taken.
    Function,
}

/// Flags behaviour.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Flags {
    /// Leaves them alone.
    Keeps,
    /// Sets them to something a following record may read.
    Sets,
    /// Leaves them unknown.
    Clobbers,
    /// Reads them (and leaves them alone).
    Reads,
}

/// One row of the table.
#[derive(Debug)]
pub struct OpInfo {
    /// Name in dumps.
    pub name: &'static str,
    /// Roles of `a`, `b`, `c`.
    pub roles: [Role; 3],
    /// Immediate.
    pub imm: ImmKind,
    /// Auxiliary word.
    pub aux: AuxKind,
    /// Flags.
    pub flags: Flags,
    /// Registers destroyed besides the defs (calls list theirs in the call table).
    pub clobbers: RegSet,
    /// The same op with operand `c` (or `b` when there is no `c`) read from a stack slot, `aux` = slot.
    pub slot_form: Option<Op>,
    /// Ends a block (the last one or two records of a block do).
    pub ends: bool,
    /// One line for the reference page.
    pub meaning: &'static str,
}

use Class::{Gp, Xmm};
use Role::{Base, Def, DefIn, Index, No, Tied, Use, UseIn};

macro_rules! machine_ops {
    ($( $name:ident = $text:literal [$a:expr, $b:expr, $c:expr] imm $imm:ident aux $aux:ident $flags:ident clobbers $clobbers:expr, slot $slot:expr, ends $ends:literal, $meaning:literal; )+) => {
        /// A machine instruction template.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u16)]
        pub enum Op { $( #[doc = $meaning] $name, )+ }

        const TABLE: &[OpInfo] = &[
            $( OpInfo { name: $text, roles: [$a, $b, $c], imm: ImmKind::$imm, aux: AuxKind::$aux, flags: Flags::$flags, clobbers: $clobbers,
                        slot_form: $slot, ends: $ends, meaning: $meaning }, )+
        ];

        impl Op {
            /// All ops in table order.
            pub const ALL: &'static [Op] = &[$(Op::$name),+];
            /// The row of this op.
            #[inline]
            pub const fn info(self) -> &'static OpInfo { &TABLE[self as usize] }
            /// The op with this name.
            pub fn from_name(name: &str) -> Option<Op> { match name { $($text => Some(Op::$name),)+ _ => None } }
        }
    };
}

machine_ops! {
    // Copies and constants.
    Mov       = "mov"        [Def(Gp), Use(Gp), No]       imm No    aux No     Keeps clobbers 0, slot Some(Op::LoadSlot), ends false, "copy";
    MovF      = "movf"       [Def(Xmm), Use(Xmm), No]     imm No    aux No     Keeps clobbers 0, slot Some(Op::LoadSlotF), ends false, "copy of a double";
    MovImm    = "movi"       [Def(Gp), No, No]            imm Wide  aux No     Keeps clobbers 0, slot None, ends false, "64-bit constant, in its shortest form that keeps the flags";
    LoadConst = "loadconst"  [Def(Xmm), No, No]           imm No    aux Constant Keeps clobbers 0, slot None, ends false, "double from the constant table";
    ZeroF     = "zerof"      [Def(Xmm), No, No]           imm No    aux No     Keeps clobbers 0, slot None, ends false, "0.0";
    LeaData   = "leadata"    [Def(Gp), No, No]            imm No    aux Data   Keeps clobbers 0, slot None, ends false, "address of static data";
    LeaFunction = "leafn"    [Def(Gp), No, No]            imm No    aux Function Keeps clobbers 0, slot None, ends false, "address of a function of the program";
    LeaSlot   = "leaslot"    [Def(Gp), No, No]            imm Displacement aux Slot Keeps clobbers 0, slot None, ends false, "address of a stack slot";
    // Spills.
    LoadSlot  = "loadslot"   [Def(Gp), No, No]            imm Displacement aux Slot Keeps clobbers 0, slot None, ends false, "reload";
    LoadSlotF = "loadslotf"  [Def(Xmm), No, No]           imm Displacement aux Slot Keeps clobbers 0, slot None, ends false, "reload of a double";
    StoreSlot = "storeslot"  [Use(Gp), No, No]            imm Displacement aux Slot Keeps clobbers 0, slot None, ends false, "spill, or store to a slot";
    StoreSlotF = "storeslotf" [Use(Xmm), No, No]          imm Displacement aux Slot Keeps clobbers 0, slot None, ends false, "spill of a double, or store to a slot";
    StoreSlotImm = "storesloti" [No, No, No]              imm Value aux Slot   Keeps clobbers 0, slot None, ends false, "stores a sign-extended constant to offset 0 of a slot";
    // Memory.
    Load      = "load"       [Def(Gp), Base, Index]       imm Displacement aux Scale Keeps clobbers 0, slot None, ends false, "64 bits";
    Load32    = "load32"     [Def(Gp), Base, Index]       imm Displacement aux Scale Keeps clobbers 0, slot None, ends false, "32 bits, zero-extended";
    Load8     = "load8"      [Def(Gp), Base, Index]       imm Displacement aux Scale Keeps clobbers 0, slot None, ends false, "8 bits, zero-extended";
    LoadF     = "loadf"      [Def(Xmm), Base, Index]      imm Displacement aux Scale Keeps clobbers 0, slot None, ends false, "a double";
    Store     = "store"      [Use(Gp), Base, Index]       imm Displacement aux Scale Keeps clobbers 0, slot None, ends false, "64 bits";
    Store32   = "store32"    [Use(Gp), Base, Index]       imm Displacement aux Scale Keeps clobbers 0, slot None, ends false, "32 bits";
    Store8    = "store8"     [Use(Gp), Base, Index]       imm Displacement aux Scale Keeps clobbers 0, slot None, ends false, "8 bits";
    StoreF    = "storef"     [Use(Xmm), Base, Index]      imm Displacement aux Scale Keeps clobbers 0, slot None, ends false, "a double";
    Lea       = "lea"        [Def(Gp), Base, Index]       imm Displacement aux Scale Keeps clobbers 0, slot None, ends false, "base + index * scale + displacement, modulo 2^64";
    LeaIndex  = "leaindex"   [Def(Gp), No, Index]         imm Displacement aux Scale Keeps clobbers 0, slot None, ends false, "index * scale + displacement, modulo 2^64";
    // Integer arithmetic.
    Add       = "add"        [Def(Gp), Tied(Gp), Use(Gp)] imm No    aux No     Sets clobbers 0, slot Some(Op::AddSlot), ends false, "sum";
    AddImm    = "addi"       [Def(Gp), Tied(Gp), No]      imm Value aux No     Sets clobbers 0, slot None, ends false, "sum";
    AddSlot   = "add_slot"   [Def(Gp), Tied(Gp), No]      imm Displacement aux Slot Sets clobbers 0, slot None, ends false, "sum";
    Sub       = "sub"        [Def(Gp), Tied(Gp), Use(Gp)] imm No    aux No     Sets clobbers 0, slot Some(Op::SubSlot), ends false, "difference";
    SubImm    = "subi"       [Def(Gp), Tied(Gp), No]      imm Value aux No     Sets clobbers 0, slot None, ends false, "difference";
    SubSlot   = "sub_slot"   [Def(Gp), Tied(Gp), No]      imm Displacement aux Slot Sets clobbers 0, slot None, ends false, "difference";
    And       = "and"        [Def(Gp), Tied(Gp), Use(Gp)] imm No    aux No     Sets clobbers 0, slot Some(Op::AndSlot), ends false, "bitwise and";
    AndImm    = "andi"       [Def(Gp), Tied(Gp), No]      imm Value aux No     Sets clobbers 0, slot None, ends false, "bitwise and";
    AndSlot   = "and_slot"   [Def(Gp), Tied(Gp), No]      imm Displacement aux Slot Sets clobbers 0, slot None, ends false, "bitwise and";
    Or        = "or"         [Def(Gp), Tied(Gp), Use(Gp)] imm No    aux No     Sets clobbers 0, slot Some(Op::OrSlot), ends false, "bitwise or";
    OrImm     = "ori"        [Def(Gp), Tied(Gp), No]      imm Value aux No     Sets clobbers 0, slot None, ends false, "bitwise or";
    OrSlot    = "or_slot"    [Def(Gp), Tied(Gp), No]      imm Displacement aux Slot Sets clobbers 0, slot None, ends false, "bitwise or";
    Xor       = "xor"        [Def(Gp), Tied(Gp), Use(Gp)] imm No    aux No     Sets clobbers 0, slot Some(Op::XorSlot), ends false, "bitwise exclusive or";
    XorImm    = "xori"       [Def(Gp), Tied(Gp), No]      imm Value aux No     Sets clobbers 0, slot None, ends false, "bitwise exclusive or";
    XorSlot   = "xor_slot"   [Def(Gp), Tied(Gp), No]      imm Displacement aux Slot Sets clobbers 0, slot None, ends false, "bitwise exclusive or";
    Imul      = "imul"       [Def(Gp), Tied(Gp), Use(Gp)] imm No    aux No     Sets clobbers 0, slot Some(Op::ImulSlot), ends false, "signed product; overflow flag as for add";
    ImulImm   = "imuli"      [Def(Gp), Use(Gp), No]       imm Value aux No     Sets clobbers 0, slot Some(Op::ImulImmSlot), ends false, "signed product with a constant";
    ImulSlot  = "imul_slot"  [Def(Gp), Tied(Gp), No]      imm Displacement aux Slot Sets clobbers 0, slot None, ends false, "signed product";
    ImulImmSlot = "imuli_slot" [Def(Gp), No, No]          imm Value aux Slot   Sets clobbers 0, slot None, ends false, "signed product of a slot with a constant";
    Neg       = "neg"        [Def(Gp), Tied(Gp), No]      imm No    aux No     Sets clobbers 0, slot None, ends false, "negation";
    Not       = "not"        [Def(Gp), Tied(Gp), No]      imm No    aux No     Keeps clobbers 0, slot None, ends false, "complement";
    ShlImm    = "shli"       [Def(Gp), Tied(Gp), No]      imm Value aux No     Clobbers clobbers 0, slot None, ends false, "left shift";
    ShrImm    = "shri"       [Def(Gp), Tied(Gp), No]      imm Value aux No     Clobbers clobbers 0, slot None, ends false, "logical right shift";
    SarImm    = "sari"       [Def(Gp), Tied(Gp), No]      imm Value aux No     Clobbers clobbers 0, slot None, ends false, "arithmetic right shift";
    Shl       = "shl"        [Def(Gp), Tied(Gp), UseIn(RCX)] imm No aux No     Clobbers clobbers 0, slot None, ends false, "left shift by cl";
    Shr       = "shr"        [Def(Gp), Tied(Gp), UseIn(RCX)] imm No aux No     Clobbers clobbers 0, slot None, ends false, "logical right shift by cl";
    Sar       = "sar"        [Def(Gp), Tied(Gp), UseIn(RCX)] imm No aux No     Clobbers clobbers 0, slot None, ends false, "arithmetic right shift by cl";
    MulHigh   = "mulhigh"    [DefIn(RDX), UseIn(RAX), Use(Gp)] imm No aux No   Clobbers clobbers bit(RAX), slot None, ends false, "upper half of the signed product";
    Div       = "div"        [DefIn(RAX), UseIn(RAX), Use(Gp)] imm No aux No   Clobbers clobbers bit(RDX), slot None, ends false, "signed quotient; takes the 32-bit divider when both operands fit";
    Rem       = "rem"        [DefIn(RDX), UseIn(RAX), Use(Gp)] imm No aux No   Clobbers clobbers bit(RAX), slot None, ends false, "signed remainder, as div";
    Trunc32   = "trunc32"    [Def(Gp), Use(Gp), No]       imm No    aux No     Keeps clobbers 0, slot None, ends false, "low 32 bits";
    Trunc8    = "trunc8"     [Def(Gp), Use(Gp), No]       imm No    aux No     Keeps clobbers 0, slot None, ends false, "low 8 bits";
    // Comparison.
    Cmp       = "cmp"        [No, Use(Gp), Use(Gp)]       imm No    aux No     Sets clobbers 0, slot Some(Op::CmpSlot), ends false, "compares b with c";
    CmpImm    = "cmpi"       [No, Use(Gp), No]            imm Value aux No     Sets clobbers 0, slot Some(Op::CmpImmSlot), ends false, "compares b with a constant";
    CmpSlot   = "cmp_slot"   [No, Use(Gp), No]            imm Displacement aux Slot Sets clobbers 0, slot None, ends false, "compares b with a slot";
    CmpImmSlot = "cmpi_slot" [No, No, No]                 imm Value aux Slot   Sets clobbers 0, slot None, ends false, "compares a slot with a constant";
    Test      = "test"       [No, Use(Gp), Use(Gp)]       imm No    aux No     Sets clobbers 0, slot None, ends false, "flags of b & c";
    TestImm   = "testi"      [No, Use(Gp), No]            imm Value aux No     Sets clobbers 0, slot None, ends false, "flags of b & constant";
    Ucomi     = "ucomi"      [No, Use(Xmm), Use(Xmm)]     imm No    aux No     Sets clobbers 0, slot Some(Op::UcomiSlot), ends false, "compares doubles";
    UcomiSlot = "ucomi_slot" [No, Use(Xmm), No]           imm Displacement aux Slot Sets clobbers 0, slot None, ends false, "compares a double with a slot";
    UcomiConst = "ucomi_const" [No, Use(Xmm), No]         imm No    aux Constant Sets clobbers 0, slot None, ends false, "compares a double with a constant";
    Set       = "set"        [Def(Gp), No, No]            imm Condition aux No Reads clobbers 0, slot None, ends false, "1 when the condition holds, else 0";
    SetFEq    = "setfeq"     [Def(Gp), No, No]            imm No    aux No     Reads clobbers bit(crate::regs::R11), slot None, ends false, "after ucomi: 1 when equal and ordered";
    SetFNe    = "setfne"     [Def(Gp), No, No]            imm No    aux No     Reads clobbers bit(crate::regs::R11), slot None, ends false, "after ucomi: 1 when different or unordered";
    Cmov      = "cmov"       [Def(Gp), Tied(Gp), Use(Gp)] imm Condition aux No Reads clobbers 0, slot Some(Op::CmovSlot), ends false, "c when the condition holds, else b";
    CmovSlot  = "cmov_slot"  [Def(Gp), Tied(Gp), No]      imm Condition aux Slot Reads clobbers 0, slot None, ends false, "slot when the condition holds, else b";
    // Doubles.
    AddF      = "addf"       [Def(Xmm), Tied(Xmm), Use(Xmm)] imm No aux No     Keeps clobbers 0, slot Some(Op::AddFSlot), ends false, "IEEE sum";
    AddFSlot  = "addf_slot"  [Def(Xmm), Tied(Xmm), No]    imm Displacement aux Slot Keeps clobbers 0, slot None, ends false, "IEEE sum";
    AddFConst = "addf_const" [Def(Xmm), Tied(Xmm), No]    imm No    aux Constant Keeps clobbers 0, slot None, ends false, "IEEE sum";
    SubF      = "subf"       [Def(Xmm), Tied(Xmm), Use(Xmm)] imm No aux No     Keeps clobbers 0, slot Some(Op::SubFSlot), ends false, "IEEE difference";
    SubFSlot  = "subf_slot"  [Def(Xmm), Tied(Xmm), No]    imm Displacement aux Slot Keeps clobbers 0, slot None, ends false, "IEEE difference";
    SubFConst = "subf_const" [Def(Xmm), Tied(Xmm), No]    imm No    aux Constant Keeps clobbers 0, slot None, ends false, "IEEE difference";
    MulF      = "mulf"       [Def(Xmm), Tied(Xmm), Use(Xmm)] imm No aux No     Keeps clobbers 0, slot Some(Op::MulFSlot), ends false, "IEEE product";
    MulFSlot  = "mulf_slot"  [Def(Xmm), Tied(Xmm), No]    imm Displacement aux Slot Keeps clobbers 0, slot None, ends false, "IEEE product";
    MulFConst = "mulf_const" [Def(Xmm), Tied(Xmm), No]    imm No    aux Constant Keeps clobbers 0, slot None, ends false, "IEEE product";
    DivF      = "divf"       [Def(Xmm), Tied(Xmm), Use(Xmm)] imm No aux No     Keeps clobbers 0, slot Some(Op::DivFSlot), ends false, "IEEE quotient";
    DivFSlot  = "divf_slot"  [Def(Xmm), Tied(Xmm), No]    imm Displacement aux Slot Keeps clobbers 0, slot None, ends false, "IEEE quotient";
    DivFConst = "divf_const" [Def(Xmm), Tied(Xmm), No]    imm No    aux Constant Keeps clobbers 0, slot None, ends false, "IEEE quotient";
    SqrtF     = "sqrtf"      [Def(Xmm), Use(Xmm), No]     imm No    aux No     Keeps clobbers 0, slot None, ends false, "square root";
    XorFConst = "xorf_const" [Def(Xmm), Tied(Xmm), No]    imm No    aux Constant Keeps clobbers 0, slot None, ends false, "bitwise exclusive or with 16 bytes of the constant table (sign flip)";
    AndFConst = "andf_const" [Def(Xmm), Tied(Xmm), No]    imm No    aux Constant Keeps clobbers 0, slot None, ends false, "bitwise and with 16 bytes of the constant table (sign clear)";
    FloatOfInt = "cvt_if"    [Def(Xmm), Use(Gp), No]      imm No    aux No     Keeps clobbers 0, slot None, ends false, "nearest double (clears the register first)";
    IntOfFloat = "cvt_fi"    [Def(Gp), Use(Xmm), No]      imm No    aux No     Keeps clobbers 0, slot None, ends false, "integral part";
    BitsOfFloat = "movq_if"  [Def(Gp), Use(Xmm), No]      imm No    aux No     Keeps clobbers 0, slot None, ends false, "bit pattern";
    FloatOfBits = "movq_fi"  [Def(Xmm), Use(Gp), No]      imm No    aux No     Keeps clobbers 0, slot None, ends false, "double of a bit pattern";
    // Cells: the state of the thread lies where `fs` points to.
    Alloc     = "alloc"      [Def(Gp), No, No]            imm Value aux No     Clobbers clobbers bit(crate::regs::R11), slot None, ends false, "a cell from the free list of the class in the low 8 bits, which the runtime fills when it is empty; writes class and tag";
    Free      = "free"       [No, Use(Gp), No]            imm Value aux No     Keeps clobbers bit(crate::regs::R11), slot None, ends false, "puts a cell on the free list of the class";
    Increment = "inc32"      [No, Base, Index]            imm Displacement aux Scale Clobbers clobbers 0, slot None, ends false, "one more in 32 bits of memory";
    Decrement = "dec32"      [No, Base, Index]            imm Displacement aux Scale Sets clobbers 0, slot None, ends false, "one less in 32 bits of memory; sign and zero flags";
    // Control flow.
    Stub      = "stub"       [No, No, No]                 imm Condition aux Stub Reads clobbers 0, slot None, ends false, "goes to a cold panic stub when the condition holds";
    Panic     = "panic"      [No, No, No]                 imm No    aux Stub Keeps clobbers 0, slot None, ends true, "goes to a cold panic stub always";
    Call      = "call"       [No, No, No]                 imm No    aux Call   Clobbers clobbers 0, slot None, ends false, "a call: operands, results, clobbers, place and pad in the call table";
    JumpIf    = "jcc"        [No, No, No]                 imm Condition aux Edge Reads clobbers 0, slot None, ends true, "goes along the edge when the condition holds";
    Jump      = "jmp"        [No, No, No]                 imm No    aux Edge   Keeps clobbers 0, slot None, ends true, "goes along the edge";
    Return    = "ret"        [No, No, No]                 imm No    aux Call   Keeps clobbers 0, slot None, ends true, "returns; results as the operands of a row of the call table";
    TailCall  = "tailcall"   [No, No, No]                 imm No    aux Call   Clobbers clobbers 0, slot None, ends true, "leaves the frame and jumps to the callee";
    Resume    = "resume"     [No, No, No]                 imm No    aux No     Keeps clobbers 0, slot None, ends true, "goes on unwinding; only in landing pads";
    Trap      = "trap"       [No, No, No]                 imm No    aux No     Keeps clobbers 0, slot None, ends true, "ud2: proved not to be reached";
}

/// Condition codes as in the encoding of `jcc`, `setcc`, `cmovcc`.
pub mod cc {
    /// Overflow.
    pub const O: i32 = 0;
    /// No overflow.
    pub const NO: i32 = 1;
    /// Below (unsigned), carry.
    pub const B: i32 = 2;
    /// Above or equal.
    pub const AE: i32 = 3;
    /// Equal.
    pub const E: i32 = 4;
    /// Not equal.
    pub const NE: i32 = 5;
    /// Below or equal.
    pub const BE: i32 = 6;
    /// Above.
    pub const A: i32 = 7;
    /// Sign.
    pub const S: i32 = 8;
    /// No sign.
    pub const NS: i32 = 9;
    /// Parity: unordered after `ucomi`.
    pub const P: i32 = 10;
    /// No parity.
    pub const NP: i32 = 11;
    /// Less (signed).
    pub const L: i32 = 12;
    /// Greater or equal.
    pub const GE: i32 = 13;
    /// Less or equal.
    pub const LE: i32 = 14;
    /// Greater.
    pub const G: i32 = 15;
    /// Names in dumps by number.
    pub const NAMES: [&str; 16] = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
}

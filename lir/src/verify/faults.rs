//! Every fault of LIR, with its code, its sentence and its numbers. A code is forever; a message may improve.
//!
//! Family L01 is structure, shared with the other SSA levels; L02 is types, widths and calls; L03 memory; L04 facts; L05 checks.

use ir::ssa::structure::{StructureFault, StructureKind};
use ir::{Code, Fault, Where};

/// Codes of the structural rules.
pub const fn structure_code(kind: StructureKind) -> Code {
    Code(match kind {
        StructureKind::NoEntry => "L0101",
        StructureKind::EntryIsTarget => "L0102",
        StructureKind::NoTerminator => "L0103",
        StructureKind::PlaceMissing => "L0104",
        StructureKind::TerminatorInside => "L0105",
        StructureKind::UnknownValue => "L0106",
        StructureKind::UnknownBlock => "L0107",
        StructureKind::NotDominated => "L0108",
        StructureKind::DefinedTwice => "L0109",
        StructureKind::OperandCount => "L0110",
        StructureKind::ResultCount => "L0111",
        StructureKind::TargetCount => "L0112",
        StructureKind::TargetArgs => "L0113",
        StructureKind::UnwindParams => "L0114",
        StructureKind::UnwindMissing => "L0115",
        StructureKind::UnwindExtra => "L0116",
        StructureKind::PlaceUnknown => "L0117",
        StructureKind::CaseCount => "L0118",
        StructureKind::CaseTwice => "L0119",
        StructureKind::UnknownFlag => "L0120",
        StructureKind::NameMissing => "L0121",
    })
}

macro_rules! faults {
    ($( $(#[doc = $doc:literal])+ $code:literal $name:ident { $($field:ident : $ty:ty),* $(,)? } $message:literal; )+) => {
        /// What can be wrong with a body of LIR. Numbers of values and blocks are those of the printed text.
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        #[allow(missing_docs, reason = "the fields are the numbers that the sentence of the variant names")]
        pub enum LirFault {
            /// A rule that every SSA level shares.
            Structure(StructureFault),
            $( $(#[doc = $doc])+ $name { at: Where, $($field: $ty),* }, )+
        }

        impl LirFault {
            /// Every code with the rule that it guards, in order.
            pub fn all_codes() -> Vec<(Code, &'static str)> {
                let mut all: Vec<_> = StructureKind::ALL.iter().map(|&kind| (structure_code(kind), kind.meaning())).collect();
                all.sort_unstable();
                all.extend([ $( (Code($code), concat!($($doc),+).trim_ascii()) ),+ ]);
                all
            }
        }

        impl Fault for LirFault {
            fn code(&self) -> Code {
                match self { LirFault::Structure(fault) => structure_code(fault.kind), $( LirFault::$name { .. } => Code($code) ),+ }
            }
            fn at(&self) -> Where {
                match self { LirFault::Structure(fault) => fault.at, $( LirFault::$name { at, .. } => *at ),+ }
            }
            #[allow(unused_variables, reason = "not every sentence names every number")]
            fn message(&self) -> String {
                match self { LirFault::Structure(fault) => fault.message(), $( LirFault::$name { at, $($field),* } => format!($message) ),+ }
            }
        }
    };
}

faults! {
    /// The type of an operand is of the class that the op asks for.
    "L0201" OperandType { op: &'static str, value: u32, expected: &'static str, found: &'static str } "`{op}` wants {expected}, and %{value} is {found}";
    /// The type of a result is the one that the op gives.
    "L0202" ResultType { op: &'static str, value: u32, expected: &'static str, found: &'static str } "`{op}` gives {expected}, and %{value} is {found}";
    /// An argument of a target has the type of the parameter it is for.
    "L0203" TargetType { value: u32, block: u32, expected: &'static str, found: &'static str } "b{block} wants {expected}, and %{value} is {found}";
    /// A call passes what the callee's signature takes, in the form of the phase.
    "L0204" CallOperands { function: String, expected: String, found: String } "@{function} takes {expected}, not {found}";
    /// A call has the results of the callee's signature, in the form of the phase.
    "L0205" CallResults { function: String, expected: String, found: String } "@{function} gives {expected}, not {found}";
    /// A call names a function of the program.
    "L0206" UnknownFunction { function: String } "there is no function @{function}";
    /// A return has the function's results.
    "L0207" ReturnOperands { expected: String, found: String } "the function gives {expected}, not {found}";
    /// A tail call gives what its function gives, and passes on the function's own result area.
    "L0208" TailResults { function: String, expected: String, found: String } "the function gives {expected}, and @{function} gives {found}";
    /// In `legal`, results fit the result registers.
    "L0209" TooManyResults { ints: u32, floats: u32 } "{ints} integer and {floats} float results do not fit into registers";
    /// A constant and a case lie in their type: an i8 is 0 to 255, an i32 0 to 4294967295.
    "L0210" ConstantRange { ty: &'static str, literal: i64 } "{literal} is no {ty}";
    /// Both arms of `select` have the type of its result.
    "L0211" SelectType { value: u32, expected: &'static str, found: &'static str } "the select gives {expected}, and %{value} is {found}";
    /// A word immediate is a condition, panic kind or runtime call of its table.
    "L0212" UnknownWord { op: &'static str, number: u64 } "`{op}` knows no word {number}";
    /// A body has the parameters and results of its signature, in the form of the phase.
    "L0213" Signature { expected: String, found: String } "the signature is {expected}, and the body is {found}";
    /// In `legal`, the stack arguments of a tail call fit into the caller's own.
    "L0214" TailStack { needed: u32, own: u32 } "the tail call needs {needed} bytes of stack arguments, and the function has {own}";
    /// A runtime call has the operands of its row, in the runtime's convention.
    "L0215" RuntimeOperands { call: &'static str, expected: String, found: String } "{call} takes {expected}, not {found}";
    /// A runtime call has the result of its row, or its status.
    "L0216" RuntimeResults { call: &'static str, expected: String, found: String } "{call} gives {expected}, not {found}";
    /// The text of `static` says what lies in sections, none of them empty, and every address in one is of a byte of the section behind.
    "L0217" StaticData {} "the text stands for no data";
    /// A stack slot has a size, a multiple of 8 below 16 MiB.
    "L0301" SlotSize { bytes: i64 } "a slot cannot have {bytes} bytes";
    /// An access stays inside the slot or result area that its address names, and where every run comes along inside the static text.
    "L0302" OutOfBounds { offset: i64, bytes: u32, size: u64 } "{bytes} bytes at {offset} are outside the {size} bytes there";
    /// An access to a slot or result area is aligned to its size.
    "L0303" Misaligned { offset: i64, bytes: u32 } "{bytes} bytes at {offset} are not aligned";
    /// Static text is never written.
    "L0304" StoreToData { value: u32 } "%{value} is the address of static text";
    /// An offset is not negative and fits 31 bits.
    "L0305" Offset { offset: i64 } "offset {offset} is out of range";
    /// Memory that a call reads or writes through an operand is large enough: 24 bytes for a text, the result area for wide results.
    "L0306" AreaTooSmall { value: u32, needed: u32, size: u64 } "the call needs {needed} bytes at %{value}, which has {size}";
    /// What is read from a slot or result area has been written there on every path; the words of a text and the results have been written with their types.
    "L0307" Unwritten { value: u32, offset: u32, ty: &'static str } "not every path to this has written the {ty} at {offset} of %{value}";
    /// Where every run comes along, nothing is read or written at an integer constant: none is an address.
    "L0308" ConstantAddress { value: u32 } "%{value} is a constant, not an address";
    /// A text is handed over by the address of its 24 bytes, never by that of static text.
    "L0309" NotAText { value: u32 } "%{value} is the address of characters, not of a text";
    /// What is counted or given back is a cell: never a slot, the result area, static text or a constant.
    "L0310" NotACell { op: &'static str, value: u32 } "`{op}` wants a cell, and %{value} is none";
    /// A cell that is taken or given back has a size class of the runtime.
    "L0311" SizeClass { class: u64 } "there is no size class {class}";
    /// `invariant` stands only on loads from static text.
    "L0401" NotInvariant { value: u32 } "nothing says that the memory at %{value} never changes";
    /// A divisor is a literal other than 0, or a check that has run proves that it is not 0.
    "L0402" DivisorMayBeZero { op: &'static str, value: u32 } "`{op}` by %{value}, which no check proves not to be 0";
    /// A quotient exists: the divisor is a literal other than -1, or a check that has run excludes the smallest integer by -1.
    "L0403" QuotientMayOverflow { op: &'static str, value: u32 } "`{op}` by %{value} may overflow: no check excludes -1";
    /// A float that becomes an integer has been checked against both ends of the range.
    "L0404" FloatUnchecked { value: u32 } "no check proves that %{value} is in the range of i64";
    /// A flag stands only where it means something: `nounwind` on ops that may panic, `invariant` on loads.
    "L0405" FlagMisplaced { op: &'static str, flag: &'static str } "`{op}` cannot be {flag}";
    /// A panic has the number of arguments of its kind.
    "L0501" PanicCount { kind: &'static str, expected: usize, found: usize } "{kind} takes {expected} arguments, not {found}";
    /// The arguments of a panic are integers and addresses of texts, as its kind says.
    "L0502" PanicArgument { kind: &'static str, value: u32, expected: &'static str, found: &'static str } "{kind} wants {expected}, and %{value} is {found}";
    /// Checked arithmetic panics with a kind of its operation.
    "L0503" WrongKind { op: &'static str, kind: &'static str } "`{op}` cannot panic with {kind}";
    /// The statuses of a runtime call are checked in order, right after it.
    "L0504" StatusUnchecked { call: &'static str, kind: &'static str } "the status {kind} of {call} is not checked after it";
    /// `resume` stands only in blocks that are reached by unwinding alone: without a panic there is nothing to go on with.
    "L0505" ResumeWithoutPanic { block: u32 } "b{block} resumes and is reached without a panic";
}

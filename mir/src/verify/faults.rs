//! Every fault of MIR, with its code, its sentence and its numbers. A code is forever; a message may improve.
//!
//! Family M01 is structure, shared with the other SSA levels; M02 is types and claims; M03 is ownership.

use ir::ssa::structure::{StructureFault, StructureKind};
use ir::{Code, Fault, Where};

/// Codes of the structural rules.
pub const fn structure_code(kind: StructureKind) -> Code {
    Code(match kind {
        StructureKind::NoEntry => "M0101",
        StructureKind::EntryIsTarget => "M0102",
        StructureKind::NoTerminator => "M0103",
        StructureKind::PlaceMissing => "M0104",
        StructureKind::TerminatorInside => "M0105",
        StructureKind::UnknownValue => "M0106",
        StructureKind::UnknownBlock => "M0107",
        StructureKind::NotDominated => "M0108",
        StructureKind::DefinedTwice => "M0109",
        StructureKind::OperandCount => "M0110",
        StructureKind::ResultCount => "M0111",
        StructureKind::TargetCount => "M0112",
        StructureKind::TargetArgs => "M0113",
        StructureKind::UnwindParams => "M0114",
        StructureKind::UnwindMissing => "M0115",
        StructureKind::UnwindExtra => "M0116",
        StructureKind::PlaceUnknown => "M0117",
        StructureKind::CaseCount => "M0118",
        StructureKind::CaseTwice => "M0119",
        StructureKind::UnknownFlag => "M0120",
        StructureKind::NameMissing => "M0121",
    })
}

macro_rules! faults {
    ($( $(#[doc = $doc:literal])+ $code:literal $name:ident { $($field:ident : $ty:ty),* $(,)? } $message:literal; )+) => {
        /// What can be wrong with a body of MIR. Numbers of values and blocks are those of the printed text.
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        #[allow(missing_docs, reason = "the fields are the numbers that the sentence of the variant names")]
        pub enum MirFault {
            /// A rule that every SSA level shares.
            Structure(StructureFault),
            $( $(#[doc = $doc])+ $name { at: Where, $($field: $ty),* }, )+
        }

        impl MirFault {
            /// Every code with the rule that it guards, in order.
            pub fn all_codes() -> Vec<(Code, &'static str)> {
                let mut all: Vec<_> = StructureKind::ALL.iter().map(|&kind| (structure_code(kind), kind.meaning())).collect();
                all.sort_unstable();
                all.extend([ $( (Code($code), concat!($($doc),+).trim_ascii()) ),+ ]);
                all
            }
        }

        impl Fault for MirFault {
            fn code(&self) -> Code {
                match self { MirFault::Structure(fault) => structure_code(fault.kind), $( MirFault::$name { .. } => Code($code) ),+ }
            }
            fn at(&self) -> Where {
                match self { MirFault::Structure(fault) => fault.at, $( MirFault::$name { at, .. } => *at ),+ }
            }
            #[allow(unused_variables, reason = "not every sentence names every number")]
            fn message(&self) -> String {
                match self { MirFault::Structure(fault) => fault.message(), $( MirFault::$name { at, $($field),* } => format!($message) ),+ }
            }
        }
    };
}

faults! {
    /// The type of an operand is of the class that the op asks for.
    "M0201" OperandType { op: &'static str, value: u32, expected: String, found: String } "`{op}` wants {expected}, and %{value} is {found}";
    /// The type of a result is the one that the op gives.
    "M0202" ResultType { op: &'static str, value: u32, expected: String, found: String } "`{op}` gives {expected}, and %{value} is {found}";
    /// A literal lies in its type: a bool is 0 or 1, a byte 0 to 255, a char a Unicode scalar value.
    "M0203" LiteralRange { ty: String, literal: i64 } "{literal} is no {ty}";
    /// `field` and `with_field` name a field that the aggregate has.
    "M0204" FieldIndex { ty: String, index: i64, fields: usize } "{ty} has {fields} fields, none is number {index}";
    /// A field that is read or replaced has its declared type.
    "M0205" FieldType { value: u32, index: usize, expected: String, found: String } "field {index} is {expected}, and %{value} is {found}";
    /// `aggregate` gets one operand for each field.
    "M0206" FieldCount { ty: String, expected: usize, found: usize } "{ty} has {expected} fields, and {found} are given";
    /// Both arms of `select` have the type of its result.
    "M0207" SelectType { value: u32, expected: String, found: String } "the arms give {expected}, and %{value} is {found}";
    /// A call names a function of the program.
    "M0208" UnknownFunction { function: String } "there is no function @{function}";
    /// A call has one argument for each parameter.
    "M0209" CallArity { function: String, expected: usize, found: usize } "@{function} takes {expected} arguments, not {found}";
    /// An argument of a call has the type of its parameter.
    "M0210" CallArgument { function: String, value: u32, expected: String, found: String } "@{function} wants {expected}, and %{value} is {found}";
    /// The result of a call has the type that the callee gives; a tail call gives what its function gives.
    "M0211" CallResult { function: String, expected: String, found: String } "@{function} gives {expected}, not {found}";
    /// The number of a runtime call is in the table of runtime calls, that of a panic kind in the table of panic kinds.
    "M0212" UnknownWord { op: &'static str, number: u64 } "`{op}` knows no word {number}";
    /// A runtime call has the operands of its row.
    "M0213" RuntimeOperands { call: &'static str, expected: String, found: String } "{call} takes {expected}, not {found}";
    /// A runtime call has the result of its row, and none when that is void.
    "M0214" RuntimeResult { call: &'static str, expected: String, found: String } "{call} gives {expected}, not {found}";
    /// A panic has the arguments of its kind.
    "M0215" PanicOperands { kind: &'static str, expected: String, found: String } "{kind} takes {expected}, not {found}";
    /// An argument of a target has the type of the parameter it is for.
    "M0216" TargetType { value: u32, block: u32, expected: String, found: String } "b{block} wants {expected}, and %{value} is {found}";
    /// A function returns its result type.
    "M0217" ReturnType { value: u32, expected: String, found: String } "the function gives {expected}, and %{value} is {found}";
    /// The cases of a switch are values of its operand's type.
    "M0218" CaseRange { ty: String, case: i64 } "{case} is no {ty}";
    /// Types are closed: no type variable and no error type is left.
    "M0219" OpenType { value: u32, found: String } "%{value} has the open type {found}";
    /// `nounwind` is claimed only where the operands' definitions prove it.
    "M0220" UnprovedNounwind { op: &'static str } "nothing proves that this `{op}` does not panic";
    /// A body has the parameters and the result of its signature.
    "M0221" Signature { expected: String, found: String } "the signature is {expected}, and the body is {found}";
    /// A variant that is made, asked for or read is one of the sum.
    "M0223" VariantNumber { ty: String, variant: u64, variants: usize } "{ty} has {variants} variants, none is number {variant}";
    /// `variant` gets one operand for each part of the payload.
    "M0224" PayloadCount { ty: String, variant: u64, expected: usize, found: usize } "the payload of variant {variant} of {ty} has {expected} parts, and {found} are given";
    /// `payload` names a part that the payload has.
    "M0225" PayloadPart { ty: String, variant: u32, part: u32, parts: usize } "the payload of variant {variant} of {ty} has {parts} parts, none is number {part}";
    /// A part of a payload that is given or read has its declared type.
    "M0226" PayloadType { value: u32, part: usize, expected: String, found: String } "part {part} of the payload is {expected}, and %{value} is {found}";
    /// `new` gets one operand for each part of the cell.
    "M0227" PartCount { ty: String, expected: usize, found: usize } "{ty} has {expected} parts, and {found} are given";
    /// `part` names a part that the cell has.
    "M0228" PartIndex { ty: String, part: i64, parts: usize } "{ty} has {parts} parts, none is number {part}";
    /// A part that is put into a cell or read has the type that the cell says.
    "M0229" PartType { value: u32, part: usize, expected: String, found: String } "part {part} of the cell is {expected}, and %{value} is {found}";
    /// A closure is of the type that its function has without the parameters for what is captured, and these have the types of the operands.
    "M0230" ClosureType { function: String, expected: String, found: String } "@{function} is {expected}, and the closure makes it {found}";
    /// A function value is called with arguments of its parameters' types, for its result.
    "M0231" ValueCall { value: u32, expected: String, found: String } "%{value} is {expected}, and is called as {found}";
    /// An element of a list has the type that the list says.
    "M0232" ElementType { value: u32, expected: String, found: String } "the elements are {expected}, and %{value} is {found}";
    /// `payload` is read only where its operand is known to be the variant: made so, or tested on every way there.
    "M0233" UnprovedVariant { value: u32, variant: u32 } "nothing on every way here shows that %{value} is variant {variant}";
    /// While a panic unwinds nothing may panic, and the function is not left but by `resume`.
    "M0234" DuringUnwinding { op: &'static str } "`{op}` while a panic unwinds";
    /// `resume` and `rt caught` stand where a panic unwinds.
    "M0235" NothingUnwinds {} "nothing unwinds here, on one way at least";
    /// The hole of a `hole<T>` is for a T: of that type are what stands in it, what is plugged, what fills it, and what that gives.
    "M0236" HoleType { value: u32, expected: String, found: String } "the hole is for {expected}, and %{value} is {found}";
    /// The text of `static` stands for a list of the result's type.
    "M0237" StaticValue { expected: String } "the text is no value of type {expected}";
    /// The addresses by which a type does what an object asks for have a type that says so.
    "M0238" MethodsType { found: String } "addresses of methods are no {found}";
    /// An object is made of a cell with the addresses for its traits, and a value of the type that they are for.
    "M0239" ObjectCell { cell: String, object: String } "{cell} is no cell of {object}";
    /// What is called on an object is a method of one of its traits, by the op for methods that change their `self` or the other.
    "M0240" ObjectMethod { object: String, function: String } "{object} has no method @{function} that is called so";
    /// A function of MIR has one result.
    "M0222" ResultsOfFunction { found: usize } "a function gives one result, not {found}";
    /// `dup` and `drop` stand in bodies of the phase `owned` only.
    "M0301" EarlyOwnership { op: &'static str } "`{op}` before the phase that has it";
    /// `dup` and `drop` take values with counted content.
    "M0302" NotCounted { op: &'static str, value: u32, found: String } "`{op}` of %{value}, which is {found} and has nothing that is counted";
    /// An owned value is consumed once: on no path again.
    "M0303" ConsumedTwice { op: &'static str, value: u32, first: String, path: String } "`{op}` takes %{value} again, which was given away at {first} (on the way {path})";
    /// An owned value is used only before it is consumed.
    "M0304" UsedWhenGone { op: &'static str, value: u32, first: String, path: String } "`{op}` looks at %{value}, which was given away at {first} (on the way {path})";
    /// A borrowed value is used only while its owners are held.
    "M0305" BorrowOutlives { op: &'static str, value: u32, owner: u32, first: String, path: String } "`{op}` looks at %{value}, a part of %{owner}, which was given away at {first} (on the way {path})";
    /// A borrowed value is not consumed; a `dup` of it may be.
    "M0306" BorrowConsumed { op: &'static str, value: u32, path: String } "`{op}` takes %{value}, which is only borrowed (on the way {path})";
    /// An owned value is consumed before the function is left: by `ret`, a tail call or `drop`.
    "M0307" Leaked { value: u32, path: String } "%{value} is still held when the function is left (on the way {path})";
    /// All edges into a block agree on what is held.
    "M0308" JoinDisagrees { value: u32, block: u32, with: String, without: String } "%{value} is held when b{block} is entered on the way {with}, and not on the way {without}";
    /// `open` gives one result for each part that it takes out.
    "M0309" OpenResults { expected: usize, found: usize } "`open` takes {expected} parts out, and gives {found}";
    /// What `open` takes out of its operand is reached from it by `field`, `payload` and `part`.
    "M0310" OpenPart { value: u32, whole: u32 } "%{value} is no part of %{whole} that can be taken out of it";
    /// Nothing is taken out of a value twice: no part stands in another one, and no cell gives its room twice.
    "M0311" OpenTwice { whole: u32 } "%{whole} is asked twice for one thing";
    /// A part that is taken out has counted content, and keeps its type.
    "M0312" OpenedType { value: u32, expected: String, found: String } "a counted part of type {expected} is taken out, and %{value} is {found}";
    /// `open` gives tokens, `reuse` and `free` take one first; nothing else has one but blocks.
    "M0313" TokenUse { op: &'static str, value: u32 } "`{op}` takes %{value}, which is a token where none belongs, or none where one does";
    /// A token is of the class of the cell that it was, of the one that it becomes, and of the parameters that it is passed for.
    "M0314" TokenClass { value: u32, expected: String, found: String } "%{value} should be {expected}, and is {found}";
    /// One `hole` stands in the entry block; `plug` and `fill` take holes first, blocks pass them on, `drop` gives them up, and nothing else has one.
    "M0315" HoleUse { op: &'static str, value: u32 } "`{op}` has %{value}, and a hole where none belongs, or none where one does";
    /// What is plugged was made for that: a variant around one cell, neither used elsewhere, and nobody holds what stands in the new hole.
    "M0316" HolePlace { value: u32, part: u64, why: &'static str } "part {part} of %{value} cannot be a hole: {why}";
    /// `sole` marks ops that change a list, where every way there proves that nobody else holds it.
    "M0317" UnprovedSole { op: &'static str } "nothing proves that nobody else holds the list of this `{op}`";
    /// An element is read or written without a check only where every way there proves that the list has it.
    "M0318" UnprovedIndex { op: &'static str, value: u32 } "nothing proves that the list of this `{op}` has an element %{value}";
}

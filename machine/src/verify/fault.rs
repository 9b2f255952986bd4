//! The faults of MachineIR: one row a rule. Codes never change.

use ir::{Code, Fault, Where};

macro_rules! rules {
    ($($Name:ident = $code:literal $message:literal;)+) => {
        /// A rule of MachineIR.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Rule { $(#[doc = $message] $Name,)+ }

        impl Rule {
            /// All rules in order of their codes.
            pub const ALL: &'static [Rule] = &[$(Rule::$Name),+];
            /// The stable code.
            pub const fn code(self) -> Code { match self { $(Rule::$Name => Code($code),)+ } }
            /// The sentence; `{0}` and `{1}` are the numbers of the fault.
            pub const fn message(self) -> &'static str { match self { $(Rule::$Name => $message,)+ } }
        }
    };
}

rules! {
    BlockRange = "X0101" "the blocks do not cover the records one after another";
    BlockEnd = "X0102" "the block does not end with a terminator";
    MiddleTerminator = "X0103" "a terminator stands before the end of its block";
    MissingOperand = "X0104" "operand {0} is missing";
    ExtraOperand = "X0105" "operand {0} is given, and the op has none";
    OperandClass = "X0106" "operand {0} is in a register of the wrong class";
    FixedOperand = "X0107" "operand {0} is not in the register that the op demands, number {1}";
    TiedOperand = "X0108" "operand {0} is not in the register of the result";
    OperandKind = "X0109" "operand {0}, number {1}, is no register of this phase";
    ReservedRegister = "X0110" "operand {0} is a register that is never allocated";
    ImmediateRange = "X0111" "the immediate {0} is out of range";
    Scale = "X0112" "the scale is {0}, not 1, 2, 4 or 8";
    TableRow = "X0113" "row {0} of the table that the record names does not exist";
    UnusedWord = "X0114" "a word that the op does not use is not zero";
    EdgeTarget = "X0115" "an edge goes to b{0}, which does not exist";
    EdgeCount = "X0116" "an edge to b{0} has {1} arguments, and the block has another number of parameters";
    EdgeClass = "X0117" "argument {1} of an edge to b{0} has another class than the parameter";
    FlagsUnset = "X0118" "reads flags that nothing before it in the block sets";
    PadTarget = "X0119" "b{0} is named as a landing pad and is none";
    PadEntered = "X0120" "an edge enters the landing pad b{0}";
    PadParameters = "X0121" "a landing pad has parameters";
    PadReads = "X0122" "the landing pad reads operand {0} from register {1}, which unwinding does not keep";
    ResumeOutside = "X0123" "resume can be reached without unwinding";
    CallArguments = "X0124" "argument {0} of the call is not where the convention wants it";
    RuntimeArguments = "X0125" "the operands of the runtime call are not those of the table of runtime calls";
    CallResults = "X0126" "result {0} of the call is not where the convention has it";
    ReturnOperands = "X0127" "the operands of the return are not the function's results";
    CallClobbers = "X0128" "the call does not destroy the registers that the convention says";
    Parameters = "X0129" "parameter {0} of the function is not where the convention has it";
    DivisorRegister = "X0130" "the divisor is in rax, rdx or r11, which the instructions overwrite";
    StubOperands = "X0131" "the stub has {0} operands in registers or slots that it may not have";
    VirtualColumn = "X0132" "there are {0} rows of virtual registers for {1} records";
    DefinedTwice = "X0133" "%{0} is defined again";
    Undefined = "X0134" "%{0} is never defined";
    FallsOff = "X0135" "the last block falls off the end";
    CallKind = "X0136" "row {0} of the call table does not fit the op";
    PlaceRow = "X0137" "place {0} does not exist";
    BlockParameter = "X0138" "a block of this phase has parameters";
    NotDominated = "X0139" "%{0} is read where its definition need not have been passed";
    Unreached = "X0140" "no path leads to the block";
    BlockOrder = "X0141" "the block stands, or branches to b{0}, against the order in which a loop comes after its header and everything else forwards";
    RowOrder = "X0142" "row {0} of the table, or one behind it, is named before";
    SlotSize = "X0301" "slot {0} has {1} bytes, not a multiple of 8";
    SlotOutside = "X0302" "slot {0} is not inside the frame";
    SlotOverlap = "X0303" "slots {0} and {1} overlap";
    SlotAlignment = "X0304" "slot {0} is not aligned";
    UnsavedRegister = "X0305" "register {0} belongs to the caller and is not saved";
    SavedMask = "X0306" "the saved registers include some that are not the caller's";
    ArgumentSlot = "X0307" "slot {0} is not where the convention has stack arguments";
    SlotAccess = "X0308" "slot {0} does not reach as far as displacement {1}";
    SavedUnwritten = "X0309" "register {0} is saved and never written";
    Undecodable = "X0401" "the bytes at {0} are no instruction that the encoder writes";
    BranchTarget = "X0402" "the branch at {0} goes to {1}, where its block or stub does not start";
    BranchForm = "X0403" "the form of the branch at {0} is not the one that the record says";
    SiteCall = "X0404" "there is no call before the return address {0}";
    SiteOrder = "X0405" "the sites are not in order of their return addresses";
    SiteCount = "X0406" "there are {0} sites for {1} calls";
    RelocRange = "X0407" "the relocation at {0} is outside the bytes or not in order";
    RelocTarget = "X0408" "the relocation at {0} has no target, or its operand is not zero";
    FrameRecord = "X0409" "the frame that the code reports is not the one of the function";
    DataBlock = "X0410" "constant {0} is too short for its alignment, a power of two up to 16, or an address in it is of no earlier one";
    RecordBytes = "X0411" "the record at {0} is not encoded as as many instructions as it means";
    SitePlace = "X0412" "the place of the call before {0} does not exist";
    RelocOperand = "X0413" "the relocation at {0} is not the operand of a call, jump or address, or one of those has none";
    PadOffset = "X0414" "no landing pad of the function starts at {0}";
    ThreadOperand = "X0415" "{0} is not where the address of a free list stands, or one that stands somewhere is not listed";
    CatchMark = "X0416" "the landing pad at {0} catches and does not say so";
}

/// A fault: a rule, where it is broken, and the numbers of its sentence.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MachFault {
    /// The rule.
    pub rule: Rule,
    /// Where.
    pub at: Where,
    /// Numbers in the sentence.
    pub numbers: [i64; 2],
}

impl Fault for MachFault {
    fn code(&self) -> Code {
        self.rule.code()
    }

    fn at(&self) -> Where {
        self.at
    }

    fn message(&self) -> String {
        self.rule.message().replace("{0}", &self.numbers[0].to_string()).replace("{1}", &self.numbers[1].to_string())
    }
}

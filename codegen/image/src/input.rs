//! What is linked. A function carries everything that is its own (code, constants, sites), so that it can be stored and linked again as it is.

use abi::{Entry, PanicKind, RuntimeCall};
use ir::ItemId;

/// A program to be linked.
#[derive(Clone, Debug)]
pub struct Program<'a> {
    /// Its functions, in any order.
    pub functions: Vec<&'a Function>,
    /// Every item that a function or a site names, in any order. An image with others in it cannot be patched.
    pub items: Vec<Item>,
    /// The function that the runtime calls: `extern "sysv64" fn(args: *const [u64; 3]) -> i64`.
    pub entry: ItemId,
    /// The entry's result is the exit status; otherwise the status is 0 whatever it returns.
    pub returns_status: bool,
    /// With a symbol table for debuggers and disassemblers.
    pub symbols: bool,
    /// Functions that other objects define, and their symbols: calls, addresses and the entry may name them. Only an object may have them.
    pub external: Vec<(ItemId, String)>,
    /// Other objects have code without function records: the runtime is to read `.eh_frame`, and every row of the item table has a symbol.
    pub foreign_frames: bool,
}

/// One compiled function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Function {
    /// The item it is the code of.
    pub item: ItemId,
    /// Stable key: a hash of what the function is called, not of what it contains. Unique in a program, and that of its item.
    pub key: u128,
    /// Name for symbol tables: `module.name`.
    pub name: String,
    /// Machine code.
    pub code: Vec<u8>,
    /// Places in the code to be filled.
    pub relocs: Vec<Reloc>,
    /// Where distances from `fs` stand that reach the state of the thread. In an image they are constants, and the code has them; a foreign linker fills
    /// them in.
    pub threads: Vec<u32>,
    /// Constants of the function; equal ones of several functions are stored once.
    pub data: Vec<Data>,
    /// It saves and sets up `rbp` (`abi::funcs::HAS_FRAME`).
    pub has_frame: bool,
    /// Bytes between the saved `rbp` and the lowest byte of the frame.
    pub frame_size: u32,
    /// Callee-saved registers in the frame, bit = register number.
    pub saved_mask: u16,
    /// Its calls, with rising return offset.
    pub sites: Vec<Site>,
    /// Chains of the sites, innermost first.
    pub places: Vec<SitePlace>,
}

/// One call of a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Site {
    /// Offset of the return address in the code.
    pub return_offset: u32,
    /// Offset of the landing pad in the code.
    pub pad_offset: Option<u32>,
    /// First of its places in [`Function::places`].
    pub first_place: u32,
    /// Number of its places.
    pub places: u32,
}

/// One place of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct SitePlace {
    /// Whose source it is.
    pub item: ItemId,
    /// Line relative to the item, from 1.
    pub line: u32,
    /// Column from 1.
    pub column: u32,
}

/// A place in code to be filled with an address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Reloc {
    /// Where in the code.
    pub offset: u32,
    /// How.
    pub kind: RelocKind,
    /// With what.
    pub target: Target,
    /// Added to the address; as in ELF, a relative operand at the end of its instruction has -4.
    pub addend: i32,
}

/// How an address is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum RelocKind {
    /// Four bytes, relative to their own address: a direct call or jump.
    Call32,
    /// Four bytes, relative to their own address: an address relative to `rip`.
    Data32,
    /// Eight bytes.
    Abs64,
}

/// What an address is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Target {
    /// Code of another function.
    Function(ItemId),
    /// The runtime.
    Runtime(RuntimeSymbol),
    /// A constant: index into [`Function::data`].
    Data(u32),
}

/// A function of the runtime.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(into = "u32", try_from = "u32")]
pub enum RuntimeSymbol {
    /// An operation.
    Call(RuntimeCall),
    /// A panic entry.
    Panic(PanicKind),
    /// An entry with a convention of its own.
    Entry(Entry),
}

impl From<RuntimeSymbol> for u32 {
    fn from(symbol: RuntimeSymbol) -> u32 {
        symbol.number()
    }
}

impl TryFrom<u32> for RuntimeSymbol {
    type Error = &'static str;
    fn try_from(number: u32) -> Result<Self, Self::Error> {
        RuntimeSymbol::from_number(number).ok_or("no symbol of the runtime")
    }
}

impl RuntimeSymbol {
    /// Number of symbols.
    pub const COUNT: u32 = (RuntimeCall::ALL.len() + PanicKind::ALL.len() + Entry::ALL.len()) as u32;

    /// Its number below [`RuntimeSymbol::COUNT`].
    pub const fn number(self) -> u32 {
        match self {
            RuntimeSymbol::Call(call) => call as u32,
            RuntimeSymbol::Panic(kind) => RuntimeCall::ALL.len() as u32 + kind as u32,
            RuntimeSymbol::Entry(entry) => Self::COUNT - Entry::ALL.len() as u32 + entry as u32,
        }
    }

    /// The symbol with this number.
    pub fn from_number(number: u32) -> Option<RuntimeSymbol> {
        if let Some(entry) = number.checked_sub(Self::COUNT - Entry::ALL.len() as u32) {
            return Entry::ALL.get(entry as usize).copied().map(RuntimeSymbol::Entry);
        }
        let calls = RuntimeCall::ALL.len() as u32;
        match number.checked_sub(calls) {
            None => RuntimeCall::from_number(u64::from(number)).map(RuntimeSymbol::Call),
            Some(number) => PanicKind::from_number(u64::from(number)).map(RuntimeSymbol::Panic),
        }
    }

    /// The function with this symbol.
    pub fn from_symbol(symbol: &str) -> Option<RuntimeSymbol> {
        let call = RuntimeCall::ALL.iter().find(|call| call.symbol() == symbol).map(|call| RuntimeSymbol::Call(*call));
        call.or_else(|| PanicKind::ALL.iter().find(|kind| kind.symbol() == symbol).map(|kind| RuntimeSymbol::Panic(*kind)))
            .or_else(|| Entry::ALL.iter().find(|entry| entry.symbol() == symbol).map(|entry| RuntimeSymbol::Entry(*entry)))
    }

    /// Its symbol.
    pub const fn symbol(self) -> &'static str {
        match self {
            RuntimeSymbol::Call(call) => call.symbol(),
            RuntimeSymbol::Panic(kind) => kind.symbol(),
            RuntimeSymbol::Entry(entry) => entry.symbol(),
        }
    }
}

/// A constant.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Data {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Alignment: a power of two up to 16.
    pub align: u32,
    /// Eight-byte addresses in it.
    pub relocs: Vec<DataReloc>,
}

/// An address in a constant, stored in eight bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct DataReloc {
    /// Where in the bytes.
    pub offset: u32,
    /// Of what.
    pub target: DataTarget,
    /// Added to the address.
    pub addend: i64,
}

/// What an address in a constant is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum DataTarget {
    /// An earlier constant of the same function.
    Data(u32),
    /// Code of a function.
    Function(ItemId),
}

/// Where an item stands and how reports call it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Item {
    /// Which item.
    pub id: ItemId,
    /// Stable key, as for functions; unique among items.
    pub key: u128,
    /// As in a report: `@main`.
    pub name: String,
    /// Path as in a report.
    pub file: String,
    /// Line of its first byte, from 1.
    pub base_line: u32,
    /// Left out of reports.
    pub hidden: bool,
}

//! Function records: how the panic report and the unwinder find their way (decisions 9 and 10).
//!
//! The image holds, in read-only memory, a table of [`FunctionRecord`]s in address order and the bytes they point to. For each function: where it
//! starts, how its frame looks, and its *sites*, one a call: return address, landing pad, and the chain of places for the report. Names and base
//! lines stand in a table of their own, [`ItemRecord`], one an item, so that a line shift changes that table alone.
//!
//! Every address inside the tables is relative to the field that holds it ([`FieldOffset`]): a position-independent link needs no relocation at
//! start, and records do not change when the tables move together.
//!
//! # Site bytes
//! Unsigned LEB128 numbers. First the number of sites; then for each site, in order of return offset:
//! the distance of its return offset from that of the site before (from 0 for the first); `chain length * 2 + (1 when it has a landing pad)`;
//! the offset of the pad when it has one; then for each place of the chain, innermost first: item index, line relative to the item's base line
//! (1 is the base line itself), column. `rt-pure` reads them, `image` writes them.

/// A signed distance in bytes from the field itself to what it names.
pub type FieldOffset = i32;

/// One function, or one free slot of the image (`size` 0). Little-endian.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FunctionRecord {
    /// First byte of its code.
    pub start: FieldOffset,
    /// Bytes of code; 0 for a free slot.
    pub size: u32,
    /// Bytes between the saved `rbp` and the lowest byte of the frame; meaningless without [`HAS_FRAME`].
    pub frame_size: u32,
    /// Its site bytes; 0 when it has none.
    pub sites: FieldOffset,
    /// Index of its item in the item table.
    pub item: u32,
    /// Callee-saved registers stored in the frame, bit = register number; the stores stand at `rbp - 8`, `rbp - 16`, ... in ascending register order.
    pub saved_mask: u16,
    /// [`HAS_FRAME`] or 0.
    pub flags: u16,
}

/// The function saves `rbp` and sets it up (`push rbp; mov rbp, rsp`). Without it: a leaf whose return address is on top of the stack.
pub const HAS_FRAME: u16 = 1;

/// First byte of a landing pad that catches: `nop`, which no other begins with.
pub const CATCHES: u8 = 0x90;

/// Where an item stands: the position table. A row with an empty name is free.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ItemRecord {
    /// The name as it stands in a report (`@level`), UTF-8.
    pub name: FieldOffset,
    /// The file name, UTF-8.
    pub file: FieldOffset,
    /// Bytes of the name.
    pub name_len: u32,
    /// Bytes of the file name.
    pub file_len: u32,
    /// Line of the item's first byte, from 1.
    pub base_line: u32,
    /// 1 when frames of this item are left out of reports (library code).
    pub hidden: u32,
}

/// How the names of functions that drop values of a type begin; the name of the type and `>` follow. No function of a program has such a name.
pub const DROP_PREFIX: &[u8] = b"@drop<";

/// What the runtime finds behind the symbol [`HEADER_SYMBOL`]: addresses of everything above, filled by the linker.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Magic `ORIFUNC2`.
    pub magic: u64,
    /// `main` of the program: `extern "sysv64" fn(args: *const [u64; 3]) -> i64`, called by the runtime after set-up.
    pub entry: u64,
    /// Address of the function records.
    pub functions: u64,
    /// Number of function records.
    pub function_count: u64,
    /// Address of the item table.
    pub items: u64,
    /// Number of rows in the item table.
    pub item_count: u64,
    /// [`ENTRY_RETURNS_STATUS`] and [`FUNCTIONS_SORTED`].
    pub flags: u64,
}

/// The low 8 bits of what `entry` returns are the exit status; without it the status is 0 whatever `rax` holds.
pub const ENTRY_RETURNS_STATUS: u64 = 1;
/// The function records are in address order. Without it (a foreign linker may have moved functions) the runtime searches linearly.
pub const FUNCTIONS_SORTED: u64 = 2;

/// Symbol of the [`Header`].
pub const HEADER_SYMBOL: &str = "ori_header";
/// Symbol of the entry point of a static executable.
pub const START_SYMBOL: &str = "_start";

/// `ORIFUNC2` as a little-endian number.
pub const MAGIC: u64 = u64::from_le_bytes(*b"ORIFUNC2");

const _: () = assert!(size_of::<FunctionRecord>() == 24 && size_of::<ItemRecord>() == 24 && size_of::<Header>() == 56);

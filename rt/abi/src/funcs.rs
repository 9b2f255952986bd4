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
    /// Magic `ORIFUNC3`.
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
    /// Address of the reader of frames that have no function record ([`FRAMES_SYMBOL`]); 0 when every function has one, and then it is not linked.
    pub frames: u64,
    /// Address of the ELF header ([`IMAGE_SYMBOL`]), where the reader begins; 0 without reader.
    pub image: u64,
}

/// A place in the source, for code of other compilers: constants of their objects name the places of calls by the addresses of these records.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlaceRecord {
    /// Address of the [`ItemRecord`] whose source it is.
    pub item: u64,
    /// Line relative to the item's base line (1 is the base line itself).
    pub line: u32,
    /// Column from 1.
    pub column: u32,
    /// Address of the place that this one was inlined at; 0 at the end of the chain.
    pub next: u64,
}

/// The low 8 bits of what `entry` returns are the exit status; without it the status is 0 whatever `rax` holds.
pub const ENTRY_RETURNS_STATUS: u64 = 1;
/// The function records are in address order. Without it (a foreign linker may have moved functions) the runtime searches linearly.
pub const FUNCTIONS_SORTED: u64 = 2;

/// Symbol of the [`Header`].
pub const HEADER_SYMBOL: &str = "ori_header";
/// Symbol of the entry point of a static executable.
pub const START_SYMBOL: &str = "_start";

/// Reads frames by `.eh_frame` and `.gcc_except_table`; named by [`Header::frames`] alone.
pub const FRAMES_SYMBOL: &str = "ori_frames";
/// The ELF header of a linked program; linkers define it.
pub const IMAGE_SYMBOL: &str = "__ehdr_start";
/// The panic entry of code without sites: `extern "sysv64" fn(first: u64, second: u64, kind: u64, place: *const PlaceRecord) -> !`. Arguments are those of
/// the kind's own entry, `kind` is its number, `place` the chain of the panic.
pub const PANIC_AT_SYMBOL: &str = "ori_panic_at";
/// `debug_print` for code without sites: `extern "sysv64" fn(text: *const [u64; 3], place: *const PlaceRecord)`.
pub const DEBUG_PRINT_AT_SYMBOL: &str = "ori_debug_print_at";
/// `mem_event` for code without sites: `extern "sysv64" fn(event: u64, block: *mut u8, place: *const PlaceRecord)`.
pub const MEM_EVENT_AT_SYMBOL: &str = "ori_mem_event_at";
/// The personality that objects of LLVM name. Never called: the runtime reads their tables itself.
pub const PERSONALITY_SYMBOL: &str = "ori_personality";
/// Goes on unwinding behind a landing pad of LLVM: `extern "sysv64" fn(exception: u64) -> !`.
pub const FOREIGN_RESUME_SYMBOL: &str = "ori_unwind_resume";
/// The same under the name that LLVM calls. Weak and hidden, so that it neither clashes with the one of a C library nor takes its place in shared libraries.
/// A static C library's own takes its place: objects that are to be linked with one define a local function of this name, which calls
/// [`FOREIGN_RESUME_SYMBOL`].
pub const RESUME_SYMBOL: &str = "_Unwind_Resume";
/// What only code of other compilers calls.
pub const FOREIGN_SYMBOLS: [&str; 7] =
    [FRAMES_SYMBOL, PANIC_AT_SYMBOL, DEBUG_PRINT_AT_SYMBOL, MEM_EVENT_AT_SYMBOL, PERSONALITY_SYMBOL, FOREIGN_RESUME_SYMBOL, RESUME_SYMBOL];

/// `ORIFUNC3` as a little-endian number.
pub const MAGIC: u64 = u64::from_le_bytes(*b"ORIFUNC3");

const _: () = assert!(size_of::<FunctionRecord>() == 24 && size_of::<ItemRecord>() == 24 && size_of::<PlaceRecord>() == 24);
const _: () = assert!(size_of::<Header>() == 72);

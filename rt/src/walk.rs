//! The stack walk: program counters to function records, sites and places.
//!
//! Native functions save `rbp`, so frames are a chain; only a leaf may go without, and then its return address lies directly above the one that
//! the panic entry was called with. Frames of LLVM's code are read by [`crate::frames`], which is there when the header names it. The walk ends at the first
//! address that neither knows, which is the runtime's own start.
#![allow(unsafe_code)] // reads the stack and the linker's tables

use abi::funcs::{DROP_PREFIX, FUNCTIONS_SORTED, FunctionRecord, Header, ItemRecord, PlaceRecord};
use pure::Frame;
use pure::sites::{Place, Site, Sites};

use crate::unwind::{self, Call, Reader};

unsafe extern "C" {
    /// Made by the linker: `abi::funcs::HEADER_SYMBOL`.
    pub static ori_header: Header;
}

/// The linker's tables.
#[derive(Clone, Copy)]
pub struct Tables<'a>(&'a Header);

impl Tables<'static> {
    /// The tables of this program.
    pub fn of_program() -> Self {
        // SAFETY: the linker fills the header and the tables it names, in read-only memory.
        unsafe { Tables::of_header(&ori_header) }
    }
}

impl<'a> Tables<'a> {
    /// The tables behind a header.
    ///
    /// # Safety
    /// The header must describe tables that live as long, and a reader or none.
    pub unsafe fn of_header(header: &'a Header) -> Self {
        Tables(header)
    }

    fn functions(self) -> &'a [FunctionRecord] {
        // SAFETY: by the promise of `of_header`.
        unsafe { core::slice::from_raw_parts(self.0.functions as *const FunctionRecord, self.0.function_count as usize) }
    }

    fn items(self) -> &'a [ItemRecord] {
        // SAFETY: the same promise.
        unsafe { core::slice::from_raw_parts(self.0.items as *const ItemRecord, self.0.item_count as usize) }
    }

    fn reader(self) -> Option<Reader> {
        // SAFETY: the same promise; 0 is `None`.
        unsafe { core::mem::transmute::<usize, Option<Reader>>(self.0.frames as usize) }
    }
}

/// First byte of the code of a function.
pub fn start_of(record: &FunctionRecord) -> *const u8 {
    field_target(&record.start)
}

fn field_target(field: &i32) -> *const u8 {
    (field as *const i32).cast::<u8>().wrapping_offset(*field as isize)
}

impl<'a> Tables<'a> {
    /// The function whose code holds `pc` or ends right before it (a return address may stand behind the last instruction), with the offset.
    pub fn function(self, pc: usize) -> Option<(&'a FunctionRecord, u32)> {
        let start = |record: &FunctionRecord| field_target(&record.start) as usize;
        let found = if self.0.flags & FUNCTIONS_SORTED != 0 {
            let above = self.functions().partition_point(|record| start(record) < pc);
            self.functions().get(above.checked_sub(1)?)
        } else {
            self.functions().iter().find(|record| pc > start(record) && pc - start(record) <= record.size as usize)
        }?;
        let offset = pc - start(found);
        if offset <= found.size as usize { Some((found, offset as u32)) } else { None }
    }

    /// Names of the types whose values the program has a function to drop.
    pub fn dropped(self) -> impl Iterator<Item = &'a [u8]> {
        self.items().iter().filter_map(|item| {
            // SAFETY: the linker wrote a name of this length.
            let name = unsafe { core::slice::from_raw_parts(field_target(&item.name), item.name_len as usize) };
            name.strip_prefix(DROP_PREFIX)?.strip_suffix(b">")
        })
    }

    /// The sites of a function.
    pub fn sites(self, record: &'a FunctionRecord) -> Sites<'a> {
        // SAFETY: the linker wrote well-formed site bytes there; the reader never goes behind the count they begin with.
        match record.sites {
            0 => Sites::new(&[]),
            _ => Sites::new(unsafe { core::slice::from_raw_parts(field_target(&record.sites), 1 << 30) }),
        }
    }

    /// The site of the call that returns to `pc`.
    pub fn site(self, pc: usize) -> Option<(&'a FunctionRecord, Site<'a>)> {
        let (record, offset) = self.function(pc)?;
        self.sites(record).find(|site| site.return_offset == offset).map(|site| (record, site))
    }

    /// What is known of the call of a frame without function record; false when there is nothing.
    ///
    /// # Safety
    /// The frame must be one of compiled code, or one of no code that the program's `.eh_frame` knows, or its `sp` is 0.
    pub unsafe fn read_foreign(self, frame: &unwind::Frame, call: &mut Call) -> bool {
        // SAFETY: as the caller says; the linker filled the header in.
        self.reader().is_some_and(|reader| unsafe { reader(self.0.image, frame, call) })
    }

    /// A place as a report prints it.
    pub fn frame(self, place: Place) -> Option<Frame<'a>> {
        Some(shown(self.items().get(place.item as usize)?, place.line, place.column))
    }

    /// The place of an exhausted stack: the next call of the function at `pc`, or of the nearest caller found on the stack when `pc` is in the
    /// runtime.
    ///
    /// # Safety
    /// `stack` must be readable words.
    pub fn nearest(self, pc: usize, stack: &'a [usize]) -> Option<Frame<'a>> {
        let (record, offset) = match self.function(pc) {
            Some(found) if found.1 < found.0.size => found,
            // The runtime keeps no frame chain, nor does LLVM's code; any word that is the return address of a known call stands for its caller.
            _ => {
                let mut words = stack.iter();
                loop {
                    let &word = words.next()?;
                    if let Some((record, site)) = self.site(word) {
                        break (record, site.return_offset);
                    }
                    if let Some(place) = self.foreign_place(word) {
                        return Some(place);
                    }
                }
            }
        };
        let mut nearest = Place { item: record.item, line: 1, column: 1 };
        for site in self.sites(record) {
            // The outermost place of a chain is in the function itself.
            if let Some(place) = site.places.last() {
                nearest = place;
                if site.return_offset >= offset {
                    break;
                }
            }
        }
        self.frame(nearest)
    }

    /// The place of the call of LLVM's code that returns to `pc`.
    fn foreign_place(self, pc: usize) -> Option<Frame<'static>> {
        self.reader()?;
        // SAFETY: `sp` is 0, and the caller that is read is the end of the stack.
        unsafe { pure::report::place_of(Walk::new(Tables::of_program(), unwind::Frame { pc, sp: 0, kept: [0; 6] }, core::ptr::null())) }
    }
}

/// A place of an item as a report prints it.
fn shown(item: &ItemRecord, line: u32, column: u32) -> Frame<'_> {
    // SAFETY: the linker wrote names of these lengths.
    let (function, file) = unsafe {
        (
            core::slice::from_raw_parts(field_target(&item.name), item.name_len as usize),
            core::slice::from_raw_parts(field_target(&item.file), item.file_len as usize),
        )
    };
    Frame { function, file, line: item.base_line.saturating_add(line.saturating_sub(1)), column, hidden: item.hidden != 0 }
}

/// The rest of a chain of places: constants of an object.
#[derive(Clone)]
struct Chain(*const PlaceRecord);

impl Iterator for Chain {
    type Item = Frame<'static>;

    fn next(&mut self) -> Option<Frame<'static>> {
        // SAFETY: whoever made the chain found it in compiled code, whose constants name constants.
        unsafe {
            let place = self.0.as_ref()?;
            self.0 = place.next as *const PlaceRecord;
            Some(shown((place.item as *const ItemRecord).as_ref()?, place.line, place.column))
        }
    }
}

/// A walk up the stack, one place at a time.
#[derive(Clone)]
pub struct Walk {
    tables: Tables<'static>,
    frame: unwind::Frame,
    /// What is known of the frame's call; before the first was read, its caller is the first frame.
    call: Call,
    chain: Chain,
}

impl Walk {
    /// A walk from a call in this frame; `place` is its place when compiled code passes it, or null.
    ///
    /// # Safety
    /// Both must come from the entry of a call made by compiled code.
    pub unsafe fn new(tables: Tables<'static>, frame: unwind::Frame, place: *const PlaceRecord) -> Self {
        Walk { tables, frame, call: Call { caller: frame, ..Call::NONE }, chain: Chain(place) }
    }

    /// Before the first place was taken: is there a function on the stack of which the walk will yield no place?
    pub fn omits(mut self) -> bool {
        let mut is_known = !self.chain.0.is_null();
        // SAFETY: `new` was given a frame of compiled code.
        while self.tables.reader().is_some() && unsafe { self.frame.read(self.tables, &mut self.call) } {
            if self.call.record.is_none() && self.call.chain.is_null() && !is_known {
                return true;
            }
            is_known = false;
            self.frame = self.call.caller;
        }
        false
    }
}

impl Iterator for Walk {
    type Item = Frame<'static>;

    fn next(&mut self) -> Option<Frame<'static>> {
        loop {
            if let Some(place) = self.chain.next() {
                return Some(place);
            }
            if let Some(place) = self.call.places.next() {
                return self.tables.frame(place);
            }
            if self.call.chain.is_null() {
                self.frame = self.call.caller;
                self.call.wanted = 0;
            } else {
                self.call.wanted += 1;
            }
            // SAFETY: `new` was given a frame of compiled code.
            if !unsafe { self.frame.read(self.tables, &mut self.call) } {
                return None;
            }
            self.chain = Chain(self.call.chain);
        }
    }
}

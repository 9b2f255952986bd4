//! The stack walk: program counters to function records, sites and places.
//!
//! Compiled functions save `rbp`, so frames are a chain; only a leaf may go without, and then its return address lies directly above the one that
//! the panic entry was called with. The walk ends at the first address outside every record, which is the runtime's own start.
#![allow(unsafe_code)] // reads the stack and the linker's tables

use abi::funcs::{DROP_PREFIX, FUNCTIONS_SORTED, FunctionRecord, HAS_FRAME, Header, ItemRecord};
use pure::Frame;
use pure::sites::{Place, Places, Site, Sites};

unsafe extern "C" {
    /// Made by the linker: `abi::funcs::HEADER_SYMBOL`.
    pub static ori_header: Header;
}

/// The linker's tables.
#[derive(Clone, Copy)]
pub struct Tables<'a> {
    functions: &'a [FunctionRecord],
    items: &'a [ItemRecord],
    sorted: bool,
}

impl Tables<'static> {
    /// The tables of this program.
    pub fn of_program() -> Self {
        // SAFETY: the linker fills the header and the tables it names, in read-only memory.
        unsafe { Tables::of_header(&ori_header) }
    }

    /// The tables behind a header.
    ///
    /// # Safety
    /// The header must describe tables that live as long as the process.
    pub unsafe fn of_header(header: &Header) -> Self {
        // SAFETY: by the caller's promise.
        unsafe {
            Tables {
                functions: core::slice::from_raw_parts(header.functions as *const FunctionRecord, header.function_count as usize),
                items: core::slice::from_raw_parts(header.items as *const ItemRecord, header.item_count as usize),
                sorted: header.flags & FUNCTIONS_SORTED != 0,
            }
        }
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
        let found = if self.sorted {
            let above = self.functions.partition_point(|record| start(record) < pc);
            self.functions.get(above.checked_sub(1)?)
        } else {
            self.functions.iter().find(|record| pc > start(record) && pc - start(record) <= record.size as usize)
        }?;
        let offset = pc - start(found);
        if offset <= found.size as usize { Some((found, offset as u32)) } else { None }
    }

    /// Names of the types whose values the program has a function to drop.
    pub fn dropped(self) -> impl Iterator<Item = &'a [u8]> {
        self.items.iter().filter_map(|item| {
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

    /// A place as a report prints it.
    pub fn frame(self, place: Place) -> Option<Frame<'a>> {
        let item = self.items.get(place.item as usize)?;
        // SAFETY: the linker wrote names of these lengths.
        let (function, file) = unsafe {
            (
                core::slice::from_raw_parts(field_target(&item.name), item.name_len as usize),
                core::slice::from_raw_parts(field_target(&item.file), item.file_len as usize),
            )
        };
        let line = item.base_line.saturating_add(place.line.saturating_sub(1));
        Some(Frame { function, file, line, column: place.column, hidden: item.hidden != 0 })
    }

    /// The place of an exhausted stack: the next call of the function at `pc`, or of the nearest caller found on the stack when `pc` is in the
    /// runtime.
    ///
    /// # Safety
    /// `stack` must be readable words.
    pub fn nearest(self, pc: usize, stack: &'a [usize]) -> Option<Frame<'a>> {
        let (record, offset) = match self.function(pc) {
            Some(found) if found.1 < found.0.size => found,
            // The runtime keeps no frame chain; any word that is the return address of a known call stands for its caller.
            _ => stack.iter().find_map(|&word| self.site(word).map(|(record, site)| (record, site.return_offset)))?,
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
}

/// A walk up the stack, one place at a time.
#[derive(Clone)]
pub struct Walk<'a> {
    tables: Tables<'a>,
    places: Places<'a>,
    pc: usize,
    bp: *const usize,
    /// The word above the return address of the panic call, for a leaf without frame.
    above: *const usize,
    first: bool,
}

impl<'a> Walk<'a> {
    /// A walk from a call whose return address stands at `sp`, made by a function whose `rbp` was `bp`.
    ///
    /// # Safety
    /// Both must come from the entry of a call made by compiled code.
    pub unsafe fn new(tables: Tables<'a>, sp: *const usize, bp: *const usize) -> Self {
        // SAFETY: by the caller's promise.
        let pc = unsafe { *sp };
        Walk { tables, places: Places::default(), pc, bp, above: sp.wrapping_add(1), first: true }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        loop {
            if let Some(place) = self.places.next() {
                return self.tables.frame(place);
            }
            let (record, _) = self.tables.function(self.pc)?;
            if let Some((_, site)) = self.tables.site(self.pc) {
                self.places = site.places;
            }
            // SAFETY: a function with a frame has saved the caller's `rbp` and its return address at `rbp`; one without is a leaf, and `above` is
            // the word that its own call pushed.
            unsafe {
                if record.flags & HAS_FRAME != 0 {
                    self.pc = *self.bp.add(1);
                    self.bp = *self.bp as *const usize;
                } else if self.first {
                    self.pc = *self.above;
                } else {
                    self.pc = 0;
                }
            }
            self.first = false;
        }
    }
}

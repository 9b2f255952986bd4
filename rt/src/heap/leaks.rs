//! The report of blocks that are still in use at exit (`language/13` §13.9), wanted by `ORI_CHECK_LEAKS`. Nothing is counted while the program runs: the
//! slabs are walked, and what stands on no list of free blocks is in use.
//!
//! A block tells the tag of its type. The names are those of the functions that drop values, which the table of items has; without one a block is known
//! by its size alone.

use abi::layout::{CELL_CLASSES, CELL_COUNT, CELL_META, COUNT_IMMORTAL, TEXT_TAG};

use core::sync::atomic::{AtomicPtr, Ordering};

use pure::Frame;

use super::{Thread, thread};
use crate::output::{self, Report};
use crate::panic;
use crate::walk::Tables;

/// Lines of blocks at most.
const LINES: usize = 50;

/// A block in use.
#[derive(Clone, Copy)]
struct Live {
    tag: u32,
    bytes: usize,
    shares: i64,
    block: usize,
}

/// Is a variable of the environment set to something that is neither empty nor `0`?
pub fn wants(variable: &[u8]) -> bool {
    !matches!(panic::variable(variable), None | Some(b"" | b"0"))
}

/// Who knows where a block was made: nobody, but in programs that watch their memory.
pub static MADE_AT: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
/// What it gives for a block.
pub type MadeAt = fn(usize) -> Option<Frame<'static>>;

fn made_at(block: usize) -> Option<Frame<'static>> {
    let known = MADE_AT.load(Ordering::Relaxed);
    if known.is_null() {
        return None;
    }
    // SAFETY: nothing but such a function is ever stored.
    let known = unsafe { core::mem::transmute::<*mut (), MadeAt>(known) };
    known(block)
}

/// Writes what is still in use to standard error, if somebody wants to know; is there anything?
pub fn report() -> bool {
    if !wants(b"ORI_CHECK_LEAKS") {
        return false;
    }
    output::flush();
    // SAFETY: the state of this thread; the program is over.
    let thread = unsafe { &mut *thread() };
    mark_free(thread);
    let (mut count, mut bytes) = (0usize, 0usize);
    // The first lines in the order of the report, without memory of their own: a leak check that allocates would report itself.
    let mut lines: [Option<Live>; LINES] = [None; LINES];
    let tables = Tables::of_program();
    let before = |a: &Live, b: &Live| match a.tag == b.tag {
        true => (a.bytes, a.shares) < (b.bytes, b.shares),
        false => (name(tables, a.tag), a.tag) < (name(tables, b.tag), b.tag),
    };
    thread.segments.each(&mut |parts, room| {
        // SAFETY: the block has a header.
        let (shares, meta) =
            unsafe { (parts.offset(CELL_COUNT as isize).cast::<i32>().read(), parts.offset(CELL_META as isize).cast::<u32>().read()) };
        if shares == COUNT_IMMORTAL {
            return;
        }
        count += 1;
        bytes += room;
        let mut row = Live { tag: meta >> 8, bytes: room, shares: i64::from(shares) + 1, block: parts as usize };
        if lines.last().and_then(Option::as_ref).is_some_and(|last| !before(&row, last)) {
            return;
        }
        for line in &mut lines {
            match line {
                Some(other) if !before(&row, other) => {}
                Some(other) => core::mem::swap(other, &mut row),
                None => {
                    *line = Some(row);
                    break;
                }
            }
        }
    });
    if count == 0 {
        return false;
    }
    let mut report = Report::default();
    pure::report::leaks(count, bytes, &mut |piece| report.add(piece));
    for line in lines.iter().flatten() {
        pure::report::leak(name(tables, line.tag), line.bytes, line.shares, made_at(line.block), &mut |piece| report.add(piece));
    }
    if count > LINES {
        pure::report::more_leaks(count - LINES, &mut |piece| report.add(piece));
    }
    report.send();
    true
}

/// Gives every free block the count of what nobody counts, so that it is not shown.
fn mark_free(thread: &mut Thread) {
    for class in 1..CELL_CLASSES {
        let mut block = thread.free[class];
        while !block.is_null() {
            // SAFETY: a free block has a header and begins with the address of the next.
            unsafe {
                super::make_immortal(block);
                block = block.cast::<*mut u8>().read();
            }
        }
    }
}

/// The name of a type, from that of the function that drops its values.
pub fn name(tables: Tables<'static>, tag: u32) -> &'static [u8] {
    if tag == TEXT_TAG {
        return b"str";
    }
    tables.dropped().find(|name| abi::layout::type_tag(name) == tag).unwrap_or(b"")
}

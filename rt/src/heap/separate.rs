//! Where blocks come from under a C library: each is one allocation of `malloc`, so that what watches that knows every block, its ends and its life.
//!
//! A block has what a large one has in front of its parts: its links, its size, its header. The links are kept inverted: tools that look for what
//! nothing points to would else find every block in the list of all.

use crate::{fault, hosted};

/// Bytes in front of the parts.
const PREFIX: usize = size_of::<Links>();

#[repr(C)]
struct Links {
    previous: usize,
    next: usize,
    size: u64,
    header: u64,
}

const _: () = assert!(PREFIX == 32 && abi::layout::CELL_LARGE_SIZE == -16);

/// In the place of a link of a block that was given back. No link is so small, inverted as it is; and none is what AddressSanitizer fills such blocks with.
const GONE: usize = 0;
/// Addresses of programs are below this.
const ADDRESSES: usize = 1 << 47;

/// The blocks of a thread. All zero at its start.
pub struct Segments {
    first: *mut Links,
}

fn hidden(links: *mut Links) -> usize {
    !links.expose_provenance()
}

fn shown(hidden: usize) -> *mut Links {
    core::ptr::with_exposed_provenance_mut(!hidden)
}

impl Segments {
    /// There are no lists of free blocks, and no code for this runtime asks for one.
    pub fn refill(&mut self, _class: u8) -> *mut u8 {
        fault::defect()
    }

    /// A block for `size` bytes of parts. Ends the process when there is no memory.
    pub fn large(&mut self, size: usize) -> *mut u8 {
        let links = match size.checked_add(PREFIX) {
            Some(total) => hosted::take(total).cast::<Links>(),
            None => core::ptr::null_mut(),
        };
        if links.is_null() {
            fault::out_of_memory(size);
        }
        // SAFETY: the block is ours, and has room for its prefix; the blocks in the list are in use.
        unsafe {
            links.write(Links { previous: hidden(core::ptr::null_mut()), next: hidden(self.first), size: size as u64, header: 0 });
            if !self.first.is_null() {
                (*self.first).previous = hidden(links);
            }
        }
        self.first = links;
        links.wrapping_add(1).cast()
    }

    /// Gives a block back.
    ///
    /// # Safety
    /// It must come from [`Segments::large`], and nobody may use it any more.
    pub unsafe fn free_large(&mut self, parts: *mut u8) {
        // SAFETY: `large` wrote the prefix; the blocks in the list are in use.
        unsafe {
            let links = parts.sub(PREFIX).cast::<Links>();
            if !(*links).previous < ADDRESSES {
                self.unlink(links);
            }
            // A block that comes a second time has no links, and whoever watches `free` says what is wrong.
            (*links).previous = GONE;
            hosted::give(links.cast());
        }
    }

    /// Takes a block out of the list.
    ///
    /// # Safety
    /// It must be in use.
    unsafe fn unlink(&mut self, links: *mut Links) {
        // SAFETY: blocks in the list are in use.
        unsafe {
            let (previous, next) = (shown((*links).previous), shown((*links).next));
            if previous.is_null() {
                self.first = next;
            } else {
                (*previous).next = hidden(next);
            }
            if !next.is_null() {
                (*next).previous = hidden(previous);
            }
        }
    }

    /// No block grows in place: what goes on to use the old one is to be found.
    ///
    /// # Safety
    /// None is needed.
    pub unsafe fn extend(&mut self, _parts: *mut u8, _size: usize) -> Option<*mut u8> {
        None
    }

    /// Shows every block in use, by its parts and the bytes that they have room for.
    pub fn each(&self, visit: &mut dyn FnMut(*mut u8, usize)) {
        let mut links = self.first;
        while !links.is_null() {
            // SAFETY: blocks in the list are in use.
            unsafe {
                visit(links.add(1).cast(), (*links).size as usize);
                links = shown((*links).next);
            }
        }
    }
}

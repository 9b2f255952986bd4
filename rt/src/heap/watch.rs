//! What happens to blocks, told by programs that were built with `--mem-debug`: compiled code calls `mem_event` for each. Counts for `ORI_RC_STATS`, lines for
//! `ORI_TRACE_RC`, and for the report of leaks where each block was made. Programs built without it have none of this.
//!
//! Blocks that the runtime makes and frees by itself are not seen: they are nobody's. What it frees for compiled code is known by the count at the call.
#![allow(unsafe_code)] // headers of blocks, memory of its own

use core::arch::global_asm;
use core::cell::UnsafeCell;
use core::sync::atomic::Ordering;

use abi::funcs::PlaceRecord;
use abi::layout::{CELL_COUNT, CELL_META, COUNT_IMMORTAL, MemEvent};
use pure::Frame;

use super::leaks::{self, MadeAt};
use super::{AT_EXIT, AtExit};
use crate::output::{self, Report};
use crate::unwind::{self, push_frame};
use crate::walk::{Tables, Walk};
use crate::{fault, panic, start, system};

// As `debug_print`: the frame is laid down below the return address, and code of LLVM passes the place, here in `rdx`.
global_asm!(
    ".section .text.ori_mem_event,\"ax\",@progbits",
    ".globl ori_mem_event",
    ".type ori_mem_event,@function",
    "ori_mem_event:",
    "    xor edx, edx",
    "    jmp ori_mem_event_at",
    ".size ori_mem_event, . - ori_mem_event",
    ".section .text.ori_mem_event_at,\"ax\",@progbits",
    ".globl ori_mem_event_at",
    ".type ori_mem_event_at,@function",
    "ori_mem_event_at:",
    "    mov rax, rsp",
    push_frame!(),
    "    mov rcx, rsp",
    "    push rax",
    "    call {mem_event}",
    "    add rsp, 72",
    "    ret",
    ".size ori_mem_event_at, . - ori_mem_event_at",
    ".text",
    mem_event = sym mem_event,
);

/// A block in use.
#[derive(Clone, Copy)]
struct Known {
    /// 0: none ever was here.
    address: usize,
    is_live: bool,
    number: u64,
    /// Of its type.
    tag: u32,
    made_at: Option<Frame<'static>>,
}

/// Room of the first table.
const LEAST: usize = 1 << 10;

struct Watch {
    table: *mut Known,
    room: usize,
    /// Places that are or were somebody's.
    used: usize,
    live: u64,
    traces: Option<bool>,
    /// Ops that may have panicked, which of them is to, and which block is not to be had.
    risks: u64,
    panic_at: Option<u64>,
    fail_at: Option<u64>,
    made: u64,
    freed: u64,
    dups: u64,
    drops: u64,
    sole: u64,
    shared: u64,
    reuses: u64,
}

struct One(UnsafeCell<Watch>);
// SAFETY: there is one thread.
unsafe impl Sync for One {}
static WATCH: One = One(UnsafeCell::new(Watch {
    table: core::ptr::null_mut(),
    room: 0,
    used: 0,
    live: 0,
    traces: None,
    risks: 0,
    panic_at: None,
    fail_at: None,
    made: 0,
    freed: 0,
    dups: 0,
    drops: 0,
    sole: 0,
    shared: 0,
    reuses: 0,
}));

fn watch() -> &'static mut Watch {
    // SAFETY: one thread, and no function here holds the reference while calling another that takes it.
    unsafe { &mut *WATCH.0.get() }
}

extern "sysv64" fn mem_event(event: u64, block: usize, place: *const PlaceRecord, frame: &unwind::Frame) {
    let Some(&event) = MemEvent::ALL.get(event as usize) else { return };
    // Texts that stand in their value, empty lists and literals have no block.
    if (block as isize) <= 0 {
        return;
    }
    // SAFETY: compiled code names a block in use.
    let (count, meta) = unsafe {
        let parts = block as *const u8;
        (parts.offset(CELL_COUNT as isize).cast::<i32>().read(), parts.offset(CELL_META as isize).cast::<u32>().read())
    };
    if count == COUNT_IMMORTAL {
        return;
    }
    AT_EXIT.store(report as AtExit as *mut (), Ordering::Relaxed);
    leaks::MADE_AT.store(made_at as MadeAt as *mut (), Ordering::Relaxed);
    let watch = watch();
    let traces = *watch.traces.get_or_insert_with(|| leaks::wants(b"ORI_TRACE_RC"));
    // SAFETY: the stub passes the registers of compiled code, which passes the address of a constant.
    let frame = || pure::report::place_of(unsafe { Walk::new(Tables::of_program(), *frame, place) });
    let holders = i64::from(count) + 1;
    let known = watch.find(block).map(|known| *known);
    if let Some(known) = known
        && !known.is_live
        && !matches!(event, MemEvent::Alloc | MemEvent::Given)
    {
        underflow(&known);
    }
    let number = known.filter(|known| known.is_live).map(|known| known.number);
    // The header of what dies may be a link to what dies with it.
    let tag = known.filter(|known| known.is_live).map_or(meta >> 8, |known| known.tag);
    let (what, number, shown): (&[u8], u64, Option<i64>) = match event {
        MemEvent::Given if number.is_some() => return,
        MemEvent::Alloc | MemEvent::Given => {
            // What was here before the runtime has freed by itself.
            watch.forget(block);
            watch.made += 1;
            if *watch.fail_at.get_or_insert_with(|| setting(b"ORI_FAIL_AT")) == watch.made {
                // SAFETY: it was just made.
                fault::out_of_memory(unsafe { super::room(block as *const u8) });
            }
            let number = watch.made;
            watch.add(Known { address: block, is_live: true, number, tag: meta >> 8, made_at: frame() });
            (b"alloc", number, None)
        }
        MemEvent::Dup => {
            watch.dups += 1;
            (b"dup", number.unwrap_or(0), Some(holders + 1))
        }
        MemEvent::Drop | MemEvent::Release => {
            watch.drops += 1;
            if event == MemEvent::Release && count == 0 {
                watch.forget(block);
            }
            (b"drop", number.unwrap_or(0), Some(holders - 1))
        }
        MemEvent::Free => {
            watch.forget(block);
            (b"free", number.unwrap_or(0), None)
        }
        MemEvent::Test => {
            let is_sole = count == 0;
            *(if is_sole { &mut watch.sole } else { &mut watch.shared }) += 1;
            (b"test", number.unwrap_or(0), Some(holders))
        }
        MemEvent::Reuse => {
            watch.reuses += 1;
            if let Some(known) = watch.find(block) {
                (known.made_at, known.tag) = (frame(), meta >> 8);
            }
            (b"reuse", number.unwrap_or(0), None)
        }
    };
    if !traces {
        return;
    }
    output::flush();
    let mut line = Report::default();
    let name = leaks::name(Tables::of_program(), tag);
    pure::report::mem_event(what, number, name, shown, frame(), &mut |piece| line.add(piece));
    line.send();
}

/// `panic_due`: is it the turn of what follows to panic?
#[unsafe(no_mangle)]
pub extern "sysv64" fn ori_panic_due() -> i64 {
    let watch = watch();
    let at = *watch.panic_at.get_or_insert_with(|| setting(b"ORI_PANIC_AT"));
    watch.risks += 1;
    AT_EXIT.store(report as AtExit as *mut (), Ordering::Relaxed);
    i64::from(at == watch.risks)
}

/// What a variable of the environment says; 0 without one.
fn setting(variable: &[u8]) -> u64 {
    panic::variable(variable).and_then(start::decimal).unwrap_or(0) as u64
}

impl Watch {
    /// Where a block stands in the table, or would.
    fn slot(&self, address: usize) -> Option<&'static mut Known> {
        let mut at = (address >> 3).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for _ in 0..self.room {
            at = (at.wrapping_add(1)) & (self.room - 1);
            // SAFETY: the table has so much room.
            let known = unsafe { &mut *self.table.add(at) };
            if known.address == address || known.address == 0 {
                return Some(known);
            }
        }
        None
    }

    fn find(&self, address: usize) -> Option<&'static mut Known> {
        self.slot(address).filter(|known| known.address == address)
    }

    fn forget(&mut self, address: usize) {
        if let Some(known) = self.find(address).filter(|known| known.is_live) {
            known.is_live = false;
            self.freed += 1;
            self.live -= 1;
        }
    }

    fn add(&mut self, known: Known) {
        if self.used * 2 >= self.room {
            self.grow();
        }
        if let Some(slot) = self.slot(known.address) {
            self.used += usize::from(slot.address == 0);
            self.live += 1;
            *slot = known;
        }
    }

    /// A table with room for twice as many. Without memory nothing more is known.
    fn grow(&mut self) {
        let room = (self.used * 4).next_power_of_two().max(LEAST);
        let Some(table) = system::map(room * size_of::<Known>()) else { return };
        let (old, old_room) = (self.table, self.room);
        // Fresh memory is zero, which is an address that none has.
        (self.table, self.room, self.used) = (table.cast(), room, 0);
        for at in 0..old_room {
            // SAFETY: the old table has so much room.
            let known = unsafe { *old.add(at) };
            if known.address != 0
                && let Some(slot) = self.slot(known.address)
            {
                *slot = known;
                self.used += 1;
            }
        }
        if !old.is_null() {
            // SAFETY: nobody knows it any more.
            unsafe { system::unmap(old.cast(), old_room * size_of::<Known>()) };
        }
    }
}

fn made_at(block: usize) -> Option<Frame<'static>> {
    watch().find(block)?.made_at
}

/// Ends the process: somebody gives up, or takes, what has been freed.
fn underflow(known: &Known) -> ! {
    output::flush();
    let mut line = Report::default();
    let name = leaks::name(Tables::of_program(), known.tag);
    pure::report::underflow(name, known.made_at, &mut |piece| line.add(piece));
    line.send();
    system::exit(output::STATUS_FATAL)
}

/// At the end: the counts, and what is still in use.
fn report() -> bool {
    let watch = watch();
    if leaks::wants(b"ORI_RC_STATS") {
        output::flush();
        let counts: [(u64, &[u8]); 8] = [
            (watch.made, b"allocations"),
            (watch.freed, b"frees"),
            (watch.dups, b"dups"),
            (watch.drops, b"drops"),
            (watch.sole, b"uniqueness tests with one holder"),
            (watch.shared, b"with more"),
            (watch.reuses, b"reuses"),
            (watch.risks, b"ops that may panic"),
        ];
        let mut line = Report::default();
        pure::report::mem_counts(&counts, &mut |piece| line.add(piece));
        line.send();
    }
    leaks::report()
}

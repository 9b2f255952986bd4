//! The oracle is the unwinder of the test process itself, which reads the same `.eh_frame`.

use core::arch::{asm, naked_asm};
use core::ffi::{c_int, c_void};
use std::vec::Vec;

use super::bytes::Bytes;
use super::image::{Function, Image};
use super::*;

unsafe extern "C" {
    static __ehdr_start: u8;
    fn _Unwind_Backtrace(step: extern "C" fn(*mut c_void, *mut c_void) -> c_int, state: *mut c_void) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
    fn _Unwind_GetCFA(context: *mut c_void) -> usize;
    fn _Unwind_GetGR(context: *mut c_void, register: c_int) -> usize;
}

fn own_image() -> Image {
    // SAFETY: the linker put the header there.
    unsafe { Image::at(&raw const __ehdr_start as usize) }
}

fn is_own(pc: usize) -> bool {
    !own_image().readable(pc.wrapping_sub(1)).is_empty()
}

/// A frame as either unwinder sees it: return address, stack pointer, kept registers.
type Seen = (usize, usize, [usize; 6]);

extern "C" fn note(context: *mut c_void, state: *mut c_void) -> c_int {
    // SAFETY: `state` is the vector that `oracle` passes, `context` is the unwinder's.
    unsafe {
        let registers = [3, 6, 12, 13, 14, 15].map(|number| _Unwind_GetGR(context, number));
        (*state.cast::<Vec<Seen>>()).push((_Unwind_GetIP(context), _Unwind_GetCFA(context), registers));
    }
    0
}

fn oracle() -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::with_capacity(256);
    // SAFETY: `note` wants a vector.
    unsafe { _Unwind_Backtrace(note, (&raw mut seen).cast()) };
    seen
}

/// Calls `then` with the frame of the caller of this function, as the entries of panics see it.
#[unsafe(naked)]
unsafe extern "sysv64" fn with_frame(then: extern "sysv64" fn(&Frame, *mut Vec<Seen>), state: *mut Vec<Seen>) {
    naked_asm!(
        "push r15",
        "push r14",
        "push r13",
        "push r12",
        "push rbp",
        "push rbx",
        "lea rax, [rsp + 56]",
        "push rax",
        "push qword ptr [rax - 8]",
        "mov rax, rdi",
        "mov rdi, rsp",
        "push rax",
        "call rax",
        "add rsp, 72",
        "ret",
    )
}

/// Follows the frames until they leave the test's executable.
extern "sysv64" fn follow(first: &Frame, state: *mut Vec<Seen>) {
    let mut frame = *first;
    let mut call = Call::NONE;
    let header = &raw const __ehdr_start as u64;
    // SAFETY: frames of this process, and a vector.
    unsafe {
        while is_own(frame.pc) && ori_frames(header, &frame, &mut call) {
            (*state).push((frame.pc, frame.sp, frame.kept));
            frame = call.caller;
        }
    }
}

/// Our walk and the oracle's, from the same function.
#[inline(never)]
fn compare() {
    let mut own: Vec<Seen> = Vec::with_capacity(256);
    // SAFETY: as `follow` wants it.
    unsafe { with_frame(follow, &raw mut own) };
    let other = oracle();
    // Below this function are the oracle's own frames; this function's own differ in the call.
    let here = own.first().expect("a frame").1;
    let start = other.iter().position(|frame| frame.1 >= here && frame.0.abs_diff(own[0].0) < 4096).expect("this function is in it");
    let upper: Vec<&Seen> = other[start..].iter().take_while(|frame| is_own(frame.0)).collect();
    assert!(own.len() > 5, "{own:x?}");
    assert_eq!(own.len(), upper.len(), "{own:x?} {other:x?}");
    for (own, other) in own.iter().zip(upper).skip(1) {
        assert_eq!(own, other);
    }
}

/// Functions with different frames in between.
#[inline(never)]
fn with_many_registers(depth: usize, values: [usize; 8]) -> usize {
    if depth == 0 {
        compare();
        return 0;
    }
    let sum = core::hint::black_box(values).iter().fold(depth, |sum, value| sum.wrapping_mul(31).wrapping_add(*value));
    let below = with_room(depth - 1, sum);
    core::hint::black_box(values).iter().fold(below, |sum, value| sum.wrapping_add(*value))
}

#[inline(never)]
fn with_room(depth: usize, seed: usize) -> usize {
    let mut room = [seed; 200];
    core::hint::black_box(&mut room);
    let values: Vec<usize> = room.iter().take(8).copied().collect();
    let below = with_many_registers(depth, values.try_into().expect("eight"));
    below.wrapping_add(core::hint::black_box(&room)[17])
}

#[test]
fn the_frames_of_this_process_are_those_that_its_unwinder_sees() {
    with_many_registers(6, [1; 8]);
    // Through frames that the standard library compiled.
    let mut numbers = [5, 3, 4];
    numbers.sort_by_key(|number| {
        if *number == 3 {
            with_many_registers(2, [2; 8]);
        }
        *number
    });
    std::thread::spawn(|| with_many_registers(3, [3; 8])).join().expect("no panic");
}

/// A function with hand-written frame information; it keeps nothing.
fn function(first: &[u8], program: &[u8]) -> Function {
    let kept = |bytes: &[u8]| Bytes(Vec::leak(bytes.to_vec()));
    Function { start: 0x1000, size: 0x100, lsda: 0, first: kept(first), program: kept(program), code_unit: 1, data_unit: -8 }
}

/// The caller's frame at an address; the stack is these words, the first of which `rsp` names.
fn caller(function: &Function, at: usize, words: &[usize], rbp: usize) -> Option<Frame> {
    let base = words.as_ptr() as usize;
    let frame = Frame { pc: at + 1, sp: base, kept: [11, if rbp == 0 { 66 } else { base + rbp }, 12, 13, 14, 15] };
    // SAFETY: the rows of these tests stay in the words.
    unsafe { cfi::row(function, at)?.caller(&frame) }
}

/// `def_cfa rsp, 8; offset 16, -8`: what every function of x86-64 begins with.
const FIRST: &[u8] = &[0x0c, 7, 8, 0x90, 1];

#[test]
fn rows_hold_from_their_address_on() {
    // +1: push rbp; +4: rbp is the frame; +8: rbx at -24, remembered; +20: back to rsp + 8; +21: as remembered.
    let program = [0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x44, 0x83, 3, 0x0a, 0x4c, 0x0c, 7, 8, 0xc3, 0xc6, 0x41, 0x0b];
    let function = function(FIRST, &program);
    let words = [100, 101, 102, 103, 104, 105];
    let base = words.as_ptr() as usize;
    let at = |offset: usize, rbp| caller(&function, 0x1000 + offset, &words, rbp).map(|frame| (frame.pc, frame.sp - base, frame.kept));
    assert_eq!(at(0, 0), Some((100, 8, [11, 66, 12, 13, 14, 15])));
    assert_eq!(at(1, 0), Some((101, 16, [11, 100, 12, 13, 14, 15])));
    assert_eq!(at(3, 0), Some((101, 16, [11, 100, 12, 13, 14, 15])));
    assert_eq!(at(4, 16), Some((103, 32, [11, 102, 12, 13, 14, 15])));
    assert_eq!(at(19, 16), Some((103, 32, [101, 102, 12, 13, 14, 15])));
    assert_eq!(at(20, 16).map(|seen| (seen.0, seen.1)), Some((100, 8)));
    assert_eq!(at(20, 16).map(|seen| seen.2[0]), Some(11));
    assert_eq!(at(21, 16), Some((103, 32, [101, 102, 12, 13, 14, 15])));
}

#[test]
fn every_instruction_is_understood() {
    let words: Vec<usize> = (100..400).collect();
    let run = |program: &[u8]| caller(&function(FIRST, program), 0x1080, &words, 0).map(|frame| (frame.pc, frame.kept));
    let plain = (100, [11, 66, 12, 13, 14, 15]);
    let r12 = |value| Some((100, [11, 66, value, 13, 14, 15]));
    let base = |distance: usize| Some((100 + distance / 8 - 1, plain.1));
    assert_eq!(run(&[0, 0, 0]), Some(plain));
    // Locations behind which nothing counts.
    for behind in [&[0x02, 0x81][..], &[0x03, 0x81, 0], &[0x04, 0x81, 0, 0, 0]] {
        assert_eq!(run(&[behind, &[0x0e, 32]].concat()), Some(plain));
        let mut reached = behind.to_vec();
        reached[1] = 0x80;
        assert_eq!(run(&[&reached, &[0x0e, 32][..]].concat()), base(32));
    }
    // r12 in memory: at frame address - 16 * -1 = 8 + 16, the fourth word. Distances down are below the stack here.
    assert_eq!(run(&[0x11, 12, 0x7e]), r12(103));
    assert_eq!(run(&[0x2f, 12, 2]), r12(103));
    assert_eq!(run(&[0x11, 12, 0x7e, 0xcc]), Some(plain));
    assert_eq!(run(&[0x11, 12, 0x7e, 0x06, 12]), Some(plain));
    assert_eq!(run(&[0x11, 12, 0x7e, 0x08, 12]), Some(plain));
    assert_eq!(run(&[0x05, 12, 1]), r12(100));
    assert_eq!(run(&[0x12, 7, 0x78]), base(64));
    assert_eq!(run(&[0x13, 0x78]), base(64));
    assert_eq!(run(&[0x2e, 16]), Some(plain));
    // Others' registers and what is unknown of them do not matter.
    assert_eq!(run(&[0x07, 0, 0x09, 1, 2, 0x10, 2, 3, 1, 2, 3, 0x16, 40, 1, 0, 0x14, 1, 2, 0x15, 1, 0x7f]), Some(plain));
    // The end of the stack: the return address, a kept register or the frame's address is nowhere to be found.
    for lost in [&[0x07, 16][..], &[0x07, 12], &[0x09, 3, 0], &[0x10, 6, 1, 0], &[0x0f, 2, 0x77, 8], &[0x0d, 0], &[0x0e, 0], &[0x0e, 12]] {
        assert_eq!(run(lost), None, "{lost:x?}");
    }
    // The frame's address is known again.
    assert_eq!(run(&[0x0f, 2, 0x77, 8, 0x0c, 7, 8]), Some(plain));
}

#[test]
fn damaged_frame_information_is_the_end_of_the_stack() {
    let words: Vec<usize> = (100..400).collect();
    for program in [
        &[0x0b][..],
        &[0x0a, 0x0a, 0x0a, 0x0a, 0x0a],
        &[0x3f],
        &[0x0e],
        &[0x0e, 0x80, 0x80],
        &[0x10, 3, 200, 1],
        &[0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        &[0x04, 1, 2],
    ] {
        assert_eq!(caller(&function(FIRST, program), 0x1080, &words, 0), None, "{program:x?}");
    }
    // Every sequence of bytes has a row or none; none is followed here.
    let mut random = 88172645463325252u64;
    for _ in 0..200_000 {
        let bytes: [u8; 16] = core::array::from_fn(|_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Mostly small numbers, which are instructions.
            if random & 0x300 == 0 { random as u8 } else { random as u8 & 0x2f }
        });
        let program = Bytes(unsafe { core::mem::transmute::<&[u8], &'static [u8]>(&bytes) });
        let function = Function { start: 0x1000, size: 0x100, lsda: 0, first: Bytes(FIRST), program, code_unit: 1, data_unit: -8 };
        let _ = cfi::row(&function, 0x1080);
    }
}

/// Calls at 0x10 and 0x20 (without pad), 0x30 with a clean-up, 0x40 with two places, 0x50 with a place and a catch.
fn table() -> Vec<u8> {
    let mut calls = Vec::new();
    for (start, pad, action) in [(0x10, 0, 0), (0x20, 0, 5), (0x30, 0x90, 0), (0x40, 0xa0, 3), (0x50, 0xb0, 7)] {
        calls.extend([start, 4, pad, action]);
    }
    // At 0: the second place, and no more. At 2: the first, then that. At 4: a clean-up. At 6: the first place, then (at 8) what catches.
    let actions = [2, 0, 1, 0x7d, 0, 0, 1, 1, 3, 0];
    let types = [0u64, 0x2222, 0x1111].map(u64::to_le_bytes).concat();
    let mut bytes = vec![0xff, 0];
    // Calls are numbers of two bytes here.
    let wide: Vec<u8> = calls.chunks(4).flat_map(|row| [row[0], 0, row[1], 0, row[2], 0, row[3]]).collect();
    bytes.push((2 + wide.len() + actions.len() + types.len()) as u8);
    bytes.extend([2, wide.len() as u8]);
    bytes.extend(wide);
    bytes.extend(actions);
    bytes.extend(types);
    bytes
}

/// Pad, catch and places of the call of `offset`.
fn found(table: &[u8], offset: usize) -> Option<(usize, bool, Vec<usize>)> {
    let mut places = Vec::new();
    loop {
        let mut call = Call { wanted: places.len(), ..Call::NONE };
        lsda::find(Bytes(table), &own_image(), 0x1000, 0x1000 + offset, &mut call)?;
        if call.chain.is_null() {
            return Some((call.pad as usize, call.catches, places));
        }
        places.push(call.chain as usize);
    }
}

#[test]
fn calls_have_pads_places_and_catches() {
    let table = table();
    assert_eq!(found(&table, 0xf), None);
    assert_eq!(found(&table, 0x10), Some((0, false, vec![])));
    assert_eq!(found(&table, 0x13), Some((0, false, vec![])));
    assert_eq!(found(&table, 0x14), None);
    assert_eq!(found(&table, 0x30), Some((0x1090, false, vec![])));
    assert_eq!(found(&table, 0x43), Some((0x10a0, false, vec![0x1111, 0x2222])));
    assert_eq!(found(&table, 0x50), Some((0x10b0, true, vec![0x1111])));
    assert_eq!(found(&table, 0x60), None);
}

#[test]
fn damaged_tables_are_read_to_their_end_at_most() {
    let table = table();
    for end in 0..table.len() {
        for offset in [0x10, 0x30, 0x43, 0x50, 0x60] {
            let _ = found(&table[..end], offset);
        }
    }
    for at in 0..table.len() {
        // Not the encoding of pointers: what is indirect is read where it points, if that is in the image.
        for value in [0, 1, 3, 0x7f, 0x80, 0xff] {
            let mut damaged = table.clone();
            damaged[at] = value;
            for offset in [0x10, 0x30, 0x43, 0x50, 0x60] {
                let mut call = Call::NONE;
                let _ = lsda::find(Bytes(&damaged), &own_image(), 0x1000, 0x1000 + offset, &mut call);
            }
        }
    }
    // A list of actions that goes in circles.
    let circle = [0xff, 0xff, 1, 4, 0, 8, 9, 1, 0, 0x7f];
    let mut call = Call::NONE;
    assert_eq!(lsda::find(Bytes(&circle), &own_image(), 0, 1, &mut call), None);
    assert_eq!((call.pad as usize, call.catches), (9, false));
}

#[test]
fn pointers_are_absolute_relative_or_elsewhere() {
    static VALUE: [u64; 2] = [0, 0x1234_5678_9abc];
    let image = own_image();
    let read = |bytes: &[u8], encoding| Bytes(bytes).pointer(encoding, 0x1_0000_0000, &image);
    assert_eq!(read(&[1, 2, 3, 4, 5, 6, 7, 8], 0), Some(0x0807_0605_0403_0201));
    assert_eq!(read(&[0xe5, 0x8e, 0x26], 1), Some(624_485));
    assert_eq!(read(&[0x9b, 0xf1, 0x59], 9), Some(-624_485isize as usize));
    assert_eq!(read(&[0xfe, 0xff], 0xa), Some(-2isize as usize));
    assert_eq!(read(&[0xfe, 0xff], 2), Some(0xfffe));
    assert_eq!(read(&[0xfe, 0xff, 0xff, 0xff], 0x3b), Some(0xffff_fffe));
    assert_eq!(read(&[0, 0, 0, 0], 0x9b), Some(0));
    assert_eq!(read(&[0, 0, 0], 0x1b), None);
    let near = [4u8, 0, 0, 0];
    assert_eq!(read(&near, 0x1b), Some(near.as_ptr() as usize + 4));
    let address = (&raw const VALUE[1] as u64).to_le_bytes();
    assert_eq!(read(&address, 0x80), Some(0x1234_5678_9abc));
    // Not in the image, or too near its end.
    assert_eq!(read(&[8, 0, 0, 0, 0, 0, 0, 0], 0x80), None);
    for unknown in [0xff, 0x5, 0x8, 0x4b, 0x2b] {
        assert_eq!(read(&[1; 16], unknown), None, "{unknown:x}");
    }
}

#[test]
fn only_words_behind_calls_are_return_addresses() {
    let here: usize;
    // SAFETY: an address, and a call that does nothing.
    unsafe {
        asm!("call 2f", "3: jmp 4f", "2: ret", "4: lea rax, [rip + 3b]", out("rax") here, clobber_abi("sysv64"));
    }
    let image = own_image();
    assert!(follows_call(&image, here - 64, here));
    assert!(!follows_call(&image, here - 3, here));
    assert!(!follows_call(&image, 8, 16));
    // A word that is no return address of a known function.
    let mut call = Call::NONE;
    let header = &raw const __ehdr_start as u64;
    for pc in [0, 1, header as usize, usize::MAX, with_frame as *const () as usize] {
        // SAFETY: `sp` is 0.
        assert!(!unsafe { ori_frames(header, &Frame { pc, ..Frame::default() }, &mut call) }, "{pc:x}");
    }
}

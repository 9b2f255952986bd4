//! Tests of `rt/image/src/memory.s`. Its symbols are weak, but stand in the test program itself: everything here runs on them.
#![allow(unsafe_code)] // foreign functions under test

core::arch::global_asm!(include_str!("../image/src/memory.s"));

unsafe extern "C" {
    fn memcpy(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8;
    fn memmove(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8;
    fn memset(to: *mut u8, byte: i32, bytes: usize) -> *mut u8;
    fn memcmp(a: *const u8, b: *const u8, bytes: usize) -> i32;
    fn bcmp(a: *const u8, b: *const u8, bytes: usize) -> i32;
    fn strlen(text: *const u8) -> usize;
}

const SIZES: &[usize] =
    &[0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 95, 96, 97, 511, 512, 513, 2047, 2048, 2049, 5000];

fn pattern(len: usize, seed: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for i in 0..len {
        bytes.push((i * 31 + i / 251 + seed) as u8);
    }
    bytes
}

/// What a copy inside one buffer must give, byte by byte.
fn expected(buffer: &[u8], to: usize, from: usize, len: usize) -> Vec<u8> {
    let mut result: Vec<u8> = Vec::new();
    for i in 0..buffer.len() {
        result.push(if (to..to + len).contains(&i) { buffer[i - to + from] } else { buffer[i] });
    }
    result
}

fn equal(a: &[u8], b: &[u8]) -> bool {
    // Not `==`: that would be one of the functions under test.
    a.len() == b.len() && (0..a.len()).all(|i| std::hint::black_box(a[i]) == b[i])
}

#[test]
fn copies_move_every_byte_and_no_other() {
    for &len in SIZES {
        for shift in [0, 1, 5] {
            let mut buffer = pattern(2 * len + 64, 7);
            let (from, to) = (3, len + 16 + shift);
            let expect = expected(&buffer, to, from, len);
            let base = buffer.as_mut_ptr();
            // SAFETY: both ranges lie in the buffer and do not overlap.
            let result = unsafe { memcpy(base.add(to), base.add(from), len) };
            assert_eq!(result as usize, base as usize + to);
            assert!(equal(&buffer, &expect), "{len} bytes");
        }
    }
}

#[test]
fn moves_work_in_place_in_both_directions() {
    for &len in SIZES {
        for distance in [0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 64, 500] {
            for (from, to) in [(8, 8 + distance), (8 + distance, 8)] {
                let mut buffer = pattern(len + distance + 32, 9);
                let expect = expected(&buffer, to, from, len);
                let base = buffer.as_mut_ptr();
                // SAFETY: both ranges lie in the buffer.
                let result = unsafe { memmove(base.add(to), base.add(from), len) };
                assert_eq!(result as usize, base as usize + to);
                assert!(equal(&buffer, &expect), "{len} bytes from {from} to {to}");
            }
        }
    }
}

#[test]
fn filling_stays_inside() {
    for &len in SIZES {
        let mut buffer = pattern(len + 32, 1);
        let mut expect = buffer.clone();
        for slot in &mut expect[9..9 + len] {
            *std::hint::black_box(slot) = 0xa5;
        }
        // SAFETY: the range lies in the buffer. Only the low byte of the value counts.
        unsafe { memset(buffer.as_mut_ptr().add(9), 0x1_ffa5, len) };
        assert!(equal(&buffer, &expect), "{len} bytes");
    }
}

#[test]
fn comparison_is_by_the_first_difference() {
    for &len in SIZES {
        let a = pattern(len, 3);
        let signs = |a: &[u8], b: &[u8]| {
            // SAFETY: both have `len` bytes.
            unsafe { (memcmp(a.as_ptr(), b.as_ptr(), len).signum(), bcmp(a.as_ptr(), b.as_ptr(), len) != 0) }
        };
        assert_eq!(signs(&a, &a.clone()), (0, false));
        for at in [0, len / 2, len.saturating_sub(1)].into_iter().filter(|&at| at < len) {
            let mut b = a.clone();
            b[at] = a[at].wrapping_add(1);
            // What stands behind the difference must not count.
            for later in &mut b[at + 1..] {
                *later ^= 0xff;
            }
            let order = if a[at] < b[at] { -1 } else { 1 };
            assert_eq!(signs(&a, &b), (order, true), "{len} bytes, different at {at}");
            assert_eq!(signs(&b, &a), (-order, true));
        }
    }
}

#[test]
fn a_string_ends_at_its_zero() {
    for length in [0, 1, 2, 40] {
        let mut text = vec![b'x'; length];
        text.extend_from_slice(b"\0yy\0");
        // SAFETY: there is a zero.
        assert_eq!(unsafe { strlen(text.as_ptr()) }, length);
    }
}

use super::*;

/// What the linker makes in a program: here there are no functions.
#[unsafe(export_name = "ori_header")]
static HEADER: abi::funcs::Header = abi::funcs::Header {
    magic: abi::funcs::MAGIC,
    entry: 0,
    functions: 8,
    function_count: 0,
    items: 8,
    item_count: 0,
    flags: 0,
    frames: 0,
    image: 0,
};

/// Blocks of these sizes in use do not overlap, and have room.
#[track_caller]
fn check_apart(blocks: &[(usize, usize)]) {
    for (at, &(start, size)) in blocks.iter().enumerate() {
        assert_eq!(start % 8, 0);
        for &(other, len) in &blocks[..at] {
            assert!(start + size <= other - CELL_HEADER || other + len <= start - CELL_HEADER, "{start:x} {size}, {other:x} {len}");
        }
    }
}

#[test]
fn blocks_do_not_overlap() {
    let mut blocks = Vec::new();
    for round in 0..40usize {
        for size in [1, 24, 7, 100_000, 300_000, 8, 33_000, 30_000, 5_000_000, 64, 32 << 10, 128, 129] {
            let block = allocate(size + round, 5);
            // SAFETY: just made.
            unsafe {
                assert!(room(block) >= size + round);
                assert_eq!(block.offset(CELL_COUNT as isize).cast::<i32>().read(), 0);
                core::ptr::write_bytes(block, 0xaa, size + round);
            }
            blocks.push((block as usize, size + round));
        }
    }
    check_apart(&blocks);
    for &(block, _) in &blocks {
        // SAFETY: in use until now.
        unsafe { free(block as *mut u8) };
    }
}

#[test]
fn what_was_given_back_is_taken_again() {
    for size in [24, 1000, 40_000] {
        let first = allocate(size, 0);
        // SAFETY: in use until now.
        unsafe { free(first) };
        let second = allocate(size, 0);
        assert_eq!(first, second, "{size}");
        // SAFETY: as above.
        unsafe { free(second) };
    }
}

#[test]
fn neighbours_are_taken_in_the_order_of_their_addresses() {
    // A class that no other test of this thread uses.
    let blocks: Vec<usize> = (0..200).map(|_| allocate(88, 0) as usize).collect();
    let rising = blocks.windows(2).filter(|pair| pair[1] == pair[0] + 96).count();
    assert!(rising >= 190, "{rising}");
}

fn in_use() -> usize {
    let mut count = 0;
    // SAFETY: the state of this thread.
    let state = unsafe { &mut *thread() };
    let mut free: Vec<usize> = Vec::new();
    for class in 1..CELL_CLASSES {
        let mut block = state.free[class];
        while !block.is_null() {
            free.push(block as usize);
            // SAFETY: a free block begins with the address of the next.
            block = unsafe { block.cast::<*mut u8>().read() };
        }
    }
    state.segments.each(&mut |parts, _| count += usize::from(!free.contains(&(parts as usize))));
    count
}

#[test]
fn a_walk_over_the_slabs_finds_what_is_in_use() {
    assert_eq!(in_use(), 0);
    let blocks: Vec<*mut u8> = [1, 24, 24, 700, 33_000, 2_000_000, 60_000, 24].into_iter().map(|size| allocate(size, 0)).collect();
    assert_eq!(in_use(), 8);
    for (at, block) in blocks.into_iter().enumerate() {
        // SAFETY: in use until now.
        unsafe { free(block) };
        assert_eq!(in_use(), 7 - at);
    }
}

#[test]
fn counts_go_up_and_down() {
    let block = allocate(40, 0);
    // SAFETY: two shares, both given up; then the block is the next of its class.
    unsafe {
        retain(block);
        release(block);
        assert_eq!(in_use(), 1);
        release(block);
    }
    assert_eq!((in_use(), allocate(40, 0)), (0, block));
}

#[test]
fn a_free_list_keeps_class_and_count() {
    let block = allocate(40, 77);
    // SAFETY: the header of a block.
    unsafe {
        assert_eq!(block.sub(CELL_HEADER).cast::<u64>().read(), cell_header(40, 77));
        free(block);
        let count = block.sub(CELL_HEADER).cast::<u64>().read();
        assert_eq!((count as u32, count >> 32 & 0xff), (0, 5));
        assert_eq!(allocate(40, 0), block);
        assert_eq!(block.sub(CELL_HEADER).cast::<u64>().read(), cell_header(40, 0));
    }
}

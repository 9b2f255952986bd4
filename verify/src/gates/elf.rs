//! What the segments of an executable must satisfy: nothing is writable and executable, and the stack is not executable.

use object::elf::{FileHeader64, PF_R, PF_W, PF_X, PT_GNU_STACK, PT_INTERP, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};

/// What is wrong with the image.
pub fn faults(image: &[u8]) -> Vec<String> {
    let parsed = FileHeader64::<object::Endianness>::parse(image).and_then(|header| Ok((header, header.endian()?)));
    let (header, endian) = match parsed {
        Ok(found) => found,
        Err(error) => return vec![format!("no ELF file: {error}")],
    };
    let segments = match header.program_headers(endian, image) {
        Ok(segments) => segments,
        Err(error) => return vec![format!("program headers: {error}")],
    };
    let mut wrong = Vec::new();
    let (mut loads, mut stacks) = (0, 0);
    for (at, segment) in segments.iter().enumerate() {
        let flags = segment.p_flags(endian);
        match segment.p_type(endian) {
            PT_LOAD => {
                loads += 1;
                if flags & PF_W != 0 && flags & PF_X != 0 {
                    wrong.push(format!("segment {at} is writable and executable"));
                }
            }
            PT_GNU_STACK => {
                stacks += 1;
                if flags & PF_X != 0 || flags & PF_R == 0 {
                    wrong.push("the stack is executable".to_owned());
                }
            }
            PT_INTERP => wrong.push("the program is not static".to_owned()),
            _ => {}
        }
    }
    if loads == 0 {
        wrong.push("nothing is loaded".to_owned());
    }
    if stacks != 1 {
        wrong.push(format!("{stacks} segments say what the stack may do"));
    }
    wrong
}

/// The same image with every segment writable and executable: what must be refused.
pub fn weakened(image: &[u8]) -> Vec<u8> {
    const HEADERS: usize = 64;
    const ENTRY: usize = 56;
    let mut bytes = image.to_vec();
    let count = bytes.get(56..58).map_or(0, |n| usize::from(u16::from_le_bytes([n[0], n[1]])));
    for at in 0..count {
        if let Some(flags) = bytes.get_mut(HEADERS + at * ENTRY + 4) {
            *flags = 7;
        }
    }
    bytes
}

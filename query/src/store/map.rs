//! Mapping a file into memory: beside the handler in [`super::limit`] the only unsafe code of this crate.
//!
//! A mapped file must not shrink while it is mapped, or touching the lost part ends the process. The store's own rules see to that: what is mapped is
//! immutable (a segment), append-only (blobs), or changed in place under a lock by whoever maps it (a linker's sidecar), and is replaced by rename or
//! unlinked, never truncated. Where mapping is not possible (some
//! network and FUSE file systems) the file is read instead, which costs time and nothing else.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;

use memmap2::Mmap;

/// The bytes of a file, in place or read. For files that keep the rules above.
pub enum Mapped {
    /// Pages of the file itself.
    Pages(Mmap),
    /// A copy: the fallback, and what this process has just written itself.
    Copy(Vec<u8>),
}

impl Mapped {
    /// Maps the whole of a file, or reads it where that fails.
    pub fn of(file: &mut File) -> io::Result<Mapped> {
        // SAFETY: the file is one of the store's, so nobody truncates the mapped part or changes it while it is read (see above). Bytes that somebody else flips under us
        // are only ever seen as plain `u8`, for which every bit pattern is valid, and each use is checksummed or bounds-checked.
        match unsafe { Mmap::map(&*file) } {
            Ok(pages) => Ok(Mapped::Pages(pages)),
            Err(_) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                Ok(Mapped::Copy(bytes))
            }
        }
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Mapped::Pages(pages) => pages,
            Mapped::Copy(bytes) => bytes,
        }
    }
}

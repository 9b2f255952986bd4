//! Coded faults. Each level has one fault enum; the codes never change, the messages may improve.

use std::fmt;

/// A fault code such as `M0301`: level letter, family, number. Never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Where in a body a fault is, as numbers of the printed text, so that it can be shown at the end of the guilty line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Where {
    /// The function as a whole: its first line.
    Function,
    /// The first line of block `n`.
    Block(u32),
    /// Instruction `index` of block `block` (0 is the first line after the block's).
    Inst {
        /// Number of the block.
        block: u32,
        /// Position in the block.
        index: u32,
    },
}

/// What a verifier reports: a stable code, a place, one sentence.
pub trait Fault: fmt::Debug {
    /// The stable code.
    fn code(&self) -> Code;
    /// Where it is.
    fn at(&self) -> Where;
    /// One sentence that names the ids involved.
    fn message(&self) -> String;
}

/// Prints faults as the lines of a report: `M0301 b0:2 second consume of %0`.
pub fn report<F: Fault>(function: &str, faults: &[F]) -> String {
    let mut out = String::new();
    for fault in faults {
        use fmt::Write;
        let _ = match fault.at() {
            Where::Function => writeln!(out, "{} @{function}: {}", fault.code(), fault.message()),
            Where::Block(block) => writeln!(out, "{} @{function} b{block}: {}", fault.code(), fault.message()),
            Where::Inst { block, index } => writeln!(out, "{} @{function} b{block}:{index}: {}", fault.code(), fault.message()),
        };
    }
    out
}

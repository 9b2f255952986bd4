//! Target facts enter LIR through these two named records alone; dumps name them in their header.

/// Sizes, alignment and the shape of values in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DataLayout {
    /// Name in dump headers: `layout=lp64`.
    pub name: &'static str,
    /// Bytes of a pointer.
    pub pointer: u32,
    /// Alignment of stack slots.
    pub slot_align: u32,
}

/// The data layout of x86-64 Linux.
pub const LP64: DataLayout = DataLayout { name: "lp64", pointer: 8, slot_align: 8 };

/// How functions of the program call each other. The runtime is called in the System V convention, whose integer and float argument registers are the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Convention {
    /// Name in dump headers: `abi=ori`.
    pub name: &'static str,
    /// Integer (and pointer) arguments in registers; further ones on the stack, 8 bytes each.
    pub int_args: u32,
    /// Float arguments in registers.
    pub float_args: u32,
    /// Integer results in registers. A function with more results of either kind takes the address of a result area as its first argument and has none.
    pub int_results: u32,
    /// Float results in registers.
    pub float_results: u32,
}

/// The convention of both back ends: what LLVM calls `swiftcc`, so that their objects call each other (ADR 0017).
pub const ORI: Convention = Convention { name: "ori", int_args: 6, float_args: 8, int_results: 4, float_results: 4 };

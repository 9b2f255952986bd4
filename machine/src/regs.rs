//! Registers and sets of them.

/// Number of a register in a record: physical below [`FIRST_VIRTUAL`], virtual from there on.
pub type Reg = u16;

/// No register.
pub const NONE: Reg = u16::MAX;
/// The first virtual register; `FIRST_VIRTUAL + n` is `%n`.
pub const FIRST_VIRTUAL: Reg = 64;
/// Most virtual registers of a function; beyond it selection reports the limit.
pub const MAX_VIRTUAL: usize = (NONE - FIRST_VIRTUAL - 1) as usize;

/// Class of a register.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Class {
    /// General purpose, numbers 0 to 15.
    Gp,
    /// SSE, numbers 16 to 31.
    Xmm,
}

/// `rax`, also the first integer result.
pub const RAX: Reg = 0;
/// `rcx`
pub const RCX: Reg = 1;
/// `rdx`
pub const RDX: Reg = 2;
/// `rbx`, saved by callees
pub const RBX: Reg = 3;
/// Stack pointer; never allocated.
pub const RSP: Reg = 4;
/// Frame pointer; never allocated.
pub const RBP: Reg = 5;
/// `rsi`
pub const RSI: Reg = 6;
/// `rdi`
pub const RDI: Reg = 7;
/// `r8`
pub const R8: Reg = 8;
/// `r9`
pub const R9: Reg = 9;
/// `r10`
pub const R10: Reg = 10;
/// `r11`
pub const R11: Reg = 11;
/// `xmm0`
pub const XMM0: Reg = 16;

/// Names of the physical registers by number, without `$`.
pub const NAMES: [&str; 32] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
    "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
];

/// Integer argument registers (System V).
pub const INT_ARGS: [Reg; 6] = [RDI, RSI, RDX, RCX, R8, R9];
/// Integer result registers: `rax` and `rdx` as System V, then two more, as LLVM's `swiftcc` has them (ADR 0017).
pub const INT_RESULTS: [Reg; 4] = [RAX, RDX, RCX, R8];
/// Float argument registers: `xmm0` to `xmm7`.
pub const FLOAT_ARGS: [Reg; 8] = [16, 17, 18, 19, 20, 21, 22, 23];
/// Float result registers: `xmm0` to `xmm3`.
pub const FLOAT_RESULTS: [Reg; 4] = [16, 17, 18, 19];

/// A set of physical registers, bit = number.
pub type RegSet = u32;

/// Registers that a callee must preserve: `rbx`, `r12` to `r15` (and `rbp`, which is the frame's).
pub const CALLEE_SAVED: RegSet = 1 << 3 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15;
/// Registers that allocation may use: all but `rsp`, `rbp` and one scratch of each class for parallel copies (`r11`, `xmm15`).
pub const ALLOCATABLE: RegSet = !(1 << 4 | 1 << 5 | 1 << 11 | 1 << 31);
/// Registers that a call destroys.
pub const CALLER_SAVED: RegSet = !CALLEE_SAVED & !(1 << 4 | 1 << 5);

/// Class of a physical register.
pub const fn class_of(reg: Reg) -> Class {
    if reg < 16 { Class::Gp } else { Class::Xmm }
}

/// The set of one register.
pub const fn bit(reg: Reg) -> RegSet {
    1 << reg
}

/// Where the convention puts an argument.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArgPlace {
    /// In this register.
    Reg(Reg),
    /// In stack slot `n`.
    Stack(u32),
}

/// Walks over arguments in order and says where each goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct ArgWalk {
    ints: usize,
    floats: usize,
    stack: u32,
}

impl ArgWalk {
    /// Place of the next argument.
    pub fn next(&mut self, class: Class) -> ArgPlace {
        let (taken, list): (_, &[Reg]) = match class {
            Class::Gp => (&mut self.ints, &INT_ARGS),
            Class::Xmm => (&mut self.floats, &FLOAT_ARGS),
        };
        if let Some(&reg) = list.get(*taken) {
            *taken += 1;
            return ArgPlace::Reg(reg);
        }
        self.stack += 1;
        ArgPlace::Stack(self.stack - 1)
    }

    /// Stack slots taken so far.
    pub const fn stack(&self) -> u32 {
        self.stack
    }
}

/// Walks over results in order; `None` when the registers are used up (such a function is not legal LIR).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct ResultWalk {
    ints: usize,
    floats: usize,
}

impl ResultWalk {
    /// Register of the next result.
    pub fn next(&mut self, class: Class) -> Option<Reg> {
        let (taken, list): (_, &[Reg]) = match class {
            Class::Gp => (&mut self.ints, &INT_RESULTS),
            Class::Xmm => (&mut self.floats, &FLOAT_RESULTS),
        };
        *taken += 1;
        list.get(*taken - 1).copied()
    }
}

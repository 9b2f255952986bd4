//! The system calls the runtime makes, each as a function with the types it needs.
#![allow(unsafe_code)] // system calls

use syscalls::{Errno, Sysno, syscall};

/// Standard input.
pub const STDIN: i32 = 0;
/// Standard output.
pub const STDOUT: i32 = 1;
/// Standard error.
pub const STDERR: i32 = 2;

/// Writes some of `bytes`; the number written.
pub fn write(descriptor: i32, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel reads `bytes` only.
    unsafe { syscall!(Sysno::write, descriptor, bytes.as_ptr(), bytes.len()) }
}

/// Writes all of `bytes`, going on after interruptions.
pub fn write_all(descriptor: i32, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(descriptor, bytes) {
            // A write of nothing would repeat for ever.
            Ok(0) => return Err(Errno::EIO),
            Ok(written) => bytes = bytes.get(written..).unwrap_or(&[]),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fills `bytes`; false when the input ends before.
pub fn read_all(descriptor: i32, mut bytes: &mut [u8]) -> bool {
    while !bytes.is_empty() {
        // SAFETY: the kernel writes into `bytes` only.
        match unsafe { syscall!(Sysno::read, descriptor, bytes.as_mut_ptr(), bytes.len()) } {
            Ok(0) => return false,
            Ok(read) => bytes = bytes.get_mut(read..).unwrap_or(&mut []),
            Err(Errno::EINTR) => {}
            Err(_) => return false,
        }
    }
    true
}

/// Standard input becomes empty.
pub fn empty_input() {
    // SAFETY: the name ends with zero; the descriptors are numbers.
    unsafe {
        if let Ok(null) = syscall!(Sysno::open, c"/dev/null".as_ptr(), 0) {
            let _ = syscall!(Sysno::dup2, null, STDIN);
            let _ = syscall!(Sysno::close, null);
        }
    }
}

/// A second process like this one: its number, or 0 in the second one.
pub fn fork() -> Option<i32> {
    // SAFETY: the memory of the new process is a copy, and there is one thread.
    unsafe { syscall!(Sysno::fork) }.ok().map(|process| process as i32)
}

/// Waits until a process ends; its wait status.
pub fn wait(process: i32) -> Option<i32> {
    let mut status = 0i32;
    loop {
        // SAFETY: the kernel writes the status.
        match unsafe { syscall!(Sysno::wait4, process, &raw mut status, 0, 0) } {
            Ok(_) => return Some(status),
            Err(Errno::EINTR) => {}
            Err(_) => return None,
        }
    }
}

/// This process is killed when the thread that started it ends.
pub fn die_with_parent() {
    const PR_SET_PDEATHSIG: i32 = 1;
    // SAFETY: changes a setting of this process.
    let _ = unsafe { syscall!(Sysno::prctl, PR_SET_PDEATHSIG, linux_raw_sys::general::SIGKILL) };
}

/// True when the descriptor is a terminal.
pub fn is_terminal(descriptor: i32) -> bool {
    const TCGETS: usize = 0x5401;
    let mut state = [0u8; 64];
    // SAFETY: `TCGETS` fills a `termios` of the kernel, 36 bytes.
    unsafe { syscall!(Sysno::ioctl, descriptor, TCGETS, state.as_mut_ptr()) }.is_ok()
}

/// Maps `bytes` of zeroed, private, writable memory.
pub fn map(bytes: usize) -> Option<*mut u8> {
    map_with(bytes, 0)
}

/// Maps `bytes` for a stack: kept out of huge pages, since the first touch would clear 2 MiB.
pub fn map_stack(bytes: usize) -> Option<*mut u8> {
    map_with(bytes, linux_raw_sys::general::MAP_STACK)
}

fn map_with(bytes: usize, more: u32) -> Option<*mut u8> {
    use linux_raw_sys::general::{MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, PROT_READ, PROT_WRITE};
    let (protection, flags) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | more);
    // SAFETY: a fresh mapping touches no memory in use.
    let result = unsafe { syscall!(Sysno::mmap, 0, bytes, protection, flags, -1isize, 0) };
    result.ok().map(|address| address as *mut u8)
}

/// Makes a mapping longer, elsewhere when there is no room behind it; where it is then.
///
/// # Safety
/// Nothing but the caller may know the addresses of these pages.
pub unsafe fn remap(start: *mut u8, bytes: usize, longer: usize) -> Option<*mut u8> {
    use linux_raw_sys::general::MREMAP_MAYMOVE;
    // SAFETY: the caller's promise.
    let result = unsafe { syscall!(Sysno::mremap, start, bytes, longer, MREMAP_MAYMOVE, 0) };
    result.ok().map(|address| address as *mut u8)
}

/// Gives mapped pages back.
///
/// # Safety
/// Nothing may use the pages afterwards.
pub unsafe fn unmap(start: *mut u8, bytes: usize) -> bool {
    // SAFETY: the caller gives the pages up.
    unsafe { syscall!(Sysno::munmap, start, bytes) }.is_ok()
}

/// Lets `fs` point to `word`.
///
/// # Safety
/// The state of the thread must stand before that word, and its own address in it.
pub unsafe fn set_thread(word: *mut usize) -> bool {
    const ARCH_SET_FS: usize = 0x1002;
    // SAFETY: by the caller's promise.
    unsafe { syscall!(Sysno::arch_prctl, ARCH_SET_FS, word) }.is_ok()
}

/// Makes mapped pages inaccessible.
///
/// # Safety
/// Nothing may use the pages afterwards.
pub unsafe fn forbid(start: *mut u8, bytes: usize) -> bool {
    // SAFETY: the caller gives the pages up.
    unsafe { syscall!(Sysno::mprotect, start, bytes, linux_raw_sys::general::PROT_NONE) }.is_ok()
}

/// A number from the kernel that nobody can foresee; 0 where it gives none.
pub fn random() -> u64 {
    let mut bytes = [0u8; 8];
    // SAFETY: the kernel fills the eight bytes.
    let _ = unsafe { syscall!(Sysno::getrandom, bytes.as_mut_ptr(), bytes.len(), 0) };
    u64::from_le_bytes(bytes)
}

/// Ends the process.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: does not return.
        let _ = unsafe { syscall!(Sysno::exit_group, status) };
    }
}

/// Installs an alternate signal stack.
///
/// # Safety
/// The memory must be unused otherwise for the rest of the process.
pub unsafe fn signal_stack(start: *mut u8, bytes: usize) {
    let stack = linux_raw_sys::general::stack_t { ss_sp: start.cast(), ss_flags: 0, ss_size: bytes as u64 };
    // SAFETY: the kernel copies the structure; the caller owns the memory it names.
    let _ = unsafe { syscall!(Sysno::sigaltstack, &raw const stack, 0) };
}

/// What a signal does.
pub enum Action {
    /// What the system does by default.
    Default,
    /// Nothing.
    Ignore,
    /// Calls the function on the alternate stack with signal number, `siginfo` and `ucontext`.
    Call(extern "C" fn(i32, *const u8, *const u8)),
}

/// Broken pipe.
pub const SIGPIPE: i32 = linux_raw_sys::general::SIGPIPE as i32;
/// Invalid memory access.
pub const SIGSEGV: i32 = linux_raw_sys::general::SIGSEGV as i32;
/// Access behind the end of a mapped file, and some others.
pub const SIGBUS: i32 = linux_raw_sys::general::SIGBUS as i32;

// Where a signal handler returns to: the kernel restores the interrupted context.
core::arch::global_asm!(
    ".section .text.ori_signal_return,\"ax\",@progbits",
    ".globl ori_signal_return",
    "ori_signal_return:",
    "    mov eax, 15",
    "    syscall",
    ".text",
);

unsafe extern "C" {
    fn ori_signal_return();
}

/// Sets what `signal` does.
pub fn on_signal(signal: i32, action: Action) {
    use linux_raw_sys::general::{SA_NODEFER, SA_ONSTACK, SA_SIGINFO};
    // Layout of the kernel's `sigaction` on x86-64.
    #[repr(C)]
    struct Kernel {
        handler: usize,
        flags: u64,
        restorer: usize,
        mask: u64,
    }
    const SA_RESTORER: u64 = 0x0400_0000;
    let (handler, flags) = match action {
        Action::Default => (0, 0),
        Action::Ignore => (1, 0),
        Action::Call(function) => (function as usize, u64::from(SA_SIGINFO | SA_ONSTACK | SA_NODEFER) | SA_RESTORER),
    };
    let kernel = Kernel { handler, flags, restorer: ori_signal_return as *const () as usize, mask: 0 };
    // SAFETY: the kernel copies the structure.
    let _ = unsafe { syscall!(Sysno::rt_sigaction, signal, &raw const kernel, 0, 8) };
}

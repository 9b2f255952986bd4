//! Standard output (buffered by line on terminals, by block otherwise: `language/17` §17.3) and standard error (unbuffered, but each report is
//! sent in one piece).
#![allow(unsafe_code)] // the one static buffer

use core::cell::UnsafeCell;

use syscalls::Errno;

use crate::system;

/// Exit status when the reader has closed standard output.
pub const STATUS_CLOSED: i32 = 141;
/// Exit status of fatal runtime errors.
pub const STATUS_FATAL: i32 = 134;

const CAPACITY: usize = 8 << 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Unknown,
    Line,
    Block,
}

// In this order: a program that prints little touches one page.
#[repr(C)]
struct State {
    used: usize,
    mode: Mode,
    failure: i32,
    bytes: [u8; CAPACITY],
}

struct Global(UnsafeCell<State>);
// SAFETY: programs have one thread; the signal handler ends the process.
unsafe impl Sync for Global {}

static STDOUT: Global = Global(UnsafeCell::new(State { bytes: [0; CAPACITY], used: 0, mode: Mode::Unknown, failure: 0 }));

impl State {
    fn add(&mut self, text: &[u8]) -> Result<(), Errno> {
        if let Some(room) = self.bytes.get_mut(self.used..).and_then(|free| free.get_mut(..text.len())) {
            room.copy_from_slice(text);
            self.used += text.len();
            return Ok(());
        }
        self.flush()?;
        match self.bytes.get_mut(..text.len()) {
            Some(room) => {
                room.copy_from_slice(text);
                self.used = text.len();
                Ok(())
            }
            // Longer than the buffer: no use in copying it.
            None => self.send(text),
        }
    }

    fn flush(&mut self) -> Result<(), Errno> {
        let used = self.used.min(CAPACITY);
        // What could not be written is dropped: repeating it at exit would fail again, or write a part twice.
        self.used = 0;
        if used == 0 {
            return Ok(());
        }
        let result = system::write_all(system::STDOUT, self.bytes.get(..used).unwrap_or(&[]));
        self.note(result)
    }

    fn send(&mut self, text: &[u8]) -> Result<(), Errno> {
        let result = system::write_all(system::STDOUT, text);
        self.note(result)
    }

    fn note(&mut self, result: Result<(), Errno>) -> Result<(), Errno> {
        match result {
            Err(Errno::EPIPE) => system::exit(STATUS_CLOSED),
            Err(error) => {
                self.failure = error.into_raw();
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }
}

fn state() -> &'static mut State {
    // SAFETY: one thread, and no function of this module holds the reference while calling another that takes it.
    unsafe { &mut *STDOUT.0.get() }
}

/// Writes `text` and what ends it, a newline or nothing; false when standard output refused it.
pub fn print(text: &[u8], end: &[u8]) -> bool {
    let state = state();
    if state.mode == Mode::Unknown {
        // A closed reader shall be an exit status (`language/17` §17.2), not a signal.
        system::on_signal(system::SIGPIPE, system::Action::Ignore);
        state.mode = if system::is_terminal(system::STDOUT) { Mode::Line } else { Mode::Block };
    }
    let mut done = state.add(text).and_then(|()| state.add(end));
    if state.mode == Mode::Line {
        done = done.and_then(|()| state.flush());
    }
    done.is_ok()
}

/// Sends what is buffered; false when standard output refused it.
pub fn flush() -> bool {
    state().flush().is_ok()
}

/// Error number of the latest failed write to standard output.
pub fn failure() -> i32 {
    state().failure
}

/// Text for standard error, collected so that a report is one write.
pub struct Report {
    bytes: [u8; 1024],
    used: usize,
}

impl Default for Report {
    fn default() -> Self {
        Report { bytes: [0; 1024], used: 0 }
    }
}

impl Report {
    /// Adds a piece.
    pub fn add(&mut self, text: &[u8]) {
        if text.len() > self.bytes.len() - self.used.min(self.bytes.len()) {
            self.send();
        }
        match self.bytes.get_mut(self.used..).and_then(|free| free.get_mut(..text.len())) {
            Some(room) => {
                room.copy_from_slice(text);
                self.used += text.len();
            }
            None => {
                let _ = system::write_all(system::STDERR, text);
            }
        }
    }

    /// Writes what was added. A closed standard error is nobody's concern.
    pub fn send(&mut self) {
        let _ = system::write_all(system::STDERR, self.bytes.get(..self.used).unwrap_or(&[]));
        self.used = 0;
    }
}

/// Flushes standard output and ends the process.
pub fn exit(status: i32) -> ! {
    if !flush() {
        let mut report = Report::default();
        report.add(b"fatal: cannot write to standard output: ");
        pure::message::write_failure(failure(), &mut |piece| report.add(piece));
        report.add(b"\n");
        report.send();
        system::exit(STATUS_FATAL);
    }
    system::exit(status)
}

//! The report of an uncaught panic (`language/10` §10.4). The interpreter and the runtime call the same function.

use crate::{Sink, print};

/// One line of a stack trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// The function as printed, with its `@`.
    pub function: &'a [u8],
    /// Path of the file as printed.
    pub file: &'a [u8],
    /// Line from 1.
    pub line: u32,
    /// Column from 1.
    pub column: u32,
    /// Left out of the trace: library code.
    pub hidden: bool,
}

/// A longer trace is cut to its ends.
const LONGEST_TRACE: usize = 64;
/// Frames shown at the start of a cut trace.
const SHOWN_FIRST: usize = 32;
/// Frames shown at the end of a cut trace.
const SHOWN_LAST: usize = 16;

/// Behind a trace that lacks frames of which nothing is known.
pub const OMITTED: &[u8] = b"    (frames omitted: release build)\n";

/// Writes the report: line 1 with the place of the first frame that is not hidden, then (with `backtrace`) the trace, most recent first.
/// `frames` is walked two or three times, so that nothing needs storing.
pub fn report<'a>(message: &mut dyn FnMut(Sink), frames: impl Iterator<Item = Frame<'a>> + Clone, backtrace: bool, out: Sink) {
    out(b"panic: ");
    message(out);
    if let Some(frame) = place_of(frames.clone()) {
        place(&frame, out);
    }
    out(b"\n");
    if !backtrace {
        return;
    }
    out(b"  stack trace (most recent first):\n");
    let shown = frames.filter(|frame| !frame.hidden);
    let count = shown.clone().count();
    let omitted = if count > LONGEST_TRACE { SHOWN_FIRST..count - SHOWN_LAST } else { count..count };
    for (index, frame) in shown.enumerate() {
        if index == omitted.start && !omitted.is_empty() {
            out(b"    ... ");
            print::int_to(omitted.len() as i64, out);
            out(b" frames omitted\n");
        }
        if !omitted.contains(&index) {
            out(b"    ");
            out(frame.function);
            place(&frame, out);
            out(b"\n");
        }
    }
}

/// What a report points at: the first frame that is not hidden, so that a panic inside the library points at the caller's code; with nothing but library
/// frames, the library.
pub fn place_of<'a>(frames: impl Iterator<Item = Frame<'a>> + Clone) -> Option<Frame<'a>> {
    frames.clone().find(|frame| !frame.hidden).or_else(|| frames.clone().next())
}

fn place(frame: &Frame, out: Sink) {
    out(b" at ");
    out(frame.file);
    out(b":");
    print::int_to(i64::from(frame.line), out);
    out(b":");
    print::int_to(i64::from(frame.column), out);
}

/// A line of what happens to blocks (`ORI_TRACE_RC`): the event, the block's number and the name of its type, and where.
pub fn mem_event(event: &[u8], number: u64, name: &[u8], holders: Option<i64>, frame: Option<Frame>, out: Sink) {
    out(b"rc: ");
    out(event);
    out(b" #");
    print::int_to(number as i64, out);
    out(b" ");
    out(if name.is_empty() { b"block" } else { name });
    if let Some(holders) = holders {
        out(b", count ");
        print::int_to(holders, out);
    }
    if let Some(frame) = frame {
        place(&frame, out);
    }
    out(b"\n");
}

/// The line of `ORI_RC_STATS`: numbers and what they count.
pub fn mem_counts(counts: &[(u64, &[u8])], out: Sink) {
    for (index, (count, what)) in counts.iter().enumerate() {
        out(if index == 0 { b"rc: " } else { b", " });
        print::int_to(*count as i64, out);
        out(b" ");
        out(what);
    }
    out(b"\n");
}

/// Writes the line of `dbg` (`language/09` §9.3): the place that a panic there would name, without column, and the text behind it.
pub fn debug<'a>(frames: impl Iterator<Item = Frame<'a>> + Clone, text: &[u8], out: Sink) {
    out(b"[");
    if let Some(frame) = place_of(frames) {
        out(frame.file);
        out(b":");
        print::int_to(i64::from(frame.line), out);
    }
    out(b"]");
    out(text);
    out(b"\n");
}

/// Writes the report of an exhausted stack (`language/10` §10.8); `None` when the place is unknown.
pub fn stack_overflow(place: Option<Frame>, out: Sink) {
    out(b"fatal: stack overflow");
    if let Some(frame) = place {
        out(b" in ");
        out(frame.function);
        out(b" at ");
        out(frame.file);
        out(b":");
        print::int_to(i64::from(frame.line), out);
    }
    out(b"\n");
}

/// Writes the report of exhausted memory (`language/10` §10.8).
pub fn out_of_memory(bytes: usize, out: Sink) {
    out(b"fatal: out of memory (");
    print::int_to(i64::try_from(bytes).unwrap_or(i64::MAX), out);
    out(b" bytes requested)\n");
}

/// The report of a panic while another one unwinds (`language/10` §10.2).
pub fn abort(second: &[u8], first: &[u8], out: Sink) {
    for piece in [&b"abort: panic while unwinding: "[..], second, b" (first: ", first, b")\n"] {
        out(piece);
    }
}

/// First line of the report of blocks that are still in use at exit (`language/13` §13.9).
pub fn leaks(blocks: usize, bytes: usize, out: Sink) {
    out(b"leak: ");
    print::int_to(blocks as i64, out);
    out(if blocks == 1 { b" block, " } else { b" blocks, " });
    print::int_to(bytes as i64, out);
    out(b" bytes\n");
}

/// A line of that report: a block, by the name of its type when that is known.
pub fn leak(name: &[u8], bytes: usize, holders: i64, made_at: Option<Frame>, out: Sink) {
    out(b"  ");
    out(if name.is_empty() { b"block" } else { name });
    out(b" ");
    print::int_to(bytes as i64, out);
    out(b" bytes, count ");
    print::int_to(holders, out);
    if let Some(frame) = made_at {
        out(b", allocated");
        place(&frame, out);
        out(b" in ");
        out(frame.function);
    }
    out(b"\n");
}

/// The line of a block that is used, or given up, when it has been freed.
pub fn underflow(name: &[u8], made_at: Option<Frame>, out: Sink) {
    out(b"fatal: reference count underflow on ");
    out(if name.is_empty() { b"block" } else { name });
    if let Some(frame) = made_at {
        out(b" allocated");
        place(&frame, out);
    }
    out(b"\n");
}

/// Its last line, when there are too many.
pub fn more_leaks(blocks: usize, out: Sink) {
    out(b"  ... ");
    print::int_to(blocks as i64, out);
    out(b" more\n");
}

#[cfg(test)]
mod tests;

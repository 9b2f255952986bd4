extern crate std;
use std::string::String;
use std::vec::Vec;

use super::*;

const fn frame(function: &'static str, line: u32, hidden: bool) -> Frame<'static> {
    Frame { function: function.as_bytes(), file: b"src/tank.ori", line, column: 9, hidden }
}

fn text(frames: &[Frame], backtrace: bool) -> String {
    let mut text = Vec::new();
    report(&mut |out| out(b"boom"), frames.iter().copied(), backtrace, &mut |piece| text.extend_from_slice(piece));
    String::from_utf8(text).expect("UTF-8")
}

#[track_caller]
fn check(frames: &[Frame], backtrace: bool, expect: &str) {
    assert_eq!(text(frames, backtrace), expect);
}

#[test]
fn the_report_has_a_header_and_the_frames() {
    let frames = [frame("@level", 12, false), frame("@main", 4, false)];
    check(
        &frames,
        true,
        "panic: boom at src/tank.ori:12:9\n  stack trace (most recent first):\n    @level at src/tank.ori:12:9\n    @main at src/tank.ori:4:9\n",
    );
    check(&frames, false, "panic: boom at src/tank.ori:12:9\n");
}

#[test]
fn library_frames_are_left_out_and_do_not_place_the_panic() {
    let frames = [frame("@unwrap", 900, true), frame("@main", 4, false)];
    check(&frames, true, "panic: boom at src/tank.ori:4:9\n  stack trace (most recent first):\n    @main at src/tank.ori:4:9\n");
    check(&frames[..1], false, "panic: boom at src/tank.ori:900:9\n");
}

#[test]
fn a_long_trace_keeps_its_ends() {
    let frames: Vec<Frame> = (1..=65).map(|line| frame("@f", line, false)).collect();
    assert_eq!(text(&frames[..64], true).lines().count(), 66);
    let long = text(&frames, true);
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines.len(), 2 + 32 + 1 + 16);
    assert_eq!(lines[33], "    @f at src/tank.ori:32:9");
    assert_eq!(lines[34], "    ... 17 frames omitted");
    assert_eq!(lines[35], "    @f at src/tank.ori:50:9");
    assert_eq!(lines[50], "    @f at src/tank.ori:65:9");
}

#[test]
fn fatal_reports_have_one_line() {
    let mut text = Vec::new();
    stack_overflow(Some(frame("@deep", 3, false)), &mut |piece| text.extend_from_slice(piece));
    stack_overflow(None, &mut |piece| text.extend_from_slice(piece));
    out_of_memory(4096, &mut |piece| text.extend_from_slice(piece));
    let expect = "fatal: stack overflow in @deep at src/tank.ori:3\nfatal: stack overflow\nfatal: out of memory (4096 bytes requested)\n";
    assert_eq!(String::from_utf8_lossy(&text), expect);
}

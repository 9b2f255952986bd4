//! Panic messages: the template of the kind with its arguments.

use abi::PanicKind;

use crate::{Sink, print};

/// An argument of a panic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arg<'a> {
    /// An int, byte or code.
    Int(i64),
    /// A text.
    Str(&'a [u8]),
}

/// Writes the message of `kind`: `{0}` and `{1}` become the arguments in `to_str` form, `{0?}` in `debug` form.
pub fn message(kind: PanicKind, args: &[Arg], out: Sink) {
    let mut rest = kind.message().as_bytes();
    while let Some(open) = rest.iter().position(|&byte| byte == b'{') {
        let (before, hole) = rest.split_at(open);
        out(before);
        let (index, debug, tail) = match hole {
            [b'{', digit, b'?', b'}', tail @ ..] => (digit - b'0', true, tail),
            [b'{', digit, b'}', tail @ ..] => (digit - b'0', false, tail),
            // The table has no other braces (tested); they would be printed as they are.
            _ => break,
        };
        match args.get(usize::from(index)) {
            Some(Arg::Int(value)) => print::int_to(*value, out),
            Some(Arg::Str(text)) if debug => print::str_debug(text, out),
            Some(Arg::Str(text)) => out(text),
            None => {}
        }
        rest = tail;
    }
    out(rest);
}

/// The reason of a failed write, from its error number.
pub fn write_failure(errno: i32, out: Sink) {
    match errno {
        5 => out(b"input/output error"),
        9 => out(b"bad file descriptor"),
        27 => out(b"file too large"),
        28 => out(b"no space left on device"),
        32 => out(b"broken pipe"),
        other => {
            out(b"error ");
            print::int_to(i64::from(other), out);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;
    use std::vec::Vec;

    use abi::Kind;

    use super::*;

    #[track_caller]
    fn check(kind: PanicKind, args: &[Arg], expect: &str) {
        let mut text = Vec::new();
        message(kind, args, &mut |piece| text.extend_from_slice(piece));
        assert_eq!(String::from_utf8_lossy(&text), expect);
    }

    #[test]
    fn arguments_stand_where_the_table_says() {
        check(PanicKind::IndexOutOfBounds, &[Arg::Int(7), Arg::Int(3)], "index out of bounds: index 7, length 3");
        check(PanicKind::CannotParseInt, &[Arg::Str(b"a\"\n")], r#"cannot parse "a\"\n" as int"#);
        check(PanicKind::Custom, &[Arg::Str(b"{0} {1?}")], "{0} {1?}");
        check(PanicKind::AssertNotEqual, &[Arg::Str(b"1"), Arg::Str(b"2")], "assertion failed: 1 != 2");
        check(PanicKind::AddOverflow, &[], "integer overflow in addition");
        check(PanicKind::InvalidCodepoint, &[Arg::Int(-1)], "-1 is not a valid Unicode codepoint");
    }

    #[test]
    fn every_template_uses_exactly_its_arguments() {
        for &kind in PanicKind::ALL {
            let args: Vec<Arg> = kind.args().iter().map(|arg| if *arg == Kind::Str { Arg::Str(b"\x01") } else { Arg::Int(77) }).collect();
            let mut text = Vec::new();
            message(kind, &args, &mut |piece| text.extend_from_slice(piece));
            let text = String::from_utf8(text).expect("UTF-8");
            let shown = text.matches('\u{1}').count() + text.matches("77").count() + text.matches("\\u{1}").count();
            assert_eq!(shown, args.len(), "{text}");
            assert!(!text.replace("\\u{1}", "").contains('{'), "{text}");
        }
    }
}

//! Text forms (`language/08` §8.4, "Text forms"): `to_str` of numbers, `debug` of str and char.
//!
//! Floats use the formatter of `core`: shortest digits that read back equal (Grisu with Dragon as fallback) without exponent, and exact
//! decimals rounded half to even. The tests pin both, since the language promises them.

use core::fmt::{self, Write};

use crate::Sink;

/// Longest decimal form of an int.
pub const INT_TEXT_MAX: usize = 20;

/// The decimal form of `value`, written to the end of `buffer`.
pub fn int(value: i64, buffer: &mut [u8; INT_TEXT_MAX]) -> &[u8] {
    let mut rest = value.unsigned_abs();
    let mut at = INT_TEXT_MAX;
    for slot in buffer.iter_mut().rev() {
        *slot = b'0' + (rest % 10) as u8;
        rest /= 10;
        at -= 1;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at = at.saturating_sub(1);
        if let Some(slot) = buffer.get_mut(at) {
            *slot = b'-';
        }
    }
    buffer.get(at..).unwrap_or(&[])
}

/// The decimal form of `value`.
pub fn int_to(value: i64, out: Sink) {
    out(int(value, &mut [0; INT_TEXT_MAX]));
}

struct Pieces<'a>(Sink<'a>);

impl Write for Pieces<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        (self.0)(piece.as_bytes());
        Ok(())
    }
}

/// Shortest decimal digits that read back equal; no exponent, no trailing `.0`.
pub fn float(value: f64, out: Sink) {
    // The sink cannot fail, so neither can the formatter.
    let _ = write!(Pieces(out), "{value}");
}

/// No binary64 has more decimals; all further ones are zeros.
const EXACT_DECIMALS: i64 = 1074;

/// Exactly `decimals` decimals, half to even on the exact value; a negative count is taken as 0.
pub fn fixed(value: f64, decimals: i64, out: Sink) {
    let shown = decimals.clamp(0, EXACT_DECIMALS);
    let _ = write!(Pieces(out), "{value:.*}", shown as usize);
    if value.is_finite() {
        for _ in shown..decimals {
            out(b"0");
        }
    }
}

/// `true` or `false`.
pub fn bool(value: bool) -> &'static [u8] {
    if value { b"true" } else { b"false" }
}

/// `text` in double quotes, escaped. Bytes that are not UTF-8 go through unchanged.
pub fn str_debug(text: &[u8], out: Sink) {
    escaped(text, b'"', out);
}

/// `value` in single quotes, escaped.
pub fn char_debug(value: char, out: Sink) {
    escaped(value.encode_utf8(&mut [0; 4]).as_bytes(), b'\'', out);
}

fn escaped(text: &[u8], quote: u8, out: Sink) {
    out(&[quote]);
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.iter().position(|&byte| needs_look(byte, quote)).unwrap_or(rest.len());
        let (verbatim, tail) = rest.split_at(plain);
        if !verbatim.is_empty() {
            out(verbatim);
        }
        rest = tail;
        let mut hex = [0; 2];
        let (taken, escape): (usize, &[u8]) = match *tail {
            [] => break,
            [b'\n', ..] => (1, b"\\n"),
            [b'\t', ..] => (1, b"\\t"),
            [b'\r', ..] => (1, b"\\r"),
            [0, ..] => (1, b"\\0"),
            [byte, ..] if byte == quote || byte == b'\\' => (1, &[b'\\', byte]),
            // C1 controls, U+0080 to U+009F, are C2 80 to C2 9F; any other C2 begins a printed character.
            [0xc2, code @ 0x80..=0x9f, ..] => {
                unicode_escape(code, &mut hex, out);
                (2, b"")
            }
            [byte, ..] if byte < 0x20 || byte == 0x7f => {
                unicode_escape(byte, &mut hex, out);
                (1, b"")
            }
            [ref first, ..] => (1, core::slice::from_ref(first)),
        };
        out(escape);
        rest = rest.get(taken..).unwrap_or(&[]);
    }
    out(&[quote]);
}

fn needs_look(byte: u8, quote: u8) -> bool {
    byte < 0x20 || byte == quote || byte == b'\\' || byte == 0x7f || byte == 0xc2
}

fn unicode_escape(code: u8, hex: &mut [u8; 2], out: Sink) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    *hex = [digit(code >> 4), digit(code & 15)];
    out(b"\\u{");
    out(if code < 16 { &hex[1..] } else { &hex[..] });
    out(b"}");
}

#[cfg(test)]
mod tests;

//! What a file may consist of (language/01 section 1.1), and its normal form.

use std::borrow::Cow;

use crate::Span;
use crate::diagnostic::DiagnosticCode;

use super::LexError;

/// The text with CR LF and lone CR as LF; the same text when there is no CR.
pub fn normalise(text: &str) -> Cow<'_, str> {
    if !has_byte(text.as_bytes(), b'\r') {
        return Cow::Borrowed(text);
    }
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\r') {
        normal.push_str(&rest[..at]);
        normal.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    normal.push_str(rest);
    Cow::Owned(normal)
}

/// Bytes as text: each malformed sequence becomes U+FFFD. Gives the offsets of the malformed sequences in the file and in the text.
pub(crate) fn decode(bytes: &[u8]) -> (Cow<'_, str>, Vec<(usize, usize)>) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), Vec::new());
    }
    let mut text = String::with_capacity(bytes.len());
    let mut bad = Vec::new();
    let mut offset = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        offset += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            bad.push((offset, text.len()));
            text.push('\u{FFFD}');
            offset += chunk.invalid().len();
        }
    }
    (Cow::Owned(text), bad)
}

/// Byte order marks and control characters.
pub(super) fn check(text: &str, errors: &mut Vec<LexError>) {
    let bytes = text.as_bytes();
    let is_control = |b: u8| b < 0x20 && b != b'\n' && b != b'\t';
    // Folds over blocks instead of stopping at the first find: the compiler makes vector code of it.
    let suspicious = bytes.chunks(256).any(|block| block.iter().fold(false, |found, &b| found | is_control(b) | (b == 0xEF)));
    if !suspicious {
        return;
    }
    for (at, c) in text.char_indices() {
        let span = Span::new(at as u32, (at + c.len_utf8()) as u32);
        if c == '\u{FEFF}' {
            errors.push(LexError { code: DiagnosticCode::E0030, span, args: Vec::new(), help: None, damaging: false });
        } else if c.is_ascii() && is_control(c as u8) {
            let args = vec![format!("{:04X}", c as u32).into()];
            errors.push(LexError { code: DiagnosticCode::E0032, span, args, help: None, damaging: false });
        }
    }
}

const HIGH: u64 = 0x8080_8080_8080_8080;
const NEWLINES: u64 = 0x0a0a_0a0a_0a0a_0a0a;

/// Adds the offsets just after each newline of a part of the text, which begins at `at`.
pub(super) fn line_starts(part: &[u8], mut at: u32, starts: &mut Vec<u32>) {
    let (blocks, rest) = part.as_chunks::<8>();
    for block in blocks {
        // The high bit of each byte that is a newline: of the others some bit is left after the difference, and then in the sum.
        let low = u64::from_le_bytes(*block) ^ NEWLINES;
        let mut found = !(((low & !HIGH) + !HIGH) | low) & HIGH;
        while found != 0 {
            starts.push(at + found.trailing_zeros() / 8 + 1);
            found &= found - 1;
        }
        at += 8;
    }
    starts.extend(rest.iter().zip(at + 1..).filter(|&(&b, _)| b == b'\n').map(|(_, start)| start));
}

fn has_byte(bytes: &[u8], byte: u8) -> bool {
    bytes.chunks(256).any(|block| block.iter().fold(false, |found, &b| found | (b == byte)))
}

//! The tokens that make up nearly all of a text: blanks, words of fewer than eight letters, small numbers, marks.
//!
//! Eight bytes are looked at together, as one integer whose lowest byte comes first. Where a run of letters or digits ends is then a few
//! operations instead of a loop whose end no processor can guess, a short word is its own key in the table of names, and the value of a
//! number is three multiplications (the classic of Lemire, "Quickly parsing eight digits"). Whatever needs more care stops the loop here
//! and is left to [`super::scan`], which can do everything.

use super::scan::Lexer;
use super::{Flags, Kind, NONE, Token};

/// What a byte begins, as far as this loop is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Shape {
    Space,
    Newline,
    Word,
    Digit,
    /// A mark that nothing joins.
    Single,
    /// A mark that may go on.
    Operator,
    Open,
    Close,
    /// Anything else, and the zeros behind the end of the text.
    Other,
}

const SHAPES: [Shape; 256] = {
    let mut table = [Shape::Other; 256];
    let mut b = 0;
    while b < 256 {
        table[b] = match b as u8 {
            b' ' | b'\t' => Shape::Space,
            b'\n' => Shape::Newline,
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => Shape::Word,
            b'0'..=b'9' => Shape::Digit,
            b',' | b';' | b'>' | b'~' | b'$' | b'#' => Shape::Single,
            b':' | b'.' | b'=' | b'!' | b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'&' | b'|' | b'^' | b'@' | b'?' => Shape::Operator,
            b'(' | b'[' | b'{' => Shape::Open,
            b')' | b']' | b'}' => Shape::Close,
            _ => Shape::Other,
        };
        b += 1;
    }
    table
};

/// The mark that is this byte alone.
const MARKS: [Kind; 256] = {
    let mut table = [Kind::Eof; 256];
    let marks = [
        (b',', Kind::Comma),
        (b';', Kind::Semicolon),
        (b'>', Kind::Gt),
        (b'~', Kind::Tilde),
        (b'$', Kind::Dollar),
        (b'#', Kind::Hash),
        (b':', Kind::Colon),
        (b'.', Kind::Dot),
        (b'=', Kind::Eq),
        (b'!', Kind::Bang),
        (b'+', Kind::Plus),
        (b'-', Kind::Minus),
        (b'*', Kind::Star),
        (b'/', Kind::Slash),
        (b'%', Kind::Percent),
        (b'<', Kind::Lt),
        (b'&', Kind::Amp),
        (b'|', Kind::Pipe),
        (b'^', Kind::Caret),
        (b'@', Kind::At),
        (b'?', Kind::Question),
        (b'(', Kind::LParen),
        (b'[', Kind::LBracket),
        (b'{', Kind::LBrace),
        (b')', Kind::RParen),
        (b']', Kind::RBracket),
        (b'}', Kind::RBrace),
    ];
    let mut i = 0;
    while i < marks.len() {
        table[marks[i].0 as usize] = marks[i].1;
        i += 1;
    }
    table
};

/// Bytes that may be the second or third of a mark.
const JOINS: [bool; 256] = {
    let mut table = [false; 256];
    let joins = b"=<>&|*.:+-?/";
    let mut i = 0;
    while i < joins.len() {
        table[joins[i] as usize] = true;
        i += 1;
    }
    table
};

const HIGH: u64 = splat(0x80);

const fn splat(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}

/// Eight bytes from here, with zeros behind the end.
#[inline(always)]
fn chunk(bytes: &[u8], pos: usize) -> u64 {
    match bytes.get(pos..pos.wrapping_add(8)).and_then(|chunk| chunk.first_chunk()) {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => last_chunk(bytes, pos),
    }
}

#[cold]
fn last_chunk(bytes: &[u8], pos: usize) -> u64 {
    let rest = bytes.get(pos..).unwrap_or(&[]);
    rest.iter().rev().fold(0, |chunk, &b| chunk << 8 | b as u64)
}

/// The high bit of each byte that does not continue a word. A byte that is no ASCII does not.
#[inline(always)]
const fn ends_word(x: u64) -> u64 {
    let low = x & !HIGH;
    let lower = low | splat(0x20);
    // No sum leaves its byte: both parts are below 0x80.
    let letter = (lower + splat(0x80 - b'a')) & !(lower + splat(0x7f - b'z'));
    let digit = (low + splat(0x80 - b'0')) & !(low + splat(0x7f - b'9'));
    let no_underscore = (low ^ splat(b'_')) + splat(0x7f);
    (!(letter | digit) & no_underscore | x) & HIGH
}

/// Where the word at an offset ends.
pub(super) fn word_end(bytes: &[u8], from: usize) -> usize {
    let mut end = from;
    loop {
        let ends = ends_word(chunk(bytes, end));
        if ends != 0 {
            return end + ends.trailing_zeros() as usize / 8;
        }
        end += 8;
    }
}

/// The high bit of each byte that is no digit; right up to the first such byte.
#[inline(always)]
const fn ends_digits(x: u64) -> u64 {
    let low = x ^ splat(b'0');
    (low.wrapping_add(splat(0x80 - 10)) | x) & HIGH
}

/// The value of the first `length` bytes, 1 to 7 digits.
#[inline(always)]
const fn decimal(x: u64, length: u32) -> u64 {
    // Leading zeros make it eight digits; pairs, fours and all are then added up side by side.
    let digits = (x & splat(0x0f)) << (64 - 8 * length);
    let pairs = (digits.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}

impl Lexer<'_> {
    /// Goes on up to the next byte that is not plain.
    pub(super) fn plain(&mut self) {
        let bytes = self.bytes;
        let (mut pos, mut flags) = (self.pos, self.flags);
        // Inside an interpolation brackets are counted and `:` has two meanings.
        let in_template = !self.interpolations.is_empty();
        loop {
            let mut x = chunk(bytes, pos);
            if x as u8 == b' ' {
                pos += 1;
                flags = Flags::SPACE_BEFORE.with(flags.only(Flags::LINE_START));
                x = chunk(bytes, pos);
            }
            let b = x as u8;
            match SHAPES[b as usize] {
                Shape::Space => {
                    // A tab is a run of no spaces.
                    pos += ((x ^ splat(b' ')).trailing_zeros() / 8).max(1) as usize;
                    flags = Flags::SPACE_BEFORE.with(flags.only(Flags::LINE_START));
                }
                Shape::Newline => {
                    let indent = ((x >> 8) ^ splat(b' ')).trailing_zeros() / 8;
                    self.line_starts.push(pos as u32 + 1);
                    pos += 1 + indent as usize;
                    let column = if indent == 0 { Flags::FIRST_COLUMN } else { Flags::NONE };
                    flags = Flags::SPACE_BEFORE.with(Flags::LINE_START).with(column);
                }
                Shape::Word => {
                    let ends = ends_word(x);
                    let bits = ends.trailing_zeros() & 0x38;
                    let next = (x >> bits) as u8;
                    // A word of eight letters or more, a byte literal, or a word that goes on in another script.
                    if ends == 0 || next == b'\'' || next >= 0x80 {
                        (self.pos, self.flags) = (pos, flags);
                        self.word();
                        (pos, flags) = (self.pos, self.flags);
                        continue;
                    }
                    let key = x & ((1 << bits) - 1);
                    let length = bits as usize / 8;
                    let mut word = self.names.short(key);
                    if word.key != key {
                        word = self.names.add_short(key, &self.text[pos..pos + length]);
                    }
                    let (start, end) = (pos as u32, (pos + length) as u32);
                    self.tokens.push(Token { start, end, data: word.data, kind: word.kind, flags: flags.with(word.flags) });
                    flags = Flags::NONE;
                    pos += length;
                }
                Shape::Digit => {
                    let ends = ends_digits(x);
                    let bits = ends.trailing_zeros() & 0x38;
                    let rest = x >> bits;
                    let next = rest as u8;
                    let begins_more = CONTINUES_NUMBER[next as usize] && rest as u16 != u16::from_le_bytes(*b"..");
                    if ends == 0 || begins_more || b == b'0' && bits != 8 {
                        break;
                    }
                    let data = self.numbers.len() as u32;
                    self.numbers.push(decimal(x, bits / 8));
                    let end = pos + bits as usize / 8;
                    self.tokens.push(Token { start: pos as u32, end: end as u32, data, kind: Kind::Int, flags });
                    flags = Flags::NONE;
                    pos = end;
                }
                Shape::Single => {
                    self.tokens.push(Token { start: pos as u32, end: pos as u32 + 1, data: 0, kind: MARKS[b as usize], flags });
                    flags = Flags::NONE;
                    pos += 1;
                }
                Shape::Operator => {
                    let (mut kind, mut length) = (MARKS[b as usize], 1);
                    if JOINS[(x >> 8) as u8 as usize] {
                        kind = match &(x as u16).to_le_bytes() {
                            b"->" => Kind::Arrow,
                            b"==" => Kind::EqEq,
                            b"!=" => Kind::NotEq,
                            b"<=" => Kind::LtEq,
                            b".." => Kind::DotDot,
                            b"&&" => Kind::AmpAmp,
                            b"||" => Kind::PipePipe,
                            b"+=" => Kind::PlusEq,
                            b"-=" => Kind::MinusEq,
                            _ => break,
                        };
                        length = 2;
                        if JOINS[(x >> 16) as u8 as usize] {
                            break;
                        }
                    }
                    if b == b':' && in_template {
                        break;
                    }
                    self.tokens.push(Token { start: pos as u32, end: (pos + length) as u32, data: 0, kind, flags });
                    flags = Flags::NONE;
                    pos += length;
                }
                Shape::Open => {
                    if in_template {
                        break;
                    }
                    self.open.push(self.tokens.len() as u32);
                    self.tokens.push(Token { start: pos as u32, end: pos as u32 + 1, data: NONE, kind: MARKS[b as usize], flags });
                    flags = Flags::NONE;
                    pos += 1;
                }
                Shape::Close => {
                    if in_template {
                        break;
                    }
                    let kind = MARKS[b as usize];
                    let partner = self.tokens.len() as u32;
                    match self.open.pop().and_then(|open| self.tokens.get_mut(open as usize)) {
                        Some(open) if open.kind as u8 + 1 == kind as u8 => open.data = partner,
                        _ => self.balanced = false,
                    }
                    self.tokens.push(Token { start: pos as u32, end: pos as u32 + 1, data: 0, kind, flags });
                    flags = Flags::NONE;
                    pos += 1;
                }
                Shape::Other => break,
            }
        }
        (self.pos, self.flags) = (pos, flags);
    }
}

// Each closing bracket follows its partner in the list of kinds.
const _: () = assert!(Kind::LParen as u8 + 1 == Kind::RParen as u8 && Kind::LBracket as u8 + 1 == Kind::RBracket as u8);
const _: () = assert!(Kind::LBrace as u8 + 1 == Kind::RBrace as u8);

/// Bytes behind digits that make more of the number, or may.
const CONTINUES_NUMBER: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        table[b] = (b as u8).is_ascii_alphanumeric() || matches!(b as u8, b'_' | b'.');
        b += 1;
    }
    table
};

#[cfg(test)]
mod tests;

//! Number literals (language/01 section 1.5).

use crate::diagnostic::DiagnosticCode;

use super::Kind;
use super::scan::Lexer;

/// 2^63: a legal literal only behind a unary minus, which the parser judges.
const MIN_MAGNITUDE: u64 = 1 << 63;

/// More fractional digits than this never make a whole number of base units.
const MAX_FRACTION: usize = 20;

/// Suffix, kind, base units.
const UNITS: &[(&str, Kind, u64)] = &[
    ("ns", Kind::Duration, 1),
    ("us", Kind::Duration, 1_000),
    ("ms", Kind::Duration, 1_000_000),
    ("s", Kind::Duration, 1_000_000_000),
    ("m", Kind::Duration, 60_000_000_000),
    ("h", Kind::Duration, 3_600_000_000_000),
    ("b", Kind::Size, 1),
    ("kb", Kind::Size, 1_000),
    ("mb", Kind::Size, 1_000_000),
    ("gb", Kind::Size, 1_000_000_000),
    ("tb", Kind::Size, 1_000_000_000_000),
];

impl Lexer<'_> {
    pub(super) fn number(&mut self) {
        let start = self.pos;
        // Most literals are a few decimal digits.
        let mut value: u64 = 0;
        let mut end = start;
        while let Some(b @ b'0'..=b'9') = self.bytes.get(end) {
            value = value.wrapping_mul(10).wrapping_add((b - b'0') as u64);
            end += 1;
        }
        let next = self.bytes.get(end).copied().unwrap_or(0);
        let simple = end - start <= 18 && !(next.is_ascii_alphanumeric() || matches!(next, b'_' | b'.'));
        if simple && (self.bytes[start] != b'0' || end == start + 1) {
            self.pos = end;
            return self.push_number(Kind::Int, start, value);
        }
        self.long_number();
    }

    fn push_number(&mut self, kind: Kind, start: usize, value: u64) {
        let index = self.numbers.len() as u32;
        self.numbers.push(value);
        self.push(kind, start, index);
    }

    /// Moves over letters, digits and `_`.
    fn skip_run(&mut self) -> usize {
        let from = self.pos;
        while matches!(self.byte(0), b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_') {
            self.pos += 1;
        }
        from
    }

    fn skip_digits(&mut self) {
        while matches!(self.byte(0), b'0'..=b'9' | b'_') {
            self.pos += 1;
        }
    }

    fn long_number(&mut self) {
        let start = self.pos;
        if self.byte(0) == b'0' && matches!(self.byte(1), b'x' | b'X' | b'b' | b'B') {
            let hex = matches!(self.byte(1), b'x' | b'X');
            let zero_size = self.byte(1) == b'b';
            self.pos += 2;
            let digits = self.skip_run();
            let digits = &self.text[digits..self.pos];
            return match () {
                () if digits.is_empty() && zero_size => self.push_number(Kind::Size, start, 0),
                () if !is_grouped(digits, if hex { 16 } else { 2 }) => self.bad_number(start, Kind::Int),
                () => self.integer(start, digits, if hex { 16 } else { 2 }),
            };
        }
        self.skip_digits();
        let whole = &self.text[start..self.pos];
        let mut fraction = None;
        if self.byte(0) == b'.' && self.byte(1).is_ascii_digit() {
            self.pos += 1;
            let from = self.pos;
            self.skip_digits();
            fraction = Some(&self.text[from..self.pos]);
        }
        let mut well_formed = is_grouped(whole, 10) && (whole == "0" || !whole.starts_with('0'));
        well_formed &= fraction.is_none_or(|digits| is_grouped(digits, 10));
        let suffix = self.skip_run();
        // The sign of an exponent is not part of the run, its digits then are.
        if matches!(&self.text[suffix..self.pos], "e" | "E") && matches!(self.byte(0), b'+' | b'-') && self.byte(1).is_ascii_digit() {
            self.pos += 1;
            self.skip_run();
        }
        let suffix = &self.text[suffix..self.pos];
        let exponent = suffix.strip_prefix(['e', 'E']);
        if !well_formed {
            return self.bad_number(start, if fraction.is_some() { Kind::Float } else { Kind::Int });
        }
        if suffix.is_empty() && fraction.is_none() {
            self.integer(start, whole, 10)
        } else if suffix.is_empty() {
            self.float(start)
        } else if let Some(exponent) = exponent {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if is_grouped(digits, 10) { self.float(start) } else { self.bad_number(start, Kind::Float) }
        } else if let Some(&(_, kind, unit)) = UNITS.iter().find(|unit| unit.0 == suffix) {
            self.measure(start, whole, fraction.unwrap_or(""), kind, unit)
        } else {
            self.bad_number(start, Kind::Int)
        }
    }

    fn bad_number(&mut self, start: usize, kind: Kind) {
        let text = self.text[start..self.pos].into();
        self.error(DiagnosticCode::E0003, start, self.pos, [text]);
        self.push_number(kind, start, 0);
    }

    fn out_of_range(&mut self, start: usize, what: &str, kind: Kind) {
        let text = self.text[start..self.pos].into();
        self.error(DiagnosticCode::E0033, start, self.pos, [what.into(), text]);
        self.push_number(kind, start, 0);
    }

    fn integer(&mut self, start: usize, digits: &str, radix: u32) {
        let mut value = Some(0u64);
        for digit in digits.chars().filter_map(|c| c.to_digit(radix)) {
            value = value.and_then(|v| v.checked_mul(radix as u64)?.checked_add(digit as u64));
        }
        match value {
            Some(value) if value < MIN_MAGNITUDE || value == MIN_MAGNITUDE && radix == 10 => {
                self.push_number(Kind::Int, start, value);
            }
            _ => self.out_of_range(start, "integer", Kind::Int),
        }
    }

    fn float(&mut self, start: usize) {
        let text = &self.text[start..self.pos];
        // The grammar of Rust's parser contains ours without `_`; it rounds to nearest even.
        let value = if text.contains('_') { text.replace('_', "").parse::<f64>() } else { text.parse::<f64>() };
        match value {
            Ok(value) if value.is_finite() => self.push_number(Kind::Float, start, value.to_bits()),
            _ => self.out_of_range(start, "float", Kind::Float),
        }
    }

    /// Durations and sizes: digits times unit, exactly.
    fn measure(&mut self, start: usize, whole: &str, fraction: &str, kind: Kind, unit: u64) {
        let digit = |c: char| c.to_digit(10).map(u128::from);
        let mut value = Some(0u128);
        for d in whole.chars().filter_map(digit) {
            value = value.and_then(|v| v.checked_mul(10)?.checked_add(d));
        }
        let value = value.and_then(|v| v.checked_mul(unit as u128));
        let digits = fraction.trim_end_matches(['0', '_']).chars().filter_map(digit);
        let (part, scale) = digits.clone().take(MAX_FRACTION).fold((0, 1), |(part, scale), d| (part * 10 + d, scale * 10));
        let part: u128 = part * unit as u128;
        // A fraction that does not end in zero needs a factor 2 or 5 of the unit for each digit, and no unit has so many.
        let exact = digits.count() <= MAX_FRACTION && part.is_multiple_of(scale);
        let value = value.and_then(|v| v.checked_add(part / scale));
        if !exact {
            let what = if kind == Kind::Duration { "nanoseconds" } else { "bytes" };
            let text = self.text[start..self.pos].into();
            self.error(DiagnosticCode::E0014, start, self.pos, [text, what.into()]);
            return self.push_number(kind, start, 0);
        }
        match value {
            Some(value) if value < MIN_MAGNITUDE as u128 => self.push_number(kind, start, value as u64),
            _ => self.out_of_range(start, "integer", kind),
        }
    }
}

/// Digits of a radix with single `_` between them.
fn is_grouped(text: &str, radix: u32) -> bool {
    !text.is_empty() && text.split('_').all(|group| !group.is_empty() && group.chars().all(|c| c.is_digit(radix)))
}

//! Case and digits of characters. The properties and mappings of single characters are those of `core`; what `core` keeps to itself stands in
//! [`tables`](self::tables), which `ORI_BLESS=1 cargo test -p rt-pure --test tables` writes.
//!
//! Mappings are the full ones of Unicode without those of a locale: one character may become several, and a Greek sigma at the end of a word becomes
//! the final one.

use crate::Sink;

mod tables;

/// Unicode category Nd.
pub fn is_digit(value: char) -> bool {
    let code = value as u32;
    // Digits stand in rows of ten, zero first.
    match tables::ZEROS.partition_point(|&zero| zero <= code).checked_sub(1) {
        Some(row) => tables::ZEROS.get(row).is_some_and(|&zero| code - zero < 10),
        None => false,
    }
}

/// The uppercase of one character.
pub fn char_upper(value: char, out: Sink) {
    for mapped in value.to_uppercase() {
        out(mapped.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// The lowercase of one character; it stands in no word, so a sigma is not final.
pub fn char_lower(value: char, out: Sink) {
    for mapped in value.to_lowercase() {
        out(mapped.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// The uppercase of a text.
pub fn upper(text: &[u8], out: Sink) {
    mapped(text, out, u8::to_ascii_uppercase, |value, _, _, out| char_upper(value, out));
}

/// The lowercase of a text.
pub fn lower(text: &[u8], out: Sink) {
    mapped(text, out, u8::to_ascii_lowercase, |value, before, after, out| {
        if value == 'Σ' && is_final(before, after) { out("ς".as_bytes()) } else { char_lower(value, out) }
    });
}

/// Maps a text: runs of ASCII in blocks, all else by character with what stands before and behind it.
fn mapped(text: &[u8], out: Sink, ascii: fn(&u8) -> u8, other: fn(char, &str, &str, Sink)) {
    // Text values are UTF-8.
    let Ok(text) = core::str::from_utf8(text) else { return out(text) };
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let mut block = [0; 64];
        let mut filled = 0;
        for (slot, byte) in block.iter_mut().zip(rest.bytes().take_while(u8::is_ascii)) {
            *slot = ascii(&byte);
            filled += 1;
        }
        out(block.get(..filled).unwrap_or(&[]));
        at += filled;
        if let Some(value) = text.get(at..).and_then(|rest| rest.chars().next()).filter(|value| !value.is_ascii()) {
            let end = at + value.len_utf8();
            other(value, text.get(..at).unwrap_or(""), text.get(end..).unwrap_or(""), out);
            at = end;
        }
    }
}

/// Does a sigma between these end a word? (`Final_Sigma` of SpecialCasing.)
fn is_final(before: &str, after: &str) -> bool {
    let cased = |value: Option<char>| value.is_some_and(is_cased);
    cased(before.chars().rev().find(|&value| !is_case_ignorable(value))) && !cased(after.chars().find(|&value| !is_case_ignorable(value)))
}

fn is_cased(value: char) -> bool {
    // The titlecase letters are neither.
    let is_title = || matches!(value as u32, 0x1c5 | 0x1c8 | 0x1cb | 0x1f2 | 0x1f88..=0x1f8f | 0x1f98..=0x1f9f | 0x1fa8..=0x1faf | 0x1fbc | 0x1fcc | 0x1ffc);
    value.is_uppercase() || value.is_lowercase() || is_title()
}

fn is_case_ignorable(value: char) -> bool {
    let code = value as u32;
    let row = tables::CASE_IGNORABLE.partition_point(|&(first, _)| first <= code).checked_sub(1);
    row.and_then(|row| tables::CASE_IGNORABLE.get(row)).is_some_and(|&(_, last)| code <= last)
}

#[cfg(test)]
mod tests;

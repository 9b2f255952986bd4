//! Generator and test of `src/case/tables.rs`: what `core` knows of characters but does not say. `ORI_BLESS=1 cargo test -p rt-pure --test tables` writes it.
//!
//! `Case_Ignorable` is asked from the standard library, whose `to_lowercase` looks over such characters when it decides whether a sigma is final. The
//! standard library tells no category Nd; its zeros are few, change with new scripts only, and are listed here.

use std::fmt::Write;

/// Zeros of the decimal digits of all scripts: `python3 -c "import sys, unicodedata as u; print([hex(c) for c in range(sys.maxunicode + 1)
/// if u.category(chr(c)) == 'Nd' and u.digit(chr(c)) == 0])"`, and below those of scripts that came with Unicode 16 and 17.
const ZEROS: &[u32] = &[
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090,
    0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
    0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da,
    0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50, 0x11da0, 0x11de0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce,
    0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// Looked over beside a sigma: behind one it neither ends a word nor goes on with it.
fn is_case_ignorable(value: char) -> bool {
    let is_final = |text: String| text.to_lowercase().contains('ς');
    // Another sigma would answer for itself.
    value != 'Σ' && is_final(format!("AΣ{value}")) && !is_final(format!("AΣ{value}B"))
}

/// The text of the file.
fn tables() -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for value in (char::MIN..=char::MAX).filter(|&value| is_case_ignorable(value)) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == value as u32 => *last = value as u32,
            _ => ranges.push((value as u32, value as u32)),
        }
    }
    let mut text = String::from("//! Written by `ORI_BLESS=1 cargo test -p rt-pure --test tables`, which compares otherwise.\n\n");
    let mut table = |head: &str, rows: Vec<String>| {
        writeln!(text, "{head} = &[").unwrap();
        let mut line = String::new();
        for row in rows {
            if line.len() + row.len() + 1 > 136 {
                writeln!(text, "    {}", line.trim_end()).unwrap();
                line.clear();
            }
            line.push_str(&row);
            line.push(' ');
        }
        writeln!(text, "    {}\n];", line.trim_end()).unwrap();
    };
    let zeros = ZEROS.iter().map(|zero| format!("0x{zero:x},")).collect();
    table("/// The zeros of category Nd; nine digits follow each.\n#[rustfmt::skip]\npub const ZEROS: &[u32]", zeros);
    let ranges = ranges.iter().map(|(first, last)| format!("(0x{first:x}, 0x{last:x}),")).collect();
    table("\n/// `Case_Ignorable`, first and last of each run.\n#[rustfmt::skip]\npub const CASE_IGNORABLE: &[(u32, u32)]", ranges);
    text
}

#[test]
fn the_table_is_what_its_generator_writes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/case/tables.rs");
    let text = tables();
    if std::env::var_os("ORI_BLESS").is_some() {
        std::fs::write(path, &text).expect("the source folder is writable");
    }
    assert_eq!(std::fs::read_to_string(path).expect("the tables are there"), text, "run `ORI_BLESS=1 cargo test -p rt-pure --test tables`");
}

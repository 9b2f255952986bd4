//! Characters that look like an ASCII token but are none (E0011).

/// The ASCII text that `c` looks like.
pub(super) fn ascii(c: char) -> Option<&'static str> {
    const PRINTABLE: &str = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    if ('\u{FF01}'..='\u{FF5E}').contains(&c) {
        let at = (c as u32 - 0xFF01) as usize;
        return PRINTABLE.get(at..=at);
    }
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}' | '\u{2032}' | '\u{02BC}' | '\u{00B4}' => "'",
        '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{201F}' | '\u{2033}' | '\u{00AB}' | '\u{00BB}' => "\"",
        '\u{2035}' | '\u{02CB}' => "`",
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{207B}' => "-",
        '\u{2026}' => "...",
        '\u{2217}' | '\u{204E}' | '\u{00D7}' => "*",
        '\u{2044}' | '\u{2215}' => "/",
        '\u{037E}' => ";",
        '\u{3001}' | '\u{060C}' => ",",
        '\u{3002}' => ".",
        '\u{2236}' | '\u{A789}' => ":",
        '\u{2039}' | '\u{3008}' | '\u{27E8}' => "<",
        '\u{203A}' | '\u{3009}' | '\u{27E9}' => ">",
        '\u{3010}' | '\u{300C}' => "[",
        '\u{3011}' | '\u{300D}' => "]",
        '\u{2223}' | '\u{01C0}' => "|",
        '\u{01C3}' => "!",
        '\u{02DC}' | '\u{223C}' => "~",
        '\u{02C6}' => "^",
        '\u{A78A}' => "=",
        '\u{00A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => " ",
        _ => return None,
    })
}

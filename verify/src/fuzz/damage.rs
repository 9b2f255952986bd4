//! A text damaged: bytes, tokens, lines. Most damage is small, so that what comes out is almost right: that is where readers are weak.

use crate::random::Random;

/// Changes a text in one to four ways; `other` is another text of the same kind to take pieces from.
pub fn damage(text: &str, other: &str, random: &mut Random) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        match random.below(10) {
            0 => flip(&mut bytes, random),
            1 => replace_byte(&mut bytes, random),
            2 => delete(&mut bytes, random),
            3 => repeat(&mut bytes, random),
            4 => splice(&mut bytes, other.as_bytes(), random),
            5 => swap_lines(&mut bytes, random),
            _ => change_token(&mut bytes, other, random),
        }
    }
    bytes
}

/// Tokens that are likely to be understood.
const WORDS: &[&str] = &[
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "255",
    "256",
    "1e308",
    "0x",
    "'a'",
    "\"\"",
    "\"\\",
    "`{",
    "}`",
    "true",
    "false",
    "()",
    "int",
    "float",
    "bool",
    "str",
    "char",
    "byte",
    "void",
    "Never",
    "if",
    "then",
    "else",
    "while",
    "do",
    "for",
    "in",
    "loop",
    "break",
    "continue",
    "match",
    "let",
    "$",
    "use",
    "pub",
    "type",
    "=",
    "==",
    "->",
    "=>",
    "..",
    "..=",
    "...",
    "?",
    "??",
    "|",
    "||",
    "&&",
    "<<",
    ">>",
    "**",
    "div",
    "%",
    "~",
    "!",
    "@",
    "#",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ",",
    ";",
    ":",
    "::",
    ".",
    "_",
    "%0",
    "%1",
    "%4294967295",
    "b0",
    "b1",
    "b4294967295",
    "!1:1",
    "!0:0",
    "{nounwind}",
    "@main.main",
    "fn",
    "ret",
    "jump",
    "i64",
    "ptr",
    "$rax",
    "[",
    "slot.0",
    "\u{feff}",
    "é",
    "\u{202e}",
];

fn flip(bytes: &mut [u8], random: &mut Random) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn replace_byte(bytes: &mut [u8], random: &mut Random) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte = random.next() as u8;
    }
}

fn range(len: usize, longest: usize, random: &mut Random) -> std::ops::Range<usize> {
    let start = random.below(len);
    start..(start + 1 + random.below(longest)).min(len)
}

fn delete(bytes: &mut Vec<u8>, random: &mut Random) {
    bytes.drain(range(bytes.len(), 40, random));
}

fn repeat(bytes: &mut Vec<u8>, random: &mut Random) {
    let piece = bytes[range(bytes.len(), 60, random)].to_vec();
    // Now and then deeply: nesting must meet a limit, not the end of the stack.
    let times = if random.one_in(50) { 3000 } else { 1 + random.below(3) };
    let at = random.below(bytes.len());
    if bytes.len() + piece.len() * times < 1 << 19 {
        bytes.splice(at..at, piece.repeat(times));
    }
}

fn splice(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let piece = other[range(other.len(), 200, random)].to_vec();
    let at = random.below(bytes.len());
    bytes.splice(at..at, piece);
}

fn swap_lines(bytes: &mut Vec<u8>, random: &mut Random) {
    let mut lines: Vec<Vec<u8>> = bytes.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
    let (one, two) = (random.below(lines.len()), random.below(lines.len()));
    lines.swap(one, two);
    *bytes = lines.join(&b'\n');
}

/// Replaces, removes or doubles a token, or puts one in.
fn change_token(bytes: &mut Vec<u8>, other: &str, random: &mut Random) {
    let tokens = tokens(bytes);
    let Some(token) = random.pick(&tokens).cloned() else { return };
    let new: Vec<u8> = match random.below(4) {
        0 => Vec::new(),
        1 => random.pick(WORDS).copied().unwrap_or_default().as_bytes().to_vec(),
        2 => random.pick(&tokens).map(|range| bytes[range.clone()].to_vec()).unwrap_or_default(),
        _ => {
            let theirs = self::tokens(other.as_bytes());
            random.pick(&theirs).map(|range| other.as_bytes()[range.clone()].to_vec()).unwrap_or_default()
        }
    };
    let place = if random.one_in(4) { token.start..token.start } else { token };
    bytes.splice(place, new);
}

/// Runs of letters, runs of spaces, single marks.
fn tokens(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let class = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | 0x80.. => 1,
        b' ' | b'\n' | b'\t' => 2,
        _ => 0,
    };
    let mut tokens = Vec::new();
    let mut start = 0;
    for at in 1..=bytes.len() {
        let joined = at < bytes.len() && class(bytes[at]) != 0 && class(bytes[at]) == class(bytes[at - 1]);
        if !joined {
            if class(bytes[start]) != 2 {
                tokens.push(start..at);
            }
            start = at;
        }
    }
    tokens
}

//! Static data: what the text of `static` says, down to the byte.
//!
//! It lies in sections, one behind the other in the text, with `|` between them. The op gives the address of the first; an address in a section is one of the
//! section behind it, so that a linker can lay them out from the last to the first, and nothing has to be told of what a section is for.
//!
//! | token    | bytes                                                        |
//! |----------|--------------------------------------------------------------|
//! | `-5`     | a word of 8 bytes                                            |
//! | `w65`    | a number of 4 bytes                                          |
//! | `b5`     | a byte                                                       |
//! | `z7`     | so many zeros                                                |
//! | `"text"` | the bytes of a text, with `\` in front of `"` and `\`        |
//! | `@24`    | 8 bytes: the address of byte 24 of the section behind        |

use std::fmt::Write;

use ir::Symbol;

use crate::ir::Type;

/// Bytes of one section at most: offsets have 31 bits.
const MAX_BYTES: usize = 1 << 30;

/// What lies in one piece.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Section {
    /// Its bytes, zero where an address stands.
    pub bytes: Vec<u8>,
    /// Where an address stands, and of which byte of the section behind this one.
    pub links: Vec<(u32, u32)>,
}

/// A section in the making, as text.
#[derive(Default)]
pub(crate) struct Writer {
    text: String,
    bytes: u32,
}

impl Writer {
    /// Its size up to here.
    pub(crate) fn bytes(&self) -> u32 {
        self.bytes
    }

    /// Zeros up to this offset.
    pub(crate) fn pad_to(&mut self, offset: u32) {
        let zeros = offset.saturating_sub(self.bytes);
        if zeros > 0 {
            self.token(zeros, format_args!("z{zeros}"));
        }
    }

    /// A number of this type.
    pub(crate) fn number(&mut self, value: u64, ty: Type) {
        match ty {
            Type::I8 => self.token(1, format_args!("b{value}")),
            Type::I32 => self.token(4, format_args!("w{value}")),
            Type::I64 | Type::Ptr | Type::F64 => self.token(8, format_args!("{}", value as i64)),
        }
    }

    /// The address of a byte of the section behind.
    pub(crate) fn link(&mut self, to: u32) {
        self.token(8, format_args!("@{to}"));
    }

    /// The bytes of a text.
    pub(crate) fn text(&mut self, text: &str) {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        self.token(text.len() as u32, format_args!("\"{escaped}\""));
    }

    fn token(&mut self, bytes: u32, token: std::fmt::Arguments<'_>) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        let _ = self.text.write_fmt(token);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The text of sections, each made up of whole words.
pub(crate) fn text_of(mut sections: Vec<Writer>) -> Symbol {
    sections.iter_mut().for_each(|section| section.pad_to(section.bytes.next_multiple_of(8)));
    let texts: Vec<&str> = sections.iter().map(|section| section.text.as_str()).collect();
    Symbol::new(&texts.join(" | "))
}

/// The sections that a text stands for, none of them empty; nothing when it is no such text.
pub fn parse(text: Symbol) -> Option<Vec<Section>> {
    let mut sections = vec![Section::default()];
    let mut rest = text.as_str();
    loop {
        let section = sections.last_mut()?;
        rest = token(rest, section)?;
        if section.bytes.len() > MAX_BYTES {
            return None;
        }
        rest = match rest.strip_prefix(" | ") {
            Some(next) => {
                sections.push(Section::default());
                next
            }
            None if rest.is_empty() => break,
            None => rest.strip_prefix(' ')?,
        };
    }
    let mut behind = 0;
    for section in sections.iter().rev() {
        if section.bytes.is_empty() || section.links.iter().any(|&(_, to)| to as usize >= behind) {
            return None;
        }
        behind = section.bytes.len();
    }
    Some(sections)
}

/// Reads one token into the section; what is behind it.
fn token<'t>(rest: &'t str, section: &mut Section) -> Option<&'t str> {
    if let Some(text) = rest.strip_prefix('"') {
        let bytes = text.as_bytes();
        let mut at = 0;
        loop {
            match *bytes.get(at)? {
                b'"' => return text.get(at + 1..),
                b'\\' => {
                    section.bytes.push(*bytes.get(at + 1)?);
                    at += 2;
                }
                byte => {
                    section.bytes.push(byte);
                    at += 1;
                }
            }
        }
    }
    let (word, rest) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
    let bytes = &mut section.bytes;
    match *word.as_bytes().first()? {
        b'b' => bytes.push(word[1..].parse().ok()?),
        b'w' => bytes.extend(word[1..].parse::<u32>().ok()?.to_le_bytes()),
        b'z' => {
            let zeros: usize = word[1..].parse().ok()?;
            if zeros > MAX_BYTES {
                return None;
            }
            bytes.resize(bytes.len() + zeros, 0);
        }
        b'@' => {
            section.links.push((bytes.len() as u32, word[1..].parse().ok()?));
            bytes.extend([0; 8]);
        }
        _ => bytes.extend(word.parse::<i64>().ok()?.to_le_bytes()),
    }
    Some(rest)
}

//! Strings, characters, bytes and templates (language/01 section 1.6).

use ir::Symbol;

use crate::diagnostic::DiagnosticCode;

use super::Kind;
use super::scan::{Interpolation, Lexer};

/// Which escapes a literal knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Quoted {
    Str,
    Template,
    Char,
    Byte,
}

impl Quoted {
    fn name(self) -> &'static str {
        match self {
            Quoted::Str => "string",
            Quoted::Template => "template",
            Quoted::Char => "char",
            Quoted::Byte => "byte",
        }
    }
}

impl Lexer<'_> {
    pub(super) fn string(&mut self) {
        let start = self.pos;
        self.pos += 1;
        let from = self.pos;
        loop {
            match self.bytes.get(self.pos) {
                Some(b'"') => break,
                Some(b'\\') => return self.escaped_string(start, from),
                None | Some(b'\n') => return self.unterminated_string(start, from),
                Some(_) => self.pos += 1,
            }
        }
        let symbol = self.names.symbol(&self.text[from..self.pos]);
        self.pos += 1;
        self.push(Kind::Str, start, symbol.raw());
    }

    fn unterminated_string(&mut self, start: usize, from: usize) {
        self.error(DiagnosticCode::E0001, start, self.pos, []);
        let symbol = Symbol::new(&self.text[from..self.pos]);
        self.push(Kind::Str, start, symbol.raw());
    }

    fn escaped_string(&mut self, start: usize, from: usize) {
        let mut content = self.text[from..self.pos].to_owned();
        loop {
            match self.bytes.get(self.pos) {
                Some(b'"') => break,
                Some(b'\\') => content.extend(self.escape(Quoted::Str)),
                None | Some(b'\n') => return self.unterminated_string(start, from),
                Some(_) => self.literal_text(&mut content, b"\"\\\n"),
            }
        }
        self.pos += 1;
        self.push(Kind::Str, start, Symbol::new(&content).raw());
    }

    /// Copies up to one of the stop bytes.
    fn literal_text(&mut self, content: &mut String, stops: &[u8]) {
        let from = self.pos;
        while let Some(b) = self.bytes.get(self.pos) {
            if stops.contains(b) {
                break;
            }
            self.pos += 1;
        }
        content.push_str(&self.text[from..self.pos]);
    }

    /// An escape sequence; reports what is wrong with it and then gives nothing.
    fn escape(&mut self, kind: Quoted) -> Option<char> {
        let start = self.pos;
        let Some(c) = self.text[start + 1..].chars().next().filter(|&c| c != '\n') else {
            // The literal ends here and is reported as unterminated.
            self.pos += 1;
            return None;
        };
        self.pos += 1 + c.len_utf8();
        let value = match c {
            '\\' => Some('\\'),
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            '0' => Some('\0'),
            '"' if matches!(kind, Quoted::Str | Quoted::Template) => Some('"'),
            '\'' if matches!(kind, Quoted::Char | Quoted::Byte) => Some('\''),
            '`' if kind == Quoted::Template => Some('`'),
            'x' => self.hex_escape(kind),
            'u' if kind != Quoted::Byte => self.unicode_escape(),
            _ => None,
        };
        if value.is_some() {
            return value;
        }
        if kind == Quoted::Byte && c == 'u' {
            self.error(DiagnosticCode::E0035, start, self.pos, []);
            return None;
        }
        self.error(DiagnosticCode::E0005, start, self.pos, [c.to_string().into(), kind.name().into()]);
        if let Some(error) = self.errors.last_mut() {
            error.help = match c {
                'x' => Some("'\\x' takes two hex digits up to 7F; use '\\u{...}' for others"),
                'u' => Some("write '\\u{H}' with the 1 to 6 hex digits of a scalar value"),
                '{' | '}' if kind == Quoted::Template => Some("in a template a brace is written twice: '{{' or '}}'"),
                '{' | '}' => Some("a brace in double quotes stands for itself: leave out the backslash"),
                _ => None,
            };
        }
        None
    }

    fn hex_escape(&mut self, kind: Quoted) -> Option<char> {
        let digit = |b: u8| (b as char).to_digit(16);
        let (high, low) = (digit(self.byte(0))?, digit(self.byte(1))?);
        self.pos += 2;
        let value = high * 16 + low;
        if value < 0x80 || kind == Quoted::Byte { char::from_u32(value) } else { None }
    }

    fn unicode_escape(&mut self) -> Option<char> {
        if self.byte(0) != b'{' {
            return None;
        }
        let mut length = 1;
        while self.byte(length).is_ascii_hexdigit() {
            length += 1;
        }
        let digits = &self.text[self.pos + 1..self.pos + length];
        if self.byte(length) != b'}' {
            return None;
        }
        self.pos += length + 1;
        if digits.len() > 6 {
            return None;
        }
        char::from_u32(u32::from_str_radix(digits, 16).ok()?)
    }

    /// A character or byte literal; `start` is its first byte (the `b` of a byte), the apostrophe is here.
    pub(super) fn character(&mut self, start: usize, is_byte: bool) {
        let kind = if is_byte { Kind::Byte } else { Kind::Char };
        self.pos += 1;
        let Some(c) = self.text[self.pos..].chars().next().filter(|&c| c != '\n') else {
            self.error(DiagnosticCode::E0004, start, self.pos, []);
            return self.push(kind, start, '?' as u32);
        };
        if c == '\'' {
            self.pos += 1;
            self.pos += usize::from(self.byte(0) == b'\'');
            self.error(DiagnosticCode::E0034, start, self.pos, []);
            return self.push(kind, start, '?' as u32);
        }
        let errors = self.errors.len();
        let value = if c == '\\' {
            self.escape(if is_byte { Quoted::Byte } else { Quoted::Char }).unwrap_or('?')
        } else {
            self.pos += c.len_utf8();
            c
        };
        if self.byte(0) == b'\'' {
            self.pos += 1;
            if is_byte && c != '\\' && !(' '..='~').contains(&c) {
                self.error(DiagnosticCode::E0035, start, self.pos, []);
                return self.push(kind, start, b'?' as u32);
            }
            return self.push(kind, start, value as u32);
        }
        let rest = &self.text[self.pos..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        match closing_apostrophe(line) {
            Some(at) => {
                self.pos += at + 1;
                if self.errors.len() == errors {
                    let code = if is_byte { DiagnosticCode::E0035 } else { DiagnosticCode::E0009 };
                    self.error(code, start, self.pos, []);
                }
            }
            None => self.error(DiagnosticCode::E0004, start, self.pos, []),
        }
        self.push(kind, start, value as u32);
    }

    pub(super) fn template_start(&mut self) {
        let start = self.pos as u32;
        self.pos += 1;
        self.push(Kind::TemplateStart, start as usize, super::NONE);
        self.template_text(start);
    }

    /// The text of a template up to its end or the next interpolation.
    pub(super) fn template_text(&mut self, template: u32) {
        let start = self.pos;
        let mut content = String::new();
        loop {
            match self.bytes.get(self.pos) {
                None => {
                    self.error(DiagnosticCode::E0006, template as usize, template as usize + 1, []);
                    self.push_text(start, &content);
                    // Templates around it end here too and say no more.
                    self.interpolations.clear();
                    return;
                }
                Some(b'`') => {
                    self.push_text(start, &content);
                    let end = self.pos;
                    self.pos += 1;
                    return self.push(Kind::TemplateEnd, end, 0);
                }
                Some(b'\\') => content.extend(self.escape(Quoted::Template)),
                Some(&b @ (b'{' | b'}')) if self.byte(1) == b => {
                    content.push(b as char);
                    self.pos += 2;
                }
                Some(b'{') => {
                    self.push_text(start, &content);
                    let open = self.pos;
                    self.pos += 1;
                    self.push(Kind::InterpolationStart, open, super::NONE);
                    self.interpolations.push(Interpolation { template, round: 0, square: 0, curly: 0 });
                    return;
                }
                Some(b'}') => {
                    self.error(DiagnosticCode::E1001, self.pos, self.pos + 1, ["}".into(), "'}}'".into()]);
                    self.pos += 1;
                }
                Some(_) => self.literal_text(&mut content, b"`\\{}"),
            }
        }
    }

    fn push_text(&mut self, start: usize, content: &str) {
        if !content.is_empty() {
            self.push(Kind::TemplateText, start, Symbol::new(content).raw());
        }
    }

    /// The raw text between `:` and the `}` of an interpolation.
    pub(super) fn format_spec(&mut self) {
        self.pos += 1;
        let from = self.pos;
        while !matches!(self.bytes.get(self.pos), None | Some(b'}' | b'`' | b'\n')) {
            self.pos += 1;
        }
        let symbol = Symbol::new(&self.text[from..self.pos]);
        self.push(Kind::FormatSpec, from, symbol.raw());
    }
}

/// Where an unescaped apostrophe stands.
fn closing_apostrophe(line: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, b) in line.bytes().enumerate() {
        match b {
            b'\'' if !escaped => return Some(at),
            b'\\' if !escaped => escaped = true,
            _ => escaped = false,
        }
    }
    None
}

//! Whitespace, comments, words and punctuation in all their forms. The usual ones never come here: see [`super::plain`].

use crate::Span;
use crate::diagnostic::{Arg, DiagnosticCode};

use super::lookalike;
use super::names::Names;
use super::{DocComment, Flags, Kind, LexError, Memory, NONE, Token, plain, source};

/// What a byte begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    Space,
    Word,
    Digit,
    Quote,
    Apostrophe,
    Backtick,
    Slash,
    Mark,
    Backslash,
    Other,
}

const CLASSES: [Class; 256] = {
    let mut table = [Class::Other; 256];
    let mut b = 0;
    while b < 256 {
        table[b] = match b as u8 {
            // Control characters are reported by `source::check` and separate tokens like spaces.
            b' ' | 0x00..=0x1f => Class::Space,
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => Class::Word,
            b'0'..=b'9' => Class::Digit,
            b'"' => Class::Quote,
            b'\'' => Class::Apostrophe,
            b'`' => Class::Backtick,
            b'/' => Class::Slash,
            b'\\' => Class::Backslash,
            b'!' | b'#'..=b'&' | b'('..=b'.' | b':'..=b'@' | b'[' | b']' | b'^' | b'{'..=b'~' => Class::Mark,
            _ => Class::Other,
        };
        b += 1;
    }
    table
};

/// Longest identifier (language/17 section 17.7).
const MAX_IDENTIFIER: usize = 1024;

/// An interpolation that is being scanned, with the brackets open inside it.
pub(super) struct Interpolation {
    /// First byte of its template.
    pub template: u32,
    pub round: u32,
    pub square: u32,
    pub curly: u32,
}

pub(super) struct Lexer<'a> {
    pub text: &'a str,
    pub bytes: &'a [u8],
    pub pos: usize,
    /// Facts about the next token.
    pub flags: Flags,
    pub names: Box<Names>,
    pub interpolations: Vec<Interpolation>,
    pub tokens: Vec<Token>,
    /// Opening brackets without partner so far.
    pub open: Vec<u32>,
    /// So far every closing bracket was the partner of the last opening one.
    pub balanced: bool,
    pub numbers: Vec<u64>,
    /// Offsets just after each newline.
    pub line_starts: Vec<u32>,
    pub errors: Vec<LexError>,
    pub docs: Vec<DocComment>,
}

impl<'a> Lexer<'a> {
    /// A lexer that fills these (empty) lists.
    pub fn new(text: &'a str, memory: Memory) -> Lexer<'a> {
        let Memory { mut tokens, mut numbers, mut line_starts } = memory;
        tokens.reserve(text.len() / 2 + 2);
        numbers.reserve(text.len() / 16);
        line_starts.reserve(text.len() / 24);
        let mut errors = Vec::new();
        source::check(text, &mut errors);
        Lexer {
            text,
            bytes: text.as_bytes(),
            pos: 0,
            flags: Flags::LINE_START.with(Flags::FIRST_COLUMN),
            names: Names::take(),
            interpolations: Vec::new(),
            tokens,
            open: Vec::new(),
            balanced: true,
            numbers,
            line_starts,
            errors,
            docs: Vec::new(),
        }
    }

    /// The byte at an offset from here; 0 past the end.
    #[inline(always)]
    pub fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    pub fn run(&mut self) {
        loop {
            self.plain();
            let from = self.pos;
            let Some(&b) = self.bytes.get(from) else { break };
            match CLASSES[b as usize] {
                Class::Space => {
                    self.pos += 1;
                    self.flags = Flags::SPACE_BEFORE.with(self.line_flags());
                }
                Class::Word => self.word(),
                Class::Digit => self.number(),
                Class::Mark => self.mark(b),
                Class::Quote => self.string(),
                Class::Apostrophe => self.character(self.pos, false),
                Class::Backtick => self.template_start(),
                Class::Slash => self.slash(),
                Class::Backslash => {
                    self.error(DiagnosticCode::E0013, self.pos, self.pos + 1, []);
                    self.pos += 1;
                }
                Class::Other => self.other(),
            }
            // The newlines that are no token of their own: inside templates.
            source::line_starts(&self.bytes[from..self.pos], from as u32, &mut self.line_starts);
        }
        if let Some(interpolation) = self.interpolations.first() {
            self.error(DiagnosticCode::E0006, interpolation.template as usize, interpolation.template as usize + 1, []);
        }
        self.push(Kind::Eof, self.pos, 0);
    }

    /// Of the facts about the next token, what a space leaves.
    fn line_flags(&self) -> Flags {
        if self.flags.has(Flags::LINE_START) { Flags::LINE_START } else { Flags::NONE }
    }

    /// A token from `start` to here.
    #[inline(always)]
    pub fn push(&mut self, kind: Kind, start: usize, data: u32) {
        if kind.opens() {
            self.open.push(self.tokens.len() as u32);
        } else if kind.closes() {
            self.pair(kind);
        }
        self.tokens.push(Token { start: start as u32, end: self.pos as u32, data, kind, flags: self.flags });
        self.flags = Flags::NONE;
    }

    /// Writes into the last open bracket that the next token, of this kind, is its partner.
    #[inline(always)]
    pub fn pair(&mut self, kind: Kind) {
        let partner = self.tokens.len() as u32;
        match self.open.pop().and_then(|open| self.tokens.get_mut(open as usize)) {
            Some(open) if open.kind.partner() == kind => open.data = partner,
            _ => self.balanced = false,
        }
    }

    pub fn error<const N: usize>(&mut self, code: DiagnosticCode, start: usize, end: usize, args: [Arg; N]) {
        let damaging = matches!(
            code,
            DiagnosticCode::E0001
                | DiagnosticCode::E0002
                | DiagnosticCode::E0004
                | DiagnosticCode::E0006
                | DiagnosticCode::E0010
                | DiagnosticCode::E0013
                | DiagnosticCode::E0038
        );
        let span = Span::new(start as u32, end as u32);
        self.errors.push(LexError { code, span, args: args.into(), help: None, damaging });
    }

    pub(super) fn word(&mut self) {
        let start = self.pos;
        let end = plain::word_end(self.bytes, start);
        self.pos = end;
        let text = &self.text[start..end];
        match self.bytes.get(end) {
            Some(b'\'') if text == "b" => return self.character(start, true),
            Some(0x80..) if self.tail_of_foreign_word(start) => return,
            _ => {}
        }
        if text == "_" {
            return self.push(Kind::Underscore, start, 0);
        }
        if text.len() > MAX_IDENTIFIER {
            self.error(DiagnosticCode::E0039, start, end, ["identifier length".into(), MAX_IDENTIFIER.to_string().into()]);
        }
        let word = self.names.word(text);
        self.flags = self.flags.with(word.flags);
        self.push(word.kind, start, word.symbol.raw());
    }

    /// A word that goes on with non-ASCII letters is one wrong word, not several errors.
    fn tail_of_foreign_word(&mut self, start: usize) -> bool {
        let end = self.pos;
        let Some(c) = self.text[end..].chars().next().filter(|c| c.is_alphanumeric()) else { return false };
        if lookalike::ascii(c).is_some() {
            return false;
        }
        self.error(DiagnosticCode::E0002, end, end + c.len_utf8(), [c.to_string().into()]);
        if let Some(error) = self.errors.last_mut() {
            error.damaging = false;
            error.help = Some("identifiers consist of the letters A-Z and a-z, digits and '_'");
        }
        let rest = &self.text[end..];
        let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        self.pos = end + length;
        let symbol = self.names.symbol(&self.text[start..self.pos]);
        self.push(Kind::Ident, start, symbol.raw());
        true
    }

    fn slash(&mut self) {
        match self.byte(1) {
            b'/' => self.comment(),
            b'*' => {
                self.error(DiagnosticCode::E0038, self.pos, self.pos + 2, []);
                let rest = &self.text[self.pos..];
                // A whole comment leaves intact tokens behind.
                self.pos += match rest.find("*/") {
                    Some(end) => {
                        if let Some(error) = self.errors.last_mut() {
                            error.damaging = false;
                        }
                        end + 2
                    }
                    None => rest.find('\n').unwrap_or(rest.len()),
                };
                self.flags = Flags::SPACE_BEFORE.with(self.line_flags());
            }
            b'=' => self.marks(Kind::SlashEq, 2),
            _ => self.marks(Kind::Slash, 1),
        }
    }

    fn comment(&mut self) {
        let start = self.pos;
        let rest = &self.text[start..];
        self.pos += rest.find('\n').unwrap_or(rest.len());
        let content = &self.bytes[start + 2..self.pos];
        let content = content.strip_prefix(b" ").unwrap_or(content);
        if let [b'*' | b'!' | b'>', b' ', ..] = content
            && is_doc_marker(&self.text[self.pos - content.len()..self.pos])
        {
            let span = Span::new(start as u32, self.pos as u32);
            self.docs.push(DocComment { span, next_token: self.tokens.len() as u32 });
        }
        self.flags = Flags::SPACE_BEFORE.with(self.line_flags());
    }

    /// A mark of `length` bytes.
    fn marks(&mut self, kind: Kind, length: usize) {
        self.marks_with(kind, length, 0);
    }

    fn marks_with(&mut self, kind: Kind, length: usize, data: u32) {
        let start = self.pos;
        self.pos += length;
        self.push(kind, start, data);
    }

    fn mark(&mut self, b: u8) {
        let (second, third) = (self.byte(1), self.byte(2));
        let (kind, length) = match b {
            b'(' => return self.open(Kind::LParen),
            b'[' => return self.open(Kind::LBracket),
            b'{' => return self.open(Kind::LBrace),
            b')' => return self.close(Kind::RParen),
            b']' => return self.close(Kind::RBracket),
            b'}' => return self.close(Kind::RBrace),
            b',' => (Kind::Comma, 1),
            b';' => (Kind::Semicolon, 1),
            b':' => {
                if self.at_format_spec(second, third) {
                    return self.format_spec();
                }
                if second == b':' { (Kind::ColonColon, 2) } else { (Kind::Colon, 1) }
            }
            b'.' => match (second, third) {
                (b'.', b'.') => (Kind::Ellipsis, 3),
                (b'.', b'=') => (Kind::DotDotEq, 3),
                (b'.', _) => (Kind::DotDot, 2),
                _ => (Kind::Dot, 1),
            },
            b'=' => match (second, third) {
                (b'=', b'=') => {
                    self.error(DiagnosticCode::E0008, self.pos, self.pos + 3, []);
                    (Kind::EqEq, 3)
                }
                (b'=', _) => (Kind::EqEq, 2),
                (b'>', _) => (Kind::FatArrow, 2),
                _ => (Kind::Eq, 1),
            },
            b'!' => match (second, third) {
                (b'=', b'=') => {
                    self.error(DiagnosticCode::E0008, self.pos, self.pos + 3, []);
                    (Kind::NotEq, 3)
                }
                (b'=', _) => (Kind::NotEq, 2),
                _ => (Kind::Bang, 1),
            },
            b'+' => match second {
                b'=' => (Kind::PlusEq, 2),
                b'+' => return self.doubled("++"),
                _ => (Kind::Plus, 1),
            },
            b'-' => match second {
                b'>' => (Kind::Arrow, 2),
                b'=' => (Kind::MinusEq, 2),
                b'-' => return self.doubled("--"),
                _ => (Kind::Minus, 1),
            },
            b'*' => match (second, third) {
                (b'*', b'=') => (Kind::StarStarEq, 3),
                (b'*', _) => (Kind::StarStar, 2),
                (b'=', _) => (Kind::StarEq, 2),
                _ => (Kind::Star, 1),
            },
            b'%' => {
                if second == b'=' {
                    (Kind::PercentEq, 2)
                } else {
                    (Kind::Percent, 1)
                }
            }
            b'<' => match (second, third) {
                (b'<', b'=') => (Kind::ShlEq, 3),
                (b'<', _) => (Kind::Shl, 2),
                (b'=', _) => (Kind::LtEq, 2),
                _ => (Kind::Lt, 1),
            },
            b'>' => (Kind::Gt, 1),
            b'&' => match (second, third) {
                (b'&', b'=') => (Kind::AmpAmpEq, 3),
                (b'&', _) => (Kind::AmpAmp, 2),
                (b'=', _) => (Kind::AmpEq, 2),
                _ => (Kind::Amp, 1),
            },
            b'|' => match (second, third) {
                (b'|', b'=') => (Kind::PipePipeEq, 3),
                (b'|', _) => (Kind::PipePipe, 2),
                (b'=', _) => (Kind::PipeEq, 2),
                (b'>', _) => (Kind::PipeGt, 2),
                _ => (Kind::Pipe, 1),
            },
            b'^' => {
                if second == b'=' {
                    (Kind::CaretEq, 2)
                } else {
                    (Kind::Caret, 1)
                }
            }
            b'@' => {
                if second == b'=' {
                    (Kind::AtEq, 2)
                } else {
                    (Kind::At, 1)
                }
            }
            b'?' => {
                if second == b'?' {
                    (Kind::QuestionQuestion, 2)
                } else {
                    (Kind::Question, 1)
                }
            }
            b'~' => (Kind::Tilde, 1),
            b'$' => (Kind::Dollar, 1),
            b'#' => (Kind::Hash, 1),
            _ => return self.other(),
        };
        self.marks(kind, length);
    }

    /// `++` and `--` are skipped: what remains of `i++` is well-formed.
    fn doubled(&mut self, op: &str) {
        self.error(DiagnosticCode::E0010, self.pos, self.pos + 2, [op.into()]);
        self.pos += 2;
        self.flags = self.flags.with(Flags::SPACE_BEFORE);
    }

    fn open(&mut self, kind: Kind) {
        if let Some(inner) = self.interpolations.last_mut() {
            match kind {
                Kind::LParen => inner.round += 1,
                Kind::LBracket => inner.square += 1,
                _ => inner.curly += 1,
            }
        }
        self.marks_with(kind, 1, NONE);
    }

    fn close(&mut self, kind: Kind) {
        if let Some(inner) = self.interpolations.last_mut() {
            match kind {
                Kind::RParen => inner.round = inner.round.saturating_sub(1),
                Kind::RBracket => inner.square = inner.square.saturating_sub(1),
                _ if inner.curly == 0 => {
                    let template = inner.template;
                    self.interpolations.pop();
                    self.marks(Kind::InterpolationEnd, 1);
                    return self.template_text(template);
                }
                _ => inner.curly -= 1,
            }
        }
        self.marks(kind, 1);
    }

    /// Is the `:` here the one before a format specification? `::` is only if the second colon is a fill.
    fn at_format_spec(&self, second: u8, third: u8) -> bool {
        let outside = self.interpolations.last().is_some_and(|i| (i.round, i.square, i.curly) == (0, 0, 0));
        outside && (second != b':' || matches!(third, b'<' | b'>' | b'^'))
    }

    /// A character that begins no token.
    #[cold]
    fn other(&mut self) {
        let start = self.pos;
        let Some(c) = self.text[start..].chars().next() else { return };
        self.pos += c.len_utf8();
        if c == '\u{FEFF}' {
            // Reported by `source::check`.
            self.flags = Flags::SPACE_BEFORE.with(self.line_flags());
            return;
        }
        let Some(ascii) = lookalike::ascii(c) else {
            self.error(DiagnosticCode::E0002, start, self.pos, [c.to_string().into()]);
            if c.is_alphabetic() {
                let rest = &self.text[self.pos..];
                self.pos += rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                let symbol = self.names.symbol(&self.text[start..self.pos]);
                if let Some(error) = self.errors.last_mut() {
                    error.damaging = false;
                }
                self.push(Kind::Ident, start, symbol.raw());
            } else {
                self.flags = self.flags.with(Flags::SPACE_BEFORE);
            }
            return;
        };
        self.error(DiagnosticCode::E0011, start, self.pos, [c.to_string().into(), ascii.into()]);
        let kind = match ascii {
            " " => {
                self.flags = Flags::SPACE_BEFORE.with(self.line_flags());
                return;
            }
            "\"" | "'" => return self.curly_quoted(start, ascii),
            "(" => return self.replaced(start, Kind::LParen),
            ")" => return self.replaced(start, Kind::RParen),
            "[" => return self.replaced(start, Kind::LBracket),
            "]" => return self.replaced(start, Kind::RBracket),
            "{" => return self.replaced(start, Kind::LBrace),
            "}" => return self.replaced(start, Kind::RBrace),
            "," => Kind::Comma,
            ";" => Kind::Semicolon,
            ":" => Kind::Colon,
            "." => Kind::Dot,
            "..." => Kind::Ellipsis,
            "-" => Kind::Minus,
            "+" => Kind::Plus,
            "*" => Kind::Star,
            "/" => Kind::Slash,
            "%" => Kind::Percent,
            "=" => Kind::Eq,
            "<" => Kind::Lt,
            ">" => Kind::Gt,
            "|" => Kind::Pipe,
            "&" => Kind::Amp,
            "!" => Kind::Bang,
            "?" => Kind::Question,
            "@" => Kind::At,
            "$" => Kind::Dollar,
            "#" => Kind::Hash,
            "^" => Kind::Caret,
            "~" => Kind::Tilde,
            _ => {
                if let Some(error) = self.errors.last_mut() {
                    error.damaging = true;
                }
                self.flags = self.flags.with(Flags::SPACE_BEFORE);
                return;
            }
        };
        self.push(kind, start, 0);
    }

    /// A bracket in place of its look-alike; counted like a real one.
    fn replaced(&mut self, start: usize, kind: Kind) {
        let end = self.pos;
        if kind.opens() {
            self.open(kind)
        } else {
            self.close(kind)
        }
        // `open` and `close` stepped over one byte of what follows.
        if let Some(token) = self.tokens.last_mut()
            && token.kind == kind
        {
            (token.start, token.end) = (start as u32, end as u32);
            self.pos = end;
        }
    }

    /// Text between curly quotes is taken for the literal that was meant.
    fn curly_quoted(&mut self, start: usize, quote: &str) {
        let rest = &self.text[self.pos..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let closing = line.char_indices().find(|&(_, c)| c.to_string() == quote || lookalike::ascii(c) == Some(quote));
        match closing {
            Some((at, c)) => {
                let symbol = self.names.symbol(&line[..at]);
                let single = line.chars().next().filter(|c| c.len_utf8() == at);
                self.pos += at + c.len_utf8();
                match single {
                    Some(c) if quote == "'" => self.push(Kind::Char, start, c as u32),
                    _ => self.push(Kind::Str, start, symbol.raw()),
                }
            }
            None => {
                if let Some(error) = self.errors.last_mut() {
                    error.damaging = true;
                }
                self.flags = self.flags.with(Flags::SPACE_BEFORE);
            }
        }
    }
}

/// Does a comment begin with one of the markers of language/01 section 1.2?
fn is_doc_marker(content: &str) -> bool {
    match content.split_at_checked(2) {
        Some(("* ", rest)) => {
            let name = rest.trim_start();
            let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
            end > 0 && name[end..].starts_with(':')
        }
        Some(("! ", rest)) => !rest.trim().is_empty(),
        Some(("> ", rest)) => rest.contains(" -> "),
        _ => false,
    }
}

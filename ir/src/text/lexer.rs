//! Reading one line of a dump from left to right.
//!
//! A dump is a language of lines, and the first character of a word says what it is, so there is no stream of tokens: the parser asks a
//! [`Line`] for what may stand at its position. Types are the exception. They belong to the levels, so they are taken as raw text up to
//! the first `,`, `=`, closing bracket, comment or line-ending `{` outside brackets.

use std::borrow::Cow;

use super::TextError;

/// A line that is being read.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    text: &'a str,
    at: usize,
    number: u32,
}

/// May the byte stand in an op, a word or a register?
pub const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.'
}

/// May the byte stand in the name of an item outside `<...>`? Everything that is not ASCII may.
pub const fn is_name_byte(byte: u8) -> bool {
    is_word_byte(byte) || matches!(byte, b'$' | b'=' | b'#' | b'?' | b'&' | b'~' | b'\'') || byte >= 0x80
}

/// Is the text a plain word, so that it needs no quotes as an operand? `own`, `ref` and block names are no plain words.
pub fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let starts = bytes.first().is_some_and(|&b| b.is_ascii_alphabetic() || b == b'_');
    starts && bytes.iter().all(|&b| is_word_byte(b)) && text != "own" && text != "ref" && block_number(text).is_none()
}

/// Does the text stand for itself behind `@`, without quotes?
pub fn is_name(text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    if text.bytes().all(is_name_byte) {
        return true;
    }
    let mut line = Line::new(text, 1);
    matches!(line.name(), Ok(name) if name.len() == text.len() && matches!(name, Cow::Borrowed(_)))
}

/// The `3` of `b3`, when the whole word is a block name (digits that overflow count as one: the caller reports them).
pub fn block_number(word: &str) -> Option<Result<u32, ()>> {
    let digits = word.strip_prefix('b')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // The largest number is kept for `Block::UNNAMED`.
    Some(match digits.parse() {
        Ok(u32::MAX) | Err(_) => Err(()),
        Ok(number) => Ok(number),
    })
}

impl<'a> Line<'a> {
    /// Starts reading a line (without its line break) that has this number.
    pub const fn new(text: &'a str, number: u32) -> Self {
        Line { text, at: 0, number }
    }

    /// Number of the line, from 1.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// An error at the current position.
    pub fn error(&self, code: &'static str, message: impl AsRef<str>) -> TextError {
        TextError::new(self.number, self.at as u32 + 1, code, message.as_ref())
    }

    /// The text not yet read.
    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Skips spaces and tabs.
    pub fn skip_space(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The byte at the current position.
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The first byte that is no space, from here on; space before it is skipped.
    pub fn next_mark(&mut self) -> Option<u8> {
        self.skip_space();
        self.peek()
    }

    /// Skips space and takes this ASCII byte if it comes next.
    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.next_mark() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    /// Takes this ASCII byte or reports what was expected.
    pub fn expect(&mut self, byte: u8) -> Result<(), TextError> {
        if self.take(byte) { Ok(()) } else { Err(self.error("T0002", format!("expected `{}` here", byte as char))) }
    }

    /// Takes this text if it comes next (no space is skipped).
    pub fn take_text(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Is there nothing more but space or a comment?
    pub fn is_done(&mut self) -> bool {
        matches!(self.next_mark(), None | Some(b';'))
    }

    /// Ends the line: the text of a fault `;~ ...`, nothing for another comment, an error for anything else.
    pub fn finish(&mut self) -> Result<Option<&'a str>, TextError> {
        match self.next_mark() {
            None => Ok(None),
            Some(b';') => Ok(self.rest().strip_prefix(";~").map(str::trim)),
            Some(_) => Err(self.error("T0002", "nothing more may stand on this line")),
        }
    }

    /// Is the `{` at the current position the last mark of the line?
    pub fn brace_ends_line(&self) -> bool {
        match self.rest().strip_prefix('{') {
            Some(rest) => {
                let rest = rest.trim_start();
                rest.is_empty() || rest.starts_with(';')
            }
            None => false,
        }
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a str {
        let bytes = self.text.as_bytes();
        let start = self.at;
        while bytes.get(self.at).is_some_and(|&b| accept(b)) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    /// A word of letters, digits, `_` and `.` that starts here; empty when none does.
    pub fn word(&mut self) -> &'a str {
        match self.peek() {
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => self.take_while(is_word_byte),
            Some(_) | None => "",
        }
    }

    /// A register name behind `$`.
    pub fn register(&mut self) -> Result<&'a str, TextError> {
        let name = self.take_while(is_word_byte);
        if name.is_empty() { Err(self.error("T0002", "expected the name of a register after `$`")) } else { Ok(name) }
    }

    /// A decimal number without sign.
    pub fn number_u32(&mut self) -> Result<u32, TextError> {
        let digits = self.take_while(|b| b.is_ascii_digit());
        if digits.is_empty() {
            return Err(self.error("T0002", "expected a number here"));
        }
        match digits.parse() {
            Ok(u32::MAX) | Err(_) => Err(self.error("T0004", "the number is too large")),
            Ok(number) => Ok(number),
        }
    }

    /// An integer: decimal with optional `-`.
    pub fn integer(&mut self) -> Result<i128, TextError> {
        let start = self.at;
        self.take_text("-");
        let digits = self.take_while(|b| b.is_ascii_digit());
        if digits.is_empty() {
            return Err(self.error("T0002", "expected an integer here"));
        }
        self.text[start..self.at].parse().map_err(|_| self.error("T0004", "the integer is too large"))
    }

    /// The digits of `0x...`, after the `0x`.
    pub fn bits(&mut self) -> Result<u64, TextError> {
        let digits = self.take_while(|b| b.is_ascii_hexdigit());
        u64::from_str_radix(digits, 16).map_err(|_| self.error("T0004", "expected 1 to 16 hexadecimal digits"))
    }

    /// The name of an item behind `@`: plain bytes, `<...>` with anything inside, or a quoted string.
    pub fn name(&mut self) -> Result<Cow<'a, str>, TextError> {
        if self.peek() == Some(b'"') {
            return self.string().map(Cow::Owned);
        }
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut depth = 0u32;
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'<' if self.at > start => depth += 1,
                b'-' if depth > 0 && bytes.get(self.at + 1) == Some(&b'>') => self.at += 1,
                b'>' if depth > 0 => depth -= 1,
                b'"' => break,
                byte if depth > 0 || is_name_byte(byte) => {}
                _ => break,
            }
            self.at += 1;
        }
        if depth > 0 {
            return Err(self.error("T0005", "`<` in a name is not closed"));
        }
        if self.at == start {
            return Err(self.error("T0002", "expected a name after `@`"));
        }
        Ok(Cow::Borrowed(&self.text[start..self.at]))
    }

    /// A quoted string with escapes.
    pub fn string(&mut self) -> Result<String, TextError> {
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let plain = self.take_while(|b| b != b'"' && b != b'\\');
            out.push_str(plain);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(_) => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                None => return Err(self.error("T0005", "the string is not closed")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, TextError> {
        let Some(kind) = self.peek().filter(u8::is_ascii) else { return Err(self.error("T0002", "expected an escape after `\\`")) };
        self.at += 1;
        Ok(match kind {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'0' => '\0',
            b'\\' => '\\',
            b'"' => '"',
            b'u' if self.take_text("{") => {
                let digits = self.take_while(|b| b.is_ascii_hexdigit());
                let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                match code {
                    Some(code) if self.take_text("}") => code,
                    Some(_) | None => return Err(self.error("T0002", "expected the number of a character in `\\u{...}`")),
                }
            }
            _ => return Err(self.error("T0002", "unknown escape")),
        })
    }

    /// The raw text of a type, trimmed; see the module page for where it ends.
    pub fn type_text(&mut self) -> Result<&'a str, TextError> {
        self.raw(|byte| matches!(byte, b',' | b'='))
    }

    /// The raw text of one fact in `{...}`: up to `,` or `}`.
    pub fn fact(&mut self) -> Result<&'a str, TextError> {
        self.raw(|byte| byte == b',')
    }

    /// The raw text up to the bracket that closes the one just taken.
    pub fn until_close(&mut self) -> Result<&'a str, TextError> {
        self.raw(|_| false)
    }

    /// Raw text up to a byte that `ends` it, a closing bracket, a comment or a line-ending `{`, all outside brackets.
    fn raw(&mut self, ends: impl Fn(u8) -> bool) -> Result<&'a str, TextError> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut depth = 0u32;
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'-' if bytes.get(self.at + 1) == Some(&b'>') => self.at += 1,
                // Only a brace that opens nothing of the type itself ends a line, so ask at depth 0 alone: this keeps the scan linear.
                b'{' if depth == 0 && self.brace_ends_line() => break,
                b'(' | b'[' | b'{' | b'<' => depth += 1,
                b')' | b']' | b'}' if depth == 0 => break,
                b'>' if depth == 0 => {}
                b')' | b']' | b'}' | b'>' => depth -= 1,
                b';' if depth == 0 => break,
                byte if depth == 0 && ends(byte) => break,
                _ => {}
            }
            self.at += 1;
        }
        if depth > 0 {
            return Err(self.error("T0005", "a bracket is not closed on this line"));
        }
        Ok(self.text[start..self.at].trim())
    }
}

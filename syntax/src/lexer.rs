//! Text to tokens; lexical errors.
//!
//! One pass over the bytes makes a flat list of 16-byte tokens: [`plain`] takes what is usual, eight bytes at a time, [`scan`] all else.
//! Names are interned through a table of the thread ([`names`]) that also knows the keywords, so that a word costs one look-up. Template strings come out as
//! their parts with the tokens of each interpolation between them; inside an interpolation a `:` outside of all brackets always begins
//! the format specification (grammar G18 keeps labels out), so the lexer needs no help from the parser. Each opening
//! bracket learns where its partner stands ([`brackets`] when some have none): all look-ahead of the parser is then a comparison.
//!
//! The lexer goes on after every error and leaves a token that lets the parser continue.

mod brackets;
mod literal;
mod lookalike;
pub mod names;
mod number;
mod plain;
mod scan;
pub mod source;
mod token;

pub use brackets::NONE;
pub(crate) use brackets::begins_item;
pub use token::{Flags, Kind, Token};

use crate::Span;
use crate::diagnostic::{Arg, DiagnosticCode};

/// An error of the lexer; file-relative.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LexError {
    /// What is wrong.
    pub code: DiagnosticCode,
    /// Where.
    pub span: Span,
    /// Arguments of the template.
    pub args: Vec<Arg>,
    /// `help:` line.
    pub help: Option<&'static str>,
    /// The tokens after it are likely nonsense: syntax errors behind it in the same item say nothing new.
    pub damaging: bool,
}

/// A comment line with a doc marker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DocComment {
    /// The comment, from `//` to the end of its line.
    pub span: Span,
    /// Index of the token after it.
    pub next_token: u32,
}

/// What the lexer found in one file.
pub struct Tokens {
    /// Tokens; the last is [`Kind::Eof`].
    pub tokens: Vec<Token>,
    /// Values of number literals, by [`Token::data`].
    pub numbers: Vec<u64>,
    /// Offsets just after each newline.
    pub line_starts: Vec<u32>,
    /// Errors in order of discovery, which is nearly textual.
    pub errors: Vec<LexError>,
    /// Comments with doc markers.
    pub docs: Vec<DocComment>,
    /// Every bracket has its partner.
    pub balanced: bool,
}

/// The tokens of a normalised text ([`source::normalise`]).
pub fn lex(text: &str) -> Tokens {
    lex_into(text, Memory::default())
}

/// Empty lists whose memory a lexer may use.
#[derive(Default)]
pub(crate) struct Memory {
    pub tokens: Vec<Token>,
    pub numbers: Vec<u64>,
    pub line_starts: Vec<u32>,
}

/// The tokens of a text in memory of an earlier one.
pub(crate) fn lex_into(text: &str, memory: Memory) -> Tokens {
    let mut lexer = scan::Lexer::new(text, memory);
    lexer.run();
    let scan::Lexer { mut tokens, numbers, line_starts, errors, docs, names, open, balanced, .. } = lexer;
    names.give_back();
    let balanced = balanced && open.is_empty();
    if !balanced {
        brackets::pair_by_layout(&mut tokens);
    }
    Tokens { tokens, numbers, line_starts, errors, docs, balanced }
}

#[cfg(test)]
mod tests;

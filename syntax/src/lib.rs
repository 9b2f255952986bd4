//! Syntax: text to tokens to a syntax tree per item; spans; the Diagnostic type.
//!
//! | room           | holds                                                                             |
//! |----------------|-----------------------------------------------------------------------------------|
//! | [`lexer`]      | text to tokens; lexical errors                                                     |
//! | [`parser`]     | tokens to an item tree per file and a syntax tree per item; recovers per item      |
//! | [`tree`]       | the data: what a file, an item, an expression is                                   |
//! | [`span`]       | item-relative byte ranges, lines and columns                                       |
//! | [`diagnostic`] | diagnostics as data, and the one table of codes and templates                      |
//!
//! The lexer and parser accept the whole grammar of the language reference; what a later level cannot do yet it refuses by form.
//!
//! Never here: what a name refers to, types, evaluation.

pub mod diagnostic;
pub mod lexer;
pub mod parser;
pub mod span;
pub mod tree;

pub use diagnostic::{Anchor, Arg, Diagnostic, DiagnosticCode, Edit, Label, Severity, message};
pub use lexer::source::normalise;
pub use parser::{parse, parse_bytes};
pub use span::{LineCursor, Lines, Span};

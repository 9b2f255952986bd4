//! The dump language, one grammar for all levels (`design/ir.md` §6): a lexer, a lenient parser to a generic tree, a writer.
//!
//! The parser accepts broken IR (dangling names, wrong types); judging is the verifiers' work. The tree here knows shapes only;
//! [`crate::ssa::text`] and the levels turn it into bodies.

pub mod lexer;
pub mod parser;
pub mod view;
pub mod writer;

pub use parser::parse;
pub use writer::print;

use std::fmt;

/// A parsed dump.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Dump {
    /// `mir` in `ori-ir mir.built 1`.
    pub level: String,
    /// `built` in `ori-ir mir.built 1`.
    pub phase: String,
    /// Version of the text form.
    pub version: u32,
    /// Header facts, `name=value` or a word.
    pub facts: Vec<String>,
    /// Lines that start with `;!`: directives and declarations, text after the mark, with line numbers.
    pub directives: Vec<(u32, String)>,
    /// Lines that start with `;~` on their own: intents, with line numbers.
    pub intents: Vec<(u32, String)>,
    /// Functions in order.
    pub functions: Vec<Function>,
}

/// `fn @name(%0: own str) -> int { ... }`
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Function {
    /// Line of the `fn`, from 1.
    pub line: u32,
    /// Name without `@`.
    pub name: String,
    /// What stands in brackets after the name; empty when nothing does.
    pub generics: String,
    /// Parameters.
    pub params: Vec<Definition>,
    /// Text of the result type(s): what stands between `->` and `{`; several in parentheses for levels with several results.
    pub result: String,
    /// Blocks in order. HIR functions have one unnamed block.
    pub blocks: Vec<Block>,
    /// `;~ CODE ...` at the end of the `fn` line.
    pub fault: Option<String>,
}

/// `b1(%3: int):` and the instructions below it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Block {
    /// Line of the label, from 1.
    pub line: u32,
    /// Number in the label; [`Block::UNNAMED`] for the block of a HIR function, which has no label.
    pub number: u32,
    /// Parameters.
    pub params: Vec<Definition>,
    /// Instructions.
    pub insts: Vec<Inst>,
    /// `;~ CODE ...` at the end of the label's line.
    pub fault: Option<String>,
}

impl Block {
    /// Number of a block without label; no label can have it.
    pub const UNNAMED: u32 = u32::MAX;
}

/// `%3: own str`
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Definition {
    /// Number of the value.
    pub value: u32,
    /// `own` or `ref` when written.
    pub mode: Option<String>,
    /// Text of the type.
    pub ty: String,
}

/// One instruction: always one line, except for HIR regions.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Inst {
    /// Line, from 1.
    pub line: u32,
    /// Results.
    pub defs: Vec<Definition>,
    /// Op name.
    pub op: String,
    /// Operands in written order.
    pub args: Vec<Arg>,
    /// Facts in braces, sorted: `{nounwind}`.
    pub facts: Vec<String>,
    /// Place after `!`.
    pub place: Option<PlaceText>,
    /// HIR regions: instructions, and the operands written between two regions.
    pub regions: Vec<Region>,
    /// `;~ CODE ...` at the end of the line.
    pub fault: Option<String>,
}

/// `{ ... }` after a HIR instruction.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Region {
    /// Operands written before the brace when it is not the first region.
    pub args: Vec<Arg>,
    /// Instructions inside.
    pub insts: Vec<Inst>,
}

/// An operand. The first character says the kind.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Arg {
    /// `%3`, `own %3`, `ref %3`, `%5:$rax`, `%5:[rbp - 8]`
    Value {
        /// `own` or `ref` when written.
        mode: Option<String>,
        /// Number.
        value: u32,
        /// Where it lies, when written (`machine.alloc`): register without `$`, or the text in brackets.
        place: Option<Box<Arg>>,
    },
    /// `5`, `-3`
    Int(i128),
    /// `0x3ff0000000000000`
    Bits(u64),
    /// `@name`
    Symbol(String),
    /// `$rax`
    Register(String),
    /// `b1(%3, %4)`
    Block {
        /// Number.
        number: u32,
        /// Arguments: values or, in machine text, any operand.
        args: Vec<Arg>,
    },
    /// `[%3 + %4*8 + 16]`: parts as written; a subtracted constant is negative.
    Memory(Vec<MemoryPart>),
    /// `"text"`
    Str(String),
    /// A plain word: condition codes, panic kinds.
    Word(String),
}

/// One part of a memory operand.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MemoryPart {
    /// Value, register, symbol, word or integer.
    pub base: Arg,
    /// Factor after `*`, 1 when absent.
    pub scale: u8,
}

/// `3:9`, `@leaf 1:4 < 3:9`: innermost place first.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct PlaceText {
    /// (item when written, line, column), innermost first.
    pub chain: Vec<(Option<String>, u32, u32)>,
}

/// Why a text is no dump at all (a level's verifier judges everything else).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TextError {
    /// Line from 1.
    pub line: u32,
    /// Column from 1, in bytes.
    pub column: u32,
    /// Code and one sentence: `T0002 expected ...`.
    pub message: String,
}

impl TextError {
    /// An error with a code of its own (`T0...`, listed where they are made).
    pub fn new(line: u32, column: u32, code: &'static str, message: &str) -> TextError {
        TextError { line, column, message: format!("{code} {message}") }
    }

    /// The code, the first word of the message.
    pub fn code(&self) -> &str {
        self.message.split(' ').next().unwrap_or_default()
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}
impl std::error::Error for TextError {}

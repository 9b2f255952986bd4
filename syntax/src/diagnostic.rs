//! Diagnostics as data; texts are made at the edge (decision 7).

use ir::{ItemId, Symbol};

use crate::Span;

mod table;
pub use table::*;

/// What a span is relative to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Anchor {
    /// The file of this module.
    Module(Symbol),
    /// The first byte of this item.
    Item(ItemId),
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// The program is not accepted.
    Error,
    /// The program is accepted.
    Warning,
}

/// An argument of a template.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Arg {
    /// Text, shown as it is.
    Text(String),
    /// An item, shown by its name.
    Item(ItemId),
}

/// A second place with its own sentence: the *because* of a message.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Label {
    /// What `span` is relative to.
    pub anchor: Anchor,
    /// Where.
    pub span: Span,
    /// What is to be seen there.
    pub text: String,
}

/// A change of the source that would help.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Edit {
    /// What `span` is relative to.
    pub anchor: Anchor,
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub text: String,
    /// Sure enough for a machine to apply.
    pub machine_applicable: bool,
}

/// One finding about the program.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Diagnostic {
    /// What `span` is relative to.
    pub anchor: Anchor,
    /// Primary position: the offending token or name.
    pub span: Span,
    /// The stable code.
    pub code: DiagnosticCode,
    /// Which wording of the code's template, from 0.
    pub wording: u8,
    /// Arguments of the template, in order of its placeholders.
    pub args: Vec<Arg>,
    /// What is to be seen at the primary position; may be empty.
    pub label: String,
    /// Further places.
    pub labels: Vec<Label>,
    /// `note:` lines.
    pub notes: Vec<String>,
    /// `help:` lines.
    pub helps: Vec<String>,
    /// Changes offered.
    pub edits: Vec<Edit>,
}

impl Diagnostic {
    /// A diagnostic with arguments and nothing else.
    pub fn new(code: DiagnosticCode, anchor: Anchor, span: Span, args: impl IntoIterator<Item = Arg>) -> Diagnostic {
        Diagnostic {
            anchor,
            span,
            code,
            wording: 0,
            args: args.into_iter().collect(),
            label: String::new(),
            labels: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
            edits: Vec::new(),
        }
    }

    /// Uses another wording of the template.
    #[must_use]
    pub fn wording(mut self, wording: u8) -> Self {
        self.wording = wording;
        self
    }

    /// Says what is to be seen at the primary position.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Adds a second place: usually the reason.
    #[must_use]
    pub fn because(mut self, anchor: Anchor, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { anchor, span, text: text.into() });
        self
    }

    /// Adds a `note:` line.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds a `help:` line.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// Offers a change.
    #[must_use]
    pub fn edit(mut self, anchor: Anchor, span: Span, text: impl Into<String>, machine_applicable: bool) -> Self {
        self.edits.push(Edit { anchor, span, text: text.into(), machine_applicable });
        self
    }

    /// Error or warning, by the letter of the code.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Arg {
        Arg::Text(text.to_owned())
    }
}
impl From<String> for Arg {
    fn from(text: String) -> Arg {
        Arg::Text(text)
    }
}
impl From<Symbol> for Arg {
    fn from(text: Symbol) -> Arg {
        Arg::Text(text.as_str().to_owned())
    }
}
impl From<ItemId> for Arg {
    fn from(item: ItemId) -> Arg {
        Arg::Item(item)
    }
}

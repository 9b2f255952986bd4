//! Values that are no numbers. They never change, so they are shared; their types nest, so freeing them never recurses deeply.

use std::rc::Rc;

use hir::{Type, TypeKind};

/// A text, aggregate or list.
#[derive(Clone, Debug, Default)]
pub(super) enum Heap {
    /// A slot that was not written yet.
    #[default]
    Empty,
    /// `str`
    Str(Rc<str>),
    /// Fields in order.
    Aggregate(Rc<[Cell]>),
    /// Elements in order.
    List(Rc<[Cell]>),
}

impl Heap {
    /// A field of an aggregate.
    pub(super) fn part(&self, index: u32) -> Option<&Cell> {
        match self {
            Heap::Aggregate(parts) => parts.get(index as usize),
            Heap::Empty | Heap::Str(_) | Heap::List(_) => None,
        }
    }

    /// An element of a list, or the length when there is none.
    pub(super) fn element(&self, index: i64) -> Result<&Cell, i64> {
        match self {
            Heap::List(elements) => usize::try_from(index).ok().and_then(|index| elements.get(index)).ok_or(elements.len() as i64),
            Heap::Empty | Heap::Str(_) | Heap::Aggregate(_) => Err(0),
        }
    }
}

/// Any value, outside of the slots.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    /// int, bits of a float, bool, char, byte, `()`.
    Word(u64),
    /// Anything else.
    Heap(Heap),
}

/// Does a value of this type live in a word?
pub(super) fn is_word(ty: Type) -> bool {
    match ty.kind() {
        TypeKind::Int
        | TypeKind::Float
        | TypeKind::Bool
        | TypeKind::Char
        | TypeKind::Byte
        | TypeKind::Void
        | TypeKind::Never
        | TypeKind::Error => true,
        TypeKind::Str
        | TypeKind::Range
        | TypeKind::Tuple(_)
        | TypeKind::List(_)
        | TypeKind::Struct(..)
        | TypeKind::Function(..)
        | TypeKind::Parameter(..)
        | TypeKind::Variable(_) => false,
    }
}

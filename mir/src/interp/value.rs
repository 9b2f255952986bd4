//! Values that are no numbers. They never change, so they are shared. Types nest only so deep, but cells hold cells of their own type for as long as
//! there is memory: they are freed by a list of work, not by recursion.

use std::rc::Rc;

use hir::{Type, TypeKind};

use super::hole::Unfilled;
use super::list::Elements;
use crate::statics::Datum;

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
    /// Number and payload of a variant.
    Variant(u32, Rc<[Cell]>),
    /// Elements in order.
    List(Elements),
    /// Parts of a cell.
    Cell(Parts),
    /// Number of a function, and what is captured.
    Function(u32, Parts),
    /// A value that is not whole yet.
    Hole(Unfilled),
}

/// What a cell holds. Two cells with equal parts cannot be told apart.
#[derive(Clone, Debug)]
pub(super) struct Parts(Rc<[Cell]>);

impl Parts {
    pub(super) fn new(parts: Rc<[Cell]>) -> Parts {
        Parts(parts)
    }

    pub(super) fn all(&self) -> &[Cell] {
        &self.0
    }

    /// Where the parts lie: two cells that are held apart lie apart.
    pub(super) fn address(&self) -> usize {
        Rc::as_ptr(&self.0).cast::<Cell>() as usize
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        let mut pending = Vec::new();
        take_apart(&mut self.0, &mut pending);
        drain(pending);
    }
}

/// Frees values and all that nobody else holds of what is in them.
pub(super) fn drain(mut pending: Vec<Heap>) {
    while let Some(mut heap) = pending.pop() {
        match &mut heap {
            Heap::Aggregate(parts) | Heap::Variant(_, parts) => take_apart(parts, &mut pending),
            Heap::List(elements) => elements.take_apart(&mut pending),
            Heap::Cell(parts) | Heap::Function(_, parts) => take_apart(&mut parts.0, &mut pending),
            Heap::Empty | Heap::Str(_) | Heap::Hole(_) => {}
        }
    }
}

/// Has the value parts of its own?
pub(super) fn is_nested(heap: &Heap) -> bool {
    match heap {
        Heap::Aggregate(_) | Heap::Variant(..) | Heap::List(_) | Heap::Cell(_) | Heap::Function(..) => true,
        Heap::Empty | Heap::Str(_) | Heap::Hole(_) => false,
    }
}

/// Moves what has parts of its own out of parts that nobody else holds.
fn take_apart(parts: &mut Rc<[Cell]>, pending: &mut Vec<Heap>) {
    for part in Rc::get_mut(parts).into_iter().flatten() {
        if let Cell::Heap(heap) = part
            && is_nested(heap)
        {
            pending.push(std::mem::take(heap));
        }
    }
}

impl Heap {
    /// A field of an aggregate.
    pub(super) fn part(&self, index: u32) -> Option<&Cell> {
        match self {
            Heap::Aggregate(parts) => parts.get(index as usize),
            Heap::Empty | Heap::Str(_) | Heap::Variant(..) | Heap::List(_) | Heap::Cell(_) | Heap::Function(..) | Heap::Hole(_) => None,
        }
    }

    /// The number of the variant.
    pub(super) fn tag(&self) -> Option<u32> {
        match self {
            Heap::Variant(tag, _) => Some(*tag),
            Heap::Empty | Heap::Str(_) | Heap::Aggregate(_) | Heap::List(_) | Heap::Cell(_) | Heap::Function(..) | Heap::Hole(_) => None,
        }
    }

    /// A part of the payload; nothing when it is another variant.
    pub(super) fn payload(&self, variant: u32, part: u32) -> Option<&Cell> {
        match self {
            Heap::Variant(tag, parts) if *tag == variant => parts.get(part as usize),
            Heap::Variant(..)
            | Heap::Empty
            | Heap::Str(_)
            | Heap::Aggregate(_)
            | Heap::List(_)
            | Heap::Cell(_)
            | Heap::Function(..)
            | Heap::Hole(_) => None,
        }
    }

    /// A part of a cell.
    pub(super) fn cell_part(&self, index: u32) -> Option<&Cell> {
        match self {
            Heap::Cell(parts) => parts.0.get(index as usize),
            Heap::Empty | Heap::Str(_) | Heap::Aggregate(_) | Heap::Variant(..) | Heap::List(_) | Heap::Function(..) | Heap::Hole(_) => {
                None
            }
        }
    }

    /// The elements of a list.
    pub(super) fn elements(&self) -> Option<&Elements> {
        match self {
            Heap::List(elements) => Some(elements),
            Heap::Empty | Heap::Str(_) | Heap::Aggregate(_) | Heap::Variant(..) | Heap::Cell(_) | Heap::Function(..) | Heap::Hole(_) => {
                None
            }
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
        // The number of the type stands for the addresses.
        | TypeKind::Methods(..)
        | TypeKind::Error => true,
        TypeKind::Str
        | TypeKind::Tuple(_)
        | TypeKind::List(_)
        | TypeKind::Struct(..)
        | TypeKind::Function(..)
        | TypeKind::Object(_)
        | TypeKind::Opaque(..)
        | TypeKind::Cell(_)
        | TypeKind::Hole(_)
        | TypeKind::Associated(..)
        | TypeKind::Parameter(..)
        | TypeKind::Variable(_) => false,
    }
}

/// A value of a static list, as the machine has it. Nobody counts it.
pub(super) fn heap_of(datum: Datum) -> Heap {
    let cells = |parts: Vec<Datum>| parts.into_iter().map(cell_of).collect();
    match datum {
        Datum::Str(text) => Heap::Str(Rc::from(text.as_str())),
        Datum::Aggregate(parts) => Heap::Aggregate(cells(parts)),
        Datum::Variant(number, parts) => Heap::Variant(number, cells(parts)),
        Datum::List(elements) => Heap::List(Elements::new(elements.into_iter().map(cell_of).collect())),
        Datum::Int(_) | Datum::Float(_) | Datum::Bool(_) | Datum::Char(_) | Datum::Byte(_) | Datum::Unit => Heap::Empty,
    }
}

fn cell_of(datum: Datum) -> Cell {
    match datum {
        Datum::Int(value) => Cell::Word(value as u64),
        Datum::Float(bits) => Cell::Word(bits),
        Datum::Bool(value) => Cell::Word(u64::from(value)),
        Datum::Char(value) => Cell::Word(u64::from(u32::from(value))),
        Datum::Byte(value) => Cell::Word(u64::from(value)),
        Datum::Unit => Cell::Word(0),
        Datum::Str(_) | Datum::Aggregate(_) | Datum::Variant(..) | Datum::List(_) => Cell::Heap(heap_of(datum)),
    }
}

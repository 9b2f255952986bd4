//! Lists of the interpreter: a run of a buffer that others may share.
//!
//! As in the runtime, what lies behind the end of a buffer belongs to nobody, so the list that ends there grows in place and building a list costs its
//! length. A changed element is one of a copy, where somebody else may see the list: where the ghost counts know of one holder, what else has it is slots that
//! nobody reads any more.

use std::cell::{Ref, RefCell};
use std::rc::Rc;

use super::value::{Cell, Heap, drain, is_nested};

/// The elements of a list.
#[derive(Clone, Debug)]
pub(super) struct Elements {
    buffer: Rc<RefCell<Vec<Cell>>>,
    /// Lists that are held apart are told apart by it.
    identity: Rc<()>,
    start: usize,
    length: usize,
}

impl Elements {
    pub(super) fn new(elements: Vec<Cell>) -> Elements {
        Elements { start: 0, length: elements.len(), buffer: Rc::new(RefCell::new(elements)), identity: Rc::default() }
    }

    /// Two lists that are held apart have different ones.
    pub(super) fn address(&self) -> usize {
        Rc::as_ptr(&self.identity) as usize
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn all(&self) -> Ref<'_, [Cell]> {
        Ref::map(self.buffer.borrow(), |cells| &cells[self.start..self.start + self.length])
    }

    /// The element at an index, or the length when there is none.
    pub(super) fn get(&self, index: i64) -> Result<Cell, i64> {
        let found = usize::try_from(index).ok().and_then(|index| self.all().get(index).cloned());
        found.ok_or(self.length as i64)
    }

    fn run(&self, start: usize, length: usize) -> Elements {
        Elements { buffer: self.buffer.clone(), identity: Rc::default(), start, length }
    }

    /// The list with one more element.
    pub(super) fn pushed(&self, element: Cell) -> Elements {
        let end = self.start + self.length;
        if self.buffer.borrow().len() == end {
            self.buffer.borrow_mut().push(element);
            return self.run(self.start, self.length + 1);
        }
        let mut elements = self.all().to_vec();
        elements.push(element);
        Elements::new(elements)
    }

    /// The list with another element at an index.
    pub(super) fn with(&self, index: i64, element: Cell) -> Option<Elements> {
        let mut elements = self.all().to_vec();
        *usize::try_from(index).ok().and_then(|index| elements.get_mut(index))? = element;
        Some(Elements::new(elements))
    }

    /// The same for a list with one holder, in its buffer, and what stood there; nothing when another list may be in the buffer.
    pub(super) fn replaced(&self, index: i64, element: Cell) -> Option<(Cell, Elements)> {
        // Copies of this list have both; another list has the buffer alone.
        if Rc::strong_count(&self.buffer) != Rc::strong_count(&self.identity) {
            return None;
        }
        let index = usize::try_from(index).ok().filter(|index| *index < self.length)?;
        let before = std::mem::replace(self.buffer.borrow_mut().get_mut(self.start + index)?, element);
        Some((before, self.run(self.start, self.length)))
    }

    /// What is left of a list whose buffer has gone on: it is known by its identity.
    pub(super) fn husk(&self) -> Elements {
        Elements { buffer: Rc::default(), identity: self.identity.clone(), start: 0, length: 0 }
    }

    /// The elements between two positions, which are moved into the list, and where they begin.
    pub(super) fn slice(&self, from: i64, to: i64) -> (usize, Elements) {
        let length = self.length as i64;
        let from = from.clamp(0, length);
        let to = to.clamp(from, length);
        (from as usize, self.run(self.start + from as usize, (to - from) as usize))
    }

    /// Moves what has parts of its own out of a buffer that nobody else holds.
    pub(super) fn take_apart(&mut self, pending: &mut Vec<Heap>) {
        if let Some(buffer) = Rc::get_mut(&mut self.buffer) {
            for cell in buffer.get_mut().drain(..) {
                if let Cell::Heap(heap) = cell
                    && is_nested(&heap)
                {
                    pending.push(heap);
                }
            }
            self.length = 0;
        }
    }
}

impl Drop for Elements {
    fn drop(&mut self) {
        let mut pending = Vec::new();
        self.take_apart(&mut pending);
        drain(pending);
    }
}

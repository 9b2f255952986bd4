//! Calls of functions that a value tells: of function values, and of the methods of trait objects.

use std::rc::Rc;

use hir::{Type, TypeKind};

use super::code::{Code, HEAP, Slot};
use super::machine::{Machine, Step, broken};
use super::value::{Cell, Heap};

impl Machine<'_> {
    /// A frame for a function that is called by value, with its arguments in it: where its slots begin.
    pub(super) fn enter(&mut self, code: &Code, target: &Rc<Code>, args: Vec<Cell>, d: Slot) -> Step<(usize, usize)> {
        if args.len() != target.params.len() {
            return Err(broken(code, "a call by value with another number of arguments"));
        }
        self.push(target.clone(), d)?;
        let (wb, hb) = (self.words.len() - target.template.len(), self.heaps.len() - target.heaps as usize);
        for (&param, cell) in target.params.iter().zip(args) {
            match (cell, param & HEAP != 0) {
                (Cell::Word(word), false) => self.words[wb + param as usize] = word,
                (Cell::Heap(heap), true) => self.heaps[hb + (param & !HEAP) as usize] = heap,
                (Cell::Word(_) | Cell::Heap(_), _) => return Err(broken(code, "a call by value with an argument of another kind")),
            }
        }
        Ok((wb, hb))
    }
}

/// The type of the value in an object: in its cell stand the addresses of its methods, by the number of their type, and the value.
pub(super) fn object_of(object: &Heap) -> Option<Type> {
    let Some(&Cell::Word(methods)) = object.cell_part(0) else { return None };
    match Type::from_raw(methods as u32).kind() {
        TypeKind::Methods(_, of) => Some(of),
        _ => None,
    }
}

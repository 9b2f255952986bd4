//! A list with another element: in its buffer where it has one holder, else as a copy.

use std::rc::Rc;

use super::code::Code;
use super::list::Elements;
use super::machine::{Machine, Step, broken};
use super::value::{Cell, Heap};

/// A list with another element.
pub(super) struct Exchanged {
    /// What the slot of the operand has from here on: the list, or what is left of one whose buffer has gone on.
    pub(super) old: Heap,
    /// The list with the element.
    pub(super) new: Heap,
    /// What stood there.
    pub(super) before: Cell,
}

/// How an element is exchanged.
#[derive(Clone, Copy)]
pub(super) struct Way {
    /// What stood there goes on.
    pub(super) is_swap: bool,
    /// The code says that nobody else holds the list.
    pub(super) claims: bool,
}

impl Machine<'_> {
    /// The list, or a copy of one that somebody else holds; `value` is what it is the value of.
    pub(super) fn alone(&mut self, list: Heap, code: &Rc<Code>, value: u32) -> Step<Heap> {
        let Some(elements) = list.elements() else { return Err(broken(code, "list_own of no list")) };
        if self.ghosts.is_sole(&list) || !self.ghosts.knows(&list) {
            return Ok(list);
        }
        let all = elements.all().to_vec();
        self.ghosts.moved(&list, &[&all], &[]).map_err(|why| broken(code, &why))?;
        self.pay(16 * all.len())?;
        let copy = Heap::List(Elements::new(all));
        self.ghosts.made(&copy, code, value);
        Ok(copy)
    }

    /// `list` with `value` at `index`. What stood there is given up, or goes on when it is swapped out.
    pub(super) fn exchanged(&mut self, list: Heap, index: i64, value: Cell, way: Way, code: &Code) -> Step<Exchanged> {
        let Way { is_swap, claims } = way;
        let Some(elements) = list.elements() else { return Err(broken(code, "an element of no list")) };
        let is_sole = self.ghosts.is_sole(&list);
        if claims && !is_sole && self.ghosts.knows(&list) {
            return Err(broken(code, "a list that is held elsewhere changes as if it was not"));
        }
        if let Some((before, changed)) = is_sole.then(|| elements.replaced(index, value.clone())).flatten() {
            let old = Heap::List(elements.husk());
            let gone = if is_swap { &[][..] } else { std::slice::from_ref(&before) };
            self.ghosts.moved(&old, &[], &[gone]).map_err(|why| broken(code, &why))?;
            self.pay(16)?;
            return Ok(Exchanged { old, new: Heap::List(changed), before });
        }
        let (Ok(before), Some(changed)) = (elements.get(index), elements.with(index, value)) else {
            return Err(broken(code, "an element that the list has not"));
        };
        let all = elements.all();
        let (front, rest) = all.split_at(index as usize);
        let moved = match is_swap {
            true => self.ghosts.moved(&list, &[&all], &[]),
            false => self.ghosts.moved(&list, &[front, &rest[1..]], &[&rest[..1]]),
        };
        drop(all);
        moved.map_err(|why| broken(code, &why))?;
        self.pay(16 * changed.len())?;
        let new = Heap::List(changed);
        Ok(Exchanged { old: list, new, before })
    }
}

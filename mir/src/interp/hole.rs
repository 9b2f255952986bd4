//! Values that are not whole yet.

use std::cell::RefCell;
use std::rc::Rc;

use super::ghost::Ghosts;
use super::value::{Cell, Heap, Parts};

/// What has been plugged, from the outside inwards, each with the number of the part of its cell that is the hole. Values do not change here, so they are put
/// together when the last hole is filled.
#[derive(Clone, Debug, Default)]
pub(super) struct Unfilled(Rc<RefCell<Vec<(Heap, u32)>>>);

impl Unfilled {
    /// The value goes where the hole is, and this part of its cell is the hole then.
    pub(super) fn plug(&self, value: Heap, part: u32) {
        self.0.borrow_mut().push((value, part));
    }

    /// The whole value; nothing is left of this one. The error is a defect of the body.
    pub(super) fn fill(&self, value: Heap, ghosts: &mut Ghosts) -> Result<Heap, String> {
        let mut inner = value;
        for (outer, part) in self.0.take().into_iter().rev() {
            let Heap::Variant(tag, payload) = &outer else { return Err("a hole in no variant".to_owned()) };
            let [Cell::Heap(old @ Heap::Cell(parts))] = &payload[..] else { return Err("a hole in no cell".to_owned()) };
            let mut filled = parts.all().to_vec();
            *filled.get_mut(part as usize).ok_or("a hole in no part")? = Cell::Heap(inner);
            let new = Heap::Cell(Parts::new(filled.into()));
            ghosts.became(old, &new)?;
            inner = Heap::Variant(*tag, Rc::new([Cell::Heap(new)]));
        }
        Ok(inner)
    }

    /// Calls `visit` on each value that has been plugged.
    pub(super) fn each(&self, visit: &mut dyn FnMut(&Heap)) {
        self.0.borrow().iter().for_each(|(value, _)| visit(value));
    }
}

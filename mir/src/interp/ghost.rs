//! Ghost counts: how many holders each heap object has, by what `dup` and `drop` say.
//!
//! The machine itself shares values as it likes; who holds what is kept beside it, so that a body that gives up too little or too much is found out whatever it prints.
//! An object is entered when it is made, with one holder. Literal texts are not entered: nobody counts them. What has no holder left stays in a graveyard for a
//! while, so that a later use of it is known for what it is. A run that ends with holders has leaked.

use std::collections::VecDeque;
use std::rc::Rc;

use hashbrown::HashMap;

use super::Counts;
use super::code::Code;
use super::machine::Machine;
use super::value::{Cell, Heap};
use crate::ownership::{Opened, Part};

/// How many dead objects are remembered.
const GRAVES: usize = 1024;

/// An object's entry.
struct Ghost {
    holders: u64,
    /// The function that made it, and the value that it was made as.
    code: Rc<Code>,
    value: u32,
}

/// The counts of a run.
#[derive(Default)]
pub(super) struct Ghosts {
    /// By address: an object that has an entry keeps its memory, as long as somebody can come back to it.
    objects: HashMap<usize, Ghost>,
    graves: VecDeque<(usize, Heap)>,
    /// The first object whose memory was used again while it had holders.
    lost: Option<(Rc<Code>, u32)>,
    /// What was done.
    pub(super) counts: Counts,
}

/// The address of a heap object; nothing for values that are none.
fn address(heap: &Heap) -> Option<usize> {
    match heap {
        Heap::Str(text) => Some(Rc::as_ptr(text).cast::<u8>() as usize),
        Heap::List(elements) => Some(elements.address()),
        Heap::Cell(parts) => Some(parts.address()),
        Heap::Function(_, parts) => Some(parts.address()),
        Heap::Empty | Heap::Aggregate(_) | Heap::Variant(..) | Heap::Hole(_) => None,
    }
}

/// Calls `visit` on what an object or aggregate has inside.
fn inside(heap: &Heap, visit: &mut dyn FnMut(&Heap)) {
    inside_at(heap, &mut |_, part| visit(part));
}

/// The same with the number of each part.
fn inside_at(heap: &Heap, visit: &mut dyn FnMut(usize, &Heap)) {
    let mut all = |parts: &[Cell]| {
        for (number, part) in parts.iter().enumerate() {
            if let Cell::Heap(part) = part {
                visit(number, part);
            }
        }
    };
    match heap {
        Heap::Aggregate(parts) | Heap::Variant(_, parts) => all(parts),
        Heap::List(elements) => all(&elements.all()),
        Heap::Cell(parts) | Heap::Function(_, parts) => all(parts.all()),
        Heap::Empty | Heap::Str(_) | Heap::Hole(_) => {}
    }
}

/// Adds the objects that a value that is no object has inside, or of the object that it is.
fn leaves(value: &Heap, out: &mut Vec<Heap>) {
    match value {
        Heap::Aggregate(_) | Heap::Variant(..) => inside(value, &mut |part| leaves(part, out)),
        Heap::Str(_) | Heap::List(_) | Heap::Cell(_) | Heap::Function(..) => out.push(value.clone()),
        Heap::Hole(hole) => hole.each(&mut |value| leaves(value, out)),
        Heap::Empty => {}
    }
}

impl Ghosts {
    /// An object has been made as this value.
    pub(super) fn made(&mut self, object: &Heap, code: &Rc<Code>, value: u32) {
        let Some(address) = address(object) else { return };
        self.counts.made += 1;
        self.enter(address, Ghost { holders: 1, code: code.clone(), value });
    }

    fn enter(&mut self, address: usize, new: Ghost) {
        if let Some(old) = self.objects.insert(address, new)
            && old.holders > 0
            && self.lost.is_none()
        {
            self.lost = Some((old.code, old.value));
        }
    }

    /// A cell whose hole has been filled goes on as another one here. Nobody may have seen it before.
    pub(super) fn became(&mut self, old: &Heap, new: &Heap) -> Result<(), String> {
        let (Some(from), Some(to)) = (address(old), address(new)) else { return Ok(()) };
        let Some(ghost) = self.objects.get_mut(&from) else { return Ok(()) };
        if ghost.holders != 1 {
            return Err(format!("fill of a value with {} holders, {}", ghost.holders, made(&ghost.code, ghost.value)));
        }
        ghost.holders = 0;
        let new = Ghost { holders: 1, code: ghost.code.clone(), value: ghost.value };
        self.enter(to, new);
        self.bury(old.clone());
        Ok(())
    }

    /// A value has one holder more.
    pub(super) fn dup(&mut self, value: &Heap) -> Result<(), String> {
        let mut objects = Vec::new();
        leaves(value, &mut objects);
        for object in objects {
            if let Some(ghost) = address(&object).and_then(|address| self.objects.get_mut(&address)) {
                if ghost.holders == 0 {
                    return Err(format!("dup of a value that has been freed, {}", made(&ghost.code, ghost.value)));
                }
                ghost.holders += 1;
                self.counts.dups += 1;
            }
        }
        Ok(())
    }

    /// A value has one holder fewer; what has none left is freed.
    pub(super) fn drop(&mut self, value: &Heap) -> Result<(), String> {
        let mut freed: Vec<Heap> = Vec::new();
        self.release(value, &mut freed)?;
        while let Some(object) = freed.pop() {
            let mut parts = Vec::new();
            inside(&object, &mut |part| parts.push(part.clone()));
            for part in parts {
                self.release(&part, &mut freed)?;
            }
            self.bury(object);
        }
        Ok(())
    }

    /// A value is taken apart: of an object that nobody else holds the parts that are taken out go on as they are, and the others are given up; of any other
    /// object the parts that are taken out have one holder more.
    pub(super) fn open(&mut self, value: &Heap, opened: &Opened) -> Result<(), String> {
        if let Some(address) = address(value) {
            let Some(ghost) = self.objects.get_mut(&address) else { return Ok(()) };
            match ghost.holders {
                0 => return Err(format!("open of a value that has been freed, {}", made(&ghost.code, ghost.value))),
                1 => {
                    ghost.holders = 0;
                    self.counts.opened += 1;
                    self.open_parts(value, opened)?;
                    self.bury(value.clone());
                }
                _ => {
                    ghost.holders -= 1;
                    self.counts.drops += 1;
                    self.share_parts(value, opened)?;
                }
            }
            return Ok(());
        }
        self.open_parts(value, opened)
    }

    fn open_parts(&mut self, value: &Heap, opened: &Opened) -> Result<(), String> {
        let mut parts = Vec::new();
        inside_at(value, &mut |number, part| parts.push((number, part.clone())));
        for (number, part) in parts {
            match opened.parts.iter().find(|(known, _)| *known as usize == number) {
                None => self.drop(&part)?,
                Some((_, Part::Moved(_))) => {}
                Some((_, Part::Opened(inner))) => self.open(&part, inner)?,
            }
        }
        Ok(())
    }

    fn share_parts(&mut self, value: &Heap, opened: &Opened) -> Result<(), String> {
        let mut parts = Vec::new();
        inside_at(value, &mut |number, part| parts.push((number, part.clone())));
        for (number, part) in parts {
            match opened.parts.iter().find(|(known, _)| *known as usize == number) {
                None => {}
                Some((_, Part::Moved(_))) => self.dup(&part)?,
                Some((_, Part::Opened(inner))) => self.share_parts(&part, inner)?,
            }
        }
        Ok(())
    }

    fn bury(&mut self, object: Heap) {
        if let Some(address) = address(&object) {
            self.graves.push_back((address, object));
        }
        if self.graves.len() > GRAVES
            && let Some((address, _)) = self.graves.pop_front()
        {
            self.objects.remove(&address);
        }
    }

    /// Has an object one holder?
    pub(super) fn is_sole(&self, object: &Heap) -> bool {
        address(object).and_then(|address| self.objects.get(&address)).is_some_and(|ghost| ghost.holders == 1)
    }

    /// Is somebody known to hold the object?
    pub(super) fn knows(&self, object: &Heap) -> bool {
        address(object).is_some_and(|address| self.objects.contains_key(&address))
    }

    /// A list is taken over by another one, which has its elements but those that are gone. Where nobody else holds it they are the other's now; else
    /// they have one holder more.
    pub(super) fn moved(&mut self, old: &Heap, kept: &[&[Cell]], gone: &[&[Cell]]) -> Result<(), String> {
        self.used(old)?;
        let Some(ghost) = address(old).and_then(|address| self.objects.get_mut(&address)) else { return Ok(()) };
        ghost.holders -= 1;
        let is_sole = ghost.holders == 0;
        for cell in if is_sole { gone } else { kept }.iter().copied().flatten() {
            match cell {
                Cell::Heap(part) if is_sole => self.drop(part)?,
                Cell::Heap(part) => self.dup(part)?,
                Cell::Word(_) => {}
            }
        }
        if is_sole {
            self.bury(old.clone());
        }
        Ok(())
    }

    /// Takes one holder from each object of a value, and adds those that have none left.
    fn release(&mut self, value: &Heap, freed: &mut Vec<Heap>) -> Result<(), String> {
        let mut objects = Vec::new();
        leaves(value, &mut objects);
        for object in objects {
            if let Some(ghost) = address(&object).and_then(|address| self.objects.get_mut(&address)) {
                match ghost.holders {
                    0 => return Err(format!("drop of a value that has been freed, {}", made(&ghost.code, ghost.value))),
                    1 => freed.push(object.clone()),
                    _ => {}
                }
                ghost.holders -= 1;
                self.counts.drops += 1;
            }
        }
        Ok(())
    }

    /// Somebody looks into an object.
    pub(super) fn used(&self, object: &Heap) -> Result<(), String> {
        match address(object).and_then(|address| self.objects.get(&address)) {
            Some(ghost) if ghost.holders == 0 => Err(format!("use of a value that has been freed, {}", made(&ghost.code, ghost.value))),
            Some(_) | None => Ok(()),
        }
    }

    /// Nothing may have holders when a run ends.
    pub(super) fn all_gone(&self) -> Result<(), String> {
        let mut left: Vec<(String, u64)> =
            self.objects.values().filter(|ghost| ghost.holders > 0).map(|ghost| (made(&ghost.code, ghost.value), ghost.holders)).collect();
        left.extend(self.lost.iter().map(|(code, value)| (made(code, *value), 1)));
        left.sort_unstable();
        match left.first() {
            None => Ok(()),
            Some((first, holders)) => {
                Err(format!("{} values are still held when the program ends; one {first} has {holders} holders", left.len()))
            }
        }
    }
}

/// What an object is called in a message.
fn made(code: &Code, value: u32) -> String {
    format!("made as %{value} of @{}", code.item)
}

impl Machine<'_> {
    /// Takes the last hold of a result.
    pub(super) fn give_up(&mut self, cell: &Cell) -> Result<(), String> {
        match cell {
            Cell::Word(_) => Ok(()),
            Cell::Heap(value) => self.ghosts.drop(value),
        }
    }

    /// Nothing may be held any more.
    pub(super) fn all_gone(&self) -> Result<(), String> {
        self.ghosts.all_gone()
    }

    /// What was counted.
    pub(super) fn counts(&self) -> Counts {
        self.ghosts.counts
    }
}

//! Ghost counts: how many holders each heap object has, by what `dup` and `drop` say.
//!
//! The machine itself shares values as it likes; who holds what is kept beside it, so that a body that gives up too little or too much is found out whatever it prints.
//! An object is entered when it is made, with one holder. Literal texts are not entered: nobody counts them. What has no holder left stays in a graveyard for a
//! while, so that a later use of it is known for what it is. A run that ends with holders has leaked.

use std::collections::VecDeque;
use std::rc::Rc;

use hashbrown::HashMap;

use super::code::Code;
use super::value::{Cell, Heap};

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
}

/// The address of a heap object; nothing for values that are none.
fn address(heap: &Heap) -> Option<usize> {
    match heap {
        Heap::Str(text) => Some(Rc::as_ptr(text).cast::<u8>() as usize),
        Heap::List(elements) => Some(Rc::as_ptr(elements).cast::<Cell>() as usize),
        Heap::Cell(parts) => Some(parts.address()),
        Heap::Function(_, parts) => Some(parts.address()),
        Heap::Empty | Heap::Aggregate(_) | Heap::Variant(..) => None,
    }
}

/// What an object or aggregate has inside.
fn content(heap: &Heap) -> &[Cell] {
    match heap {
        Heap::Aggregate(parts) | Heap::Variant(_, parts) | Heap::List(parts) => parts,
        Heap::Cell(parts) | Heap::Function(_, parts) => parts.all(),
        Heap::Empty | Heap::Str(_) => &[],
    }
}

/// Adds what a value that is no object has inside, or the object that it is.
fn leaves<'a>(value: &'a Heap, out: &mut Vec<&'a Heap>) {
    match value {
        Heap::Aggregate(_) | Heap::Variant(..) => {
            for part in content(value) {
                if let Cell::Heap(part) = part {
                    leaves(part, out);
                }
            }
        }
        Heap::Str(_) | Heap::List(_) | Heap::Cell(_) | Heap::Function(..) => out.push(value),
        Heap::Empty => {}
    }
}

impl Ghosts {
    /// An object has been made as this value.
    pub(super) fn made(&mut self, object: &Heap, code: &Rc<Code>, value: u32) {
        let Some(address) = address(object) else { return };
        let new = Ghost { holders: 1, code: code.clone(), value };
        if let Some(old) = self.objects.insert(address, new)
            && old.holders > 0
            && self.lost.is_none()
        {
            self.lost = Some((old.code, old.value));
        }
    }

    /// A value has one holder more.
    pub(super) fn dup(&mut self, value: &Heap) -> Result<(), String> {
        let mut objects = Vec::new();
        leaves(value, &mut objects);
        for object in objects {
            if let Some(ghost) = address(object).and_then(|address| self.objects.get_mut(&address)) {
                if ghost.holders == 0 {
                    return Err(format!("dup of a value that has been freed, {}", made(&ghost.code, ghost.value)));
                }
                ghost.holders += 1;
            }
        }
        Ok(())
    }

    /// A value has one holder fewer; what has none left is freed.
    pub(super) fn drop(&mut self, value: &Heap) -> Result<(), String> {
        let mut freed: Vec<Heap> = Vec::new();
        self.release(value, &mut freed)?;
        while let Some(object) = freed.pop() {
            for part in content(&object) {
                if let Cell::Heap(part) = part {
                    self.release(part, &mut freed)?;
                }
            }
            if let Some(address) = address(&object) {
                self.graves.push_back((address, object));
            }
            if self.graves.len() > GRAVES
                && let Some((address, _)) = self.graves.pop_front()
            {
                self.objects.remove(&address);
            }
        }
        Ok(())
    }

    /// Takes one holder from each object of a value, and adds those that have none left.
    fn release(&mut self, value: &Heap, freed: &mut Vec<Heap>) -> Result<(), String> {
        let mut objects = Vec::new();
        leaves(value, &mut objects);
        for object in objects {
            if let Some(ghost) = address(object).and_then(|address| self.objects.get_mut(&address)) {
                match ghost.holders {
                    0 => return Err(format!("drop of a value that has been freed, {}", made(&ghost.code, ghost.value))),
                    1 => freed.push(object.clone()),
                    _ => {}
                }
                ghost.holders -= 1;
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

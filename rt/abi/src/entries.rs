//! Entries of the runtime that compiled code reaches without the convention of calls.

/// An entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Entry {
    /// Called when the free list of a class is empty: the class in `r11d`; afterwards `r11` is the first of the list, which has some, and all other registers
    /// are as before.
    Refill,
    /// Jumped to at the end of a landing pad that does not catch, with the `rbp` of its frame.
    Resume,
}

impl Entry {
    /// All entries in order.
    pub const ALL: [Entry; 2] = [Entry::Refill, Entry::Resume];

    /// The linked symbol.
    pub const fn symbol(self) -> &'static str {
        match self {
            Entry::Refill => "ori_refill",
            Entry::Resume => "ori_resume",
        }
    }
}

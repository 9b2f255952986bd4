//! History-independent slots (`design/backend.md` §6.2): the same set of things gets the same places, whatever the order of arrival.
//!
//! Things of variable size go into size classes that grow by a quarter. A class is an open-addressing table in which entries stand in order of
//! their hash: each has a home that rises with the hash, and takes the first place at or behind it that its predecessors leave (linear probing with
//! ordered entries; Blelloch and Golovin, FOCS 2007, show that such a table has one form for each set). An entry that comes or goes moves only the
//! cluster around it. The capacity of a class is a step function of its count, so that most changes keep it: load 0.74 to 0.83, which with the loss
//! inside a class of about a tenth makes the image about 40 % larger than its contents.

/// Marks a free slot.
pub const FREE: u32 = u32::MAX;

/// The size classes of one kind of table.
#[derive(Clone, Debug)]
pub struct Classes {
    sizes: Vec<u32>,
}

impl Classes {
    /// Classes from `first` bytes, all multiples of `grain`.
    pub fn new(first: u32, grain: u32) -> Self {
        let mut sizes = vec![first];
        let mut size = first;
        while size < 1 << 30 {
            size = (size + size / 4).next_multiple_of(grain).max(size + grain);
            sizes.push(size);
        }
        Classes { sizes }
    }

    /// One class: rows of `size` bytes.
    pub fn rows(size: u32) -> Self {
        Classes { sizes: vec![size] }
    }

    /// The class for this many bytes; `None` when nothing that large is foreseen.
    pub fn of(&self, size: u32) -> Option<u8> {
        let class = self.sizes.partition_point(|&limit| limit < size);
        (class < self.sizes.len()).then_some(class as u8)
    }

    /// Bytes of a slot.
    pub fn slot(&self, class: u8) -> u32 {
        self.sizes.get(usize::from(class)).copied().unwrap_or(0)
    }
}

/// Slots for `count` entries of a class.
pub fn capacity(count: u32) -> u32 {
    // Up to eight a class is full: little programs stay little, and moving eight things costs nothing.
    if count <= 8 {
        return count;
    }
    let wanted = u64::from(count) * 6 / 5;
    let mut capacity = 10u64;
    while capacity < wanted {
        capacity = (capacity * 9).div_ceil(8);
    }
    capacity.min(u64::from(u32::MAX - 1)) as u32
}

/// A thing to be placed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Entry {
    /// Class in the top byte, then the spread form of the key, by which entries stand in order. One comparison decides nearly always.
    rank: u64,
    /// Its key.
    pub key: u128,
    /// Its number with the caller.
    pub index: u32,
}

/// Bits of the spread form of a key that decide about its place.
pub const HASH_BITS: u32 = 56;

/// The spread form of a key. Keys should be good hashes; a round of mixing (the finaliser of SplitMix64) makes poor ones spread too.
pub const fn spread(key: u128) -> u64 {
    // Multiplied, since the halves of a poor key vary together and would cancel out.
    let mut hash = (key as u64).wrapping_add(((key >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// Where a thing with these [`HASH_BITS`] wants to stand among `capacity` slots; rises with them.
pub const fn home(hash: u64, capacity: u32) -> u32 {
    ((hash as u128 * capacity as u128) >> HASH_BITS) as u32
}

impl Entry {
    /// An entry.
    pub fn new(class: u8, key: u128, index: u32) -> Self {
        Entry { rank: u64::from(class) << HASH_BITS | spread(key) >> (64 - HASH_BITS), key, index }
    }

    /// Its class.
    pub const fn class(&self) -> u8 {
        (self.rank >> HASH_BITS) as u8
    }

    /// Where it wants to stand among `capacity` slots; rises with the rank.
    const fn home(&self, capacity: u32) -> u32 {
        home(self.rank & ((1 << HASH_BITS) - 1), capacity)
    }
}

/// The slots of one class.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Range {
    /// Bytes of a slot.
    pub slot: u32,
    /// Number of slots.
    pub capacity: u32,
    /// Offset of the first slot in the table's bytes.
    pub start: u64,
    /// Number of the first slot in the table.
    pub first: u32,
}

/// Places of a set of entries.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Slots {
    /// The classes that have entries, in class order.
    pub ranges: Vec<Range>,
    /// For each slot, in order: the index of its entry, or [`FREE`].
    pub owners: Vec<u32>,
    /// Bytes of the whole table.
    pub bytes: u64,
}

impl Slots {
    /// Places the entries; `entries` is sorted on the way. Two entries of one class and key: their indices are the error.
    pub fn place(entries: &mut [Entry], classes: &Classes) -> Result<Slots, (u32, u32)> {
        entries.sort_unstable();
        let mut slots = Slots::default();
        for group in entries.chunk_by(|a, b| a.class() == b.class()) {
            let Some(first) = group.first() else { continue };
            let (count, slot) = (group.len() as u32, classes.slot(first.class()));
            let capacity = capacity(count);
            let base = slots.owners.len();
            slots.owners.resize(base + capacity as usize, FREE);
            let mut next = 0;
            let mut previous: Option<&Entry> = None;
            for (rank, entry) in group.iter().enumerate() {
                if let Some(previous) = previous
                    && previous.key == entry.key
                {
                    return Err((previous.index, entry.index));
                }
                previous = Some(entry);
                // At or behind the home, behind the predecessor, and not so far that the rest has no room.
                let place = entry.home(capacity).max(next).min(capacity - (count - rank as u32));
                slots.owners[base + place as usize] = entry.index;
                next = place + 1;
            }
            slots.ranges.push(Range { slot, capacity, start: slots.bytes, first: base as u32 });
            slots.bytes += u64::from(slot) * u64::from(capacity);
        }
        Ok(slots)
    }

    /// For each slot in order: offset in the table's bytes and owner.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u32)> {
        self.ranges.iter().flat_map(|range| {
            let owners = self.owners.get(range.first as usize..(range.first + range.capacity) as usize).unwrap_or(&[]);
            owners.iter().enumerate().map(|(number, &owner)| (range.start + number as u64 * u64::from(range.slot), owner))
        })
    }

    /// For each of `count` indices: the offset of its slot.
    pub fn offsets(&self, count: usize) -> Vec<u64> {
        let mut offsets = vec![0; count];
        for (offset, owner) in self.iter() {
            if let Some(place) = offsets.get_mut(owner as usize) {
                *place = offset;
            }
        }
        offsets
    }
}

#[cfg(test)]
mod tests;

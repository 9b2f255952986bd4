//! How trees are stored: nodes with their spans side by side, ids and lists that know when they are absent or short.
//!
//! Trees live as long as the session, so their bytes are what counts: the first touch of a page costs more than parsing what fills it.
//! A node stands next to its span, which nearly always fits into four bytes; an id is never zero, so that its `Option` is as small; a list
//! inside a wide node takes six bytes.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::ops::Index;

use ir::{List, Pool};

use crate::Span;

/// A dense index into the arena of a tree; its `Option` takes four bytes too.
pub struct NodeId<T>(NonZeroU32, PhantomData<fn() -> T>);

impl<T> NodeId<T> {
    /// The id with this position.
    #[inline(always)]
    pub const fn new(index: usize) -> Self {
        NodeId(NonZeroU32::MIN.saturating_add(index as u32), PhantomData)
    }

    /// Position in the arena.
    #[inline(always)]
    pub const fn index(self) -> usize {
        (self.0.get() - 1) as usize
    }
}

impl<T> Clone for NodeId<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for NodeId<T> {}
impl<T> PartialEq for NodeId<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for NodeId<T> {}
impl<T> PartialOrd for NodeId<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for NodeId<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> Hash for NodeId<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T> fmt::Debug for NodeId<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index())
    }
}

/// A span in four bytes, or the position of one in [`LongSpans`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct PackedSpan(u32);

const START_BITS: u32 = 19;
const LENGTH_BITS: u32 = 12;
const LONG: u32 = 1 << 31;

/// Spans of which the start or the length is too large for [`PackedSpan`].
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct LongSpans(Rare<Span>);

impl LongSpans {
    #[inline(always)]
    pub fn pack(&mut self, span: Span) -> PackedSpan {
        let length = span.end.wrapping_sub(span.start);
        if span.start < 1 << START_BITS && length < 1 << LENGTH_BITS {
            return PackedSpan(span.start << LENGTH_BITS | length);
        }
        self.add(span)
    }

    #[cold]
    fn add(&mut self, span: Span) -> PackedSpan {
        let list = self.0.add([span]);
        PackedSpan(LONG | list.start() as u32)
    }

    #[inline]
    pub fn unpack(&self, PackedSpan(packed): PackedSpan) -> Span {
        if packed & LONG == 0 {
            let start = packed >> LENGTH_BITS;
            return Span::new(start, start + (packed & ((1 << LENGTH_BITS) - 1)));
        }
        self.0[List::new(packed & !LONG, 1)][0]
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Nodes of one kind with their spans, in order of their ids.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Arena<K, V> {
    rows: Vec<(V, PackedSpan)>,
    key: PhantomData<fn() -> K>,
}

impl<K, V> Default for Arena<K, V> {
    fn default() -> Self {
        Arena { rows: Vec::new(), key: PhantomData }
    }
}

impl<K, V> Arena<K, V> {
    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when there is no node.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The nodes in order of their ids.
    pub fn nodes(&self) -> impl Iterator<Item = &V> {
        self.rows.iter().map(|(node, _)| node)
    }

    /// All ids, in order. Does not borrow the arena.
    pub fn ids(&self) -> impl Iterator<Item = NodeId<K>> + use<K, V> {
        (0..self.rows.len()).map(NodeId::new)
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, node: V, span: PackedSpan) -> NodeId<K> {
        let id = NodeId::new(self.rows.len());
        self.rows.push((node, span));
        id
    }

    pub(crate) fn span(&self, id: NodeId<K>) -> PackedSpan {
        self.rows[id.index()].1
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
    }
}

impl<K, V> Index<NodeId<K>> for Arena<K, V> {
    type Output = V;
    #[inline(always)]
    fn index(&self, id: NodeId<K>) -> &V {
        &self.rows[id.index()].0
    }
}

/// A pool that most trees do not need: one word while it is empty.
#[derive(PartialEq, Eq, Hash, Debug)]
pub struct Rare<T>(Option<Box<Pool<T>>>);

impl<T: Clone> Clone for Rare<T> {
    /// The memory that [`Rare::clear`] keeps is not worth a copy.
    fn clone(&self) -> Self {
        Rare(self.0.as_ref().filter(|pool| !pool.is_empty()).cloned())
    }
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Rare(None)
    }
}

impl<T> Rare<T> {
    /// Number of elements of all lists together.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |pool| pool.len())
    }

    /// True when no list holds an element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements of a list.
    pub fn get(&self, list: List<T>) -> &[T] {
        &self[list]
    }

    /// All elements of all lists.
    pub fn all(&self) -> &[T] {
        self.0.as_ref().map_or(&[], |pool| pool.slice(0, pool.len()))
    }

    pub(crate) fn add(&mut self, items: impl IntoIterator<Item = T>) -> List<T> {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return List::EMPTY;
        }
        self.0.get_or_insert_default().add(items)
    }

    /// Removes every list and keeps the memory.
    pub(crate) fn clear(&mut self) {
        if let Some(pool) = &mut self.0 {
            pool.clear();
        }
    }
}

impl<T> Index<List<T>> for Rare<T> {
    type Output = [T];
    fn index(&self, list: List<T>) -> &[T] {
        match &self.0 {
            Some(pool) => &pool[list],
            None => &[],
        }
    }
}

/// A list in six bytes, for nodes that have much to hold; [`super::Tree::list`] tells what it stands for.
pub struct Short<T>([u16; 3], PhantomData<fn() -> T>);

/// Lists with more elements than a [`Short`] can count.
pub(crate) type LongLists = Rare<(u32, u32)>;

impl<T> Short<T> {
    /// The empty list.
    pub const EMPTY: Self = Short([0; 3], PhantomData);

    #[inline(always)]
    pub(crate) fn new(list: List<T>, long: &mut LongLists) -> Short<T> {
        let (start, len) = (list.start() as u32, list.len() as u32);
        let (start, len) = if len < u16::MAX as u32 { (start, len as u16) } else { (long.add([(start, len)]).start() as u32, u16::MAX) };
        Short([start as u16, (start >> 16) as u16, len], PhantomData)
    }

    #[inline(always)]
    pub(crate) fn list(self, long: &LongLists) -> List<T> {
        let [low, high, len] = self.0;
        let start = (high as u32) << 16 | low as u32;
        if len < u16::MAX {
            return List::new(start, len as u32);
        }
        let (start, len) = long[List::new(start, 1)][0];
        List::new(start, len)
    }
}

impl<T> Clone for Short<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Short<T> {}
impl<T> PartialEq for Short<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Short<T> {}
impl<T> Hash for Short<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T> fmt::Debug for Short<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Eight bytes that are aligned like four, so that a literal makes no node wider.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(Rust, packed(4))]
pub struct Wide(u64);

impl Wide {
    /// These bits.
    pub const fn new(bits: u64) -> Wide {
        Wide(bits)
    }

    /// The bits.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests;

//! Typed dense ids and the columns they index.
//!
//! An id is owned by one store and means nothing outside it. Facts about an id are columns beside it, never a hash map.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A dense index into the store of `T`s that made it.
pub struct Id<T>(u32, PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// The id with this position. Only stores, dump parsers and tests have reason to call it.
    pub const fn new(index: usize) -> Self {
        Id(index as u32, PhantomData)
    }

    /// Position in the store.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Position in the store, as stored.
    pub const fn raw(self) -> u32 {
        self.0
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// One value for every id of `K`, in id order.
pub struct Column<K, V> {
    rows: Vec<V>,
    key: PhantomData<fn() -> K>,
}

impl<K, V> Column<K, V> {
    /// An empty column.
    pub const fn new() -> Self {
        Column { rows: Vec::new(), key: PhantomData }
    }

    /// An empty column with room for `rows`.
    pub fn with_capacity(rows: usize) -> Self {
        Column { rows: Vec::with_capacity(rows), key: PhantomData }
    }

    /// A column that holds `value` for `len` ids.
    pub fn filled(value: V, len: usize) -> Self
    where
        V: Clone,
    {
        Column { rows: vec![value; len], key: PhantomData }
    }

    /// Appends a row and returns its id.
    pub fn push(&mut self, row: V) -> Id<K> {
        let id = Id::new(self.rows.len());
        self.rows.push(row);
        id
    }

    /// Makes room for this many more rows.
    pub fn reserve(&mut self, rows: usize) {
        self.rows.reserve(rows);
    }

    /// Makes room for this many more rows and no more.
    pub fn reserve_exact(&mut self, rows: usize) {
        self.rows.reserve_exact(rows);
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The id that the next `push` will return.
    pub fn next_id(&self) -> Id<K> {
        Id::new(self.rows.len())
    }

    /// All ids, in order. Does not borrow the column.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = Id<K>> + ExactSizeIterator + use<K, V> {
        (0..self.rows.len()).map(Id::new)
    }

    /// All rows with their ids.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Id<K>, &V)> {
        self.rows.iter().enumerate().map(|(i, row)| (Id::new(i), row))
    }

    /// The rows as a slice in id order.
    pub fn rows(&self) -> &[V] {
        &self.rows
    }

    /// The rows as a mutable slice in id order.
    pub fn rows_mut(&mut self) -> &mut [V] {
        &mut self.rows
    }

    /// The row of `id`, or `None` when `id` dangles (only parsed dumps and mutants have such ids).
    pub fn get(&self, id: Id<K>) -> Option<&V> {
        self.rows.get(id.index())
    }

    /// Grows to `len` rows with copies of `value`; never shrinks.
    pub fn grow(&mut self, len: usize, value: V)
    where
        V: Clone,
    {
        if self.rows.len() < len {
            self.rows.resize(len, value);
        }
    }

    /// Removes every row and keeps the memory.
    pub fn clear(&mut self) {
        self.rows.clear();
    }
}

impl<K, V> FromIterator<V> for Column<K, V> {
    /// A column of just the rows, without room for more.
    fn from_iter<I: IntoIterator<Item = V>>(rows: I) -> Self {
        Column { rows: rows.into_iter().collect(), key: PhantomData }
    }
}
impl<K, V> Default for Column<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
impl<K, V: Clone> Clone for Column<K, V> {
    fn clone(&self) -> Self {
        Column { rows: self.rows.clone(), key: PhantomData }
    }

    fn clone_from(&mut self, other: &Self) {
        self.rows.clone_from(&other.rows);
    }
}
impl<K, V: Hash> Hash for Column<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rows.hash(state);
    }
}
impl<K, V: PartialEq> PartialEq for Column<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}
impl<K, V: Eq> Eq for Column<K, V> {}
impl<K, V: fmt::Debug> fmt::Debug for Column<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.fmt(f)
    }
}
impl<K, V> Index<Id<K>> for Column<K, V> {
    type Output = V;
    fn index(&self, id: Id<K>) -> &V {
        &self.rows[id.index()]
    }
}
impl<K, V> IndexMut<Id<K>> for Column<K, V> {
    fn index_mut(&mut self, id: Id<K>) -> &mut V {
        &mut self.rows[id.index()]
    }
}

/// A run of `T`s in a [`Pool`]. Eight bytes, no heap of its own.
pub struct List<T> {
    start: u32,
    len: u32,
    item: PhantomData<fn() -> T>,
}

impl<T> List<T> {
    /// The empty list; valid in every pool.
    pub const EMPTY: Self = List { start: 0, len: 0, item: PhantomData };

    /// The list at a position of a pool; for whoever keeps lists in another form.
    pub const fn new(start: u32, len: u32) -> Self {
        List { start, len, item: PhantomData }
    }

    /// Number of elements.
    pub const fn len(self) -> usize {
        self.len as usize
    }

    /// True when there is no element.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Position of the first element in its pool.
    pub const fn start(self) -> usize {
        self.start as usize
    }

    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for List<T> {}
impl<T> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.start, self.len) == (other.start, other.len)
    }
}
impl<T> Eq for List<T> {}
impl<T> Hash for List<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.start, self.len).hash(state);
    }
}
impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}+{}]", self.start, self.len)
    }
}
impl<T> Default for List<T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// Storage for many short lists of `T`.
#[derive(PartialEq, Eq, Hash, Debug)]
pub struct Pool<T> {
    items: Vec<T>,
}

impl<T: Clone> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Pool { items: self.items.clone() }
    }

    fn clone_from(&mut self, other: &Self) {
        self.items.clone_from(&other.items);
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool { items: Vec::new() }
    }
}

impl<T> Pool<T> {
    /// An empty pool.
    pub const fn new() -> Self {
        Pool { items: Vec::new() }
    }

    /// Makes room for this many more elements.
    pub fn reserve(&mut self, items: usize) {
        self.items.reserve(items);
    }

    /// Makes room for this many more elements and no more.
    pub fn reserve_exact(&mut self, items: usize) {
        self.items.reserve_exact(items);
    }

    /// Number of elements of all lists together.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True when no list holds an element.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The elements of all lists, as they lie.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// Stores the elements as one list.
    #[inline]
    pub fn add(&mut self, items: impl IntoIterator<Item = T>) -> List<T> {
        let start = self.items.len();
        self.items.extend(items);
        List { start: start as u32, len: (self.items.len() - start) as u32, item: PhantomData }
    }

    /// Removes every list and keeps the memory.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// The elements of a list.
    pub fn get(&self, list: List<T>) -> &[T] {
        &self.items[list.range()]
    }

    /// The elements at a position; empty when the pool does not reach that far (only mutants ask so).
    pub fn slice(&self, start: usize, len: usize) -> &[T] {
        self.items.get(start..start.saturating_add(len)).unwrap_or(&[])
    }

    /// The elements of a list, to be changed in place.
    pub fn get_mut(&mut self, list: List<T>) -> &mut [T] {
        &mut self.items[list.range()]
    }
}

impl<T> Index<List<T>> for Pool<T> {
    type Output = [T];
    fn index(&self, list: List<T>) -> &[T] {
        self.get(list)
    }
}
impl<T> IndexMut<List<T>> for Pool<T> {
    fn index_mut(&mut self, list: List<T>) -> &mut [T] {
        self.get_mut(list)
    }
}

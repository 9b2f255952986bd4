//! What a query is: a row in the table of queries.

use std::fmt::Debug;
use std::hash::{BuildHasher, Hash};
use std::sync::OnceLock;

use hashbrown::DefaultHashBuilder;

use crate::engine::Ctx;
use crate::fingerprint::Fp;
use crate::interrupt::{Cycle, Interrupt};

/// Number of a query kind: its row in the table of queries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Kind(pub u16);

/// A key: small, comparable, hashable. `Debug` is its name in logs and `Hash` its fingerprint, so neither must show interner numbers.
pub trait Key: Clone + Eq + Hash + Debug + Send + Sync + 'static {}
impl<T: Clone + Eq + Hash + Debug + Send + Sync + 'static> Key for T {}

/// A pure function that the engine remembers.
pub trait Query: 'static {
    /// Row in the table of queries.
    const KIND: Kind;
    /// Name in logs and reports.
    const NAME: &'static str;
    /// Whether the store keeps values. Else it keeps their fingerprints, and a value that is asked for is computed again.
    const PERSISTED: bool = false;
    /// Whether an answer is compared by what it was computed from, not by what it is: for large answers that every change of a dependency changes.
    const FROM_DEPENDENCIES: bool = false;
    /// Whether it is brought up to date as soon as an edit reaches it, asked for or not, so that only a change of its answer goes on to who asked for it.
    /// For cheap answers that stop most edits and that nearly every session asks for. A firewall asks only
    /// inputs, firewalls of kinds that were registered before it, and its own kind.
    const FIREWALL: bool = false;
    /// What it is asked with.
    type Key: Key;
    /// What it answers. `Hash` must see content alone: no addresses, no interner numbers.
    type Value: Hash + Send + Sync + 'static;
    /// Computes the answer. Everything it reads, it reads through `cx`.
    fn run(cx: &Ctx<'_>, key: &Self::Key) -> Result<Self::Value, Interrupt>;
    /// The answer of a node that depends on itself; `None` passes the interrupt on to whoever asked.
    fn on_cycle(_key: &Self::Key, _cycle: &Cycle) -> Option<Self::Value> {
        None
    }
    /// Where tables in memory look for a key: quick, and free to differ between processes, where `Hash` must not. Every bit should matter.
    fn address(key: &Self::Key) -> u64 {
        foldhash(key)
    }
    /// What the answer is compared by. Equal fingerprints are no change (early cutoff).
    fn fingerprint(value: &Self::Value) -> Fp {
        Fp::of(value)
    }
    /// What values of this kind depend on besides keys and answers: the code of the provider and the form of the bytes.
    /// A change of it makes this kind, and nothing else, run again.
    fn schema() -> Fp;
    /// Appends the stored form of a key: content, never interner numbers.
    fn key_to_bytes(key: &Self::Key, out: &mut Vec<u8>);
    /// The inverse of [`Query::key_to_bytes`]; `None` for bytes that it never writes.
    fn key_from_bytes(bytes: &[u8]) -> Option<Self::Key>;
    /// Appends the stored form of a value, when the kind is persisted.
    fn to_bytes(_value: &Self::Value, _out: &mut Vec<u8>) {}
    /// The inverse of [`Query::to_bytes`]; `None` for bytes that it never writes.
    fn from_bytes(_bytes: &[u8]) -> Option<Self::Value> {
        None
    }
}

/// The address of keys that have no shorter way to one.
fn foldhash(key: &impl Hash) -> u64 {
    static STATE: OnceLock<DefaultHashBuilder> = OnceLock::new();
    STATE.get_or_init(DefaultHashBuilder::default).hash_one(key)
}

/// A value from outside. It is set, or known to be unchanged since an earlier session and loaded when somebody asks for it.
pub trait Input: 'static {
    /// Row in the table of queries.
    const KIND: Kind;
    /// Name in logs and reports.
    const NAME: &'static str;
    /// What it is asked with.
    type Key: Key;
    /// What was set.
    type Value: Hash + Send + Sync + 'static;
    /// Where tables in memory look for a key: quick, and free to differ between processes, where `Hash` must not. Every bit should matter.
    fn address(key: &Self::Key) -> u64 {
        foldhash(key)
    }
    /// What the value is compared by.
    fn fingerprint(value: &Self::Value) -> Fp {
        Fp::of(value)
    }
    /// Appends the stored form of a key.
    fn key_to_bytes(key: &Self::Key, out: &mut Vec<u8>);
    /// The inverse of [`Input::key_to_bytes`].
    fn key_from_bytes(bytes: &[u8]) -> Option<Self::Key>;
}

//! What the engine does with a node whose types it does not know: one row a kind, and the typed table of its keys.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use hashbrown::HashTable;
use parking_lot::Mutex;

use crate::engine::Ctx;
use crate::fingerprint::{Fp, StableHasher};
use crate::interrupt::{Cycle, Interrupt};
use crate::kind::{Input, Kind, Query};
use crate::node::NodeId;

/// A value of any kind.
pub(crate) type Value = Arc<dyn Any + Send + Sync>;
/// A key of any kind.
pub(crate) type AnyKey = Box<dyn Any + Send + Sync>;

const SHARDS: usize = 16;

/// Keys of one kind that this session has met.
pub(crate) struct Table<K> {
    shards: [Mutex<HashTable<(K, NodeId)>>; SHARDS],
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Table { shards: Default::default() }
    }
}

impl<K> Table<K> {
    /// The part of the table that an address belongs to.
    pub fn shard(&self, address: u64) -> &Mutex<HashTable<(K, NodeId)>> {
        // Neither the bits that choose a place in the shard nor those that it compares first.
        &self.shards[(address >> 48) as usize % SHARDS]
    }
}

/// One row of the table of queries.
pub(crate) trait Erased: Send + Sync {
    fn execute(&self, cx: &Ctx<'_>, key: &dyn Any) -> Result<Value, Interrupt>;
    fn on_cycle(&self, key: &dyn Any, cycle: &Cycle) -> Option<Value>;
    fn fingerprint(&self, value: &dyn Any) -> Fp;
    fn key_text(&self, key: &dyn Any) -> String;
    fn key_bytes(&self, key: &dyn Any, out: &mut Vec<u8>);
    fn key_fingerprint(&self, key: &dyn Any) -> Fp;
    fn key_of(&self, bytes: &[u8]) -> Option<AnyKey>;
    fn value_bytes(&self, value: &dyn Any, out: &mut Vec<u8>);
    fn value_of(&self, bytes: &[u8]) -> Option<Value>;
    fn name(&self) -> &'static str;
    fn schema(&self) -> Fp;
    fn is_input(&self) -> bool;
    fn is_persisted(&self) -> bool;
    fn is_from_dependencies(&self) -> bool;
    fn is_firewall(&self) -> bool;
    fn table(&self) -> &dyn Any;
}

pub(crate) struct QueryRow<Q: Query>(pub Table<Q::Key>, pub PhantomData<fn() -> Q>);
pub(crate) struct InputRow<I: Input>(pub Table<I::Key>, pub PhantomData<fn() -> I>);

impl<Q: Query> Erased for QueryRow<Q> {
    fn execute(&self, cx: &Ctx<'_>, key: &dyn Any) -> Result<Value, Interrupt> {
        let key = key.downcast_ref::<Q::Key>().expect("a node's key has the type of its kind");
        Ok(Arc::new(Q::run(cx, key)?))
    }

    fn on_cycle(&self, key: &dyn Any, cycle: &Cycle) -> Option<Value> {
        let value = Q::on_cycle(key.downcast_ref::<Q::Key>()?, cycle)?;
        Some(Arc::new(value))
    }

    fn fingerprint(&self, value: &dyn Any) -> Fp {
        Q::fingerprint(value.downcast_ref::<Q::Value>().expect("a node's value has the type of its kind"))
    }

    fn key_text(&self, key: &dyn Any) -> String {
        key.downcast_ref::<Q::Key>().map_or_else(String::new, |key| format!("{key:?}"))
    }

    fn key_bytes(&self, key: &dyn Any, out: &mut Vec<u8>) {
        Q::key_to_bytes(key.downcast_ref::<Q::Key>().expect("a node's key has the type of its kind"), out);
    }

    fn key_fingerprint(&self, key: &dyn Any) -> Fp {
        key_fingerprint(Q::KIND, key.downcast_ref::<Q::Key>().expect("a node's key has the type of its kind"))
    }

    fn key_of(&self, bytes: &[u8]) -> Option<AnyKey> {
        Some(Box::new(Q::key_from_bytes(bytes)?))
    }

    fn value_bytes(&self, value: &dyn Any, out: &mut Vec<u8>) {
        Q::to_bytes(value.downcast_ref::<Q::Value>().expect("a node's value has the type of its kind"), out);
    }

    fn value_of(&self, bytes: &[u8]) -> Option<Value> {
        Some(Arc::new(Q::from_bytes(bytes)?))
    }

    fn name(&self) -> &'static str {
        Q::NAME
    }

    fn schema(&self) -> Fp {
        schema(Q::NAME, [std::any::type_name::<Q::Key>(), std::any::type_name::<Q::Value>()], Q::schema())
    }

    fn is_input(&self) -> bool {
        false
    }

    fn is_persisted(&self) -> bool {
        Q::PERSISTED
    }

    fn is_from_dependencies(&self) -> bool {
        Q::FROM_DEPENDENCIES
    }

    fn is_firewall(&self) -> bool {
        Q::FIREWALL
    }

    fn table(&self) -> &dyn Any {
        &self.0
    }
}

impl<I: Input> Erased for InputRow<I> {
    fn execute(&self, _cx: &Ctx<'_>, _key: &dyn Any) -> Result<Value, Interrupt> {
        // An input is green as long as it exists; nothing executes it.
        Err(Interrupt::Cancelled)
    }

    fn on_cycle(&self, _key: &dyn Any, _cycle: &Cycle) -> Option<Value> {
        None
    }

    fn fingerprint(&self, value: &dyn Any) -> Fp {
        I::fingerprint(value.downcast_ref::<I::Value>().expect("a node's value has the type of its kind"))
    }

    fn key_text(&self, key: &dyn Any) -> String {
        key.downcast_ref::<I::Key>().map_or_else(String::new, |key| format!("{key:?}"))
    }

    fn key_bytes(&self, key: &dyn Any, out: &mut Vec<u8>) {
        I::key_to_bytes(key.downcast_ref::<I::Key>().expect("a node's key has the type of its kind"), out);
    }

    fn key_fingerprint(&self, key: &dyn Any) -> Fp {
        key_fingerprint(I::KIND, key.downcast_ref::<I::Key>().expect("a node's key has the type of its kind"))
    }

    fn key_of(&self, bytes: &[u8]) -> Option<AnyKey> {
        Some(Box::new(I::key_from_bytes(bytes)?))
    }

    fn value_bytes(&self, _value: &dyn Any, _out: &mut Vec<u8>) {}

    fn value_of(&self, _bytes: &[u8]) -> Option<Value> {
        None
    }

    fn name(&self) -> &'static str {
        I::NAME
    }

    fn schema(&self) -> Fp {
        schema(I::NAME, [std::any::type_name::<I::Key>(), std::any::type_name::<I::Value>()], Fp::NONE)
    }

    fn is_input(&self) -> bool {
        true
    }

    fn is_persisted(&self) -> bool {
        false
    }

    fn is_from_dependencies(&self) -> bool {
        false
    }

    fn is_firewall(&self) -> bool {
        false
    }

    fn table(&self) -> &dyn Any {
        &self.0
    }
}

fn schema(name: &str, types: [&str; 2], revision: Fp) -> Fp {
    Fp::of(&(name, types)).then(revision)
}

/// The fingerprint of a key: its kind and its content.
pub(crate) fn key_fingerprint<K: Hash>(kind: Kind, key: &K) -> Fp {
    let mut hasher = StableHasher::new();
    hasher.write_u16(kind.0);
    key.hash(&mut hasher);
    hasher.finish128()
}

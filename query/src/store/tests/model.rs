//! A store in plain collections, random deltas, and the comparison of the two.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{NewRow, batches};
use crate::fingerprint::Fp;
use crate::store::disk::Disk;
use crate::store::{BlobAt, Damaged, Delta, MAX_TRACES, Opened, Published, Row, Section, Store, StoreOptions, Trace, Warning, flags, open};

/// Random numbers that are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}

/// A trace without places.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    pub deps: Vec<(u32, Fp)>,
    pub value: Vec<u8>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    pub kind: u16,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub deps: Vec<u32>,
    pub changed_at: u32,
    pub traces: Vec<State>,
}

/// What the store should hold.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Model {
    pub generation: u32,
    pub nodes: BTreeMap<u32, Node>,
    pub yellow: BTreeSet<u32>,
    pub sections: BTreeMap<Section, Vec<u8>>,
}

pub const SCHEMA: [(u16, Fp); 3] = [(0, Fp(10, 1)), (1, Fp(11, 1)), (2, Fp(12, 1))];

pub fn key_fp(key: &[u8]) -> Fp {
    Fp::of_bytes(key)
}

pub fn value_fp(value: &[u8]) -> Fp {
    Fp::of_bytes(value).then(Fp(0, 1))
}

pub fn open_on(disk: impl Disk + 'static) -> Opened {
    open::open(Arc::new(disk), &SCHEMA, StoreOptions::default())
}

/// Opens without a warning.
#[track_caller]
pub fn sound(disk: impl Disk + 'static) -> Store {
    let Opened { store, warnings } = open_on(disk);
    assert_eq!(warnings, []);
    store
}

impl Model {
    pub fn count(&self) -> u32 {
        self.nodes.keys().next_back().map_or(0, |last| last + 1)
    }

    /// Changes a few nodes and adds a few, in the model; the delta that says the same to the store.
    pub fn change(&mut self, dice: &mut Dice, store: &Store, changed: usize, added: usize) -> Delta {
        self.generation += 1;
        let before = self.count();
        let mut ids: BTreeSet<u32> = (0..changed.min(before as usize)).map(|_| dice.below(before as usize) as u32).collect();
        ids.retain(|id| self.nodes.contains_key(id));
        ids.extend(before..before + added as u32);
        // Now and then a number stays without a node.
        if added > 2 && dice.below(3) == 0 {
            ids.remove(&before);
        }
        let count = self.count().max(ids.last().map_or(0, |last| last + 1));
        let mut rows = Vec::new();
        for &id in &ids {
            let old = self.nodes.get(&id).cloned();
            let stored = old.as_ref().map(|_| store.row(id).expect("the store is sound"));
            let value = match &old {
                Some(old) if dice.below(4) == 0 => old.value.clone(),
                Some(_) | None => format!("value {}", dice.below(40)).repeat(dice.below(4) + 1).into_bytes(),
            };
            let deps: Vec<u32> = (0..dice.below(if id % 50 == 0 { 40 } else { 5 })).map(|_| dice.below(count as usize) as u32).collect();
            let key = old.as_ref().map_or_else(|| format!("key {id} {}", dice.below(1000)).into_bytes(), |old| old.key.clone());
            let kept = old.as_ref().is_some_and(|old| old.value == value);
            let trace = old.as_ref().filter(|_| !kept).map(|old| State {
                deps: old.deps.iter().map(|&dep| (dep, value_fp(self.nodes.get(&dep).map_or(&[], |node| &node.value)))).collect(),
                value: old.value.clone(),
            });
            let mut traces = old.map_or(Vec::new(), |old| old.traces);
            if let Some(trace) = &trace {
                traces.retain(|known| known != trace);
                traces.insert(0, trace.clone());
                traces.truncate(MAX_TRACES);
            }
            let node = Node { kind: (id % 3) as u16, key, value, deps, changed_at: self.generation, traces };
            rows.push(NewRow {
                id,
                row: Row {
                    kind: node.kind,
                    flags: 4,
                    cost: (id % 7) as u8,
                    key: key_fp(&node.key),
                    value: value_fp(&node.value),
                    key_at: stored.map_or(BlobAt::NONE, |row| row.key_at),
                    value_at: stored.filter(|_| kept).map_or(BlobAt::NONE, |row| row.value_at),
                    changed_at: node.changed_at,
                    verified_at: self.generation,
                },
                deps: node.deps.clone(),
                new_key: stored.is_none().then(|| node.key.clone()),
                new_value: (!kept).then(|| node.value.clone()),
                trace: trace.map(|trace| Trace {
                    value: value_fp(&trace.value),
                    value_at: stored.map_or(BlobAt::NONE, |row| row.value_at),
                    deps: trace.deps,
                    flags: 0,
                }),
            });
            self.nodes.insert(id, node);
        }
        self.yellow =
            (0..dice.below(5)).map(|_| dice.below(count.max(1) as usize) as u32).filter(|id| self.nodes.contains_key(id)).collect();
        let mut sections = Vec::new();
        for section in Section::ALL {
            if dice.below(3) == 0 {
                let bytes = vec![dice.next() as u8; dice.below(300)];
                self.sections.insert(section, bytes.clone());
                sections.push((section, bytes));
            }
        }
        Delta { generation: self.generation, rows: batches(rows), yellow: self.yellow.iter().copied().collect(), sections }
    }

    /// A store of so many nodes, written in some publishes.
    pub fn written(disk: impl Disk + Clone + 'static, dice: &mut Dice, publishes: usize, nodes: usize) -> Model {
        Model::history(disk, dice, publishes, nodes).pop().unwrap_or_default()
    }

    /// The same, and what it was after each publish.
    pub fn history(disk: impl Disk + Clone + 'static, dice: &mut Dice, publishes: usize, nodes: usize) -> Vec<Model> {
        let mut models = vec![Model::default()];
        for _ in 0..publishes {
            let mut model = models.last().cloned().unwrap_or_default();
            let mut store = sound(disk.clone());
            let delta = model.change(dice, &store, nodes / 20 + 1, nodes / publishes + 1);
            assert_eq!(store.publish(delta), Published::Done);
            models.push(model);
        }
        models
    }

    /// Does the store say what the model says? With `may_miss`, saying nothing is right too, and so is being damaged.
    #[track_caller]
    pub fn check(&self, store: &Store, ids: impl Iterator<Item = u32>, may_miss: bool) -> Result<(), Damaged> {
        assert_eq!(store.generation(), self.generation);
        assert_eq!(store.node_count(), self.count());
        for id in ids {
            self.check_node(store, id, may_miss)?;
        }
        assert!(store.yellow()?.into_iter().eq(self.yellow.iter().copied()));
        for section in Section::ALL {
            let found = store.section(section);
            assert!(found == self.sections.get(&section).map(Vec::as_slice) || may_miss && found.is_none());
        }
        Ok(())
    }

    fn check_node(&self, store: &Store, id: u32, may_miss: bool) -> Result<(), Damaged> {
        let row = store.row(id)?;
        let mut deps = Vec::new();
        store.deps(id, &mut deps)?;
        let Some(node) = self.nodes.get(&id) else {
            assert_eq!((row, deps), (Row::EMPTY, vec![]));
            return Ok(());
        };
        let expected = Row {
            kind: node.kind,
            flags: 4 | if self.yellow.contains(&id) { flags::YELLOW } else { 0 },
            cost: (id % 7) as u8,
            key: key_fp(&node.key),
            value: value_fp(&node.value),
            key_at: row.key_at,
            value_at: row.value_at,
            changed_at: node.changed_at,
            verified_at: row.verified_at,
        };
        assert_eq!(row, expected);
        assert_eq!(deps, node.deps);
        let blob = |at: BlobAt, expected: &[u8]| {
            let found = store.blob(at);
            assert!(found == Some(expected) || may_miss && found.is_none(), "{at:?}");
        };
        blob(row.key_at, &node.key);
        blob(row.value_at, &node.value);
        assert_eq!(store.find(row.key)?, Some(id));
        for &dep in &deps {
            let mut dependents = Vec::new();
            store.dependents(dep, &mut dependents)?;
            assert!(dependents.contains(&id), "{dep} does not know that {id} asks it");
        }
        let traces = store.traces(id)?;
        assert_eq!(traces.len(), node.traces.len());
        for (found, expected) in traces.iter().zip(&node.traces) {
            assert_eq!((&found.deps, found.value), (&expected.deps, value_fp(&expected.value)));
            blob(found.value_at, &expected.value);
        }
        Ok(())
    }

    #[track_caller]
    pub fn check_all(&self, store: &Store) {
        assert_eq!(self.check(store, 0..self.count(), false), Ok(()));
        assert_eq!(store.find(Fp(1, 2)), Ok(None));
        assert_eq!(store.row(self.count() + 5), Ok(Row::EMPTY));
    }
}

/// Is an opened store the last of these, or the one before when `HEAD` is damaged, or empty, and does it say nothing wrong? Whether damage was noticed.
#[track_caller]
pub fn check_damaged(opened: &Opened, history: &[Model], ids: impl Iterator<Item = u32>) -> bool {
    let Opened { store, warnings } = opened;
    if store.node_count() == 0 {
        assert!(!warnings.is_empty(), "lost without a word");
        assert!(store.section(Section::Inputs).is_none());
        return true;
    }
    let [.., before, last] = history else { panic!("two publishes at least") };
    let model = if store.generation() == last.generation { last } else { before };
    assert!(warnings.iter().all(|warning| matches!(warning, Warning::Damaged { file } if file == "HEAD")));
    assert!(model.generation == last.generation || !warnings.is_empty(), "lost without a word");
    model.check(store, ids.filter(|&id| id < model.count()), true).is_err() || !warnings.is_empty()
}

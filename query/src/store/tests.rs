//! The store against a model of it, on a real folder, in memory, and on disks that fail.

mod damage;
mod faults;
mod format;
mod memory;
mod model;
mod verbs;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Batch, Row, Trace};

/// A row, and what belongs to it.
pub struct NewRow {
    pub id: u32,
    pub row: Row,
    pub deps: Vec<u32>,
    pub new_key: Option<Vec<u8>>,
    pub new_value: Option<Vec<u8>>,
    pub trace: Option<Trace>,
}

/// The rows as a publish takes them, in several batches when there are many.
pub fn batches(rows: impl IntoIterator<Item = NewRow>) -> Vec<Batch> {
    let mut batches = vec![Batch::default()];
    for (at, new) in rows.into_iter().enumerate() {
        if at % 50 == 49 {
            batches.push(Batch::default());
        }
        let batch = batches.last_mut().expect("there is one");
        new.deps.iter().for_each(|&dep| batch.dep(dep));
        new.new_key.iter().for_each(|key| batch.key(|out| out.extend_from_slice(key)));
        new.new_value.iter().for_each(|value| batch.value(|out| out.extend_from_slice(value)));
        new.trace.into_iter().for_each(|trace| batch.trace(trace));
        batch.row(new.id, new.row);
    }
    batches
}

/// A folder that goes when the test ends.
pub struct Temporary(pub PathBuf);

impl Temporary {
    pub fn new() -> Temporary {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Temporary(std::env::temp_dir().join(format!("oric-store-{}-{number}", std::process::id())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

//! Disks for tests: one in memory, and one that fails at the n-th call.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::store::disk::{Disk, Lock};
use crate::store::map::Mapped;

/// A folder in memory. Clones see the same files.
#[derive(Clone, Default)]
pub struct Memory {
    pub files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    pub boot_id: [u8; 16],
}

impl Memory {
    /// The same files, from now on apart.
    pub fn copy(&self) -> Memory {
        Memory { files: Arc::new(Mutex::new(self.files.lock().clone())), boot_id: self.boot_id }
    }

    /// Name and length of every file.
    pub fn names(&self) -> Vec<(String, usize)> {
        self.files.lock().iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect()
    }
}

impl Disk for Memory {
    fn read_start(&self, name: &str, len: usize) -> Result<Option<Vec<u8>>> {
        Ok(self.files.lock().get(name).map(|bytes| bytes[..len.min(bytes.len())].to_vec()))
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.files.lock().get(name).cloned())
    }

    fn map(&self, name: &str) -> Result<Option<Mapped>> {
        Ok(self.read(name)?.map(Mapped::Copy))
    }

    fn len(&self, name: &str) -> Result<u64> {
        Ok(self.files.lock().get(name).map_or(0, |bytes| bytes.len() as u64))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.files.lock().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn write_at(&self, name: &str, at: u64, bytes: &[u8]) -> Result<()> {
        let mut files = self.files.lock();
        let file = files.entry(name.to_owned()).or_default();
        let end = at as usize + bytes.len();
        if file.len() < end {
            file.resize(end, 0);
        }
        file[at as usize..end].copy_from_slice(bytes);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut files = self.files.lock();
        let file = files.remove(from).ok_or(Error::from(ErrorKind::NotFound))?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.files.lock().remove(name).map(drop).ok_or(Error::from(ErrorKind::NotFound))
    }

    fn list(&self) -> Result<Vec<String>> {
        Ok(self.files.lock().keys().cloned().collect())
    }

    fn make_folder(&self) -> Result<()> {
        Ok(())
    }

    fn lock(&self) -> Result<Lock> {
        Ok(Lock(None))
    }

    fn boot_id(&self) -> [u8; 16] {
        self.boot_id
    }
}

/// How the n-th call goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It does nothing and fails; the process goes on.
    Fails,
    /// The process dies before it.
    KilledBefore,
    /// The process dies in the middle: a write has written half.
    KilledWithin,
    /// The process dies after it.
    KilledAfter,
}

impl Fault {
    pub const ALL: [Fault; 4] = [Fault::Fails, Fault::KilledBefore, Fault::KilledWithin, Fault::KilledAfter];
}

/// A disk that goes wrong at one call.
pub struct Faulty {
    pub disk: Memory,
    pub at: usize,
    pub fault: Fault,
    pub calls: AtomicUsize,
}

/// What happens to the call at hand.
enum Fate {
    Works,
    Half,
    WorksAndFails,
    Fails,
}

impl Faulty {
    pub fn new(disk: Memory, at: usize, fault: Fault) -> Faulty {
        Faulty { disk, at, fault, calls: AtomicUsize::new(0) }
    }

    fn fate(&self) -> Fate {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        match (call.cmp(&self.at), self.fault) {
            (std::cmp::Ordering::Less, _) | (std::cmp::Ordering::Greater, Fault::Fails) => Fate::Works,
            (std::cmp::Ordering::Greater, _) | (_, Fault::Fails | Fault::KilledBefore) => Fate::Fails,
            (_, Fault::KilledWithin) => Fate::Half,
            (_, Fault::KilledAfter) => Fate::WorksAndFails,
        }
    }

    fn call<T>(&self, half: impl FnOnce(), whole: impl FnOnce() -> Result<T>) -> Result<T> {
        match self.fate() {
            Fate::Works => return whole(),
            Fate::Half => half(),
            Fate::WorksAndFails => drop(whole()),
            Fate::Fails => {}
        }
        Err(Error::from(ErrorKind::StorageFull))
    }
}

impl Disk for Faulty {
    fn read_start(&self, name: &str, len: usize) -> Result<Option<Vec<u8>>> {
        self.call(|| {}, || self.disk.read_start(name, len))
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.call(|| {}, || self.disk.read(name))
    }

    fn map(&self, name: &str) -> Result<Option<Mapped>> {
        self.call(|| {}, || self.disk.map(name))
    }

    fn len(&self, name: &str) -> Result<u64> {
        self.call(|| {}, || self.disk.len(name))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.call(|| drop(self.disk.write(name, &bytes[..bytes.len() / 2])), || self.disk.write(name, bytes))
    }

    fn write_at(&self, name: &str, at: u64, bytes: &[u8]) -> Result<()> {
        self.call(|| drop(self.disk.write_at(name, at, &bytes[..bytes.len() / 2])), || self.disk.write_at(name, at, bytes))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.call(|| {}, || self.disk.rename(from, to))
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.call(|| {}, || self.disk.remove(name))
    }

    fn list(&self) -> Result<Vec<String>> {
        self.call(|| {}, || self.disk.list())
    }

    fn make_folder(&self) -> Result<()> {
        self.call(|| {}, || self.disk.make_folder())
    }

    fn lock(&self) -> Result<Lock> {
        self.call(|| {}, || self.disk.lock())
    }

    fn boot_id(&self) -> [u8; 16] {
        self.disk.boot_id()
    }
}

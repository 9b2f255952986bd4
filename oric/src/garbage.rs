//! Keeping the cache within its budget, when somebody asks (`oric cache gc`) and by itself after a build that made it grow.
//!
//! Nothing that is removed is needed: an artifact that is gone is linked again, a link image that is gone is no patch.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use query::store::cas::Cas;
use query::store::{Section, Store, StoreOptions};

use crate::cache::Cache;
use crate::outputs::Outputs;
use crate::queries;

/// A file and when it was last written.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    written: SystemTime,
}

/// What a collection did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Collected {
    /// Files that are gone.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that are left.
    pub left: u64,
}

/// What stays, whatever the budget is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spare {
    /// Nothing does.
    Nothing,
    /// Link images that were just written: somebody may be about to start one.
    New,
}

/// Collects when there is more than the budget. Counting takes a look at each folder of the store of artifacts: nothing beside a link from nothing, too much
/// for a build that wrote nothing.
pub fn keep_within(cache: &Cache, budget: u64) -> io::Result<()> {
    let links: u64 = files(&cache.links())?.iter().map(|entry| entry.bytes).sum();
    if links + Cas::open(&cache.shared).stat()?.bytes > budget {
        collect(cache, budget, Spare::New)?;
    }
    Ok(())
}

/// Files directly in a folder; none when there is no folder.
pub fn files(folder: &Path) -> io::Result<Vec<Entry>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        // Somebody else may be removing it.
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_file() {
            files.push(Entry { path: entry.path(), bytes: meta.len(), written: meta.modified().unwrap_or(SystemTime::UNIX_EPOCH) });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Removes what no build can use again, then artifacts and, when that is not enough, link images, the longest unused first, until the budget is met. Files and
/// bytes that are gone, and bytes that are left. The graph is no garbage: it folds itself.
pub fn collect(cache: &Cache, budget: u64, spare: Spare) -> io::Result<Collected> {
    let (mut gone, mut bytes) = (0, 0);
    let remove = |entry: &Entry| match std::fs::remove_file(&entry.path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    let mut kept = Vec::new();
    let useful = useful(cache);
    for entry in files(&cache.links())? {
        // A build that goes on at this moment has not said yet what it writes.
        if is_new(&entry) || useful.as_ref().is_none_or(|useful| useful.contains(&entry.path)) {
            kept.push(entry);
        } else {
            remove(&entry)?;
            gone += 1;
            bytes += entry.bytes;
        }
    }
    let mut links: u64 = kept.iter().map(|entry| entry.bytes).sum();
    let collected = Cas::open(&cache.shared).gc(budget.saturating_sub(links))?;
    gone += collected.removed.files;
    bytes += collected.removed.bytes;
    kept.sort_by_key(|entry| entry.written);
    for entry in kept {
        if collected.kept.bytes + links <= budget {
            break;
        }
        if spare == Spare::New && is_new(&entry) {
            continue;
        }
        remove(&entry)?;
        links -= entry.bytes;
        gone += 1;
        bytes += entry.bytes;
    }
    Ok(Collected { files: gone, bytes, left: collected.kept.bytes + links })
}

fn is_new(entry: &Entry) -> bool {
    entry.written.elapsed().map_or(true, |age| age.as_secs() < 60)
}

/// Link images and sidecars of the executables that the next builds may go on from; `None` when the store cannot tell.
fn useful(cache: &Cache) -> Option<HashSet<PathBuf>> {
    let schema = queries::engine().schema();
    let opened = Store::open(&cache.graph(), &schema, &StoreOptions::default());
    let outputs = Outputs::from_bytes(Some(opened.store.section(Section::Outputs)?));
    let links = std::path::absolute(cache.links()).ok()?;
    let mut useful = HashSet::new();
    for path in outputs.paths().filter(|path| path.is_file()) {
        useful.insert(cache.sidecar(path));
        if let Ok(name) = path.strip_prefix(&links) {
            useful.insert(cache.links().join(name));
        }
    }
    Some(useful)
}

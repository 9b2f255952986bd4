//! `oric cache` and `oric clean`: looking after what builds leave behind.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use query::store::cas::{Cas, DEFAULT_BUDGET};
use query::store::{Section, Store, StoreOptions};
use serde_json::json;

use super::report::show;
use crate::cache::Cache;
use crate::cli::{CacheVerb, FAILED, Output, REFUSED};
use crate::link::Outputs;
use crate::queries;

/// Does what the verb says; the exit status.
pub fn cache(verb: CacheVerb, cache: &Cache, budget: Option<u64>, output: &Output) -> i32 {
    match verb {
        CacheVerb::Dir => {
            show(output, "cache", &format!("{}\n", cache.root.display()), json!({ "dir": cache.root.to_string_lossy() }));
            0
        }
        CacheVerb::Stat => stat(cache, output),
        CacheVerb::Verify => verify(cache, output),
        CacheVerb::Gc => match collect(cache, budget.unwrap_or(DEFAULT_BUDGET)) {
            Ok((files, bytes, left)) => {
                let text = format!("removed {files} files ({bytes} bytes), kept {left} bytes\n");
                show(output, "cache", &text, json!({ "removed_files": files, "removed_bytes": bytes, "kept_bytes": left }));
                0
            }
            Err(error) => {
                output.failure(&format!("cannot collect garbage in {}: {error}", cache.root.display()));
                REFUSED
            }
        },
    }
}

fn open(cache: &Cache, verify: bool) -> query::store::Opened {
    let schema = queries::engine().schema();
    Store::open(&cache.graph(), &schema, &StoreOptions { verify })
}

fn stat(cache: &Cache, output: &Output) -> i32 {
    let store = open(cache, false).store.stat();
    let artifacts = Cas::open(&cache.shared).stat().unwrap_or_default();
    let links = files(&cache.links()).unwrap_or_default();
    let link_bytes: u64 = links.iter().map(|file| file.bytes).sum();
    let text = format!(
        "revision   {}\n\
         queries    {}\n\
         graph      {} bytes in {} files, {} rows since the base\n\
         values     {} bytes, {} in use when last counted\n\
         artifacts  {} bytes in {} files\n\
         links      {link_bytes} bytes in {} files\n",
        store.generation,
        store.nodes,
        store.graph_bytes,
        store.segments,
        store.delta_rows,
        store.blob_bytes,
        store.blob_live,
        artifacts.bytes,
        artifacts.files,
        links.len()
    );
    let data = json!({
        "revision": store.generation, "queries": store.nodes, "graph_bytes": store.graph_bytes, "graph_files": store.segments,
        "delta_rows": store.delta_rows, "value_bytes": store.blob_bytes, "value_live_bytes": store.blob_live,
        "artifact_bytes": artifacts.bytes, "artifact_files": artifacts.files, "link_bytes": link_bytes, "link_files": links.len(),
    });
    show(output, "cache", &text, data);
    0
}

/// Checks every page of the graph, every stored value, every artifact.
fn verify(cache: &Cache, output: &Output) -> i32 {
    let opened = open(cache, true);
    let mut faults: Vec<String> = opened.warnings.iter().map(ToString::to_string).collect();
    let mut values = 0;
    match opened.store.verify() {
        Ok(verified) => {
            values = verified.blobs;
            if !verified.bad.is_empty() {
                faults.push(format!("{} queries have a damaged value", verified.bad.len()));
            }
        }
        Err(_) => faults.push("the graph is damaged".to_owned()),
    }
    let cas = Cas::open(&cache.shared);
    let artifacts = cas.stat().unwrap_or_default().files;
    match cas.verify() {
        Ok(bad) => faults.extend(bad.iter().map(|address| format!("artifact {address} was damaged, and is removed"))),
        Err(error) => faults.push(format!("cannot read {}: {error}", cache.shared.display())),
    }
    if faults.is_empty() {
        let queries = opened.store.node_count();
        let text = format!("sound: {queries} queries, {values} values, {artifacts} artifacts\n");
        show(output, "cache", &text, json!({ "sound": true, "queries": queries, "values": values, "artifacts": artifacts }));
        return 0;
    }
    for fault in &faults {
        output.failure(&format!("{fault}; the next build makes it again"));
    }
    FAILED
}

/// A file and when it was last written.
struct Entry {
    path: PathBuf,
    bytes: u64,
    written: SystemTime,
}

/// Files directly in a folder; none when there is no folder.
fn files(folder: &Path) -> io::Result<Vec<Entry>> {
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
fn collect(cache: &Cache, budget: u64) -> io::Result<(u64, u64, u64)> {
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
        let is_new = entry.written.elapsed().map_or(true, |age| age.as_secs() < 60);
        if is_new || useful.as_ref().is_none_or(|useful| useful.contains(&entry.path)) {
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
        remove(&entry)?;
        links -= entry.bytes;
        gone += 1;
        bytes += entry.bytes;
    }
    Ok((gone, bytes, collected.kept.bytes + links))
}

/// Link images and sidecars of the executables that the next builds may go on from; `None` when the store cannot tell.
fn useful(cache: &Cache) -> Option<HashSet<PathBuf>> {
    let opened = open(cache, false);
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

/// Removes the project's cache; the exit status.
pub fn clean(cache: &Cache, output: &Output) -> i32 {
    match remove(&cache.root) {
        Ok(freed) => {
            output.summary(&format!("clean: removed {} ({freed} bytes)", cache.root.display()));
            0
        }
        Err(error) => {
            output.failure(&format!("cannot remove {}: {error}", cache.root.display()));
            REFUSED
        }
    }
}

/// Removes a folder; the bytes it had.
fn remove(path: &Path) -> io::Result<u64> {
    let bytes = size(path).unwrap_or(0);
    match std::fs::remove_dir_all(path) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn size(path: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += if meta.is_dir() { size(&entry.path())? } else { meta.len() };
    }
    Ok(bytes)
}

//! `oric cache` and `oric clean`: looking after what builds leave behind.

use std::io;
use std::path::Path;

use query::store::cas::{Cas, DEFAULT_BUDGET};
use query::store::{Store, StoreOptions};
use serde_json::json;

use super::report::show;
use crate::cache::Cache;
use crate::cli::{CacheVerb, FAILED, Output, REFUSED};
use crate::garbage::{self, Collected, Spare};
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
        CacheVerb::Gc => match garbage::collect(cache, budget.unwrap_or(DEFAULT_BUDGET), Spare::Nothing) {
            Ok(Collected { files, bytes, left }) => {
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
    let links = garbage::files(&cache.links()).unwrap_or_default();
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

//! `oric cache` and `oric clean`: looking after what builds leave behind.

use std::io;
use std::path::Path;

use query::store::{Store, StoreOptions};

use crate::cache::Cache;
use crate::cli::{CacheVerb, Environment, FAILED, Output, REFUSED};
use crate::project::Project;
use crate::queries;

/// Does what the verb says; the exit status.
pub fn cache(verb: CacheVerb, _project: &Project, cache: &Cache, environment: &Environment, output: &Output) -> i32 {
    let _ = environment;
    match verb {
        CacheVerb::Dir => {
            println!("{}", cache.root.display());
            0
        }
        CacheVerb::Stat => stat(cache),
        CacheVerb::Verify => verify(cache, output),
        CacheVerb::Gc => {
            let freed = remove(&cache.links());
            println!("freed {} bytes", freed.unwrap_or(0));
            0
        }
    }
}

fn open(cache: &Cache, verify: bool) -> query::store::Opened {
    let schema = queries::engine().schema();
    Store::open(&cache.graph(), &schema, &StoreOptions { verify })
}

fn stat(cache: &Cache) -> i32 {
    let opened = open(cache, false);
    let bytes = |path: &Path| size(path).unwrap_or(0);
    println!("generation {}", opened.store.generation());
    println!("queries    {}", opened.store.node_count());
    println!("graph      {} bytes", bytes(&cache.graph()));
    println!("artifacts  {} bytes", bytes(&cache.shared));
    println!("links      {} bytes", bytes(&cache.links()));
    0
}

fn verify(cache: &Cache, output: &Output) -> i32 {
    let opened = open(cache, true);
    for warning in &opened.warnings {
        output.failure(&warning.to_string());
    }
    if opened.warnings.is_empty() && opened.store.check_all().is_ok() {
        println!("sound: {} queries", opened.store.node_count());
        return 0;
    }
    FAILED
}

/// Removes the project's cache; the exit status.
pub fn clean(_project: &Project, cache: &Cache, output: &Output) -> i32 {
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

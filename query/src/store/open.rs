//! Finding the store, and whether to believe it.

use std::sync::{Arc, OnceLock};

use super::bytes::checksum;
use super::disk::Disk;
use super::head::{BadHead, Head, graph_name};
use super::segment::Segment;
use super::{FORMAT, Found, Opened, Store, StoreOptions, Warning};
use crate::fingerprint::Fp;

/// A file that `HEAD` named may be gone because somebody published twice in the meantime; then there is a newer `HEAD`.
const TRIES: usize = 4;

pub(crate) const HEAD: &str = "HEAD";

pub(crate) fn open(disk: Arc<dyn Disk>, schema: &[(u16, Fp)], options: StoreOptions) -> Opened {
    let mut warnings = Vec::new();
    let mut store = Store {
        disk,
        schema: schema.to_vec(),
        found: Found::Nothing,
        segments: Vec::new(),
        nodes: 0,
        blobs: OnceLock::new(),
        yellow: OnceLock::new(),
        unusable: None,
    };
    store.schema.sort_unstable();
    for attempt in 1..=TRIES {
        match read_head(&*store.disk) {
            Ok(found) => store.found = found,
            Err(error) => {
                let reason = error.kind().to_string();
                warnings.push(Warning::Unusable { reason: reason.clone() });
                store.unusable = Some(reason);
                break;
            }
        }
        let Some(head) = store.head().cloned() else {
            if let Found::Unusable(_) = store.found {
                warnings.push(why_unusable(&*store.disk));
            }
            break;
        };
        match segments(&*store.disk, &head, &store.schema) {
            Ok(segments) => {
                store.nodes = segments.last().map_or(0, |newest| newest.header.nodes);
                store.segments = segments;
                store.verify_once(&head, options, &mut warnings);
                break;
            }
            Err(file) => {
                let unchanged = matches!(read_head(&*store.disk), Ok(Found::Head(now)) if now.is_same_store(&head));
                if unchanged || attempt == TRIES {
                    warnings.push(Warning::Damaged { file });
                    break;
                }
            }
        }
    }
    Opened { store, warnings }
}

/// What `HEAD` is right now.
pub(crate) fn read_head(disk: &dyn Disk) -> std::io::Result<Found> {
    let Some(bytes) = disk.read(HEAD)? else { return Ok(Found::Nothing) };
    Ok(match Head::decode(&bytes) {
        Ok(head) => Found::Head(head),
        Err(BadHead::Damaged | BadHead::Format(_)) => Found::Unusable(checksum(&bytes)),
    })
}

fn why_unusable(disk: &dyn Disk) -> Warning {
    match disk.read(HEAD).ok().flatten().map(|bytes| Head::decode(&bytes)) {
        Some(Err(BadHead::Format(found))) => Warning::Format { found, ours: FORMAT },
        Some(Ok(_) | Err(BadHead::Damaged)) | None => Warning::Damaged { file: HEAD.to_owned() },
    }
}

/// Opens what `HEAD` names, or says which file cannot be believed.
fn segments(disk: &dyn Disk, head: &Head, schema: &[(u16, Fp)]) -> Result<Vec<Segment>, String> {
    let mut segments: Vec<Segment> = Vec::with_capacity(head.segments.len() + 1);
    for &entry in &head.segments {
        let name = graph_name(entry.serial);
        let Ok(Some(bytes)) = disk.map(&name) else { return Err(name) };
        let Ok(segment) = Segment::open(bytes, entry, schema) else { return Err(name) };
        let fits = match segments.last() {
            None => segment.header.is_base,
            Some(below) => !segment.header.is_base && below.header.nodes <= segment.header.nodes,
        };
        if !fits {
            return Err(name);
        }
        segments.push(segment);
    }
    Ok(segments)
}

impl Store {
    /// After a restart of the machine every page is checked once: what the last one tore is found now, not in the middle of a session. A sound store is
    /// marked as checked, if that is possible.
    fn verify_once(&mut self, head: &Head, options: StoreOptions, warnings: &mut Vec<Warning>) {
        let boot_id = self.disk.boot_id();
        if head.boot_id == boot_id && !options.verify {
            return;
        }
        if let Some(bad) = self.segments.iter().find(|segment| segment.check_all().is_err()) {
            warnings.push(Warning::Damaged { file: graph_name(bad.entry.serial) });
            self.reset();
        } else if head.boot_id != boot_id
            && let Ok(_lock) = self.disk.lock()
            && matches!(read_head(&*self.disk), Ok(Found::Head(now)) if now.is_same_store(head))
        {
            let checked = Head { boot_id, ..head.clone() };
            // Nothing depends on its success.
            let _ = self.disk.write("HEAD.tmp", &checked.encode()).and_then(|()| self.disk.rename("HEAD.tmp", HEAD));
        }
    }
}

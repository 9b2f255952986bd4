//! Finding the store, and whether to believe it.

use std::sync::{Arc, OnceLock};

use super::bytes::checksum;
use super::disk::Disk;
use super::head::{BadHead, HEAD_LEN, Head, graph_name};
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
        overlay: OnceLock::new(),
        unusable: None,
    };
    store.schema.sort_unstable();
    for attempt in 1..=TRIES {
        let found = match read_head(&*store.disk) {
            // Perhaps a writer was at it; it is done by now.
            Ok((_, false)) => read_head(&*store.disk),
            found => found,
        };
        match found {
            Ok((found, whole)) => {
                store.found = found;
                if !whole {
                    warnings.push(Warning::Damaged { file: HEAD.to_owned() });
                }
            }
            Err(error) => {
                let reason = error.kind().to_string();
                warnings.push(Warning::Unusable { reason: reason.clone() });
                store.unusable = Some(reason);
                break;
            }
        }
        let Some(head) = store.head().cloned() else {
            if let Found::Unusable(_, bad) = store.found {
                warnings.push(match bad {
                    BadHead::Format(found) => Warning::Format { found, ours: FORMAT },
                    BadHead::Absent | BadHead::Damaged => Warning::Damaged { file: HEAD.to_owned() },
                });
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
                let unchanged = matches!(read_head(&*store.disk), Ok((Found::Head(now), _)) if now.is_same_store(&head));
                if unchanged || attempt == TRIES {
                    warnings.push(Warning::Damaged { file });
                    break;
                }
                warnings.clear();
            }
        }
    }
    Opened { store, warnings }
}

/// What `HEAD` is right now, and whether the slot that does not count is as it should be.
pub(crate) fn read_head(disk: &dyn Disk) -> std::io::Result<(Found, bool)> {
    let Some(file) = disk.read_start(HEAD, HEAD_LEN)? else { return Ok((Found::Nothing, true)) };
    let (head, whole) = Head::decode_file(&file);
    Ok(match head {
        Ok(head) => (Found::Head(head), whole),
        Err(bad) => (Found::Unusable(checksum(&file), bad), true),
    })
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
            && matches!(read_head(&*self.disk), Ok((Found::Head(now), _)) if now.is_same_store(head))
        {
            let checked = Head { boot_id, ..head.clone() };
            // Nothing depends on its success.
            let _ = self.disk.write_at(HEAD, checked.place(), &checked.encode());
        }
    }
}

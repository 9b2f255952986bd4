//! An older store, or parts of one, put back: a backup, a copy between machines, a disk that lies. Each part alone is valid, so no checksum finds it; what
//! comes out must be right all the same, from the state of then or from nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::stage::{Form, Stage, judge};
use super::{Found, Negative};
use crate::gates::query::faults::files;

/// Files of a store by their names in it.
type Backup = Vec<(PathBuf, Vec<u8>)>;

fn backup(store: &Path) -> Result<Backup, String> {
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
        Ok((path.strip_prefix(store).unwrap_or(&path).to_owned(), bytes))
    };
    files(store).into_iter().map(read).collect()
}

/// Makes the files of the store for which `is_part` holds those of a backup.
fn put_back(store: &Path, older: &Backup, is_part: impl Fn(&Path) -> bool) -> Result<(), String> {
    for path in files(store) {
        if is_part(path.strip_prefix(store).unwrap_or(&path)) {
            std::fs::remove_file(&path).map_err(|error| error.to_string())?;
        }
    }
    for (name, bytes) in older.iter().filter(|(name, _)| is_part(name)) {
        let path = store.join(name);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, bytes));
        written.map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn starts(path: &Path, name: &str) -> bool {
    path.to_string_lossy().starts_with(name)
}

type Part = (&'static str, fn(&Path) -> bool);

/// Parts that are put back.
const PARTS: [Part; 9] = [
    ("everything", |_| true),
    ("the graph", |path| starts(path, "q/")),
    ("HEAD alone", |path| starts(path, "q/HEAD")),
    ("segments alone", |path| starts(path, "q/graph.")),
    ("values alone", |path| starts(path, "q/blob.")),
    ("artifacts", |path| starts(path, "cas/")),
    ("sidecars", |path| starts(path, "link/")),
    ("graph and sidecars", |path| starts(path, "q/") || starts(path, "link/")),
    ("graph and artifacts", |path| starts(path, "q/") || starts(path, "cas/")),
];

/// The check.
pub fn check() -> Result<Found, String> {
    let mut found = Found::default();
    let mut cases = 0;
    let mut clean: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut reference = Stage::new("rollback-clean")?;
    for number in [3, 5, 7, 9, 11] {
        reference.become_state(number)?;
        clean.insert(number, reference.clean(Form::Executable)?);
    }
    for (part, is_part) in PARTS {
        for lost in [false, true] {
            let mut stage = Stage::new("rollback")?;
            stage.build()?;
            let mut backups = vec![backup(&stage.scene.store())?];
            // Deltas, patches, and a second link from nothing.
            for (number, args) in [(5, &[][..]), (7, &["--clean-link"]), (9, &[])] {
                stage.become_state(number)?;
                stage.build_to(&stage.scene.program, Form::Executable, args)?;
                backups.push(backup(&stage.scene.store())?);
            }
            for (then, older) in backups.iter().enumerate().step_by(2) {
                put_back(&stage.scene.store(), older, is_part)?;
                if lost {
                    stage.lose_program();
                }
                // The state of now, then another, then the one of the backup.
                for number in [9, 11, 3 + 2 * then as u32] {
                    stage.become_state(number)?;
                    let what = format!("{part} of state {} put back, then state {number}", 3 + 2 * then);
                    let ways = ["up to date", "patched", "restored", "linked"];
                    found.wrong.extend(judge(&what, &stage.build()?, &ways, &clean[&number], 1));
                    cases += 1;
                }
            }
        }
    }
    found.did("parts put back", PARTS.len());
    found.did("builds after that", cases);
    Ok(found)
}

/// An output that is put back is no output of now; a store that is believed whatever the sources say gives it.
pub fn negatives() -> Vec<Negative> {
    let said = || -> Result<Vec<String>, String> {
        let mut stage = Stage::new("rollback-negative")?;
        let older = stage.build()?;
        stage.become_state(5)?;
        let clean = stage.clean(Form::Executable)?;
        Ok(judge("an older output", &older, &["linked"], &clean, 1))
    };
    vec![Negative { what: "a build that gives the output of an older state", words: "differs from a clean build", said: said() }]
}

//! Every kind of artifact: put once by a link, named by its content, restored when it is wanted again. Kinds are executables, their sidecars, objects.

use std::os::unix::fs::MetadataExt;

use query::store::cas::Address;

use super::stage::{Form, Observed, Stage, judge};
use super::{Found, Negative};

/// The check.
pub fn check() -> Result<Found, String> {
    let mut found = Found::default();
    let mut stage = Stage::new("kinds")?;
    let clean = stage.clean(Form::Executable)?;
    let object = stage.clean(Form::Object)?;
    let other = stage.scene.beside("other");
    found.wrong.extend(judge("the first build", &stage.build()?, &["linked"], &clean, 0));
    found.wrong.extend(judge("the first object", &stage.build_to(&other, Form::Object, &[])?, &["linked"], &object, 0));
    found.wrong.extend(kinds_missing(&stage, &clean, &object));
    let before = inodes(&stage);
    found.did("artifacts of three kinds", before.len());
    found.wrong.extend(bad_names(&stage));
    let mut again = |what: &str, built: Observed, way: &str, bytes: &[u8]| found.wrong.extend(judge(what, &built, &[way], bytes, 0));
    again("nothing changed", stage.build()?, "up to date", &clean);
    stage.lose_program();
    again("a deleted output", stage.build()?, "restored", &clean);
    let mut altered = clean.clone();
    altered[clean.len() / 2] ^= 1;
    std::fs::write(&stage.scene.program, altered).map_err(|error| error.to_string())?;
    again("an altered output", stage.build()?, "restored", &clean);
    again("an object again", stage.build_to(&other, Form::Object, &[])?, "restored", &object);
    again("an executable where an object was", stage.build_to(&other, Form::Executable, &[])?, "restored", &clean);
    again("another path", stage.build_to(&stage.scene.beside("third"), Form::Executable, &[])?, "restored", &clean);
    again("linked from nothing though it is known", stage.build_to(&other, Form::Executable, &["--clean-link"])?, "linked", &clean);
    let ending = stage.oric(&["cache", "verify", "."])?;
    if ending.status != Some(0) || !String::from_utf8_lossy(&ending.stdout).contains(&format!("{} artifacts", before.len())) {
        found.wrong.push(format!("`oric cache verify` does not see {} sound artifacts: {}", before.len(), ending.line()));
    }
    if inodes(&stage) != before {
        found.wrong.push("what was there already was written again".to_owned());
    }
    // A restored executable comes with what patches it, and branches are restored in both directions.
    stage.become_state(5)?;
    let edited = stage.clean(Form::Executable)?;
    found.wrong.extend(judge("an edit after a restored output", &stage.build()?, &["patched"], &edited, 0));
    stage.lose_program();
    found.wrong.extend(judge("a deleted output that was patched", &stage.build()?, &["linked"], &edited, 0));
    for (number, bytes) in [(3, &clean), (5, &edited), (3, &clean)] {
        stage.become_state(number)?;
        stage.lose_program();
        found.wrong.extend(judge(&format!("branch {number}"), &stage.build()?, &["restored"], bytes, 0));
    }
    found.did("outputs made in every way", 13);
    Ok(found)
}

/// Kinds of which the store does not have what it must have.
fn kinds_missing(stage: &Stage, executable: &[u8], object: &[u8]) -> Vec<String> {
    let cas = stage.cas();
    let mut wrong = Vec::new();
    let sidecars: Vec<Vec<u8>> = crate::corpus::files(&stage.scene.store().join("link"), "side").iter().flat_map(std::fs::read).collect();
    if sidecars.is_empty() {
        wrong.push("the link left no sidecar".to_owned());
    }
    let kinds = [("executable", executable), ("object", object)];
    for (kind, bytes) in kinds.into_iter().chain(sidecars.iter().map(|bytes| ("sidecar", bytes.as_slice()))) {
        if cas.get(Address::of(bytes)).as_deref() != Some(bytes) {
            wrong.push(format!("the store has no {kind}"));
        }
    }
    if stage.addresses().len() != 3 {
        wrong.push(format!("the store has {} artifacts, expected 3", stage.addresses().len()));
    }
    wrong
}

/// Artifacts that are not what their names say.
fn bad_names(stage: &Stage) -> Vec<String> {
    let wrong = |address: &Address| std::fs::read(stage.path(*address)).is_ok_and(|bytes| Address::of(&bytes) != *address);
    stage.addresses().iter().filter(|address| wrong(address)).map(|address| format!("artifact {address} is not its content")).collect()
}

/// Each file with what tells it from another of the same name.
fn inodes(stage: &Stage) -> Vec<(Address, u64)> {
    let inode = |address: Address| std::fs::metadata(stage.path(address)).map(|meta| (address, meta.ino()));
    stage.addresses().into_iter().flat_map(inode).collect()
}

/// Stores that lack a kind, or have one that is not its name; a build that linked what is known.
pub fn negatives() -> Vec<Negative> {
    let broken = |spoil: fn(&Stage, &[u8], &[u8]) -> std::io::Result<()>| -> Result<Vec<String>, String> {
        let stage = Stage::new("kinds-negative")?;
        let (clean, object) = (stage.clean(Form::Executable)?, stage.clean(Form::Object)?);
        stage.build()?;
        stage.build_to(&stage.scene.beside("other"), Form::Object, &[])?;
        spoil(&stage, &clean, &object).map_err(|error| error.to_string())?;
        let mut said = bad_names(&stage);
        said.extend(kinds_missing(&stage, &clean, &object));
        stage.lose_program();
        said.extend(judge("a deleted output", &stage.build()?, &["restored"], &clean, 0));
        Ok(said)
    };
    vec![
        Negative {
            what: "the object was not put",
            words: "the store has no object",
            said: broken(|stage, _, object| std::fs::remove_file(stage.path(Address::of(object)))),
        },
        Negative {
            what: "an executable under a wrong name",
            words: "is not its content",
            said: broken(|stage, clean, _| std::fs::write(stage.path(Address::of(clean)), "something else")),
        },
        Negative {
            what: "nothing was put, so the program is linked again",
            words: "the output is linked, expected restored",
            said: broken(|stage, _, _| std::fs::remove_dir_all(stage.folder())),
        },
    ]
}

//! Processes at once: builds of one package, and packages that share one store. Artifacts are whole, no half file stays, every output is right.

use std::path::Path;
use std::process::{Child, Stdio};

use query::store::cas::{Address, Cas};

use super::stage::{Form, Stage};
use super::{Found, Negative};
use crate::gates::query::faults::files;

const ROUNDS: usize = 8;

/// What does not hold of a store after processes put at once.
fn left(folder: &Path, wanted: &[u8]) -> Vec<String> {
    let mut wrong = Vec::new();
    let cas = Cas::open(folder);
    match cas.get(Address::of(wanted)) {
        Some(_) => {}
        None => wrong.push("the store lacks what was put, or has it torn".to_owned()),
    }
    match cas.verify() {
        Ok(bad) => wrong.extend(bad.iter().map(|address| format!("artifact {address} is torn"))),
        Err(error) => wrong.push(error.to_string()),
    }
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    wrong.extend(files(folder).iter().filter(|path| name(path).starts_with("tmp-")).map(|_| "a temporary file is left".to_owned()));
    wrong
}

fn start(stage: &Stage, shared: Option<&Path>, args: &[&str]) -> Result<Child, String> {
    let mut command = stage.command(args);
    if let Some(shared) = shared {
        command.env("ORI_CACHE_DIR", shared);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())
}

fn finish(what: &str, child: Child) -> Result<Option<String>, String> {
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let is_fine = output.status.success() && !said.contains("warning");
    Ok((!is_fine).then(|| format!("{what}: {:?}: {}", output.status.code(), said.trim())))
}

/// The check.
pub fn check() -> Result<Found, String> {
    let mut found = Found::default();
    let mut one = Stage::new("races")?;
    let mut two = Stage::new("races")?;
    let shared = one.scene.beside("cache");
    for round in 0..ROUNDS {
        let number = 3 + round as u32;
        one.become_state(number)?;
        two.become_state(number)?;
        let clean = one.clean(Form::Executable)?;
        // Even rounds: one package, and its own store. Odd rounds: two packages, and one store for both.
        let (other, cache) = if round % 2 == 0 { (&one, None) } else { (&two, Some(shared.as_path())) };
        if round < 4 {
            let _ = std::fs::remove_dir_all(one.scene.store());
        }
        let [first, second] = [one.scene.beside("first"), other.scene.beside("second")];
        let paths = [&first, &second].map(|path| path.to_string_lossy().into_owned());
        let args = paths.each_ref().map(|path| ["build", ".", "--clean-link", "-o", path.as_str()]);
        let children = [start(&one, cache, &args[0])?, start(other, cache, &args[1])?, start(&one, cache, &["cache", "gc", "."])?];
        for (what, child) in ["a build", "a build at once", "a collection at once"].into_iter().zip(children) {
            found.wrong.extend(finish(what, child)?);
        }
        for path in [&first, &second] {
            if std::fs::read(path).ok().as_ref() != Some(&clean) {
                found.wrong.push(format!("round {round}: the output of two at once differs from a clean build"));
            }
        }
        let folder = cache.map_or_else(|| one.folder(), |cache| cache.join("shared"));
        found.wrong.extend(left(&folder, &clean).into_iter().map(|wrong| format!("round {round}: {wrong}")));
    }
    found.did("rounds of two builds and a collection at once", ROUNDS);
    Ok(found)
}

/// Writers that write in place, or leave something behind.
pub fn negatives() -> Vec<Negative> {
    let broken = |spoil: fn(&Stage, &[u8]) -> std::io::Result<()>| -> Result<Vec<String>, String> {
        let stage = Stage::new("races-negative")?;
        let clean = stage.clean(Form::Executable)?;
        stage.build()?;
        spoil(&stage, &clean).map_err(|error| error.to_string())?;
        Ok(left(&stage.folder(), &clean))
    };
    vec![
        Negative {
            what: "an artifact that was written in place, half",
            words: "or has it torn",
            said: broken(|stage, clean| std::fs::write(stage.path(Address::of(clean)), &clean[..clean.len() / 2])),
        },
        Negative {
            what: "a writer that leaves its temporary file",
            words: "a temporary file is left",
            said: broken(|stage, _| std::fs::write(stage.folder().join("tmp-cas-1"), "half")),
        },
    ]
}

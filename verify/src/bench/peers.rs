//! The same edits with the incremental builds that people use today, on the same generated project in their language: go, cargo, ninja with tcc.

use std::path::{Path, PathBuf};

use super::edits::line;
use super::folder;
use super::timing::Timed;
use crate::evidence::Table;
use crate::{child, corpus};

/// A build tool and what it needs.
struct Peer {
    name: &'static str,
    language: &'static str,
    tools: &'static [&'static str],
    build: &'static [&'static str],
    runs: usize,
    /// Anything that the generator does not write.
    prepare: fn(&Path) -> std::io::Result<()>,
}

const PEERS: [Peer; 3] = [
    Peer { name: "go build", language: "go", tools: &["go"], build: &["go", "build", "-o", "program", "."], runs: 5, prepare: |_| Ok(()) },
    Peer { name: "ninja + tcc", language: "c", tools: &["ninja", "tcc"], build: &["ninja", "--quiet"], runs: 20, prepare: ninja_file },
    Peer {
        name: "cargo build",
        language: "rust",
        tools: &["cargo"],
        build: &["cargo", "build", "-q", "--offline"],
        runs: 3,
        prepare: own_workspace,
    },
];

/// One rule a file, one for the program.
fn ninja_file(folder: &Path) -> std::io::Result<()> {
    let mut text = "rule cc\n  command = tcc -c $in -o $out\nrule link\n  command = tcc $in -o $out\n".to_owned();
    let mut objects = String::new();
    for file in corpus::files(folder, "c") {
        let Some(name) = file.file_stem().and_then(|name| name.to_str()) else { continue };
        // A header that changes concerns everybody: the generator's edits change none.
        text.push_str(&format!("build {name}.o: cc {name}.c\n"));
        objects.push_str(&format!(" {name}.o"));
    }
    text.push_str(&format!("build program: link{objects}\ndefault program\n"));
    std::fs::write(folder.join("build.ninja"), text)
}

/// The folder lies in ours, whose workspace it does not belong to.
fn own_workspace(folder: &Path) -> std::io::Result<()> {
    let manifest = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest)?;
    std::fs::write(&manifest, format!("{text}\n[workspace]\n"))
}

/// Adds a row for each tool that is installed, and says which are not.
pub fn measure(lines: u32, table: &mut Table) {
    for peer in &PEERS {
        if let Err(why) = one(peer, lines, table) {
            table.row([peer.name, "", "", "", &format!("unmeasured: {why}")]);
        }
    }
}

fn one(peer: &Peer, lines: u32, table: &mut Table) -> Result<(), String> {
    if let Some(missing) = peer.tools.iter().find(|tool| child::find(tool).is_none()) {
        return Err(format!("{missing} is not installed"));
    }
    let project = corpus::project(peer.language, lines).ok_or("the generator is not there")?;
    let folder = folder().join(format!("edits-{}", peer.language));
    super::edits::copy(&project, &folder)?;
    (peer.prepare)(&folder).map_err(|error| error.to_string())?;
    let build = Timed::new(peer.name, &folder, peer.build);
    build.once()?;
    for (edit, changes) in [("no change", false), ("one body", true)] {
        let mut samples = Vec::new();
        for run in 0..peer.runs {
            if changes {
                change(&folder, peer.language, run)?;
            }
            samples.push(build.once()?);
        }
        line(&format!("{}: {edit}", peer.name), samples, "", table);
    }
    Ok(())
}

/// Another literal in one function, by the generator; each number gives new text.
fn change(folder: &Path, language: &str, run: usize) -> Result<(), String> {
    let generator: PathBuf = corpus::shared().ok_or("the generator is not there")?.join("gen_project.py");
    let (generator, folder_text) = (generator.to_string_lossy(), folder.to_string_lossy());
    // The generator knows its literal by five digits that begin with 7.
    let number = (1 + (run + std::process::id() as usize * 31) % 9_000).to_string();
    child::succeed(folder, "python3", &[&generator, "--edit", &folder_text, "--lang", language, "--n", &number])
        .map(drop)
        .map_err(|e| e.to_string())
}

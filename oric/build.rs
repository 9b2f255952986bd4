//! Hashes the sources of each room of the compiler, so that a stored answer is believed only by a compiler whose code for it is the same.
//!
//! Rooms build on those before them, so a room's hash covers them too: a change of `machine` drops machine code and what follows, and nothing above it.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Rooms from the bottom, with their folders below the workspace.
const ROOMS: &[(&str, &[&str])] = &[
    ("ir", &["ir/src", "rt/abi/src", "rt/pure/src", "oric/src/queries", "oric/src/assemble.rs"]),
    ("syntax", &["syntax/src"]),
    ("hir", &["hir/src"]),
    ("oric", &[]),
    ("mir", &["mir/src"]),
    ("lir", &["lir/src"]),
    ("machine", &["machine/src"]),
    ("llvm", &["codegen/llvm/src", "codegen/llvm/wire/src"]),
    ("codegen", &["codegen/image/src", "codegen/object/src", "rt/src", "rt/image"]),
];

fn main() -> io::Result<()> {
    // An executable at a fixed address needs none of its 10,000 pointers relocated at start, which is a tenth of a build without changes.
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    let workspace = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    let mut text = String::from("/// Rooms with the hash of their code.\nconst ROOMS: &[(&str, u128)] = &[\n");
    let mut hash = Hash::new(&workspace);
    for (room, folders) in ROOMS {
        for folder in *folders {
            hash.add(folder, "rs")?;
        }
        let _ = writeln!(text, "    ({room:?}, {:#034x}),", hash.value());
    }
    text.push_str("];\n");
    let mut library = Hash::new(&workspace);
    library.add("std", "ori")?;
    let _ = writeln!(text, "/// Hash of the library's text.\npub(crate) const LIBRARY: u128 = {:#034x};", library.value());
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("rooms.rs"), text)
}

/// Hash of names and contents of files.
struct Hash<'a> {
    workspace: &'a Path,
    /// `DefaultHasher::new` has fixed keys: the same sources give the same hash in every build by one Rust release.
    halves: [DefaultHasher; 2],
}

impl Hash<'_> {
    fn new(workspace: &Path) -> Hash<'_> {
        let mut halves = [DefaultHasher::new(), DefaultHasher::new()];
        halves[1].write_u8(1);
        Hash { workspace, halves }
    }

    /// Adds the sources with this ending below a folder.
    fn add(&mut self, folder: &str, ending: &str) -> io::Result<()> {
        let path = self.workspace.join(folder);
        println!("cargo::rerun-if-changed={}", path.display());
        let mut files = Vec::new();
        collect(&path, ending, &mut files)?;
        files.sort();
        for file in files {
            let bytes = fs::read(&file)?;
            let name = file.strip_prefix(self.workspace).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            for half in &mut self.halves {
                half.write(name.as_bytes());
                half.write_usize(bytes.len());
                half.write(&bytes);
            }
        }
        Ok(())
    }

    /// Of all that was added until now.
    fn value(&self) -> u128 {
        let [low, high] = [self.halves[0].finish(), self.halves[1].finish()];
        u128::from(high) << 64 | u128::from(low)
    }
}

/// Sources below a folder, or the file itself; tests change no answer.
fn collect(path: &Path, ending: &str, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        found.push(path.to_owned());
        return Ok(());
    }
    if !path.is_dir() || path.file_name().is_some_and(|name| name == "target") {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_source = path.extension().is_some_and(|own| own == ending) && name != "tests.rs";
        if path.is_dir() && name != "tests" || is_source {
            collect(&path, ending, found)?;
        }
    }
    Ok(())
}

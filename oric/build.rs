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
    ("codegen", &["codegen/image/src", "codegen/object/src", "rt/src", "rt/image"]),
];

fn main() -> io::Result<()> {
    let workspace = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    let mut text = String::from("/// Rooms with the hash of their code.\nconst ROOMS: &[(&str, u128)] = &[\n");
    // `DefaultHasher::new` has fixed keys: the same sources give the same hash in every build by one Rust release.
    let mut hashers = [DefaultHasher::new(), DefaultHasher::new()];
    hashers[1].write_u8(1);
    for (room, folders) in ROOMS {
        for folder in *folders {
            let mut files = Vec::new();
            collect(&workspace.join(folder), &mut files)?;
            files.sort();
            for file in files {
                let bytes = fs::read(&file)?;
                let name = file.strip_prefix(&workspace).unwrap_or(&file).to_string_lossy().replace('\\', "/");
                for hasher in &mut hashers {
                    hasher.write(name.as_bytes());
                    hasher.write_usize(bytes.len());
                    hasher.write(&bytes);
                }
            }
            println!("cargo::rerun-if-changed={}", workspace.join(folder).display());
        }
        let [low, high] = [hashers[0].finish(), hashers[1].finish()];
        let _ = writeln!(text, "    ({room:?}, {:#034x}),", u128::from(high) << 64 | u128::from(low));
    }
    text.push_str("];\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("rooms.rs"), text)
}

/// Rust sources below a folder, or the file itself; tests change no answer.
fn collect(path: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
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
        if path.is_dir() && name != "tests" || name.ends_with(".rs") && name != "tests.rs" {
            collect(&path, found)?;
        }
    }
    Ok(())
}

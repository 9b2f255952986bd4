//! Compiles the runtime (`rt/image`) and turns it into parts that the linker can lay out one by one.
//!
//! The nested build gives a static library. Its sections (one a function, one a constant) that the runtime's symbols reach become *parts*: bytes,
//! alignment, kind and relocations between parts. They go into the crate as `parts.bin` and `parts.rs`; the same parts, as one relocatable object,
//! become `libori_rt.a` for foreign linkers. No linker runs here.
//!
//! It is compiled a second time for programs under a C library (`hosted`): an archive alone, since only foreign linkers link those.

mod archive;
mod emit;
mod parts;

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let manifest = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let runtime = manifest.join("../../rt");
    for watched in
        ["src", "build.rs", "Cargo.toml", "abi/src", "pure/src", "pure/Cargo.toml", "image/src", "image/Cargo.toml", "image/Cargo.lock"]
    {
        println!("cargo::rerun-if-changed={}", runtime.join(watched).display());
    }
    println!("cargo::rerun-if-changed=build");

    let alone = collected(&compile(&runtime.join("image"), &out.join("rt"), &[]), false);
    emit::write(&alone, &out);
    write_archive(&alone, &out.join("libori_rt.a"));
    let hosted = collected(&compile(&runtime.join("image"), &out.join("rt"), &["--features", "hosted"]), true);
    write_archive(&hosted, &out.join("libori_rt_hosted.a"));
}

fn collected(library: &Path, hosted: bool) -> parts::Parts {
    let bytes = std::fs::read(library).unwrap_or_else(|error| panic!("{}: {error}", library.display()));
    parts::collect(&bytes, hosted)
}

fn write_archive(parts: &parts::Parts, path: &Path) {
    let bytes = archive::archive("ori_rt.o", &archive::object(parts), &parts.exported());
    std::fs::write(path, bytes).expect("OUT_DIR is writable");
}

const TARGET: &str = "x86_64-unknown-linux-gnu";

fn compile(package: &Path, target: &Path, features: &[&str]) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(package).args(["build", "--release", "--locked", "--target", TARGET, "--target-dir"]).arg(target).args(features);
    // What the outer build was told (flags, wrappers as under clippy, target folder, profile) does not hold for the runtime.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let kept = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRY", "CARGO_REGISTRIES_", "CARGO_SOURCE_", "CARGO_TERM_"];
        let outer = name.starts_with("CARGO") || name.starts_with("RUSTC") || name == "RUSTFLAGS" || name == "RUSTDOCFLAGS";
        if outer && !kept.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    // The archive form may go into position-independent executables; unwinding goes by our own tables.
    command.env("RUSTFLAGS", "-C relocation-model=pie -C force-unwind-tables=no -C target-cpu=x86-64");
    let output = command.output().unwrap_or_else(|error| panic!("cannot start cargo for the runtime: {error}"));
    assert!(output.status.success(), "the runtime does not compile:\n{}", String::from_utf8_lossy(&output.stderr));
    target.join(TARGET).join("release/librt_image.a")
}

//! The parts as a table in Rust and one file of bytes.

use std::fmt::Write;
use std::path::Path;

use super::parts::{Kind, Parts, RelocKind, Target};

pub fn write(parts: &Parts, out: &Path) {
    let mut bytes = Vec::new();
    let (mut rows, mut relocs) = (String::new(), String::new());
    let mut count = 0;
    for part in &parts.parts {
        let kind = match part.kind {
            Kind::Code => "Code",
            Kind::ReadOnly => "ReadOnly",
            Kind::Data => "Data",
            Kind::Zero => "Zero",
        };
        let (start, file, first) = (bytes.len(), part.bytes.len(), count);
        bytes.extend_from_slice(&part.bytes);
        for reloc in &part.relocs {
            let kind = match reloc.kind {
                RelocKind::Rel32 => "Rel32",
                RelocKind::Abs32 => "Abs32",
                RelocKind::Abs64 => "Abs64",
            };
            let target = match reloc.target {
                Target::Part(part) => part.to_string(),
                Target::Header => "HEADER".to_owned(),
                Target::Foreign(number) => {
                    panic!("programs of ours have no C library, and the runtime names `{}`", parts.foreign[number].0)
                }
            };
            let _ = writeln!(
                relocs,
                "PartReloc {{ offset: {}, kind: PartRelocKind::{kind}, target: {target}, addend: {} }},",
                reloc.offset, reloc.addend
            );
            count += 1;
        }
        let _ = writeln!(
            rows,
            "Part {{ kind: PartKind::{kind}, start: {start}, file: {file}, size: {}, align: {}, first_reloc: {first}, relocs: {} }},",
            part.size,
            part.align,
            count - first
        );
    }
    let place = |name: &str| {
        let symbol = &parts.symbols[name];
        format!("({}, {}),\n", symbol.part, symbol.offset)
    };
    let calls: String = abi::RuntimeCall::ALL.iter().map(|call| place(call.symbol())).collect();
    let panics: String = abi::PanicKind::ALL.iter().map(|kind| place(kind.symbol())).collect();
    let names: String = parts.symbols.iter().map(|(name, symbol)| format!("({name:?}, {}, {}),\n", symbol.part, symbol.offset)).collect();
    let entries: String = abi::Entry::ALL.iter().map(|entry| place(entry.symbol())).collect();
    let start = &parts.symbols[abi::funcs::START_SYMBOL];
    let text = format!(
        "pub static PARTS: &[Part] = &[\n{rows}];\npub static RELOCS: &[PartReloc] = &[\n{relocs}];\n\
         pub static CALLS: &[(u32, u32)] = &[\n{calls}];\npub static PANICS: &[(u32, u32)] = &[\n{panics}];\n\
         pub static NAMES: &[(&str, u32, u32)] = &[\n{names}];\npub const START: (u32, u32) = ({}, {});\n\
         pub static ENTRIES: &[(u32, u32)] = &[\n{entries}];\n",
        start.part, start.offset
    );
    // FNV-1a over everything above: images of another runtime cannot be patched.
    let hash = |seed: u64, bytes: &[u8]| bytes.iter().fold(seed, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let fingerprint = hash(hash(0xcbf2_9ce4_8422_2325, text.as_bytes()), &bytes);
    let text = format!("{text}pub const FINGERPRINT: u64 = {fingerprint};\n");
    std::fs::write(out.join("parts.bin"), bytes).expect("OUT_DIR is writable");
    std::fs::write(out.join("parts.rs"), text).expect("OUT_DIR is writable");
}

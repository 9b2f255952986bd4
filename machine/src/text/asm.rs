//! A plain assembly listing: address, bytes, and the record that they are of.

use std::fmt::Write;

use ir::text::{Arg, writer};

use crate::finish::{Code, RelocTarget, mark};
use crate::ir::{Callee, Final, Function};

/// The listing of a finished function. Records that are several instructions stand on one line; what belongs to no record (the prologue, the operands of
/// stubs) is shown as bytes.
pub fn listing(function: &Function<Final>) -> String {
    let mut out = String::new();
    let Some((code, marks)) = mark(function) else { return out };
    let dump = super::dump(&[function]);
    let Some(tree) = dump.functions.first() else { return out };
    writer::name(&mut out, &tree.name);
    let frame = if code.has_frame { format!("frame {}", code.frame_size) } else { "no frame".to_owned() };
    let _ = writeln!(out, ": {frame}, {} bytes", code.bytes.len());
    let starts: Vec<u32> = marks.records.iter().chain(&marks.blocks).chain(&marks.stubs).copied().collect();
    // Where what starts at an offset ends: where the next thing starts.
    let mut ends = starts.clone();
    ends.push(code.bytes.len() as u32);
    ends.sort_unstable();
    let end_of = |start: u32| ends[ends.partition_point(|&end| end <= start).min(ends.len() - 1)];
    let first = ends.first().copied().unwrap_or(0);
    if first > 0 {
        line(&mut out, &code, 0, first, "; prologue");
    }
    for (index, (block, rows)) in tree.blocks.iter().zip(function.blocks.rows()).enumerate() {
        if rows.start == rows.end {
            continue;
        }
        let _ = writeln!(out, "b{index}:");
        for (at, inst) in (rows.start..rows.end).zip(&block.insts) {
            let start = marks.records[at as usize];
            let mut text = String::new();
            let mut inst = inst.clone();
            // Definitions are written first, as in the dump; an edge has no arguments here.
            inst.args.retain(|arg| !matches!(arg, Arg::Word(word) if word == "none"));
            writer::inst(&mut text, &inst, 0);
            line(&mut out, &code, start, end_of(start), text.trim_end());
        }
    }
    for (stub, &start) in marks.stubs.iter().enumerate().filter(|(_, start)| **start != u32::MAX) {
        let _ = writeln!(out, "stub {} {}:", stub, function.stubs[stub].kind.name());
        line(&mut out, &code, start, end_of(start), "; operands, call");
    }
    for (index, block) in code.data.iter().enumerate() {
        let _ = write!(out, "data {index} align {}:", block.align);
        for byte in &block.bytes {
            let _ = write!(out, " {byte:02x}");
        }
        for link in &block.links {
            let _ = write!(out, "; {}: data {} + {}", link.at, link.row, link.to);
        }
        out.push('\n');
    }
    out
}

/// Address, bytes, text, relocations.
fn line(out: &mut String, code: &Code, start: u32, end: u32, text: &str) {
    let _ = write!(out, "{start:6x}  ");
    let bytes = code.bytes.get(start as usize..end as usize).unwrap_or(&[]);
    for byte in bytes {
        let _ = write!(out, "{byte:02x} ");
    }
    for _ in bytes.len()..12 {
        out.push_str("   ");
    }
    out.push_str(text);
    for reloc in code.relocs.iter().filter(|reloc| (start..end).contains(&reloc.offset)) {
        match reloc.target {
            RelocTarget::Callee(Callee::Function(item)) => {
                let _ = write!(out, " -> @{item}");
            }
            RelocTarget::Callee(Callee::Runtime(call)) => {
                let _ = write!(out, " -> {}", call.symbol());
            }
            // Its address is in no relocation.
            RelocTarget::Callee(Callee::Slot(slot)) => {
                let _ = write!(out, " -> slot {slot}");
            }
            RelocTarget::Entry(entry) => {
                let _ = write!(out, " -> {}", entry.symbol());
            }
            RelocTarget::Panic(kind) => {
                let _ = write!(out, " -> {}", kind.symbol());
            }
            RelocTarget::Data(row) => {
                let _ = write!(out, " -> data {row}");
            }
        }
    }
    out.push('\n');
}

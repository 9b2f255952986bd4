//! Views of a dump for tools: TSV and JSON. The text is the truth.
//!
//! Both are made from the parsed text, so they hold for every level and cannot say more than it. One row an instruction; the
//! instructions of HIR regions follow their owner.

use super::writer;
use super::{Arg, Block, Definition, Dump, Inst};

/// First line of the TSV view.
pub const TSV_SCHEMA: &str = "#schema\tori-ir-tsv\t1\n";

/// Version of the JSON view.
pub const JSON_VERSION: u32 = 1;

/// The keys of a row, in column order.
pub const KEYS: [&str; 9] = ["fn", "block", "index", "op", "results", "operands", "types", "facts", "place"];

/// One instruction as text cells, in the order of [`KEYS`].
type Row = [String; 9];

/// `#schema ori-ir-tsv 1`, then `fn block index op results operands types facts place`, tab-separated.
pub fn tsv(dump: &Dump) -> String {
    let mut out = String::from(TSV_SCHEMA);
    each_row(dump, |row| {
        for (index, cell) in row.iter().enumerate() {
            if index > 0 {
                out.push('\t');
            }
            // Operands are printed with escapes, so only a name out of a broken dump could hold a tab.
            out.extend(cell.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
        out.push('\n');
    });
    out
}

/// The same rows under the same keys; `index` is a number, all else is text.
pub fn json(dump: &Dump) -> String {
    let mut out = String::from("{\"schema\":\"ori-ir-json\",\"version\":");
    writer::number(&mut out, u64::from(JSON_VERSION));
    out.push_str(",\"level\":");
    json_string(&mut out, &dump.level);
    out.push_str(",\"phase\":");
    json_string(&mut out, &dump.phase);
    out.push_str(",\"rows\":[");
    let mut first = true;
    each_row(dump, |row| {
        out.push_str(if first { "\n{" } else { ",\n{" });
        first = false;
        for (index, (key, cell)) in KEYS.iter().zip(row).enumerate() {
            if index > 0 {
                out.push(',');
            }
            json_string(&mut out, key);
            out.push(':');
            if *key == "index" { out.push_str(cell) } else { json_string(&mut out, cell) }
        }
        out.push('}');
    });
    out.push_str("\n]}\n");
    out
}

fn each_row(dump: &Dump, mut visit: impl FnMut(&Row)) {
    for function in &dump.functions {
        for block in &function.blocks {
            let mut label = String::new();
            if block.number != Block::UNNAMED {
                writer::label(&mut label, block.number);
            }
            let mut index = 0;
            rows_of(&function.name, &label, &block.insts, &mut index, &mut visit);
        }
    }
}

fn rows_of(function: &str, block: &str, insts: &[Inst], index: &mut u64, visit: &mut impl FnMut(&Row)) {
    for inst in insts {
        let mut number = String::new();
        writer::number(&mut number, *index);
        *index += 1;
        let mut place = String::new();
        if let Some(at) = &inst.place {
            writer::place(&mut place, at);
        }
        visit(&[
            function.to_owned(),
            block.to_owned(),
            number,
            inst.op.clone(),
            joined(&inst.defs, |out, def: &Definition| writer::value(out, def.value)),
            joined(inst.args.iter().chain(inst.regions.iter().flat_map(|r| &r.args)), |out, arg: &Arg| writer::arg(out, arg)),
            joined(&inst.defs, |out, def: &Definition| {
                if let Some(mode) = &def.mode {
                    out.push_str(mode);
                    out.push(' ');
                }
                out.push_str(&def.ty);
            }),
            inst.facts.join(", "),
            place.trim_start_matches('!').to_owned(),
        ]);
        for region in &inst.regions {
            rows_of(function, block, &region.insts, index, visit);
        }
    }
}

fn joined<T>(items: impl IntoIterator<Item = T>, append: impl Fn(&mut String, T)) -> String {
    let mut out = String::new();
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        append(&mut out, item);
    }
    out
}

/// Appends a JSON string.
pub fn json_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if (c as u32) < 0x20 => {
                use std::fmt::Write;
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

//! The generic tree to canonical text, and the helpers with which the levels append text of their own.
//!
//! One spelling per thing: two spaces of indentation a region, facts sorted and last but for the place, floats as hex bits, directives and
//! intents below the header.

use super::lexer::{is_name, is_word};
use super::{Arg, Block, Definition, Dump, Function, Inst, MemoryPart, PlaceText};

/// The canonical text of a dump; a fixed point of parsing and printing.
pub fn print(dump: &Dump) -> String {
    let mut out = String::new();
    header(&mut out, &dump.level, &dump.phase, dump.version, &dump.facts);
    for (_, text) in &dump.directives {
        marked(&mut out, ";!", text);
    }
    for (_, text) in &dump.intents {
        marked(&mut out, ";~", text);
    }
    for f in &dump.functions {
        function(&mut out, f);
    }
    out
}

/// The first line: `ori-ir mir.built 1 fact`.
pub fn header(out: &mut String, level: &str, phase: &str, version: u32, facts: &[String]) {
    out.push_str("ori-ir ");
    out.push_str(level);
    out.push('.');
    out.push_str(phase);
    out.push(' ');
    number(out, u64::from(version));
    for fact in facts {
        out.push(' ');
        out.push_str(fact);
    }
    out.push('\n');
}

fn marked(out: &mut String, mark: &str, text: &str) {
    out.push_str(mark);
    if !text.is_empty() {
        out.push(' ');
        one_line(out, text);
    }
    out.push('\n');
}

/// ` ;~ CODE text` at the end of a line, without the line break.
pub fn fault(out: &mut String, text: &str) {
    out.push_str(" ;~ ");
    one_line(out, text);
}

/// Appends text that must not break the line: line breaks become spaces.
fn one_line(out: &mut String, text: &str) {
    out.extend(text.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }));
}

/// Appends a function of the generic tree.
pub fn function(out: &mut String, f: &Function) {
    out.push_str("fn ");
    name(out, &f.name);
    if !f.generics.is_empty() {
        out.push('[');
        out.push_str(&f.generics);
        out.push(']');
    }
    out.push('(');
    definitions(out, &f.params);
    out.push(')');
    if !f.result.is_empty() {
        out.push_str(" -> ");
        out.push_str(&f.result);
    }
    out.push_str(" {");
    end_line(out, f.fault.as_deref());
    for block in &f.blocks {
        if block.number != Block::UNNAMED {
            label(out, block.number);
            if !block.params.is_empty() {
                out.push('(');
                definitions(out, &block.params);
                out.push(')');
            }
            out.push(':');
            end_line(out, block.fault.as_deref());
        }
        for i in &block.insts {
            inst(out, i, 1);
        }
    }
    out.push_str("}\n");
}

fn end_line(out: &mut String, text: Option<&str>) {
    if let Some(text) = text {
        fault(out, text);
    }
    out.push('\n');
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// Appends an instruction of the generic tree with its regions, `depth` levels deep.
pub fn inst(out: &mut String, inst: &Inst, depth: usize) {
    indent(out, depth);
    if !inst.defs.is_empty() {
        definitions(out, &inst.defs);
        out.push_str(" = ");
    }
    out.push_str(&inst.op);
    let mut separator = " ";
    for operand in &inst.args {
        out.push_str(separator);
        separator = ", ";
        arg(out, operand);
    }
    if !inst.facts.is_empty() {
        out.push_str(separator);
        let mut sorted: Vec<&str> = inst.facts.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        facts(out, &sorted);
    }
    if let Some(at) = &inst.place {
        out.push(' ');
        place(out, at);
    }
    let mut text = inst.fault.as_deref();
    for (index, region) in inst.regions.iter().enumerate() {
        if index > 0 {
            let mut separator = " ";
            for operand in &region.args {
                out.push_str(separator);
                separator = ", ";
                arg(out, operand);
            }
        }
        out.push_str(" {");
        end_line(out, text.take());
        for inner in &region.insts {
            self::inst(out, inner, depth + 1);
        }
        indent(out, depth);
        out.push('}');
    }
    end_line(out, text);
}

fn definitions(out: &mut String, defs: &[Definition]) {
    for (index, def) in defs.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        definition(out, def.value, def.mode.as_deref().unwrap_or(""), &def.ty);
    }
}

/// `%3: own str`; the mode may be empty, and so may the type.
pub fn definition(out: &mut String, number: u32, mode: &str, ty: &str) {
    value(out, number);
    if !mode.is_empty() || !ty.is_empty() {
        out.push_str(": ");
    }
    out.push_str(mode);
    if !mode.is_empty() && !ty.is_empty() {
        out.push(' ');
    }
    out.push_str(ty);
}

/// `{a, b 1 2}`; the facts must be sorted and not empty.
pub fn facts<T: AsRef<str>>(out: &mut String, facts: &[T]) {
    out.push('{');
    for (index, fact) in facts.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        out.push_str(fact.as_ref());
    }
    out.push('}');
}

/// `!3:9`, `!@leaf 1:4 < 3:9`
pub fn place(out: &mut String, place: &PlaceText) {
    for (index, (item, line, column)) in place.chain.iter().enumerate() {
        out.push_str(if index == 0 { "!" } else { " < " });
        if let Some(item) = item {
            name(out, item);
            out.push(' ');
        }
        position(out, *line, *column);
    }
}

/// `3:9`
pub fn position(out: &mut String, line: u32, column: u32) {
    number(out, u64::from(line));
    out.push(':');
    number(out, u64::from(column));
}

/// Appends one operand of the generic tree.
pub fn arg(out: &mut String, operand: &Arg) {
    match operand {
        Arg::Value { mode, value: number, place } => {
            if let Some(mode) = mode {
                out.push_str(mode);
                out.push(' ');
            }
            value(out, *number);
            if let Some(place) = place {
                out.push(':');
                arg(out, place);
            }
        }
        Arg::Int(n) => integer(out, *n),
        Arg::Bits(word) => bits(out, *word),
        Arg::Symbol(text) => name(out, text),
        Arg::Register(text) => {
            out.push('$');
            out.push_str(text);
        }
        Arg::Block { number, args } => {
            label(out, *number);
            if !args.is_empty() {
                out.push('(');
                for (index, inner) in args.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    arg(out, inner);
                }
                out.push(')');
            }
        }
        Arg::Memory(parts) => memory(out, parts),
        Arg::Str(text) => string(out, text),
        Arg::Word(text) => out.push_str(text),
    }
}

fn memory(out: &mut String, parts: &[MemoryPart]) {
    out.push('[');
    for (index, part) in parts.iter().enumerate() {
        match &part.base {
            Arg::Int(n) if index > 0 && *n < 0 => {
                out.push_str(" - ");
                wide(out, n.unsigned_abs());
            }
            base => {
                if index > 0 {
                    out.push_str(" + ");
                }
                arg(out, base);
            }
        }
        if part.scale != 1 {
            out.push('*');
            number(out, u64::from(part.scale));
        }
    }
    out.push(']');
}

/// `%7`
#[inline]
pub fn value(out: &mut String, index: u32) {
    out.push('%');
    number(out, u64::from(index));
}

/// `b7`
#[inline]
pub fn label(out: &mut String, index: u32) {
    out.push('b');
    number(out, u64::from(index));
}

/// A decimal number. The formatting machinery would cost several times as much, and numbers are most of a dump.
#[inline]
pub fn number(out: &mut String, n: u64) {
    if n < 10 {
        out.push((b'0' + n as u8) as char);
    } else {
        wide(out, u128::from(n));
    }
}

/// A decimal integer.
pub fn integer(out: &mut String, n: i128) {
    if n < 0 {
        out.push('-');
    }
    wide(out, n.unsigned_abs());
}

fn wide(out: &mut String, n: u128) {
    let mut digits = [0u8; 39];
    let mut at = digits.len();
    let mut low = match u64::try_from(n) {
        Ok(n) => n,
        Err(_) => {
            use std::fmt::Write;
            let _ = write!(out, "{n}");
            return;
        }
    };
    loop {
        at -= 1;
        digits[at] = b'0' + (low % 10) as u8;
        low /= 10;
        if low == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

/// `0x3ff0000000000000`
pub fn bits(out: &mut String, word: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push_str("0x");
    for shift in (0..16).rev() {
        out.push(DIGITS[(word >> (shift * 4) & 15) as usize] as char);
    }
}

/// `@name`, quoted when the name has bytes that would end it.
pub fn name(out: &mut String, text: &str) {
    out.push('@');
    if is_name(text) { out.push_str(text) } else { string(out, text) }
}

/// A word operand; quoted when it is no plain word, which only a level's own mistake can cause.
pub fn word(out: &mut String, text: &str) {
    if is_word(text) { out.push_str(text) } else { string(out, text) }
}

/// A quoted string.
pub fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            c if c.is_control() || ('\u{2028}'..='\u{2029}').contains(&c) => {
                use std::fmt::Write;
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

//! Faults in dump text: ` ;~ M0301 ...` at the end of guilty lines, so that a report pastes back as a fixture.

use crate::text::{Dump, Function, Inst, writer};
use crate::{Code, Where};

/// Appends ` ;~ CODE message` to the guilty lines of printed functions without regions.
///
/// `text` is one function, or a whole dump of one function: positions are counted from the first `fn` line. A fault at a place that the
/// text does not have lands on the `fn` line.
pub fn annotate(text: &str, faults: &[(Where, Code, String)]) -> String {
    // Lines of the function: its own, its blocks' and its instructions', by position.
    let mut function = None;
    let mut blocks: Vec<usize> = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        if line.starts_with("fn ") {
            if function.is_some() {
                break;
            }
            function = Some(number);
        } else if function.is_some() && line.starts_with('b') {
            blocks.push(number);
        }
    }
    let end = function.map_or(lines.len(), |start| {
        lines[start..].iter().position(|line| line.starts_with('}')).map_or(lines.len(), |length| start + length)
    });
    let guilty = |at: Where| -> Option<usize> {
        match at {
            Where::Function => function,
            Where::Block(block) => blocks.get(block as usize).copied(),
            Where::Inst { block, index } => {
                let label = *blocks.get(block as usize)?;
                let line = label + 1 + index as usize;
                let next = blocks.get(block as usize + 1).copied().unwrap_or(end);
                (line < next).then_some(line)
            }
        }
    };
    let mut marks: Vec<(usize, usize)> =
        faults.iter().enumerate().map(|(order, (at, ..))| (guilty(*at).or(function).unwrap_or(0), order)).collect();
    marks.sort_unstable();
    let mut marks = marks.into_iter().peekable();
    let mut out = String::with_capacity(text.len() + faults.len() * 64);
    for (number, line) in lines.iter().enumerate() {
        out.push_str(line);
        while let Some((_, order)) = marks.next_if(|mark| mark.0 == number) {
            let (_, code, message) = &faults[order];
            writer::fault(&mut out, &format!("{code} {message}"));
        }
        out.push('\n');
    }
    out
}

/// The line of a place in a parsed function. A place that the function does not have is its first line.
pub fn line_of(function: &Function, at: Where) -> u32 {
    let line = match at {
        Where::Function => None,
        Where::Block(block) => function.blocks.get(block as usize).map(|b| b.line),
        Where::Inst { block, index } => function.blocks.get(block as usize).and_then(|b| b.insts.get(index as usize)).map(|inst| inst.line),
    };
    line.unwrap_or(function.line)
}

/// The codes written at the ends of lines, with their lines, in the order of the text.
pub fn expected_faults(dump: &Dump) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for function in &dump.functions {
        codes(function.line, function.fault.as_deref(), &mut found);
        for block in &function.blocks {
            codes(block.line, block.fault.as_deref(), &mut found);
            insts(&block.insts, &mut found);
        }
    }
    found
}

fn insts(list: &[Inst], found: &mut Vec<(u32, String)>) {
    for inst in list {
        codes(inst.line, inst.fault.as_deref(), found);
        for region in &inst.regions {
            insts(&region.insts, found);
        }
    }
}

/// A line may bear several faults, each after a `;~` of its own.
fn codes(line: u32, fault: Option<&str>, found: &mut Vec<(u32, String)>) {
    for one in fault.into_iter().flat_map(|text| text.split(";~")) {
        if let Some(code) = one.split_whitespace().next() {
            found.push((line, code.to_owned()));
        }
    }
}

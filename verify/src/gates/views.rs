//! What one dump must satisfy: it reads back to itself, its verifier finds nothing, its views agree with it, nothing of another level is in it.

use ir::text::{Dump, view};

use crate::levels::{self, Stage};

/// What was counted in a dump.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    /// Dumps looked at.
    pub dumps: usize,
    /// Functions.
    pub functions: usize,
    /// Instructions.
    pub instructions: usize,
    /// Bytes of text.
    pub bytes: usize,
    /// Dumps whose TSV and JSON were looked at.
    pub views: usize,
}

impl Counts {
    /// Sums.
    pub fn add(&mut self, more: Counts) {
        self.dumps += more.dumps;
        self.functions += more.functions;
        self.instructions += more.instructions;
        self.bytes += more.bytes;
        self.views += more.views;
    }
}

/// Judges the text of a stage: what was counted, and what does not hold.
pub fn judge(stage: Stage, text: &str, with_views: bool) -> (Counts, Vec<String>) {
    let mut wrong = Vec::new();
    let dump = match ir::text::parse(text) {
        Ok(dump) => dump,
        Err(error) => return (Counts::default(), vec![format!("does not parse: {error}")]),
    };
    if (dump.level.as_str(), dump.phase.as_str()) != (stage.level, stage.phase) {
        wrong.push(format!("is a dump of {}.{}", dump.level, dump.phase));
    }
    let instructions = levels::instructions(&dump).len();
    let mut counts = Counts { dumps: 1, functions: dump.functions.len(), instructions, bytes: text.len(), views: usize::from(with_views) };
    match levels::read(text) {
        Err(error) => wrong.push(format!("does not read back: {error}")),
        Ok(reading) => {
            if reading.canonical != text {
                wrong.push(format!("prints differently after reading: {}", first_difference(text, &reading.canonical)));
            }
            if reading.functions != dump.functions.len() {
                wrong.push(format!("{} functions printed, {} read", dump.functions.len(), reading.functions));
            }
            wrong.extend(reading.faults.into_iter().map(|(_, message)| format!("is refused: {message}")));
            counts.functions = reading.functions;
        }
    }
    if with_views {
        wrong.extend(agree(&dump, &view::tsv(&dump), &view::json(&dump)));
    }
    wrong.extend(levels::strangers(&dump).into_iter().map(|what| format!("holds what belongs to another level: {what}")));
    (counts, wrong)
}

/// Do the views have the rows of the text, in order, with the same ops?
pub fn agree(dump: &Dump, tsv: &str, json: &str) -> Vec<String> {
    let text: Vec<(&str, &str)> = levels::instructions(dump);
    let mut wrong = Vec::new();
    let rows: Vec<(&str, &str)> = tsv.lines().skip(1).map(cells).collect();
    if rows != text {
        wrong.push(format!("{} instructions in the text, {} rows in TSV, or other ops", text.len(), rows.len()));
    }
    let value: serde_json::Value = match serde_json::from_str(json) {
        Ok(value) => value,
        Err(error) => {
            wrong.push(format!("the JSON view is no JSON: {error}"));
            return wrong;
        }
    };
    let empty = Vec::new();
    let rows = value["rows"].as_array().unwrap_or(&empty);
    let same = rows.len() == text.len() && rows.iter().zip(&text).all(|(row, (function, op))| row["fn"] == **function && row["op"] == **op);
    if !same {
        wrong.push(format!("{} instructions in the text, {} rows in JSON, or other ops", text.len(), rows.len()));
    }
    wrong
}

/// Function and op of a TSV row.
fn cells(line: &str) -> (&str, &str) {
    let mut cells = line.split('\t');
    (cells.next().unwrap_or_default(), cells.nth(2).unwrap_or_default())
}

/// The first line in which two texts differ.
pub fn first_difference(one: &str, two: &str) -> String {
    let mut lines = one.lines().zip(two.lines()).enumerate();
    match lines.find(|(_, (a, b))| a != b) {
        Some((at, (a, b))) => format!("line {}: `{a}` became `{b}`", at + 1),
        None => format!("{} lines became {}", one.lines().count(), two.lines().count()),
    }
}

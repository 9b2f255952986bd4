//! `oric build --remarks`: what the passes of MIR did and left, by place.
//!
//! A function that is copied into others, or has several instances, says the same of a place several times: that is one remark, with the functions that it
//! holds in. Nothing of this is computed unless it is asked for.

use std::collections::{BTreeMap, BTreeSet};

use ir::{About, ItemId};
use serde_json::json;

use crate::cli::{Format, Output, Remarks};
use crate::queries;
use crate::session::Session;

/// Where a remark stands and what it says, in the order of printing: by file, line and column, then by pass.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    path: String,
    line: u32,
    column: u32,
    pass: &'static str,
    about: About,
    is_done: bool,
    text: String,
}

/// Prints what is said of these functions, and counts it.
pub fn remarks(session: &mut Session, functions: &[ItemId], which: Remarks, output: &Output) {
    let mut rows: BTreeMap<Key, BTreeSet<String>> = BTreeMap::new();
    for &function in functions {
        let said = session.ask(|session| session.engine.get::<queries::Remarked>(&function));
        for remark in said.iter() {
            let item = remark.place.item;
            if which == Remarks::Own && hir::resolve::prelude::is_library(item.module()) {
                continue;
            }
            let position = session.ask(|session| session.engine.get::<queries::Position>(&item));
            let Some(position) = (*position).as_ref() else { continue };
            let key = Key {
                path: position.file.clone(),
                line: position.line + remark.place.line.saturating_sub(1),
                column: remark.place.column,
                pass: remark.pass,
                about: remark.about,
                is_done: remark.is_done,
                text: remark.text.clone(),
            };
            rows.entry(key).or_default().insert(function.to_string());
        }
    }
    let mut text = String::new();
    for (key, functions) in &rows {
        let Key { path, line, column, pass, about, is_done, text: says } = key;
        let word = if *is_done { "done" } else { "left" };
        if output.is_json() {
            output.event(&json!({
                "reason": "remark", "path": path, "line": line, "column": column, "pass": pass, "about": about_name(*about), "done": is_done,
                "message": says, "functions": functions,
            }));
            continue;
        }
        text.push_str(&format!("{path}:{line}:{column}: {word}[{pass}]: {says}"));
        if functions.len() > 1 {
            text.push_str(&format!(" (in {} functions)", functions.len()));
        }
        text.push('\n');
    }
    output.remarks(&text);
    if output.format() == Format::Human {
        let done = rows.keys().filter(|key| key.is_done).count();
        output.summary(&format!("remarks: {done} done, {} left", rows.len() - done));
    }
}

const fn about_name(about: About) -> &'static str {
    match about {
        About::Call => "call",
        About::Value => "value",
        About::Index => "index",
        About::Overflow => "overflow",
        About::Loop => "loop",
    }
}

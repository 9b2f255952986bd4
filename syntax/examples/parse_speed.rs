//! Times the front half of the front end: `cargo run --release -p syntax --example parse_speed -- FOLDER [ROUNDS]`.
//!
//! Reads every `.ori` file of the folder, lexes and parses all of them in each round, and prints the best round. Diagnostics are printed, so
//! that a fast refusal is not mistaken for speed.

use std::path::Path;
use std::time::Instant;

use ir::Symbol;
use syntax::{Anchor, lexer, message, normalise, parse};

fn main() {
    let mut args = std::env::args().skip(1);
    let Some(folder) = args.next() else {
        eprintln!("usage: parse_speed FOLDER [ROUNDS]");
        std::process::exit(2);
    };
    let rounds = args.next().and_then(|n| n.parse().ok()).unwrap_or(10);
    let mut files = Vec::new();
    collect(Path::new(&folder), &mut files);
    files.sort();
    let lines: usize = files.iter().map(|(_, text)| text.lines().count()).sum();
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    let (mut lex_best, mut parse_best) = (f64::MAX, f64::MAX);
    let (mut tokens, mut nodes, mut items, mut diagnostics) = (0, 0, 0, 0);
    for round in 0..rounds {
        let start = Instant::now();
        tokens = files.iter().map(|(_, text)| lexer::lex(text).tokens.len()).sum();
        lex_best = lex_best.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        let parsed: Vec<_> = files.iter().map(|(name, text)| parse(Symbol::new(name), text)).collect();
        parse_best = parse_best.min(start.elapsed().as_secs_f64());
        if round == 0 {
            items = parsed.iter().map(|file| file.items.len()).sum();
            nodes = parsed.iter().flat_map(|file| &file.items).map(|entry| entry.item.tree.exprs.len()).sum();
            diagnostics = parsed.iter().map(|file| file.diagnostics.len()).sum();
            for (file, (name, text)) in parsed.iter().zip(&files) {
                print_diagnostics(file, name, text);
            }
        }
    }
    println!("{} files, {lines} lines, {bytes} bytes, {tokens} tokens, {items} items, {nodes} expressions", files.len());
    println!("{diagnostics} diagnostics");
    println!("lex:         {:6.1} MB/s, {:5.1} ns a token", bytes as f64 / lex_best / 1e6, lex_best * 1e9 / tokens as f64);
    println!("lex + parse: {:6.1} MB/s, {:.0} lines/s", bytes as f64 / parse_best / 1e6, lines as f64 / parse_best);
}

fn print_diagnostics(file: &syntax::tree::File, name: &str, text: &str) {
    let text = normalise(text);
    for diagnostic in &file.diagnostics {
        let base = match diagnostic.anchor {
            Anchor::Module(_) => 0,
            Anchor::Item(id) => file.items.iter().find(|entry| entry.id == id).map_or(0, |entry| entry.start),
        };
        let offset = (base + diagnostic.span.start) as usize;
        let before = &text[..offset.min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = offset - before.rfind('\n').map_or(0, |i| i + 1) + 1;
        println!("{name}:{line}:{column}: [{}] {}", diagnostic.code, message(diagnostic));
    }
}

fn collect(folder: &Path, files: &mut Vec<(String, String)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "ori")
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            files.push((path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(), text));
        }
    }
}

//! The number of workers shows nowhere: not in bytes, words or fingerprints. And what the engine must refuse: cycles, hidden inputs.

use std::sync::atomic::{AtomicU64, Ordering};

use query::{Ctx, Engine, Fp, Interrupt, Kind, Query};

use super::edits::Program;
use super::scene::{self, Built, Scene, Tree, Way};
use crate::evidence::{Evidence, Table};
use crate::random::Random;

/// Numbers of workers.
const WORKERS: [usize; 3] = [1, 2, 8];

/// Builds with each number of workers, from nothing and after an edit, and compares.
pub fn run(evidence: &mut Evidence, rounds: usize) {
    let mut table = Table::new("workers", &["project", "workers", "state"]);
    let mut random = Random::new(77);
    let mut projects: Vec<(String, Tree)> = vec![("import cycle".into(), import_cycle()), ("constant cycle".into(), constant_cycle())];
    for round in 0..rounds {
        projects.push((format!("generated {round}"), Program::new(&mut random).tree()));
    }
    for (name, tree) in &projects {
        let expected = Scene::new("clean", tree).and_then(|scene| scene.clean(1));
        for workers in WORKERS {
            let state = expected.as_ref().map_err(Clone::clone).and_then(|expected| compare(tree, workers, expected));
            let state = match state {
                Ok(wrong) if wrong.is_empty() => "ok".to_owned(),
                Ok(wrong) => wrong.join("; "),
                Err(why) => why,
            };
            if state != "ok" {
                evidence.fail(format!("{name} with {workers} workers: {state}"));
            }
            table.row([name.clone(), workers.to_string(), state]);
        }
        if let (Ok(expected), Some(code)) = (
            &expected,
            match name.as_str() {
                "import cycle" => Some("E0202"),
                "constant cycle" => Some("E0702"),
                _ => None,
            },
        ) && !expected.diagnostics.iter().any(|d| d.code.as_str() == code)
        {
            let said: Vec<&str> = expected.diagnostics.iter().map(|d| d.code.as_str()).collect();
            evidence.fail(format!("{name}: {code} is not said, but [{}]", said.join(" ")));
        }
    }
    evidence.table(table);
    hidden_input(evidence);
}

/// With a store and without, and again when nothing changed.
fn compare(tree: &Tree, workers: usize, expected: &Built) -> Result<Vec<String>, String> {
    let scene = Scene::new("workers", tree)?;
    let mut wrong = scene::differences(&scene.clean(workers)?, expected);
    let way = Way { workers, doubt: false, graph: true };
    wrong.extend(scene::differences(&scene.build(way)?, expected));
    let again = scene.build(way)?;
    wrong.extend(scene::differences(&again, expected));
    if !again.ran.is_empty() {
        wrong.push(format!("{} queries run again after no change, first {}", again.ran.len(), again.ran[0]));
    }
    Ok(wrong)
}

fn project(files: &[(&str, &str)]) -> Tree {
    let manifest = ("ori.toml".to_owned(), "[project]\nname = \"cycles\"\n".to_owned());
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).chain([manifest]).collect()
}

fn import_cycle() -> Tree {
    project(&[
        ("src/main.ori", "use \"./a\" { f };\n@main () -> void = print(msg: str(f(1)));\n"),
        ("src/a.ori", "use \"./b\" { g };\npub @f (n: int) -> int = g(n);\n"),
        ("src/b.ori", "use \"./c\" { h };\npub @g (n: int) -> int = h(n);\n"),
        ("src/c.ori", "use \"./a\" { f };\npub @h (n: int) -> int = if n > 3 then n else f(n + 1);\n"),
    ])
}

fn constant_cycle() -> Tree {
    project(&[
        ("src/main.ori", "use \"./a\" { $one };\n@main () -> void = print(msg: str($one));\n"),
        ("src/a.ori", "pub let $one = $two + 1;\nlet $two = $three + 1;\nlet $three = f(2);\n@f (n: int) -> int = n + $one;\n"),
    ])
}

/// A query that reads what it was not given.
enum Impure {}

static HIDDEN: AtomicU64 = AtomicU64::new(0);

impl Query for Impure {
    const KIND: Kind = Kind(0);
    const NAME: &'static str = "impure";
    type Key = u32;
    type Value = u64;
    fn run(_cx: &Ctx<'_>, _key: &u32) -> Result<u64, Interrupt> {
        Ok(HIDDEN.fetch_add(1, Ordering::Relaxed))
    }
    fn schema() -> Fp {
        Fp::of(&"impure")
    }
    fn key_to_bytes(key: &u32, out: &mut Vec<u8>) {
        out.extend(key.to_le_bytes());
    }
    fn key_from_bytes(bytes: &[u8]) -> Option<u32> {
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }
}

/// Doubting names a query with a hidden input.
fn hidden_input(evidence: &mut Evidence) {
    let mut table = Table::new("purity", &["what", "named as"]);
    let mut engine = Engine::new();
    engine.register::<Impure>();
    let doubted = engine.get::<Impure>(&7).and_then(|_| engine.doubt(None, |_, _| true));
    let named = engine.differences().first().map(|difference| engine.node_name(difference.node)).unwrap_or_default();
    if named != "impure(7)" || doubted != Ok(1) {
        evidence.fail(format!("a query with a hidden input is not named by doubting: `{named}`"));
    }
    table.row(["a query that reads a counter", &named]);
    evidence.table(table);
}

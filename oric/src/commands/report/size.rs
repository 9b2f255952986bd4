//! `oric report size`: where the bytes of an executable go.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ir::ItemId;
use serde_json::json;

use super::executable::{self, Contents};
use super::mono;
use crate::cli::Output;
use crate::commands::build;
use crate::link::{self, Failure};
use crate::queries;
use crate::release::NotMade;
use crate::session::Session;

/// Functions that the text shows; the JSON has all.
const SHOWN: usize = 20;

/// What the file holds, by what it is for, and the functions.
struct Sizes {
    file: u64,
    /// What, and for machines.
    parts: Vec<(&'static str, &'static str, u64)>,
    functions: Vec<(ItemId, u64)>,
}

/// Prints it; the exit status.
pub fn size(session: &mut Session, output: &Output) -> i32 {
    let main = match build::checked_main(session, output) {
        Ok(main) => main,
        Err(status) => return status,
    };
    match sizes(session, main) {
        Ok(sizes) => show(sizes, main, output),
        Err(failure) => return build::failed(&failure, std::path::Path::new("the program"), session, output),
    }
    0
}

fn sizes(session: &mut Session, main: ItemId) -> Result<Sizes, Failure> {
    let Some(parts) = link::parts(session, main)? else {
        let account = session.ask(|session| {
            session.generate(main);
            session.engine.get::<queries::Accounted>(&main)
        });
        return match &**account {
            Ok(account) => Ok(of_account(account)),
            Err(error) => Err(Failure::Link(error.clone())),
        };
    };
    let items = mono::functions(session, main)?;
    let broken = |why| Failure::Release(NotMade::Link(queries::NotLinked::Broken(why)));
    Ok(of_contents(executable::contents(&parts, &items).map_err(broken)?))
}

fn of_account(account: &image::Account) -> Sizes {
    let parts = vec![
        ("code of the program", "code", account.functions.iter().map(|(_, size)| size).sum()),
        ("code of the runtime", "runtime_code", account.runtime_code),
        ("constants of the program", "constants", account.constants),
        ("constants of the runtime", "runtime_constants", account.runtime_constants),
        ("unwind tables: frames of functions", "unwind", account.frames),
        ("positions: calls with pads and places", "sites", account.sites),
        ("positions: items with names and files", "items", account.items),
        ("variables", "variables", account.variables),
        ("symbol table (not with --strip)", "symbols", account.symbols),
    ];
    Sizes { file: account.file, parts, functions: account.functions.clone() }
}

fn of_contents(contents: Contents) -> Sizes {
    let parts = vec![
        ("code of the program", "code", contents.functions.iter().map(|(_, size)| size).sum()),
        ("code of the runtime", "runtime_code", contents.other_code),
        ("constants, with those of the runtime", "constants", contents.constants),
        ("unwind tables", "unwind", contents.unwind),
        ("positions: items with names and files", "items", contents.places),
        ("variables", "variables", contents.variables),
        ("debug info (not with --strip)", "debug", contents.debug),
        ("symbol table (not with --strip)", "symbols", contents.symbols),
    ];
    Sizes { file: contents.file, parts, functions: contents.functions }
}

fn show(sizes: Sizes, main: ItemId, output: &Output) {
    let Sizes { file, mut parts, functions } = sizes;
    let known: u64 = parts.iter().map(|(_, _, size)| size).sum();
    parts.push(("headers, and room between", "rest", file.saturating_sub(known)));
    let code: u64 = functions.iter().map(|(_, size)| size).sum();
    let percent = |bytes: u64, of: u64| if of == 0 { 0.0 } else { 100.0 * bytes as f64 / of as f64 };

    let mut text = String::from("     bytes         of the file\n");
    let line = |text: &mut String, bytes: u64, of: u64, what: &str| {
        let _ = writeln!(text, "{bytes:>10} {:>5.1}%  {what}", percent(bytes, of));
    };
    for &(what, _, bytes) in parts.iter().filter(|(_, _, bytes)| *bytes > 0) {
        line(&mut text, bytes, file, what);
    }
    line(&mut text, file, file, "all");

    let mut modules: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut by_function: BTreeMap<String, u64> = BTreeMap::new();
    for &(item, bytes) in &functions {
        // The entry calls `@main` and nothing else: LLVM makes one function of the two.
        let module = if item == lir::build::entry_item() { main.module() } else { item.module() };
        let row = modules.entry(module.as_str()).or_default();
        *row = (row.0 + bytes, row.1 + 1);
        *by_function.entry(item.to_string()).or_default() += bytes;
    }
    let mut modules: Vec<(&str, (u64, u64))> = modules.into_iter().collect();
    modules.sort_by(|(a, x), (b, y)| y.cmp(x).then(a.cmp(b)));
    text.push_str("\n     bytes         of the program's code, by module\n");
    for &(module, (bytes, count)) in &modules {
        // What the compiler makes for types stands in no module.
        let module = if module.is_empty() { "(made by the compiler)" } else { module };
        line(&mut text, bytes, code, &format!("{module}, {count} function{}", crate::commands::plural(count as usize)));
    }
    let mut rows: Vec<(String, u64)> = by_function.into_iter().collect();
    rows.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
    text.push_str("\n     bytes         of the program's code, by function\n");
    for (name, bytes) in rows.iter().take(SHOWN) {
        line(&mut text, *bytes, code, name);
    }
    if rows.len() > SHOWN {
        let rest = rows[SHOWN..].iter().map(|(_, bytes)| bytes).sum();
        line(&mut text, rest, code, &format!("{} more (--message-format=json has all)", rows.len() - SHOWN));
    }
    let parts: serde_json::Map<String, serde_json::Value> = parts.iter().map(|&(_, name, bytes)| (name.to_owned(), json!(bytes))).collect();
    let modules: Vec<_> =
        modules.iter().map(|(module, (bytes, count))| json!({ "module": module, "bytes": bytes, "functions": count })).collect();
    let rows: Vec<_> = rows.iter().map(|(name, bytes)| json!({ "function": name, "bytes": bytes })).collect();
    super::show(output, "report", &text, json!({ "report": "size", "file": file, "parts": parts, "modules": modules, "functions": rows }));
}

//! `oric report mono`: what generic functions cost (language/08 §8.2).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ir::ItemId;
use serde_json::json;

use super::executable;
use crate::cli::Output;
use crate::commands::build;
use crate::link;
use crate::queries;
use crate::release::{self, NotMade};
use crate::session::Session;

/// Of one generic function.
#[derive(Default)]
struct Row {
    /// Instances that the program reaches.
    instances: u64,
    /// Bodies of them in the executable. LLVM may have copied all calls of one, and may have made several of one.
    copies: u64,
    /// LIR instructions of the instances.
    lir: u64,
    /// Bytes of code of the copies.
    bytes: u64,
}

/// Prints it; the exit status.
pub fn mono(session: &mut Session, output: &Output) -> i32 {
    let main = match build::checked_main(session, output) {
        Ok(main) => main,
        Err(status) => return status,
    };
    let (reached, code) = match reached(session, main) {
        Ok(found) => found,
        Err(failure) => return build::failed(&failure, std::path::Path::new("the program"), session, output),
    };
    let generics: Vec<ItemId> = reached.into_iter().filter(|item| item.is_instance()).collect();
    let sizes = session.ask(|session| {
        let mut sizes = Vec::with_capacity(generics.len());
        for item in &generics {
            sizes.push(u64::from(session.engine.get::<queries::LirOutline>(item)?.size));
        }
        Ok(sizes)
    });
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for (item, lir) in generics.iter().zip(sizes) {
        let row = rows.entry(name(*item)).or_default();
        row.instances += 1;
        row.lir += lir;
    }
    let mut all_code = 0;
    for (item, bytes) in code {
        all_code += bytes;
        if item.is_instance() {
            let row = rows.entry(name(item)).or_default();
            row.copies += 1;
            row.bytes += bytes;
        }
    }
    let mut rows: Vec<(String, Row)> = rows.into_iter().collect();
    rows.sort_by(|(a, x), (b, y)| (y.bytes, y.lir).cmp(&(x.bytes, x.lir)).then_with(|| a.cmp(b)));
    show(&rows, all_code, output);
    0
}

fn show(rows: &[(String, Row)], all_code: u64, output: &Output) {
    let mut sum = Row::default();
    for (_, row) in rows {
        sum.instances += row.instances;
        sum.copies += row.copies;
        sum.lir += row.lir;
        sum.bytes += row.bytes;
    }
    let percent = |bytes: u64| if all_code == 0 { 0.0 } else { 100.0 * bytes as f64 / all_code as f64 };
    let mut text = format!("{:>10} {:>6} {:>9} {:>7} {:>7}  generic function\n", "code bytes", "", "instances", "copies", "LIR");
    let mut data = Vec::new();
    for (name, Row { instances, copies, lir, bytes }) in rows {
        let _ = writeln!(text, "{bytes:>10} {:>5.1}% {instances:>9} {copies:>7} {lir:>7}  {name}", percent(*bytes));
        data.push(json!({ "generic": name, "instances": instances, "copies": copies, "lir": lir, "bytes": bytes }));
    }
    let Row { instances, copies, lir, bytes } = sum;
    let _ = writeln!(
        text,
        "{bytes:>10} {:>5.1}% {instances:>9} {copies:>7} {lir:>7}  all {} of the program's {all_code} bytes of code",
        percent(bytes),
        rows.len()
    );
    let all = json!({ "instances": instances, "copies": copies, "lir": lir, "bytes": bytes });
    super::show(output, "report", &text, json!({ "report": "mono", "rows": data, "all": all, "code": all_code }));
}

/// What the instances have in common: `list.sorted`, `Map'insert`.
fn name(item: ItemId) -> String {
    item.generic().0.to_string()
}

type Reached = (Vec<ItemId>, Vec<(ItemId, u64)>);

/// The functions that the program reaches, and the code that each has in the executable.
pub(super) fn reached(session: &mut Session, main: ItemId) -> Result<Reached, link::Failure> {
    if let Some(parts) = link::parts(session, main)? {
        let items = functions(session, main)?;
        let found =
            executable::contents(&parts, &items).map_err(|why| link::Failure::Release(NotMade::Link(queries::NotLinked::Broken(why))))?;
        return Ok((items, found.functions));
    }
    let account = session.ask(|session| session.engine.get::<queries::Accounted>(&main));
    let account = (**account).as_ref().map_err(|error| link::Failure::Link(error.clone()))?;
    Ok((functions(session, main)?, account.functions.clone()))
}

/// The functions of the program, before LLVM sees them.
pub fn functions(session: &mut Session, main: ItemId) -> Result<Vec<ItemId>, link::Failure> {
    if session.setup.release.is_some() {
        let plan = release::plan(session, main).map_err(link::Failure::Release)?;
        return Ok(plan.functions.iter().map(|(item, _)| *item).collect());
    }
    let reached = session.ask(|session| {
        session.generate(main);
        session.engine.get::<queries::Reachable>(&main)
    });
    let reached = reached.iter().flat_map(|module| module.functions.iter().copied());
    Ok(std::iter::once(lir::build::entry_item()).chain(reached).collect())
}

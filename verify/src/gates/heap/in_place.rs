//! What nobody else holds is changed in place, however deep it lies (language/13 §13.3): counted in programs that do it 2,000 times.
//!
//! Each of them is built with `--mem-debug`. It may find a changed value shared hardly ever, and make few blocks: a copy at each step would be thousands. That the
//! figures would show it is tried without the passes that are to be thanked.

use oric::queries::Options;

use crate::child::Limits;
use crate::evidence::{Evidence, Table};
use crate::program::{Program, checked_options};

/// How a program changes something, its body, and a pass without which it would copy.
const PROGRAMS: [(&str, &str, &str); 23] = [
    ("an element", "let v = rows(100); for q in 0..2000 do v[q % 100] = \"x\"; print(msg: `{v.len()}`);", ""),
    (
        "two elements change places",
        "let v = rows(100); for q in 0..2000 do { let t = v[q % 100]; v[q % 100] = v[q * 7 % 100]; v[q * 7 % 100] = t; } print(msg: `{v.len()}`);",
        "",
    ),
    (
        "an element of a row",
        "let g = [rows(100), rows(100)]; for q in 0..2000 do g[q % 2][q % 100] = \"x\"; print(msg: `{g[0].len()}`);",
        "swap",
    ),
    (
        "an element that was looked at to decide",
        "let g = [[0, 0, 0], [0, 0, 0]]; for q in 0..2000 do if g[q % 2][q % 3] < q then g[q % 2][q % 3] = q else g[q % 2][0] += 1; print(msg: `{g[0]}`);",
        "swap",
    ),
    (
        "a table of the best so far",
        "let t = [(0..1000).iter().collect(), (0..1000).iter().collect()]; for q in 1..1000 do t[1][q] = if t[0][q] % 3 == 0 then t[0][q - 1] + 1 else if t[1][q - 1] > t[0][q] then t[1][q - 1] else t[0][q]; print(msg: `{t[1][999]}`);",
        "",
    ),
    (
        "a stack of stacks",
        "let s = [(0..2500).iter().collect(), (0..2500).iter().collect()]; for q in 0..2000 do if !s[q % 2].is_empty() then s[q % 2] = s[q % 2].take(s[q % 2].len() - 1); print(msg: `{s[0].len()}`);",
        "swap",
    ),
    (
        "an element in three dimensions",
        "let g = (0..10).iter().map(_ -> (0..10).iter().map(_ -> [1, 2]).collect()).collect(); for q in 0..2000 do g[q % 10][q % 9][0] += 1; print(msg: `{g[0][0]}`);",
        "swap",
    ),
    (
        "a text of a row grows",
        "let g = [rows(100), rows(100)]; for q in 0..2000 do g[q % 2][q % 100] += \"x\"; print(msg: `{g[0].len()}`);",
        "swap",
    ),
    ("a field of an element of a field", "let b = box(100); for q in 0..2000 do b.rows[q % 100].n += 1; print(msg: `{b.rows.len()}`);", ""),
    (
        "a map in a list",
        "let xs: [{int: int}] = [{}, {}]; for q in 0..2000 do xs[q % 2][q % 100] = q; print(msg: `{xs[0].len()}`);",
        "swap",
    ),
    (
        "a set in a list",
        "let xs: [Set<int>] = [Set.new(), Set.new()]; for q in 0..2000 do xs[q % 2] = xs[q % 2].insert(value: q % 100); print(msg: `{xs[0].len()}`);",
        "swap",
    ),
    (
        "a map in a struct in a list",
        "let xs = [box(10), box(10)]; for q in 0..2000 do xs[q % 2].by_number[q % 100] = (xs[q % 2].by_number[q % 100] ?? 0) + 1; print(msg: `{xs[0].by_number.len()}`);",
        "swap",
    ),
    ("counting in a map", "let m: {int: int} = {}; for q in 0..2000 do m[q % 100] = (m[q % 100] ?? 0) + 1; print(msg: `{m.len()}`);", ""),
    ("a list in a map", "let m: {int: [int]} = {}; for q in 0..2000 do m[q % 4] = (m[q % 4] ?? []).push(q); print(msg: `{m.len()}`);", ""),
    (
        "an element of a list in a map",
        "let m = {1: rows(100), 2: rows(100)}; for q in 0..2000 do { let row = m[q % 2 + 1] ?? []; row[q % 100] = \"x\"; m[q % 2 + 1] = row; } print(msg: `{m.len()}`);",
        "lookups",
    ),
    (
        "a map in a map",
        "let m: {int: {int: int}} = {}; for q in 0..2000 do m[q % 4] = (m[q % 4] ?? {}).insert(key: q % 100, value: q); print(msg: `{m.len()}`);",
        "lookups",
    ),
    (
        "a set in a map",
        "let m: {int: Set<int>} = {}; for q in 0..2000 do m[q % 4] = (m[q % 4] ?? Set.new()).insert(value: q % 100); print(msg: `{m.len()}`);",
        "lookups",
    ),
    (
        "a map in a map in a field",
        "let b = box(1); for q in 0..2000 do b.of_maps[q % 4] = (b.of_maps[q % 4] ?? {}).insert(key: q % 100, value: q); print(msg: `{b.of_maps.len()}`);",
        "lookups",
    ),
    (
        "a map in a map by two statements",
        "let m: {int: {int: int}} = {}; for q in 0..2000 do { let inner = m[q % 4] ?? {}; inner[q % 100] = q; m[q % 4] = inner; } print(msg: `{m.len()}`);",
        "lookups",
    ),
    (
        "a method that changes what it is called on",
        "let xs = [box(10), box(10)]; for q in 0..2000 do xs[q % 2].note(key: q % 10, n: q); print(msg: `{xs[0].lists.len()}`);",
        "swap",
    ),
    (
        "a stack of numbers",
        "let st = [1, 2, 3]; for q in 0..2000 do { st = st.push(q); st = st.take(st.len() - 1); } print(msg: `{st.len()}`);",
        "",
    ),
    (
        "a stack of texts, the top one changed",
        "let st = rows(100); for q in 0..2000 do { let top = st[# - 1]; st = st.take(st.len() - 1); st = st.push(top + \"x\"); } print(msg: `{st.len()}`);",
        "",
    ),
    (
        "a stack of structs with a map",
        "let st = [box(10), box(10)]; for q in 0..2000 do { let top = st[# - 1]; st = st.take(st.len() - 1); top.by_number[q % 100] = q; st = st.push(top); } print(msg: `{st.len()}`);",
        "early",
    ),
];

/// What the programs have in common.
const HEAD: &str = "type Row = { name: str, n: int }
type Box = { rows: [Row], by_number: {int: int}, of_maps: {int: {int: int}}, lists: {int: [int]} }
impl Box { @note (self, key: int, n: int) -> void = { let list = self.lists[key] ?? []; self.lists[key] = list.push(n); } }
@rows (n: int) -> [str] = (0..n).iter().map(i -> `a text that has a block of its own {i}`).collect();
@box (n: int) -> Box = Box { rows: rows(n).iter().map(name -> Row { name, n: 0 }).collect(), by_number: {}, of_maps: {}, lists: {} };
";
/// Steps of each program.
const STEPS: u64 = 2000;
/// More changed values than this must not be found shared, in a program.
const SHARED: u64 = 8;

/// What a program has done.
struct Counted {
    blocks: u64,
    shared: u64,
}

fn counted(body: &str, without: &str) -> Result<Counted, String> {
    let source = format!("{HEAD}@main () -> void = {{ {body} }}\n");
    let passes_off = if without.is_empty() { Vec::new() } else { vec![without.to_owned()] };
    let options = Options { mem_debug: true, passes_off, ..checked_options() };
    let program = Program::of_text(&source, options).map_err(|refusal| refusal.to_string())?;
    let ending = super::checked(&program.image()?, &[], &[("ORI_RC_STATS", "1")], Limits::default())?;
    if ending.status != Some(0) {
        return Err(ending.line());
    }
    let text = String::from_utf8_lossy(&ending.stderr).into_owned();
    let counts = super::Told::of(&text).ok_or_else(|| format!("no counts: {}", ending.line()))?;
    Ok(Counted { blocks: counts.count(" allocations")?, shared: counts.count(" with more")? })
}

/// Counts.
pub fn check(evidence: &mut Evidence) {
    let mut table =
        Table::new("in place", &["what is changed 2,000 times", "blocks", "found shared", "without the pass", "blocks", "found shared"]);
    for (what, body, pass) in PROGRAMS {
        let found = counted(body, "").and_then(|with| match pass {
            "" => Ok((with, None)),
            pass => Ok((with, Some(counted(body, pass)?))),
        });
        match found {
            Ok((with, without)) => {
                if with.shared > SHARED || with.blocks > STEPS / 2 {
                    evidence.fail(format!("{what}: {} blocks, and {} times found shared", with.blocks, with.shared));
                }
                if without.as_ref().is_some_and(|without| without.shared < STEPS / 4) {
                    evidence.fail(format!("{what}: nothing shows that it is copied without {pass}"));
                }
                let [blocks, shared] =
                    without.map_or(["", ""].map(str::to_owned), |without| [without.blocks, without.shared].map(|n| n.to_string()));
                table.row([what.to_owned(), with.blocks.to_string(), with.shared.to_string(), pass.to_owned(), blocks, shared]);
            }
            Err(why) => evidence.fail(format!("{what}: {why}")),
        }
    }
    evidence.table(table);
}

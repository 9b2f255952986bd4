//! `native-memory-control-check`: what a native program takes it gives back, however deep it goes, and what it does not give back is reported.

mod colliding;
mod in_place;
pub mod injected;

use std::process::Command;

use lir::Op;

use crate::child::{self, Ending, Limits};
use crate::corpus::{self, Entry};
use crate::evidence::{Evidence, Table};
use crate::program::{Program, checked_options};
use crate::workers;

/// Values deeper than any stack, each dropped while a stack of 256 KiB is all there is; the last is made in one, too.
const DEEP: [(&str, &str, &str); 3] = [
    (
        "a list of 10,000,000 nodes",
        "type Chain = End | Link(next: Chain, n: int);
@build (n: int, rest: Chain) -> Chain = if n == 0 then rest else build(n: n - 1, rest: Link(next: rest, n: n));
@head (chain: Chain) -> int = match chain { End -> 0, Link(next: _, n: n) -> n };
@main () -> void = { let chain = build(n: 10000000, rest: End); print(msg: `{head(chain: chain)}`); }
",
        "1\n",
    ),
    (
        "a tree of 3,000,000 nodes that leans to the left",
        "type Tree = Leaf(text: str) | Node(left: Tree, right: Tree);
@build (n: int, tree: Tree) -> Tree =
    if n == 0 then tree else build(n: n - 1, tree: Node(left: tree, right: Leaf(text: \"a text that has a block\" + \" of its own\")));
@kind (tree: Tree) -> str = match tree { Leaf(_) -> \"leaf\", Node(_, _) -> \"node\" };
@main () -> void = { let tree = build(n: 3000000, tree: Leaf(text: \"x\")); print(msg: kind(tree: tree)); }
",
        "node\n",
    ),
    (
        "a list of 3,000,000 nodes from functions that call themselves in `Link`",
        "type Chain = End | Link(n: int, next: Chain);
@upto (a: int, b: int) -> Chain = if a == b then End else Link(n: a, next: upto(a: a + 1, b: b));
@doubled (chain: Chain) -> Chain = match chain { End -> End, Link(n: n, next: next) -> Link(n: 2 * n, next: doubled(chain: next)) };
@odd (chain: Chain) -> Chain = match chain {
    End -> End,
    Link(n: n, next: next) -> if n % 2 == 1 then Link(n: n, next: odd(chain: next)) else odd(chain: next),
};
@sum (chain: Chain, all: int) -> int = match chain { End -> all, Link(n: n, next: next) -> sum(chain: next, all: all + n) };
@main () -> void = {
    let chain = upto(a: 0, b: 3000000);
    let held = chain;
    print(msg: `{sum(chain: doubled(chain: chain), all: 0)} {sum(chain: odd(chain: held), all: 0)}`);
}
",
        "8999997000000 2250000000000\n",
    ),
];

/// A program that holds a text; one hold of it not given up, and it leaks.
const PLANTED: &str = "@twice (text: str) -> str = text + text;
@main (args: [str]) -> void = {
    let text = twice(text: `a text {args.len()} for the heap of the program`);
    print(msg: text);
    print(msg: text);
}
";

/// Runs `native-memory-control-check`.
pub fn run() -> bool {
    let mut evidence = Evidence::new("native-memory-control-check");
    leaks(&mut evidence);
    depth(&mut evidence);
    planted(&mut evidence);
    colliding::check(&mut evidence);
    in_place::check(&mut evidence);
    injected::planted(&mut evidence);
    injected::check(&mut evidence, injected::SAMPLE);
    evidence.close()
}

/// Runs the image with leaks checked, and with these variables besides.
fn checked(image: &[u8], args: &[String], more: &[(&str, &str)], limits: Limits) -> Result<Ending, String> {
    let program = child::Program::new(image).map_err(|error| error.to_string())?;
    let mut command = Command::new(program.path());
    command.args(args).env("ORI_CHECK_LEAKS", "1").envs(more.iter().copied());
    child::run(&mut command, limits).map_err(|error| error.to_string())
}

/// What `ORI_RC_STATS=1` told, as the last line of a program built with `--mem-debug`.
struct Told<'t>(&'t str);

impl<'t> Told<'t> {
    /// The line; nothing where a program ended without it.
    fn of(text: &'t str) -> Option<Told<'t>> {
        text.lines().last().filter(|line| line.starts_with("rc: ")).map(Told)
    }

    /// The number in front of these words.
    fn count(&self, what: &str) -> Result<u64, String> {
        let pieces = self.0.trim_start_matches("rc: ").split(", ");
        let mut found = pieces.filter_map(|piece| piece.strip_suffix(what)?.trim_end().parse().ok());
        found.next().ok_or_else(|| format!("cannot be read: {}", self.0))
    }
}

/// Every program that runs does the same with its leaks checked: so it has none.
fn leaks(evidence: &mut Evidence) {
    let programs = corpus::programs();
    let check = |entry: &Entry| -> Result<bool, String> {
        let program = Program::load(&entry.file, checked_options(), 1).map_err(|refusal| refusal.to_string())?;
        let image = program.image()?;
        let plain = crate::program::run(&image, &entry.args, Limits::default())?;
        let with_check = checked(&image, &entry.args, &[], Limits::default())?;
        // Where the stack ends depends on what stands above it.
        let exhausted = plain.stderr.starts_with(b"fatal: stack overflow");
        match plain == with_check || exhausted && plain.status == with_check.status {
            true => Ok(exhausted),
            false => Err(format!("with leaks checked: {}", with_check.line())),
        }
    };
    let mut exhausted = 0usize;
    for (entry, result) in programs.iter().zip(workers::each(&programs, check)) {
        match result {
            Ok(Ok(is_exhausted)) => exhausted += usize::from(is_exhausted),
            Ok(Err(why)) | Err(why) => evidence.fail(format!("{}: {why}", entry.name)),
        }
    }
    let mut table = Table::new("leaks", &["what", "count"]);
    table.row(["programs that ran natively with leaks checked".to_owned(), programs.len().to_string()]);
    table.row(["of these, ended by an exhausted stack, where nothing is checked".to_owned(), exhausted.to_string()]);
    evidence.table(table);
    if programs.is_empty() {
        evidence.fail("no program ran");
    }
}

fn depth(evidence: &mut Evidence) {
    let mut table = Table::new("depth", &["what", "stack", "ending"]);
    for (what, source, output) in DEEP {
        let ending = Program::of_text(source, checked_options())
            .map_err(|refusal| refusal.to_string())
            .and_then(|program| program.image())
            .and_then(|image| checked(&image, &[], &[("ORI_STACK_SIZE", "262144")], Limits { memory: 4 << 30, ..Limits::default() }));
        match ending {
            Ok(ending) => {
                if ending.status != Some(0) || ending.stdout != output.as_bytes() || !ending.stderr.is_empty() {
                    evidence.fail(format!("{what}: {}", ending.line()));
                }
                table.row([what.to_owned(), "256 KiB".to_owned(), format!("status {:?}", ending.status)]);
            }
            Err(why) => evidence.fail(format!("{what}: {why}")),
        }
    }
    evidence.table(table);
}

/// Each op that gives something up, taken out of the code, is a leak that the report names, and the status is 3.
fn planted(evidence: &mut Evidence) {
    let mut table = Table::new("planted", &["taken out", "ending"]);
    let result = plant(&mut table);
    match result {
        Ok(count) if count > 0 => {}
        Ok(_) => evidence.fail("no leak could be planted"),
        Err(why) => evidence.fail(why),
    }
    evidence.table(table);
}

fn plant(table: &mut Table) -> Result<usize, String> {
    let (image, leaky) = with_leaks()?;
    let honest = checked(&image, &[], &[], Limits::default())?;
    if honest.status != Some(0) || !honest.stderr.is_empty() {
        return Err(format!("the honest program: {}", honest.line()));
    }
    let mut count = 0;
    for (item, image) in leaky {
        let ending = checked(&image, &[], &[], Limits::default())?;
        table.row([format!("text_drop of @{item}"), ending.line()]);
        // What no run comes by may stay away.
        if ending == honest {
            continue;
        }
        let report = String::from_utf8_lossy(&ending.stderr).into_owned();
        if ending.status != Some(3) || !report.starts_with("leak: ") || !report.contains("\n  str ") {
            return Err(format!("a planted leak of @{item} is reported as {}", ending.line()));
        }
        count += 1;
    }
    // Built with `--mem-debug`, it says where.
    let watched = oric::queries::Options { mem_debug: true, ..checked_options() };
    for (item, image) in with_leaks_of(watched)?.1 {
        let ending = checked(&image, &[], &[], Limits::default())?;
        let report = String::from_utf8_lossy(&ending.stderr).into_owned();
        if ending.status == Some(3)
            && !report.lines().skip(1).all(|line| line.contains(", allocated at ") && line.contains(".ori:") && line.contains(" in @"))
        {
            return Err(format!("the leak of @{item} has no site: {}", ending.line()));
        }
        table.row([format!("text_drop of @{item}, with --mem-debug"), ending.line()]);
    }
    Ok(count)
}

/// A program, and it with each op that gives something up taken out of the code of a function.
#[expect(clippy::type_complexity, reason = "one image, and others with what is wrong in them")]
pub fn with_leaks() -> Result<(Vec<u8>, Vec<(ir::ItemId, Vec<u8>)>), String> {
    with_leaks_of(checked_options())
}

#[expect(clippy::type_complexity, reason = "one image, and others with what is wrong in them")]
fn with_leaks_of(options: oric::queries::Options) -> Result<(Vec<u8>, Vec<(ir::ItemId, Vec<u8>)>), String> {
    let program = Program::of_text(PLANTED, options).map_err(|refusal| refusal.to_string())?;
    let mut leaky = Vec::new();
    for item in program.functions() {
        let Some(body) = program.lir(item) else { continue };
        for (block, row) in body.blocks.iter() {
            for (at, &inst) in row.insts.iter().enumerate() {
                if body.op(inst) == Op::Runtime && body.insts[inst].imm == abi::RuntimeCall::TextDrop as u64 {
                    let mut body = (*body).clone();
                    body.blocks[block].insts.remove(at);
                    leaky
                        .push((item, program.image_with(oric::assemble::assemble(item, &body, true).map_err(|limit| limit.to_string())?)?));
                }
            }
        }
    }
    Ok((program.image()?, leaky))
}

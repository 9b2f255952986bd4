//! Random edits of a generated project: after each, everything is what a build from nothing gives, and every green answer survives being doubted.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::oracle::{self, Oracle};
use super::scene::{self, Scene, Tree, Way};
use crate::evidence::{Evidence, Table};
use crate::random::Random;
use crate::workers;

/// Modules below the main one.
const MODULES: usize = 12;

/// A function of the generated project.
#[derive(Clone, Debug)]
struct Function {
    name: usize,
    params: usize,
    factor: u64,
    shape: usize,
    calls: Vec<(usize, usize)>,
    comment: Option<u64>,
    mistake: bool,
}

#[derive(Clone, Debug)]
struct Module {
    functions: Vec<Function>,
    constant: u64,
    fields: usize,
    /// An import that nothing uses: a warning.
    idle: Option<(usize, usize)>,
    blank: usize,
}

/// A project as what it is made of.
#[derive(Clone, Debug)]
pub struct Program {
    modules: Vec<Module>,
    next: usize,
}

impl Program {
    /// A project from a seed.
    pub fn new(random: &mut Random) -> Program {
        let mut program = Program { modules: Vec::new(), next: 0 };
        for module in 0..MODULES {
            program.modules.push(Module {
                functions: Vec::new(),
                constant: random.next() % 100,
                fields: 1 + random.below(3),
                idle: None,
                blank: 1,
            });
            for _ in 0..2 + random.below(4) {
                program.add(random, module);
            }
        }
        program
    }

    fn add(&mut self, random: &mut Random, module: usize) {
        let name = self.next;
        self.next += 1;
        let mut function = Function {
            name,
            params: 1 + random.below(2),
            factor: random.next() % 50,
            shape: random.below(4),
            calls: Vec::new(),
            comment: None,
            mistake: false,
        };
        function.calls = self.targets(random, module, self.modules[module].functions.len());
        self.modules[module].functions.push(function);
    }

    /// What a function may call: functions before it in its module, and those of modules before.
    fn targets(&self, random: &mut Random, module: usize, at: usize) -> Vec<(usize, usize)> {
        let mut targets = Vec::new();
        for _ in 0..random.below(4) {
            let other = random.below(module + 1);
            let functions = &self.modules[other].functions;
            let until = if other == module { at.min(functions.len()) } else { functions.len() };
            if let Some(callee) = functions.get(random.below(until)).filter(|_| until > 0) {
                targets.push((other, callee.name));
            }
        }
        targets
    }

    /// Parameters of a function, if it is still there.
    fn params(&self, (module, name): (usize, usize)) -> Option<usize> {
        self.modules.get(module)?.functions.iter().find(|function| function.name == name).map(|function| function.params)
    }

    fn call(&self, target: (usize, usize), value: &str) -> String {
        // What was removed is called as if it were there: an error, as in life.
        match self.params(target) {
            Some(2) => format!("f{}(a: {value}, b: 3)", target.1),
            Some(_) | None => format!("f{}(a: {value})", target.1),
        }
    }

    fn module(&self, at: usize) -> String {
        let module = &self.modules[at];
        let mut out = format!("// Module {at}.\n");
        let used: BTreeSet<(usize, usize)> = module.functions.iter().flat_map(|f| f.calls.iter().copied()).chain(module.idle).collect();
        for other in (0..at).filter(|other| used.iter().any(|(module, _)| module == other)) {
            let names: Vec<String> = used.iter().filter(|(module, _)| module == &other).map(|(_, name)| format!("f{name}")).collect();
            let _ = writeln!(out, "use \"./m{other}\" {{ {} }};", names.join(", "));
        }
        let fields: Vec<String> = (0..module.fields).map(|field| format!("x{field}: int")).collect();
        let values: Vec<String> = (0..module.fields).map(|field| format!("x{field}: {field}")).collect();
        let _ = writeln!(out, "\ntype T{at} = {{ {} }}\nlet $k{at} = {};{}", fields.join(", "), module.constant, "\n".repeat(module.blank));
        for function in &module.functions {
            if let Some(comment) = function.comment {
                let _ = writeln!(out, "// Note {comment}.");
            }
            let params = if function.params == 2 { "a: int, b: int" } else { "a: int" };
            let b = if function.params == 2 { "b" } else { "2" };
            let (name, factor) = (function.name, function.factor);
            let _ = writeln!(out, "pub @f{name} ({params}) -> int = {{\n    let x = a % 1000 + {factor};");
            let _ = match function.shape {
                0 => writeln!(out, "    x += {b};"),
                1 => writeln!(out, "    for i in 0..{b} % 10 do x += i * {factor};"),
                2 => writeln!(out, "    let t = T{at} {{ {} }};\n    x += t.x0 + $k{at};", values.join(", ")),
                _ => writeln!(out, "    if x > $k{at} then x = x - {b} else x = x * 3;"),
            };
            for target in &function.calls {
                let _ = writeln!(out, "    x += {} % 7;", self.call(*target, "x"));
            }
            let _ = writeln!(out, "    {}\n}}\n", if function.mistake { "x + true" } else { "x" });
        }
        out
    }

    /// Its files.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::from([("ori.toml".to_owned(), "[project]\nname = \"generated\"\n[testing]\ncoverage = \"off\"\n".to_owned())]);
        let mut main = String::new();
        let mut prints = String::new();
        for (at, module) in self.modules.iter().enumerate() {
            tree.insert(format!("src/m{at}.ori"), self.module(at));
            if let Some(last) = module.functions.last() {
                let _ = writeln!(main, "use \"./m{at}\" {{ f{} }};", last.name);
                let _ = writeln!(prints, "    print(msg: str({}));", self.call((at, last.name), &at.to_string()));
            }
        }
        let _ = write!(main, "\n@main () -> void = {{\n{prints}}}\n");
        tree.insert("src/main.ori".to_owned(), main);
        tree
    }

    /// One edit; its name.
    pub fn edit(&mut self, random: &mut Random) -> &'static str {
        let at = random.below(self.modules.len());
        let count = self.modules[at].functions.len();
        let which = random.below(count);
        let kind = random.below(13);
        let calls = self.targets(random, at, which);
        let import = random.below(at.max(1));
        let idle = self.modules[import].functions.first().map(|f| (import, f.name)).filter(|_| at > 0);
        if kind == 8 {
            self.add(random, at);
            return "function added";
        }
        let module = &mut self.modules[at];
        if kind == 9 {
            if count > 1 {
                module.functions.remove(which);
            }
            return "function removed";
        }
        if kind == 10 {
            module.constant += 1;
            return "constant";
        }
        if kind == 11 {
            module.fields = module.fields % 3 + 1;
            return "struct field";
        }
        if kind == 12 {
            module.idle = if module.idle.is_some() { None } else { idle };
            return "import";
        }
        let Some(function) = module.functions.get_mut(which) else { return "nothing" };
        match kind {
            0 | 1 => {
                function.factor += 1;
                "body"
            }
            2 => {
                function.shape = (function.shape + 1) % 4;
                "shape of a body"
            }
            3 => {
                function.calls = calls;
                "calls"
            }
            4 => {
                function.params = 3 - function.params;
                "signature"
            }
            5 => {
                function.comment = Some(random.next() % 10);
                "comment"
            }
            6 => {
                function.mistake = !function.mistake;
                "mistake"
            }
            _ => {
                module.blank = module.blank % 5 + 1;
                "blank lines"
            }
        }
    }
}

/// What a script found.
#[derive(Default)]
struct Found {
    edits: usize,
    broken: usize,
    patched: usize,
    ran: usize,
    doubted: usize,
    recalled: usize,
    forgotten: usize,
    wrong: Vec<String>,
    kinds: BTreeSet<&'static str>,
}

/// One script: `edits` edits from a seed.
fn script(seed: u64, edits: usize) -> Result<Found, String> {
    let mut random = Random::new(seed);
    let mut program = Program::new(&mut random);
    let mut scene = Scene::new("edits", &program.tree())?;
    let mut oracle = Oracle::default();
    let mut history: Vec<Program> = Vec::new();
    let mut found = Found::default();
    let mut broken = 0;
    for step in 0..=edits {
        let mut name = "cold";
        if step > 0 {
            // Undo often, and whenever the project has been broken for a while.
            if !history.is_empty() && (broken > 2 || random.one_in(4)) {
                name = "undo";
                program = history.pop().unwrap_or(program);
            } else {
                history.push(program.clone());
                name = program.edit(&mut random);
            }
            scene.become_tree(&program.tree())?;
        }
        let clean = scene.clean(1)?;
        let built = scene.build(Way { workers: 1, doubt: true, graph: true })?;
        let mut wrong = scene::differences(&built, &clean);
        let must = oracle.must_run(&clean.graph, &built.graph, scene.tree(), built.how);
        wrong.extend(oracle::compare(&built.ran, &must));
        wrong.extend(
            built.doubts.first().map(|node| format!("{} nodes gave another answer when doubted, first {node}", built.doubts.len())),
        );
        wrong.extend(built.warnings.first().map(|warning| format!("warns: {warning}")));
        found.wrong.extend(wrong.into_iter().map(|what| format!("seed {seed}, edit {step} ({name}): {what}")));
        broken = if built.image.is_none() { broken + 1 } else { 0 };
        found.edits += usize::from(step > 0);
        found.broken += usize::from(built.image.is_none());
        found.patched += usize::from(built.how == Some(oric::link::How::Patched));
        found.ran += if step > 0 { built.ran.len() } else { 0 };
        found.doubted += built.doubted;
        found.recalled += usize::from(step > 0 && built.ran.is_empty());
        found.kinds.insert(name);
        found.forgotten = oracle.forgotten;
        if found.wrong.len() > 20 {
            break;
        }
    }
    Ok(found)
}

/// Runs scripts of edits.
pub fn run(evidence: &mut Evidence, scripts: usize, edits: usize) {
    let seeds: Vec<u64> = (1..=scripts as u64).collect();
    let mut total = Found::default();
    for (seed, result) in seeds.iter().zip(workers::each(&seeds, |&seed| script(seed, edits))) {
        match result.and_then(|result| result) {
            Ok(found) => {
                total.edits += found.edits;
                total.broken += found.broken;
                total.patched += found.patched;
                total.ran += found.ran;
                total.doubted += found.doubted;
                total.recalled += found.recalled;
                total.forgotten += found.forgotten;
                total.wrong.extend(found.wrong);
                total.kinds.extend(found.kinds);
            }
            Err(why) => total.wrong.push(format!("seed {seed}: {why}")),
        }
    }
    let mut table = Table::new("random edits", &["what", "count"]);
    let mut row = |what: &str, count: usize| table.row([what.to_owned(), count.to_string()]);
    row("edits, each compared with a clean build", total.edits);
    row("kinds of edits", total.kinds.len());
    row("builds with errors", total.broken);
    row("executables patched", total.patched);
    row("edits after which nothing ran", total.recalled);
    row("queries that ran", total.ran);
    row("of them because a state was forgotten (not asked for while the program had errors)", total.forgotten);
    row("green queries doubted", total.doubted);
    evidence.table(table);
    if total.edits < scripts * edits || total.patched == 0 || total.doubted == 0 || total.broken == 0 {
        evidence.fail("random edits: not everything was tried");
    }
    for wrong in total.wrong {
        evidence.fail(wrong);
    }
}

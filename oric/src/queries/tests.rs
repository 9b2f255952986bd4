//! Tests as a program: which there are, which can run, and the one image that holds them all.
//!
//! The image of tests is a program like another. Its entry is [`tests_item`], a body of MIR that no source has: it calls the test with
//! the number that the runtime gives it: that of its first argument, or the next one that a server of tests is asked for (`rt/src/serve.rs`). So one link
//! serves all tests, and an edit patches it. Its root is [`tests_module`], which imports the modules that hold tests: nothing of it is in a built program.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hir::Type;
use ir::item::ItemPath;
use ir::ssa::{ENTRY, Graph, NewInst};
use ir::{ItemId, Namespace, Place, PlaceId, Symbol};
use mir::{Body, Mono, Op};
use query::Interrupt;
use serde::{Deserialize, Serialize};
use syntax::tree::{AttributeValue, Item, ItemKind};
use syntax::{Anchor, Diagnostic, DiagnosticCode, Severity, Span};

use super::{
    BodyReport, Diagnostics, ImportCycles, Levels, LirBody, LirOutline, MachineCode, Mentions, ModuleFile, Modules, Parse, Position,
    Provider, Signature, TestCode, TestPlaces, TestReport, TestRun, TestShows, TestSites, TestVerdict, Tests,
};

/// Where tests are.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Sites {
    /// Is the program a package, whose tests stand in `_test/`?
    pub package: bool,
    /// Modules that hold tests, or may.
    pub modules: Vec<Symbol>,
    /// The other modules of a whole package, imported by somebody or not.
    pub sources: Vec<Symbol>,
    /// The part of a package that is meant.
    pub part: Option<OneFile>,
    /// Files that are named wrongly (E0036; E0516 for those in `_test/` that are no tests), below the package.
    pub strays: Vec<String>,
}

/// One file of a package.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OneFile {
    /// The module whose tests are meant, and no others: those that are attached to something of it (language/11 §11.7).
    pub module: Symbol,
    /// The file of tests that is named after it: its floating tests are meant too.
    pub tests: Symbol,
}

impl Sites {
    /// The roots of the image of tests.
    pub fn roots(&self) -> impl DoubleEndedIterator<Item = Symbol> {
        self.modules.iter().chain(&self.sources).copied()
    }
}

/// How a test is run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub enum How {
    /// By calling it: its number in the image.
    Run(u32),
    /// `#skip`
    Skip,
    /// `#compile_fail`: by looking at what the check said of it.
    Compare,
    /// Not at all: something that it reaches does not compile.
    Broken,
}

/// A test of the program.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct TestRow {
    /// The test.
    pub item: ItemId,
    /// How it is run.
    pub how: How,
    /// The text that a panic (`#fail`) or an error (`#compile_fail`) must contain, or the reason of `#skip`.
    pub text: Option<String>,
    /// Is its target `_`?
    pub floating: bool,
}

/// A test with the code that it reaches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct CodeKey {
    /// The test.
    pub test: ItemId,
    /// [`TestCode`] of it.
    pub code: u128,
}

/// A run of a test. Equal code does the same; what it says of places depends on where its items stand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct RunKey {
    /// The test and its code.
    pub of: CodeKey,
    /// [`TestPlaces`] of it, when the run shows places.
    pub places: Option<u128>,
}

/// How a run of a test ended, and what it wrote.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Run {
    /// Wait status of its process.
    pub status: i32,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Run {
    /// Can a line number be in what it wrote? Panics and `dbg` write to standard error; nothing else names places.
    pub fn shows_places(&self) -> bool {
        !self.stderr.is_empty()
    }
}

/// The root of the image of tests. No file has this name.
pub fn tests_module() -> Symbol {
    Symbol::new("&tests")
}

/// Is it a module of a `_test/` folder?
pub fn is_test_module(module: Symbol) -> bool {
    hir::resolve::is_test_module(module)
}

/// The function that calls the test that its first argument names, `@&tests` in dumps.
pub fn tests_item() -> ItemId {
    ItemId::new(ItemPath { module: Symbol::new(""), namespace: Namespace::Other, name: Symbol::new("tests"), disambiguator: 0 })
}

/// The body of [`tests_item`].
pub(super) fn body(tests: &[ItemId]) -> Body<Mono> {
    let mut graph: Graph<mir::ir::Mir> = Graph::new(tests_item(), vec![Type::VOID]);
    let first = graph.add_block();
    let args = graph.add_param(first, Type::list(Type::STR));
    let place = graph.places.add(Place { item: tests_item(), line: 1, column: 1, inlined_at: PlaceId::NONE });
    let blocks: Vec<_> = tests.iter().map(|_| graph.add_block()).collect();
    let (other, pad) = (graph.add_block(), graph.add_block());
    graph.append(pad, NewInst::new(Op::Resume), &[]);
    let zero = graph.append1(ENTRY, NewInst::new(Op::Int), Type::INT);
    let risky = |op| NewInst { place, unwind: Some(pad), ..NewInst::new(op) };
    let text = graph.append1(ENTRY, NewInst { args: &[args, zero], ..risky(Op::ListGet) }, Type::STR);
    let asked = NewInst { args: &[text], imm: abi::RuntimeCall::TestNumber as u64, flags: mir::ops::NOUNWIND, ..NewInst::new(Op::Runtime) };
    let number = graph.append1(ENTRY, asked, Type::INT);
    let imm = graph.add_cases(0..tests.len() as i64);
    let targets: Vec<_> = blocks.iter().chain([&other]).map(|&block| (block, &[][..])).collect();
    graph.append(ENTRY, NewInst { args: &[number], imm, targets: &targets, ..NewInst::new(Op::Switch) }, &[]);
    for (test, &block) in tests.iter().zip(&blocks) {
        let call = NewInst { imm: u64::from(test.raw()), ..risky(Op::Call) };
        let result = graph.append1(block, call, Type::VOID);
        graph.append(block, NewInst { args: &[result], ..NewInst::new(Op::Return) }, &[]);
    }
    let unit = graph.append1(other, NewInst::new(Op::Unit), Type::VOID);
    graph.append(other, NewInst { args: &[unit], ..NewInst::new(Op::Return) }, &[]);
    Body::new(graph)
}

/// The attribute with this name, and its text.
fn attribute(item: &Item, name: &str) -> Option<Option<String>> {
    let found = item.attributes.iter().find(|attribute| attribute.name.as_str() == name)?;
    Some(match found.args.first() {
        Some((None, AttributeValue::Str(text), _)) => Some(text.as_str().to_owned()),
        _ => None,
    })
}

/// Must the test not compile?
pub(super) fn is_compile_fail(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Test { .. }) && attribute(item, "compile_fail").is_some()
}

/// Is it about the attributes of an item?
pub(super) fn is_about_attributes(diagnostic: &Diagnostic) -> bool {
    use DiagnosticCode as Code;
    matches!(diagnostic.code, Code::E0106 | Code::E0107 | Code::E0108 | Code::E0517)
}

/// Everything that a test reaches, in the order of discovery: its functions, and whatever else their code names the places of.
fn reached(levels: &Levels<'_, '_>, test: ItemId) -> Result<(Vec<ItemId>, Vec<ItemId>), Interrupt> {
    let (mut functions, mut items) = (vec![test], Vec::new());
    let mut seen = HashSet::from([test]);
    let mut next = 0;
    let is_release = is_release(levels)?;
    while let Some(&function) = functions.get(next) {
        next += 1;
        // LLVM gets LIR, and nobody makes machine code for it.
        if is_release {
            let outline = levels.get::<LirOutline>(&function)?;
            functions.extend(outline.callees.iter().filter(|callee| seen.insert(**callee)));
            items.extend_from_slice(&outline.items);
            continue;
        }
        let mentions = levels.get::<Mentions>(&function)?;
        functions.extend(mentions.callees.iter().filter(|callee| seen.insert(**callee)));
        items.extend_from_slice(&mentions.items);
    }
    items.retain(|item| seen.insert(*item));
    Ok((functions, items))
}

/// Does LLVM compile the tests?
fn is_release(levels: &Levels<'_, '_>) -> Result<bool, Interrupt> {
    Ok(super::back::link_options(levels)?.lane != 0)
}

impl Provider for TestCode {
    fn provide(levels: &Levels<'_, '_>, test: &ItemId) -> Result<u128, Interrupt> {
        let (functions, _) = reached(levels, *test)?;
        let lane = super::back::link_options(levels)?.lane;
        if lane != 0 {
            let mut rows = Vec::with_capacity(functions.len());
            for function in functions {
                rows.push((function, super::wide(levels.cx().fingerprint::<LirBody>(&function)?)));
            }
            return Ok(super::wide(query::Fp::of(&(lane, rows))));
        }
        let mut rows = Vec::with_capacity(functions.len());
        for function in functions {
            rows.push((function, super::wide(levels.cx().fingerprint::<MachineCode>(&function)?)));
        }
        Ok(super::wide(query::Fp::of(&rows)))
    }
}

impl Provider for TestPlaces {
    fn provide(levels: &Levels<'_, '_>, test: &ItemId) -> Result<u128, Interrupt> {
        let (functions, items) = reached(levels, *test)?;
        let mut rows = Vec::with_capacity(functions.len() + items.len());
        for item in functions.into_iter().chain(items) {
            rows.push((item, super::wide(levels.cx().fingerprint::<Position>(&item)?)));
        }
        Ok(super::wide(query::Fp::of(&rows)))
    }
}

impl Provider for TestVerdict {
    /// Whoever serves inputs runs the test; until then this stops with [`Interrupt::Unserved`].
    fn provide(levels: &Levels<'_, '_>, test: &ItemId) -> Result<Arc<Run>, Interrupt> {
        let of = CodeKey { test: *test, code: *levels.get::<TestCode>(test)? };
        let shows_places = levels.cx().input::<TestShows>(&of)?;
        let places = match shows_places.as_deref() {
            Some(true) => Some(*levels.get::<TestPlaces>(test)?),
            Some(false) | None => None,
        };
        levels.cx().input::<TestRun>(&RunKey { of, places })?.ok_or(Interrupt::Unserved)
    }
}

impl Provider for TestReport {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Arc<Vec<Diagnostic>>, Interrupt> {
        let item = levels.get::<super::Item>(id)?;
        let Some(item) = &*item else { return Ok(Arc::default()) };
        let mut found = Vec::new();
        if let Some(signature) = &*levels.get::<Signature>(id)? {
            found.extend(signature.diagnostics.iter().filter(|d| !is_about_attributes(d)).cloned());
            found.extend(levels.done(hir::resolve::check_test(item, levels))?);
        }
        found.extend(levels.get::<BodyReport>(id)?.diagnostics.iter().cloned());
        Ok(Arc::new(found))
    }
}

/// E0511 and E0516: what is wrong with where tests stand in a package.
pub(super) fn misplaced(levels: &Levels<'_, '_>, module: Symbol, file: &syntax::tree::File) -> Result<Vec<Diagnostic>, Interrupt> {
    let mut found = Vec::new();
    let mut tests = file.items.iter().filter(|entry| matches!(entry.item.kind, ItemKind::Test { .. })).peekable();
    if tests.peek().is_none() || is_test_module(module) || !levels.cx().input::<TestSites>(&())?.is_some_and(|sites| sites.package) {
        return Ok(found);
    }
    let path = levels.get::<ModuleFile>(&module)?;
    let help = (*path).as_ref().map(|name| {
        let (folder, file) = name.path.rsplit_once('/').unwrap_or(("", &name.path));
        format!("move it to {folder}/_test/{}.test.ori", file.trim_end_matches(".ori"))
    });
    for entry in tests {
        let error = Diagnostic::new(DiagnosticCode::E0511, Anchor::Item(entry.id), entry.item.name_span, [entry.id.name().into()]);
        found.push(match &help {
            Some(help) => error.help(help.clone()),
            None => error,
        });
    }
    Ok(found)
}

/// E0036, E0511 or E0516, for each file that is named wrongly or has the name of tests elsewhere.
pub(super) fn strays(levels: &Levels<'_, '_>) -> Result<Vec<Diagnostic>, Interrupt> {
    let Some(sites) = levels.cx().input::<TestSites>(&())? else { return Ok(Vec::new()) };
    let error = |path: &String| {
        let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name);
        let folder = path.strip_suffix(name).unwrap_or("");
        let is_among_tests = folder.split('/').any(|folder| folder == "_test");
        let stem = name.strip_suffix(".test.ori").filter(|stem| hir::resolve::is_source_stem(stem));
        let error = |code, name: &str| Diagnostic::new(code, Anchor::Module(tests_module()), Span::default(), [syntax::Arg::from(name)]);
        let error = match stem {
            _ if folder.contains('.') => error(DiagnosticCode::E0036, path).help("a folder of a package has no dot in its name"),
            Some(_) if !is_among_tests => error(DiagnosticCode::E0511, name).help(format!("move it to {folder}_test/{name}")),
            None if is_among_tests && !name.ends_with(".test.ori") => error(DiagnosticCode::E0516, name),
            _ => error(DiagnosticCode::E0036, name).help(hir::resolve::SOURCE_NAMES),
        };
        error.note(format!("the file is {path}"))
    };
    Ok(sites.strays.iter().map(error).collect())
}

impl Provider for Tests {
    fn provide(levels: &Levels<'_, '_>, (): &()) -> Result<Arc<Vec<TestRow>>, Interrupt> {
        let sites = levels.cx().input::<TestSites>(&())?.unwrap_or_default();
        let mut broken = Reach::of(levels)?;
        let mut rows = Vec::new();
        let mut number = 0;
        for module in &sites.modules {
            let file = levels.get::<Parse>(module)?;
            for entry in &file.items {
                let ItemKind::Test { targets, .. } = &entry.item.kind else { continue };
                let item = entry.id;
                let floating = targets.iter().all(Option::is_none);
                if let Some(part) = sites.part
                    && *module != part.module
                    && !(floating && *module == part.tests)
                    && !levels.done(hir::resolve::test_targets(&entry.item, levels))?.iter().any(|target| target.module() == part.module)
                {
                    continue;
                }
                let (skip, compile_fail, fail) =
                    (attribute(&entry.item, "skip"), attribute(&entry.item, "compile_fail"), attribute(&entry.item, "fail"));
                let (how, text) = match (skip, compile_fail) {
                    (Some(reason), _) => (How::Skip, reason),
                    (None, Some(text)) => (How::Compare, text),
                    (None, None) if broken.is_reached(levels, item)? => (How::Broken, None),
                    (None, None) => {
                        number += 1;
                        (How::Run(number - 1), fail.flatten())
                    }
                };
                rows.push(TestRow { item, how, text, floating });
            }
        }
        Ok(Arc::new(rows))
    }
}

/// What does not compile.
#[derive(Default)]
struct Reach {
    /// Is nothing wrong at all?
    sound: bool,
    /// Modules with an error outside of their functions: in them, and where they are imported, nothing is known to be right.
    modules: HashSet<Symbol>,
    /// Functions with an error.
    functions: HashSet<ItemId>,
    /// Whether a function reaches one of those, as far as it was asked.
    known: HashMap<ItemId, bool>,
}

impl Reach {
    fn of(levels: &Levels<'_, '_>) -> Result<Reach, Interrupt> {
        let root = tests_module();
        let mut reach = Reach { sound: true, ..Reach::default() };
        let modules = levels.get::<Modules>(&root)?;
        if !levels.get::<ImportCycles>(&root)?.is_empty() {
            return Ok(Reach { sound: false, modules: modules.iter().copied().collect(), ..reach });
        }
        for module in modules.iter() {
            let report = levels.get::<Diagnostics>(module)?;
            for diagnostic in report.diagnostics.iter().filter(|d| d.severity() == Severity::Error) {
                reach.sound = false;
                match diagnostic.anchor {
                    Anchor::Item(item) if matches!(item.path().namespace, Namespace::Function | Namespace::Test) => {
                        reach.functions.insert(item);
                    }
                    Anchor::Item(_) | Anchor::Module(_) => {
                        reach.modules.insert(*module);
                    }
                }
            }
        }
        if !reach.modules.is_empty() {
            // Who imports such a module is no better. Modules come in the order of discovery, so one round a level suffices.
            loop {
                let before = reach.modules.len();
                for module in modules.iter() {
                    if levels.get::<Modules>(module)?.iter().any(|imported| reach.modules.contains(imported)) {
                        reach.modules.insert(*module);
                    }
                }
                if reach.modules.len() == before {
                    break;
                }
            }
        }
        Ok(reach)
    }

    /// Does the test reach something that does not compile?
    fn is_reached(&mut self, levels: &Levels<'_, '_>, test: ItemId) -> Result<bool, Interrupt> {
        if self.sound {
            return Ok(false);
        }
        if self.modules.contains(&test.module()) {
            return Ok(true);
        }
        let mut seen = HashSet::from([test]);
        let mut open = vec![test];
        while let Some(item) = open.pop() {
            let bad = match self.known.get(&item) {
                Some(bad) => *bad,
                None => {
                    let (function, _) = item.generic();
                    let bad = self.functions.contains(&function) || !matches!((*levels.get::<MachineCode>(&item)?).as_deref(), Some(Ok(_)));
                    self.known.insert(item, bad);
                    bad
                }
            };
            if bad {
                return Ok(true);
            }
            open.extend(levels.get::<Mentions>(&item)?.callees.iter().filter(|callee| seen.insert(**callee)));
        }
        Ok(false)
    }
}

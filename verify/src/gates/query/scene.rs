//! A project in a temporary folder, built the way a process would: a fresh session, a store, an executable. And the same project built from nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use oric::cache::Cache;
use oric::link::{self, How};
use oric::project::Project;
use oric::queries::{self, LinkOptions, Options};
use oric::session::{Session, Setup};
use query::engine::{Execution, Outcome};
use query::{Engine, Fp, Interrupt, NodeId};
use syntax::{Diagnostic, Severity};

use crate::program::guarded;

/// Paths below the project, with their texts.
pub type Tree = BTreeMap<String, String>;

/// A node of the graph as it is compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Name of its query.
    pub kind: String,
    /// Fingerprint of its answer.
    pub value: Fp,
    /// What it asked, in order.
    pub deps: Vec<String>,
}

/// Nodes by `query(key)`.
pub type Graph = BTreeMap<String, Node>;

/// What a build says and makes.
#[derive(Clone, Debug)]
pub struct Built {
    /// Everything said about the program.
    pub diagnostics: Vec<Diagnostic>,
    /// How the executable came to be; `None` when there is none.
    pub how: Option<How>,
    /// Its bytes.
    pub image: Option<Vec<u8>>,
    /// What was asked and answered.
    pub graph: Graph,
    /// Names of the nodes that ran, each once, sorted.
    pub ran: Vec<String>,
    /// What ran, with reasons.
    pub why: Vec<Why>,
    /// What the user is told of the store.
    pub warnings: Vec<String>,
    /// What became of publishing; `None` without a store.
    pub outcome: Option<Outcome>,
    /// Green nodes that ran again and gave another answer.
    pub doubts: Vec<String>,
    /// How many ran again.
    pub doubted: usize,
    /// Was damage met in parts of the graph that the build did not need?
    pub damaged: bool,
}

/// One execution and its reason, by name.
#[derive(Clone, Debug)]
pub struct Why {
    /// Who ran.
    pub node: String,
    /// `New`, `Dependency`, ..
    pub reason: String,
    /// The first dependency that changed.
    pub because: String,
    /// Was the answer the one before?
    pub cut_off: bool,
    /// Running time, dependencies included.
    pub nanos: u32,
}

/// How a build is made.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Threads.
    pub workers: usize,
    /// Does every green node run again afterwards?
    pub doubt: bool,
    /// Is the graph wanted?
    pub graph: bool,
}

impl Way {
    /// One worker, no doubt.
    pub const PLAIN: Way = Way { workers: 1, doubt: false, graph: true };
}

/// A temporary folder with a project; it goes away with this value.
#[derive(Debug)]
pub struct Scene {
    /// The package.
    pub package: PathBuf,
    /// The executable.
    pub program: PathBuf,
    folder: PathBuf,
    tree: Tree,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Scene {
    /// A project with these files.
    pub fn new(name: &str, tree: &Tree) -> Result<Scene, String> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("oric-verify-{}-{number}-{name}", std::process::id()));
        let package = folder.join("package");
        std::fs::create_dir_all(&package).map_err(|error| format!("{}: {error}", package.display()))?;
        let mut scene = Scene { program: folder.join("program"), package, folder, tree: Tree::new() };
        scene.become_tree(tree)?;
        Ok(scene)
    }

    /// The files as they are.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Where the store is.
    pub fn store(&self) -> PathBuf {
        self.package.join(".ori")
    }

    /// A path in the folder that is neither the package nor the program.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes and removes what is different, as an editor or a change of branch does: other files are not touched.
    pub fn become_tree(&mut self, tree: &Tree) -> Result<(), String> {
        for path in self.tree.keys().filter(|path| !tree.contains_key(*path)) {
            let file = self.package.join(path);
            std::fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        for (path, text) in tree.iter().filter(|(path, text)| self.tree.get(*path) != Some(text)) {
            let file = self.package.join(path);
            let written = file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&file, text));
            written.map_err(|error| format!("{}: {error}", file.display()))?;
        }
        self.tree = tree.clone();
        Ok(())
    }

    /// Builds as a process would, from what the store knows.
    pub fn build(&self, way: Way) -> Result<Built, String> {
        let mut session = self.open(way.workers, true)?;
        let built = guarded(|| finish(&mut session, &self.program, way)).and_then(|built| built);
        // A session that panicked may hold locks; it is not taken apart.
        if built.is_err() {
            std::mem::forget(session);
        }
        built
    }

    /// Builds from nothing, keeps nothing.
    pub fn clean(&self, workers: usize) -> Result<Built, String> {
        let mut session = self.open(workers, false)?;
        guarded(|| from_nothing(&mut session)).and_then(|built| built)
    }

    /// A session as the command line would open it.
    pub fn open(&self, workers: usize, stored: bool) -> Result<Session, String> {
        let project = Project::of(&self.package).map_err(|error| format!("{error:?}"))?;
        let mut passes_off = match project.manifest.optimise {
            true => Vec::new(),
            false => oric::cli::pass_names().into_iter().map(str::to_owned).collect(),
        };
        passes_off.sort();
        let options = Options { passes_off, ..Options::default() };
        let cache = stored.then(|| Cache::of(&project, None));
        let setup =
            Setup { options, link: LinkOptions { symbols: true, lane: 0 }, workers: Some(workers), cache, log: true, ..Setup::default() };
        guarded(|| Session::open(project, setup))?.map_err(|error| format!("{error:?}"))
    }
}

/// Asks what `oric build` asks, and publishes.
pub fn finish(session: &mut Session, program: &Path, way: Way) -> Result<Built, String> {
    let diagnostics = session.ask(Session::diagnostics);
    let how = match links(session, &diagnostics) {
        false => None,
        true => Some(link::executable(session, session.main_item(), program, false).map_err(|failure| format!("{failure:?}"))?.how),
    };
    // What a doubt runs is none of what the build ran.
    let (ran, why) = (ran(&mut session.engine), why(&session.engine));
    let image = how.map(|_| std::fs::read(program).map_err(|error| error.to_string())).transpose()?;
    let (mut doubts, mut doubted) = (Vec::new(), 0);
    if way.doubt {
        doubted = match session.engine.doubt(None, |_, _| true) {
            Ok(doubted) => doubted,
            // The build did not need what is damaged.
            Err(Interrupt::Damaged) => 0,
            Err(interrupt) => return Err(format!("doubting: {interrupt:?}")),
        };
        let differences = session.engine.differences();
        doubts = differences.iter().map(|difference| session.engine.node_name(difference.node)).collect();
    }
    let outcome = session.publish();
    let mut graph = if way.graph { graph(&session.engine) } else { Ok(Graph::new()) };
    let damaged = session.engine.is_damaged();
    if damaged {
        graph = Ok(Graph::new());
    }
    let warnings = std::mem::take(&mut session.warnings);
    Ok(Built { diagnostics, how, image, graph: graph?, ran, why, warnings, outcome: Some(outcome), doubts, doubted, damaged })
}

fn from_nothing(session: &mut Session) -> Result<Built, String> {
    let diagnostics = session.ask(Session::diagnostics);
    let mut image = None;
    if links(session, &diagnostics) {
        let main = session.main_item();
        session.generate(main);
        session.ask(|session| session.engine.fingerprint::<queries::LinkPlan>(&main));
        let linked = session.ask(|session| session.engine.get::<queries::Linked>(&main));
        image = Some((**linked).as_ref().map_err(|error| format!("{error:?}"))?.image.clone());
    }
    let how = image.as_ref().map(|_| How::Clean);
    let ran = ran(&mut session.engine);
    let graph = asked_for(graph(&session.engine)?);
    Ok(Built {
        diagnostics,
        how,
        image,
        graph,
        ran,
        why: Vec::new(),
        warnings: Vec::new(),
        outcome: None,
        doubts: Vec::new(),
        doubted: 0,
        damaged: false,
    })
}

/// Is there something to link? `oric build` asks in the same way.
fn links(session: &mut Session, diagnostics: &[Diagnostic]) -> bool {
    if diagnostics.iter().any(|d| d.severity() == Severity::Error) {
        return false;
    }
    let main = session.main_item();
    let signature = session.ask(|session| session.engine.get::<queries::Signature>(&main));
    hir::resolve::check_main((*signature).as_deref(), session.project.main).is_none()
}

/// What ran, each once: a value that left memory may be computed again.
fn ran(engine: &mut Engine) -> Vec<String> {
    let mut ran = engine.take_log();
    ran.dedup();
    ran
}

fn why(engine: &Engine) -> Vec<Why> {
    let row = |run: &Execution| Why {
        node: engine.node_name(run.node),
        reason: format!("{:?}", run.reason),
        because: run.because.map(|node| engine.node_name(node)).unwrap_or_default(),
        cut_off: run.old == Some(run.new),
        nanos: run.nanos,
    };
    engine.executions().iter().map(row).collect()
}

fn graph(engine: &Engine) -> Result<Graph, String> {
    let views: Result<Vec<_>, _> = engine.view().collect();
    let views = views.map_err(|interrupt| format!("{interrupt:?}"))?;
    let names: BTreeMap<_, _> = views.iter().map(|view| (view.id, view.name.clone())).collect();
    let name = |id: &NodeId| names.get(id).cloned().unwrap_or_default();
    let node = |view: &query::engine::NodeView| Node {
        kind: engine.kind_name(view.kind).to_owned(),
        value: view.value,
        deps: view.deps.iter().map(name).collect(),
    };
    Ok(views.iter().map(|view| (view.name.clone(), node(view))).collect())
}

/// What the roots of a build ask for. A build from nothing looks for modules on all workers first, and so also asks for modules that are not there.
fn asked_for(graph: Graph) -> Graph {
    const ROOTS: [&str; 7] = ["check", "modules", "link_plan", "linked", "main_form", "position", "start"];
    let mut open: Vec<&String> = graph.iter().filter(|(_, node)| ROOTS.contains(&node.kind.as_str())).map(|(name, _)| name).collect();
    let mut seen: BTreeSet<&String> = open.iter().copied().collect();
    while let Some(node) = open.pop().and_then(|name| graph.get(name)) {
        open.extend(node.deps.iter().filter(|dep| seen.insert(dep)));
    }
    let names: BTreeSet<String> = seen.into_iter().cloned().collect();
    graph.into_iter().filter(|(name, _)| names.contains(name)).collect()
}

/// Where a build differs from one from nothing: what is said, every fingerprint and question, every byte of the output.
pub fn differences(built: &Built, clean: &Built) -> Vec<String> {
    let mut found = Vec::new();
    if built.diagnostics != clean.diagnostics {
        let codes = |of: &Built| of.diagnostics.iter().map(|d| d.code.as_str()).collect::<Vec<_>>().join(" ");
        found.push(format!("diagnostics differ from a clean build: [{}], clean [{}]", codes(built), codes(clean)));
    }
    match (&built.image, &clean.image) {
        (None, None) => {}
        (Some(one), Some(other)) if one == other => {}
        (Some(one), Some(other)) => {
            let at = one.iter().zip(other).position(|(a, b)| a != b);
            found.push(format!("output differs from a clean link at byte {at:?} ({} and {} bytes)", one.len(), other.len()));
        }
        (one, _) => found.push(format!("there is {} executable, unlike after a clean build", if one.is_some() { "an" } else { "no" })),
    }
    if built.damaged {
        return found;
    }
    let wrong: Vec<String> =
        clean.graph.iter().filter(|(_, node)| !is_linked(node)).filter_map(|(n, node)| wrong(built, n, node)).collect();
    if let Some(first) = wrong.first() {
        found.push(format!("{} nodes differ from a clean build, first {first}", wrong.len()));
    }
    found
}

/// The image itself is asked for only when there is nothing to patch.
pub fn is_linked(node: &Node) -> bool {
    node.kind == "linked"
}

fn wrong(built: &Built, name: &str, clean: &Node) -> Option<String> {
    match built.graph.get(name) {
        // Damage on the way: the first questions were answered by the engine before.
        None if !built.warnings.is_empty() => None,
        None => Some(format!("{name}: missing")),
        Some(node) if node.value != clean.value => Some(format!("{name}: fingerprint")),
        Some(node) if node.deps != clean.deps => Some(format!("{name}: edges {:?}, clean {:?}", node.deps, clean.deps)),
        Some(_) => None,
    }
}

//! A project on disk with a store, and the compiler of this gate as a process. Everything is seen from outside: files, words, exit status.

use std::path::{Path, PathBuf};
use std::process::Command;

use query::store::cas::{Address, Cas};

use crate::child::{self, Ending, Limits};
use crate::gates::query::scenarios;
use crate::gates::query::scene::{Scene, Tree};

/// The project of the scenario table, built by processes.
#[derive(Debug)]
pub struct Stage {
    /// Its folders.
    pub scene: Scene,
    /// The compiler.
    pub compiler: PathBuf,
}

/// What a build was, seen from outside.
#[derive(Clone, Debug)]
pub struct Observed {
    /// `up to date`, `patched`, `restored`, `linked`, or what went wrong.
    pub how: String,
    /// Warnings that it printed.
    pub warnings: usize,
    /// Bytes of its output.
    pub bytes: Vec<u8>,
}

/// What the output is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `oric build`.
    Executable,
    /// `oric build --emit=obj`.
    Object,
}

/// The project in its state `number`: each state has other code. State 3 is the one that is checked in.
pub fn state(number: u32) -> Result<Tree, String> {
    let mut tree = scenarios::project()?;
    let text = tree.get_mut("src/numbers.ori").ok_or("the project has no numbers.ori")?;
    if text.matches("n * 3 + 1").count() != 1 {
        return Err("numbers.ori does not have `n * 3 + 1` once".to_owned());
    }
    *text = text.replacen("n * 3 + 1", &format!("n * {number} + 1"), 1);
    Ok(tree)
}

impl Stage {
    /// In state 3, nothing built.
    pub fn new(name: &str) -> Result<Stage, String> {
        let scene = Scene::new(name, &state(3)?)?;
        let compiler = crate::gates::query::faults::compiler(&scene)?;
        Ok(Stage { scene, compiler })
    }

    /// Edits the sources.
    pub fn become_state(&mut self, number: u32) -> Result<(), String> {
        self.scene.become_tree(&state(number)?)
    }

    /// A command of the compiler that finds nothing in its environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.compiler);
        command.args(args).current_dir(&self.scene.package).env_clear();
        command
    }

    /// Runs the compiler.
    pub fn oric(&self, args: &[&str]) -> Result<Ending, String> {
        run(&mut self.command(args))
    }

    /// Builds to a path.
    pub fn build_to(&self, path: &Path, form: Form, args: &[&str]) -> Result<Observed, String> {
        let path = path.to_string_lossy().into_owned();
        let mut all = vec!["build", ".", "-o", path.as_str()];
        if form == Form::Object {
            all.push("--emit=obj");
        }
        all.extend(args);
        let ending = self.oric(&all)?;
        observe(&ending, Path::new(&path))
    }

    /// Builds the program.
    pub fn build(&self) -> Result<Observed, String> {
        self.build_to(&self.scene.program, Form::Executable, &[])
    }

    /// The bytes that a build without any store gives.
    pub fn clean(&self, form: Form) -> Result<Vec<u8>, String> {
        let path = self.scene.beside("clean");
        let built = self.build_to(&path, form, &["--engine-off"])?;
        match built.how.as_str() {
            "linked" => Ok(built.bytes),
            how => Err(format!("a build without a store is {how}")),
        }
    }

    /// The store of artifacts.
    pub fn cas(&self) -> Cas {
        Cas::open(&self.folder())
    }

    /// Where that is.
    pub fn folder(&self) -> PathBuf {
        self.scene.store().join("cas")
    }

    /// Where an artifact is.
    pub fn path(&self, address: Address) -> PathBuf {
        let name = address.to_string();
        self.folder().join(&name[..2]).join(&name[2..])
    }

    /// Addresses of all artifacts, by the names of their files, sorted.
    pub fn addresses(&self) -> Vec<Address> {
        let folder = self.folder();
        let name = |path: &PathBuf| path.strip_prefix(&folder).ok().map(|name| name.to_string_lossy().replace('/', ""));
        let files = crate::gates::query::faults::files(&folder);
        files.iter().filter_map(|path| name(path)?.parse().ok()).collect()
    }

    /// Takes the program away, so that the next build has to make it.
    pub fn lose_program(&self) {
        let _ = std::fs::remove_file(&self.scene.program);
    }
}

/// Runs a command within limits.
pub fn run(command: &mut Command) -> Result<Ending, String> {
    child::run(command, Limits { memory: u64::MAX, output: u64::MAX, ..Limits::default() }).map_err(|error| error.to_string())
}

/// What a build said, and wrote.
pub fn observe(ending: &Ending, path: &Path) -> Result<Observed, String> {
    let said = String::from_utf8_lossy(&ending.stderr);
    let summary = said.lines().find(|line| line.starts_with("build: ")).unwrap_or_default();
    let how = match summary {
        _ if ending.status != Some(0) => return Err(format!("a build failed: {}", ending.line())),
        line if line.contains("bytes, up to date)") => "up to date",
        line if line.contains("bytes, patched)") => "patched",
        line if line.contains("bytes, restored)") => "restored",
        line if line.contains("bytes)") => "linked",
        _ => return Err(format!("a build does not say what it did: {}", ending.line())),
    };
    let warnings = said.lines().filter(|line| line.starts_with("warning")).count();
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Observed { how: how.to_owned(), warnings, bytes })
}

/// What does not hold of a build: the way that it went, its output, what it said.
pub fn judge(what: &str, built: &Observed, ways: &[&str], clean: &[u8], warnings: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    if !ways.contains(&built.how.as_str()) {
        wrong.push(format!("{what}: the output is {}, expected {}", built.how, ways.join(" or ")));
    }
    if built.bytes != clean {
        let at = built.bytes.iter().zip(clean).position(|(a, b)| a != b);
        wrong.push(format!("{what}: the output differs from a clean build at byte {at:?}"));
    }
    if built.warnings > warnings {
        wrong.push(format!("{what}: warns {} times", built.warnings));
    }
    wrong
}

//! The programs to work on: those of `fixtures/` and `examples/`, and the project that the generator of the benchmarks writes.

use std::path::{Path, PathBuf};

/// A program with the arguments that it wants.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// Where it is, below the workspace.
    pub name: String,
    /// Its main file.
    pub file: PathBuf,
    /// Arguments.
    pub args: Vec<String>,
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A binary that was moved to another machine works where it is started.
    let root = here.parent().filter(|root| root.join("fixtures").is_dir());
    root.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// The folder of benchmark sources beside the workspace; `None` in a clone that stands alone.
pub fn shared() -> Option<PathBuf> {
    let folder = root().join("../shared/bench");
    folder.is_dir().then_some(folder)
}

/// A program in the language of `fixtures/programs/mica`.
const SMALL_MICA: &str = "fn fact(n) { if n < 2 { return 1; } n * fact(n - 1) }\nlet all = [];\nfor i in range(1, 8) { all = push(all, fact(i)); }\nprint(all, fold(range(0, 9), 0, fn(a, b) -> a + b));\nfail \"the end\";";

/// Every program that runs: `fixtures/run`, `fixtures/programs`, kernels at small sizes, examples.
pub fn programs() -> Vec<Entry> {
    let root = root();
    let mut entries = Vec::new();
    let mut add = |file: PathBuf, args: Vec<String>| {
        let name = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().into_owned();
        entries.push(Entry { name, file, args });
    };
    for file in sources(&root.join("fixtures/run")) {
        let args = arguments(&file);
        add(file, args);
    }
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root.join("fixtures/programs")).into_iter().flatten().flatten().map(|e| e.path()).collect();
    folders.sort();
    for folder in folders {
        for main in ["main.ori", "src/main.ori"].map(|main| folder.join(main)).into_iter().filter(|main| main.is_file()) {
            // It is an interpreter: what it runs on its own takes an interpreter of it seconds.
            let args = if folder.ends_with("mica") { vec![SMALL_MICA.to_owned()] } else { Vec::new() };
            add(main, args);
        }
    }
    for file in sources(&root.join("fixtures/kernels")) {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        add(file, small_size(&stem).split(' ').map(str::to_owned).collect());
    }
    for file in sources(&root.join("examples")) {
        add(file, Vec::new());
    }
    entries
}

/// Only the short ones: what damage is done to.
pub fn small_programs() -> Vec<Entry> {
    let is_small =
        |entry: &Entry| std::fs::metadata(&entry.file).is_ok_and(|meta| meta.len() < 6000) && !entry.name.contains("stack-overflow");
    programs().into_iter().filter(is_small).collect()
}

fn small_size(kernel: &str) -> &'static str {
    match kernel {
        "fib" => "20",
        "nbody" => "200",
        "mandelbrot" => "40",
        "collatz" => "1000",
        "fannkuch" | "nqueens" => "5",
        "matmul" | "spectral_norm" => "8",
        "sort" => "1 100",
        "binary_trees" => "4",
        "cfold" | "deriv" => "3",
        _ => "60",
    }
}

/// The `.ori` files of a folder.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    files(folder, "ori")
}

/// The files of a folder with this extension, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = all.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    found.sort();
    found
}

/// All files below a folder with this extension, sorted.
pub fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = files(folder, extension);
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    found.extend(folders.iter().flat_map(|folder| files_below(folder, extension)));
    found
}

/// What follows `// args:` in a fixture.
fn arguments(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("// args:")).unwrap_or_default();
    line.split_whitespace().map(str::to_owned).collect()
}

/// The generated project of about so many lines in a language of the generator, made once a build folder; `None` where the generator is not.
pub fn project(language: &str, lines: u32) -> Option<PathBuf> {
    let generator = shared()?.join("gen_project.py");
    let folder = root().join(format!("target/evidence/projects/{language}-{lines}"));
    if !folder.join("done").is_file() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).ok()?;
        let args = [generator.to_string_lossy().into_owned(), "--lang".into(), language.into(), "--lines".into(), lines.to_string()];
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        let out = folder.to_string_lossy().into_owned();
        args.extend(["--out", &out]);
        crate::child::succeed(&root(), "python3", &args).ok()?;
        std::fs::write(folder.join("done"), "").ok()?;
    }
    Some(folder)
}

/// The main file of a generated Ori project.
pub fn project_main(folder: &Path) -> Option<PathBuf> {
    [folder.join("main.ori"), folder.join("src/main.ori")].into_iter().find(|file| file.is_file())
}

/// Non-blank lines of the sources below a folder.
pub fn count_lines(folder: &Path, extension: &str) -> usize {
    let lines = |file: &PathBuf| std::fs::read_to_string(file).unwrap_or_default().lines().filter(|line| !line.trim().is_empty()).count();
    files_below(folder, extension).iter().map(lines).sum()
}

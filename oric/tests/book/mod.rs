//! Pages that cannot rot: the fences of a Markdown page, and the three things that tests do with them.
//!
//! - ```` ```console ```` is a transcript: each `$ command` is run in a shell that finds the `oric` of this build, and what follows is its output, both
//!   streams, then `[exit status N]` unless it is 0. Commands run in a fresh folder with the `ori` files of the page and links to `docs` and
//!   `examples`. Times and sizes may differ. With a first word of its own, ```` ```console cc ````, it is left out where that program is missing.
//! - ```` ```ori name.ori ```` is a file for the transcripts; a third word `broken` says that it does not compile.
//! - Between `<!-- generated: WHAT -->` and the next such line or the end stands what a generator says.
//!
//! `ORI_BLESS=1` rewrites transcripts and generated parts, so a page is updated by running its test.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod program;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate has a parent folder").to_owned()
}

/// Text between two fence lines.
pub struct Fence {
    /// Words behind the backquotes.
    pub info: Vec<String>,
    /// Number of its first line in the page, from 0, and one past its last.
    pub lines: std::ops::Range<usize>,
    /// Its text.
    pub text: String,
}

impl Fence {
    /// Is this its language?
    pub fn is(&self, language: &str) -> bool {
        self.info.first().is_some_and(|word| word == language)
    }
}

/// The fences of a page in order.
pub fn fences(page: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut open: Option<(Vec<String>, usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some((info.split_whitespace().map(str::to_owned).collect(), number + 1, String::new())),
            (Some(_), Some(_)) => {
                let (info, start, text) = open.take().expect("a fence is open");
                found.push(Fence { info, lines: start..number, text });
            }
            (Some((_, _, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    found
}

/// A fresh folder of this test and name, removed when done.
pub struct Folder(pub PathBuf);

impl Folder {
    /// Empty.
    pub fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Folder(path)
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder can be made");
        std::fs::write(&path, text).expect("a file can be written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a command line in a shell, in an environment that holds nothing but the path: output of both streams as it came, and the exit status. What
/// oric remembers stays in the folder, whatever program it is asked to look at.
pub fn shell(line: &str, folder: &Path) -> (String, i32) {
    let bin = Path::new(env!("CARGO_BIN_EXE_oric")).parent().expect("the binary has a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{line}")])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("ORI_CACHE_DIR", folder.join(".cache"))
        .output()
        .expect("a shell can be started");
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap_or(-1))
}

/// Is the program on the path?
pub fn has(program: &str) -> bool {
    shell(&format!("command -v {program}"), Path::new("/")).1 == 0
}

/// Checks the transcripts of a page against what the commands do now, or rewrites them.
pub fn check_transcripts(page: &Path) {
    let text = std::fs::read_to_string(page).expect("the page can be read");
    let name = page.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = Folder::new(&format!("transcript-{name}"));
    for linked in ["docs", "examples"] {
        std::os::unix::fs::symlink(root().join(linked), folder.0.join(linked)).expect("a link can be made");
    }
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut shift = 0_isize;
    let mut count = 0;
    for fence in fences(&text) {
        if fence.is("ori") && fence.info.len() > 1 && fence.info[1].ends_with(".ori") {
            folder.write(&fence.info[1], fence.text.as_bytes());
        }
        if !fence.is("console") {
            continue;
        }
        count += 1;
        if let Some(program) = fence.info.get(1).filter(|program| !has(program)) {
            eprintln!("{}: skipped, there is no {program}", page.display());
            continue;
        }
        let actual = run_transcript(&fence.text, &folder.0);
        let range = (fence.lines.start as isize + shift) as usize..(fence.lines.end as isize + shift) as usize;
        shift += actual.len() as isize - fence.lines.len() as isize;
        lines.splice(range, actual);
    }
    assert!(count > 0, "{} has no transcript", page.display());
    let mut updated = lines.join("\n");
    updated.push('\n');
    settle(page, &text, &updated);
}

/// The lines of a transcript as they would be today; a line that differs in a time or size only stays as it is.
fn run_transcript(text: &str, folder: &Path) -> Vec<String> {
    let mut written = text.lines().peekable();
    let mut actual = Vec::new();
    while let Some(line) = written.next() {
        let command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("a transcript starts with a command: {line}"));
        let mut expected: Vec<&str> = Vec::new();
        while let Some(output) = written.next_if(|line| !line.starts_with("$ ")) {
            expected.push(output);
        }
        let (output, status) = shell(command, folder);
        actual.push(line.to_owned());
        let mut lines: Vec<String> = output.lines().map(|line| line.trim_end().to_owned()).collect();
        if status != 0 {
            lines.push(format!("[exit status {status}]"));
        }
        let blank_at_end = expected.last().is_some_and(|line| line.is_empty());
        if blank_at_end {
            lines.push(String::new());
        }
        for (at, new) in lines.into_iter().enumerate() {
            let same = expected.get(at).filter(|old| stable(old) == stable(&new));
            actual.push(same.map_or(new, |old| (*old).to_owned()));
        }
    }
    actual
}

/// A line without what differs from run to run: ` in 1.2 ms`, `(4096 bytes)`; without fingerprints, `(3a0e5f90 → b79bcafd)`; and without numbers of
/// revisions, for a file that was written an instant ago is read twice, and that is remembered.
fn stable(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_number = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let mut out = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).copied().unwrap_or_default();
        let time = is_number(word) && matches!(next, "ms" | "s") && at > 0 && words[at - 1] == "in";
        let size = word.strip_prefix('(').is_some_and(is_number) && next.starts_with("bytes)");
        let unit = matches!(*word, "ms" | "s") && at > 1 && words[at - 2] == "in" && is_number(words[at - 1]);
        let print = word.trim_matches(['(', ')']).len() == 8 && (next == "→" || at > 0 && words[at - 1] == "→");
        let revision = at > 0 && words[at - 1] == "revision" && is_number(word.trim_end_matches(','));
        out.push(if time || size || unit || print || revision { "_" } else { word });
    }
    out.join(" ")
}

/// Replaces the generated parts of a page by what `generate` says of each, or compares.
pub fn check_generated(page: &Path, generate: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(page).expect("the page can be read");
    let mut updated = String::new();
    let mut inside = false;
    let mut count = 0;
    for line in text.split_inclusive('\n') {
        if let Some(what) = line.strip_prefix("<!-- generated: ").and_then(|l| l.trim_end().strip_suffix(" -->")) {
            inside = what != "end";
            count += 1;
            updated.push_str(line);
            if inside {
                updated.push('\n');
                updated.push_str(&generate(what));
                updated.push('\n');
            }
        } else if !inside {
            updated.push_str(line);
        }
    }
    assert!(count > 0 && !inside, "{}: generated parts end with `<!-- generated: end -->`", page.display());
    settle(page, &text, &updated);
}

/// Writes or compares.
fn settle(page: &Path, before: &str, after: &str) {
    if std::env::var_os("ORI_BLESS").is_some() {
        if before != after {
            std::fs::write(page, after).expect("the page can be written");
        }
        return;
    }
    if let Some((at, (old, new))) = before.lines().zip(after.lines()).enumerate().find(|(_, (old, new))| old != new) {
        panic!("{}:{}: the page says\n  {old}\nand oric\n  {new}\nORI_BLESS=1 rewrites the page", page.display(), at + 1);
    }
    assert_eq!(before.lines().count(), after.lines().count(), "{}: ORI_BLESS=1 rewrites the page", page.display());
}

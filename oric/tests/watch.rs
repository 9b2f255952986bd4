//! `--watch`: no save is missed, in whatever way an editor makes it, and memory stays flat.

mod book;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use book::Folder;
use serde_json::Value;

/// What one save led to.
struct Round {
    exit: i64,
    /// What the tests printed.
    printed: String,
    /// Codes of diagnostics.
    codes: Vec<String>,
}

struct Watching {
    child: Child,
    rounds: Receiver<Round>,
}

/// Longer than any verdict takes, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);

impl Watching {
    fn start(folder: &Path, args: &[&str]) -> Watching {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oric"))
            .args(args)
            .args(["--watch", "--message-format=json"])
            .current_dir(folder)
            .env("ORI_CACHE_DIR", folder.join(".cache"))
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .expect("oric starts");
        let out = BufReader::new(child.stdout.take().expect("it has an output"));
        let (send, rounds) = channel();
        std::thread::spawn(move || {
            let mut round = Round { exit: 0, printed: String::new(), codes: Vec::new() };
            for line in out.lines().map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).expect("a line is JSON");
                match event["reason"].as_str() {
                    Some("test") => round.printed.push_str(event["stdout"].as_str().unwrap_or_default()),
                    Some("diagnostic") => round.codes.push(event["code"].as_str().unwrap_or("none").to_owned()),
                    Some("round") => {
                        round.exit = event["exit"].as_i64().unwrap_or(-1);
                        let next = Round { exit: 0, printed: String::new(), codes: Vec::new() };
                        if send.send(std::mem::replace(&mut round, next)).is_err() {
                            return;
                        }
                    }
                    _ => {}
                }
            }
        });
        Watching { child, rounds }
    }

    /// Waits for a round that is like this; others before it are those of half a save.
    fn until(&self, what: &str, is_it: impl Fn(&Round) -> bool) -> Round {
        let started = Instant::now();
        let mut last = String::new();
        loop {
            match self.rounds.recv_timeout(PATIENCE.saturating_sub(started.elapsed())) {
                Ok(round) if is_it(&round) => return round,
                Ok(round) => last = format!("exit {}, printed {:?}, codes {:?}", round.exit, round.printed, round.codes),
                Err(RecvTimeoutError::Timeout) => panic!("{what}: no verdict in {PATIENCE:?}; the last was {last}"),
                Err(RecvTimeoutError::Disconnected) => panic!("{what}: oric ended; the last was {last}"),
            }
        }
    }

    fn until_printed(&self, what: &str, number: usize) {
        self.until(what, |round| round.printed == format!("{number:04}\n") && round.exit == 0);
    }

    /// Kilobytes that it has in memory.
    fn resident(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has a size");
        line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("a number")
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn source(number: usize) -> String {
    format!("@value () -> str = \"{number:04}\";\n")
}

/// Gives a file another text.
type Save = fn(&Path, &str);

/// The ways in which editors and tools save.
const STYLES: &[(&str, Save)] = &[
    ("written in place", |path, text| {
        let file = std::fs::OpenOptions::new().write(true).open(path).expect("it is there");
        file.write_all_at(text.as_bytes(), 0).expect("it can be written");
    }),
    ("truncated and written", |path, text| std::fs::write(path, text).expect("it can be written")),
    ("renamed over", |path, text| {
        let other = path.with_extension("tmp");
        std::fs::write(&other, text).expect("it can be written");
        std::fs::rename(other, path).expect("it can be renamed");
    }),
    ("deleted and made anew", |path, text| {
        std::fs::remove_file(path).expect("it can be removed");
        std::fs::write(path, text).expect("it can be written");
    }),
    ("moved away to a backup and made anew", |path, text| {
        std::fs::rename(path, path.with_extension("ori~")).expect("it can be renamed");
        std::fs::write(path, text).expect("it can be written");
    }),
    ("written in two parts with a pause", |path, text| {
        use std::io::Write;
        let mut file = std::fs::File::create(path).expect("it can be written");
        let (first, second) = text.as_bytes().split_at(9);
        file.write_all(first).expect("it can be written");
        std::thread::sleep(Duration::from_millis(15));
        file.write_all(second).expect("it can be written");
    }),
    ("gone for a while", |path, text| {
        std::fs::remove_file(path).expect("it can be removed");
        std::thread::sleep(Duration::from_millis(200));
        std::fs::write(path, text).expect("it can be written");
    }),
    ("linked", |path, text| {
        let other = path.with_extension("tmp");
        let _ = std::fs::remove_file(&other);
        std::fs::write(&other, text).expect("it can be written");
        std::fs::remove_file(path).expect("it can be removed");
        std::fs::hard_link(&other, path).expect("it can be linked");
        std::fs::remove_file(other).expect("it can be removed");
    }),
    ("with its folder", |path, text| {
        let folder = path.parent().expect("it is in a folder");
        let other = folder.with_extension("new");
        std::fs::create_dir(&other).expect("a folder can be made");
        std::fs::write(other.join("value.ori"), text).expect("it can be written");
        std::fs::rename(folder, folder.with_extension("old")).expect("it can be renamed");
        std::fs::rename(other, folder).expect("it can be renamed");
        std::fs::remove_dir_all(folder.with_extension("old")).expect("it can be removed");
    }),
    ("in a burst", |path, text| {
        for number in 0..30 {
            std::fs::write(path, source(9000 + number)).expect("it can be written");
        }
        std::fs::write(path, text).expect("it can be written");
    }),
];

fn package(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("ori.toml", b"[project]\nname = \"saved\"\n");
    folder.write("src/main.ori", b"use \"./deep/value\" { ::value };\n@main () -> void = print(msg: value());\n");
    folder.write("src/deep/value.ori", source(0).as_bytes());
    folder.write(
        "src/_test/main.test.ori",
        b"use \"../deep/value\" { value };\n@test_value tests @value () -> void = print(msg: value());\n",
    );
    folder
}

#[test]
fn every_way_to_save_is_seen_and_memory_stays_flat() {
    let folder = package("watch-styles");
    let path = folder.0.join("src/deep/value.ori");
    let watching = Watching::start(&folder.0, &["check"]);
    watching.until_printed("the first round", 0);
    let mut number = 0;
    let mut sizes = Vec::new();
    // `make heavy-gates` asks for a thousand.
    let saves = std::env::var("ORI_TEST_SAVES").ok().and_then(|saves| saves.parse().ok()).unwrap_or(90);
    let rounds = usize::max(saves / STYLES.len(), 5);
    for round in 0..rounds {
        for (style, save) in STYLES {
            number += 1;
            save(&path, &source(number));
            watching.until_printed(&format!("{style}, round {round}"), number);
        }
        sizes.push(watching.resident());
    }
    // Names of the program and pages of the allocator fill up in the first rounds.
    assert!(sizes[rounds - 1] < sizes[3] + 3000, "{sizes:?} kilobytes");
    println!("{number} saves, memory from {} to {} KB", sizes[3], sizes[rounds - 1]);
}

#[test]
fn files_come_and_go_and_errors_are_told_and_forgotten() {
    let folder = package("watch-files");
    let watching = Watching::start(&folder.0, &["test", "."]);
    watching.until_printed("the first round", 0);
    folder.write("src/main.ori", b"@main () -> void = print(msg: 3);\n");
    watching.until("an error", |round| round.exit == 1 && round.codes == ["E2001"]);
    // An error that stays is told again after the next save.
    folder.write("src/deep/value.ori", source(1).as_bytes());
    watching.until("the error again", |round| round.exit == 1 && round.codes == ["E2001"]);
    folder.write("src/main.ori", b"@main () -> void = print(msg: \"ok\");\n");
    watching.until_printed("the error is gone", 1);
    // A file of tests in a folder that was not there.
    folder.write("src/other/_test/a.test.ori", b"@test_a tests _ () -> void = panic(msg: \"red\");\n");
    watching.until("a red test", |round| round.exit == 1 && round.codes.is_empty());
    std::fs::remove_dir_all(folder.0.join("src/other")).expect("it can be removed");
    watching.until_printed("the test is gone", 1);
    folder.write("ori.toml", b"[project]\nname = 3\n");
    watching.until("a wrong manifest", |round| round.exit == 2);
    folder.write("ori.toml", b"[project]\nname = \"saved\"\n[testing]\ncoverage = \"off\"\n");
    watching.until_printed("a right manifest", 1);
    std::fs::rename(folder.0.join("src/main.ori"), folder.0.join("main.away")).expect("it can be renamed");
    watching.until("the main file is gone", |round| round.exit == 2);
    folder.write("src/main.ori", b"@more () -> int = 1;\n@main () -> void = print(msg: \"ok\");\n");
    watching.until_printed("another main file", 1);
}

#[test]
fn a_lone_file_is_watched_with_what_it_imports() {
    let folder = Folder::new("watch-lone");
    folder.write("deep/value.ori", source(0).as_bytes());
    folder.write(
        "a.ori",
        b"use \"./deep/value\" { ::value };\n@test_value tests @value () -> void = print(msg: value());\n@main () -> void = ();\n",
    );
    let watching = Watching::start(&folder.0, &["check", "a.ori"]);
    watching.until_printed("the first round", 0);
    folder.write("deep/value.ori", source(1).as_bytes());
    watching.until_printed("an imported file", 1);
    let quiet = Watching::start(&folder.0, &["check", "a.ori", "--no-test"]);
    quiet.until("types alone", |round| round.exit == 0 && round.printed.is_empty());
    folder.write("deep/value.ori", b"@value () -> str = 3;\n");
    quiet.until("an error of types", |round| round.exit == 1 && round.codes == ["E2001"]);
    watching.until("an error", |round| round.exit == 1 && round.codes == ["E2001"]);
}

/// Moves, copies and removes as a shell does.
fn sh(folder: &Path, line: &str) {
    let status = Command::new("sh").args(["-ec", line]).current_dir(folder).status().expect("there is a shell");
    assert!(status.success(), "{line}");
}

/// Folders of the package go and come back, as when another branch is checked out.
#[test]
fn folders_of_a_package_come_back() {
    let folder = package("watch-back");
    let watching = Watching::start(&folder.0, &["check"]);
    watching.until_printed("the first round", 0);
    let mut number = 0;
    for (what, line) in [
        ("removed and copied back", "cp -r src keep; rm -rf src; sleep 0.4; cp -r keep src; rm -rf keep"),
        ("moved away and copied back", "mv src src.old; cp -r src.old src"),
        ("moved away, copied back, and the old one goes", "mv src src.older; cp -r src.older src; rm -rf src.older src.old"),
        ("swapped", "cp -r src/deep deep.new; mv src/deep deep.old; mv deep.new src/deep; rm -rf deep.old"),
        ("swapped while it is read", "cp -r src other; mv src away; sleep 0.2; mv other src; rm -rf away"),
    ] {
        sh(&folder.0, line);
        number += 1;
        // The folder is there again; an edit in it is seen, and not by luck of the same round.
        std::thread::sleep(Duration::from_millis(700));
        folder.write("src/deep/value.ori", source(number).as_bytes());
        watching.until_printed(what, number);
    }
}

#[test]
fn links_are_watched_where_they_lead() {
    let folder = package("watch-links");
    sh(
        &folder.0,
        "mkdir out; mv src/deep out/lib; ln -s ../out/lib src/deep; mv out/lib/value.ori out/real.ori; ln -s ../real.ori out/lib/value.ori",
    );
    let watching = Watching::start(&folder.0, &["check"]);
    watching.until_printed("the first round", 0);
    folder.write("out/real.ori", source(1).as_bytes());
    watching.until_printed("the target of a link to a file, in a folder that is a link", 1);
    folder.write("out/new.ori", source(2).as_bytes());
    sh(&folder.0, "mv out/new.ori out/real.ori");
    watching.until_printed("the target replaced", 2);
    folder.write("out/second/value.ori", source(3).as_bytes());
    sh(&folder.0, "ln -sfn ../out/second src/deep");
    watching.until_printed("a link to another folder", 3);
    folder.write("out/second/value.ori", source(4).as_bytes());
    watching.until_printed("a file in it", 4);
    folder.write("out/third/value.ori", source(5).as_bytes());
    sh(&folder.0, "mv out/second out/gone; mv out/third out/second");
    watching.until_printed("the folder that it leads to replaced", 5);
    folder.write("out/second/value.ori", source(6).as_bytes());
    watching.until_printed("and a file in that", 6);
}

#[test]
fn modules_of_a_lone_file_may_come_later() {
    let folder = Folder::new("watch-later");
    folder.write(
        "a.ori",
        b"use \"./sub/value\" { ::value };\n@test_value tests @value () -> void = print(msg: value());\n@main () -> void = ();\n",
    );
    let watching = Watching::start(&folder.0, &["check", "a.ori"]);
    watching.until("nothing there", |round| round.exit == 1 && round.codes.contains(&"E0201".to_owned()));
    folder.write("sub/value.ori", source(1).as_bytes());
    watching.until_printed("a folder that was not there", 1);
    sh(&folder.0, "rm -rf sub");
    watching.until("gone", |round| round.exit == 1);
    folder.write("sub/value.ori", source(2).as_bytes());
    watching.until_printed("made anew", 2);
    std::thread::sleep(Duration::from_millis(300));
    folder.write("sub/value.ori", source(3).as_bytes());
    watching.until_printed("an edit in it", 3);
    folder.write("other/value.ori", source(4).as_bytes());
    sh(&folder.0, "mv sub old; mv other sub");
    watching.until_printed("swapped", 4);
    sh(&folder.0, "rm sub/value.ori; mkdir sub/value");
    watching.until("gone", |round| round.exit == 1);
    folder.write("sub/value/mod.ori", source(5).as_bytes());
    watching.until_printed("another file of the module", 5);
}

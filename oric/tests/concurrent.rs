//! Several oric on one project at once: each runs the image that it made, whatever the others put in its place, and remembers nothing that it did not see.

mod book;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use book::Folder;

/// Longer than anything takes, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(folder: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oric"));
    command.current_dir(folder).args(args).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("oric starts")
}

/// Both streams, and the status.
fn end(process: Child) -> (String, i32) {
    let output = process.wait_with_output().expect("it ends");
    (String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(), output.status.code().unwrap_or(-1))
}

fn oric(folder: &Path, args: &[&str]) -> (String, i32) {
    end(start(folder, args))
}

/// A package whose `@main` is no subject of a test.
fn package(name: &str) -> Folder {
    let folder = Folder::new(&format!("concurrent-{name}"));
    folder.write("ori.toml", b"[project]\nname = \"pair\"\n\n[testing]\ncoverage = \"off\"\n");
    folder.write("src/main.ori", b"@main () -> void = ();\n");
    folder
}

/// Many tests of one function: those of one file pass, those of the other fail.
fn many(module: &str, value: u32) -> (String, String) {
    let stem = module.rsplit('/').next().unwrap_or(module);
    let tests = (0..60).map(|number| {
        format!(
            "@test_{stem}_{number} tests @{stem}_value () -> void = assert_eq(actual: {stem}_value() + {number}, expected: {number} + 1);\n"
        )
    });
    let tests = format!("use \"../{stem}\" {{ {stem}_value }};\n{}", tests.collect::<String>());
    (format!("pub @{stem}_value () -> int = {value};\n"), tests)
}

#[test]
fn two_runs_of_parts_of_a_package_do_not_exchange_verdicts() {
    let folder = package("parts");
    for (module, value) in [("good", 1), ("sub/bad", 2)] {
        let (source, tests) = many(module, value);
        let (place, stem) = module.rsplit_once('/').map_or((String::new(), module), |(place, stem)| (format!("{place}/"), stem));
        folder.write(&format!("src/{module}.ori"), source.as_bytes());
        folder.write(&format!("src/{place}_test/{stem}.test.ori"), tests.as_bytes());
    }
    for round in 0..6 {
        let _ = std::fs::remove_dir_all(folder.0.join(".ori"));
        let (good, bad) = (start(&folder.0, &["test", "src/good.ori"]), start(&folder.0, &["test", "src/sub/bad.ori"]));
        for (what, (said, status), passed, failed) in
            [("good", end(good), "60 passed", "60 failed"), ("bad", end(bad), "60 failed", "60 passed")]
        {
            assert!(said.contains(passed) && !said.contains(failed), "round {round}, {what}: {said}");
            assert_eq!(status, i32::from(what == "bad"), "round {round}, {what}: {said}");
        }
        // What was remembered is what is so.
        let (said, _) = oric(&folder.0, &["check", "src/sub/bad.ori"]);
        assert!(said.contains("60 failed") || said.contains("60 cached (60 failed)"), "round {round}: {said}");
        let (said, status) = oric(&folder.0, &["check", "src/good.ori"]);
        assert!(said.contains("60 passed") && status == 0, "round {round}: {said}");
    }
}

#[test]
fn two_programs_with_one_file_name_run_themselves() {
    let folder = package("stems");
    for name in ["a", "b"] {
        folder.write(&format!("src/{name}/x.ori"), format!("@main () -> void = print(msg: \"this is {name}\");\n").as_bytes());
    }
    for round in 0..10 {
        let both = ["a", "b"].map(|name| (name, start(&folder.0, &["run", &format!("src/{name}/x.ori")])));
        for (name, process) in both {
            assert_eq!(end(process), (format!("this is {name}\n"), 0), "round {round}");
        }
        if round % 2 == 0 {
            let _ = std::fs::remove_dir_all(folder.0.join(".ori"));
        }
    }
}

const SLOW: &str = "\
@first () -> int = 1;
@second () -> int = 2;
@test_first tests @first () -> void = { let _ = first(); loop { }; };
@test_second tests @second () -> void = assert_eq(actual: second(), expected: 3);
";

/// Starts a run whose first test never ends, and waits until it is at it.
fn stuck(folder: &Folder) -> Child {
    folder.write("t.ori", SLOW.as_bytes());
    let process = start(&folder.0, &["test", "t.ori", "--timeout", "3s", "-j1"]);
    let started = Instant::now();
    while !folder.0.join(".ori/link/t.tests").exists() {
        assert!(started.elapsed() < PATIENCE, "no image was made");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    process
}

/// After a test that takes too long the others go on in a new process: of the same image, though another one has its path.
#[test]
fn a_server_that_starts_again_is_the_same() {
    let folder = Folder::new("concurrent-again");
    let process = stuck(&folder);
    folder.write("t.ori", SLOW.replace("second () -> int = 2", "second () -> int = 3").as_bytes());
    let (said, status) = oric(&folder.0, &["test", "t.ori", "second"]);
    assert!(said.contains("test: 1 passed") && status == 0, "{said}");
    let (said, status) = end(process);
    assert!(said.contains("assertion failed: 2 != 3") && said.contains("2 failed") && status == 1, "{said}");
    let (said, _) = oric(&folder.0, &["test", "t.ori", "second"]);
    assert!(said.contains("1 passed"), "{said}");
    folder.write("t.ori", SLOW.as_bytes());
    let (said, status) = oric(&folder.0, &["test", "t.ori", "second"]);
    assert!(said.contains("assertion failed: 2 != 3") && status == 1, "{said}");
}

#[test]
fn tests_go_on_when_the_cache_is_cleaned() {
    let folder = Folder::new("concurrent-clean");
    let process = stuck(&folder);
    let (said, status) = oric(&folder.0, &["clean", "t.ori"]);
    assert_eq!(status, 0, "{said}");
    let (said, status) = end(process);
    assert!(said.contains("assertion failed: 2 != 3") && said.contains("2 failed") && status == 1, "{said}");
}

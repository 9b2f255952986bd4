//! Damage: files of the store and sidecars flipped, cut, deleted, replaced; processes killed at any moment; processes at once. What comes out is right,
//! the user hears of it at most once, and nothing panics.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::edits::Program;
use super::scene::{self, Built, Scene, Way};
use crate::evidence::{Evidence, Table};
use crate::random::Random;

/// Counts of what was done, and what went wrong.
type Faulted = (Vec<(String, usize)>, Vec<String>);

/// Name under which this program is the compiler: the one that was built with this gate.
pub const COMPILER: &str = "oric";

/// How many of what.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Damaged stores.
    pub damages: usize,
    /// Killed builds.
    pub kills: usize,
    /// Rounds of processes at once.
    pub races: usize,
}

/// Runs the faults.
pub fn run(evidence: &mut Evidence, counts: Counts, seed: u64) {
    let mut table = Table::new("faults", &["what", "count"]);
    let mut failures = Vec::new();
    let mut note = |what: &str, result: Result<Faulted, String>| match result {
        Ok((rows, wrong)) => {
            for (name, count) in rows {
                table.row([name, count.to_string()]);
            }
            failures.extend(wrong.into_iter().map(|wrong| format!("{what}: {wrong}")));
        }
        Err(why) => failures.push(format!("{what}: {why}")),
    };
    note("damage", damages(counts.damages, seed));
    note("kill", kills(counts.kills, seed));
    note("processes at once", races(counts.races, seed));
    for failure in failures {
        evidence.fail(failure);
    }
    evidence.table(table);
}

type Report = Result<(Vec<(String, usize)>, Vec<String>), String>;

/// All files of the store, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// Damages one file; what was done.
fn damage(random: &mut Random, store: &Path) -> Result<String, String> {
    let files: Vec<PathBuf> = files(store).into_iter().filter(|path| !path.ends_with(".gitignore")).collect();
    let file = random.pick(&files).ok_or("the store has no files")?;
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    let name = file.strip_prefix(store).unwrap_or(file).display().to_string();
    let write = |bytes: &[u8]| std::fs::write(file, bytes).map_err(|error| format!("{name}: {error}"));
    Ok(match random.below(8) {
        0..=2 if !bytes.is_empty() => {
            let mut bytes = bytes;
            let bits = 1 + random.below(8);
            for _ in 0..bits {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
            write(&bytes)?;
            format!("{bits} bits of {name} flipped")
        }
        3 => {
            let length = random.below(bytes.len());
            write(&bytes[..length])?;
            format!("{name} cut to {length} bytes")
        }
        4 => {
            std::fs::remove_file(file).map_err(|error| error.to_string())?;
            format!("{name} deleted")
        }
        5 => {
            write(&[])?;
            format!("{name} emptied")
        }
        6 => {
            let other = random.pick(&files).and_then(|other| std::fs::read(other).ok()).unwrap_or_default();
            write(&other)?;
            format!("{name} replaced by another file")
        }
        _ => {
            let noise: Vec<u8> = (0..bytes.len()).map(|_| random.next() as u8).collect();
            write(&noise)?;
            format!("{name} is noise")
        }
    })
}

fn damages(count: usize, seed: u64) -> Report {
    let mut random = Random::new(seed ^ 0xda);
    let mut program = Program::new(&mut random);
    let mut scene = Scene::new("damage", &program.tree())?;
    let mut wrong = Vec::new();
    let (mut warned, mut silent) = (0, 0);
    scene.build(Way::PLAIN)?;
    for number in 0..count {
        // A few builds in peace: deltas, patches and sidecars are there to be damaged.
        if number % 3 == 0 {
            mutate(&mut program, &mut random, &mut scene)?;
            let built = scene.build(Way::PLAIN)?;
            judge(&mut wrong, &format!("after damage {number}, a build in peace"), &built, &scene.clean(1)?, 1);
        }
        let what = damage(&mut random, &scene.store())?;
        if random.one_in(3) {
            mutate(&mut program, &mut random, &mut scene)?;
        }
        let clean = scene.clean(1)?;
        match scene.build(Way::PLAIN) {
            Err(why) => wrong.push(format!("{number} ({what}): {why}")),
            Ok(built) => {
                judge(&mut wrong, &format!("{number} ({what})"), &built, &clean, 1);
                if built.warnings.is_empty() { silent += 1 } else { warned += 1 }
            }
        }
        // What was damaged and healed must be sound again.
        match scene.build(Way { doubt: number % 8 == 0, ..Way::PLAIN }) {
            Err(why) => wrong.push(format!("{number} ({what}), the build after: {why}")),
            Ok(built) => judge(&mut wrong, &format!("{number} ({what}), the build after"), &built, &clean, 1),
        }
        if wrong.len() > 20 {
            break;
        }
    }
    let rows = vec![
        ("damaged stores and sidecars".to_owned(), count),
        ("of them noticed with a warning".to_owned(), warned),
        ("of them a miss, or not read".to_owned(), silent),
    ];
    if warned == 0 {
        wrong.push("no damage was ever noticed".to_owned());
    }
    Ok((rows, wrong))
}

fn mutate(program: &mut Program, random: &mut Random, scene: &mut Scene) -> Result<(), String> {
    let mut next = program.clone();
    next.edit(random);
    scene.become_tree(&next.tree())?;
    // Broken projects link nothing: one of them is enough at a time.
    if scene.clean(1)?.image.is_some() {
        *program = next;
        return Ok(());
    }
    scene.become_tree(&program.tree())
}

fn judge(wrong: &mut Vec<String>, what: &str, built: &Built, clean: &Built, warnings: usize) {
    wrong.extend(scene::differences(built, clean).into_iter().map(|difference| format!("{what}: {difference}")));
    wrong.extend(built.doubts.first().map(|node| format!("{what}: {node} gave another answer when doubted")));
    if built.warnings.len() > warnings {
        wrong.push(format!("{what}: warns {} times: {}", built.warnings.len(), built.warnings.join(" | ")));
    }
}

/// This program under the compiler's name.
pub fn compiler(scene: &Scene) -> Result<PathBuf, String> {
    let link = scene.beside(COMPILER);
    if !link.exists() {
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        std::os::unix::fs::symlink(this, &link).map_err(|error| error.to_string())?;
    }
    Ok(link)
}

fn start(scene: &Scene, verb: &str) -> Result<Child, String> {
    let mut command = Command::new(compiler(scene)?);
    command.arg(verb).arg(&scene.package).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if verb == "build" {
        command.arg("-o").arg(&scene.program);
    }
    command.spawn().map_err(|error| format!("oric {verb}: {error}"))
}

/// Waits for a process that must succeed; the warnings that it printed.
fn succeed(child: Child, what: &str) -> Result<usize, String> {
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Ok(said.lines().filter(|line| line.contains("store") && line.starts_with("warning")).count()),
        _ => Err(format!("{what}: {:?}, signal {:?}: {}", output.status.code(), output.status.signal(), said.trim())),
    }
}

fn kills(count: usize, seed: u64) -> Report {
    let mut random = Random::new(seed ^ 0x9c11);
    let mut program = Program::new(&mut random);
    while !is_sound(&program)? {
        program = Program::new(&mut random);
    }
    let mut scene = Scene::new("kill", &program.tree())?;
    let mut wrong = Vec::new();
    let (mut killed, mut finished, mut warned) = (0, 0, 0);
    let started = Instant::now();
    succeed(start(&scene, "build")?, "build")?;
    let mut longest = started.elapsed();
    for number in 0..count {
        // Sometimes from nothing, so that every kind of publish is cut.
        if random.one_in(6) {
            let _ = std::fs::remove_dir_all(scene.store());
        }
        mutate(&mut program, &mut random, &mut scene)?;
        let mut child = start(&scene, "build")?;
        std::thread::sleep(longest.mul_f64((random.below(1000) as f64) / 1000.0));
        let _ = child.kill();
        match child.wait().map_err(|error| error.to_string())?.signal() {
            Some(_) => killed += 1,
            None => finished += 1,
        }
        let started = Instant::now();
        match succeed(start(&scene, "build")?, "the build after a kill") {
            Ok(warnings) if warnings <= 1 => warned += warnings,
            Ok(warnings) => wrong.push(format!("{number}: {warnings} warnings after a kill")),
            Err(why) => wrong.push(format!("{number}: {why}")),
        }
        longest = (longest + started.elapsed()) / 2;
        let clean = scene.clean(1)?;
        if std::fs::read(&scene.program).ok() != clean.image {
            wrong.push(format!("{number}: the output after a kill differs from a clean link"));
        }
        let built = scene.build(Way { doubt: number % 4 == 0, ..Way::PLAIN })?;
        judge(&mut wrong, &format!("{number}: the second build after a kill"), &built, &clean, 0);
    }
    if killed == 0 && count > 0 {
        wrong.push("no build was killed in time".to_owned());
    }
    let rows = [("builds killed", killed), ("builds that were faster than the signal", finished), ("warnings in the builds after", warned)];
    Ok((rows.map(|(what, count)| (what.to_owned(), count)).to_vec(), wrong))
}

fn is_sound(program: &Program) -> Result<bool, String> {
    Ok(Scene::new("sound", &program.tree())?.clean(1)?.image.is_some())
}

fn races(count: usize, seed: u64) -> Report {
    let mut random = Random::new(seed ^ 0x2ace);
    let mut program = Program::new(&mut random);
    while !is_sound(&program)? {
        program = Program::new(&mut random);
    }
    let mut scene = Scene::new("race", &program.tree())?;
    let mut wrong = Vec::new();
    let mut longest = Duration::ZERO;
    for number in 0..count {
        if random.one_in(4) {
            let _ = std::fs::remove_dir_all(scene.store());
        }
        mutate(&mut program, &mut random, &mut scene)?;
        let clean = scene.clean(1)?;
        let started = Instant::now();
        let mut children = vec![("build", start(&scene, "build")?)];
        if random.one_in(2) {
            std::thread::sleep(Duration::from_micros(random.below(6000) as u64));
        }
        children.push(("a second build", start(&scene, "build")?));
        children.push(("check during builds", start(&scene, "check")?));
        for (what, child) in children {
            match succeed(child, what) {
                Ok(0) => {}
                Ok(_) => wrong.push(format!("{number}: {what} warns of the store")),
                Err(why) => wrong.push(format!("{number}: {why}")),
            }
        }
        longest = longest.max(started.elapsed());
        if std::fs::read(&scene.program).ok() != clean.image {
            wrong.push(format!("{number}: the output of two builds at once differs from a clean link"));
        }
        let built = scene.build(Way { doubt: true, ..Way::PLAIN })?;
        judge(&mut wrong, &format!("{number}: the build after two at once"), &built, &clean, 0);
    }
    Ok((
        vec![
            ("rounds of two builds and a check at once".to_owned(), count),
            ("milliseconds, longest round".to_owned(), longest.as_millis() as usize),
        ],
        wrong,
    ))
}

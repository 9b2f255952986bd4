//! Programs of a package in one image, each run by a process that the image forks: one link, one start, and a fork a program. What comes of each is what comes
//! of it as an executable of its own. A program that crashes there is run alone, which says whether it does so by itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fixtures::programs::Outcome;
use oric::coverage::Coverage;
use oric::project::Project;
use oric::queries::{self, How};
use oric::session::{Session, Setup};
use oric::testing::server::{Mode, Server};
use oric::{link, testing};
use syntax::Severity;

use super::{Case, Compiler, PATIENCE, Split, execute, judge};
use crate::program::guarded;
use crate::workers;

/// Programs in one image.
const TOGETHER: usize = 50;

/// What came of it.
#[derive(Default)]
pub struct Batched {
    /// Programs that ran in an image with others.
    pub programs: usize,
    /// Images.
    pub images: usize,
    /// Programs that ran alone, because they crashed with others or their image could not be made.
    pub alone: usize,
    /// From sources to the last end, added up over the workers.
    pub time: Duration,
    /// What is wrong.
    pub failures: Vec<String>,
}

/// Can it stand beside others? Its `main` is called by a test, so it takes and gives nothing; files of their own it does not have, and no tests.
fn fits(case: &Case) -> bool {
    let starts = case.text.lines().any(|line| line.starts_with("@main () -> void"));
    starts && case.file.is_none() && !case.text.contains(" tests ") && super::arguments(case).is_empty()
}

/// Runs them in images of so many.
pub fn run(cases: &[Case]) -> Batched {
    let meant: Vec<&Case> = cases.iter().filter(|case| fits(case)).collect();
    let batches: Vec<(usize, &[&Case])> = meant.chunks(TOGETHER).enumerate().collect();
    let done = workers::each(&batches, |&(number, batch)| batched(number, batch));
    let mut total = Batched::default();
    for one in done {
        match one {
            Ok(one) => {
                total.programs += one.programs;
                total.images += one.images;
                total.alone += one.alone;
                total.time += one.time;
                total.failures.extend(one.failures);
            }
            Err(why) => total.failures.push(why),
        }
    }
    total
}

fn batched(number: usize, batch: &[&Case]) -> Batched {
    let started = Instant::now();
    let mut done = Batched::default();
    let folder = std::env::temp_dir().join(format!("oric-batch-{}-{number}", std::process::id()));
    match guarded(|| in_one_image(&folder, batch)).and_then(|ran| ran) {
        Ok(outcomes) => {
            (done.programs, done.images) = (outcomes.len(), 1);
            for (at, (case, outcome)) in batch.iter().zip(outcomes).enumerate() {
                let crashed = outcome.status >= 128;
                let wrong = judge(&case.wanted, Ok(Some(as_alone(at, case, outcome))));
                if crashed {
                    done.alone += 1;
                    done.failures.extend(alone(case).into_iter().map(|wrong| format!("{}, alone: {wrong}", case.name)));
                }
                done.failures.extend(wrong.into_iter().map(|wrong| format!("{}, with others: {wrong}", case.name)));
            }
        }
        // Who is at fault shows alone.
        Err(why) => {
            done.alone += batch.len();
            done.failures.push(format!("image {number}: {why}"));
            for case in batch {
                done.failures.extend(alone(case).into_iter().map(|wrong| format!("{}, alone: {wrong}", case.name)));
            }
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    done.time = started.elapsed();
    done
}

fn alone(case: &Case) -> Vec<String> {
    match guarded(|| Compiler::default().compile(case, &mut Split::default())).and_then(|image| image) {
        Ok(image) => judge(&case.wanted, execute(&image, &[], PATIENCE)),
        Err(why) => vec![why],
    }
}

/// Writes a package of the programs and runs its image; what came of each, in their order.
fn in_one_image(folder: &Path, batch: &[&Case]) -> Result<Vec<Outcome>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let write = |name: PathBuf, text: &str| std::fs::write(folder.join(name), text).map_err(failed);
    std::fs::create_dir_all(folder.join("src/_test")).map_err(failed)?;
    write("ori.toml".into(), "[project]\nname = \"batch\"\n")?;
    write("src/main.ori".into(), "@main () -> void = ();\n")?;
    for (at, case) in batch.iter().enumerate() {
        write(format!("src/p{at}.ori").into(), &case.text)?;
        let test = format!("use \"../p{at}\" {{ ::main }};\n@runs{at} tests @main () -> void = main();\n");
        write(format!("src/_test/p{at}.test.ori").into(), &test)?;
    }
    let project = Project::of(folder).map_err(|error| format!("{error:?}"))?;
    let setup = Setup { tests: true, coverage: Coverage::Off, ..Setup::default() };
    let mut session = Session::open(project, setup).map_err(|error| format!("{error:?}"))?;
    let found = session.diagnostics().map_err(|interrupt| format!("{interrupt:?}"))?;
    if let Some(error) = found.iter().find(|found| found.severity() == Severity::Error) {
        return Err(format!("refused: {}", syntax::diagnostic::message(error)));
    }
    let tests = testing::all(&mut session);
    let image = link::executable(&mut session, queries::tests_item(), &folder.join("image"), true).map_err(|why| format!("{why:?}"))?;
    let mut server = Server::start(&image.held, Mode { shows: None, checks_leaks: true }).map_err(failed)?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for (at, case) in batch.iter().enumerate() {
        let name = format!("@runs{at}");
        let test = tests.iter().find(|test| test.name == name).ok_or_else(|| format!("there is no test {name}"))?;
        let How::Run(number) = test.row.how else { return Err(format!("{name} cannot run: {:?}", test.row.how)) };
        let ended = server.run(number, PATIENCE).map_err(failed)?;
        if ended.is_late {
            return Err(format!("{} does not end", case.name));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // As `wait` has it: the status above, the signal below.
        let (status, signal) = (ended.run.status >> 8 & 0xff, ended.run.status & 0x7f);
        let status = if signal == 0 { status } else { 128 + signal };
        outcomes.push(Outcome { stdout: text(&ended.run.stdout), stderr: text(&ended.run.stderr), status });
    }
    Ok(outcomes)
}

/// What it would be alone: reports name its own file, and no test that called it.
fn as_alone(at: usize, case: &Case, outcome: Outcome) -> Outcome {
    let name = match &case.wanted {
        super::Wanted::Said(_) => case.name.as_str(),
        super::Wanted::Done(_) => "main.ori",
    };
    let caller = format!(" at src/_test/p{at}.test.ori:");
    let lines = outcome.stderr.split_inclusive('\n').filter(|line| !line.contains(&caller));
    let stderr = lines.collect::<String>().replace(&format!("src/p{at}.ori"), name);
    Outcome { stderr, stdout: outcome.stdout.replace(&format!("src/p{at}.ori"), name), ..outcome }
}

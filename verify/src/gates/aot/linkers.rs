//! Programs through each linker of `ORI_LINKER`: the objects that `--emit=obj` gives, linked with the runtime's archive, do what our own executables do.

use std::time::{Duration, Instant};

use oric::foreign::{Failed, Linker};
use oric::queries;

use super::{Case, Compiler, PATIENCE, Split, arguments, execute, judge};
use crate::program::guarded;
use crate::workers;

/// Programs a linker: an external one costs some ten milliseconds a program.
const PROGRAMS: usize = 40;

/// What came of a linker.
pub struct Ran {
    /// As `ORI_LINKER` names it.
    pub name: String,
    /// Why it was not tried.
    pub missing: Option<String>,
    /// Programs that were linked and run.
    pub programs: usize,
    /// The links, added up over the workers.
    pub time: Duration,
    /// What is wrong.
    pub failures: Vec<String>,
}

/// Every linker that is installed on some of the programs, evenly taken.
pub fn run(cases: &[Case]) -> Vec<Ran> {
    let some: Vec<&Case> = cases.iter().step_by((cases.len() / PROGRAMS).max(1)).collect();
    let path = std::env::var_os("PATH");
    ["lld", "mold", "/usr/bin/ld"]
        .into_iter()
        .map(|name| {
            let mut ran = Ran { name: name.to_owned(), missing: None, programs: 0, time: Duration::ZERO, failures: Vec::new() };
            match Linker::find(name, path.as_ref()) {
                Err(_) => ran.missing = Some("unmeasured: not installed".to_owned()),
                Ok(linker) => through(&linker, &some, &mut ran),
            }
            ran
        })
        .collect()
}

fn through(linker: &Linker, cases: &[&Case], ran: &mut Ran) {
    let parts: Vec<&[&Case]> = cases.chunks(8).collect();
    let done = workers::each(&parts, |part| {
        let mut compiler = Compiler::default();
        let mut found = Vec::new();
        for case in *part {
            let (wrong, time) = match guarded(|| one(linker, case, &mut compiler)).and_then(|done| done) {
                Ok((image, time)) => (judge(&case.wanted, execute(&image, arguments(case), PATIENCE)), time),
                Err(why) => (vec![why], Duration::ZERO),
            };
            found.push((wrong.into_iter().map(|wrong| format!("{}, by {}: {wrong}", case.name, linker.name())).collect::<Vec<_>>(), time));
        }
        found
    });
    for part in done {
        match part {
            Ok(found) => {
                for (wrong, time) in found {
                    ran.programs += 1;
                    ran.time += time;
                    ran.failures.extend(wrong);
                }
            }
            Err(why) => ran.failures.push(why),
        }
    }
}

/// The executable of a program by this linker, and how long it took to link.
fn one(linker: &Linker, case: &Case, compiler: &mut Compiler) -> Result<(Vec<u8>, Duration), String> {
    compiler.asked(case, &mut Split::default(), |session, main| {
        let object = session.engine.get::<queries::Object>(&main).map_err(|interrupt| format!("{interrupt:?}"))?;
        let object = (**object).as_ref().map_err(|why| format!("{why:?}"))?;
        let started = Instant::now();
        match linker.link(&[object], true) {
            Ok(linked) if linked.said.is_empty() => Ok((linked.image, started.elapsed())),
            Ok(linked) => Err(format!("the linker says {}", linked.said)),
            Err(Failed::Refused(said)) => Err(format!("the linker refuses: {said}")),
            Err(Failed::Io(error)) => Err(error.to_string()),
        }
    })
}

//! Commands timed in turns: A B A B, so that what else the machine does meets all of them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A command to be timed.
#[derive(Clone, Debug)]
pub struct Timed {
    /// Name in tables.
    pub name: String,
    /// Program and arguments.
    pub line: Vec<String>,
    /// Where it runs.
    pub folder: PathBuf,
}

impl Timed {
    /// A command in a folder.
    pub fn new(name: &str, folder: &Path, line: &[&str]) -> Timed {
        Timed { name: name.to_owned(), line: line.iter().map(|word| (*word).to_owned()).collect(), folder: folder.to_owned() }
    }

    /// Runs once: wall time.
    pub fn once(&self) -> Result<Duration, String> {
        let (program, args) = self.line.split_first().ok_or("no command")?;
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Instant::now();
        let status = command.status().map_err(|error| format!("{program}: {error}"))?;
        let wall = started.elapsed();
        if status.success() { Ok(wall) } else { Err(format!("{}: {status}", self.line.join(" "))) }
    }
}

/// Medians of `runs` rounds over all commands, after one round that is not counted; an error is the first of its command.
pub fn in_turns(commands: &[Timed], runs: usize, mut before: impl FnMut(usize)) -> Vec<Result<Duration, String>> {
    let mut times: Vec<Result<Vec<Duration>, String>> = vec![Ok(Vec::new()); commands.len()];
    for round in 0..=runs {
        for (at, command) in commands.iter().enumerate() {
            let Ok(list) = &mut times[at] else { continue };
            before(at);
            match command.once() {
                Ok(_) if round == 0 && runs > 1 => {}
                Ok(wall) => list.push(wall),
                Err(error) => times[at] = Err(error),
            }
        }
    }
    times.into_iter().map(|list| list.map(median)).collect()
}

/// The median.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// In milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// `a / b`.
pub fn ratio(a: Option<Duration>, b: Option<Duration>) -> Option<f64> {
    let (a, b) = (a?.as_secs_f64(), b?.as_secs_f64());
    (b > 0.0).then(|| a / b)
}

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

    /// Runs once.
    pub fn once(&self) -> Result<Sample, String> {
        let (program, args) = self.line.split_first().ok_or("no command")?;
        let mut command = Command::new(program);
        crate::child::deep_stack(&mut command);
        command.args(args).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let (busy, own, started) = (machine_time(), children_time(), Instant::now());
        let status = command.status().map_err(|error| format!("{program}: {error}"))?;
        let wall = started.elapsed();
        let cpu = children_time().saturating_sub(own);
        let others = machine_time().saturating_sub(busy).saturating_sub(cpu).as_secs_f64() / wall.as_secs_f64().max(0.05);
        if status.success() { Ok(Sample { wall, cpu, others }) } else { Err(format!("{}: {status}", self.line.join(" "))) }
    }
}

/// One run.
#[derive(Clone, Copy, Default, Debug)]
pub struct Sample {
    /// Wall time.
    pub wall: Duration,
    /// Processor time of it and its children, in steps of the system's clock tick.
    pub cpu: Duration,
    /// Processors that everything else on the machine used meanwhile.
    pub others: f64,
}

/// The clock tick of `/proc`, the same on every Linux of this target.
const TICK: Duration = Duration::from_millis(10);

fn fields(file: &str, line: usize, skip: usize, take: usize) -> Duration {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // The name of a process stands in parentheses and may hold spaces.
    let line = text.lines().nth(line).unwrap_or_default();
    let rest = line.rsplit_once(')').map_or(line, |(_, rest)| rest);
    let ticks: u64 = rest.split_whitespace().skip(skip).take(take).filter_map(|word| word.parse::<u64>().ok()).sum();
    TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
}

/// User and system time of all children that were waited for.
fn children_time() -> Duration {
    fields("/proc/self/stat", 0, 13, 2)
}

/// Time that the processors of the machine were not idle: user, nice, system.
fn machine_time() -> Duration {
    fields("/proc/stat", 0, 1, 3)
}

/// Runs all commands in turns, `runs` rounds after one that is not counted, and gives for each the median of its quieter half; an error is the
/// first of its command.
pub fn in_turns(commands: &[Timed], runs: usize, mut before: impl FnMut(usize)) -> Vec<Result<Sample, String>> {
    let mut samples: Vec<Result<Vec<Sample>, String>> = vec![Ok(Vec::new()); commands.len()];
    for round in 0..=runs {
        if round == 0 && runs == 1 {
            continue;
        }
        for (at, command) in commands.iter().enumerate() {
            let Ok(list) = &mut samples[at] else { continue };
            before(at);
            match command.once() {
                Ok(_) if round == 0 => {}
                Ok(sample) => list.push(sample),
                Err(error) => samples[at] = Err(error),
            }
        }
    }
    samples.into_iter().map(|list| list.map(quiet_median)).collect()
}

/// The median by wall time of the half with the least other load.
fn quiet_median(mut samples: Vec<Sample>) -> Sample {
    samples.sort_by(|a, b| a.others.total_cmp(&b.others));
    samples.truncate(samples.len().div_ceil(2));
    samples.sort_by_key(|sample| sample.wall);
    samples.get(samples.len() / 2).copied().unwrap_or_default()
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

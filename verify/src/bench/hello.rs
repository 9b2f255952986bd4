//! Start and end of the smallest program, against one written by hand without libc, in turns.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::timing::{median, ratio};
use super::{Ratios, folder};
use crate::child;
use crate::evidence::{Evidence, Table};

/// Writes the same line and ends.
const ASSEMBLY: &str = r#"
    .globl _start
    .text
_start:
    mov $1, %eax
    mov $1, %edi
    lea text(%rip), %rsi
    mov $14, %edx
    syscall
    mov $60, %eax
    xor %edi, %edi
    syscall
    .section .rodata
text: .ascii "hello, world!\n"
    .section .note.GNU-stack,"",@progbits
"#;

const SOURCE: &str = "@main () -> void = print(msg: \"hello, world!\");\n";
const RUNS: usize = 200;
const LIMIT: f64 = 1.5;
const SIZE: u64 = 32 << 10;

/// Fills the table and the ratios.
pub fn measure(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    let mut table = Table::new("hello", &["program", "bytes", "median us of 200 spawns", "state"]);
    let folder = folder();
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (ours, theirs) = (path("hello-ori"), path("hello-asm"));
    let built = std::fs::write(folder.join("hello.ori"), SOURCE)
        .map_err(|error| error.to_string())
        .and_then(|()| child::succeed(&folder, oric, &["build", "hello.ori", "-o", &ours]));
    if let Err(why) = built {
        return evidence.fail(format!("hello: {why}"));
    }
    let size = std::fs::metadata(&ours).map_or(0, |meta| meta.len());
    ratios.at_most("hello: bytes / 32 KiB", Some(size as f64 / SIZE as f64), 1.0);
    let peer = if child::find("cc").is_none() {
        Err("unmeasured: cc is not installed".to_owned())
    } else {
        std::fs::write(folder.join("hello.s"), ASSEMBLY)
            .map_err(|error| error.to_string())
            .and_then(|()| child::succeed(&folder, "cc", &["-nostdlib", "-static", "hello.s", "-o", &theirs]))
    };
    if let Err(why) = peer {
        table.row(["hand-written", "", "", &why]);
        ratios.at_most("hello: start and end / hand-written", None, LIMIT);
        return evidence.table(table);
    }
    let (mut a, mut b) = (Vec::with_capacity(RUNS), Vec::with_capacity(RUNS));
    for round in 0..RUNS + 5 {
        for (program, times) in [(&ours, &mut a), (&theirs, &mut b)] {
            match spawn(program) {
                Ok(time) if round >= 5 => times.push(time),
                Ok(_) => {}
                Err(why) => return evidence.fail(format!("{program}: {why}")),
            }
        }
    }
    let (a, b) = (median(a), median(b));
    let micros = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e6);
    table.row(["ori", &size.to_string(), &micros(a), "measured"]);
    table.row(["hand-written", &std::fs::metadata(&theirs).map_or(0, |meta| meta.len()).to_string(), &micros(b), "measured"]);
    evidence.table(table);
    ratios.at_most("hello: start and end / hand-written", ratio(Some(a), Some(b)), LIMIT);
}

fn spawn(program: &str) -> Result<Duration, String> {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).env_clear();
    let started = Instant::now();
    let status = command.status().map_err(|error| error.to_string())?;
    let time = started.elapsed();
    if status.success() { Ok(time) } else { Err(status.to_string()) }
}

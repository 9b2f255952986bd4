//! What checking costs as one thing in a program grows, at four sizes: twice as much of anything at most doubles the time. And lines a second of programs
//! made of generics, traits, sums, closures and matches.

use std::fmt::Write as _;
use std::path::Path;

use super::timing::{Timed, in_turns, ms};
use super::{Ratios, folder};
use crate::evidence::{Evidence, Table};
use crate::typed;

/// Something that grows: its name, a program with so much of it, and how much the smallest program has.
struct Shape {
    name: &'static str,
    program: fn(usize) -> String,
    least: usize,
}

const SHAPES: [Shape; 6] = [
    Shape { name: "functions of a file", program: functions, least: 4000 },
    Shape { name: "arms of a match", program: arms, least: 1000 },
    Shape { name: "impls of a trait", program: impls, least: 500 },
    Shape { name: "chain of generic functions", program: generics, least: 1000 },
    Shape { name: "nested expressions of one body", program: body, least: 4000 },
    Shape { name: "fields of a struct", program: fields, least: 1000 },
];

/// Doublings: sizes are 1, 2, 4 and 8 times the least.
const DOUBLINGS: u32 = 3;
/// What measuring may add to eight times the time.
const SLACK: f64 = 1.15;

fn functions(count: usize) -> String {
    let mut out = String::from("@f0 (a: int) -> int = a;\n");
    for i in 1..count {
        let _ = writeln!(out, "@f{i} (a: int) -> int = if a > {i} then a + f{}(a: a - 1) else a * 2;", i - 1);
    }
    out + &format!("@main () -> void = print(msg: str(f{}(a: 3)));\n", count - 1)
}

fn arms(count: usize) -> String {
    let variants: Vec<String> = (0..count).map(|i| format!("V{i}(int)")).collect();
    let arms: Vec<String> = (0..count).map(|i| format!("    V{i}({i}) -> 0,\n    V{i}(x) -> x,\n")).collect();
    format!(
        "type S = {};\n@m (s: S) -> int = match s {{\n{}}};\n@main () -> void = print(msg: str(m(V1(2))));\n",
        variants.join(" | "),
        arms.concat()
    )
}

fn impls(count: usize) -> String {
    let mut out = String::from("trait Area { @area (self) -> int }\n@doubled<T: Area> (t: T) -> int = t.area() * 2;\n");
    for i in 0..count {
        let _ = writeln!(out, "type T{i} = {{ x: int }}\nimpl T{i}: Area {{ @area (self) -> int = self.x + {i}; }}");
        let _ = writeln!(out, "@f{i} (x: int) -> int = doubled(t: T{i} {{ x }});");
    }
    out + "@main () -> void = print(msg: str(f1(x: 3)));\n"
}

fn generics(count: usize) -> String {
    let mut out = String::from("@g0<T: Eq> (x: T) -> bool = x == x;\n");
    for i in 1..count {
        let _ = writeln!(out, "@g{i}<T: Eq> (x: T) -> bool = g{}(x: (x, {i}));", i - 1);
        let _ = writeln!(out, "@h{i} () -> bool = g{}(x: 1);", i % 7);
    }
    out + "@main () -> void = print(msg: str(h1()));\n"
}

fn body(count: usize) -> String {
    let mut out = String::from("@main () -> void = {\n    let x = 1;\n");
    for i in 0..count {
        let _ = writeln!(out, "    x = if x % 7 == {} then x + {i} else (x * 3 - {i}) % 1000;", i % 7);
    }
    out + "    print(msg: str(x));\n}\n"
}

fn fields(count: usize) -> String {
    let list = |of: fn(usize) -> String| (0..count).map(of).collect::<Vec<_>>().join(", ");
    let sum: Vec<String> = (0..count).map(|i| format!("r.f{i}")).collect();
    let parts: Vec<String> = sum.chunks(100).map(|part| format!("    total += {};\n", part.join(" + "))).collect();
    format!(
        "#derive(Eq)\ntype R = {{ {} }}\n@total (r: R) -> int = {{\n    let total = 0;\n{}    total\n}}\n@main () -> void = {{\n    let r = R {{ {} }};\n    print(msg: `{{total(r)}} {{r == r}}`);\n}}\n",
        list(|i| format!("f{i}: int")),
        parts.concat(),
        list(|i| format!("f{i}: {}", i % 10)),
    )
}

/// Fills the tables and the ratios.
pub fn measure(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    let mut table = Table::new("scaling", &["what grows", "times", "count", "check ms", "ms a thousand"]);
    if let Err(why) = fill(oric, &mut table, ratios).and_then(|()| features(oric, ratios)) {
        evidence.fail(format!("scaling: {why}"));
    }
    evidence.table(table);
}

fn check(oric: &str, name: &str, folder: &Path, file: &str) -> Timed {
    Timed::new(name, folder, &[oric, "--engine-off", "--jobs", "1", "-q", "check", file])
}

fn fill(oric: &str, table: &mut Table, ratios: &mut Ratios) -> Result<(), String> {
    let folder = folder().join("scaling");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"));
    write("empty.ori", "@main () -> void = ();\n".to_owned())?;
    for (at, shape) in SHAPES.iter().enumerate() {
        let mut commands = vec![check(oric, "empty", &folder, "empty.ori")];
        for doubling in 0..=DOUBLINGS {
            let name = format!("{at}-{doubling}.ori");
            write(&name, (shape.program)(shape.least << doubling))?;
            commands.push(check(oric, &name, &folder, &name));
        }
        let times: Vec<f64> =
            in_turns(&commands, 7, |_| {}).into_iter().map(|sample| sample.map(|sample| ms(sample.wall))).collect::<Result<_, _>>()?;
        let (empty, times) = times.split_first().ok_or("no times")?;
        for (doubling, time) in times.iter().enumerate() {
            let count = shape.least << doubling;
            let own = time - empty;
            table.row([
                shape.name,
                &format!("{}", 1 << doubling),
                &count.to_string(),
                &format!("{own:.1}"),
                &format!("{:.2}", own * 1000.0 / count as f64),
            ]);
        }
        let growth = times.first().zip(times.last()).map(|(first, last)| (last - empty) / (first - empty).max(0.1));
        let times = f64::from(1 << DOUBLINGS);
        ratios.at_most(&format!("check, {} times as many {}: times as long", times, shape.name), growth, times * SLACK);
    }
    Ok(())
}

/// A package of programs made from types, formatted by nobody: bytes count, at the 37 bytes a line that the generated project of the other benchmarks has.
fn features(oric: &str, ratios: &mut Ratios) -> Result<(), String> {
    const PROGRAMS: u64 = 150;
    const LINE: f64 = 37.0;
    let folder = folder().join("features");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let (mut uses, mut bytes) = (String::new(), 0);
    for seed in 1..=PROGRAMS {
        let text = typed::Program::new(seed).library();
        bytes += text.len();
        std::fs::write(folder.join(format!("p{seed}.ori")), text).map_err(|error| error.to_string())?;
        let _ = writeln!(uses, "use \"./p{seed}\" as p{seed};");
    }
    std::fs::write(folder.join("main.ori"), format!("{uses}\n@main () -> void = ();\n")).map_err(|error| error.to_string())?;
    let sample = in_turns(&[check(oric, "features", &folder, "main.ori")], 5, |_| {}).remove(0)?;
    let rate = bytes as f64 / LINE / sample.wall.as_secs_f64() / 1e6;
    ratios.at_least(
        "check of generics, traits, sums, closures and matches: million lines (of 37 bytes) a second of one core",
        Some(rate),
        0.5,
    );
    Ok(())
}

//! A program that does what programs of another linker or another back end may do wrong, and what it did.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Text on both streams, cells on the heap, constants with addresses, a panic that is caught and one that is not, with its trace.
pub const MAIN: &str = "\
type Shape = Circle(r: int) | Square(side: int) | Group(parts: [Shape]);

let $NAMES = [\"a name that is longer than what stays inline\", \"b\"];

@area (of: Shape) -> int = match of {
    Circle(r) -> 3 * r * r,
    Square(side) -> side * side,
    Group(parts) -> { let sum = 0; for part in parts do sum += area(of: part); sum },
};

@applied (f: (int) -> int, n: int) -> int = f(n);

@main (args: [str]) -> int = {
    let shapes = Group(parts: [Circle(r: 2), Square(side: 3), Group(parts: [Circle(r: 1)])]);
    print(msg: `{$NAMES[0]}: {area(of: shapes)} {applied(f: x -> x + args.len(), n: 41)}`);
    let words = {\"one\": 1, \"two\": 2};
    print(msg: `{words} {1.5:.3}`);
    let caught = catch(expr: [1, 2, 3][7 + args.len()]);
    print(msg: match caught { Ok(n) -> `{n}`, Err(why) -> why });
    if args.len() > 0 then panic(msg: `with {args[0]}`);
    7
}
";

/// The worker that `make llvm` built; without it what needs one is not tested, and that is said.
pub fn worker() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/oric-llvm");
    let found = built.is_file().then_some(built);
    if found.is_none() {
        eprintln!("not tested: oric-llvm is not built ('make llvm')");
    }
    found
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs oric, this one or another, in a folder, with a path and these variables and nothing else: standard output, standard error, status.
pub fn oric(program: &Path, folder: &Path, variables: &[(&str, &Path)], args: &[&str]) -> (String, String, i32) {
    let mut command = Command::new(program);
    command.current_dir(folder).args(args).env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    let Output { status, stdout, stderr } = command.envs(variables.iter().copied()).output().expect("oric can be started");
    (text(&stdout), text(&stderr), status.code().unwrap_or(-1))
}

/// What the program does, without and with an argument.
pub fn does(folder: &Path, program: &str) -> Vec<(String, String, Option<i32>)> {
    let run = |args: &[&str]| {
        let output = Command::new(folder.join(program)).args(args).env_clear().env("ORI_CHECK_LEAKS", "1").output().expect("it runs");
        (text(&output.stdout), text(&output.stderr), output.status.code())
    };
    vec![run(&[]), run(&["an argument"])]
}

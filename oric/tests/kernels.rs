//! The kernels print what their C twins print: `../shared/bench/kernels/expected.tsv`, small sizes in both engines, full sizes as machine code.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Rows of the table: kernel, size, output; smaller size first. The table stands beside the project; without it there is nothing to compare with.
fn expected() -> Option<Vec<(String, String, String)>> {
    let table = std::fs::read_to_string(root().join("../shared/bench/kernels/expected.tsv")).ok()?;
    let row = |line: &str| {
        let mut cells = line.split('\t').map(str::to_owned);
        Some((cells.next()?, cells.next()?, cells.next()?))
    };
    Some(table.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect())
}

#[track_caller]
fn check(flags: &[&str], kernel: &str, size: &str, expect: &str) {
    let file = root().join("fixtures/kernels").join(format!("{kernel}.ori"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_oric"));
    command.env("ORI_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels"));
    let output = command.arg("run").args(flags).arg(&file).args(["--", size]).output().unwrap();
    // The table joins the lines of an output.
    let printed = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(printed, expect, "{kernel} {size} {flags:?}: {output:?}");
    assert!(output.status.success());
}

#[test]
fn kernels_print_what_their_c_twins_print() {
    let Some(rows) = expected() else {
        println!("unmeasured: ../shared/bench/kernels/expected.tsv is not there");
        return;
    };
    let mut seen = 0;
    for kernel in ["fib", "nbody", "mandelbrot"] {
        let sizes: Vec<_> = rows.iter().filter(|(name, ..)| name == kernel).collect();
        let [small, large] = sizes[..] else { panic!("{kernel} has two rows") };
        check(&["--interp"], kernel, &small.1, &small.2);
        check(&[], kernel, &small.1, &small.2);
        check(&[], kernel, &large.1, &large.2);
        seen += 1;
    }
    assert_eq!(seen, 3);
}

#[test]
fn kernels_on_the_heap_print_what_their_c_twins_print() {
    let Some(rows) = expected() else {
        println!("unmeasured: ../shared/bench/kernels/expected.tsv is not there");
        return;
    };
    for kernel in ["fannkuch", "nqueens", "spectral_norm", "binary_trees", "cfold", "deriv"] {
        let Some(small) = rows.iter().find(|(name, ..)| name == kernel) else { panic!("{kernel} has a row") };
        check(&["--interp"], kernel, &small.1, &small.2);
        check(&[], kernel, &small.1, &small.2);
    }
    for kernel in ["rbtree", "wordcount"] {
        let Some(small) = rows.iter().find(|(name, ..)| name == kernel) else { panic!("{kernel} has a row") };
        check(&[], kernel, &small.1, &small.2);
    }
    // What changes elements of long lists is small here: until counts say that nobody else holds them, each change is one of a copy.
    for (kernel, size, expect) in [("sieve", "1000", "168 997"), ("matmul", "8", "15768")] {
        check(&["--interp"], kernel, size, expect);
        check(&[], kernel, size, expect);
    }
}

#[test]
fn collatz_and_gcd_print_what_their_c_twins_print() {
    let rows = [("collatz", "1000", "871 179"), ("gcd", "100", "31080"), ("collatz", "1000000", "837799 525"), ("gcd", "3000", "46033296")];
    for (kernel, size, expect) in rows {
        check(&[], kernel, size, expect);
        if size.len() < 5 && kernel == "collatz" || size == "100" {
            check(&["--interp"], kernel, size, expect);
        }
    }
}

//! The pages of `docs/` are true: tables come from the code, transcripts from this oric, programs run as they say.

mod book;

use std::collections::BTreeSet;
use std::path::PathBuf;

use book::{check_generated, check_transcripts, fences, root};
use ir::Code;

/// A Markdown table.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let mut out = line(&head) + &"|---".repeat(head.len()) + "|\n";
    for row in rows {
        out += &line(&row.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>());
    }
    out
}

fn rules(rules: impl IntoIterator<Item = (Code, &'static str)>) -> String {
    table(&["code", "rule"], rules.into_iter().map(|(code, rule)| vec![code.to_string(), rule.to_owned()]))
}

/// The generated part of this name.
fn generate(what: &str) -> String {
    match what {
        "intrinsics of HIR" => table(
            &["intrinsic", "operands", "result", "panics", "meaning"],
            hir::Intrinsic::ALL.iter().map(|op| {
                let operands: Vec<String> = op.args().iter().map(|shape| hir_shape(*shape)).collect();
                let panics = if op.panics() { "yes" } else { "" };
                vec![format!("`{}`", op.name()), operands.join(", "), hir_shape(op.result()), panics.into(), op.meaning().into()]
            }),
        ),
        "rules of HIR" => rules(hir::verify::Rule::ALL.iter().map(|rule| (rule.code(), rule.meaning()))),
        "ops of MIR" => table(
            &["op", "operands", "results", "effect", "meaning"],
            mir::Op::ALL.iter().map(|op| {
                let info = op.info();
                let classes = |classes: &[mir::ops::Class]| classes.iter().map(|c| format!("{c:?}")).collect::<Vec<_>>().join(", ");
                vec![
                    format!("`{}`", info.name),
                    classes(info.operands),
                    classes(info.results),
                    info.effect.name().into(),
                    info.meaning.into(),
                ]
            }),
        ),
        "rules of MIR" => rules(mir::verify::MirFault::all_codes()),
        "passes of MIR" => {
            let passes = mir::opt::PASSES.iter().chain(mir::ownership::PASSES);
            table(&["pass", "does"], passes.map(|(name, does)| vec![format!("`{name}`"), (*does).to_owned()]))
        }
        "ops of MachineIR" => table(
            &["op", "registers", "immediate", "auxiliary word", "flags", "meaning"],
            machine::Op::ALL.iter().map(|op| {
                let info = op.info();
                let roles = info.roles.iter().map(|role| machine_role(*role)).filter(|role| !role.is_empty()).collect::<Vec<_>>();
                let imm = format!("{:?}", info.imm).to_lowercase().replace("no", "");
                let aux = format!("{:?}", info.aux).to_lowercase().replace("no", "");
                vec![
                    format!("`{}`", info.name),
                    roles.join(", "),
                    imm,
                    aux,
                    format!("{:?}", info.flags).to_lowercase(),
                    info.meaning.into(),
                ]
            }),
        ),
        "rules of MachineIR" => {
            use machine::alloc::check::AllocFaultKind;
            let verifier = machine::verify::Rule::ALL.iter().map(|rule| (rule.code(), rule.message()));
            let mut all: Vec<_> = verifier.chain(AllocFaultKind::ALL.iter().map(|rule| (rule.code(), rule.sentence()))).collect();
            all.sort_unstable();
            let rows = all.into_iter().map(|(code, text)| vec![code.to_string(), text.replace("{0}", "N").replace("{1}", "M")]);
            table(&["code", "fault"], rows)
        }
        other => panic!("nothing generates {other:?}"),
    }
}

fn hir_shape(shape: hir::ops::Shape) -> String {
    use hir::ops::Shape;
    match shape {
        Shape::Of(ty) => ty.to_string(),
        Shape::Same => "the first's".into(),
        Shape::Discrete => "int, char, byte or bool".into(),
        Shape::Bits => "int or byte".into(),
        Shape::Sum => "a sum".into(),
        Shape::List => "a list".into(),
        Shape::Element => "its element".into(),
    }
}

fn machine_role(role: machine::ops::Role) -> String {
    use machine::ops::Role;
    match role {
        Role::No => String::new(),
        Role::Def(class) => format!("def {class:?}").to_lowercase(),
        Role::Use(class) => format!("use {class:?}").to_lowercase(),
        Role::Tied(class) => format!("tied {class:?}").to_lowercase(),
        Role::DefIn(reg) => format!("def in {}", machine::regs::NAMES[usize::from(reg)]),
        Role::UseIn(reg) => format!("use in {}", machine::regs::NAMES[usize::from(reg)]),
        Role::Base => "base".into(),
        Role::Index => "index".into(),
    }
}

#[test]
fn tables_and_samples_of_the_levels_are_true() {
    // One test, because a blessing writes the page twice. The tables of LIR are checked in its crate.
    for level in ["hir", "mir", "lir", "machine"] {
        let page = root().join(format!("docs/ir/{level}.md"));
        if level != "lir" {
            check_generated(&page, generate);
        }
        check_transcripts(&page);
    }
}

#[test]
fn transcripts_of_the_readme_are_real() {
    check_transcripts(&root().join("README.md"));
}

#[test]
fn programs_and_transcripts_of_the_guide_are_real() {
    let path = root().join("docs/guide.md");
    check_transcripts(&path);
    let page = std::fs::read_to_string(path).expect("docs/guide.md can be read");
    let folder = book::Folder::new("guide");
    let mut run = 0;
    for fence in fences(&page).iter().filter(|fence| fence.is("ori") && !fence.info.iter().any(|word| word == "broken")) {
        // Named files first: later fences may import them.
        let name = fence.info.get(1).map_or("program.ori", String::as_str);
        folder.write(name, fence.text.as_bytes());
        let Some((_, expected)) = fence.text.split_once("// prints:\n") else {
            let (report, status) = book::shell(&format!("oric check --no-test --quiet {name}"), &folder.0);
            assert_eq!((report.as_str(), status), ("", 0), "docs/guide.md:{}", fence.lines.start);
            continue;
        };
        let expected: String = expected.lines().map(|line| format!("{}\n", line.strip_prefix("// ").unwrap_or(line))).collect();
        for engine in ["", "--interp"] {
            let (output, status) = book::shell(&format!("oric run {engine} {name}"), &folder.0);
            assert_eq!((output.as_str(), status), (expected.as_str(), 0), "docs/guide.md:{} {engine}", fence.lines.start);
        }
        run += 1;
    }
    assert!(run >= 8, "the guide has programs");
}

#[test]
fn every_environment_variable_that_is_read_is_documented() {
    let page = std::fs::read_to_string(root().join("docs/environment.md")).expect("docs/environment.md can be read");
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<PathBuf> = vec![root()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("the sources can be listed").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let is_source =
                !matches!(name.to_str(), Some("target" | "build.rs" | "build") | None) && !name.to_string_lossy().starts_with('.');
            if path.is_dir() && is_source {
                open.push(path);
            } else if is_source && path.extension().is_some_and(|ending| ending == "rs") {
                let source = std::fs::read_to_string(&path).expect("a source is text");
                names.extend(variables(&source, path.ends_with("cli/env.rs")));
            }
        }
    }
    // Those that `cargo` sets for what it builds and starts.
    names.retain(|name| name != "CARGO" && !name.starts_with("CARGO_"));
    assert!(names.len() > 25 && names.contains("ORI_STACK_SIZE") && names.contains("TMPDIR"), "{names:?}");
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "docs/environment.md lacks {name}");
    }
}

/// Names of environment variables that a source mentions: words in quotes that begin as ours do, what it asks for by name, and what the library asks for.
/// `env.rs` is a list of them, all upper-case words in quotes.
fn variables(source: &str, is_list: bool) -> Vec<String> {
    let is_name = |word: &&str| word.len() > 3 && !word.ends_with('_') && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let is_ours = |word: &&str| is_list || ["ORI_", "ORIC_", "VERIFY_"].iter().any(|prefix| word.starts_with(prefix));
    let words = source.lines().flat_map(|line| line.split('"').skip(1).step_by(2)).filter(is_name);
    let asked = source.split("env::var").filter_map(|call| call.trim_start_matches("_os").strip_prefix("(\"")?.split('"').next());
    let mut found: Vec<String> = words.filter(is_ours).chain(asked.filter(is_name)).map(str::to_owned).collect();
    if source.contains("env::temp_dir()") {
        found.push("TMPDIR".to_owned());
    }
    found
}

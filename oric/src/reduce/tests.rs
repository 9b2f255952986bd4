use super::{lines, reduce};

/// Reduces while a text is a program without syntax errors and holds these words; what it asked, too.
fn reduced(text: &str, words: &[&str]) -> String {
    let mut holds = |text: &str| {
        let file = syntax::parse(ir::Symbol::new("main"), text);
        file.diagnostics.is_empty() && words.iter().all(|word| text.contains(word))
    };
    assert!(holds(text));
    reduce(text, None, &mut holds, &mut |_| ()).0
}

const PROGRAM: &str = "
// A comment.
type P = { x: int, y: [int] };
#derive(Eq)
pub type S = A(n: int) | B | C(P);
impl P { @m (self, k: int) -> int = self.x + k; @other (self) -> int = 3; }
@f (a: int, b: int) -> int = {
    let c = a + 1;
    for i in 0..10 if i > 3 do { c += i * b; };
    match c { 1 -> 2, n if n > 3 -> { let d = n; d * needle(d) }, _ -> 0 }
};
@needle (n: int) -> int = n;
@main () -> void = {
    let p = P { x: 1, y: [1, 2, 3] };
    print(msg: `{f(a: 1, b: 2)} and {p.x:>4}`);
    print(msg: \"b\");
}
";

#[test]
fn what_is_not_needed_goes() {
    let small = reduced(PROGRAM, &["needle(", "@main"]);
    assert!(lines(&small) <= 2, "{small}");
    assert!(small.len() < 70, "{small}");
}

#[test]
fn it_is_the_same_each_time() {
    assert_eq!(reduced(PROGRAM, &["if n > 3"]), reduced(PROGRAM, &["if n > 3"]));
}

#[test]
fn what_always_holds_leaves_nothing_and_what_never_holds_everything() {
    assert_eq!(reduced(PROGRAM, &[]), "");
    let (text, progress) = reduce(PROGRAM, None, &mut |_| false, &mut |_| ());
    assert_eq!(text, PROGRAM);
    assert!(progress.is_done && progress.round == 1 && progress.asked > 50, "{progress:?}");
}

#[test]
fn when_the_time_is_up_it_stops_with_what_there_is() {
    let (text, progress) = reduce(PROGRAM, Some(std::time::Instant::now()), &mut |_| false, &mut |_| ());
    assert_eq!(text, PROGRAM);
    assert!(!progress.is_done && progress.asked <= 2, "{progress:?}");
}

#[test]
fn a_main_that_names_everything_takes_few_questions() {
    use std::fmt::Write;
    let count = 400;
    let mut text = String::new();
    for n in 0..count {
        let _ = writeln!(text, "@f{n} (n: int) -> int = {{ let a = n + {n}; a * 2 }};");
    }
    text.push_str("@main () -> void = {\n    let t = 0;\n");
    for n in 0..count {
        let _ = writeln!(text, "    t += f{n}(n: t % 7);");
    }
    text.push_str("    print(msg: `{t}`);\n}\n");
    // As in a program that has to compile: what is called is declared.
    let mut holds = |text: &str| {
        let file = syntax::parse(ir::Symbol::new("main"), text);
        let declared: std::collections::HashSet<&str> = text.split('@').skip(1).filter_map(|item| item.split(' ').next()).collect();
        let mut called = text.split("t += ").skip(1).filter_map(|call| call.split('(').next());
        file.diagnostics.is_empty() && called.all(|name| declared.contains(name)) && text.contains("f277(n: t")
    };
    assert!(holds(&text));
    let (small, progress) = reduce(&text, None, &mut holds, &mut |_| ());
    assert!(lines(&small) <= 3, "{small}");
    assert!(progress.asked < 600, "{progress:?}");
}

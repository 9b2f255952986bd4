//! What an edit runs again: the exact set of queries, by key.
//!
//! Each scenario loads a program into an engine, asks for its diagnostics and its image, edits one file, asks again, and compares what was executed with a
//! list written by hand. The image after the edit must equal that of a fresh engine.

use std::collections::BTreeSet;

use ir::{ItemId, Symbol};
use oric::project::SourceFile;
use oric::queries::{self, Check, LinkOptions, LinkPlan, LinkSettings, Linked, Modules, Settings, Source};
use query::Engine;

const MAIN: &str = "\
use \"./shapes\" { area, Box };

@twice (n: int) -> int = n * 2;

@main () -> void = {
    let b = Box { w: 3, h: 4 };
    print(msg: `{twice(area(b))}`);
}
";

const SHAPES: &str = "\
pub type Box = { w: int, h: int }

let $scale = 1;

// The area of a box, in a loop, so that nobody inlines it.
pub @area (b: Box) -> int = {
    let sum = 0;
    for x in 0..b.w do
        for y in 0..b.h do
            sum += $scale;
    let again = 0;
    for x in 0..b.w do
        for y in 0..b.h do
            again += helper(sum + x * y);
    sum
}

@helper (n: int) -> int = {
    let m = n;
    while m > 3 do m = m * m % 11 + n - n / 3 - m / 5 + n * 7 % 13 - m * 3 % 17;
    m
}
";

struct World {
    engine: Engine,
}

impl World {
    /// With these passes switched off.
    fn new(main: &str, shapes: &str, off: &[&str]) -> World {
        let mut engine = queries::engine();
        engine.log_executions();
        let passes_off = off.iter().map(|p| (*p).to_owned()).collect();
        engine.set::<Settings>(&(), queries::Options { passes_off, ..queries::Options::default() }).unwrap();
        engine.set::<LinkSettings>(&(), LinkOptions { symbols: false, lane: 0 }).unwrap();
        let mut world = World { engine };
        world.edit("main", main);
        world.edit("shapes", shapes);
        world
    }

    fn edit(&mut self, module: &str, text: &str) {
        let file = SourceFile { path: format!("{module}.ori"), text: text.to_owned(), malformed: None, rival: None };
        self.engine.set::<Source>(&Symbol::new(module), file).unwrap();
    }

    /// Everything `oric build` asks for: modules, diagnostics, the plan, and the image when the plan is another one.
    fn build(&mut self) -> Vec<u8> {
        let module = Symbol::new("main");
        self.engine.get::<Modules>(&module).unwrap();
        let found = self.engine.get::<Check>(&module).unwrap();
        assert!(found.is_empty(), "{found:?}");
        let main = ItemId::function(module, Symbol::new("main"));
        self.engine.fingerprint::<LinkPlan>(&main).unwrap();
        let linked = self.engine.get::<Linked>(&main).unwrap();
        let Ok(linked) = &**linked else { panic!("the program cannot be linked") };
        linked.image.clone()
    }

    /// Compares what ran since the last look.
    #[track_caller]
    fn ran(&mut self, expect: &[&str]) {
        let ran: BTreeSet<String> = self.engine.take_log().into_iter().collect();
        let expect: BTreeSet<String> = expect.iter().map(|s| (*s).to_owned()).collect();
        let surplus: Vec<_> = ran.difference(&expect).collect();
        let missing: Vec<_> = expect.difference(&ran).collect();
        assert!(surplus.is_empty() && missing.is_empty(), "ran too much: {surplus:#?}\nran too little: {missing:#?}");
    }
}

/// Builds, edits, builds again: the queries that ran the second time.
#[track_caller]
fn check(module: &str, edit: impl Fn(&str) -> String, expect: &[&str]) {
    // Without inlining, so that a callee's body is nobody else's business.
    check_without(&["inline"], module, edit, expect);
}

#[track_caller]
fn check_without(off: &[&str], module: &str, edit: impl Fn(&str) -> String, expect: &[&str]) {
    let mut world = World::new(MAIN, SHAPES, off);
    world.build();
    world.engine.take_log();
    let old = if module == "main" { MAIN } else { SHAPES };
    let new = edit(old);
    assert!(new != old || expect.is_empty(), "the edit changes nothing");
    world.edit(module, &new);
    let image = world.build();
    world.ran(expect);
    let mut fresh = if module == "main" { World::new(&new, SHAPES, off) } else { World::new(MAIN, &new, off) };
    assert!(fresh.build() == image, "the image of the edited engine differs from a clean one");
}

/// What any change of a file's text runs: it is parsed, and each question about the tree is asked again, to be cut off there. (A tree is as good as the
/// text it comes from: hashing it would cost more than asking.) `modules`, `import_cycles` and `check` ask what is cut off, and do not run.
const SHAPES_PARSED: &[&str] = &[
    "file(\"shapes\")",
    "parse(\"shapes\")",
    "imports(\"shapes\")",
    "scope(\"shapes\")",
    "item(@#shapes.Box)",
    "item(@$shapes.scale)",
    "item(@shapes.area)",
    "item(@shapes.helper)",
    "position(@shapes.area)",
    "position(@shapes.helper)",
    "diagnostics(\"shapes\")",
];

fn shapes_parsed_and(more: &[&'static str]) -> Vec<&'static str> {
    SHAPES_PARSED.iter().copied().chain(more.iter().copied()).collect()
}

#[test]
fn the_same_text_again_runs_nothing() {
    check("shapes", str::to_owned, &[]);
}

#[test]
fn a_comment_between_items_runs_nothing_below_the_item_tree_but_positions() {
    check(
        "shapes",
        |text| text.replace("// The area", "// Another comment.\n\n// The area"),
        &shapes_parsed_and(&["part(\"shapes\" of @main.main)", "link_plan(@main.main)", "linked(@main.main)"]),
    );
}

#[test]
fn a_comment_that_moves_nothing_does_not_get_as_far_as_the_plan() {
    check("shapes", |text| text.replace("of a box, in", "of a Box, in"), SHAPES_PARSED);
}

#[test]
fn a_body_edit_compiles_that_body() {
    check(
        "shapes",
        |text| text.replace("% 11", "% 12"),
        &shapes_parsed_and(&[
            "hir(@shapes.helper)",
            "mir_built(@shapes.helper)",
            "mir(@shapes.helper)",
            "mir_owned(@shapes.helper)",
            "lir(@shapes.helper)",
            "machine(@shapes.helper)",
            "signature(@shapes.helper)",
            "body_report(@shapes.helper)",
            // It names what it named before, so `reachable` does not run.
            "mentions(@shapes.helper)",
            "part(\"shapes\" of @main.main)",
            "link_plan(@main.main)",
            "linked(@main.main)",
        ]),
    );
}

#[test]
fn a_renamed_local_is_cut_off_above_optimisation() {
    let rename = |text: &str| {
        text.replace("let m = n;", "let k = n;")
            .replace("while m > 3 do m = m * m % 11", "while k > 3 do k = k * k % 11")
            .replace("- m / 5", "- k / 5")
            .replace("- m * 3", "- k * 3")
            .replace("    m\n}", "    k\n}")
    };
    check(
        "shapes",
        rename,
        &shapes_parsed_and(&[
            "hir(@shapes.helper)",
            "body_report(@shapes.helper)",
            "mir_built(@shapes.helper)",
            "signature(@shapes.helper)",
        ]),
    );
}

/// What any change of the main module runs.
const MAIN_PARSED: &[&str] = &[
    "file(\"main\")",
    "parse(\"main\")",
    "imports(\"main\")",
    "scope(\"main\")",
    "item(@main.main)",
    "item(@main.twice)",
    "position(@main.main)",
    "position(@main.twice)",
    "diagnostics(\"main\")",
];

fn main_parsed_and(more: &[&'static str]) -> Vec<&'static str> {
    MAIN_PARSED.iter().copied().chain(more.iter().copied()).collect()
}

#[test]
fn a_signature_edit_checks_its_users_again_and_is_cut_off_at_their_code() {
    check(
        "main",
        |text| text.replace("@twice (n: int) -> int = n * 2", "@twice (k: int) -> int = k * 2"),
        &main_parsed_and(&[
            "signature(@main.twice)",
            "function_type(@main.twice)",
            "hir(@main.twice)",
            "body_report(@main.twice)",
            "hir(@main.main)",
            "mir_built(@main.twice)",
            // What is said about it and its code are those before.
            "body_report(@main.main)",
            "mir_built(@main.main)",
        ]),
    );
}

#[test]
fn an_inlined_callee_takes_its_callers_along() {
    check_without(
        &[],
        "main",
        |text| text.replace("n * 2", "n * 3"),
        &main_parsed_and(&[
            "signature(@main.twice)",
            "hir(@main.twice)",
            "body_report(@main.twice)",
            "mir_built(@main.twice)",
            "inlinable(@main.twice)",
            "mir(@main.main)",
            "mir_owned(@main.main)",
            "lir(@main.main)",
            "machine(@main.main)",
            "mentions(@main.main)",
            "part(\"main\" of @main.main)",
            "link_plan(@main.main)",
            "linked(@main.main)",
        ]),
    );
}

#[test]
fn another_spelling_of_an_import_is_cut_off_at_the_modules() {
    check(
        "main",
        // Everything stays where it is.
        |text| text.replace("\"./shapes\" { area, Box }", "\"././shapes\" {area, Box}"),
        &main_parsed_and(&["modules(\"main\")", "import_cycles(\"main\")"]),
    );
}

#[test]
fn a_call_in_tail_position_asks_for_the_recursion_groups() {
    check(
        "shapes",
        |text| text.replace("    m\n}", "    if n > 1_000_000 then area(b: Box { w: m, h: n }) else m\n}"),
        &shapes_parsed_and(&[
            "hir(@shapes.helper)",
            "mir_built(@shapes.helper)",
            "groups(\"shapes\")",
            "mir(@shapes.helper)",
            "mir_owned(@shapes.helper)",
            "lir(@shapes.helper)",
            "machine(@shapes.helper)",
            "signature(@shapes.helper)",
            "body_report(@shapes.helper)",
            "mentions(@shapes.helper)",
            // It calls what it did not call before.
            "reachable(@main.main)",
            "part(\"shapes\" of @main.main)",
            "link_plan(@main.main)",
            "linked(@main.main)",
        ]),
    );
}

#[test]
fn an_error_runs_the_check_of_the_program_and_undoing_it_runs_no_code() {
    let mut world = World::new(MAIN, SHAPES, &["inline"]);
    let before = world.build();
    world.engine.take_log();
    world.edit("shapes", &SHAPES.replace("let m = n;", "let m = \"n\";"));
    let found = world.engine.get::<Check>(&Symbol::new("main")).unwrap();
    assert!(!found.is_empty());
    let checked = ["hir(@shapes.helper)", "body_report(@shapes.helper)", "signature(@shapes.helper)", "check(\"main\")"];
    // The operators are not those of the table, so impls for all types might have them.
    // The library is looked at for the first time, then.
    let impls = [
        "impls(())",
        "trait_impls(@#std.prelude.Mul for all)",
        "trait_impls(@#std.prelude.Div for all)",
        "module_impls(\"std.prelude\")",
        "parse(\"std.prelude\")",
        "scope(\"std.prelude\")",
    ];
    // Nobody asked where things are.
    let no_positions: Vec<&str> =
        shapes_parsed_and(&[&checked[..], &impls].concat()).into_iter().filter(|query| !query.starts_with("position")).collect();
    world.ran(&no_positions);
    world.edit("shapes", SHAPES);
    assert!(world.build() == before);
    // Between two builds of one session there are no traces: the tree changed and changed back, so it is lowered again, to the body of before.
    world.ran(&shapes_parsed_and(&[&checked[..], &["mir_built(@shapes.helper)"]].concat()));
}

const TRAITS: &str = "\
#derive(Eq)
pub type Box = { w: int, h: int }
type Ball = { r: int }

trait Shape { type Unit: Printable; @area (self) -> int; @unit (self) -> Self.Unit; }
impl Box: Shape { type Unit = str; @area (self) -> int = self.w * self.h; @unit (self) -> str = \"b\"; }
impl Ball: Shape { type Unit = int; @area (self) -> int = self.r * 3; @unit (self) -> int = self.r; }
impl Box: Add { @add (self, rhs: Box) -> Box = Box { w: self.w + rhs.w, h: self.h }; }

@measured<S: Shape> (s: S) -> str = `{s.area()} {s.unit()}`;

pub @area (b: Box) -> int = {
    if b + b == b then print(msg: measured(s: b)) else print(msg: measured(s: Ball { r: 2 }));
    b.area()
}
";

/// Bodies were checked and compiled of these items alone.
#[track_caller]
fn bodies_made(edit: impl Fn(&str) -> String, expect: &[&str]) {
    let mut world = World::new(MAIN, TRAITS, &["inline"]);
    world.engine.set::<queries::Main>(&(), Symbol::new("main")).unwrap();
    world.build();
    world.engine.take_log();
    world.edit("shapes", &edit(TRAITS));
    world.build();
    let ran: BTreeSet<String> = world.engine.take_log().into_iter().collect();
    let is_of_body = |query: &&String| ["hir(", "lir(", "machine("].iter().any(|kind| query.starts_with(kind));
    let ran: Vec<&str> = ran.iter().filter(is_of_body).map(String::as_str).collect();
    assert_eq!(ran, expect);
}

#[test]
fn an_edit_of_a_method_of_an_impl_checks_and_compiles_that_method_alone() {
    bodies_made(
        |text| text.replace("self.r * 3", "self.r * 4"),
        &["hir(@shapes.Ball'Shape'area)", "lir(@shapes.Ball'Shape'area)", "machine(@shapes.Ball'Shape'area)"],
    );
}

#[test]
fn another_impl_leaves_other_bodies_alone() {
    let text = "impl Ball: Default { @default () -> Ball = Ball { r: 1 }; }\n\n@measured";
    bodies_made(|source| source.replace("\n@measured", text), &["hir(@shapes.Ball'Default'default)"]);
}

/// A module with lambdas, that capture and do not, in a function that is called where they are not known.
const LAMBDAS: &str = "\
pub type Box = { w: int, h: int }

pub @area (b: Box) -> int = {
    let w = b.w;
    let scaled = (n: int) -> { let k = n; while k > 100 do k = k - w * 3; k * w };
    let plain = (n: int) -> { let k = n; while k > 90 do k = k - 2; k + 1 };
    run(f: scaled, n: b.h) + run(f: plain, n: 5)
}

@run (f: (int) -> int, n: int) -> int = if n == 0 then 0 else f(n) + run(f:, n: n - 1);
";

#[track_caller]
fn check_lambdas(edit: impl Fn(&str) -> String, expect: &[&str]) {
    let mut world = World::new(MAIN, LAMBDAS, &["inline"]);
    world.build();
    world.engine.take_log();
    let new = edit(LAMBDAS);
    assert!(new != LAMBDAS, "the edit changes nothing");
    world.edit("shapes", &new);
    let image = world.build();
    world.ran(expect);
    assert!(World::new(MAIN, &new, &["inline"]).build() == image, "the image of the edited engine differs from a clean one");
}

/// What any change of the text of `area` runs: the lambdas are of its tree, and so are looked at again.
const AREA_CHECKED: &[&str] = &[
    "file(\"shapes\")",
    "parse(\"shapes\")",
    "imports(\"shapes\")",
    "scope(\"shapes\")",
    "item(@#shapes.Box)",
    "item(@shapes.area)",
    "item(@shapes.run)",
    "position(@shapes.area)",
    "position(@shapes.area'0)",
    "position(@shapes.area'0&1)",
    "position(@shapes.area'1)",
    "position(@shapes.run)",
    "diagnostics(\"shapes\")",
    "signature(@shapes.area)",
    "hir(@shapes.area)",
    "hir(@shapes.area'0)",
    "hir(@shapes.area'1)",
    "body_report(@shapes.area)",
];

#[test]
fn an_edit_in_a_lambda_compiles_that_lambda() {
    let more = [
        "mir_built(@shapes.area'0)",
        "mir(@shapes.area'0)",
        "mir_owned(@shapes.area'0)",
        "lir(@shapes.area'0)",
        "machine(@shapes.area'0)",
        "mentions(@shapes.area'0)",
        "lambda_type(@shapes.area'0)",
        "inlinable(@shapes.area'0)",
        // Trees are compared by what they were made from.
        "mir_built(@shapes.area'1)",
        "lambda_type(@shapes.area'1)",
        // The tree of the function has the lambda in it, its MIR does not.
        "mir_built(@shapes.area)",
        "mir_built(@shapes.area'0&1)",
        "part(\"shapes\" of @main.main)",
        "link_plan(@main.main)",
        "linked(@main.main)",
    ];
    check_lambdas(|text| text.replace("w * 3", "w * 4"), &[AREA_CHECKED, &more[..]].concat());
}

#[test]
fn an_edit_beside_the_lambdas_compiles_the_function_around_them() {
    let more = [
        // Trees are compared by what they were made from.
        "mir_built(@shapes.area'0)",
        "mir_built(@shapes.area'1)",
        "lambda_type(@shapes.area'0)",
        "lambda_type(@shapes.area'1)",
        "mir_built(@shapes.area)",
        "mir(@shapes.area)",
        "mir_owned(@shapes.area)",
        "lir(@shapes.area)",
        "machine(@shapes.area)",
        "mentions(@shapes.area)",
        "part(\"shapes\" of @main.main)",
        "link_plan(@main.main)",
        "linked(@main.main)",
    ];
    check_lambdas(|text| text.replace("n: 5", "n: 6"), &[AREA_CHECKED, &more[..]].concat());
}

/// Two programs that differ in `shapes`: the keys that ran for the second one, which has the image of a clean build.
#[track_caller]
fn keys_of_edit(main: &str, old: &str, new: &str) -> Vec<String> {
    let off = ["inline"];
    let made = |shapes: &str| {
        let mut world = World::new(main, shapes, &off);
        world.engine.set::<queries::Main>(&(), Symbol::new("main")).unwrap();
        world
    };
    let mut world = made(old);
    world.build();
    world.engine.take_log();
    world.edit("shapes", new);
    let image = world.build();
    assert!(made(new).build() == image, "the image of the edited engine differs from a clean one");
    // Who links asks for the whole program.
    world.engine.take_log().into_iter().filter(|key| !key.contains("(@main.main)") || !key.starts_with("link")).collect()
}

#[test]
fn a_hidden_result_is_code_of_its_callers_and_no_matter_of_their_check() {
    let main = "use \"./shapes\" { shown };\n@main () -> void = print(msg: shown(n: 1).to_str());\n";
    let of = |body: &str| format!("pub @shown (n: int) -> impl Printable = {body};\n");
    let ran = keys_of_edit(main, &of("n"), &of("n + 1"));
    assert!(ran.iter().any(|key| key == "hir(@shapes.shown)"), "{ran:?}");
    assert!(!ran.iter().any(|key| key.contains("(@main.main")), "the type is the same: {ran:?}");
    let ran = keys_of_edit(main, &of("n"), &of("`{n}!`"));
    assert!(!ran.iter().any(|key| key == "hir(@main.main)"), "callers know the promise alone: {ran:?}");
    assert!(ran.iter().any(|key| key == "lir(@main.main)"), "the type is another one: {ran:?}");
    let ran = keys_of_edit(main, &of("n"), "pub @shown (n: int) -> impl Printable + Eq = n;\n");
    assert!(ran.iter().any(|key| key == "hir(@main.main)"), "the promise is another one: {ran:?}");
}

#[test]
fn a_method_behind_a_trait_object_is_no_matter_of_those_who_call_it() {
    let main = "use \"./shapes\" { Shape, made };\n@total (xs: [Shape]) -> int = { let sum = 0; for x in xs do sum += x.area(); sum }\n@main () -> void = print(msg: str(total(xs: made())));\n";
    let of = |area: &str| {
        format!(
            "pub trait Shape {{ @area (self) -> int }}\ntype Box = {{ w: int }}\nimpl Box: Shape {{ @area (self) -> int = {area}; }}\npub @made () -> [Shape] = [Box {{ w: 2 }}];\n"
        )
    };
    let ran = keys_of_edit(main, &of("self.w"), &of("self.w * self.w"));
    let compiled: Vec<&String> =
        ran.iter().filter(|key| ["hir(", "mir(", "lir(", "machine("].iter().any(|kind| key.starts_with(kind))).collect();
    assert!(compiled.len() == 4 && compiled.iter().all(|key| key.ends_with("(@shapes.Box'Shape'area)")), "{ran:?}");
}

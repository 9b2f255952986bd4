use super::*;
use crate::ssa::structure;
use crate::ssa::toy::{Noise, Op, SAMPLE, Toy, Ty, graph, print};
use crate::ssa::{ENTRY, NewInst};
use crate::text::{self as dump_text, parse};
use crate::{Code, Id, Place, Where};

#[track_caller]
fn check(source: &str, expect: &str) {
    let once = print(&graph(source));
    assert_eq!(once, expect);
    assert_eq!(print(&graph(&once)), once, "printing is a fixed point");
    let dump = parse(&format!("ori-ir toy.t 1\n{once}")).unwrap();
    let generic = dump_text::print(&dump);
    assert_eq!(generic, format!("ori-ir toy.t 1\n{once}"), "both printers agree");
}

#[track_caller]
fn refused(line: &str, message: &str) {
    let source = format!("ori-ir toy.t 1\nfn @main.f(%0: int, %1: str) -> int {{\nb0:\n  {line}\n}}\n");
    let dump = parse(&source).unwrap();
    let error = parse_function::<Toy>(&dump.functions[0], &mut Plain).unwrap_err();
    assert_eq!((error.line, error.message.as_str()), (4, message));
}

#[test]
fn every_shape_of_op_round_trips() {
    check(SAMPLE, SAMPLE);
    for op in Op::ALL {
        assert!(SAMPLE.contains(&format!(" {}", op.info().name)), "{op:?} is in the sample");
    }
}

#[test]
fn the_sample_has_no_structural_fault() {
    structure::check(&graph(SAMPLE), &mut |fault| panic!("{fault:?}"));
}

#[test]
fn parts_in_any_order_print_in_canonical_order() {
    check(
        "fn @f(%3: int) -> int {\nb2:\n  %9: int = call {hot, nounwind}, %3, @g !1:2\n  %4: bool = cmp eq, %9, %3\n  branch b7, b5(%9), %4\nb5(%1: int):\n  ret %1\nb7:\n  ret %3\n}",
        "fn @f(%0: int) -> int {\nb0:\n  %1: int = call @g, %0, {hot, nounwind} !1:2\n  %2: bool = cmp %1, %0, eq\n  branch %2, b1, b2(%1)\nb1:\n  ret %0\nb2(%3: int):\n  ret %3\n}\n",
    );
}

#[test]
fn dangling_names_stay_dangling() {
    let text = "fn @f(%0: int) -> int {\nb0:\n  %1: int = max %0, %7\n  jump b9(%1)\n}\n";
    check(text, text);
    check(
        "fn @f(%0: int) -> int {\nb0:\n  jump b1\nb2:\n  ret %0\nb1:\n  %1: int = max %0, %4\n  jump b9(%1)\n}\n",
        "fn @f(%0: int) -> int {\nb0:\n  jump b1\nb1:\n  %1: int = max %0, %4\n  jump b11(%1)\n}\n",
    );
}

#[test]
fn a_value_defined_twice_is_kept_for_the_verifier() {
    let text = "fn @f(%0: int) -> int {\nb0:\n  %1: int = const 1\n  %1: int = const 2\n  ret %1\n}\n";
    check(text, text);
}

#[test]
fn wrong_counts_are_kept_for_the_verifier() {
    let text = "fn @f(%0: int) -> int {\nb0:\n  %1: int, %2: int = max %0\n  branch %0, %1, b1\nb1:\n  switch %0, b2, 1, 2, 3\nb2:\n  jump b2, b1, b1(%0)\n}\n";
    check(text, text);
}

#[test]
fn what_a_graph_cannot_say_is_refused_with_its_line() {
    refused("frob %0", "T0101 there is no op `frob`");
    refused("%2: int = add %0, 5", "T0102 `add` takes no integer");
    refused("%2: int = const", "T0103 `const` lacks its immediate");
    refused("%2: int = const 1, 2", "T0103 a second immediate");
    refused("%2: int = const 9223372036854775808", "T0102 the integer does not fit 64 bits");
    refused("%2: int = const $rax", "T0102 `const` takes no register");
    refused("%2: frob = const 1", "T0104 `frob` is no type here");
    refused("%2: int, %0: int = split %0", "T0105 some of these values are defined already");
    refused("%2: int, %2: int = split %0", "T0105 a value is defined twice on this line");
    refused("print %1, {frob}", "T0106 `frob` is no fact here");
    refused("print own %1", "T0109 `own` cannot stand here");
    refused("%2: int = max %0:$rax, %0", "T0102 `max` takes no value with a place");
    refused("%2: bool = cmp %0, %0, frob", "T0102 `cmp` takes no word `frob`");
    refused("jump b0(5)", "T0102 a block takes values only");
    refused("%2: int = call @a~b", "T0110 this is no name of an item");
}

#[test]
fn blocks_must_be_told_apart() {
    for (body, message) in [
        ("b0:\n  jump b1\nb1:\n  resume\nb1:\n  resume", "T0105 a block of this number exists already"),
        ("  resume", "T0105 the function does not start with a block"),
        ("b0(%0: int):\n  resume", "T0107 the parameters of the first block stand in the `fn` line"),
    ] {
        let dump = parse(&format!("ori-ir toy.t 1\nfn @f() -> int {{\n{body}\n}}\n")).unwrap();
        assert_eq!(parse_function::<Toy>(&dump.functions[0], &mut Plain).unwrap_err().message, message);
    }
}

#[test]
fn unnamed_flags_and_dangling_places_have_a_text() {
    let text = "fn @f(%0: str) -> () {\nb0:\n  print %0, {flag12, hot} !0:0\n  ret\n}\n";
    check(text, text);
    let mut g = graph(text);
    let inst = g.blocks[ENTRY].insts[0];
    g.edges[inst].place = PlaceId(99);
    assert_eq!(print(&g), text);
}

#[test]
fn an_inlined_place_names_the_items_of_others_only() {
    let mut g = graph("fn @main.f(%0: str) -> () {\nb0:\n  print %0 !3:9\n  ret\n}\n");
    let inst = g.blocks[ENTRY].insts[0];
    let call = g.edges[inst].place;
    let mut leaf = crate::Places::new();
    let item = ItemId::parse("main.leaf").unwrap();
    let inner = leaf.add(Place { item, line: 1, column: 4, inlined_at: PlaceId::NONE });
    g.edges[inst].place = g.places.import(&leaf, inner, call);
    let text = print(&g);
    assert!(text.contains("  print %0 !@main.leaf 1:4 < 3:9\n"), "{text}");
    check(&text, &text);
}

#[test]
fn a_graph_that_is_not_compact_prints_like_its_compact_copy() {
    let mut g: Graph<Toy> = Graph::new(ItemId::parse("main.f").unwrap(), vec![Ty::Int]);
    let entry = g.add_block();
    let late = g.add_block();
    let dead = g.add_block();
    let early = g.add_block();
    let param = g.add_param(entry, Ty::Int);
    let unused = g.make(NewInst { imm: 1, ..NewInst::new(Op::Const) }, &[Ty::Int]);
    let in_late = g.append1(late, NewInst { imm: 2, ..NewInst::new(Op::Const) }, Ty::Int);
    g.append(late, NewInst { args: &[in_late], ..NewInst::new(Op::Ret) }, &[]);
    g.append(dead, NewInst::new(Op::Resume), &[]);
    let in_early = g.append1(early, NewInst { args: &[param, param], ..NewInst::new(Op::Max) }, Ty::Int);
    g.append(early, NewInst { targets: &[(late, &[])], args: &[], ..NewInst::new(Op::Jump) }, &[]);
    g.append(entry, NewInst { targets: &[(early, &[])], ..NewInst::new(Op::Jump) }, &[]);
    let _ = (unused, in_early);
    let expect =
        "fn @main.f(%0: int) -> int {\nb0:\n  jump b1\nb1:\n  %1: int = max %0, %0\n  jump b2\nb2:\n  %2: int = const 2\n  ret %2\n}\n";
    assert!(!is_compact(&g));
    assert_eq!(print(&g), expect);
    let small = compact(&g);
    assert!(is_compact(&small));
    assert_eq!(print(&small), expect);
    assert_eq!(small, graph(expect), "reading gives the compact graph itself");
}

/// A level's own additions: modes by type, one more fact.
struct Owning;

impl Printing<Toy> for Owning {
    fn mode(&self, graph: &Graph<Toy>, spot: Spot) -> &'static str {
        let owned = |ty: Ty| if ty == Ty::Str { "own" } else { "" };
        match spot {
            Spot::Result(index) => owned(graph.results[index as usize]),
            Spot::Def(value) => owned(graph.ty(value)),
            Spot::Use(inst, index) => owned(graph.ty(graph.args(inst)[index as usize])),
            Spot::TargetUse(inst, target, index) => {
                owned(graph.ty(graph.target_args(graph.targets(inst)[target as usize])[index as usize]))
            }
        }
    }
    fn facts(&self, graph: &Graph<Toy>, inst: Inst, facts: &mut Vec<String>) {
        if graph.op(inst) == Op::Print {
            facts.push("range 0 4".to_owned());
        }
    }
    fn generics(&self, _graph: &Graph<Toy>) -> String {
        "T: Eq".to_owned()
    }
}

#[derive(Default)]
struct Notes(Vec<String>);

impl Reading<Toy> for Notes {
    fn mode(&mut self, spot: Spot, mode: &str) -> bool {
        self.0.push(format!("{mode} {spot:?}"));
        true
    }
    fn fact(&mut self, _inst: Inst, fact: &str) -> bool {
        self.0.push(fact.to_owned());
        true
    }
    fn generics(&mut self, text: &str) -> bool {
        self.0.push(text.to_owned());
        true
    }
}

#[test]
fn a_level_adds_modes_facts_and_generics() {
    let text = "fn @f[T: Eq](%0: own str) -> own str {\nb0:\n  print own %0, {hot, range 0 4}\n  jump b1(own %0)\nb1(%1: own str):\n  ret own %1\n}\n";
    let dump = parse(&format!("ori-ir toy.t 1\n{text}")).unwrap();
    let mut notes = Notes::default();
    let graph = parse_function::<Toy>(&dump.functions[0], &mut notes).unwrap();
    let expect = [
        "T: Eq",
        "own Result(0)",
        "own Def(#0)",
        "own Use(#0, 0)",
        "range 0 4",
        "own TargetUse(#1, 0, 0)",
        "own Def(#1)",
        "own Use(#2, 0)",
    ];
    assert_eq!(notes.0, expect);
    let mut out = String::new();
    print_graph(&mut out, &graph, &Owning);
    assert_eq!(out, text);
}

#[test]
fn faults_land_at_the_ends_of_guilty_lines_and_read_back() {
    let text = "fn @f(%0: str) -> () {\nb0:\n  print %0\n  ret\nb1:\n  ret\n}\n";
    let faults = [
        (Where::Inst { block: 1, index: 0 }, Code("T2"), "second\nline".to_owned()),
        (Where::Block(1), Code("T3"), "block".to_owned()),
        (Where::Function, Code("T1"), "function".to_owned()),
        (Where::Inst { block: 0, index: 2 }, Code("T9"), "nowhere".to_owned()),
        (Where::Inst { block: 1, index: 0 }, Code("T4"), "again".to_owned()),
    ];
    let guilty = annotate(text, &faults);
    let expect = "fn @f(%0: str) -> () { ;~ T1 function ;~ T9 nowhere\nb0:\n  print %0\n  ret\nb1: ;~ T3 block\n  ret ;~ T2 second line ;~ T4 again\n}\n";
    assert_eq!(guilty, expect);
    let dump = parse(&format!("ori-ir toy.t 1\n{guilty}")).unwrap();
    let expected = expected_faults(&dump);
    let pairs: Vec<(u32, &str)> = expected.iter().map(|(line, code)| (*line, code.as_str())).collect();
    assert_eq!(pairs, [(2, "T1"), (2, "T9"), (6, "T3"), (7, "T2"), (7, "T4")]);
    assert_eq!(line_of(&dump.functions[0], Where::Inst { block: 1, index: 0 }), 7);
    assert_eq!(line_of(&dump.functions[0], Where::Block(1)), 6);
    assert_eq!(line_of(&dump.functions[0], Where::Block(7)), 2);
    assert_eq!(dump_text::print(&dump), format!("ori-ir toy.t 1\n{guilty}"));
}

/// Changes a text at random places: bytes, words, whole lines.
fn mangle(text: &str, noise: &mut Noise) -> String {
    const SPICE: [&str; 32] = [
        "%",
        "b0",
        "b1(",
        ")",
        "{",
        "}",
        "own ",
        "!0:0",
        " < ",
        "@",
        "\"",
        "\\",
        ";~ M1",
        "0x",
        "-",
        "[",
        "]",
        "%4294967294",
        "b4294967294",
        "99999999999999999999",
        ",",
        ":",
        "=",
        "<",
        ">",
        "->",
        "é",
        "\n",
        "flag3",
        "$rax",
        "(((((((",
        "{hot}",
    ];
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=noise.below(3) {
        let at = noise.below(lines.len());
        let other = noise.below(lines.len());
        match noise.below(8) {
            0 => {
                lines.remove(at);
            }
            1 => lines.swap(at, other),
            2 => {
                let copy = lines[at].clone();
                lines.insert(other, copy);
            }
            _ => {
                let line = &mut lines[at];
                let cuts: Vec<usize> = line.char_indices().map(|(i, _)| i).chain([line.len()]).collect();
                let (from, to) = (cuts[noise.below(cuts.len())], cuts[noise.below(cuts.len())]);
                match noise.below(4) {
                    0 => line.insert_str(from, SPICE[noise.below(SPICE.len())]),
                    1 if from < to && to - from < 6 => line.replace_range(from..to, SPICE[noise.below(SPICE.len())]),
                    2 if from < to && to - from < 6 => line.replace_range(from..to, ""),
                    _ => {
                        let piece = line.get(from.min(to)..from.max(to)).unwrap_or_default().to_owned();
                        line.insert_str(from, &piece);
                    }
                }
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.join("\n")
}

#[test]
fn mangled_text_never_panics_and_what_parses_is_a_fixed_point() {
    let base = format!("ori-ir toy.t 1 fact=1\n;! directive\n{SAMPLE}");
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let (mut parsed, mut graphs, mut faulty) = (0, 0, 0);
    for _ in 0..20_000 {
        let text = mangle(&base, &mut noise);
        let Ok(dump) = parse(&text) else { continue };
        parsed += 1;
        let once = dump_text::print(&dump);
        match parse(&once) {
            Ok(again) => assert_eq!(dump_text::print(&again), once, "from\n{text}"),
            Err(e) => panic!("{e}\n{once}\nfrom\n{text}"),
        }
        dump_text::view::tsv(&dump);
        dump_text::view::json(&dump);
        for function in &dump.functions {
            let Ok(graph) = parse_function::<Toy>(function, &mut Plain) else { continue };
            graphs += 1;
            let mut faults = Vec::new();
            structure::check(&graph, &mut |fault| faults.push((fault.at, Code("T1"), fault.message())));
            faulty += usize::from(!faults.is_empty());
            for fault in &faults {
                let line = line_of(function, fault.0);
                assert!(line >= function.line, "{fault:?}");
            }
            let once = print(&graph);
            assert_eq!(print(&self::graph(&once)), once, "from\n{text}");
            parse(&format!("ori-ir toy.t 1\n{}", annotate(&once, &faults))).unwrap();
        }
    }
    // The mangler must reach all layers, or the test shows nothing.
    assert!(parsed > 5_000 && graphs > 2_500 && faulty > 1_500, "{parsed} parsed, {graphs} graphs, {faulty} faulty");
}

#[test]
fn names_that_need_quotes_get_them() {
    let name = ItemId::parse("main.a b(c)").unwrap();
    let g: Graph<Toy> = Graph::new(name, vec![]);
    let text = print(&g);
    assert_eq!(text, "fn @\"main.a b(c)\"() -> () {\n}\n");
    assert_eq!(graph(&text).name, name);
    assert_eq!(block_name(Id::new(3)), "b3");
}

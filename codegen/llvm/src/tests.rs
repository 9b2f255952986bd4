use lir::Legal;

use crate::{Debug, Depth, External, Fact, Facts, Function, Item, Linkage, Source, Unit, write};

fn function(body: lir::Body<Legal>) -> Function {
    let symbol = format!("ori.{}", body.name);
    Function::new(std::sync::Arc::new(body), symbol, Linkage::Own)
}

/// A unit of these functions.
fn unit(text: &str) -> Unit {
    let (bodies, _) = lir::text::parse::<Legal>(&format!("ori-ir lir.legal 1 layout=lp64 abi=ori\n{text}")).expect("LIR");
    let functions = bodies.into_iter().map(function).collect();
    Unit { functions, ..Unit::default() }
}

/// The text of the functions alone.
fn functions(text: &str) -> String {
    let whole = write(&unit(text));
    let start = whole.find("define ").expect("a function");
    let end = whole.find("attributes #0").expect("attributes");
    whole[start..end].trim_end().to_owned()
}

#[test]
fn a_call_that_may_panic_tells_its_place_by_its_pad() {
    let found = functions(
        ";! fn @m.g(i64) -> i64\nfn @m.g(%0: i64) -> i64 {\nb0:\n  ret %0\n}\nfn @m.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = call @m.g, %0, b1 !2:3\n  %2: i64 = add_check %1, %0, add_overflow, b1 !2:9\n  ret %2\nb1:\n  resume\n}\n",
    );
    let expected = r#"define internal swiftcc i64 @"ori.m.g"(i64 %v0) #0 personality ptr @ori_personality {
entry:
  br label %b0
b0:
  ret i64 %v0
}

define internal swiftcc i64 @"ori.m.f"(i64 %v0) #0 personality ptr @ori_personality {
entry:
  br label %b0
b0:
  %t1 = invoke swiftcc i64 @"ori.m.g"(i64 %v0) to label %b0.1 unwind label %pad1
b0.1:
  %t2 = call { i64, i1 } @llvm.sadd.with.overflow.i64(i64 %t1, i64 %v0)
  %v2 = extractvalue { i64, i1 } %t2, 0
  %t3 = extractvalue { i64, i1 } %t2, 1
  br i1 %t3, label %x4, label %b0.2, !prof !2
b0.2:
  ret i64 %v2
b1:
  call void @ori_unwind_resume(ptr null) #1
  unreachable
pad1:
  %l1 = landingpad { ptr, i32 } cleanup catch ptr @p.1
  br label %b1
x4:
  call void @ori_panic_at(i64 0, i64 0, i64 0, ptr @p.2) #1
  unreachable
}"#;
    assert_eq!(found, expected);
}

#[test]
fn a_pad_that_catches_says_so_and_panics_reach_it() {
    let found = functions(
        "fn @m.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = neg_check %0, neg_overflow, b1 !1:1\n  ret %1\nb1:\n  %2: ptr = slot 24\n  rt caught, %2\n  %3: i64 = iconst 7\n  ret %3\n}\n",
    );
    assert!(found.contains("landingpad { ptr, i32 } cleanup catch ptr null\n  br label %b1"), "{found}");
    assert!(found.contains("invoke void @ori_panic_at(i64 0, i64 0, i64 3, ptr @p.1) to label %dead unwind label %pad1"), "{found}");
    assert!(found.contains("dead:\n  unreachable"), "{found}");
    assert!(found.contains("entry:\n  %v2 = alloca [24 x i8], align 8\n"), "{found}");
}

/// Each fact is told where it holds and nowhere else, and is gone with its switch.
#[test]
fn facts_are_told_where_they_hold_and_can_be_left_out() {
    let text = ";! fn @m.g(i64) -> i64\nfn @m.g(%0: i64) -> i64 {\nb0:\n  ret %0\n}\nfn @m.f(%0: i64, %1: i8) -> i64 {\nb0:\n  %2: i64 = call @m.g, %0, {nounwind}\n  \
                %3: i64 = call @m.g, %2, b3 !2:3\n  branch %1, b1, b2\nb1:\n  %4: i64 = add_check %3, %0, add_overflow, b3 !2:9\n  ret %4\nb2:\n  ret %3\nb3:\n  resume\n}\n";
    let mut unit = unit(text);
    let lines =
        |text: &str, what: &str| text.lines().filter(|line| line.contains(what)).map(str::trim).map(str::to_owned).collect::<Vec<_>>();
    let all = write(&unit);
    assert_eq!(lines(&all, "#2")[0], "%t1 = call swiftcc i64 @\"ori.m.g\"(i64 %v0) #2");
    // The other call may panic, whoever looks at what it calls: it is no call without unwinding.
    assert_eq!(lines(&all, "invoke"), ["%t2 = invoke swiftcc i64 @\"ori.m.g\"(i64 %t1) to label %b0.1 unwind label %pad1"]);
    // Weights stand on what is checked, and not on what the program asks.
    assert_eq!(lines(&all, "!prof"), ["br i1 %t5, label %x6, label %b1.1, !prof !2"]);
    assert!(all.contains("label %b1, label %b2\n"), "{all}");
    assert!(
        lines(&all, "#1").iter().all(|line| ["ori_panic_at", "ori_unwind_resume", "attributes"].iter().any(|name| line.contains(name)))
    );
    for fact in Fact::ALL {
        unit.facts = Facts::default().without(fact);
        let left = write(&unit);
        let told = |what: &str| left.lines().take_while(|line| !line.starts_with("attributes")).any(|line| line.contains(what));
        assert_eq!(
            [told(" #2"), told(" #1"), told("!prof")],
            [Fact::Nounwind, Fact::Cold, Fact::Weights].map(|other| other != fact),
            "{left}"
        );
        assert_eq!(Fact::from_name(fact.name()), Some(fact));
    }
    assert_eq!(Fact::from_name("old"), None);
}

#[test]
fn two_edges_of_one_block_to_another_are_two_blocks() {
    let found = functions(
        "fn @m.f(%0: i8) -> i64 {\nb0:\n  %1: i64 = iconst 1\n  %2: i64 = iconst 2\n  branch %0, b1(%1), b1(%2)\nb1(%3: i64):\n  ret %3\n}\n",
    );
    assert!(found.contains("(i64 %w0)") && found.contains("%v0 = trunc i64 %w0 to i8"), "{found}");
    assert!(found.contains("br i1 %t1, label %e2, label %e3"), "{found}");
    assert!(found.contains("%v3 = phi i64 [ 1, %e2 ], [ 2, %e3 ]"), "{found}");
}

#[test]
fn several_results_cross_a_call_as_a_struct() {
    let found = functions(
        ";! fn @m.f(i64) -> (i64, i8)\nfn @m.f(%0: i64) -> (i64, i8) {\nb0:\n  %1: i8 = iconst 1\n  ret %0, %1\n}\nfn @m.g(%0: i64) -> i64 {\nb0:\n  %1: i64, %2: i8 = call @m.f, %0, b1 !1:1\n  %3: i64 = zext %2\n  %4: i64 = add %1, %3\n  ret %4\nb1:\n  resume\n}\n",
    );
    assert!(found.contains("%t1 = insertvalue { i64, i64 } poison, i64 %v0, 0"), "{found}");
    assert!(found.contains("= extractvalue { i64, i64 } %t1, 1"), "{found}");
}

/// Every LIR fixture that the verifier accepts has a form for each instruction.
#[test]
fn every_instruction_has_a_form() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/lir");
    let mut seen = 0;
    for sub in ["ok", "run"] {
        for file in std::fs::read_dir(folder.join(sub)).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            let Ok((bodies, _)) = lir::text::parse::<Legal>(&text) else { continue };
            seen += bodies.len();
            let functions = bodies.into_iter().map(function).collect();
            let written = write(&Unit { functions, ..Unit::default() });
            assert!(!written.contains("; malformed"), "{}:\n{written}", file.display());
        }
    }
    assert!(seen > 20, "{seen} bodies");
}

#[test]
fn places_are_written_once_with_what_is_around_them() {
    let item = ir::ItemId::function(ir::Symbol::new("m"), ir::Symbol::new("f"));
    let mut unit = unit(
        "fn @m.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = neg_check %0, neg_overflow, b1 !1:4\n  %2: i64 = neg_check %1, neg_overflow, b1 !1:4\n  ret %2\nb1:\n  resume\n}\n",
    );
    unit.items.push(Item { item, symbol: "ori_item_1".to_owned() });
    let text = write(&unit);
    assert_eq!(text.matches("= private unnamed_addr constant { ptr, i32, i32, ptr }").count(), 1, "{text}");
    assert!(text.contains("{ ptr @\"ori_item_1\", i32 1, i32 4, ptr null }"), "{text}");
    assert_eq!(text, write(&unit), "the same unit, the same text");
}

#[test]
fn a_debugger_is_told_lines_with_what_they_were_inlined_through() {
    let module = ir::Symbol::new("m");
    let item = |name: &str| ir::ItemId::function(module, ir::Symbol::new(name));
    let mut unit = unit(
        "fn @m.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = add %0, %0\n  %2: i64 = neg_check %1, neg_overflow, b1 !@m.g 2:4 < 3:5\n  ret %2\nb1:\n  resume\n}\n",
    );
    let plain = write(&unit);
    let source = |name: &str, line: u32| Source {
        item: item(name),
        name: format!("m.{name}"),
        file: "m.ori".to_owned(),
        line,
        is_made: false,
        is_main: false,
    };
    unit.debug =
        Some(Debug { depth: Depth::Full, is_optimised: false, sources: vec![source("f", 10), source("g", 20)], types: Default::default() });
    let told = write(&unit);
    assert!(told.contains("%v1 = add i64 %v0, %v0, !dbg !1048585\n"), "what has no place has that of the next: {told}");
    assert!(told.contains("call void @ori_unwind_resume(ptr null) #1, !dbg !1048582\n"), "a call somewhere is on line 0: {told}");
    assert!(told.contains("!1048585 = !DILocation(line: 21, column: 4, scope: !1048584, inlinedAt: !1048583)"), "{told}");
    assert!(told.contains("!1048583 = !DILocation(line: 12, column: 5, scope: !1048581)"), "{told}");
    assert!(told.contains("!DIFile(filename: \"m.ori\", directory: \".\")"), "{told}");
    // Nothing else is different.
    let bare: String = told.lines().take_while(|line| !line.starts_with("!llvm.dbg.cu")).fold(String::new(), |mut text, line| {
        text.push_str(line.split(", !dbg ").next().unwrap_or_default());
        text.push('\n');
        text
    });
    assert_eq!(bare.replace(" !dbg !1048581 {", " {"), plain);
}

#[test]
fn parts_name_what_others_define_and_keep_one_of_each_constant() {
    let (bodies, _) = lir::text::parse::<Legal>(
        "ori-ir lir.legal 1 layout=lp64 abi=ori\n;! fn @n.g(i64) -> i64\nfn @n.g(%0: i64) -> i64 {\nb0:\n  ret %0\n}\nfn @m.f(%0: i64) -> ptr {\nb0:\n  %1: i64 = call @n.g, %0, b1 !2:3\n  %2: ptr = code @n.g\n  ret %2\nb1:\n  resume\n}\n",
    )
    .expect("LIR");
    let whole = Unit { functions: bodies.into_iter().map(function).collect(), is_part: true, ..Unit::default() };
    let other = whole.functions[0].graph().name;
    let mut copied = whole.clone();
    for function in &mut copied.functions {
        function.linkage = if function.graph().name == other { Linkage::Copy } else { Linkage::Shared };
    }
    let text = write(&copied);
    assert!(text.contains("define available_externally hidden swiftcc i64 @\"ori.n.g\""), "{text}");
    assert!(text.contains("define hidden swiftcc ptr @\"ori.m.f\""), "{text}");
    // What another unit defines has a thunk here all the same, when a value is made of it.
    let part = whole.restricted(|item| item != other);
    let External { params, results, .. } = &part.externals[0];
    assert_eq!((params.len(), results.len()), (1, 1));
    let text = write(&Unit { values: vec![other], ..part });
    assert!(text.contains("declare swiftcc i64 @\"ori.n.g\"(i64) #0"), "{text}");
    assert!(
        text.contains("define internal swiftcc i64 @\"ori.n.g&value\"(i64 %a0, ptr %cell)") && text.contains("ret ptr @\"ori.n.g&value\""),
        "{text}"
    );
}

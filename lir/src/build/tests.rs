//! MIR text in, LIR text out; what comes out always verifies.

use std::sync::Arc;

use hashbrown::HashMap;
use ir::ssa::text::{Plain, parse_function};
use ir::{ItemId, Stop};

mod counts;

use super::*;
use crate::ir::{Legal, Signature};
use crate::text::print_body;
use crate::verify::verify;

/// What a MIR dump declares: `;! type main.P = {int, byte}`, `;! fn @main.f(int) -> str`, and its own functions.
#[derive(Default)]
struct Program {
    fields: HashMap<hir::Type, Arc<[hir::Type]>>,
    variants: HashMap<hir::Type, Arc<mir::Variants>>,
    signatures: HashMap<ItemId, (Vec<hir::Type>, hir::Type)>,
}

impl Context for Program {
    fn methods(&self, object: hir::Type) -> Result<Arc<[hir::program::ObjectMethod]>, Stop> {
        let _ = object;
        Ok(Arc::default())
    }

    fn signature(&self, function: ItemId) -> Result<Option<Arc<Signature>>, Stop> {
        if let Some(known) = glue_signature(function, self)? {
            return Ok(Some(known));
        }
        self.signatures.get(&function).map(|(params, result)| flatten_signature(params, *result, self).map(Arc::new)).transpose()
    }

    fn fields(&self, ty: hir::Type) -> Result<Option<Arc<[hir::Type]>>, Stop> {
        Ok(match ty.kind() {
            hir::TypeKind::Tuple(elements) => Some(elements.into()),
            _ => self.fields.get(&ty).cloned(),
        })
    }

    fn variants(&self, ty: hir::Type) -> Result<Option<Arc<mir::Variants>>, Stop> {
        Ok(self.variants.get(&ty).cloned())
    }
}

fn types(text: &str) -> Vec<hir::Type> {
    ir::ssa::text::read::split_list(text).into_iter().map(|t| hir::types::parse(t).unwrap()).collect()
}

fn read(text: &str) -> (Vec<mir::Body<Owned>>, Program) {
    let dump = ir::text::parse(&format!("ori-ir mir.owned 1\n{text}")).unwrap();
    let mut program = Program::default();
    for (_, line) in &dump.directives {
        let line = line.trim();
        if let Some((name, fields)) = line.strip_prefix("type ").and_then(|t| t.split_once('=')) {
            let ty = hir::types::parse(name.trim()).unwrap();
            let braced = |text: &str| types(text.trim().strip_prefix('{').unwrap().strip_suffix('}').unwrap());
            if fields.contains('|') {
                program.variants.insert(ty, fields.split('|').map(|payload| braced(payload).into()).collect());
            } else {
                program.fields.insert(ty, braced(fields).into());
            }
        } else if let Some((head, result)) = line.strip_prefix("fn @").and_then(|t| t.rsplit_once("->")) {
            let (name, params) = head.trim().strip_suffix(')').unwrap().split_once('(').unwrap();
            program.signatures.insert(ItemId::parse(name).unwrap(), (types(params), hir::types::parse(result).unwrap()));
        }
    }
    let mut bodies = Vec::new();
    for function in &dump.functions {
        let graph = parse_function::<mir::Mir>(function, &mut Plain).unwrap();
        let params = graph.blocks.rows()[0].params.iter().map(|&p| graph.ty(p)).collect();
        program.signatures.insert(graph.name, (params, graph.results[0]));
        bodies.push(mir::Body::new(graph));
    }
    (bodies, program)
}

fn verified<P: crate::Phase>(body: &Body<P>, program: &Program) -> String {
    let text = print_body(body);
    let faults = verify(body, program).unwrap();
    assert!(faults.is_empty(), "{}{text}", ir::fault::report("f", &faults));
    text
}

fn legal(text: &str) -> (Vec<Body<Legal>>, Program) {
    let (bodies, program) = read(text);
    let bodies = bodies
        .iter()
        .map(|body| {
            let built = build(body, &program).unwrap();
            verified(&built, &program);
            let body = legalise(built, &program).unwrap();
            verified(&body, &program);
            body
        })
        .collect();
    (bodies, program)
}

/// The one door: the body of the first function, as built.
#[track_caller]
fn check(mir: &str, expect: &str) {
    let (bodies, program) = read(mir);
    let text = verified(&build(&bodies[0], &program).unwrap(), &program);
    assert_eq!(text.trim(), unindent(expect), "got:\n{text}");
    legal(mir);
}

/// Of the first function, in `legal`.
#[track_caller]
fn check_legal(mir: &str, expect: &str) {
    let (bodies, _) = legal(mir);
    let text = print_body(&bodies[0]);
    assert_eq!(text.trim(), unindent(expect), "got:\n{text}");
}

fn unindent(text: &str) -> String {
    let lines: Vec<&str> = text.trim_matches('\n').lines().collect();
    let depth = lines.first().map_or(0, |l| l.len() - l.trim_start().len());
    lines.iter().map(|l| l.get(depth..).unwrap_or("")).collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[test]
fn aggregates_are_renamings_that_leave_nothing_behind() {
    check(
        ";! type main.P = {int, str}\nfn @main.f(%0: main.P, %1: int) -> main.P {\nb0:\n  %2: int = field %0, 0\n  %3: str = field %0, 1\n  %4: main.P = aggregate %1, %3\n  %5: main.P = with_field %4, 0, %2\n  ret %5\n}\n",
        "fn @main.f(%0: i64, %1: ptr, %2: i64, %3: i64, %4: i64) -> (i64, ptr, i64, i64) {\nb0:\n  ret %0, %1, %2, %3\n}\n",
    );
}

#[test]
fn void_has_no_leaves_and_block_parameters_flatten() {
    check(
        "fn @main.f(%0: bool, %1: (int, float)) -> void {\nb0:\n  %2: void = unit\n  branch %0, b1(%1, %2), b2\nb1(%3: (int, float), %4: void):\n  ret %4\nb2:\n  ret %2\n}\n",
        "fn @main.f(%0: i8, %1: i64, %2: f64) -> () {\nb0:\n  branch %0, b1(%1, %2), b2\nb1(%3: i64, %4: f64):\n  ret\nb2:\n  ret\n}\n",
    );
}

#[test]
fn division_checks_its_divisor_and_the_one_pair_that_overflows() {
    check(
        "fn @main.f(%0: int, %1: int) -> int {\nb0:\n  %2: int = div %0, %1, b1 !1:2\n  ret %2\nb1:\n  resume\n}\n",
        "fn @main.f(%0: i64, %1: i64) -> i64 {\nb0:\n  %2: i64 = iconst 0\n  check %1, %2, ne.div_by_zero, b1 !1:2\n  %3: i64 = iconst -9223372036854775808\n  %4: i64 = iconst -1\n  %5: i64 = xor %0, %3\n  %6: i64 = xor %1, %4\n  %7: i64 = or %5, %6\n  check %7, %2, ne.div_overflow, b1 !1:2\n  %8: i64 = sdiv %0, %1\n  ret %8\nb1:\n  resume\n}\n",
    );
}

#[test]
fn a_literal_divisor_needs_no_check() {
    let text = |op: &str, n: i64| {
        format!("fn @main.f(%0: int) -> int {{\nb0:\n  %1: int = int {n}\n  %2: int = {op} %0, %1, b1 !1:2\n  ret %2\nb1:\n  resume\n}}\n")
    };
    let expect = |body: &str, n: i64| format!("fn @main.f(%0: i64) -> i64 {{\nb0:\n  %1: i64 = iconst {n}\n{body}");
    check(&text("rem", 10), &expect("  %2: i64 = srem %0, %1\n  ret %2\n}\n", 10));
    check(&text("div", -1), &expect("  %2: i64 = neg_check %0, div_overflow, b1 !1:2\n  ret %2\nb1:\n  resume\n}\n", -1));
    check(&text("floordiv", 8), &expect("  %2: i64 = iconst 3\n  %3: i64 = sar %0, %2\n  ret %3\n}\n", 8));
    check(
        &text("rem", -1),
        &expect(
            "  %2: i64 = iconst -9223372036854775808\n  check %0, %2, ne.rem_overflow, b1 !1:2\n  %3: i64 = iconst 0\n  ret %3\nb1:\n  resume\n}\n",
            -1,
        ),
    );
    check(
        &text("div", 0),
        "fn @main.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = iconst 0\n  check %1, %1, ne.div_by_zero, b1 !1:2\n  ret %1\nb1:\n  resume\n}\n",
    );
}

#[test]
fn shifts_have_three_panics_in_order() {
    check(
        "fn @main.f(%0: int, %1: int) -> int {\nb0:\n  %2: int = shl %0, %1, b1 !1:2\n  ret %2\nb1:\n  resume\n}\n",
        "fn @main.f(%0: i64, %1: i64) -> i64 {\nb0:\n  %2: i64 = iconst 0\n  check %1, %2, sge.negative_shift, b1 !1:2\n  %3: i64 = iconst 64\n  check %1, %3, slt.shift_too_large, b1 !1:2\n  %4: i64 = shl %0, %1\n  %5: i64 = sar %4, %1\n  check %5, %0, eq.shift_overflow, b1 !1:2\n  ret %4\nb1:\n  resume\n}\n",
    );
}

#[test]
fn an_element_is_loaded_behind_its_bounds_check() {
    check(
        ";! type main.P = {byte, int, char}\nfn @main.f(%0: [main.P], %1: int) -> main.P {\nb0:\n  %2: main.P = list_get %0, %1, b1 !1:2\n  ret %2\nb1:\n  resume\n}\n",
        "fn @main.f(%0: ptr, %1: i64, %2: ptr, %3: i64) -> (i8, i64, i32) {\nb0:\n  check %3, %1, ult.index_out_of_bounds, %3, %1, b1 !1:2\n  %4: i64 = iconst 24\n  %5: i64 = mul %3, %4\n  %6: ptr = add %0, %5\n  %7: i8 = load %6, 0\n  %8: i64 = load %6, 8\n  %9: i32 = load %6, 16\n  ret %7, %8, %9\nb1:\n  resume\n}\n",
    );
}

#[test]
fn a_text_goes_to_memory_once_and_a_result_is_passed_on_where_it_lies() {
    check(
        "fn @main.f(%0: str) -> int {\nb0:\n  %1: str = rt str_concat, %0, %0, {nounwind}\n  rt print, %1, b1 !1:3\n  %2: int = rt int_of_str, %0, b1 !1:4\n  ret %2\nb1:\n  resume\n}\n",
        "fn @main.f(%0: ptr, %1: i64, %2: i64) -> i64 {\nb0:\n  %3: ptr = slot 24\n  %4: ptr = slot 24\n  store %4, %0, 0\n  store %4, %1, 8\n  store %4, %2, 16\n  rt str_concat, %3, %4, %4\n  %5: ptr = load %3, 0\n  %6: i64 = load %3, 8\n  %7: i64 = load %3, 16\n  %8: i64 = rt print, %3\n  %9: i64 = iconst 0\n  check %8, %9, eq.output_failed, %8, b1 !1:3\n  %10: ptr = slot 8\n  %11: i64 = rt int_of_str, %10, %4\n  check %11, %9, eq.cannot_parse_int, %4, b1 !1:4\n  %12: i64 = load %10, 0\n  ret %12\nb1:\n  resume\n}\n",
    );
}

#[test]
fn statuses_panic_with_their_kinds_in_table_order() {
    check(
        "fn @main.f(%0: int) -> int {\nb0:\n  %1: int = rt int_pow, %0, %0, b1 !1:4\n  ret %1\nb1:\n  resume\n}\n",
        "fn @main.f(%0: i64) -> i64 {\nb0:\n  %1: ptr = slot 8\n  %2: i64 = rt int_pow, %1, %0, %0\n  %3: i64 = iconst 1\n  check %2, %3, ne.negative_exponent, b1 !1:4\n  %4: i64 = iconst 0\n  check %2, %4, eq.pow_overflow, b1 !1:4\n  %5: i64 = load %1, 0\n  ret %5\nb1:\n  resume\n}\n",
    );
}

#[test]
fn a_short_text_is_three_constants_and_a_long_one_static_data() {
    check(
        "fn @main.f(%0: bool) -> str {\nb0:\n  %1: str = str \"hi\"\n  %2: str = str \"a text of more than 23 bytes\"\n  %3: str = select %0, %1, %2\n  ret %3\n}\n",
        "fn @main.f(%0: i8) -> (ptr, i64, i64) {\nb0:\n  %1: ptr = iconst 26984\n  %2: i64 = iconst 0\n  %3: i64 = iconst -9079256848778919936\n  %4: ptr = data \"a text of more than 23 bytes\"\n  %5: i64 = iconst 28\n  %6: ptr = select %0, %1, %4\n  %7: i64 = select %0, %2, %5\n  %8: i64 = select %0, %3, %2\n  ret %6, %7, %8\n}\n",
    );
}

#[test]
fn the_length_of_a_text_is_a_select_and_that_of_a_literal_a_constant() {
    check(
        "fn @main.f(%0: str) -> int {\nb0:\n  %1: int = str_len %0\n  ret %1\n}\n",
        "fn @main.f(%0: ptr, %1: i64, %2: i64) -> i64 {\nb0:\n  %3: i64 = iconst 56\n  %4: i64 = shr %2, %3\n  %5: i64 = iconst 127\n  %6: i64 = and %4, %5\n  %7: i64 = iconst 0\n  %8: i8 = icmp %2, %7, slt\n  %9: i64 = select %8, %6, %1\n  ret %9\n}\n",
    );
    check(
        "fn @main.f() -> int {\nb0:\n  %0: str = str \"αβ\"\n  %1: int = str_len %0\n  ret %1\n}\n",
        "fn @main.f() -> i64 {\nb0:\n  %0: ptr = iconst 2999890382\n  %1: i64 = iconst 0\n  %2: i64 = iconst -8935141660703064064\n  %3: i64 = iconst 4\n  ret %3\n}\n",
    );
}

#[test]
fn small_integers_compare_unsigned() {
    check(
        "fn @main.f(%0: byte, %1: byte, %2: char, %3: char) -> bool {\nb0:\n  %4: bool = lt %0, %1\n  %5: bool = ge %2, %3\n  %6: bool = eq %4, %5\n  ret %6\n}\n",
        "fn @main.f(%0: i8, %1: i8, %2: i32, %3: i32) -> i8 {\nb0:\n  %4: i8 = icmp %0, %1, ult\n  %5: i8 = icmp %2, %3, uge\n  %6: i8 = icmp %4, %5, eq\n  ret %6\n}\n",
    );
}

#[test]
fn conversions_check_their_range() {
    check(
        "fn @main.f(%0: int, %1: float) -> (char, int) {\nb0:\n  %2: char = int_to_char %0, b1 !1:2\n  %3: int = float_to_int %1, b1 !1:3\n  %4: (char, int) = aggregate %2, %3\n  ret %4\nb1:\n  resume\n}\n",
        "fn @main.f(%0: i64, %1: f64) -> (i32, i64) {\nb0:\n  %2: i64 = iconst 1114111\n  check %0, %2, ule.invalid_codepoint, %0, b1 !1:2\n  %3: i64 = iconst 55296\n  %4: i64 = sub %0, %3\n  %5: i64 = iconst 2047\n  check %4, %5, ugt.invalid_codepoint, %0, b1 !1:2\n  %6: i32 = trunc %0\n  %7: i8 = iconst 0\n  %8: f64 = fconst 0xc3e0000000000000\n  %9: i8 = fcmp %1, %8, ge\n  check %9, %7, ne.float_out_of_range, b1 !1:3\n  %10: f64 = fconst 0x43e0000000000000\n  %11: i8 = fcmp %1, %10, lt\n  check %11, %7, ne.float_out_of_range, b1 !1:3\n  %12: i64 = int_of_float %1\n  ret %6, %12\nb1:\n  resume\n}\n",
    );
}

#[test]
fn what_mir_proved_is_not_checked_again() {
    check(
        "fn @main.f(%0: int, %1: byte) -> int {\nb0:\n  %2: int = widen %1\n  %3: int = int 63\n  %4: int = and %2, %3\n  %5: int = shr %0, %4, {nounwind}\n  ret %5\n}\n",
        "fn @main.f(%0: i64, %1: i8) -> i64 {\nb0:\n  %2: i64 = zext %1\n  %3: i64 = iconst 63\n  %4: i64 = and %2, %3\n  %5: i64 = sar %0, %4\n  ret %5\n}\n",
    );
}

#[test]
fn a_loop_to_the_entry_gets_a_block_of_its_own() {
    check(
        "fn @main.f(%0: int) -> int {\nb0:\n  jump b0(%0)\n}\n",
        "fn @main.f(%0: i64) -> i64 {\nb0:\n  jump b1(%0)\nb1(%1: i64):\n  jump b1(%1)\n}\n",
    );
}

const WIDE: &str = ";! type main.W = {int, int, int, int, int, int, int, byte}\n";

#[test]
fn wide_results_go_through_an_area_of_the_caller() {
    check_legal(
        &format!(
            "{WIDE};! fn @main.g(int) -> main.W\nfn @main.f(%0: int) -> byte {{\nb0:\n  %1: main.W = call @main.g, %0, b1 !1:1\n  %2: byte = field %1, 7\n  ret %2\nb1:\n  resume\n}}\n"
        ),
        "fn @main.f(%0: i64) -> i8 {\nb0:\n  %1: ptr = slot 64\n  call @main.g, %1, %0, b1 !1:1\n  %2: i64 = load %1, 0\n  %3: i64 = load %1, 8\n  %4: i64 = load %1, 16\n  %5: i64 = load %1, 24\n  %6: i64 = load %1, 32\n  %7: i64 = load %1, 40\n  %8: i64 = load %1, 48\n  %9: i8 = load %1, 56\n  ret %9\nb1:\n  resume\n}\n",
    );
    check_legal(
        &format!(
            "{WIDE}fn @main.f(%0: int, %1: byte) -> main.W {{\nb0:\n  %2: main.W = aggregate %0, %0, %0, %0, %0, %0, %0, %1\n  ret %2\n}}\n"
        ),
        "fn @main.f(%0: ptr, %1: i64, %2: i8) -> () {\nb0:\n  store %0, %1, 0\n  store %0, %1, 8\n  store %0, %1, 16\n  store %0, %1, 24\n  store %0, %1, 32\n  store %0, %1, 40\n  store %0, %1, 48\n  store %0, %2, 56\n  ret\n}\n",
    );
    check_legal(
        &format!("{WIDE};! fn @main.g(int) -> main.W\nfn @main.f(%0: int) -> main.W {{\nb0:\n  tail @main.g, %0\n}}\n"),
        "fn @main.f(%0: ptr, %1: i64) -> () {\nb0:\n  tail @main.g, %0, %1\n}\n",
    );
}

#[test]
fn a_tail_call_with_more_stack_arguments_than_the_caller_has_is_a_call() {
    check_legal(
        ";! fn @main.g(int, int, int, int, int, int, int) -> int\nfn @main.f(%0: int) -> int {\nb0:\n  tail @main.g, %0, %0, %0, %0, %0, %0, %0\n}\n",
        "fn @main.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = call @main.g, %0, %0, %0, %0, %0, %0, %0, b1 !1:1\n  ret %1\nb1:\n  resume\n}\n",
    );
    check_legal(
        ";! fn @main.g(int, int, int, int, int, int, int) -> int\nfn @main.f(%0: (int, int), %1: (str, int, int, int, int, int)) -> int {\nb0:\n  %2: int = field %0, 0\n  tail @main.g, %2, %2, %2, %2, %2, %2, %2\n}\n",
        "fn @main.f(%0: i64, %1: i64, %2: ptr, %3: i64, %4: i64, %5: i64, %6: i64, %7: i64, %8: i64, %9: i64) -> i64 {\nb0:\n  tail @main.g, %0, %0, %0, %0, %0, %0, %0\n}\n",
    );
}

#[test]
fn more_results_than_an_instruction_lists_are_in_area_form_from_the_start() {
    let fields = vec!["int"; 300].join(", ");
    let text = format!(
        ";! type main.H = {{{fields}}}\n;! fn @main.g() -> main.H\nfn @main.f() -> int {{\nb0:\n  %0: main.H = call @main.g, b1 !1:1\n  %1: int = field %0, 299\n  ret %1\nb1:\n  resume\n}}\n"
    );
    let (bodies, _) = legal(&text);
    let text = print_body(&bodies[0]);
    assert!(text.contains("slot 2400\n  call @main.g, %0, b1 !1:1\n") && text.contains("load %0, 2392\n"), "{text}");
}

#[test]
fn a_value_without_end_or_too_wide_is_refused_with_a_code() {
    let mut types = String::from(";! type main.T0 = {int, int}\n");
    for depth in 1..40 {
        types += &format!(";! type main.T{depth} = {{main.T{0}, main.T{0}}}\n", depth - 1);
    }
    for ty in ["main.T39", "main.Endless", "main.Unknown"] {
        let text = format!(
            "{types};! type main.Endless = {{main.Endless, int}}\nfn @main.f(%0: {ty}) -> int {{\nb0:\n  %1: int = int 1\n  ret %1\n}}\n"
        );
        let (bodies, program) = read(&text);
        let faults = verify(&build(&bodies[0], &program).unwrap(), &program).unwrap();
        assert_eq!(ir::Fault::code(&faults[0]).0, "L0101", "{ty}");
    }
}

#[test]
fn the_entry_calls_main_in_each_of_its_forms() {
    let main = ItemId::parse("main.main").unwrap();
    let text = |takes_args, returns, results: &[Type]| {
        let params = if takes_args { vec![Type::Ptr, Type::I64, Type::Ptr] } else { Vec::new() };
        let context = crate::text::TextContext::new([(main, Signature { params, results: results.to_vec() })]);
        let body = legalise(entry(main, takes_args, returns), &context).unwrap();
        let faults = verify(&body, &context).unwrap();
        assert!(faults.is_empty(), "{}", ir::fault::report("entry", &faults));
        print_body(&body)
    };
    assert_eq!(
        text(true, EntryReturn::Int, &[Type::I64]),
        "fn @&entry(%0: ptr) -> i64 {\nb0:\n  %1: ptr = load %0, 0\n  %2: i64 = load %0, 8\n  %3: ptr = load %0, 16\n  %4: i64 = call @main.main, %1, %2, %3, b1 !1:1\n  ret %4\nb1:\n  resume\n}\n"
    );
    assert_eq!(
        text(false, EntryReturn::Void, &[]),
        "fn @&entry(%0: ptr) -> i64 {\nb0:\n  call @main.main, b1 !1:1\n  %1: i64 = iconst 0\n  ret %1\nb1:\n  resume\n}\n"
    );
    assert!(text(false, EntryReturn::Never, &[]).contains("  unreachable\n"));
}

#[test]
fn broken_mir_gives_a_body_that_is_refused_and_no_crash() {
    for text in [
        "fn @main.f(%0: int) -> int {\nb0:\n  %1: int = add %9, %0, b7 !1:1\n  ret %1\n}\n",
        "fn @main.f(%0: int) -> str {\nb0:\n  %1: str = rt str_concat, %0\n  ret %1\n}\n",
        "fn @main.f(%0: int) -> int {\nb0:\n  %1: int = field %0, 3\n  jump b1(%1, %1)\nb1(%2: int):\n  ret %2\n}\n",
        "fn @main.f(%0: str) -> int {\nb0:\n  %1: int = list_get %0\n  panic custom\n}\n",
    ] {
        let (bodies, program) = read(text);
        let built = build(&bodies[0], &program).unwrap();
        assert!(!verify(&built, &program).unwrap().is_empty(), "{text}");
        legalise(built, &program).unwrap();
    }
}

#[test]
fn lowering_is_linear_in_the_size_of_a_body() {
    let body = |statements: usize| {
        let mut text = String::from("fn @main.f(%0: int, %1: str) -> int {\nb0:\n");
        let mut value = 2;
        for _ in 0..statements {
            text += &format!("  %{}: int = add %{}, %0, b1 !1:1\n", value, if value == 2 { 0 } else { value - 2 });
            text += &format!("  %{}: int = rem %{}, %0, b1 !1:2\n", value + 1, value);
            value += 2;
        }
        text + &format!("  ret %{}\nb1:\n  resume\n}}\n", value - 1)
    };
    let cost = |statements: usize| {
        let (bodies, program) = read(&body(statements));
        let size = legalise(build(&bodies[0], &program).unwrap(), &program).unwrap().size();
        let start = std::time::Instant::now();
        for _ in 0..10 {
            std::hint::black_box(legalise(build(&bodies[0], &program).unwrap(), &program).unwrap());
        }
        let lowering = start.elapsed().as_nanos() as f64 / 10.0 / size as f64;
        let legal = legalise(build(&bodies[0], &program).unwrap(), &program).unwrap();
        let start = std::time::Instant::now();
        for _ in 0..10 {
            assert!(verify(&legal, &program).unwrap().is_empty());
        }
        let verifying = start.elapsed().as_nanos() as f64 / 10.0 / size as f64;
        let mut optimised = legal.clone();
        let start = std::time::Instant::now();
        crate::opt::optimise(&mut optimised, &mut ir::Fuel::unlimited());
        let optimising = start.elapsed().as_nanos() as f64 / size as f64;
        println!("{size} instructions: build and legalise {lowering:.0} ns, verify {verifying:.0} ns, optimise {optimising:.0} ns each");
        lowering
    };
    let (small, large) = (cost(2_000), cost(40_000));
    assert!(large < small * 8.0 + 1000.0, "{small:.0} ns an instruction, then {large:.0}");
}

#[test]
fn a_cell_is_room_behind_a_header_with_the_parts_as_in_a_tuple() {
    // A byte, an address that is null where the sum is empty, a word: 24 bytes, of class 3.
    check(
        ";! type m.Chain = {} | {cell<byte, m.Chain, int>}\nfn @m.f(%0: m.Chain, %1: byte) -> byte {\nb0:\n  %2: int = int 7\n  %3: cell<byte, m.Chain, int> = new %1, %0, %2\n  %4: byte = part %3, 0\n  ret %4\n}\n",
        "fn @m.f(%0: ptr, %1: i8) -> i8 {\nb0:\n  %2: i64 = iconst 7\n  %3: ptr = alloc 2776918019\n  store %3, %1, 0\n  store %3, %0, 8\n  store %3, %2, 16\n  %4: i8 = load %3, 0\n  ret %4\n}\n",
    );
}

#[test]
fn a_cell_or_nothing_is_an_address_or_null() {
    check(
        ";! type m.O = {} | {cell<int>}\nfn @m.f(%0: m.O) -> int {\nb0:\n  %1: int = tag %0\n  %2: m.O = variant 0\n  %3: bool = is %2, 1\n  branch %3, b1, b2\nb1:\n  %4: cell<int> = payload %0, v1.0\n  %5: int = part %4, 0\n  ret %5\nb2:\n  ret %1\n}\n",
        "fn @m.f(%0: ptr) -> i64 {\nb0:\n  %1: ptr = iconst 0\n  %2: i8 = icmp %0, %1, ne\n  %3: i64 = zext %2\n  %4: i8 = icmp %1, %1, ne\n  branch %4, b1, b2\nb1:\n  %5: i64 = load %0, 0\n  ret %5\nb2:\n  ret %3\n}\n",
    );
    // Two others need a tag, and so does what is around an address whose null is taken.
    check(
        ";! type m.T = {} | {} | {cell<int>}\nfn @m.f(%0: m.T) -> int {\nb0:\n  %1: int = tag %0\n  ret %1\n}\n",
        "fn @m.f(%0: ptr, %1: i8) -> i64 {\nb0:\n  %2: i64 = zext %1\n  ret %2\n}\n",
    );
    check(
        ";! type m.I = {} | {cell<int>}\n;! type m.T = {} | {m.I}\nfn @m.f(%0: m.T) -> int {\nb0:\n  %1: int = tag %0\n  ret %1\n}\n",
        "fn @m.f(%0: ptr, %1: i8) -> i64 {\nb0:\n  %2: i64 = zext %1\n  ret %2\n}\n",
    );
}

#[test]
fn cells_that_others_watch_are_asked_of_the_runtime() {
    // A class of 136 to 160 bytes has room for 160: a value of 160 may be put into the same cell later.
    let text = "ori-ir lir.legal 1 layout=lp64 abi=ori\nfn @m.f(%0: i64) -> i64 {\nb0:\n  %1: ptr = alloc 1041\n  store %1, %0, 0\n  %2: i64 = load %1, 0\n  free %1, 17\n  ret %2\n}\n";
    let (mut bodies, cx) = crate::text::parse::<Legal>(text).unwrap();
    separate(&mut bodies[0]);
    assert!(verify(&bodies[0], &cx).unwrap().is_empty());
    let expect = "fn @m.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = iconst 160\n  %2: i64 = iconst 4\n  %3: ptr = rt allocate, %1, %2\n  store %3, %0, 0\n  %4: i64 = load %3, 0\n  rt free, %3\n  ret %4\n}\n";
    assert_eq!(print_body(&bodies[0]).trim(), unindent(expect));
}

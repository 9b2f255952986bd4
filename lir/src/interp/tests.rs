//! Checked memory, unwinding, and what MIR arithmetic means after lowering; and mutants of real bodies.

use super::*;
use crate::text::{TextContext, parse};
use crate::verify::verify;

const HEADER: &str = "ori-ir lir.legal 1 layout=lp64 abi=ori\n";

struct Bodies(Vec<Arc<Body<Legal>>>);

impl Program for Bodies {
    fn body(&self, function: ItemId) -> Result<Option<Arc<Body<Legal>>>, Stop> {
        Ok(self.0.iter().find(|b| b.name == function).cloned())
    }
}

fn read(text: &str) -> (Bodies, TextContext) {
    let (bodies, context) = parse::<Legal>(&format!("{HEADER}{text}")).unwrap();
    (Bodies(bodies.into_iter().map(Arc::new).collect()), context)
}

fn run(text: &str, args: &[u64]) -> (Outcome, String) {
    let (program, _) = read(text);
    let mut runtime = StandardRuntime::default();
    let name = program.0[0].name;
    let outcome = Machine::new(&program, &mut runtime, Limits { steps: 10_000, frames: 50 }).run(name, args).unwrap();
    (outcome, String::from_utf8(runtime.output).unwrap())
}

/// The one door: the first function ends so.
#[track_caller]
fn check(text: &str, args: &[u64], expect: Outcome) {
    assert_eq!(run(text, args).0, expect);
}

#[test]
fn a_panic_goes_along_the_unwind_edges_to_its_caller() {
    let text = "\
fn @main.f(%0: i64) -> i64 {
b0:
  %1: i64 = call @main.g, %0, b1 !7:1
  ret %1
b1:
  %2: ptr = data \"0123456789012345678901234567890\"
  %3: ptr = slot 24
  %4: i64 = iconst 31
  %5: i64 = iconst 0
  store %3, %2, 0
  store %3, %4, 8
  store %3, %5, 16
  rt debug_print, %3
  resume
}
fn @main.g(%0: i64) -> i64 {
b0:
  %1: i64 = add_check %0, %0, add_overflow, b1 !2:3
  ret %1
b1:
  resume
}
";
    check(text, &[21], Outcome::Returned(vec![42]));
    let (outcome, _) = run(text, &[1 << 62]);
    let Outcome::Panicked { kind, places, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((kind, places[0].line, places[0].column), (PanicKind::AddOverflow, 2, 3));
}

#[test]
fn texts_cross_to_the_runtime_by_address() {
    let text = "\
fn @main.f(%0: i64) -> () {
b0:
  %1: ptr = slot 24
  rt str_of_int, %1, %0
  %2: ptr = slot 24
  rt str_concat, %2, %1, %1
  %3: i64 = rt print, %2
  %4: i64 = iconst 0
  check %3, %4, eq.output_failed, %3, b1 !1:1
  ret
b1:
  resume
}
";
    assert_eq!(run(text, &[1_234_567_890_123]), (Outcome::Returned(vec![]), "12345678901231234567890123\n".to_owned()));
}

#[test]
fn what_a_verified_body_never_does_is_a_trap() {
    check("fn @main.f(%0: ptr) -> i64 {\nb0:\n  %1: i64 = load %0, 0\n  ret %1\n}\n", &[64], Outcome::Trapped(Trap::Access));
    check(
        "fn @main.f(%0: i64, %1: i64) -> i64 {\nb0:\n  %2: i64 = sdiv %0, %1\n  ret %2\n}\n",
        &[1, 0],
        Outcome::Trapped(Trap::Arithmetic),
    );
    check("fn @main.f() -> () {\nb0:\n  jump b1\nb1:\n  jump b1\n}\n", &[], Outcome::Trapped(Trap::Steps));
    check("fn @main.f() -> () {\nb0:\n  call @main.f, b1 !1:1\n  ret\nb1:\n  resume\n}\n", &[], Outcome::Trapped(Trap::Space));
    check(
        "fn @main.f(%0: i64) -> () {\nb0:\n  %1: ptr = data \"0123456789\"\n  store %1, %0, 0\n  ret\n}\n",
        &[1],
        Outcome::Trapped(Trap::ReadOnly),
    );
    // A slot is gone with its frame.
    check(
        "fn @main.f() -> i64 {\nb0:\n  %0: ptr = call @main.g, b1 !1:1\n  %1: i64 = load %0, 0\n  ret %1\nb1:\n  resume\n}\nfn @main.g() -> ptr {\nb0:\n  %0: ptr = slot 8\n  ret %0\n}\n",
        &[],
        Outcome::Trapped(Trap::Access),
    );
}

#[test]
fn tail_calls_run_in_constant_stack() {
    let text = "fn @main.f(%0: i64, %1: i64) -> i64 {\nb0:\n  %2: i64 = iconst 1\n  %3: i64 = sub %0, %2\n  %4: i64 = add %1, %0\n  switch %0, 0, b1, b2\nb1:\n  ret %1\nb2:\n  tail @main.f, %3, %4\n}\n";
    check(text, &[100, 0], Outcome::Returned(vec![5050]));
}

/// A body with all that matters: a loop, a checked division, texts, statuses, a wide call, a select.
const SUBJECT: &str = "\
;! fn @main.wide(i64) -> (i64, i64, i64, i64, i64, i64, i64)
;! fn @main.f(i64, i64) -> i64
fn @main.f(%0: i64, %1: i64) -> i64 {
b0:
  %2: i64 = iconst 0
  jump b1(%0, %2)
b1(%3: i64, %4: i64):
  %5: i8 = icmp %3, %2, sgt
  branch %5, b2, b3
b2:
  check %1, %2, ne.div_by_zero, b4 !1:1
  %6: i64 = iconst -9223372036854775808
  %7: i64 = iconst -1
  %8: i64 = xor %3, %6
  %9: i64 = xor %1, %7
  %10: i64 = or %8, %9
  check %10, %2, ne.div_overflow, b4 !1:1
  %11: i64 = sdiv %3, %1
  %12: i64 = add_check %4, %11, add_overflow, b4 !1:2
  %13: i64 = add %3, %7
  jump b1(%13, %12)
b3:
  %14: ptr = slot 24
  rt str_of_int, %14, %4
  %15: i64 = rt print, %14
  check %15, %2, eq.output_failed, %15, b4 !1:3
  %16: ptr = slot 56
  call @main.wide, %16, %4, b4 !1:4
  %17: i64 = load %16, 0
  %18: i64 = load %16, 48
  %19: i64 = select %5, %17, %18
  ret %19
b4:
  resume
}
fn @main.wide(%0: ptr, %1: i64) -> () {
b0:
  %2: i64 = iconst 3
  %3: i64 = mul %1, %2
  store %0, %1, 0
  store %0, %1, 8
  store %0, %1, 16
  store %0, %1, 24
  store %0, %1, 32
  store %0, %1, 40
  store %0, %3, 48
  ret
}
";

#[test]
fn mutants_are_refused_or_run_to_an_end() {
    let (program, context) = read(SUBJECT);
    for body in &program.0 {
        assert!(verify(body, &context).unwrap().is_empty());
    }
    let body = &program.0[0];
    let (mut refused, mut equal, mut different) = (0, 0, 0);
    let baseline = run_program(&program, 7, 3);
    assert!(matches!(&baseline.0, Outcome::Returned(words) if words.len() == 1), "{baseline:?}");
    for seed in 0..600 {
        let Some((graph, _)) = ir::mutate::mutate(body, seed, &Type::ALL) else { continue };
        let mutant: Body<Legal> = Body::new(graph);
        if !verify(&mutant, &context).unwrap().is_empty() {
            refused += 1;
            continue;
        }
        let text = crate::text::print_file(std::slice::from_ref(&mutant), &context).unwrap();
        assert!(parse::<Legal>(&text).is_ok(), "{text}");
        let mutated = Bodies(vec![Arc::new(mutant), program.0[1].clone()]);
        if run_program(&mutated, 7, 3) == baseline { equal += 1 } else { different += 1 }
    }
    println!("{refused} refused, {equal} equal, {different} different");
    // Another condition or constant is another legal program; everything else must be seen.
    assert!(refused >= 330, "{refused} refused, {equal} equal, {different} different");
}

fn run_program(program: &Bodies, a: u64, b: u64) -> (Outcome, Vec<u8>) {
    let mut runtime = StandardRuntime::default();
    let outcome = Machine::new(program, &mut runtime, Limits { steps: 5_000, frames: 50 }).run(program.0[0].name, &[a, b]).unwrap();
    (outcome, runtime.output)
}

#[test]
fn a_watched_instruction_is_counted() {
    let (program, _) = read(SUBJECT);
    let body = program.0[0].clone();
    let division = body.insts.iter().find(|(_, row)| row.op == Op::Sdiv).map(|(inst, _)| inst).unwrap();
    let mut runtime = StandardRuntime::default();
    let mut machine = Machine::new(&program, &mut runtime, Limits::default());
    machine.watch(body.name, division);
    machine.run(body.name, &[7, 3]).unwrap();
    assert_eq!(machine.hits(), 7);
}

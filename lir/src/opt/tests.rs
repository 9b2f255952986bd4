//! Text in, text out; and what a division means, against the numbers themselves.

use ir::ItemId;

use super::*;
use crate::interp::{Limits, Machine, Outcome, Program, StandardRuntime};
use crate::text::{TextContext, parse, print_body};
use crate::verify::verify;
use std::sync::Arc;

const HEADER: &str = "ori-ir lir.legal 1 layout=lp64 abi=ori\n";

fn read(text: &str) -> (Body<Legal>, TextContext) {
    let (mut bodies, context) = parse::<Legal>(&format!("{HEADER}{text}")).unwrap();
    (bodies.remove(0), context)
}

fn optimised(text: &str, pass: Option<&str>) -> String {
    let (mut body, context) = read(text);
    assert!(verify(&body, &context).unwrap().is_empty(), "{text}");
    let mut fuel = Fuel::unlimited();
    match pass {
        Some(name) => assert!(run_pass(name, &mut body, &mut fuel)),
        None => optimise(&mut body, &mut fuel),
    }
    let out = print_body(&body);
    let faults = verify(&body, &context).unwrap();
    assert!(faults.is_empty(), "{}{out}", ir::fault::report("f", &faults));
    // Whatever the fuel, what has been done so far is a legal body.
    for limit in 0..fuel.spent() {
        let (mut body, context) = read(text);
        let mut fuel = Fuel::limited(limit);
        optimise(&mut body, &mut fuel);
        let faults = verify(&body, &context).unwrap();
        assert!(faults.is_empty(), "fuel {limit}: {}{}", ir::fault::report("f", &faults), print_body(&body));
    }
    out
}

/// The one door: a pass (all when there is none) turns the body into this.
#[track_caller]
fn check(pass: Option<&str>, text: &str, expect: &str) {
    assert_eq!(optimised(text, pass), expect);
}

struct One(Arc<Body<Legal>>);

impl Program for One {
    fn body(&self, function: ItemId) -> Result<Option<Arc<Body<Legal>>>, ir::Stop> {
        Ok((self.0.name == function).then(|| self.0.clone()))
    }
}

fn run(body: &Arc<Body<Legal>>, args: &[u64]) -> Outcome {
    let program = One(body.clone());
    let mut runtime = StandardRuntime::default();
    Machine::new(&program, &mut runtime, Limits::default()).run(body.name, args).unwrap()
}

const NUMBERS: [i64; 27] = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    -3,
    5,
    7,
    -7,
    9,
    10,
    -10,
    63,
    64,
    -64,
    100,
    1000,
    -1000,
    1 << 32,
    (1 << 32) + 1,
    -(1 << 40) + 3,
    i64::MAX - 1,
    i64::MAX,
    i64::MIN,
    i64::MIN + 1,
    -4_611_686_018_427_387_905,
];

fn divisors() -> Vec<i64> {
    let mut all: Vec<i64> = (-130..=130).collect();
    for bits in 0..64 {
        for near in -2..=2 {
            all.push(1i64.wrapping_shl(bits).wrapping_add(near));
            all.push((-1i64).wrapping_shl(bits).wrapping_add(near));
        }
    }
    all.extend([1_000_000_007, -1_000_000_007, 86_400, 3_600_000_000_000, i64::MAX, i64::MIN, 641, 6_700_417, 0x5555_5555_5555_5555]);
    all.retain(|&d| d != 0 && d != -1);
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn division_by_every_kind_of_literal_is_exact() {
    let divisors = divisors();
    for &divisor in &divisors {
        let text = format!(
            "fn @main.f(%0: i64) -> (i64, i64) {{\nb0:\n  %1: i64 = iconst {divisor}\n  %2: i64 = sdiv %0, %1\n  %3: i64 = srem %0, %1\n  ret %2, %3\n}}\n"
        );
        let (mut body, context) = read(&text);
        optimise(&mut body, &mut Fuel::unlimited());
        assert!(verify(&body, &context).unwrap().is_empty());
        let out = print_body(&body);
        assert!(!out.contains("sdiv") && !out.contains("srem"), "{out}");
        let body = Arc::new(body);
        // Multiples of the divisor and their neighbours are where rounding goes wrong.
        let multiples = [1i64, -1, 2, 3, -5, 1 << 20].map(|k| divisor.wrapping_mul(k));
        for near in multiples.into_iter().chain(NUMBERS).flat_map(|n| [n.wrapping_sub(1), n, n.wrapping_add(1)]) {
            let expected = Outcome::Returned(vec![(near / divisor) as u64, (near % divisor) as u64]);
            assert_eq!(run(&body, &[near as u64]), expected, "{near} by {divisor}");
        }
    }
}

/// The same formula in 8 bits, for every dividend and divisor: a slip in it has nowhere to hide.
#[test]
fn the_magic_formula_is_exact_for_all_small_numbers() {
    for divisor in (-1000i64..=1000).filter(|d| d.abs() > 1) {
        let strength::Magic { factor, shift } = strength::magic(divisor);
        for number in -3000i64..=3000 {
            let mut high = ((i128::from(number) * i128::from(factor)) >> 64) as i64;
            if divisor > 0 && factor < 0 {
                high = high.wrapping_add(number);
            } else if divisor < 0 && factor > 0 {
                high = high.wrapping_sub(number);
            }
            high >>= shift;
            high += ((high as u64) >> 63) as i64;
            if divisor.unsigned_abs().is_power_of_two() {
                continue;
            }
            assert_eq!(high, number / divisor, "{number} / {divisor}");
        }
    }
}

#[test]
fn a_division_behind_a_check_that_fails_stays() {
    let text = "fn @main.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = iconst 0\n  check %0, %1, ne.div_by_zero, b1 !1:1\n  %2: i64 = iconst 5\n  %3: i64 = sdiv %2, %0\n  ret %3\nb1:\n  resume\n}\n";
    check(Some("lir.strength"), text, text);
}

#[test]
fn products_with_powers_of_two_are_shifts() {
    check(
        None,
        "fn @main.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = iconst 8\n  %2: i64 = mul %1, %0\n  ret %2\n}\n",
        "fn @main.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = iconst 3\n  %2: i64 = shl %0, %1\n  ret %2\n}\n",
    );
}

#[test]
fn constants_fold_and_checks_that_hold_go() {
    check(
        None,
        "fn @main.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = iconst 3\n  %2: i64 = iconst 4\n  %3: i64 = add_check %1, %2, add_overflow, b1 !1:1\n  check %3, %2, ne.div_by_zero, b1 !1:2\n  %4: i64 = mul %3, %2\n  %5: i64 = xor %4, %1\n  %6: i64 = add %0, %5\n  ret %6\nb1:\n  resume\n}\n",
        "fn @main.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = iconst 31\n  %2: i64 = add %0, %1\n  ret %2\n}\n",
    );
}

#[test]
fn an_addition_that_overflows_stays() {
    let text = "fn @main.f() -> i64 {\nb0:\n  %0: i64 = iconst 9223372036854775807\n  %1: i64 = add_check %0, %0, add_overflow, b1 !1:1\n  ret %1\nb1:\n  resume\n}\n";
    check(None, text, text);
}

#[test]
fn identities_vanish() {
    check(
        None,
        "fn @main.f(%0: i64, %1: i8) -> i8 {\nb0:\n  %2: i64 = iconst 0\n  %3: i64 = add %0, %2\n  %4: i64 = iconst 1\n  %5: i64 = mul_check %3, %4, mul_overflow, b1 !1:1\n  %6: i8 = icmp %2, %5, slt\n  %7: i8 = iconst 1\n  %8: i8 = xor %6, %7\n  %9: i64 = zext %8\n  %10: i8 = trunc %9\n  ret %10\nb1:\n  resume\n}\n",
        "fn @main.f(%0: i64, %1: i8) -> i8 {\nb0:\n  %2: i64 = iconst 0\n  %3: i8 = icmp %0, %2, sle\n  ret %3\n}\n",
    );
}

#[test]
fn literal_offsets_move_into_accesses() {
    check(
        None,
        "fn @main.f(%0: ptr, %1: i64) -> i64 {\nb0:\n  %2: i64 = iconst 24\n  %3: ptr = add %0, %2\n  %4: ptr = add %3, %2\n  %5: i64 = load %4, 8\n  store %4, %1, 16\n  ret %5\n}\n",
        "fn @main.f(%0: ptr, %1: i64) -> i64 {\nb0:\n  %2: i64 = load %0, 56\n  store %0, %1, 64\n  ret %2\n}\n",
    );
    let before = "fn @main.f(%0: ptr) -> i64 {\nb0:\n  %1: i64 = iconst -24\n  %2: ptr = add %0, %1\n  %3: i64 = load %2, 8\n  ret %3\n}\n";
    check(None, before, before);
}

#[test]
fn loads_of_what_a_slot_was_given_are_forwarded_and_the_slot_goes() {
    check(
        None,
        "fn @main.f(%0: i64, %1: i64) -> i64 {\nb0:\n  %2: ptr = slot 16\n  store %2, %0, 0\n  store %2, %1, 8\n  %3: i64 = load %2, 0\n  %4: i64 = load %2, 8\n  %5: i64 = sub %3, %4\n  ret %5\n}\n",
        "fn @main.f(%0: i64, %1: i64) -> i64 {\nb0:\n  %2: i64 = sub %0, %1\n  ret %2\n}\n",
    );
}

#[test]
fn a_call_that_gets_the_slot_may_change_it() {
    let text = "fn @main.f(%0: ptr, %1: i64) -> i64 {\nb0:\n  %2: ptr = slot 24\n  store %2, %1, 8\n  rt str_of_int, %2, %1\n  %3: i64 = load %2, 8\n  ret %3\n}\n";
    check(None, text, text);
}

#[test]
fn a_value_that_only_goes_round_a_loop_disappears() {
    check(
        None,
        "fn @main.f(%0: i64, %1: i64) -> i64 {\nb0:\n  jump b1(%0, %1)\nb1(%2: i64, %3: i64):\n  %4: i64 = iconst 1\n  %5: i64 = add %3, %4\n  %6: i64 = sub %2, %4\n  %7: i64 = iconst 0\n  %8: i8 = icmp %6, %7, sgt\n  branch %8, b1(%6, %5), b2(%5)\nb2(%9: i64):\n  ret %0\n}\n",
        "fn @main.f(%0: i64, %1: i64) -> i64 {\nb0:\n  jump b1(%0)\nb1(%2: i64):\n  %3: i64 = iconst 1\n  %4: i64 = sub %2, %3\n  %5: i64 = iconst 0\n  %6: i8 = icmp %4, %5, sgt\n  branch %6, b1(%4), b2\nb2:\n  ret %0\n}\n",
    );
}

#[test]
fn passes_can_be_switched_off_by_name() {
    let (mut body, _) = read("fn @main.f(%0: i64) -> i64 {\nb0:\n  %1: i64 = iconst 10\n  %2: i64 = sdiv %0, %1\n  ret %2\n}\n");
    optimise(&mut body, &mut Fuel::unlimited().without(["lir.strength".to_owned()]));
    assert!(print_body(&body).contains("sdiv"));
    assert!(!run_pass("lir.nothing", &mut body, &mut Fuel::unlimited()));
}

#[test]
fn a_remainder_that_is_only_tested_and_an_even_half_need_no_rounding() {
    let text = "fn @f(%0: i64) -> (i64) {
b0:
  %1: i64 = iconst 2
  %2: i64 = srem %0, %1
  %3: i64 = iconst 0
  %4: i8 = icmp %2, %3, eq
  branch %4, b1, b2
b1:
  %5: i64 = sdiv %0, %1
  ret %5
b2:
  %6: i64 = sdiv %0, %1
  ret %6
}
";
    let out = optimised(text, Some("lir.strength"));
    assert!(!out.contains("srem") && !out.contains("sdiv"), "{out}");
    // The test is one `and`; the half of an even number one shift; the half of the other needs its rounding.
    assert_eq!(out.matches("sub ").count(), 0, "{out}");
    assert_eq!(out.matches("shr ").count(), 1, "{out}");
    let (body, _) = read(text);
    let (new, _) = read(&out);
    for number in NUMBERS {
        assert_eq!(run(&Arc::new(body.clone()), &[number as u64]), run(&Arc::new(new.clone()), &[number as u64]), "{number}");
    }
}

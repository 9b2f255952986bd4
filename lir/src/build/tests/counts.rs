//! `dup` and `drop`: what is dropped is gone, whatever its shape, and no chain of calls is as long as a chain of cells.

use std::cell::RefCell;

use super::super::glue::{Purpose, glue};
use super::*;
use crate::interp::{Limits, Machine, Outcome, StandardRuntime};

/// Bodies by name; those that count are made when they are asked for.
struct Bodies {
    program: Program,
    known: RefCell<HashMap<ItemId, Arc<Body<Legal>>>>,
}

impl crate::interp::Program for Bodies {
    fn body(&self, function: ItemId) -> Result<Option<Arc<Body<Legal>>>, Stop> {
        if let Some(known) = self.known.borrow().get(&function) {
            return Ok(Some(known.clone()));
        }
        let Some((purpose, ty)) = Purpose::of(function) else { return Ok(None) };
        let built = glue(function, purpose, ty, &self.program)?;
        verified(&built, &self.program);
        let body = Arc::new(legalise(built, &self.program)?);
        verified(&body, &self.program);
        self.known.borrow_mut().insert(function, body.clone());
        Ok(Some(body))
    }
}

/// Runs the first function with an int, in few frames: it returns the int, and nothing is left in memory.
#[track_caller]
fn check_balanced(mir: &str, argument: u64) {
    let (bodies, program) = legal(mir);
    let first = bodies[0].name;
    let known = bodies.into_iter().map(|body| (body.name, Arc::new(body))).collect();
    let bodies = Bodies { program, known: RefCell::new(known) };
    let mut runtime = StandardRuntime::default();
    let mut machine = Machine::new(&bodies, &mut runtime, Limits { frames: 8, ..Limits::default() });
    let outcome = machine.run(first, &[argument]).unwrap();
    assert_eq!((outcome, machine.memory.in_use()), (Outcome::Returned(vec![argument]), 0));
}

#[test]
fn a_chain_of_any_length_is_dropped_in_one_loop() {
    check_balanced(
        ";! type m.Chain = {} | {cell<str, m.Chain>}
fn @m.f(%0: int) -> int {
b0:
  %1: m.Chain = variant 0
  jump b1(%0, %1)
b1(%2: int, %3: m.Chain):
  %4: int = int 0
  %5: bool = gt %2, %4
  branch %5, b2, b3
b2:
  %6: int = int 1234567890123
  %7: str = rt str_of_int, %6 {nounwind}
  %8: str = rt str_concat, %7, %7 {nounwind}
  drop %7
  %9: cell<str, m.Chain> = new %8, %3
  %10: m.Chain = variant 1, %9
  %11: int = int 1
  %12: int = wrap_sub %2, %11
  jump b1(%12, %10)
b3:
  %13: m.Chain = dup %3
  drop %13
  drop %3
  ret %0
}
",
        500,
    );
}

#[test]
fn types_that_hold_each_other_are_dropped_in_one_loop() {
    check_balanced(
        ";! type m.A = {} | {cell<m.B>}
;! type m.B = {} | {cell<int, m.A, m.A>} | {str}
fn @m.f(%0: int) -> int {
b0:
  %1: m.A = variant 0
  jump b1(%0, %1)
b1(%2: int, %3: m.A):
  %4: int = int 0
  %5: bool = gt %2, %4
  branch %5, b2, b3
b2:
  %6: m.A = dup %3
  %7: cell<int, m.A, m.A> = new %2, %3, %6
  %8: m.B = variant 1, %7
  %9: cell<m.B> = new %8
  %10: m.A = variant 1, %9
  %11: int = int 1
  %12: int = wrap_sub %2, %11
  jump b1(%12, %10)
b3:
  drop %3
  ret %0
}
",
        300,
    );
}

#[test]
fn what_holds_much_is_counted_by_functions_of_its_own() {
    let text = ";! type m.P = {str, str, str, str, cell<int>, m.S}
;! type m.S = {int} | {str} | {cell<str>} | {str, str}
fn @m.f(%0: int) -> int {
b0:
  %1: int = int 1234567890123
  %2: str = rt str_of_int, %1 {nounwind}
  %3: str = rt str_concat, %2, %2 {nounwind}
  drop %2
  %4: str = dup %3
  %5: str = dup %3
  %6: str = dup %3
  %7: str = dup %3
  %8: str = dup %3
  %9: cell<int> = new %0
  %10: m.S = variant 3, %7, %8
  %11: m.P = aggregate %3, %4, %5, %6, %9, %10
  %12: m.P = dup %11
  drop %11
  %13: str = str \"a text of more than twenty-three bytes\"
  %14: m.P = with_field %12, %13, 0
  drop %14
  ret %0
}
";
    check_balanced(text, 7);
    let (bodies, program) = legal(text);
    let lines = print_body(&bodies[0]);
    assert!(lines.contains("call @dup<m.P>") && lines.contains("call @give_up<m.P>"), "{lines}");
    drop(program);
}

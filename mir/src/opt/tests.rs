//! Three kinds of tests: what a pass does to a text, that any amount of fuel gives a body that verifies, and that programs do the same after as
//! before (`differs`, which the tests of the interpreter call for every program they run).

use std::cell::RefCell;
use std::sync::Arc;

use hashbrown::HashMap;
use hir::Type;
use ir::{Fuel, ItemId, Stop};

use crate::interp;
use crate::interp::tests::world::Contracts;
use crate::ir::{Body, ConstValue, Context, Contract, Mono, Owned, Variants};
use crate::{text, verify};

mod passes;
mod programs;

/// A program whose bodies are optimised with this much fuel.
pub(crate) struct Optimised<'a, C> {
    program: &'a C,
    fuel: Fuel,
    bodies: RefCell<HashMap<ItemId, Option<Arc<Body<Mono>>>>>,
    contracts: Contracts,
}

impl<'a, C: Context> Optimised<'a, C> {
    pub(crate) fn new(program: &'a C, fuel: Fuel) -> Self {
        Optimised { program, fuel, bodies: RefCell::default(), contracts: Contracts::default() }
    }
}

impl<C: Context> Context for Optimised<'_, C> {
    fn methods(&self, object: Type) -> Result<Arc<[hir::program::ObjectMethod]>, Stop> {
        self.program.methods(object)
    }
    fn signature(&self, function: ItemId) -> Result<Option<Arc<(Vec<Type>, Type)>>, Stop> {
        self.program.signature(function)
    }
    fn fields(&self, ty: Type) -> Result<Option<Arc<[Type]>>, Stop> {
        self.program.fields(ty)
    }
    fn variants(&self, ty: Type) -> Result<Option<Arc<Variants>>, Stop> {
        self.program.variants(ty)
    }
    fn constant(&self, item: ItemId) -> Result<Option<Arc<ConstValue>>, Stop> {
        self.program.constant(item)
    }
    fn inlinable(&self, function: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop> {
        Ok(self.program.body(function)?.filter(|body| super::is_inlinable(body)))
    }
    fn in_recursion_group(&self, caller: ItemId, callee: ItemId) -> Result<bool, Stop> {
        self.program.in_recursion_group(caller, callee)
    }
    fn contract(&self, function: ItemId) -> Result<Contract, Stop> {
        self.contracts.get(function, self)
    }
    fn owned(&self, function: ItemId) -> Result<Option<Arc<Body<Owned>>>, Stop> {
        crate::ownership::owned(function, self)
    }
    fn body(&self, function: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop> {
        if let Some(known) = self.bodies.borrow().get(&function) {
            return Ok(known.clone());
        }
        let body = match self.program.body(function)? {
            Some(body) => {
                let mut body = Body::clone(&body);
                super::optimise(&mut body, &mut self.fuel.clone(), self)?;
                assert_sound(&body, self, "after all passes");
                Some(Arc::new(body))
            }
            None => None,
        };
        self.bodies.borrow_mut().insert(function, body.clone());
        Ok(body)
    }
}

/// The verifier has nothing to say.
#[track_caller]
fn assert_sound(body: &Body<Mono>, cx: &dyn Context, when: &str) {
    let faults = verify::verify(body, cx).expect("no interrupts here");
    let report = ir::fault::report("", &faults);
    assert!(faults.is_empty(), "{when}:\n{report}{}", text::print_body(body));
}

/// What a run of the optimised program shows, for comparison with the run of the program as built.
pub(crate) fn run_optimised<C: Context>(
    program: &C,
    positions: &dyn interp::Positions,
    entry: ItemId,
    args: &[String],
    output: &mut dyn interp::Output,
    fuel: Fuel,
) -> interp::Outcome {
    let optimised = Optimised::new(program, fuel);
    interp::run(entry, args, &optimised, positions, output, interp::Limits::default()).expect("no interrupts here").0
}

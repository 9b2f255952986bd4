//! A program in memory that answers what building and running asks; used by the tests of `build` too.

use std::cell::RefCell;
use std::sync::Arc;

use hashbrown::HashMap;
use hir::memory::Program;
use hir::{Type, TypeKind};
use ir::{ItemId, Stop, Symbol};

use crate::ir::{Body, ConstValue, Context, Contract, Mono, Owned, Variants};
use crate::{build, interp};

pub(crate) struct World {
    program: Program,
    sources: Vec<(Symbol, String)>,
    bodies: RefCell<HashMap<ItemId, Option<Arc<Body<Mono>>>>>,
    constants: RefCell<HashMap<ItemId, Option<Arc<ConstValue>>>>,
    contracts: Contracts,
}

/// Contracts that have been found. On a circle through generic functions, which is not looked at together here, everybody owns.
#[derive(Default)]
pub(crate) struct Contracts(RefCell<HashMap<ItemId, Contract>>);

impl Contracts {
    /// The contract of a function.
    pub(crate) fn get(&self, function: ItemId, cx: &dyn Context) -> Result<Contract, Stop> {
        if let Some(&known) = self.0.borrow().get(&function) {
            return Ok(known);
        }
        self.0.borrow_mut().insert(function, Contract::OWNED);
        let contract = crate::ownership::contract(function, cx)?;
        self.0.borrow_mut().insert(function, contract);
        Ok(contract)
    }
}

/// What a program printed.
#[derive(Default)]
pub(crate) struct Printed {
    pub(crate) output: String,
    pub(crate) error: String,
    /// Standard output fails with this.
    pub(crate) errno: Option<i32>,
}

impl interp::Output for Printed {
    fn write(&mut self, bytes: &[u8]) -> Result<(), i32> {
        self.output.push_str(&String::from_utf8_lossy(bytes));
        self.errno.map_or(Ok(()), Err)
    }
    fn write_error(&mut self, bytes: &[u8]) {
        self.error.push_str(&String::from_utf8_lossy(bytes));
    }
}

impl World {
    /// A program whose modules have no errors; the first is the entry.
    #[track_caller]
    pub(crate) fn new(modules: &[(&str, &str)]) -> World {
        let program = Program::new(modules);
        assert!(!program.has_errors(), "{}", program.report());
        World {
            program,
            sources: modules.iter().map(|(name, source)| (Symbol::new(name), (*source).to_owned())).collect(),
            bodies: RefCell::default(),
            constants: RefCell::default(),
            contracts: Contracts::default(),
        }
    }

    /// The body of a function of the entry module, verified.
    #[track_caller]
    pub(crate) fn built(&self, name: &str) -> Arc<Body<Mono>> {
        let item = ItemId::function(self.sources[0].0, Symbol::new(name));
        let body = Context::body(self, item).ok().flatten().expect("a body");
        let faults = crate::verify::verify(&body, self).expect("an answer");
        assert!(faults.is_empty(), "{faults:?}");
        body
    }

    /// Runs `@main`.
    pub(crate) fn run(&self, args: &[&str], printed: &mut Printed, limits: interp::Limits) -> interp::Outcome {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        let entry = ItemId::function(self.sources[0].0, Symbol::new("main"));
        let errno = printed.errno;
        let (outcome, _) = interp::run(entry, &args, self, self, printed, limits).expect("an answer");
        // Optimised, the program does the same. How deep the stack grows is no part of that.
        if limits == interp::Limits::default() && !matches!(outcome, interp::Outcome::StackOverflow { .. }) {
            let mut again = Printed { errno, ..Printed::default() };
            let optimised = crate::opt::tests::run_optimised(self, self, entry, &args, &mut again, ir::Fuel::unlimited());
            assert_eq!((&again.output, &again.error, &optimised), (&printed.output, &printed.error, &outcome), "optimised");
        }
        outcome
    }

    /// The value of a constant of the entry module, or why it has none.
    pub(crate) fn constant_of(&self, name: &str, limits: interp::Limits) -> Result<ConstValue, interp::ConstError> {
        let owner = self.program.owners().into_iter().find(|owner| owner.name().as_str() == name).expect("a constant");
        let checked = self.program.checked(owner).expect("a checked body");
        let body = build::mono(build::build(checked.body.as_ref().expect("a body"), self).expect("an answer"));
        interp::evaluate_constant(&body, self, limits).expect("an answer")
    }
}

impl Context for World {
    fn methods(&self, object: Type) -> Result<Arc<[hir::program::ObjectMethod]>, Stop> {
        hir::resolve::objects::methods(object, &self.program)
    }

    fn signature(&self, function: ItemId) -> Result<Option<Arc<(Vec<Type>, Type)>>, Stop> {
        if let Some((function, count)) = function.unpacked() {
            return Ok(self.signature(function)?.map(|types| Arc::new(build::unpacking_signature(&types, count))));
        }
        let code = hir::program::CodeType::of(function, &hir::program::Given::default(), &self.program)?;
        Ok(code.map(|code| Arc::new(((0..code.count()).map(|i| code.param(i)).collect(), code.result()))))
    }

    fn fields(&self, ty: Type) -> Result<Option<Arc<[Type]>>, Stop> {
        Ok(match ty.kind() {
            TypeKind::Tuple(elements) => Some(elements.into()),
            TypeKind::Struct(item, args) => {
                let given = hir::program::Given::default();
                hir::resolve::instances::instance_of(item, args, &given, &self.program)?.and_then(|d| d.field_types())
            }
            _ => None,
        })
    }

    fn variants(&self, ty: Type) -> Result<Option<Arc<Variants>>, Stop> {
        hir::resolve::recursion::payloads(ty, &self.program)
    }

    fn constant(&self, item: ItemId) -> Result<Option<Arc<ConstValue>>, Stop> {
        if let Some(known) = self.constants.borrow().get(&item) {
            return Ok(known.clone());
        }
        let value = match self.program.checked(item).and_then(|checked| checked.body.clone()) {
            Some(body) => {
                let body = build::mono(build::build(&body, self)?);
                interp::evaluate_constant(&body, self, interp::Limits::CONSTANTS)?.ok().map(Arc::new)
            }
            None => None,
        };
        self.constants.borrow_mut().insert(item, value.clone());
        Ok(value)
    }

    fn callee(&self, instance: ItemId) -> Result<ItemId, Stop> {
        hir::resolve::solve::dispatch(instance, &hir::program::Given::default(), &self.program)
    }

    fn normal(&self, ty: Type) -> Result<Type, Stop> {
        hir::resolve::solve::normalised(ty, &hir::program::Given::default(), &self.program)
    }

    fn inlinable(&self, _: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop> {
        Ok(None)
    }

    fn body(&self, function: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop> {
        if let Some(known) = self.bodies.borrow().get(&function) {
            return Ok(known.clone());
        }
        if let Some((inner, count)) = function.unpacked() {
            return Ok(self.signature(inner)?.map(|types| Arc::new(build::unpacking(function, inner, &types, count, true))));
        }
        let (generic, args) = hir::types::instance_of(function);
        let made = self.program.made(function)?;
        let body = match made.or_else(|| self.program.checked(generic).and_then(|checked| checked.body.clone())) {
            Some(body) if body.owner == function && !args.is_empty() => Some(Arc::new(build::mono(build::build(&body, self)?))),
            Some(body) if args.is_empty() => Some(Arc::new(build::mono(build::build(&body, self)?))),
            Some(body) => {
                let within = build::Within::new(body.owner, self, &self.program)?;
                Some(Arc::new(build::instance(&build::build(&body, &within)?, function, self)?))
            }
            None => None,
        };
        self.bodies.borrow_mut().insert(function, body.clone());
        Ok(body)
    }

    fn contract(&self, function: ItemId) -> Result<Contract, Stop> {
        self.contracts.get(function, self)
    }

    fn owned(&self, function: ItemId) -> Result<Option<Arc<Body<Owned>>>, Stop> {
        crate::ownership::owned(function, self)
    }

    fn in_recursion_group(&self, caller: ItemId, callee: ItemId) -> Result<bool, Stop> {
        let (mut met, mut open) = (vec![callee], vec![callee]);
        while let Some(item) = open.pop() {
            if item == caller {
                return Ok(true);
            }
            let Some(body) = self.program.checked(item).and_then(|checked| checked.body.clone()) else { continue };
            for next in build::calls(&body) {
                if !met.contains(&next) {
                    met.push(next);
                    open.push(next);
                }
            }
        }
        Ok(false)
    }
}

impl interp::Positions for World {
    fn position(&self, item: ItemId) -> Result<interp::Position, Stop> {
        let module = item.module();
        let row = self.program.files().iter().flat_map(|file| &file.items).find(|row| row.id == item);
        let source = self.sources.iter().find(|(name, _)| *name == module);
        let base_line = match (row, source) {
            (Some(row), Some((_, source))) => source[..row.start as usize].matches('\n').count() as u32 + 1,
            _ => 1,
        };
        Ok(interp::Position { name: format!("@{}", item.name()), file: format!("{module}.ori"), base_line, hidden: false })
    }
}

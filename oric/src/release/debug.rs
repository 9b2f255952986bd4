//! What a debugger is told of a program: `codegen/llvm` makes DWARF of it. Where items stand, and with `-g` how values of the types of their locals lie in memory,
//! which LIR knows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hir::{Type, TypeKind};
use ir::{ItemId, Stop};
use lir::build::shape::{ShapeId, Shapes, Tag};
use llvm::{Choice, Debug, Depth, Encoding, Form, Level, Member, Source, Told};
use query::{Engine, Interrupt};

use crate::queries::{self, World, is_hidden};
use crate::session::Session;

/// What is told of a program.
pub struct Program {
    depth: Depth,
    is_optimised: bool,
    sources: HashMap<ItemId, Source>,
    /// The types of the locals that the body of an item names.
    locals: HashMap<ItemId, Vec<String>>,
    types: BTreeMap<String, Told>,
}

impl Program {
    /// What concerns these items.
    pub fn of(&self, items: &[ItemId]) -> Debug {
        let sources: Vec<Source> = items.iter().filter_map(|item| self.sources.get(item).cloned()).collect();
        let mut types = BTreeMap::new();
        let mut open: Vec<&str> = items.iter().filter_map(|item| self.locals.get(item)).flatten().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            let Some(told) = self.types.get(name) else { continue };
            if types.insert(name.to_owned(), told.clone()).is_none() {
                match &told.form {
                    Form::Struct(members) | Form::Sum(_, members) => open.extend(members.iter().map(|member| member.ty.as_str())),
                    Form::List(element) => open.extend(["int", element]),
                    Form::Text => open.push("int"),
                    Form::Basic(_) | Form::Function | Form::Address => {}
                }
            }
        }
        Debug { depth: self.depth, is_optimised: self.is_optimised, sources, types }
    }
}

/// Looks up what is told.
pub fn program(session: &mut Session, plan: &queries::Release, main: ItemId, depth: Depth) -> Program {
    let is_optimised = session.setup.release.as_ref().is_some_and(|release| release.level != Level::None);
    session.ask(|session| {
        let engine = &session.engine;
        let (sources, locals) = (HashMap::with_capacity(plan.items.len()), HashMap::new());
        let mut program = Program { depth, is_optimised, sources, locals, types: BTreeMap::new() };
        let mut types = Types { world: World::new(engine), engine, told: BTreeMap::new() };
        for &(item, _) in plan.items.iter().chain(&plan.lines) {
            let position = engine.get::<queries::Position>(&item)?;
            let (file, line) = (*position).as_ref().map_or((String::new(), 0), |position| (position.file.clone(), position.line));
            // What passes the captured values of a function value is that function to who debugs.
            let name = item.unpacked().map_or(item, |(function, _)| function).to_string();
            program.sources.insert(item, Source { item, name, file, line, is_made: is_hidden(item), is_main: item == main });
        }
        for &(item, _) in plan.functions.iter().filter(|(item, _)| depth == Depth::Full && *item != lir::build::entry_item()) {
            program.locals.insert(item, types.of_locals(item)?);
        }
        program.types = types.told;
        Ok(program)
    })
}

/// Types in the making.
struct Types<'e> {
    world: World<'e>,
    engine: &'e Engine,
    told: BTreeMap<String, Told>,
}

impl Types<'_> {
    /// The types of the locals of a function, and of those that were inlined into it.
    fn of_locals(&mut self, item: ItemId) -> Result<Vec<String>, Interrupt> {
        let body = self.engine.get::<queries::LirBody>(&item)?;
        let names = (*body).as_ref().and_then(|body| body.names.as_ref());
        let locals = names.map_or(&[][..], |names| names.locals.rows());
        let texts: BTreeSet<&str> = locals.iter().map(|local| local.ty.as_str()).filter(|text| !text.is_empty()).collect();
        let mut types = Vec::with_capacity(texts.len());
        for ty in texts.into_iter().filter_map(hir::types::parse) {
            types.extend(self.tell(ty)?);
        }
        Ok(types)
    }

    /// Tells of a type and of what it is made of; its name. `None` when it has no values that lie anywhere.
    fn tell(&mut self, ty: Type) -> Result<Option<String>, Interrupt> {
        let name = ty.to_string();
        if self.told.contains_key(&name) {
            return Ok(Some(name));
        }
        let (told, parts) = {
            let mut shapes = Shapes::new(&self.world);
            let shape = stopped(shapes.of(ty))?;
            if shapes.refused() {
                return Ok(None);
            }
            let leaves: Vec<(u32, u32)> = shapes.leaves(shape).iter().map(|leaf| (leaf.offset, leaf.ty.size())).collect();
            let mut parts = Vec::new();
            let form = stopped(form(ty, &mut shapes, shape, &self.world, &mut parts))?;
            let Some(form) = form else { return Ok(None) };
            (Told { size: shapes.size(shape), leaves, form }, parts)
        };
        // Before its parts, which may be of it.
        self.told.insert(name.clone(), told);
        for part in parts {
            self.tell(part)?;
        }
        Ok(Some(name))
    }
}

fn stopped<T>(result: Result<T, Stop>) -> Result<T, Interrupt> {
    // Outside of a query the engine stops nobody but who is told so by the next question.
    result.map_err(|_| Interrupt::Cancelled)
}

/// What values of a type are made of, and the types of these.
fn form(ty: Type, shapes: &mut Shapes<'_>, shape: ShapeId, world: &World<'_>, parts: &mut Vec<Type>) -> Result<Option<Form>, Stop> {
    let mut named = |ty: Type| {
        parts.push(ty);
        ty.to_string()
    };
    Ok(Some(match ty.kind() {
        TypeKind::Int => Form::Basic(Encoding::Signed),
        TypeKind::Float => Form::Basic(Encoding::Float),
        TypeKind::Bool => Form::Basic(Encoding::Bool),
        TypeKind::Byte => Form::Basic(Encoding::Unsigned),
        TypeKind::Char => Form::Basic(Encoding::Char),
        TypeKind::Str => {
            named(Type::INT);
            Form::Text
        }
        TypeKind::List(element) => {
            named(Type::INT);
            Form::List(named(element))
        }
        TypeKind::Function(..) => Form::Function,
        TypeKind::Cell(_) | TypeKind::Object(_) | TypeKind::Hole(_) => Form::Address,
        TypeKind::Void | TypeKind::Never => Form::Struct(Vec::new()),
        TypeKind::Tuple(_) | TypeKind::Struct(..) => {
            let definition = match ty.kind() {
                TypeKind::Struct(item, _) => hir::Context::type_definition(world, item)?,
                _ => None,
            };
            if let Some(variants) = lir::Context::variants(world, ty)? {
                let Some(sum) = shapes.of_sum(shape) else { return Ok(None) };
                let leaves = shapes.leaves(shape).to_vec();
                let name = |variant: usize| {
                    let known = definition.as_ref().and_then(|definition| definition.variants.get(variant));
                    known.map_or_else(|| format!("v{variant}"), |variant| variant.name.as_str().to_owned())
                };
                let offset = |leaf: u32| leaves.get(leaf as usize).map_or((0, 8), |leaf| (leaf.offset, leaf.ty.size()));
                let others = |first: u64, but: u32| {
                    (0..variants.len()).filter(|&at| at != but as usize).zip(first..).map(|(at, number)| (number, name(at))).collect()
                };
                let ((at, size), names) = match sum.tag {
                    Tag::Leaf(leaf) => (offset(leaf), (0..variants.len()).map(|at| (at as u64, name(at))).collect()),
                    Tag::Niche { leaf, variant, first } => (offset(leaf), others(u64::from(first), variant)),
                    Tag::Null { leaf, variant } => (offset(leaf), others(0, variant)),
                };
                let mut members = Vec::new();
                for (number, (payload, lies)) in variants.iter().zip(&sum.variants).enumerate() {
                    for (part, (&ty, &(first, count))) in payload.iter().zip(&lies.parts).enumerate() {
                        let own = shapes.of(ty)?;
                        let alone: Vec<u32> = shapes.leaves(own).iter().map(|leaf| leaf.offset).collect();
                        let here: Vec<u32> = (first..first + count)
                            .filter_map(|leaf| lies.leaves.get(leaf as usize).map(|&(slot, _)| offset(slot).0))
                            .collect();
                        // A part that shares slots may lie in pieces: it is no value of its type there.
                        let [start, ..] = here[..] else { continue };
                        if alone.len() == here.len() && alone.iter().zip(&here).all(|(&alone, &here)| here == start + alone) {
                            let known = definition.as_ref().and_then(|d| d.variants.get(number)).and_then(|v| v.payload.get(part));
                            let name = match known {
                                Some((field, _)) if payload.len() > 1 => format!("{}_{field}", name(number)),
                                Some(_) | None if payload.len() > 1 => format!("{}_{part}", name(number)),
                                Some(_) | None => name(number),
                            };
                            members.push(Member { name, offset: start, ty: named(ty) });
                        }
                    }
                }
                return Ok(Some(Form::Sum(Choice { offset: at, size, names }, members)));
            }
            let Some(fields) = lir::Context::fields(world, ty)? else { return Ok(None) };
            let leaves = shapes.leaves(shape).to_vec();
            let mut members = Vec::new();
            for (at, &field) in fields.iter().enumerate() {
                let Some((first, 1..)) = shapes.field(shape, at as u64) else { continue };
                let own = shapes.of(field)?;
                let start = leaves.get(first as usize).map_or(0, |leaf| leaf.offset);
                // What begins behind the start of a value in memory does here too.
                let inner = shapes.leaves(own).first().map_or(0, |leaf| leaf.offset);
                let known = definition.as_ref().and_then(|definition| definition.fields.get(at));
                let name = known.map_or_else(|| format!("_{at}"), |(name, _)| name.as_str().to_owned());
                members.push(Member { name, offset: start.saturating_sub(inner), ty: named(field) });
            }
            Form::Struct(members)
        }
        TypeKind::Error | TypeKind::Methods(..) => return Ok(None),
        TypeKind::Associated(..) | TypeKind::Opaque(..) | TypeKind::Parameter(..) | TypeKind::Variable(_) => return Ok(None),
    }))
}

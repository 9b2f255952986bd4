//! MIR as text: the shared dump language, and a header that makes a dump stand alone.
//!
//! ```text
//! ori-ir mir.mono 1
//! ;! type main.P = {int, int}
//! ;! fn @main.f(int, int) -> int
//! fn @main.g(%0: main.P) -> int {
//! ...
//! ```
//!
//! In the phase `owned`, `ref` stands before the type of a parameter that the function's contract borrows.
//!
//! The `;!` lines tell field types of every struct, payload types of every variant of a sum (`{int} | {}`) and signatures of every function that the bodies mention. [`parse`] gives them back as a
//! [`TextContext`], so a dump can be verified, optimised and run with nothing else at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use hashbrown::HashMap;
use hir::program::ObjectMethod;
use hir::{Type, TypeKind};
use ir::ops::Imm;
use ir::ssa::text::read::{split_list, split_mode};
use ir::ssa::text::{Plain, Printing, Reading, Spot, parse_function, print_graph};
use ir::ssa::{Def, ENTRY, Graph, Value};
use ir::text::{Dump, TextError, writer};
use ir::{ItemId, Stop};

use crate::ir::{Body, ConstValue, Context, Contract, Mir, Mono, Owned, Phase, Variants};

#[cfg(test)]
mod tests;

/// Version of the text form.
const VERSION: u32 = 1;

/// The text of one body, with all it needs to stand alone.
pub fn print<P: Phase>(body: &Body<P>, cx: &dyn Context) -> Result<String, Stop> {
    print_file(std::slice::from_ref(body), cx)
}

/// The text of several bodies under one header.
pub fn print_file<P: Phase>(bodies: &[Body<P>], cx: &dyn Context) -> Result<String, Stop> {
    let mut out = String::new();
    writer::header(&mut out, "mir", P::NAME, VERSION, &[]);
    declarations(&mut out, bodies, cx)?;
    for body in bodies {
        let contract = if P::IS_OWNED { cx.contract(body.name)? } else { Contract::OWNED };
        print_graph::<Mir>(&mut out, body, &Borrowing(contract));
    }
    Ok(out)
}

/// Parameters that the contract borrows are printed `%0: ref str`.
struct Borrowing(Contract);

impl Printing<Mir> for Borrowing {
    fn mode(&self, graph: &Graph<Mir>, spot: Spot) -> &'static str {
        match spot {
            Spot::Def(value) => match graph.values.get(value).map(|row| row.def) {
                Some(Def::Param(block, index)) if block == ENTRY && self.0.borrows(index as usize) => "ref",
                _ => "",
            },
            Spot::Result(_) | Spot::Use(..) | Spot::TargetUse(..) => "",
        }
    }
}

/// The other direction: which values are marked.
#[derive(Default)]
struct Marked(Vec<Value>);

impl Reading<Mir> for Marked {
    fn mode(&mut self, spot: Spot, mode: &str) -> bool {
        match spot {
            Spot::Def(value) if mode == "ref" => {
                self.0.push(value);
                true
            }
            Spot::Def(_) | Spot::Result(_) | Spot::Use(..) | Spot::TargetUse(..) => false,
        }
    }
}

/// The function alone, without header: for messages and tests.
pub fn print_body<P: Phase>(body: &Body<P>) -> String {
    let mut out = String::new();
    print_graph::<Mir>(&mut out, body, &Plain);
    out
}

/// One row an instruction, tab-separated.
pub fn print_tsv<P: Phase>(bodies: &[Body<P>], cx: &dyn Context) -> Result<String, Stop> {
    Ok(ir::text::view::tsv(&dump_of(bodies, cx)?))
}

/// The same rows as JSON.
pub fn print_json<P: Phase>(bodies: &[Body<P>], cx: &dyn Context) -> Result<String, Stop> {
    Ok(ir::text::view::json(&dump_of(bodies, cx)?))
}

fn dump_of<P: Phase>(bodies: &[Body<P>], cx: &dyn Context) -> Result<Dump, Stop> {
    // What we print parses; a broken body may not, and then has no rows to show.
    Ok(ir::text::parse(&print_file(bodies, cx)?).unwrap_or_default())
}

/// The `;!` lines: structs by name, then classes of cells where there are tokens, then functions by name; each once.
fn declarations<P: Phase>(out: &mut String, bodies: &[Body<P>], cx: &dyn Context) -> Result<(), Stop> {
    let mut functions: BTreeSet<ItemId> = BTreeSet::new();
    let mut seen: HashMap<Type, ()> = HashMap::new();
    let mut declared: BTreeMap<String, String> = BTreeMap::new();
    let mut types: Vec<Type> = Vec::new();
    let mut classes: BTreeMap<String, u32> = BTreeMap::new();
    let mut objects: BTreeMap<String, String> = BTreeMap::new();
    let has_tokens = bodies.iter().any(|body| body.values.rows().iter().any(|row| crate::ownership::is_token(row.ty)));
    for body in bodies {
        types.extend(body.results.iter().copied());
        types.extend(body.values.rows().iter().map(|row| row.ty));
        for row in body.insts.rows() {
            if row.op.info().imm == Imm::Item {
                functions.insert(ItemId::from_raw(row.imm as u32));
            }
        }
    }
    // A body in the dump states its signature itself.
    for body in bodies {
        functions.remove(&body.name);
    }
    let mut signatures = Vec::new();
    for function in functions {
        if let Some(signature) = cx.signature(function)? {
            types.extend(signature.0.iter().copied());
            types.push(signature.1);
            let contract = if P::IS_OWNED { cx.contract(function)? } else { Contract::OWNED };
            signatures.push((function, signature, contract));
        }
    }
    while let Some(ty) = types.pop() {
        if seen.insert(ty, ()).is_some() {
            continue;
        }
        if has_tokens && let (TypeKind::Cell(_), Some(class)) = (ty.kind(), cx.cell_class(ty)?) {
            classes.insert(ty.to_string(), class);
        }
        match ty.kind() {
            TypeKind::Tuple(parts) | TypeKind::Cell(parts) => types.extend(parts),
            TypeKind::List(inner) | TypeKind::Hole(inner) => types.push(inner),
            TypeKind::Object(_) => {
                let methods: Vec<String> = cx.methods(ty)?.iter().map(method_text).collect();
                objects.insert(ty.to_string(), methods.join(", "));
            }
            TypeKind::Methods(object, of) => types.extend([object, of]),
            TypeKind::Function(params, result) => {
                types.extend(params);
                types.push(result);
            }
            TypeKind::Struct(..) => {
                if let Some(fields) = cx.fields(ty)? {
                    types.extend(fields.iter().copied());
                    declared.insert(ty.to_string(), format!("{{{}}}", list(&fields)));
                } else if let Some(variants) = cx.variants(ty)? {
                    types.extend(variants.iter().flatten().copied());
                    let variants: Vec<String> = variants.iter().map(|payload| format!("{{{}}}", list(payload))).collect();
                    declared.insert(ty.to_string(), variants.join(" | "));
                }
            }
            TypeKind::Error | TypeKind::Int | TypeKind::Float | TypeKind::Bool | TypeKind::Char | TypeKind::Byte => {}
            TypeKind::Str
            | TypeKind::Void
            | TypeKind::Never
            | TypeKind::Variable(_)
            | TypeKind::Associated(..)
            | TypeKind::Opaque(..)
            | TypeKind::Parameter(..) => {}
        }
    }
    for (name, made) in &declared {
        let _ = writeln!(out, ";! type {name} = {made}");
    }
    for (object, methods) in &objects {
        let _ = writeln!(out, ";! methods {object} = {methods}");
    }
    for (cell, class) in &classes {
        let _ = writeln!(out, ";! class {cell} = {class}");
    }
    for (function, signature, contract) in &signatures {
        let param = |(index, ty): (usize, &Type)| if contract.borrows(index) { format!("ref {ty}") } else { ty.to_string() };
        let params: Vec<String> = signature.0.iter().enumerate().map(param).collect();
        let _ = writeln!(out, ";! fn @{function}({}) -> {}", params.join(", "), signature.1);
    }
    Ok(())
}

/// `@f`, and `mut @f` of one that changes its `self`.
fn method_text(method: &ObjectMethod) -> String {
    format!("{}@{}", if method.changes { "mut " } else { "" }, method.item)
}

fn parse_method(text: &str) -> Option<ObjectMethod> {
    let (changes, text) = text.trim().strip_prefix("mut ").map_or((false, text), |rest| (true, rest));
    Some(ObjectMethod { item: ItemId::parse(text.trim().strip_prefix('@')?)?, changes })
}

fn list(types: &[Type]) -> String {
    let parts: Vec<String> = types.iter().map(Type::to_string).collect();
    parts.join(", ")
}

/// What a dump says about the rest of the program.
#[derive(Clone, Debug, Default)]
pub struct TextContext {
    fields: HashMap<Type, Arc<[Type]>>,
    variants: HashMap<Type, Arc<Variants>>,
    signatures: HashMap<ItemId, Arc<(Vec<Type>, Type)>>,
    contracts: HashMap<ItemId, Contract>,
    classes: HashMap<Type, u32>,
    objects: HashMap<Type, Arc<[ObjectMethod]>>,
    bodies: HashMap<ItemId, Arc<Body<Mono>>>,
    owned: HashMap<ItemId, Arc<Body<Owned>>>,
}

impl Context for TextContext {
    fn signature(&self, function: ItemId) -> Result<Option<Arc<(Vec<Type>, Type)>>, Stop> {
        Ok(self.signatures.get(&function).cloned())
    }

    fn fields(&self, ty: Type) -> Result<Option<Arc<[Type]>>, Stop> {
        Ok(match ty.kind() {
            TypeKind::Tuple(elements) => Some(elements.into()),
            _ => self.fields.get(&ty).cloned(),
        })
    }

    fn variants(&self, ty: Type) -> Result<Option<Arc<Variants>>, Stop> {
        Ok(self.variants.get(&ty).cloned())
    }

    fn methods(&self, object: Type) -> Result<Arc<[ObjectMethod]>, Stop> {
        Ok(self.objects.get(&object).cloned().unwrap_or_default())
    }

    fn constant(&self, _item: ItemId) -> Result<Option<Arc<ConstValue>>, Stop> {
        Ok(None)
    }

    fn inlinable(&self, function: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop> {
        Ok(self.bodies.get(&function).filter(|body| crate::opt::is_inlinable(body)).cloned())
    }

    fn body(&self, function: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop> {
        Ok(self.bodies.get(&function).cloned())
    }

    fn cell_class(&self, ty: Type) -> Result<Option<u32>, Stop> {
        Ok(self.classes.get(&ty).copied())
    }

    fn contract(&self, function: ItemId) -> Result<Contract, Stop> {
        match self.contracts.get(&function) {
            Some(contract) => Ok(*contract),
            None => crate::ownership::unseen(function, self),
        }
    }

    fn owned(&self, function: ItemId) -> Result<Option<Arc<Body<Owned>>>, Stop> {
        match self.owned.get(&function) {
            Some(body) => Ok(Some(body.clone())),
            None => crate::ownership::owned(function, self),
        }
    }
}

/// Reads a dump of this phase. Errors besides those of the shared readers: `T0201` another level or phase, `T0202` unfit declaration,
/// `T0203` a mark of what is borrowed where nothing can be.
pub fn parse<P: Phase>(text: &str) -> Result<(Vec<Body<P>>, TextContext), TextError> {
    let dump = ir::text::parse(text)?;
    from_dump(&dump)
}

/// Bodies and context of a parsed dump.
pub fn from_dump<P: Phase>(dump: &Dump) -> Result<(Vec<Body<P>>, TextContext), TextError> {
    if dump.level != "mir" || dump.phase != P::NAME || dump.version != VERSION {
        let message = format!("expected mir.{} {VERSION}, found {}.{} {}", P::NAME, dump.level, dump.phase, dump.version);
        return Err(TextError::new(1, 1, "T0201", &message));
    }
    let mut cx = TextContext::default();
    for (line, directive) in &dump.directives {
        declare(&mut cx, directive.trim()).ok_or_else(|| {
            TextError::new(
                *line,
                1,
                "T0202",
                "this declaration is none of `type NAME = {..}`, `methods OBJECT = @NAME, ..`, `class CELL = NUMBER`, `fn @NAME(..) -> TYPE`",
            )
        })?;
    }
    let mut bodies = Vec::with_capacity(dump.functions.len());
    for function in &dump.functions {
        let mut marked = Marked::default();
        let graph = parse_function::<Mir>(function, &mut marked)?;
        let mut contract = Contract::OWNED;
        for value in marked.0 {
            match graph.blocks.get(ENTRY).and_then(|entry| entry.params.iter().position(|&param| param == value)) {
                Some(index) if P::IS_OWNED => contract = contract.borrowing(index),
                Some(_) | None => {
                    let message = format!("%{} is no parameter that a contract could borrow", value.raw());
                    return Err(TextError::new(1, 1, "T0203", &message));
                }
            }
        }
        if contract != Contract::OWNED {
            cx.contracts.insert(graph.name, contract);
        }
        if let ([result], Some(entry)) = (&graph.results[..], graph.blocks.rows().first()) {
            let params = entry.params.iter().filter_map(|&v| graph.values.get(v)).map(|row| row.ty).collect();
            cx.signatures.insert(graph.name, Arc::new((params, *result)));
        }
        if P::NAME == Mono::NAME {
            cx.bodies.insert(graph.name, Arc::new(Body::new(graph.clone())));
        } else if P::IS_OWNED {
            cx.owned.insert(graph.name, Arc::new(Body::new(graph.clone())));
        }
        bodies.push(Body::new(graph));
    }
    Ok((bodies, cx))
}

/// Takes a declaration; other directives (`level`, `run`, ..) are for fixture runners. `None` when it is no declaration that can be read.
fn declare(cx: &mut TextContext, text: &str) -> Option<()> {
    if let Some(rest) = text.strip_prefix("type ") {
        let (name, fields) = rest.split_once('=')?;
        let ty = hir::types::parse(name)?;
        let mut variants: Vec<Box<[Type]>> = Vec::new();
        for payload in fields.split('|') {
            variants.push(type_list(payload.trim().strip_prefix('{')?.strip_suffix('}')?)?.into());
        }
        match <[_; 1]>::try_from(variants) {
            Ok([fields]) => _ = cx.fields.insert(ty, fields.into()),
            Err(variants) => _ = cx.variants.insert(ty, variants.into()),
        }
    } else if let Some(rest) = text.strip_prefix("class ") {
        let (cell, class) = rest.split_once('=')?;
        cx.classes.insert(hir::types::parse(cell.trim())?, class.trim().parse().ok()?);
    } else if let Some(rest) = text.strip_prefix("methods ") {
        let (object, methods) = rest.split_once('=')?;
        let methods: Option<Vec<ObjectMethod>> = split_list(methods).into_iter().map(parse_method).collect();
        cx.objects.insert(hir::types::parse(object.trim())?, methods?.into());
    } else if let Some(rest) = text.strip_prefix("fn @") {
        let open = ir::ssa::text::read::parenthesis(rest)?;
        let (name, rest) = rest.split_at(open);
        let close = closing(rest)?;
        let mut params = Vec::new();
        let mut contract = Contract::OWNED;
        for (index, param) in split_list(&rest[1..close]).into_iter().enumerate() {
            let (mode, ty) = split_mode(param);
            params.push(hir::types::parse(ty)?);
            match mode {
                None | Some("own") => {}
                Some(_) => contract = contract.borrowing(index),
            }
        }
        let result = hir::types::parse(rest[close + 1..].trim().strip_prefix("->")?)?;
        let function = ItemId::parse(name)?;
        if contract != Contract::OWNED {
            cx.contracts.insert(function, contract);
        }
        cx.signatures.insert(function, Arc::new((params, result)));
    }
    Some(())
}

/// Position of the parenthesis that closes the first one.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn type_list(text: &str) -> Option<Vec<Type>> {
    split_list(text).into_iter().map(hir::types::parse).collect()
}

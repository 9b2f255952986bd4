//! Print and parse; nothing else knows the syntax of LIR.
//!
//! A dump stands alone: its header names the data layout and the calling convention, and a directive `;! fn @m.f(i64, f64) -> (i64, i64)` gives the
//! flattened signature of each function that is called or whose results are wide, so that a parsed dump can be verified without the program.
//!
//! ```text
//! ori-ir lir.legal 1 layout=lp64 abi=ori
//! ;! fn @main.half(i64) -> i64
//! fn @main.f(%0: i64) -> i64 {
//! b0:
//!   %1: i64 = call @main.half, %0, b1 !2:3
//!   ret %1
//! b1:
//!   resume
//! }
//! ```

use std::fmt::Write;
use std::sync::Arc;

use hashbrown::HashMap;
use ir::ssa::order::Order;
use ir::ssa::text::{Plain, parse_function, print_graph};
use ir::ssa::{ENTRY, Level};
use ir::text::{Dump, TextError, writer};
use ir::{ItemId, Stop};

use crate::build::legal::{convention, is_wide};
use crate::ir::{Body, Context, Lir, Phase, Signature, Type};
use crate::ops::Op;
use crate::target::{LP64, ORI};

/// Version of the text form.
pub const VERSION: u32 = 1;

/// The facts of a dump header.
pub fn header_facts() -> [String; 2] {
    [format!("layout={}", LP64.name), format!("abi={}", ORI.name)]
}

/// A dump of one body that stands alone.
pub fn print<P: Phase>(body: &Body<P>, cx: &dyn Context) -> Result<String, Stop> {
    print_file(std::slice::from_ref(body), cx)
}

/// The function alone, without header: for messages and tests.
pub fn print_body<P: Phase>(body: &Body<P>) -> String {
    let mut out = String::new();
    print_graph(&mut out, body, &Plain);
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

/// The text of several bodies under one header.
pub fn print_file<P: Phase>(bodies: &[Body<P>], cx: &dyn Context) -> Result<String, Stop> {
    let mut out = String::new();
    writer::header(&mut out, Lir::NAME, P::NAME, VERSION, &header_facts());
    let mut items: Vec<ItemId> = Vec::new();
    for body in bodies {
        // What is not printed needs no declaration.
        for &block in &Order::of(body).blocks {
            let row = &body.blocks[block];
            let calls = row.insts.iter().map(|&inst| &body.insts[inst]).filter(|row| matches!(row.op, Op::Call | Op::Tail | Op::Code));
            items.extend(calls.map(|row| ItemId::from_raw(row.imm as u32)));
        }
        // What the function itself says of its results is lost when they go through memory.
        if cx.signature(body.name)?.is_some_and(|s| is_wide(&s.results)) {
            items.push(body.name);
        }
    }
    items.sort_unstable();
    items.dedup();
    for item in items {
        if let Some(signature) = cx.signature(item)? {
            out.push_str(";! ");
            directive(&mut out, item, &signature);
            out.push('\n');
        }
    }
    for body in bodies {
        print_graph(&mut out, body, &Plain);
    }
    Ok(out)
}

/// `fn @m.f(i64, f64) -> (i64, i64)`
fn directive(out: &mut String, item: ItemId, signature: &Signature) {
    let list = |types: &[Type]| types.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
    out.push_str("fn ");
    writer::name(out, &item.to_string());
    let _ = write!(out, "({}) -> ", list(&signature.params));
    let _ = match signature.results.as_slice() {
        [one] => write!(out, "{}", one.name()),
        several => write!(out, "({})", list(several)),
    };
}

/// Reads a dump of this phase. Accepts broken bodies; the verifier judges. Codes of its own: `T0201` another level, phase, layout or convention,
/// `T0202` a directive that cannot be read.
pub fn parse<P: Phase>(text: &str) -> Result<(Vec<Body<P>>, TextContext), TextError> {
    from_dump(&ir::text::parse(text)?)
}

/// Bodies and context of a parsed dump.
pub fn from_dump<P: Phase>(dump: &Dump) -> Result<(Vec<Body<P>>, TextContext), TextError> {
    if dump.level != Lir::NAME || dump.phase != P::NAME || dump.version != VERSION {
        let message = format!("expected {}.{} {VERSION}, found {}.{} {}", Lir::NAME, P::NAME, dump.level, dump.phase, dump.version);
        return Err(TextError::new(1, 1, "T0201", &message));
    }
    if dump.facts != header_facts() {
        return Err(TextError::new(1, 1, "T0201", &format!("the header does not name {}", header_facts().join(" "))));
    }
    let mut context = TextContext::default();
    for (line, text) in &dump.directives {
        if let Some(rest) = text.trim().strip_prefix("fn ") {
            let (item, signature) =
                parse_directive(rest).ok_or_else(|| TextError::new(*line, 1, "T0202", "not of the form `;! fn @name(types) -> types`"))?;
            context.signatures.insert(item, Arc::new(signature));
        }
    }
    let mut bodies = Vec::with_capacity(dump.functions.len());
    for function in &dump.functions {
        let body: Body<P> = Body::new(parse_function(function, &mut Plain)?);
        context.add(&body);
        bodies.push(body);
    }
    Ok((bodies, context))
}

fn parse_directive(text: &str) -> Option<(ItemId, Signature)> {
    // A name may hold anything between `<` and `>`, so the parameters are what stands in the last parentheses before the last arrow.
    let (head, results) = text.trim().rsplit_once("->")?;
    let (name, params) = head.trim().strip_suffix(')')?.rsplit_once('(')?;
    let name = name.trim().strip_prefix('@')?;
    let name = match name.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => name,
    };
    let results = results.trim();
    let results = results.strip_prefix('(').and_then(|r| r.strip_suffix(')')).unwrap_or(results);
    Some((ItemId::parse(name)?, Signature { params: parse_types(params)?, results: parse_types(results)? }))
}

fn parse_types(text: &str) -> Option<Vec<Type>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',').map(|part| Lir::parse_type(part.trim())).collect()
}

/// What a dump says of functions.
#[derive(Clone, Default, Debug)]
pub struct TextContext {
    signatures: HashMap<ItemId, Arc<Signature>>,
}

impl TextContext {
    /// A context that knows these functions.
    pub fn new(functions: impl IntoIterator<Item = (ItemId, Signature)>) -> TextContext {
        TextContext { signatures: functions.into_iter().map(|(item, signature)| (item, Arc::new(signature))).collect() }
    }

    /// Takes note of the signature that a body shows, unless a better one is known.
    pub fn add<P: Phase>(&mut self, body: &Body<P>) {
        let params = body.blocks.get(ENTRY).map_or(&[][..], |row| &row.params);
        let params = params.iter().filter_map(|&p| body.values.get(p)).map(|row| row.ty).collect();
        let shown = Signature { params, results: body.results.clone() };
        if convention::<P>(&shown).1.len() == shown.results.len() {
            self.signatures.entry(body.name).or_insert_with(|| Arc::new(shown));
        }
    }
}

impl Context for TextContext {
    fn methods(&self, _object: hir::Type) -> Result<Arc<[hir::program::ObjectMethod]>, Stop> {
        Ok(Arc::default())
    }

    fn signature(&self, function: ItemId) -> Result<Option<Arc<Signature>>, Stop> {
        Ok(self.signatures.get(&function).cloned())
    }

    fn fields(&self, ty: hir::Type) -> Result<Option<Arc<[hir::Type]>>, Stop> {
        Ok(match ty.kind() {
            hir::TypeKind::Tuple(elements) => Some(elements.into()),
            _ => None,
        })
    }

    fn variants(&self, _ty: hir::Type) -> Result<Option<Arc<mir::Variants>>, Stop> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests;

//! What a release build is made of: reachability over LIR instead of machine code, and the plan that the driver works from. No LLVM here: `crate::release` asks
//! the worker, and no query does.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use hir::program::ObjectMethod;
use ir::ItemId;
use ir::ops::Effect;
use ir::ssa::ENTRY;
use lir::build::Purpose;
use lir::{Op, Type};
use query::Interrupt;
use serde::{Deserialize, Serialize};

use super::back::{self, Entry, wide};
use super::limit::Limit;
use super::{EntryLir, Levels, LirBody, LirOutline, MainForm, Position, Provider, ReleasePlan};

/// Fingerprints of the parts that a release build is made of.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Plan {
    /// The form of `@main`.
    pub entry: Option<Entry>,
    /// Functions, with the fingerprint of their LIR, in the order of discovery; the entry is first.
    pub functions: Vec<(ItemId, u128)>,
    /// Items that panic reports name, with the fingerprint of their position.
    pub items: Vec<(ItemId, u128)>,
    /// Items that a debugger is told of besides, likewise.
    pub lines: Vec<(ItemId, u128)>,
    /// A function that has no body, and why.
    pub limit: Option<(ItemId, Limit)>,
}

/// What the LIR of a function is to others: who it names, how it is called, and how large it is.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Debug)]
pub struct Callable {
    /// Functions that it calls or makes values of.
    pub callees: Vec<ItemId>,
    /// Those of which it makes function values that capture nothing: they are called with one more argument than they take.
    pub values: Vec<ItemId>,
    /// Items whose places it holds, besides its own: those that panic reports may name.
    pub items: Vec<ItemId>,
    /// Items that a debugger is told of besides.
    pub lines: Vec<ItemId>,
    /// Types of its parameters.
    pub params: Vec<Type>,
    /// Types of its results.
    pub results: Vec<Type>,
    /// Its instructions.
    pub size: u32,
}

/// The outline of a body.
pub fn outline(body: &lir::Body<lir::Legal>) -> Callable {
    let mut outline = Callable { results: body.results.clone(), ..Callable::default() };
    if let Some(entry) = body.blocks.get(ENTRY) {
        outline.params = entry.params.iter().map(|&value| body.ty(value)).collect();
    }
    let (mut seen, mut valued) = (HashSet::new(), HashSet::new());
    let mut named = HashSet::from([body.name]);
    for &inst in body.blocks.rows().iter().flat_map(|block| &block.insts) {
        let row = &body.insts[inst];
        outline.size += 1;
        // Only debuggers are told where instructions stand that nothing can happen at.
        if !matches!(row.op.info().effect, Effect::Pure | Effect::Reads) && row.op != Op::Jump {
            outline.items.extend(body.places.chain(body.edges[inst].place).map(|place| place.item).filter(|item| named.insert(*item)));
        }
        if matches!(row.op, Op::Call | Op::Tail | Op::Code) {
            let callee = ItemId::from_raw(row.imm as u32);
            if seen.insert(callee) {
                outline.callees.push(callee);
            }
            if row.op == Op::Code
                && callee.unpacked().is_none()
                && ObjectMethod::behind(callee).is_none()
                && Purpose::of(callee).is_none()
                && valued.insert(callee)
            {
                outline.values.push(callee);
            }
        }
    }
    if body.names.is_some() {
        outline.lines = body.places.rows().iter().map(|place| place.item).filter(|item| named.insert(*item)).collect();
    }
    outline
}

impl Provider for LirOutline {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Arc<Callable>, Interrupt> {
        let body = levels.get::<LirBody>(id)?;
        Ok(Arc::new((*body).as_deref().map(outline).unwrap_or_default()))
    }
}

impl Provider for EntryLir {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Option<Arc<lir::Body<lir::Legal>>>, Interrupt> {
        Ok(back::entry_body(levels, *main)?.map(Arc::new))
    }
}

impl Provider for ReleasePlan {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Arc<Plan>, Interrupt> {
        let entry = *levels.get::<MainForm>(main)?;
        let start = lir::build::entry_item();
        let mut plan = Plan {
            entry,
            functions: vec![(start, wide(levels.cx().fingerprint::<EntryLir>(main)?))],
            items: Vec::new(),
            lines: Vec::new(),
            limit: None,
        };
        let (mut open, mut seen) = (VecDeque::from([*main]), HashSet::from([*main]));
        let (mut items, mut named) = (vec![start], HashSet::from([start]));
        let mut lines = Vec::new();
        while let Some(item) = open.pop_front() {
            if let Some(limit) = back::refused(levels, item)? {
                plan.limit = Some((item, limit));
                break;
            }
            let outline = levels.get::<LirOutline>(&item)?;
            open.extend(outline.callees.iter().filter(|callee| seen.insert(**callee)));
            plan.functions.push((item, wide(levels.cx().fingerprint::<LirBody>(&item)?)));
            items.extend(std::iter::once(item).chain(outline.items.iter().copied()).filter(|item| named.insert(*item)));
            lines.extend_from_slice(&outline.lines);
        }
        for item in lines.into_iter().filter(|item| named.insert(*item)) {
            plan.lines.push((item, wide(levels.cx().fingerprint::<Position>(&item)?)));
        }
        for item in items {
            plan.items.push((item, wide(levels.cx().fingerprint::<Position>(&item)?)));
        }
        Ok(Arc::new(plan))
    }
}

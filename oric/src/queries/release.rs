//! What a release build is made of: reachability over LIR instead of machine code, and the plan that the driver works from. No LLVM here: `crate::release` asks
//! the worker, and no query does.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use ir::ItemId;
use lir::Op;
use query::Interrupt;
use serde::{Deserialize, Serialize};

use super::back::{self, Entry, Mentioned, wide};
use super::{EntryLir, Levels, LirBody, LirMentions, MainForm, Position, Provider, ReleasePlan};

/// Fingerprints of the parts that a release build is made of.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Plan {
    /// The form of `@main`.
    pub entry: Option<Entry>,
    /// Functions, with the fingerprint of their LIR, in the order of discovery; the entry is first.
    pub functions: Vec<(ItemId, u128)>,
    /// Items that panic reports name, with the fingerprint of their position.
    pub items: Vec<(ItemId, u128)>,
    /// A function that has no body, and why.
    pub limit: Option<(ItemId, String)>,
}

/// What a body names.
fn mentioned(body: &lir::Body<lir::Legal>) -> Mentioned {
    let (mut seen, mut callees) = (HashSet::new(), Vec::new());
    for row in body.blocks.rows().iter().flat_map(|block| &block.insts).map(|&inst| &body.insts[inst]) {
        if matches!(row.op, Op::Call | Op::Tail | Op::Code) && seen.insert(row.imm) {
            callees.push(ItemId::from_raw(row.imm as u32));
        }
    }
    let mut seen = HashSet::from([body.name]);
    let items = body.places.rows().iter().map(|place| place.item).filter(|item| seen.insert(*item)).collect();
    Mentioned { callees, items }
}

impl Provider for LirMentions {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Arc<Mentioned>, Interrupt> {
        let body = levels.get::<LirBody>(id)?;
        Ok(Arc::new((*body).as_deref().map(mentioned).unwrap_or_default()))
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
        let mut plan =
            Plan { entry, functions: vec![(start, wide(levels.cx().fingerprint::<EntryLir>(main)?))], items: Vec::new(), limit: None };
        let (mut open, mut seen) = (VecDeque::from([*main]), HashSet::from([*main]));
        let (mut items, mut named) = (vec![start], HashSet::from([start]));
        while let Some(item) = open.pop_front() {
            if let Some(limit) = back::endless(item) {
                plan.limit = Some((item, limit));
                break;
            }
            let mentions = levels.get::<LirMentions>(&item)?;
            open.extend(mentions.callees.iter().filter(|callee| seen.insert(**callee)));
            plan.functions.push((item, wide(levels.cx().fingerprint::<LirBody>(&item)?)));
            items.extend(std::iter::once(item).chain(mentions.items.iter().copied()).filter(|item| named.insert(*item)));
        }
        for item in items {
            plan.items.push((item, wide(levels.cx().fingerprint::<Position>(&item)?)));
        }
        Ok(Arc::new(plan))
    }
}

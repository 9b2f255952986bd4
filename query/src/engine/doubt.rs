//! Doubting: green nodes run again, and their answers and questions are compared with what is recorded.
//!
//! A stored value that is only hashed again proves that it was loaded well. That it is *right* is proved by running its query: a hidden input, an
//! unstable fingerprint or a lost edge shows up as a difference.

use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::{Ctx, Engine};
use crate::fingerprint::Fp;
use crate::interrupt::Interrupt;
use crate::node::{Color, Deps, Held, NodeId};
use crate::store::BlobAt;

/// Nodes of the graph that a sample looks at.
const PROBES: u64 = 64;

/// What a node costs whose running time was not taken.
const UNKNOWN: Duration = Duration::from_micros(100);

/// A node that gave two answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The node.
    pub node: NodeId,
    /// Fingerprint on record.
    pub recorded: Fp,
    /// Fingerprint of the second run; the same when only the questions differ.
    pub now: Fp,
    /// Stored forms of both values, where they exist.
    pub values: [Option<Vec<u8>>; 2],
    /// A question that only one of the runs asked.
    pub question: Option<NodeId>,
}

impl Engine {
    /// Differences met so far.
    pub fn differences(&self) -> Vec<Difference> {
        self.differences.lock().clone()
    }

    /// Something that a query read is not recorded.
    pub(super) fn note_hidden_input(&self, node: NodeId) {
        self.differences.lock().push(Difference { node, recorded: Fp::NONE, now: Fp::NONE, values: [None, None], question: None });
    }

    /// Runs green nodes again, in order of their numbers: all that `choose` names, until `budget` is used up. Returns how many ran.
    pub fn doubt(&self, budget: Option<Duration>, mut choose: impl FnMut(NodeId, Fp) -> bool) -> Result<usize, Interrupt> {
        let started = Instant::now();
        let mut ran = 0;
        for id in (0..self.nodes.len()).map(NodeId) {
            if budget.is_some_and(|budget| started.elapsed() >= budget) {
                break;
            }
            let fp = if self.nodes.is_green_as_stored(id) {
                self.stored_row(id)?.value
            } else {
                match self.nodes.slot(id) {
                    Some(slot) if slot.state.lock().color == Color::Green => slot.state.lock().fp,
                    Some(_) | None => continue,
                }
            };
            if choose(id, fp) && self.run_again(id)? {
                ran += 1;
            }
        }
        Ok(ran)
    }

    /// Runs a few green nodes of the store again, within `budget`: a sample that is another one in each revision. The first that gave another answer.
    pub fn sample(&self, budget: Duration) -> Result<Option<Difference>, Interrupt> {
        let (started, stored) = (Instant::now(), self.nodes.stored());
        if stored == 0 || self.is_damaged() || !self.differences.lock().is_empty() {
            return Ok(None);
        }
        // What runs here runs for no user: neither logs nor reports are to show it.
        self.unseen.store(true, Ordering::Relaxed);
        let seed = Fp::of(&self.revision).0;
        // Steps of about the golden ratio of the whole meet all parts of the graph alike.
        let step = (u64::from(stored) * 618 / 1000) | 1;
        let sampled = (0..PROBES).try_for_each(|probe| {
            let left = budget.saturating_sub(started.elapsed());
            let id = NodeId((seed.wrapping_add(probe * step) % u64::from(stored)) as u32);
            if !left.is_zero() && self.is_worth(id, left)? {
                self.run_again(id)?;
            }
            Ok(())
        });
        self.unseen.store(false, Ordering::Relaxed);
        sampled?;
        let differences = self.differences.lock();
        // A file that changed while the session ran is no mistake of a query; nothing is stored then, and that is all.
        let is_input = |difference: &Difference| self.slot(difference.node).is_ok_and(|slot| self.row(slot.kind).is_input());
        Ok(differences.first().filter(|_| !differences.iter().any(is_input)).cloned())
    }

    /// Is it green, and can it probably run again in this time?
    fn is_worth(&self, id: NodeId, left: Duration) -> Result<bool, Interrupt> {
        if !self.nodes.is_green_as_stored(id) {
            return Ok(false);
        }
        let mut cost = Duration::ZERO;
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let row = self.stored_row(id)?;
            let kind = self.rows.get(row.kind as usize).and_then(Option::as_ref);
            if row.flags != 0 || kind.is_none_or(|kind| kind.is_input()) {
                continue;
            }
            cost += if row.cost == 0 { UNKNOWN } else { Duration::from_micros(1 << row.cost.min(30)) };
            if cost > left {
                return Ok(false);
            }
            let mut deps: SmallVec<[u32; 16]> = SmallVec::new();
            if let Some(store) = &self.store {
                self.broken(store.deps(id.0, &mut deps))?;
            }
            for dep in deps.into_iter().map(NodeId) {
                let at_hand = match self.nodes.slot(dep) {
                    Some(slot) => matches!(slot.state.lock().held, Held::Value(_)),
                    None => self.stored_row(dep)?.value_at != BlobAt::NONE,
                };
                if !at_hand {
                    open.push(dep);
                }
            }
        }
        Ok(!cost.is_zero())
    }

    /// Runs a green node again and compares. Whether it is one that can run.
    fn run_again(&self, id: NodeId) -> Result<bool, Interrupt> {
        let slot = self.slot(id)?;
        let row = self.row(slot.kind);
        if row.is_input() {
            return Ok(false);
        }
        let (recorded, deps, value) = {
            let state = slot.state.lock();
            if state.color != Color::Green || matches!(state.held, Held::Failed(_)) {
                return Ok(false);
            }
            (state.fp, self.deps(id, &state)?, state.stored)
        };
        let key = self.key(id, slot)?;
        let cx = Ctx { engine: self, deps: RefCell::new(Deps::new()), rank: self.firewalls[slot.kind.0 as usize] };
        let answer = match row.execute(&cx, &**key) {
            // Only what made its inputs could make them again.
            Err(Interrupt::Unserved) => return Ok(false),
            Err(interrupt @ (Interrupt::Cancelled | Interrupt::Damaged)) => return Err(interrupt),
            answer => answer,
        };
        // A member of a cycle has the answer of the cycle.
        if matches!(answer, Err(Interrupt::Cycle(_))) {
            return Ok(true);
        }
        let asked = cx.deps.into_inner();
        let now = self.answer_fingerprint(row, &answer, &asked)?;
        let question = asked.iter().find(|dep| !deps.contains(dep)).or_else(|| deps.iter().find(|dep| !asked.contains(dep))).copied();
        if now != recorded || question.is_some() {
            let before = self.store.as_ref().and_then(|store| store.blob(value)).map(<[u8]>::to_vec);
            let after = answer.ok().filter(|_| row.is_persisted()).map(|value| {
                let mut bytes = Vec::new();
                row.value_bytes(&*value, &mut bytes);
                bytes
            });
            self.differences.lock().push(Difference { node: id, recorded, now, values: [before, after], question });
        }
        Ok(true)
    }
}

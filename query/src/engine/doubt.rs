//! Doubting: green nodes run again, and their answers and questions are compared with what is recorded.
//!
//! A stored value that is only hashed again proves that it was loaded well. That it is *right* is proved by running its query: a hidden input, an
//! unstable fingerprint or a lost edge shows up as a difference.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::{Ctx, Engine};
use crate::fingerprint::Fp;
use crate::interrupt::Interrupt;
use crate::node::{Color, Deps, NodeId};

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

    /// Runs a green node again and compares. Whether it is one that can run.
    fn run_again(&self, id: NodeId) -> Result<bool, Interrupt> {
        let slot = self.slot(id)?;
        let row = self.row(slot.kind);
        if row.is_input() {
            return Ok(false);
        }
        let (recorded, deps, value) = {
            let state = slot.state.lock();
            if state.color != Color::Green || matches!(state.held, crate::node::Held::Failed(_)) {
                return Ok(false);
            }
            (state.fp, self.deps(id, &state)?, state.stored)
        };
        let key = self.key(id, slot)?;
        let cx = Ctx { engine: self, deps: RefCell::new(Deps::new()), rank: self.firewalls[slot.kind.0 as usize] };
        let answer = match row.execute(&cx, &**key) {
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
            let after = answer.ok().and_then(|value| row.bytes_of(&*value));
            self.differences.lock().push(Difference { node: id, recorded, now, values: [before, after], question });
        }
        Ok(true)
    }
}

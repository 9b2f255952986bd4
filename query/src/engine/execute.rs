//! Running a provider, and comparing its answer with the one before.

use std::cell::RefCell;
use std::hash::Hasher;
use std::sync::atomic::Ordering;
use std::time::Instant;

use hashbrown::HashSet;

use super::explain::{Execution, Reason};
use super::{Ctx, Engine, Recording, STACK};
use crate::fingerprint::{Fp, StableHasher};
use crate::interrupt::{Cycle, Interrupt};
use crate::node::{Color, Deps, Held, NodeId, Saved, Slot, State};
use crate::row::{Erased, Value};
use crate::store::BlobAt;

/// Why a node executes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    /// It was never computed.
    New,
    /// This dependency changed; `None`: it has none, or is on a cycle.
    Dependency(Option<NodeId>),
    /// Its row is stale (the schema of its kind changed) or failed.
    Forced,
    /// It is green, but its value is not kept.
    ValueWanted,
}

/// The fingerprint of a failure.
pub(super) fn failure(interrupt: &Interrupt) -> Fp {
    match interrupt {
        Interrupt::Cycle(cycle) => Fp::of::<(&str, &Cycle)>(&("cycle", cycle)),
        Interrupt::Cancelled | Interrupt::Damaged | Interrupt::Unserved => Fp::NONE,
    }
}

impl Engine {
    /// Runs a node that this worker has claimed.
    pub(super) fn execute(&self, id: NodeId, slot: &Slot, why: Why) -> Result<Value, Interrupt> {
        let row = self.row(slot.kind);
        let again = matches!(why, Why::ValueWanted);
        let known = slot.state.lock().known;
        let (superseded, key) = match (if again { Ok(None) } else { self.superseded(id, slot) }, self.key(id, slot)) {
            (Ok(superseded), Ok(key)) => (superseded, key),
            (Err(interrupt), _) | (_, Err(interrupt)) => {
                self.settle(id, slot, unfinished);
                return Err(interrupt);
            }
        };
        let seen = !self.unseen.load(Ordering::Relaxed);
        if let Some(log) = self.log.as_ref().filter(|_| seen) {
            log.lock().push(id);
        }
        // The clock is read for what will be written down, and for the cost of what may be asked for again; a cold build of many small nodes is spared.
        let noted = seen && (self.recording == Recording::All || known || self.nodes.stored() > 0);
        let started = noted.then(Instant::now);
        let cx = Ctx { engine: self, deps: RefCell::new(Deps::new()), rank: self.firewalls[slot.kind.0 as usize] };
        STACK.with(|stack| stack.borrow_mut().push(id));
        let mut answer = row.execute(&cx, &**key);
        STACK.with(|stack| stack.borrow_mut().pop());
        let mut deps = cx.deps.into_inner();
        planted::lost_edge(&mut deps);
        if let Some(interrupt) = answer.as_ref().err().filter(|interrupt| interrupt.is_no_answer()).cloned() {
            self.settle(id, slot, |state| if again { state.color = Color::Green } else { unfinished(state) });
            return Err(interrupt);
        }
        if self.bare {
            let answer = self.settle(id, slot, |state| {
                state.color = Color::Green;
                answer_for_cycle(state, &mut answer, |cycle| row.on_cycle(&**key, cycle));
                state.held = held(&answer);
                answer
            });
            // How long values stay in memory is no matter of what is remembered.
            self.release(slot.kind, &deps)?;
            return answer;
        }
        let nanos = started.map_or(0, |started| started.elapsed().as_nanos().min(u128::from(u32::MAX)) as u32);
        // Who asks is written behind each answer before the answer is believed, so that no later edit misses this node.
        let old_deps = if known { self.deps(id, &slot.state.lock()) } else { Ok(Deps::new()) };
        let recorded = old_deps.and_then(|old_deps| self.add_dependents(id, &added(&old_deps, &deps)));
        if let Err(interrupt) = recorded {
            self.settle(id, slot, unfinished);
            return Err(interrupt);
        }
        let mut fp = match self.answer_fingerprint(row, &answer, &deps) {
            Ok(fp) => fp,
            Err(interrupt) => {
                self.settle(id, slot, unfinished);
                return Err(interrupt);
            }
        };
        fp = planted::fingerprint(fp, known.then(|| slot.state.lock().fp));
        let (old, answer) = self.settle(id, slot, |state| {
            // A member of a cycle answers for the cycle, whatever it computed: so the answer does not depend on where the cycle was entered.
            if answer_for_cycle(state, &mut answer, |cycle| row.on_cycle(&**key, cycle)) {
                fp = match &answer {
                    Ok(value) => row.fingerprint(&**value),
                    Err(interrupt) => failure(interrupt),
                };
            }
            let old = state.known.then_some(state.fp);
            if old != Some(fp) {
                state.before = state.known.then(|| Box::new((state.fp, state.changed_at)));
                state.changed_at = self.revision;
                state.stored = BlobAt::NONE;
                state.fp = fp;
                state.superseded = superseded.map(Box::new);
                state.saved = Saved::No;
            } else if !again {
                // The same answer: what is stored of it stays. What it was computed from is different, and the way back must be known all the same.
                state.saved = Saved::No;
                state.superseded = superseded.map(Box::new);
            }
            if row.is_persisted() && state.stored == BlobAt::NONE {
                state.saved = Saved::No;
            }
            state.known = true;
            state.forced = false;
            state.cost = (32 - (nanos / 1000).leading_zeros()) as u8;
            state.held = held(&answer);
            state.consumed = 0;
            if !again {
                state.verified_at = self.revision;
            }
            state.deps = Some(deps.clone());
            state.color = Color::Green;
            (old, answer)
        });
        if again && old != Some(fp) {
            self.note_hidden_input(id);
        }
        if noted {
            let (reason, because) = match why {
                Why::New => (Reason::New, None),
                Why::Dependency(red) => (Reason::Dependency, red),
                Why::Forced => (Reason::Forced, None),
                Why::ValueWanted => (Reason::ValueWanted, None),
            };
            let at = started.map_or(0, |started| (started - self.started).as_nanos() as u64);
            let worker = self.worker().0;
            self.executions.lock().push(Execution { node: id, because, reason, old, new: fp, started: at, nanos, worker });
        }
        self.release(slot.kind, &deps)?;
        answer
    }

    /// What an answer is compared by.
    pub(super) fn answer_fingerprint(&self, row: &dyn Erased, answer: &Result<Value, Interrupt>, deps: &Deps) -> Result<Fp, Interrupt> {
        match answer {
            Ok(_) if row.is_from_dependencies() => {
                let mut hasher = StableHasher::new();
                for &dep in deps {
                    let Fp(low, high) = self.fingerprint_now(dep)?;
                    hasher.write_u64(low);
                    hasher.write_u64(high);
                }
                Ok(hasher.finish128())
            }
            Ok(value) => Ok(row.fingerprint(&**value)),
            Err(interrupt) => Ok(failure(interrupt)),
        }
    }

    /// Drops the values that this kind was the last to read.
    fn release(&self, reader: crate::kind::Kind, deps: &Deps) -> Result<(), Interrupt> {
        if self.consumers.is_empty() {
            return Ok(());
        }
        for &dep in deps {
            let Some(slot) = self.nodes.slot(dep) else { continue };
            let Some(consumers) = self.consumers.get(slot.kind.0 as usize) else { continue };
            let Some(place) = consumers.iter().position(|&kind| kind == reader) else { continue };
            let mut state = slot.state.lock();
            state.consumed |= 1 << place;
            if u32::from(state.consumed).count_ones() as usize == consumers.len()
                && state.color == Color::Green
                && matches!(state.held, Held::Value(_))
            {
                state.held = Held::Nothing;
            }
        }
        Ok(())
    }

    /// Writes behind each of these answers that `id` asked for it.
    pub(super) fn add_dependents(&self, id: NodeId, deps: &[NodeId]) -> Result<(), Interrupt> {
        for &dep in deps {
            self.slot(dep)?.state.lock().dependents.push(id);
        }
        Ok(())
    }

    /// Changes the state of a node that this worker ran, and wakes whoever waits for it.
    pub(super) fn settle<R>(&self, id: NodeId, slot: &Slot, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut slot.state.lock());
        self.waits.finished(id);
        slot.done.notify_all();
        result
    }
}

/// The dependencies that were not there before. Most runs ask the same again, in the same order.
fn added(old: &Deps, new: &Deps) -> Deps {
    let same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[same..], &new[same..]);
    if new.len() > 32 && old.len() > 32 {
        let old: HashSet<NodeId> = old.iter().copied().collect();
        return new.iter().copied().filter(|dep| !old.contains(dep)).collect();
    }
    new.iter().copied().filter(|dep| !old.contains(dep)).collect()
}

/// What a node is that was stopped on its way.
fn unfinished(state: &mut State) {
    state.color = if state.known || state.forced { Color::Yellow } else { Color::New };
}

fn held(answer: &Result<Value, Interrupt>) -> Held {
    match answer {
        Ok(value) => Held::Value(value.clone()),
        Err(interrupt) => Held::Failed(interrupt.clone()),
    }
}

/// Planted bugs, which the gates must name (`make planted`). Without their features they are nothing.
mod planted {
    use crate::fingerprint::Fp;
    use crate::node::Deps;

    /// An execution forgets the last thing that it asked.
    pub fn lost_edge(deps: &mut Deps) {
        if cfg!(feature = "plant-lost-edge") && deps.len() > 2 {
            deps.pop();
        }
    }

    /// A changed answer keeps the fingerprint that it had, or a fingerprint is another in each process.
    pub fn fingerprint(fp: Fp, before: Option<Fp>) -> Fp {
        if cfg!(feature = "plant-unstable-fingerprint") {
            use std::sync::atomic::{AtomicU64, Ordering};
            static COUNT: AtomicU64 = AtomicU64::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            return if count % 16 == 15 { fp.then(Fp(count, 1)) } else { fp };
        }
        if cfg!(feature = "plant-stale-value") { before.unwrap_or(fp) } else { fp }
    }
}

/// Replaces the answer of a node on a cycle by its answer for the cycle; whether it is on one.
fn answer_for_cycle(state: &mut State, answer: &mut Result<Value, Interrupt>, on_cycle: impl FnOnce(&Cycle) -> Option<Value>) -> bool {
    let cycle = state.cycle.take().or_else(|| match answer {
        Err(Interrupt::Cycle(cycle)) => Some(cycle.clone()),
        Ok(_) | Err(Interrupt::Cancelled | Interrupt::Damaged | Interrupt::Unserved) => None,
    });
    let Some(cycle) = cycle else { return false };
    *answer = on_cycle(&cycle).ok_or(Interrupt::Cycle(cycle));
    true
}

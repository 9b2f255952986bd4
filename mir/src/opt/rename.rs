//! Values that gave way to other values, kept beside the graph until a pass writes them through.

use ir::ssa::{Graph, Inst, Value};

use crate::ir::Mir;

/// A map from each value to the one that took its place.
pub(super) struct Renames {
    to: Vec<Value>,
    any: bool,
}

impl Renames {
    /// Every value stands for itself.
    pub(super) fn new(graph: &Graph<Mir>) -> Renames {
        Renames { to: graph.values.ids().collect(), any: false }
    }

    /// From now on `value` means `other`. `other` must not come to mean `value`.
    pub(super) fn set(&mut self, value: Value, other: Value) {
        let other = self.get(other);
        debug_assert_ne!(value, other, "a value cannot be replaced by itself");
        while self.to.len() <= value.index() {
            self.to.push(Value::new(self.to.len()));
        }
        self.to[value.index()] = other;
        self.any = true;
    }

    /// What the value means now. Values made since the map was made stand for themselves.
    #[inline]
    pub(super) fn get(&mut self, value: Value) -> Value {
        let Some(&first) = self.to.get(value.index()) else { return value };
        if first == value {
            return value;
        }
        let mut last = first;
        while let Some(&next) = self.to.get(last.index()) {
            if next == last {
                break;
            }
            last = next;
        }
        // Chains are walked once.
        self.to[value.index()] = last;
        last
    }

    /// Rewrites the operands of one instruction (not what it gives to targets).
    #[inline]
    pub(super) fn operands(&mut self, graph: &mut Graph<Mir>, inst: Inst) {
        if self.any {
            let list = graph.insts[inst].args;
            for arg in graph.args.get_mut(list) {
                *arg = self.get(*arg);
            }
        }
    }

    /// Writes everything through.
    pub(super) fn apply(&mut self, graph: &mut Graph<Mir>) {
        if self.any {
            graph.rename(|value| self.get(value));
        }
    }
}

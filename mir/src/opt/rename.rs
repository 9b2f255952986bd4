//! Values that gave way to other values, kept beside the graph until a pass writes them through.

use ir::ssa::{Block, Graph, Inst, Value};

use crate::ir::Mir;

/// A map from each value to the one that took its place. It keeps its memory for the next pass.
#[derive(Default)]
pub(super) struct Renames {
    /// As far as it reaches; values behind its end stand for themselves.
    to: Vec<Value>,
}

impl Renames {
    /// Forgets everything: every value stands for itself.
    pub(super) fn clear(&mut self) {
        self.to.clear();
    }

    /// From now on `value` means `other`. `other` must not come to mean `value`.
    pub(super) fn set(&mut self, value: Value, other: Value) {
        let other = self.get(other);
        debug_assert_ne!(value, other, "a value cannot be replaced by itself");
        if self.to.len() <= value.index() {
            self.to.extend((self.to.len()..=value.index()).map(Value::new));
        }
        self.to[value.index()] = other;
    }

    /// What the value means now.
    #[inline]
    pub(super) fn get(&mut self, value: Value) -> Value {
        match self.to.get(value.index()) {
            Some(&first) if first != value => self.follow(value, first),
            Some(_) | None => value,
        }
    }

    fn follow(&mut self, value: Value, first: Value) -> Value {
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
        if !self.to.is_empty() {
            let list = graph.insts[inst].args;
            for arg in graph.args.get_mut(list) {
                *arg = self.get(*arg);
            }
        }
    }

    /// Rewrites what the terminators of these blocks give to their targets: all that is left when a walk has rewritten the operands.
    pub(super) fn target_args(&mut self, graph: &mut Graph<Mir>, blocks: &[Block]) {
        if self.to.is_empty() {
            return;
        }
        graph.rename_names(|value| self.get(value));
        for &block in blocks {
            let Some(&last) = graph.blocks[block].insts.last() else { continue };
            for target in &graph.targets[graph.edges[last].targets] {
                for arg in graph.args.get_mut(target.args) {
                    *arg = self.get(*arg);
                }
            }
        }
    }

    /// Writes everything through.
    pub(super) fn apply(&mut self, graph: &mut Graph<Mir>) {
        if !self.to.is_empty() {
            graph.rename(|value| self.get(value));
        }
    }
}

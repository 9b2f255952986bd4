//! Who waits for whom.
//!
//! A worker that needs a node another worker is running waits for it. Before it sleeps it walks owner → what the owner waits for → its owner ...;
//! each worker waits for one node at most, so the walk has at most as many steps as there are workers. Reaching itself means that sleeping would never
//! end: the nodes on the way form a cycle.

use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::node::NodeId;

/// A thread that demands answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Worker(pub(crate) u32);

struct Wait {
    /// The node it waits for.
    node: NodeId,
    /// The worker that runs that node.
    owner: Worker,
    /// The nodes the waiting worker runs, outermost first.
    stack: Vec<NodeId>,
}

#[derive(Default)]
pub(crate) struct Waits {
    waiting: Mutex<HashMap<Worker, Wait>>,
    /// Number of rows, so that finishing a node nobody waits for takes no lock.
    count: AtomicUsize,
}

impl Waits {
    /// Registers that `me`, which runs `stack`, waits for `node`, which `owner` runs. When that would close a cycle of waits, registers nothing and
    /// returns the nodes of the cycle in order of asking.
    pub fn start(&self, me: Worker, stack: &[NodeId], node: NodeId, owner: Worker) -> Result<(), Vec<NodeId>> {
        let mut waiting = self.waiting.lock();
        let mut asked_elsewhere = Vec::new();
        let (mut at, mut wanted) = (owner, node);
        loop {
            if at == me {
                let mut cycle = stack[position(stack, wanted)..].to_vec();
                cycle.extend(asked_elsewhere);
                return Err(cycle);
            }
            let Some(wait) = waiting.get(&at) else { break };
            asked_elsewhere.extend_from_slice(&wait.stack[position(&wait.stack, wanted)..]);
            (at, wanted) = (wait.owner, wait.node);
        }
        waiting.insert(me, Wait { node, owner, stack: stack.to_vec() });
        self.count.store(waiting.len(), Ordering::SeqCst);
        Ok(())
    }

    /// Nobody waits for `node` any more. Called by the worker that ran it, before it asks for anything else: a sleeper that has not woken up yet
    /// would otherwise look as if it still waited, and a cycle be seen where there is none.
    pub fn finished(&self, node: NodeId) {
        if self.count.load(Ordering::SeqCst) > 0 {
            let mut waiting = self.waiting.lock();
            waiting.retain(|_, wait| wait.node != node);
            self.count.store(waiting.len(), Ordering::SeqCst);
        }
    }
}

fn position(stack: &[NodeId], node: NodeId) -> usize {
    stack.iter().position(|&n| n == node).unwrap_or(0)
}

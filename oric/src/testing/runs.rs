//! How tests ended in this session.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use query::Interrupt;

use crate::queries::{CodeKey, Run, RunKey};

/// How tests ended in this session: served to the engine as inputs.
#[derive(Default)]
pub struct Runs(Mutex<HashMap<CodeKey, Arc<Run>>>);

impl Runs {
    /// A test with this code ended so.
    pub fn add(&self, of: CodeKey, run: Run) {
        self.0.lock().insert(of, Arc::new(run));
    }

    fn of(&self, key: &CodeKey) -> Result<Arc<Run>, Interrupt> {
        self.0.lock().get(key).cloned().ok_or(Interrupt::Unserved)
    }

    /// The run, or that it has to be made.
    pub fn run(&self, key: &RunKey) -> Result<Arc<Run>, Interrupt> {
        self.of(&key.of)
    }

    /// Does it show places, or has it to be made?
    pub fn shows_places(&self, key: &CodeKey) -> Result<bool, Interrupt> {
        self.of(key).map(|run| run.shows_places())
    }
}

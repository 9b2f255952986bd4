//! What a debugger is told of the items of a program: `codegen/llvm` makes DWARF of it.

use std::collections::HashMap;

use ir::ItemId;
use llvm::{Debug, Depth, Level, Source};

use crate::queries::{self, is_hidden};
use crate::session::Session;

/// What is told of all items of a program.
pub struct Told {
    depth: Depth,
    is_optimised: bool,
    sources: HashMap<ItemId, Source>,
}

impl Told {
    /// What concerns these items.
    pub fn of(&self, items: &[ItemId]) -> Debug {
        let sources = items.iter().filter_map(|item| self.sources.get(item).cloned()).collect();
        Debug { depth: self.depth, is_optimised: self.is_optimised, sources }
    }
}

/// Looks up what is told.
pub fn told(session: &mut Session, plan: &queries::Release, main: ItemId, depth: Depth) -> Told {
    let is_optimised = session.setup.release.as_ref().is_some_and(|release| release.level != Level::None);
    let sources = session.ask(|session| {
        let mut sources = HashMap::with_capacity(plan.items.len());
        for &(item, _) in &plan.items {
            let position = session.engine.get::<queries::Position>(&item)?;
            let (file, line) = (*position).as_ref().map_or((String::new(), 0), |position| (position.file.clone(), position.line));
            // What passes the captured values of a function value is that function to who debugs.
            let name = item.unpacked().map_or(item, |(function, _)| function).to_string();
            let source = Source { item, name, file, line, is_made: is_hidden(item), is_main: item == main };
            sources.insert(item, source);
        }
        Ok(sources)
    });
    Told { depth, is_optimised, sources }
}

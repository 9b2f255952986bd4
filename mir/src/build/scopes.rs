//! Which locals are seen at an instruction, for debuggers: rows beside what is built ([`ir::ssa::names`]), where somebody wants them.
//!
//! A local is seen from where it gets its first value to the end of the block that binds it. Where control meets, the definitions go back to what they were when
//! the join was opened, and so does what is seen.

use hir::ir::{ExprId, LocalId};
use ir::ssa::Value;
use ir::ssa::names::{Local, LocalRow, Name};
use ir::{Place, PlaceId, Symbol};

use super::Builder;

/// What locals without a name are called.
const NAMELESS: &str = "_";

/// Open scopes.
#[derive(Default)]
pub(super) struct Scopes {
    /// The row of each local that has had a value.
    locals: Vec<Option<Local>>,
    /// Locals that are bound and whose scope is open, in order.
    bound: Vec<LocalId>,
    /// What was seen before each entry of the log of definitions.
    trail: Vec<Option<Name>>,
    /// What is being lowered.
    pub(super) here: Option<ExprId>,
}

/// Where a scope was entered.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    bound: usize,
    seen: Option<Name>,
}

impl Scopes {
    pub(super) fn new(body: &hir::Body) -> Scopes {
        Scopes { here: Some(body.root), ..Scopes::default() }
    }
}

impl Builder<'_> {
    /// Makes `value` the current definition of a local.
    pub(super) fn set(&mut self, local: LocalId, value: Value) {
        self.flow.set(local, value);
        let Some(names) = &mut self.graph.names else { return };
        let now = names.now;
        self.scopes.trail.push(now);
        let row = self.body.locals[local];
        if row.name.as_str() == NAMELESS {
            return;
        }
        self.scopes.locals.resize(self.body.locals.len(), None);
        if !self.scopes.bound.contains(&local) {
            self.scopes.bound.push(local);
        }
        let id = match self.scopes.locals[local.index()] {
            Some(id) => id,
            None => {
                let param = self.body.params.iter().position(|&param| param == local).map_or(0, |at| at as u32 + 1);
                let place = self.here();
                let (name, ty) = (row.name, Symbol::new(""));
                let id = match &mut self.graph.names {
                    Some(names) => names.locals.push(LocalRow { name, ty, param, place }),
                    None => return,
                };
                self.scopes.locals[local.index()] = Some(id);
                id
            }
        };
        if let Some(names) = &mut self.graph.names {
            names.now = Some(names.add(now, id, 0, Some(value)));
        }
    }

    /// The place of what is being lowered, where places are wanted of more than what may panic.
    pub(super) fn here(&mut self) -> PlaceId {
        match (self.scopes.here, &self.graph.names) {
            (Some(at), Some(_)) => {
                let (line, column) = self.body.places.at(at);
                self.graph.places.add(Place { item: self.body.owner, line, column, inlined_at: PlaceId::NONE })
            }
            _ => PlaceId::NONE,
        }
    }

    /// Undoes all changes of definitions since the log had `mark` entries.
    pub(super) fn restore(&mut self, mark: usize) {
        self.flow.restore(mark);
        if let Some(names) = &mut self.graph.names
            && let Some(&before) = self.scopes.trail.get(mark)
        {
            names.now = before;
            self.scopes.trail.truncate(mark);
        }
    }

    /// A block of statements begins.
    pub(super) fn enter_scope(&self) -> Scope {
        Scope { bound: self.scopes.bound.len(), seen: self.graph.names.as_ref().and_then(|names| names.now) }
    }

    /// It ends: what was bound in it is seen no more, and what was assigned in it is.
    pub(super) fn leave_scope(&mut self, scope: Scope) {
        let Some(names) = &mut self.graph.names else { return };
        let gone: Vec<Option<Local>> =
            self.scopes.bound.drain(scope.bound.min(self.scopes.bound.len())..).map(|local| self.scopes.locals[local.index()]).collect();
        if gone.is_empty() {
            return;
        }
        let since = names.chain(names.now).take_while(|(at, _)| Some(*at) != scope.seen).map(|(_, row)| *row);
        let mut kept: Vec<_> = since.filter(|row| !gone.contains(&Some(row.local))).collect();
        kept.reverse();
        let mut now = scope.seen;
        for row in kept {
            now = Some(names.add(now, row.local, row.part, row.value));
        }
        names.now = now;
    }
}

//! Which functions a session found changed, and how a test reaches one of them: read off the engine's record of what it ran and why.

use std::collections::HashMap;

use ir::ItemId;
use query::engine::Execution;
use query::{Engine, NodeId, Query};

use crate::queries::{BuiltBody, GenericBody, TestCode};

/// What ran in this session, by node.
pub struct Changes(HashMap<NodeId, Execution>);

impl Changes {
    /// Those that the engine noted.
    pub fn of(engine: &Engine) -> Changes {
        Changes(engine.executions().into_iter().map(|execution| (execution.node, execution)).collect())
    }

    /// Functions whose body is another one than before, as `@name`, sorted.
    pub fn functions(&self, engine: &Engine) -> Vec<String> {
        let is_body = |node| engine.kind_of(node).is_ok_and(|kind| kind == BuiltBody::KIND || kind == GenericBody::KIND);
        let changed = self.0.values().filter(|ran| ran.old.is_some_and(|old| old != ran.new) && is_body(ran.node));
        let mut names: Vec<String> = changed.filter_map(|ran| item(&engine.node_name(ran.node))).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The way by which a change reached the code of a test, from the change to the test.
    pub fn path(&self, engine: &Engine, test: ItemId) -> Vec<String> {
        let wanted = format!("{}({test:?})", TestCode::NAME);
        let is_wanted = |node: NodeId| engine.kind_of(node).is_ok_and(|kind| kind == TestCode::KIND) && engine.node_name(node) == wanted;
        let mut names: Vec<String> = Vec::new();
        let mut at = self.0.values().find(|ran| is_wanted(ran.node));
        // A chain of reasons has no cycle, but it need not be believed.
        while let Some(ran) = at.filter(|_| names.len() < self.0.len()) {
            names.extend(item(&engine.node_name(ran.node)).filter(|name| names.last() != Some(name)));
            at = ran.because.and_then(|cause| self.0.get(&cause));
        }
        names.reverse();
        names
    }
}

/// `@fill` for `mir(@tank.fill)`; `None` where the key is no item of a program.
fn item(node: &str) -> Option<String> {
    let key = node.split_once("(@")?.1.strip_suffix(')')?;
    let plain = key.split(['<', '{', '&']).next().unwrap_or(key);
    let name = plain.rsplit('.').next()?;
    (!name.is_empty() && name.starts_with(|c: char| c.is_alphabetic() || c == '_')).then(|| format!("@{name}"))
}

#[cfg(test)]
mod tests {
    use super::item;

    #[test]
    fn names_of_nodes_are_cut_to_those_of_items() {
        assert_eq!(item("mir(@tank.fill)").as_deref(), Some("@fill"));
        assert_eq!(item("machine(@a.b.map<int, a.T>)").as_deref(), Some("@map"));
        assert_eq!(item("test_code(@?t.test_fill)").as_deref(), Some("@test_fill"));
        assert_eq!(item("source(tank)"), None);
    }
}

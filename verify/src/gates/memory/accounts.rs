//! What `oric why --mem` says of a body is what stands in its dump: as many allocations, counts and reuses, by the names that the dump gives them.

use std::collections::BTreeSet;

use ir::PlaceId;
use mir::ownership::account::{Kind, Telling, account};
use oric::queries::World;

use crate::program::Program;

/// Tells nothing: only what is counted matters.
struct Nameless;

impl Telling for Nameless {
    fn place(&self, _: PlaceId) -> Option<String> {
        None
    }

    fn parameter(&self, _: usize) -> Option<String> {
        None
    }
}

/// Ops that are one line of their kind wherever they stand.
const ALWAYS: [(&str, Kind); 7] = [
    ("dup", Kind::Dup),
    ("new", Kind::Allocation),
    ("reuse", Kind::Reuse),
    ("list_push", Kind::Allocation),
    ("list_push", Kind::Test),
    ("list_reserve", Kind::Test),
    ("table_double", Kind::Allocation),
];
/// Ops that are one where they have operands.
const WITH_OPERANDS: [(&str, Kind); 2] = [("list", Kind::Allocation), ("closure", Kind::Allocation)];

/// Lines of the account of a body, or where it differs from the text of `shown`, which is the same body in all but negatives.
pub fn compare(program: &Program, body: &mir::Body<mir::Owned>, shown: &mir::Body<mir::Owned>) -> Result<usize, String> {
    let world = World::new(&program.session.engine);
    let stopped = |_| "interrupted".to_owned();
    let contract = mir::Context::contract(&world, body.name).map_err(stopped)?;
    let entries = account(body, contract, &Nameless, &world).map_err(stopped)?;
    let text = mir::text::print(shown, &world).map_err(stopped)?;
    let lines: Vec<(&str, &str)> = text.lines().filter_map(|line| line.trim_start().split_once(" = ")).collect();
    let value = |left: &str| left.split(':').next().unwrap_or_default().to_owned();
    let in_text = |op: &str, needs_operands: bool| -> BTreeSet<String> {
        let is_op = |right: &str| right.strip_prefix(op).is_some_and(|rest| rest.starts_with(' ') || rest.is_empty());
        let has_operands = |right: &str| right.contains('%');
        let is_meant = |(_, right): &&(&str, &str)| is_op(right) && (!needs_operands || has_operands(right));
        lines.iter().filter(is_meant).map(|(left, _)| value(left)).collect()
    };
    let rows = ALWAYS.iter().map(|&(op, kind)| (op, kind, false)).chain(WITH_OPERANDS.iter().map(|&(op, kind)| (op, kind, true)));
    for (op, kind, needs_operands) in rows {
        let said: BTreeSet<String> = entries
            .iter()
            .filter(|entry| entry.kind == kind && ir::ops::OpTable::info(entry.op).name == op)
            .filter_map(|entry| entry.value)
            .map(|value| format!("%{}", value.raw()))
            .collect();
        let found = in_text(op, needs_operands);
        if said != found {
            return Err(format!("{} of `{op}`: the account has {said:?}, the dump {found:?}", kind.name()));
        }
    }
    match entries.iter().find(|entry| entry.why.is_empty()) {
        Some(entry) => Err(format!("{} without a reason", entry.kind.name())),
        None => Ok(entries.len()),
    }
}

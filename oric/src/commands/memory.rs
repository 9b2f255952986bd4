//! `oric why --mem`: what a function does to memory, and why (`mir::ownership::account`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ir::{ItemId, Place, PlaceId};
use mir::ownership::account::{Entry, Kind, Telling, account};
use serde_json::{Value, json};

use crate::cli::{Output, REFUSED};
use crate::dump;
use crate::queries::{self, World};
use crate::session::Session;

/// What the places and parameters of a body are called.
struct Names<'a> {
    session: &'a Session,
    body: &'a mir::Body<mir::Owned>,
    parameters: Vec<Option<String>>,
}

/// A place of the text.
struct Spot {
    path: String,
    line: u32,
    column: u32,
    /// The function whose code was copied to here.
    copied_from: Option<ItemId>,
}

/// Prints it; the exit status.
pub fn memory(session: &mut Session, what: &str, output: &Output) -> i32 {
    let items = match dump::named(session, what) {
        Ok(items) => items,
        Err(message) => {
            output.failure(&message);
            return REFUSED;
        }
    };
    let mut text = String::new();
    for item in items {
        let (body, contract, names) = session.ask(|session| {
            let body = session.engine.get::<queries::OwnedBody>(&item)?;
            let contract = session.engine.get::<queries::Contracts>(&item)?;
            Ok((body, *contract, parameters(session, item)))
        });
        let Some(body) = body.as_deref() else { continue };
        let entries = session.ask(|session| {
            let telling = Names { session, body, parameters: names.clone() };
            account(body, contract, &telling, &World::new(&session.engine)).map_err(|_| query::Interrupt::Cancelled)
        });
        let telling = Names { session, body, parameters: names };
        if output.is_json() {
            let rows: Vec<Value> = entries.iter().map(|entry| telling.row(entry)).collect();
            output.event(&json!({ "reason": "memory", "function": format!("@{item}"), "rows": rows }));
        } else {
            telling.write(&mut text, item, &entries);
        }
    }
    if !output.is_json() {
        output.result(&text);
    }
    0
}

/// The names of the parameters of a function or lambda, which has what it captures behind them.
fn parameters(session: &Session, item: ItemId) -> Vec<Option<String>> {
    let generic = item.generic().0;
    let (around, number) = generic.of_lambda().map_or((generic, None), |(around, number)| (around, Some(number)));
    let Ok(checked) = session.engine.get::<queries::TypedBody>(&around) else { return Vec::new() };
    let body = match (&checked.body, number) {
        (Some(body), Some(number)) => body.lambdas.get(number),
        (body, None) => body.as_ref(),
        (None, Some(_)) => None,
    };
    let name = |body: &hir::Body, local: &hir::ir::LocalId| Some(body.locals[*local].name.to_string()).filter(|name| name != "_");
    body.map_or_else(Vec::new, |body| body.params.iter().map(|local| name(body, local)).collect())
}

impl Telling for Names<'_> {
    fn place(&self, id: PlaceId) -> Option<String> {
        let spot = self.spot(id)?;
        let here = self.session.engine.get::<queries::Position>(&self.body.name).ok()?;
        let is_here = (*here).as_ref().is_some_and(|here| here.file == spot.path);
        Some(if is_here { format!("{}:{}", spot.line, spot.column) } else { format!("{}:{}:{}", spot.path, spot.line, spot.column) })
    }

    fn parameter(&self, index: usize) -> Option<String> {
        self.parameters.get(index)?.clone()
    }
}

impl Names<'_> {
    /// Where a place is: the innermost one of the program itself, of those through which code of the library was copied.
    fn spot(&self, id: PlaceId) -> Option<Spot> {
        let chain: Vec<&Place> = self.body.places.chain(id).collect();
        let first = *chain.first()?;
        let place = chain.iter().find(|place| !hir::resolve::prelude::is_library(place.item.module())).copied().unwrap_or(first);
        let position = self.session.engine.get::<queries::Position>(&place.item).ok()?;
        let position = (*position).as_ref()?;
        Some(Spot {
            path: position.file.clone(),
            line: position.line + place.line.saturating_sub(1),
            column: place.column,
            copied_from: Some(first.item).filter(|&item| item != self.body.name),
        })
    }

    fn row(&self, entry: &Entry) -> Value {
        let spot = self.spot(entry.place);
        json!({
            "kind": entry.kind.name(),
            "op": ir::ops::OpTable::info(entry.op).name,
            "value": entry.value.map(|value| format!("%{}", value.raw())),
            "path": spot.as_ref().map(|spot| &spot.path),
            "line": spot.as_ref().map(|spot| spot.line),
            "column": spot.as_ref().map(|spot| spot.column),
            "copied_from": spot.as_ref().and_then(|spot| spot.copied_from).map(|item| format!("@{item}")),
            "message": entry.why,
        })
    }

    fn write(&self, text: &mut String, item: ItemId, entries: &[Entry]) {
        let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
        for entry in entries {
            *counts.entry(entry.kind).or_default() += 1;
        }
        let count = |kind: &Kind| match (counts.get(kind).copied().unwrap_or(0), *kind) {
            (1, kind) => format!("1 {}", kind.name()),
            (n, kind) => format!("{n} {}s", kind.name()),
        };
        let counts: Vec<String> = Kind::ALL.iter().map(count).collect();
        let _ = writeln!(text, "@{item}: {}", counts.join(", "));
        for entry in entries {
            let Entry { kind, op, value, place, why } = entry;
            let (at, copied) = match self.spot(*place) {
                Some(spot) => {
                    let copied = spot.copied_from.map_or_else(String::new, |item| format!(" (copied from @{item})"));
                    (format!("{}:{}:{}", spot.path, spot.line, spot.column), copied)
                }
                None => ("?".to_owned(), String::new()),
            };
            let name = value.map_or_else(String::new, |value| format!("%{} = ", value.raw()));
            let _ = writeln!(text, "  {at}: {}: {why} [{name}{}]{copied}", kind.name(), ir::ops::OpTable::info(*op).name);
        }
    }
}

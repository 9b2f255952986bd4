//! `oric graph`: the stored graph of queries, as rows, for Graphviz, or as a page.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use query::NodeId;
use query::engine::NodeView;
use serde_json::json;

use super::report::show;
use crate::cli::{GraphFormat, Output, REFUSED};
use crate::session::Session;

/// Prints the graph; the exit status.
pub fn graph(session: &Session, format: GraphFormat, focus: Option<&str>, output: &Output) -> i32 {
    let engine = &session.engine;
    let nodes: Result<Vec<NodeView>, _> = engine.view().collect();
    let Ok(mut nodes) = nodes else {
        output.failure("the stored graph is damaged; the next build makes it again");
        return REFUSED;
    };
    if let Some(focus) = focus {
        let bare = focus.trim_start_matches('@');
        let mut kept: BTreeSet<NodeId> = BTreeSet::new();
        for node in &nodes {
            let key = node.name.split_once('(').map_or("", |(_, key)| key.trim_end_matches(')').trim_matches('"').trim_start_matches('@'));
            if node.name == focus || key == bare || key.rsplit('.').next() == Some(bare) {
                kept.insert(node.id);
                kept.extend(node.deps.iter().copied());
                kept.extend(engine.asked_by(node.id).unwrap_or_default());
            }
        }
        if kept.is_empty() {
            output.failure(&format!("no query in the store is about '{focus}'"));
            return REFUSED;
        }
        nodes.retain(|node| kept.contains(&node.id));
        for node in &mut nodes {
            node.deps.retain(|dep| kept.contains(dep));
        }
    }
    let text = match format {
        GraphFormat::Tsv => tsv(session, &nodes),
        GraphFormat::Dot => dot(&nodes),
        GraphFormat::Html => html(session, &nodes),
    };
    let name = match format {
        GraphFormat::Tsv => "tsv",
        GraphFormat::Dot => "dot",
        GraphFormat::Html => "html",
    };
    show(output, "graph", &text, json!({ "format": name, "queries": nodes.len() }));
    0
}

fn tsv(session: &Session, nodes: &[NodeView]) -> String {
    let mut text = String::from("node\tkind\tname\tvalue\tstate\tchanged_at\tdeps\n");
    for node in nodes {
        let deps: Vec<String> = node.deps.iter().map(|dep| dep.raw().to_string()).collect();
        let state = if node.yellow { "yellow" } else { "green" };
        let kind = session.engine.kind_name(node.kind);
        let _ =
            writeln!(text, "{}\t{kind}\t{}\t{}\t{state}\t{}\t{}", node.id.raw(), node.name, node.value, node.changed_at, deps.join(","));
    }
    text
}

fn dot(nodes: &[NodeView]) -> String {
    let mut text = String::from("digraph queries {\n  node [shape=box, fontname=\"monospace\"];\n");
    for node in nodes {
        let colour = if node.yellow { "khaki" } else { "palegreen" };
        let name = node.name.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(text, "  n{} [label=\"{name}\", style=filled, fillcolor={colour}];", node.id.raw());
        for dep in &node.deps {
            let _ = writeln!(text, "  n{} -> n{};", node.id.raw(), dep.raw());
        }
    }
    text.push_str("}\n");
    text
}

/// One file that needs nothing else: rows that are searched, each with links to what it asked.
fn html(session: &Session, nodes: &[NodeView]) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut text = String::from(
        "<!doctype html><meta charset=\"utf-8\"><title>queries</title><style>body{font:14px monospace;margin:1em}\
         td,th{text-align:left;padding:0 1em 0 0;vertical-align:top}tr:target{background:#ffc}.yellow{background:#fe9}input{width:40em}</style>\
         <h1>Queries</h1><input id=\"f\" placeholder=\"part of a name\" oninput=\"for(const r of document.querySelectorAll('tbody tr'))\
         r.hidden=!r.cells[1].textContent.includes(this.value)\"><table><thead><tr><th>kind<th>query<th>value<th>asked</tr></thead><tbody>\n",
    );
    for node in nodes {
        let state = if node.yellow { " class=\"yellow\"" } else { "" };
        let kind = session.engine.kind_name(node.kind);
        let _ = write!(
            text,
            "<tr id=\"n{0}\"{state}><td>{kind}<td>{1}<td>{2:.8}<td>",
            node.id.raw(),
            escape(&node.name),
            node.value.to_string()
        );
        for dep in &node.deps {
            let _ = write!(text, "<a href=\"#n{0}\">{0}</a> ", dep.raw());
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody></table>\n");
    text
}

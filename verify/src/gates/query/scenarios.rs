//! The scenario table, live: each row is an edit of a small project, followed by a build in a fresh session with the store of the rows before.
//!
//! Checked in is what a person reviewed: which kinds of queries may run, how the executable comes to be, what is said. Which *keys* run is computed by the
//! naive evaluator; what is computed must be what a build from nothing computes.

use std::collections::BTreeMap;
use std::path::Path;

use oric::link::How;
use oric::session::Session;

use super::oracle::{self, Oracle};
use super::scene::{self, Built, Scene, Tree, Way};
use crate::corpus;
use crate::evidence::{Evidence, Table};

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    name: String,
    edits: Vec<Edit>,
    kinds: Vec<String>,
    link: String,
    codes: String,
}

/// What is done to the files.
#[derive(Clone, Debug)]
enum Edit {
    Replace {
        file: String,
        old: String,
        new: String,
    },
    Create {
        file: String,
        text: String,
    },
    Delete {
        file: String,
    },
    Rename {
        from: String,
        to: String,
    },
    /// Back to before the row before.
    Undo,
    /// Back to what was after this row.
    Back(String),
    /// The edits around it leave size and times as they were.
    SameTimes,
    AlterOutput,
    DeleteOutput,
}

fn parse_edit(text: &str) -> Option<Edit> {
    let text = text.trim();
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let parts: Vec<String> = rest.split('|').map(|part| part.replace("\\n", "\n")).collect();
    let file = || Some(format!("src/{}", parts.first()?.trim()));
    Some(match verb {
        "replace" => match &parts[..] {
            [_, old, new, _] => Edit::Replace { file: file()?, old: old.clone(), new: new.clone() },
            _ => return None,
        },
        "create" => Edit::Create { file: file()?, text: parts.get(1)?.clone() },
        "delete" => Edit::Delete { file: file()? },
        "rename" => {
            let (from, to) = rest.split_once(' ')?;
            Edit::Rename { from: format!("src/{from}"), to: format!("src/{to}") }
        }
        "undo" => Edit::Undo,
        "back" => Edit::Back(rest.to_owned()),
        "same-times" => Edit::SameTimes,
        "alter-output" => Edit::AlterOutput,
        "delete-output" => Edit::DeleteOutput,
        _ => return None,
    })
}

/// Reads the table.
pub fn parse(text: &str) -> Result<Vec<Row>, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).skip(1);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let &[name, edits, kinds, link, codes] = cells.as_slice() else { return Err(format!("not five cells: {line}")) };
        let edits = if edits == "none" {
            Vec::new()
        } else {
            let parsed: Option<Vec<Edit>> = edits.split(" && ").map(parse_edit).collect();
            parsed.ok_or_else(|| format!("{name}: cannot read the edit {edits}"))?
        };
        let kinds = kinds.split_whitespace().filter(|kind| *kind != "-").map(str::to_owned).collect();
        Ok(Row { name: name.to_owned(), edits, kinds, link: link.to_owned(), codes: codes.to_owned() })
    };
    lines.map(row).collect()
}

/// The project that the table edits.
pub fn project() -> Result<Tree, String> {
    let root = corpus::root().join("verify/scenarios/project");
    let mut tree = Tree::new();
    let mut read = |path: &Path| {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        tree.insert(path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned(), text);
        Ok::<(), String>(())
    };
    read(&root.join("ori.toml"))?;
    for file in corpus::files_below(&root.join("src"), "ori") {
        read(&file)?;
    }
    Ok(tree)
}

/// The state of a run through the table.
struct Play {
    scene: Scene,
    oracle: Oracle,
    /// Files after each row, in order.
    after: Vec<(String, Tree)>,
}

/// Runs the table; reports of each node that ran, and of the graph, go with it.
pub fn run(evidence: &mut Evidence) {
    let path = corpus::root().join("verify/scenarios/incremental.tsv");
    let rows = std::fs::read_to_string(&path).map_err(|error| error.to_string()).and_then(|text| parse(&text));
    let rows = match rows {
        Ok(rows) => rows,
        Err(why) => return evidence.fail(format!("{}: {why}", path.display())),
    };
    let mut table = Table::new("scenarios", &["scenario", "ran", "kinds", "link", "diagnostics", "state"]);
    let mut misses = Table::new("compiler-query-cache-miss-report", &["scenario", "node", "reason", "because", "cut_off", "microseconds"]);
    match play(&rows, &mut table, &mut misses) {
        Ok(graph) => evidence.quiet_table(report(&graph)),
        Err(why) => evidence.fail(format!("scenarios: {why}")),
    }
    for row in table.rows().iter().filter(|row| row[5] != "ok") {
        evidence.fail(format!("scenario {}: {}", row[0], row[5]));
    }
    evidence.table(table);
    evidence.quiet_table(misses);
    negative(evidence, &rows);
}

fn play(rows: &[Row], table: &mut Table, misses: &mut Table) -> Result<scene::Graph, String> {
    let tree = project()?;
    let mut play = Play { scene: Scene::new("scenarios", &tree)?, oracle: Oracle::default(), after: vec![("start".to_owned(), tree)] };
    let mut graph = scene::Graph::new();
    for row in rows {
        let (built, wrong) = match step(&mut play, row) {
            Ok(done) => done,
            Err(why) => {
                table.row([row.name.as_str(), "", "", "", "", &why]);
                continue;
            }
        };
        for run in &built.why {
            let cut_off = if run.cut_off { "yes" } else { "no" };
            misses.row([
                row.name.clone(),
                run.node.clone(),
                run.reason.clone(),
                run.because.clone(),
                cut_off.into(),
                (run.nanos / 1000).to_string(),
            ]);
        }
        let state = if wrong.is_empty() { "ok".to_owned() } else { wrong.join("; ") };
        table.row([
            row.name.clone(),
            built.ran.len().to_string(),
            oracle::kinds(&built.ran).join(" "),
            link_name(built.how),
            codes(&built),
            state,
        ]);
        graph = built.graph;
    }
    Ok(graph)
}

fn step(play: &mut Play, row: &Row) -> Result<(Built, Vec<String>), String> {
    edit(play, row)?;
    let clean = play.scene.clean(1)?;
    let built = play.scene.build(Way::PLAIN)?;
    let must = play.oracle.must_run(&clean.graph, &built.graph, play.scene.tree(), built.how);
    play.after.push((row.name.clone(), play.scene.tree().clone()));
    let wrong = judge(row, &built, &clean, &must);
    Ok((built, wrong))
}

/// Everything that does not hold of a row.
fn judge(row: &Row, built: &Built, clean: &Built, must: &[String]) -> Vec<String> {
    let mut wrong = scene::differences(built, clean);
    wrong.extend(oracle::compare(&built.ran, must));
    let kinds = oracle::kinds(&built.ran);
    if kinds != row.kinds {
        wrong.push(format!("kinds that may run: {}; ran: {}", row.kinds.join(" "), kinds.join(" ")));
    }
    if link_name(built.how) != row.link {
        wrong.push(format!("link is {}, expected {}", link_name(built.how), row.link));
    }
    if codes(built) != row.codes {
        wrong.push(format!("says {}, expected {}", codes(built), row.codes));
    }
    if !built.warnings.is_empty() {
        wrong.push(format!("warns: {}", built.warnings.join(", ")));
    }
    if let Some(query::engine::Outcome::Refused(why)) = &built.outcome {
        wrong.push(format!("nothing was stored: {why}"));
    }
    wrong
}

fn link_name(how: Option<How>) -> String {
    match how {
        None => "none",
        Some(How::UpToDate) => "kept",
        Some(How::Patched) => "patched",
        Some(How::Restored) => "restored",
        Some(How::Clean | How::Units { .. }) => "clean",
    }
    .to_owned()
}

fn codes(built: &Built) -> String {
    let codes: Vec<&str> = built.diagnostics.iter().map(|d| d.code.as_str()).collect();
    if codes.is_empty() { "-".to_owned() } else { codes.join(" ") }
}

fn edit(play: &mut Play, row: &Row) -> Result<(), String> {
    let mut tree = play.scene.tree().clone();
    let mut same_times = false;
    for edit in &row.edits {
        let path = |file: &str| if file == "src/ori.toml" { "ori.toml".to_owned() } else { file.to_owned() };
        match edit {
            Edit::Replace { file, old, new } => {
                let text = tree.get_mut(&path(file)).ok_or_else(|| format!("no file {file}"))?;
                if text.matches(old.as_str()).count() != 1 {
                    return Err(format!("{file} does not have `{old}` once"));
                }
                *text = text.replacen(old.as_str(), new, 1);
            }
            Edit::Create { file, text } => drop(tree.insert(path(file), text.clone())),
            Edit::Delete { file } => drop(tree.remove(&path(file)).ok_or_else(|| format!("no file {file}"))?),
            Edit::Rename { from, to } => {
                let text = tree.remove(from).ok_or_else(|| format!("no file {from}"))?;
                tree.insert(to.clone(), text);
            }
            Edit::Undo => {
                let before = play.after.len().checked_sub(2).and_then(|at| play.after.get(at)).ok_or("nothing to undo")?;
                tree = before.1.clone();
            }
            Edit::Back(name) => {
                let (_, then) = play.after.iter().find(|(row, _)| row == name).ok_or_else(|| format!("no row {name} before"))?;
                tree = then.clone();
            }
            Edit::SameTimes => same_times = true,
            Edit::AlterOutput => {
                let mut bytes = std::fs::read(&play.scene.program).map_err(|error| error.to_string())?;
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                std::fs::write(&play.scene.program, bytes).map_err(|error| error.to_string())?;
            }
            Edit::DeleteOutput => std::fs::remove_file(&play.scene.program).map_err(|error| error.to_string())?,
        }
    }
    if !same_times {
        return play.scene.become_tree(&tree);
    }
    let times: BTreeMap<String, std::fs::Metadata> =
        play.scene.tree().keys().filter_map(|path| Some((path.clone(), std::fs::metadata(play.scene.package.join(path)).ok()?))).collect();
    play.scene.become_tree(&tree)?;
    for (path, before) in times {
        restore_times(&play.scene.package.join(&path), &before)?;
    }
    Ok(())
}

/// The file says that it has not changed: same size, same time of change.
fn restore_times(file: &Path, before: &std::fs::Metadata) -> Result<(), String> {
    let problem = |error: std::io::Error| format!("{}: {error}", file.display());
    let times = std::fs::FileTimes::new().set_modified(before.modified().map_err(problem)?);
    let open = std::fs::File::options().write(true).open(file).map_err(problem)?;
    open.set_times(times).map_err(problem)?;
    let after = std::fs::metadata(file).map_err(problem)?;
    if after.len() != before.len() || after.modified().ok() != before.modified().ok() {
        return Err(format!("{}: size or time could not be kept", file.display()));
    }
    Ok(())
}

/// The graph, a line a kind.
fn report(graph: &scene::Graph) -> Table {
    let mut table =
        Table::new("compiler-query-graph-report", &["kind", "nodes", "asks", "asked", "asks of one, most", "stored", "meaning"]);
    for row in oric::queries::TABLE {
        let nodes: Vec<&scene::Node> = graph.values().filter(|node| node.kind == row.name).collect();
        let asks: usize = nodes.iter().map(|node| node.deps.len()).sum();
        let most = nodes.iter().map(|node| node.deps.len()).max().unwrap_or(0);
        let of = |name: &String| graph.get(name).is_some_and(|node| node.kind == row.name);
        let asked: usize = graph.values().map(|node| node.deps.iter().filter(|name| of(name)).count()).sum();
        let counts = [nodes.len(), asks, asked, most].map(|n| n.to_string());
        let [nodes, asks, asked, most] = counts;
        table.row([row.name, &nodes, &asks, &asked, &most, if row.persisted { "value" } else { "fingerprint" }, row.meaning]);
    }
    table
}

/// A session that does not see an edit is found out, by each of the comparisons; so are expectations that are not those of the edit.
fn negative(evidence: &mut Evidence, rows: &[Row]) {
    let mut table = Table::new("negatives of scenarios", &["what", "named as"]);
    for (what, expected, result) in negatives(rows) {
        let said = result.unwrap_or_else(|why| vec![why]);
        let named = said.iter().find(|said| said.contains(expected));
        if named.is_none() {
            evidence.fail(format!("negative '{what}': `{expected}` is not said: {}", said.join("; ")));
        }
        table.row([what.to_owned(), named.cloned().unwrap_or_default()]);
    }
    evidence.table(table);
}

type Negative = (&'static str, &'static str, Result<Vec<String>, String>);

fn negatives(rows: &[Row]) -> Vec<Negative> {
    let stale = |old: &'static str, new: &'static str| -> Result<Vec<String>, String> {
        let mut tree = project()?;
        let mut scene = Scene::new("stale", &tree)?;
        let mut session = scene.open(1, true)?;
        let text = tree.get_mut("src/numbers.ori").ok_or("no numbers")?;
        *text = text.replacen(old, new, 1);
        // After the session looked at the disk: it goes on with what was there.
        session.ask(Session::diagnostics);
        scene.become_tree(&tree)?;
        let clean = scene.clean(1)?;
        let built = scene::finish(&mut session, &scene.program, Way::PLAIN)?;
        Ok(scene::differences(&built, &clean))
    };
    let other_row = |name: &str| -> Result<Vec<String>, String> {
        let row = rows.iter().find(|row| row.name == name).ok_or("no such row")?;
        let mut play = Play { scene: Scene::new("other", &project()?)?, oracle: Oracle::default(), after: Vec::new() };
        let known = play.scene.clean(1)?;
        play.oracle.must_run(&known.graph, &known.graph, play.scene.tree(), None);
        // The store is empty and the oracle thinks that it is not.
        let clean = play.scene.clean(1)?;
        let built = play.scene.build(Way::PLAIN)?;
        let must = play.oracle.must_run(&clean.graph, &built.graph, play.scene.tree(), built.how);
        Ok(judge(row, &built, &clean, &must))
    };
    vec![
        ("a build that missed an edit of a body: output", "output differs", stale("sum += k", "sum += k * 2")),
        ("a build that missed an edit of a body: fingerprints", "nodes differ", stale("sum += k", "sum += k * 2")),
        ("a build that missed an error", "diagnostics differ", stale("sum += k", "sum += true")),
        ("a build that ran everything: keys", "executed keys differ", other_row("no change")),
        ("a build that ran everything: kinds", "kinds that may run", other_row("no change")),
        ("a build that ran everything: link", "link is clean, expected kept", other_row("no change")),
    ]
}

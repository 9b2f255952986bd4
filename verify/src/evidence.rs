//! What was measured. A gate fills a table while it looks; the table is printed, and written for whoever wants to look again.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::corpus;

/// Rows under one header.
#[derive(Clone, Debug)]
pub struct Table {
    name: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    is_quiet: bool,
}

impl Table {
    /// An empty table.
    pub fn new(name: &'static str, columns: &[&'static str]) -> Table {
        Table { name, columns: columns.to_vec(), rows: Vec::new(), is_quiet: false }
    }

    /// Adds a row: one cell a column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl ToString>) {
        self.rows.push(cells.into_iter().map(|cell| cell.to_string()).collect());
    }

    /// The rows so far.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// Tab-separated, a header first.
    pub fn tsv(&self) -> String {
        let mut out = self.columns.join("\t");
        out.push('\n');
        for row in &self.rows {
            let clean: Vec<String> = row.iter().map(|cell| cell.replace(['\t', '\n'], " ")).collect();
            let _ = writeln!(out, "{}", clean.join("\t"));
        }
        out
    }

    fn json(&self) -> Value {
        let object = |row: &Vec<String>| {
            let cells = self.columns.iter().zip(row).map(|(key, cell)| ((*key).to_owned(), Value::from(cell.clone())));
            Value::Object(cells.collect::<Map<_, _>>())
        };
        Value::Array(self.rows.iter().map(object).collect())
    }

    /// In columns, for people.
    pub fn text(&self) -> String {
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
            cells.chain([self.columns[at].len()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let header: Vec<String> = self.columns.iter().map(|c| (*c).to_owned()).collect();
        let mut out = String::new();
        for row in std::iter::once(&header).chain(&self.rows) {
            let mut line = String::from(" ");
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(line, " {cell:width$} ");
            }
            let _ = writeln!(out, "{}", line.trim_end());
        }
        out
    }
}

/// Everything that one command found out.
#[derive(Debug)]
pub struct Evidence {
    name: &'static str,
    tables: Vec<Table>,
    failures: Vec<String>,
    started: std::time::Instant,
}

impl Evidence {
    /// Nothing yet.
    pub fn new(name: &'static str) -> Evidence {
        Evidence { name, tables: Vec::new(), failures: Vec::new(), started: std::time::Instant::now() }
    }

    /// Takes a table.
    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Takes a table that is written and not printed.
    pub fn quiet_table(&mut self, table: Table) {
        self.tables.push(Table { is_quiet: true, ..table });
    }

    /// Something does not hold.
    pub fn fail(&mut self, what: impl Into<String>) {
        self.failures.push(what.into());
    }

    /// What does not hold.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Prints everything, writes the tables; true when all holds.
    pub fn close(self) -> bool {
        println!("{}", self.name);
        for table in self.tables.iter().filter(|table| !table.is_quiet) {
            println!("  [{}]", table.name);
            print!("{}", table.text());
        }
        const SHOWN: usize = 40;
        for failure in self.failures.iter().take(SHOWN) {
            println!("  FAILED {failure}");
        }
        if self.failures.len() > SHOWN {
            println!("  ... and {} more", self.failures.len() - SHOWN);
        }
        let written = self.write();
        let seconds = self.started.elapsed().as_secs_f64();
        let verdict = if self.failures.is_empty() { "ok" } else { "FAILED" };
        println!("{}: {verdict} in {seconds:.1} s, evidence in {}", self.name, written.unwrap_or_else(|error| error));
        self.failures.is_empty()
    }

    fn write(&self) -> Result<String, String> {
        let folder: PathBuf = corpus::root().join("target/evidence").join(self.name);
        let problem = |error: std::io::Error| format!("{}: {error}", folder.display());
        std::fs::create_dir_all(&folder).map_err(problem)?;
        for table in &self.tables {
            std::fs::write(folder.join(format!("{}.tsv", table.name)), table.tsv()).map_err(problem)?;
            std::fs::write(folder.join(format!("{}.json", table.name)), format!("{:#}\n", table.json())).map_err(problem)?;
        }
        std::fs::write(folder.join("failures.txt"), self.failures.join("\n")).map_err(problem)?;
        Ok(format!("target/evidence/{}", self.name))
    }
}

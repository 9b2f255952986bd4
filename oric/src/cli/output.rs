//! What goes where, in which form. One writer for all messages, so that no path leaks text into JSON.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ir::Symbol;
use serde_json::Value;
use syntax::{Diagnostic, Severity};

use super::args::ColorChoice;
use super::{Environment, Format, Global};
use crate::project::Project;
use crate::report::{Sources, human, json, short};

/// The writer of messages.
pub struct Output {
    format: Format,
    style: human::Style,
    quiet: bool,
    error_limit: usize,
    /// Was the user warned of something that is not about the source?
    warned: AtomicBool,
    /// What is being compiled, for a crash report.
    project: Mutex<Option<(Project, Vec<Symbol>)>>,
}

impl Output {
    /// As flags and environment say: flag, then `NO_COLOR`, then `FORCE_COLOR`, then terminal and `TERM`.
    pub fn new(global: &Global, environment: &Environment) -> Output {
        let terminal = std::io::stderr().is_terminal();
        let color = match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if environment.no_color => false,
            ColorChoice::Auto if environment.force_color => true,
            ColorChoice::Auto => terminal && !environment.dumb_terminal,
        };
        let format = global.message_format.unwrap_or(if environment.agent { Format::Short } else { Format::Human });
        Output {
            format,
            style: human::Style { color, unicode: environment.utf8 && terminal, width: environment.columns.unwrap_or(140).clamp(40, 400) },
            quiet: global.quiet,
            error_limit: if global.error_limit == 0 { usize::MAX } else { global.error_limit },
            warned: AtomicBool::new(false),
            project: Mutex::new(None),
        }
    }

    /// Is standard output JSON lines?
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// The first line of JSON output.
    pub fn start(&self) {
        if self.is_json() {
            print_json(&json::start());
        }
    }

    /// The last line of JSON output. Gives the exit status, which is another one when something could not be printed.
    pub fn finish(&self, status: i32, owner: &str) -> i32 {
        if self.is_json() {
            print_json(&json::finished(status, owner));
        }
        if status == 0 && LOST.load(Ordering::Relaxed) { super::REFUSED } else { status }
    }

    /// Remembers what is being compiled, for a crash report.
    pub fn compiling(&self, project: &Project, modules: &[Symbol]) {
        if let Ok(mut known) = self.project.lock() {
            *known = Some((project.clone(), modules.to_vec()));
        }
    }

    /// The sources that were being compiled, read again.
    fn sources(&self) -> Vec<(String, String)> {
        let Ok(known) = self.project.lock() else { return Vec::new() };
        let Some((project, modules)) = &*known else { return Vec::new() };
        let files = modules.iter().filter_map(|module| project.read(*module, project.look(*module))?.ok());
        files.map(|file| (project.shown(&file.path), file.text)).collect()
    }

    /// Shows diagnostics; returns how many errors there are.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic], sources: &dyn Sources) -> usize {
        let errors = diagnostics.iter().filter(|d| d.severity() == Severity::Error).count();
        let mut shown = 0;
        let mut text = String::new();
        for diagnostic in diagnostics {
            if diagnostic.severity() == Severity::Error {
                if shown == self.error_limit {
                    let rest = errors - shown;
                    self.append(&mut text, Some("E9002"), &format!("too many errors ({rest} more; --error-limit 0 shows all)"));
                    break;
                }
                shown += 1;
            }
            match self.format {
                Format::Human => {
                    text.push_str(&human::render(diagnostic, sources, self.style));
                    text.push('\n');
                }
                Format::Short => text.push_str(&short::render(diagnostic, sources)),
                Format::Json => print_json(&json::diagnostic(diagnostic, sources)),
            }
        }
        write_stderr(&text);
        errors
    }

    /// A failure that is not about the source.
    pub fn failure(&self, message: &str) {
        let mut text = String::new();
        self.append(&mut text, None, message);
        write_stderr(&text);
    }

    fn append(&self, text: &mut String, code: Option<&str>, message: &str) {
        match self.format {
            Format::Json => print_json(&json::failure(code, message)),
            Format::Human | Format::Short => {
                let (on, off) = if self.style.color { ("\x1b[1m\x1b[91m", "\x1b[0m") } else { ("", "") };
                let code = code.map_or_else(String::new, |c| format!("[{c}]"));
                text.push_str(&format!("{on}error{code}{off}: {message}\n"));
            }
        }
    }

    /// Something that the user is told once and that fails nothing.
    pub fn warn(&self, message: &str) {
        self.warned.store(true, Ordering::Relaxed);
        match self.format {
            Format::Json => print_json(&json::warning(message)),
            Format::Human | Format::Short => {
                let (on, off) = if self.style.color { ("\x1b[1m\x1b[93m", "\x1b[0m") } else { ("", "") };
                write_stderr(&format!("{on}warning{off}: {message}\n"));
            }
        }
    }

    /// Was the user told of such a thing?
    pub fn has_warned(&self) -> bool {
        self.warned.load(Ordering::Relaxed)
    }

    /// A line for people, left out when quiet or in JSON.
    pub fn summary(&self, line: &str) {
        if !self.quiet && self.format == Format::Human {
            write_stderr(&format!("{line}\n"));
        }
    }

    /// What was asked for, on standard output: never in JSON, which has events for it.
    pub fn result(&self, text: &str) {
        if !self.is_json() {
            print(text.as_bytes());
        }
    }

    /// Remarks on a program: beside the diagnostics.
    pub fn remarks(&self, text: &str) {
        if !self.is_json() {
            write_stderr(text);
        }
    }

    /// The form of messages.
    pub fn format(&self) -> Format {
        self.format
    }

    /// A JSON event, left out in other forms.
    pub fn event(&self, value: &Value) {
        if self.is_json() {
            print_json(value);
        }
    }

    /// A bug of ours.
    pub fn crash(&self, description: &str) {
        let sources = self.sources();
        let reproducer = crate::crash::write_reproducer(description, &sources);
        let mut message = format!("internal compiler error: {description}\nthis is a bug in oric, not in your program");
        if let Some(path) = reproducer {
            message.push_str(&format!("\nto report it, send this file: {}", path.display()));
        }
        let mut text = String::new();
        self.append(&mut text, Some("E9001"), &message);
        write_stderr(&text);
    }
}

/// Writes a JSON line to standard output; a closed reader is not an error.
pub fn print_json(value: &Value) {
    let mut line = value.to_string();
    line.push('\n');
    print(line.as_bytes());
}

/// What was asked for and could not be written: a full disk must not look like success.
static LOST: AtomicBool = AtomicBool::new(false);

/// Writes to standard output. A reader that has gone wants no more; anything else that goes wrong is said, and fails the command.
fn print(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(bytes).and_then(|()| out.flush())
        && error.kind() != std::io::ErrorKind::BrokenPipe
        && !LOST.swap(true, Ordering::Relaxed)
    {
        write_stderr(&format!("error: cannot write to standard output: {error}\n"));
    }
}

fn write_stderr(text: &str) {
    if !text.is_empty() {
        let mut stream = anstream::AutoStream::new(std::io::stderr().lock(), anstream::ColorChoice::AlwaysAnsi);
        let _ = stream.write_all(text.as_bytes());
        let _ = stream.flush();
    }
}

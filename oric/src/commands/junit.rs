//! `--junit`: outcomes in the form that build servers read.

use std::fmt::Write as _;

use crate::session::Session;
use crate::testing::{Outcome, Test, Verdict};

/// A test and what came of it.
pub struct Case {
    name: String,
    file: String,
    line: usize,
    seconds: f64,
    verdict: Verdict,
    message: String,
    /// The place of a panic, and its stack trace.
    details: String,
    stdout: String,
    stderr: String,
}

impl Case {
    /// What the report keeps of a test.
    pub fn of(session: &Session, test: &Test, outcome: &Outcome) -> Case {
        let place = outcome.location.as_ref().map(|place| format!("at {place}\n")).unwrap_or_default();
        Case {
            name: test.name.clone(),
            file: test.file.clone(),
            line: test.line(session),
            seconds: outcome.took.map_or(0.0, |took| took.as_secs_f64()),
            verdict: outcome.verdict,
            message: outcome.message.clone(),
            details: format!("{place}{}", outcome.trace),
            stdout: outcome.stdout.clone(),
            stderr: outcome.stderr.clone(),
        }
    }
}

/// The report: a suite for each file.
pub fn report(cases: &[Case]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for suite in cases.chunk_by(|a, b| a.file == b.file) {
        let count = |verdict: Verdict| suite.iter().filter(|case| case.verdict == verdict).count();
        let file = suite.first().map_or("", |case| case.file.as_str());
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            quoted(file),
            suite.len(),
            count(Verdict::Fail),
            count(Verdict::Error),
            count(Verdict::Skip)
        );
        for case in suite {
            add(case, &mut text);
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn add(case: &Case, text: &mut String) {
    let (name, file) = (quoted(&case.name), quoted(&case.file));
    let _ = write!(
        text,
        "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{}\" time=\"{:.6}\"",
        case.line, case.seconds
    );
    let element = match case.verdict {
        Verdict::Pass => None,
        Verdict::Fail => Some("failure"),
        Verdict::Error => Some("error"),
        Verdict::Skip => Some("skipped"),
    };
    if element.is_none() && case.stdout.is_empty() && case.stderr.is_empty() {
        text.push_str("/>\n");
        return;
    }
    text.push_str(">\n");
    if let Some(element) = element {
        let _ = writeln!(text, "      <{element} message=\"{}\">{}</{element}>", quoted(&case.message), escaped(&case.details));
    }
    for (element, written) in [("system-out", &case.stdout), ("system-err", &case.stderr)] {
        if !written.is_empty() {
            let _ = writeln!(text, "      <{element}>{}</{element}>", escaped(written));
        }
    }
    text.push_str("    </testcase>\n");
}

/// As the value of an attribute, where a newline would be read as a space.
fn quoted(text: &str) -> String {
    escaped(text).replace('"', "&quot;").replace('\n', "&#10;")
}

/// As text. XML has no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Case, report};
    use crate::testing::Verdict;

    #[test]
    fn a_report_survives_any_text() {
        let case = Case {
            name: "@t".to_owned(),
            file: "a.ori".to_owned(),
            line: 3,
            seconds: 0.25,
            verdict: Verdict::Fail,
            message: "1 < 2 & \"x\"\u{1b}".to_owned(),
            details: "at a.ori:4:1\n".to_owned(),
            stdout: "<a>".to_owned(),
            stderr: String::new(),
        };
        let text = report(&[case]);
        assert!(text.contains("failures=\"1\" errors=\"0\" skipped=\"0\""), "{text}");
        assert!(text.contains("<failure message=\"1 &lt; 2 &amp; &quot;x&quot;\u{fffd}\">at a.ori:4:1\n</failure>"), "{text}");
        assert!(text.contains("<system-out>&lt;a&gt;</system-out>"), "{text}");
    }
}

//! What the end of a process says of its test (language/11 §11.4, §11.5).

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;

use super::server::LONGEST;
use super::{Ended, Outcome, Test, Verdict};

/// Exit status of a test that leaves blocks behind (language/13 §13.9).
const LEAK: i32 = 3;

/// The verdict on a test that ran.
pub fn judge(test: &Test, ended: &Ended, timeout: Duration) -> Outcome {
    let stderr = String::from_utf8_lossy(&ended.run.stderr).into_owned();
    let report = Report::of(&stderr);
    let mut outcome = Outcome::new(Verdict::Fail, String::new());
    outcome.took = ended.took;
    outcome.stdout = String::from_utf8_lossy(&ended.run.stdout).into_owned();
    outcome.stderr = report.as_ref().map_or(stderr.as_str(), |report| report.before).to_owned();
    let wanted = test.row.text.as_deref();
    let status = (!ended.is_late).then(|| ExitStatus::from_raw(ended.run.status));
    let code = status.and_then(|status| status.code());
    (outcome.verdict, outcome.message) = match (status, code, &report, wanted) {
        (None, ..) => (Verdict::Fail, format!("took longer than {timeout:?}")),
        (_, Some(0), _, None) => (Verdict::Pass, String::new()),
        (_, Some(0), _, Some(text)) => (Verdict::Fail, format!("expected a panic containing \"{text}\", but the test returned")),
        (_, Some(1), Some(report), None) => (Verdict::Fail, report.message.to_owned()),
        (_, Some(1), Some(report), Some(text)) if report.message.contains(text) => (Verdict::Pass, String::new()),
        (_, Some(1), Some(report), Some(text)) => {
            (Verdict::Fail, format!("expected a panic containing \"{text}\", got \"{}\"", report.message))
        }
        (_, Some(LEAK), ..) => (Verdict::Fail, "memory is held that nothing can reach any more".to_owned()),
        // Fatal failures (language/10 §10.8), exits, signals.
        (Some(status), code, ..) => {
            let fatal = stderr.lines().rev().find(|line| line.starts_with("fatal: ") || line.starts_with("abort: "));
            let end = match (code, status.signal()) {
                (Some(code), _) => format!("ended with exit status {code}"),
                (None, Some(signal)) if signal == Signal::XFSZ.as_raw() => format!("wrote more than {} MiB", LONGEST >> 20),
                (None, signal) => format!("ended by signal {}", signal.unwrap_or(0)),
            };
            (Verdict::Fail, fatal.map_or(end, str::to_owned))
        }
    };
    if outcome.verdict == Verdict::Fail
        && let Some(report) = report
    {
        outcome.location = Some(report.location.to_owned());
        outcome.trace = report.trace.to_owned();
    }
    outcome
}

/// The report of a panic on standard error (language/10 §10.4). Nothing else that a program writes there begins a line with `panic: `, because texts that
/// `dbg` shows have no raw newlines; and nothing comes after it.
struct Report<'a> {
    before: &'a str,
    message: &'a str,
    location: &'a str,
    trace: &'a str,
}

impl<'a> Report<'a> {
    fn of(stderr: &'a str) -> Option<Report<'a>> {
        const START: &str = "panic: ";
        let start = if stderr.starts_with(START) { 0 } else { stderr.find("\npanic: ")? + 1 };
        let (before, rest) = (&stderr[..start], &stderr[start + START.len()..]);
        let (head, trace) = rest.rsplit_once("\n  stack trace (most recent first):\n").unwrap_or((rest.trim_end_matches('\n'), ""));
        let (message, location) = head.rsplit_once(" at ")?;
        Some(Report { before, message, location, trace })
    }
}

#[cfg(test)]
mod tests {
    use super::Report;

    #[test]
    fn a_report_has_a_message_of_any_shape() {
        let text =
            "[a.ori:1:2] x = \"\\npanic: \"\npanic: look at\nthis at a.ori:3:4\n  stack trace (most recent first):\n    @t at a.ori:3:4\n";
        let report = Report::of(text).expect("a report");
        assert_eq!((report.message, report.location), ("look at\nthis", "a.ori:3:4"));
        assert_eq!(report.trace, "    @t at a.ori:3:4\n");
        assert_eq!(report.before, "[a.ori:1:2] x = \"\\npanic: \"\n");
        assert!(Report::of("nothing\n").is_none());
    }
}

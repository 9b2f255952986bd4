//! `conformance-check`: every rule of the language reference has fixtures, and they hold now.
//!
//! What counts of the reference, what the fixtures cover and what is known to be missing comes from [`fixtures::conformance`]; this gate runs the fixtures
//! itself, so that a claim is worth what its fixture does today, and shows the judge what it must refuse.

use fixtures::conformance::{self, Evidence as Shown, Open, Reference, Shows, State};
use fixtures::programs;

use crate::evidence::{Evidence, Table};

const NAME: &str = "conformance-check";

/// Fewer than these would mean that fixtures or the reference are not where they are looked for.
const LEAST: [(Shows, &str, usize); 3] = [
    (Shows::Runs, "programs that run", 250),
    (Shows::Diagnoses, "programs that are diagnosed", 200),
    (Shows::Refuses, "programs that are refused", 10),
];

/// Runs the gate.
pub fn run() -> bool {
    let mut evidence = Evidence::new(NAME);
    match lists() {
        Ok((reference, shown, open)) => look(&mut evidence, &reference, &shown, &open),
        Err(why) => evidence.fail(why),
    }
    evidence.close()
}

fn lists() -> Result<(Reference, Shown, Open), String> {
    Ok((conformance::reference()?, conformance::evidence()?, conformance::open()?))
}

fn look(evidence: &mut Evidence, reference: &Reference, shown: &Shown, open: &Open) {
    // Whoever has the reference at hand compares with it.
    let pages = fixtures::tree::root().join("../../shared/language");
    if conformance::extract(&pages).is_some_and(|found| found != *reference) {
        evidence.fail("fixtures/conformance/reference.tsv is not what the reference says");
    }
    let states = conformance::states(reference, shown, open);
    let mut rules = Table::new("rules", &["what", "covered", "refused", "open", "missing"]);
    let kinds: [(&str, Vec<&String>); 3] = [
        ("sections", reference.sections.iter().map(|(id, _)| id).collect()),
        ("rows of tables", reference.rows.iter().map(|(id, _)| id).collect()),
        ("codes", reference.codes.iter().map(|(id, _)| id).collect()),
    ];
    for (what, ids) in kinds {
        let of = |state: State| ids.iter().filter(|id| states[**id] == state).count().to_string();
        rules.row([what.to_owned(), of(State::Covered), of(State::Refused), of(State::Open), of(State::Missing)]);
    }
    evidence.table(rules);
    conformance::judge(reference, shown, open).into_iter().for_each(|wrong| evidence.fail(wrong));
    let mut ran = Table::new("fixtures", &["what", "count", "fail"]);
    for (what, all, judge) in [
        ("run in two engines", programs::programs(), programs::run as fn(&std::path::Path) -> Vec<String>),
        ("refused on their lines", programs::refused(), programs::refuse),
    ] {
        let failures = programs::each(&all, judge);
        ran.row([what.to_owned(), all.len().to_string(), failures.len().to_string()]);
        failures.into_iter().for_each(|why| evidence.fail(why));
    }
    evidence.table(ran);
    for (shows, what, least) in LEAST {
        let count = shown.fixtures.iter().filter(|fixture| fixture.shows == shows && !fixture.path.starts_with("cli/")).count();
        if count < least {
            evidence.fail(format!("only {count} {what}"));
        }
    }
    let mut refused = Table::new("negatives", &["what is broken", "named as"]);
    for (what, words, said) in negatives(reference, shown, open) {
        let named = said.iter().find(|said| said.contains(&words));
        if named.is_none() {
            evidence.fail(format!("negative '{what}': `{words}` is not said"));
        }
        refused.row([what, named.map_or("", String::as_str)]);
    }
    evidence.table(refused);
}

/// Something broken, the words that must name it, what the judge said.
type Negative = (&'static str, String, Vec<String>);

fn negatives(reference: &Reference, shown: &Shown, open: &Open) -> Vec<Negative> {
    let mut all = Vec::new();
    let mut planted = reference.clone();
    planted.rows.push(("6.1/9.9".to_owned(), "a rule that nobody knows".to_owned()));
    all.push((
        "a row of the reference that nothing covers",
        "6.1/9.9 has no fixture".to_owned(),
        conformance::judge(&planted, shown, open),
    ));

    let mut planted = reference.clone();
    planted.sections.push(("6.99".to_owned(), "A section that nobody knows".to_owned()));
    all.push(("a section that nothing covers", "6.99 has no fixture".to_owned(), conformance::judge(&planted, shown, open)));

    let mut planted = reference.clone();
    planted.codes.push(("E9990".to_owned(), vec!["6.1".to_owned()]));
    all.push(("a code that nothing trips", "E9990 has no fixture".to_owned(), conformance::judge(&planted, shown, open)));

    // The only fixture of some row goes.
    let states = conformance::states(reference, shown, open);
    let lone = reference.rows.iter().map(|(id, _)| id).find_map(|id| {
        let mut fewer = shown.clone();
        fewer.fixtures.retain(|fixture| !fixture.covers.contains(id));
        let is_lone = states[id] == State::Covered && conformance::states(reference, &fewer, open)[id] == State::Missing;
        is_lone.then_some((id, fewer))
    });
    match lone {
        Some((id, fewer)) => {
            all.push(("a row whose only fixture is gone", format!("{id} has no fixture"), conformance::judge(reference, &fewer, open)))
        }
        None => all.push(("a row whose only fixture is gone", "a row with one fixture".to_owned(), Vec::new())),
    }

    let mut stale = open.clone();
    if let Some((id, _)) = states.iter().find(|(_, state)| **state == State::Covered) {
        stale.insert(id.clone(), "planted".to_owned());
        all.push((
            "a row that is covered and said to be open",
            format!("{id} is covered, and open.tsv"),
            conformance::judge(reference, shown, &stale),
        ));
    }

    let mut without = shown.clone();
    if let Some(code) = without.explained.pop_first() {
        all.push(("a code without a page", format!("{code} has no page"), conformance::judge(reference, &without, open)));
    }
    all
}

//! Collecting garbage: the budget is kept, what was used last stays, by command and by itself; whatever is gone, later builds are right.

use std::fs::{File, FileTimes};
use std::time::{Duration, SystemTime};

use query::store::cas::Address;

use super::stage::{Form, Observed, Stage, judge, observe, run};
use super::{Found, Negative};

/// Budgets, in percent of what there is.
const BUDGETS: [u64; 3] = [100, 50, 0];

/// States that are built.
const STATES: u32 = 6;

/// The artifacts of a state, and what a clean build of it gives.
type State = (Vec<Address>, Vec<u8>);

/// A store with the executables of several states, each as if it had been used an hour after the one before; their addresses, oldest first, and outputs.
fn filled(stage: &mut Stage) -> Result<Vec<State>, String> {
    let mut states: Vec<State> = Vec::new();
    for number in 0..STATES {
        stage.become_state(number + 3)?;
        let clean = stage.clean(Form::Executable)?;
        let before = stage.addresses();
        stage.build_to(&stage.scene.program, Form::Executable, &["--clean-link"])?;
        let new: Vec<Address> = stage.addresses().into_iter().filter(|address| !before.contains(address)).collect();
        let used = SystemTime::now() - Duration::from_secs(3600 * u64::from(100 - number));
        for address in &new {
            let file = File::open(stage.path(*address)).map_err(|error| error.to_string())?;
            file.set_times(FileTimes::new().set_modified(used)).map_err(|error| error.to_string())?;
        }
        states.push((new, clean));
    }
    Ok(states)
}

fn bytes_of(stage: &Stage) -> Result<u64, String> {
    let links: u64 = crate::gates::query::faults::files(&stage.scene.store().join("link"))
        .iter()
        .filter_map(|path| std::fs::metadata(path).ok())
        .map(|meta| meta.len())
        .sum();
    Ok(stage.cas().stat().map_err(|error| error.to_string())?.bytes + links)
}

/// What does not hold after a collection: the budget, and that nothing stayed that was used before something that went.
fn collected(stage: &Stage, states: &[State], budget: u64) -> Result<Vec<String>, String> {
    let mut wrong = Vec::new();
    let held = bytes_of(stage)?;
    if held > budget {
        wrong.push(format!("{held} bytes are held, the budget is {budget}"));
    }
    let there: Vec<(usize, bool)> = states
        .iter()
        .enumerate()
        .flat_map(|(age, (addresses, _))| addresses.iter().map(move |address| (age, *address)))
        .map(|(age, address)| (age, stage.cas().len(address).is_some()))
        .collect();
    let oldest_kept = there.iter().filter(|(_, there)| *there).map(|(age, _)| *age).min();
    let newest_gone = there.iter().filter(|(_, there)| !*there).map(|(age, _)| *age).max();
    if let (Some(kept), Some(gone)) = (oldest_kept, newest_gone)
        && kept < gone
    {
        wrong.push(format!("state {gone} is gone, and the older state {kept} stayed"));
    }
    Ok(wrong)
}

/// The check.
pub fn check() -> Result<Found, String> {
    let mut found = Found::default();
    let mut stage = Stage::new("collection")?;
    let states = filled(&mut stage)?;
    let all = bytes_of(&stage)?;
    for percent in BUDGETS {
        let budget = all * percent / 100;
        let ending = stage.oric(&["cache", "gc", ".", "--budget", &budget.to_string()])?;
        if ending.status != Some(0) {
            found.wrong.push(format!("`oric cache gc` fails: {}", ending.line()));
        }
        found.wrong.extend(collected(&stage, &states, budget)?);
        if percent == 100 && bytes_of(&stage)? != all {
            found.wrong.push("a store within its budget lost something".to_owned());
        }
        // Whatever is gone: states whose artifacts stayed are restored, the others are linked.
        for (number, (addresses, clean)) in (3..).zip(&states) {
            let is_there = addresses.iter().all(|address| stage.cas().len(*address).is_some());
            stage.become_state(number)?;
            stage.lose_program();
            let ways: &[&str] = if is_there { &["restored"] } else { &["linked", "restored"] };
            found.wrong.extend(judge(&format!("state {number} within {percent}%"), &stage.build()?, ways, clean, 0));
        }
        let _ = std::fs::remove_dir_all(stage.scene.store());
        filled(&mut stage)?;
    }
    found.did("collections to a budget", BUDGETS.len());
    found.did("builds after them", BUDGETS.len() * STATES as usize);
    found.wrong.extend(by_itself(&mut stage, &states, all * 2 / 3)?);
    found.did("builds that collect by themselves", 2 * STATES as usize);
    Ok(found)
}

fn with_budget(stage: &Stage, budget: u64, args: &[&str]) -> Result<Observed, String> {
    let program = stage.scene.program.to_string_lossy().into_owned();
    let args = [&["build", ".", "-o", program.as_str()], args].concat();
    observe(&run(stage.command(&args).env("ORI_CACHE_SIZE", budget.to_string()))?, &stage.scene.program)
}

/// A build that outgrows the budget collects, one that writes nothing does not even look.
fn by_itself(stage: &mut Stage, states: &[State], budget: u64) -> Result<Vec<String>, String> {
    let mut wrong = Vec::new();
    let held = bytes_of(stage)?;
    with_budget(stage, 1, &[])?;
    if bytes_of(stage)? != held {
        wrong.push("a build that changed nothing collected".to_owned());
    }
    let _ = std::fs::remove_dir_all(stage.scene.store());
    for round in 0..2 {
        for (number, (_, clean)) in (3..).zip(states) {
            stage.become_state(number)?;
            let what = format!("state {number}, round {round}, under a budget");
            let built = with_budget(stage, budget, &["--clean-link"])?;
            wrong.extend(judge(&what, &built, &["linked"], clean, 0));
            let held = bytes_of(stage)?;
            if held > budget {
                wrong.push(format!("{what}: {held} bytes are held, the budget is {budget}"));
            }
        }
    }
    Ok(wrong)
}

/// A collection that keeps too much, and one that keeps the wrong ones.
pub fn negatives() -> Vec<Negative> {
    let broken = |keep: fn(usize) -> bool, budget: u64| -> Result<Vec<String>, String> {
        let mut stage = Stage::new("collection-negative")?;
        let states = filled(&mut stage)?;
        for (addresses, _) in states.iter().enumerate().filter(|(age, _)| !keep(*age)).map(|(_, state)| state) {
            for address in addresses {
                std::fs::remove_file(stage.path(*address)).map_err(|error| error.to_string())?;
            }
        }
        collected(&stage, &states, budget)
    };
    vec![
        Negative { what: "a collection that keeps too much", words: "the budget is 1000", said: broken(|_| true, 1000) },
        Negative {
            what: "a collection that removes the newest",
            words: "and the older state 0 stayed",
            said: broken(|age| age < 2, u64::MAX),
        },
    ]
}

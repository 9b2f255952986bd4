//! Facts that LLVM is told (ADR 0019): each removes instructions, a wrong one is a miscompile that shows, and programs do the same without any of them.

use llvm::{Fact, Facts, Level, Product, Unit};
use oric::release::{self, Release};

use super::{Tools, linked, said, same, units_of};
use crate::child;
use crate::corpus;
use crate::evidence::{Evidence, Table};
use crate::program::{Program, checked_options, run as run_image};
use crate::workers;

/// Generated programs of the full check.
pub const FULL: usize = 2_000;

/// The fact that is left out of a program of the sample.
pub(super) fn of(number: usize) -> Fact {
    Fact::ALL[number % Fact::ALL.len()]
}

/// The units without a fact.
pub(super) fn without(mut units: Vec<Unit>, fact: Fact) -> Vec<Unit> {
    units.iter_mut().for_each(|unit| unit.facts = Facts::default().without(fact));
    units
}

/// A program in which a fact removes something, and what: lines of LLVM's answer with this in them.
struct Shown {
    fact: Fact,
    program: &'static str,
    gone: &'static str,
}

const SHOWN: [Shown; 3] = [
    // What calls the runtime alone does not unwind then, nor does what calls that: nothing has to be given back on the way.
    Shown { fact: Fact::Nounwind, program: include_str!("../../../../fixtures/run/03-07-generic-sums.ori"), gone: "landingpad" },
    // What leads to a panic is called, and not copied to its callers, with its own calls.
    Shown { fact: Fact::Cold, program: include_str!("../../../../fixtures/run/17-07-tail-calls-that-carry-values.ori"), gone: "invoke" },
    // What the program does all the time is inlined where it is called, because what only checks lead to counts for nothing.
    Shown {
        fact: Fact::Weights,
        program: include_str!("../../../../fixtures/run/04-07-methods-that-change-elements.ori"),
        gone: "call swiftcc void @\"ori.drop<[[",
    },
];

/// What each fact removes.
pub(super) fn removes(evidence: &mut Evidence, tools: &Tools) {
    let mut table = Table::new("what each fact removes", &["fact", "lines with", "told", "not told"]);
    for Shown { fact, program, gone } in SHOWN {
        match shown(tools, fact, program, gone) {
            Ok([told, untold]) => {
                if told >= untold {
                    evidence.fail(format!("{}: {told} lines with `{gone}`, and {untold} without the fact", fact.name()));
                }
                table.row([fact.name(), gone, &told.to_string(), &untold.to_string()]);
            }
            Err(why) => evidence.fail(format!("{}: {why}", fact.name())),
        }
    }
    evidence.table(table);
}

fn shown(tools: &Tools, fact: Fact, text: &str, gone: &str) -> Result<[usize; 2], String> {
    let mut program = Program::of_text(text, checked_options()).map_err(|refusal| refusal.to_string())?;
    let units = units_of(&mut program, Some(1))?;
    let count = |units: &[Unit]| -> Result<usize, String> {
        let made = release::translate(&tools.release(Level::Default), units, Product::Optimised).map_err(said)?;
        Ok(String::from_utf8_lossy(&made.concat()).lines().filter(|line| line.contains(gone)).count())
    };
    Ok([count(&units)?, count(&without(units, fact))?])
}

const CAUGHT: &str = "@half (n: int) -> int = if n % 2 == 0 then n / 2 else panic(msg: `{n} is odd`);\n\
                      @main (args: [str]) -> void = match catch(expr: half(n: args.len() * 2 + 3)) { Ok(n) -> print(msg: `{n}`), Err(why) -> print(msg: why) };\n";

/// Is a call that panics, of which LLVM is told that it does not, another program?
pub(super) fn lies(tools: &Tools) -> Result<bool, String> {
    let mut options = checked_options();
    options.passes_off.push("inline".to_owned());
    let mut program = Program::of_text(CAUGHT, options).map_err(|refusal| refusal.to_string())?;
    let expected = run_image(&program.image()?, &[], child::Limits::default())?;
    let mut units = units_of(&mut program, Some(1))?;
    let honest = linked(&mut program, tools, Level::Default, &units)?;
    if !same(&expected, &run_image(&honest, &[], child::Limits::default())?) {
        return Err("the program does not even do what it should when LLVM is told the truth".to_owned());
    }
    for function in units.iter_mut().flat_map(|unit| &mut unit.functions) {
        function.edit(|graph| {
            let calls = graph.insts.rows_mut().iter_mut().filter(|row| row.op == lir::Op::Call);
            calls.for_each(|row| row.flags |= lir::ops::NOUNWIND);
        });
    }
    let image = linked(&mut program, tools, Level::Default, &units)?;
    Ok(!same(&expected, &run_image(&image, &[], child::Limits::default())?))
}

/// A program that is compared.
enum Compared {
    Kept(corpus::Entry),
    Generated(u64),
}

/// All programs of the corpus and so many generated ones, each without each fact.
pub fn check(evidence: &mut Evidence, generated: usize) {
    let tools = match Tools::find() {
        Ok(tools) => tools,
        Err(why) => return evidence.fail(why),
    };
    let mut programs: Vec<Compared> = corpus::programs().into_iter().map(Compared::Kept).collect();
    let kept = programs.len();
    programs.extend((1..=generated as u64).map(Compared::Generated));
    let mut table = Table::new("facts left out", &["fact", "programs", "generated programs", "of these other code", "do something else"]);
    // Rows by fact: programs, generated ones, other code, other answers.
    let mut counts = [[0_usize; 4]; Fact::ALL.len()];
    let results = workers::each(&programs, |program| compared(program, &tools));
    for (number, (program, result)) in programs.iter().zip(results).enumerate() {
        let name = match program {
            Compared::Kept(entry) => entry.name.clone(),
            Compared::Generated(seed) => format!("typed program {seed}"),
        };
        match result.and_then(|result| result) {
            Err(why) => evidence.fail(format!("{name}: {why}")),
            Ok(found) => {
                for ((count, fact), found) in counts.iter_mut().zip(Fact::ALL).zip(found) {
                    count[usize::from(number >= kept)] += 1;
                    count[2] += usize::from(found != Found::Code);
                    if let Found::Answer(why) = found {
                        count[3] += 1;
                        evidence.fail(format!("{name} without {}: {why}", fact.name()));
                    }
                }
            }
        }
    }
    for (fact, count) in Fact::ALL.into_iter().zip(counts) {
        table.row(std::iter::once(fact.name().to_owned()).chain(count.map(|count| count.to_string())));
        if count[2] == 0 {
            evidence.fail(format!("{}: no program has other code without it", fact.name()));
        }
    }
    evidence.table(table);
}

/// What comes of leaving a fact out.
#[derive(PartialEq)]
enum Found {
    /// The same code.
    Code,
    /// Other code that does the same.
    Same,
    /// Another answer.
    Answer(String),
}

fn compared(program: &Compared, tools: &Tools) -> Result<[Found; Fact::ALL.len()], String> {
    let (loaded, args) = match program {
        Compared::Kept(entry) => (Program::load(&entry.file, checked_options(), 1), entry.args.clone()),
        Compared::Generated(seed) => (Program::of_text(&crate::typed::Program::new(*seed).source(), checked_options()), Vec::new()),
    };
    let mut program = loaded.map_err(|refusal| refusal.to_string())?;
    let run = |image: &[u8]| run_image(image, &args, child::Limits::default());
    let expected = run(&program.image()?)?;
    let units = units_of(&mut program, Some(1))?;
    let release = Release { workers: Some(1), ..tools.release(Level::Default) };
    // One worker process for all: it takes the largest first, and answers by number.
    let all: Vec<Unit> = std::iter::once(units.clone()).chain(Fact::ALL.map(|fact| without(units.clone(), fact))).flatten().collect();
    let objects = release::translate(&release, &all, Product::Object).map_err(said)?;
    let plan = release::plan(&mut program.session, program.main).map_err(said)?;
    let tables = release::tables(&mut program.session, &plan).map_err(said)?;
    let [told, untold @ ..] = objects.as_slice() else { return Err("nothing was made".to_owned()) };
    let mut found = [Found::Code, Found::Code, Found::Code];
    for (object, found) in untold.iter().zip(&mut found) {
        if object == told {
            continue;
        }
        let ending = run(&tools.link(&[object, &tables])?)?;
        *found = match same(&expected, &ending) {
            true => Found::Same,
            false => Found::Answer(format!("expected {}; found {}", expected.line(), ending.line())),
        };
    }
    Ok(found)
}

//! One fault planted at each boundary of a program compiled now: does the check run at all?
//!
//! The damaged function goes the whole way that a dump goes: printed, read, verified. What is expected stands here; what is found is what this run saw.

use ir::Fault;
use ir::ssa::{ENTRY, Graph, Level};

use crate::corpus;
use crate::gates::views;
use crate::levels::{self, Stage};
use crate::program::{Program, checked_options};

/// Something broken, and what was said about it.
#[derive(Clone, Debug)]
pub struct Plant {
    /// What was done.
    pub what: &'static str,
    /// The code, or the word of the complaint, that must be among the findings.
    pub expected: &'static str,
    /// What was found.
    pub found: Vec<String>,
}

impl Plant {
    /// Was it refused for the right reason?
    pub fn is_refused(&self) -> bool {
        self.found.iter().any(|found| found == self.expected)
    }
}

/// All plants, each made now.
pub fn all() -> Vec<Plant> {
    let file = corpus::root().join("fixtures/kernels/collatz.ori");
    let program = match Program::load(&file, checked_options(), 1) {
        Ok(program) => program,
        Err(why) => {
            return vec![Plant { what: "loading fixtures/kernels/collatz.ori", expected: "a program", found: vec![why.to_string()] }];
        }
    };
    let mut plants = Vec::new();
    let mut text_plant = |what, expected, level, phase, damage: &dyn Fn(&str) -> Option<String>| {
        let text = levels::text(&program, Stage { level, phase }).unwrap_or_default();
        let found = damage(&text).map_or_else(|| vec!["nothing to damage".to_owned()], |text| codes(&text));
        plants.push(Plant { what, expected, found });
    };
    text_plant("hir: a body gives another type than its function", "H0201", "hir", "typed", &|text| {
        Some(text.replacen(") -> void {", ") -> bool {", 1))
    });
    text_plant("mir.built: a block without terminator", "M0103", "mir", "built", &|text| mir_graph::<mir::Built>(text));
    text_plant("mir.mono: a block without terminator", "M0103", "mir", "mono", &|text| mir_graph::<mir::Mono>(text));
    text_plant("mir.owned: a block without terminator", "M0103", "mir", "owned", &|text| mir_graph::<mir::Owned>(text));
    text_plant("lir.built: a block without terminator", "L0103", "lir", "built", &|text| lir_graph::<lir::Built>(text));
    text_plant("lir.legal: a block without terminator", "L0103", "lir", "legal", &|text| lir_graph::<lir::Legal>(text));
    text_plant("machine.select: a register of the processor", "X0109", "machine", "select", &|text| {
        machine_damage(text, |record, role| {
            if role == machine::ops::Role::Use(machine::regs::Class::Gp) {
                record.b = machine::regs::XMM0;
            }
        })
    });
    text_plant("machine.final: an operand that is missing", "X0104", "machine", "final", &|text| {
        machine_damage(text, |record, role| {
            if matches!(role, machine::ops::Role::Use(_)) {
                record.b = machine::regs::NONE;
            }
        })
    });
    plants.push(allocation(&program));
    plants.push(bytes(&program));
    plants.extend(complaints(&program));
    plants
}

/// Codes of what the reader or the verifier says.
fn codes(text: &str) -> Vec<String> {
    let mut codes: Vec<String> = match levels::read(text) {
        Err(error) => vec![error.code().to_owned()],
        Ok(reading) => reading.faults.into_iter().map(|(code, _)| code.to_owned()).collect(),
    };
    codes.sort();
    codes.dedup();
    codes
}

fn without_terminator<L: Level>(graph: &mut Graph<L>) -> Option<()> {
    graph.blocks.rows_mut().get_mut(ENTRY.index())?.insts.pop().map(|_| ())
}

fn mir_graph<P: mir::Phase>(text: &str) -> Option<String> {
    let (mut bodies, cx) = mir::text::parse::<P>(text).ok()?;
    without_terminator(bodies.first_mut()?)?;
    mir::text::print_file(&bodies, &cx).ok()
}

fn lir_graph<P: lir::Phase>(text: &str) -> Option<String> {
    let (mut bodies, cx) = lir::text::parse::<P>(text).ok()?;
    without_terminator(bodies.first_mut()?)?;
    lir::text::print_file(&bodies, &cx).ok()
}

/// Changes the first record that `damage` changes, given the role of its second operand.
fn machine_damage(text: &str, damage: impl Fn(&mut machine::Record, machine::ops::Role)) -> Option<String> {
    fn first<P: machine::Phase>(
        mut functions: Vec<machine::Function<P>>,
        damage: impl Fn(&mut machine::Record, machine::ops::Role),
    ) -> Option<String> {
        let records = &mut functions.first_mut()?.records;
        let hit = records.iter_mut().find_map(|record| {
            let before = *record;
            let role = record.op.info().roles[1];
            damage(record, role);
            (before != *record).then_some(())
        });
        hit.map(|()| machine::text::print(&functions.iter().collect::<Vec<_>>()))
    }
    match machine::text::parse(text).ok()? {
        machine::text::Parsed::Select(functions) => first(functions, damage),
        machine::text::Parsed::Alloc(functions) => first(functions, damage),
        machine::text::Parsed::Final(functions) => first(functions, damage),
    }
}

/// The stages of the first function, as the compiler makes them.
fn stages(program: &Program) -> Option<Stages> {
    let item = *program.functions().first()?;
    let body = program.lir(item)?;
    let mut stages: (Option<_>, Option<_>, Option<_>) = (None, None, None);
    let mut scratch = machine::Scratch::default();
    machine::compile_dumping(&body, &mut scratch, true, &mut |stage| match stage {
        machine::Stage::Select(function) => stages.0 = Some(function.clone()),
        machine::Stage::Alloc(function) => stages.1 = Some(function.clone()),
        machine::Stage::Final(function, code) => stages.2 = Some((function.clone(), code.clone())),
    })
    .ok()?;
    Some((stages.0?, stages.1?, stages.2?))
}

type Stages = (machine::Function<machine::Select>, machine::Function<machine::Alloc>, (machine::Function<machine::Final>, machine::Code));

/// An operand in a register that holds something else: only the allocation checker can see it.
fn allocation(program: &Program) -> Plant {
    let mut plant = Plant { what: "machine.alloc: an operand in the register of another value", expected: "X0203", found: Vec::new() };
    let Some((select, alloc, _)) = stages(program) else { return plant };
    for at in 0..alloc.records.len() {
        let role = alloc.records[at].op.info().roles[1];
        if role == machine::ops::Role::Use(machine::regs::Class::Gp) && alloc.records[at].op != machine::Op::Mov {
            let mut damaged = alloc.clone();
            damaged.records[at].b = (damaged.records[at].b + 1) % 4;
            plant.found = machine::alloc::check(&select, &damaged).iter().map(|fault| fault.code().0.to_owned()).collect();
            break;
        }
    }
    plant
}

/// A byte that belongs to no instruction of the encoder.
fn bytes(program: &Program) -> Plant {
    let mut plant = Plant { what: "machine.final: bytes that are no instruction", expected: "X0401", found: Vec::new() };
    let Some((_, _, (function, mut code))) = stages(program) else { return plant };
    if let Some(byte) = code.bytes.first_mut() {
        // `push es` does not exist in 64-bit mode.
        *byte = 0x06;
    }
    plant.found = machine::verify::verify_code(&function, &code).iter().map(|fault| fault.code().0.to_owned()).collect();
    plant
}

/// What the gate itself must complain about.
fn complaints(program: &Program) -> Vec<Plant> {
    let stage = Stage { level: "mir", phase: "mono" };
    let text = levels::text(program, stage).unwrap_or_default();
    let said = |text: &str, word: &'static str| {
        let (_, wrong) = views::judge(stage, text, true);
        wrong.iter().filter(|what| what.contains(word)).map(|_| word.to_owned()).take(1).collect::<Vec<_>>()
    };
    let mut plants = vec![
        Plant {
            what: "mir: a register of the processor as an operand",
            expected: "another level",
            found: said(&text.replacen("  ret %", "  ret $rax, %", 1), "another level"),
        },
        Plant { what: "mir: a machine type", expected: "another level", found: said(&text.replacen(": int", ": i64", 1), "another level") },
        Plant {
            what: "mir: spaces that the printer does not write",
            expected: "prints differently",
            found: said(&text.replacen("  ret %", "   ret  %", 1), "prints differently"),
        },
    ];
    let dump = ir::text::parse(&text).unwrap_or_default();
    let tsv = ir::text::view::tsv(&dump);
    let shorter = tsv.trim_end().rsplit_once('\n').map_or_else(String::new, |(rest, _)| format!("{rest}\n"));
    let found = views::agree(&dump, &shorter, &ir::text::view::json(&dump));
    let found = found.iter().filter(|what| what.contains("rows in TSV")).map(|_| "rows in TSV".to_owned()).collect();
    plants.push(Plant { what: "a TSV view with a row less", expected: "rows in TSV", found });
    plants
}

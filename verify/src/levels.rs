//! The one door to every level and phase: print a program, read a dump, verify what was read.

use ir::text::{Arg, Dump, TextError};
use ir::{Fault, Stop};

use crate::program::{Program, guarded};

/// A level in a phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stage {
    /// `hir`, `mir`, `lir`, `machine`
    pub level: &'static str,
    /// `built`, ...
    pub phase: &'static str,
}

const fn stage(level: &'static str, phase: &'static str) -> Stage {
    Stage { level, phase }
}

/// All boundaries, from above.
pub const STAGES: [Stage; 9] = [
    stage("hir", "typed"),
    stage("mir", "built"),
    stage("mir", "mono"),
    stage("mir", "owned"),
    stage("lir", "built"),
    stage("lir", "legal"),
    stage("machine", "select"),
    stage("machine", "alloc"),
    stage("machine", "final"),
];

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.level, self.phase)
    }
}

/// The dump of all functions of a program.
pub fn text(program: &Program, stage: Stage) -> Result<String, String> {
    let items = program.functions();
    guarded(|| oric::dump::level_text(&program.session, stage.level, stage.phase, &items))?.ok_or_else(|| format!("there is no {stage}"))
}

/// A dump that was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Functions in it.
    pub functions: usize,
    /// The canonical text.
    pub canonical: String,
    /// Codes and messages of the faults.
    pub faults: Vec<(&'static str, String)>,
}

/// Reads a dump of any level and phase, prints it again and verifies it.
pub fn read(text: &str) -> Result<Reading, TextError> {
    let mut words = text.split_whitespace().skip(1);
    let name = words.next().unwrap_or_default();
    match name {
        "mir.built" => mir_reading::<mir::Built>(text),
        "mir.mono" => mir_reading::<mir::Mono>(text),
        "mir.owned" => mir_reading::<mir::Owned>(text),
        "lir.built" => lir_reading::<lir::Built>(text),
        "lir.legal" => lir_reading::<lir::Legal>(text),
        _ if name.starts_with("machine.") => machine_reading(text),
        _ => hir_reading(text),
    }
}

/// No context of a dump ever interrupts.
fn go<T>(result: Result<T, Stop>) -> Result<T, TextError> {
    result.map_err(|_| TextError::new(1, 1, "T0000", "the context of the dump interrupted"))
}

fn listed<F: Fault>(faults: &[F]) -> impl Iterator<Item = (&'static str, String)> + '_ {
    faults.iter().map(|fault| (fault.code().0, format!("{} {:?} {}", fault.code(), fault.at(), fault.message())))
}

fn hir_reading(text: &str) -> Result<Reading, TextError> {
    let (bodies, cx) = hir::text::parse(text)?;
    let mut faults = Vec::new();
    for body in &bodies {
        faults.extend(listed(&go(hir::verify::verify(body, &cx))?));
    }
    let canonical = go(hir::text::print_file(&bodies.iter().collect::<Vec<_>>(), &cx))?;
    Ok(Reading { functions: bodies.len(), canonical, faults })
}

fn mir_reading<P: mir::Phase>(text: &str) -> Result<Reading, TextError> {
    let (bodies, cx) = mir::text::parse::<P>(text)?;
    let mut faults = Vec::new();
    for body in &bodies {
        faults.extend(listed(&go(mir::verify::verify(body, &cx))?));
    }
    let canonical = go(mir::text::print_file(&bodies, &cx))?;
    Ok(Reading { functions: bodies.len(), canonical, faults })
}

fn lir_reading<P: lir::Phase>(text: &str) -> Result<Reading, TextError> {
    let (bodies, cx) = lir::text::parse::<P>(text)?;
    let mut faults = Vec::new();
    for body in &bodies {
        faults.extend(listed(&go(lir::verify::verify(body, &cx))?));
    }
    let canonical = go(lir::text::print_file(&bodies, &cx))?;
    Ok(Reading { functions: bodies.len(), canonical, faults })
}

fn machine_reading(text: &str) -> Result<Reading, TextError> {
    use machine::text::Parsed;
    Ok(match machine::text::parse(text)? {
        Parsed::Select(functions) => machine_judged(&functions),
        Parsed::Alloc(functions) => machine_judged(&functions),
        Parsed::Final(functions) => machine_judged(&functions),
    })
}

fn machine_judged<P: machine::Phase>(functions: &[machine::Function<P>]) -> Reading {
    let faults = functions.iter().flat_map(|function| listed(&machine::verify::verify(function)).collect::<Vec<_>>()).collect();
    Reading { functions: functions.len(), canonical: machine::text::print(&functions.iter().collect::<Vec<_>>()), faults }
}

/// Instructions in a dump, those in regions too, as (function, op).
pub fn instructions(dump: &Dump) -> Vec<(&str, &str)> {
    fn walk<'a>(name: &'a str, insts: &'a [ir::text::Inst], out: &mut Vec<(&'a str, &'a str)>) {
        for inst in insts {
            out.push((name, &inst.op));
            for region in &inst.regions {
                walk(name, &region.insts, out);
            }
        }
    }
    let mut out = Vec::new();
    for function in &dump.functions {
        for block in &function.blocks {
            walk(&function.name, &block.insts, &mut out);
        }
    }
    out
}

/// Types that only the machine knows, and those that only the language knows.
const MACHINE_TYPES: [&str; 7] = ["i8", "i32", "i64", "f64", "ptr", "gp", "xmm"];
const LIR_TYPES: [&str; 5] = ["i8", "i32", "i64", "f64", "ptr"];
const CLASSES: [&str; 2] = ["gp", "xmm"];

/// What stands in a dump and belongs to another level: registers and memory operands above the machine, machine types above LIR, language types below
/// MIR, target facts in headers that must not have them.
pub fn strangers(dump: &Dump) -> Vec<String> {
    let mut found = Vec::new();
    let is_machine = dump.level == "machine";
    let facts: &[&str] = match dump.level.as_str() {
        "lir" => &["layout=lp64", "abi=ori"],
        "machine" => &["isa=x86_64"],
        _ => &[],
    };
    if dump.facts != facts {
        found.push(format!("header facts {:?}", dump.facts));
    }
    let is_strange = |ty: &str| match dump.level.as_str() {
        "lir" => !LIR_TYPES.contains(&ty),
        // Parameters name their register behind the class.
        "machine" => !CLASSES.contains(&ty.split(" ").next().unwrap_or_default()),
        _ => MACHINE_TYPES.contains(&ty),
    };
    fn walk(insts: &[ir::text::Inst], is_machine: bool, is_strange: &dyn Fn(&str) -> bool, found: &mut Vec<String>) {
        for inst in insts {
            found.extend(inst.defs.iter().filter(|def| is_strange(&def.ty)).map(|def| format!("type {} in line {}", def.ty, inst.line)));
            let mut args: Vec<&Arg> = inst.args.iter().collect();
            while let Some(arg) = args.pop() {
                match arg {
                    Arg::Register(name) if !is_machine => found.push(format!("register {name} in line {}", inst.line)),
                    Arg::Memory(_) if !is_machine => found.push(format!("memory operand in line {}", inst.line)),
                    Arg::Value { place: Some(_), .. } if !is_machine => found.push(format!("a place of a value in line {}", inst.line)),
                    Arg::Block { args: more, .. } => args.extend(more),
                    Arg::Value { .. }
                    | Arg::Int(_)
                    | Arg::Bits(_)
                    | Arg::Symbol(_)
                    | Arg::Register(_)
                    | Arg::Memory(_)
                    | Arg::Str(_)
                    | Arg::Word(_) => {}
                }
            }
            for region in &inst.regions {
                walk(&region.insts, is_machine, is_strange, found);
            }
        }
    }
    for function in &dump.functions {
        found.extend(
            function.params.iter().filter(|def| is_strange(&def.ty)).map(|def| format!("type {} in line {}", def.ty, function.line)),
        );
        for block in &function.blocks {
            found
                .extend(block.params.iter().filter(|def| is_strange(&def.ty)).map(|def| format!("type {} in line {}", def.ty, block.line)));
            walk(&block.insts, is_machine, &is_strange, &mut found);
        }
    }
    found
}

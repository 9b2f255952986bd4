//! Functions to the generic tree of a dump.

use ir::text::{Arg, Block, Definition, Dump, Function as Tree, Inst, MemoryPart, PlaceText, writer};
use ir::{Fault, PlaceId, Where};

use crate::finish::NEAR;
use crate::ir::{Callee, EDGE, Function, Location, Phase, Record, SlotKind, StaticData, StubRow};
use crate::ops::{AuxKind, ImmKind, Op, Role, cc};
use crate::regs::{CALLER_SAVED, Class, FIRST_VIRTUAL, NAMES, NONE, Reg};

/// The text of a dump with these functions.
pub fn print<P: Phase>(functions: &[&Function<P>]) -> String {
    writer::print(&dump(functions))
}

/// The tree of a dump with these functions; the views of [`ir::text::view`] are made from it.
pub fn dump<P: Phase>(functions: &[&Function<P>]) -> Dump {
    Dump {
        level: "machine".to_owned(),
        phase: P::NAME.to_owned(),
        version: 1,
        facts: vec!["isa=x86_64".to_owned()],
        functions: functions.iter().map(|function| tree(function)).collect(),
        ..Dump::default()
    }
}

/// Writes faults to the ends of the guilty lines.
pub fn annotate<F: Fault>(tree: &mut Tree, faults: &[F]) {
    for fault in faults {
        let place = match fault.at() {
            Where::Function => Some(&mut tree.fault),
            Where::Block(block) => tree.blocks.get_mut(block as usize).map(|block| &mut block.fault),
            Where::Inst { block, index } => {
                tree.blocks.get_mut(block as usize).and_then(|block| block.insts.get_mut(index as usize)).map(|inst| &mut inst.fault)
            }
        };
        let text = format!("{} {}", fault.code(), fault.message());
        if let Some(place) = place {
            match place {
                Some(before) => {
                    before.push_str("; ");
                    before.push_str(&text);
                }
                None => *place = Some(text),
            }
        }
    }
}

/// Name of a class.
pub(super) const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Gp => "gp",
        Class::Xmm => "xmm",
    }
}

fn tree<P: Phase>(function: &Function<P>) -> Tree {
    let printer = Printer { function, is_select: P::NAME == "select" };
    let mut blocks = Vec::with_capacity(function.blocks.len());
    for (id, block) in function.blocks.iter() {
        let params = function.regs.slice(block.params.start(), block.params.len());
        let range = block.start as usize..block.end as usize;
        let records = function.records.get(range).unwrap_or(&[]);
        blocks.push(Block {
            line: 0,
            number: id.raw(),
            params: params.iter().map(|&reg| printer.definition(reg)).collect(),
            insts: records.iter().enumerate().map(|(at, record)| printer.inst(block.start as usize + at, record)).collect(),
            fault: None,
        });
    }
    let results: Vec<&str> = function.result_classes.iter().map(|&class| class_name(class)).collect();
    Tree {
        line: 0,
        name: function.name.to_string(),
        generics: printer.whole(),
        params: printer.params(),
        result: match results[..] {
            [one] => one.to_owned(),
            _ => format!("({})", results.join(", ")),
        },
        blocks,
        fault: None,
    }
}

struct Printer<'a, P: Phase> {
    function: &'a Function<P>,
    is_select: bool,
}

impl<P: Phase> Printer<'_, P> {
    fn params(&self) -> Vec<Definition> {
        let classes = self.function.param_classes.iter();
        let param = |(index, (&reg, &class)): (usize, (&Reg, &Class))| {
            if self.is_select && reg >= FIRST_VIRTUAL {
                return Definition { value: u32::from(reg - FIRST_VIRTUAL), mode: None, ty: class_name(class).to_owned() };
            }
            let name = NAMES.get(reg as usize).copied().unwrap_or("none");
            Definition { value: index as u32, mode: None, ty: format!("{} ${name}", class_name(class)) }
        };
        self.function.params.iter().zip(classes).enumerate().map(param).collect()
    }

    /// What stands in brackets after the name.
    fn whole(&self) -> String {
        let function = self.function;
        let mut items = Vec::new();
        if function.saved != 0 {
            let names = (0..32).filter(|&reg| function.saved & 1 << reg != 0).map(|reg| NAMES[reg as usize]);
            items.push(format!("saved {}", names.collect::<Vec<_>>().join(" ")));
        }
        for slot in &function.slots {
            let mut text = match slot.kind {
                SlotKind::Local => format!("slot local {}", slot.size),
                SlotKind::Spill => format!("slot spill {}", slot.size),
                SlotKind::Incoming(at) => format!("slot incoming {at}"),
                SlotKind::Outgoing(at) => format!("slot outgoing {at}"),
            };
            let known = if let SlotKind::Incoming(at) = slot.kind { 16 + 8 * i64::from(at) } else { 0 };
            if i64::from(slot.offset) != known {
                text.push_str(&format!(" at {}", slot.offset));
            }
            if slot.size != 8 && matches!(slot.kind, SlotKind::Incoming(_) | SlotKind::Outgoing(_)) {
                text.push_str(&format!(" size {}", slot.size));
            }
            items.push(text);
        }
        for (id, block) in function.blocks.iter() {
            if block.is_pad {
                items.push(format!("pad {}", id.raw()));
            }
            if block.depth > 0 {
                items.push(format!("loop {} {}", id.raw(), block.depth));
            }
        }
        if !function.origins.is_empty() {
            let number = |&origin: &u32| if origin == EDGE { "edge".to_owned() } else { origin.to_string() };
            items.push(format!("origins {}", function.origins.iter().map(number).collect::<Vec<_>>().join(" ")));
        }
        items.join(", ")
    }

    /// `%3: gp`
    fn definition(&self, reg: Reg) -> Definition {
        let index = reg.wrapping_sub(FIRST_VIRTUAL);
        let ty = self.function.classes.get(index as usize).map_or("", |&class| class_name(class));
        Definition { value: u32::from(index), mode: None, ty: ty.to_owned() }
    }

    /// A register, with the virtual one behind it.
    fn reg(&self, reg: Reg, behind: Reg) -> Arg {
        let place = match reg {
            NONE => Arg::Word("none".to_owned()),
            reg if reg >= FIRST_VIRTUAL => Arg::Value { mode: None, value: u32::from(reg - FIRST_VIRTUAL), place: None },
            reg => Arg::Register(NAMES.get(reg as usize).map_or_else(|| format!("r{reg}"), |name| (*name).to_owned())),
        };
        match (behind.checked_sub(FIRST_VIRTUAL), &place) {
            (Some(value), Arg::Register(_)) if behind != NONE => {
                Arg::Value { mode: None, value: u32::from(value), place: Some(Box::new(place)) }
            }
            _ => place,
        }
    }

    fn inst(&self, at: usize, record: &Record) -> Inst {
        let info = record.op.info();
        let mut inst = Inst { op: info.name.to_owned(), ..Inst::default() };
        let behind = self.function.virtuals.get(at).copied().unwrap_or([NONE; 3]);
        let mut imm = record.imm;
        let is_branch = matches!(record.op, Op::Jump | Op::JumpIf | Op::Stub);
        if is_branch && imm & NEAR != 0 {
            imm &= !NEAR;
            inst.facts.push("near".to_owned());
        }
        if info.imm == ImmKind::Condition {
            let name = usize::try_from(imm).ok().and_then(|code| cc::NAMES.get(code));
            inst.args.push(name.map_or(Arg::Int(i128::from(imm)), |name| Arg::Word((*name).to_owned())));
        }
        let regs = [record.a, record.b, record.c];
        for (index, &role) in info.roles.iter().enumerate() {
            match role {
                Role::No | Role::Base | Role::Index => {}
                Role::Def(_) | Role::DefIn(_) if self.is_select && regs[index] >= FIRST_VIRTUAL && regs[index] != NONE => {
                    inst.defs.push(self.definition(regs[index]));
                }
                Role::Def(_) | Role::Use(_) | Role::Tied(_) | Role::DefIn(_) | Role::UseIn(_) => {
                    inst.args.push(self.reg(regs[index], behind[index]))
                }
            }
        }
        if info.roles[2] == Role::Index {
            inst.args.push(self.address(record, behind));
        }
        match info.aux {
            AuxKind::No | AuxKind::Scale | AuxKind::Value => {}
            AuxKind::Slot => {
                let mut parts = vec![MemoryPart { base: Arg::Word(format!("slot {}", record.aux)), scale: 1 }];
                if info.imm == ImmKind::Displacement && imm != 0 {
                    parts.push(MemoryPart { base: Arg::Int(i128::from(imm)), scale: 1 });
                }
                inst.args.push(Arg::Memory(parts));
            }
            AuxKind::Constant => match self.function.constants.get(record.aux as usize) {
                Some(&[low, high]) => {
                    inst.args.push(Arg::Bits(low));
                    if high != 0 {
                        inst.args.push(Arg::Bits(high));
                    }
                }
                None => inst.args.push(Arg::Int(i128::from(record.aux))),
            },
            AuxKind::Data => self.data(&mut inst.args, record.aux),
            AuxKind::Function => inst.args.push(match self.function.functions.get(record.aux as usize) {
                Some(function) => Arg::Symbol(function.to_string()),
                None => Arg::Int(i128::from(record.aux)),
            }),
            AuxKind::Edge => match self.function.edges.get(record.aux as usize) {
                Some(edge) => {
                    let args = self.function.regs.slice(edge.args.start(), edge.args.len());
                    inst.args.push(Arg::Block { number: edge.to.raw(), args: args.iter().map(|&reg| self.reg(reg, NONE)).collect() });
                }
                None => inst.args.push(Arg::Int(i128::from(record.aux))),
            },
            AuxKind::Stub => match self.function.stubs.get(record.aux as usize) {
                Some(row) => self.stub(&mut inst, row),
                None => inst.args.push(Arg::Int(i128::from(record.aux))),
            },
            AuxKind::Call => self.call(&mut inst, record.op, record.aux),
        }
        match info.imm {
            ImmKind::Value => inst.args.push(Arg::Int(i128::from(imm))),
            ImmKind::Wide => inst.args.push(Arg::Int(i128::from(i64::from(record.aux as i32) << 32 | i64::from(imm as u32)))),
            ImmKind::No | ImmKind::Displacement | ImmKind::Condition => {}
        }
        inst
    }

    /// `[%1 + %2*8 + 16]`
    fn address(&self, record: &Record, behind: [Reg; 3]) -> Arg {
        let mut parts = Vec::new();
        let has_base = record.op.info().roles[1] == Role::Base;
        if has_base {
            parts.push(MemoryPart { base: self.reg(record.b, behind[1]), scale: 1 });
        }
        if record.c != NONE {
            parts.push(MemoryPart { base: self.reg(record.c, behind[2]), scale: u8::try_from(record.aux).unwrap_or(0) });
        }
        if record.imm != 0 || parts.is_empty() {
            parts.push(MemoryPart { base: Arg::Int(i128::from(record.imm)), scale: 1 });
        }
        Arg::Memory(parts)
    }

    /// `"text"`, `static, "sections"`
    fn data(&self, args: &mut Vec<Arg>, row: u32) {
        match self.function.data.get(row as usize) {
            None => args.push(Arg::Int(i128::from(row))),
            Some(StaticData::Text(text)) => args.push(Arg::Str(text.as_str().to_owned())),
            Some(StaticData::Sections(text)) => args.extend([Arg::Word("static".to_owned()), Arg::Str(text.as_str().to_owned())]),
        }
    }

    fn stub(&self, inst: &mut Inst, row: &StubRow) {
        inst.args.push(Arg::Word(row.kind.name().to_owned()));
        for &location in self.function.locations.slice(row.args.start(), row.args.len()) {
            inst.args.push(match location {
                Location::Data(row) => {
                    self.data(&mut inst.args, row);
                    continue;
                }
                Location::Reg(reg) => self.reg(reg, NONE),
                Location::Slot(slot) => Arg::Memory(vec![MemoryPart { base: Arg::Word(format!("slot {slot}")), scale: 1 }]),
                Location::Const(value) => Arg::Int(i128::from(value)),
                Location::SlotAddress(slot) => Arg::Word(format!("slot.{slot}")),
            });
        }
        self.pad_and_place(inst, row.pad.map(|pad| pad.raw()), row.place);
    }

    fn call(&self, inst: &mut Inst, op: Op, index: u32) {
        let Some(row) = self.function.calls.get(index as usize) else {
            inst.args.push(Arg::Int(i128::from(index)));
            return;
        };
        match row.callee {
            Some(Callee::Function(item)) => inst.args.push(Arg::Symbol(item.to_string())),
            Some(Callee::Runtime(call)) => inst.args.push(Arg::Word(call.name().to_owned())),
            Some(Callee::Slot(slot)) => {
                inst.args.push(Arg::Memory(vec![MemoryPart { base: Arg::Word(format!("slot {slot}")), scale: 1 }]));
            }
            None => {}
        }
        for &reg in self.function.regs.slice(row.args.start(), row.args.len()) {
            inst.args.push(self.reg(reg, NONE));
        }
        let results = self.function.regs.slice(row.results.start(), row.results.len());
        if self.is_select {
            inst.defs.extend(results.iter().map(|&reg| self.definition(reg)));
        } else if !results.is_empty() {
            let names = results.iter().map(|&reg| NAMES.get(reg as usize).copied().unwrap_or("none"));
            inst.facts.push(format!("results {}", names.collect::<Vec<_>>().join(" ")));
        }
        if row.clobbers != default_clobbers(op) {
            inst.facts.push(format!("clobbers {}", row.clobbers));
        }
        self.pad_and_place(inst, row.pad.map(|pad| pad.raw()), row.place);
    }

    fn pad_and_place(&self, inst: &mut Inst, pad: Option<u32>, place: PlaceId) {
        if let Some(number) = pad {
            inst.args.push(Arg::Block { number, args: Vec::new() });
        }
        let chain: Vec<_> = self
            .function
            .places
            .chain(place)
            .map(|place| ((place.item != self.function.name).then(|| place.item.to_string()), place.line, place.column))
            .collect();
        if !chain.is_empty() {
            inst.place = Some(PlaceText { chain });
        }
    }
}

/// What a call destroys unless the text says otherwise.
pub(super) const fn default_clobbers(op: Op) -> u32 {
    match op {
        Op::Return => 0,
        _ => CALLER_SAVED,
    }
}

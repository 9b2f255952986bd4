//! The generic tree of a dump to functions. Lenient: missing or dangling operands parse, and the verifier judges them.
//!
//! Error codes: `T0101` an operand of another kind is expected, `T0102` unknown op, `T0103` unknown word, `T0104` not this level or phase, `T0105` the
//! bracket after the name, `T0106` a number or register out of range.

use std::marker::PhantomData;

use abi::{PanicKind, RuntimeCall};
use ir::text::{Arg, Definition, Dump, Function as Tree, Inst, MemoryPart, PlaceText, TextError};
use ir::{Column, Id, ItemId, List, Place, PlaceId, Places, Pool, Symbol};

use super::print::default_clobbers;
use crate::finish::NEAR;
use crate::ir::StaticData;
use crate::ir::{
    Alloc, Block, BlockRow, CallRow, Callee, EDGE, Edge, Final, Function, Location, Phase, Record, Select, SlotKind, SlotRow, StubRow,
};
use crate::ops::{AuxKind, ImmKind, Op, Role, cc};
use crate::regs::{Class, FIRST_VIRTUAL, MAX_VIRTUAL, NAMES, NONE, Reg, RegSet, bit, class_of};

/// The functions of a dump.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Parsed {
    /// `machine.select`
    Select(Vec<Function<Select>>),
    /// `machine.alloc`
    Alloc(Vec<Function<Alloc>>),
    /// `machine.final`
    Final(Vec<Function<Final>>),
}

/// Reads a dump of any phase. No input makes it panic.
pub fn parse(text: &str) -> Result<Parsed, TextError> {
    let dump = ir::text::parse(text)?;
    if dump.level != "machine" {
        return Err(TextError::new(1, 1, "T0104", "this is no dump of level machine"));
    }
    match dump.phase.as_str() {
        "select" => all(&dump).map(Parsed::Select),
        "alloc" => all(&dump).map(Parsed::Alloc),
        "final" => all(&dump).map(Parsed::Final),
        _ => Err(TextError::new(1, 1, "T0104", "the phases of level machine are select, alloc and final")),
    }
}

fn all<P: Phase>(dump: &Dump) -> Result<Vec<Function<P>>, TextError> {
    dump.functions.iter().map(|tree| Reader::<P>::function(tree)).collect()
}

struct Reader<'a, P: Phase> {
    out: Function<P>,
    tree: &'a Tree,
    line: u32,
    has_virtuals: bool,
}

type Read<T> = Result<T, TextError>;

/// The operands not read yet.
struct Args<'a> {
    rest: &'a [Arg],
    defs: &'a [Definition],
}

impl<'a> Args<'a> {
    fn next(&mut self) -> Option<&'a Arg> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }
}

impl<'a, P: Phase> Reader<'a, P> {
    fn function(tree: &'a Tree) -> Read<Function<P>> {
        let name = ItemId::parse(&tree.name).ok_or_else(|| TextError::new(tree.line, 1, "T0103", "this is no name of an item"))?;
        let out = Function {
            name,
            params: Vec::new(),
            param_classes: Vec::new(),
            result_classes: Vec::new(),
            blocks: Column::new(),
            records: Vec::new(),
            classes: Vec::new(),
            edges: Vec::new(),
            calls: Vec::new(),
            stubs: Vec::new(),
            slots: Vec::new(),
            constants: Vec::new(),
            data: Vec::new(),
            functions: Vec::new(),
            regs: Pool::new(),
            locations: Pool::new(),
            places: Places::new(),
            saved: 0,
            virtuals: Vec::new(),
            origins: Vec::new(),
            phase: PhantomData,
        };
        let mut reader = Reader { out, tree, line: tree.line, has_virtuals: false };
        reader.header()?;
        let mut virtuals = Vec::new();
        for block in &tree.blocks {
            reader.line = block.line;
            let start = reader.out.records.len() as u32;
            let params = block.params.iter().map(|def| reader.definition(def)).collect::<Read<Vec<Reg>>>()?;
            for inst in &block.insts {
                reader.line = inst.line;
                let (record, behind) = reader.inst(inst)?;
                reader.out.records.push(record);
                virtuals.push(behind);
            }
            let params = reader.out.regs.add(params);
            let end = reader.out.records.len() as u32;
            reader.out.blocks.push(BlockRow { start, end, params, depth: 0, is_pad: false });
        }
        if reader.has_virtuals {
            reader.out.virtuals = virtuals;
        }
        reader.line = tree.line;
        reader.whole()?;
        Ok(reader.out)
    }

    fn error<T>(&self, code: &'static str, message: &str) -> Read<T> {
        Err(TextError::new(self.line, 1, code, message))
    }

    /// Parameters and results.
    fn header(&mut self) -> Read<()> {
        for def in &self.tree.params {
            let mut words = def.ty.split_whitespace();
            let class = self.class(words.next().unwrap_or(""))?;
            let reg = match words.next() {
                Some(register) => self.register(register.trim_start_matches('$'))?,
                None => self.definition(def)?,
            };
            self.out.params.push(reg);
            self.out.param_classes.push(class);
        }
        let results = self.tree.result.trim_matches(['(', ')']);
        for word in results.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let class = self.class(word)?;
            self.out.result_classes.push(class);
        }
        Ok(())
    }

    fn class(&self, word: &str) -> Read<Class> {
        match word {
            "gp" => Ok(Class::Gp),
            "xmm" => Ok(Class::Xmm),
            _ => self.error("T0103", "the classes are gp and xmm"),
        }
    }

    fn register(&self, name: &str) -> Read<Reg> {
        match NAMES.iter().position(|known| *known == name) {
            Some(at) => Ok(at as Reg),
            None if name == "none" => Ok(NONE),
            None => match name.strip_prefix('r').and_then(|number| number.parse().ok()) {
                Some(number) if (32..FIRST_VIRTUAL).contains(&number) => Ok(number),
                _ => self.error("T0103", "unknown register"),
            },
        }
    }

    fn virtual_reg(&mut self, value: u32, class: Class, is_definition: bool) -> Read<Reg> {
        let index = value as usize;
        if index >= MAX_VIRTUAL {
            return self.error("T0106", "too many virtual registers");
        }
        if is_definition {
            if self.out.classes.len() <= index {
                self.out.classes.resize(index + 1, Class::Gp);
            }
            self.out.classes[index] = class;
        }
        Ok(FIRST_VIRTUAL + index as Reg)
    }

    fn definition(&mut self, def: &Definition) -> Read<Reg> {
        // Without a class nothing is defined: a dangling number stays one.
        if def.ty.is_empty() {
            return self.virtual_reg(def.value, Class::Gp, false);
        }
        let class = self.class(def.ty.as_str())?;
        self.virtual_reg(def.value, class, true)
    }

    /// The items in brackets after the name.
    fn whole(&mut self) -> Read<()> {
        let tree = self.tree;
        for item in tree.generics.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let words: Vec<&str> = item.split_whitespace().collect();
            let number = |at: usize| words.get(at).and_then(|word| word.parse::<u32>().ok());
            let known = match words[0] {
                "saved" => {
                    self.out.saved = self.set(&words[1..])?;
                    true
                }
                "slot" => self.slot(&words[1..]),
                "pad" | "loop" => {
                    let block = number(1).map(|number| self.block(number));
                    let row = block.filter(|block| block.index() < self.out.blocks.len()).map(|block| &mut self.out.blocks[block]);
                    match (row, words[0], number(2)) {
                        (Some(row), "pad", _) => {
                            row.is_pad = true;
                            true
                        }
                        (Some(row), _, Some(depth)) => {
                            row.depth = depth.min(u32::from(u16::MAX)) as u16;
                            true
                        }
                        _ => false,
                    }
                }
                "origins" => {
                    let origin = |word: &&str| if *word == "edge" { Some(EDGE) } else { word.parse().ok() };
                    let origins: Option<Vec<u32>> = words[1..].iter().map(origin).collect();
                    self.out.origins = origins.unwrap_or_default();
                    !self.out.origins.is_empty()
                }
                _ => false,
            };
            if !known {
                return self.error("T0105", "expected saved, slot, pad, loop or origins in the bracket after the name");
            }
        }
        Ok(())
    }

    fn set(&self, names: &[&str]) -> Read<RegSet> {
        let mut set = 0;
        for name in names {
            let reg = self.register(name)?;
            set |= if reg < 32 { bit(reg) } else { 0 };
        }
        Ok(set)
    }

    /// `local 24 at -48`; false when it is not that.
    fn slot(&mut self, words: &[&str]) -> bool {
        let [kind, number, rest @ ..] = words else { return false };
        let Ok(number) = number.parse::<u32>() else { return false };
        let (kind, mut size) = match *kind {
            "local" => (SlotKind::Local, number),
            "spill" => (SlotKind::Spill, number),
            "incoming" => (SlotKind::Incoming(number), 8),
            "outgoing" => (SlotKind::Outgoing(number), 8),
            _ => return false,
        };
        let mut offset =
            if let SlotKind::Incoming(at) = kind { 16i32.saturating_add(8i32.saturating_mul(at.min(1 << 27) as i32)) } else { 0 };
        for pair in rest.chunks(2) {
            match *pair {
                ["at", number] => {
                    let Ok(number) = number.parse() else { return false };
                    offset = number;
                }
                ["size", number] => {
                    let Ok(number) = number.parse() else { return false };
                    size = number;
                }
                _ => return false,
            }
        }
        self.out.slots.push(SlotRow { size, kind, offset });
        true
    }

    /// The block with this label; one that does not exist when there is none.
    fn block(&self, number: u32) -> Block {
        let blocks = &self.tree.blocks;
        // In canonical text the numbers are the positions.
        if blocks.get(number as usize).is_some_and(|block| block.number == number) {
            return Id::new(number as usize);
        }
        match blocks.iter().position(|block| block.number == number) {
            Some(at) => Id::new(at),
            None => Id::new((number as usize).max(blocks.len())),
        }
    }

    /// A register operand, and the virtual one behind it.
    fn reg(&mut self, arg: Option<&Arg>) -> Read<(Reg, Reg)> {
        match arg {
            None => Ok((NONE, NONE)),
            Some(Arg::Word(word)) if word == "none" => Ok((NONE, NONE)),
            Some(Arg::Register(name)) => Ok((self.register(name)?, NONE)),
            Some(Arg::Value { value, place: None, .. }) => Ok((self.virtual_reg(*value, Class::Gp, false)?, NONE)),
            Some(Arg::Value { value, place: Some(place), .. }) => {
                let Arg::Register(name) = &**place else { return self.error("T0101", "expected a register after `:`") };
                let reg = self.register(name)?;
                self.has_virtuals = true;
                let class = if reg < 32 { class_of(reg) } else { Class::Gp };
                Ok((reg, self.virtual_reg(*value, class, true)?))
            }
            Some(_) => self.error("T0101", "expected a register"),
        }
    }

    fn inst(&mut self, inst: &Inst) -> Read<(Record, [Reg; 3])> {
        let Some(op) = Op::from_name(&inst.op) else { return self.error("T0102", "unknown op") };
        let info = op.info();
        let mut record = Record { op, a: NONE, b: NONE, c: NONE, imm: 0, aux: 0 };
        let mut behind = [NONE; 3];
        let mut args = Args { rest: &inst.args, defs: &inst.defs };
        if info.imm == ImmKind::Condition {
            record.imm = match args.next() {
                Some(Arg::Word(word)) => match cc::NAMES.iter().position(|name| name == word) {
                    Some(code) => code as i32,
                    None => return self.error("T0103", "unknown condition"),
                },
                Some(&Arg::Int(code)) => self.int32(code)?,
                Some(_) | None => return self.error("T0101", "expected a condition"),
            };
        }
        let mut regs = [NONE; 3];
        for (index, &role) in info.roles.iter().enumerate() {
            (regs[index], behind[index]) = match role {
                Role::No | Role::Base | Role::Index => continue,
                Role::Def(_) | Role::DefIn(_) if !args.defs.is_empty() => {
                    let defs = args.defs;
                    args.defs = &defs[1..];
                    (self.definition(&defs[0])?, NONE)
                }
                Role::Def(_) | Role::Use(_) | Role::Tied(_) | Role::DefIn(_) | Role::UseIn(_) => self.reg(args.next())?,
            };
        }
        [record.a, record.b, record.c] = regs;
        if info.roles[2] == Role::Index {
            let Some(Arg::Memory(parts)) = args.next() else { return self.error("T0101", "expected an address") };
            self.address(&mut record, &mut behind, parts)?;
        }
        self.auxiliary(&mut record, inst, &mut args)?;
        match info.imm {
            ImmKind::Value | ImmKind::Wide => {
                let Some(&Arg::Int(value)) = args.next() else { return self.error("T0101", "expected an integer") };
                if info.imm == ImmKind::Value {
                    record.imm = self.int32(value)?;
                } else {
                    let Ok(value) = i64::try_from(value) else { return self.error("T0106", "the integer is too large") };
                    (record.imm, record.aux) = (value as i32, (value >> 32) as u32);
                }
            }
            ImmKind::No | ImmKind::Displacement | ImmKind::Condition => {}
        }
        if !args.rest.is_empty() || !args.defs.is_empty() {
            return self.error("T0101", "the op has fewer operands");
        }
        // A call has read its own.
        if info.aux != AuxKind::Call {
            for fact in &inst.facts {
                match op {
                    Op::Jump | Op::JumpIf | Op::Stub if fact == "near" => record.imm |= NEAR,
                    _ => return self.error("T0103", "the only fact of an op is near, that of a branch"),
                }
            }
        }
        Ok((record, behind))
    }

    fn int32(&self, value: i128) -> Read<i32> {
        i32::try_from(value).or_else(|_| self.error("T0106", "the integer does not fit into 32 bits"))
    }

    /// `[%1 + %2*8 + 16]`
    fn address(&mut self, record: &mut Record, behind: &mut [Reg; 3], parts: &[MemoryPart]) -> Read<()> {
        record.aux = 1;
        let mut wants_base = record.op.info().roles[1] == Role::Base;
        for part in parts {
            if let Arg::Int(value) = part.base {
                record.imm = self.int32(value)?;
                continue;
            }
            let (reg, virt) = self.reg(Some(&part.base))?;
            if wants_base {
                (record.b, behind[1]) = (reg, virt);
                wants_base = false;
            } else {
                (record.c, behind[2]) = (reg, virt);
                record.aux = u32::from(part.scale);
            }
        }
        Ok(())
    }

    /// What `aux` names.
    fn auxiliary(&mut self, record: &mut Record, inst: &Inst, args: &mut Args<'_>) -> Read<()> {
        let info = record.op.info();
        if matches!(info.aux, AuxKind::No | AuxKind::Scale | AuxKind::Value) {
            return Ok(());
        }
        // A row that does not exist is written as its number.
        if let (Some(Arg::Int(row)), false) = (args.rest.first(), info.aux == AuxKind::Slot)
            && !(info.aux == AuxKind::Call && record.op == Op::Return)
        {
            let Ok(row) = u32::try_from(*row) else { return self.error("T0106", "no table has so many rows") };
            record.aux = row.max(1 << 24);
            args.next();
            return Ok(());
        }
        match info.aux {
            AuxKind::No | AuxKind::Scale | AuxKind::Value => {}
            AuxKind::Slot => {
                let Some(Arg::Memory(parts)) = args.next() else { return self.error("T0101", "expected a slot") };
                for part in parts {
                    match &part.base {
                        Arg::Word(word) => record.aux = self.slot_number(word, "slot ")?,
                        Arg::Int(disp) if info.imm == ImmKind::Displacement => record.imm = self.int32(*disp)?,
                        _ => return self.error("T0101", "expected `[slot N + displacement]`"),
                    }
                }
            }
            AuxKind::Constant => {
                let mut words = [0; 2];
                let mut count = 0;
                while let (Some(&Arg::Bits(word)), true) = (args.rest.first(), count < 2) {
                    words[count] = word;
                    count += 1;
                    args.next();
                }
                if count == 0 {
                    return self.error("T0101", "expected the bits of a constant");
                }
                record.aux = row_of(&mut self.out.constants, words);
            }
            AuxKind::Data => {
                let data = match args.next() {
                    Some(Arg::Str(text)) => StaticData::Text(Symbol::new(text)),
                    Some(Arg::Word(word)) if word == "static" => self.sections(args)?,
                    Some(_) | None => return self.error("T0101", "expected a text"),
                };
                record.aux = row_of(&mut self.out.data, data);
            }
            AuxKind::Function => {
                let Some(Arg::Symbol(name)) = args.next() else { return self.error("T0101", "expected a function") };
                let Some(item) = ItemId::parse(name) else { return self.error("T0103", "this is no name of an item") };
                record.aux = row_of(&mut self.out.functions, item);
            }
            AuxKind::Edge => {
                let Some(Arg::Block { number, args: inner }) = args.next() else { return self.error("T0101", "expected a block") };
                let list = self.list(inner)?;
                let to = self.block(*number);
                self.out.edges.push(Edge { to, args: list });
                record.aux = self.out.edges.len() as u32 - 1;
            }
            AuxKind::Stub => self.stub(record, inst, args)?,
            AuxKind::Call => self.call(record, inst, args)?,
        }
        Ok(())
    }

    fn slot_number(&self, word: &str, prefix: &str) -> Read<u32> {
        match word.strip_prefix(prefix).and_then(|number| number.parse().ok()) {
            Some(number) => Ok(number),
            None => self.error("T0101", "expected the number of a slot"),
        }
    }

    fn list(&mut self, args: &[Arg]) -> Read<List<Reg>> {
        let regs = args.iter().map(|arg| self.reg(Some(arg)).map(|(reg, _)| reg)).collect::<Read<Vec<Reg>>>()?;
        Ok(self.out.regs.add(regs))
    }

    fn pad(&self, args: &mut Args<'_>) -> Option<Block> {
        let (Arg::Block { number, .. }, rest) = args.rest.split_last()? else { return None };
        args.rest = rest;
        Some(self.block(*number))
    }

    /// The text behind `static`.
    fn sections(&mut self, args: &mut Args<'_>) -> Read<StaticData> {
        match args.next() {
            Some(Arg::Str(text)) => Ok(StaticData::Sections(Symbol::new(text))),
            Some(_) | None => self.error("T0101", "expected a text"),
        }
    }

    fn stub(&mut self, record: &mut Record, inst: &Inst, args: &mut Args<'_>) -> Read<()> {
        let kind = match args.next() {
            Some(Arg::Word(word)) => PanicKind::from_name(word),
            Some(_) | None => None,
        };
        let Some(kind) = kind else { return self.error("T0103", "expected the name of a panic kind") };
        let pad = self.pad(args);
        let mut locations = Vec::new();
        while let Some(arg) = args.next() {
            locations.push(match arg {
                &Arg::Int(value) => match i64::try_from(value) {
                    Ok(value) => Location::Const(value),
                    Err(_) => return self.error("T0106", "the integer is too large"),
                },
                Arg::Str(text) => Location::Data(row_of(&mut self.out.data, StaticData::Text(Symbol::new(text)))),
                Arg::Word(word) if word == "static" => {
                    let data = self.sections(args)?;
                    Location::Data(row_of(&mut self.out.data, data))
                }
                Arg::Word(word) if word != "none" => Location::SlotAddress(self.slot_number(word, "slot.")?),
                Arg::Memory(parts) => match &parts[..] {
                    [MemoryPart { base: Arg::Word(word), .. }] => Location::Slot(self.slot_number(word, "slot ")?),
                    _ => return self.error("T0101", "expected `[slot N]`"),
                },
                arg => Location::Reg(self.reg(Some(arg))?.0),
            });
        }
        let args = self.out.locations.add(locations);
        let place = self.place(inst.place.as_ref())?;
        self.out.stubs.push(StubRow { kind, args, place, pad });
        record.aux = self.out.stubs.len() as u32 - 1;
        Ok(())
    }

    fn call(&mut self, record: &mut Record, inst: &Inst, args: &mut Args<'_>) -> Read<()> {
        let callee = match args.rest.first() {
            Some(Arg::Symbol(name)) => match ItemId::parse(name) {
                Some(item) => Some(Callee::Function(item)),
                None => return self.error("T0103", "this is no name of an item"),
            },
            Some(Arg::Word(word)) if word != "none" => match RuntimeCall::from_name(word) {
                Some(call) => Some(Callee::Runtime(call)),
                None => return self.error("T0103", "unknown runtime call"),
            },
            Some(Arg::Memory(parts)) => match &parts[..] {
                [MemoryPart { base: Arg::Word(word), .. }] => Some(Callee::Slot(self.slot_number(word, "slot ")?)),
                _ => return self.error("T0101", "expected `[slot N]`"),
            },
            Some(_) | None => None,
        };
        if callee.is_some() {
            args.next();
        }
        let pad = self.pad(args);
        let list = self.list(args.rest)?;
        args.rest = &[];
        let mut results = args.defs.iter().map(|def| self.definition(def)).collect::<Read<Vec<Reg>>>()?;
        args.defs = &[];
        let mut clobbers = default_clobbers(record.op);
        for fact in &inst.facts {
            match fact.split_once(' ') {
                Some(("results", names)) => {
                    for name in names.split_whitespace() {
                        results.push(self.register(name)?);
                    }
                }
                Some(("clobbers", number)) => match number.parse() {
                    Ok(number) => clobbers = number,
                    Err(_) => return self.error("T0106", "expected a set of registers as a number"),
                },
                Some(_) | None => return self.error("T0103", "the facts of a call are results and clobbers"),
            }
        }
        let results = self.out.regs.add(results);
        let place = self.place(inst.place.as_ref())?;
        self.out.calls.push(CallRow { callee, args: list, results, clobbers, place, pad });
        record.aux = self.out.calls.len() as u32 - 1;
        Ok(())
    }

    fn place(&mut self, text: Option<&PlaceText>) -> Read<PlaceId> {
        let mut id = PlaceId::NONE;
        for (item, line, column) in text.iter().flat_map(|text| text.chain.iter().rev()) {
            let item = match item {
                None => self.out.name,
                Some(name) => match ItemId::parse(name) {
                    Some(item) => item,
                    None => return self.error("T0103", "this is no name of an item"),
                },
            };
            id = self.out.places.add(Place { item, line: *line, column: *column, inlined_at: id });
        }
        Ok(id)
    }
}

/// The row with this value, which is added when there is none. Few rows are alive in one function, so the last ones are looked at.
fn row_of<T: PartialEq>(rows: &mut Vec<T>, value: T) -> u32 {
    let first = rows.len().saturating_sub(32);
    if let Some(at) = rows[first..].iter().position(|row| *row == value) {
        return (first + at) as u32;
    }
    rows.push(value);
    rows.len() as u32 - 1
}

//! The generic tree of a function to a graph.
//!
//! Ids are the numbers of the text when these are dense in print order, as canonical text has them. Otherwise definitions are numbered in
//! the order of the text. A name without definition gets an id past the end of its column, and a value defined again keeps the id of its
//! first definition: both are the verifier's to judge. Refused here is only what a graph cannot say. Error codes: `T0101` unknown op,
//! `T0102` an operand that the op cannot have, `T0103` missing or second immediate, `T0104` unknown type, `T0105` unfit definition,
//! `T0106` unknown fact, `T0107` misplaced parameters, `T0108` too many of something, `T0109` unfit `own` or `ref`, `T0110` unfit name.

use hashbrown::HashMap;

use super::{BEHIND, GHOST, LOCAL, NAME, Plain, SEES, Spot};
use crate::ops::{CASES, Imm, OpTable};
use crate::ssa::names::LocalRow;
use crate::ssa::{Block, Def, ENTRY, EdgeRow, Graph, Inst, InstRow, Level, Target, Value, ValueRow};
use crate::text::{self, Arg, Definition, PlaceText, TextError};
use crate::{Id, ItemId, List, Place, PlaceId, Symbol};

/// What a level adds to reading. The defaults know types without context, and neither modes nor facts besides flags.
pub trait Reading<L: Level> {
    /// The type of a definition with this text and mode.
    fn ty(&mut self, text: &str, _mode: Option<&str>) -> Option<L::Type> {
        L::parse_type(text)
    }

    /// The result types of a function: one type, or several in parentheses, each with its mode. A comma behind the last of several says that they
    /// are not one type, where there is a type of that text.
    fn results(&mut self, text: &str) -> Option<Vec<L::Type>> {
        let text = text.trim();
        let inner = match several(text) {
            Some(inner) => inner,
            None => {
                if let Some(ty) = L::parse_type(text) {
                    return Some(vec![ty]);
                }
                text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(text)
            }
        };
        let mut types = Vec::new();
        for (index, part) in split_list(inner).into_iter().enumerate() {
            let (mode, part) = split_mode(part);
            if let Some(mode) = mode
                && !self.mode(Spot::Result(index as u32), mode)
            {
                return None;
            }
            types.push(self.ty(part, mode)?);
        }
        Some(types)
    }

    /// Takes note of a written `own` or `ref`; false refuses it.
    fn mode(&mut self, _spot: Spot, _mode: &str) -> bool {
        false
    }

    /// Takes note of a fact that is no flag; false refuses it.
    fn fact(&mut self, _inst: Inst, _fact: &str) -> bool {
        false
    }

    /// Takes note of what stands in brackets after the function's name, before anything else is read; false refuses it.
    fn generics(&mut self, _text: &str) -> bool {
        false
    }
}

/// Splits at the commas outside brackets and trims; nothing for an empty text.
pub fn split_list(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0i64;
    let mut start = 0;
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b')' | b']' | b'}' | b'>' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() || !parts.is_empty() {
        parts.push(last);
    }
    parts
}

/// What stands in parentheses that end in a comma: `(int, int,)` → `int, int`.
fn several(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?.trim_end().strip_suffix(',')?;
    // The parentheses are one pair, not the first and the last of two.
    let mut depth = 0i64;
    let is_pair = inner.bytes().all(|byte| {
        depth += i64::from(byte == b'(') - i64::from(byte == b')');
        depth >= 0
    });
    is_pair.then_some(inner)
}

/// `own str` → `own` and `str`.
pub fn split_mode(text: &str) -> (Option<&str>, &str) {
    for mode in ["own", "ref"] {
        if let Some(rest) = text.strip_prefix(mode)
            && rest.starts_with(' ')
        {
            return (Some(mode), rest.trim_start());
        }
    }
    (None, text)
}

/// A function whose text uses nothing beyond the op table.
pub fn parse_plain<L: Level>(function: &text::Function) -> Result<Graph<L>, TextError> {
    parse_function(function, &mut Plain)
}

/// Turns a parsed function into a graph.
pub fn parse_function<L: Level>(function: &text::Function, reading: &mut impl Reading<L>) -> Result<Graph<L>, TextError> {
    let error = |code, message: &str| TextError::new(function.line, 1, code, message);
    let name = ItemId::parse(&function.name).ok_or_else(|| error("T0110", "this is no name of an item"))?;
    if !function.generics.is_empty() && !reading.generics(&function.generics) {
        return Err(error("T0110", "no generics are understood here"));
    }
    let Some(results) = reading.results(&function.result) else {
        return Err(error("T0104", &format!("`{}` is no result type here", function.result)));
    };
    let values = Numbers::of_values(function);
    let blocks = Numbers::of_blocks(function)?;
    let mut builder = Builder { graph: Graph::new(name, results), reading, values, blocks, types: HashMap::new(), scratch: Vec::new() };
    for _ in &function.blocks {
        builder.graph.add_block();
    }
    for (index, block) in function.blocks.iter().enumerate() {
        let id: Block = Id::new(index);
        if id == ENTRY {
            if !block.params.is_empty() {
                return Err(TextError::new(block.line, 1, "T0107", "the parameters of the first block stand in the `fn` line"));
            }
            builder.params(id, &function.params, function.line)?;
        } else {
            builder.params(id, &block.params, block.line)?;
        }
        for inst in &block.insts {
            builder.inst(id, inst)?;
        }
    }
    Ok(builder.graph)
}

/// From numbers of the text to ids.
enum Numbers {
    /// Number and id are the same.
    Same,
    /// The id of each number that is defined, and how many ids there are.
    Mapped(HashMap<u32, u32>, u32),
}

impl Numbers {
    fn id(&self, number: u32) -> usize {
        match self {
            Numbers::Same => number as usize,
            Numbers::Mapped(ids, count) => match ids.get(&number) {
                Some(&id) => id as usize,
                None => count.saturating_add(number).min(u32::MAX - 1) as usize,
            },
        }
    }

    /// Is the number defined with an id below `known`, so that this definition is its second?
    fn is_again(&self, number: u32, known: usize) -> bool {
        self.id(number) < known
    }

    fn collect(numbers: impl Iterator<Item = u32> + Clone) -> Numbers {
        // Dense in order of first definition; a second definition does not disturb the numbers.
        let mut next = 0;
        let dense = numbers.clone().all(|number| {
            let first = number == next;
            next += u32::from(first);
            first || number < next
        });
        if dense {
            return Numbers::Same;
        }
        let mut ids = HashMap::new();
        for number in numbers {
            let next = ids.len() as u32;
            ids.entry(number).or_insert(next);
        }
        let count = ids.len() as u32;
        Numbers::Mapped(ids, count)
    }

    fn of_values(function: &text::Function) -> Numbers {
        let defs = function
            .params
            .iter()
            .chain(function.blocks.iter().flat_map(|b| b.params.iter().chain(b.insts.iter().flat_map(|i| i.defs.iter()))));
        Numbers::collect(defs.map(|def| def.value))
    }

    fn of_blocks(function: &text::Function) -> Result<Numbers, TextError> {
        let numbers = Numbers::collect(function.blocks.iter().map(|b| b.number));
        for (index, block) in function.blocks.iter().enumerate() {
            if block.number == text::Block::UNNAMED {
                return Err(TextError::new(block.line, 1, "T0105", "the function does not start with a block"));
            }
            if numbers.is_again(block.number, index) {
                return Err(TextError::new(block.line, 1, "T0105", "a block of this number exists already"));
            }
        }
        Ok(numbers)
    }
}

struct Builder<'a, L: Level, R> {
    graph: Graph<L>,
    reading: &'a mut R,
    values: Numbers,
    blocks: Numbers,
    types: HashMap<(Option<&'a str>, &'a str), L::Type>,
    scratch: Vec<Value>,
}

/// What the parts of an instruction amount to.
struct Parts<'a> {
    imm: Option<u64>,
    cases: Vec<i64>,
    blocks: Vec<(u32, &'a [Arg])>,
}

impl<'a, L: Level, R: Reading<L>> Builder<'a, L, R> {
    fn value(&self, number: u32) -> Value {
        Id::new(self.values.id(number))
    }

    fn ty(&mut self, def: &'a Definition, line: u32) -> Result<L::Type, TextError> {
        let key = (def.mode.as_deref(), def.ty.as_str());
        if let Some(&ty) = self.types.get(&key) {
            return Ok(ty);
        }
        match self.reading.ty(key.1, key.0) {
            Some(ty) => {
                self.types.insert(key, ty);
                Ok(ty)
            }
            None => Err(TextError::new(line, 1, "T0104", &format!("`{}` is no type here", def.ty))),
        }
    }

    fn mode(&mut self, spot: Spot, mode: Option<&str>, line: u32) -> Result<(), TextError> {
        match mode {
            Some(mode) if !self.reading.mode(spot, mode) => Err(TextError::new(line, 1, "T0109", &format!("`{mode}` cannot stand here"))),
            Some(_) | None => Ok(()),
        }
    }

    fn params(&mut self, block: Block, defs: &'a [Definition], line: u32) -> Result<(), TextError> {
        for def in defs {
            let ty = self.ty(def, line)?;
            let value = self.value(def.value);
            if self.values.is_again(def.value, self.graph.values.len()) {
                self.graph.blocks[block].params.push(value);
            } else {
                self.graph.add_param(block, ty);
                self.mode(Spot::Def(value), def.mode.as_deref(), line)?;
            }
        }
        Ok(())
    }

    fn inst(&mut self, block: Block, text: &'a text::Inst) -> Result<(), TextError> {
        let line = text.line;
        let error = |code, message: &str| TextError::new(line, 1, code, message);
        if text.op == LOCAL || text.op == NAME {
            return self.names(text).unwrap_or_else(|| Err(error("T0102", &format!("this is no {}", text.op))));
        }
        let Some(op) = L::Op::from_name(&text.op) else { return Err(error("T0101", &format!("there is no op `{}`", text.op))) };
        let info = op.info();
        if !text.regions.is_empty() {
            return Err(error("T0102", "this level has no regions"));
        }
        let id = self.graph.insts.next_id();
        let mut parts = Parts { imm: None, cases: Vec::new(), blocks: Vec::new() };
        self.scratch.clear();
        for arg in &text.args {
            self.operand(id, op, arg, &mut parts, line)?;
        }
        let args = self.graph.args.add(self.scratch.iter().copied());
        let wanted = if info.targets == CASES { parts.cases.len() + 1 } else { info.targets as usize };
        let imm = match info.imm {
            Imm::None => 0,
            Imm::Cases => self.graph.add_cases(parts.cases),
            Imm::Int | Imm::Bits | Imm::Str | Imm::Item | Imm::Word => match parts.imm {
                Some(imm) => imm,
                None => return Err(error("T0103", &format!("`{}` lacks its immediate", text.op))),
            },
        };
        let (targets, unwind) = self.edges(id, wanted, &parts.blocks, line)?;
        let mut flags = 0;
        let mut is_ghost = false;
        for fact in &text.facts {
            match flag_bit::<L>(fact) {
                Some(bit) => flags |= 1 << bit,
                None if fact == GHOST => is_ghost = true,
                None if let Some(name) = numbered(fact, SEES) => self.graph.names.get_or_insert_default().set(id, Some(Id::new(name))),
                None if self.reading.fact(id, fact) => {}
                None => return Err(error("T0106", &format!("`{fact}` is no fact here"))),
            }
        }
        let place = match &text.place {
            Some(place) => self.place(place, line)?,
            None => PlaceId::NONE,
        };
        let (first_result, results) = self.results(id, &text.defs, line)?;
        self.graph.insts.push(InstRow { op, results, flags, first_result, args, imm });
        self.graph.edges.push(EdgeRow { targets, unwind, place });
        match is_ghost {
            true => self.graph.names.get_or_insert_default().ghosts.push(id),
            false => self.graph.blocks[block].insts.push(id),
        }
        Ok(())
    }

    /// Takes a local or a row; `None` when it is none.
    fn names(&mut self, text: &text::Inst) -> Option<Result<(), TextError>> {
        let number = |arg: &Arg| match arg {
            Arg::Int(number) => u32::try_from(*number).ok(),
            _ => None,
        };
        if text.op == LOCAL {
            let [Arg::Str(name), Arg::Str(ty), param] = &text.args[..] else { return None };
            let param = number(param)?;
            let place = match &text.place {
                None => PlaceId::NONE,
                Some(place) => match self.place(place, text.line) {
                    Ok(place) => place,
                    Err(error) => return Some(Err(error)),
                },
            };
            let row = LocalRow { name: Symbol::new(name), ty: Symbol::new(ty), param, place };
            self.graph.names.get_or_insert_default().locals.push(row);
            return Some(Ok(()));
        }
        let (local, part, value) = match &text.args[..] {
            [local, part] => (number(local)?, number(part)?, None),
            [local, part, Arg::Value { mode: None, value, place: None }] => (number(local)?, number(part)?, Some(self.value(*value))),
            _ => return None,
        };
        let before = match &text.facts[..] {
            [] => None,
            [fact] => Some(Id::new(numbered(fact, BEHIND)?)),
            _ => return None,
        };
        self.graph.names.get_or_insert_default().add(before, Id::new(local as usize), part, value);
        Some(Ok(()))
    }

    /// Takes one written operand; values go to `self.scratch`.
    fn operand(&mut self, id: Inst, op: L::Op, arg: &'a Arg, parts: &mut Parts<'a>, line: u32) -> Result<(), TextError> {
        let unfit = |what: &str| Err(TextError::new(line, 1, "T0102", &format!("`{}` takes no {what}", op.info().name)));
        let imm = op.info().imm;
        let word = match arg {
            Arg::Value { mode, value, place: None } => {
                self.mode(Spot::Use(id, self.scratch.len() as u32), mode.as_deref(), line)?;
                self.scratch.push(self.value(*value));
                return Ok(());
            }
            Arg::Block { number, args } => {
                parts.blocks.push((*number, args));
                return Ok(());
            }
            Arg::Int(n) if imm == Imm::Int || imm == Imm::Cases => {
                let Ok(n) = i64::try_from(*n) else {
                    return Err(TextError::new(line, 1, "T0102", "the integer does not fit 64 bits"));
                };
                if imm == Imm::Cases {
                    parts.cases.push(n);
                    return Ok(());
                }
                n as u64
            }
            Arg::Bits(bits) if imm == Imm::Bits => *bits,
            Arg::Str(text) if imm == Imm::Str => u64::from(Symbol::new(text).raw()),
            Arg::Symbol(name) if imm == Imm::Item => match ItemId::parse(name) {
                Some(item) => u64::from(item.raw()),
                None => return Err(TextError::new(line, 1, "T0110", "this is no name of an item")),
            },
            Arg::Word(text) | Arg::Str(text) if imm == Imm::Word => match L::parse_word(op, text) {
                Some(word) => word,
                None => return unfit(&format!("word `{text}`")),
            },
            Arg::Int(_) => return unfit("integer"),
            Arg::Bits(_) => return unfit("bits"),
            Arg::Str(_) => return unfit("string"),
            Arg::Symbol(_) => return unfit("item"),
            Arg::Word(_) => return unfit("word"),
            Arg::Register(_) => return unfit("register"),
            Arg::Memory(_) => return unfit("memory operand"),
            Arg::Value { place: Some(_), .. } => return unfit("value with a place"),
        };
        if parts.imm.replace(word).is_some() {
            return Err(TextError::new(line, 1, "T0103", "a second immediate"));
        }
        Ok(())
    }

    /// Splits the written blocks into targets and the unwind block: beyond the targets that the op has, a last block without arguments is
    /// where a panic goes.
    fn edges(
        &mut self,
        id: Inst,
        wanted: usize,
        blocks: &[(u32, &'a [Arg])],
        line: u32,
    ) -> Result<(List<Target>, Option<Block>), TextError> {
        if blocks.is_empty() {
            return Ok((List::EMPTY, None));
        }
        let mut rows = blocks;
        let mut unwind = None;
        if blocks.len() > wanted
            && let Some((&(number, []), before)) = blocks.split_last()
        {
            unwind = Some(Id::new(self.blocks.id(number)));
            rows = before;
        }
        let mut list = Vec::with_capacity(rows.len());
        for (index, &(number, written)) in rows.iter().enumerate() {
            let mut args = Vec::with_capacity(written.len());
            for (at, arg) in written.iter().enumerate() {
                let Arg::Value { mode, value, place: None } = arg else {
                    return Err(TextError::new(line, 1, "T0102", "a block takes values only"));
                };
                self.mode(Spot::TargetUse(id, index as u32, at as u32), mode.as_deref(), line)?;
                args.push(self.value(*value));
            }
            list.push(Target { block: Id::new(self.blocks.id(number)), args: self.graph.args.add(args) });
        }
        Ok((self.graph.targets.add(list), unwind))
    }

    fn place(&mut self, text: &PlaceText, line: u32) -> Result<PlaceId, TextError> {
        let mut id = PlaceId::NONE;
        for (item, row, column) in text.chain.iter().rev() {
            let item = match item {
                None => self.graph.name,
                Some(name) => ItemId::parse(name).ok_or_else(|| TextError::new(line, 1, "T0110", "this is no name of an item"))?,
            };
            id = self.graph.places.add(Place { item, line: *row, column: *column, inlined_at: id });
        }
        Ok(id)
    }

    fn results(&mut self, inst: Inst, defs: &'a [Definition], line: u32) -> Result<(Value, u8), TextError> {
        let Ok(count) = u8::try_from(defs.len()) else { return Err(TextError::new(line, 1, "T0108", "more than 255 results")) };
        let known = self.graph.values.len();
        let again = defs.iter().filter(|def| self.values.is_again(def.value, known)).count();
        if again > 0 {
            // A graph can say that an instruction defines the very values that another one defines, and nothing in between.
            let first = self.value(defs[0].value);
            let in_order = defs.iter().enumerate().all(|(index, def)| self.value(def.value).index() == first.index() + index);
            if again < defs.len() || !in_order {
                return Err(TextError::new(line, 1, "T0105", "some of these values are defined already"));
            }
            return Ok((first, count));
        }
        for (index, def) in defs.iter().enumerate() {
            let ty = self.ty(def, line)?;
            let value = self.graph.values.push(ValueRow { ty, def: Def::Result(inst, index as u32) });
            if value != self.value(def.value) {
                return Err(TextError::new(line, 1, "T0105", "a value is defined twice on this line"));
            }
            self.mode(Spot::Def(value), def.mode.as_deref(), line)?;
        }
        Ok((Id::new(known), count))
    }
}

/// The number behind this word.
fn numbered(fact: &str, word: &str) -> Option<usize> {
    fact.strip_prefix(word)?.parse::<u32>().ok().filter(|&number| number < u32::MAX).map(|number| number as usize)
}

/// The bit of a flag; `flag9` is bit 9 when the level does not name it.
fn flag_bit<L: Level>(fact: &str) -> Option<u32> {
    if let Some(bit) = L::FLAGS.iter().position(|name| *name == fact) {
        return Some(bit as u32);
    }
    let bit: u32 = fact.strip_prefix("flag")?.parse().ok()?;
    (bit < u16::BITS && bit as usize >= L::FLAGS.len()).then_some(bit)
}

/// Where the parameters begin: behind the name and its type arguments.
pub fn parenthesis(text: &str) -> Option<usize> {
    let mut depth = 0i32;
    text.bytes().enumerate().find_map(|(i, byte)| {
        match byte {
            b'<' => depth += 1,
            b'>' if i > 0 && text.as_bytes()[i - 1] != b'-' => depth -= 1,
            b'(' if depth == 0 => return Some(i),
            _ => {}
        }
        None
    })
}

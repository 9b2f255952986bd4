//! Frames and the loop.

use std::rc::Rc;

use hashbrown::HashMap;
use ir::{ItemId, Stop};

use super::calls::Given;
use super::code::{Code, HEAP, Insn, Run, Slot};
use super::exchange::Way;
use super::ghost::Ghosts;
use super::hole::Unfilled;
use super::indirect::object_of;
use super::list::Elements;
use super::value::{Cell, Heap, Parts};
use super::{Limit, Limits, Output, Position, Positions};
use crate::ir::{Body, Context, Owned};

/// How the entry function ended.
pub(super) enum End {
    Returned(Cell),
    Panicked { message: String, report: String },
}

/// Why a run was given up.
pub(super) enum Halt {
    Stop(Stop),
    Broken(String),
    Limit(Limit),
    StackOverflow,
    OutputClosed,
    /// A constant wanted to write.
    Effect,
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Halt {
        Halt::Stop(stop)
    }
}

/// A step of the machine; the error ends the run.
pub(super) type Step<T> = Result<T, Halt>;

/// A function, decoded when first called.
struct Function {
    item: ItemId,
    code: Option<Rc<Code>>,
}

pub(super) struct Frame {
    pub(super) code: Rc<Code>,
    /// Valid while another frame is above, and while unwinding.
    pub(super) pc: usize,
    words: usize,
    heaps: usize,
    /// Where the caller wants the result.
    dest: Slot,
}

pub(super) struct Machine<'a> {
    cx: &'a dyn Context,
    /// Positions and output; constants have neither.
    pub(super) world: Option<(&'a dyn Positions, &'a mut dyn Output)>,
    pub(super) limits: Limits,
    functions: Vec<Function>,
    numbers: HashMap<ItemId, u32>,
    pub(super) frames: Vec<Frame>,
    pub(super) words: Vec<u64>,
    pub(super) heaps: Vec<Heap>,
    stack_used: u64,
    bytes_left: u64,
    pub(super) positions: HashMap<ItemId, Rc<Position>>,
    pub(super) ghosts: Ghosts,
    /// Message and report of the panic that unwinds.
    pub(super) panic: Option<(String, String)>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(cx: &'a dyn Context, world: Option<(&'a dyn Positions, &'a mut dyn Output)>, limits: Limits) -> Self {
        Machine {
            cx,
            world,
            limits,
            functions: Vec::new(),
            numbers: HashMap::new(),
            frames: Vec::new(),
            words: Vec::new(),
            heaps: Vec::new(),
            stack_used: 0,
            bytes_left: limits.bytes,
            positions: HashMap::new(),
            ghosts: Ghosts::default(),
            panic: None,
        }
    }

    /// The number of a function, decoded.
    pub(super) fn load(&mut self, item: ItemId) -> Step<u32> {
        let number = number_of(&mut self.functions, &mut self.numbers, item);
        self.code(number)?;
        Ok(number)
    }

    /// Adds a body that is not asked for by name.
    pub(super) fn add(&mut self, body: &Body<Owned>) -> Step<u32> {
        let number = number_of(&mut self.functions, &mut self.numbers, body.name);
        self.decode(number, body)?;
        Ok(number)
    }

    pub(super) fn code(&mut self, number: u32) -> Step<Rc<Code>> {
        let function = &self.functions[number as usize];
        if let Some(code) = &function.code {
            return Ok(code.clone());
        }
        let item = function.item;
        let Some(body) = self.cx.owned(item)? else { return Err(Halt::Broken(format!("@{item} has no body"))) };
        self.decode(number, &body)
    }

    fn decode(&mut self, number: u32, body: &Body<Owned>) -> Step<Rc<Code>> {
        // In debug builds every type is checked against the op table before anything runs; later the slots carry no types.
        if cfg!(debug_assertions)
            && let Some(fault) = crate::verify::verify(body, self.cx)?.first()
        {
            return Err(Halt::Broken(format!("@{}: {fault:?}", body.name)));
        }
        let contract = self.cx.contract(body.name)?;
        let (functions, numbers) = (&mut self.functions, &mut self.numbers);
        let code = super::decode::decode(body, contract, |item| number_of(functions, numbers, item)).map_err(Halt::Broken)?;
        let code = Rc::new(code);
        self.functions[number as usize].code = Some(code.clone());
        Ok(code)
    }

    /// Does the function have a parameter?
    pub(super) fn takes_arguments(&self, number: u32) -> bool {
        self.functions[number as usize].code.as_ref().is_some_and(|code| !code.params.is_empty())
    }

    /// Is there room for a value of this size? To be asked before it is made.
    pub(super) fn afford(&self, bytes: usize) -> Step<()> {
        if bytes as u64 <= self.bytes_left { Ok(()) } else { Err(Halt::Limit(Limit::Bytes)) }
    }

    /// Counts memory that a value takes.
    pub(super) fn pay(&mut self, bytes: usize) -> Step<()> {
        match self.bytes_left.checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes_left = left;
                Ok(())
            }
            None => Err(Halt::Limit(Limit::Bytes)),
        }
    }

    /// Makes a frame on top; parameters are still to be written.
    pub(super) fn push(&mut self, code: Rc<Code>, dest: Slot) -> Step<()> {
        if self.frames.len() as u64 >= self.limits.depth {
            return Err(Halt::Limit(Limit::Depth));
        }
        let used = self.stack_used + code.frame_cost();
        if used > self.limits.stack {
            return Err(Halt::StackOverflow);
        }
        self.stack_used = used;
        let (words, heaps) = (self.words.len(), self.heaps.len());
        self.words.extend_from_slice(&code.template);
        self.heaps.resize(heaps + code.heaps as usize, Heap::Empty);
        self.frames.push(Frame { code, pc: 0, words, heaps, dest });
        Ok(())
    }

    /// Removes the top frame; gives where its result goes.
    pub(super) fn pop(&mut self) -> Option<Slot> {
        let frame = self.frames.pop()?;
        self.stack_used -= frame.code.frame_cost();
        self.words.truncate(frame.words);
        self.heaps.truncate(frame.heaps);
        Some(frame.dest)
    }

    /// Runs a function to its end.
    pub(super) fn run(&mut self, number: u32, arg: Option<Cell>) -> Step<End> {
        let mut code = self.code(number)?;
        if code.params.len() != usize::from(arg.is_some()) {
            return Err(Halt::Broken(format!("@{} takes other arguments", code.item)));
        }
        self.push(code.clone(), 0)?;
        if let (Some(cell), Some(&param)) = (arg, code.params.first()) {
            match cell {
                Cell::Word(word) if param & HEAP == 0 => self.words[param as usize] = word,
                Cell::Heap(heap) if param & HEAP != 0 => self.heaps[(param & !HEAP) as usize] = heap,
                Cell::Word(_) | Cell::Heap(_) => return Err(Halt::Broken(format!("@{} takes other arguments", code.item))),
            }
        }
        if let Some(given) = code.params.first().map(|param| self.cell(0, 0, *param)) {
            self.given(&given, &code);
        }
        let mut steps = self.limits.steps;
        let (mut pc, mut wb, mut hb) = (0usize, 0usize, 0usize);
        macro_rules! word {
            ($slot:expr) => {
                self.words[wb + $slot as usize]
            };
        }
        macro_rules! heap {
            ($slot:expr) => {
                self.heaps[hb + $slot as usize]
            };
        }
        macro_rules! float {
            ($slot:expr) => {
                f64::from_bits(word!($slot))
            };
        }
        macro_rules! spend {
            ($cost:expr) => {
                match steps.checked_sub(u64::from($cost)) {
                    Some(left) => steps = left,
                    None => return Err(Halt::Limit(Limit::Steps)),
                }
            };
        }
        // Goes on in the frame on top, after a call, a return or on a landing pad.
        macro_rules! resume_at {
            ($pc:expr) => {{
                let Some(frame) = self.frames.last() else { return Err(Halt::Broken("no frame".to_owned())) };
                (wb, hb) = (frame.words, frame.heaps);
                code = frame.code.clone();
                pc = $pc;
                continue;
            }};
        }
        macro_rules! raise {
            ($kind:expr, $args:expr) => {{
                let landing = self.raise($kind, $args, pc)?;
                match landing {
                    Some(landing) => resume_at!(landing),
                    None => return Ok(self.panicked()),
                }
            }};
        }
        // What ghost counts say; the error is a defect of the body.
        macro_rules! ghost {
            ($result:expr) => {
                if let Err(why) = $result {
                    return Err(broken(&code, &why));
                }
            };
        }
        macro_rules! checked {
            ($d:expr, $result:expr, $args:expr) => {
                match $result {
                    Ok(value) => word!($d) = value as u64,
                    Err(kind) => raise!(kind, $args),
                }
            };
        }
        macro_rules! int2 {
            ($d:ident, $a:ident, $b:ident, $op:expr) => {{
                let (x, y) = (word!(*$a) as i64, word!(*$b) as i64);
                checked!(*$d, $op(x, y), &[])
            }};
        }
        macro_rules! compare {
            ($d:ident, $a:ident, $b:ident, $op:tt) => {
                word!(*$d) = u64::from((word!(*$a) as i64) $op (word!(*$b) as i64))
            };
        }
        macro_rules! float2 {
            ($d:ident, $a:ident, $b:ident, $op:tt) => {
                word!(*$d) = (float!(*$a) $op float!(*$b)).to_bits()
            };
        }
        macro_rules! float_compare {
            ($d:ident, $a:ident, $b:ident, $op:tt) => {
                word!(*$d) = u64::from(float!(*$a) $op float!(*$b))
            };
        }
        macro_rules! go {
            ($edge:expr) => {{
                let edge = &code.edges[$edge as usize];
                spend!(edge.cost);
                for &(to, from) in &code.moves[edge.words.range()] {
                    word!(to) = word!(from);
                }
                for &(to, from) in &code.moves[edge.heaps.range()] {
                    heap!(to) = heap!(from).clone();
                }
                pc = edge.pc as usize;
                continue;
            }};
        }
        macro_rules! branch {
            ($a:ident, $b:ident, $yes:ident, $no:ident, $op:tt) => {{
                let edge = if (word!(*$a) as i64) $op (word!(*$b) as i64) { *$yes } else { *$no };
                go!(edge)
            }};
        }
        spend!(code.entry_cost);
        let may_inject = self.limits.panic_at > 0;
        loop {
            if may_inject && self.injects(&code, pc, wb, hb)? {
                raise!(abi::PanicKind::Custom, &[pure::Arg::Str(b"injected")]);
            }
            match &code.insns[pc] {
                Insn::Text { d, text } => heap!(*d) = Heap::Str(code.texts[*text as usize].clone()),
                Insn::Static { d, list } => heap!(*d) = code.statics[*list as usize].clone(),
                Insn::Add { d, a, b } => int2!(d, a, b, pure::int::add),
                Insn::Sub { d, a, b } => int2!(d, a, b, pure::int::sub),
                Insn::Mul { d, a, b } => int2!(d, a, b, pure::int::mul),
                Insn::Div { d, a, b } => int2!(d, a, b, pure::int::div),
                Insn::Rem { d, a, b } => int2!(d, a, b, pure::int::rem),
                Insn::FloorDiv { d, a, b } => int2!(d, a, b, pure::int::floor_div),
                Insn::Neg { d, a } => checked!(*d, pure::int::neg(word!(*a) as i64), &[]),
                Insn::Abs { d, a } => checked!(*d, pure::int::abs(word!(*a) as i64), &[]),
                Insn::Shl { d, a, b } => int2!(d, a, b, pure::int::shl),
                Insn::Shr { d, a, b } => int2!(d, a, b, pure::int::shr),
                Insn::ByteShl { d, a, b } => int2!(d, a, b, pure::int::byte_shl),
                Insn::ByteShr { d, a, b } => int2!(d, a, b, pure::int::byte_shr),
                Insn::WrapAdd { d, a, b } => word!(*d) = word!(*a).wrapping_add(word!(*b)),
                Insn::WrapSub { d, a, b } => word!(*d) = word!(*a).wrapping_sub(word!(*b)),
                Insn::WrapMul { d, a, b } => word!(*d) = word!(*a).wrapping_mul(word!(*b)),
                Insn::And { d, a, b } => word!(*d) = word!(*a) & word!(*b),
                Insn::Or { d, a, b } => word!(*d) = word!(*a) | word!(*b),
                Insn::Xor { d, a, b } => word!(*d) = word!(*a) ^ word!(*b),
                Insn::Flip { d, a, mask } => word!(*d) = word!(*a) ^ i64::from(*mask) as u64,
                Insn::Eq { d, a, b } => compare!(d, a, b, ==),
                Insn::Ne { d, a, b } => compare!(d, a, b, !=),
                Insn::Lt { d, a, b } => compare!(d, a, b, <),
                Insn::Le { d, a, b } => compare!(d, a, b, <=),
                Insn::Gt { d, a, b } => compare!(d, a, b, >),
                Insn::Ge { d, a, b } => compare!(d, a, b, >=),
                Insn::Select { d, c, a, b } => word!(*d) = if word!(*c) != 0 { word!(*a) } else { word!(*b) },
                Insn::SelectHeap { d, c, a, b } => heap!(*d) = if word!(*c) != 0 { heap!(*a).clone() } else { heap!(*b).clone() },
                Insn::FAdd { d, a, b } => float2!(d, a, b, +),
                Insn::FSub { d, a, b } => float2!(d, a, b, -),
                Insn::FMul { d, a, b } => float2!(d, a, b, *),
                Insn::FDiv { d, a, b } => float2!(d, a, b, /),
                Insn::FNeg { d, a } => word!(*d) = (-float!(*a)).to_bits(),
                Insn::FAbs { d, a } => word!(*d) = float!(*a).abs().to_bits(),
                Insn::FSqrt { d, a } => word!(*d) = pure::float::sqrt(float!(*a)).to_bits(),
                Insn::FEq { d, a, b } => float_compare!(d, a, b, ==),
                Insn::FNe { d, a, b } => float_compare!(d, a, b, !=),
                Insn::FLt { d, a, b } => float_compare!(d, a, b, <),
                Insn::FLe { d, a, b } => float_compare!(d, a, b, <=),
                Insn::FGt { d, a, b } => float_compare!(d, a, b, >),
                Insn::FGe { d, a, b } => float_compare!(d, a, b, >=),
                Insn::IntToFloat { d, a } => word!(*d) = (word!(*a) as i64 as f64).to_bits(),
                Insn::FloatBits { d, a } => word!(*d) = pure::float::bits(float!(*a)),
                Insn::FloatToInt { d, a } => checked!(*d, pure::float::to_int(float!(*a)), &[]),
                Insn::IntToByte { d, a } => {
                    let value = word!(*a) as i64;
                    checked!(*d, pure::int::to_byte(value), &[pure::Arg::Int(value)])
                }
                Insn::IntToChar { d, a } => {
                    let value = word!(*a) as i64;
                    checked!(*d, pure::int::to_char(value), &[pure::Arg::Int(value)])
                }
                Insn::Copy { d, a } => word!(*d) = word!(*a),
                Insn::Aggregate { d, parts } => {
                    self.pay(16 * parts.len as usize)?;
                    let parts: Rc<[Cell]> = code.operands[parts.range()].iter().map(|&slot| self.cell(wb, hb, slot)).collect();
                    heap!(*d) = Heap::Aggregate(parts);
                }
                Insn::Field { d, a, index } => match heap!(*a).part(*index) {
                    Some(Cell::Word(word)) => word!(*d) = *word,
                    Some(Cell::Heap(_)) | None => return Err(broken(&code, "field of no such part")),
                },
                Insn::FieldHeap { d, a, index } => match heap!(*a).part(*index) {
                    Some(Cell::Heap(part)) => heap!(*d) = part.clone(),
                    Some(Cell::Word(_)) | None => return Err(broken(&code, "field of no such part")),
                },
                Insn::WithField { d, a, value, index } => {
                    let value = self.cell(wb, hb, *value);
                    let Heap::Aggregate(parts) = &heap!(*a) else { return Err(broken(&code, "with_field of no aggregate")) };
                    let mut parts: Rc<[Cell]> = parts.iter().cloned().collect();
                    if let Some(Cell::Heap(old)) = parts.get(*index as usize) {
                        ghost!(self.ghosts.drop(old));
                    }
                    match Rc::get_mut(&mut parts).and_then(|parts| parts.get_mut(*index as usize)) {
                        Some(part) => *part = value,
                        None => return Err(broken(&code, "with_field of no such part")),
                    }
                    self.pay(16 * parts.len())?;
                    heap!(*d) = Heap::Aggregate(parts);
                }
                Insn::Variant { d, variant, parts } => {
                    self.pay(16 * parts.len as usize)?;
                    let parts: Rc<[Cell]> = code.operands[parts.range()].iter().map(|&slot| self.cell(wb, hb, slot)).collect();
                    heap!(*d) = Heap::Variant(*variant, parts);
                }
                Insn::Tag { d, a } => match heap!(*a).tag() {
                    Some(tag) => word!(*d) = u64::from(tag),
                    None => return Err(broken(&code, "tag of no sum")),
                },
                Insn::Is { d, a, variant } => match heap!(*a).tag() {
                    Some(tag) => word!(*d) = u64::from(tag == *variant),
                    None => return Err(broken(&code, "is of no sum")),
                },
                Insn::Payload { d, a, variant, part } => match heap!(*a).payload(*variant, *part) {
                    Some(Cell::Word(word)) => word!(*d) = *word,
                    Some(Cell::Heap(_)) | None => return Err(broken(&code, "payload of another variant")),
                },
                Insn::PayloadHeap { d, a, variant, part } => match heap!(*a).payload(*variant, *part) {
                    Some(Cell::Heap(part)) => heap!(*d) = part.clone(),
                    Some(Cell::Word(_)) | None => return Err(broken(&code, "payload of another variant")),
                },
                Insn::New { d, parts } => {
                    self.pay(16 * parts.len as usize + 16)?;
                    let parts: Rc<[Cell]> = code.operands[parts.range()].iter().map(|&slot| self.cell(wb, hb, slot)).collect();
                    heap!(*d) = Heap::Cell(Parts::new(parts));
                    self.ghosts.made(&heap!(*d), &code, code.values[pc]);
                }
                Insn::Part { d, a, index } => {
                    ghost!(self.ghosts.used(&heap!(*a)));
                    match heap!(*a).cell_part(*index) {
                        Some(Cell::Word(word)) => word!(*d) = *word,
                        Some(Cell::Heap(_)) | None => return Err(broken(&code, "part of no such cell")),
                    }
                }
                Insn::PartHeap { d, a, index } => {
                    ghost!(self.ghosts.used(&heap!(*a)));
                    match heap!(*a).cell_part(*index) {
                        Some(Cell::Heap(part)) => heap!(*d) = part.clone(),
                        Some(Cell::Word(_)) | None => return Err(broken(&code, "part of no such cell")),
                    }
                }
                Insn::StrLen { d, a } => word!(*d) = self.text(hb, *a).len() as u64,
                Insn::List { d, parts } => {
                    self.pay(16 * parts.len as usize + 32)?;
                    let parts = code.operands[parts.range()].iter().map(|&slot| self.cell(wb, hb, slot)).collect();
                    heap!(*d) = Heap::List(Elements::new(parts));
                    self.ghosts.made(&heap!(*d), &code, code.values[pc]);
                }
                Insn::ListLen { d, a } => {
                    let Some(elements) = heap!(*a).elements() else { return Err(broken(&code, "list_len of no list")) };
                    word!(*d) = elements.len() as u64;
                }
                Insn::ListGet { d, a, b } => {
                    ghost!(self.ghosts.used(&heap!(*a)));
                    let index = word!(*b) as i64;
                    let Some(elements) = heap!(*a).elements() else { return Err(broken(&code, "list_get of no list")) };
                    match (elements.get(index), *d & HEAP != 0) {
                        (Ok(Cell::Word(word)), false) => word!(*d) = word,
                        (Ok(Cell::Heap(element)), true) => heap!(*d & !HEAP) = element,
                        (Ok(_), _) => return Err(broken(&code, "list_get of another kind")),
                        (Err(length), _) => raise!(abi::PanicKind::IndexOutOfBounds, &[pure::Arg::Int(index), pure::Arg::Int(length)]),
                    }
                }
                Insn::ListAt { d, a, b } => {
                    ghost!(self.ghosts.used(&heap!(*a)));
                    let element = heap!(*a).elements().and_then(|elements| elements.get(word!(*b) as i64).ok());
                    match (element, *d & HEAP != 0) {
                        (Some(Cell::Word(word)), false) => word!(*d) = word,
                        (Some(Cell::Heap(element)), true) => heap!(*d & !HEAP) = element,
                        _ => return Err(broken(&code, "list_at of an element that the list has not")),
                    }
                }
                Insn::ListPush { d, a, value } => {
                    let value = self.cell(wb, hb, *value);
                    let Some(elements) = heap!(*a).elements() else { return Err(broken(&code, "list_push of no list")) };
                    let pushed = elements.pushed(value);
                    ghost!(self.ghosts.moved(&heap!(*a), &[&elements.all()], &[]));
                    self.pay(16)?;
                    heap!(*d) = Heap::List(pushed);
                    self.ghosts.made(&heap!(*d), &code, code.values[pc]);
                }
                Insn::ListSet { d, a, b, value, sole } => {
                    let (index, value) = (word!(*b) as i64, self.cell(wb, hb, *value));
                    let list = std::mem::replace(&mut heap!(*a), Heap::Empty);
                    let changed = self.exchanged(list, index, value, Way { is_swap: false, claims: *sole }, &code)?;
                    (heap!(*a), heap!(*d)) = (changed.old, changed.new);
                    self.ghosts.made(&heap!(*d), &code, code.values[pc]);
                }
                Insn::Hole { d } => heap!(*d) = Heap::Hole(Unfilled::default()),
                Insn::Plug { d, a, value, part } => {
                    self.pay(16)?;
                    let Heap::Hole(hole) = heap!(*a).clone() else { return Err(broken(&code, "plug of no hole")) };
                    hole.plug(heap!(*value).clone(), *part);
                    heap!(*d) = Heap::Hole(hole);
                }
                Insn::Fill { d, a, value } => {
                    let Heap::Hole(hole) = &heap!(*a) else { return Err(broken(&code, "fill of no hole")) };
                    match hole.fill(heap!(*value).clone(), &mut self.ghosts) {
                        Ok(whole) => heap!(*d) = whole,
                        Err(why) => return Err(broken(&code, &why)),
                    }
                }
                Insn::ListOwn { d, a } => {
                    let list = heap!(*a).clone();
                    heap!(*d) = self.alone(list, &code, code.values[pc])?;
                }
                Insn::ListSwap { d, all, sole } => {
                    let &[a, b, value, old] = &code.operands[all.range()] else { return Err(broken(&code, "list_swap of too little")) };
                    let (a, index, value) = (a & !HEAP, word!(b) as i64, self.cell(wb, hb, value));
                    let list = std::mem::replace(&mut heap!(a), Heap::Empty);
                    let changed = self.exchanged(list, index, value, Way { is_swap: true, claims: *sole }, &code)?;
                    (heap!(a), heap!(*d)) = (changed.old, changed.new);
                    self.ghosts.made(&heap!(*d), &code, code.values[pc]);
                    match (changed.before, old & HEAP != 0) {
                        (Cell::Word(word), false) => word!(old) = word,
                        (Cell::Heap(heap), true) => heap!(old & !HEAP) = heap,
                        (Cell::Word(_) | Cell::Heap(_), _) => return Err(broken(&code, "list_swap of another kind")),
                    }
                }
                Insn::ListSlice { d, a, b, c } => {
                    let Some(elements) = heap!(*a).elements() else { return Err(broken(&code, "list_slice of no list")) };
                    let (from, slice) = elements.slice(word!(*b) as i64, word!(*c) as i64);
                    let all = elements.all();
                    let to = from + slice.len();
                    ghost!(self.ghosts.moved(&heap!(*a), &[&all[from..to]], &[&all[..from], &all[to..]]));
                    drop(all);
                    heap!(*d) = Heap::List(slice);
                    self.ghosts.made(&heap!(*d), &code, code.values[pc]);
                }
                Insn::TableDouble { d, a } => {
                    let Some(elements) = heap!(*a).elements() else { return Err(broken(&code, "table_double of no list")) };
                    let all = elements.all();
                    ghost!(self.ghosts.moved(&heap!(*a), &[], &[&all]));
                    let word = |cell: &Cell| if let Cell::Word(word) = cell { *word } else { 0 };
                    let slots: Vec<u64> = all.iter().map(word).collect();
                    drop(all);
                    let size = pure::table::doubled(slots.len());
                    self.pay(16 * size)?;
                    let mut table = vec![0; size];
                    pure::table::move_into(&mut table, slots.into_iter());
                    heap!(*d) = Heap::List(Elements::new(table.into_iter().map(Cell::Word).collect()));
                    self.ghosts.made(&heap!(*d), &code, code.values[pc]);
                }
                Insn::CopyHeap { d, a } => {
                    let value = heap!(*a).clone();
                    heap!(*d) = value;
                }
                Insn::Runtime { call, d, a, b, c } => {
                    for (slot, kind) in [*a, *b, *c].into_iter().zip(call.args()) {
                        if *kind == abi::Kind::Str {
                            ghost!(self.ghosts.used(&heap!(slot)));
                        }
                    }
                    if *call == abi::RuntimeCall::DebugPrint
                        && let Some(frame) = self.frames.last_mut()
                    {
                        frame.pc = pc;
                    }
                    let given = self.runtime(*call, wb, hb, [*a, *b, *c])?;
                    match given {
                        Given::Nothing => {}
                        Given::Word(value) => word!(*d) = value,
                        Given::Text(text) => {
                            self.pay(text.len())?;
                            // A text that is one of the operands is held apart from them.
                            let text = if Rc::strong_count(&text) > 1 { Rc::from(&*text) } else { text };
                            heap!(*d) = Heap::Str(text);
                            self.ghosts.made(&heap!(*d), &code, code.values[pc]);
                        }
                        Given::Failed(kind) => match kind.args() {
                            [] => raise!(kind, &[]),
                            _ => {
                                let text = self.text(hb, *a);
                                raise!(kind, &[pure::Arg::Str(text.as_bytes())])
                            }
                        },
                        Given::WriteFailed(errno) => {
                            let mut reason = Vec::new();
                            pure::message::write_failure(errno, &mut |piece| reason.extend_from_slice(piece));
                            raise!(abi::PanicKind::OutputFailed, &[pure::Arg::Str(&reason)])
                        }
                    }
                }
                Insn::Call { callee, args, d } => {
                    let target = match &self.functions[*callee as usize].code {
                        Some(code) => code.clone(),
                        None => self.code(*callee)?,
                    };
                    if let Some(frame) = self.frames.last_mut() {
                        frame.pc = pc;
                    }
                    self.push(target.clone(), *d)?;
                    let (new_wb, new_hb) = (self.words.len() - target.template.len(), self.heaps.len() - target.heaps as usize);
                    if args.len as usize != target.params.len() {
                        return Err(broken(&code, "call with another number of arguments"));
                    }
                    for (&param, &arg) in target.params.iter().zip(&code.operands[args.range()]) {
                        match (param & HEAP, arg & HEAP) {
                            (0, 0) => self.words[new_wb + param as usize] = word!(arg),
                            (HEAP, HEAP) => self.heaps[new_hb + (param & !HEAP) as usize] = heap!(arg & !HEAP).clone(),
                            _ => return Err(broken(&code, "call with an argument of another kind")),
                        }
                    }
                    spend!(target.entry_cost);
                    (code, pc, wb, hb) = (target, 0, new_wb, new_hb);
                    continue;
                }
                Insn::Closure { callee, parts, d } => {
                    self.pay(16 * parts.len as usize)?;
                    let parts: Rc<[Cell]> = code.operands[parts.range()].iter().map(|&slot| self.cell(wb, hb, slot)).collect();
                    let captures = !parts.is_empty();
                    heap!(*d) = Heap::Function(*callee, Parts::new(parts));
                    if captures {
                        self.ghosts.made(&heap!(*d), &code, code.values[pc]);
                    }
                }
                Insn::CallValue { a, args, d } => {
                    ghost!(self.ghosts.used(&heap!(*a)));
                    let Heap::Function(callee, captured) = heap!(*a).clone() else {
                        return Err(broken(&code, "call_value of no function"));
                    };
                    let target = self.code(callee)?;
                    // What is captured stays in the function value; the callee gets it as its contract says.
                    for (param, cell) in captured.all().iter().enumerate() {
                        if let Cell::Heap(value) = cell
                            && !target.contract.borrows(args.len as usize + param)
                        {
                            ghost!(self.ghosts.dup(value));
                        }
                    }
                    if let Some(frame) = self.frames.last_mut() {
                        frame.pc = pc;
                    }
                    let args = code.operands[args.range()].iter().map(|&slot| self.cell(wb, hb, slot));
                    let cells: Vec<Cell> = match target.item.unpacked() {
                        Some(_) => args.chain([Cell::Heap(Heap::Cell(captured))]).collect(),
                        None => args.chain(captured.all().iter().cloned()).collect(),
                    };
                    (wb, hb) = self.enter(&code, &target, cells, *d)?;
                    spend!(target.entry_cost);
                    (code, pc) = (target, 0);
                    continue;
                }
                Insn::CallMethod { method, args, d } => {
                    let method = code.methods[*method as usize];
                    let cells: Vec<Cell> = code.operands[args.range()].iter().map(|&slot| self.cell(wb, hb, slot)).collect();
                    let Some(Cell::Heap(object)) = cells.last() else { return Err(broken(&code, "a method of no object")) };
                    if !method.changes {
                        ghost!(self.ghosts.used(object));
                    }
                    let Some(of) = object_of(object) else { return Err(broken(&code, "a method of no object")) };
                    let callee = number_of(&mut self.functions, &mut self.numbers, method.for_type(of));
                    let target = self.code(callee)?;
                    if let Some(frame) = self.frames.last_mut() {
                        frame.pc = pc;
                    }
                    (wb, hb) = self.enter(&code, &target, cells, *d)?;
                    spend!(target.entry_cost);
                    (code, pc) = (target, 0);
                    continue;
                }
                Insn::Dup { a } => ghost!(self.ghosts.dup(&heap!(*a))),
                Insn::Drop { a } => ghost!(self.ghosts.drop(&heap!(*a))),
                Insn::Open { a, opened } => ghost!(self.ghosts.open(&heap!(*a), &code.opened[*opened as usize])),
                Insn::Jump { edge } => go!(*edge),
                Insn::Branch { c, yes, no } => {
                    let edge = if word!(*c) != 0 { *yes } else { *no };
                    go!(edge)
                }
                Insn::BranchEq { a, b, yes, no } => branch!(a, b, yes, no, ==),
                Insn::BranchNe { a, b, yes, no } => branch!(a, b, yes, no, !=),
                Insn::BranchLt { a, b, yes, no } => branch!(a, b, yes, no, <),
                Insn::BranchLe { a, b, yes, no } => branch!(a, b, yes, no, <=),
                Insn::BranchGt { a, b, yes, no } => branch!(a, b, yes, no, >),
                Insn::BranchGe { a, b, yes, no } => branch!(a, b, yes, no, >=),
                Insn::Switch { a, table } => {
                    let (cases, default) = &code.tables[*table as usize];
                    let value = word!(*a) as i64;
                    let edge = cases.binary_search_by_key(&value, |row| row.0).map_or(*default, |at| cases[at].1);
                    go!(edge)
                }
                Insn::Return { a } => {
                    let is_heap = a & HEAP != 0;
                    let result = if is_heap { Cell::Heap(std::mem::take(&mut heap!(a & !HEAP))) } else { Cell::Word(word!(*a)) };
                    let Some(dest) = self.pop() else { return Err(broken(&code, "no frame")) };
                    let Some(frame) = self.frames.last() else { return Ok(End::Returned(result)) };
                    (wb, hb) = (frame.words, frame.heaps);
                    match (result, dest & HEAP != 0) {
                        (Cell::Word(word), false) => word!(dest) = word,
                        (Cell::Heap(heap), true) => heap!(dest & !HEAP) = heap,
                        (Cell::Word(_) | Cell::Heap(_), _) => return Err(broken(&code, "ret of another kind")),
                    }
                    pc = frame.pc + 1;
                    code = frame.code.clone();
                    continue;
                }
                Insn::Tail { callee, args } => {
                    let target = self.code(*callee)?;
                    if args.len as usize != target.params.len() {
                        return Err(broken(&code, "tail call with another number of arguments"));
                    }
                    let cells: Vec<Cell> = code.operands[args.range()].iter().map(|&slot| self.cell(wb, hb, slot)).collect();
                    let dest = self.pop().unwrap_or(0);
                    self.push(target.clone(), dest)?;
                    (wb, hb) = (self.words.len() - target.template.len(), self.heaps.len() - target.heaps as usize);
                    for (&param, cell) in target.params.iter().zip(cells) {
                        match (cell, param & HEAP != 0) {
                            (Cell::Word(word), false) => word!(param) = word,
                            (Cell::Heap(heap), true) => heap!(param & !HEAP) = heap,
                            (Cell::Word(_) | Cell::Heap(_), _) => return Err(broken(&code, "tail call with an argument of another kind")),
                        }
                    }
                    spend!(target.entry_cost);
                    (code, pc) = (target, 0);
                    continue;
                }
                Insn::Panic { kind, args } => {
                    let cells = self.panic_arguments(&code, *args, wb, hb);
                    let args: Vec<pure::Arg> = cells
                        .iter()
                        .map(|cell| match cell {
                            Cell::Heap(Heap::Str(text)) => pure::Arg::Str(text.as_bytes()),
                            Cell::Word(word) => pure::Arg::Int(*word as i64),
                            Cell::Heap(_) => pure::Arg::Str(b""),
                        })
                        .collect();
                    raise!(*kind, &args)
                }
                Insn::Resume => {
                    self.pop();
                    match self.landing()? {
                        Some(landing) => resume_at!(landing),
                        None => return Ok(self.panicked()),
                    }
                }
                Insn::Unreachable => return Err(broken(&code, "unreachable code was reached")),
            }
            pc += 1;
        }
    }

    /// The value of a slot of either kind.
    pub(super) fn cell(&self, wb: usize, hb: usize, slot: Slot) -> Cell {
        if slot & HEAP == 0 {
            Cell::Word(self.words[wb + slot as usize])
        } else {
            Cell::Heap(self.heaps[hb + (slot & !HEAP) as usize].clone())
        }
    }

    fn panic_arguments(&self, code: &Code, args: Run, wb: usize, hb: usize) -> Vec<Cell> {
        code.operands[args.range()].iter().map(|&slot| self.cell(wb, hb, slot)).collect()
    }

    /// A word of the frame.
    pub(super) fn word_at(&self, wb: usize, slot: Slot) -> u64 {
        self.words[wb + slot as usize]
    }

    /// The text of a slot; types are checked before, so another value reads as no text.
    pub(super) fn text(&self, hb: usize, slot: Slot) -> Rc<str> {
        match &self.heaps[hb + slot as usize] {
            Heap::Str(text) => text.clone(),
            Heap::Empty | Heap::Aggregate(_) | Heap::Variant(..) | Heap::List(_) | Heap::Cell(_) | Heap::Function(..) | Heap::Hole(_) => {
                Rc::from("")
            }
        }
    }
}

impl Machine<'_> {
    /// What the entry function is given has one holder, the function; what it borrows is ours, and stays.
    fn given(&mut self, given: &Cell, code: &Rc<Code>) {
        let Cell::Heap(list) = given else { return };
        if code.contract.borrows(0) {
            return;
        }
        self.ghosts.made(list, code, 0);
        if let Heap::List(elements) = list {
            for element in elements.all().iter() {
                if let Cell::Heap(element) = element {
                    self.ghosts.made(element, code, 0);
                }
            }
        }
    }

    /// The function of a number.
    pub(super) fn item(&self, number: u32) -> Option<ItemId> {
        self.functions.get(number as usize).map(|function| function.item)
    }
}

fn number_of(functions: &mut Vec<Function>, numbers: &mut HashMap<ItemId, u32>, item: ItemId) -> u32 {
    *numbers.entry(item).or_insert_with(|| {
        functions.push(Function { item, code: None });
        functions.len() as u32 - 1
    })
}

pub(super) fn broken(code: &Code, why: &str) -> Halt {
    Halt::Broken(format!("@{}: {why}", code.item))
}

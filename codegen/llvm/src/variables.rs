//! Locals and their values, for debuggers.
//!
//! LIR says at each instruction which locals have which values ([`ir::ssa::names`]). What is told last holds until something else is told, so each block tells all
//! that is seen at its start, and then what changes. An instruction without a row sees what the next one of its block sees, as with places: that is what it is
//! computed for. A local is several machine values: each is told as a piece of it. They hold as long as LLVM keeps them.
//!
//! A local that hides another one of its name begins a lexical block. Locals of what was inlined are those of the call.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::rc::Rc;

use hashbrown::{HashMap, HashSet};
use ir::ssa::names::{Local, Name};
use ir::ssa::{Block, Def, Graph, Inst, Value};
use ir::{ItemId, PlaceId, Places};
use lir::Lir;

use crate::debug::Records;
use crate::text::escaped;
use crate::told::{Choice, Depth, Encoding, Form, Member};
use crate::unit::Function;

/// Bytes of a text that is short.
const SHORT: u32 = 23;

/// A function, and through which calls it was inlined.
pub(crate) type Frame = (ItemId, Vec<(ItemId, u32, u32)>);

/// What is seen where a row holds.
#[derive(Default)]
pub(crate) struct View {
    /// The innermost scope of each frame that has locals.
    pub(crate) scopes: HashMap<Frame, u32>,
    /// Pieces of variables, in order.
    pieces: Vec<Piece>,
}

/// A machine value of a variable.
#[derive(Clone, Copy)]
struct Piece {
    key: (Local, u32),
    value: Option<Value>,
    told: Telling,
}

/// How a piece is told: the numbers of its variable and of the location, where it lies, and whether it is all there is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Telling {
    variable: u32,
    location: u32,
    offset: u32,
    size: u32,
    is_whole: bool,
}

/// What is told in the blocks of a function.
#[derive(Default)]
pub(crate) struct Variables {
    views: HashMap<Option<Name>, Rc<View>>,
    /// What has been told in each block that was written.
    blocks: HashMap<Block, BTreeMap<(Local, u32), Telling>>,
    /// What is told now; of what is not known here, that it was told on the way.
    now: BTreeMap<(Local, u32), (Telling, Option<Value>)>,
    /// What each instruction of the block at hand sees.
    sees: HashMap<Inst, Name>,
    /// What the last one saw, where there was nothing that it could not see yet.
    last: Option<Option<Name>>,
    block: Option<Block>,
}

/// The frame of a place.
pub(crate) fn frame(places: &Places, id: PlaceId) -> Option<Frame> {
    let mut chain = places.chain(id);
    let item = chain.next()?.item;
    Some((item, chain.map(|place| (place.item, place.line, place.column)).collect()))
}

impl Variables {
    /// A block begins; these lead to it.
    pub(crate) fn enter(&mut self, graph: &Graph<Lir>, block: Block, before: &[Block]) {
        self.now.clear();
        for told in before.iter().filter_map(|block| self.blocks.get(block)) {
            self.now.extend(told.iter().map(|(&key, &telling)| (key, (telling, Some(UNKNOWN)))));
        }
        (self.last, self.block) = (None, Some(block));
        self.blocks.insert(block, BTreeMap::new());
        self.sees.clear();
        let Some(names) = &graph.names else { return };
        let insts = &graph.blocks[block].insts;
        let mut next = insts.iter().rev().find_map(|&inst| names.of(inst));
        for &inst in insts.iter().rev() {
            next = names.of(inst).or(next);
            if let Some(name) = next {
                self.sees.insert(inst, name);
            }
        }
    }

    /// What is seen at an instruction of the block.
    pub(crate) fn at(&mut self, records: &mut Records<'_>, function: &Function, inst: Inst) -> Rc<View> {
        let name = self.sees.get(&inst).copied();
        if let Some(known) = self.views.get(&name) {
            return known.clone();
        }
        let view = Rc::new(records.view(function, name));
        self.views.insert(name, view.clone());
        view
    }

    /// Tells what changes before the instruction at this position; values are written by `typed`.
    pub(crate) fn tell(&mut self, graph: &Graph<Lir>, view: &View, position: usize, typed: impl Fn(Value) -> Told) -> String {
        let mut out = String::new();
        let Some(block) = self.block else { return out };
        let insts = &graph.blocks[block].insts;
        let name = insts.get(position).and_then(|inst| self.sees.get(inst)).copied();
        if self.last == Some(name) {
            return out;
        }
        let mut waits = false;
        let mut here: HashSet<(Local, u32)> = HashSet::new();
        for piece in &view.pieces {
            // What comes later in the block is not there yet.
            let is_there = |value: Value| match graph.values[value].def {
                Def::Result(inst, _) => !insts[position..].contains(&inst),
                Def::Param(..) => true,
            };
            let value = piece.value.filter(|&value| is_there(value));
            waits |= value != piece.value;
            here.insert(piece.key);
            let known = self.now.get(&piece.key).copied();
            let is_news = match (known, value) {
                (None, None) => false,
                (None, Some(_)) => true,
                (Some(known), value) => known != (piece.told, value),
            };
            if is_news {
                piece.told.write(&mut out, value.map(&typed));
                self.now.insert(piece.key, (piece.told, value));
                if value.is_some() {
                    self.blocks.entry(block).or_default().insert(piece.key, piece.told);
                }
            }
        }
        let gone: Vec<(Local, u32)> = self.now.keys().filter(|key| !here.contains(*key)).copied().collect();
        for key in gone {
            if let Some((telling, Some(_))) = self.now.remove(&key) {
                telling.write(&mut out, None);
            }
        }
        self.last = (!waits).then_some(name);
        out
    }
}

/// How a value is told.
pub(crate) enum Told {
    /// It is this one, with its type.
    Value(String),
    /// It lies in memory, so far behind this address.
    There(String, u64),
}

/// Something was told on the way here, and nobody knows what.
const UNKNOWN: Value = Value::new(u32::MAX as usize - 1);

impl Telling {
    fn write(self, out: &mut String, value: Option<Told>) {
        let Telling { variable, location, offset, size, is_whole } = self;
        let (value, mut steps) = match value {
            None => (format!("i{} poison", size * 8), Vec::new()),
            Some(Told::Value(value)) => (value, Vec::new()),
            Some(Told::There(address, behind)) => (address, vec![format!("DW_OP_plus_uconst, {behind}"), "DW_OP_deref".to_owned()]),
        };
        // A piece that is all of it is none to LLVM.
        if !is_whole {
            steps.push(format!("DW_OP_LLVM_fragment, {}, {}", offset * 8, size * 8));
        }
        let _ = writeln!(out, "    #dbg_value({value}, !{variable}, !DIExpression({}), !{location})", steps.join(", "));
    }
}

impl<'u> Records<'u> {
    /// What is seen where a row of a function holds.
    fn view(&mut self, function: &Function, name: Option<Name>) -> View {
        let graph = function.graph();
        let mut view = View::default();
        let Some(names) = graph.names.as_ref().filter(|_| self.debug.depth == Depth::Full) else { return view };
        let mut taken: HashSet<(Frame, ir::Symbol)> = HashSet::new();
        let mut variables: HashMap<Local, Option<(u32, u32)>> = HashMap::new();
        for seen in names.seen(name) {
            let Some(&row) = names.locals.get(seen.local) else { continue };
            let debug = self.debug;
            let Some((ty, told)) = debug.types.get_key_value(row.ty.as_str()) else { continue };
            let variable = match variables.get(&seen.local) {
                Some(&known) => known,
                None => {
                    let made = frame(&graph.places, row.place).and_then(|frame| {
                        let (at, line, column) = self.spot(graph.name, &graph.places, row.place, &view)?;
                        let (mut scope, around) = at;
                        let source = self.sources.get(&frame.0).copied()?;
                        let file = self.file(&source.file);
                        if !taken.insert((frame.clone(), row.name)) {
                            scope = self.block(scope, file, line, column, row.name);
                        }
                        view.scopes.insert(frame, scope);
                        let variable = self.variable(scope, file, line, row.name, row.param, ty);
                        Some((variable, self.location(scope, line, 0, around)))
                    });
                    variables.insert(seen.local, made);
                    made
                }
            };
            let (Some((variable, location)), Some(&(offset, size))) = (variable, told.leaves.get(seen.part as usize)) else { continue };
            let value = seen.value.filter(|&value| graph.values.get(value).is_some_and(|row| row.ty.size() == size));
            let is_whole = told.leaves.len() == 1 && size == told.size;
            view.pieces.push(Piece { key: (seen.local, seen.part), value, told: Telling { variable, location, offset, size, is_whole } });
        }
        view
    }

    /// A lexical block that begins with a local of this name.
    fn block(&mut self, scope: u32, file: u32, line: u32, column: u32, name: ir::Symbol) -> u32 {
        if let Some(&number) = self.blocks.get(&(scope, line, column, name)) {
            return number;
        }
        let number = self.row(format_args!("distinct !DILexicalBlock(scope: !{scope}, file: !{file}, line: {line}, column: {column})"));
        self.blocks.insert((scope, line, column, name), number);
        number
    }

    fn variable(&mut self, scope: u32, file: u32, line: u32, name: ir::Symbol, param: u32, ty: &'u str) -> u32 {
        if let Some(&number) = self.variables.get(&(scope, line, name, param, ty)) {
            return number;
        }
        let of = self.of_type(ty);
        let arg = if param == 0 { String::new() } else { format!("arg: {param}, ") };
        let number = self.row(format_args!(
            "!DILocalVariable(name: \"{}\", {arg}scope: !{scope}, file: !{file}, line: {line}, type: !{of})",
            escaped(name.as_str().as_bytes()),
        ));
        self.variables.insert((scope, line, name, param, ty), number);
        number
    }

    /// The type with this name.
    fn of_type(&mut self, name: &str) -> u32 {
        let debug = self.debug;
        let Some((name, told)) = debug.types.get_key_value(name) else { return self.address() };
        if let Some(&number) = self.types.get(name.as_str()) {
            return number;
        }
        let number = self.number();
        // Before its parts, which may be of it.
        self.types.insert(name, number);
        let (shown, size) = (escaped(name.as_bytes()), told.size * 8);
        let parts = match &told.form {
            Form::Basic(encoding) => {
                let encoding = match encoding {
                    Encoding::Signed => "DW_ATE_signed",
                    Encoding::Unsigned => "DW_ATE_unsigned",
                    Encoding::Float => "DW_ATE_float",
                    Encoding::Bool => "DW_ATE_boolean",
                    Encoding::Char => "DW_ATE_UTF",
                };
                let _ = writeln!(self.text, "!{number} = !DIBasicType(name: \"{shown}\", size: {size}, encoding: {encoding})");
                return number;
            }
            Form::Address => {
                let _ = writeln!(
                    self.text,
                    "!{number} = !DIDerivedType(tag: DW_TAG_pointer_type, name: \"{shown}\", baseType: null, size: {size})"
                );
                return number;
            }
            Form::Text => self.text_parts(),
            Form::List(element) => {
                let element = self.of_type(element);
                let start = self.row(format_args!("!DIDerivedType(tag: DW_TAG_pointer_type, baseType: !{element}, size: 64)"));
                let (length, buffer) = (self.of_type("int"), self.address());
                vec![self.member("start", 0, 8, start), self.member("length", 8, 8, length), self.member("buffer", 16, 8, buffer)]
            }
            Form::Function => {
                let address = self.address();
                vec![self.member("code", 0, 8, address), self.member("captured", 8, 8, address)]
            }
            Form::Struct(members) => self.members(members),
            Form::Sum(choice, members) => {
                let mut parts = vec![self.choice(choice)];
                parts.extend(self.members(members));
                parts
            }
        };
        let parts: Vec<String> = parts.iter().map(|part| format!("!{part}")).collect();
        let _ = writeln!(
            self.text,
            "!{number} = !DICompositeType(tag: DW_TAG_structure_type, name: \"{shown}\", size: {size}, elements: !{{{}}})",
            parts.join(", ")
        );
        number
    }

    fn members(&mut self, members: &'u [Member]) -> Vec<u32> {
        let debug = self.debug;
        let size = |member: &Member| debug.types.get(&member.ty).map_or(8, |told| told.size);
        members
            .iter()
            .map(|member| {
                let ty = self.of_type(&member.ty);
                self.member(&member.name, member.offset, size(member), ty)
            })
            .collect()
    }

    fn member(&mut self, name: &str, offset: u32, size: u32, ty: u32) -> u32 {
        self.row(format_args!(
            "!DIDerivedType(tag: DW_TAG_member, name: \"{}\", baseType: !{ty}, size: {}, offset: {})",
            escaped(name.as_bytes()),
            size * 8,
            offset * 8
        ))
    }

    fn text_parts(&mut self) -> Vec<u32> {
        let byte = match self.byte {
            Some(byte) => byte,
            None => self.row(format_args!("!DIBasicType(name: \"char\", size: 8, encoding: DW_ATE_signed_char)")),
        };
        self.byte = Some(byte);
        let all = self.row(format_args!("!{{!DISubrange(count: {SHORT})}}"));
        let short =
            self.row(format_args!("!DICompositeType(tag: DW_TAG_array_type, baseType: !{byte}, size: {}, elements: !{all})", SHORT * 8));
        let start = self.row(format_args!("!DIDerivedType(tag: DW_TAG_pointer_type, baseType: !{byte}, size: 64)"));
        let (length, address) = (self.of_type("int"), self.address());
        vec![
            self.member("bytes", 0, SHORT, short),
            self.member("start", 0, 8, start),
            self.member("length", 8, 8, length),
            self.member("owner", 16, 8, address),
        ]
    }

    fn choice(&mut self, choice: &'u Choice) -> u32 {
        let names: Vec<u32> = choice
            .names
            .iter()
            .map(|(number, name)| self.row(format_args!("!DIEnumerator(name: \"{}\", value: {number})", escaped(name.as_bytes()))))
            .collect();
        let names: Vec<String> = names.iter().map(|name| format!("!{name}")).collect();
        let base = self.row(format_args!("!DIBasicType(name: \"variant\", size: {}, encoding: DW_ATE_unsigned)", choice.size * 8));
        let ty = self.row(format_args!(
            "!DICompositeType(tag: DW_TAG_enumeration_type, baseType: !{base}, size: {}, elements: !{{{}}})",
            choice.size * 8,
            names.join(", ")
        ));
        self.member("is", choice.offset, choice.size, ty)
    }

    /// An address of nothing in particular.
    fn address(&mut self) -> u32 {
        let number = match self.address {
            Some(number) => number,
            None => self.row(format_args!("!DIDerivedType(tag: DW_TAG_pointer_type, baseType: null, size: 64)")),
        };
        self.address = Some(number);
        number
    }
}

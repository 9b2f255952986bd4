//! A unit as LLVM IR.
//!
//! Functions are `swiftcc`: its argument registers are those of System V, it returns up to four integers in `rax rdx rcx r8` and four doubles in `xmm0` to
//! `xmm3`, and it keeps the registers that System V keeps: the convention of `lir::target`, so that functions of both back ends call each other. Small integers
//! cross a call as `i64`, zero-extended, as everywhere in LIR.
//!
//! What a frame of a panic report needs is told by landing pads: a call that may panic has a pad whose clause is the address of its *place*, a constant that
//! the unwinder reads and that catches nothing. When LLVM inlines, the clauses of the inner pad stand in front of those of the outer one, which is the order
//! of the report.

use std::fmt::Write;

use abi::layout::{THREAD_SIZE, THREAD_SYMBOL};
use hashbrown::{HashMap, HashSet};
use ir::{ItemId, PlaceId, Places, Symbol};
use lir::Type;

use crate::debug::Records;
use crate::facts::Fact;
use crate::function;
use crate::unit::{External, Function, Unit};

/// The runtime's entry for panics of code without function records.
const PANIC: &str = "ori_panic_at";
/// Goes on unwinding.
const RESUME: &str = "ori_unwind_resume";

/// The text of a unit. The same unit gives the same text.
pub fn write(unit: &Unit) -> String {
    let mut module = Module::new(unit);
    for number in 0..unit.functions.len() {
        function::write(&mut module, number);
    }
    module.finish()
}

/// What functions share.
pub(crate) struct Module<'u> {
    pub(crate) unit: &'u Unit,
    functions: HashMap<ItemId, &'u Function>,
    externals: HashMap<ItemId, &'u External>,
    values: HashSet<ItemId>,
    items: HashMap<ItemId, &'u str>,
    /// Places by item, line, column and the number of the place around, plus one.
    places: HashMap<(ItemId, u32, u32, u32), u32>,
    data: HashMap<Symbol, u32>,
    statics: HashMap<Symbol, u32>,
    thunks: HashMap<ItemId, ()>,
    /// Declarations by symbol, as they came up.
    declared: HashMap<String, ()>,
    /// What a debugger is told, when it is told something.
    pub(crate) records: Option<Records<'u>>,
    /// Constants and declarations.
    head: String,
    /// Functions.
    pub(crate) body: String,
}

impl<'u> Module<'u> {
    fn new(unit: &'u Unit) -> Module<'u> {
        let functions = unit.functions.iter().map(|function| (function.graph().name, function)).collect();
        let externals = unit.externals.iter().map(|external| (external.item, external)).collect();
        let items = unit.items.iter().map(|row| (row.item, row.symbol.as_str())).collect();
        Module {
            unit,
            functions,
            externals,
            values: unit.values.iter().copied().collect(),
            items,
            places: HashMap::new(),
            data: HashMap::new(),
            statics: HashMap::new(),
            thunks: HashMap::new(),
            declared: HashMap::new(),
            records: unit.debug.as_ref().map(Records::new),
            head: String::new(),
            body: String::new(),
        }
    }

    fn finish(self) -> String {
        let mut out = String::with_capacity(self.head.len() + self.body.len() + 1024);
        // A unit has no name of its own: nothing in an object may say which program it was for.
        out.push_str("source_filename = \"ori\"\ntarget triple = \"x86_64-unknown-linux-gnu\"\n\n");
        let _ = writeln!(out, "@{THREAD_SYMBOL} = external thread_local(localexec) global [{THREAD_SIZE} x i8], align 64");
        out.push_str(&self.head);
        let cold = self.unit.facts.text(Fact::Cold, " #1");
        let _ = write!(
            out,
            "\ndeclare ptr @llvm.threadlocal.address.p0(ptr)
declare {{ i64, i1 }} @llvm.sadd.with.overflow.i64(i64, i64)
declare {{ i64, i1 }} @llvm.ssub.with.overflow.i64(i64, i64)
declare {{ i64, i1 }} @llvm.smul.with.overflow.i64(i64, i64)
declare void @llvm.trap()
declare double @llvm.fabs.f64(double)
declare double @llvm.sqrt.f64(double)
declare i32 @ori_personality(...)
declare void @{PANIC}(i64, i64, i64, ptr){cold}
declare void @{RESUME}(ptr){cold}

{}attributes #0 = {{ uwtable \"probe-stack\"=\"inline-asm\" }}
attributes #1 = {{ cold }}
attributes #2 = {{ nounwind }}
!0 = !{{!\"branch_weights\", i32 1048575, i32 1}}
!2 = !{{!\"branch_weights\", i32 1, i32 1048575}}
",
            self.body
        );
        if let Some(records) = self.records {
            out.push_str(&records.finish());
        }
        out
    }

    /// The symbol of a function, quoted; one of another object is declared. One that nobody described has none, and LLVM says so.
    pub(crate) fn function(&mut self, item: ItemId) -> String {
        if let Some(function) = self.functions.get(&item) {
            return quoted(&function.symbol);
        }
        let Some(External { symbol, params, results, .. }) = self.externals.get(&item).copied() else { return quoted("") };
        let name = quoted(symbol);
        if !self.declared.contains_key(symbol) {
            let params: Vec<&str> = params.iter().map(|&ty| wide(ty)).collect();
            let _ = writeln!(self.head, "declare swiftcc {} {name}({}) #0", result(results), params.join(", "));
            self.declared.insert(symbol.clone(), ());
        }
        name
    }

    /// Declares a function of the runtime.
    pub(crate) fn runtime(&mut self, symbol: &str, result: &str, params: &[&str]) {
        if !self.declared.contains_key(symbol) {
            let nounwind = self.unit.facts.text(Fact::Nounwind, " #2");
            let _ = writeln!(self.head, "declare {result} @{symbol}({}){nounwind}", params.join(", "));
            self.declared.insert(symbol.to_owned(), ());
        }
    }

    /// The address of a function as a value. One that is called with one more argument than it takes gets a thunk: LLVM may assume that a call
    /// agrees with the function.
    pub(crate) fn address(&mut self, item: ItemId) -> String {
        let callee = self.function(item);
        let (symbol, params, results) = match (self.functions.get(&item), self.externals.get(&item)) {
            (Some(function), _) => (&function.symbol, function::params(function.graph()), &function.graph().results),
            (None, Some(external)) => (&external.symbol, external.params.clone(), &external.results),
            (None, None) => return callee,
        };
        if !self.values.contains(&item) {
            return callee;
        }
        let name = quoted(&format!("{symbol}&value"));
        if self.thunks.insert(item, ()).is_none() {
            let result = result(results);
            let listed: Vec<String> = params.iter().enumerate().map(|(at, &ty)| format!("{} %a{at}", wide(ty))).collect();
            let comma = if listed.is_empty() { "" } else { ", " };
            let listed = listed.join(", ");
            let _ = writeln!(self.body, "define internal swiftcc {result} {name}({listed}{comma}ptr %cell) #0 {{");
            if results.is_empty() {
                let _ = writeln!(self.body, "  tail call swiftcc void {callee}({listed})\n  ret void\n}}\n");
            } else {
                let _ = writeln!(self.body, "  %r = tail call swiftcc {result} {callee}({listed})\n  ret {result} %r\n}}\n");
            }
        }
        name
    }

    /// The address of static text.
    pub(crate) fn data(&mut self, text: Symbol) -> String {
        let next = self.data.len() as u32;
        let number = *self.data.entry(text).or_insert(next);
        let name = if self.unit.is_part { format!("ori_text_{:032x}", text.content()) } else { format!("d.{number}") };
        if number == next {
            let (length, bytes) = (text.as_str().len(), escaped(text.as_str().as_bytes()));
            let (before, linkage, after) = match self.unit.is_part {
                true => (format!("${name} = comdat any\n"), "linkonce_odr hidden", ", comdat"),
                false => (String::new(), "private", ""),
            };
            let _ = writeln!(self.head, "{before}@{name} = {linkage} unnamed_addr constant [{length} x i8] c\"{bytes}\"{after}, align 8");
        }
        format!("@{name}")
    }

    /// The address of the first section of static data; those that it points into stand before it.
    pub(crate) fn statics(&mut self, text: Symbol) -> String {
        let next = self.statics.len() as u32;
        let number = *self.statics.entry(text).or_insert(next);
        let name = |section: usize| match self.unit.is_part {
            true => format!("ori_static_{:032x}_{section}", text.content()),
            false => format!("s.{number}.{section}"),
        };
        if number == next {
            // Nothing, of a text that the verifier of LIR refuses.
            let sections = lir::statics::parse(text).unwrap_or_default();
            for (at, section) in sections.iter().enumerate().rev() {
                let (name, behind) = (name(at), name(at + 1));
                let (mut types, mut values, mut from) = (Vec::new(), Vec::new(), 0);
                let plain = |from: usize, to: usize, types: &mut Vec<String>, values: &mut Vec<String>| {
                    if from < to {
                        types.push(format!("[{} x i8]", to - from));
                        values.push(format!("[{} x i8] c\"{}\"", to - from, escaped(&section.bytes[from..to])));
                    }
                };
                for &(place, to) in &section.links {
                    plain(from, place as usize, &mut types, &mut values);
                    types.push("ptr".to_owned());
                    values.push(format!("ptr getelementptr (i8, ptr @{behind}, i64 {to})"));
                    from = place as usize + 8;
                }
                plain(from, section.bytes.len(), &mut types, &mut values);
                let (types, values) = (types.join(", "), values.join(", "));
                let (before, linkage, after) = match self.unit.is_part {
                    true => (format!("${name} = comdat any\n"), "linkonce_odr hidden", ", comdat"),
                    false => (String::new(), "private", ""),
                };
                let _ = writeln!(
                    self.head,
                    "{before}@{name} = {linkage} unnamed_addr constant <{{ {types} }}> <{{ {values} }}>{after}, align 8"
                );
            }
        }
        format!("@{}", name(0))
    }

    /// The address of a place, with the calls that it was inlined through; `null` for none.
    pub(crate) fn place(&mut self, places: &Places, id: PlaceId) -> String {
        let chain: Vec<_> = places.chain(id).copied().collect();
        let mut around = 0;
        for place in chain.iter().rev() {
            let next = self.places.len() as u32 + 1;
            let number = *self.places.entry((place.item, place.line, place.column, around)).or_insert(next);
            if number == next {
                let row = self.items.get(&place.item).map_or_else(|| "null".to_owned(), |symbol| quoted(symbol));
                if row != "null" && !self.declared.contains_key(&row) {
                    let _ = writeln!(self.head, "{row} = external hidden constant i8");
                    self.declared.insert(row.clone(), ());
                }
                let outer = if around == 0 { "null".to_owned() } else { format!("@p.{around}") };
                let (line, column) = (place.line, place.column);
                let _ = writeln!(
                    self.head,
                    "@p.{number} = private unnamed_addr constant {{ ptr, i32, i32, ptr }} {{ ptr {row}, i32 {line}, i32 {column}, ptr {outer} }}, align 8"
                );
            }
            around = number;
        }
        if around == 0 { "null".to_owned() } else { format!("@p.{around}") }
    }
}

/// The type of a value.
pub(crate) const fn narrow(ty: Type) -> &'static str {
    match ty {
        Type::I8 => "i8",
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::Ptr => "ptr",
        Type::F64 => "double",
    }
}

/// The type of a value in a call.
pub(crate) const fn wide(ty: Type) -> &'static str {
    match ty {
        Type::I8 | Type::I32 | Type::I64 => "i64",
        Type::Ptr => "ptr",
        Type::F64 => "double",
    }
}

/// The result type of a function with these results.
pub(crate) fn result(types: &[Type]) -> String {
    match types {
        [] => "void".to_owned(),
        [one] => wide(*one).to_owned(),
        several => format!("{{ {} }}", several.iter().map(|&ty| wide(ty)).collect::<Vec<_>>().join(", ")),
    }
}

/// A global name.
pub(crate) fn quoted(symbol: &str) -> String {
    format!("@\"{}\"", escaped(symbol.as_bytes()))
}

/// Bytes as LLVM's strings have them.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_graphic() && byte != b'"' && byte != b'\\' || byte == b' ' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "\\{byte:02X}");
        }
    }
    out
}

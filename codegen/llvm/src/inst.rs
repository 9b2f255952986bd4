//! One instruction of LIR, its LLVM form.

use std::fmt::Write;

use abi::layout::{CELL_COUNT, CELL_META, THREAD_SYMBOL, class_bytes};
use abi::{Kind, PanicKind, RuntimeCall};
use ir::ItemId;
use ir::ssa::{Inst, Value};
use lir::ops::{NOUNWIND, check_parts};
use lir::{Cond, FloatCond, Op, Type};

use crate::facts::Fact;
use crate::function::Writer;
use crate::text::{narrow, result, wide};

/// LLVM's name of a comparison.
const fn predicate(cond: Cond) -> &'static str {
    match cond {
        Cond::Eq => "eq",
        Cond::Ne => "ne",
        Cond::Slt => "slt",
        Cond::Sle => "sle",
        Cond::Sgt => "sgt",
        Cond::Sge => "sge",
        Cond::Ult => "ult",
        Cond::Ule => "ule",
        Cond::Ugt => "ugt",
        Cond::Uge => "uge",
    }
}

/// LLVM's name of a comparison of doubles: all but `ne` are false for a NaN.
const fn float_predicate(cond: FloatCond) -> &'static str {
    match cond {
        FloatCond::Eq => "oeq",
        FloatCond::Ne => "une",
        FloatCond::Lt => "olt",
        FloatCond::Le => "ole",
        FloatCond::Gt => "ogt",
        FloatCond::Ge => "oge",
    }
}

impl Writer<'_, '_> {
    /// What is written for a fact, if LLVM is told.
    pub(crate) const fn told(&self, fact: Fact, text: &'static str) -> &'static str {
        self.module.unit.facts.text(fact, text)
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        self.now.push_str("  ");
        let _ = self.now.write_fmt(text);
        self.now.push('\n');
    }

    /// Writes an instruction. What the verifier refuses gives text that LLVM refuses.
    pub(crate) fn inst(&mut self, inst: Inst) {
        let graph = self.graph;
        let row = &graph.insts[inst];
        let args = graph.args(inst);
        let value = row.first_result.raw();
        let plain = |op| match op {
            Op::Sub => Some("sub"),
            Op::Mul => Some("mul"),
            Op::And => Some("and"),
            Op::Or => Some("or"),
            Op::Xor => Some("xor"),
            Op::Sdiv => Some("sdiv"),
            Op::Srem => Some("srem"),
            Op::Fadd => Some("fadd"),
            Op::Fsub => Some("fsub"),
            Op::Fmul => Some("fmul"),
            Op::Fdiv => Some("fdiv"),
            _ => None,
        };
        match (row.op, args) {
            (Op::Iconst | Op::Fconst | Op::Data | Op::Static | Op::Code | Op::Slot, _) => {}
            (Op::Add, &[a, b]) if graph.ty(a) == Type::Ptr => {
                let (a, b) = (self.name(a), self.name(b));
                self.line(format_args!("%v{value} = getelementptr i8, ptr {a}, i64 {b}"));
            }
            (Op::Add, &[a, b]) => {
                let (a, b) = (self.name(a), self.name(b));
                self.line(format_args!("%v{value} = add i64 {a}, {b}"));
            }
            (op, &[a, b]) if plain(op).is_some() => {
                let (name, ty) = (plain(op).unwrap_or_default(), narrow(graph.ty(a)));
                let (a, b) = (self.name(a), self.name(b));
                self.line(format_args!("%v{value} = {name} {ty} {a}, {b}"));
            }
            (Op::MulHigh, &[a, b]) => {
                let [x, y, product, high] = [self.temp(), self.temp(), self.temp(), self.temp()];
                let (a, b) = (self.name(a), self.name(b));
                self.line(format_args!("{x} = sext i64 {a} to i128"));
                self.line(format_args!("{y} = sext i64 {b} to i128"));
                self.line(format_args!("{product} = mul nsw i128 {x}, {y}"));
                self.line(format_args!("{high} = lshr i128 {product}, 64"));
                self.line(format_args!("%v{value} = trunc i128 {high} to i64"));
            }
            (Op::Neg, &[a]) => {
                let a = self.name(a);
                self.line(format_args!("%v{value} = sub i64 0, {a}"));
            }
            (Op::Shl | Op::Shr | Op::Sar, &[a, b]) => {
                let (a, b, count) = (self.name(a), self.name(b), self.temp());
                let name = match row.op {
                    Op::Shl => "shl",
                    Op::Shr => "lshr",
                    _ => "ashr",
                };
                self.line(format_args!("{count} = and i64 {b}, 63"));
                self.line(format_args!("%v{value} = {name} i64 {a}, {count}"));
            }
            (Op::AddCheck, &[a, b]) => self.checked(inst, "sadd", [self.name(a), self.name(b)]),
            (Op::SubCheck, &[a, b]) => self.checked(inst, "ssub", [self.name(a), self.name(b)]),
            (Op::MulCheck, &[a, b]) => self.checked(inst, "smul", [self.name(a), self.name(b)]),
            (Op::NegCheck, &[a]) => self.checked(inst, "ssub", ["0".to_owned(), self.name(a)]),
            (Op::Check, [a, b, further @ ..]) => {
                let Some((cond, kind)) = check_parts(row.imm) else { return };
                let (test, b) = (self.temp(), self.name(*b));
                let a = self.typed(*a);
                self.line(format_args!("{test} = icmp {} {a}, {b}", predicate(cond)));
                let (fails, on) = (self.panic(inst, kind, further), self.split());
                let weights = self.told(Fact::Weights, ", !prof !0");
                self.line(format_args!("br i1 {test}, label %{on}, label %{fails}{weights}"));
                self.enter(on);
            }
            (Op::Icmp, &[a, b]) => {
                let name = Cond::ALL.get(row.imm as usize).map_or("", |&cond| predicate(cond));
                let (test, a, b) = (self.temp(), self.typed(a), self.name(b));
                self.line(format_args!("{test} = icmp {name} {a}, {b}"));
                self.line(format_args!("%v{value} = zext i1 {test} to i8"));
            }
            (Op::Fcmp, &[a, b]) => {
                let name = FloatCond::ALL.get(row.imm as usize).map_or("", |&cond| float_predicate(cond));
                let (test, a, b) = (self.temp(), self.typed(a), self.name(b));
                self.line(format_args!("{test} = fcmp {name} {a}, {b}"));
                self.line(format_args!("%v{value} = zext i1 {test} to i8"));
            }
            (Op::Select, &[test, a, b]) => {
                let is = self.truth(test);
                let (a, b) = (self.typed(a), self.typed(b));
                self.line(format_args!("%v{value} = select i1 {is}, {a}, {b}"));
            }
            (Op::Zext, &[a]) => {
                let a = self.typed(a);
                self.line(format_args!("%v{value} = zext {a} to i64"));
            }
            (Op::Trunc, &[a]) => match graph.ty(row.first_result) {
                ty @ (Type::I8 | Type::I32) => {
                    let a = self.name(a);
                    self.line(format_args!("%v{value} = trunc i64 {a} to {}", narrow(ty)));
                }
                Type::I64 | Type::Ptr | Type::F64 => self.narrowed(row.first_result, &self.name(a)),
            },
            (Op::Fneg, &[a]) => {
                let a = self.name(a);
                self.line(format_args!("%v{value} = fneg double {a}"));
            }
            (Op::Fabs | Op::Fsqrt, &[a]) => {
                let a = self.name(a);
                let name = if row.op == Op::Fabs { "fabs" } else { "sqrt" };
                self.line(format_args!("%v{value} = call double @llvm.{name}.f64(double {a})"));
            }
            (Op::FloatOfInt, &[a]) => {
                let a = self.name(a);
                self.line(format_args!("%v{value} = sitofp i64 {a} to double"));
            }
            (Op::IntOfFloat, &[a]) => {
                let a = self.name(a);
                self.line(format_args!("%v{value} = fptosi double {a} to i64"));
            }
            (Op::BitsOfFloat, &[a]) => {
                let a = self.name(a);
                self.line(format_args!("%v{value} = bitcast double {a} to i64"));
            }
            (Op::FloatOfBits, &[a]) => {
                let a = self.name(a);
                self.line(format_args!("%v{value} = bitcast i64 {a} to double"));
            }
            (Op::Load, &[address]) => {
                let ty = graph.ty(row.first_result);
                let at = self.at(address, row.imm as i64);
                // What is read of static text needs no `!invariant.load`: it is a `constant`, whose bytes LLVM has before it.
                self.line(format_args!("%v{value} = load {}, ptr {at}, align {}", narrow(ty), ty.size()));
            }
            (Op::Store, &[address, stored]) => {
                let at = self.at(address, row.imm as i64);
                let (size, stored) = (graph.ty(stored).size(), self.typed(stored));
                self.line(format_args!("store {stored}, ptr {at}, align {size}"));
            }
            (Op::Alloc, _) => self.alloc(row.first_result, row.imm),
            (Op::Free, &[cell]) => {
                let (list, first, cell) = (self.free_list(row.imm), self.temp(), self.name(cell));
                self.line(format_args!("{first} = load ptr, ptr {list}, align 8"));
                self.line(format_args!("store ptr {first}, ptr {cell}, align 8"));
                self.line(format_args!("store ptr {cell}, ptr {list}, align 8"));
            }
            (Op::CountUp | Op::CountDown, &[cell]) => {
                let at = self.at(cell, CELL_COUNT);
                let [old, new, test] = [self.temp(), self.temp(), self.temp()];
                let how = if row.op == Op::CountUp { "add" } else { "sub" };
                self.line(format_args!("{old} = load i32, ptr {at}, align 4"));
                self.line(format_args!("{new} = {how} i32 {old}, 1"));
                self.line(format_args!("store i32 {new}, ptr {at}, align 4"));
                if row.op == Op::CountDown {
                    self.line(format_args!("{test} = icmp slt i32 {new}, 0"));
                    self.line(format_args!("%v{value} = zext i1 {test} to i8"));
                }
            }
            (Op::Runtime, _) => self.runtime(inst, args),
            (Op::Call, _) => {
                let callee = self.module.function(ItemId::from_raw(row.imm as u32));
                self.call(inst, &callee, args);
            }
            (Op::CallPtr, [callee, args @ ..]) => {
                let callee = self.name(*callee);
                self.call(inst, &callee, args);
            }
            _ => self.terminator(inst, args),
        }
    }

    fn terminator(&mut self, inst: Inst, args: &[Value]) {
        let graph = self.graph;
        let row = &graph.insts[inst];
        let targets = graph.targets(inst);
        let is_only = |at: usize| targets.iter().filter(|other| other.block == targets[at].block).count() == 1;
        match (row.op, args) {
            (Op::Jump, _) if !targets.is_empty() => {
                let to = self.edge(targets[0], true);
                self.line(format_args!("br label %{to}"));
            }
            (Op::Branch, &[test]) if targets.len() == 2 => {
                let is = self.truth(test);
                let (yes, no) = (self.edge(targets[0], is_only(0)), self.edge(targets[1], is_only(1)));
                self.line(format_args!("br i1 {is}, label %{yes}, label %{no}"));
            }
            (Op::Switch, &[value]) if !targets.is_empty() => {
                let labels: Vec<String> = (0..targets.len()).map(|at| self.edge(targets[at], is_only(at))).collect();
                let (ty, value) = (narrow(graph.ty(value)), self.typed(value));
                let mut cases = String::new();
                for (case, label) in graph.cases(inst).iter().zip(&labels) {
                    let _ = write!(cases, " {ty} {case}, label %{label}");
                }
                self.line(format_args!("switch {value}, label %{} [{cases} ]", labels[labels.len() - 1]));
            }
            (Op::Return, []) => self.line(format_args!("ret void")),
            (Op::Return, &[one]) => {
                let one = self.widened(one);
                self.line(format_args!("ret {one}"));
            }
            (Op::Return, several) => {
                let ty = result(&graph.results);
                let mut whole = "poison".to_owned();
                for (at, &value) in several.iter().enumerate() {
                    let (part, next) = (self.widened(value), self.temp());
                    self.line(format_args!("{next} = insertvalue {ty} {whole}, {part}, {at}"));
                    whole = next;
                }
                self.line(format_args!("ret {ty} {whole}"));
            }
            (Op::Tail, _) => {
                let item = ItemId::from_raw(row.imm as u32);
                let ty = result(&graph.results);
                let types: Vec<&'static str> = args.iter().map(|&arg| wide(graph.ty(arg))).collect();
                let own: Vec<&'static str> = crate::function::params(graph).iter().map(|&ty| wide(ty)).collect();
                // LLVM promises it for functions of one type only, and does it as well where all arguments are in registers.
                let how = if own == types { "musttail" } else { "tail" };
                let callee = self.module.function(item);
                let listed: Vec<String> = args.iter().map(|&arg| self.widened(arg)).collect();
                let listed = listed.join(", ");
                if graph.results.is_empty() {
                    self.line(format_args!("{how} call swiftcc void {callee}({listed})"));
                    self.line(format_args!("ret void"));
                } else {
                    let temp = self.temp();
                    self.line(format_args!("{temp} = {how} call swiftcc {ty} {callee}({listed})"));
                    self.line(format_args!("ret {ty} {temp}"));
                }
            }
            (Op::Panic, _) => {
                let kind = PanicKind::from_number(row.imm).unwrap_or(PanicKind::Unreachable);
                let to = self.panic(inst, kind, args);
                self.line(format_args!("br label %{to}"));
            }
            // A call, and not LLVM's `resume`: a pad that does nothing else would go, and the place with it.
            (Op::Resume, _) => {
                let cold = self.told(Fact::Cold, " #1");
                self.line(format_args!("call void @ori_unwind_resume(ptr null){cold}"));
                self.line(format_args!("unreachable"));
            }
            // Native code traps, and so does this.
            (Op::Unreachable, _) => {
                self.line(format_args!("call void @llvm.trap()"));
                self.line(format_args!("unreachable"));
            }
            _ => self.line(format_args!("; malformed")),
        }
    }

    /// A bool as LLVM's branches want it.
    fn truth(&mut self, value: Value) -> String {
        let (test, value) = (self.temp(), self.name(value));
        self.line(format_args!("{test} = icmp ne i8 {value}, 0"));
        test
    }

    /// An address and an offset; an integer that is an address becomes one.
    fn at(&mut self, address: Value, offset: i64) -> String {
        let mut base = self.name(address);
        if self.graph.ty(address) != Type::Ptr {
            let temp = self.temp();
            self.line(format_args!("{temp} = inttoptr i64 {base} to ptr"));
            base = temp;
        }
        if offset == 0 {
            return base;
        }
        let temp = self.temp();
        self.line(format_args!("{temp} = getelementptr i8, ptr {base}, i64 {offset}"));
        temp
    }

    fn checked(&mut self, inst: Inst, name: &str, [a, b]: [String; 2]) {
        let row = &self.graph.insts[inst];
        let kind = PanicKind::from_number(row.imm).unwrap_or(PanicKind::AddOverflow);
        let value = row.first_result.raw();
        let [pair, test] = [self.temp(), self.temp()];
        self.line(format_args!("{pair} = call {{ i64, i1 }} @llvm.{name}.with.overflow.i64(i64 {a}, i64 {b})"));
        self.line(format_args!("%v{value} = extractvalue {{ i64, i1 }} {pair}, 0"));
        self.line(format_args!("{test} = extractvalue {{ i64, i1 }} {pair}, 1"));
        let (fails, on) = (self.panic(inst, kind, &[]), self.split());
        let weights = self.told(Fact::Weights, ", !prof !2");
        self.line(format_args!("br i1 {test}, label %{fails}, label %{on}{weights}"));
        self.enter(on);
    }

    /// Address of the free list of a size class.
    fn free_list(&mut self, class: u64) -> String {
        let [thread, list] = [self.temp(), self.temp()];
        self.line(format_args!("{thread} = call ptr @llvm.threadlocal.address.p0(ptr @{THREAD_SYMBOL})"));
        self.line(format_args!("{list} = getelementptr i8, ptr {thread}, i64 {}", (class & 0xff) * 8));
        list
    }

    /// The next free block, which the runtime provides when there is none.
    fn alloc(&mut self, cell: Value, imm: u64) {
        self.module.runtime(RuntimeCall::Allocate.symbol(), "ptr", &["i64", "i64"]);
        let list = self.free_list(imm);
        let [first, none, next, meta, made] = [self.temp(), self.temp(), self.temp(), self.temp(), self.temp()];
        let (have, lack, on) = (self.split(), self.split(), self.split());
        self.line(format_args!("{first} = load ptr, ptr {list}, align 8"));
        self.line(format_args!("{none} = icmp eq ptr {first}, null"));
        let weights = self.told(Fact::Weights, ", !prof !2");
        self.line(format_args!("br i1 {none}, label %{lack}, label %{have}{weights}"));
        self.enter(have.clone());
        self.line(format_args!("{next} = load ptr, ptr {first}, align 8"));
        self.line(format_args!("store ptr {next}, ptr {list}, align 8"));
        self.line(format_args!("{meta} = getelementptr i8, ptr {first}, i64 {CELL_META}"));
        self.line(format_args!("store i32 {}, ptr {meta}, align 4", imm as u32 as i32));
        self.line(format_args!("br label %{on}"));
        self.enter(lack.clone());
        let (bytes, tag) = (class_bytes(imm as u8), imm >> 8);
        let nounwind = self.told(Fact::Nounwind, " #2");
        self.line(format_args!("{made} = call ptr @{}(i64 {bytes}, i64 {tag}){nounwind}", RuntimeCall::Allocate.symbol()));
        self.line(format_args!("br label %{on}"));
        self.enter(on);
        self.line(format_args!("%v{} = phi ptr [ {first}, %{have} ], [ {made}, %{lack} ]", cell.raw()));
    }

    fn runtime(&mut self, inst: Inst, args: &[Value]) {
        let graph = self.graph;
        let row = &graph.insts[inst];
        let Some(call) = RuntimeCall::from_number(row.imm) else { return };
        let value = graph.results(inst).next();
        let ty = value.map_or("void", |value| wide(graph.ty(value)));
        let mut listed: Vec<String> = args.iter().map(|&arg| self.widened(arg)).collect();
        let mut params: Vec<&str> = args.iter().map(|&arg| wide(graph.ty(arg))).collect();
        let mut symbol = call.symbol().to_owned();
        if call.tells_place() {
            // The place of native code is known by the address that the call returns to.
            symbol.push_str("_at");
            listed.push(format!("ptr {}", self.module.place(&graph.places, graph.edges[inst].place)));
            params.push("ptr");
        }
        self.module.runtime(&symbol, ty, &params);
        let listed = listed.join(", ");
        debug_assert!(call.result() != Kind::Void || value.is_none() || !call.statuses().is_empty());
        let Some(value) = value else {
            self.line(format_args!("call void @{symbol}({listed})"));
            return;
        };
        let temp = self.temp();
        self.line(format_args!("{temp} = call {ty} @{symbol}({listed})"));
        self.narrowed(value, &temp);
    }

    fn result_type(&self, inst: Inst) -> String {
        let types: Vec<Type> = self.graph.results(inst).map(|value| self.graph.ty(value)).collect();
        result(&types)
    }

    fn call(&mut self, inst: Inst, callee: &str, args: &[Value]) {
        let graph = self.graph;
        let ty = self.result_type(inst);
        let listed: Vec<String> = args.iter().map(|&arg| self.widened(arg)).collect();
        let listed = listed.join(", ");
        let values: Vec<Value> = graph.results(inst).collect();
        let whole = self.temp();
        let head = if values.is_empty() { String::new() } else { format!("{whole} = ") };
        let unwinds = graph.insts[inst].flags & NOUNWIND == 0;
        let pad = if unwinds {
            let place = self.module.place(&graph.places, graph.edges[inst].place);
            self.pad(inst, &place)
        } else {
            None
        };
        match pad {
            Some(pad) => {
                let on = self.split();
                self.line(format_args!("{head}invoke swiftcc {ty} {callee}({listed}) to label %{on} unwind label %{pad}"));
                self.enter(on);
            }
            None => {
                let fact = if unwinds { "" } else { self.told(Fact::Nounwind, " #2") };
                self.line(format_args!("{head}call swiftcc {ty} {callee}({listed}){fact}"));
            }
        }
        match values.as_slice() {
            [] => {}
            [one] => self.narrowed(*one, &whole),
            several => {
                for (at, &value) in several.iter().enumerate() {
                    let part = self.temp();
                    self.line(format_args!("{part} = extractvalue {ty} {whole}, {at}"));
                    self.narrowed(value, &part);
                }
            }
        }
    }
}

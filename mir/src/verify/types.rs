//! M02: every op gets and gives what its row says, calls fit signatures, claims are proved.

use abi::{Kind, PanicKind, RuntimeCall};
use hir::program::ObjectMethod;
use hir::{Type, TypeKind};
use ir::ssa::{ENTRY, Graph, Inst, Value};
use ir::{ItemId, Stop, Symbol, Where};

use super::faults::MirFault;
use super::proof;
use crate::Op;
use crate::ir::{Context, Mir, Variants};
use crate::ops::{Class, NOUNWIND, payload_parts};
use crate::statics;

/// The language type that crosses the runtime boundary as this kind.
pub const fn type_of_kind(kind: Kind) -> Type {
    match kind {
        Kind::Void => Type::VOID,
        Kind::Int => Type::INT,
        Kind::Float => Type::FLOAT,
        Kind::Bool => Type::BOOL,
        Kind::Char => Type::CHAR,
        Kind::Byte => Type::BYTE,
        Kind::Str => Type::STR,
        // No value of MIR is an address.
        Kind::Address => Type::ERROR,
    }
}

/// Judges the instructions of all blocks.
pub(super) fn check(graph: &Graph<Mir>, closed: bool, cx: &dyn Context, faults: &mut Vec<MirFault>) -> Result<(), Stop> {
    let mut checker = Checker { graph, closed, cx, faults, last_fields: None };
    checker.function()?;
    for (block, row) in graph.blocks.iter() {
        for &param in &row.params {
            // The parameters of the entry stand in the first line.
            checker.closed(if block == ENTRY { Where::Function } else { Where::Block(block.raw()) }, param);
        }
        for (index, &inst) in row.insts.iter().enumerate() {
            checker.inst(Where::Inst { block: block.raw(), index: index as u32 }, inst)?;
        }
    }
    Ok(())
}

struct Checker<'a> {
    graph: &'a Graph<Mir>,
    /// The phase has no type parameters.
    closed: bool,
    cx: &'a dyn Context,
    faults: &'a mut Vec<MirFault>,
    /// The last answer about fields: code that builds or reads an aggregate asks again and again for one type.
    last_fields: Option<(Type, std::sync::Arc<[Type]>)>,
}

impl Checker<'_> {
    fn function(&mut self) -> Result<(), Stop> {
        let graph = self.graph;
        let at = Where::Function;
        let [result] = graph.results[..] else {
            self.faults.push(MirFault::ResultsOfFunction { at, found: graph.results.len() });
            return Ok(());
        };
        if is_open(result) || self.closed && result.has_parameter() {
            self.faults.push(MirFault::OpenType { at, value: 0, found: result.to_string() });
        }
        let Some(entry) = graph.blocks.get(ENTRY) else { return Ok(()) };
        // A body without signature (a test, a fixture on its own) is its own signature.
        if let Some(signature) = self.cx.signature(graph.name)? {
            let params: Vec<Type> = entry.params.iter().filter_map(|&v| self.ty(v)).collect();
            let is_open = signature.0.iter().any(|&ty| self.depends(ty)) || self.depends(signature.1);
            if !is_open && (params != signature.0 || result != signature.1) {
                self.faults.push(MirFault::Signature {
                    at,
                    expected: signature_text(&signature.0, signature.1),
                    found: signature_text(&params, result),
                });
            }
        }
        Ok(())
    }

    /// Type of a value; nothing for one that dangles, which the structural rules report.
    #[inline]
    fn ty(&self, value: Value) -> Option<Type> {
        self.graph.values.get(value).map(|row| row.ty)
    }

    /// Type of the first operand, on which those of others may depend.
    fn first(&self, args: &[Value]) -> Option<Type> {
        args.first().and_then(|&value| self.ty(value))
    }

    /// Has it an associated type, of which the bounds of the function may say what it is? HIR has judged that; instances are judged again, closed.
    fn depends(&self, ty: Type) -> bool {
        !self.closed && ty.has_associated()
    }

    #[inline]
    fn closed(&mut self, at: Where, value: Value) {
        if let Some(ty) = self.ty(value)
            && !is_built_in(ty)
            && (is_open(ty) || self.closed && (ty.has_parameter() || ty.has_associated()))
        {
            let value = value.raw();
            self.faults.push(MirFault::OpenType { at, value, found: ty.to_string() });
        }
    }

    fn fields(&mut self, ty: Type) -> Result<Option<std::sync::Arc<[Type]>>, Stop> {
        if let Some((last, fields)) = &self.last_fields
            && *last == ty
        {
            return Ok(Some(fields.clone()));
        }
        let fields = match ty.kind() {
            TypeKind::Tuple(_) | TypeKind::Struct(..) => self.cx.fields(ty)?,
            _ => None,
        };
        if let Some(fields) = &fields {
            self.last_fields = Some((ty, fields.clone()));
        }
        Ok(fields)
    }

    fn variants(&self, ty: Type) -> Result<Option<std::sync::Arc<Variants>>, Stop> {
        match ty.kind() {
            TypeKind::Struct(..) => self.cx.variants(ty),
            _ => Ok(None),
        }
    }

    fn inst(&mut self, at: Where, inst: Inst) -> Result<(), Stop> {
        let graph = self.graph;
        let row = &graph.insts[inst];
        let info = row.op.info();
        let op = info.name;
        let args = &graph.args[row.args];
        // Counts are a matter of structure; the rules below read operands by position.
        let mut classes = info.operands;
        let results = row.results as usize;
        if args.len() != classes.len() {
            let Some((Class::Many, fixed)) = classes.split_last() else { return Ok(()) };
            if args.len() < fixed.len() {
                return Ok(());
            }
            classes = fixed;
        }
        if results != info.results.len() && info.results != [Class::Many] {
            return Ok(());
        }
        for (&class, &arg) in classes.iter().zip(args) {
            let Some(ty) = self.ty(arg) else { continue };
            if !is_plainly(class, ty) && !self.fits(class, ty, self.first(args))? {
                let expected = class_text(class, self.first(args));
                self.faults.push(MirFault::OperandType { at, op, value: arg.raw(), expected, found: ty.to_string() });
            }
        }
        let mut result_ty = None;
        if results == 1 {
            let value = row.first_result;
            let Some(ty) = self.ty(value) else { return Ok(()) };
            result_ty = Some(ty);
            let class = info.results[0];
            // What is plainly of a class is closed.
            if !is_plainly(class, ty) {
                self.closed(at, value);
                if !self.fits(class, ty, self.first(args))? {
                    let expected = class_text(class, self.first(args));
                    self.faults.push(MirFault::ResultType { at, op, value: value.raw(), expected, found: ty.to_string() });
                }
            }
        }
        if row.flags & NOUNWIND != 0 && !proof::cannot_panic(graph, inst) {
            self.faults.push(MirFault::UnprovedNounwind { at, op });
        }
        match row.op {
            Op::Bool | Op::Byte | Op::Char => self.literal(at, row.op, row.imm as i64),
            Op::Select => self.select(at, args, row.first_result),
            Op::Aggregate => self.aggregate(at, args, result_ty)?,
            Op::List => self.elements(at, args, result_ty),
            Op::Static => self.statics(at, row.imm, result_ty)?,
            Op::Field => {
                if let (Some(ty), Some(result)) = (self.first(args), result_ty) {
                    self.field(at, ty, row.imm as i64, row.first_result, result)?;
                }
            }
            Op::WithField => {
                if let (Some(ty), Some(new)) = (self.first(args), self.ty(args[1])) {
                    self.field(at, ty, row.imm as i64, args[1], new)?;
                }
            }
            Op::Variant => {
                if let Some(ty) = result_ty {
                    self.variant(at, ty, row.imm, args)?;
                }
            }
            Op::Is => {
                if let Some(ty) = self.first(args) {
                    self.payload_of(at, ty, row.imm)?;
                }
            }
            Op::Payload => {
                if let (Some(ty), Some(result)) = (self.first(args), result_ty) {
                    self.payload(at, ty, row.imm, row.first_result, result)?;
                }
            }
            Op::New => {
                if let Some(TypeKind::Cell(parts)) = result_ty.map(Type::kind) {
                    self.new_cell(at, result_ty.unwrap_or(Type::ERROR), parts, args);
                }
            }
            Op::Reuse => {
                if let Some(TypeKind::Cell(parts)) = result_ty.map(Type::kind) {
                    self.new_cell(at, result_ty.unwrap_or(Type::ERROR), parts, &args[1..]);
                }
            }
            Op::Part => {
                if let (Some(ty), Some(result)) = (self.first(args), result_ty)
                    && let TypeKind::Cell(parts) = ty.kind()
                {
                    match usize::try_from(row.imm).ok().and_then(|part| parts.get(part)) {
                        None => self.faults.push(MirFault::PartIndex { at, ty: ty.to_string(), part: row.imm as i64, parts: parts.len() }),
                        Some(&expected) if expected != result => self.part_type(at, row.imm as usize, expected, row.first_result),
                        Some(_) => {}
                    }
                }
            }
            Op::Runtime => self.runtime(at, inst),
            Op::Call => self.call(at, ItemId::from_raw(row.imm as u32), args, result_ty)?,
            Op::Closure => {
                if let Some(ty) = result_ty {
                    self.closure(at, ItemId::from_raw(row.imm as u32), ty, args)?;
                }
            }
            Op::CallValue => self.call_value(at, args, result_ty),
            Op::Methods => {
                if let Some(ty) = result_ty
                    && !matches!(ty.kind(), TypeKind::Methods(..))
                {
                    self.faults.push(MirFault::MethodsType { at, found: ty.to_string() });
                }
            }
            Op::Object => {
                if let (Some(cell), Some(object)) = (self.first(args), result_ty)
                    && !is_cell_of(cell, object)
                {
                    self.faults.push(MirFault::ObjectCell { at, cell: cell.to_string(), object: object.to_string() });
                }
            }
            Op::CallMethod | Op::ChangeMethod => {
                let item = ItemId::from_raw(row.imm as u32);
                self.call(at, item, args, result_ty)?;
                if let Some(object) = self.first(args) {
                    let method = ObjectMethod { item, changes: row.op == Op::ChangeMethod };
                    if !object.has_parameter() && !self.cx.methods(object)?.contains(&method) {
                        self.faults.push(MirFault::ObjectMethod { at, object: object.to_string(), function: item.to_string() });
                    }
                }
            }
            Op::Tail => self.call(at, ItemId::from_raw(row.imm as u32), args, graph.results.first().copied())?,
            Op::Jump | Op::Branch => self.targets(at, inst),
            Op::Switch => {
                self.cases(at, inst, self.first(args));
                self.targets(at, inst);
            }
            Op::Return => {
                if let (Some(found), Some(&expected)) = (self.first(args), graph.results.first())
                    && found != expected
                {
                    let value = args[0].raw();
                    self.faults.push(MirFault::ReturnType { at, value, expected: expected.to_string(), found: found.to_string() });
                }
            }
            Op::Panic => self.panic(at, row.imm, args),
            // The classes of their rows say it all.
            Op::Int | Op::Float | Op::Str | Op::Unit => {}
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Rem | Op::FloorDiv | Op::Neg | Op::Abs => {}
            Op::Shl | Op::Shr | Op::ByteShl | Op::ByteShr | Op::WrapAdd | Op::WrapSub | Op::WrapMul => {}
            Op::And | Op::Or | Op::Xor | Op::BitNot | Op::Not | Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => {}
            Op::FAdd | Op::FSub | Op::FMul | Op::FDiv | Op::FNeg | Op::FAbs | Op::FSqrt => {}
            Op::FEq | Op::FNe | Op::FLt | Op::FLe | Op::FGt | Op::FGe => {}
            Op::IntToFloat | Op::FloatToInt | Op::FloatBits | Op::FloatOfBits => {}
            Op::Widen | Op::IntToByte | Op::IntToChar | Op::ByteToChar => {}
            Op::ListLen | Op::ListGet | Op::ListAt | Op::ListPush | Op::ListSet | Op::ListSlice | Op::ListReserve | Op::ListOwn => {}
            Op::TableDouble => self.table(at, args),
            Op::Hole | Op::Plug | Op::Fill => self.hole(at, inst),
            Op::ListSwap => self.swapped(at, inst),
            Op::Tag | Op::StrLen | Op::Dup | Op::Drop | Op::Open | Op::Free | Op::Resume | Op::Unreachable => {}
        }
        Ok(())
    }

    #[inline]
    fn fits(&mut self, class: Class, ty: Type, first: Option<Type>) -> Result<bool, Stop> {
        Ok(match class {
            Class::Int => ty == Type::INT,
            Class::Float => ty == Type::FLOAT,
            Class::Bool => ty == Type::BOOL,
            Class::Char => ty == Type::CHAR,
            Class::Byte => ty == Type::BYTE,
            Class::Str => ty == Type::STR,
            Class::Void => ty == Type::VOID,
            Class::Discrete => matches!(ty, Type::INT | Type::CHAR | Type::BYTE | Type::BOOL),
            Class::Bits => matches!(ty, Type::INT | Type::BYTE),
            Class::Same => first.is_none_or(|first| ty == first),
            Class::Any | Class::Many => true,
            Class::Aggregate => self.fields(ty)?.is_some(),
            Class::Sum => self.variants(ty)?.is_some(),
            Class::List => matches!(ty.kind(), TypeKind::List(_)),
            Class::Cell => matches!(ty.kind(), TypeKind::Cell(_)),
            Class::Hole => matches!(ty.kind(), TypeKind::Hole(_)),
            Class::Function => matches!(ty.kind(), TypeKind::Function(..)),
            Class::Object => matches!(ty.kind(), TypeKind::Object(_)),
            Class::Element => match first.map(Type::kind) {
                Some(TypeKind::List(element)) => ty == element,
                // The operand is at fault, and said to be.
                _ => true,
            },
        })
    }

    /// What stands in a hole, goes into it and comes out of it is of the type that it is for.
    fn hole(&mut self, at: Where, inst: Inst) {
        let args = self.graph.args(inst);
        let (op, result) = (self.graph.op(inst), self.graph.insts[inst].first_result);
        let hole = if op == Op::Hole { self.ty(result) } else { self.first(args) };
        let Some(TypeKind::Hole(expected)) = hole.map(Type::kind) else { return };
        let operand = args.get(usize::from(op != Op::Hole)).copied();
        let given = (op == Op::Fill).then_some(result);
        for value in operand.into_iter().chain(given) {
            if let Some(found) = self.ty(value).filter(|found| *found != expected) {
                let (value, expected, found) = (value.raw(), expected.to_string(), found.to_string());
                self.faults.push(MirFault::HoleType { at, value, expected, found });
            }
        }
    }

    /// The slots of a table are ints.
    fn table(&mut self, at: Where, args: &[Value]) {
        let ty = Type::list(Type::INT);
        if let Some(found) = self.first(args).filter(|found| *found != ty) {
            let (op, value, expected, found) = (Op::TableDouble.info().name, args[0].raw(), ty.to_string(), found.to_string());
            self.faults.push(MirFault::OperandType { at, op, value, expected, found });
        }
    }

    /// The classes of two results, which are those of two operands.
    fn swapped(&mut self, at: Where, inst: Inst) {
        let (args, results) = (self.graph.args(inst), self.graph.results(inst));
        for (value, from) in results.zip([args[0], args[2]]) {
            let (Some(found), Some(expected)) = (self.ty(value), self.ty(from)) else { continue };
            self.closed(at, value);
            if found != expected {
                let (op, value, expected, found) = (Op::ListSwap.info().name, value.raw(), expected.to_string(), found.to_string());
                self.faults.push(MirFault::ResultType { at, op, value, expected, found });
            }
        }
    }

    fn literal(&mut self, at: Where, op: Op, literal: i64) {
        let (fits, ty) = match op {
            Op::Bool => (in_type(Type::BOOL, literal), Type::BOOL),
            Op::Byte => (in_type(Type::BYTE, literal), Type::BYTE),
            _ => (in_type(Type::CHAR, literal), Type::CHAR),
        };
        if !fits {
            self.faults.push(MirFault::LiteralRange { at, ty: ty.to_string(), literal });
        }
    }

    fn select(&mut self, at: Where, args: &[Value], result: Value) {
        let Some(expected) = self.ty(result) else { return };
        for &arm in &args[1..] {
            if let Some(found) = self.ty(arm)
                && found != expected
            {
                let value = arm.raw();
                self.faults.push(MirFault::SelectType { at, value, expected: expected.to_string(), found: found.to_string() });
            }
        }
    }

    fn aggregate(&mut self, at: Where, args: &[Value], result: Option<Type>) -> Result<(), Stop> {
        let Some(ty) = result else { return Ok(()) };
        let Some(fields) = self.fields(ty)? else { return Ok(()) };
        if fields.len() != args.len() {
            self.faults.push(MirFault::FieldCount { at, ty: ty.to_string(), expected: fields.len(), found: args.len() });
            return Ok(());
        }
        for (index, (&field, &arg)) in fields.iter().zip(args).enumerate() {
            self.field_type(at, index, field, arg);
        }
        Ok(())
    }

    /// The text of a static list stands for a value of its type.
    fn statics(&mut self, at: Where, imm: u64, result: Option<Type>) -> Result<(), Stop> {
        let text = Symbol::from_raw(imm as u32);
        let Some(ty) = result.filter(|ty| matches!(ty.kind(), TypeKind::List(_))) else { return Ok(()) };
        let is_of = match statics::parse(text) {
            Some(list) => statics::is_of(&list, ty, self.cx)?,
            None => false,
        };
        if !is_of {
            self.faults.push(MirFault::StaticValue { at, expected: ty.to_string() });
        }
        Ok(())
    }

    fn elements(&mut self, at: Where, args: &[Value], result: Option<Type>) {
        let Some(TypeKind::List(element)) = result.map(Type::kind) else { return };
        for &arg in args {
            if let Some(found) = self.ty(arg)
                && found != element
            {
                let (value, expected, found) = (arg.raw(), element.to_string(), found.to_string());
                self.faults.push(MirFault::ElementType { at, value, expected, found });
            }
        }
    }

    fn field(&mut self, at: Where, ty: Type, index: i64, value: Value, found: Type) -> Result<(), Stop> {
        let Some(fields) = self.fields(ty)? else { return Ok(()) };
        match usize::try_from(index).ok().and_then(|i| fields.get(i)) {
            None => self.faults.push(MirFault::FieldIndex { at, ty: ty.to_string(), index, fields: fields.len() }),
            Some(&expected) if expected != found => self.field_type(at, index as usize, expected, value),
            Some(_) => {}
        }
        Ok(())
    }

    /// The payload of a variant; reported when the sum has no such variant.
    fn payload_of(&mut self, at: Where, ty: Type, variant: u64) -> Result<Option<Box<[Type]>>, Stop> {
        let Some(variants) = self.variants(ty)? else { return Ok(None) };
        match usize::try_from(variant).ok().and_then(|variant| variants.get(variant)) {
            Some(payload) => Ok(Some(payload.clone())),
            None => {
                self.faults.push(MirFault::VariantNumber { at, ty: ty.to_string(), variant, variants: variants.len() });
                Ok(None)
            }
        }
    }

    fn variant(&mut self, at: Where, ty: Type, variant: u64, args: &[Value]) -> Result<(), Stop> {
        let Some(payload) = self.payload_of(at, ty, variant)? else { return Ok(()) };
        if payload.len() != args.len() {
            self.faults.push(MirFault::PayloadCount { at, ty: ty.to_string(), variant, expected: payload.len(), found: args.len() });
            return Ok(());
        }
        for (part, (&expected, &arg)) in payload.iter().zip(args).enumerate() {
            self.payload_type(at, part, expected, arg);
        }
        Ok(())
    }

    fn payload(&mut self, at: Where, ty: Type, imm: u64, value: Value, found: Type) -> Result<(), Stop> {
        let (variant, part) = payload_parts(imm);
        let Some(payload) = self.payload_of(at, ty, u64::from(variant))? else { return Ok(()) };
        match payload.get(part as usize) {
            None => self.faults.push(MirFault::PayloadPart { at, ty: ty.to_string(), variant, part, parts: payload.len() }),
            Some(&expected) if expected != found => self.payload_type(at, part as usize, expected, value),
            Some(_) => {}
        }
        Ok(())
    }

    fn payload_type(&mut self, at: Where, part: usize, expected: Type, value: Value) {
        // A dump does not say what an associated type is; behind monomorphisation there is none.
        if let Some(found) = self.ty(value)
            && found != expected
            && !expected.has_associated()
        {
            let value = value.raw();
            self.faults.push(MirFault::PayloadType { at, value, part, expected: expected.to_string(), found: found.to_string() });
        }
    }

    fn new_cell(&mut self, at: Where, ty: Type, parts: &[Type], args: &[Value]) {
        if parts.len() != args.len() {
            self.faults.push(MirFault::PartCount { at, ty: ty.to_string(), expected: parts.len(), found: args.len() });
            return;
        }
        for (part, (&expected, &arg)) in parts.iter().zip(args).enumerate() {
            self.part_type(at, part, expected, arg);
        }
    }

    fn part_type(&mut self, at: Where, part: usize, expected: Type, value: Value) {
        if let Some(found) = self.ty(value)
            && found != expected
        {
            let value = value.raw();
            self.faults.push(MirFault::PartType { at, value, part, expected: expected.to_string(), found: found.to_string() });
        }
    }

    fn field_type(&mut self, at: Where, index: usize, expected: Type, value: Value) {
        if let Some(found) = self.ty(value)
            && found != expected
            && !self.depends(expected)
        {
            let value = value.raw();
            self.faults.push(MirFault::FieldType { at, value, index, expected: expected.to_string(), found: found.to_string() });
        }
    }

    fn runtime(&mut self, at: Where, inst: Inst) {
        let graph = self.graph;
        let number = graph.insts[inst].imm;
        // What the levels below call on their own is no word of MIR.
        let Some(call) = RuntimeCall::from_number(number).filter(|call| call.result() != Kind::Address) else {
            self.faults.push(MirFault::UnknownWord { at, op: "rt", number });
            return;
        };
        if let Some((expected, found)) = self.kinds(call.args(), graph.args(inst)) {
            self.faults.push(MirFault::RuntimeOperands { at, call: call.name(), expected, found });
        }
        let expected = match call.result() {
            Kind::Void => None,
            kind => Some(type_of_kind(kind)),
        };
        let mut results = graph.results(inst);
        let fits = match (results.next(), expected) {
            (None, None) => true,
            (Some(value), Some(expected)) => results.next().is_none() && self.ty(value).is_none_or(|found| found == expected),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if !fits {
            let found: Vec<Type> = graph.results(inst).filter_map(|v| self.ty(v)).collect();
            let expected = list_text(expected.as_slice());
            self.faults.push(MirFault::RuntimeResult { at, call: call.name(), expected, found: list_text(&found) });
        }
    }

    fn panic(&mut self, at: Where, number: u64, args: &[Value]) {
        let Some(kind) = PanicKind::from_number(number) else {
            self.faults.push(MirFault::UnknownWord { at, op: "panic", number });
            return;
        };
        if let Some((expected, found)) = self.kinds(kind.args(), args) {
            self.faults.push(MirFault::PanicOperands { at, kind: kind.name(), expected, found });
        }
    }

    /// The texts of both lists when the operands do not fit the kinds.
    fn kinds(&self, kinds: &[Kind], args: &[Value]) -> Option<(String, String)> {
        let fits = |(&kind, &arg): (&Kind, &Value)| self.ty(arg).is_none_or(|ty| ty == type_of_kind(kind));
        if kinds.len() == args.len() && kinds.iter().zip(args).all(fits) {
            return None;
        }
        let expected: Vec<Type> = kinds.iter().map(|&k| type_of_kind(k)).collect();
        let found: Vec<Type> = args.iter().filter_map(|&v| self.ty(v)).collect();
        Some((list_text(&expected), list_text(&found)))
    }

    fn call(&mut self, at: Where, function: ItemId, args: &[Value], result: Option<Type>) -> Result<(), Stop> {
        let Some(signature) = self.cx.signature(function)? else {
            self.faults.push(MirFault::UnknownFunction { at, function: function.to_string() });
            return Ok(());
        };
        let (params, gives) = &*signature;
        if params.len() != args.len() {
            self.faults.push(MirFault::CallArity { at, function: function.to_string(), expected: params.len(), found: args.len() });
        } else {
            for (&param, &arg) in params.iter().zip(args) {
                if let Some(found) = self.ty(arg)
                    && found != param
                    && !self.depends(param)
                    && !self.depends(found)
                {
                    let value = arg.raw();
                    self.faults.push(MirFault::CallArgument {
                        at,
                        function: function.to_string(),
                        value,
                        expected: param.to_string(),
                        found: found.to_string(),
                    });
                }
            }
        }
        if let Some(found) = result
            && found != *gives
            && !self.depends(*gives)
            && !self.depends(found)
        {
            let (expected, found) = (gives.to_string(), found.to_string());
            self.faults.push(MirFault::CallResult { at, function: function.to_string(), expected, found });
        }
        Ok(())
    }

    /// What a function value of this type is made of.
    fn closure(&mut self, at: Where, function: ItemId, ty: Type, captured: &[Value]) -> Result<(), Stop> {
        let TypeKind::Function(params, result) = ty.kind() else { return Ok(()) };
        let Some(signature) = self.cx.signature(function)? else {
            self.faults.push(MirFault::UnknownFunction { at, function: function.to_string() });
            return Ok(());
        };
        let captured: Vec<Type> = captured.iter().filter_map(|&value| self.ty(value)).collect();
        let found: Vec<Type> = params.iter().chain(&captured).copied().collect();
        // One that takes captured values out of a cell takes an empty cell too, which a function value without captured values calls it with.
        let expected = match function.unpacked() {
            Some((_, 0)) => signature.0.split_last().map_or(&[][..], |(_, params)| params),
            Some(_) | None => &signature.0[..],
        };
        if found != expected || result != signature.1 {
            let (expected, found) = (signature_text(&signature.0, signature.1), signature_text(&found, result));
            self.faults.push(MirFault::ClosureType { at, function: function.to_string(), expected, found });
        }
        Ok(())
    }

    fn call_value(&mut self, at: Where, args: &[Value], result: Option<Type>) {
        let Some(TypeKind::Function(params, gives)) = self.first(args).map(Type::kind) else { return };
        let found: Vec<Type> = args[1..].iter().filter_map(|&value| self.ty(value)).collect();
        let result = result.unwrap_or(gives);
        if found != params || result != gives {
            let (expected, found) = (signature_text(params, gives), signature_text(&found, result));
            self.faults.push(MirFault::ValueCall { at, value: args[0].raw(), expected, found });
        }
    }

    fn cases(&mut self, at: Where, inst: Inst, ty: Option<Type>) {
        let cases = self.graph.cases(inst);
        let Some(ty) = ty else { return };
        for &case in cases {
            if !in_type(ty, case) {
                self.faults.push(MirFault::CaseRange { at, ty: ty.to_string(), case });
            }
        }
    }

    fn targets(&mut self, at: Where, inst: Inst) {
        let graph = self.graph;
        for target in graph.targets(inst) {
            let Some(block) = graph.blocks.get(target.block) else { continue };
            for (&param, &arg) in block.params.iter().zip(graph.target_args(*target)) {
                let (Some(expected), Some(found)) = (self.ty(param), self.ty(arg)) else { continue };
                if expected != found {
                    let fault = MirFault::TargetType {
                        at,
                        value: arg.raw(),
                        block: target.block.raw(),
                        expected: expected.to_string(),
                        found: found.to_string(),
                    };
                    self.faults.push(fault);
                }
            }
        }
    }
}

/// Is the number a value of this type, as literals and cases write it?
fn in_type(ty: Type, literal: i64) -> bool {
    match ty {
        Type::BOOL => matches!(literal, 0 | 1),
        Type::BYTE => (0..=255).contains(&literal),
        Type::CHAR => u32::try_from(literal).ok().and_then(char::from_u32).is_some(),
        _ => true,
    }
}

/// Is it of the class at first sight? A class that stands for one closed type is; the others need more thought.
#[inline]
fn is_plainly(class: Class, ty: Type) -> bool {
    /// The number of the one type of each class, and of no type.
    const ONLY: [u32; 20] = {
        let mut only = [u32::MAX; 20];
        only[Class::Int as usize] = Type::INT.raw();
        only[Class::Float as usize] = Type::FLOAT.raw();
        only[Class::Bool as usize] = Type::BOOL.raw();
        only[Class::Char as usize] = Type::CHAR.raw();
        only[Class::Byte as usize] = Type::BYTE.raw();
        only[Class::Str as usize] = Type::STR.raw();
        only[Class::Void as usize] = Type::VOID.raw();
        only
    };
    ONLY[class as usize] == ty.raw()
}

/// One of the types that every value of an ordinary program has: closed.
#[inline]
fn is_built_in(ty: Type) -> bool {
    matches!(ty, Type::INT | Type::FLOAT | Type::BOOL | Type::CHAR | Type::BYTE | Type::STR | Type::VOID)
}

/// Does the cell hold how a type does what this object asks for, and a value of that type?
fn is_cell_of(cell: Type, object: Type) -> bool {
    let TypeKind::Cell(&[methods, of]) = cell.kind() else { return false };
    methods.kind() == TypeKind::Methods(object, of)
}

/// Does an inference variable or an error stand in it? A type parameter is a matter of the phase.
fn is_open(ty: Type) -> bool {
    match ty.kind() {
        TypeKind::Error | TypeKind::Variable(_) => true,
        TypeKind::Tuple(parts) | TypeKind::Object(parts) | TypeKind::Opaque(_, parts) => parts.iter().any(|&part| is_open(part)),
        TypeKind::Methods(object, of) => is_open(object) || is_open(of),
        TypeKind::List(inner) | TypeKind::Hole(inner) => is_open(inner),
        TypeKind::Function(params, result) => params.iter().any(|&p| is_open(p)) || is_open(result),
        TypeKind::Int | TypeKind::Float | TypeKind::Bool | TypeKind::Char | TypeKind::Byte | TypeKind::Str => false,
        TypeKind::Struct(_, args) | TypeKind::Cell(args) => args.iter().any(|&arg| is_open(arg)),
        TypeKind::Void | TypeKind::Never | TypeKind::Associated(..) | TypeKind::Parameter(..) => false,
    }
}

fn class_text(class: Class, first: Option<Type>) -> String {
    let text = match class {
        Class::Int => "int",
        Class::Float => "float",
        Class::Bool => "bool",
        Class::Char => "char",
        Class::Byte => "byte",
        Class::Str => "str",
        Class::Void => "void",
        Class::Discrete => "int, char, byte or bool",
        Class::Bits => "int or byte",
        Class::Same => return first.map_or("the type of the first operand".to_owned(), |ty| ty.to_string()),
        Class::Any | Class::Many => "anything",
        Class::Aggregate => "a tuple or struct",
        Class::Sum => "a sum",
        Class::List => "a list",
        Class::Cell => "a cell",
        Class::Hole => "a value with a hole",
        Class::Function => "a function",
        Class::Object => "a trait object",
        Class::Element => "an element of the list",
    };
    text.to_owned()
}

fn list_text(types: &[Type]) -> String {
    let parts: Vec<String> = types.iter().map(Type::to_string).collect();
    format!("({})", parts.join(", "))
}

fn signature_text(params: &[Type], result: Type) -> String {
    format!("{} -> {result}", list_text(params))
}

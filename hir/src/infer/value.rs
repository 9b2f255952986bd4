//! What types can do by themselves, spelled out: equality, order, text and hash of scalars, tuples and declared types.
//!
//! Parts are read from locals, so whatever is more than a local is put into a temporary first.

use std::sync::Arc;

use ir::Symbol;
use syntax::{DiagnosticCode as Code, Span};

use super::{Checker, Result};
use crate::ir::{Expr, ExprId, LocalId};
use crate::program::{TypeDefinition, TypeForm};
use crate::resolve::show;
use crate::{Intrinsic as I, Type, TypeKind};

/// Parts of a value that is compared, printed or hashed, at most.
const WIDEST: usize = 256;

/// A part of a local: path of field indices with the type after each.
pub(super) type Path = Vec<(u32, Type)>;
/// The same part of two locals, with its type.
pub(super) type Pair = ((LocalId, LocalId), Path, Type);
/// A part of a local with the name it is shown under, and its type.
pub(super) type Labelled = (Option<Symbol>, LocalId, Path, Type);

/// What the parts of a type are.
enum Parts {
    None,
    Tuple(Vec<Type>),
    /// Struct, newtype or sum with one variant.
    Declared(Arc<TypeDefinition>),
    /// A sum of several variants.
    Sum(Arc<TypeDefinition>),
}

impl<'a> Checker<'a> {
    pub(super) fn part(&mut self, local: LocalId, path: &[(u32, Type)], span: Span) -> ExprId {
        let mut value = self.read(local, span);
        for &(index, ty) in path {
            value = self.push(Expr::Field(value, index), ty, span);
        }
        value
    }

    /// The parts of a compound type. Types that contain themselves are reported elsewhere; the depth of the path keeps the walk finite.
    fn parts(&mut self, ty: Type, depth: usize) -> Result<Parts> {
        if depth > 32 {
            self.poisoned = true;
            return Ok(Parts::None);
        }
        Ok(match ty.kind() {
            TypeKind::Tuple(elements) => Parts::Tuple(elements.to_vec()),
            TypeKind::Struct(item, args) => match self.cx.type_definition(item)?.map(|d| d.instantiated(args)) {
                Some(definition) if definition.choices().is_some() => Parts::Sum(definition),
                Some(definition) => Parts::Declared(definition),
                None => {
                    self.poisoned = true;
                    Parts::None
                }
            },
            _ => Parts::None,
        })
    }

    /// A local that holds the value: the local itself when it cannot change, else a temporary.
    pub(super) fn held(&mut self, value: ExprId) -> LocalId {
        match self.expr_at(value) {
            Expr::Local(local) if !self.draft.body.locals[local].mutable => local,
            _ => self.temporary(value),
        }
    }

    /// Refuses compound values with very many parts: what is spelled out for them would nest too deeply.
    fn is_too_wide(&mut self, ty: Type, span: Span) -> Result<bool> {
        let mut count = 0;
        let mut open = vec![ty];
        while let Some(ty) = open.pop() {
            count += 1;
            if count > WIDEST {
                self.refuse(span, format!("comparison, text or hash of values with more than {WIDEST} parts"));
                return Ok(true);
            }
            match self.parts(ty, 0)? {
                Parts::None => {}
                Parts::Tuple(types) => open.extend(types),
                Parts::Declared(definition) => open.extend(definition.fields.iter().map(|&(_, ty)| ty)),
                Parts::Sum(definition) => open.extend(definition.variants.iter().flat_map(|v| &v.payload).map(|&(_, ty)| ty)),
            }
        }
        Ok(false)
    }

    // ---- equality ----

    /// `a == b` for operands of one type that has it.
    pub(super) fn equal_values(&mut self, a: ExprId, b: ExprId, span: Span) -> Result<ExprId> {
        if let Some(op) = scalar_equality(self.ty(a)) {
            return Ok(self.intrinsic(op, &[a, b], Type::BOOL, span));
        }
        let mark = self.draft.scratch.len();
        let ty = self.ty(a);
        if self.is_too_wide(ty, span)? {
            return Ok(self.error(span));
        }
        let (left, right) = (self.held(a), self.held(b));
        let equal = self.equal_parts((left, right), &mut Vec::new(), ty, span)?;
        Ok(self.with_statements(mark, equal, span))
    }

    pub(super) fn equal_parts(&mut self, locals: (LocalId, LocalId), path: &mut Path, ty: Type, span: Span) -> Result<ExprId> {
        if let Some(op) = scalar_equality(ty) {
            let a = self.part(locals.0, path, span);
            let b = self.part(locals.1, path, span);
            return Ok(self.intrinsic(op, &[a, b], Type::BOOL, span));
        }
        let types: Vec<Type> = match self.parts(ty, path.len())? {
            Parts::None => return Ok(self.push(Expr::Bool(true), Type::BOOL, span)),
            Parts::Tuple(types) => types,
            Parts::Declared(definition) => definition.fields.iter().map(|&(_, ty)| ty).collect(),
            Parts::Sum(definition) => return self.equal_sums(locals, path, &definition, span),
        };
        let mut all = None;
        for (i, ty) in types.into_iter().enumerate() {
            path.push((i as u32, ty));
            let equal = self.equal_parts(locals, path, ty, span)?;
            path.pop();
            all = Some(match all {
                Some(before) => self.push(Expr::And(before, equal), Type::BOOL, span),
                None => equal,
            });
        }
        Ok(match all {
            Some(all) => all,
            None => self.push(Expr::Bool(true), Type::BOOL, span),
        })
    }

    // ---- order ----

    /// -1, 0 or 1: the order of two values of one type that has it.
    pub(super) fn compare_values(&mut self, a: ExprId, b: ExprId, span: Span) -> Result<ExprId> {
        match self.ty(a) {
            Type::STR => return Ok(self.intrinsic(I::StrCompare, &[a, b], Type::INT, span)),
            Type::FLOAT => return Ok(self.intrinsic(I::FloatCompare, &[a, b], Type::INT, span)),
            _ => {}
        }
        let mark = self.draft.scratch.len();
        let ty = self.ty(a);
        if self.is_too_wide(ty, span)? {
            return Ok(self.error(span));
        }
        let (left, right) = (self.held(a), self.held(b));
        let order = self.compare_parts((left, right), &mut Vec::new(), ty, span)?;
        Ok(self.with_statements(mark, order, span))
    }

    pub(super) fn compare_parts(&mut self, locals: (LocalId, LocalId), path: &mut Path, ty: Type, span: Span) -> Result<ExprId> {
        match ty {
            Type::STR | Type::FLOAT => {
                let a = self.part(locals.0, path, span);
                let b = self.part(locals.1, path, span);
                let op = if ty == Type::STR { I::StrCompare } else { I::FloatCompare };
                return Ok(self.intrinsic(op, &[a, b], Type::INT, span));
            }
            Type::INT | Type::CHAR | Type::BYTE | Type::BOOL => {
                let a = self.part(locals.0, path, span);
                let b = self.part(locals.1, path, span);
                let less = self.intrinsic(I::Lt, &[a, b], Type::BOOL, span);
                let a = self.part(locals.0, path, span);
                let b = self.part(locals.1, path, span);
                let greater = self.intrinsic(I::Gt, &[a, b], Type::BOOL, span);
                let (minus, one, zero) = (self.int(-1, span), self.int(1, span), self.int(0, span));
                let rest = self.choose(greater, one, zero, span);
                return Ok(self.choose(less, minus, rest, span));
            }
            _ => {}
        }
        let types: Vec<Type> = match self.parts(ty, path.len())? {
            Parts::None => return Ok(self.int(0, span)),
            Parts::Tuple(types) => types,
            Parts::Declared(definition) => definition.fields.iter().map(|&(_, ty)| ty).collect(),
            Parts::Sum(definition) => return self.compare_sums(locals, path, &definition, span),
        };
        let parts: Vec<Pair> = (0..).zip(types).map(|(index, ty)| (locals, extended(path, index, ty), ty)).collect();
        self.compare_from(&parts, span)
    }

    /// The first pair of parts that differs decides.
    pub(super) fn compare_from(&mut self, parts: &[Pair], span: Span) -> Result<ExprId> {
        let Some(((locals, path, ty), others)) = parts.split_first() else { return Ok(self.int(0, span)) };
        let order = self.compare_parts(*locals, &mut path.clone(), *ty, span)?;
        if others.is_empty() {
            return Ok(order);
        }
        let mark = self.draft.scratch.len();
        let held = self.temporary(order);
        let read = self.read(held, span);
        let zero = self.int(0, span);
        let differs = self.intrinsic(I::Ne, &[read, zero], Type::BOOL, span);
        let read = self.read(held, span);
        // The statement of this part stays on the scratch stack while the rest is built.
        let rest = self.compare_from(others, span)?;
        let decided = self.choose(differs, read, rest, span);
        Ok(self.with_statements(mark, decided, span))
    }

    pub(super) fn choose(&mut self, condition: ExprId, then: ExprId, otherwise: ExprId, span: Span) -> ExprId {
        let ty = self.ty(then);
        self.push(Expr::If { condition, then, otherwise: Some(otherwise) }, ty, span)
    }

    // ---- text ----

    /// `to_str()` of a value; E2038 when its type has none.
    pub(super) fn printed(&mut self, value: ExprId, span: Span) -> Result<ExprId> {
        let ty = self.closed(value);
        if ty.fits_anywhere() {
            return Ok(value);
        }
        if !self.has_text(ty, "Printable")? {
            if !self.lacks_silently(ty)? {
                let help = matches!(ty.kind(), TypeKind::Struct(..));
                let error = self.report(Code::E2038, span, [show(ty).into()]);
                if help {
                    error.helps.push(format!("`#derive(Printable)` before the declaration of `{}` defines it", show(ty)));
                }
            }
            return Ok(self.error(span));
        }
        self.text_of(value, false, span)
    }

    /// `debug()` of a value; `None` (nothing reported) when its type has none.
    pub(super) fn debugged(&mut self, value: ExprId, span: Span) -> Result<Option<ExprId>> {
        let ty = self.closed(value);
        if ty.fits_anywhere() {
            return Ok(Some(value));
        }
        if !self.has_text(ty, "Debug")? {
            return Ok(None);
        }
        self.text_of(value, true, span).map(Some)
    }

    fn has_text(&mut self, ty: Type, what: &str) -> Result<bool> {
        match ty.kind() {
            TypeKind::List(_) => Ok(false),
            _ => crate::resolve::implements(ty, Symbol::new(what), self.cx),
        }
    }

    fn text_of(&mut self, value: ExprId, debug: bool, span: Span) -> Result<ExprId> {
        if let Some(text) = self.scalar_text(value, debug, span) {
            return Ok(text);
        }
        let mark = self.draft.scratch.len();
        let ty = self.ty(value);
        if self.is_too_wide(ty, span)? {
            return Ok(self.error(span));
        }
        let local = self.held(value);
        let text = self.text_parts(local, &mut Vec::new(), ty, debug, span)?;
        Ok(self.with_statements(mark, text, span))
    }

    fn scalar_text(&mut self, value: ExprId, debug: bool, span: Span) -> Option<ExprId> {
        let op = match self.ty(value) {
            Type::INT => I::IntToStr,
            Type::FLOAT => I::FloatToStr,
            Type::BOOL => I::BoolToStr,
            Type::CHAR if debug => I::CharDebug,
            Type::CHAR => I::CharToStr,
            Type::STR if debug => I::StrDebug,
            Type::STR => return Some(value),
            Type::BYTE => {
                let number = self.intrinsic(I::DiscreteToInt, &[value], Type::INT, span);
                return Some(self.intrinsic(I::IntToStr, &[number], Type::STR, span));
            }
            Type::VOID => {
                let text = self.push(Expr::Str(Symbol::new("()")), Type::STR, span);
                let statements = self.draft.body.lists.add([value, text]);
                return Some(self.push(Expr::Block { statements, tail: true }, Type::STR, span));
            }
            _ => return None,
        };
        Some(self.intrinsic(op, &[value], Type::STR, span))
    }

    pub(super) fn text_parts(&mut self, local: LocalId, path: &mut Path, ty: Type, debug: bool, span: Span) -> Result<ExprId> {
        let (open, close, parts) = match self.parts(ty, path.len())? {
            Parts::None => {
                let value = self.part(local, path, span);
                return Ok(match self.scalar_text(value, debug, span) {
                    Some(text) => text,
                    None => self.error(span),
                });
            }
            Parts::Sum(definition) => return self.text_of_sum(local, path, &definition, debug, span),
            Parts::Tuple(types) => ("(".to_owned(), ")", types.into_iter().map(|ty| (None, ty)).collect::<Vec<_>>()),
            Parts::Declared(definition) => {
                let (name, fields) = (definition.item.name(), &definition.fields);
                let named = |is_named: bool| fields.iter().map(|&(name, ty)| (is_named.then_some(name), ty)).collect();
                match (definition.form, definition.variants.first()) {
                    (TypeForm::Sum, Some(variant)) if fields.is_empty() => (variant.name.as_str().to_owned(), "", Vec::new()),
                    (TypeForm::Sum, Some(variant)) => (format!("{}(", variant.name), ")", named(debug && variant.is_named)),
                    (TypeForm::Struct, _) if debug && fields.is_empty() => (format!("{name} {{"), "}", Vec::new()),
                    (TypeForm::Struct, _) if debug => (format!("{name} {{ "), " }", named(true)),
                    (TypeForm::Struct | TypeForm::Newtype | TypeForm::Sum, _) => (format!("{name}("), ")", named(false)),
                }
            }
        };
        let parts = (0..).zip(parts).map(|(index, (name, ty))| (name, local, extended(path, index, ty), ty)).collect();
        self.joined(open, parts, close, debug, span)
    }

    /// The texts of parts between commas, each behind its name if it has one.
    pub(super) fn joined(&mut self, open: String, parts: Vec<Labelled>, close: &str, debug: bool, span: Span) -> Result<ExprId> {
        let mark = self.draft.scratch.len();
        let mut literal = open;
        for (i, (name, local, mut path, ty)) in parts.into_iter().enumerate() {
            if i > 0 {
                literal.push_str(", ");
            }
            if let Some(name) = name {
                literal.push_str(name.as_str());
                literal.push_str(": ");
            }
            let before = self.push(Expr::Str(Symbol::new(&literal)), Type::STR, span);
            literal.clear();
            self.draft.scratch.push(before);
            let text = self.text_parts(local, &mut path, ty, debug, span)?;
            self.draft.scratch.push(text);
        }
        literal.push_str(close);
        let after = self.push(Expr::Str(Symbol::new(&literal)), Type::STR, span);
        self.draft.scratch.push(after);
        let text = self.concatenated(mark, span);
        self.draft.scratch.truncate(mark);
        Ok(text)
    }

    // ---- hash ----

    /// `hash()` by the normative rules of language/08 §8.4.
    pub(super) fn hashed(&mut self, value: ExprId, span: Span) -> Result<ExprId> {
        match self.ty(value) {
            Type::INT => return Ok(value),
            Type::BYTE | Type::CHAR | Type::BOOL => return Ok(self.intrinsic(I::DiscreteToInt, &[value], Type::INT, span)),
            Type::STR => return Ok(self.intrinsic(I::StrHash, &[value], Type::INT, span)),
            _ => {}
        }
        let mark = self.draft.scratch.len();
        let ty = self.ty(value);
        if self.is_too_wide(ty, span)? {
            return Ok(self.error(span));
        }
        let local = self.held(value);
        let hash = self.hash_parts(local, &mut Vec::new(), ty, span)?;
        Ok(self.with_statements(mark, hash, span))
    }

    pub(super) fn hash_parts(&mut self, local: LocalId, path: &mut Path, ty: Type, span: Span) -> Result<ExprId> {
        match ty {
            Type::INT | Type::BYTE | Type::CHAR | Type::BOOL | Type::STR => {
                let value = self.part(local, path, span);
                return self.hashed(value, span);
            }
            Type::VOID => return Ok(self.int(0, span)),
            Type::FLOAT => {
                // -0.0 hashes as 0.0 and every NaN as one.
                let value = self.part(local, path, span);
                let is_nan = self.intrinsic(I::FloatIsNan, &[value], Type::BOOL, span);
                let nan = self.int(0x7ff8_0000_0000_0000, span);
                let value = self.part(local, path, span);
                let zero = self.push(Expr::Float(0), Type::FLOAT, span);
                let is_zero = self.intrinsic(I::FloatEq, &[value, zero], Type::BOOL, span);
                let zero = self.int(0, span);
                let value = self.part(local, path, span);
                let bits = self.intrinsic(I::FloatToBits, &[value], Type::INT, span);
                let rest = self.choose(is_zero, zero, bits, span);
                return Ok(self.choose(is_nan, nan, rest, span));
            }
            _ => {}
        }
        let mut seed = self.int(0, span);
        let types: Vec<Type> = match self.parts(ty, path.len())? {
            Parts::None => return Ok(seed),
            Parts::Tuple(types) => types,
            Parts::Sum(definition) => return self.hash_of_sum(local, path, &definition, span),
            Parts::Declared(definition) => match (definition.form, &definition.fields[..]) {
                // A newtype does as what is inside does.
                (TypeForm::Newtype, &[(_, ty)]) => return self.hash_parts(local, &mut extended(path, 0, ty), ty, span),
                (TypeForm::Struct | TypeForm::Newtype | TypeForm::Sum, fields) => {
                    if definition.form == TypeForm::Sum {
                        let number = self.int(0, span);
                        seed = self.hash_combine(seed, number, span);
                    }
                    fields.iter().map(|&(_, ty)| ty).collect()
                }
            },
        };
        let parts = (0..).zip(types).map(|(index, ty)| (local, extended(path, index, ty), ty)).collect();
        self.hash_fold(seed, parts, span)
    }

    /// The hashes of parts, combined in order with a seed.
    pub(super) fn hash_fold(&mut self, seed: ExprId, parts: Vec<(LocalId, Path, Type)>, span: Span) -> Result<ExprId> {
        let mut seed = seed;
        for (local, mut path, ty) in parts {
            let value = self.hash_parts(local, &mut path, ty, span)?;
            seed = self.hash_combine(seed, value, span);
        }
        Ok(seed)
    }

    /// `s xor (v + 0x9e3779b9 + (s << 6) + (s >>> 2))`, wrapping.
    pub(super) fn hash_combine(&mut self, seed: ExprId, value: ExprId, span: Span) -> ExprId {
        let mark = self.draft.scratch.len();
        let seed = self.held(seed);
        let value = self.held(value);
        let (v, golden) = (self.read(value, span), self.int(0x9e37_79b9, span));
        let sum = self.intrinsic(I::WrappingAdd, &[v, golden], Type::INT, span);
        let (s, sixty_four) = (self.read(seed, span), self.int(64, span));
        let left = self.intrinsic(I::WrappingMul, &[s, sixty_four], Type::INT, span);
        let sum = self.intrinsic(I::WrappingAdd, &[sum, left], Type::INT, span);
        let (s, two) = (self.read(seed, span), self.int(2, span));
        let right = self.intrinsic(I::IntShr, &[s, two], Type::INT, span);
        let mask = self.int(0x3fff_ffff_ffff_ffff, span);
        let right = self.intrinsic(I::BitAnd, &[right, mask], Type::INT, span);
        let sum = self.intrinsic(I::WrappingAdd, &[sum, right], Type::INT, span);
        let s = self.read(seed, span);
        let hash = self.intrinsic(I::BitXor, &[s, sum], Type::INT, span);
        self.with_statements(mark, hash, span)
    }
}

fn scalar_equality(ty: Type) -> Option<I> {
    match ty {
        Type::INT | Type::CHAR | Type::BYTE | Type::BOOL => Some(I::Eq),
        Type::FLOAT => Some(I::FloatEq),
        Type::STR => Some(I::StrEq),
        _ => None,
    }
}

fn extended(path: &Path, index: u32, ty: Type) -> Path {
    let mut path = path.clone();
    path.push((index, ty));
    path
}

//! Bodies that no source has: the methods of the traits of the prelude on built-in types, and what `#derive` generates (language/08 §8.4, §8.5).
//!
//! `Eq.equals<Point>` is an instance of the trait's method like any other, only that its code is made here instead of from a body with type parameters.
//! It looks at the parts of its own type and leaves theirs to their own methods, so types may be large and recursive, and each is done once.

use std::sync::Arc;

use ir::{ItemId, Symbol};
use syntax::Span;
use syntax::tree::Item;

use super::{Checker, Result, Which};
use crate::ir::{Body, Expr, ExprId, LocalId};
use crate::program::{Context, TypeDefinition, TypeForm};
use crate::resolve::prelude::{self, Known};
use crate::types::instance_of;
use crate::{Intrinsic as I, Type, TypeKind};

/// What the parts of a type are.
enum Parts {
    None,
    Tuple(Vec<Type>),
    /// Struct, newtype or sum with one variant.
    Declared(Arc<TypeDefinition>),
    /// A sum of several variants.
    Sum(Arc<TypeDefinition>),
}

/// A part of a local, or with an index one of its fields, with its type.
pub(super) type Part = (LocalId, Option<u32>, Type);
/// The same part of two locals.
pub(super) type Pair = (Part, Part);
/// A part with the name it is shown under.
pub(super) type Labelled = (Option<Symbol>, Part);

/// The body of an instance of a method of the prelude, or of `key_word`; `item` is the function as declared. `None` when the compiler makes none.
pub fn made(instance: ItemId, item: &Item, cx: &dyn Context) -> Result<Option<Body>> {
    let (method, args) = instance_of(instance);
    let Some(&this) = args.first().filter(|_| prelude::has_made_instances(method)) else { return Ok(None) };
    let Some(signature) = cx.signature(method)? else { return Ok(None) };
    let mut checker = Checker::new(item, Which::Function, method, cx)?;
    checker.draft.body.owner = instance;
    let span = item.name_span;
    let mut params = Vec::with_capacity(signature.params.len());
    for parameter in &signature.params {
        let ty = checker.instantiated(parameter.ty, args, span)?;
        let local = checker.local(parameter.name, ty, false);
        checker.draft.body.params.push(local);
        params.push(local);
    }
    let root = match (Known::of_method(method), args, &params[..]) {
        // There is no value to call it with.
        (_, _, &[_, ..]) if this == Type::NEVER => checker.intrinsic(I::Unreachable, &[], Type::NEVER, span),
        (Some(Known::TryAs), &[from, to], &[value]) if let Some(function) = prelude::conversion(from, to) => {
            let value = checker.read(value, span);
            let values = checker.draft.body.lists.add([value]);
            checker.push(Expr::Call(function, values), prelude::option_of(to), span)
        }
        (Some(known), ..) => checker.method_of(known, this, &params, span)?,
        (None, _, &[value, seed]) => match checker.made_word(this, value, seed, span)? {
            Some(word) => word,
            None => return Ok(None),
        },
        (None, ..) => return Ok(None),
    };
    let root = checker.with_statements(0, root, span);
    let result = checker.instantiated(signature.result, args, span)?;
    Ok(checker.finish(root, Some(result))?.body)
}

impl Checker<'_> {
    fn method_of(&mut self, known: Known, this: Type, params: &[LocalId], span: Span) -> Result<ExprId> {
        match (known, params) {
            (Known::Eq, &[a, b]) => self.made_equal(this, a, b, span),
            (Known::Comparable, &[a, b]) => self.made_order(this, a, b, span),
            (Known::Hashable, &[a]) => self.made_hash(this, a, span),
            (Known::Clone, &[a]) => self.made_clone(this, a, span),
            (Known::Default, []) => self.made_default(this, span),
            (Known::Printable, &[a]) => self.made_text(this, a, false, span),
            (Known::Debug, &[a]) => self.made_text(this, a, true, span),
            (Known::Len, &[a]) => {
                let value = self.read(a, span);
                self.length_of(value, "Len", span)
            }
            (Known::IsEmpty, &[a]) => {
                let value = self.read(a, span);
                let length = self.length_of(value, "IsEmpty", span)?;
                Ok(self.is_zero(length, span))
            }
            (Known::Into, &[a]) => {
                let value = self.read(a, span);
                Ok(self.intrinsic(I::IntToFloat, &[value], Type::FLOAT, span))
            }
            (known, &[a, b]) if known.operator().is_some() => {
                let (a, b) = (self.read(a, span), self.read(b, span));
                match known.operator() {
                    Some(op) => self.operate(op, a, b, span),
                    None => Ok(self.error(span)),
                }
            }
            (Known::Neg | Known::Not | Known::BitNot, &[a]) => {
                let op = match (known, this) {
                    (Known::Neg, Type::FLOAT) => I::FloatNeg,
                    (Known::Neg, _) => I::IntNeg,
                    (Known::Not, _) => I::BoolNot,
                    _ => I::BitNot,
                };
                let value = self.read(a, span);
                Ok(self.intrinsic(op, &[value], this, span))
            }
            _ => Ok(self.error(span)),
        }
    }

    fn parts(&mut self, ty: Type) -> Result<Parts> {
        Ok(match ty.kind() {
            TypeKind::Tuple(elements) => Parts::Tuple(elements.to_vec()),
            TypeKind::Struct(item, args) => match self.definition_for(item, args, self.item.name_span)? {
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

    pub(super) fn part(&mut self, (local, index, ty): Part, span: Span) -> ExprId {
        let value = self.read(local, span);
        match index {
            Some(index) => self.push(Expr::Field(value, index), ty, span),
            None => value,
        }
    }

    pub(super) fn fields(local: LocalId, types: impl IntoIterator<Item = Type>) -> Vec<Part> {
        (0..).zip(types).map(|(index, ty)| (local, Some(index), ty)).collect()
    }

    fn pairs(a: LocalId, b: LocalId, types: &[Type]) -> Vec<Pair> {
        Self::fields(a, types.iter().copied()).into_iter().zip(Self::fields(b, types.iter().copied())).collect()
    }

    // ---- equality ----

    fn made_equal(&mut self, this: Type, a: LocalId, b: LocalId, span: Span) -> Result<ExprId> {
        let types: Vec<Type> = match self.parts(this)? {
            Parts::None if this == Type::VOID => Vec::new(),
            Parts::None => {
                let (a, b) = (self.read(a, span), self.read(b, span));
                return self.scalar_equal(a, b, span);
            }
            Parts::Tuple(types) => types,
            Parts::Declared(definition) => definition.fields.iter().map(|&(_, ty)| ty).collect(),
            Parts::Sum(definition) => return self.equal_sums((a, b), &definition, span),
        };
        self.all_equal(&Self::pairs(a, b, &types), span)
    }

    /// Are all parts equal? The first difference ends it.
    pub(super) fn all_equal(&mut self, parts: &[Pair], span: Span) -> Result<ExprId> {
        let mut all = None;
        for &(a, b) in parts {
            let (a, b) = (self.part(a, span), self.part(b, span));
            let equal = self.equal_values(a, b, span)?;
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

    fn made_order(&mut self, this: Type, a: LocalId, b: LocalId, span: Span) -> Result<ExprId> {
        let types: Vec<Type> = match self.parts(this)? {
            Parts::None if this == Type::VOID => Vec::new(),
            Parts::None => {
                let (a, b) = (self.read(a, span), self.read(b, span));
                return self.compared(a, b, span);
            }
            Parts::Tuple(types) => types,
            Parts::Declared(definition) => definition.fields.iter().map(|&(_, ty)| ty).collect(),
            Parts::Sum(definition) => return self.compare_sums((a, b), &definition, span),
        };
        let order = self.first_difference(&Self::pairs(a, b, &types), span)?;
        Ok(self.ordering_of(order, span))
    }

    /// -1, 0 or 1: the first pair of parts that differs decides. Halves, so that wide types do not nest deeply.
    pub(super) fn first_difference(&mut self, parts: &[Pair], span: Span) -> Result<ExprId> {
        let (first, others) = match parts {
            [] => return Ok(self.int(0, span)),
            &[(a, b)] => {
                let (a, b) = (self.part(a, span), self.part(b, span));
                return self.compare_values(a, b, span);
            }
            _ => parts.split_at(parts.len() / 2),
        };
        let order = self.first_difference(first, span)?;
        let mark = self.draft.scratch.len();
        let held = self.temporary(order);
        let (read, zero) = (self.read(held, span), self.int(0, span));
        let differs = self.intrinsic(I::Ne, &[read, zero], Type::BOOL, span);
        let read = self.read(held, span);
        // The statement of this half stays on the scratch stack while the other is built.
        let inner = self.draft.scratch.len();
        let rest = self.first_difference(others, span)?;
        let rest = self.with_statements(inner, rest, span);
        let decided = self.choose(differs, read, rest, span);
        Ok(self.with_statements(mark, decided, span))
    }

    // ---- hash ----

    fn made_hash(&mut self, this: Type, local: LocalId, span: Span) -> Result<ExprId> {
        let mut seed = self.int(0, span);
        let types: Vec<Type> = match self.parts(this)? {
            Parts::None if this == Type::VOID => return Ok(seed),
            Parts::None => {
                let value = self.read(local, span);
                return self.hashed(value, span);
            }
            Parts::Tuple(types) => types,
            Parts::Sum(definition) => return self.hash_of_sum(local, &definition, span),
            Parts::Declared(definition) => match (definition.form, &definition.fields[..]) {
                // A newtype does as what is inside does.
                (TypeForm::Newtype, &[(_, ty)]) => {
                    let value = self.part((local, Some(0), ty), span);
                    return self.hashed(value, span);
                }
                (TypeForm::Struct | TypeForm::Newtype | TypeForm::Sum, fields) => {
                    if definition.form == TypeForm::Sum {
                        let number = self.int(0, span);
                        seed = self.hash_step(seed, number, span);
                    }
                    fields.iter().map(|&(_, ty)| ty).collect()
                }
            },
        };
        self.hash_fold(seed, &Self::fields(local, types), span)
    }

    /// The hashes of parts, combined in order with a seed.
    pub(super) fn hash_fold(&mut self, seed: ExprId, parts: &[Part], span: Span) -> Result<ExprId> {
        let mut seed = seed;
        for &part in parts {
            let value = self.part(part, span);
            let value = self.hashed(value, span)?;
            seed = self.hash_step(seed, value, span);
        }
        Ok(seed)
    }

    // ---- copies ----

    /// `.clone()` of a value: scalars and texts are their own copies.
    pub(super) fn cloned(&mut self, value: ExprId, span: Span) -> Result<ExprId> {
        let ty = self.ty(value);
        match ty.kind() {
            TypeKind::Tuple(_)
            | TypeKind::Struct(..)
            | TypeKind::List(_)
            | TypeKind::Associated(..)
            | TypeKind::Parameter(..)
            | TypeKind::Opaque(..)
            | TypeKind::Variable(_) => self.through(Known::Clone, ty, &[value], span),
            crate::base_kinds!() | TypeKind::Str | TypeKind::Function(..) | TypeKind::Object(_) => Ok(value),
            TypeKind::Cell(_) | TypeKind::Methods(..) | TypeKind::Hole(_) => Ok(value),
        }
    }

    fn made_clone(&mut self, this: Type, local: LocalId, span: Span) -> Result<ExprId> {
        if matches!(this.kind(), TypeKind::Struct(item, _) if prelude::is_iterator(item)) {
            return Ok(self.read(local, span));
        }
        let types: Vec<Type> = match self.parts(this)? {
            Parts::None => return Ok(self.read(local, span)),
            Parts::Tuple(types) => types,
            Parts::Declared(definition) => definition.fields.iter().map(|&(_, ty)| ty).collect(),
            Parts::Sum(definition) => return self.clone_of_sum(local, &definition, this, span),
        };
        let parts = self.clones(&Self::fields(local, types), span)?;
        Ok(self.push(Expr::Aggregate(parts), this, span))
    }

    pub(super) fn clones(&mut self, parts: &[Part], span: Span) -> Result<ir::List<ExprId>> {
        let mut copies = Vec::with_capacity(parts.len());
        for &part in parts {
            let value = self.part(part, span);
            copies.push(self.cloned(value, span)?);
        }
        Ok(self.draft.body.lists.add(copies))
    }

    // ---- defaults ----

    /// `T.default()` of a type that has it.
    pub(super) fn default_of(&mut self, ty: Type, span: Span) -> Result<ExprId> {
        Ok(match ty {
            Type::INT => self.int(0, span),
            Type::FLOAT => self.push(Expr::Float(0), ty, span),
            Type::BOOL => self.push(Expr::Bool(false), ty, span),
            Type::BYTE => self.push(Expr::Byte(0), ty, span),
            Type::STR => self.push(Expr::Str(Symbol::new("")), ty, span),
            Type::VOID => self.unit(span),
            _ => self.through(Known::Default, ty, &[], span)?,
        })
    }

    fn made_default(&mut self, this: Type, span: Span) -> Result<ExprId> {
        let types: Vec<Type> = match self.parts(this)? {
            Parts::None => return self.default_of(this, span),
            Parts::Tuple(types) => types,
            Parts::Declared(definition) => definition.fields.iter().map(|&(_, ty)| ty).collect(),
            // Sums have none that is made here.
            Parts::Sum(_) => return Ok(self.error(span)),
        };
        let mut parts = Vec::with_capacity(types.len());
        for ty in types {
            parts.push(self.default_of(ty, span)?);
        }
        let parts = self.draft.body.lists.add(parts);
        Ok(self.push(Expr::Aggregate(parts), this, span))
    }

    // ---- text ----

    fn made_text(&mut self, this: Type, local: LocalId, debug: bool, span: Span) -> Result<ExprId> {
        let (open, close, parts) = match self.parts(this)? {
            Parts::None => {
                let value = self.read(local, span);
                return Ok(match self.scalar_text(value, debug, span) {
                    Some(text) => text,
                    None => self.error(span),
                });
            }
            Parts::Sum(definition) => return self.text_of_sum(local, &definition, debug, span),
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
        let parts = (0..).zip(parts).map(|(index, (name, ty))| (name, (local, Some(index), ty))).collect();
        self.joined(open, parts, close, debug, span)
    }

    /// The texts of parts between commas, each behind its name if it has one.
    pub(super) fn joined(&mut self, open: String, parts: Vec<Labelled>, close: &str, debug: bool, span: Span) -> Result<ExprId> {
        let mark = self.draft.scratch.len();
        let mut literal = open;
        for (i, (name, part)) in parts.into_iter().enumerate() {
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
            let value = self.part(part, span);
            let text = if debug { self.debugged(value, span)? } else { Some(self.printed(value, span)?) };
            let text = match text {
                Some(text) => text,
                None => self.error(span),
            };
            self.draft.scratch.push(text);
        }
        literal.push_str(close);
        let after = self.push(Expr::Str(Symbol::new(&literal)), Type::STR, span);
        self.draft.scratch.push(after);
        let text = self.concatenated(mark, span);
        self.draft.scratch.truncate(mark);
        Ok(text)
    }
}

//! `key_word` of a type (`std/map.ori`): one word that depends on all of a key, for tables.
//!
//! The hash of the language (language/08 §8.4) folds parts so weakly that pairs of small numbers collide by the dozen. No program sees what a table makes
//! of its keys, so tuples, lists and what derives `Hashable` get a word from those of their parts instead. What has a `hash` of its own keeps it: two values
//! that it calls equal may differ in their parts.

use std::sync::Arc;

use ir::ItemId;
use syntax::Span;

use super::derive::Part;
use super::{Checker, Result};
use crate::ir::{Expr, ExprId, LocalId};
use crate::program::TypeDefinition;
use crate::resolve::prelude::{self, Known};
use crate::{Intrinsic as I, Type, TypeKind};

impl Checker<'_> {
    /// The body for a type, of its value and the seed; `None` where the library's own is right.
    pub(super) fn made_word(&mut self, this: Type, value: LocalId, seed: LocalId, span: Span) -> Result<Option<ExprId>> {
        Ok(Some(match this.kind() {
            TypeKind::Tuple(parts) if !parts.is_empty() => {
                self.word_of_parts(None, &Self::fields(value, parts.iter().copied()), seed, span)?
            }
            TypeKind::List(element) => {
                let args = [self.read(value, span), self.read(seed, span)];
                self.call_of_words(prelude::word_of_list(), &[element], &args, span)?
            }
            TypeKind::Struct(item, args) => {
                let Some(definition) = self.definition_for(item, args, span)? else { return Ok(None) };
                let derives = definition.derives.iter().any(|name| name.as_str() == Known::Hashable.name());
                match derives {
                    true if definition.choices().is_some() => self.word_of_sum(value, &definition, seed, span)?,
                    true if !definition.fields.is_empty() => {
                        let parts = Self::fields(value, definition.fields.iter().map(|&(_, ty)| ty));
                        self.word_of_parts(None, &parts, seed, span)?
                    }
                    true | false => return Ok(None),
                }
            }
            _ => return Ok(None),
        }))
    }

    fn word_of_sum(&mut self, value: LocalId, definition: &Arc<TypeDefinition>, seed: LocalId, span: Span) -> Result<ExprId> {
        let mut arms = Vec::new();
        for (number, variant) in self.possible(definition)? {
            let arm = self.arm_of(number, variant, span, |checker, locals| {
                let word = checker.int(i64::from(number), span);
                let parts: Vec<Part> = locals.iter().zip(&variant.payload).map(|(&local, &(_, ty))| (local, None, ty)).collect();
                checker.word_of_parts(Some(word), &parts, seed, span)
            })?;
            arms.push(arm);
        }
        let scrutinee = self.read(value, span);
        Ok(self.match_of(scrutinee, arms, None, Type::INT, span))
    }

    /// The words of parts, joined in order behind one that is there.
    fn word_of_parts(&mut self, before: Option<ExprId>, parts: &[Part], seed: LocalId, span: Span) -> Result<ExprId> {
        let mut word = before;
        for &part in parts {
            let value = self.part(part, span);
            let next = self.word_of(value, seed, span)?;
            word = Some(match word {
                Some(word) => {
                    let args = [word, next, self.read(seed, span)];
                    self.call_of_words(prelude::joined_words(), &[], &args, span)?
                }
                None => next,
            });
        }
        Ok(word.unwrap_or_else(|| self.int(0, span)))
    }

    fn word_of(&mut self, value: ExprId, seed: LocalId, span: Span) -> Result<ExprId> {
        match self.ty(value) {
            // Texts come from outside, so their word needs the seed.
            Type::STR => {
                let args = [value, self.read(seed, span)];
                Ok(self.intrinsic(I::StrKeyedHash, &args, Type::INT, span))
            }
            ty if matches!(ty.kind(), TypeKind::Tuple(_) | TypeKind::List(_) | TypeKind::Struct(..)) => {
                let args = [value, self.read(seed, span)];
                self.call_of_words(prelude::key_word(), &[ty], &args, span)
            }
            _ => self.hashed(value, span),
        }
    }

    fn call_of_words(&mut self, function: ItemId, types: &[Type], args: &[ExprId], span: Span) -> Result<ExprId> {
        let list = self.draft.body.lists.add(args.iter().copied());
        let call = self.push(Expr::Call(function, list), Type::INT, span);
        if !types.is_empty() {
            self.instantiate(call, function, types, span)?;
        }
        Ok(call)
    }
}

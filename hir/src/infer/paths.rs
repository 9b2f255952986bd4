//! What stands before a dot where it is no value: types, traits and modules, alone or in a path.

use ir::{ItemId, List, Symbol};
use syntax::Span;
use syntax::tree::{self, Expr as Ast, TypeId};

use super::{Checker, Result};
use crate::program::{Entity, is_type};
use crate::resolve::TypeReader;
use crate::resolve::prelude::predeclared;
use crate::{Type, TypeKind};

/// What a path before a dot names.
pub(super) enum Before {
    /// A type; [`Type::ERROR`] after a report.
    Type(Type),
    /// A trait.
    Trait(ItemId),
}

impl Checker<'_> {
    /// The declared type that an expression before a `.` names: `T` or `m.T`.
    pub(super) fn type_path(&self, base: tree::ExprId) -> Result<Option<ItemId>> {
        let found = match self.tree.exprs[base] {
            Ast::Name(name) if self.lookup(name).is_none() && self.scope.value(name).is_none() => {
                self.scope.type_name(name).or_else(|| predeclared(name.as_str()).map(|(item, _)| Entity::Type(item)))
            }
            Ast::Field(root, name) => match self.tree.exprs[root] {
                Ast::Name(alias) if self.lookup(alias).is_none() => match self.scope.value(alias) {
                    Some(Entity::Module(module)) => self.cx.scope(module)?.exported(name).find(|entity| is_type(*entity)),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        Ok(match found {
            Some(Entity::Type(item)) => Some(item),
            _ => None,
        })
    }

    /// The declared type that `Self` is here; `None` where it is none.
    pub(super) fn own_type(&self) -> Option<(ItemId, Type)> {
        let this = self.around.this?;
        match this.kind() {
            TypeKind::Struct(item, _) => Some((item, this)),
            _ => None,
        }
    }

    /// The declared type that an expression before a `.` names, and the whole type where its arguments are known: `T`, `m.T` or `Self`.
    pub(super) fn type_before(&self, base: tree::ExprId) -> Result<Option<(ItemId, Option<Type>)>> {
        if let Ast::SelfType = self.tree.exprs[base] {
            return Ok(self.own_type().map(|(item, this)| (item, Some(this))));
        }
        Ok(self.type_path(base)?.map(|item| (item, None)))
    }

    /// What a path of several parts before a dot names: `m.T`, `m.Trait`, `T<A>`, `m.T<A>`, an associated type as `C.Item`, or `Self`. `None` where it
    /// is a value or nothing; a name alone is its user's matter.
    pub(super) fn path_before(&mut self, base: tree::ExprId) -> Result<Option<Before>> {
        Ok(match self.tree.exprs[base] {
            Ast::SelfType => self.around.this.map(Before::Type),
            Ast::TypeArgs(root, types) => self.type_with_args(root, types, base)?.map(Before::Type),
            Ast::Field(root, name) => match self.exported_type(root, name)? {
                Some(Entity::Type(item)) => {
                    let count = self.cx.type_definition(item)?.map_or(0, |definition| definition.generics.len());
                    Some(Before::Type(self.open_struct(item, count)))
                }
                Some(Entity::Trait(item)) => Some(Before::Trait(item)),
                Some(_) | None => self.associated_type_at(base)?.map(Before::Type),
            },
            _ => None,
        })
    }

    /// The type that module `root` exports under a name, where `root` is an alias of one.
    fn exported_type(&self, root: tree::ExprId, name: Symbol) -> Result<Option<Entity>> {
        match self.tree.exprs[root] {
            Ast::Name(alias) if self.lookup(alias).is_none() => match self.scope.value(alias) {
                Some(Entity::Module(module)) => Ok(self.cx.scope(module)?.exported(name).find(|entity| is_type(*entity))),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// `C.Item`, `Self.Item`: the associated type of a type parameter or of `Self`; `None` when it has none of this name.
    fn associated_type_at(&mut self, base: tree::ExprId) -> Result<Option<Type>> {
        let mut path: Vec<Symbol> = Vec::new();
        let mut at = base;
        loop {
            match self.tree.exprs[at] {
                Ast::Field(inner, name) => {
                    path.push(name);
                    at = inner;
                }
                Ast::SelfType if self.around.this.is_some() => break path.push(Symbol::new("Self")),
                Ast::Name(name) if self.lookup(name).is_none() && self.around.parameter(name).is_some() => break path.push(name),
                _ => return Ok(None),
            }
        }
        path.reverse();
        let mut reader = TypeReader::new(self.tree, self.cx, self.scope.clone(), self.anchor);
        reader.around = self.around.clone();
        reader.around.given.clone_from(&self.given);
        let found = reader.associated(&path, self.span(base))?;
        // What is no associated type may be a variant, or nothing.
        Ok(Some(found).filter(|_| reader.diagnostics.is_empty()))
    }

    /// The type that `Name<A>` or `m.Name<A>` before a dot stands for; `None` when the name is no type.
    pub(super) fn type_with_args(&mut self, base: tree::ExprId, types: List<TypeId>, whole: tree::ExprId) -> Result<Option<Type>> {
        let span: Span = self.span(whole);
        let (item, wanted) = match self.tree.exprs[base] {
            Ast::Name(name) if self.lookup(name).is_none() => match (self.scope.type_name(name), predeclared(name.as_str())) {
                (Some(Entity::Type(item)), _) => (item, self.scope.arity(item)),
                (None, Some(known)) => known,
                _ => return Ok(None),
            },
            Ast::Field(root, name) => match self.exported_type(root, name)? {
                Some(Entity::Type(item)) => (item, self.cx.type_definition(item)?.map_or(0, |definition| definition.generics.len())),
                Some(_) | None => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.written_type(item, wanted, types, span)
    }
}

//! What values of a type are made of.

use std::sync::Arc;

use hashbrown::HashMap;
use ir::Stop;

use crate::program::{Context, Given, TypeDefinition};
use crate::resolve::instances::instance_of;
use crate::resolve::recursion::LARGE;
use crate::{Type, TypeKind};

/// The constructors of a type.
#[derive(Clone)]
pub(crate) enum Made {
    /// One, with these parts. The definition when it is declared.
    Product(Arc<[Type]>, Option<Arc<TypeDefinition>>),
    /// The variants of a sum of several.
    Sum(Arc<TypeDefinition>),
    /// Any number of elements of this type.
    List(Type),
    /// Values that are told apart by comparing, or not at all.
    Plain,
}

/// Answers about types; each is asked for once.
pub(crate) struct Types<'a> {
    cx: &'a dyn Context,
    /// What is known of the type parameters of the body.
    given: &'a Given,
    made: HashMap<Type, Made>,
    is_empty: HashMap<Type, bool>,
}

impl<'a> Types<'a> {
    pub(crate) fn new(given: &'a Given, cx: &'a dyn Context) -> Types<'a> {
        Types { cx, given, made: HashMap::new(), is_empty: HashMap::new() }
    }

    /// What a type is made of; a declaration with errors counts as plain.
    pub(crate) fn made(&mut self, ty: Type) -> Result<Made, Stop> {
        if let Some(known) = self.made.get(&ty) {
            return Ok(known.clone());
        }
        let made = match ty.kind() {
            TypeKind::Tuple(elements) => Made::Product(elements.into(), None),
            TypeKind::List(element) => Made::List(element),
            TypeKind::Void => Made::Product(Arc::default(), None),
            TypeKind::Struct(item, args) => match instance_of(item, args, self.given, self.cx)? {
                Some(definition) if definition.choices().is_some() => Made::Sum(definition),
                Some(definition) => Made::Product(definition.fields.iter().map(|&(_, ty)| ty).collect(), Some(definition)),
                None => Made::Plain,
            },
            TypeKind::Error
            | TypeKind::Int
            | TypeKind::Float
            | TypeKind::Bool
            | TypeKind::Char
            | TypeKind::Byte
            | TypeKind::Str
            | TypeKind::Never
            | TypeKind::Function(..)
            | TypeKind::Object(_)
            | TypeKind::Opaque(..)
            | TypeKind::Cell(_)
            | TypeKind::Methods(..)
            | TypeKind::Hole(_)
            | TypeKind::Associated(..)
            | TypeKind::Parameter(..)
            | TypeKind::Variable(_) => Made::Plain,
        };
        self.made.insert(ty, made.clone());
        Ok(made)
    }

    /// Has the type no values? One that contains itself is taken to have some.
    pub(crate) fn is_empty(&mut self, ty: Type) -> Result<bool, Stop> {
        match ty.kind() {
            TypeKind::Never => return Ok(true),
            // One that contains ever larger instances of itself comes here as well, before its impl is refused for that.
            TypeKind::Tuple(_) | TypeKind::Struct(..) if ty.size() > LARGE => return Ok(false),
            TypeKind::Tuple(_) | TypeKind::Struct(..) => {}
            _ => return Ok(false),
        }
        if let Some(&known) = self.is_empty.get(&ty) {
            return Ok(known);
        }
        self.is_empty.insert(ty, false);
        let is_empty = match self.made(ty)? {
            Made::Product(parts, _) => self.any_empty(parts.iter().copied())?,
            Made::Sum(definition) => {
                let mut all = true;
                for variant in &definition.variants {
                    all = all && self.any_empty(variant.payload.iter().map(|&(_, ty)| ty))?;
                }
                all
            }
            Made::List(_) | Made::Plain => false,
        };
        self.is_empty.insert(ty, is_empty);
        Ok(is_empty)
    }

    /// Is one of the parts without values, so that the whole has none?
    pub(crate) fn any_empty(&mut self, parts: impl Iterator<Item = Type>) -> Result<bool, Stop> {
        for part in parts {
            if self.is_empty(part)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

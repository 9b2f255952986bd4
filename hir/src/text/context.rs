//! What a dump declares: the program around its bodies, as far as they mention it.

use std::sync::Arc;

use hashbrown::HashMap;
use ir::text::{Function, TextError};
use ir::{ItemId, Namespace, Stop, Symbol};
use syntax::Span;

use crate::program::{
    Context, Given, ImplRow, Implementation, Parameter, Receiver, Scope, Signature, TraitDefinition, TraitMethod, TraitOutline, TraitRef,
    TypeDefinition, TypeForm, Variant,
};
use crate::resolve::prelude;
use crate::{Type, TypeKind, types};

/// Answers the questions of a verifier from the `;!` lines of a dump.
#[derive(Default)]
pub struct TextContext {
    signatures: HashMap<ItemId, Arc<Signature>>,
    gives: HashMap<ItemId, Type>,
    definitions: HashMap<ItemId, Arc<TypeDefinition>>,
    constants: HashMap<ItemId, Type>,
    traits: HashMap<ItemId, Arc<TraitDefinition>>,
    impls: Vec<(ImplRow, Arc<Implementation>)>,
}

pub(super) fn type_of(text: &str, line: u32) -> Result<Type, TextError> {
    types::parse(text).ok_or_else(|| TextError::new(line, 1, "T0101", &format!("`{text}` is no type")))
}

pub(super) fn item_of(text: &str, line: u32) -> Result<ItemId, TextError> {
    ItemId::parse(text).ok_or_else(|| TextError::new(line, 1, "T0102", &format!("`{text}` is no item")))
}

fn malformed(line: u32) -> TextError {
    TextError::new(line, 1, "T0103", "expected `type m.T = {f: int}`, `fn @m.f(int) -> int` or `const @$m.c: int`")
}

/// Splits at commas outside brackets.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0i32, 0);
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            // The `>` of `->` closes nothing.
            b'>' if i > 0 && text.as_bytes()[i - 1] != b'-' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

/// Methods as `@m.Tr'name`.
fn members(text: &str, line: u32) -> Result<Vec<(Symbol, ItemId)>, TextError> {
    // The name of a method may have spaces in it, from the header of its impl.
    let names = text.split('@').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| item_of(name, line).map(|item| (item.short_name(), item))).collect()
}

/// `A`, `A(int, str)`, `A(f: int)`
fn variant_of(text: &str, line: u32) -> Result<Variant, TextError> {
    let (name, payload) = match text.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')').ok_or_else(|| malformed(line))?),
        None => (text, ""),
    };
    let mut variant = Variant { name: Symbol::new(name), is_named: false, payload: Vec::new() };
    for (at, part) in split(payload).into_iter().enumerate() {
        let (name, ty) = match part.split_once(':') {
            Some((name, ty)) => {
                variant.is_named = true;
                (Symbol::new(name.trim()), ty)
            }
            None => (Symbol::new(&at.to_string()), part),
        };
        variant.payload.push((name, type_of(ty, line)?));
    }
    Ok(variant)
}

impl TextContext {
    /// Reads the `;!` lines and the headers of the functions.
    pub(super) fn read(directives: &[(u32, String)], functions: &[Function]) -> Result<TextContext, TextError> {
        let mut context = TextContext::default();
        for (line, text) in directives {
            context.directive(*line, text)?;
        }
        for function in functions {
            let item = item_of(&function.name, function.line)?;
            let mut params = Vec::with_capacity(function.params.len());
            for param in &function.params {
                params.push(type_of(&param.ty, function.line)?);
            }
            let result = type_of(&function.result, function.line)?;
            if item.path().namespace == Namespace::Constant {
                context.constants.insert(item, result);
            } else {
                context.declare(item, &params, result);
            }
        }
        Ok(context)
    }

    fn declare(&mut self, item: ItemId, params: &[Type], result: Type) {
        let blank = Symbol::new("_");
        let params =
            params.iter().map(|&ty| Parameter { name: blank, ty, default: None, variadic: false, span: Span::default() }).collect();
        let (result_span, name_span) = (Span::default(), Span::default());
        // A generic function is declared with its type parameters as arguments: `@m.swap<T$0>(T$0) -> T$0`.
        let (base, args) = types::instance_of(item);
        let names = args.iter().map(|ty| match ty.kind() {
            TypeKind::Parameter(_, name) => Some(name),
            _ => None,
        });
        let (item, generics) = match names.collect::<Option<Vec<Symbol>>>() {
            Some(names) => (base, names),
            None => (item, Vec::new()),
        };
        let given = self.gives.get(&item).copied();
        let signature = Signature {
            item,
            is_pub: false,
            owner: None,
            generics,
            given: Given::default(),
            promised: given.map(|_| Box::default()),
            receiver: Receiver::None,
            params,
            result: given.unwrap_or(result),
            result_span,
            name_span,
            diagnostics: Vec::new(),
        };
        self.signatures.insert(item, Arc::new(signature));
    }

    fn directive(&mut self, line: u32, text: &str) -> Result<(), TextError> {
        let (word, rest) = text.split_once(' ').ok_or_else(|| malformed(line))?;
        match word {
            "type" => {
                let (name, fields) = rest.split_once('=').ok_or_else(|| malformed(line))?;
                let TypeKind::Struct(item, generics) = type_of(name, line)?.kind() else { return Err(malformed(line)) };
                let generics = generics.iter().map(|ty| match ty.kind() {
                    TypeKind::Parameter(_, name) => Ok(name),
                    _ => Err(malformed(line)),
                });
                let generics = generics.collect::<Result<Vec<Symbol>, TextError>>()?;
                let mut definition = TypeDefinition {
                    item,
                    form: TypeForm::Struct,
                    generics,
                    given: Given::default(),
                    fields: Vec::new(),
                    variants: Vec::new(),
                    derives: Vec::new(),
                    diagnostics: Vec::new(),
                    names: Default::default(),
                };
                match fields.trim().strip_prefix('{') {
                    Some(fields) => {
                        for field in split(fields.strip_suffix('}').ok_or_else(|| malformed(line))?) {
                            let (name, ty) = field.split_once(':').ok_or_else(|| malformed(line))?;
                            definition.fields.push((Symbol::new(name.trim()), type_of(ty, line)?));
                        }
                    }
                    None => {
                        definition.form = TypeForm::Sum;
                        for variant in fields.split('|') {
                            definition.variants.push(variant_of(variant.trim(), line)?);
                        }
                    }
                }
                self.definitions.insert(item, Arc::new(definition));
            }
            "fn" => {
                let rest = rest.trim().strip_prefix('@').ok_or_else(|| malformed(line))?;
                let open = ir::ssa::text::read::parenthesis(rest).ok_or_else(|| malformed(line))?;
                let (name, rest) = (&rest[..open], &rest[open + 1..]);
                let (params, result) = rest.rsplit_once("->").ok_or_else(|| malformed(line))?;
                let params = params.trim().strip_suffix(')').ok_or_else(|| malformed(line))?;
                let mut types = Vec::new();
                for param in split(params) {
                    types.push(type_of(param, line)?);
                }
                self.declare(item_of(name.trim().trim_matches('"'), line)?, &types, type_of(result, line)?);
            }
            // `gives @m.f = result<m.f>`: of a body in the file that hides the type of its result, what callers have.
            "gives" => {
                let (name, ty) = rest.trim().strip_prefix('@').and_then(|rest| rest.split_once('=')).ok_or_else(|| malformed(line))?;
                self.gives.insert(item_of(name.trim().trim_matches('"'), line)?, type_of(ty, line)?);
            }
            "const" => {
                let rest = rest.trim().strip_prefix('@').ok_or_else(|| malformed(line))?;
                let (name, ty) = rest.rsplit_once(':').ok_or_else(|| malformed(line))?;
                self.constants.insert(item_of(name.trim().trim_matches('"'), line)?, type_of(ty, line)?);
            }
            // `trait m.Tr = @m.Tr'a @m.Tr'b`, without type parameters.
            "trait" => {
                let (name, methods) = rest.split_once('=').ok_or_else(|| malformed(line))?;
                let TypeKind::Struct(item, []) = type_of(name, line)?.kind() else { return Err(malformed(line)) };
                let methods = members(methods, line)?.into_iter().map(|(name, item)| TraitMethod { name, item, has_body: false });
                let definition = TraitDefinition {
                    item,
                    generics: Vec::new(),
                    given: Given::default(),
                    supertraits: Vec::new(),
                    associated: Vec::new(),
                    methods: methods.collect(),
                    diagnostics: Vec::new(),
                };
                self.traits.insert(item, Arc::new(definition));
            }
            // `impl m.P: m.Tr = @m.P'Tr'a`
            "impl" => {
                let (header, methods) = rest.split_once('=').ok_or_else(|| malformed(line))?;
                let (ty, interface) = header.split_once(": ").ok_or_else(|| malformed(line))?;
                let (ty, interface) = (type_of(ty, line)?, type_of(interface, line)?);
                let TypeKind::Struct(interface, args) = interface.kind() else { return Err(malformed(line)) };
                let item = prelude::built_in_head(&format!("impl {}", self.impls.len()));
                let (head, methods) = (prelude::head(ty), members(methods, line)?);
                let row = ImplRow { item, head, interface: Some(interface), of_type: Vec::new(), of_trait: Vec::new(), methods };
                let implementation = Implementation {
                    item,
                    generics: Vec::new(),
                    ty,
                    interface: Some(TraitRef::new(interface, args)),
                    given: Given::default(),
                    associated: Vec::new(),
                    type_span: Span::default(),
                    diagnostics: Vec::new(),
                };
                self.impls.push((row, Arc::new(implementation)));
            }
            // Other directives belong to the fixture runner.
            _ => {}
        }
        Ok(())
    }
}

impl Context for TextContext {
    fn scope(&self, _module: Symbol) -> Result<Arc<Scope>, Stop> {
        Ok(Arc::default())
    }

    fn signature(&self, item: ItemId) -> Result<Option<Arc<Signature>>, Stop> {
        let Some(signature) = self.signatures.get(&item) else { return Ok(None) };
        let owner = self.traits.values().find(|definition| definition.methods.iter().any(|method| method.item == item));
        Ok(Some(match owner {
            Some(definition) => {
                // What takes a `Self` first is a method.
                let is_method = signature.params.first().is_some_and(|param| matches!(param.ty.kind(), TypeKind::Parameter(0, _)));
                let receiver = if is_method { Receiver::Plain } else { Receiver::None };
                Arc::new(Signature { owner: Some(definition.item), receiver, ..Signature::clone(signature) })
            }
            None => signature.clone(),
        }))
    }

    fn hidden_result(&self, _function: ItemId) -> Result<Option<Type>, Stop> {
        Ok(None)
    }

    fn type_definition(&self, item: ItemId) -> Result<Option<Arc<TypeDefinition>>, Stop> {
        Ok(self.definitions.get(&item).cloned())
    }

    fn defaults(&self, _item: ItemId) -> Result<Arc<Vec<Option<Type>>>, Stop> {
        Ok(Arc::default())
    }

    fn constant_type(&self, item: ItemId) -> Result<Option<Type>, Stop> {
        Ok(self.constants.get(&item).copied())
    }

    fn implementation(&self, item: ItemId) -> Result<Option<Arc<Implementation>>, Stop> {
        Ok(self.impls.iter().find(|(row, _)| row.item == item).map(|(_, implementation)| implementation.clone()))
    }

    fn inherent_impls(&self, _head: ItemId) -> Result<Arc<Vec<ImplRow>>, Stop> {
        Ok(Arc::default())
    }

    fn trait_definition(&self, item: ItemId) -> Result<Option<Arc<TraitDefinition>>, Stop> {
        Ok(self.traits.get(&item).cloned())
    }

    fn trait_outline(&self, item: ItemId) -> Result<Option<Arc<TraitOutline>>, Stop> {
        let outline = |definition: &Arc<TraitDefinition>| TraitOutline {
            supertraits: definition.supertraits.clone(),
            associated: definition.associated.iter().map(|row| row.name).collect(),
        };
        Ok(self.traits.get(&item).map(|definition| Arc::new(outline(definition))))
    }

    fn trait_impls(&self, interface: ItemId, head: Option<ItemId>) -> Result<Arc<Vec<ImplRow>>, Stop> {
        let rows = self.impls.iter().map(|(row, _)| row);
        Ok(Arc::new(rows.filter(|row| row.interface == Some(interface) && row.head == head).cloned().collect()))
    }

    /// In a dump, what a method does to its `self` is part of its declared result.
    fn mutates(&self, _method: ItemId) -> Result<bool, Stop> {
        Ok(false)
    }

    fn constant_int(&self, _item: ItemId) -> Result<Option<i64>, Stop> {
        Ok(None)
    }
}

//! What a name in an expression stands for.

use ir::Symbol;
use syntax::tree::{self, Pattern};
use syntax::{DiagnosticCode as Code, Span};

use super::variants::Named;
use super::why::Expect;
use super::{Binding, Checker, Kind, Result, Which, builtin};
use crate::Type;
use crate::ir::{Expr, ExprId};
use crate::program::{Entity, TypeDefinition, TypeForm};
use crate::resolve::prelude;
use crate::resolve::{StdMember, is_later_type, prelude_type, std_member, suggest};

/// Constructors, functions and constants of the prelude that the slice lacks: name and word of the refusal.
pub(super) fn later_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "target_os" | "target_arch" | "target_family" | "debug" | "release" => "conditional compilation",
        "Print" | "Stdin" | "FileSystem" | "Env" | "Clock" | "Random" | "Logger" | "Http" | "Cache" | "Crypto" | "Intrinsics" | "FFI"
        | "Suspend" | "Unsafe" => "capabilities",
        _ => return None,
    })
}

impl<'a> Checker<'a> {
    pub(super) fn lookup(&self, name: Symbol) -> Option<Binding> {
        self.draft.bindings.iter().rev().find(|binding| binding.name == name).copied()
    }

    /// A name used as a value; `dollar` when written `$name`.
    pub(super) fn name(&mut self, name: Symbol, dollar: bool, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        if let Some(binding) = self.lookup(name) {
            if dollar && !matches!(binding.kind, Kind::Immutable) {
                self.report(Code::E0206, span, [name.into()]).helps.push(format!("declare it with `let ${name}`, or write `{name}`"));
                let at = self.diagnostics.len() - 1;
                self.diagnostics[at].labels.push(syntax::Label {
                    anchor: self.anchor,
                    span: binding.span,
                    text: format!("`{name}` is bound here"),
                });
                return Ok(self.error(span));
            }
            return Ok(self.read(binding.local, span));
        }
        if let Some(error) = self.parameter_in_default(name, span) {
            return Ok(error);
        }
        let other = self.scope.value(name);
        if !dollar {
            let mut named = self.expected_variant(name, expect)?;
            if let Named::Nothing = named {
                named = self.scope_variant(name, other, span)?;
            }
            if let Some(value) = self.named_value(named, span, None, span, expect)? {
                return Ok(value);
            }
        }
        match other {
            Some(entity) => self.entity(entity, name, dollar, span, expect),
            None => self.unknown(name, dollar, span, expect),
        }
    }

    /// E0315: defaults may not mention parameters.
    pub(super) fn parameter_in_default(&mut self, name: Symbol, span: Span) -> Option<ExprId> {
        let Which::Default(index) = self.which else { return None };
        let tree::ItemKind::Function(function) = &self.item.kind else { return None };
        function.params.iter().find(|p| p.name == Some(name))?;
        let own = function.params.get(index as usize).and_then(|p| p.name)?;
        self.report(Code::E0315, span, [own.into(), name.into()]);
        Some(self.error(span))
    }

    /// The value of something that a module offers.
    pub(super) fn entity(&mut self, entity: Entity, name: Symbol, dollar: bool, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        match entity {
            Entity::Constant(item) => {
                let ty = self.cx.constant_type(item)?.unwrap_or(Type::ERROR);
                Ok(self.push(Expr::Constant(item), ty, span))
            }
            Entity::Std(module, member) => match std_member(module, member) {
                Some(StdMember::Constant(bits)) => Ok(self.push(Expr::Float(bits), Type::FLOAT, span)),
                Some(StdMember::Function) if dollar => self.not_immutable(name, span),
                Some(StdMember::Function) if let Some(item) = prelude::std_function(module, member) => {
                    self.function_value(item, Vec::new(), span, expect)
                }
                Some(StdMember::Function) => self.builtin_value(Some(module), member, span, expect),
                None => {
                    self.report(Code::E2003, span, [name.into()]).notes.push(format!("`{name}` names a module"));
                    Ok(self.error(span))
                }
            },
            Entity::Function(_) | Entity::Module(_) if dollar => self.not_immutable(name, span),
            Entity::Function(item) => self.function_value(item, Vec::new(), span, expect),
            Entity::Module(_) => {
                self.report(Code::E2003, span, [name.into()]).notes.push(format!("`{name}` names a module, not a value"));
                Ok(self.error(span))
            }
            Entity::Type(item) => self.constructor_as_value(item, None, name, span),
            Entity::Trait(_) => Ok(self.type_as_value(name, span)),
            Entity::Unsupported(..) => {
                self.poisoned = true;
                Ok(self.error(span))
            }
        }
    }

    fn not_immutable(&mut self, name: Symbol, span: Span) -> Result<ExprId> {
        self.report(Code::E0206, span, [name.into()]);
        Ok(self.error(span))
    }

    /// The name of a newtype stands for its constructor, that of any other type for no value.
    pub(super) fn constructor_as_value(&mut self, item: ir::ItemId, of: Option<Type>, name: Symbol, span: Span) -> Result<ExprId> {
        let definition = self.cx.type_definition(item)?;
        Ok(match definition {
            Some(definition) if definition.form == TypeForm::Newtype => {
                if definition.diagnostics.iter().any(|d| d.severity() == syntax::Severity::Error) {
                    return Ok(self.error(span));
                }
                let ty = of.unwrap_or_else(|| self.open_struct(item, definition.generics.len()));
                self.constructor_value(&definition, ty, &definition.fields, None, span)?
            }
            Some(definition) => self.declared_as_value(&definition, name, span),
            None => self.type_as_value(name, span),
        })
    }

    /// E0221 that says how values of the type are made.
    pub(super) fn declared_as_value(&mut self, definition: &TypeDefinition, name: Symbol, span: Span) -> ExprId {
        let error = self.report(Code::E0221, span, [name.into()]);
        error.helps.extend(made_by(definition, name));
        self.error(span)
    }

    pub(super) fn type_as_value(&mut self, name: Symbol, span: Span) -> ExprId {
        self.report(Code::E0221, span, [name.into()]);
        self.error(span)
    }

    /// A name that neither locals nor the module know: prelude, type, or an error.
    fn unknown(&mut self, name: Symbol, dollar: bool, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let text = name.as_str();
        if let Some(what) = later_name(text) {
            return Ok(self.refuse(span, what));
        }
        if !dollar && let Some(item) = prelude::of_variant(text) {
            let named = self.variant_of(item, name)?;
            if let Some(value) = self.named_value(named, span, None, span, expect)? {
                return Ok(value);
            }
        }
        let predeclared = || prelude::trait_named(text).map(Entity::Trait);
        match self.scope.type_name(name).or_else(predeclared) {
            Some(Entity::Unsupported(..)) => {
                self.poisoned = true;
                return Ok(self.error(span));
            }
            Some(Entity::Type(item)) => return self.constructor_as_value(item, None, name, span),
            Some(_) => return Ok(self.type_as_value(name, span)),
            None => {}
        }
        if matches!(text, "int" | "float" | "str" | "byte") || prelude_type(text).is_some() || prelude::predeclared(text).is_some() {
            return Ok(self.type_as_value(name, span));
        }
        if builtin::is_function(text) {
            return self.builtin_value(None, name, span, expect);
        }
        if is_later_type(text) {
            return Ok(self.refuse(span, format!("`{text}`")));
        }
        Ok(self.unknown_name(name, dollar, span))
    }

    /// E2003, or E0211 when a later `let` of an open block declares it.
    pub(super) fn unknown_name(&mut self, name: Symbol, dollar: bool, span: Span) -> ExprId {
        if self.defining == Some(name) && !self.around_lambdas.is_empty() {
            self.report(Code::E2007, span, [name.into()]).helps.push("a function of the module may call itself".into());
            return self.error(span);
        }
        if let Some(declared) = self.declared_later(name) {
            let anchor = self.anchor;
            let error = self.report(Code::E0211, span, [name.into()]);
            error.labels.push(syntax::Label { anchor, span: declared, text: "declared here, after its use".into() });
            return self.error(span);
        }
        let near = {
            let locals = self.draft.bindings.iter().rev().map(|b| b.name.as_str());
            let own = self.scope.values.iter().map(|(n, _)| n.as_str()).chain(self.scope.variants.iter().map(|(n, _)| n.as_str()));
            suggest(name.as_str(), locals.chain(own).chain(builtin::FUNCTIONS.iter().copied()))
        };
        let anchor = self.anchor;
        let module = self.item.id.module();
        let error = self.report(Code::E2003, span, [name.into()]);
        error.label = "not found in this scope".into();
        // Only one standard module has names that the prelude lacks.
        let is_of_math = match std_member(Symbol::new("std.math"), name) {
            Some(StdMember::Constant(_)) => dollar,
            Some(StdMember::Function) => !dollar,
            None => false,
        };
        if is_of_math {
            let mark = if dollar { "$" } else { "" };
            error.helps.push(format!("`{mark}{name}` is in std.math"));
            let text = format!("use std.math {{ {mark}{name} }};\n");
            error.edits.push(syntax::Edit {
                anchor: syntax::Anchor::Module(module),
                span: Span::new(0, 0),
                text,
                machine_applicable: true,
            });
            return self.error(span);
        }
        let elsewhere = super::elsewhere::known_elsewhere(name.as_str()).filter(|_| !dollar);
        error.helps.extend(elsewhere.map(str::to_owned));
        if let Some((near, is_sure)) = near.filter(|&(_, is_sure)| is_sure || elsewhere.is_none()) {
            if elsewhere.is_none() {
                error.helps.push(format!("a value with a similar name exists: `{near}`"));
            }
            let text = if dollar { format!("${near}") } else { near };
            error.edits.push(syntax::Edit { anchor, span, text, machine_applicable: is_sure });
        }
        self.error(span)
    }

    fn declared_later(&self, name: Symbol) -> Option<Span> {
        for &(statements, done) in self.draft.blocks.iter().rev() {
            for &statement in self.tree.expr_lists[statements].iter().skip(done) {
                if let tree::Expr::Let { pattern, .. } = self.tree.exprs[statement]
                    && let Some(span) = self.binds(pattern, name, 0)
                {
                    return Some(span);
                }
            }
        }
        None
    }

    fn binds(&self, pattern: tree::PatternId, name: Symbol, depth: u32) -> Option<Span> {
        if depth > 64 {
            return None;
        }
        match self.tree.patterns[pattern] {
            Pattern::Name { name: bound, .. } if bound == name => Some(self.tree.pattern_span(pattern)),
            Pattern::Tuple(parts) => self.tree.pattern_lists[parts].iter().find_map(|&p| self.binds(p, name, depth + 1)),
            Pattern::Struct { fields, .. } => {
                self.tree.field_patterns[fields].iter().find_map(|field| self.binds(field.pattern, name, depth + 1))
            }
            Pattern::At { name: bound, pattern: inner, .. } => {
                if bound == name {
                    Some(self.tree.pattern_span(pattern))
                } else {
                    self.binds(inner, name, depth + 1)
                }
            }
            _ => None,
        }
    }
}

/// How a value of this type is written, where its name was taken for one.
fn made_by(definition: &TypeDefinition, name: Symbol) -> Option<String> {
    const SHOWN: usize = 4;
    let listed = |names: Vec<String>| {
        let more = if names.len() > SHOWN { ", ..." } else { "" };
        format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
    };
    match definition.form {
        TypeForm::Struct if definition.fields.is_empty() => Some(format!("a value of it is written `{name} {{}}`")),
        TypeForm::Struct => {
            let fields = definition.fields.iter().map(|(field, _)| format!("{field}: ..."));
            Some(format!("a value of it is written `{name} {{ {} }}`", listed(fields.collect())))
        }
        TypeForm::Sum if definition.variants.is_empty() => None,
        TypeForm::Sum => {
            let variants = definition.variants.iter().map(|variant| format!("`{}`", variant.name));
            Some(format!("its values are made by its variants: {}", listed(variants.collect())))
        }
        TypeForm::Newtype => None,
    }
}

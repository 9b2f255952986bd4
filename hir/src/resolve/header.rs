//! What only the names around an item can say of its header: the entry point, targets of tests, private types that are exposed. No other item depends
//! on these answers, so they are no part of a signature.

use ir::{ItemId, Stop, Symbol};
use syntax::tree::{Item, ItemKind};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Severity, Span};

use super::types::{prelude_type, show};
use crate::program::{Context, Entity, Scope, Signature};
use crate::{Type, TypeKind};

/// The form as which scopes know tests.
pub(super) const TESTS: &str = "tests";

/// Judges the entry point: E0213 when there is none, E0212 when its form is none of language/17 §17.1.
pub fn check_main(signature: Option<&Signature>, module: Symbol) -> Option<Diagnostic> {
    let Some(signature) = signature else {
        return Some(
            Diagnostic::new(Code::E0213, Anchor::Module(module), Span::default(), [])
                .help("a program starts at `@main () -> void = { ... }`"),
        );
    };
    if signature.diagnostics.iter().any(|d| d.severity() == Severity::Error) {
        return None;
    }
    let params_fit = match signature.params[..] {
        [] => true,
        [args] => args.ty == Type::list(Type::STR) && args.default.is_none() && !args.variadic,
        _ => false,
    };
    let result_fits = matches!(signature.result, Type::VOID | Type::INT | Type::NEVER);
    if params_fit && result_fits && signature.generics.is_empty() {
        return None;
    }
    Some(
        Diagnostic::new(Code::E0212, Anchor::Item(signature.item), signature.name_span, [])
            .help("@main takes `()` or `(args: [str])` and returns `void`, `int` or `Never`"),
    )
}

/// Judges the name and the targets of a test (language/11 §11.1).
pub fn check_test(item: &Item, cx: &dyn Context) -> Result<Vec<Diagnostic>, Stop> {
    let mut found = Vec::new();
    let ItemKind::Test { targets, .. } = &item.kind else { return Ok(found) };
    if item.has_errors {
        return Ok(found);
    }
    let (id, scope) = (item.id, cx.scope(item.id.module())?);
    let mut report = |code, args: Vec<syntax::Arg>| found.push(Diagnostic::new(code, Anchor::Item(id), item.name_span, args));
    let own_function = ItemId::function(id.module(), id.name());
    if id.path().disambiguator > 0 || scope.value(id.name()) == Some(Entity::Function(own_function)) {
        report(Code::E2006, vec![id.name().into()]);
    }
    if targets.len() > 1 && targets.iter().any(Option::is_none) {
        report(Code::E0514, Vec::new());
    }
    for &(name, member) in targets.iter().flatten() {
        if target(name, member, &scope, cx)?.is_none() {
            let shown = member.map_or_else(|| name.as_str().to_owned(), |member| format!("{name}.{member}"));
            report(Code::E0513, vec![shown.into()]);
        }
    }
    Ok(found)
}

/// What a test may name as its target.
enum Target {
    /// A function.
    Function(ItemId),
    /// A method, something of the library, or a form that is refused where it stands.
    Other,
}

/// What `@name` or `@name.member` is to a test.
fn target(name: Symbol, member: Option<Symbol>, scope: &Scope, cx: &dyn Context) -> Result<Option<Target>, Stop> {
    let other = |is_known: bool| is_known.then_some(Target::Other);
    Ok(match (scope.value(name), member) {
        (Some(Entity::Function(id)), None) => Some(Target::Function(id)),
        (Some(Entity::Unsupported(_, form)), _) => other(form != TESTS),
        (Some(Entity::Module(module)), Some(member)) => cx.scope(module)?.exported(member).find_map(|entity| match entity {
            Entity::Function(id) => Some(Target::Function(id)),
            Entity::Unsupported(..) => Some(Target::Other),
            Entity::Constant(_) | Entity::Type(_) | Entity::Trait(_) | Entity::Module(_) | Entity::Std(..) => None,
        }),
        (Some(Entity::Std(module, whole)), _) => other(super::std_member(module, member.unwrap_or(whole)).is_some()),
        // A method: what is wrong with its type or its impl is said there.
        (_, Some(_)) => other(scope.type_name(name).is_some() || prelude_type(name.as_str()).is_some()),
        (Some(Entity::Constant(_) | Entity::Type(_) | Entity::Trait(_) | Entity::Module(_)) | None, None) => None,
    })
}

/// Functions that a test is attached to.
pub fn test_targets(item: &Item, cx: &dyn Context) -> Result<Vec<ItemId>, Stop> {
    let mut found = Vec::new();
    let ItemKind::Test { targets, .. } = &item.kind else { return Ok(found) };
    let scope = cx.scope(item.id.module())?;
    for &(name, member) in targets.iter().flatten() {
        if let Some(Target::Function(id)) = target(name, member, &scope, cx)? {
            found.push(id);
        }
    }
    Ok(found)
}

/// W0202: private types in the signature of a public function, each once.
pub fn exposed_types(item: &Item, cx: &dyn Context) -> Result<Vec<Diagnostic>, Stop> {
    let mut found = Vec::new();
    let ItemKind::Function(_) = item.kind else { return Ok(found) };
    if !item.is_pub || item.owner.is_some() {
        return Ok(found);
    }
    let Some(signature) = cx.signature(item.id)? else { return Ok(found) };
    let mut seen: Vec<Type> = Vec::new();
    let parts = signature.params.iter().map(|p| (p.ty, p.span)).chain([(signature.result, signature.result_span)]);
    let mut open = Vec::new();
    for (ty, span) in parts {
        open.push(ty);
        while let Some(ty) = open.pop() {
            match ty.kind() {
                TypeKind::Tuple(elements) => open.extend(elements.iter().rev()),
                TypeKind::Struct(id, args) if !seen.contains(&ty) && !super::prelude::is_predeclared(id) => {
                    seen.push(ty);
                    open.extend(args.iter().rev());
                    if !cx.scope(id.module())?.exported(id.name()).any(|e| e == Entity::Type(id) || e == Entity::Trait(id)) {
                        let args = [item.id.name().into(), show(ty).into()];
                        found.push(Diagnostic::new(Code::W0202, Anchor::Item(item.id), span, args));
                    }
                }
                TypeKind::List(element) => open.push(element),
                // The traits stand in it as declared types do.
                TypeKind::Object(traits) => open.extend(traits.iter().rev()),
                TypeKind::Function(params, result) => {
                    open.push(result);
                    open.extend(params.iter().rev());
                }
                crate::base_kinds!()
                | TypeKind::Struct(..)
                | TypeKind::Associated(..)
                | TypeKind::Opaque(..)
                | TypeKind::Parameter(..)
                | TypeKind::Str
                | TypeKind::Cell(_)
                | TypeKind::Methods(..)
                | TypeKind::Hole(_)
                | TypeKind::Variable(_) => {}
            }
        }
    }
    Ok(found)
}

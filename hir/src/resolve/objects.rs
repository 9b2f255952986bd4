//! Trait objects (language/03 §3.13, 08 §8.2): which traits may be types, and which methods the object of some has.
//!
//! A value of a trait object is a counted cell with a value in it of a type that nobody around knows, and the addresses of the functions that do for
//! that type what the traits ask. So a method is called on an object that takes no more than `self` of the type that is hidden.

use std::sync::Arc;

use ir::Stop;
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Span};

use crate::program::{Context, ObjectMethod, Receiver, Signature, TraitRef};
use crate::types::instance;
use crate::{Type, TypeKind};

/// The traits of an object, in the order of their text; none of any other type.
pub fn traits_of(object: Type) -> impl Iterator<Item = TraitRef> {
    let traits = if let TypeKind::Object(traits) = object.kind() { traits } else { &[] };
    traits.iter().map(|&one| TraitRef::of_type(one))
}

/// The methods that can be called on an object, in the order of their addresses: of each of its traits in turn those of its supertraits, from left to right, then
/// its own in declaration order, each once. None of any other type.
pub fn methods(object: Type, cx: &dyn Context) -> Result<Arc<[ObjectMethod]>, Stop> {
    let mut found = Vec::new();
    let mut seen = Vec::new();
    for interface in traits_of(object) {
        gather(interface, object, &mut seen, &mut found, cx)?;
    }
    Ok(found.into())
}

fn gather(
    interface: TraitRef,
    object: Type,
    seen: &mut Vec<TraitRef>,
    found: &mut Vec<ObjectMethod>,
    cx: &dyn Context,
) -> Result<(), Stop> {
    if seen.contains(&interface) || seen.len() > super::solve::DEEPEST {
        return Ok(());
    }
    seen.push(interface);
    let Some(definition) = cx.trait_definition(interface.item())? else { return Ok(()) };
    let parts = interface.parts(object);
    for parent in &definition.supertraits {
        gather(parent.substituted(&parts), object, seen, found, cx)?;
    }
    if why_not(interface, cx)?.is_some() {
        return Ok(());
    }
    for method in &definition.methods {
        if let Some(signature) = cx.signature(method.item)?
            && signature.receiver != Receiver::None
        {
            found.push(ObjectMethod { item: instance(method.item, &parts), changes: signature.receiver == Receiver::Mut });
        }
    }
    Ok(())
}

/// Why a trait can be no object type; `None` where it can, or where its declaration is refused. Supertraits do not count. Asks for the signatures of its methods,
/// so it must not be part of answering for one.
pub fn why_not(interface: TraitRef, cx: &dyn Context) -> Result<Option<String>, Stop> {
    let Some(definition) = cx.trait_definition(interface.item())? else { return Ok(None) };
    if let Some(associated) = definition.associated.first() {
        return Ok(Some(format!("it has the associated type `{}`", associated.name)));
    }
    for method in &definition.methods {
        let Some(signature) = cx.signature(method.item)? else { continue };
        if let Some(why) = of_method(&signature, definition.generics.len()) {
            return Ok(Some(format!("`{}` {why}", method.name)));
        }
    }
    Ok(None)
}

/// What keeps a method from being called on an object. `of_trait` type parameters are those of the trait.
fn of_method(signature: &Signature, of_trait: usize) -> Option<String> {
    if signature.generics.len() > of_trait + 1 {
        return Some("is generic".to_owned());
    }
    let receiver = usize::from(signature.receiver != Receiver::None);
    if let Some(param) = signature.params.iter().skip(receiver).find(|param| mentions_self(param.ty)) {
        return Some(format!("mentions `Self` in its parameter `{}`", param.name));
    }
    mentions_self(signature.result).then(|| "mentions `Self` in its result".to_owned())
}

fn mentions_self(ty: Type) -> bool {
    let mut found = false;
    ty.replaced(&mut |part| {
        found |= matches!(part.kind(), TypeKind::Parameter(0, _));
        (!part.has_parameter()).then_some(part)
    });
    found
}

/// E2024 for each trait within a type that can be no object type.
pub(crate) fn check_objects(ty: Type, anchor: Anchor, span: Span, cx: &dyn Context) -> Result<Vec<Diagnostic>, Stop> {
    let mut objects = Vec::new();
    ty.replaced(&mut |part| {
        if let TypeKind::Object(_) = part.kind() {
            objects.push(part);
        }
        None
    });
    let mut found = Vec::new();
    for interface in objects.into_iter().flat_map(traits_of) {
        if let Some(why) = why_not(interface, cx)? {
            let error = Diagnostic::new(Code::E2024, anchor, span, [interface.show().into(), why.into()]);
            found.push(error.help(format!("a type parameter works with any trait: `<T: {}>`", interface.show())));
        }
    }
    Ok(found)
}

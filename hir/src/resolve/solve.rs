//! Which impl makes a type implement a trait (language/08 §8.1), and what its associated types are.
//!
//! A type parameter implements what its bounds say and the supertraits of that. Any other type implements a trait by an impl whose header is the type for
//! some type arguments, and whose own bounds hold for these; impls for every type come last. Solving looks at all impls of the program that can be meant,
//! by trait and head of the type, and never at their order.

use hashbrown::{HashMap, HashSet};
use ir::{ItemId, Stop, Symbol};

use super::prelude::{self, Known};
use crate::program::{Asked, Bound, Context, Given, ImplRow, Implementation, TraitDefinition, TraitRef};
use crate::types::{instance, instance_of};
use crate::{Type, TypeKind};

/// Deepest chain of bounds that hold because of others.
pub(super) const DEEPEST: usize = 128;
/// Most bounds that are looked at for one.
const MOST: u32 = 1 << 16;

/// Bounds that are being solved, and how many were looked at.
#[derive(Default)]
struct Search {
    open: Vec<(Type, TraitRef)>,
    steps: u32,
    /// Associated types that are being replaced.
    depth: usize,
    /// How often a limit or a circle was met. What was found without any is the same wherever it is asked.
    cuts: u32,
    /// What was found so: an impl asks for the same bound on many ways, and each way again for what that needs.
    answers: HashMap<(Type, TraitRef), Answer>,
    /// What associated types were found to be.
    normals: HashMap<Type, Type>,
}

/// Why a type implements a trait.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Evidence {
    /// A bound says so; which impl it is depends on the instance.
    Bound,
    /// An impl, with the arguments of its type parameters.
    Impl(ItemId, Vec<Type>),
    /// A trait of the prelude that the type has by itself or by `#derive`: its methods are instances of those of the trait.
    Made,
}

/// The answer to a question about a bound.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// The trait is implemented.
    Proven(Evidence),
    /// It is not.
    Refuted,
    /// It would be, but the compiler cannot make its methods yet.
    Unsupported,
    /// The search did not come to an end (E0440).
    Endless,
}

/// Does a type implement a trait, where this is known of type parameters?
pub fn solve(ty: Type, interface: TraitRef, given: &Given, cx: &dyn Context) -> Result<Answer, Stop> {
    goal(ty, interface, given, &mut Search::default(), cx)
}

fn goal(ty: Type, interface: TraitRef, given: &Given, search: &mut Search, cx: &dyn Context) -> Result<Answer, Stop> {
    if let Some(known) = search.answers.get(&(ty, interface)) {
        return Ok(known.clone());
    }
    search.steps += 1;
    if search.open.len() > DEEPEST || search.steps > MOST || search.open.contains(&(ty, interface)) {
        search.cuts += 1;
        return Ok(Answer::Endless);
    }
    let cuts = search.cuts;
    search.open.push((ty, interface));
    let answer = decide(ty, interface, given, search, cx);
    search.open.pop();
    if let (Ok(answer), true) = (&answer, search.cuts == cuts && !search.open.is_empty()) {
        search.answers.insert((ty, interface), answer.clone());
    }
    answer
}

fn decide(ty: Type, interface: TraitRef, given: &Given, search: &mut Search, cx: &dyn Context) -> Result<Answer, Stop> {
    let is_object = matches!(ty.kind(), TypeKind::Object(_));
    if !given.bounds.is_empty() || is_object || matches!(ty.kind(), TypeKind::Associated(..) | TypeKind::Opaque(..)) {
        for bound in bounds_of(ty, given, cx)? {
            // An object has a supertrait that can be no object type in name only.
            if inherits(bound, interface, ty, cx)? && (!is_object || super::objects::why_not(interface, cx)?.is_none()) {
                return Ok(Answer::Proven(Evidence::Bound));
            }
        }
    }
    if let Some(known) = Known::of(interface.item())
        && let Some(answer) = made(ty, known, interface, given, search, cx)?
    {
        return Ok(answer);
    }
    let asked = Asked::of(ty, Some(interface));
    let mut best: Option<(u32, Evidence)> = None;
    for row in cx.trait_impls(interface.item(), impls_for(ty, interface.item()))?.iter() {
        // Of a thousand impls for a thousand arguments nearly all are told apart by their text.
        if !row.may_be(&asked) {
            continue;
        }
        let Some(found) = cx.implementation(row.item)? else { continue };
        let Some(header) = header(&found, interface.item(), cx)? else { continue };
        let mut filled = Filled::new(found.generics.len());
        if !filled.fill(found.ty, ty) || !filled.fill_all(header.args(), interface.args()) {
            continue;
        }
        let Some(args) = filled.args() else { continue };
        if !filled.is_so(&args, given, search, cx)? {
            continue;
        }
        match holds(&found.given, &args, given, search, cx)? {
            Answer::Proven(_) => {}
            Answer::Refuted => continue,
            other => return Ok(other),
        }
        // Overlap is an error of the impls; the first of equal rank stands in for all.
        let rank = rank(&found);
        if best.as_ref().is_none_or(|(other, _)| rank < *other) {
            best = Some((rank, Evidence::Impl(row.item, args)));
        }
    }
    Ok(best.map_or(Answer::Refuted, |(_, evidence)| Answer::Proven(evidence)))
}

/// The head by which impls of a trait for a type are looked up. What is built in has traits of the prelude from the compiler, from the library
/// or, with all other types, by an impl for type parameters: an impl of its own would be an orphan.
pub fn impls_for(ty: Type, interface: ItemId) -> Option<ItemId> {
    match ty.kind() {
        TypeKind::Struct(head, _) => Some(head),
        // Of the traits that the compiler knows the library implements those of lists alone.
        TypeKind::Str if Known::of(interface).is_some_and(|known| known.is_of_iteration() || known == Known::Into) => prelude::head(ty),
        TypeKind::Str | TypeKind::Char | TypeKind::Byte if Known::of(interface).is_some() => None,
        // The library sums up numbers.
        TypeKind::Int | TypeKind::Float if Known::of(interface).is_none() => prelude::head(ty),
        _ if prelude::is_predeclared(interface) => prelude::library_head(ty),
        _ => prelude::head(ty),
    }
}

/// Concrete impls first, then those for every type with a bound, then those for every type.
pub(super) fn rank(found: &Implementation) -> u32 {
    match (found.ty.kind(), found.given.bounds.is_empty()) {
        (TypeKind::Parameter(..), false) => 1,
        (TypeKind::Parameter(..), true) => 2,
        _ => 0,
    }
}

/// The trait as which an impl implements it: its own, or one of the supertraits whose methods it gives.
pub(super) fn header(found: &Implementation, interface: ItemId, cx: &dyn Context) -> Result<Option<TraitRef>, Stop> {
    let Some(own) = found.interface else { return Ok(None) };
    if own.item() == interface {
        return Ok(Some(own));
    }
    Ok(ancestors(own, found.ty, cx)?.into_iter().find(|above| above.item() == interface))
}

/// Does what an impl asks of its type parameters hold for these?
fn holds(wanted: &Given, args: &[Type], given: &Given, search: &mut Search, cx: &dyn Context) -> Result<Answer, Stop> {
    for bound in &wanted.bounds {
        let ty = normal(bound.ty.substituted(args), given, search, cx)?;
        match goal(ty, bound.interface.substituted(args), given, search, cx)? {
            Answer::Proven(_) => {}
            other => return Ok(other),
        }
    }
    for equality in &wanted.equalities {
        let found = normal(equality.associated.substituted(args), given, search, cx)?;
        if found != normal(equality.ty.substituted(args), given, search, cx)? {
            return Ok(Answer::Refuted);
        }
    }
    Ok(Answer::Proven(Evidence::Bound))
}

/// What the signature of a function promises of its hidden result, for its type arguments; `None` for any other type.
fn promised(ty: Type, cx: &dyn Context) -> Result<Option<Given>, Stop> {
    let TypeKind::Opaque(function, args) = ty.kind() else { return Ok(None) };
    let Some(signature) = cx.signature(function)? else { return Ok(None) };
    Ok(signature.promised.as_ref().map(|promised| promised.substituted(args)))
}

/// The traits that a type has by bounds: those that name it, those of an associated type, of a hidden result and of an object.
pub fn bounds_of(ty: Type, given: &Given, cx: &dyn Context) -> Result<Vec<TraitRef>, Stop> {
    let mut found: Vec<TraitRef> = given.bounds.iter().filter(|bound| bound.ty == ty).map(|bound| bound.interface).collect();
    found.extend(super::objects::traits_of(ty));
    if let Some(promised) = promised(ty, cx)? {
        found.extend(promised.bounds.iter().filter(|bound| bound.ty == ty).map(|bound| bound.interface));
    }
    if let TypeKind::Associated(parts, interface, name) = ty.kind()
        && let Some(definition) = cx.trait_definition(interface)?
        && let Some(row) = definition.associated.iter().find(|row| row.name == name)
    {
        found.extend(row.bounds.iter().map(|bound| bound.substituted(parts)));
    }
    if let TypeKind::Associated(&[this, ..], ..) = ty.kind() {
        for bound in bounds_of(this, given, cx)? {
            for above in ancestors(bound, this, cx)? {
                clauses(above, this, ty, &mut found, cx)?;
            }
        }
    }
    Ok(found)
}

/// What `where` clauses of a trait about `Self.Item` say of this associated type: whoever has the trait showed that.
fn clauses(interface: TraitRef, this: Type, ty: Type, found: &mut Vec<TraitRef>, cx: &dyn Context) -> Result<(), Stop> {
    let Some(definition) = cx.trait_definition(interface.item())? else { return Ok(()) };
    for bound in &definition.given.bounds {
        if let TypeKind::Associated(&[of, ..], ..) = bound.ty.kind()
            && matches!(of.kind(), TypeKind::Parameter(0, _))
        {
            let parts = interface.parts(this);
            if bound.ty.substituted(&parts) == ty {
                found.push(bound.interface.substituted(&parts));
            }
        }
    }
    Ok(())
}

/// What a type has as a certain trait, whatever its type arguments: by bounds or by impls. `open` makes what stands for a type parameter of an impl that
/// its type does not tell, as `T` of `impl<T> A: Show<T>`; what such an impl asks of it is for the user to see to.
pub fn candidates(
    ty: Type,
    interface: ItemId,
    given: &Given,
    cx: &dyn Context,
    open: &mut dyn FnMut() -> Type,
) -> Result<Vec<TraitRef>, Stop> {
    let mut found: Vec<TraitRef> = Vec::new();
    // Those of impls: what an impl asks is asked here, not of all impls again for each of them.
    let mut proven: Vec<TraitRef> = Vec::new();
    let mut untold: Vec<TraitRef> = Vec::new();
    for bound in bounds_of(ty, given, cx)? {
        found.extend(ancestors(bound, ty, cx)?.into_iter().filter(|above| above.item() == interface));
    }
    if let Some(known) = Known::of(interface).filter(|known| known.arity() == 1) {
        // What is built in, for each right operand that the table has.
        found.extend([ty, Type::INT, Type::FLOAT].map(|arg| TraitRef::new(known.item(), &[arg])));
    }
    let asked = Asked::of(ty, None);
    for row in cx.trait_impls(interface, impls_for(ty, interface))?.iter().filter(|row| row.may_be(&asked)) {
        let Some(implementation) = cx.implementation(row.item)? else { continue };
        let Some(header) = header(&implementation, interface, cx)? else { continue };
        let mut filled = Filled::new(implementation.generics.len());
        if !filled.fill(implementation.ty, ty) {
            continue;
        }
        let mut search = Search::default();
        match filled.args() {
            Some(args) => {
                let candidate = normal_trait(header.substituted(&args), given, &mut search, cx)?;
                if !filled.is_so(&args, given, &mut search, cx)? {
                    continue;
                }
                // Whoever asks for this very bound goes through the same impl.
                search.open.push((ty, candidate));
                if matches!(holds(&implementation.given, &args, given, &mut search, cx)?, Answer::Proven(_)) {
                    proven.push(candidate);
                }
            }
            None => {
                let told: Vec<bool> = filled.slots.iter().map(Option::is_some).collect();
                let args: Vec<Type> = filled.slots.iter().map(|slot| slot.unwrap_or_else(&mut *open)).collect();
                if may_hold(&implementation, &told, &args, given, cx)? {
                    untold.push(normal_trait(header.substituted(&args), given, &mut search, cx)?);
                }
            }
        }
    }
    let mut seen: HashSet<TraitRef> = HashSet::with_capacity(found.len() + proven.len());
    let mut distinct: Vec<TraitRef> = Vec::with_capacity(found.len() + proven.len() + untold.len());
    for candidate in found {
        if !seen.contains(&candidate) && matches!(solve(ty, candidate, given, cx)?, Answer::Proven(_)) {
            seen.insert(candidate);
            distinct.push(candidate);
        }
    }
    distinct.extend(proven.into_iter().filter(|&candidate| seen.insert(candidate)));
    distinct.extend(untold);
    Ok(distinct)
}

/// A trait with each associated type in its arguments replaced by what it is.
fn normal_trait(interface: TraitRef, given: &Given, search: &mut Search, cx: &dyn Context) -> Result<TraitRef, Stop> {
    let mut stopped = None;
    let changed = interface.mapped(|ty| {
        normal(ty, given, search, cx).unwrap_or_else(|stop| {
            stopped = Some(stop);
            ty
        })
    });
    stopped.map_or(Ok(changed), Err)
}

/// Does what an impl asks of the type parameters that its type tells hold?
fn may_hold(found: &Implementation, told: &[bool], args: &[Type], given: &Given, cx: &dyn Context) -> Result<bool, Stop> {
    for bound in &found.given.bounds {
        let mut is_told = true;
        for part in [bound.ty].iter().chain(bound.interface.args()) {
            part.replaced(&mut |part| {
                if let TypeKind::Parameter(index, _) = part.kind() {
                    is_told &= told.get(index as usize) == Some(&true);
                }
                None
            });
        }
        if is_told {
            let ty = normalised(bound.ty.substituted(args), given, cx)?;
            if solve(ty, bound.interface.substituted(args), given, cx)? == Answer::Refuted {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The built-in implementations (language/08 §8.4, §8.6) and the derived ones; `None` when impls decide.
fn made(ty: Type, known: Known, interface: TraitRef, given: &Given, search: &mut Search, cx: &dyn Context) -> Result<Option<Answer>, Stop> {
    let mut all = |parts: &[Type]| -> Result<Option<Answer>, Stop> {
        for &part in parts {
            match goal(part, interface, given, search, cx)? {
                Answer::Proven(_) => {}
                other => return Ok(Some(other)),
            }
        }
        Ok(Some(Answer::Proven(Evidence::Made)))
    };
    if let TypeKind::Parameter(..) | TypeKind::Associated(..) | TypeKind::Opaque(..) | TypeKind::Variable(_) = ty.kind() {
        return Ok(None);
    }
    if !known.is_of_values() {
        let args = interface.args();
        let has = match known {
            Known::TryAs => matches!(args, &[to] if prelude::conversion(ty, to).is_some()),
            Known::Into => (ty, args) == (Type::INT, &[Type::FLOAT][..]),
            _ => known.output(ty, args).is_some(),
        };
        return Ok(has.then_some(Answer::Proven(Evidence::Made)));
    }
    let has = match (ty.kind(), known) {
        (TypeKind::Error, _) => true,
        (TypeKind::Never, known) => known != Known::Default,
        (TypeKind::Str, Known::Len | Known::IsEmpty) => true,
        (TypeKind::Char, Known::Default) => false,
        (TypeKind::Int | TypeKind::Float | TypeKind::Bool | TypeKind::Char | TypeKind::Byte | TypeKind::Str | TypeKind::Void, known) => {
            known.is_derivable()
        }
        (TypeKind::Tuple(_), Known::Len) => true,
        (TypeKind::Tuple(_), Known::IsEmpty) => false,
        (TypeKind::Tuple(parts), _) => return all(parts),
        (TypeKind::List(_), Known::Len | Known::IsEmpty) => true,
        // An iterator shares what it has until it is advanced.
        (TypeKind::Struct(item, _), Known::Clone) if prelude::is_iterator(item) => true,
        // The library implements them, in Ori.
        (TypeKind::List(_), _) => return Ok(None),
        (TypeKind::Function(..) | TypeKind::Object(_) | TypeKind::Cell(_) | TypeKind::Methods(..) | TypeKind::Hole(_), known) => {
            known == Known::Clone
        }
        (TypeKind::Struct(item, args), known) => {
            let name = Symbol::new(known.name());
            match cx.type_definition(item)? {
                // A derived impl of a generic type bounds each type parameter by the trait.
                Some(definition) if definition.derives.contains(&name) => return all(args),
                Some(_) => return Ok(None),
                // The declaration has errors or is refused; nothing about it is worth another report.
                None => true,
            }
        }
        (TypeKind::Parameter(..) | TypeKind::Associated(..) | TypeKind::Opaque(..) | TypeKind::Variable(_), _) => return Ok(None),
    };
    if has {
        return Ok(Some(Answer::Proven(Evidence::Made)));
    }
    Ok(None)
}

/// The type arguments for which `pattern` is `ty`, as they are written; `None` when there are none.
pub fn matched(pattern: Type, ty: Type, count: usize) -> Option<Vec<Type>> {
    let mut filled = Filled::new(count);
    if !filled.fill(pattern, ty) {
        return None;
    }
    let args = filled.args()?;
    filled.later.iter().all(|&(pattern, ty)| pattern.substituted(&args) == ty).then_some(args)
}

/// What the type parameters of an impl are where its header is a certain type.
struct Filled {
    slots: Vec<Option<Type>>,
    /// Associated types of the header, which tell no parameter, and what they are to be.
    later: Vec<(Type, Type)>,
}

impl Filled {
    fn new(count: usize) -> Filled {
        Filled { slots: vec![None; count], later: Vec::new() }
    }

    /// The type arguments, where all are told.
    fn args(&self) -> Option<Vec<Type>> {
        self.slots.iter().copied().collect()
    }

    /// Are the associated types what they are to be?
    fn is_so(&self, args: &[Type], given: &Given, search: &mut Search, cx: &dyn Context) -> Result<bool, Stop> {
        for &(pattern, ty) in &self.later {
            if normal(pattern.substituted(args), given, search, cx)? != normal(ty, given, search, cx)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn fill(&mut self, pattern: Type, ty: Type) -> bool {
        match (pattern.kind(), ty.kind()) {
            (TypeKind::Parameter(index, _), _) => match self.slots.get_mut(index as usize) {
                Some(Some(known)) => *known == ty,
                Some(slot) => {
                    *slot = Some(ty);
                    true
                }
                None => false,
            },
            (TypeKind::Associated(..), _) => {
                self.later.push((pattern, ty));
                true
            }
            (TypeKind::Struct(a, of_a), TypeKind::Struct(b, of_b)) => a == b && self.fill_all(of_a, of_b),
            (TypeKind::Tuple(a), TypeKind::Tuple(b)) => self.fill_all(a, b),
            (TypeKind::List(a), TypeKind::List(b)) => self.fill(a, b),
            (TypeKind::Function(a, result_a), TypeKind::Function(b, result_b)) => self.fill_all(a, b) && self.fill(result_a, result_b),
            (TypeKind::Opaque(a, of_a), TypeKind::Opaque(b, of_b)) => a == b && self.fill_all(of_a, of_b),
            (TypeKind::Object(a), TypeKind::Object(b)) => self.fill_all(a, b),
            _ => pattern == ty,
        }
    }

    fn fill_all(&mut self, patterns: &[Type], types: &[Type]) -> bool {
        patterns.len() == types.len() && patterns.iter().zip(types).all(|(&pattern, &ty)| self.fill(pattern, ty))
    }
}

/// Is `wanted` the trait or one of its supertraits, for this type?
pub fn inherits(interface: TraitRef, wanted: TraitRef, this: Type, cx: &dyn Context) -> Result<bool, Stop> {
    Ok(interface == wanted || ancestors(interface, this, cx)?.contains(&wanted))
}

/// A trait and its supertraits, each once, nearest first, for this type.
pub fn ancestors(interface: TraitRef, this: Type, cx: &dyn Context) -> Result<Vec<TraitRef>, Stop> {
    let mut found = vec![interface];
    let mut next = 0;
    while let Some(&interface) = found.get(next) {
        next += 1;
        if let Some(definition) = cx.trait_definition(interface.item())? {
            let args = interface.parts(this);
            for parent in &definition.supertraits {
                let parent = parent.substituted(&args);
                // A trait that inherits from ever larger instances of itself is E0443; here it comes to an end.
                if !found.contains(&parent) && found.len() < DEEPEST {
                    found.push(parent);
                }
            }
        }
    }
    Ok(found)
}

/// The member of a trait with this name.
pub fn member(definition: &TraitDefinition, name: Symbol) -> Option<ItemId> {
    definition.methods.iter().find(|method| method.name == name).map(|method| method.item)
}

/// The type with each associated type in it replaced by what it is, as far as that is known.
pub fn normalised(ty: Type, given: &Given, cx: &dyn Context) -> Result<Type, Stop> {
    normal(ty, given, &mut Search::default(), cx)
}

fn normal(ty: Type, given: &Given, search: &mut Search, cx: &dyn Context) -> Result<Type, Stop> {
    if !ty.has_associated() {
        return Ok(ty);
    }
    if let Some(&known) = search.normals.get(&ty) {
        return Ok(known);
    }
    search.steps += 1;
    if search.steps > MOST || search.depth > DEEPEST {
        search.cuts += 1;
        return Ok(ty);
    }
    let cuts = search.cuts;
    search.depth += 1;
    let found = replaced(ty, given, search, cx);
    search.depth -= 1;
    if let (&Ok(found), true) = (&found, search.cuts == cuts && search.depth + search.open.len() > 0) {
        search.normals.insert(ty, found);
    }
    found
}

fn replaced(ty: Type, given: &Given, search: &mut Search, cx: &dyn Context) -> Result<Type, Stop> {
    if let TypeKind::Opaque(function, args) = ty.kind() {
        return revealed(function, args, given, search, cx);
    }
    let TypeKind::Associated(parts, interface, name) = ty.kind() else {
        // From the inside outwards; the closure cannot stop, so what stops it is kept.
        let mut stopped = None;
        let changed = ty.replaced(&mut |part| match part.kind() {
            _ if !part.has_associated() => Some(part),
            TypeKind::Associated(..) | TypeKind::Opaque(..) => Some(normal(part, given, search, cx).unwrap_or_else(|stop| {
                stopped = Some(stop);
                part
            })),
            _ => None,
        });
        return stopped.map_or(Ok(changed), Err);
    };
    let mut own = Vec::with_capacity(parts.len());
    for &part in parts {
        own.push(normal(part, given, search, cx)?);
    }
    let ty = Type::associated(&own, interface, name);
    if let Some(equality) = given.equalities.iter().find(|equality| equality.associated == ty) {
        return if equality.ty == ty { Ok(ty) } else { normal(equality.ty, given, search, cx) };
    }
    let (Some(&this), args) = (own.first(), own.get(1..).unwrap_or_default()) else { return Ok(ty) };
    if let Some(promised) = promised(this, cx)?
        && let Some(equality) = promised.equalities.iter().find(|equality| equality.associated == ty)
    {
        return if equality.ty == ty { Ok(ty) } else { normal(equality.ty, given, search, cx) };
    }
    // What the iterator of a thing gives is what the thing gives.
    if let (TypeKind::Associated(things, of, iter), Some(Known::Iterator)) = (this.kind(), Known::of(interface))
        && Known::of(of) == Some(Known::Iterable)
        && iter == prelude::iter_type()
    {
        return normal(Type::associated(things, of, name), given, search, cx);
    }
    // Of what the library iterates over the head tells the impl, whatever is open in it.
    let is_told =
        || Known::of(interface).is_some_and(Known::is_of_iteration) && prelude::library_head(this).is_some_and(prelude::is_predeclared);
    if ty.has_variable() && !is_told() {
        return Ok(ty);
    }
    let found = match goal(this, TraitRef::new(interface, args), given, search, cx)? {
        Answer::Proven(Evidence::Impl(item, args)) => {
            let implementation = cx.implementation(item)?;
            let declared = implementation.and_then(|found| found.associated.iter().find(|(n, _)| *n == name).map(|(_, ty)| *ty));
            let declared = match declared {
                None if Known::of(interface) == Some(Known::Iterable) && name == prelude::iter_type() => {
                    match own_method(interface, this, item, Symbol::new(Known::Iterable.method_name()), cx)? {
                        Some(method) => cx.signature(method)?.map(|signature| signature.result),
                        None => None,
                    }
                }
                declared => declared,
            };
            declared.map(|ty| ty.substituted(&args))
        }
        Answer::Proven(Evidence::Made) => return Ok(Known::of(interface).and_then(|known| known.output(this, args)).unwrap_or(ty)),
        Answer::Proven(Evidence::Bound) | Answer::Refuted | Answer::Unsupported | Answer::Endless => return Ok(ty),
    };
    let found = match found {
        Some(found) => Some(found),
        None => {
            let definition = cx.trait_definition(interface)?;
            definition.and_then(|d| d.associated.iter().find(|row| row.name == name)?.default).map(|default| default.substituted(&own))
        }
    };
    match found {
        Some(found) => normal(found, given, search, cx),
        None => Ok(ty),
    }
}

/// A hidden result as far as it is known: of a trait's method what the method of the impl gives, and where code is made what the body of the function gives.
fn revealed(function: ItemId, args: &[Type], given: &Given, search: &mut Search, cx: &dyn Context) -> Result<Type, Stop> {
    let mut known = Vec::with_capacity(args.len());
    for &arg in args {
        known.push(normal(arg, given, search, cx)?);
    }
    if known.iter().any(|arg| arg.has_variable()) {
        return Ok(Type::opaque(function, &known));
    }
    let (method, of) = instance_of(dispatch(instance(function, &known), given, cx)?);
    if method != function
        && let Some(signature) = cx.signature(method)?
    {
        return normal(signature.result.substituted(of), given, search, cx);
    }
    if given.is_for_code
        && let Some(hidden) = cx.hidden_result(function)?
    {
        return normal(hidden.substituted(&known), given, search, cx);
    }
    Ok(Type::opaque(function, &known))
}

/// What an instance of a trait's method really calls: the method of the impl that its type has, or the instance itself where that impl leaves the
/// method to the trait. Any other item calls itself, and so does a method whose impl only a bound tells.
pub fn dispatch(item: ItemId, given: &Given, cx: &dyn Context) -> Result<ItemId, Stop> {
    let (method, args) = instance_of(item);
    let Some(&this) = args.first() else { return Ok(item) };
    if let Some((known, special)) = prelude::specialised(method) {
        let has_trait = matches!(solve(this, known.plain(), given, cx)?, Answer::Proven(_));
        return Ok(if has_trait { instance(special, args) } else { item });
    }
    let Some(signature) = cx.signature(method)? else { return Ok(item) };
    let Some(owner) = signature.owner else { return Ok(item) };
    let Some(definition) = cx.trait_definition(owner)? else { return Ok(item) };
    let own = definition.generics.len() + 1;
    if args.len() < own {
        return Ok(item);
    }
    let interface = TraitRef::new(owner, &args[1..own]);
    let Answer::Proven(Evidence::Impl(found, impl_args)) = solve(this, interface, given, cx)? else { return Ok(item) };
    let Some(name) = definition.methods.iter().find(|m| m.item == method).map(|m| m.name) else { return Ok(item) };
    Ok(match own_method(owner, this, found, name, cx)? {
        Some(method) => instance(method, &[&impl_args, &args[own..]].concat()),
        None => item,
    })
}

/// The method that an impl gives under a name.
pub fn own_method(interface: ItemId, this: Type, found: ItemId, name: Symbol, cx: &dyn Context) -> Result<Option<ItemId>, Stop> {
    let rows = cx.trait_impls(interface, impls_for(this, interface))?;
    let row: Option<&ImplRow> = rows.iter().find(|row| row.item == found);
    Ok(row.and_then(|row| row.methods.iter().find(|(n, _)| *n == name)).map(|&(_, method)| method))
}

/// A bound on a trait without type arguments.
pub fn plain(ty: Type, interface: ItemId) -> Bound {
    Bound { ty, interface: TraitRef::new(interface, &[]) }
}

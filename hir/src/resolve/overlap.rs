//! Whether the headers of two impls have an instance in common (language/04 §4.7, coherence).
//!
//! They do when they can be unified: the type parameters of the second are renamed apart from those of the first, and what one parameter is taken for is
//! looked up step by step and never put in place, so that no type becomes larger than it is written (Robinson's unification with the triangular
//! substitution of Baader and Snyder 2001). Pairs that were seen are not looked at again, or a header that repeats its parameters would take
//! exponential time. What an associated type is says the rest of the header; one that stays open may be anything.

use hashbrown::HashSet;
use ir::Stop;

use super::solve::normalised;
use crate::program::{Context, Given, Implementation};
use crate::{Type, TypeKind};

/// Largest type that an associated type is looked up for; above it is taken for one that may be anything.
const LARGEST: u32 = 1 << 12;

/// Is there a type, and arguments of a trait, that both impls are for? What they ask of their type parameters does not count.
pub(super) fn overlap(a: (&Implementation, &[Type]), b: (&Implementation, &[Type]), cx: &dyn Context) -> Result<bool, Stop> {
    let (of_a, of_b) = (a.0.generics.len(), b.0.generics.len());
    let apart: Vec<Type> = (of_a..).zip(&b.0.generics).map(|(index, &name)| Type::new(TypeKind::Parameter(index as u32, name))).collect();
    let mut unifier = Unifier { known: vec![None; of_a + of_b], seen: HashSet::new(), later: Vec::new() };
    let others: Vec<Type> = b.1.iter().map(|ty| ty.substituted(&apart)).collect();
    if !unifier.unify(a.0.ty, b.0.ty.substituted(&apart)) || !unifier.unify_all(a.1, &others) {
        return Ok(false);
    }
    // What one associated type is can tell a type parameter that another one is of.
    let given = Given::default();
    let mut is_new = true;
    while is_new {
        is_new = false;
        for (a, b) in std::mem::take(&mut unifier.later) {
            let Some((whole_a, whole_b)) = unifier.whole(a).zip(unifier.whole(b)) else { continue };
            let (now_a, now_b) = (normalised(whole_a, &given, cx)?, normalised(whole_b, &given, cx)?);
            if (now_a, now_b) == (whole_a, whole_b) {
                // Nothing became known.
                unifier.later.push((a, b));
            } else if unifier.unify(now_a, now_b) {
                is_new = true;
            } else {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// What type parameters are taken for so that types are the same.
struct Unifier {
    /// By index; may mention others.
    known: Vec<Option<Type>>,
    seen: HashSet<(Type, Type)>,
    /// Pairs of which one is an associated type.
    later: Vec<(Type, Type)>,
}

impl Unifier {
    fn unify(&mut self, a: Type, b: Type) -> bool {
        let (a, b) = (self.now(a), self.now(b));
        if a == b || !self.seen.insert((a, b)) {
            return true;
        }
        match (a.kind(), b.kind()) {
            (TypeKind::Associated(..), _) | (_, TypeKind::Associated(..)) => {
                self.later.push((a, b));
                true
            }
            (TypeKind::Parameter(index, _), _) => self.fix(index, b),
            (_, TypeKind::Parameter(index, _)) => self.fix(index, a),
            (TypeKind::Struct(a, of_a), TypeKind::Struct(b, of_b)) => a == b && self.unify_all(of_a, of_b),
            (TypeKind::Tuple(a), TypeKind::Tuple(b)) => self.unify_all(a, b),
            (TypeKind::List(a), TypeKind::List(b)) => self.unify(a, b),
            (TypeKind::Function(a, result_a), TypeKind::Function(b, result_b)) => self.unify_all(a, b) && self.unify(result_a, result_b),
            (TypeKind::Object(a), TypeKind::Object(b)) => self.unify_all(a, b),
            _ => false,
        }
    }

    fn unify_all(&mut self, a: &[Type], b: &[Type]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| self.unify(a, b))
    }

    /// What a type parameter is taken for, as far as that is no parameter itself.
    fn now(&self, mut ty: Type) -> Type {
        while let TypeKind::Parameter(index, _) = ty.kind()
            && let Some(&Some(known)) = self.known.get(index as usize)
        {
            ty = known;
        }
        ty
    }

    fn fix(&mut self, index: u32, ty: Type) -> bool {
        if self.occurs(index, ty) {
            return false;
        }
        match self.known.get_mut(index as usize) {
            Some(slot) => {
                *slot = Some(ty);
                true
            }
            None => false,
        }
    }

    /// No type is a part of itself; what an associated type of it is may well be.
    fn occurs(&self, index: u32, ty: Type) -> bool {
        let (mut open, mut seen) = (vec![ty], HashSet::new());
        while let Some(ty) = open.pop() {
            let mut is_part = false;
            ty.replaced(&mut |part| match part.kind() {
                _ if !part.has_parameter() => Some(part),
                TypeKind::Associated(..) => Some(part),
                TypeKind::Parameter(other, _) => {
                    is_part |= other == index;
                    if seen.insert(other) {
                        open.extend(self.known.get(other as usize).copied().flatten());
                    }
                    Some(part)
                }
                _ => None,
            });
            if is_part {
                return true;
            }
        }
        false
    }

    /// The type with what is known put in place; `None` when it is too large.
    fn whole(&self, ty: Type) -> Option<Type> {
        let mut now = ty;
        loop {
            let next = now.replaced(&mut |part| match part.kind() {
                _ if !part.has_parameter() => Some(part),
                TypeKind::Parameter(..) => Some(self.now(part)),
                _ => None,
            });
            if next == now || next.size() > LARGEST {
                return (next == now).then_some(now);
            }
            now = next;
        }
    }
}

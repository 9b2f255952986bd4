//! Polynomials over ints and lengths, with coefficients wide enough that sums of ints do not wrap.

use ir::Id;
use ir::ssa::Value;

/// Factors of a term at most: an index of three dimensions has two.
const DEGREE: usize = 3;
/// Terms at most; what needs more is not understood.
const TERMS: usize = 12;

/// What a polynomial is over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Atom(u32);

/// What an atom stands for.
pub(super) enum What {
    /// The int itself.
    Int(Value),
    /// The length of the list.
    Length(Value),
}

impl Atom {
    const NONE: Atom = Atom(u32::MAX);

    pub(super) fn int(value: Value) -> Atom {
        Atom(value.raw() << 1)
    }

    pub(super) fn length(list: Value) -> Atom {
        Atom(list.raw() << 1 | 1)
    }

    pub(super) fn what(self) -> What {
        let value = Id::new((self.0 >> 1) as usize);
        if self.0 & 1 == 0 { What::Int(value) } else { What::Length(value) }
    }

    pub(super) fn value(self) -> Value {
        Id::new((self.0 >> 1) as usize)
    }
}

/// A product of atoms, in order; that of none is 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Product([Atom; DEGREE]);

impl Product {
    pub(super) const ONE: Product = Product([Atom::NONE; DEGREE]);

    pub(super) fn atoms(&self) -> impl Iterator<Item = Atom> + '_ {
        self.0.iter().copied().filter(|&atom| atom != Atom::NONE)
    }

    fn times(&self, other: &Product) -> Option<Product> {
        let mut atoms = [Atom::NONE; 2 * DEGREE];
        let both = self.atoms().chain(other.atoms());
        atoms.iter_mut().zip(both).for_each(|(slot, atom)| *slot = atom);
        atoms.sort_unstable();
        let (kept, over) = atoms.split_at(DEGREE);
        let is_small = over.iter().all(|&atom| atom == Atom::NONE);
        is_small.then(|| Product([kept[0], kept[1], kept[2]]))
    }

    /// What it is divided by another, if that goes.
    pub(super) fn divided(&self, other: &Product) -> Option<Product> {
        let mut rest = self.0;
        for atom in other.atoms() {
            *rest.iter_mut().find(|slot| **slot == atom)? = Atom::NONE;
        }
        rest.sort_unstable();
        Some(Product(rest))
    }
}

/// A sum of terms, each a coefficient that is not zero and a product; in order of the products.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub(super) struct Poly(Vec<(Product, i128)>);

impl Poly {
    pub(super) fn number(number: i128) -> Poly {
        Poly(if number == 0 { Vec::new() } else { vec![(Product::ONE, number)] })
    }

    pub(super) fn atom(atom: Atom) -> Poly {
        let mut atoms = [Atom::NONE; DEGREE];
        atoms[0] = atom;
        Poly(vec![(Product(atoms), 1)])
    }

    pub(super) fn terms(&self) -> &[(Product, i128)] {
        &self.0
    }

    pub(super) fn atoms(&self) -> impl Iterator<Item = Atom> + '_ {
        self.0.iter().flat_map(|(product, _)| product.atoms())
    }

    /// `self * times + other * and`; nothing when that is too large.
    pub(super) fn plus(&self, times: i128, other: &Poly, and: i128) -> Option<Poly> {
        let mut terms = Vec::with_capacity(self.0.len() + other.0.len());
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let (product, number) = match (left.peek(), right.peek()) {
                (Some(&&(a, x)), Some(&&(b, y))) if a == b => {
                    left.next();
                    right.next();
                    (a, x.checked_mul(times)?.checked_add(y.checked_mul(and)?)?)
                }
                (Some(&&(a, x)), other) if other.is_none_or(|&&(b, _)| a < b) => {
                    left.next();
                    (a, x.checked_mul(times)?)
                }
                (_, Some(&&(b, y))) => {
                    right.next();
                    (b, y.checked_mul(and)?)
                }
                (_, None) => break,
            };
            if number != 0 {
                terms.push((product, number));
            }
        }
        (terms.len() <= TERMS).then_some(Poly(terms))
    }

    pub(super) fn sum(&self, other: &Poly) -> Option<Poly> {
        self.plus(1, other, 1)
    }

    pub(super) fn less(&self, other: &Poly) -> Option<Poly> {
        self.plus(1, other, -1)
    }

    /// The product with a product of atoms.
    pub(super) fn scaled(&self, product: &Product, number: i128) -> Option<Poly> {
        let mut terms = Vec::with_capacity(self.0.len());
        for (own, x) in &self.0 {
            terms.push((own.times(product)?, x.checked_mul(number)?));
        }
        terms.sort_unstable();
        Some(Poly(terms))
    }

    pub(super) fn times(&self, other: &Poly) -> Option<Poly> {
        let mut all = Poly::default();
        for (product, number) in &other.0 {
            all = all.sum(&self.scaled(product, *number)?)?;
        }
        Some(all)
    }
}

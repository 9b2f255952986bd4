//! The declarations of a generated program: types, traits, impls, signatures.

use super::types::{Declared, Implementation, Method, Shape, Signature, Ty, Variant};
use crate::random::Random;

/// Everything that expressions can name.
#[derive(Clone, Debug)]
pub struct World {
    pub types: Vec<Declared>,
    pub traits: Vec<Vec<Method>>,
    pub impls: Vec<Implementation>,
    pub functions: Vec<Signature>,
}

impl World {
    /// From a seed.
    pub fn new(random: &mut Random) -> World {
        let mut world = World { types: Vec::new(), traits: Vec::new(), impls: Vec::new(), functions: Vec::new() };
        for _ in 0..2 + random.below(4) {
            let declared = world.declared(random);
            world.types.push(declared);
        }
        for number in 0..1 + random.below(2) {
            let methods = (0..1 + random.below(2)).map(|at| Method {
                name: format!("m{number}_{at}"),
                result: [None, Some(Ty::Int), Some(Ty::Str), Some(Ty::Bool)][random.below(4)].clone(),
                has_default: at > 0 && random.one_in(2),
            });
            world.traits.push(methods.collect());
            world.impls.push(Implementation { interface: number, generics: 0, ty: Ty::Int });
            for ty in 0..world.types.len() {
                let generics = world.types[ty].generics;
                if random.one_in(2) {
                    let ty = Ty::Named(ty, (0..generics).map(Ty::Param).collect());
                    world.impls.push(Implementation { interface: number, generics, ty });
                }
            }
        }
        for _ in 0..3 + random.below(5) {
            let signature = world.signature(random);
            world.functions.push(signature);
        }
        world
    }

    fn declared(&self, random: &mut Random) -> Declared {
        let generics = [0, 0, 1, 2][random.below(4)];
        let own = Ty::Named(self.types.len(), (0..generics).map(Ty::Param).collect());
        let parts = |world: &World, random: &mut Random, most: usize, itself: Option<&Ty>| -> Vec<Ty> {
            let count = random.below(most + 1);
            let part = |random: &mut Random| match itself.filter(|_| random.one_in(4)) {
                Some(own) => own.clone(),
                None => world.data(random, generics, 1),
            };
            (0..count).map(|_| part(random)).collect()
        };
        if random.one_in(3) {
            let mut fields = parts(self, random, 3, None);
            fields.extend((0..generics).map(Ty::Param));
            fields.push(Ty::Int);
            return Declared { generics, shape: Shape::Struct(fields) };
        }
        let count = 2 + random.below(3);
        let variants = (0..count).map(|at| {
            let itself = (at > 0).then_some(&own);
            let mut payload = parts(self, random, 2, itself);
            if at == 1 {
                payload.extend((0..generics).map(Ty::Param));
            }
            Variant { name: format!("V{}_{at}", self.types.len()), is_named: random.one_in(3), payload }
        });
        Declared { generics, shape: Shape::Sum(variants.collect()) }
    }

    /// A type of values that can be compared and shown; with so many type parameters around.
    pub fn data(&self, random: &mut Random, generics: usize, depth: usize) -> Ty {
        let inner = |random: &mut Random| self.data(random, generics, depth - 1);
        match random.below(if depth == 0 { 6 } else { 11 }) {
            0 | 1 => Ty::Int,
            2 => Ty::Str,
            3 => Ty::Bool,
            4 => [Ty::Float, Ty::Char][random.below(2)].clone(),
            5 if generics > 0 => Ty::Param(random.below(generics)),
            5 => Ty::Int,
            6 => Ty::Tuple((0..2 + random.below(2)).map(|_| inner(random)).collect()),
            7 => Ty::Option(Box::new(inner(random))),
            8 if random.one_in(2) => Ty::Result(Box::new(inner(random)), Box::new(inner(random))),
            _ => match self.types.len() {
                0 => Ty::Int,
                count => {
                    let number = random.below(count);
                    Ty::Named(number, (0..self.types[number].generics).map(|_| inner(random)).collect())
                }
            },
        }
    }

    fn signature(&self, random: &mut Random) -> Signature {
        let count = [0, 0, 1, 2][random.below(4)];
        let generics: Vec<Vec<usize>> =
            (0..count).map(|_| if random.one_in(2) { vec![random.below(self.traits.len())] } else { Vec::new() }).collect();
        // One of each, so that there is a value of each.
        let mut params: Vec<Ty> = (0..count).map(Ty::Param).collect();
        for _ in 0..random.below(3) {
            params.push(if random.one_in(3) {
                let result = self.data(random, count, 0);
                Ty::Function((0..1 + random.below(2)).map(|_| self.data(random, count, 0)).collect(), Box::new(result))
            } else {
                self.data(random, count, 2)
            });
        }
        let result = if random.one_in(6) {
            Ty::Function(vec![self.data(random, 0, 0)], Box::new(self.data(random, 0, 0)))
        } else {
            self.data(random, count, 2)
        };
        Signature { generics, params, result }
    }

    /// Does the type have the trait, where type parameters have these?
    pub fn has(&self, interface: usize, ty: &Ty, bounds: &[Vec<usize>]) -> bool {
        if let Ty::Param(index) = ty {
            return bounds.get(*index).is_some_and(|bounds| bounds.contains(&interface));
        }
        self.impls.iter().filter(|row| row.interface == interface).any(|row| {
            let mut args = vec![None; row.generics];
            row.ty.fits(ty, &mut args) && args.iter().flatten().all(|arg| self.has(interface, arg, bounds))
        })
    }
}

//! What one item tells the others: scopes, signatures, type definitions. Signatures are the firewall: nothing here changes with a body.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;
use ir::{ItemId, Stop, Symbol};
use syntax::{Diagnostic, Span};

use crate::resolve::prelude;
use crate::{Type, TypeKind};

/// What checking a body or a signature may ask about the rest of the program.
///
/// The driver answers by asking the query engine. Shared pieces come as `Arc`s so that asking costs a count.
pub trait Context {
    /// The names visible in a module.
    fn scope(&self, module: Symbol) -> Result<Arc<Scope>, Stop>;
    /// The signature of a function, test or default; `None` when the item is none of these or has syntax errors.
    fn signature(&self, item: ItemId) -> Result<Option<Arc<Signature>>, Stop>;
    /// The fields of a declared type; `None` when the item is no type of the slice or has syntax errors.
    fn type_definition(&self, item: ItemId) -> Result<Option<Arc<TypeDefinition>>, Stop>;
    /// The defaults of the type parameters of a declared type or trait, in order; none when the item is neither.
    fn defaults(&self, item: ItemId) -> Result<Arc<Vec<Option<Type>>>, Stop>;
    /// The type of a module constant; `None` as above. Needs the initialiser's type when there is no annotation.
    fn constant_type(&self, item: ItemId) -> Result<Option<Type>, Stop>;
    /// The header of an impl; `None` when the item is no impl of the slice or has syntax errors.
    fn implementation(&self, item: ItemId) -> Result<Option<Arc<Implementation>>, Stop>;
    /// The inherent impls of a declared type, in all modules of the program.
    fn inherent_impls(&self, head: ItemId) -> Result<Arc<Vec<ImplRow>>, Stop>;
    /// The members of a trait; `None` when the item is no trait of the slice or has syntax errors.
    fn trait_definition(&self, item: ItemId) -> Result<Option<Arc<TraitDefinition>>, Stop>;
    /// The part of a trait's header that tells which associated types it has; `None` as for the definition.
    fn trait_outline(&self, item: ItemId) -> Result<Option<Arc<TraitOutline>>, Stop>;
    /// The impls of a trait, in all modules of the program, for types with this head and for type parameters; without a head the latter alone.
    fn trait_impls(&self, interface: ItemId, head: Option<ItemId>) -> Result<Arc<Vec<ImplRow>>, Stop>;
    /// Does a method change its `self`? Then its callers get the new one back.
    fn mutates(&self, method: ItemId) -> Result<bool, Stop>;
    /// The type of the values of a function whose result is hidden (`-> impl Tr`), in its own type parameters; `None` when its body has errors. Only whoever makes code
    /// asks: what is checked against the function depends on nothing but its signature.
    fn hidden_result(&self, function: ItemId) -> Result<Option<Type>, Stop>;
    /// The value of a constant of type int, char or byte, for range patterns; `None` when it is not known.
    fn constant_int(&self, item: ItemId) -> Result<Option<i64>, Stop>;
}

/// What a name in a scope stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Entity {
    /// A function.
    Function(ItemId),
    /// A module constant.
    Constant(ItemId),
    /// A declared type.
    Type(ItemId),
    /// A trait.
    Trait(ItemId),
    /// A test, variant or other item of a form that the slice lacks; the text names the form.
    Unsupported(ItemId, #[serde(deserialize_with = "interned_text")] Form),
    /// A whole module under an alias.
    Module(Symbol),
    /// A function or constant of a built-in std module: module and name.
    Std(Symbol, Symbol),
}

/// The name of a form that the slice lacks.
pub type Form = &'static str;

/// Texts of forms live as long as the process; one that is read back is interned.
fn interned_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    <Symbol as serde::Deserialize>::deserialize(deserializer).map(Symbol::as_str)
}

/// The names a module offers its bodies: own items and imports, without prelude.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Scope {
    /// Sorted by name text: value names (functions, constants, modules).
    pub values: Vec<(Symbol, Entity)>,
    /// Sorted by name text: type names.
    pub types: Vec<(Symbol, Entity)>,
    /// Names that other modules may import: own `pub` items and `pub use`; sorted.
    pub public: Vec<(Symbol, Entity)>,
    /// Modules that this one imports, in order of the imports, without repetition.
    pub imports: Vec<Symbol>,
    /// Errors of imports and of duplicate names, and the refusals of items whose form the slice lacks.
    pub diagnostics: Vec<Diagnostic>,
    /// The traits in `types`, in the same order: where method calls look.
    pub traits: Vec<ItemId>,
    /// The types in `types` that take type arguments, and how many. Whoever mentions a type needs no more of its declaration than that.
    pub generic: Vec<(ItemId, u32)>,
    /// Variants by name: those of own sum types, then those that imported ones bring; sorted by name. One name may belong to several types.
    pub variants: Vec<(Symbol, ItemId)>,
    /// The module has impl blocks or the like, which are refused: methods and operators that its types lack are not reported again.
    pub refuses_impls: bool,
    /// Methods of blocks for types of the language, which are refused (E2010): that such a type lacks one is not reported again.
    pub refused_methods: Vec<Symbol>,
    /// Types of the language for which the module implements traits of the language, which is refused too: the names of their heads.
    pub orphans: Vec<Symbol>,
    /// Positions in `values` by the number of the symbol; made by [`Scope::sort`]. A scope without it is searched by text.
    #[serde(skip)]
    index: NumberIndex,
}

/// Positions by the number of a symbol. Numbers are private to the process, so this is no part of what a scope says.
#[derive(Clone, Default, Debug)]
struct NumberIndex(Vec<(u32, u32)>);

impl PartialEq for NumberIndex {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for NumberIndex {}
impl Hash for NumberIndex {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Scope {
    /// Brings the lists into their order and makes lookup fast.
    pub fn sort(&mut self) {
        for names in [&mut self.values, &mut self.types, &mut self.public] {
            names.sort_by_cached_key(|(name, entity)| (name.as_str(), is_type(*entity)));
        }
        let traits = self.types.iter().filter_map(|(_, entity)| if let Entity::Trait(item) = entity { Some(*item) } else { None });
        self.traits = traits.collect();
        // The sort is stable: own types stay before imported ones.
        self.variants.sort_by_key(|&(name, _)| name);
        self.index.0 = self.values.iter().enumerate().map(|(i, (name, _))| (name.raw(), i as u32)).collect();
        self.index.0.sort_unstable();
    }

    /// The value with this name.
    pub fn value(&self, name: Symbol) -> Option<Entity> {
        let index = &self.index.0;
        if index.len() == self.values.len() {
            let at = index.binary_search_by_key(&name.raw(), |entry| entry.0).ok()?;
            return Some(self.values[index[at].1 as usize].1);
        }
        find(&self.values, name)
    }

    /// The sum types with a variant of this name, own ones first.
    pub fn variants(&self, name: Symbol) -> &[(Symbol, ItemId)] {
        if self.variants.is_empty() {
            return &[];
        }
        let first = self.variants.partition_point(|(n, _)| *n < name);
        let count = self.variants[first..].iter().take_while(|(n, _)| *n == name).count();
        &self.variants[first..first + count]
    }

    /// The type with this name.
    pub fn type_name(&self, name: Symbol) -> Option<Entity> {
        find(&self.types, name)
    }

    /// How many type arguments a type of this scope takes.
    pub fn arity(&self, item: ItemId) -> usize {
        self.generic.iter().find(|(i, _)| *i == item).map_or(0, |(_, count)| *count as usize)
    }

    /// What a module of this name declares itself, exported or not; this is its scope.
    pub fn declared(&self, module: Symbol, name: Symbol) -> impl Iterator<Item = Entity> + use<> {
        let own = move |entity: &Entity| match *entity {
            Entity::Function(item) | Entity::Constant(item) | Entity::Type(item) | Entity::Trait(item) | Entity::Unsupported(item, _) => {
                item.module() == module
            }
            Entity::Module(_) | Entity::Std(..) => false,
        };
        self.value(name).filter(own).into_iter().chain(self.type_name(name).filter(own))
    }

    /// What other modules may import under this name: a value, a type, or both.
    pub fn exported(&self, name: Symbol) -> impl Iterator<Item = Entity> + '_ {
        let first = self.public.partition_point(|(n, _)| *n < name);
        self.public[first..].iter().take_while(move |(n, _)| *n == name).map(|(_, e)| *e)
    }
}

/// Does the entity live in the space of types?
pub fn is_type(entity: Entity) -> bool {
    match entity {
        Entity::Type(_) | Entity::Trait(_) => true,
        Entity::Unsupported(item, _) => item.path().namespace == ir::Namespace::Type,
        Entity::Function(_) | Entity::Constant(_) | Entity::Module(_) | Entity::Std(..) => false,
    }
}

fn find(names: &[(Symbol, Entity)], name: Symbol) -> Option<Entity> {
    // Scopes are sorted by text for determinism; equality of symbols is cheap, so short lists are scanned.
    if names.len() <= 16 {
        return names.iter().find(|(n, _)| *n == name).map(|(_, e)| *e);
    }
    names.binary_search_by(|(n, _)| n.cmp(&name)).ok().map(|i| names[i].1)
}

/// Is there a `self`, and is it in-out by declaration?
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Receiver {
    /// A function or an associated function.
    None,
    /// `self`: in-out when the body assigns to it.
    Plain,
    /// `mut self`
    Mut,
}

/// What callers know of a function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Signature {
    /// The function.
    pub item: ItemId,
    /// `pub`.
    pub is_pub: bool,
    /// The trait or impl that it is a method of.
    pub owner: Option<ItemId>,
    /// Type parameters, those of the owner first.
    pub generics: Vec<Symbol>,
    /// What the type parameters must implement, those of the owner first. Of a member of a trait the first bound is that `Self` implements it.
    pub given: Given,
    /// Is the first parameter `self`?
    pub receiver: Receiver,
    /// Parameters, `self` included.
    pub params: Vec<Parameter>,
    /// Result type.
    pub result: Type,
    /// Of a hidden result (`-> impl Tr`) what everybody knows: its traits, and what its associated types are.
    pub promised: Option<Box<Given>>,
    /// Where the result type stands (item-relative): the usual *because*.
    pub result_span: Span,
    /// Where the name stands (item-relative).
    pub name_span: Span,
    /// Errors of the signature.
    pub diagnostics: Vec<Diagnostic>,
}

impl Signature {
    /// The signature as this item has it: behind a default body that is called although an impl has another no impl is looked for.
    pub fn of(self, item: ItemId) -> Signature {
        let owner = self.owner.filter(|_| item == item.declared());
        Signature { owner, ..self }
    }
}

/// A parameter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Parameter {
    /// Name.
    pub name: Symbol,
    /// Type.
    pub ty: Type,
    /// The item whose body computes the default.
    pub default: Option<ItemId>,
    /// Does it take all further arguments, as a list?
    pub variadic: bool,
    /// Name and type (item-relative).
    pub span: Span,
}

/// How a type is declared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum TypeForm {
    /// `{ f: T }`
    Struct,
    /// `A | B(T)`
    Sum,
    /// `= T`
    Newtype,
}

/// A variant of a sum type.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Variant {
    /// Name.
    pub name: Symbol,
    /// Does the payload have names? Positional payloads are numbered.
    pub is_named: bool,
    /// Payload in declaration order.
    pub payload: Vec<(Symbol, Type)>,
}

/// Positions of the names of a declared type, found out when they are first asked for. They follow from the definition, so they are no part of its value.
#[derive(Default)]
pub struct Positions(OnceLock<Box<HashMap<Symbol, u32>>>);

impl Positions {
    /// Below this many names, looking at each is as fast.
    const FEW: usize = 16;

    fn find(&self, name: Symbol, count: usize, mut names: impl Iterator<Item = Symbol>) -> Option<usize> {
        if count <= Self::FEW {
            return names.position(|known| known == name);
        }
        let positions = self.0.get_or_init(|| Box::new(names.zip(0..).collect()));
        positions.get(&name).map(|&at| at as usize)
    }
}

impl Clone for Positions {
    fn clone(&self) -> Positions {
        Positions::default()
    }
}
impl PartialEq for Positions {
    fn eq(&self, _: &Positions) -> bool {
        true
    }
}
impl Eq for Positions {}
impl Hash for Positions {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
impl std::fmt::Debug for Positions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Positions")
    }
}

/// A declared type.
///
/// A newtype is a struct of one field, and a sum of one variant a struct of its payload: only their notation differs, so later levels see
/// fields, and variants only where there is something to choose.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct TypeDefinition {
    /// The type's item.
    pub item: ItemId,
    /// How it is declared.
    pub form: TypeForm,
    /// Type parameters.
    pub generics: Vec<Symbol>,
    /// What is asked of them.
    pub given: Given,
    /// Fields in declaration order; of a newtype `inner`, of a sum with one variant the payload, of any other sum none.
    pub fields: Vec<(Symbol, Type)>,
    /// Variants of a sum in declaration order.
    pub variants: Vec<Variant>,
    /// Derived traits that the slice knows, in written order.
    pub derives: Vec<Symbol>,
    /// Errors of the declaration.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the names stand.
    #[serde(skip)]
    pub names: Positions,
}

impl TypeDefinition {
    /// The index of the field with this name.
    pub fn field_named(&self, name: Symbol) -> Option<usize> {
        self.names.find(name, self.fields.len(), self.fields.iter().map(|&(name, _)| name))
    }

    /// The number of the variant with this name.
    pub fn variant_named(&self, name: Symbol) -> Option<usize> {
        self.names.find(name, self.variants.len(), self.variants.iter().map(|variant| variant.name))
    }

    /// The type of a field, for these arguments of the type.
    pub fn field(&self, index: usize, args: &[Type]) -> Option<Type> {
        self.fields.get(index).map(|(_, ty)| ty.substituted(args))
    }

    /// The definition for these arguments of the type: its own when it has no parameters.
    pub fn instantiated(self: &Arc<Self>, args: &[Type]) -> Arc<TypeDefinition> {
        if args.is_empty() {
            return self.clone();
        }
        let substituted = |rows: &[(Symbol, Type)]| rows.iter().map(|&(name, ty)| (name, ty.substituted(args))).collect();
        let mut definition = TypeDefinition::clone(self);
        definition.fields = substituted(&self.fields);
        for (variant, own) in definition.variants.iter_mut().zip(&self.variants) {
            variant.payload = substituted(&own.payload);
        }
        Arc::new(definition)
    }

    /// The variants where there are several: whoever has a value does not know what it is made of.
    pub fn choices(&self) -> Option<&[Variant]> {
        (self.variants.len() > 1).then_some(&self.variants[..])
    }

    /// Does `x.f` read fields of it?
    pub fn has_members(&self) -> bool {
        match self.form {
            TypeForm::Struct | TypeForm::Newtype => true,
            TypeForm::Sum => false,
        }
    }

    /// Field types of what is made in one way.
    pub fn field_types(&self) -> Option<Arc<[Type]>> {
        self.choices().is_none().then(|| self.fields.iter().map(|&(_, ty)| ty).collect())
    }

    /// Payload types of each variant, where there are several.
    pub fn variant_types(&self) -> Option<Arc<[Box<[Type]>]>> {
        Some(self.choices()?.iter().map(|variant| variant.payload.iter().map(|&(_, ty)| ty).collect()).collect())
    }
}

/// A type must implement a trait.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Bound {
    /// The type: a type parameter, or an associated type of one.
    pub ty: Type,
    /// The trait.
    pub interface: TraitRef,
}

/// An associated type is a certain type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Equality {
    /// The associated type.
    pub associated: Type,
    /// What it is.
    pub ty: Type,
    /// No clause says so, but a bound whose trait has this default.
    pub is_default: bool,
}

/// What is known of the type parameters of an item.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Given {
    /// Traits that types have.
    pub bounds: Vec<Bound>,
    /// What associated types are.
    pub equalities: Vec<Equality>,
    /// Is code made here? Then results that are hidden are known, too.
    pub is_for_code: bool,
}

impl Given {
    /// What is known where code is made of closed types.
    pub fn for_code() -> Given {
        Given { is_for_code: true, ..Given::default() }
    }

    /// Both.
    pub fn extend(&mut self, other: &Given) {
        self.bounds.extend(&other.bounds);
        self.equalities.extend(&other.equalities);
    }

    /// The same for these type arguments.
    pub fn substituted(&self, args: &[Type]) -> Given {
        let bounds = self.bounds.iter().map(|bound| Bound { ty: bound.ty.substituted(args), interface: bound.interface.substituted(args) });
        let equality = |equality: &Equality| Equality {
            associated: equality.associated.substituted(args),
            ty: equality.ty.substituted(args),
            is_default: equality.is_default,
        };
        Given { bounds: bounds.collect(), equalities: self.equalities.iter().map(equality).collect(), ..*self }
    }
}

/// A trait with its type arguments, hash-consed as the types are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct TraitRef(Type);

impl TraitRef {
    /// A trait with these type arguments.
    pub fn new(item: ItemId, args: &[Type]) -> TraitRef {
        TraitRef(Type::structure(item, args))
    }

    /// The trait that a declared type of its name and arguments stands for, as in a trait object.
    pub(crate) const fn of_type(ty: Type) -> TraitRef {
        TraitRef(ty)
    }

    /// The inverse of [`TraitRef::of_type`].
    pub(crate) const fn as_type(self) -> Type {
        self.0
    }

    /// The trait's item.
    pub fn item(self) -> ItemId {
        match self.0.kind() {
            crate::TypeKind::Struct(item, _) => item,
            _ => crate::resolve::prelude::Known::Eq.item(),
        }
    }

    /// Its type arguments, without `Self`.
    pub fn args(self) -> &'static [Type] {
        match self.0.kind() {
            crate::TypeKind::Struct(_, args) => args,
            _ => &[],
        }
    }

    /// The trait for these arguments of the type parameters in it.
    pub fn substituted(self, args: &[Type]) -> TraitRef {
        TraitRef(self.0.substituted(args))
    }

    /// The same with another form of each of its arguments.
    pub fn mapped(self, change: impl FnOnce(Type) -> Type) -> TraitRef {
        if self.args().is_empty() { self } else { TraitRef(change(self.0)) }
    }

    /// Is an argument open?
    pub fn has_variable(self) -> bool {
        self.0.has_variable()
    }

    /// As a user reads it.
    pub fn show(self) -> String {
        crate::resolve::show(self.0)
    }

    /// `Self` and the arguments, as an instance of a member has them.
    pub fn parts(self, this: Type) -> Vec<Type> {
        [this].iter().chain(self.args()).copied().collect()
    }
}

impl std::fmt::Debug for TraitRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.0, f)
    }
}

/// A trait: its header and the names of its members.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct TraitDefinition {
    /// The trait's item.
    pub item: ItemId,
    /// Type parameters, which follow `Self`.
    pub generics: Vec<Symbol>,
    /// What is asked of them, and of `Self`.
    pub given: Given,
    /// Traits that every type with this one has too.
    pub supertraits: Vec<TraitRef>,
    /// Associated types, in written order.
    pub associated: Vec<AssociatedType>,
    /// Methods and associated functions, in written order.
    pub methods: Vec<TraitMethod>,
    /// Errors of the header.
    pub diagnostics: Vec<Diagnostic>,
}

/// What the header of a trait says without a look at the members of other traits: the definition of one may ask for it, and in a circle.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct TraitOutline {
    /// Traits that every type with this one has too.
    pub supertraits: Vec<TraitRef>,
    /// Names of its associated types.
    pub associated: Vec<Symbol>,
}

/// An associated type of a trait.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct AssociatedType {
    /// Name.
    pub name: Symbol,
    /// What it must implement.
    pub bounds: Vec<TraitRef>,
    /// What it is where an impl says nothing.
    pub default: Option<Type>,
}

/// A method that can be called on a trait object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct ObjectMethod {
    /// The method of the trait, as an instance whose `Self` is the object.
    pub item: ItemId,
    /// Does the trait declare `mut self`?
    pub changes: bool,
}

impl ObjectMethod {
    /// The function behind the address of this method for values of a type: it takes the cell of an object of that type behind the arguments, goes on in the
    /// method that the type has and, where the method changes its `self`, gives a new object.
    pub fn for_type(self, ty: Type) -> ItemId {
        let (method, parts) = crate::types::instance_of(self.item);
        let (object, args) = parts.split_first().map_or((Type::ERROR, parts), |(object, args)| (*object, args));
        let parts: Vec<Type> = [object, ty].iter().chain(args).copied().collect();
        crate::types::instance(method.in_object(self.changes), &parts)
    }

    /// The inverse of [`ObjectMethod::for_type`]: the method, and the type of the value in the cell; `None` for any other item.
    pub fn behind(function: ItemId) -> Option<(ObjectMethod, Type)> {
        let (marked, parts) = crate::types::instance_of(function);
        let (method, changes) = marked.of_object()?;
        let (&[object, ty], args) = parts.split_first_chunk::<2>()?;
        let parts: Vec<Type> = [object].iter().chain(args).copied().collect();
        Some((ObjectMethod { item: crate::types::instance(method, &parts), changes }, ty))
    }
}

/// A member of a trait.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct TraitMethod {
    /// Name.
    pub name: Symbol,
    /// The item.
    pub item: ItemId,
    /// Impls may leave it out.
    pub has_body: bool,
}

/// The header of an impl.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Implementation {
    /// The impl's item.
    pub item: ItemId,
    /// Type parameters.
    pub generics: Vec<Symbol>,
    /// The type it is for: `Self`.
    pub ty: Type,
    /// The trait that it implements; `None` for an inherent impl.
    pub interface: Option<TraitRef>,
    /// What the type parameters must implement.
    pub given: Given,
    /// Its associated types.
    pub associated: Vec<(Symbol, Type)>,
    /// Where the type stands.
    pub type_span: Span,
    /// Errors of the header.
    pub diagnostics: Vec<Diagnostic>,
}

/// An impl as method calls look for it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct ImplRow {
    /// The impl.
    pub item: ItemId,
    /// The head of its type; none for a type parameter.
    pub head: Option<ItemId>,
    /// The trait that it implements; `None` for an inherent impl.
    pub interface: Option<ItemId>,
    /// Heads of the type arguments of its type, as far as its text tells them.
    pub of_type: Vec<Option<ItemId>>,
    /// Heads of the type arguments of its trait, as far as its text tells them.
    pub of_trait: Vec<Option<ItemId>>,
    /// Methods and associated functions, in written order.
    pub methods: Vec<(Symbol, ItemId)>,
}

impl ImplRow {
    /// May the impl, whose type has the head that is asked for, be meant, as far as its text tells?
    pub fn may_be(&self, asked: &Asked) -> bool {
        agree(&self.of_type, &asked.of_type) && (self.interface != asked.interface || agree(&self.of_trait, &asked.of_trait))
    }
}

/// What an impl is asked for, as far as the text of one can tell.
pub struct Asked {
    of_type: Vec<Option<ItemId>>,
    interface: Option<ItemId>,
    of_trait: Vec<Option<ItemId>>,
}

impl Asked {
    /// An impl for a type, of a trait with these arguments; without any where all impls of a trait are meant.
    pub fn of(ty: Type, interface: Option<TraitRef>) -> Asked {
        let heads = |types: &[Type]| types.iter().map(|&ty| prelude::head(ty)).collect();
        let of_type = match ty.kind() {
            TypeKind::Struct(_, args) => heads(args),
            _ => Vec::new(),
        };
        Asked { of_type, interface: interface.map(TraitRef::item), of_trait: interface.map_or_else(Vec::new, |of| heads(of.args())) }
    }
}

/// What is open or a type parameter is for others to judge.
fn agree(told: &[Option<ItemId>], asked: &[Option<ItemId>]) -> bool {
    told.iter().zip(asked).all(|(told, asked)| told.is_none() || asked.is_none() || told == asked)
}

/// The types of a function as its code has them: instances have their type arguments, and what a method does to its `self` is part of the result.
pub struct CodeType {
    signature: Arc<Signature>,
    args: &'static [Type],
    mutates: bool,
    /// Parameters and result where associated types stand in them.
    known: Option<(Vec<Type>, Type)>,
}

impl CodeType {
    /// The type of a function, method or instance, where this is known of type parameters; `None` when there is no such item.
    pub fn of(item: ItemId, given: &Given, cx: &dyn Context) -> Result<Option<CodeType>, Stop> {
        let (base, args) = crate::types::instance_of(item);
        Self::with(base, args, given, cx)
    }

    /// The type of a function as it is declared: its own type parameters are its arguments.
    pub fn generic(item: ItemId, cx: &dyn Context) -> Result<Option<CodeType>, Stop> {
        let (base, _) = crate::types::instance_of(item);
        let Some(signature) = cx.signature(base)? else { return Ok(None) };
        let args = crate::types::shared(&crate::types::parameters(&signature.generics));
        Self::with(base, args, &signature.given, cx)
    }

    fn with(base: ItemId, args: &'static [Type], given: &Given, cx: &dyn Context) -> Result<Option<CodeType>, Stop> {
        let Some(signature) = cx.signature(base)? else { return Ok(None) };
        let mutates = signature.receiver != Receiver::None && cx.mutates(base)?;
        let mut code = CodeType { signature, args, mutates, known: None };
        let signature = &code.signature;
        if signature.result.has_associated() || signature.params.iter().any(|param| param.ty.has_associated()) {
            let normal = |ty: Type| crate::resolve::solve::normalised(ty.substituted(args), given, cx);
            let params = signature.params.iter().map(|param| normal(param.ty)).collect::<Result<Vec<Type>, Stop>>()?;
            code.known = Some((params, normal(signature.result)?));
        }
        Ok(Some(code))
    }

    /// Has it one type argument per type parameter?
    pub fn is_complete(&self) -> bool {
        self.args.len() == self.signature.generics.len()
    }

    /// Its type parameters.
    pub fn generics(&self) -> &[Symbol] {
        &self.signature.generics
    }

    /// What is known of them.
    pub fn given(&self) -> &Given {
        &self.signature.given
    }

    /// The trait that it is a method of, or the impl.
    pub fn owner(&self) -> Option<ItemId> {
        self.signature.owner
    }

    /// Number of parameters.
    pub fn count(&self) -> usize {
        self.signature.params.len()
    }

    /// The type of a parameter.
    pub fn param(&self, index: usize) -> Type {
        match &self.known {
            Some((params, _)) => params[index],
            None => self.signature.params[index].ty.substituted(self.args),
        }
    }

    /// What a call gives: for a method that changes its `self`, the result and the new `self`.
    pub fn result(&self) -> Type {
        let result = match &self.known {
            Some((_, result)) => *result,
            None => self.signature.result.substituted(self.args),
        };
        if self.mutates && self.count() > 0 { returned(result, self.param(0)) } else { result }
    }
}

/// What a method that changes its `self` returns.
pub fn returned(result: Type, this: Type) -> Type {
    match result {
        Type::VOID => this,
        Type::NEVER => Type::NEVER,
        other => Type::tuple(&[other, this]),
    }
}

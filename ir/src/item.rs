//! Items named by what they are called, not by where they stand.
//!
//! A method is a function whose name is the block it stands in and its own, with `'` between them (`Dial'turn`, `Dial'Gauge'read`), and an instance of a
//! generic function is one whose name ends with its type arguments (`swap<int, main.Dial>`). The lambdas of a body are numbered in it (`main'0`, `$c'1`): what
//! stands elsewhere, or moves, gives none of them another name.
//!
//! An item is (module path, namespace, name, disambiguator). The module path is the path below the source root with `.` between
//! segments (`main`, `net.probe`); its text form in dumps is `module.name`, with a mark for the namespaces that share names with
//! functions. The in-memory [`ItemId`] is an interned number like [`Symbol`]: never stored, printed or ordered by.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use hashbrown::HashTable;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::Symbol;
use crate::grow::Grow;
use crate::intern::content_of;

/// What kind of thing a name names. Namespaces never mix, so one module may have a function and a test of one name only by error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub enum Namespace {
    /// A function `@f`.
    Function,
    /// A type.
    Type,
    /// A module constant `$c`.
    Constant,
    /// The default of parameter `name` of the function whose name stands in `name` before a `.`: `f.p`.
    Default,
    /// A test.
    Test,
    /// Anything else that needs a name: trait, impl, lambda.
    Other,
}

/// What an [`ItemId`] stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct ItemPath {
    /// Dotted module path below the source root.
    pub module: Symbol,
    /// Which names it competes with.
    pub namespace: Namespace,
    /// Its name in the module.
    pub name: Symbol,
    /// Ordinal among equals (0 for all but erroneous duplicates).
    pub disambiguator: u32,
}

/// The ordinal of a default body that is called although an impl has another; no file has so many equals.
const REPLACED: u32 = 1 << 31;

/// Behind the name of a method of a trait: the function that an object points to.
const READING: &str = "&object";
/// The same where the method changes its `self`.
const CHANGING: &str = "&change";

/// An item of the program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ItemId(u32);

/// A path and what it is hashed as.
struct Entry {
    path: ItemPath,
    content: u128,
    /// Where the type arguments begin in the name of an instance; 0 in all other names.
    args: u32,
    /// Where the number begins in the name of a lambda; 0 in all other names.
    lambda: u32,
    /// Does it take values out of a cell for another item: those that were captured, or what is in an object?
    unpacks: bool,
}

#[derive(Default)]
struct Interner {
    paths: Grow<Entry>,
    ids: RwLock<HashTable<u32>>,
}

impl ItemPath {
    /// Where the table looks for it: from the numbers of its names, which need not be fetched.
    fn address(&self) -> u64 {
        let names = u64::from(self.module.raw()) << 32 | u64::from(self.name.raw());
        let rest = u64::from(self.disambiguator) << 8 | self.namespace as u64;
        let mixed = (names ^ rest.wrapping_mul(0xff51_afd7_ed55_8ccd)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

fn interner() -> &'static Interner {
    static INTERNER: OnceLock<Interner> = OnceLock::new();
    INTERNER.get_or_init(Default::default)
}

impl Hash for ItemId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.content());
    }
}

impl ItemId {
    /// The item with this path.
    pub fn new(path: ItemPath) -> ItemId {
        let Interner { paths, ids } = interner();
        let address = path.address();
        if let Some(&id) = ids.read().find(address, |&id| paths.get(id).path == path) {
            return ItemId(id);
        }
        let mut ids = ids.write();
        if let Some(&id) = ids.find(address, |&id| paths.get(id).path == path) {
            return ItemId(id);
        }
        let parts = [path.module.content(), path.name.content(), path.namespace as u128, u128::from(path.disambiguator)];
        let content = content_of(parts.map(u128::to_le_bytes).as_flattened());
        let args = match path.namespace {
            Namespace::Function | Namespace::Default => path.name.as_str().find('<').unwrap_or(0) as u32,
            Namespace::Type | Namespace::Constant | Namespace::Test | Namespace::Other => 0,
        };
        let lambda = match path.namespace {
            Namespace::Function | Namespace::Default | Namespace::Constant | Namespace::Test => lambda_number(path.name.as_str(), args),
            Namespace::Type | Namespace::Other => 0,
        };
        let name = path.name.as_str();
        let unpacks = name[..if args == 0 { name.len() } else { args as usize }].contains('&');
        let id = paths.push(Entry { path, content, args, lambda, unpacks });
        ids.insert_unique(address, id, |&id| paths.get(id).path.address());
        ItemId(id)
    }

    /// A function of a module; the usual item.
    pub fn function(module: Symbol, name: Symbol) -> ItemId {
        Self::new(ItemPath { module, namespace: Namespace::Function, name, disambiguator: 0 })
    }

    /// The instance of this item with type arguments, given as their text: the item whose name ends with `<args>`. Without arguments it is the
    /// item itself. An instance has the same name in every process, like any item, so all that is keyed by items is keyed by instances.
    pub fn instance(self, args: &str) -> ItemId {
        if args.is_empty() {
            return self;
        }
        let path = self.path();
        Self::new(ItemPath { name: Symbol::new(&format!("{}<{args}>", path.name)), ..path })
    }

    /// Is it an instance of a generic item?
    #[inline]
    pub fn is_instance(self) -> bool {
        interner().paths.get(self.0).args != 0
    }

    /// The item and the text of its type arguments; no text when it is no instance.
    pub fn generic(self) -> (ItemId, &'static str) {
        let Entry { path, args, .. } = interner().paths.get(self.0);
        if *args == 0 {
            return (self, "");
        }
        let name = path.name.as_str();
        let (base, args) = name.split_at(*args as usize);
        (Self::new(ItemPath { name: Symbol::new(base), ..*path }), args[1..].strip_suffix('>').unwrap_or(&args[1..]))
    }

    /// The lambda of this number in the body of the item, which is no instance.
    pub fn lambda(self, number: usize) -> ItemId {
        let path = self.path();
        Self::new(ItemPath { name: Symbol::new(&format!("{}'{number}", path.name)), ..path })
    }

    /// Is it a lambda, or an instance of one?
    #[inline]
    pub fn is_lambda(self) -> bool {
        interner().paths.get(self.0).lambda != 0
    }

    /// The item in whose body a lambda stands, and its number there; the type arguments of an instance are lost.
    pub fn of_lambda(self) -> Option<(ItemId, usize)> {
        let Entry { path, lambda, .. } = interner().paths.get(self.0);
        if *lambda == 0 {
            return None;
        }
        let (owner, number) = path.name.as_str().split_at(*lambda as usize);
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        Some((Self::new(ItemPath { name: Symbol::new(&owner[..owner.len() - 1]), ..*path }), number[..end].parse().ok()?))
    }

    /// The function that takes the last `count` arguments of this one in a cell: what a function value with captured values points to.
    pub fn unpacking(self, count: usize) -> ItemId {
        let path = self.path();
        let name = path.name.as_str();
        let (base, args) = name.split_at(name.find('<').unwrap_or(name.len()));
        Self::new(ItemPath { name: Symbol::new(&format!("{base}&{count}{args}")), ..path })
    }

    /// The inverse of [`ItemId::unpacking`].
    pub fn unpacked(self) -> Option<(ItemId, usize)> {
        let Entry { path, unpacks: true, .. } = interner().paths.get(self.0) else { return None };
        let name = path.name.as_str();
        let (base, args) = name.split_at(name.find('<').unwrap_or(name.len()));
        let (base, count) = base.split_once('&')?;
        Some((Self::new(ItemPath { name: Symbol::new(&format!("{base}{args}")), ..*path }), count.parse().ok()?))
    }

    /// The function that calls this method of a trait for a value in the cell of an object: what the object points to. One that changes the value takes the cell.
    pub fn in_object(self, changes: bool) -> ItemId {
        let path = self.path();
        Self::new(ItemPath { name: Symbol::new(&format!("{}{}", path.name, if changes { CHANGING } else { READING })), ..path })
    }

    /// The inverse of [`ItemId::in_object`]; the type arguments of an instance are lost.
    pub fn of_object(self) -> Option<(ItemId, bool)> {
        let Entry { path, unpacks: true, .. } = interner().paths.get(self.0) else { return None };
        let name = path.name.as_str();
        let name = &name[..name.find('<').unwrap_or(name.len())];
        let of = |name: &str| Self::new(ItemPath { name: Symbol::new(name), ..*path });
        match (name.strip_suffix(READING), name.strip_suffix(CHANGING)) {
            (Some(name), _) => Some((of(name), false)),
            (None, Some(name)) => Some((of(name), true)),
            (None, None) => None,
        }
    }

    /// The body that a trait gives to this method of it, called where an impl has another (`Parent.method(self)` in that other): an item of its own, so
    /// that no impl is looked for behind it.
    pub fn as_replaced(self) -> ItemId {
        match self.path() {
            path @ ItemPath { disambiguator: 0, .. } => Self::new(ItemPath { disambiguator: REPLACED, ..path }),
            _ => self,
        }
    }

    /// The inverse of [`ItemId::as_replaced`]; the item itself where it is none of these.
    pub fn declared(self) -> ItemId {
        match self.path() {
            path @ ItemPath { disambiguator: REPLACED, .. } => Self::new(ItemPath { disambiguator: 0, ..path }),
            _ => self,
        }
    }

    /// The item as its users call it: a method without the block that it stands in, an instance without its type arguments.
    pub fn short_name(self) -> Symbol {
        let name = self.path().name;
        let text = name.as_str();
        let base = text.find('<').map_or(text, |args| &text[..args]);
        match base.rfind('\'') {
            Some(mark) => Symbol::new(&base[mark + 1..]),
            None if base.len() < text.len() => Symbol::new(base),
            None => name,
        }
    }

    /// What the id stands for.
    pub fn path(self) -> ItemPath {
        interner().paths.get(self.0).path
    }

    /// A hash of the path, the same in every process.
    #[inline]
    pub fn content(self) -> u128 {
        interner().paths.get(self.0).content
    }

    /// The last segment of its path.
    pub fn name(self) -> Symbol {
        self.path().name
    }

    /// The module it is declared in.
    pub fn module(self) -> Symbol {
        self.path().module
    }

    /// The number behind the id, for columns in memory.
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// The id with this number; `raw` must have come from [`ItemId::raw`] in this process.
    pub const fn from_raw(raw: u32) -> ItemId {
        ItemId(raw)
    }

    /// The item whose [`Display`](fmt::Display) form is `text`; the inverse of printing.
    pub fn parse(text: &str) -> Option<ItemId> {
        let (body, disambiguator) = match text.rsplit_once('~') {
            Some((body, ordinal)) => (body, ordinal.parse().ok()?),
            None => (text, 0),
        };
        let (namespace, body) = match body.as_bytes().first()? {
            b'$' => (Namespace::Constant, &body[1..]),
            b'#' => (Namespace::Type, &body[1..]),
            b'?' => (Namespace::Test, &body[1..]),
            b'=' => (Namespace::Default, &body[1..]),
            b'&' => (Namespace::Other, &body[1..]),
            _ => (Namespace::Function, body),
        };
        // The name of a default has a dot of its own: `module.function.parameter`.
        // So may type arguments, which are the end of a name.
        let head = body.find('<').filter(|_| namespace != Namespace::Other).map_or(body, |args| &body[..args]);
        let split = match namespace {
            Namespace::Default => {
                let last = head.rfind('.')?;
                head[..last].rfind('.')
            }
            _ => head.rfind('.'),
        };
        let (module, name) = match split {
            Some(dot) => (&body[..dot], &body[dot + 1..]),
            None => ("", body),
        };
        if name.is_empty() {
            return None;
        }
        Some(Self::new(ItemPath { module: Symbol::new(module), namespace, name: Symbol::new(name), disambiguator }))
    }
}

/// Where the number of a lambda begins: digits behind the last `'`, which no method has for a name.
fn lambda_number(name: &str, args: u32) -> u32 {
    let base = if args == 0 { name } else { &name[..args as usize] };
    match base.rfind('\'') {
        Some(mark) if base[mark + 1..].starts_with(|c: char| c.is_ascii_digit()) => mark as u32 + 1,
        Some(_) | None => 0,
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        match path.namespace {
            Namespace::Function => {}
            Namespace::Type => f.write_str("#")?,
            Namespace::Constant => f.write_str("$")?,
            Namespace::Default => f.write_str("=")?,
            Namespace::Test => f.write_str("?")?,
            Namespace::Other => f.write_str("&")?,
        }
        if !path.module.as_str().is_empty() {
            write!(f, "{}.", path.module)?;
        }
        write!(f, "{}", path.name)?;
        if path.disambiguator != 0 {
            write!(f, "~{}", path.disambiguator)?;
        }
        Ok(())
    }
}
impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{self}")
    }
}
impl PartialOrd for ItemId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
/// Ordered by content: module, name, namespace, disambiguator.
impl Ord for ItemId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other {
            return std::cmp::Ordering::Equal;
        }
        let key = |id: &ItemId| {
            let p = id.path();
            (p.module, p.name, p.namespace, p.disambiguator)
        };
        key(self).cmp(&key(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_leads_back_to_its_item() {
        let swap = ItemId::function(Symbol::new("net.probe"), Symbol::new("Pair'swap"));
        let instance = swap.instance("int, main.Pair<str>");
        assert_eq!(instance.generic(), (swap, "int, main.Pair<str>"));
        assert_eq!(ItemId::parse(&instance.to_string()), Some(instance), "{instance}");
        assert_eq!((swap.is_instance(), swap.instance("")), (false, swap));
        assert_eq!(instance.short_name().as_str(), "swap");
    }

    #[test]
    fn a_lambda_leads_back_to_its_item() {
        let turn = ItemId::function(Symbol::new("net.probe"), Symbol::new("Dial'turn"));
        let path = ItemPath { namespace: Namespace::Default, name: Symbol::new("f.p"), ..turn.path() };
        for item in [turn, ItemId::new(path), ItemId::new(ItemPath { namespace: Namespace::Constant, name: Symbol::new("c"), ..path })] {
            let lambda = item.lambda(12);
            assert_eq!((lambda.of_lambda(), item.is_lambda(), item.of_lambda()), (Some((item, 12)), false, None), "{lambda}");
            assert_eq!(ItemId::parse(&lambda.to_string()), Some(lambda), "{lambda}");
        }
        let instance = turn.lambda(3).instance("int, main.Box<str>");
        assert_eq!((instance.of_lambda(), instance.generic().0), (Some((turn, 3)), turn.lambda(3)));
        let unpacking = instance.unpacking(2);
        assert_eq!((unpacking.unpacked(), instance.unpacked()), (Some((instance, 2)), None));
        assert_eq!((ItemId::parse(&unpacking.to_string()), unpacking.is_lambda()), (Some(unpacking), true), "{unpacking}");
        let area = ItemId::function(Symbol::new("main"), Symbol::new("Shape'area"));
        for changes in [false, true] {
            let item = area.in_object(changes).instance("object<main.Shape>, int");
            assert_eq!((item.of_object(), item.unpacked(), area.of_object()), (Some((area, changes)), None, None), "{item}");
            assert_eq!((ItemId::parse(&item.to_string()), unpacking.of_object()), (Some(item), None), "{item}");
        }
        assert_eq!(unpacking.to_string(), "net.probe.Dial'turn'3&2<int, main.Box<str>>");
    }

    #[test]
    fn the_text_of_an_item_parses_back() {
        for namespace in [Namespace::Function, Namespace::Type, Namespace::Constant, Namespace::Test, Namespace::Default, Namespace::Other]
        {
            for module in ["main", "net.probe"] {
                let name = Symbol::new(if namespace == Namespace::Default { "f.p" } else { "f" });
                let id = ItemId::new(ItemPath { module: Symbol::new(module), namespace, name, disambiguator: 2 });
                assert_eq!(ItemId::parse(&id.to_string()), Some(id), "{id}");
            }
        }
    }
}

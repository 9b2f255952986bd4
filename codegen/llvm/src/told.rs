//! What a debugger is told, as data: where items stand, and how values lie in memory.

use std::collections::BTreeMap;

use ir::ItemId;

/// How much a debugger is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Depth {
    /// Functions and lines, for stack traces.
    Lines,
    /// Everything.
    Full,
}

/// What a debugger is told of a unit.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Debug {
    /// How much.
    pub depth: Depth,
    /// Does LLVM optimise the unit?
    pub is_optimised: bool,
    /// Items that it has code of.
    pub sources: Vec<Source>,
    /// Types of their variables, and what those are made of, by name.
    pub types: BTreeMap<String, Told>,
}

/// What a debugger is told of an item.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Source {
    /// The item.
    pub item: ItemId,
    /// Its name, with its module.
    pub name: String,
    /// The file that it stands in; empty when nobody wrote it.
    pub file: String,
    /// The line on which it starts; 0 when nobody wrote it.
    pub line: u32,
    /// Is it something that nobody wrote?
    pub is_made: bool,
    /// Does the program begin there?
    pub is_main: bool,
}

/// A type: how its values lie in memory.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Told {
    /// Bytes.
    pub size: u32,
    /// Where its machine values lie, and how large each is.
    pub leaves: Vec<(u32, u32)>,
    /// What it is made of.
    pub form: Form,
}

/// What values of a type are made of.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Form {
    /// One number of this kind.
    Basic(Encoding),
    /// Text.
    Text,
    /// A list of elements of this type.
    List(String),
    /// Code, and what it captured.
    Function,
    /// An address, of what nobody says.
    Address,
    /// Parts.
    Struct(Vec<Member>),
    /// One of several.
    Sum(Choice, Vec<Member>),
}

/// How a number is shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Encoding {
    /// `int`
    Signed,
    /// `byte`
    Unsigned,
    /// `float`
    Float,
    /// `bool`
    Bool,
    /// `char`
    Char,
}

/// A part of a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub offset: u32,
    /// The name of its type.
    pub ty: String,
}

/// What tells the variants of a sum apart.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Choice {
    /// Where it lies.
    pub offset: u32,
    /// Its bytes.
    pub size: u32,
    /// Names of variants by number. What is not among these is the only variant with a payload.
    pub names: Vec<(u64, String)>,
}

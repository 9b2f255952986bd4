//! What cannot be linked. All of these are defects of the levels above, apart from [`LinkError::NoEntry`] and [`LinkError::TooLarge`].

use std::fmt;

/// Why a program cannot be linked. The codes never change.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum LinkError {
    /// Two functions have one key or one item.
    DuplicateFunction {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// Two items have one key or one id.
    DuplicateItem {
        /// Its name.
        name: String,
    },
    /// A relocation names a function that is not in the program.
    UndefinedFunction {
        /// Where.
        function: String,
        /// What.
        target: String,
    },
    /// A site or function names an item that is not in the program's table.
    UnknownItem {
        /// Where.
        function: String,
        /// What.
        item: String,
    },
    /// A relocation names a constant that the function does not have, or a constant refers to a later one.
    UnknownData {
        /// Where.
        function: String,
    },
    /// A relocation lies outside the code or the constant.
    BadReloc {
        /// Where.
        function: String,
    },
    /// Sites out of order, outside the code, or with places that are not there.
    BadSites {
        /// Where.
        function: String,
    },
    /// A constant's alignment is no power of two up to 16.
    BadAlignment {
        /// Where.
        function: String,
    },
    /// The entry is not among the functions.
    NoEntry,
    /// Code and data do not fit into the address range of 32-bit relocations.
    TooLarge,
    /// Parts of the program stand in other objects, which takes a linker that reads objects.
    Foreign,
}

impl LinkError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            LinkError::DuplicateFunction { .. } => "K0001",
            LinkError::DuplicateItem { .. } => "K0002",
            LinkError::UndefinedFunction { .. } => "K0003",
            LinkError::UnknownItem { .. } => "K0004",
            LinkError::UnknownData { .. } => "K0005",
            LinkError::BadReloc { .. } => "K0006",
            LinkError::BadSites { .. } => "K0007",
            LinkError::BadAlignment { .. } => "K0008",
            LinkError::NoEntry => "K0009",
            LinkError::TooLarge => "K0010",
            LinkError::Foreign => "K0011",
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match self {
            LinkError::DuplicateFunction { first, second } => write!(f, "functions `{first}` and `{second}` have one key"),
            LinkError::DuplicateItem { name } => write!(f, "item `{name}` is there twice"),
            LinkError::UndefinedFunction { function, target } => {
                write!(f, "`{function}` refers to `{target}`, which is not in the program")
            }
            LinkError::UnknownItem { function, item } => write!(f, "`{function}` names the item `{item}`, which has no record"),
            LinkError::UnknownData { function } => write!(f, "`{function}` refers to a constant that it does not have"),
            LinkError::BadReloc { function } => write!(f, "`{function}` has a relocation outside its bytes"),
            LinkError::BadSites { function } => write!(f, "`{function}` has sites out of order or out of range"),
            LinkError::BadAlignment { function } => write!(f, "`{function}` has a constant with an unsupported alignment"),
            LinkError::NoEntry => f.write_str("the program has no entry"),
            LinkError::TooLarge => f.write_str("the program exceeds the address range"),
            LinkError::Foreign => f.write_str("the program has functions in other objects, which the built-in linker does not read"),
        }
    }
}

impl std::error::Error for LinkError {}

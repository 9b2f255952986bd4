//! Our linker: functions and the runtime's parts laid into a static ELF executable, without linker or libc.
//!
//! Start in [`input`] (what is linked), then [`layout`] (where everything goes), then [`write`](mod@write) (bytes).
//!
//! | room              | holds                                                                       |
//! |-------------------|-----------------------------------------------------------------------------|
//! | [`input`]         | functions, their data, relocations and sites; items                          |
//! | [`slots`]         | history-independent slots: which size class, which place in it                |
//! | [`pieces`]        | read-only bytes of variable size: constants, site bytes, names                |
//! | [`records`]       | function records, item records, site bytes (`abi::funcs`)                     |
//! | [`runtime`]       | the parts of the runtime, and which of them a program reaches                 |
//! | [`layout`]        | addresses and file offsets of everything                                      |
//! | [`write`](mod@write) | the bytes of the executable                                               |
//! | [`symbols`]       | the optional symbol table                                                     |
//! | [`account`](mod@account) | where the bytes of an executable go                                  |
//! | [`sidecar`]       | what a later link needs to know about an image without its functions          |
//! | [`plan`](mod@plan) | patching an image and its sidecar: which bytes change                        |
//! | [`error`]         | what cannot be linked                                                         |
//!
//! The layout depends on the set of functions, never on their order or on what was linked before (`design/backend.md` §6.2).
//!
//! Never here: files, processes (the driver writes the bytes), instructions (the machine level encoded them).

pub mod account;
pub mod error;
pub mod input;
pub mod layout;
pub mod pieces;
pub mod plan;
pub mod records;
pub mod runtime;
pub mod sidecar;
pub mod slots;
pub mod symbols;
pub mod write;

pub use account::{Account, account};
pub use error::LinkError;
pub use input::{Data, DataReloc, DataTarget, Function, Item, Program, Reloc, RelocKind, RuntimeSymbol, Site, SitePlace, Target};
pub use layout::Layout;
pub use plan::{Content, Facts, Patch, Plan, Request, Source, facts, plan};
pub use runtime::archive as runtime_archive;
pub use runtime::hosted_archive as hosted_runtime_archive;
pub use sidecar::Fallback;
pub use sidecar::build::Fingerprints;
pub use write::{Linked, link, link_with_sidecar};

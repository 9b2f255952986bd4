//! Patching an image: which bytes of it and of its sidecar change when functions and items do.
//!
//! A plan gets the whole program as keys and fingerprints, asks for the functions that changed, and touches what depends on them: tables first
//! (`tables`), then the bytes of the image (`emit`). The result equals a clean link byte for byte, image and sidecar; where that would take moving
//! most of the image, or an input is not as it should be, the answer is to link anew ([`Fallback`]).
//!
//! The price is that of the edit, plus one look at the fingerprint of each function that the request lists.

mod emit;
mod tables;

use std::borrow::Cow;

use ir::ItemId;

use crate::input::{Function, Item};
use crate::sidecar::Fallback;
use crate::sidecar::head::Head;

/// A thing of the program and its contents in short.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Content {
    /// Its stable key.
    pub key: u128,
    /// Changes with anything in it.
    pub fingerprint: u128,
}

/// The program as it shall be.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// All its functions, in any order; or those that may have changed, when the others stay.
    pub functions: &'a [Content],
    /// Do functions of the old image that are not listed stay as they are? Else they go.
    pub others_stay: bool,
    /// Items whose record may have changed, or all, in any order. Others keep theirs; items that functions newly name are asked for; those that no
    /// function names are ignored.
    pub items: &'a [Content],
    /// Key of the entry.
    pub entry: u128,
    /// As [`crate::Program::returns_status`].
    pub returns_status: bool,
    /// As [`crate::Program::symbols`].
    pub symbols: bool,
}

/// Where a plan finds what changed.
pub trait Source {
    /// Stable key of an item: that of its function and of its row.
    fn key(&self, item: ItemId) -> Option<u128>;
    /// A function that changed or is new.
    fn function(&self, key: u128) -> Option<Cow<'_, Function>>;
    /// An item that changed or is newly named, and its fingerprint.
    fn item(&self, key: u128) -> Option<(Cow<'_, Item>, u128)>;
    /// Reads the old image; false when it cannot.
    fn read(&self, offset: u64, into: &mut [u8]) -> bool;
}

/// Bytes to be written at an offset.
pub type Patches = Vec<(u64, Vec<u8>)>;

/// What changes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Patch {
    /// Stretches of the image, in order, apart from each other.
    pub image: Patches,
    /// Bytes of the new image: only a symbol table makes it differ from the old.
    pub image_length: u64,
    /// Stretches of the sidecar, in order, apart from each other. Its length stays.
    pub sidecar: Patches,
    /// Fingerprint of the program that the image then is.
    pub fingerprint: u128,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Plan {
    /// The image is up to date.
    Unchanged,
    /// Write these.
    Patch(Patch),
    /// Link anew.
    Fallback(Fallback),
}

/// What a sidecar says about its image.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Facts {
    /// Bytes of the image.
    pub image_length: u64,
    /// Fingerprint of the program: a function of all keys, fingerprints and options.
    pub fingerprint: u128,
}

/// What a sidecar says about its image.
pub fn facts(sidecar: &[u8]) -> Result<Facts, Fallback> {
    let (head, _) = Head::open(sidecar)?;
    Ok(Facts { image_length: head.image_length, fingerprint: head.fingerprint })
}

/// Plans the way from the image that `sidecar` describes to the requested program. That the image is that one is for the caller to know.
pub fn plan(request: &Request, sidecar: &[u8], source: &dyn Source) -> Plan {
    match tables::Planner::open(request, sidecar, source).and_then(|planner| planner.patch(sidecar)) {
        Ok(None) => Plan::Unchanged,
        Ok(Some(patch)) => Plan::Patch(patch),
        Err(fallback) => Plan::Fallback(fallback),
    }
}

#[cfg(test)]
mod tests;

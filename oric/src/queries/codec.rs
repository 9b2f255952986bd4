//! The stored form of keys and values: postcard, with names, items and types by content (decision 2).

use std::hash::Hasher;

use query::{Fp, StableHasher};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Appends the stored form.
pub fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    match postcard::to_extend(value, std::mem::take(out)) {
        Ok(bytes) => *out = bytes,
        // Our types have no maps of unknown length and no failing `Serialize`: an empty form reads back as a miss.
        Err(_) => out.clear(),
    }
}

/// Reads a stored form back; `None` for bytes that are not one.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Some(value),
        Ok(_) | Err(_) => None,
    }
}

/// The fingerprint of the code in these rooms of the compiler, and of the rooms that they build on.
pub fn schema(rooms: &[&str]) -> Fp {
    let mut hasher = StableHasher::new();
    for room in rooms {
        let code = ROOMS.iter().find(|(name, _)| name == room).map_or(0, |(_, code)| *code);
        hasher.write_u128(code);
    }
    hasher.finish128()
}

// One row a room: its name and a hash of its sources and of those below it, made by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/rooms.rs"));

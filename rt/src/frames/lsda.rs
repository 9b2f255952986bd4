//! Language-specific data as compilers of C++ lay it out: ranges of calls with their pads and actions, actions, types.

use abi::funcs::PlaceRecord;

use super::bytes::{Bytes, OMIT, size_of_encoded};
use super::image::{Function, Image};
use crate::unwind::Call;

/// Longest list of actions that is read: one that goes in circles ends.
const ACTIONS: usize = 4096;

/// Fills in pad and places of the call at this address of the function; none when it has no entry, or the tables are damaged.
pub fn read(image: &Image, function: &Function, address: usize, call: &mut Call) -> Option<()> {
    if function.lsda == 0 {
        return None;
    }
    find(Bytes(image.readable(function.lsda)), image, function.start, address, call)
}

/// The same, of data whose bytes are these (and may go on behind them).
pub fn find(mut bytes: Bytes, image: &Image, start: usize, address: usize, call: &mut Call) -> Option<()> {
    let pads_from = match bytes.byte()? {
        OMIT => start,
        encoding => bytes.pointer(encoding, 0, image)?,
    };
    let type_encoding = bytes.byte()?;
    // Types stand before the end of the table, the first one last.
    let types = match type_encoding {
        OMIT => Bytes(&[]),
        _ => {
            let size = bytes.uleb()? as usize;
            Bytes(bytes.0.get(..size)?)
        }
    };
    let call_encoding = bytes.byte()?;
    let calls_size = bytes.uleb()? as usize;
    let mut calls = Bytes(bytes.take(calls_size)?);
    let actions = bytes;
    let offset = address.checked_sub(start)?;
    loop {
        let first = calls.encoded(call_encoding)?;
        let size = calls.encoded(call_encoding)?;
        let pad = calls.encoded(call_encoding)?;
        let action = calls.uleb()? as usize;
        if offset < first {
            return None;
        }
        if offset - first < size {
            if pad != 0 {
                call.pad = pads_from.wrapping_add(pad) as *const u8;
            }
            return match action.checked_sub(1) {
                Some(action) => run(actions, action, &Types { bytes: types, encoding: type_encoding, image }, call),
                None => Some(()),
            };
        }
    }
}

struct Types<'a> {
    /// Up to their end.
    bytes: Bytes<'a>,
    encoding: u8,
    image: &'a Image,
}

impl Types<'_> {
    /// The type with this number, from 1.
    fn get(&self, number: usize) -> Option<usize> {
        let size = size_of_encoded(self.encoding)?;
        let at = self.bytes.0.len().checked_sub(number.checked_mul(size)?)?;
        Bytes(self.bytes.0.get(at..at + size)?).pointer(self.encoding, 0, self.image)
    }
}

/// Actions from the one at this offset on, innermost first.
fn run(actions: Bytes, mut at: usize, types: &Types, call: &mut Call) -> Option<()> {
    let mut chains = 0;
    for _ in 0..ACTIONS {
        let mut bytes = Bytes(actions.0.get(at..)?);
        let filter = bytes.sleb()?;
        let next_at = actions.0.len() - bytes.0.len();
        let next = bytes.sleb()?;
        // 0 is a clean-up; lists of types that may pass (below 0) catch nothing.
        if filter > 0 {
            match types.get(filter as usize)? {
                0 => call.catches = true,
                place if chains == call.wanted => {
                    call.chain = place as *const PlaceRecord;
                    chains += 1;
                }
                _ => chains += 1,
            }
        }
        if next == 0 {
            return Some(());
        }
        at = next_at.checked_add_signed(next as isize)?;
    }
    None
}

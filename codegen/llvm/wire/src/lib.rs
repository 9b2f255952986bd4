//! What `oric` and `oric-llvm` say to each other: frames of a length (4 bytes, little-endian) and so many bytes of postcard.
//!
//! The worker knows LLVM and nothing of Ori: it gets the text of a unit, so that it need not be built again when the compiler is.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Changes whenever a frame does: a worker of another version refuses.
pub const PROTOCOL: u32 = 2;

/// What to make of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub enum Product {
    /// A relocatable object.
    Object,
    /// The text behind LLVM's passes.
    Optimised,
    /// Bitcode behind them.
    Bitcode,
    /// Assembly.
    Assembly,
}

/// How much LLVM optimises.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Debug)]
pub enum Level {
    /// `0`
    None,
    /// `1`
    Less,
    /// `2`
    #[default]
    Default,
    /// `3`
    More,
    /// `s`
    Size,
    /// `z`
    MinSize,
}

impl Level {
    /// The level with this name.
    pub fn from_name(name: &str) -> Option<Level> {
        Some(match name {
            "0" => Level::None,
            "1" => Level::Less,
            "2" => Level::Default,
            "3" => Level::More,
            "s" => Level::Size,
            "z" => Level::MinSize,
            _ => return None,
        })
    }

    /// Its name: what stands behind `-O`.
    pub const fn name(self) -> &'static str {
        match self {
            Level::None => "0",
            Level::Less => "1",
            Level::Default => "2",
            Level::More => "3",
            Level::Size => "s",
            Level::MinSize => "z",
        }
    }
}

/// A question to a worker.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub struct Request {
    /// [`PROTOCOL`] of who asks.
    pub protocol: u32,
    /// The unit in LLVM's language.
    pub text: String,
    /// What to make of it.
    pub product: Product,
    /// How much to optimise.
    pub level: Level,
    /// LLVM's name of a processor, which it has to know: `x86-64`, `x86-64-v3`; or `native` for this one.
    pub cpu: String,
    /// Check every access to memory, with the runtime of AddressSanitizer.
    pub sanitize: bool,
}

/// Why a unit was not translated.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Failure {
    /// The worker has another protocol than who asks.
    Protocol(u32),
    /// LLVM refuses what was written: a mistake of ours.
    Broken(String),
}

/// An answer of a worker.
pub type Answer = Result<Vec<u8>, Failure>;

/// The largest frame.
const LONGEST: usize = u32::MAX as usize;

/// Writes a frame.
pub fn send<T: Serialize>(value: &T, to: &mut impl Write) -> io::Result<()> {
    let bytes = postcard::to_allocvec(value).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::other(format!("a unit of more than {LONGEST} bytes")))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&bytes)?;
    to.flush()
}

/// Reads a frame; `None` when there is none any more.
pub fn receive<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut bytes = Vec::new();
    let wanted = u64::from(u32::from_le_bytes(length));
    if from.take(wanted).read_to_end(&mut bytes)? as u64 != wanted {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    postcard::from_bytes(&bytes).map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::{Level, PROTOCOL, Product, Request, receive, send};

    #[test]
    fn requests_cross_a_pipe_and_damage_is_an_error() {
        let text = "define void @f() {\n  ret void\n}\n".to_owned();
        let request =
            Request { protocol: PROTOCOL, text, product: Product::Object, level: Level::Size, cpu: "x86-64".to_owned(), sanitize: false };
        let mut bytes = Vec::new();
        send(&request, &mut bytes).expect("memory takes it");
        let back: Request = receive(&mut bytes.as_slice()).expect("it reads").expect("a frame");
        assert_eq!((back.text, back.level), (request.text, Level::Size));
        assert!(receive::<Request>(&mut [].as_slice()).expect("an end is no error").is_none());
        for end in 4..bytes.len() {
            assert!(receive::<Request>(&mut &bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn levels_have_names() {
        for level in ["0", "1", "2", "3", "s", "z"] {
            assert_eq!(Level::from_name(level).map(Level::name), Some(level));
        }
        assert_eq!(Level::from_name("4"), None);
    }
}

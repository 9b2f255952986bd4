//! How an interrupt of the query engine crosses levels (decision 1).

/// The answer to a question could not be had now: a cycle, or a cancelled session. The real reason stays with the engine.
///
/// Levels pass it on with `?` and neither inspect nor create it; `oric::queries` creates it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stop(());

impl Stop {
    /// For the implementors of `Context` traits in the driver (and test contexts that lack an item) alone.
    pub const fn interrupted() -> Stop {
        Stop(())
    }
}

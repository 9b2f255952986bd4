//! Memory that selection and allocation use again for each function: one a worker thread. What it holds between calls means nothing.

/// The columns of selection, allocation, finishing and the verifiers.
#[derive(Default, Debug)]
pub struct Scratch {
    pub(crate) select: crate::select::Columns,
    pub(crate) order: crate::select::order::Plan,
    pub(crate) alloc: crate::alloc::Columns,
    pub(crate) lives: crate::lives::Lives,
    pub(crate) finish: crate::finish::Memory,
    pub(crate) verify: crate::verify::Memory,
    /// Memory of a function that was compiled before.
    pub(crate) spare: Option<crate::ir::Function<crate::ir::Select>>,
}

//! Memory that selection and allocation use again for each function: one a worker thread. What it holds between calls means nothing.

/// The columns of selection and allocation.
#[derive(Default, Debug)]
pub struct Scratch {
    pub(crate) select: crate::select::Columns,
    pub(crate) order: crate::select::order::Plan,
    pub(crate) alloc: crate::alloc::Columns,
}

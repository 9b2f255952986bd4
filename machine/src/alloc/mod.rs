//! x
/// c
#[derive(Default, Debug)]
pub struct Columns;

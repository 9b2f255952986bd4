//! The tables of characters are what their generator writes.

#[path = "../examples/tables.rs"]
mod generator;

#[test]
fn the_table_is_what_its_generator_writes() {
    assert_eq!(include_str!("../src/case/tables.rs"), generator::tables(), "run `cargo run -p rt-pure --example tables`");
}

//! Symbol names: `ori.` and the name of the item (`ori.net.probe.connect`). Items print uniquely and without blanks, so nothing needs escaping.

/// What every symbol of a program begins with.
pub const PREFIX: &str = "ori.";

/// The symbol of a function.
pub fn symbol(function: &str) -> String {
    format!("{PREFIX}{function}")
}

/// The function of a symbol.
pub fn function(symbol: &str) -> Option<&str> {
    symbol.strip_prefix(PREFIX)
}

/// The symbol of an item's row in the item table, in objects of programs with code of other compilers: their places name it. By the item's stable key:
/// the same in every build.
pub fn item_symbol(item: ir::ItemId) -> String {
    format!("ori_item_{:032x}", item.content())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for name in ["main.main", "net.probe.connect~2", "$main.limit"] {
            assert_eq!(function(&symbol(name)), Some(name));
        }
        assert_eq!(function("ori_print"), None);
    }
}

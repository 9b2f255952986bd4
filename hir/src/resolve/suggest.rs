//! Did you mean: the nearest name by Damerau-Levenshtein distance, if it is near enough to be a slip of the hand.

/// The candidate nearest to `name`: at most a third of its letters away, the first of equals.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let bound = best.map_or(limit(name), |(d, _)| d - 1);
        if let Some(distance) = distance_within(name, candidate, bound) {
            best = Some((distance, candidate));
            if distance <= 1 {
                break;
            }
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The candidate nearest to `name`, and whether it is sure to be meant: no other one is within two edits, and most of the name is right.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<(String, bool)> {
    let mut best: Option<(usize, &str)> = None;
    let mut is_sole = name.chars().count() >= 3;
    for candidate in candidates {
        let Some(distance) = distance_within(name, candidate, limit(name).max(2)) else { continue };
        match best {
            None => best = Some((distance, candidate)),
            Some((_, known)) if known == candidate => {}
            Some((least, _)) => {
                is_sole = false;
                if distance < least {
                    best = Some((distance, candidate));
                }
            }
        }
    }
    best.filter(|&(least, _)| least <= limit(name))
        .map(|(least, candidate)| (candidate.to_owned(), is_sole && least * 2 < name.chars().count()))
}

/// The largest distance that is a slip of the hand.
fn limit(name: &str) -> usize {
    let length = name.chars().count();
    // Of short names one, but never all: any name of one letter would be any other.
    (length / 3).max(1).min(length.saturating_sub(1))
}

/// The distance, when it is neither 0 nor more than `bound`.
fn distance_within(name: &str, candidate: &str, bound: usize) -> Option<usize> {
    if candidate == name || bound == 0 || candidate.len().abs_diff(name.len()) > bound * 4 {
        return None;
    }
    Some(distance(name, candidate)).filter(|distance| (1..=bound).contains(distance))
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let width = b.len() + 1;
    let mut rows = vec![0usize; (a.len() + 1) * width];
    for (j, cell) in rows[..width].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        rows[i * width] = i;
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut d = (rows[(i - 1) * width + j] + 1).min(rows[i * width + j - 1] + 1).min(rows[(i - 1) * width + j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                d = d.min(rows[(i - 2) * width + j - 2] + 1);
            }
            rows[i * width + j] = d;
        }
    }
    rows[rows.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::{nearest, suggest};

    #[test]
    fn what_is_meant_is_sure_when_nothing_else_is_near() {
        assert_eq!(suggest("pritn", ["panic", "print"]), Some(("print".to_owned(), true)));
        assert_eq!(suggest("totl", ["total", "tot", "total"]), Some(("total".to_owned(), false)));
        assert_eq!(suggest("ab", ["abc"]), Some(("abc".to_owned(), false)));
        assert_eq!(suggest("zebra", ["print"]), None);
    }

    #[test]
    fn a_swap_is_one_edit_and_strangers_are_not_offered() {
        assert_eq!(nearest("pritn", ["panic", "print"]), Some("print"));
        assert_eq!(nearest("total", ["totals", "tally"]), Some("totals"));
        assert_eq!(nearest("x", ["y", "z"]), None);
        assert_eq!(nearest("ab", ["cd"]), None);
        assert_eq!(suggest("Foo", ["bool", "float"]), None);
        assert_eq!(nearest("Bar", ["str", "char"]), None);
        assert_eq!(nearest("zebra", ["print", "int"]), None);
    }
}

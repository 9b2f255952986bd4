//! Programs about how values lie in memory: sums in sums in options, with every variant of each made, compared with every other and shown. What a variant is
//! told from by (a tag, a null, a number that a part has to spare) must differ from everything that another one may have there.

use std::fmt::Write as _;

use crate::random::Random;

/// A type, as it is written, with values of it that differ from each other, in every form that it has.
#[derive(Clone, Debug)]
struct Ty {
    text: String,
    values: Vec<String>,
}

/// Values of a type at most.
const MOST: usize = 14;

fn plain(text: &str, values: &[&str]) -> Ty {
    Ty { text: text.to_owned(), values: values.iter().map(|&value| value.to_owned()).collect() }
}

/// A type without parts, or one that was declared.
fn simple(random: &mut Random, declared: &[Ty]) -> Ty {
    if !declared.is_empty() && random.one_in(2) {
        return declared[random.below(declared.len())].clone();
    }
    match random.below(8) {
        0 => plain("int", &["0", "1", "-1"]),
        1 => plain("bool", &["false", "true"]),
        2 => plain("char", &["'\\0'", "'a'"]),
        3 => plain("byte", &["byte(0)", "byte(255)"]),
        4 => plain("float", &["0.0", "-1.5"]),
        5 => plain("str", &["\"\"", "\"a text of more than twenty-three bytes\""]),
        6 => plain("Ordering", &["Less", "Equal", "Greater"]),
        _ => plain("[int]", &["[]", "[0]"]),
    }
}

fn any(random: &mut Random, declared: &[Ty], depth: usize) -> Ty {
    let inner = |random: &mut Random| any(random, declared, depth - 1);
    match if depth == 0 { 9 } else { random.below(10) } {
        0..=2 => {
            let of = inner(random);
            optional(&of)
        }
        3 => {
            let (good, bad) = (inner(random), inner(random));
            let values = good.values.iter().take(MOST / 2).map(|value| format!("Ok({value})"));
            let wrong = bad.values.iter().take(MOST / 2).map(|value| format!("Err({value})"));
            Ty { text: format!("Result<{}, {}>", good.text, bad.text), values: values.chain(wrong).collect() }
        }
        4 => {
            let parts = [inner(random), inner(random)];
            let values = rows(&parts).into_iter().map(|row| format!("({})", row.join(", "))).collect();
            Ty { text: format!("({}, {})", parts[0].text, parts[1].text), values }
        }
        5 => {
            let of = inner(random);
            let values = of.values.iter().take(MOST - 1).map(|value| format!("[{value}]"));
            Ty { text: format!("[{}]", of.text), values: std::iter::once("[]".to_owned()).chain(values).collect() }
        }
        _ => simple(random, declared),
    }
}

fn optional(of: &Ty) -> Ty {
    let some = of.values.iter().map(|value| format!("Some({value})"));
    Ty { text: format!("Option<{}>", of.text), values: std::iter::once("None".to_owned()).chain(some).take(MOST).collect() }
}

/// Values of several types side by side: each value of each type stands in one row at least, and no two rows are the same.
fn rows(parts: &[Ty]) -> Vec<Vec<String>> {
    let longest = parts.iter().map(|part| part.values.len()).max().unwrap_or(1).min(MOST);
    let mut found: Vec<Vec<String>> = Vec::new();
    for at in 0..longest {
        let row: Vec<String> = parts.iter().map(|part| part.values[at % part.values.len()].clone()).collect();
        if !found.contains(&row) {
            found.push(row);
        }
    }
    found
}

/// Declares a sum: up to five variants with up to three parts.
fn sum(number: usize, random: &mut Random, declared: &[Ty], text: &mut String) -> Ty {
    let (mut variants, mut values) = (Vec::new(), Vec::new());
    let count = 1 + random.below(5);
    // Where one variant alone has parts, one of them may stand for all others.
    let only = random.one_in(2).then(|| random.below(count));
    for at in 0..count {
        let name = format!("W{number}{}", ['A', 'B', 'C', 'D', 'E'][at]);
        let width = match only {
            Some(only) => 3 * usize::from(only == at),
            None => [0, 0, 1, 2, 3][random.below(5)],
        };
        let parts: Vec<Ty> = (0..width).map(|_| any(random, declared, 1)).collect();
        if parts.is_empty() {
            values.push(name.clone());
            variants.push(name);
            continue;
        }
        values.extend(rows(&parts).into_iter().take(MOST / count).map(|row| format!("{name}({})", row.join(", "))));
        variants.push(format!("{name}({})", parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(", ")));
    }
    let name = format!("V{number}");
    // One name alone would be that of a type.
    let leading = if variants.len() == 1 { "| " } else { "" };
    let _ = writeln!(text, "#derive(Eq, Debug)\ntype {name} = {leading}{};", variants.join(" | "));
    values.truncate(MOST);
    Ty { text: name, values }
}

/// Declares a struct.
fn record(number: usize, random: &mut Random, declared: &[Ty], text: &mut String) -> Ty {
    let parts: Vec<Ty> = (0..1 + random.below(3)).map(|_| any(random, declared, 1)).collect();
    let fields: Vec<String> = parts.iter().enumerate().map(|(at, part)| format!("x{at}: {}", part.text)).collect();
    let _ = writeln!(text, "#derive(Eq, Debug)\ntype S{number} = {{ {} }}", fields.join(", "));
    let field = |(at, value): (usize, String)| format!("x{at}: {value}");
    let value = |row: Vec<String>| format!("S{number} {{ {} }}", row.into_iter().enumerate().map(field).collect::<Vec<_>>().join(", "));
    Ty { text: format!("S{number}"), values: rows(&parts).into_iter().map(value).collect() }
}

/// The program of a seed.
pub fn program(seed: u64) -> String {
    let mut random = Random::new(seed ^ 0x1a_7000);
    let mut text = String::new();
    let mut declared = Vec::new();
    for number in 0..4 {
        let ty = if random.one_in(4) {
            record(number, &mut random, &declared, &mut text)
        } else {
            sum(number, &mut random, &declared, &mut text)
        };
        declared.push(ty);
    }
    let mut main = String::new();
    for number in 0..6 {
        let ty = match declared.get(number) {
            Some(of) => optional(of),
            None => any(&mut random, &declared, 3),
        };
        let name = &ty.text;
        let _ = write!(
            text,
            "@same{number} (a: {name}, b: {name}) -> bool = a == b;\n\
             @kept{number} (x: {name}) -> Option<{name}> = if never() then None else Some(x);\n\
             @check{number} (xs: [{name}]) -> void = {{\n    let equal = 0;\n    for i in 0..xs.len() do\n        for j in 0..xs.len() do\n            \
             if same{number}(a: xs[i], b: xs[j]) then equal += 1;\n    print(msg: `{number} {{xs.len()}} {{equal}}`);\n    \
             for x in xs do print(msg: `{{x.debug()}} {{kept{number}(x:).debug()}} {{kept{number}(x:).is_some()}}`);\n    \
             if equal != xs.len() then panic(msg: \"two forms are one\");\n}}\n"
        );
        let _ = writeln!(main, "    check{number}(xs: [{}]);", ty.values.join(", "));
    }
    // It calls itself, so that nobody knows what it says.
    let _ = writeln!(text, "@never (n: int = 3) -> bool = if n > 0 then never(n: n - 1) else n > 0;\n@main () -> void = {{\n{main}}}");
    text
}

//! Loops that count and look lists up: what the passes about ranges, indices, versions of loops and shares of lists have to get right. Bounds, steps and offsets
//! lie at the edges of what those ask for; lists are changed, cut, grown, exchanged, held by others and given to functions while a loop runs over them.

use std::fmt::Write as _;

use crate::random::Random;

const LIBRARY: &str = "\
@put (xs: [int], i: int, v: int) -> [int] = { let ys = xs; ys[i] = v; ys }
@at (xs: [int], i: int) -> int = xs[i];
@cut (xs: [int]) -> [int] = xs.take(xs.len() - 2);
@exchanged (a: [int], b: [int]) -> ([int], [int]) = (b, a);
@sum (xs: [int]) -> int = { let s = 0; for x in xs do s = (s * 31 + x) % 1000003; s }
@made (n: int, by: int) -> [int] = for i in 0..n yield (i * by) % 97;
";

/// Rounds of a loop whose bound does not tell how many there are.
const ROUNDS: u32 = 300;

/// Writes the loops of a function.
struct Loops {
    random: Random,
    /// Counters of the loops around.
    counters: Vec<String>,
    next: usize,
}

/// The program of a seed.
pub fn program(seed: u64) -> String {
    let mut loops = Loops { random: Random::new(seed ^ 0xc017_7e55), counters: Vec::new(), next: 0 };
    let mut out = LIBRARY.to_owned();
    let functions = 1 + loops.random.below(3);
    for number in 0..functions {
        let mut body = String::new();
        for _ in 0..1 + loops.random.below(3) {
            body.push_str(&match loops.random.below(10) {
                0..3 => loops.statement(1),
                _ => loops.counting(1),
            });
        }
        let _ = write!(
            out,
            "@f{number} (a: [int], b: [int], n0: int, m0: int, k0: int, c: int) -> str = {{
    let n = n0; let m = m0; let k = k0; let xs = a; let ys = b; let zs = a; let s = 0; let t = 0;
    let hold: [[int]] = [];
{body}    let h = 0;
    for l in hold do h = (h * 17 + sum(xs: l)) % 1000003;
    `{{s}} {{xs.len()}}:{{sum(xs:)}} {{ys.len()}}:{{sum(xs: ys)}} {{sum(xs: zs)}} {{h}} {{n}} {{m}} {{k}}`
}}
"
        );
    }
    out.push_str("@main () -> void = {\n");
    for number in 0..functions {
        for _ in 0..6 + loops.random.below(4) {
            let arguments = loops.arguments();
            let _ = writeln!(out, "    print(msg: `{{catch(expr: f{number}({arguments})).debug()}}`);");
        }
    }
    out.push_str("}\n");
    out
}

impl Loops {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        self.random.pick(of).copied().unwrap_or_default()
    }

    /// Of a hundred times, so many.
    fn happens(&mut self, percent: usize) -> bool {
        self.random.below(100) < percent
    }

    fn arguments(&mut self) -> String {
        let lengths = ["5", "40", "64", "100", "200", "300"].map(|text| text.parse::<i64>().unwrap_or_default());
        let [a, b] = [0; 2].map(|_: i64| self.random.pick(&lengths).copied().unwrap_or_default());
        let (least, most) = (a.min(b), a.max(b));
        let ns = [0, 8, 9, 20, 30, 40, 41, 64, least, least, least - 1, a, b, most - 1, most + 1, -1];
        let mut n = self.random.pick(&ns).copied().unwrap_or_default().to_string();
        let (mut m, mut k) =
            (self.one(&["0", "1", "1", "2", "3", "10", "-1"]).to_owned(), self.one(&["0", "0", "1", "1", "2", "8", "-1"]).to_owned());
        if self.happens(8) {
            n = self.one(&["1073741824", "1099511627776", "-4611686018427387904"]).to_owned();
        }
        if self.happens(8) {
            m = self.one(&["549755813888", "1048576", "4611686018427387904", "int.max"]).to_owned();
        }
        if self.happens(8) {
            k = self.one(&["2147483648", "2305843009213693952", "int.max", "int.min"]).to_owned();
        }
        let c = self.one(&["0", "5", "16", "30", "50"]);
        format!("a: made(n: {a}, by: 7), b: made(n: {b}, by: 11), n0: {n}, m0: {m}, k0: {k}, c: {c}")
    }

    fn list(&mut self) -> &'static str {
        self.one(&["xs", "ys", "zs"])
    }

    fn counter(&mut self) -> Option<String> {
        let at = self.random.below(self.counters.len());
        self.counters.get(at).cloned()
    }

    fn atom(&mut self) -> String {
        match self.random.below(20) {
            0..7 => self.counter().unwrap_or_else(|| "n".to_owned()),
            7..12 => self.one(&["n", "m", "k", "s", "c"]).to_owned(),
            12..14 => format!("{}.len()", self.list()),
            14 if self.happens(30) => self.one(&["4000000000", "1099511627776", "4611686018427387904", "int.max"]).to_owned(),
            _ => self.one(&["0", "1", "2", "3", "5", "8", "16", "31", "64", "100", "255", "1000"]).to_owned(),
        }
    }

    fn number(&mut self, depth: u32) -> String {
        if depth == 0 || self.happens(35) {
            return self.atom();
        }
        let [a, b] = [self.number(depth - 1), self.number(depth - 1)];
        match self.random.below(16) {
            0..5 => format!("({a} + {b})"),
            5..8 => format!("({a} - {b})"),
            8..10 => format!("({a} * {b})"),
            10 => format!("({a} / {})", self.one(&["2", "3", "8"])),
            11 => format!("({a} % {})", self.one(&["2", "7", "16", "xs.len()"])),
            12 => format!("({a} >> {})", self.one(&["1", "2", "5"])),
            13 => format!("({a} & {})", self.one(&["7", "15", "255"])),
            14 => format!("(if {} then {a} else {b})", self.condition()),
            _ => format!("{}[{}]", self.list(), self.index()),
        }
    }

    fn index(&mut self) -> String {
        let Some(i) = self.counter().filter(|_| self.happens(85)) else { return self.number(1) };
        if self.happens(45) {
            return i;
        }
        let list = self.list();
        match self.random.below(14) {
            0 => format!("{i} + 1"),
            1 => format!("{i} - 1"),
            2 => format!("{i} + k"),
            3 => format!("{i} - k"),
            4 => format!("{i} * 2"),
            5 => format!("{i} * m + k"),
            6 => format!("{i} / 2"),
            7 => format!("n - 1 - {i}"),
            8 => format!("{i} % {list}.len()"),
            9 => format!("{list}.len() - 1 - {i}"),
            10 => format!("{i} * {i}"),
            11 => format!("{i} >> 1"),
            12 => format!("k + {i} * 3 - 2"),
            _ => format!("({i} + m) - k"),
        }
    }

    fn condition(&mut self) -> String {
        match self.counter() {
            Some(i) if self.happens(40) => format!("{i} {} {}.len()", self.one(&["<", "<=", ">="]), self.list()),
            _ => format!("{} {} {}", self.number(1), self.one(&["<", "<=", ">", ">=", "==", "!="]), self.number(1)),
        }
    }

    fn statements(&mut self, indent: usize, count: usize) -> String {
        (0..count).map(|_| self.statement(indent)).collect()
    }

    fn statement(&mut self, indent: usize) -> String {
        let pad = "    ".repeat(indent);
        let list = self.list();
        let text = match self.random.below(24) {
            0..7 => format!("s = (s + {list}[{}]) % 1000003;", self.index()),
            7..9 => format!("s = (s + {}) % 1000003;", self.number(2)),
            9..13 => format!("{list}[{}] = {};", self.index(), self.number(1)),
            13..15 if self.counters.len() < 2 && indent < 5 => return self.counting(indent),
            13..17 => {
                let (condition, count) = (self.condition(), 1 + self.random.below(2));
                let body = self.statements(indent + 1, count);
                format!("if {condition} then {{\n{body}{pad}}};")
            }
            17 if !self.counters.is_empty() => format!("if {} then break;", self.condition()),
            17..19 => format!("{list} = put(xs: {}, i: {}, v: {});", self.list(), self.index(), self.atom()),
            19 => format!("s = (s + at(xs: {list}, i: {})) % 1000003;", self.index()),
            20 => format!("hold = hold.push({list});"),
            _ => self.changed(list),
        };
        format!("{pad}{text}\n")
    }

    /// What changes a list as a whole, or a bound.
    fn changed(&mut self, list: &str) -> String {
        match self.random.below(10) {
            0 => format!("{list} = {list}.push({});", self.atom()),
            1 => format!("{list} = {list}.take({list}.len() - 1);"),
            2 => format!("{list} = {list}.skip({});", self.one(&["1", "k"])),
            3..5 => format!("{list} = {};", self.list()),
            5 => "let w = xs; xs = ys; ys = w;".to_owned(),
            6 => "let (u, v) = exchanged(a: xs, b: ys); xs = u; ys = v;".to_owned(),
            7 => format!("{list} = cut(xs: {list});"),
            8 => format!("{list} = {list} + {}.take(3);", self.list()),
            _ => format!("{} {} {};", self.one(&["n", "m", "k"]), self.one(&["+=", "-="]), self.one(&["1", "2", "k"])),
        }
    }

    fn bound(&mut self) -> &'static str {
        self.one(&[
            "n",
            "n",
            "m",
            "c",
            "c",
            "xs.len()",
            "ys.len()",
            "xs.len() - 1",
            "n - 1",
            "n + k",
            "n * 2",
            "20",
            "64",
            "4000000000",
            "int.max",
        ])
    }

    /// A loop that counts, in one of the forms that programs have.
    fn counting(&mut self, indent: usize) -> String {
        let pad = "    ".repeat(indent);
        self.next += 1;
        let i = format!("i{}", self.next);
        // What ends a loop whose bound is far away.
        let capped = format!("{pad}    t += 1; if t > {ROUNDS} then break;\n");
        self.counters.push(i.clone());
        let count = 1 + self.random.below(3);
        let body = self.statements(indent + 1, count);
        let text = if self.happens(45) {
            let by = self.one(&["", "", "", "", " by 2", " by 3", " by k", " by m", " by 40000000"]);
            let (low, dots, bound) = (self.one(&["0", "0", "0", "1", "k", "m", "n", "-3"]), self.one(&["..", "..", "..="]), self.bound());
            let body = if bound.len() > 6 || self.happens(30) { capped + &body } else { body };
            format!("{pad}for {i} in {low}{dots}{bound}{by} do {{\n{body}{pad}}};\n")
        } else {
            let is_up = self.happens(85);
            let step = self.one(&["1", "1", "1", "2", "3", "k", "m", "1000", "40000000"]);
            let (low, bound) = (self.one(&["0", "0", "1", "k", "m", "-2", "c"]), self.bound());
            let (start, test) = match is_up {
                true => (low, format!("{i} {} {bound}", self.one(&["<", "<", "<=", "!="]))),
                false => (bound, format!("{i} {} {}", self.one(&[">", ">="]), self.one(&["0", "k", "1"]))),
            };
            let advance = format!("{pad}    {i} {} {step};\n", if is_up { "+=" } else { "-=" });
            let certain = is_up && !test.contains("!=") && step.parse::<u32>().is_ok() && bound.len() <= 6;
            let capped = if certain && self.happens(65) { String::new() } else { capped };
            let body = match self.random.below(3) {
                0 => format!("{capped}{advance}{body}"),
                _ => format!("{capped}{body}{advance}"),
            };
            match self.random.below(4) {
                0 => format!("{pad}let {i} = {start};\n{pad}loop {{\n{body}{pad}    if !({test}) then break;\n{pad}}};\n"),
                _ => format!("{pad}let {i} = {start};\n{pad}while {test} do {{\n{body}{pad}}};\n"),
            }
        };
        self.counters.pop();
        text
    }
}

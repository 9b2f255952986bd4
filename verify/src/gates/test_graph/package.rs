//! A package of functions that call each other in every way that there is, a test for each, and edits of it. It knows its own call graph: what tests an edit
//! can reach is told by that alone, and not by the compiler.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::gates::query::scene::Tree;
use crate::random::Random;

/// How a function uses those that it calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// By calls.
    Direct,
    /// As a value that another function calls.
    Value,
    /// From a lambda.
    Lambda,
    /// Through a generic function.
    Generic,
    /// Through a method of a trait.
    Method,
}

const FORMS: [Form; 5] = [Form::Direct, Form::Value, Form::Lambda, Form::Generic, Form::Method];

/// A function and its test.
#[derive(Clone, Debug)]
struct Function {
    form: Form,
    /// Functions with lower numbers.
    calls: Vec<usize>,
    constant: u64,
    /// Does it read the constant of its module?
    reads: bool,
    /// What its test compares with.
    expected: u64,
    /// A comment line above it.
    comment: Option<u64>,
}

/// The package.
#[derive(Clone, Debug)]
pub struct Package {
    functions: Vec<Function>,
    /// Functions of a module.
    width: usize,
    /// The constant of each module.
    constants: Vec<u64>,
    fresh: u64,
}

/// What tests an edit makes run.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Affected {
    /// At least these.
    pub must: BTreeSet<usize>,
    /// At most these. That lines move concerns the tests that showed a place.
    pub may: BTreeSet<usize>,
}

impl Affected {
    /// These and no others.
    pub fn exactly(tests: BTreeSet<usize>) -> Affected {
        Affected { must: tests.clone(), may: tests }
    }

    /// Perhaps some of these.
    pub fn at_most(tests: BTreeSet<usize>) -> Affected {
        Affected { must: BTreeSet::new(), may: tests }
    }
}

impl Package {
    /// `modules` of `width` functions each.
    pub fn new(modules: usize, width: usize, seed: u64) -> Package {
        let mut random = Random::new(seed);
        let mut package = Package { functions: Vec::new(), width, constants: Vec::new(), fresh: 1000 };
        for module in 0..modules {
            let constant = package.fresh();
            package.constants.push(constant);
            for _ in 0..width {
                let number = package.functions.len();
                let form = random.pick(&FORMS).copied().unwrap_or(Form::Direct);
                let calls = package.calls_of(number, MOST_CALLS, &mut random);
                let function = Function {
                    form,
                    calls,
                    constant: package.fresh(),
                    reads: random.one_in(6),
                    expected: random.next() % 5,
                    comment: None,
                };
                package.functions.push(function);
            }
            debug_assert_eq!(package.functions.len(), (module + 1) * width);
        }
        package
    }

    /// How many tests there are.
    pub fn tests(&self) -> usize {
        self.functions.len()
    }

    /// A number that no text has had.
    fn fresh(&mut self) -> u64 {
        self.fresh += 1;
        self.fresh
    }

    fn module(&self, function: usize) -> usize {
        function / self.width
    }

    /// The files.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        tree.insert("ori.toml".to_owned(), "[project]\nname = \"graph\"\n".to_owned());
        tree.insert("src/main.ori".to_owned(), "@main () -> void = print(msg: \"tested\");\n".to_owned());
        tree.insert("src/ways.ori".to_owned(), WAYS.to_owned());
        for module in 0..self.constants.len() {
            tree.insert(format!("src/m{module}.ori"), self.source(module));
            tree.insert(format!("src/_test/m{module}.test.ori"), self.test_file(module));
        }
        tree
    }

    fn source(&self, module: usize) -> String {
        let mut text = String::from("use \"./ways\" { called, chosen, Way, Twice };\n");
        let here = module * self.width..(module + 1) * self.width;
        let used: BTreeSet<usize> = here.clone().flat_map(|function| self.functions[function].calls.iter().copied()).collect();
        for other in used.into_iter().filter(|function| !here.contains(function)) {
            let _ = writeln!(text, "use \"./m{}\" {{ f{other} }};", self.module(other));
        }
        let _ = writeln!(text, "let $shift = {};", self.constants[module]);
        for number in here {
            let function = &self.functions[number];
            if let Some(comment) = function.comment {
                let _ = writeln!(text, "// {comment}");
            }
            let mut value = format!("n + {}", function.constant);
            if function.reads {
                value.push_str(" + $shift");
            }
            for (at, callee) in function.calls.iter().enumerate() {
                let called = match function.form {
                    Form::Direct => format!("f{callee}(n: n + {at})"),
                    Form::Value => format!("called(f: f{callee}, n: n + {at})"),
                    Form::Lambda => format!("called(f: x -> f{callee}(n: x + {at}), n: n)"),
                    Form::Generic => format!("chosen(first: f{callee}(n: n + {at}), second: 0)"),
                    Form::Method => format!("Twice {{ value: f{callee}(n: n + {at}) }}.way()"),
                };
                let _ = write!(value, " + {called} * {}", 2 * at + 3);
            }
            let _ = writeln!(text, "pub @f{number} (n: int) -> int = ({value}) % 1000003;");
        }
        text
    }

    fn test_file(&self, module: usize) -> String {
        let here = module * self.width..(module + 1) * self.width;
        let names = here.clone().map(|number| format!("f{number}")).collect::<Vec<_>>().join(", ");
        let mut text = format!("use \"../m{module}\" {{ {names} }};\n");
        let mut also = "";
        if module == 0 {
            // Every function has a test.
            text.push_str("use \"../ways\" { called, chosen };\n");
            also = " tests @called tests @chosen";
        }
        for number in here {
            let function = &self.functions[number];
            let expected = function.expected;
            // What it prints is another text for every value: a comparison alone may be the same code after an edit as before.
            let _ = writeln!(
                text,
                "@test_f{number} tests @f{number}{also} () -> void = {{\n    print(msg: `{{f{number}(n: 4)}} {expected}`);\n    \
                 assert(condition: f{number}(n: 5) % 5 != {expected});\n}}"
            );
        }
        text
    }

    /// How many calls a call of each function makes, itself included.
    fn weights(&self) -> Vec<u64> {
        let mut weights: Vec<u64> = Vec::with_capacity(self.functions.len());
        for function in &self.functions {
            weights.push(1 + function.calls.iter().map(|callee| weights[*callee]).sum::<u64>());
        }
        weights
    }

    /// Up to three functions below a number, which make at most this many calls.
    fn calls_of(&self, number: usize, most: u64, random: &mut Random) -> Vec<usize> {
        let weights = self.weights();
        let (mut calls, mut weight) = (BTreeSet::new(), 1);
        for _ in 0..random.below(4).min(number) {
            // Near ones: chains grow long.
            let callee = number - 1 - random.below(number.min(12));
            if weight + weights[callee] <= most && calls.insert(callee) {
                weight += weights[callee];
            }
        }
        calls.into_iter().collect()
    }

    fn of_module(&self, module: usize) -> BTreeSet<usize> {
        (module * self.width..(module + 1) * self.width).collect()
    }

    /// Tests whose function reaches one of these.
    fn reaching(&self, targets: &BTreeSet<usize>) -> BTreeSet<usize> {
        // Callees have lower numbers, so one pass does.
        let mut reaching = BTreeSet::new();
        for (number, function) in self.functions.iter().enumerate() {
            if targets.contains(&number) || function.calls.iter().any(|callee| reaching.contains(callee)) {
                reaching.insert(number);
            }
        }
        reaching
    }

    /// No test fails.
    pub fn let_all_pass(&mut self) {
        // Remainders are below it.
        self.functions.iter_mut().for_each(|function| function.expected = 5);
    }

    /// Edits a function that no other calls.
    pub fn edit_leaf(&mut self) {
        let constant = self.fresh();
        if let Some(last) = self.functions.last_mut() {
            last.constant = constant;
        }
    }

    /// Edits the package: what was done, and what it makes run.
    pub fn edit(&mut self, random: &mut Random) -> (&'static str, Affected) {
        let number = random.below(self.functions.len());
        let module = self.module(number);
        match random.below(10) {
            0..=3 => {
                self.functions[number].constant = self.fresh();
                ("a body", Affected::exactly(self.reaching(&[number].into())))
            }
            4 => {
                self.constants[module] = self.fresh();
                let readers: BTreeSet<usize> =
                    self.of_module(module).into_iter().filter(|function| self.functions[*function].reads).collect();
                ("a constant", Affected::exactly(self.reaching(&readers)))
            }
            5 => {
                // No more than before, so that its callers stay as quick as they are.
                self.functions[number].calls = self.calls_of(number, self.weights()[number], random);
                self.functions[number].constant = self.fresh();
                // Imports come and go with them.
                let (must, moved) = (self.reaching(&[number].into()), self.reaching(&self.of_module(module)));
                ("calls", Affected { may: must.union(&moved).copied().collect(), must })
            }
            6 => {
                // Beyond what it was: the comparison is another one even where the outcome is not.
                self.functions[number].expected = self.fresh();
                ("a test", Affected::exactly([number].into()))
            }
            7 => {
                self.functions[number].form = random.pick(&FORMS).copied().unwrap_or(Form::Direct);
                ("a way to call", Affected::at_most(self.reaching(&[number].into())))
            }
            _ => {
                self.functions[number].comment = Some(self.fresh());
                ("a comment", Affected::at_most(self.reaching(&self.of_module(module))))
            }
        }
    }
}

/// Most calls that a call makes: without a bound they would double with every few functions.
const MOST_CALLS: u64 = 300;

/// What all modules call through.
const WAYS: &str = "\
pub @called (f: (int) -> int, n: int) -> int = f(n);
pub @chosen<T: Clone> (first: T, second: T) -> T = first.clone();
pub trait Way { @way (self) -> int; }
pub type Twice = { value: int }
impl Twice: Way { @way (self) -> int = self.value * 2; }
";

//! The codes. A code is forever; the sentence may improve.

use ir::{Code, Fault, Where};

macro_rules! rules {
    ($( $name:ident = $code:literal, $meaning:literal; )+) => {
        /// A rule of the typed tree.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Rule { $( #[doc = $meaning] $name, )+ }

        impl Rule {
            /// All rules, in order of their codes.
            pub const ALL: &'static [Rule] = &[$(Rule::$name),+];

            /// The stable code.
            pub const fn code(self) -> Code {
                match self { $(Rule::$name => Code($code)),+ }
            }

            /// The rule in one sentence, for the reference page.
            pub const fn meaning(self) -> &'static str {
                match self { $(Rule::$name => $meaning),+ }
            }
        }
    };
}

rules! {
    DanglingExpression = "H0101", "Every expression that is mentioned exists.";
    NotATree = "H0102", "Every expression is used exactly once.";
    DanglingLocal = "H0103", "Every local that is mentioned exists.";
    UseBeforeLet = "H0104", "A local is declared before its use, on every path and in the same or an outer scope.";
    DanglingLoop = "H0105", "Every loop that is mentioned exists.";
    OutsideOfLoop = "H0106", "`break` and `continue` stand inside the loop that they name.";
    LoopTwice = "H0107", "A loop id belongs to one loop.";
    LocalTwice = "H0108", "A local is declared once.";
    DanglingList = "H0109", "Lists lie inside their pools.";
    UnknownItem = "H0110", "Functions, constants and types that are mentioned are known.";
    Parameters = "H0111", "The parameters are the first locals, immutable, and those of the signature.";
    Columns = "H0112", "Each expression has a type and a place.";
    TooDeep = "H0113", "Expressions are nested at most 2000 deep; first operands do not count.";
    DanglingPattern = "H0114", "Every pattern that is mentioned exists.";
    RootType = "H0201", "The root has the result type of the body, or `Never`.";
    OperandCount = "H0202", "An intrinsic has as many operands as its row says.";
    OperandType = "H0203", "An operand of an intrinsic has the shape that its row says.";
    IntrinsicResult = "H0204", "An intrinsic has the result that its row says.";
    CallCount = "H0205", "A call has one argument per parameter.";
    ArgumentType = "H0206", "An argument has the type of its parameter.";
    CallResult = "H0207", "A call has the result type of its function.";
    AggregateShape = "H0208", "An aggregate is a tuple, struct or the like with one value of the right type per field, or a list of values of its elements' type.";
    FieldShape = "H0209", "A field is one of its value's type, and has its type.";
    LetType = "H0210", "The initialiser has the type of the local, and `let` is void.";
    AssignImmutable = "H0211", "Only mutable locals are assigned.";
    AssignType = "H0212", "The assigned value has the type of the place, and the assignment is void.";
    ConditionType = "H0213", "Conditions, guards and operands of `&&` and `||` are bool.";
    JoinType = "H0214", "Branches and arms have the type of their expression, or `Never`; without `else` an `if` is void.";
    LoopType = "H0215", "`while` and `for` are void; a `loop` has the type of its breaks and is `Never` without them.";
    BlockType = "H0216", "A block has the type of its tail, is void without, and `Never` when it never ends.";
    BreakValue = "H0217", "A `break` has a value exactly when its `loop` has one, of its type; `break` and `continue` are `Never`.";
    LeafType = "H0218", "A literal, local or constant has its own type.";
    OpenType = "H0219", "No type is open or erroneous.";
    LoopSource = "H0220", "Range bounds are int, the source of a list loop is a list, and the loop variable has the type of its items.";
    TypeParameter = "H0221", "A type parameter is one of the item that the body belongs to.";
    TypeArguments = "H0222", "A call of a generic function has one type argument per type parameter, and no other call has any.";
    VariantShape = "H0223", "A variant is one of a sum of several, with one value of the right type per part of its payload.";
    ReturnValue = "H0224", "A `return` has a value of the result type of the body, and is `Never`.";
    ClosureShape = "H0225", "A closure has a function type: the parameters of its item without those of the values captured, which have their types, and its result.";
    ValueCall = "H0226", "A function value that is called has one argument of the right type per parameter, and the call has its result.";
    Evidence = "H0301", "The method of a trait is called on a type that has the trait, and where an impl gives the method it is the impl's that is called.";
    ObjectTraits = "H0302", "What becomes a trait object is of a type that has its traits.";
    NotExhaustive = "H0401", "One arm of a match always fits, and that can be decided.";
    TestType = "H0402", "A pattern is one of the type of what it stands for: its tests are inside the values, it has one part per field or part of the payload, and the rest of a list is not tested.";
    Unreachable = "H0403", "Every arm can match something.";
    EmptyTest = "H0404", "No test is an empty range.";
    BindingType = "H0405", "A local that a pattern binds has the type of what it stands for.";
    AlternativesBind = "H0406", "All alternatives of a pattern bind the same locals.";
}

impl Rule {
    /// Does breaking the rule make it pointless to look at types?
    pub(super) fn is_fatal(self) -> bool {
        matches!(
            self,
            Rule::DanglingExpression
                | Rule::NotATree
                | Rule::DanglingLocal
                | Rule::DanglingLoop
                | Rule::DanglingList
                | Rule::DanglingPattern
                | Rule::AlternativesBind
                | Rule::Columns
                | Rule::TooDeep
        )
    }
}

/// A broken rule in a body.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HirFault {
    rule: Rule,
    at: Where,
    message: String,
}

impl HirFault {
    pub(super) fn new(rule: Rule, at: Where, message: String) -> HirFault {
        HirFault { rule, at, message }
    }

    /// The rule that is broken.
    pub fn rule(&self) -> Rule {
        self.rule
    }
}

impl Fault for HirFault {
    fn code(&self) -> Code {
        self.rule.code()
    }

    fn at(&self) -> Where {
        self.at
    }

    fn message(&self) -> String {
        self.message.clone()
    }
}

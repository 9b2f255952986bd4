//! Lines to a typed tree. Lenient: types, counts and names may be wrong in any way; the verifier judges them.

use hashbrown::HashMap;
use ir::text::{Arg, Definition, Function, Inst, Region, TextError};
use ir::{Column, ItemId, Namespace, Pool, Symbol};

use super::DEEPEST;
use super::context::{TextContext, item_of, type_of};
use crate::ir::{Arm, Expr, ExprId, For, Local, LocalId, LoopId, Pattern, PatternId, Places, Source, WHOLE};
use crate::walk::{children, first_operand};
use crate::{Body, Intrinsic, Type};

/// Reads a dump: its bodies, and the program around them as far as it is declared.
///
/// Errors of its own: `T0101` no type, `T0102` no item, `T0103` malformed declaration, `T0104` unknown op, `T0105` wrong operands,
/// `T0106` wrong regions, `T0107` nested too deep, `T0108` not a HIR dump.
pub fn parse(text: &str) -> Result<(Vec<Body>, TextContext), TextError> {
    let dump = ir::text::parse(text)?;
    if dump.level != "hir" {
        return Err(TextError::new(1, 1, "T0108", "expected a dump of level hir"));
    }
    let context = TextContext::read(&dump.directives, &dump.functions)?;
    let mut bodies = Vec::with_capacity(dump.functions.len());
    for function in &dump.functions {
        bodies.push(Reader::function(function)?);
    }
    Ok((bodies, context))
}

struct Reader {
    body: Body,
    values: HashMap<u32, ExprId>,
    locals: HashMap<u32, LocalId>,
    loops: HashMap<u32, LoopId>,
    depths: Column<crate::ir::ExprTag, u32>,
}

/// Operands of one line, taken from the left.
struct Args<'a> {
    line: u32,
    rest: &'a [Arg],
}

impl<'a> Args<'a> {
    fn error(&self, message: &str) -> TextError {
        TextError::new(self.line, 1, "T0105", message)
    }

    fn next(&mut self) -> Option<&'a Arg> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.rest.first(), Some(Arg::Word(w)) if w == word);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn int(&mut self) -> Result<i128, TextError> {
        match self.next() {
            Some(Arg::Int(value)) => Ok(*value),
            _ => Err(self.error("expected a number")),
        }
    }

    fn small<T: TryFrom<i128>>(&mut self) -> Result<T, TextError> {
        let value = self.int()?;
        T::try_from(value).map_err(|_| self.error("the number is out of range"))
    }

    fn string(&mut self) -> Result<&'a str, TextError> {
        match self.next() {
            Some(Arg::Str(text)) => Ok(text),
            _ => Err(self.error("expected a string")),
        }
    }

    fn item(&mut self) -> Result<ItemId, TextError> {
        match self.next() {
            Some(Arg::Symbol(name)) => item_of(name, self.line),
            _ => Err(self.error("expected an item")),
        }
    }

    /// `name.7`
    fn numbered(&mut self) -> Result<(&'a str, u32), TextError> {
        let parts = match self.next() {
            Some(Arg::Word(word)) => word.rsplit_once('.'),
            _ => None,
        };
        parts
            .and_then(|(name, number)| Some((name, number.parse().ok()?)))
            .ok_or_else(|| self.error("expected `name.number` of a local or loop"))
    }

    fn done(&self) -> Result<(), TextError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error("too many operands")) }
    }
}

impl Reader {
    fn function(function: &Function) -> Result<Body, TextError> {
        let owner = item_of(&function.name, function.line)?;
        let mut reader = Reader {
            body: Body {
                owner,
                params: Vec::new(),
                result: type_of(&function.result, function.line)?,
                locals: Column::new(),
                exprs: Column::new(),
                types: Column::new(),
                places: Places::default(),
                loops: Column::new(),
                fors: Column::new(),
                lists: Pool::new(),
                arms: Pool::new(),
                patterns: Column::new(),
                parts: Pool::new(),
                paths: Column::new(),
                fields: Pool::new(),
                root: ExprId::new(u32::MAX as usize),
                lambdas: Vec::new(),
            },
            values: HashMap::new(),
            locals: HashMap::new(),
            loops: HashMap::new(),
            depths: Column::new(),
        };
        for (i, param) in function.params.iter().enumerate() {
            let ty = type_of(&param.ty, function.line)?;
            let local = reader.body.locals.push(Local { name: Symbol::new("_"), ty, mutable: false });
            reader.body.params.push(local);
            reader.locals.insert(i as u32, local);
        }
        if owner.path().namespace == Namespace::Constant && !function.params.is_empty() {
            return Err(TextError::new(function.line, 1, "T0105", "a constant takes no parameters"));
        }
        let mut lines = function.blocks.iter().flat_map(|block| &block.insts).peekable();
        if lines.peek().is_none() {
            return Err(TextError::new(function.line, 1, "T0106", "a body has at least one line"));
        }
        for line in lines {
            reader.body.root = reader.inst(line)?;
        }
        Ok(reader.body)
    }

    /// The root of a region: its last line.
    fn region(&mut self, region: Option<&Region>, line: u32) -> Result<ExprId, TextError> {
        let mut root = None;
        for inst in region.map_or(&[][..], |region| &region.insts) {
            root = Some(self.inst(inst)?);
        }
        root.ok_or_else(|| TextError::new(line, 1, "T0106", "a region has at least one line"))
    }

    /// The expression behind `%n`; one that is not there stays dangling.
    fn value(&self, number: u32) -> ExprId {
        self.values.get(&number).copied().unwrap_or(ExprId::new(u32::MAX as usize - 1))
    }

    fn operand(&self, args: &mut Args<'_>) -> Result<ExprId, TextError> {
        match args.next() {
            Some(Arg::Value { value, .. }) => Ok(self.value(*value)),
            _ => Err(args.error("expected a value")),
        }
    }

    fn operands(&self, args: &mut Args<'_>) -> Vec<ExprId> {
        let mut values = Vec::new();
        while let Some(Arg::Value { value, .. }) = args.rest.first() {
            values.push(self.value(*value));
            args.rest = &args.rest[1..];
        }
        values
    }

    fn local(&mut self, args: &mut Args<'_>) -> Result<LocalId, TextError> {
        let (name, number) = args.numbered()?;
        match self.locals.get(&number) {
            Some(&local) => {
                // Parameters get their names where they are first mentioned.
                let row = &mut self.body.locals[local];
                if row.name.as_str() == "_" {
                    row.name = Symbol::new(name);
                }
                Ok(local)
            }
            None => Ok(LocalId::new(u32::MAX as usize - 1)),
        }
    }

    /// A declaration: `x.3, mut, "int"`.
    fn declared(&mut self, args: &mut Args<'_>, obvious: Type) -> Result<LocalId, TextError> {
        let (name, number) = args.numbered()?;
        let mutable = args.word("mut");
        let ty = match args.rest.first() {
            Some(Arg::Str(text)) => {
                args.rest = &args.rest[1..];
                type_of(text, args.line)?
            }
            _ => obvious,
        };
        // A second declaration under one number is the same local again: right in alternatives, and refused by the verifier elsewhere.
        if let Some(&before) = self.locals.get(&number) {
            return Ok(before);
        }
        let local = self.body.locals.push(Local { name: Symbol::new(name), ty, mutable });
        self.locals.insert(number, local);
        Ok(local)
    }

    fn loop_id(&mut self, args: &mut Args<'_>, declares: bool) -> Result<LoopId, TextError> {
        let (name, number) = args.numbered()?;
        if let Some(&known) = self.loops.get(&number) {
            return Ok(known);
        }
        if !declares {
            return Ok(LoopId::new(u32::MAX as usize - 1));
        }
        let id = self.body.loops.push((name != "_").then(|| Symbol::new(name)));
        self.loops.insert(number, id);
        Ok(id)
    }

    fn ty(&self, expr: ExprId) -> Type {
        self.body.types.get(expr).copied().unwrap_or(Type::ERROR)
    }

    fn inst(&mut self, inst: &Inst) -> Result<ExprId, TextError> {
        let [Definition { value, ty, .. }] = &inst.defs[..] else {
            return Err(TextError::new(inst.line, 1, "T0105", "a line defines exactly one value"));
        };
        let ty = type_of(ty, inst.line)?;
        let mut args = Args { line: inst.line, rest: &inst.args };
        let mut regions = inst.regions.iter();
        let expr = self.expr(inst, &mut args, &mut regions)?;
        args.done()?;
        if regions.next().is_some() {
            return Err(TextError::new(inst.line, 1, "T0106", "too many regions"));
        }
        let id = self.body.exprs.push(expr);
        self.body.types.push(ty);
        let (line, column) = inst.place.as_ref().and_then(|place| place.chain.first()).map_or((0, 0), |(_, line, column)| (*line, *column));
        self.body.places.push(line, column);
        self.values.insert(*value, id);
        let mut depth = 0;
        let first = first_operand(&self.body, expr);
        children(&self.body, expr, |child| {
            let below = self.depths.get(child.expr()).copied().unwrap_or(0);
            depth = depth.max(if Some(child.expr()) == first { below } else { below + 1 });
        });
        self.depths.push(depth);
        if depth > DEEPEST {
            return Err(TextError::new(inst.line, 1, "T0107", "expressions are nested too deeply"));
        }
        Ok(id)
    }

    fn expr<'a>(&mut self, inst: &Inst, args: &mut Args<'a>, regions: &mut std::slice::Iter<'a, Region>) -> Result<Expr, TextError> {
        let line = inst.line;
        Ok(match inst.op.as_str() {
            "int" => Expr::Int(args.small()?),
            "float" => match args.next() {
                Some(Arg::Bits(bits)) => Expr::Float(*bits),
                _ => return Err(args.error("expected the bits of a float")),
            },
            "bool" => {
                if args.word("true") {
                    Expr::Bool(true)
                } else if args.word("false") {
                    Expr::Bool(false)
                } else {
                    return Err(args.error("expected true or false"));
                }
            }
            "char" => {
                let code: u32 = args.small()?;
                Expr::Char(char::from_u32(code).ok_or_else(|| args.error("no character has this number"))?)
            }
            "byte" => Expr::Byte(args.small()?),
            "str" => Expr::Str(Symbol::new(args.string()?)),
            "unit" => Expr::Unit,
            "local" => Expr::Local(self.local(args)?),
            "constant" => Expr::Constant(args.item()?),
            "call" => {
                let item = args.item()?;
                let values = self.operands(args);
                Expr::Call(item, self.body.lists.add(values))
            }
            "closure" => {
                let item = args.item()?;
                let values = self.operands(args);
                Expr::Closure(item, self.body.lists.add(values))
            }
            "call_value" => {
                let callee = self.operand(args)?;
                let values = self.operands(args);
                Expr::CallValue(callee, self.body.lists.add(values))
            }
            "aggregate" => {
                let values = self.operands(args);
                Expr::Aggregate(self.body.lists.add(values))
            }
            "variant" => {
                let number = args.small()?;
                let values = self.operands(args);
                Expr::Variant(number, self.body.lists.add(values))
            }
            "field" => {
                let value = self.operand(args)?;
                Expr::Field(value, args.small()?)
            }
            "let" => {
                // The value stands last; its type is the obvious one of the local.
                let obvious = match args.rest.last() {
                    Some(Arg::Value { value, .. }) => self.ty(self.value(*value)),
                    _ => Type::ERROR,
                };
                let local = self.declared(args, obvious)?;
                Expr::Let(local, self.operand(args)?)
            }
            "assign" => {
                let local = self.local(args)?;
                let mut path: Vec<u32> = Vec::new();
                while matches!(args.rest.first(), Some(Arg::Int(_))) {
                    path.push(args.small()?);
                }
                let value = self.operand(args)?;
                let path = if path.is_empty() { WHOLE } else { self.body.paths.push(self.body.fields.add(path)) };
                Expr::Assign { local, path, value }
            }
            "block" => {
                let values = self.operands(args);
                let tail = args.word("tail");
                Expr::Block { statements: self.body.lists.add(values), tail }
            }
            "if" => {
                let condition = self.operand(args)?;
                let then = self.region(regions.next(), line)?;
                let otherwise = match regions.next() {
                    Some(region) => {
                        self.only_word(region, "else", line)?;
                        Some(self.region(Some(region), line)?)
                    }
                    None => None,
                };
                Expr::If { condition, then, otherwise }
            }
            "and" => {
                let left = self.operand(args)?;
                Expr::And(left, self.region(regions.next(), line)?)
            }
            "or" => {
                let left = self.operand(args)?;
                Expr::Or(left, self.region(regions.next(), line)?)
            }
            "match" => {
                let scrutinee = self.operand(args)?;
                let arms = self.arms(scrutinee, args, regions, line)?;
                Expr::Match { scrutinee, arms: self.body.arms.add(arms) }
            }
            "loop" => {
                let id = self.loop_id(args, true)?;
                Expr::Loop { id, body: self.region(regions.next(), line)? }
            }
            "catch" => Expr::Catch(self.region(regions.next(), line)?),
            "while" => {
                let id = self.loop_id(args, true)?;
                let condition = self.region(regions.next(), line)?;
                let second = regions.next();
                if let Some(second) = second {
                    self.only_word(second, "do", line)?;
                }
                Expr::While { id, condition, body: self.region(second, line)? }
            }
            "for_range" => {
                let id = self.loop_id(args, true)?;
                let local = self.declared(args, Type::INT)?;
                let (start, end) = (self.operand(args)?, self.operand(args)?);
                let step = match args.rest.first() {
                    Some(Arg::Value { .. }) => Some(self.operand(args)?),
                    _ => None,
                };
                let inclusive = args.word("inclusive");
                let source = Source::Range { start, end, step, inclusive };
                let body = self.region(regions.next(), line)?;
                Expr::For(self.body.fors.push(For { id, local, source, body }))
            }
            "for_list" => {
                let id = self.loop_id(args, true)?;
                let element = match args.rest.last() {
                    Some(Arg::Value { value, .. }) => match self.ty(self.value(*value)).kind() {
                        crate::TypeKind::List(element) => element,
                        _ => Type::ERROR,
                    },
                    _ => Type::ERROR,
                };
                let local = self.declared(args, element)?;
                let list = self.operand(args)?;
                let body = self.region(regions.next(), line)?;
                Expr::For(self.body.fors.push(For { id, local, source: Source::List(list), body }))
            }
            "break" => {
                let id = self.loop_id(args, false)?;
                let value = if args.rest.is_empty() { None } else { Some(self.operand(args)?) };
                Expr::Break(id, value)
            }
            "continue" => Expr::Continue(self.loop_id(args, false)?),
            "object" => Expr::Object(self.operand(args)?),
            "return" => Expr::Return(self.operand(args)?),
            name => match Intrinsic::from_name(name) {
                Some(op) => {
                    let values = self.operands(args);
                    Expr::Intrinsic(op, self.body.lists.add(values))
                }
                None => return Err(TextError::new(line, 1, "T0104", &format!("there is no op `{name}`"))),
            },
        })
    }

    fn only_word(&self, region: &Region, word: &str, line: u32) -> Result<(), TextError> {
        match &region.args[..] {
            [Arg::Word(found)] if found == word => Ok(()),
            _ => Err(TextError::new(line, 1, "T0106", &format!("expected `}} {word} {{`"))),
        }
    }

    fn arms<'a>(
        &mut self,
        scrutinee: ExprId,
        first: &mut Args<'a>,
        regions: &mut std::slice::Iter<'a, Region>,
        line: u32,
    ) -> Result<Vec<Arm>, TextError> {
        let matched = self.ty(scrutinee);
        let mut arms = Vec::new();
        let mut next = regions.next();
        while let Some(region) = next {
            let mut own = Args { line, rest: &region.args };
            let args: &mut Args<'a> = if arms.is_empty() { &mut *first } else { &mut own };
            if !arms.is_empty() && !args.word("case") {
                return Err(TextError::new(line, 1, "T0106", "expected `} case {`"));
            }
            let pattern = self.pattern(args, matched, 0)?;
            let has_guard = args.word("guard");
            args.done()?;
            let (guard, body) = if has_guard {
                let guard = self.region(Some(region), line)?;
                let body = regions.next();
                if let Some(body) = body {
                    self.only_word(body, "then", line)?;
                }
                (Some(guard), self.region(body, line)?)
            } else {
                (None, self.region(Some(region), line)?)
            };
            arms.push(Arm { pattern, guard, body });
            next = regions.next();
        }
        Ok(arms)
    }

    /// A pattern in prefix form; a word that names none is one that is not there.
    fn pattern(&mut self, args: &mut Args<'_>, obvious: Type, depth: u32) -> Result<PatternId, TextError> {
        if depth > DEEPEST {
            return Err(TextError::new(args.line, 1, "T0107", "patterns are nested too deeply"));
        }
        let row = match args.rest.first() {
            Some(Arg::Int(_)) => Pattern::Range(args.small()?, args.small()?),
            Some(Arg::Str(text)) => {
                args.next();
                Pattern::Str(Symbol::new(text))
            }
            Some(Arg::Bits(bits)) => {
                args.next();
                Pattern::Float(*bits)
            }
            _ if args.word("any") => Pattern::Any,
            _ if args.word("bind") => {
                let local = self.declared(args, obvious)?;
                Pattern::Bind(local, self.pattern(args, obvious, depth + 1)?)
            }
            _ if args.word("fields") => Pattern::Fields(self.patterns(args, Type::ERROR, depth)?),
            _ if args.word("variant") => {
                let number = args.small()?;
                Pattern::Variant(number, self.patterns(args, Type::ERROR, depth)?)
            }
            _ if args.word("list") => Pattern::List(self.patterns(args, Type::ERROR, depth)?, false),
            _ if args.word("list_rest") => Pattern::List(self.patterns(args, Type::ERROR, depth)?, true),
            _ if args.word("or") => Pattern::Or(self.patterns(args, obvious, depth)?),
            _ if args.word("dangling") => return Ok(PatternId::new(u32::MAX as usize - 1)),
            _ => return Err(args.error("expected a pattern")),
        };
        Ok(self.body.patterns.push(row))
    }

    /// A number, and as many patterns.
    fn patterns(&mut self, args: &mut Args<'_>, obvious: Type, depth: u32) -> Result<ir::List<PatternId>, TextError> {
        let count: u32 = args.small()?;
        let mut parts = Vec::new();
        for _ in 0..count {
            parts.push(self.pattern(args, obvious, depth + 1)?);
        }
        Ok(self.body.parts.add(parts))
    }
}

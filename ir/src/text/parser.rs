//! Dump text to the generic tree. Lenient: what is shaped right parses; judging is the verifiers' work.
//!
//! One pass over the lines, linear, recursion bounded by [`MAX_NESTING`]. Error codes: `T0001` no header, `T0002` not the expected shape,
//! `T0003` nested too deep, `T0004` number out of range, `T0005` something is not closed.

use super::lexer::{Line, block_number};
use super::{Arg, Block, Definition, Dump, Function, Inst, MemoryPart, PlaceText, Region, TextError};

#[cfg(test)]
mod tests;

/// Regions inside regions at most; beyond it `T0003`, so that no input overflows the stack.
pub const MAX_NESTING: u32 = 256;

/// Operands inside operands at most.
const MAX_ARG_NESTING: u32 = 32;

/// Reads a dump. No input makes it panic.
pub fn parse(text: &str) -> Result<Dump, TextError> {
    let mut reader = Reader { lines: text.split('\n'), number: 0, directives: Vec::new(), intents: Vec::new() };
    let Some(mut line) = reader.next_line() else {
        return Err(TextError::new(1, 1, "T0001", "a dump starts with `ori-ir LEVEL.PHASE VERSION`"));
    };
    let mut dump = header(&mut line)?;
    while let Some(mut line) = reader.next_line() {
        if line.word() != "fn" {
            return Err(line.error("T0002", "expected `fn` at the start of a function"));
        }
        let function = reader.function(line)?;
        dump.functions.push(function);
    }
    dump.directives = reader.directives;
    dump.intents = reader.intents;
    Ok(dump)
}

fn header(line: &mut Line<'_>) -> Result<Dump, TextError> {
    let wrong = |line: &Line<'_>| line.error("T0001", "a dump starts with `ori-ir LEVEL.PHASE VERSION`");
    line.skip_space();
    if !line.take_text("ori-ir ") {
        return Err(wrong(line));
    }
    line.skip_space();
    let Some((level, phase)) = line.word().split_once('.') else { return Err(wrong(line)) };
    line.skip_space();
    let version = line.number_u32()?;
    let rest = line.rest();
    let rest = rest.find(';').map_or(rest, |comment| &rest[..comment]);
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return Err(wrong(line));
    }
    let facts = rest.split_whitespace().map(str::to_owned).collect();
    Ok(Dump { level: level.to_owned(), phase: phase.to_owned(), version, facts, ..Dump::default() })
}

struct Reader<'a> {
    lines: std::str::Split<'a, char>,
    number: u32,
    directives: Vec<(u32, String)>,
    intents: Vec<(u32, String)>,
}

/// What a line below a function or region turned out to be.
enum Piece {
    Inst(Inst),
    /// `}`; what follows it is still in the line.
    Close,
}

impl<'a> Reader<'a> {
    /// The next line that holds more than a comment, at its first mark.
    fn next_line(&mut self) -> Option<Line<'a>> {
        loop {
            let text = self.lines.next()?;
            self.number = self.number.saturating_add(1);
            let mut line = Line::new(text, self.number);
            match line.next_mark() {
                None => {}
                Some(b';') => {
                    let rest = line.rest();
                    if let Some(directive) = rest.strip_prefix(";!") {
                        self.directives.push((self.number, directive.trim().to_owned()));
                    } else if let Some(intent) = rest.strip_prefix(";~") {
                        self.intents.push((self.number, intent.trim().to_owned()));
                    }
                }
                Some(_) => return Some(line),
            }
        }
    }

    fn ended(&self, what: &str) -> TextError {
        TextError::new(self.number, 1, "T0005", &format!("the text ends inside {what}"))
    }

    /// A function whose `fn` has been read.
    fn function(&mut self, mut line: Line<'a>) -> Result<Function, TextError> {
        line.expect(b'@')?;
        let name = line.name()?.into_owned();
        let mut generics = String::new();
        if line.take(b'[') {
            line.until_close()?.clone_into(&mut generics);
            line.expect(b']')?;
        }
        line.expect(b'(')?;
        let params = definitions(&mut line, b')')?;
        line.skip_space();
        let mut result = String::new();
        if line.take_text("->") {
            // A result may be `Item = T`-free text only; commas inside stand in brackets.
            line.until_close()?.clone_into(&mut result);
        }
        line.expect(b'{')?;
        let fault = line.finish()?.map(str::to_owned);
        let mut function = Function { line: line.number(), name, generics, params, result, blocks: Vec::new(), fault };
        loop {
            let Some(mut line) = self.next_line() else { return Err(self.ended("a function")) };
            if let Some(number) = label(&mut line)? {
                let params = if line.take(b'(') { definitions(&mut line, b')')? } else { Vec::new() };
                line.expect(b':')?;
                let fault = line.finish()?.map(str::to_owned);
                function.blocks.push(Block { line: line.number(), number, params, insts: Vec::new(), fault });
                continue;
            }
            match self.piece(&mut line, 0)? {
                Piece::Close => {
                    line.finish()?;
                    return Ok(function);
                }
                Piece::Inst(inst) => {
                    if function.blocks.is_empty() {
                        function.blocks.push(Block { line: function.line, number: Block::UNNAMED, ..Block::default() });
                    }
                    if let Some(block) = function.blocks.last_mut() {
                        block.insts.push(inst);
                    }
                }
            }
        }
    }

    /// A line of a function or region: an instruction with its regions, or the closing brace.
    fn piece(&mut self, line: &mut Line<'a>, depth: u32) -> Result<Piece, TextError> {
        if line.take(b'}') {
            return Ok(Piece::Close);
        }
        let mut inst = Inst { line: line.number(), ..Inst::default() };
        if line.next_mark() == Some(b'%') {
            inst.defs = definitions(line, b'=')?;
        }
        line.skip_space();
        let op = line.word();
        if op.is_empty() {
            return Err(line.error("T0002", "expected the name of an op"));
        }
        op.clone_into(&mut inst.op);
        operands(line, &mut inst.args, &mut inst.facts)?;
        inst.facts.sort_unstable();
        if line.take(b'!') {
            inst.place = Some(place(line)?);
        }
        if line.next_mark() == Some(b'{') {
            self.regions(line, &mut inst, depth)?;
        } else {
            inst.fault = line.finish()?.map(str::to_owned);
        }
        Ok(Piece::Inst(inst))
    }

    /// The regions of an instruction; the line stands at the first `{`.
    fn regions(&mut self, first: &mut Line<'a>, inst: &mut Inst, depth: u32) -> Result<(), TextError> {
        if depth >= MAX_NESTING {
            return Err(first.error("T0003", format!("regions are nested deeper than {MAX_NESTING}")));
        }
        let mut line = first.clone();
        let mut args = Vec::new();
        loop {
            line.expect(b'{')?;
            let fault = line.finish()?.map(str::to_owned);
            inst.fault = inst.fault.take().or(fault);
            let mut region = Region { args: std::mem::take(&mut args), insts: Vec::new() };
            loop {
                let Some(next) = self.next_line() else { return Err(self.ended("a region")) };
                line = next;
                match self.piece(&mut line, depth + 1)? {
                    Piece::Inst(inner) => region.insts.push(inner),
                    Piece::Close => break,
                }
            }
            inst.regions.push(region);
            if line.is_done() {
                let fault = line.finish()?.map(str::to_owned);
                inst.fault = inst.fault.take().or(fault);
                return Ok(());
            }
            let mut facts = Vec::new();
            operands(&mut line, &mut args, &mut facts)?;
            if !facts.is_empty() {
                return Err(line.error("T0002", "facts stand before the first region"));
            }
        }
    }
}

/// `b3` when the line starts a block.
fn label(line: &mut Line<'_>) -> Result<Option<u32>, TextError> {
    let mut ahead = line.clone();
    ahead.skip_space();
    let Some(number) = block_number(ahead.word()) else { return Ok(None) };
    if !matches!(ahead.next_mark(), Some(b':' | b'(')) {
        return Ok(None);
    }
    *line = ahead;
    number.map(Some).map_err(|()| line.error("T0004", "the block number is too large"))
}

/// `%0: own str, %1: int` up to `end`, which is taken.
fn definitions(line: &mut Line<'_>, end: u8) -> Result<Vec<Definition>, TextError> {
    let mut defs = Vec::new();
    if line.take(end) {
        return Ok(defs);
    }
    loop {
        line.expect(b'%')?;
        let value = line.number_u32()?;
        let mut mode = None;
        let mut ty = "";
        if line.take(b':') {
            line.skip_space();
            mode = mode_word(line, |_| true);
            ty = line.type_text()?;
        }
        defs.push(Definition { value, mode, ty: ty.to_owned() });
        if line.take(end) {
            return Ok(defs);
        }
        line.expect(b',')?;
    }
}

/// `own` or `ref` as a word of its own, when `follows` accepts what comes after it.
fn mode_word(line: &mut Line<'_>, follows: impl Fn(u8) -> bool) -> Option<String> {
    let mut ahead = line.clone();
    let word = ahead.word();
    if word != "own" && word != "ref" {
        return None;
    }
    let spaced = matches!(ahead.peek(), Some(b' ' | b'\t'));
    let mark = ahead.next_mark()?;
    if !spaced || matches!(mark, b',' | b'=' | b')' | b';') || !follows(mark) {
        return None;
    }
    *line = ahead;
    Some(word.to_owned())
}

/// Operands and facts up to a place, a region or the end of the line. A `{` needs no comma before it.
fn operands(line: &mut Line<'_>, args: &mut Vec<Arg>, facts: &mut Vec<String>) -> Result<(), TextError> {
    let mut may_start = true;
    loop {
        match line.next_mark() {
            None | Some(b';' | b'!') => return Ok(()),
            Some(b'{') if line.brace_ends_line() => return Ok(()),
            Some(b'{') => {
                line.expect(b'{')?;
                loop {
                    let fact = line.fact()?;
                    if !fact.is_empty() {
                        facts.push(fact.to_owned());
                    }
                    if line.take(b'}') {
                        break;
                    }
                    line.expect(b',')?;
                }
            }
            Some(_) if may_start => args.push(arg(line, 0)?),
            Some(_) => return Err(line.error("T0002", "expected `,` between operands")),
        }
        may_start = line.take(b',');
        if may_start && matches!(line.next_mark(), None | Some(b';' | b'!')) {
            return Err(line.error("T0002", "expected an operand after `,`"));
        }
    }
}

fn arg(line: &mut Line<'_>, depth: u32) -> Result<Arg, TextError> {
    if depth > MAX_ARG_NESTING {
        return Err(line.error("T0003", format!("operands are nested deeper than {MAX_ARG_NESTING}")));
    }
    match line.next_mark() {
        Some(b'%') => value(line, None, depth),
        Some(b'"') => Ok(Arg::Str(line.string()?)),
        Some(b'@') => {
            line.expect(b'@')?;
            Ok(Arg::Symbol(line.name()?.into_owned()))
        }
        Some(b'$') => {
            line.expect(b'$')?;
            Ok(Arg::Register(line.register()?.to_owned()))
        }
        Some(b'[') => memory(line, depth),
        Some(b'0') if line.take_text("0x") => Ok(Arg::Bits(line.bits()?)),
        Some(b'0'..=b'9' | b'-') => Ok(Arg::Int(line.integer()?)),
        Some(_) | None => {
            if let Some(mode) = mode_word(line, |mark| mark == b'%') {
                return value(line, Some(mode), depth);
            }
            let word = line.word();
            if word.is_empty() {
                return Err(line.error("T0002", "expected an operand here"));
            }
            let Some(number) = block_number(word) else { return Ok(Arg::Word(word.to_owned())) };
            let number = number.map_err(|()| line.error("T0004", "the block number is too large"))?;
            let mut args = Vec::new();
            if line.peek() == Some(b'(') {
                line.expect(b'(')?;
                while !line.take(b')') {
                    if !args.is_empty() {
                        line.expect(b',')?;
                    }
                    args.push(arg(line, depth + 1)?);
                }
            }
            Ok(Arg::Block { number, args })
        }
    }
}

/// `%5`, `%5:$rax`, `%5:[slot 3]`
fn value(line: &mut Line<'_>, mode: Option<String>, depth: u32) -> Result<Arg, TextError> {
    line.expect(b'%')?;
    let value = line.number_u32()?;
    let mut place = None;
    if line.peek() == Some(b':') {
        line.expect(b':')?;
        match line.peek() {
            Some(b'$' | b'[') => place = Some(Box::new(arg(line, depth + 1)?)),
            Some(_) | None => return Err(line.error("T0002", "expected `$register` or `[place]` after `:`")),
        }
    }
    Ok(Arg::Value { mode, value, place })
}

/// `[%3 + %4*8 - 16]`, `[slot 3]`
fn memory(line: &mut Line<'_>, depth: u32) -> Result<Arg, TextError> {
    line.expect(b'[')?;
    let mut parts = Vec::new();
    let mut negative = false;
    while !line.take(b']') {
        if !parts.is_empty() {
            negative = line.take(b'-');
            if !negative {
                line.expect(b'+')?;
            }
        }
        let mut base = arg(line, depth + 1)?;
        match &mut base {
            Arg::Int(n) if negative => *n = n.checked_neg().ok_or_else(|| line.error("T0004", "the integer is too large"))?,
            // `slot 3`: a word with its number.
            Arg::Word(word) if !negative => {
                if line.next_mark().is_some_and(|b| b.is_ascii_digit()) {
                    let number = line.number_u32()?;
                    word.push(' ');
                    word.push_str(&number.to_string());
                }
            }
            Arg::Value { .. } | Arg::Symbol(_) | Arg::Register(_) | Arg::Int(_) if !negative => {}
            Arg::Int(_)
            | Arg::Word(_)
            | Arg::Value { .. }
            | Arg::Symbol(_)
            | Arg::Register(_)
            | Arg::Bits(_)
            | Arg::Block { .. }
            | Arg::Memory(_)
            | Arg::Str(_) => return Err(line.error("T0002", "this cannot be a part of an address")),
        }
        let mut scale = 1;
        if line.take(b'*') {
            line.skip_space();
            scale = u8::try_from(line.number_u32()?).map_err(|_| line.error("T0004", "the scale is too large"))?;
        }
        parts.push(MemoryPart { base, scale });
    }
    Ok(Arg::Memory(parts))
}

/// `3:9`, `@leaf 1:4 < 3:9`, after the `!`.
fn place(line: &mut Line<'_>) -> Result<PlaceText, TextError> {
    let mut chain = Vec::new();
    loop {
        let item = if line.take(b'@') { Some(line.name()?.into_owned()) } else { None };
        line.skip_space();
        let row = line.number_u32()?;
        line.expect(b':')?;
        line.skip_space();
        let column = line.number_u32()?;
        chain.push((item, row, column));
        if !line.take(b'<') {
            return Ok(PlaceText { chain });
        }
    }
}

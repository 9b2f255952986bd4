//! What a token is.

use ir::Symbol;

use crate::Span;

/// A token: 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Token {
    /// First byte in the file.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Words and texts: the symbol. Numbers: index into the values. Characters and bytes: the code. Opening brackets: index of the partner.
    pub data: u32,
    /// What it is.
    pub kind: Kind,
    /// How it stands in the text.
    pub flags: Flags,
}

const _: () = assert!(size_of::<Token>() <= 16);

impl Token {
    /// The bytes in the file.
    pub const fn span(self) -> Span {
        Span::new(self.start, self.end)
    }

    /// The symbol of a word or text.
    pub const fn symbol(self) -> Symbol {
        Symbol::from_raw(self.data)
    }

    /// Nothing stands between this token and the one before.
    pub const fn is_adjacent(self) -> bool {
        !self.flags.has(Flags::SPACE_BEFORE)
    }
}

/// Facts about a token beside its kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Flags(u8);

impl Flags {
    /// No fact.
    pub const NONE: Flags = Flags(0);
    /// Whitespace or a comment stands directly before.
    pub const SPACE_BEFORE: Flags = Flags(1);
    /// It is the first token of its line.
    pub const LINE_START: Flags = Flags(2);
    /// An identifier that is special in some positions.
    pub const SPECIAL: Flags = Flags(4);
    /// An identifier that is a keyword of other languages.
    pub const FOREIGN: Flags = Flags(8);
    /// A word that starts with an uppercase letter.
    pub const UPPER: Flags = Flags(16);
    /// It stands in the first column.
    pub const FIRST_COLUMN: Flags = Flags(32);

    /// Does it have all of these?
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Of these facts those that it has.
    pub const fn only(self, other: Flags) -> Flags {
        Flags(self.0 & other.0)
    }

    /// Both.
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

macro_rules! kinds {
    (
        classes { $($class:ident $what:literal,)+ }
        keywords { $($keyword:ident $word:literal,)+ }
        punctuation { $($mark:ident $text:literal,)+ }
    ) => {
        /// What a token is.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Kind {
            $(#[doc = $what] $class,)+
            $(#[doc = concat!("`", $word, "`")] $keyword,)+
            $(#[doc = concat!("`", $text, "`")] $mark,)+
        }

        impl Kind {
            /// The reserved words.
            pub const KEYWORDS: &'static [(&'static str, Kind)] = &[$(($word, Kind::$keyword)),+];

            /// How a message speaks of it: quoted text or a class.
            pub const fn describe(self) -> &'static str {
                match self {
                    $(Kind::$class => $what,)+
                    $(Kind::$keyword => concat!("'", $word, "'"),)+
                    $(Kind::$mark => concat!("'", $text, "'"),)+
                }
            }

            /// Is it a reserved word?
            pub const fn is_keyword(self) -> bool {
                matches!(self, $(Kind::$keyword)|+)
            }
        }
    };
}

kinds! {
    classes {
        Eof "end of file",
        Ident "identifier",
        Future "reserved word",
        Int "integer",
        Float "float",
        Duration "duration",
        Size "size",
        Str "string",
        Char "character",
        Byte "byte",
        TemplateStart "template",
        TemplateText "template text",
        InterpolationStart "'{'",
        FormatSpec "format specification",
        InterpolationEnd "'}'",
        TemplateEnd "end of template",
    }
    keywords {
        As "as", Break "break", Continue "continue", Def "def", Div "div", Do "do", Else "else", Extend "extend",
        Extension "extension", Extern "extern", False "false", For "for", If "if", Impl "impl", In "in", Let "let", Loop "loop",
        Match "match", Pub "pub", SelfValue "self", SelfType "Self", Suspend "suspend", Tests "tests", Then "then", Trait "trait",
        True "true", Type "type", Unsafe "unsafe", Use "use", Uses "uses", Void "void", Where "where", While "while", With "with",
        Yield "yield",
    }
    punctuation {
        LParen "(", RParen ")", LBracket "[", RBracket "]", LBrace "{", RBrace "}",
        Comma ",", Semicolon ";", Colon ":", ColonColon "::", Dot ".", DotDot "..", DotDotEq "..=", Ellipsis "...",
        At "@", Dollar "$", Hash "#", Arrow "->", FatArrow "=>", Eq "=", Underscore "_",
        Plus "+", Minus "-", Star "*", Slash "/", Percent "%", StarStar "**", Shl "<<", Lt "<", LtEq "<=",
        EqEq "==", NotEq "!=", Gt ">", Bang "!", Tilde "~", Amp "&", Pipe "|", Caret "^", AmpAmp "&&", PipePipe "||",
        Question "?", QuestionQuestion "??", PipeGt "|>",
        PlusEq "+=", MinusEq "-=", StarEq "*=", SlashEq "/=", PercentEq "%=", StarStarEq "**=", AtEq "@=", AmpEq "&=",
        PipeEq "|=", CaretEq "^=", ShlEq "<<=", AmpAmpEq "&&=", PipePipeEq "||=",
    }
}

impl Kind {
    /// May it stand for a name where every word is one (after `.`, before `:` in arguments)?
    pub const fn is_word(self) -> bool {
        matches!(self, Kind::Ident | Kind::Future) || self.is_keyword()
    }

    /// Can it start an expression (grammar G17)?
    pub const fn starts_expression(self) -> bool {
        matches!(
            self,
            Kind::Ident
                | Kind::Future
                | Kind::Int
                | Kind::Float
                | Kind::Duration
                | Kind::Size
                | Kind::Str
                | Kind::Char
                | Kind::Byte
                | Kind::TemplateStart
                | Kind::True
                | Kind::False
                | Kind::Underscore
                | Kind::Dollar
                | Kind::SelfValue
                | Kind::SelfType
                | Kind::Hash
                | Kind::LParen
                | Kind::LBracket
                | Kind::LBrace
                | Kind::Bang
                | Kind::Minus
                | Kind::Tilde
                | Kind::If
                | Kind::Match
                | Kind::For
                | Kind::While
                | Kind::Loop
                | Kind::Unsafe
                | Kind::With
                | Kind::Break
                | Kind::Continue
        )
    }

    /// Is it a literal of one token?
    pub const fn is_literal(self) -> bool {
        matches!(
            self,
            Kind::Int | Kind::Float | Kind::Duration | Kind::Size | Kind::Str | Kind::Char | Kind::Byte | Kind::True | Kind::False
        )
    }

    /// Does it open a bracket?
    pub const fn opens(self) -> bool {
        matches!(self, Kind::LParen | Kind::LBracket | Kind::LBrace | Kind::TemplateStart | Kind::InterpolationStart)
    }

    /// What closes this bracket. Only asked of opening ones.
    pub const fn partner(self) -> Kind {
        match self {
            Kind::LParen => Kind::RParen,
            Kind::LBracket => Kind::RBracket,
            Kind::LBrace => Kind::RBrace,
            Kind::TemplateStart => Kind::TemplateEnd,
            _ => Kind::InterpolationEnd,
        }
    }

    /// Does it close a bracket?
    pub const fn closes(self) -> bool {
        matches!(self, Kind::RParen | Kind::RBracket | Kind::RBrace | Kind::TemplateEnd | Kind::InterpolationEnd)
    }
}

//! `use` and `extension` declarations.

use crate::lexer::Kind;
use crate::tree::*;

use super::{Parse, Parser};

impl Parser<'_> {
    /// Does an import begin here, behind attributes?
    pub(super) fn import_follows(&self) -> bool {
        let mut at = self.pos;
        while self.kind_at(at) == Kind::Hash && self.kind_at(at + 1).is_word() {
            at += 2;
            if self.kind_at(at) == Kind::LParen {
                at = self.step(at);
            }
        }
        at += usize::from(self.kind_at(at) == Kind::Pub);
        matches!(self.kind_at(at), Kind::Use | Kind::Extension)
    }

    pub(super) fn import(&mut self, start: u32, attributes: Vec<Attribute>) -> Parse<Import> {
        let is_pub = self.eat(Kind::Pub);
        let is_extension = self.bump().kind == Kind::Extension;
        let path_start = self.token().start;
        let path = self.module_path()?;
        let path_span = self.span_from(path_start);
        let names = if is_extension {
            ImportNames::Extensions(self.extension_list()?)
        } else if self.kind() == Kind::LBrace {
            ImportNames::List(self.use_list()?)
        } else if is_pub {
            // A re-export names what it exports (language/07 section 7.3).
            return self.unexpected("'{'");
        } else if self.eat(Kind::As) {
            let (name, span) = self.ident()?;
            ImportNames::Alias(name, span)
        } else {
            ImportNames::Module
        };
        let span = self.span_from(start);
        self.eat(Kind::Semicolon);
        let mut extent = self.span_from(start);
        extent.end += u32::from(self.text.as_bytes().get(extent.end as usize) == Some(&b'\n'));
        Ok(Import { span, extent, is_pub, is_extension, path, path_span, names, attributes })
    }

    fn module_path(&mut self) -> Parse<ModulePath> {
        if self.kind() == Kind::Str {
            return Ok(ModulePath::Text(self.bump().symbol()));
        }
        if !self.kind().is_word() {
            return self.unexpected("module path");
        }
        let mut path = vec![self.ident()?.0];
        while self.eat(Kind::Dot) {
            path.push(self.name()?.0);
        }
        Ok(ModulePath::Dotted(path))
    }

    fn use_list(&mut self) -> Parse<Vec<ImportEntry>> {
        let open = self.pos;
        let mut entries = Vec::new();
        self.pos += 1;
        if self.kind() == Kind::RBrace {
            return self.unexpected("name");
        }
        self.list(open, Kind::RBrace, |p| {
            entries.push(p.use_entry()?);
            Ok(())
        })?;
        Ok(entries)
    }

    fn use_entry(&mut self) -> Parse<ImportEntry> {
        let start = self.token().start;
        let private = self.eat(Kind::ColonColon);
        let constant = self.kind() == Kind::Dollar;
        let (name, _) = if constant { self.dollar_name()? } else { self.ident()? };
        let mut without_def = false;
        if !constant && self.at_word(self.words.without) && self.ahead(1).kind == Kind::Def {
            self.pos += 2;
            without_def = true;
        }
        let mut alias = name;
        if self.eat(Kind::As) {
            if constant && self.kind() != Kind::Dollar {
                return self.unexpected("'$'");
            }
            alias = if constant { self.dollar_name()?.0 } else { self.ident()?.0 };
        }
        Ok(ImportEntry { private, constant, name, alias, without_def, span: self.span_from(start) })
    }

    fn extension_list(&mut self) -> Parse<Vec<(ir::Symbol, ir::Symbol, crate::Span)>> {
        let open = self.pos;
        let mut entries = Vec::new();
        self.expect(Kind::LBrace)?;
        if self.kind() == Kind::RBrace {
            return self.unexpected("'Type.method'");
        }
        self.list(open, Kind::RBrace, |p| {
            let start = p.token().start;
            let (ty, _) = p.ident()?;
            p.expect(Kind::Dot)?;
            let (method, _) = p.name()?;
            entries.push((ty, method, p.span_from(start)));
            Ok(())
        })?;
        Ok(entries)
    }
}

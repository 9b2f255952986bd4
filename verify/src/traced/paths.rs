//! Places that can be assigned to: a variable, and parts of it.

use super::Writer;
use super::types::Ty;

/// A place.
pub struct Path {
    /// As it is written.
    pub text: String,
    /// What is stored there.
    pub ty: Ty,
    /// What must hold for the place to be there.
    pub guards: Vec<String>,
    /// Can it be read as what it is? An entry of a map is an option when it is read.
    pub is_read: bool,
}

impl Writer<'_> {
    /// A place in a variable that may be changed.
    pub fn path(&mut self) -> Option<Path> {
        let own = self.own;
        let roots: Vec<(String, Ty)> =
            self.scope.iter().skip(own).filter(|v| v.is_mutable && v.ty.is_shown()).map(|v| (v.name.clone(), v.ty.clone())).collect();
        let (text, ty) = self.random.pick(&roots)?.clone();
        let mut path = Path { text, ty, guards: Vec::new(), is_read: true };
        let mut was_tuple = false;
        while path.is_read && !self.random.one_in(3) {
            let of = path.ty.clone();
            // `t.0.1` would be a number.
            let is_tuple = matches!(of, Ty::Tuple(_));
            match of {
                Ty::Struct(number) => {
                    let fields = &self.world.structs[number];
                    let at = self.random.below(fields.len());
                    path.text.push_str(&format!(".x{at}"));
                    path.ty = fields[at].clone();
                }
                Ty::Box(of) => match self.random.below(3) {
                    0 => {
                        path.text.push_str(".count");
                        path.ty = Ty::Int;
                    }
                    _ => {
                        path.text.push_str(".value");
                        path.ty = *of;
                    }
                },
                Ty::Tuple(parts) if !was_tuple => {
                    let at = self.random.below(parts.len());
                    path.text.push_str(&format!(".{at}"));
                    path.ty = parts[at].clone();
                }
                Ty::List(of) => {
                    let at = self.random.below(3);
                    if !self.random.one_in(8) {
                        path.guards.push(format!("{}.len() > {at}", path.text));
                    }
                    path.text.push_str(&format!("[{at}]"));
                    path.ty = *of;
                }
                Ty::Map(key, value) => {
                    let key = self.expr(&key, 0);
                    path.text.push_str(&format!("[{key}]"));
                    path.ty = *value;
                    path.is_read = false;
                }
                _ => break,
            }
            was_tuple = is_tuple;
        }
        Some(path)
    }
}

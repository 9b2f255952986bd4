use super::*;

#[test]
fn a_type_without_a_name_is_no_type() {
    for text in [".", "m.", "a.b.", ".int", ".T", "[.]", "(int, m.)"] {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn the_text_of_a_struct_parses_back_whatever_its_file_is_called() {
    for module in ["main", "net.probe", "03-06-large", "a b, (c) = {d}", "ünïcode", ""] {
        let path =
            ir::item::ItemPath { module: Symbol::new(module), namespace: ir::Namespace::Type, name: Symbol::new("Big"), disambiguator: 0 };
        let ty = Type::plain_struct(ItemId::new(path));
        assert_eq!(parse(&ty.to_string()), Some(ty), "{ty}");
        let parameter = Type::new(TypeKind::Parameter(3, Symbol::new("T")));
        let generic = Type::structure(ItemId::new(path), &[Type::tuple(&[ty, Type::INT]), parameter, Type::list(ty)]);
        assert_eq!(parse(&generic.to_string()), Some(generic), "{generic}");
        let nested = Type::list(Type::tuple(&[ty, Type::INT]));
        assert_eq!(parse(&nested.to_string()), Some(nested), "{nested}");
    }
}

#[test]
fn the_text_of_a_cell_or_a_function_parses_back() {
    let cell = Type::cell(&[Type::INT, Type::cell(&[]), Type::list(Type::STR)]);
    for ty in [cell, Type::function(&[cell, Type::tuple(&[cell, cell])], Type::function(&[], cell)), Type::tuple(&[cell, Type::BOOL])] {
        assert_eq!(parse(&ty.to_string()), Some(ty), "{ty}");
    }
    assert_eq!(cell.to_string(), "cell<int, cell<>, [str]>");
}

#[test]
fn the_text_of_an_object_or_a_hidden_result_parses_back() {
    let item = |name: &str| {
        let namespace = ir::Namespace::Type;
        ItemId::new(ir::item::ItemPath { module: Symbol::new("main"), namespace, name: Symbol::new(name), disambiguator: 0 })
    };
    let (shape, into) = (Type::plain_struct(item("Shape")), Type::structure(item("Into"), &[Type::STR]));
    let object = Type::object(&[shape, into, shape]);
    assert_eq!((object, object.to_string().as_str()), (Type::object(&[into, shape]), "object<main.Into<str>, main.Shape>"));
    for module in ["main", "net.probe", "a b, <c> = {d}", ""] {
        let function = ItemId::function(Symbol::new(module), Symbol::new("Evens'iter"));
        let (plain, generic) = (Type::opaque(function, &[]), Type::opaque(function, &[object, Type::list(Type::opaque(function, &[]))]));
        let methods = Type::methods(object, generic);
        for ty in [
            object,
            plain,
            generic,
            methods,
            Type::cell(&[methods, Type::INT]),
            Type::list(generic),
            Type::function(&[plain, generic], plain),
            Type::tuple(&[generic, object]),
        ] {
            assert_eq!(parse(&ty.to_string()), Some(ty), "{ty}");
        }
    }
    for text in ["result<>", "result<m.>", "result<f", "result<f<int>", "object<int", "methods<int>", "methods<int, int, int>"] {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn the_text_of_a_type_parses_back_however_deep_it_is() {
    let item = |name: &str| {
        let namespace = ir::Namespace::Type;
        ItemId::new(ir::item::ItemPath { module: Symbol::new("main"), namespace, name: Symbol::new(name), disambiguator: 0 })
    };
    let mut ty = Type::tuple(&[Type::INT, Type::STR]);
    for _ in 0..60 {
        ty = Type::list(Type::structure(item("Both"), &[ty, Type::cell(&[Type::function(&[], ty)])]));
        ty = Type::associated(&[Type::function(&[ty], Type::VOID), Type::BOOL], item("Iterator"), Symbol::new("Item"));
        let text = ty.to_string();
        if text.len() > 1 << 16 {
            break;
        }
        assert_eq!(parse(&text), Some(ty), "{ty}");
    }
    let deep = (0..1000).fold(Type::INT, |inner, _| Type::list(inner));
    assert_eq!(parse(&deep.to_string()), Some(deep));
}

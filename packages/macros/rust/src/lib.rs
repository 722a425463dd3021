//! The attribute that makes a crate a plugin. Use it by the crate that hands it on: `anyplug_sdk::plugin`, or `anyplug::plugin`.

use proc_macro::{Delimiter, TokenStream, TokenTree};

/// What `anyplug_sdk::plugin` is.
#[proc_macro_attribute]
pub fn sdk_plugin(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand("::anyplug_sdk", arguments, item)
}

/// What `anyplug::plugin` is.
#[proc_macro_attribute]
pub fn umbrella_plugin(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand("::anyplug::sdk", arguments, item)
}

/// What is said in the attribute.
#[derive(Default)]
struct Arguments {
    /// The plugin's name as it is written, with its quotes; by default the package's.
    name: Option<String>,
    /// The name of the module of Python.
    python: Option<String>,
}

/// The function as it is, and the exports that call it. `sdk` is the path of the SDK.
fn expand(sdk: &str, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let exports = read_arguments(arguments).and_then(|Arguments { name, python }| {
        let function = function_name(item.clone())?;
        let name = name.unwrap_or_else(|| "env!(\"CARGO_PKG_NAME\")".to_owned());
        let python = python.map(|module| python_module(sdk, &module)).unwrap_or_default();
        Ok(format!("{sdk}::export_plugin!({function}, {name}, env!(\"CARGO_PKG_VERSION\"));{python}"))
    });
    let exports = exports.unwrap_or_else(|reason| format!("::core::compile_error!({reason:?});"));
    let mut expanded = item;
    expanded.extend(exports.parse::<TokenStream>().unwrap_or_default());
    expanded
}

/// The module of Python, which is there when the SDK's feature `python` is on. The version is a literal, so that the stub file has it.
fn python_module(sdk: &str, module: &str) -> String {
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let description = std::env::var("CARGO_PKG_DESCRIPTION").unwrap_or_default();
    format!(
        "{sdk}::export_python! {{
            #[doc = {description:?}]
            #[{sdk}::python::pyo3::pymodule]
            #[pyo3(crate = \"{sdk}::python::pyo3\")]
            mod {module} {{
                #[pymodule_export]
                #[allow(non_upper_case_globals)]
                const __version__: &str = {version:?};
                #[pymodule_export]
                use {sdk}::python::{{load, serve}};
            }}
        }}"
    )
}

fn read_arguments(arguments: TokenStream) -> Result<Arguments, &'static str> {
    const EXPECTED: &str =
        "expected #[plugin], and in it name = \"the-name-in-plugin.json\" or python = \"the_name_of_the_module\"";
    let mut read = Arguments::default();
    let tokens: Vec<_> = arguments.into_iter().collect();
    for argument in tokens.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',')) {
        match argument {
            [] => {}
            [TokenTree::Ident(key), TokenTree::Punct(is), TokenTree::Literal(text)] if is.as_char() == '=' => {
                let text = text.to_string();
                let plain = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or(EXPECTED)?;
                match key.to_string().as_str() {
                    "name" => read.name = Some(text),
                    "python" if is_identifier(plain) => read.python = Some(plain.to_owned()),
                    _ => return Err(EXPECTED),
                }
            }
            _ => return Err(EXPECTED),
        }
    }
    Ok(read)
}

fn is_identifier(word: &str) -> bool {
    word.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
        && word.chars().all(|char| char == '_' || char.is_ascii_alphanumeric())
}

fn function_name(item: TokenStream) -> Result<String, &'static str> {
    const EXPECTED: &str = "#[plugin] goes on a function without parameters that returns the Plugin";
    let mut tokens =
        item.into_iter().skip_while(|token| !matches!(token, TokenTree::Ident(word) if word.to_string() == "fn"));
    tokens.next();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(name)), Some(TokenTree::Group(parameters)))
            if parameters.delimiter() == Delimiter::Parenthesis && parameters.stream().is_empty() =>
        {
            Ok(name.to_string())
        }
        _ => Err(EXPECTED),
    }
}

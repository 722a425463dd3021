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
    expand("::anyplug", arguments, item)
}

/// The function as it is, and the exports that call it.
fn expand(krate: &str, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let exports = name_argument(arguments).and_then(|name| {
        let function = function_name(item.clone())?;
        Ok(format!("{krate}::export_plugin!({function}, {name}, env!(\"CARGO_PKG_VERSION\"));"))
    });
    let exports = exports.unwrap_or_else(|reason| format!("::core::compile_error!({reason:?});"));
    let mut expanded = item;
    expanded.extend(exports.parse::<TokenStream>().unwrap_or_default());
    expanded
}

/// The plugin's name as an expression: that of `name = "…"`, else the package's.
fn name_argument(arguments: TokenStream) -> Result<String, &'static str> {
    let tokens: Vec<_> = arguments.into_iter().collect();
    match &tokens[..] {
        [] => Ok("env!(\"CARGO_PKG_NAME\")".to_owned()),
        [TokenTree::Ident(key), TokenTree::Punct(is), TokenTree::Literal(name)]
            if key.to_string() == "name" && is.as_char() == '=' && name.to_string().starts_with('"') =>
        {
            Ok(name.to_string())
        }
        _ => Err("expected #[plugin] or #[plugin(name = \"the-name-in-plugin.json\")]"),
    }
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

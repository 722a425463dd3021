//! The plugin's options: `extern_path=.some.package=::some_crate::some::package`, any number of times, says where the
//! messages of a package are when they are not generated here.

use prost_build::Config;

/// Returns the configuration that `parameter`, the text after `opt:`, asks for.
///
/// # Errors
///
/// A message for the user when an option is not known or has no value.
pub(crate) fn parse(parameter: &str) -> Result<Config, String> {
    let mut config = Config::new();
    // Maps in order of their keys, so that the same message always has the same bytes.
    config.btree_map(["."]);
    // `prost::Name`, so that a message can be put in an `Any`, with the prefix that every other library uses.
    config.enable_type_names();
    config.type_name_domain(["."], "type.googleapis.com");
    for option in parameter.split(',').map(str::trim).filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("extern_path", paths)) => {
                let (proto, rust) = paths.split_once('=').ok_or_else(|| {
                    format!("option extern_path needs the form .package=::path, but was given {paths:?}")
                })?;
                config.extern_path(proto, rust);
            }
            _ => return Err(format!("unknown option {option:?}; there is only extern_path")),
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_option_that_is_not_known_is_refused_by_name() {
        for option in ["colour=red", "extern_path", "extern_path=.a"] {
            let error = parse(option).err().unwrap_or_default();
            assert!(error.contains(option.split('=').next_back().unwrap_or_default()), "{option}: {error}");
        }
        assert!(parse("extern_path=.a=::b, extern_path=.c=::d,").is_ok());
    }
}

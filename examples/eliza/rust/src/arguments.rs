//! What the command line asks for.

use std::path::PathBuf;

/// How the program is used.
pub(crate) const USAGE: &str = "\
usage: eliza-host --plugin typescript|python|rust [--transport direct|process|stdio|wasm|ffi] [--plugins FOLDER] [--cell]

Reads a line at a time from standard input and prints one reply a line; an empty line starts a new session.

  --plugin LANGUAGE   the language that the plugin is written in
  --transport NAME    default: direct for rust, process otherwise
  --plugins FOLDER    where eliza-classic is; default: the nearest folder `plugins` here or above
  --cell              print one object of JSON: the answer to \"Men are all alike.\" and the median time of a call";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// "typescript", "python" or "rust".
    pub(crate) plugin: String,
    /// "direct", "process" or "stdio".
    pub(crate) transport: String,
    /// Where eliza-classic is.
    pub(crate) plugins: Option<PathBuf>,
    /// Whether one cell of the matrix is to be measured.
    pub(crate) cell: bool,
}

impl Arguments {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let (mut plugin, mut transport, mut plugins, mut cell) = (None, None, None, false);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--plugin" => plugin = Some(one_of(&argument, value()?, &["typescript", "python", "rust"])?),
                "--transport" => {
                    transport = Some(one_of(&argument, value()?, &["direct", "process", "stdio", "wasm", "ffi"])?)
                }
                "--plugins" => plugins = Some(PathBuf::from(value()?)),
                "--cell" => cell = true,
                _ => return Err(format!("unknown argument {argument}")),
            }
        }
        let plugin = plugin.ok_or("--plugin is missing")?;
        let default = if plugin == "rust" { "direct" } else { "process" };
        Ok(Self { transport: transport.unwrap_or_else(|| default.to_owned()), plugin, plugins, cell })
    }
}

fn one_of(argument: &str, value: String, expected: &[&str]) -> Result<String, String> {
    if expected.contains(&value.as_str()) {
        return Ok(value);
    }
    Err(format!("{argument}: expected one of {}, got {value:?}", expected.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "the tests give lists")]
    fn parse(arguments: Vec<&str>) -> Result<Arguments, String> {
        Arguments::parse(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn the_transport_is_direct_for_rust_and_process_for_the_others() {
        for (plugin, transport) in [("rust", "direct"), ("python", "process"), ("typescript", "process")] {
            assert_eq!(parse(vec!["--plugin", plugin]).map(|read| read.transport), Ok(transport.to_owned()));
        }
        let asked = parse(vec!["--plugin", "rust", "--transport", "stdio"]);
        assert_eq!(asked.map(|read| read.transport), Ok("stdio".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (arguments, why) in [
            (vec![], "--plugin is missing"),
            (vec!["--plugin"], "--plugin needs a value"),
            (vec!["--plugin", "cobol"], "--plugin: expected one of typescript, python, rust, got \"cobol\""),
            (vec!["--plugin", "rust", "-x"], "unknown argument -x"),
        ] {
            assert_eq!(parse(arguments), Err(why.to_owned()));
        }
    }
}

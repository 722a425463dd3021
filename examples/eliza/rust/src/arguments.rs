//! The command line.

use std::path::{Path, PathBuf};

pub(crate) const USAGE: &str =
    "usage: eliza-host --plugin typescript|python|rust [--transport direct|process|stdio] [--cell]";

/// What was asked for.
pub(crate) struct Arguments {
    pub(crate) plugin: String,
    pub(crate) transport: String,
    pub(crate) cell: bool,
}

impl Arguments {
    /// Reads the command line, without the program's name.
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut plugin, mut transport, mut cell) = (None, None, false);
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--plugin" => plugin = Some(one_of("--plugin", given.next(), &["typescript", "python", "rust"])?),
                "--transport" => {
                    transport = Some(one_of("--transport", given.next(), &["direct", "process", "stdio"])?);
                }
                "--cell" => cell = true,
                other => return Err(format!("unknown argument {other}")),
            }
        }
        let plugin = one_of("--plugin", plugin, &["typescript", "python", "rust"])?;
        let usual = if plugin == "rust" { "direct" } else { "process" };
        Ok(Self { transport: transport.unwrap_or_else(|| usual.to_owned()), plugin, cell })
    }

    /// The folder of the plugin, in the repository that this program was built from.
    pub(crate) fn folder(&self) -> PathBuf {
        let language = if self.plugin == "typescript" { "ts" } else { &self.plugin };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../plugins/eliza-classic").join(language)
    }
}

fn one_of(name: &str, value: Option<String>, choices: &[&str]) -> Result<String, String> {
    let given = value.unwrap_or_else(|| "nothing".to_owned());
    if choices.contains(&given.as_str()) {
        return Ok(given);
    }
    Err(format!("{name}: expected {}, got {given}", choices.join(", ")))
}

//! Finds the interpreter that runs a plugin's program.

use std::ffi::OsString;
use std::path::Path;

/// What decides on the interpreter.
#[derive(Debug, Clone, Default)]
pub struct InterpreterOptions {
    /// The Python program to use for plugins in Python.
    pub python: Option<String>,
}

/// Returns the program to start for the program named in a plugin's command: `python` and `python3` stand for the Python that suits the plugin, any other is returned as it is.
///
/// The Python is the first of: the option, $ANYPLUG_PYTHON, $VIRTUAL_ENV, the nearest `.venv` in the plugin's folder or above it, `python3` on PATH. `variable` reads the host's environment
/// (see [`std::env::var_os`]).
pub fn interpreter(
    program: &str,
    folder: &Path,
    options: &InterpreterOptions,
    variable: impl Fn(&str) -> Option<OsString>,
) -> String {
    if program != "python" && program != "python3" {
        return program.to_owned();
    }
    if let Some(python) = &options.python {
        return python.clone();
    }
    let set = |name| variable(name).filter(|value| !value.is_empty());
    if let Some(named) = set("ANYPLUG_PYTHON") {
        return named.to_string_lossy().into_owned();
    }
    let active = set("VIRTUAL_ENV").map(|active| Path::new(&active).join("bin/python"));
    match active.or_else(|| nearest_venv(folder)) {
        Some(python) => python.to_string_lossy().into_owned(),
        None => "python3".to_owned(),
    }
}

fn nearest_venv(folder: &Path) -> Option<std::path::PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    let mut pythons = folder.ancestors().map(|at| at.join(".venv/bin/python"));
    pythons.find(|python| anyplug_ipc::is_executable(python))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn chosen(program: &str, folder: &Path, option: Option<&str>, variables: &[(&str, &str)]) -> String {
        let options = InterpreterOptions { python: option.map(str::to_owned) };
        let find = |name: &str| variables.iter().find(|(each, _)| *each == name).map(|(_, value)| value.into());
        interpreter(program, folder, &options, find)
    }

    #[test]
    fn only_python_is_chosen() {
        for program in ["node", "ruby", "/usr/bin/python3", "python3.12"] {
            assert_eq!(chosen(program, Path::new("/"), Some("/opt/python"), &[]), program);
        }
    }

    #[test]
    fn the_first_that_is_given_is_taken() {
        let folder = std::env::temp_dir().join(format!("anyplug-interpreter-{}", std::process::id()));
        let python = folder.join(".venv/bin/python");
        fs::create_dir_all(folder.join(".venv/bin")).expect("a folder");
        fs::create_dir_all(folder.join("plugins/one")).expect("a folder");
        fs::write(&python, "").expect("a file");
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).expect("a mode");
        let plugin = folder.join("plugins/one");
        let both = [("ANYPLUG_PYTHON", "/named"), ("VIRTUAL_ENV", "/active")];
        assert_eq!(chosen("python", &plugin, Some("/option"), &both), "/option");
        assert_eq!(chosen("python3", &plugin, None, &both), "/named");
        assert_eq!(chosen("python", &plugin, None, &[("ANYPLUG_PYTHON", ""), both[1]]), "/active/bin/python");
        assert_eq!(chosen("python", &plugin, None, &[]), python.to_string_lossy());
        fs::remove_dir_all(&folder).expect("the folder");
        assert_eq!(chosen("python", Path::new("/"), None, &[]), "python3");
    }
}

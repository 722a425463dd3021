//! The environment of a child process: little is passed on, the rest is asked for by name.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// Names the descriptors of a plugin's channel.
pub const CHANNEL_VARIABLE: &str = "ANYPLUG_CHANNEL";

/// Names the address at which a program that no host started serves its plugins.
pub const LISTEN_VARIABLE: &str = "ANYPLUG_LISTEN";

/// Carries a plugin's configuration, as JSON.
pub const CONFIG_VARIABLE: &str = "ANYPLUG_CONFIG";

const PASSED_ON: [&str; 5] = ["PATH", "HOME", "LANG", "TZ", "TMPDIR"];

/// A plugin that is a host itself must not hand its own channel or configuration to the plugins it loads.
const NEVER_PASSED_ON: [&str; 2] = [CHANNEL_VARIABLE, CONFIG_VARIABLE];

/// The variables of a process.
pub type Environment = BTreeMap<OsString, OsString>;

/// Which of the host's variables a child gets beside PATH, HOME, LANG, LC_*, TZ and TMPDIR.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum InheritEnv {
    /// None.
    #[default]
    No,
    /// Those named.
    Names(Vec<String>),
    /// All.
    All,
}

/// What a child process gets of the host's environment.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentOptions {
    /// Variables to set, over whatever is inherited.
    pub env: BTreeMap<String, String>,
    /// What is inherited.
    pub inherit_env: InheritEnv,
    /// Variables that are never inherited, whatever `inherit_env` says.
    pub env_denylist: Vec<String>,
}

/// Returns the environment for a child of a process whose own is `source` (see [`std::env::vars_os`]).
pub fn child_environment(
    options: &EnvironmentOptions,
    source: impl IntoIterator<Item = (OsString, OsString)>,
) -> Environment {
    let mut environment: Environment = source.into_iter().filter(|(name, _)| is_inherited(options, name)).collect();
    environment.extend(options.env.iter().map(|(name, value)| (name.into(), value.into())));
    environment
}

fn is_inherited(options: &EnvironmentOptions, name: &OsStr) -> bool {
    let is = |candidate: &str| name == candidate;
    if options.env_denylist.iter().any(|denied| is(denied)) || NEVER_PASSED_ON.into_iter().any(is) {
        return false;
    }
    let asked = match &options.inherit_env {
        InheritEnv::No => false,
        InheritEnv::Names(names) => names.iter().any(|asked| is(asked)),
        InheritEnv::All => true,
    };
    asked || PASSED_ON.into_iter().any(is) || name.as_encoded_bytes().starts_with(b"LC_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Vec<(OsString, OsString)> {
        ["PATH", "HOME", "LC_ALL", "SECRET", "TOKEN", CHANNEL_VARIABLE, CONFIG_VARIABLE]
            .map(|name| (name.into(), "host".into()))
            .to_vec()
    }

    fn names(options: &EnvironmentOptions) -> Vec<String> {
        child_environment(options, host()).into_keys().filter_map(|name| name.into_string().ok()).collect()
    }

    #[test]
    fn secrets_of_the_host_are_not_passed_on() {
        assert_eq!(names(&EnvironmentOptions::default()), ["HOME", "LC_ALL", "PATH"]);
    }

    #[test]
    fn a_variable_is_inherited_by_name() {
        let options = EnvironmentOptions {
            inherit_env: InheritEnv::Names(vec!["TOKEN".into()]),
            ..EnvironmentOptions::default()
        };
        assert_eq!(names(&options), ["HOME", "LC_ALL", "PATH", "TOKEN"]);
    }

    #[test]
    fn all_is_inherited_but_the_denylist_and_the_hosts_own_channel() {
        let options = EnvironmentOptions {
            inherit_env: InheritEnv::All,
            env_denylist: vec!["SECRET".into(), "HOME".into()],
            ..EnvironmentOptions::default()
        };
        assert_eq!(names(&options), ["LC_ALL", "PATH", "TOKEN"]);
    }

    #[test]
    fn a_variable_that_is_set_wins_over_the_denylist_and_the_inherited() {
        let options = EnvironmentOptions {
            env: BTreeMap::from([("HOME".to_owned(), "/plugin".to_owned())]),
            env_denylist: vec!["HOME".into()],
            ..EnvironmentOptions::default()
        };
        let environment = child_environment(&options, host());
        assert_eq!(environment.get(OsStr::new("HOME")), Some(&OsString::from("/plugin")));
    }
}

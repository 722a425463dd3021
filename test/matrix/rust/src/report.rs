//! Tells `npm run matrix`, which runs this suite, what it asks for and what came out.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use serde_json::json;

/// A cell by its names.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) plugin: &'static str,
    pub(crate) transport: &'static str,
}

impl Place {
    /// Whether this cell is among those asked for; by default all are.
    pub(crate) fn is_asked(self) -> bool {
        let name = format!("{}-{}", self.plugin, self.transport);
        std::env::var("ANYPLUG_MATRIX_CELLS").map_or(true, |cells| cells.split(',').any(|cell| cell == name))
    }

    /// Writes one result, where somebody collects them.
    pub(crate) fn report(self, behaviour: &str, result: &str, took: Duration) {
        let Some(file) = std::env::var_os("ANYPLUG_MATRIX_RESULTS") else { return };
        let Self { plugin, transport } = self;
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let line =
            json!({ "plugin": plugin, "transport": transport, "behaviour": behaviour, "result": result, "ms": ms });
        let mut file = OpenOptions::new().append(true).create(true).open(file).expect("the file of results");
        // In one write: several cells are tried at once.
        file.write_all(format!("{line}\n").as_bytes()).expect("the file of results");
    }
}

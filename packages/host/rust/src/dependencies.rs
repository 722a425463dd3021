//! Brings plugins that need each other into an order.

use anyplug_core::Error;

use crate::discovery::{FoundPlugin, PluginSource};

/// What becomes of a plugin, by its place in the list.
#[derive(Clone)]
enum Place {
    Unknown,
    /// It is loaded after those at these places.
    Ordered(Vec<usize>),
    Failed(Error),
}

/// The order in which plugins are loaded, and why some cannot be: places in the list of plugins.
pub(crate) struct LoadOrder {
    /// Each with the places of those that it needs, which come before it.
    pub(crate) order: Vec<(usize, Vec<usize>)>,
    pub(crate) errors: Vec<(usize, Error)>,
}

/// Returns the plugins in an order in which each comes after those that it names in `dependencies`, by their names or those of their npm packages.
pub(crate) fn load_order(plugins: &[FoundPlugin]) -> LoadOrder {
    let mut ordering =
        Ordering { plugins, places: vec![Place::Unknown; plugins.len()], order: Vec::new(), failed: Vec::new() };
    for at in 0..plugins.len() {
        ordering.visit(at, &mut Vec::new());
    }
    let Ordering { places, order, failed, .. } = ordering;
    let needs = |at: usize| match &places[at] {
        Place::Ordered(needed) => needed.clone(),
        Place::Unknown | Place::Failed(_) => Vec::new(),
    };
    let error = |at: usize| match &places[at] {
        Place::Failed(error) => Some((at, error.clone())),
        Place::Unknown | Place::Ordered(_) => None,
    };
    LoadOrder {
        order: order.into_iter().map(|at| (at, needs(at))).collect(),
        errors: failed.into_iter().filter_map(error).collect(),
    }
}

struct Ordering<'a> {
    plugins: &'a [FoundPlugin],
    places: Vec<Place>,
    order: Vec<usize>,
    failed: Vec<usize>,
}

impl Ordering<'_> {
    fn visit(&mut self, at: usize, path: &mut Vec<usize>) {
        if !matches!(self.places[at], Place::Unknown) {
            return;
        }
        if let Some(from) = path.iter().position(|each| *each == at) {
            let cycle = path[from..].to_vec();
            let names: Vec<_> = cycle.iter().chain([&at]).map(|each| self.plugins[*each].name.as_str()).collect();
            let error =
                Error::failed_precondition(format!("plugins need each other in a cycle: {}", names.join(" → ")));
            for each in cycle {
                self.fail(each, error.clone());
            }
            return;
        }
        let plugin = &self.plugins[at];
        let mut needed = Vec::new();
        for name in &plugin.located.manifest.dependencies {
            let Some(other) = self.find(name) else {
                self.fail(at, missing(&plugin.name, name));
                continue;
            };
            path.push(at);
            self.visit(other, path);
            path.pop();
            if let Place::Failed(error) = &self.places[other] {
                let error = dependent(&plugin.name, &self.plugins[other].name, error);
                self.fail(at, error);
            }
            needed.push(other);
        }
        if matches!(self.places[at], Place::Unknown) {
            self.places[at] = Place::Ordered(needed);
            self.order.push(at);
        }
    }

    /// The first reason counts.
    fn fail(&mut self, at: usize, error: Error) {
        if matches!(self.places[at], Place::Unknown) {
            self.places[at] = Place::Failed(error);
            self.failed.push(at);
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        let named = self.plugins.iter().position(|plugin| plugin.name == name);
        named.or_else(|| self.plugins.iter().position(|each| each.source == PluginSource::Npm && each.from == name))
    }
}

/// Why a plugin is not loaded that needs one which failed.
pub(crate) fn dependent(name: &str, other: &str, error: &Error) -> Error {
    Error::failed_precondition(format!("plugin \"{name}\" needs \"{other}\", which failed: {}", error.message()))
}

fn missing(name: &str, dependency: &str) -> Error {
    Error::failed_precondition(format!(
        "plugin \"{name}\" needs \"{dependency}\", which was not found; add it to what is discovered"
    ))
}

//! Function after function, callees first: what each costs, and its new body.

use crate::added::Added;
use crate::body::{self, Shape};
use crate::calls::{Node, Order};
use crate::flow::Flow;
use crate::module::{Module, Signature};
use crate::plan::{self, Price, Prices, Site};
use crate::refusal::Refusal;
use std::collections::HashMap;

/// A function that costs no more is charged to its callers, without a check of its own.
const FREE: u32 = 256;
/// The same for functions that circular indirect calls may reach, where the charge is this for all of them.
const FREE_IN_TABLES: u32 = 64;
/// A function with more locals is charged for clearing them.
const LOCALS: u32 = 64;

/// Returns the new bodies of the functions that the module defines; none where nothing is put in.
pub(crate) fn bodies(module: &Module<'_>, order: &Order, added: &Added) -> Result<Vec<Option<Vec<u8>>>, Refusal> {
    let mut known = Known {
        module,
        order,
        function: 0,
        functions: vec![None; module.bodies.len()],
        tables: HashMap::new(),
        in_tables: vec![false; module.bodies.len()],
    };
    let mut members: HashMap<Signature, Vec<u32>> = HashMap::new();
    for &function in &module.in_tables {
        members.entry(module.signature_of(function)).or_default().push(function);
        if let Some(place) = function.checked_sub(module.imported_functions)
            && let Some(in_tables) = known.in_tables.get_mut(place as usize)
        {
            *in_tables = order.circular.contains(&module.signature_of(function));
        }
    }
    let mut bodies = vec![None; module.bodies.len()];
    let mut flow = Flow::default();
    for node in &order.nodes {
        match *node {
            Node::Function(function) => {
                let (price, body) = known.look_at(function, &mut flow, added)?;
                if let Some(place) = known.functions.get_mut(function as usize) {
                    *place = Some(price);
                }
                if let Some(place) = bodies.get_mut(function as usize) {
                    *place = body;
                }
            }
            Node::Table(signature) => {
                let prices = members.get(&signature).into_iter().flatten().filter_map(|member| known.call(*member));
                let worst = prices
                    .reduce(|one, other| Price { cost: one.cost.max(other.cost), checks: one.checks && other.checks });
                known.tables.insert(signature, worst.unwrap_or_default());
            }
        }
    }
    Ok(bodies)
}

/// What is known of the functions that have been looked at.
struct Known<'a, 'm> {
    module: &'a Module<'m>,
    order: &'a Order,
    /// The one that is looked at.
    function: u32,
    functions: Vec<Option<Price>>,
    tables: HashMap<Signature, Price>,
    in_tables: Vec<bool>,
}

impl Known<'_, '_> {
    fn look_at(&mut self, function: u32, flow: &mut Flow, added: &Added) -> Result<(Price, Option<Vec<u8>>), Refusal> {
        self.function = function;
        let Some(body) = self.module.bodies.get(function as usize) else { return Ok((Price::default(), None)) };
        let index = function + self.module.imported_functions;
        let shape = Shape::of(body, self.module.params_of(index))?;
        flow.read(self.module, body)?;
        let (mut plan, mut price) = plan::plan(flow, self);
        if shape.locals > LOCALS {
            price.cost = price.cost.saturating_add(shape.locals);
        }
        let in_tables = self.in_tables.get(function as usize).copied().unwrap_or_default();
        let free = if in_tables { FREE_IN_TABLES } else { FREE };
        if price.cost > free || self.order.recursive.contains(&function) {
            plan.entry = Some(price.cost);
            price = Price { cost: 0, checks: true };
        }
        let body = body::write(self.module.bytes, &shape, flow, &plan, added, index)?;
        Ok((price, body))
    }
}

impl Prices for Known<'_, '_> {
    fn call(&self, function: u32) -> Option<Price> {
        let place = function.checked_sub(self.module.imported_functions)?;
        // Who is called before it was looked at is recursive, and checked at its entry.
        let price = self.functions.get(place as usize).copied().flatten();
        Some(price.unwrap_or(Price { cost: 0, checks: true }))
    }

    fn indirect(&self, signature: Signature) -> (Price, Option<Site>) {
        let price = self.tables.get(&signature).copied().unwrap_or_default();
        if self.order.indirect.contains(&(self.function, signature)) {
            return (Price::default(), Some(Site::Check(FREE_IN_TABLES)));
        }
        (price, self.order.hosts.contains(&signature).then_some(Site::Host))
    }
}

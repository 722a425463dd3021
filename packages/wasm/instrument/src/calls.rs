//! Who calls whom: the order in which functions are looked at, callees first, and the calls that close a circle.

use crate::module::{Callee, Module, Signature};
use std::collections::HashSet;

/// The order of the functions, and where recursion is caught.
pub(crate) struct Order {
    /// Functions (by their place among those that the module defines) and signatures, each after what it calls, but for
    /// the calls below.
    pub(crate) nodes: Vec<Node>,
    /// The functions that are called by one that they called: each of their calls is checked. There is no circle of
    /// calls without one of these or one of the next.
    pub(crate) recursive: HashSet<u32>,
    /// Indirect calls of this signature, in this function, that close a circle: checked where they are made.
    pub(crate) indirect: HashSet<(u32, Signature)>,
    /// The signatures among them.
    pub(crate) circular: HashSet<Signature>,
    /// The signatures of which an indirect call may reach a function of the host.
    pub(crate) hosts: HashSet<Signature>,
}

/// A function that the module defines, by its place among them, or all functions of a signature that tables hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Function(u32),
    Table(Signature),
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Not,
    Open,
    Done,
}

/// Walks the calls depth first. Whatever circle there is, one of its calls leads back to where the walk is still open,
/// and that call, or its target, is noted.
pub(crate) fn order(module: &Module<'_>) -> Order {
    let signatures = module.types.iter().map(|(signature, _)| signature + 1).max().unwrap_or(0);
    let mut members = vec![Vec::new(); signatures as usize];
    let mut hosts = HashSet::new();
    for &function in &module.in_tables {
        let signature = module.signature_of(function);
        if function < module.imported_functions {
            hosts.insert(signature);
        } else if let Some(members) = members.get_mut(signature as usize) {
            members.push(Callee::Function(function));
        }
    }
    if module.shares_references {
        hosts.extend(0..signatures);
    }
    let mut walk = Walk {
        module,
        members,
        visits: vec![Visit::Not; module.callees.len() + signatures as usize],
        order: Order {
            nodes: Vec::new(),
            recursive: HashSet::new(),
            indirect: HashSet::new(),
            circular: HashSet::new(),
            hosts,
        },
    };
    // Signatures first: then a circle through a table is caught at the indirect call rather than in a function.
    (0..signatures).for_each(|signature| walk.from(Node::Table(signature)));
    (0..module.callees.len() as u32).for_each(|function| walk.from(Node::Function(function)));
    walk.order
}

struct Walk<'a, 'm> {
    module: &'a Module<'m>,
    members: Vec<Vec<Callee>>,
    visits: Vec<Visit>,
    order: Order,
}

impl Walk<'_, '_> {
    fn place(&self, node: Node) -> usize {
        match node {
            Node::Function(function) => function as usize,
            Node::Table(signature) => self.module.callees.len() + signature as usize,
        }
    }

    fn callees(&self, node: Node) -> &[Callee] {
        match node {
            Node::Function(function) => self.module.callees.get(function as usize).map_or(&[], |callees| callees),
            Node::Table(signature) => self.members.get(signature as usize).map_or(&[], |members| members),
        }
    }

    /// Without recursion: a module may have a million functions in a row.
    fn from(&mut self, root: Node) {
        let mut path = Vec::new();
        self.open(root, &mut path);
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            let callee = self.callees(node).get(*next).copied();
            *next += 1;
            let Some(callee) = callee else {
                let place = self.place(node);
                self.visits[place] = Visit::Done;
                self.order.nodes.push(node);
                path.pop();
                continue;
            };
            let target = match callee {
                Callee::Table(signature) => Node::Table(signature),
                Callee::Function(function) => match function.checked_sub(self.module.imported_functions) {
                    Some(defined) => Node::Function(defined),
                    None => continue,
                },
            };
            if self.visits[self.place(target)] == Visit::Open {
                self.close(node, target);
            } else {
                self.open(target, &mut path);
            }
        }
    }

    fn open(&mut self, node: Node, path: &mut Vec<(Node, usize)>) {
        let place = self.place(node);
        if self.visits[place] == Visit::Not {
            self.visits[place] = Visit::Open;
            path.push((node, 0));
        }
    }

    fn close(&mut self, caller: Node, target: Node) {
        match (caller, target) {
            (_, Node::Function(function)) => {
                self.order.recursive.insert(function);
            }
            (Node::Function(function), Node::Table(signature)) => {
                self.order.indirect.insert((function, signature));
                self.order.circular.insert(signature);
            }
            // The callees of a table are functions.
            (Node::Table(_), Node::Table(_)) => {}
        }
    }
}

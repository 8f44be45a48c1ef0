//! `graph.reachable_paths`, as OPA walks: depth first from each node that is asked for.
//!
//! An edge back to what the path has gone through ends it in front of that, and so does one to what is no
//! node; what is no node itself begins none. The engine's own function gives other paths, and so does
//! OPA 1.4: these are those of OPA 1.20.

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value;

use super::arguments::Arguments;
use super::{Builtin, Failed};

/// What is here.
pub(super) const ALL: &[Builtin] = &[("graph.reachable_paths", 2, reachable_paths)];

/// Steps one call may take: edges, and the nodes of each path that is told.
const MAX_STEPS: usize = 1_000_000;
/// Nodes one path may have: each is a frame of ours.
const MAX_DEPTH: usize = 1024;

fn reachable_paths(a: &Arguments<'_>) -> Result<Value, Failed> {
    let mut walk = Walk {
        graph: a.object(0)?,
        paths: BTreeSet::new(),
        steps: 0,
    };
    let starts = vertices(a.any(1)).ok_or_else(|| a.wrong(1, "one of {set, array}"))?;
    for start in starts {
        let Some(edges) = walk.graph.get(start).copied() else {
            continue;
        };
        let neighbors = vertices(edges).unwrap_or_default();
        if neighbors.is_empty() {
            walk.tell(vec![start])?;
        }
        for neighbor in neighbors {
            walk.go(neighbor, &[start], &mut BTreeSet::from([start]))?;
        }
    }
    let paths = walk.paths.into_iter();
    let paths = paths.map(|path| Value::from(path.into_iter().cloned().collect::<Vec<_>>()));
    Ok(Value::from(paths.collect::<BTreeSet<Value>>()))
}

/// The members of a set or a list, in their order; none of anything else.
fn vertices(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(list) => Some(list.iter().collect()),
        Value::Set(set) => Some(set.iter().collect()),
        _ => None,
    }
}

struct Walk<'a> {
    graph: BTreeMap<&'a Value, &'a Value>,
    paths: BTreeSet<Vec<&'a Value>>,
    steps: usize,
}

impl<'a> Walk<'a> {
    fn go(
        &mut self,
        node: &'a Value,
        before: &[&'a Value],
        passed: &mut BTreeSet<&'a Value>,
    ) -> Result<(), Failed> {
        if before.len() >= MAX_DEPTH {
            return Err(Failed::Bound("a path may have 1024 nodes"));
        }
        let Some(edges) = self.graph.get(node).copied() else {
            return self.tell(before.to_vec());
        };
        let path = [before, &[node]].concat();
        let neighbors = vertices(edges).unwrap_or_default();
        if neighbors.is_empty() {
            return self.tell(path);
        }
        // The first node may be its own neighbor, and is passed already.
        let is_new = passed.insert(node);
        for neighbor in neighbors {
            self.step(1)?;
            if passed.contains(neighbor) {
                self.tell(path.clone())?;
            } else {
                self.go(neighbor, &path, passed)?;
            }
        }
        if is_new {
            passed.remove(node);
        }
        Ok(())
    }

    fn tell(&mut self, path: Vec<&'a Value>) -> Result<(), Failed> {
        self.step(path.len())?;
        self.paths.insert(path);
        Ok(())
    }

    fn step(&mut self, count: usize) -> Result<(), Failed> {
        self.steps = self.steps.saturating_add(count);
        if self.steps > MAX_STEPS {
            return Err(Failed::Bound("all paths together may have a million nodes"));
        }
        Ok(())
    }
}

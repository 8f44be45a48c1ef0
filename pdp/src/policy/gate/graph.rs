//! Which rule needs which, whether any needs itself, and how deep the chains go.
//!
//! The graph is wider than the truth: reading `data.shop` needs every rule below it, and a function
//! that `with` puts in another's place counts as called by it. A policy refused for that can be
//! written plainly; one accepted by mistake could overflow a stack.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::Path;
use super::uses::{Manner, Use};
use super::{MAX_FRAMES, Place, Refusal};

type Numbers<'a> = BTreeMap<&'a [String], usize>;

/// Rules by number, and for each the rules it needs.
pub(super) struct Graph<'a> {
    names: Vec<&'a [String]>,
    frames: Vec<usize>,
    needs: Vec<Vec<usize>>,
}

impl<'a> Graph<'a> {
    /// Connects every rule with what its bodies use.
    pub(super) fn build(
        rules: &'a BTreeMap<Path, Place>,
        uses: &[(&'a [String], &'a [Use])],
    ) -> Self {
        let replacements: Vec<(&[String], &[String])> = uses
            .iter()
            .flat_map(|(_, uses)| uses.iter())
            .filter_map(|used| {
                let target = used
                    .absolute
                    .as_ref()
                    .filter(|path| rules.contains_key(*path));
                let target = target.unwrap_or(&used.written);
                Some((target.as_slice(), used.replacement.as_deref()?))
            })
            .collect();
        // A built-in in whose place a function is put is a rule of its own for this purpose.
        let mut names: BTreeSet<&[String]> = rules.keys().map(Vec::as_slice).collect();
        names.extend(replacements.iter().map(|(target, _)| *target));
        let names: Vec<&[String]> = names.into_iter().collect();
        let numbers: Numbers<'_> = names
            .iter()
            .enumerate()
            .map(|(number, name)| (*name, number))
            .collect();

        let mut needs = vec![Vec::new(); names.len()];
        let mut connect = |from: &[String], to: &[String]| {
            if let Some(list) = numbers.get(from).and_then(|from| needs.get_mut(*from)) {
                list.extend(touched(&numbers, to));
            }
        };
        for (rule, uses) in uses {
            for used in *uses {
                if let Some(path) = &used.absolute {
                    connect(rule, path);
                }
                if used.manner == Manner::Call {
                    connect(rule, &used.written);
                }
            }
        }
        for (target, replacement) in replacements {
            connect(target, replacement);
        }
        for list in &mut needs {
            list.sort_unstable();
            list.dedup();
        }
        let frames = names
            .iter()
            .map(|name| rules.get(*name).map_or(1, |place| place.frames))
            .collect();
        Self {
            names,
            frames,
            needs,
        }
    }

    /// Refuses the first cycle, and the first rule that needs more than [`MAX_FRAMES`]. Gives all names in an
    /// order in which each comes after those that it needs.
    pub(super) fn check(
        &self,
        rules: &BTreeMap<Path, Place>,
    ) -> Result<Vec<&'a [String]>, Refusal> {
        let mut depth: Vec<Option<usize>> = vec![None; self.names.len()];
        for start in 0..self.names.len() {
            self.visit(start, &mut depth)
                .map_err(|cycle| self.recursion(&cycle, rules))?;
        }
        let longest = depth.iter().enumerate().max_by_key(|(_, depth)| **depth);
        match longest {
            Some((number, Some(depth))) if *depth > MAX_FRAMES => {
                let (rule, file, line) = self.describe(number, rules);
                Err(Refusal::TooDeep {
                    file,
                    line,
                    rule,
                    depth: *depth,
                })
            }
            _ => {
                let mut names: Vec<_> = depth.into_iter().zip(self.names.iter().copied()).collect();
                names.sort_unstable();
                Ok(names.into_iter().map(|(_, name)| name).collect())
            }
        }
    }

    /// Depth-first without recursion: the policy chooses how deep this goes, our stack must not.
    /// On a cycle returns the rules on it.
    fn visit(&self, start: usize, depth: &mut [Option<usize>]) -> Result<(), Vec<usize>> {
        let mut open: Vec<(usize, usize)> = vec![(start, 0)];
        let mut on_path = BTreeSet::from([start]);
        while let Some((rule, next)) = open.pop() {
            if depth.get(rule).copied().flatten().is_some() {
                on_path.remove(&rule);
                continue;
            }
            let children = self.needs.get(rule).map_or(&[][..], Vec::as_slice);
            if let Some(child) = children.get(next) {
                open.push((rule, next + 1));
                if on_path.contains(child) {
                    let from = open.iter().position(|(rule, _)| rule == child).unwrap_or(0);
                    return Err(open.iter().skip(from).map(|(rule, _)| *rule).collect());
                }
                if depth.get(*child).copied().flatten().is_none() {
                    on_path.insert(*child);
                    open.push((*child, 0));
                }
                continue;
            }
            let below = children
                .iter()
                .filter_map(|child| depth.get(*child).copied().flatten());
            let deepest = below.max().unwrap_or(0);
            if let Some(slot) = depth.get_mut(rule) {
                *slot = Some(deepest + self.frames.get(rule).copied().unwrap_or(1));
            }
            on_path.remove(&rule);
        }
        Ok(())
    }

    fn recursion(&self, cycle: &[usize], rules: &BTreeMap<Path, Place>) -> Refusal {
        let first = cycle.first().copied().unwrap_or(0);
        let (rule, file, line) = self.describe(first, rules);
        let mut way: Vec<String> = cycle
            .iter()
            .map(|number| self.describe(*number, rules).0)
            .collect();
        way.push(rule.clone());
        Refusal::Recursion {
            file,
            line,
            rule,
            cycle: way.join(" -> "),
        }
    }

    fn describe(&self, number: usize, rules: &BTreeMap<Path, Place>) -> (String, String, u32) {
        let name = self.names.get(number).copied().unwrap_or_default();
        let place = rules.get(name);
        (
            name.join("."),
            place.map_or_else(String::new, |place| place.file.clone()),
            place.map_or(0, |place| place.line),
        )
    }
}

/// Rules at `path`, above it and below it.
fn touched(numbers: &Numbers<'_>, path: &[String]) -> Vec<usize> {
    let above = (1..path.len()).filter_map(|length| numbers.get(path.get(..length)?));
    let below = numbers
        .range(path..)
        .take_while(|(name, _)| name.starts_with(path));
    above
        .chain(below.map(|(_, number)| number))
        .copied()
        .collect()
}

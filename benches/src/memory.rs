//! What one worker's Wasm VM takes. Envoy does not tell, so it is the slope of the resident memory
//! over the number of workers, after a load of distinct tokens has filled what the filter remembers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::config::{Listener, bootstrap};
use crate::envoy::Envoy;
use crate::load::{self, Load, as_f64};
use crate::statistics::Spread;
use crate::variant::{Tokens, Variant};
use crate::{Outcome, machine, ready};

/// Bytes that one more worker takes with each filter: Envoy's own share is in both.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Memory {
    /// With the empty filter.
    pub empty: f64,
    /// With Edgeward's.
    pub edgeward: f64,
}

/// The two numbers of workers between which the slope is taken.
const WORKERS: (u32, u32) = (1, 9);

/// One filter to weigh.
pub struct Scale<'a> {
    /// Where Envoy's files go.
    pub folder: &'a Path,
    /// Clusters that the filter needs.
    pub clusters: &'a [Value],
    /// The filter itself.
    pub filter: Value,
    /// The load that fills it.
    pub variant: Variant,
    /// `load.lua`.
    pub script: &'a Path,
    /// The token files.
    pub tokens: &'a dyn Fn(Tokens) -> PathBuf,
    /// Length of the load.
    pub duration: Duration,
}

impl Scale<'_> {
    /// Bytes per worker, the median of `times`.
    pub fn weigh(&self, times: u32) -> Outcome<f64> {
        let mut slopes = Vec::new();
        for _ in 0..times {
            let few = self.resident(WORKERS.0)?;
            let many = self.resident(WORKERS.1)?;
            slopes.push((many - few) / f64::from(WORKERS.1 - WORKERS.0));
        }
        Ok(Spread::of(slopes).ok_or("weighed no time")?.median)
    }

    fn resident(&self, workers: u32) -> Outcome<f64> {
        let admin_port = ready::free_port()?;
        let port = ready::free_port()?;
        let listener = Listener {
            name: "weighed",
            port,
            filters: vec![self.filter.clone()],
        };
        let bootstrap = bootstrap(admin_port, &[listener], self.clusters);
        let envoy = Envoy::start(&bootstrap, admin_port, workers, self.folder)?;
        envoy.unpin()?;
        let tokens = (self.tokens)(self.variant.tokens);
        let text = std::fs::read_to_string(&tokens)?;
        let patience = Duration::from_secs(20);
        ready::wait_for(port, self.variant.path, text.lines().next(), 200, patience)?;
        let load = Load {
            port,
            path: self.variant.path,
            tokens: &tokens,
            first_token: 0,
            // So many that the kernel's spreading of connections leaves no worker out.
            connections: 32 * workers,
            duration: self.duration,
            more: None,
        };
        load::run(&load, self.script)?;
        Ok(as_f64(machine::resident_bytes(envoy.pid())?))
    }
}

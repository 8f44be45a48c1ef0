//! Where STS is: hosts that we make of the names of regions, or one that the operator gives.

use std::collections::BTreeSet;

use thiserror::Error;

use super::super::aws_instance::is_region;
use super::AwsStsRefusal;
use crate::fetch::{Plaintext, SourceUrl};

/// Which services may be asked. There is at least one region.
#[derive(Debug, Clone)]
pub struct StsEndpoints {
    regions: BTreeSet<String>,
    place: Option<SourceUrl>,
}

/// Why there are no endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StsEndpointsError {
    /// None at all.
    #[error("there must be at least one region")]
    NoRegion,
    /// Not such as `eu-central-1`.
    #[error("`{0}` is no region: it must be such as `eu-central-1`")]
    Region(String),
    /// Not only a host.
    #[error("`{0}` must have the path `/` and no query")]
    Place(String),
}

impl StsEndpoints {
    /// STS in these regions. With `place`, all of them are asked there (an interface endpoint, or a
    /// stand-in for tests), and requests must be signed for that host.
    pub fn new(
        regions: BTreeSet<String>,
        place: Option<SourceUrl>,
    ) -> Result<Self, StsEndpointsError> {
        if regions.is_empty() {
            return Err(StsEndpointsError::NoRegion);
        }
        if let Some(wrong) = regions.iter().find(|region| !is_region(region)) {
            return Err(StsEndpointsError::Region(wrong.clone()));
        }
        let is_bare =
            |url: &SourceUrl| url.as_url().path() == "/" && url.as_url().query().is_none();
        if let Some(place) = place.as_ref().filter(|place| !is_bare(place)) {
            return Err(StsEndpointsError::Place(place.to_string()));
        }
        Ok(Self { regions, place })
    }

    /// Where a request for `region` goes that names `url` (its start, up to the query) as its target:
    /// one of ours, equal to the letter.
    pub(super) fn find(&self, region: &str, url: &str) -> Result<SourceUrl, AwsStsRefusal> {
        if !self.regions.contains(region) {
            return Err(AwsStsRefusal::Region(region.to_owned()));
        }
        if let Some(place) = &self.place {
            return if place.as_str() == url {
                Ok(place.clone())
            } else {
                Err(AwsStsRefusal::Host)
            };
        }
        let host = url
            .strip_prefix("https://")
            .and_then(|rest| rest.strip_suffix('/'));
        let host = host.ok_or(AwsStsRefusal::Url)?;
        if host.contains(['/', '@', ':', '#', '\\']) {
            return Err(AwsStsRefusal::Url);
        }
        let ours = hosts(region).into_iter().find(|ours| ours == host);
        let ours = ours.ok_or(AwsStsRefusal::Host)?;
        SourceUrl::parse(&format!("https://{ours}/"), Plaintext::Refused)
            .map_err(|_| AwsStsRefusal::Url)
    }
}

/// The hosts of STS in a region: its own, the one with FIPS modules, and where all regions once were.
fn hosts(region: &str) -> Vec<String> {
    let end = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    let mut hosts = vec![
        format!("sts.{region}.{end}"),
        format!("sts-fips.{region}.{end}"),
    ];
    if region == "us-east-1" {
        hosts.push("sts.amazonaws.com".to_owned());
    }
    hosts
}

//! Networks, routes and schedules as they were written.

use schemars::JsonSchema;
use serde::Deserialize;

/// A route: the first whose template, hosts and methods fit a request is the one it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Route")]
pub struct RawRoute {
    /// What policies see as `resource.properties.route`; several routes may have one name.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.-]{1,64}$"))]
    pub name: String,
    /// The path, such as `/orders/{id}/items/**`: `{id}` is one segment that is not empty and
    /// becomes `resource.properties.params.id`, `**` whatever follows.
    pub template: String,
    /// Hosts in lower case without port, or `*.` and one. Default: any.
    pub hosts: Option<Vec<String>>,
    /// Methods. Default: any.
    pub methods: Option<Vec<String>>,
}

/// A schedule: when something holds. It holds within any of its windows.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Schedule")]
pub struct RawSchedule {
    /// The IANA name of the time zone of the windows of each week, such as `Europe/Berlin`.
    pub time_zone: Option<String>,
    /// Windows of each week (`days`, `from`, `to`), or once (`from`, `until`).
    #[schemars(length(min = 1))]
    pub windows: Vec<RawWindow>,
    /// Dates, such as `2026-12-25`, on which no window of the week begins.
    #[serde(default)]
    pub except: Vec<String>,
}

/// A window: of each week with `to`, once with `until`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Window")]
pub struct RawWindow {
    /// The days on which it begins, such as `[mon-fri, sun]`. Default: every day.
    pub days: Option<Vec<String>>,
    /// Its first moment: a time of day such as `09:00`, or with `until` an instant such as
    /// `2026-01-31T12:00:00Z`.
    pub from: String,
    /// The first time of day after it, such as `17:30` or `24:00`; one that is not later than `from`
    /// is on the next day.
    pub to: Option<String>,
    /// The first instant after it.
    pub until: Option<String>,
}

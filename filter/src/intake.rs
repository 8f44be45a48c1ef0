//! A request as it is taken in: one canonical form, what the client may not say removed, the
//! route's settings known. Nothing is decided here.

use edgeward_core::headers::{self, HeaderFate};
use edgeward_core::request::{CanonicalRequest, RequestRefusal, field_value};

use crate::config::Config;
use crate::identify::Field;
use crate::routes::RouteSettings;
use crate::step::Changes;

/// A request that has a canonical form.
#[derive(Debug)]
pub struct Intake {
    /// Method, host, path and query.
    pub request: CanonicalRequest,
    /// What holds on its route.
    pub settings: RouteSettings,
    /// All fields as they came, for the credentials among them.
    pub fields: Vec<Field>,
    /// What must change whatever is decided.
    pub changes: Changes,
    /// Whether the token header is there.
    pub has_token: bool,
    visible: Vec<usize>,
}

impl Intake {
    /// Whether a field with this lower-case name came.
    pub fn has_field(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    /// The headers that a policy may see, as text.
    pub fn visible_headers(&self) -> Vec<(&str, &str)> {
        let visible = self
            .visible
            .iter()
            .filter_map(|index| self.fields.get(*index));
        visible
            .filter_map(|(name, value)| Some((name.as_str(), field_value(value).ok()?)))
            .collect()
    }
}

/// Reads the fields of a request, `:method`, `:authority` and `:path` among them.
pub fn take_in(fields: Vec<Field>, config: &Config) -> Result<Intake, RequestRefusal> {
    let authority = pseudo(&fields, ":authority")?;
    let target = pseudo(&fields, ":path")?;
    let method = pseudo(&fields, ":method")?;
    let request = CanonicalRequest::parse(method, authority, target, config.normalization)?;
    let mut changes = Changes::default();
    if !request.is_target(target) {
        changes.set.push((":path".to_owned(), request.target()));
        changes.reroute = true;
    }
    if request.authority.as_str() != authority {
        changes.set.push((
            ":authority".to_owned(),
            request.authority.as_str().to_owned(),
        ));
        changes.reroute = true;
    }
    let mut visible = Vec::with_capacity(fields.len());
    let mut has_token = false;
    for (index, (name, value)) in fields.iter().enumerate() {
        if *name == config.token_header {
            has_token = true;
            continue;
        }
        match headers::fate(name, &config.allowed_request_headers) {
            HeaderFate::Strip => changes.strip(name),
            HeaderFate::Hide => {}
            HeaderFate::Pass => {
                field_value(value)?;
                visible.push(index);
            }
        }
    }
    let settings = config.routes.settings(&request);
    Ok(Intake {
        request,
        settings,
        fields,
        changes,
        has_token,
        visible,
    })
}

impl Changes {
    fn strip(&mut self, name: &str) {
        if !self.remove.iter().any(|removed| removed == name) {
            self.remove.push(name.to_owned());
        }
    }
}

fn pseudo<'f>(fields: &'f [Field], name: &'static str) -> Result<&'f str, RequestRefusal> {
    let mut values = fields
        .iter()
        .filter(|(field, _)| field == name)
        .map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => std::str::from_utf8(value).map_err(|_| RequestRefusal::Pseudo(name)),
        _ => Err(RequestRefusal::Pseudo(name)),
    }
}

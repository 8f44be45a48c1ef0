//! A request as it is taken in: one canonical form, what the client may not say removed, the
//! route's settings known. Nothing is decided here.

use edgeward_core::headers::{self, HeaderFate};
use edgeward_core::request::{CanonicalRequest, RequestRefusal, field_value};

use crate::config::Config;
use crate::identify::Field;
use crate::routes::{Mode, RouteSettings};
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
    /// Whether the PDP must be told all of it, having refused a part: it decides by another program
    /// than the one whose footprint we know.
    pub ask_whole: bool,
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
    let settings = config.routes.settings(&request);
    let mut visible = Vec::with_capacity(fields.len());
    let mut has_token = false;
    for (index, (name, value)) in fields.iter().enumerate() {
        if *name == config.token_header {
            has_token = true;
            // Nobody verifies it where the route is off: then it is what its name says.
            if settings.mode == Mode::Off && headers::fate(name, &[]) == HeaderFate::Strip {
                changes.strip(name);
            }
            continue;
        }
        match headers::fate(name, &config.stripped_request_headers) {
            HeaderFate::Strip => changes.strip(name),
            HeaderFate::Hide => {}
            HeaderFate::Pass => {
                field_value(value)?;
                visible.push(index);
            }
        }
    }
    Ok(Intake {
        request,
        settings,
        fields,
        changes,
        has_token,
        ask_whole: false,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_in(token_header: &str, path: &str, names: &[&str]) -> Intake {
        let config = format!(
            r#"{{"pdp":{{"cluster":"pdp"}},"token":{{"header":"{token_header}"}},
                "routes":[{{"path_prefix":"/off","mode":"off"}}]}}"#
        );
        let config = Config::parse(config.as_bytes()).unwrap();
        let pseudo = [
            (":method", "GET"),
            (":authority", "shop.example"),
            (":path", path),
        ];
        let more = names.iter().map(|name| (*name, "v"));
        let fields = pseudo.into_iter().chain(more);
        let fields = fields.map(|(name, value)| (name.to_owned(), value.into()));
        take_in(fields.collect(), &config).unwrap()
    }

    #[test]
    fn only_the_token_header_s_own_spelling_is_a_token_and_every_other_is_stripped() {
        let others = ["x_svc_token", "x-svc_token", "x_svc-token", "X_Svc_Token"];
        for path in ["/a", "/off"] {
            let intake = taken_in("x-svc-token", path, &others);
            assert!(!intake.has_token && intake.visible_headers().is_empty());
            assert_eq!(intake.changes.remove, others, "{path}");
            let intake = taken_in("x-svc-token", path, &["x-svc-token", "x-svc-token2"]);
            assert!(intake.has_token && intake.changes.remove.is_empty());
            assert_eq!(intake.visible_headers(), [("x-svc-token2", "v")]);
        }
    }

    #[test]
    fn a_token_header_that_states_an_identity_does_not_pass_a_route_that_is_off() {
        let name = "x-forwarded-access-token";
        assert_eq!(taken_in(name, "/off", &[name]).changes.remove, [name]);
        let own = taken_in("authorization", "/off", &["authorization"]);
        assert!(own.has_token && own.changes.remove.is_empty());
    }
}

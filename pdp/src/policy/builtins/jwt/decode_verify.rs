//! `io.jwt.decode_verify`: a token's header and claims if its signature, times, issuer and audience are
//! as the constraints want them; `[false, {}, {}]` if not.

use regorus::Value;
use serde_json::{Map, Value as Json};

use super::keys::{Key, keys, verified};
use super::token::{self, Token};
use super::verify::has_mac;
use super::{Arguments, Failed};

/// Header parameters that are understood when they are critical (RFC 7515 section 4.1.11).
const KNOWN: [&str; 5] = ["alg", "crit", "cty", "kid", "typ"];

/// What the policy wants of the token.
struct Constraints {
    by: By,
    algorithm: Option<String>,
    issuer: Option<String>,
    audience: Option<String>,
    /// Nanoseconds since 1970: a fraction, as in OPA.
    time: f64,
}

enum By {
    Keys(Vec<Key>),
    Secret(String),
}

/// The call, at `now`: nanoseconds since 1970.
pub(in super::super) fn decode_verify(a: &Arguments<'_>, now: u64) -> Result<Value, Failed> {
    let mut text = a.text(0)?.to_owned();
    let constraints = Constraints::read(a, now)?;
    // Each token is shorter than the one around it.
    let (header, payload) = loop {
        let token = Token::parse(&text)?;
        let header = token.header()?;
        let named = Named::read(&header)?;
        let payload = token.payload()?;
        if !named.understood || !constraints.signed(&token, &named)? {
            return Ok(unverified());
        }
        if !named.content.eq_ignore_ascii_case("JWT") {
            break (header, token::object(&payload)?);
        }
        text =
            String::from_utf8(payload).map_err(|_| Failed::refused("nested token is not text"))?;
    };
    if !constraints.hold(&payload)? {
        return Ok(unverified());
    }
    Ok(Value::from(vec![
        Value::from(true),
        token::value(header),
        token::value(payload),
    ]))
}

fn unverified() -> Value {
    Value::from(vec![
        Value::from(false),
        Value::new_object(),
        Value::new_object(),
    ])
}

/// What a header says of the token.
struct Named<'h> {
    algorithm: &'h str,
    key_id: &'h str,
    content: &'h str,
    /// It has an algorithm, and nothing critical that is not known.
    understood: bool,
}

impl<'h> Named<'h> {
    fn read(header: &'h Map<String, Json>) -> Result<Self, Failed> {
        let text = |name: &str| match header.get(name) {
            None => Ok(""),
            Some(Json::String(text)) => Ok(text.as_str()),
            Some(_) => Err(Failed::Refused(format!("{name}: must be a string"))),
        };
        text("typ")?;
        let critical: Vec<&str> = match header.get("crit") {
            None => Vec::new(),
            Some(Json::Array(names)) => {
                let names: Vec<&str> = names.iter().filter_map(Json::as_str).collect();
                if names.is_empty() {
                    return Err(Failed::refused("crit: must be a nonempty list"));
                }
                names
            }
            Some(_) => return Err(Failed::refused("crit: must be a list")),
        };
        // What is called critical and not there means nothing to OPA.
        let known = |name: &str| KNOWN.contains(&name) || !header.contains_key(name);
        let algorithm = text("alg")?;
        Ok(Self {
            algorithm,
            key_id: text("kid")?,
            content: text("cty")?,
            understood: !algorithm.is_empty() && critical.into_iter().all(known),
        })
    }
}

impl Constraints {
    fn read(a: &Arguments<'_>, now: u64) -> Result<Self, Failed> {
        let (mut of_keys, mut secret, mut time) = (None, None, in_float(now));
        let (mut algorithm, mut issuer, mut audience) = (None, None, None);
        for (name, value) in a.object(1)? {
            let name = name.as_string().map_or("", |name| name.as_ref());
            let text = || match value {
                Value::String(text) => Ok(text.to_string()),
                _ => Err(Failed::Refused(format!(
                    "{name} constraint: must be a string"
                ))),
            };
            match (name, value) {
                ("cert", _) => of_keys = Some(keys(&text()?)?),
                ("secret", _) => secret = Some(text()?),
                ("alg", _) => algorithm = Some(text()?),
                ("iss", _) => issuer = Some(text()?),
                ("aud", _) => audience = Some(text()?),
                ("time", _) => time = instant(value)?,
                _ => {
                    return Err(Failed::Refused(format!(
                        "unknown token validation constraint: {name}"
                    )));
                }
            }
        }
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let by = match (of_keys, given(secret)) {
            (None, None) => return Err(Failed::refused("no key constraint")),
            (Some(_), Some(_)) => return Err(Failed::refused("duplicate key constraints")),
            (Some(keys), None) => By::Keys(keys),
            (None, Some(secret)) => By::Secret(secret),
        };
        Ok(Self {
            by,
            algorithm: given(algorithm),
            issuer: given(issuer),
            audience: given(audience),
            time,
        })
    }

    fn signed(&self, token: &Token<'_>, named: &Named<'_>) -> Result<bool, Failed> {
        let wanted = self.algorithm.as_deref();
        if wanted.is_some_and(|wanted| wanted != named.algorithm) {
            return Ok(false);
        }
        let (signed, signature) = (token.signed(), token.signature()?);
        Ok(match &self.by {
            By::Secret(secret) => has_mac(named.algorithm, secret, &signed, &signature),
            By::Keys(keys) => {
                let header = (named.algorithm, named.key_id);
                verified(keys, named.algorithm, header, &signed, &signature)
            }
        })
    }

    /// Whether the claims are as wanted (RFC 7519 section 4.1).
    fn hold(&self, claims: &Map<String, Json>) -> Result<bool, Failed> {
        let issuer = claims.get("iss").and_then(Json::as_str);
        if self.issuer.is_some() && self.issuer.as_deref() != issuer {
            return Ok(false);
        }
        let wanted = self.audience.as_deref();
        let addressed = match claims.get("aud") {
            None => wanted.is_none(),
            Some(Json::String(one)) => wanted == Some(one),
            Some(Json::Array(all)) => {
                wanted.is_some() && all.iter().any(|one| one.as_str() == wanted)
            }
            Some(_) => false,
        };
        if !addressed {
            return Ok(false);
        }
        let number = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(Json::Number(number)) => Ok(number.as_f64()),
            Some(_) => Err(Failed::Refused(format!("{name} value must be a number"))),
        };
        // Claims are in seconds.
        let seconds = self.time / 1e9;
        let expired = number("exp")?.is_some_and(|end| seconds >= end);
        let early = !expired && number("nbf")?.is_some_and(|start| seconds < start);
        Ok(!expired && !early)
    }
}

/// The constraint `time`.
fn instant(value: &Value) -> Result<f64, Failed> {
    let refused = |why| Failed::Refused(format!("token time constraint: {why}"));
    // The engine gives no fraction for a number that none is exactly.
    let time = match value {
        Value::Number(_) => value.to_string().parse().unwrap_or(f64::NAN),
        _ => return Err(refused("must be a number")),
    };
    if time.is_nan() || time < 0.0 {
        return Err(refused("must not be negative"));
    }
    Ok(time)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "OPA counts so too; what is lost is less than a microsecond"
)]
fn in_float(nanoseconds: u64) -> f64 {
    nanoseconds as f64
}

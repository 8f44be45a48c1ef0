//! What a registry wants to see before it answers (RFC 9110 section 11.6.1): a password, or a token that some
//! other server gives for one.
//!
//! What this is not: a client of that server; that is `oci`'s.

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User name and password.
    Basic,
    /// A token of the server at `realm`, for `service`.
    Bearer {
        /// Its URL.
        realm: String,
        /// What the registry calls itself there.
        service: Option<String>,
    },
}

impl Challenge {
    /// Reads a `WWW-Authenticate` header; none where it asks for something else.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service) = (None, None);
        for (name, value) in parameters(rest)? {
            let place = match name.to_ascii_lowercase().as_str() {
                "realm" => &mut realm,
                "service" => &mut service,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        Some(Self::Bearer {
            realm: realm?,
            service,
        })
    }
}

/// `name=value` and `name="value"`, with commas between two.
fn parameters(text: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = if let Some(quoted) = after.trim_start().strip_prefix('"') {
            quoted_string(quoted)?
        } else {
            let end = after.find(',').unwrap_or(after.len());
            let (value, after) = after.split_at_checked(end)?;
            (value.trim().to_owned(), after)
        };
        found.push((name.trim().to_owned(), value));
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(found)
}

/// The text up to the closing quote, and what stands behind that.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read_or_is_none() {
        let bearer = |realm: &str, service: Option<&str>| {
            Some(Challenge::Bearer {
                realm: realm.to_owned(),
                service: service.map(str::to_owned),
            })
        };
        for (header, expected) in [
            ("Basic realm=\"r\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            (
                "Bearer realm=\"https://auth.test/token\",service=\"reg,istry\",scope=\"repository:a:pull\"",
                bearer("https://auth.test/token", Some("reg,istry")),
            ),
            (
                "bearer service=s , Realm=\"https://a\\\"b\"",
                bearer("https://a\"b", Some("s")),
            ),
            ("Bearer realm=\"https://a\"", bearer("https://a", None)),
            ("Bearer service=\"s\"", None),
            ("Bearer realm=\"https://a\",realm=\"https://b\"", None),
            ("Bearer realm=\"https://a", None),
            ("Bearer realm=\"https://a\" service=\"s\"", None),
            ("Negotiate", None),
            ("", None),
        ] {
            assert_eq!(Challenge::parse(header), expected, "{header}");
        }
    }
}

//! URLs as Go's `net/url` takes them apart, which is not as browsers do (`url`, the crate, is of those).
//!
//! An address of IPv6 with a zone is an error here. Nothing is fetched.

/// What may stand in a part without being escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    User,
    Path,
    Fragment,
}

impl Part {
    fn has(self, byte: u8) -> bool {
        let beside: &[u8] = match self {
            Self::Host => b"!\"$&'()*+,:;<=>[]",
            Self::User => b"$&+,;=",
            Self::Path => b"$&+,/:;=@",
            Self::Fragment => b"!$&()*+,/:;=?@",
        };
        byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || beside.contains(&byte)
    }

    /// What is left as it came, though it could be escaped.
    fn keeps(self, byte: u8) -> bool {
        b"!$&'()*+,;=:@[]%".contains(&byte) || self.has(byte)
    }

    /// Takes escapes away.
    fn unescape(self, text: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte == b'%' {
                let (digits, after) = rest.split_at_checked(2)?;
                let digits = std::str::from_utf8(digits).ok()?;
                let hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                let byte = u8::from_str_radix(digits, 16).ok().filter(|_| hex)?;
                if self == Self::Host && byte < 0x80 && byte != b'%' {
                    return None;
                }
                out.push(byte);
                rest = after;
            } else if self == Self::Host && byte < 0x80 && !self.has(byte) {
                return None;
            } else {
                out.push(byte);
            }
        }
        Some(out)
    }

    fn escape(self, text: &[u8]) -> Vec<u8> {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
        let mut out = Vec::with_capacity(text.len());
        for byte in text {
            if self.has(*byte) {
                out.push(*byte);
            } else {
                out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
        out
    }

    /// The text, and how it came where that is not how it would be escaped.
    fn read(self, raw: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let text = self.unescape(raw)?;
        let usual = self.escape(&text) == raw;
        Some((text, if usual { Vec::new() } else { raw.to_vec() }))
    }

    fn write(self, text: &[u8], raw: &[u8]) -> Vec<u8> {
        if !raw.is_empty() && raw.iter().all(|byte| self.keeps(*byte)) {
            return raw.to_vec();
        }
        self.escape(text)
    }
}

/// A URL, by Go's names.
#[derive(Default)]
pub(super) struct Url {
    pub(super) scheme: Vec<u8>,
    pub(super) opaque: Vec<u8>,
    pub(super) user: Option<User>,
    pub(super) host: Vec<u8>,
    pub(super) path: Vec<u8>,
    pub(super) raw_path: Vec<u8>,
    pub(super) raw_query: Vec<u8>,
    pub(super) fragment: Vec<u8>,
    pub(super) raw_fragment: Vec<u8>,
    pub(super) force_query: bool,
    pub(super) omit_host: bool,
}

/// Name and password.
pub(super) struct User(Vec<u8>, Option<Vec<u8>>);

impl Url {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (before, fragment) = cut(text, b'#').unwrap_or((text, &[]));
        let mut url = Self::without_fragment(before)?;
        (url.fragment, url.raw_fragment) = Part::Fragment.read(fragment)?;
        Some(url)
    }

    fn without_fragment(text: &[u8]) -> Option<Self> {
        let mut url = Self::default();
        if text.iter().any(u8::is_ascii_control) {
            return None;
        }
        if text == b"*" {
            url.path = text.to_vec();
            return Some(url);
        }
        let (scheme, rest) = scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let query = cut(rest, b'?');
        url.force_query = query.is_some_and(|(_, query)| query.is_empty());
        let (mut rest, query) = query.unwrap_or((rest, &[]));
        url.raw_query = query.to_vec();
        if rest.first() != Some(&b'/') {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Some(url);
            }
            let (segment, _) = cut(rest, b'/').unwrap_or((rest, &[]));
            if segment.contains(&b':') {
                return None;
            }
        }
        let relative = url.scheme.is_empty();
        match rest.strip_prefix(b"//") {
            Some(authority) if !relative || authority.first() != Some(&b'/') => {
                let end = authority.iter().position(|byte| *byte == b'/');
                let (authority, path) =
                    authority.split_at_checked(end.unwrap_or(authority.len()))?;
                url.authority(authority)?;
                rest = path;
            }
            _ => url.omit_host = !relative && rest.first() == Some(&b'/'),
        }
        (url.path, url.raw_path) = Part::Path.read(rest)?;
        Some(url)
    }

    fn authority(&mut self, authority: &[u8]) -> Option<()> {
        let at = authority.iter().rposition(|byte| *byte == b'@');
        let Some(at) = at else {
            self.host = host(&self.scheme, authority)?;
            return Some(());
        };
        self.host = host(&self.scheme, authority.get(at + 1..)?)?;
        let user = authority.get(..at)?;
        let allowed =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
        if !user.iter().all(allowed) {
            return None;
        }
        let (name, password) =
            cut(user, b':').map_or((user, None), |(name, word)| (name, Some(word)));
        let password = match password {
            Some(password) => Some(Part::User.unescape(password)?),
            None => None,
        };
        self.user = Some(User(Part::User.unescape(name)?, password));
        Some(())
    }

    /// The path as it is in requests.
    pub(super) fn escaped_path(&self) -> Vec<u8> {
        if self.raw_path.is_empty() && self.path == b"*" {
            return self.path.clone();
        }
        Part::Path.write(&self.path, &self.raw_path)
    }

    /// The URL, put together again.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            self.write_hierarchy(&mut out);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if self.force_query || !self.raw_query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.raw_query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(Part::Fragment.write(&self.fragment, &self.raw_fragment));
        }
        out
    }

    fn write_hierarchy(&self, out: &mut Vec<u8>) {
        let nobody = self.host.is_empty() && self.user.is_none();
        let authority = !nobody || !self.scheme.is_empty() && !self.omit_host;
        if authority && !(nobody && self.path.is_empty()) {
            out.extend_from_slice(b"//");
        }
        if let Some(User(name, password)) = &self.user {
            out.extend(Part::User.escape(name));
            if let Some(password) = password {
                out.push(b':');
                out.extend(Part::User.escape(password));
            }
            out.push(b'@');
        }
        out.extend(Part::Host.escape(&self.host));
        let path = self.escaped_path();
        let rootless = path.first().is_some_and(|first| *first != b'/');
        if rootless && !self.host.is_empty() {
            out.push(b'/');
        }
        if out.is_empty() {
            let (segment, _) = cut(&path, b'/').unwrap_or((&path, &[]));
            if segment.contains(&b':') {
                out.extend_from_slice(b"./");
            }
        }
        out.extend(path);
    }
}

fn cut(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|byte| *byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// The scheme, empty where there is none, and what is behind it.
fn scheme(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let of_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let end = text.iter().position(|byte| !of_scheme(byte));
    match text.first() {
        Some(b':') => None,
        Some(first) if first.is_ascii_alphabetic() => match cut(text, b':') {
            Some((scheme, rest)) if Some(scheme.len()) == end => Some((scheme, rest)),
            _ => Some((&[], text)),
        },
        _ => Some((&[], text)),
    }
}

/// A host, and a port.
fn host(scheme: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let port = |port: &[u8]| match port.split_first() {
        None => true,
        Some((colon, digits)) => *colon == b':' && digits.iter().all(u8::is_ascii_digit),
    };
    match text.iter().rposition(|byte| *byte == b'[') {
        Some(0) => {
            let close = text.iter().rposition(|byte| *byte == b']')?;
            let address = Part::Host.unescape(text.get(1..close)?)?;
            let valid = std::str::from_utf8(&address).ok()?;
            valid.parse::<std::net::Ipv6Addr>().ok()?;
            let behind = text.get(close + 1..).filter(|behind| port(behind))?;
            return Some([b"[", &*address, b"]", behind].concat());
        }
        Some(_) => return None,
        None => {}
    }
    let strict = matches!(scheme, b"http" | b"https");
    let colon = if strict {
        text.iter().position(|byte| *byte == b':')
    } else {
        text.iter().rposition(|byte| *byte == b':')
    };
    if let Some(colon) = colon
        && !port(text.get(colon..)?)
    {
        return None;
    }
    Part::Host.unescape(text)
}

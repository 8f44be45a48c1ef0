//! The names that stand beside a subject's (RFC 5280 section 4.2.1.6): of hosts, mailboxes, addresses, URIs.
//! Those of other kinds are passed over, as in Go.

use regorus::Value;

use super::super::Failed;
use super::super::urls::Url;
use super::constraints::is_domain;
use super::der::{Reader, SEQUENCE, context};
use super::values::{Members, address, list, text};
use super::{malformed, need};

/// URIs of one argument: three bytes are one, and what comes of it takes a kilobyte.
const MAX_URIS: usize = 10_000;

const TOO_MANY: Failed = Failed::Bound("certificates may have 10000 URIs");

/// The names, by kind.
#[derive(Default)]
pub(super) struct Alternatives {
    hosts: Vec<Value>,
    mailboxes: Vec<Value>,
    addresses: Vec<Value>,
    uris: Vec<Value>,
    /// The URIs as texts.
    written: Vec<Value>,
}

impl Alternatives {
    pub(super) fn read(value: &[u8]) -> Result<Self, Failed> {
        const HOST: u8 = context(2);
        const MAILBOX: u8 = context(1);
        const URI: u8 = context(6);
        const ADDRESS: u8 = context(7);
        let invalid = "invalid subject alternative names";
        let mut names = need(Reader(value).inside(SEQUENCE), invalid)?;
        let mut read = Self::default();
        while !names.is_empty() {
            let name = need(names.any(), invalid)?;
            match name.tag {
                HOST => read.hosts.push(Value::from(ascii(name.body)?)),
                MAILBOX => read.mailboxes.push(Value::from(ascii(name.body)?)),
                URI => read.uri(ascii(name.body)?)?,
                ADDRESS => {
                    let address = need(address(name.body), "cannot parse IP address")?;
                    read.addresses.push(address);
                }
                _ => {}
            }
        }
        Ok(read)
    }

    fn uri(&mut self, uri: &str) -> Result<(), Failed> {
        let url = Url::parse(uri.as_bytes());
        let url = url.filter(|url| url.host.is_empty() || is_domain(&url.host, false));
        let url = need(url, "cannot parse URI")?;
        if self.uris.len() >= MAX_URIS {
            return Err(TOO_MANY);
        }
        self.written.push(text(&url.write()));
        self.uris.push(members(&url));
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        let all = [&self.hosts, &self.mailboxes, &self.addresses, &self.uris];
        all.into_iter().all(Vec::is_empty)
    }

    /// Counts the URIs of one more certificate.
    pub(super) fn count(all: &mut usize, certificate: &Members) -> Result<(), Failed> {
        *all += certificate.length("URIs");
        if *all > MAX_URIS {
            Err(TOO_MANY)
        } else {
            Ok(())
        }
    }

    /// Writes them, and the texts of URIs where that is wanted.
    pub(super) fn write(self, out: &mut Members, with_texts: bool) {
        out.set("DNSNames", list(self.hosts));
        out.set("EmailAddresses", list(self.mailboxes));
        out.set("IPAddresses", list(self.addresses));
        out.set("URIs", list(self.uris));
        if with_texts {
            out.set("URIStrings", list(self.written));
        }
    }
}

/// A string of ASN.1 that is ASCII.
pub(super) fn ascii(body: &[u8]) -> Result<&str, Failed> {
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|text| text.is_ascii());
    text.ok_or_else(|| malformed("not an IA5String"))
}

/// A URL as Go's JSON of it.
fn members(url: &Url) -> Value {
    let mut members = Members::default();
    for (name, part) in [
        ("Scheme", &url.scheme),
        ("Opaque", &url.opaque),
        ("Host", &url.host),
        ("Path", &url.path),
        ("RawPath", &url.raw_path),
        ("RawQuery", &url.raw_query),
        ("Fragment", &url.fragment),
        ("RawFragment", &url.raw_fragment),
    ] {
        members.set(name, text(part));
    }
    // Go writes nothing of who the user is.
    let user = url.user.as_ref().map(|_| Value::new_object());
    members.set("User", user.unwrap_or(Value::Null));
    members.set("ForceQuery", url.force_query);
    members.set("OmitHost", url.omit_host);
    members.value()
}

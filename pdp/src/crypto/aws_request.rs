//! The signature of a request to AWS and to what speaks its language: Signature Version 4.
//!
//! It is computed over what the caller says is sent; the caller sends exactly that. What this is not: a
//! client, or a source of credentials.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use edgeward_core::revocation::hex;

/// The header that says what the body is.
const CONTENT: &str = "x-amz-content-sha256";

/// Who signs, and for which region and service.
#[derive(Clone, Copy)]
pub(crate) struct AwsScope<'a> {
    /// The id of the access key.
    pub(crate) access: &'a str,
    /// The secret that goes with it.
    pub(crate) secret: &'a str,
    /// The token of temporary credentials; empty for lasting ones.
    pub(crate) session: &'a str,
    /// Such as `eu-central-1`.
    pub(crate) region: &'a str,
    /// Such as `s3`.
    pub(crate) service: &'a str,
}

impl AwsScope<'_> {
    /// Headers that signing adds, and that are to be signed and sent. `time` is as in
    /// `20130524T000000Z`, `content` the SHA-256 of the body in hex or what may stand for it.
    pub(crate) fn headers(
        &self,
        host: &str,
        time: &str,
        content: &str,
    ) -> BTreeMap<&'static str, String> {
        let mut added =
            BTreeMap::from([("host", host.to_owned()), ("x-amz-date", time.to_owned())]);
        if matches!(self.service, "s3" | "glacier") {
            added.insert(CONTENT, content.to_owned());
        }
        if !self.session.is_empty() {
            added.insert("x-amz-security-token", self.session.to_owned());
        }
        added
    }

    /// The `Authorization` header. `start` is method, canonical path and canonical query, a line each;
    /// `signed` are headers by their names in lower case.
    pub(crate) fn authorization<N: AsRef<str> + Ord, V: AsRef<str>>(
        &self,
        time: &str,
        start: Vec<u8>,
        signed: &BTreeMap<N, V>,
        content: &str,
    ) -> String {
        let (within, names) = (self.within(time), names(signed));
        let signature = self.signature(time, start, signed, content);
        let access = self.access;
        format!(
            "AWS4-HMAC-SHA256 Credential={access}/{within},SignedHeaders={names},Signature={signature}"
        )
    }

    /// The signature alone, for where it stands in the query; arguments as of [`Self::authorization`].
    pub(crate) fn signature<N: AsRef<str> + Ord, V: AsRef<str>>(
        &self,
        time: &str,
        start: Vec<u8>,
        signed: &BTreeMap<N, V>,
        content: &str,
    ) -> String {
        let mut canonical = start;
        canonical.push(b'\n');
        for (name, value) in signed {
            canonical
                .extend_from_slice(format!("{}:{}\n", name.as_ref(), value.as_ref()).as_bytes());
        }
        canonical.extend_from_slice(format!("\n{}\n{content}", names(signed)).as_bytes());
        let within = self.within(time);
        let canonical = hex(digest(&SHA256, &canonical).as_ref());
        let message = format!("AWS4-HMAC-SHA256\n{time}\n{within}\n{canonical}");
        let key = hmac::Key::new(HMAC_SHA256, self.key(day(time)).as_ref());
        hex(hmac::sign(&key, message.as_bytes()).as_ref())
    }

    /// What a signature is good for.
    fn within(&self, time: &str) -> String {
        format!(
            "{}/{}/{}/aws4_request",
            day(time),
            self.region,
            self.service
        )
    }

    /// The key that is good for one day, region and service.
    fn key(&self, day: &str) -> hmac::Tag {
        let mac = |key: &[u8], message: &str| {
            hmac::sign(&hmac::Key::new(HMAC_SHA256, key), message.as_bytes())
        };
        let of_day = mac(format!("AWS4{}", self.secret).as_bytes(), day);
        let of_region = mac(of_day.as_ref(), self.region);
        let of_service = mac(of_region.as_ref(), self.service);
        mac(of_service.as_ref(), "aws4_request")
    }
}

fn day(time: &str) -> &str {
    time.split_once('T').map_or(time, |(day, _)| day)
}

fn names<N: AsRef<str> + Ord, V>(signed: &BTreeMap<N, V>) -> String {
    let names: Vec<&str> = signed.keys().map(AsRef::as_ref).collect();
    names.join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SHA-256 of nothing.
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// "Authenticating Requests: Using the Authorization Header", the examples of the S3 API reference,
    /// and `get-vanilla` of AWS's test suite of Signature Version 4.
    #[test]
    fn requests_are_signed_as_in_what_aws_has_published() {
        let s3 = AwsScope {
            access: "AKIAIOSFODNN7EXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            session: "",
            region: "us-east-1",
            service: "s3",
        };
        let time = "20130524T000000Z";
        for (start, header, content, signature) in [
            (
                "GET\n/test.txt\n",
                Some(("range", "bytes=0-9")),
                EMPTY,
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "GET\n/\nlifecycle=",
                None,
                EMPTY,
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                "GET\n/\nmax-keys=2&prefix=J",
                None,
                EMPTY,
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            let mut signed = s3.headers("examplebucket.s3.amazonaws.com", time, content);
            signed.extend(header.map(|(name, value)| (name, value.to_owned())));
            let names: Vec<&str> = signed.keys().copied().collect();
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                 SignedHeaders={},Signature={signature}",
                names.join(";")
            );
            let found = s3.authorization(time, start.into(), &signed, content);
            assert_eq!(found, expected, "{start}");
        }
        let plain = AwsScope {
            access: "AKIDEXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            service: "service",
            ..s3
        };
        let time = "20150830T123600Z";
        let signed = plain.headers("example.amazonaws.com", time, EMPTY);
        let found = plain.authorization(time, "GET\n/\n".into(), &signed, EMPTY);
        let signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert!(found.ends_with(signature), "{found}");
    }
}

//! A raw HTTP/2 client (prior knowledge): header fields are sent as given, in literal form, so
//! that a `:path` no library would send is really sent.
//!
//! It reads no more of an answer than its status: enough to know whether a request was refused.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use crate::raw;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM_AND_HEADERS: u8 = 0x5;

/// How the peer ended the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It answered with this status.
    Status(u16),
    /// It reset the stream or closed the connection.
    Refused,
}

/// Sends one request without a body, its fields in the order given, and reads the outcome.
///
/// # Errors
/// When the connection cannot be made or written to.
pub fn request(address: SocketAddr, fields: &[(&str, &[u8])]) -> io::Result<Outcome> {
    let mut stream = raw::connect(address)?;
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0); // literal without indexing, new name (RFC 7541 section 6.2.2)
        literal(&mut block, name.as_bytes());
        literal(&mut block, value);
    }
    stream.write_all(PREFACE)?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[]))?;
    stream.write_all(&frame(HEADERS, END_STREAM_AND_HEADERS, 1, &block))?;
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            return Ok(Outcome::Refused);
        }
        let [a, b, c, kind, ..] = head;
        let mut payload = vec![0; usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)];
        stream.read_exact(&mut payload)?;
        match kind {
            HEADERS => return Ok(status(&payload).map_or(Outcome::Refused, Outcome::Status)),
            RESET | GOAWAY => return Ok(Outcome::Refused),
            _ => {}
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .expect("a short frame")
        .to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A string literal without Huffman coding (RFC 7541 section 5.2).
fn literal(block: &mut Vec<u8>, bytes: &[u8]) {
    let length = bytes.len();
    if length < 127 {
        block.push(u8::try_from(length).expect("below 127"));
    } else {
        block.push(127);
        let mut rest = length - 127;
        while rest >= 128 {
            block.push(u8::try_from(rest % 128).expect("a byte") | 0x80);
            rest /= 128;
        }
        block.push(u8::try_from(rest).expect("a byte"));
    }
    block.extend(bytes);
}

/// The `:status` at the head of a header block, which is where every server puts it.
fn status(mut block: &[u8]) -> Option<u16> {
    // A size update of the dynamic table may come first (RFC 7541 section 6.3).
    while let [update, rest @ ..] = block
        && update & 0xe0 == 0x20
    {
        let long = update & 0x1f == 0x1f;
        block = if long {
            &rest[rest.iter().position(|byte| byte & 0x80 == 0)? + 1..]
        } else {
            rest
        };
    }
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    match block {
        [field @ 0x88..=0x8e, ..] => INDEXED.get(usize::from(field - 0x88)).copied(),
        // `:status` by name, value in Huffman code: three digits of five or six bits each.
        [0x48 | 0x08 | 0x18, length, value @ ..] if length & 0x80 != 0 => huffman_digits(value),
        [0x48 | 0x08 | 0x18, 3, value @ ..] => std::str::from_utf8(&value[..3]).ok()?.parse().ok(),
        _ => None,
    }
}

fn huffman_digits(value: &[u8]) -> Option<u16> {
    let mut bits = value
        .iter()
        .take(3)
        .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
        << (8 * (4 - value.len().min(3)));
    let mut number = 0;
    for _ in 0..3 {
        // RFC 7541 appendix B: 0-2 are five bits, 3-9 are six bits starting at 0x19.
        let five = u16::try_from(bits >> 27).ok()?;
        let (digit, width) = if five <= 2 {
            (five, 5)
        } else {
            (u16::try_from(bits >> 26).ok()?.checked_sub(0x19)? + 3, 6)
        };
        number = number * 10 + digit;
        bits <<= width;
    }
    Some(number)
}

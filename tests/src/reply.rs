//! One HTTP/1.1 answer as it came over the wire, and what the tests read in it.

use std::io::{self, BufRead, Read};

use serde_json::Value;

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Header lines in order, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, transfer coding removed.
    pub body: Vec<u8>,
}

impl Reply {
    /// Reads one answer.
    ///
    /// # Errors
    /// When the bytes end early or are not HTTP/1.1.
    pub fn read(input: &mut impl BufRead) -> io::Result<Self> {
        let status = line(input)?;
        let code = status
            .split_ascii_whitespace()
            .nth(1)
            .and_then(|code| code.parse().ok());
        let mut reply = Self {
            status: code.ok_or_else(|| bad(&status))?,
            ..Self::default()
        };
        loop {
            let header = raw_line(input)?;
            if header.is_empty() {
                break;
            }
            let colon = header.iter().position(|byte| *byte == b':');
            let (name, value) = header.split_at(colon.ok_or_else(|| bad("no colon"))?);
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            reply.headers.push((name, value[1..].trim_ascii().to_vec()));
        }
        reply.body = reply.read_body(input)?;
        Ok(reply)
    }

    /// The first value of header `name`.
    pub fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `Null` when it is not.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The stable code of a refusal, empty when the body is no problem document.
    pub fn code(&self) -> String {
        let is_problem = self.header("content-type").as_deref() == Some("application/problem+json");
        match self.json()["code"].as_str() {
            Some(code) if is_problem => code.to_owned(),
            _ => String::new(),
        }
    }

    fn read_body(&self, input: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if matches!(self.status, 204 | 304) {
            return Ok(body);
        }
        if self
            .header("transfer-encoding")
            .is_some_and(|coding| coding.contains("chunked"))
        {
            loop {
                let size = line(input)?;
                let size = usize::from_str_radix(size.trim(), 16).map_err(|_| bad(&size))?;
                let mut chunk = vec![0; size];
                input.read_exact(&mut chunk)?;
                body.extend(chunk);
                raw_line(input)?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        if let Some(length) = self.header("content-length") {
            body.resize(length.parse().map_err(|_| bad(&length))?, 0);
            input.read_exact(&mut body)?;
        } else {
            input.read_to_end(&mut body)?;
        }
        Ok(body)
    }
}

fn line(input: &mut impl BufRead) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&raw_line(input)?).into_owned())
}

fn raw_line(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    input.take(1 << 20).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the answer ended early",
        ));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

fn bad(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("not an HTTP answer: `{what}`"),
    )
}

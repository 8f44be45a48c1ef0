//! An authorization server that answers what a test wants, in whatever form, and keeps what it was asked.
//!
//! What this is not: a real one; `tests/tests/e2e/oidc_provider.rs` has that. It is for what no real server does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::fetch::{Plaintext, SourceUrl};

/// The server, over plain HTTP on this machine.
pub(crate) struct TestServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    answer: String,
    delay: Duration,
    /// Requests that came, head and body.
    asked: Vec<String>,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || answer(stream, &shared));
            }
        });
        Self { address, state }
    }

    /// Answers so from now on: a status line's end, headers, a body.
    pub(crate) fn say(&self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        self.lock().answer = answer;
    }

    /// The same, of an answer in JSON.
    pub(crate) fn tell(&self, body: &serde_json::Value) {
        self.say(
            "200 OK",
            "content-type: application/json\r\n",
            &body.to_string(),
        );
    }

    /// Thinks for so long before each answer.
    pub(crate) fn slow(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// What it was asked since this was called last.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().asked)
    }

    pub(crate) fn endpoint(&self) -> SourceUrl {
        let url = format!("http://{}/introspect", self.address);
        SourceUrl::parse(&url, Plaintext::Loopback).unwrap()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        head.push_str(&line);
        line.make_ascii_lowercase();
        if let Some(told) = line.strip_prefix("content-length:") {
            length = told.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    let (answer, delay) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.push(format!("{head}{body}"));
        (state.answer.clone(), state.delay)
    };
    thread::sleep(delay);
    // Whoever has read enough hangs up.
    let _ = reader.get_mut().write_all(answer.as_bytes());
}

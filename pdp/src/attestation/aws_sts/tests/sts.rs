//! A service that checks signatures as STS does, and answers what the test wants.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use edgeward_core::revocation::hex;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::request::{SCOPE, TIME};
use crate::fetch::{Plaintext, SourceUrl};

/// The service, over plain HTTP on this machine; dropping it closes everything.
pub(super) struct Sts {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _tasks: JoinSet<()>,
}

struct State {
    /// The answer to who signed well: status line and headers, and a body.
    answer: (String, String),
    /// Requests that came, whole.
    seen: Vec<String>,
}

impl Sts {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            answer: Default::default(),
            seen: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&state);
        tasks.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                answer(stream, &shared).await;
            }
        });
        Self {
            address,
            state,
            _tasks: tasks,
        }
    }

    /// Answers so from now on.
    pub(super) fn say(&self, status: &str, headers: &str, body: &str) {
        let head = format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n",
            body.len()
        );
        self.state.lock().unwrap().answer = (head, body.to_owned());
    }

    /// Requests that came since this was asked last.
    pub(super) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().seen)
    }

    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn url(&self) -> SourceUrl {
        SourceUrl::parse(&format!("http://{}/", self.address), Plaintext::Loopback).unwrap()
    }
}

async fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(request.clone()).unwrap();
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let body = String::from_utf8(body).unwrap();
    let is_good = is_well_signed(&head, &body);
    let (head, body) = {
        let mut state = state.lock().unwrap();
        state.seen.push(format!("{head}{body}"));
        if is_good {
            state.answer.clone()
        } else {
            (
                "HTTP/1.1 403 X\r\ncontent-length: 0\r\n".to_owned(),
                String::new(),
            )
        }
    };
    let whole = format!("{head}connection: close\r\n\r\n{body}");
    let _ = stream.write_all(whole.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (told, value) = line.split_once(": ")?;
        told.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// Computes the signature of what came, as it came.
fn is_well_signed(head: &str, body: &str) -> bool {
    let line: Vec<&str> = head.lines().next().unwrap().split(' ').collect();
    let (path, query) = line[1].split_once('?').unwrap_or((line[1], ""));
    let pairs: BTreeMap<&str, &str> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let (names, told, query) = if let Some(authorization) = header(head, "authorization") {
        let part = |name: &str| {
            let (_, rest) = authorization.split_once(name).unwrap();
            rest.split(',').next().unwrap().to_owned()
        };
        (part("SignedHeaders="), part("Signature="), query.to_owned())
    } else {
        let (Some(names), Some(told)) = (
            pairs.get("X-Amz-SignedHeaders"),
            pairs.get("X-Amz-Signature"),
        ) else {
            return false;
        };
        let without: Vec<String> = pairs
            .iter()
            .filter(|(name, _)| **name != "X-Amz-Signature")
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (
            names.replace("%3B", ";"),
            (*told).to_owned(),
            without.join("&"),
        )
    };
    let signed: BTreeMap<&str, &str> = names
        .split(';')
        .map(|name| (name, header(head, name).unwrap_or_default()))
        .collect();
    let start = format!("{}\n{path}\n{query}", line[0]);
    let content = hex(&Sha256::digest(body));
    SCOPE
        .authorization(TIME, start.into(), &signed, &content)
        .ends_with(&format!("Signature={told}"))
}

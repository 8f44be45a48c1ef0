//! The whole way against another's STS (moto), which checks what we send by botocore's arithmetic, with
//! requests that botocore signed.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Instant, SystemTime};

use super::*;
use crate::fetch::{Plaintext, SourceUrl};

/// A running moto; dropping it ends it.
struct Moto {
    process: Child,
    evidence: Value,
    url: SourceUrl,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Moto {
    /// None where there is no moto (`./just setup`).
    fn start() -> Option<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let moto = here.join("../.tools/moto");
        if !moto.is_dir() {
            eprintln!("skipped: no moto (`./just setup`)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new("python3")
            .env("PYTHONPATH", moto)
            .arg(here.join("src/attestation/aws_sts/tests/moto_sts.py"))
            .arg(port.to_string())
            .arg(folder.path())
            .arg(SERVER)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}/");
        let mut moto = Self {
            process,
            evidence: Value::Null,
            url: SourceUrl::parse(&url, Plaintext::Loopback).unwrap(),
        };
        let deadline = Instant::now() + Duration::from_mins(2);
        let made = folder.path().join("evidence.json");
        while !made.exists() {
            let log = || std::fs::read_to_string(folder.path().join("log")).unwrap();
            assert!(Instant::now() < deadline, "moto is not ready: {}", log());
            assert!(
                moto.process.try_wait().unwrap().is_none(),
                "moto: {}",
                log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        moto.evidence = serde_json::from_slice(&std::fs::read(made).unwrap()).unwrap();
        Some(moto)
    }
}

#[tokio::test]
async fn what_botocore_signed_is_told_by_moto_and_what_it_did_not_is_refused() {
    let Some(moto) = Moto::start() else {
        return;
    };
    let regions = BTreeSet::from(["eu-central-1".to_owned()]);
    let mut settings = settings(None);
    settings.endpoints = StsEndpoints::new(regions, Some(moto.url.clone())).unwrap();
    settings.fetch.addresses.allow_loopback = true;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let now = UnixSeconds(now.as_secs());
    let user = "arn:aws:iam::123456789012:user/robots/ci";
    let role = "arn:aws:iam::123456789012:role/deploy";
    for (name, arn, session) in [
        ("user_presigned", user, None),
        ("user_posted", user, None),
        ("role_presigned", role, Some("run-7")),
        ("role_posted", role, Some("run-7")),
    ] {
        let evidence = moto.evidence[name].as_str().unwrap();
        let attested = verify(evidence, &settings, now).await.unwrap();
        assert_eq!(attested.attributes.single("arn"), Some(arn), "{name}");
        assert_eq!(attested.attributes.single("session"), session, "{name}");
        assert_eq!(attested.attributes.single("account"), Some("123456789012"));
        let other = AwsStsSettings {
            server_id: "https://other.example".to_owned(),
            ..settings.clone()
        };
        let refused = verify(evidence, &other, now).await.unwrap_err();
        let expected = ["evidence-rejected", "evidence-server-id-mismatch"];
        assert_eq!(
            refused.code(),
            expected[usize::from(name.ends_with("posted"))]
        );
    }
    for name in ["stolen_presigned", "stolen_posted"] {
        let evidence = moto.evidence[name].as_str().unwrap();
        let refused = verify(evidence, &settings, now).await.unwrap_err();
        assert_eq!(refused.code(), "evidence-rejected", "{name}");
    }
}

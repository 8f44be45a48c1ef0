//! The file of the sealing key.

use super::super::SealingKeyError;
use super::*;

fn open_with(content: &[u8]) -> Result<(), String> {
    let stage = Stage::new();
    stage.write_sealing_key("sealing-key", content);
    let opened = stage.try_open(after(0));
    opened.map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn one_key_is_the_same_raw_in_base64_and_in_hex() {
    let key: Vec<u8> = (0..32_u8)
        .map(|byte| byte.wrapping_mul(7).wrapping_add(130))
        .collect();
    let stage = Stage::new();
    stage.write_sealing_key("sealing-key", &key);
    let current = current_id(&stage.open(after(0)));
    let base64 = "gomQl56lrLO6wcjP1t3k6_L5AAcOFRwjKjE4P0ZNVFs";
    let standard = base64.replace('_', "/");
    let hex = "828990979ea5acb3bac1c8cfd6dde4ebf2f900070e151c232a31383f464d545b";
    for text in [
        base64.to_owned(),
        standard.clone(),
        format!("{standard}=\n"),
        format!("{hex}\r\n"),
        hex.to_uppercase(),
    ] {
        stage.write_sealing_key("sealing-key", text.as_bytes());
        assert_eq!(current_id(&stage.open(after(1))), current, "{text}");
    }
}

#[test]
fn what_is_no_key_is_refused_with_how_to_make_one() {
    for (content, problem) in [
        (&b""[..], "is empty"),
        (b"\n", "is empty"),
        (b"correct horse battery staple ...", "holds 32 characters"),
        (b"0123456789abcdef0123456789abcdef", "holds 32 characters"),
        (&[7, 200].repeat(15), "neither 32 bytes nor"),
        (&[200; 33], "neither 32 bytes nor"),
        (&[200; 200], "neither 32 bytes nor"),
        (&[b'g'; 64], "neither 32 bytes nor"),
        (&[b'0'; 64], "one byte 32 times"),
        (&[200; 32], "one byte 32 times"),
    ] {
        let refused = open_with(content).unwrap_err();
        assert!(refused.contains(problem), "{content:?}: {refused}");
        assert!(refused.contains("openssl rand -base64 32"), "{refused}");
        assert!(refused.contains("sealing-key"), "{refused}");
    }
}

#[test]
fn a_key_that_everybody_can_read_is_refused() {
    let stage = Stage::new();
    let path = stage.root.path().join("sealing-key");
    for mode in [0o604, 0o644, 0o602] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refused = stage.try_open(after(0)).unwrap_err();
        let shared = SigningKeysError::SealingKey(SealingKeyError::Shared { path: path.clone() });
        assert_eq!(refused.to_string(), shared.to_string());
        assert!(!stage.directory().exists(), "nothing was made");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    stage.open(after(0));
}

#[test]
fn a_key_that_is_not_there_is_named() {
    let stage = Stage::new();
    fs::remove_file(stage.root.path().join("sealing-key")).unwrap();
    let refused = stage.try_open(after(0)).unwrap_err().to_string();
    assert!(refused.contains("sealing-key"), "{refused}");
    fs::create_dir(stage.root.path().join("sealing-key")).unwrap();
    let refused = stage.try_open(after(0)).unwrap_err().to_string();
    assert!(
        refused.contains("everybody") || refused.contains("no file"),
        "{refused}"
    );
}

#[test]
fn the_sealing_key_is_changed_with_the_one_before_beside_it() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let (current, token) = (current_id(&keys), sign(&keys, after(0)).unwrap());
    drop(keys);
    let previous = stage.root.path().join("previous");
    fs::rename(stage.root.path().join("sealing-key"), &previous).unwrap();
    stage.write_sealing_key("sealing-key", &[0x99, 8, 7, 6].repeat(8));
    let settings = SigningKeySettings {
        previous_sealing_key_file: Some(previous.clone()),
        ..stage.settings()
    };
    let keys = SigningKeys::open(settings.clone(), after(1)).unwrap();
    assert_eq!(current_id(&keys), current);
    assert!(verifies(&token, &keys.published().borrow().keys));
    drop(keys);
    // It is sealed anew at once: the one before is needed no more, and may stay.
    drop(SigningKeys::open(settings, after(2)).unwrap());
    fs::remove_file(previous).unwrap();
    assert_eq!(current_id(&stage.open(after(3))), current);
}

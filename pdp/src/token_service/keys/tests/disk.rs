//! The directory and its file: whose they are, and what is done when they are not as they were.

use serde_json::Value;

use super::super::sealing::SealingKey;
use super::super::{DirectoryError, RecordError, record};
use super::*;

/// What a start says of `file`. It must leave the file as it is.
fn refused(stage: &Stage, file: &[u8]) -> RecordError {
    fs::write(stage.file(), file).unwrap();
    let error = match stage.try_open(after(1)) {
        Err(SigningKeysError::Record { path, error }) => {
            assert_eq!(path, stage.file());
            error
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(fs::read(stage.file()).unwrap(), file, "overwritten");
    error
}

fn written() -> (Stage, Vec<u8>) {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    keys.rotate(after(DAY)).unwrap();
    drop(keys);
    let file = fs::read(stage.file()).unwrap();
    (stage, file)
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused_as_that() {
    let (stage, file) = written();
    for length in (0..file.len()).step_by(17).chain([file.len() - 1]) {
        assert_eq!(refused(&stage, &file[..length]), RecordError::Truncated);
    }
}

#[test]
fn a_file_in_which_any_byte_was_changed_is_refused() {
    let (stage, file) = written();
    let mut tampered = 0;
    for at in (0..file.len()).step_by(5) {
        let mut changed = file.clone();
        changed[at] ^= 1;
        tampered += usize::from(refused(&stage, &changed) == RecordError::Tampered);
    }
    // The others are no JSON any more, or another version or sealing key.
    assert!(
        tampered > file.len() / 5 / 2,
        "{tampered} of {}",
        file.len() / 5
    );
    fs::write(stage.file(), file).unwrap();
    stage.open(after(DAY));
}

#[test]
fn what_only_looks_like_the_same_record_is_refused() {
    let (stage, file) = written();
    let text = String::from_utf8(file).unwrap();
    let (line, seal) = text.trim_end().split_once('\n').unwrap();
    let later = line.replace("\"is_propagated\":false", "\"is_propagated\":true");
    assert_ne!(later, line);
    for (line, seal) in [
        (later.as_str(), seal),
        (line, ""),
        (line, "AAAA"),
        (line, "!"),
    ] {
        let changed = format!("{line}\n{seal}\n");
        assert_eq!(refused(&stage, changed.as_bytes()), RecordError::Tampered);
    }
    let more = refused(&stage, format!("{text}\n").as_bytes());
    assert!(matches!(more, RecordError::Damaged { .. }), "{more}");
    let newer = line.replace("\"version\":1", "\"version\":2");
    let newer = refused(&stage, format!("{newer}\n{seal}\n").as_bytes());
    assert_eq!(newer, RecordError::Version { found: 2 });
}

#[test]
fn a_sealed_key_opens_under_its_own_id_and_in_its_own_trust_domain_only() {
    let (stage, file) = written();
    let sealing = SealingKey::read(&stage.settings().sealing_key_file).unwrap();
    let line = file.split(|byte| *byte == b'\n').next().unwrap();
    let resealed = |record: &Value| {
        let mut text = record.to_string().into_bytes();
        record::add_seal(&mut text, &sealing).unwrap();
        text
    };
    let record: Value = serde_json::from_slice(line).unwrap();
    // As whoever has the sealing key may write it: what is changed is all that is wrong.
    fs::write(stage.file(), resealed(&record)).unwrap();
    stage.open(after(DAY));
    let mut swapped = record.clone();
    swapped["current"]["sealed"] = record["next"]["sealed"].clone();
    assert_eq!(refused(&stage, &resealed(&swapped)), RecordError::Tampered);
    let mut foreign = record;
    foreign["trust_domain"] = "other.example".into();
    fs::write(stage.file(), resealed(&foreign)).unwrap();
    let settings = SigningKeySettings {
        trust_domain: "other.example".parse().unwrap(),
        ..stage.settings()
    };
    let error = SigningKeys::open(settings, after(DAY)).unwrap_err();
    assert!(
        error.to_string().contains("changed by somebody else"),
        "{error}"
    );
}

#[test]
fn another_sealing_key_opens_nothing_and_says_which_is_wanted() {
    let (stage, file) = written();
    stage.write_sealing_key("sealing-key", &[0x99, 8, 7, 6].repeat(8));
    let RecordError::SealingKey { found, ours } = refused(&stage, &file) else {
        panic!("not told as another sealing key");
    };
    let text = String::from_utf8(file).unwrap();
    assert!(text.contains(&found) && !text.contains(&ours));
}

#[test]
fn keys_of_another_trust_domain_are_not_ours() {
    let (stage, file) = written();
    let settings = SigningKeySettings {
        trust_domain: "other.example".parse().unwrap(),
        ..stage.settings()
    };
    let refused = SigningKeys::open(settings, after(1)).unwrap_err();
    let SigningKeysError::Record { error, .. } = refused else {
        panic!("{refused}");
    };
    let found = "example.org".to_owned();
    assert_eq!(error, RecordError::TrustDomain { found });
    assert_eq!(fs::read(stage.file()).unwrap(), file, "overwritten");
}

#[test]
fn no_private_key_is_readable_on_disk() {
    let (stage, file) = written();
    let text = String::from_utf8(file).unwrap();
    // PKCS#8 of a P-256 key begins with these bytes: 30 81 87 02 01 00 30 13.
    for sealed in text.split('"').filter(|part| part.len() > 150) {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(sealed);
        let bytes = bytes.unwrap();
        let begin = [0x30, 0x81, 0x87, 2, 1, 0, 0x30, 0x13];
        assert!(!bytes.windows(begin.len()).any(|window| window == begin));
    }
    assert_eq!(
        text.matches("sealed").count(),
        2,
        "retired keys keep no private half"
    );
    assert_eq!(mode(&stage.file()), 0o600);
}

#[test]
fn a_directory_that_is_open_to_others_is_refused() {
    let (stage, _) = written();
    for mode in [0o710, 0o750, 0o755, 0o701] {
        fs::set_permissions(stage.directory(), fs::Permissions::from_mode(mode)).unwrap();
        let refused = stage.try_open(after(1)).unwrap_err();
        let SigningKeysError::Directory(DirectoryError::Shared { .. }) = refused else {
            panic!("{refused}");
        };
        assert!(refused.to_string().contains("chmod 700"), "{refused}");
    }
}

#[test]
fn two_pdps_do_not_use_one_directory() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let refused = stage.try_open(after(1)).unwrap_err();
    let SigningKeysError::Directory(DirectoryError::InUse { .. }) = refused else {
        panic!("{refused}");
    };
    drop(keys);
    stage.open(after(2));
}

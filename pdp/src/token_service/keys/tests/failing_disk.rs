//! A disk that takes nothing. The directory is taken away, since a test that runs as root may write to
//! whatever is only read-only.

use super::*;

struct Away<'a>(&'a Stage);

impl<'a> Away<'a> {
    fn take(stage: &'a Stage) -> Self {
        fs::rename(stage.directory(), stage.root.path().join("away")).unwrap();
        Self(stage)
    }

    fn bring_back(self) {
        fs::rename(self.0.root.path().join("away"), self.0.directory()).unwrap();
    }
}

#[test]
fn while_the_disk_fails_the_key_in_use_goes_on_and_it_is_tried_again() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let before = (published_ids(&keys), sequence(&keys));
    let away = Away::take(&stage);
    for seconds in [DAY, DAY + 30] {
        let refused = keys.rotate(after(seconds)).unwrap_err();
        assert!(
            matches!(refused, SigningKeysError::Directory(_)),
            "{refused}"
        );
        assert_eq!((published_ids(&keys), sequence(&keys)), before);
        assert!(verifies(
            &sign(&keys, after(seconds)).unwrap(),
            &keys.published().borrow().keys
        ));
    }
    let status = keys.status();
    assert_eq!((status.failures, status.rotations), (2, 0));
    assert!(status.last_failure.unwrap().contains("signing-keys"));
    away.bring_back();
    assert!(keys.rotate(after(DAY + 60)).unwrap().unwrap().has_rotated);
    let status = keys.status();
    assert_eq!((status.failures, status.rotations), (2, 1));
    assert_eq!(status.last_failure, None);
    let current = current_id(&keys);
    drop(keys);
    assert_eq!(current_id(&stage.open(after(DAY + 61))), current);
}

#[test]
fn a_key_past_its_time_signs_nothing_whatever_the_disk_does() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    let away = Away::take(&stage);
    let end = DAY + DAY / 2;
    keys.rotate(after(end - 1)).unwrap_err();
    sign(&keys, after(end - 1)).unwrap();
    let refused = sign(&keys, after(end)).unwrap_err();
    assert_eq!(refused.code(), "signing-key-expired");
    away.bring_back();
    keys.rotate(after(end)).unwrap();
    sign(&keys, after(end)).unwrap();
}

#[test]
fn the_first_key_signs_nothing_that_could_not_be_kept() {
    let stage = Stage::new();
    // A file in the way of the directory.
    fs::write(stage.directory(), b"").unwrap();
    let refused = stage.try_open(after(0)).unwrap_err();
    assert!(
        matches!(refused, SigningKeysError::Directory(_)),
        "{refused}"
    );
}

#[test]
fn a_file_that_cannot_be_replaced_leaves_nothing_behind() {
    let stage = Stage::new();
    let keys = stage.open(after(0));
    // A folder in its place: the rename fails, after all was written.
    let saved = fs::read(stage.file()).unwrap();
    fs::remove_file(stage.file()).unwrap();
    fs::create_dir(stage.file()).unwrap();
    keys.rotate(after(DAY)).unwrap_err();
    sign(&keys, after(DAY)).unwrap();
    let left: Vec<_> = fs::read_dir(stage.directory()).unwrap().collect();
    assert_eq!(left.len(), 2, "the lock and the folder: {left:?}");
    fs::remove_dir(stage.file()).unwrap();
    fs::write(stage.file(), saved).unwrap();
    assert!(keys.rotate(after(DAY)).unwrap().unwrap().has_rotated);
}

//! The journal: every way that a file may end, and every way that a write may fail.

use edgeward_core::revocation::{Expiry, Revocation, Revoked};
use edgeward_core::time::UnixSeconds;

use super::*;

fn revocation(name: &str) -> Revocation {
    Revocation {
        revoked: Revoked::Policy(name.to_owned()),
        reason: None,
        at: UnixSeconds(1),
        expires_at: Expiry::Never,
    }
}

/// A journal in which `a` and `b` were revoked and `a` was undone, and its file's path.
fn written(directory: &Path) -> PathBuf {
    let (mut journal, mut live) = Journal::open(directory).unwrap();
    for name in ["a", "b"] {
        let revocation = revocation(name);
        journal.append(&Line::Revoke(&revocation), &live).unwrap();
        live.insert(revocation.revoked.id(), revocation);
    }
    let undone = revocation("a").revoked.id();
    journal.append(&Line::Undo(&undone), &live).unwrap();
    assert_eq!(journal.lines(), 3);
    directory.join(FILE)
}

fn names(found: &Found) -> Vec<String> {
    let name = |revocation: &Revocation| revocation.revoked.tag().replace("policy ", "");
    let mut names: Vec<String> = found.values().map(name).collect();
    names.sort();
    names
}

fn whole_lines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

#[test]
fn what_was_appended_is_there_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    written(&directory.path().join("new/folder"));
    let (journal, found) = Journal::open(&directory.path().join("new/folder")).unwrap();
    assert_eq!((names(&found), journal.lines()), (vec!["b".to_owned()], 3));
}

#[test]
fn a_file_cut_at_any_byte_keeps_every_whole_line_and_can_be_gone_on_with() {
    let directory = tempfile::tempdir().unwrap();
    let whole = fs::read(written(directory.path())).unwrap();
    for end in HEADER.len()..whole.len() {
        let path = directory.path().join(FILE);
        fs::write(&path, &whole[..end]).unwrap();
        let (mut journal, mut found) = Journal::open(directory.path()).unwrap();
        let lines = whole_lines(&whole[HEADER.len()..end]);
        let expected: &[&str] = [&[][..], &["a"], &["a", "b"]][lines];
        assert_eq!(names(&found), expected, "cut at {end}");
        let more = revocation("c");
        journal.append(&Line::Revoke(&more), &found).unwrap();
        found.insert(more.revoked.id(), more);
        drop(journal);
        let again = Journal::open(directory.path()).unwrap().1;
        assert_eq!(again, found, "cut at {end}");
    }
}

#[test]
fn a_damaged_last_line_is_cut_and_damage_anywhere_else_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path());
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1]
        .iter()
        .rposition(|b| *b == b'\n')
        .unwrap()
        + 1;
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x11;
        fs::write(&path, &damaged).unwrap();
        match Journal::open(directory.path()) {
            Ok((_, found)) => {
                assert!(at >= last, "byte {at} was overlooked");
                assert_eq!(names(&found), ["a", "b"]);
            }
            Err(JournalError::Damaged { line, .. }) => {
                let before = whole_lines(&whole[..at]);
                assert!(at < last && (line == before + 1), "byte {at}, line {line}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn one_folder_is_one_writer_s() {
    let directory = tempfile::tempdir().unwrap();
    let first = Journal::open(directory.path()).unwrap();
    let second = Journal::open(directory.path()).unwrap_err();
    assert!(
        second.to_string().contains("is in use by another PDP"),
        "{second}"
    );
    drop(first);
    Journal::open(directory.path()).unwrap();
}

#[test]
fn a_full_disk_is_an_error_and_nothing_is_lost_once_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path());
    let (mut journal, live) = Journal::open(directory.path()).unwrap();
    let more = revocation("c");
    // The one file that is always full stands in the place of the journal's.
    journal.file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    fs::rename(&path, directory.path().join("aside")).unwrap();
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    journal.length = 0;
    let error = journal.append(&Line::Revoke(&more), &live).unwrap_err();
    assert!(matches!(error, JournalError::Io { .. }), "{error}");
    fs::remove_file(&path).unwrap();
    journal.append(&Line::Revoke(&more), &live).unwrap();
    drop(journal);
    assert_eq!(
        names(&Journal::open(directory.path()).unwrap().1),
        ["b", "c"]
    );
}

#[test]
fn a_file_that_was_taken_away_is_written_anew_with_all_that_is_in_force() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("kept");
    let path = written(&folder);
    let (mut journal, live) = Journal::open(&folder).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let more = revocation("c");
    journal.append(&Line::Revoke(&more), &live).unwrap_err();
    fs::create_dir(&folder).unwrap();
    journal.append(&Line::Revoke(&more), &live).unwrap();
    fs::write(&path, "something else").unwrap();
    let (mut live, last) = (live, revocation("d"));
    live.insert(more.revoked.id(), more);
    journal.append(&Line::Revoke(&last), &live).unwrap();
    drop(journal);
    assert_eq!(names(&Journal::open(&folder).unwrap().1), ["b", "c", "d"]);
}

//! What an archive may be made of, by whoever can send one.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::*;

/// A tar archive of these entries, packed.
fn packed(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (path, kind, content) in entries {
        let mut header = Header::new_gnu();
        // Written as bytes: `set_path` would refuse what an attacker would not.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn says(bytes: &[u8]) -> String {
    unpack(bytes).unwrap_err().to_string()
}

const FILE: EntryType = EntryType::Regular;

#[test]
fn files_are_read_with_their_paths_in_one_form() {
    let archive = packed(&[
        ("./", EntryType::Directory, b""),
        ("./a", EntryType::Directory, b""),
        ("/a/b.rego", FILE, b"package a"),
        ("./data.json", FILE, b"{}"),
        (".manifest", FILE, b"{}"),
    ]);
    let files = unpack(&archive).unwrap();
    let paths: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(paths, [".manifest", "a/b.rego", "data.json"]);
    assert_eq!(files["a/b.rego"], b"package a");
}

#[test]
fn what_leads_out_of_the_archive_or_is_no_file_is_refused_by_name() {
    for path in [
        "../a", "a/../b", "a//b", "./../a", "a\\b", "a/./b", "a\nb", "..",
    ] {
        let said = says(&packed(&[(path, FILE, b"x")]));
        assert!(said.contains("no path within"), "{path}: {said}");
    }
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::Block,
    ] {
        let said = says(&packed(&[("link", kind, b"")]));
        assert!(said.contains("`link`, which is neither"), "{said}");
    }
    let twice = packed(&[("a.rego", FILE, b"1"), ("./a.rego", FILE, b"2")]);
    assert!(says(&twice).contains("`a.rego` twice"));
}

#[test]
fn an_archive_cut_anywhere_or_changed_is_refused() {
    let archive = packed(&[("a.rego", FILE, &[b'x'; 4000]), ("b.rego", FILE, b"y")]);
    for end in 0..archive.len() {
        assert!(unpack(&archive[..end]).is_err(), "cut at {end}");
    }
    let mut longer = archive.clone();
    longer.extend_from_slice(b"more");
    assert!(unpack(&longer).is_err());
    let mut changed = archive;
    let last = changed.len() - 6;
    changed[last] ^= 1;
    assert!(says(&changed).contains("not a complete"));
    assert!(says(b"").contains("not a complete"));
    assert!(says(b"package a").contains("not a complete"));
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let zeros = vec![0; 1 << 20];
    let mut bomb = Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for number in 0..64 {
        let mut header = Header::new_gnu();
        header.set_path(format!("{number}.rego")).unwrap();
        header.set_size(zeros.len() as u64);
        header.set_cksum();
        bomb.append(&header, &*zeros).unwrap();
    }
    let bomb = bomb.into_inner().unwrap().finish().unwrap();
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert!(
        says(&bomb).contains("unpacks to more than"),
        "{}",
        says(&bomb)
    );

    // A header that tells of more than there is makes nobody allocate it.
    let mut header = Header::new_gnu();
    header.set_path("a.rego").unwrap();
    header.set_size(1 << 40);
    header.set_cksum();
    let mut liar = GzEncoder::new(Vec::new(), Compression::default());
    liar.write_all(header.as_bytes()).unwrap();
    liar.write_all(&[b'x'; 2048]).unwrap();
    assert!(unpack(&liar.finish().unwrap()).is_err());
}

#[test]
fn no_more_than_so_many_files_are_taken() {
    let names: Vec<String> = (0..=MAX_FILES).map(|n| format!("{n}.rego")).collect();
    let entries: Vec<_> = names
        .iter()
        .map(|name| (&**name, FILE, &b"x"[..]))
        .collect();
    assert!(says(&packed(&entries)).contains("more than 4096 files"));
    assert_eq!(unpack(&packed(&entries[1..])).unwrap().len(), MAX_FILES);
}

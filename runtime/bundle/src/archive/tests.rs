//! Archives as people make them, and as nobody should.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

type Tar = Builder<GzEncoder<Vec<u8>>>;

fn tar_gz(fill: impl FnOnce(&mut Tar)) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    fill(&mut tar);
    tar.into_inner().unwrap().finish().unwrap()
}

/// An entry whose name is put in as it is: the crate would refuse to write some of them.
fn raw(tar: &mut Tar, name: &str, kind: EntryType, content: &[u8]) {
    let mut header = Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_mtime(1_600_000_000);
    header.set_size(content.len() as u64);
    if matches!(kind, EntryType::Symlink | EntryType::Link) {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_cksum();
    tar.append(&header, content).unwrap();
}

fn zipped(fill: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    fill(&mut zip);
    zip.finish().unwrap().into_inner()
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    zipped(|zip| {
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
    })
}

struct Taken {
    outside: TempDir,
    outcome: Result<Unpacked, ArchiveError>,
}

impl Taken {
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.outside.path().join("into").join(name)).unwrap()
    }

    /// Everything that lies around the folder.
    fn around(&self) -> Vec<String> {
        let entries = fs::read_dir(self.outside.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name != "into" && name != "archive")
            .collect()
    }
}

fn take_within(archive: &[u8], limits: &Limits) -> Taken {
    let outside = TempDir::new().unwrap();
    let (path, into) = (outside.path().join("archive"), outside.path().join("into"));
    fs::write(&path, archive).unwrap();
    fs::create_dir(&into).unwrap();
    let outcome = unpack(&mut File::open(&path).unwrap(), &into, limits);
    Taken { outside, outcome }
}

fn take(archive: &[u8]) -> Taken {
    take_within(archive, &Limits::default())
}

#[track_caller]
fn refuse(archive: &[u8], expected: &str) {
    let taken = take(archive);
    let error = taken.outcome.as_ref().unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
    assert_eq!(taken.around(), Vec::<String>::new());
}

#[test]
fn a_folder_is_the_same_when_it_was_packed_and_unpacked() {
    let dir = TempDir::new().unwrap();
    let long = format!("public/{}/{}.txt", "a".repeat(120), "b".repeat(120));
    for (name, content) in [
        ("worker.config.json", "{}"),
        ("bin/run", "#!"),
        (".well-known/x", "y"),
        (&long, "long"),
    ] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    fs::set_permissions(
        dir.path().join("bin/run"),
        PermissionsExt::from_mode(0o4777),
    )
    .unwrap();
    let mut archive = Vec::new();
    let packed = pack(dir.path(), &mut archive).unwrap();
    let mut again = Vec::new();
    pack(dir.path(), &mut again).unwrap();
    assert_eq!(archive, again, "the same files make the same archive");
    let taken = take(&archive);
    assert_eq!(
        (packed.files, packed.bytes),
        (4, taken.outcome.as_ref().unwrap().bytes)
    );
    assert_eq!(taken.read(&long), "long");
    assert_eq!(taken.read(".well-known/x"), "y");
    let mode = |name: &str| {
        let path = taken.outside.path().join("into").join(name);
        fs::metadata(path).unwrap().permissions().mode() & 0o7111
    };
    assert_eq!((mode("bin/run"), mode("worker.config.json")), (0o111, 0));
}

#[test]
fn what_a_component_is_built_from_is_left_out() {
    let dir = TempDir::new().unwrap();
    for name in [
        "Cargo.toml",
        "src/lib.rs",
        "target/x",
        ".git/HEAD",
        "app.wasm",
        "public/src/a",
    ] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    let mut archive = Vec::new();
    assert_eq!(pack(dir.path(), &mut archive).unwrap().files, 2);
    let taken = take(&archive);
    assert_eq!(taken.read("public/src/a"), "x");
}

#[test]
fn a_link_that_leaves_the_folder_is_not_packed() {
    let dir = TempDir::new().unwrap();
    std::os::unix::fs::symlink("/etc/hostname", dir.path().join("host")).unwrap();
    let error = pack(dir.path(), Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "`host` is a link that leaves the bundle");
}

#[test]
fn a_zip_is_unpacked() {
    let archive = zipped(|zip| {
        let plain = SimpleFileOptions::default();
        zip.add_directory("public", plain).unwrap();
        zip.start_file("public/index.html", plain).unwrap();
        zip.write_all(b"<p>").unwrap();
        let stored = plain.compression_method(zip::CompressionMethod::Stored);
        zip.start_file("run", stored.unix_permissions(0o755))
            .unwrap();
        zip.write_all(b"#!").unwrap();
    });
    let taken = take(&archive);
    assert_eq!(
        taken.outcome.as_ref().unwrap(),
        &Unpacked { files: 2, bytes: 5 }
    );
    assert_eq!(
        (taken.read("public/index.html"), taken.read("run")),
        ("<p>".into(), "#!".into())
    );
}

#[test]
fn names_that_lead_out_are_refused_in_both_formats() {
    for (name, reason) in [
        ("../evil", "leads out of the folder"),
        ("a/../../evil", "leads out of the folder"),
        ("a/../b", "leads out of the folder"),
        ("/evil", "is an absolute path"),
        ("..\\evil", "has a character that no name may have"),
    ] {
        refuse(
            &tar_gz(|tar| raw(tar, name, EntryType::Regular, b"x")),
            reason,
        );
        refuse(&zip_of(&[(name, b"x")]), reason);
    }
    let deep = "d/".repeat(40) + "x";
    refuse(&zip_of(&[(&deep, b"x")]), "lies too deep");
    let long = "n".repeat(300);
    refuse(&zip_of(&[(&long, b"x")]), "is too long a name");
}

#[test]
fn links_devices_and_pipes_are_refused() {
    for (kind, what) in [
        (EntryType::Symlink, "`x` is a symbolic link"),
        (EntryType::Link, "`x` is a hard link"),
        (EntryType::Char, "`x` is a device"),
        (EntryType::Block, "`x` is a device"),
        (EntryType::Fifo, "`x` is a pipe"),
        (EntryType::GNUSparse, "`x` is a sparse file"),
    ] {
        refuse(&tar_gz(|tar| raw(tar, "x", kind, b"")), what);
    }
    let linked = zipped(|zip| {
        zip.add_symlink("x", "/etc/passwd", SimpleFileOptions::default())
            .unwrap();
    });
    refuse(&linked, "`x` is a symbolic link");
}

#[test]
fn a_file_is_never_written_over_or_through_another() {
    let twice = tar_gz(|tar| {
        raw(tar, "x", EntryType::Regular, b"1");
        raw(tar, "./x", EntryType::Regular, b"2");
    });
    refuse(&twice, "`./x` is there twice");
    let below = tar_gz(|tar| {
        raw(tar, "x", EntryType::Regular, b"1");
        raw(tar, "x/y", EntryType::Regular, b"2");
    });
    refuse(&below, "`x/y` is there twice");
}

#[test]
fn a_bomb_is_stopped_before_it_is_written() {
    let zeros = vec![0; 64 << 20];
    let limits = Limits {
        bytes_max: 1 << 30,
        ..Limits::default()
    };
    for archive in [
        tar_gz(|tar| raw(tar, "zeros", EntryType::Regular, &zeros)),
        zip_of(&[("zeros", &zeros)]),
    ] {
        let taken = take_within(&archive, &limits);
        let error = taken.outcome.as_ref().unwrap_err().to_string();
        assert_eq!(error, "the archive unpacks to more than 100 times its size");
        let written = fs::metadata(taken.outside.path().join("into/zeros"));
        assert!(written.unwrap().len() <= 17 << 20);
    }
}

/// What follows a bomb does not make it smaller.
#[test]
fn ballast_behind_a_bomb_hides_it_from_nobody() {
    // Hashes of numbers do not get smaller.
    let noise = (0..200_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23));
    let noise: Vec<u8> = noise.flat_map(u64::to_le_bytes).collect();
    let zeros = vec![0; 64 << 20];
    let archive = tar_gz(|tar| {
        raw(tar, "zeros", EntryType::Regular, &zeros);
        raw(tar, "noise", EntryType::Regular, &noise);
    });
    assert!(archive.len() * 100 > zeros.len() + noise.len());
    refuse(&archive, "unpacks to more than 100 times its size");
}

#[test]
fn every_bound_has_its_reason() {
    let files: &[(&str, &[u8])] = &[("a", b"12345"), ("b", b"12345"), ("c", b"12345")];
    let archives = [
        zip_of(files),
        tar_gz(|tar| {
            for (name, content) in files {
                raw(tar, name, EntryType::Regular, content);
            }
        }),
    ];
    let usual = Limits::default();
    for archive in archives {
        for (limits, expected) in [
            (
                Limits {
                    entries_max: 2,
                    ..usual
                },
                "the archive has more than 2 entries",
            ),
            (
                Limits {
                    file_bytes_max: 4,
                    ..usual
                },
                "`a` is larger than 4 bytes",
            ),
            (
                Limits {
                    bytes_max: 12,
                    ..usual
                },
                "the archive unpacks to more than 12 bytes",
            ),
        ] {
            let taken = take_within(&archive, &limits);
            assert_eq!(taken.outcome.unwrap_err().to_string(), expected);
        }
    }
}

#[test]
fn headers_cannot_fill_the_memory() {
    let name = vec![b'n'; 1 << 20];
    let long = tar_gz(|tar| raw(tar, "@", EntryType::GNULongName, &name));
    refuse(&long, "a header is too long");
    let long = tar_gz(|tar| raw(tar, "@", EntryType::XHeader, &name));
    refuse(&long, "a header is too long");
    // What is skipped costs time, and is counted too.
    let zeros = vec![0; 64 << 20];
    let skipped = tar_gz(|tar| raw(tar, "folder", EntryType::Directory, &zeros));
    refuse(&skipped, "unpacks to more than");
}

#[test]
fn half_an_archive_is_none() {
    let noise: Vec<u8> = (0..100_000_u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    for archive in [
        tar_gz(|tar| raw(tar, "noise", EntryType::Regular, &noise)),
        zip_of(&[("noise", &noise)]),
    ] {
        assert!(take(&archive).outcome.is_ok());
        for length in [archive.len() - 1, archive.len() - 9, archive.len() / 2, 20] {
            let taken = take(&archive[..length]);
            assert!(
                matches!(taken.outcome, Err(ArchiveError::Damaged(_))),
                "{length} of {}: {:?}",
                archive.len(),
                taken.outcome
            );
        }
        let mut bent = archive.clone();
        bent[archive.len() / 2] ^= 0x55;
        assert!(matches!(take(&bent).outcome, Err(ArchiveError::Damaged(_))));
    }
    refuse(b"hello", "neither a .tar.gz nor a .zip");
    refuse(b"", "neither a .tar.gz nor a .zip");
}

#[test]
fn names_in_pax_headers_are_checked_too() {
    let record = |path: &str| {
        let body = format!(" path={path}\n");
        let length = body.len() + 2;
        format!("{length}{body}").into_bytes()
    };
    let named = |path: &str| {
        tar_gz(|tar| {
            raw(tar, "pax", EntryType::XHeader, &record(path));
            raw(tar, "innocent", EntryType::Regular, b"x");
        })
    };
    assert_eq!(take(&named("really")).read("really"), "x");
    refuse(&named("../evil"), "leads out of the folder");
    let global = tar_gz(|tar| {
        raw(
            tar,
            "pax",
            EntryType::XGlobalHeader,
            b"30 comment=0123456789abcdef0\n",
        );
        raw(tar, "x", EntryType::Regular, b"x");
    });
    assert_eq!(take(&global).read("x"), "x");
}

/// Two builds whose files differ only in their bytes: their digests see it by the times.
#[test]
fn files_have_the_time_at_which_they_were_unpacked() {
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    let taken = take(&tar_gz(|tar| raw(tar, "x", EntryType::Regular, b"1")));
    let written = fs::metadata(taken.outside.path().join("into/x")).unwrap();
    assert!(written.modified().unwrap() > before, "not in 2020");
}

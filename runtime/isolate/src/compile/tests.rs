//! Claims about the compile cache.
#![allow(clippy::unwrap_used)]

use super::*;

fn engine() -> Engine {
    Engine::default()
}

fn component() -> Vec<u8> {
    wat::parse_str("(component (core module (func (export \"f\"))))").unwrap()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_second_time_comes_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CompileCache::in_folder(&folder.path().join("cache"));
    cache.component(&engine(), &component()).unwrap();
    let kept = entries(&folder.path().join("cache"));
    assert_eq!(kept.len(), 1);
    let written = fs::metadata(&kept[0]).unwrap().modified().unwrap();
    cache.component(&engine(), &component()).unwrap();
    assert_eq!(entries(&folder.path().join("cache")), kept);
    assert_eq!(fs::metadata(&kept[0]).unwrap().modified().unwrap(), written);
}

#[test]
fn nobody_else_may_enter_the_folder_or_read_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("cache");
    fs::create_dir(&place).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
    let cache = CompileCache::in_folder(&place);
    cache.component(&engine(), &component()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place), 0o700);
    assert_eq!(mode(&entries(&place)[0]), 0o600);
}

#[test]
fn a_damaged_entry_is_compiled_anew() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CompileCache::in_folder(&folder.path().join("cache"));
    cache.component(&engine(), &component()).unwrap();
    let entry = entries(&folder.path().join("cache")).remove(0);
    fs::remove_file(&entry).unwrap();
    fs::write(&entry, b"not machine code").unwrap();
    cache.component(&engine(), &component()).unwrap();
    assert!(fs::metadata(&entry).unwrap().len() > 100);
}

#[test]
fn a_folder_that_is_a_link_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    CompileCache::in_folder(&link)
        .component(&engine(), &component())
        .unwrap();
    assert!(entries(&real).is_empty());
}

#[test]
fn what_is_no_component_is_refused_with_the_reason() {
    let engine = engine();
    let check = |bytes: &[u8], expected: &str| {
        let refused = CompileCache::off().component(&engine, bytes);
        let reason = refused.map(drop).unwrap_err().to_string();
        assert!(reason.contains(expected), "{reason}");
    };
    check(
        &engine.precompile_component(&component()).unwrap(),
        "precompiled",
    );
    check(&wat::parse_str("(module)").unwrap(), "core wasm module");
    check(b"\0asm", "does not compile");
    check(b"", "does not compile");
    check(b"#!/bin/sh", "does not compile");
}

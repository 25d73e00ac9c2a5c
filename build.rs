//! Names the sources that a binary is made of. The package's version alone says little: plans, shards
//! and snapshots of two commits would bear the same one. A digest of the sources is the same on every
//! machine, with or without a repository, and differs as soon as anything was changed.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::Result;
use std::path::{Path, PathBuf};

/// What decides on what a binary does. Dependencies are named by the lock file.
const SOURCES: [&str; 3] = ["Cargo.lock", "Cargo.toml", "src"];

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let mut files = BTreeSet::new();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
        collect(Path::new(source), &mut files)?;
    }
    let mut hasher = DefaultHasher::new();
    for file in files {
        let bytes = fs::read(&file)?;
        for part in [file.to_string_lossy().replace('\\', "/").as_bytes(), &bytes] {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
    }
    println!("cargo:rustc-env=EVENKEEL_SOURCES={:016x}", hasher.finish());
    Ok(())
}

/// The files at and below a path.
fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        // Not every package of the sources has a lock file.
        files.extend(path.exists().then(|| path.to_owned()));
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

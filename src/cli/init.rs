//! `evenkeel init`: a starter repository. Never overwrites.

use std::fs::OpenOptions;
use std::io::{Error, Write};
use std::path::Path;

use super::args::InitArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::out;

/// What is written: path and text.
const FILES: [(&str, &str); 7] = [
    ("evenkeel.toml", include_str!("../../examples/starter/evenkeel.toml")),
    ("baselines/foundation.toml", include_str!("../../baselines/foundation.toml")),
    ("baselines/report-only.toml", include_str!("../../baselines/report-only.toml")),
    (".github/workflows/evenkeel.yml", include_str!("../../examples/starter/workflow.yml")),
    ("ci/install.sh", include_str!("../../examples/fleet/ci/install.sh")),
    ("ci/fetch-artifact.sh", include_str!("../../examples/fleet/ci/fetch-artifact.sh")),
    (".gitignore", include_str!("../../examples/starter/gitignore")),
];

/// Runs the command.
pub fn run(args: &InitArgs) -> Result<Exit, Failure> {
    for (name, text) in FILES {
        let path = args.dir.join(name);
        let done = if out::is_taken(&path) {
            "kept     "
        } else {
            write(&args.dir, &path, text).map_err(|error| Failure::file("write", &path, error))?;
            "wrote    "
        };
        out::line(&format!("{done}{}", path.display()));
    }
    let dir = args.dir.display();
    out::line(&format!(
        "\nNext, in {dir}:\n  evenkeel validate                  check the files, offline\n  evenkeel plan                      what would change in the account of your AWS credentials\n  evenkeel policy --mode report      the IAM policy that this needs"
    ));
    Ok(Exit::Done)
}

fn write(dir: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
        // A linked folder would lead to somewhere else.
        let top = dir.canonicalize()?;
        if !folder.canonicalize()?.starts_with(&top) {
            return Err(Error::other(format!("its folder leads out of {}", top.display())));
        }
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

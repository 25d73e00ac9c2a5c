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
    // All or nothing: a linked folder would lead to somewhere else.
    for (name, _) in FILES {
        let folders = Path::new(name).ancestors().skip(1);
        if let Some(folder) = folders
            .map(|folder| args.dir.join(folder))
            .find(|folder| *folder != args.dir.join("") && folder.is_symlink())
        {
            return Err(Failure::file(
                "write into",
                &folder,
                Error::other("it is a link that leads away, and nothing was written"),
            ));
        }
    }
    for (name, text) in FILES {
        let path = args.dir.join(name);
        let done = if out::is_taken(&path) {
            "kept     "
        } else {
            write(&path, text).map_err(|error| Failure::file("write", &path, error))?;
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

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

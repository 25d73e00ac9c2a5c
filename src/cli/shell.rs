//! `evenkeel completions` and `evenkeel man`.

use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs};
use super::exit::Exit;
use super::failure::Failure;

/// Prints completions for a shell.
pub fn completions(args: &CompletionsArgs) {
    let mut command = Cli::command();
    clap_complete::generate(args.shell, &mut command, "evenkeel", &mut std::io::stdout());
}

/// Prints the manual page.
pub fn man() -> Result<Exit, Failure> {
    clap_mangen::Man::new(Cli::command())
        .render(&mut std::io::stdout())
        .map_err(|error| Failure::file("write", std::path::Path::new("standard output"), error))?;
    Ok(Exit::Done)
}

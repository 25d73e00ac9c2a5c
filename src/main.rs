//! The `evenkeel` command: parse the arguments, run the command, turn the outcome into an exit
//! code.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use cli::args::Cli;
use cli::exit::Exit;

/// A fifth of a fleet's CPU time went into the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// More threads than this have nothing to do: the work is waiting for AWS.
const MOST_THREADS: usize = 8;

/// Files that may be open at the same time: a fleet keeps connections to a hundred endpoints and more,
/// and many systems allow 1,024 files unless more are asked for.
const OPEN_FILES: u64 = 8192;

/// Shows what is wrong with a command line, which may be a text that others wrote.
fn complain(error: &clap::Error) {
    let text = error.render().to_string();
    let shown = evenkeel::visible::visible_lines(&text);
    match shown == text {
        true => _ = error.print(),
        false => cli::out::say(&shown),
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            complain(&error);
            // Exit code 2 means drift, so a mistake on the command line must not give it.
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done.into(),
                _ => Exit::Error.into(),
            };
        }
    };
    let traces = cli::terminal::prepare(&cli.global);
    if let Err(error) = rlimit::increase_nofile_limit(OPEN_FILES) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get());
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.clamp(2, MOST_THREADS))
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            cli::out::say(&format!("error: cannot start: {error}"));
            return Exit::Error.into();
        }
    };
    let colours = cli::terminal::colours_on_stderr(&cli.global);
    let done = runtime.block_on(cli::run(cli)).and_then(|exit| cli::out::is_whole().map(|()| exit));
    if let Some(traces) = traces {
        traces.end();
    }
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let exit = failure.exit();
            cli::out::say(&report(&failure, colours));
            exit.into()
        }
    }
}

/// A failure as the reader sees it.
fn report(failure: &cli::failure::Failure, colours: bool) -> String {
    let theme = if colours {
        miette::GraphicalTheme::unicode()
    } else {
        miette::GraphicalTheme::unicode_nocolor()
    };
    let mut text = String::new();
    let width = 100;
    let shown = cli::shown::Shown::new(failure);
    let rendered = miette::GraphicalReportHandler::new_themed(theme)
        .with_width(width)
        .render_report(&mut text, &shown);
    if rendered.is_err() {
        text = format!("error: {shown}");
    }
    if let Some(next) = failure.next() {
        // In one line, to be copied.
        text = format!("{}\n  next: {next}", text.trim_end());
    }
    text
}

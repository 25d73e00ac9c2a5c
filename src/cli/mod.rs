//! The command line: one file a subcommand, with no logic that a user of the library would miss.

pub mod again;
pub mod apply;
pub mod args;
pub mod ask;
pub mod audit;
pub mod ceilings;
pub mod check;
pub mod exit;
pub mod explain;
pub mod export;
pub mod failure;
pub mod git;
pub mod init;
pub mod key;
pub mod look;
pub mod merge_reports;
pub mod out;
pub mod plan;
pub mod policy;
pub mod repository;
pub mod run;
pub mod saved;
pub mod schema;
pub mod settings;
pub mod shell;
pub mod shown;
pub mod snapshot;
pub mod validate;
pub mod watch;

use args::{Cli, Color, Command, Global, LogFormat};
use exit::Exit;
use failure::Failure;
use tracing_subscriber::EnvFilter;

/// Runs a command.
///
/// # Errors
/// What the reader can mend.
pub async fn run(cli: Cli) -> Result<Exit, Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Init(args) => init::run(args),
        Command::Validate(args) => validate::run(global, args),
        Command::Plan(args) => plan::run(global, args).await,
        Command::Apply(args) => apply::run(global, args).await,
        Command::Check(args) => check::run(global, args).await,
        Command::Snapshot(args) => snapshot::run(global, args).await,
        Command::Export(args) => export::run(global, args).await,
        Command::MergeReports(args) => merge_reports::run(global, args).await,
        Command::Run(args) => run::run(global, args).await,
        Command::Audit(args) => audit::run(global, args),
        Command::Explain(args) => explain::run(args),
        Command::Policy(args) => policy::run(global, args),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => {
            shell::completions(args);
            Ok(Exit::Done)
        }
        Command::Man => shell::man(),
    }
}

/// Sets up colours and the log as the global options say.
pub fn prepare(global: &Global) {
    match global.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        // The SDK tells on the way why it finds no credentials; our own error says what to do.
        (_, 0) => "warn,aws_config=error,aws_runtime=error,aws_smithy_runtime=error",
        (_, 1) => "evenkeel=info,warn",
        _ => "evenkeel=debug,info",
    };
    let filter = EnvFilter::try_from_env("EVENKEEL_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match global.log_format {
        LogFormat::Text => log.with_ansi(colours_on_stderr(global)).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// Whether standard error takes colours.
pub fn colours_on_stderr(global: &Global) -> bool {
    match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
        }
    }
}

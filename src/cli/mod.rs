//! The command line: one file a subcommand, with no logic that a user of the library would miss.

pub mod again;
pub mod anchor;
pub mod apply;
pub mod args;
pub mod ask;
pub mod audit;
pub mod check;
pub mod conclude;
pub mod confirm;
pub mod deploy;
pub mod exit;
pub mod explain;
pub mod export;
pub mod failure;
pub mod git;
pub mod history;
pub mod init;
pub mod key;
pub mod listen;
pub mod look;
pub mod memory;
pub mod merge_reports;
pub mod notices;
pub mod out;
pub mod plan;
pub mod policy;
pub mod release;
pub mod remember;
pub mod repository;
pub mod rollback;
pub mod rollout;
pub mod run;
pub mod saved;
pub mod schema;
pub mod settings;
pub mod shell;
pub mod show;
pub mod show_run;
pub mod shown;
pub mod snapshot;
pub mod status;
pub mod terminal;
pub mod validate;
pub mod watch;

use args::{Cli, Command, NotifyCommand};
use exit::Exit;
use failure::Failure;

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
        Command::Status(args) => status::run(global, args).await,
        Command::Confirm(args) => confirm::run(global, args).await,
        Command::Release(args) => release::run(global, args).await,
        Command::Rollout(args) => rollout::run(global, args).await,
        Command::History(args) => history::run(global, args).await,
        Command::Show(args) => show_run::run(global, args).await,
        Command::Rollback(args) => rollback::run(global, args).await,
        Command::Audit(args) => audit::run(global, args).await,
        Command::Notify(args) => match &args.command {
            NotifyCommand::Test(args) => notices::test(global, args).await,
        },
        Command::Explain(args) => explain::run(args),
        Command::Policy(args) => policy::run(global, args),
        Command::Deploy(args) => deploy::run(global, args),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => {
            shell::completions(args);
            Ok(Exit::Done)
        }
        Command::Man => shell::man(),
    }
}

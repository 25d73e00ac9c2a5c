//! Words of the commands about guards: how everything stands, and what holds something back.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Beside, ListFormat, LogFormat};

/// `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Only ask the running controller whether it is alive: exit code 0 when it is, 1 when it is not.
    /// For health checks of containers without a shell
    #[arg(long, conflicts_with = "format")]
    pub alive: bool,
    /// The controller to ask, such as `https://evenkeel.example.com:9464`; the one of this machine that the
    /// fleet file names by default
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The authorities whose certificates are trusted, in PEM form; without it, the controller of this
    /// machine must show the certificate that the fleet file names
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The name that the controller's certificate must have, where that is another one than in the URL
    #[arg(long, value_name = "NAME", requires = "ca")]
    pub server_name: Option<String>,
    /// The certificate to show to a controller that asks for one, in PEM form
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// Its key, which nobody else may read
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// The form of the output
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub format: ListFormat,
    #[command(flatten)]
    pub beside: Beside,
}

/// `confirm`.
#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// The targets of the fleet file
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    #[command(flatten)]
    pub beside: Beside,
}

/// `release`.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// The objects, as plans name them: ACCOUNT/REGION/ITEM/ID
    #[arg(value_name = "OBJECT")]
    pub objects: Vec<String>,
    #[command(flatten)]
    pub beside: Beside,
}

/// `rollout`.
#[derive(Debug, Args)]
pub struct RolloutArgs {
    /// What to do
    #[command(subcommand)]
    pub command: RolloutCommand,
}

/// What can be done with a rollout.
#[derive(Debug, Subcommand)]
pub enum RolloutCommand {
    /// How far each target is
    Status(RolloutStatusArgs),
    /// Go on after a halt
    Resume(RolloutResumeArgs),
    /// Give the version up: what it says anew is written nowhere any more
    Abort(RolloutTargetArgs),
}

/// `rollout status`.
#[derive(Debug, Args)]
pub struct RolloutStatusArgs {
    /// As what to print it
    #[arg(long, value_enum, default_value = "text")]
    pub format: LogFormat,
    #[command(flatten)]
    pub beside: Beside,
}

/// `rollout resume`.
#[derive(Debug, Args)]
pub struct RolloutResumeArgs {
    /// Also a version that was given up with `rollout abort`: it goes out again
    #[arg(long)]
    pub given_up: bool,
    #[command(flatten)]
    pub of: RolloutTargetArgs,
}

/// `rollout resume` and `rollout abort`.
#[derive(Debug, Args)]
pub struct RolloutTargetArgs {
    /// The targets; all that have a rollout when none is named
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    #[command(flatten)]
    pub beside: Beside,
}

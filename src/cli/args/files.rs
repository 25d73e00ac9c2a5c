//! Words of the commands about files and words alone: nothing of them looks at AWS.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Selectors;

/// `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where
    #[arg(default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
}

/// `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Baseline files or folders; without any, the fleet file and its baselines, or baselines/
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Print the effective baseline with the file and line that each value came from
    #[arg(long)]
    pub expanded: bool,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A kind, or one of its fields: iam.password_policy.max_password_age; none lists all kinds
    #[arg(value_name = "KIND[.FIELD]")]
    pub subject: Option<String>,
}

/// `policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(flatten)]
    pub selectors: Selectors,
    /// Whether evenkeel may write
    #[arg(long, value_name = "MODE")]
    pub mode: PolicyMode,
    /// The form of the policy
    #[arg(long, default_value = "json", value_name = "FORMAT")]
    pub format: PolicyFormat,
    #[command(flatten)]
    pub bounds: Bounds,
}

/// What the permissions of evenkeel's role never let it do.
#[derive(Debug, Clone, Args)]
pub struct Bounds {
    /// The ARN of the role that evenkeel runs as, which the permissions deny it to change; by default
    /// the role_arn of the fleet file
    #[arg(long, value_name = "ARN")]
    pub own_role: Option<String>,
    /// Allow roles to be made, and their rights to be changed, only with this permissions boundary
    #[arg(long, value_name = "ARN")]
    pub permissions_boundary: Option<String>,
    /// Allow also what `evenkeel rollback` needs to put back what was there: deletions of what
    /// evenkeel made, and writes that are not declared
    #[arg(long)]
    pub with_rollback: bool,
}

/// What evenkeel may do with the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyMode {
    /// Read.
    Report,
    /// Read, and write what items in mode "enforce" need.
    Enforce,
}

/// The forms of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyFormat {
    /// The policy document.
    Json,
    /// A Terraform resource.
    Terraform,
    /// A CloudFormation template.
    Cloudformation,
}

/// `deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The form of the template
    #[arg(value_name = "FORM")]
    pub form: DeployForm,
    /// Which part of a deployment
    #[arg(value_name = "PART")]
    pub part: DeployPart,
    #[command(flatten)]
    pub selectors: Selectors,
    /// Whether evenkeel may write (part member-role)
    #[arg(long, value_name = "MODE", required_if_eq("part", "member-role"))]
    pub mode: Option<PolicyMode>,
    #[command(flatten)]
    pub bounds: Bounds,
    /// Write the template to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// The forms of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeployForm {
    /// A CloudFormation template, in JSON; fit for StackSets.
    Cloudformation,
    /// A Terraform configuration, in JSON: save it as main.tf.json.
    Terraform,
}

/// The parts of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeployPart {
    /// Once, in the controller's account and Region: bus, queue, what the controller may do.
    Hub,
    /// Once in each account: the role that evenkeel takes.
    MemberRole,
    /// In each Region of each account: the rules that pass events on to the hub.
    MemberEvents,
}

/// `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Of which file
    #[arg(default_value = "baseline", value_name = "FILE")]
    pub file: SchemaOf,
}

/// The files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// A baseline.
    Baseline,
    /// The fleet file.
    Fleet,
    /// A plan, as `--format json` prints it.
    Plan,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

//! The fleet file's words.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::guards::{Breaker, Fights, Rollout};
use super::notify::Notify;
use super::span::Span;
use crate::baseline::Mode;
use crate::kinds::{GrantClass, Risk};
use crate::names::AccountId;

/// The fleet file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FleetFile {
    /// The version of the language; 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema: u32,
    /// Names of environment variables that baselines may use as `${env.NAME}`.
    #[serde(default)]
    pub env: Vec<String>,
    /// The Region that account-wide things are governed from; without it, that of the AWS settings,
    /// so that two people with different settings would have two homes.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)+$"))]
    pub home_region: Option<String>,
    /// Which accounts get which baselines.
    #[serde(default, rename = "target")]
    pub targets: Vec<Target>,
    /// How to get into each account.
    #[serde(default)]
    pub access: Option<Access>,
    /// The limits of a run.
    #[serde(default)]
    pub safety: SafetyTable,
    /// How a new version of the baselines reaches the accounts: all at once, or in waves.
    #[serde(default)]
    pub rollout: Rollout,
    /// Limits on the calls to AWS.
    #[serde(default)]
    pub limits: Limits,
    /// Where history and the audit log are kept.
    #[serde(default)]
    pub store: Store,
    /// Who is told what, by which channel.
    #[serde(default)]
    pub notify: Notify,
    /// The long-running controller.
    #[serde(default)]
    pub controller: Option<Controller>,
}

/// Accounts and their baselines.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name, for `-t`.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Baseline files, relative to the fleet file.
    #[schemars(length(min = 1))]
    pub baselines: Vec<String>,
    /// The accounts; without it, the account of the AWS credentials.
    #[serde(default)]
    pub select: Option<Selector>,
    /// Accounts of `select` that are left out.
    #[serde(default)]
    pub except: Option<Selector>,
    /// A ceiling: a target in mode "report" never writes.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// Values for variables of the baselines.
    #[serde(default)]
    pub variables: BTreeMap<String, Json>,
    /// When `evenkeel run` looks at it: cron with seconds.
    #[serde(default)]
    pub schedule: Option<String>,
    /// Whether `evenkeel run` may apply it from the first time on. Without it, `run` only reports a
    /// target that was never applied, until `evenkeel apply` or `evenkeel confirm`. False by default.
    #[serde(default)]
    pub confirmed: bool,
}

/// A choice of accounts. `select` chooses the accounts that meet every part that is given,
/// `except` leaves out those that meet any part.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// Account ids.
    #[serde(default)]
    #[schemars(inner(regex(pattern = r"^[0-9]{12}$")))]
    pub accounts: Vec<String>,
    /// Organizational units, those below them included.
    #[serde(default)]
    pub ous: Vec<String>,
    /// Tags that an account must have.
    #[serde(default)]
    pub account_tags: BTreeMap<String, String>,
}

/// How to get into an account.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The role to assume; `${account.id}` and `${partition}` are filled in.
    pub role_arn: String,
    /// The external id that the role's trust policy asks for: 2 to 1224 characters.
    #[serde(default)]
    #[schemars(length(min = 2, max = 1224))]
    pub external_id: Option<String>,
    /// The name of the session, which CloudTrail records.
    #[serde(default = "default_session_name")]
    #[schemars(length(min = 2, max = 64))]
    pub session_name: String,
    /// The role in the account that can list the organization.
    #[serde(default)]
    pub organizations_role_arn: Option<String>,
    /// Whether the run's id is the session's source identity, which CloudTrail keeps through role
    /// chains; the role's trust policy must allow `sts:SetSourceIdentity`. True by default.
    #[serde(default = "yes")]
    pub source_identity: bool,
    /// Whether the run's id is a tag of the session, `evenkeel-run`; the role's trust policy must
    /// allow `sts:TagSession`. True by default.
    #[serde(default = "yes")]
    pub session_tags: bool,
}

/// The limits of a run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SafetyTable {
    /// Changes in all.
    pub max_changes: usize,
    /// Changes in one account.
    pub max_changes_per_account: usize,
    /// Changes in all in any 24 hours.
    pub max_changes_per_day: usize,
    /// Changes in one account in any 24 hours.
    pub max_changes_per_account_per_day: usize,
    /// Changes of a higher risk are reported, not applied.
    pub max_risk: Risk,
    /// Changes that give rights to somebody in another account (`foreign`), to everybody (`public`)
    /// or over everything (`administrator`) are reported, not applied, unless their class is here.
    pub allow_grants: BTreeSet<GrantClass>,
    /// Accounts to which rights may be given as if they were the account itself: what a policy gives to
    /// these alone is not held back as `foreign`, and the plan still names it. Who trusts an account
    /// trusts everybody who may act there. None by default.
    pub trusted_accounts: BTreeSet<AccountId>,
    /// Whether the accounts that the targets of this file select are trusted as well, by all targets
    /// and whatever -t and -a choose. False by default. Other accounts of the organization are not.
    pub trust_fleet_accounts: bool,
    /// Whether saved plans are applied only with `--verify`, which takes only what is signed with
    /// its key. False by default.
    pub require_signed_plans: bool,
    /// When changes may be applied.
    pub change_windows: Vec<ChangeWindow>,
    /// A file, relative to the fleet file: as long as it is there, nothing new is written to AWS. It is
    /// looked for directly before each write. None by default.
    #[schemars(length(min = 1))]
    pub kill_switch: Option<String>,
    /// A parameter of AWS Systems Manager in the account of evenkeel's own credentials: unless it says
    /// `off`, nothing new is written to AWS, also when it cannot be read. It is read directly before each
    /// write, at most once in a second. None by default.
    pub kill_switch_parameter: Option<SwitchParameter>,
    /// When writing stops because too much of it fails.
    pub breaker: Breaker,
    /// When writing an object stops because somebody changes it back.
    pub fights: Fights,
}

impl Default for SafetyTable {
    fn default() -> Self {
        Self {
            max_changes: 200,
            max_changes_per_account: 25,
            max_changes_per_day: 1000,
            max_changes_per_account_per_day: 100,
            max_risk: Risk::Disruptive,
            allow_grants: BTreeSet::new(),
            trusted_accounts: BTreeSet::new(),
            trust_fleet_accounts: false,
            require_signed_plans: false,
            change_windows: Vec::new(),
            kill_switch: None,
            kill_switch_parameter: None,
            breaker: Breaker::default(),
            fights: Fights::default(),
        }
    }
}

/// A parameter of AWS Systems Manager that stops writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchParameter {
    /// Its name, such as `/evenkeel/stop`.
    #[schemars(length(min = 1, max = 1011))]
    pub name: String,
    /// Its Region; the home Region by default.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub region: Option<String>,
}

/// A time in which changes may be applied.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeWindow {
    /// When it opens: cron with seconds.
    pub cron: String,
    /// How long it stays open, in hours.
    #[schemars(range(min = 1, max = 168))]
    pub hours: u32,
    /// The time zone of `cron`, such as `Asia/Seoul`; UTC by default.
    #[serde(default)]
    pub timezone: Option<String>,
}

/// Limits on the calls to AWS.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Accounts looked at at the same time.
    #[schemars(range(min = 1, max = 1000))]
    pub concurrent_accounts: usize,
    /// Requests per second for each account, Region and service. Where AWS documents a quota of an
    /// operation (KMS, CloudTrail), 20 stands for half of it, and 40 or more for all of it.
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: u32,
    /// Seconds after which what has not been read in an account is unknown.
    #[schemars(range(min = 1, max = 86400))]
    pub account_timeout_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { concurrent_accounts: 32, requests_per_second: 20, account_timeout_seconds: 600 }
    }
}

/// Where history and the audit log are kept.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The database in which runs, changes and drift are remembered: `sqlite://PATH`, relative to the
    /// fleet file, or `postgres://USER@HOST/DATABASE`, which several controllers can share; the
    /// password of the latter comes from `PGPASSWORD` or `~/.pgpass`. Without one, the controller keeps
    /// its runs in a SQLite file beside its audit log.
    #[schemars(regex(pattern = r"^(sqlite|postgres|postgresql)://"))]
    pub url: Option<String>,
    /// How many days of history are kept; what is not finished stays, however old.
    #[schemars(range(min = 1))]
    pub keep_days: u32,
    /// How long an account stays claimed by a controller that gives no sign any more, where several share
    /// the database, and after which a run that gives none was killed; 150 seconds by default, longer than
    /// any call to AWS takes.
    pub lease: Span,
    /// The append-only audit log, relative to the fleet file; `.evenkeel/audit.jsonl` by default.
    pub audit_log: Option<String>,
    /// Where the head of the audit log is kept, so that it shows when somebody cuts the log off or
    /// replaces it; nowhere by default.
    pub anchor: Option<Anchor>,
}

/// A bucket with Object Lock, in which the head of the audit log is kept after each run that wrote to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The bucket, best in an account that whoever can write the log has no way into. It has Object Lock.
    #[schemars(length(min = 3, max = 63))]
    pub bucket: String,
    /// Its Region; `home_region` by default.
    #[serde(default)]
    pub region: Option<String>,
    /// What the names of its objects begin with; `evenkeel/` by default.
    #[serde(default = "Anchor::beginning")]
    pub prefix: String,
    /// For how many days nobody can change or delete an object, the root user included (mode
    /// `COMPLIANCE`); 400 by default.
    #[schemars(range(min = 1, max = 36500))]
    #[serde(default = "Anchor::days")]
    pub days: u32,
}

impl Anchor {
    fn beginning() -> String {
        "evenkeel/".to_owned()
    }

    fn days() -> u32 {
        400
    }
}

impl Default for Store {
    fn default() -> Self {
        Self { url: None, keep_days: 400, lease: Span::seconds(150), audit_log: None, anchor: None }
    }
}

/// The controller.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Controller {
    /// The address and port where the controller answers with its metrics (`/metrics`), its health
    /// (`/healthz`, `/readyz`) and how everything stands (`/status`), such as `127.0.0.1:9464`. It
    /// answers nobody by default.
    pub listen: Option<String>,
    /// Where the token is that who asks for metrics or status must bring (`Authorization: Bearer …`):
    /// `${env.NAME}`, or `file:PATH`, relative to this file; 16 bytes at least. An address that others
    /// than this machine can reach needs one, or `listen_tls` with `client_ca`.
    pub listen_token: Option<String>,
    /// The certificate that it answers with, over TLS; without it, it answers in clear.
    pub listen_tls: Option<ListenTls>,
    /// The URL of the SQS queue that an EventBridge rule fills with CloudTrail's events of calls.
    pub event_queue_url: Option<String>,
    /// The repository that the files are brought from. Then this file says only how: its `[controller]`,
    /// `[store]` and `[safety] kill_switch` hold, and everything else is in the repository's fleet file,
    /// which may only say the same of these.
    pub git: Option<Git>,
    /// Calls that the controller makes to hear of them, so that it knows in which accounts events come.
    /// None by default.
    pub heartbeat: Option<Heartbeat>,
    /// How old the sight of an account may be; what is older is shown as missed.
    pub objectives: Objectives,
    /// How often the kinds are looked at that events themselves depend on, such as the trail, where
    /// there is an `event_queue_url`; two minutes by default.
    pub path_every: Option<Span>,
}

/// TLS of the address where the controller answers. The files are in PEM form, relative to this file, and
/// read anew when they change; new ones that cannot be used are refused, and the last good ones stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListenTls {
    /// The controller's certificate, and after it those between it and its authority.
    pub certificate: String,
    /// Its private key, without a passphrase. Other users of the machine must not be able to read it.
    pub key: String,
    /// The authorities of client certificates: then metrics and status are only for who shows one that an
    /// authority of this file has issued. Probes need none.
    pub client_ca: Option<String>,
}

/// Calls that the controller makes to hear of them: in each account, in its home Region, a dry run of
/// `ec2:CreateTags`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Heartbeat {
    /// How often; five minutes by default.
    pub every: Span,
    /// After so long without its event, the account counts as blind; 15 minutes by default.
    pub within: Span,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { every: Span::seconds(5 * 60), within: Span::seconds(15 * 60) }
    }
}

/// How old the sight of an account may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Objectives {
    /// The last look at all that is declared for it.
    pub full: Option<Span>,
    /// The time from a call to its event.
    pub event: Option<Span>,
}

/// A repository that the files are brought from, by the `git` command.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Git {
    /// Its URL: `https://`, `ssh://`, `file://` or `user@host:path`, without a password.
    #[schemars(length(min = 1))]
    pub url: String,
    /// The branch, tag or ref whose newest commit is in force.
    #[serde(default = "main_branch", rename = "ref")]
    pub reference: String,
    /// The fleet file in it.
    #[serde(default = "fleet_file_name")]
    #[schemars(length(min = 1))]
    pub path: String,
    /// How often it is asked; one minute by default.
    #[serde(default = "every_minute")]
    pub every: Span,
    /// Whether a commit is taken only with a signature that `git verify-commit` finds good, and only
    /// when it follows the one in force. False by default.
    #[serde(default)]
    pub verify_signatures: bool,
}

fn main_branch() -> String {
    "main".to_owned()
}

fn fleet_file_name() -> String {
    "evenkeel.toml".to_owned()
}

fn every_minute() -> Span {
    Span::seconds(60)
}

fn yes() -> bool {
    true
}

fn default_session_name() -> String {
    "evenkeel".to_owned()
}

/// The JSON Schema of the fleet file.
pub fn schema() -> Json {
    schemars::schema_for!(FleetFile).to_value()
}

/// A cron expression with seconds.
///
/// # Errors
/// What is wrong with it.
pub fn schedule(text: &str) -> Result<croner::Cron, String> {
    croner::parser::CronParser::builder()
        .seconds(croner::parser::Seconds::Required)
        .build()
        .parse(text)
        .map_err(|error| error.to_string())
        .and_then(|cron| match cron.find_next_occurrence(&DateTime::<Utc>::UNIX_EPOCH, true) {
            Ok(_) => Ok(cron),
            Err(_) => Err("it never comes".to_owned()),
        })
}

//! What is declared of Security Hub in an organization, what is observed, and the writes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::catalog::SpecProblem;
use crate::kinds::organization::administrator::Administrator;
use crate::kinds::spec::aws_enum;
use crate::names::AccountId;

/// AWS Security Hub (CSPM) in an organization, in a Region: which account administers it, and whether the accounts that
/// join are switched on by themselves (local configuration) or as policies of the administrator say (central
/// configuration).
///
/// AWS tells and takes `admin_account_id` in the organization's management account alone, and the rest in the
/// administrator account alone. Declare each for its account; elsewhere the item is unknown. Where the management
/// account is the administrator itself, both are declared there.
///
/// Security Hub takes central configuration in the home Region of a finding aggregator alone
/// (`securityhub.finding_aggregator`, with other Regions linked), and not for new accounts by themselves: declare
/// `configuration_type = "CENTRAL"` for that Region. While Security Hub is still changing over, the object is
/// unknown; that it could not is reported with its reason. The policies themselves (`CreateConfigurationPolicy`)
/// are no field here.
///
/// evenkeel names an administrator account where there is none. It takes none away: all members would go with it.
/// Another one than declared is reported. Where Security Hub policies of AWS Organizations manage the organization,
/// evenkeel reports and writes nothing.
///
/// Source: Security Hub API Reference, `ListOrganizationAdminAccounts`, `EnableOrganizationAdminAccount`,
/// `DescribeOrganizationConfiguration`, `UpdateOrganizationConfiguration`; Security Hub User Guide, "Managing
/// administrator and member accounts with AWS Organizations", "Understanding central configuration".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The account that administers Security Hub for the organization in this Region. Only for the management account.
    pub admin_account_id: Option<AccountId>,
    /// Whether Security Hub is switched on in accounts that join the organization. AWS's default is `false`, and with
    /// central configuration it is never otherwise. That AWS takes no more members is reported where it is `true`.
    pub auto_enable: Option<bool>,
    /// The standards that these accounts begin with: `DEFAULT`, AWS's default, or `NONE`, which it always is with
    /// central configuration.
    pub auto_enable_standards: Option<AutoEnableStandards>,
    /// Whether each account has its own settings (`LOCAL`, AWS's default) or those of policies (`CENTRAL`).
    pub configuration_type: Option<ConfigurationType>,
}

aws_enum! {
    /// The standards that new accounts begin with.
    AutoEnableStandards {
        None = "NONE",
        Default = "DEFAULT",
    }
}

aws_enum! {
    /// Who decides the settings of accounts.
    ConfigurationType {
        Local = "LOCAL",
        Central = "CENTRAL",
    }
}

/// Samples, which together declare every field: of a management account that is the administrator itself.
pub const SAMPLES: [&str; 2] = [
    r#"
[securityhub.hub]
enabled = true

[securityhub.organization]
admin_account_id      = "${account.id}"
auto_enable           = true
auto_enable_standards = "NONE"
configuration_type    = "LOCAL"
"#,
    r#"
[securityhub.hub]
enabled = true

[securityhub.organization]
admin_account_id      = "${account.id}"
auto_enable           = false
auto_enable_standards = "DEFAULT"
"#,
];

/// What Security Hub would refuse.
pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    if spec.configuration_type != Some(ConfigurationType::Central) {
        return Vec::new();
    }
    let problem = |field: &str, help: &str| {
        SpecProblem::new(
            field,
            "with central configuration, policies decide what accounts have, and nothing is switched on beside them",
            help,
        )
    };
    let mut problems = Vec::new();
    if spec.auto_enable == Some(true) {
        problems.push(problem("auto_enable", "declare false, or leave it out"));
    }
    if spec.auto_enable_standards == Some(AutoEnableStandards::Default) {
        problems.push(problem("auto_enable_standards", "declare NONE, or leave it out"));
    }
    problems
}

/// What is there. What is not declared is not looked at.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The administrator, as the management account is told.
    pub administrator: Option<Administrator>,
    /// What this account, the administrator, has configured.
    pub configuration: Option<Configuration>,
}

/// What is configured.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// As it is written.
    #[serde(flatten)]
    pub settings: Settings,
    /// Whether AWS takes no more members.
    pub member_account_limit_reached: bool,
    /// Why central configuration could not be begun, where it could not.
    #[serde(default)]
    pub failed: Option<String>,
}

/// What is written as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// As in [`Spec`].
    pub auto_enable: bool,
    /// As in [`Spec`].
    pub auto_enable_standards: AutoEnableStandards,
    /// As in [`Spec`].
    pub configuration_type: ConfigurationType,
}

impl Settings {
    /// What AWS begins with (Security Hub API Reference, `DescribeOrganizationConfiguration`).
    pub const FIRST: Self = Self {
        auto_enable: false,
        auto_enable_standards: AutoEnableStandards::Default,
        configuration_type: ConfigurationType::Local,
    };

    /// These with what is declared; with central configuration, what it always has.
    pub fn with(&self, spec: &Spec) -> Self {
        let configuration_type = spec.configuration_type.unwrap_or(self.configuration_type);
        let (enable, standards) = match configuration_type {
            ConfigurationType::Central => (false, AutoEnableStandards::None),
            ConfigurationType::Local => (self.auto_enable, self.auto_enable_standards),
        };
        Self {
            auto_enable: spec.auto_enable.unwrap_or(enable),
            auto_enable_standards: spec.auto_enable_standards.unwrap_or(standards),
            configuration_type,
        }
    }

    /// Whether Security Hub takes them.
    pub fn fit(&self) -> bool {
        self.configuration_type == ConfigurationType::Local
            || (!self.auto_enable && self.auto_enable_standards == AutoEnableStandards::None)
    }
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Makes an account the administrator.
    EnableAdministrator(AccountId),
    /// Configures what accounts have.
    Configure(Settings),
}

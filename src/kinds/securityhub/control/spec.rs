//! What is declared of controls, and what is there of them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::securityhub::administrator::UnderAdministrator;
use crate::kinds::spec::aws_enum;

/// The controls of Security Hub in a Region: which of those that the enabled standards have are switched off,
/// and which are checked with other values than AWS's.
///
/// One item speaks of all controls: those that it does not name are to be on in every standard that is on, and to
/// have AWS's own values, so that a control that somebody has switched off is seen (`exclusive = false` leaves
/// them alone). A control that is switched off is not checked any more, and its findings are archived within some
/// days. Those that check what is the same in every Region, such as those of IAM, AWS recommends to have on in one
/// Region alone: declare them as switched off in a baseline for the other Regions.
///
/// Standards are turned on with `securityhub.standards`, with all of their controls on; what is to be off in a
/// standard that the same plan turns on is switched off right after, or by the next run. With a standard that is
/// turned off, AWS forgets what was set of its controls. Controls that the Region lacks, of other clouds, and of
/// standards of AWS Control Tower are left alone. In an account that a
/// Security Hub administrator account manages, evenkeel reports and names the administrator, as
/// `securityhub.hub` does.
///
/// Source: Security Hub API Reference, `ListSecurityControlDefinitions`,
/// `BatchGetStandardsControlAssociations`, `BatchUpdateStandardsControlAssociations`,
/// `BatchGetSecurityControls`, `UpdateSecurityControl`; Security Hub User Guide, "Disabling controls", "Control
/// parameters".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// What is to be otherwise than AWS has it, by the id of the control, such as `IAM.6`; {} for nothing.
    pub controls: BTreeMap<String, Wanted>,
    /// Whether all other controls must be on, and everything that is not declared must have AWS's own values; the
    /// default is true.
    pub exclusive: Option<bool>,
    /// What to do in an account that a Security Hub administrator account manages: `report` (the
    /// default), or `enforce` where the organization leaves settings to its accounts.
    pub under_administrator: Option<UnderAdministrator>,
}

impl Spec {
    /// Whether what is not declared must be as AWS has it.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive.unwrap_or(true)
    }
}

/// How a control is to be.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// Whether it is on (`ENABLED`) or switched off (`DISABLED`).
    pub association_status: Option<Status>,
    /// Why it is switched off, which AWS demands and shows to whoever looks.
    #[schemars(length(min = 1))]
    pub updated_reason: Option<String>,
    /// In which standards, by what stands in their ARN after `standards/` or `ruleset/`; in all that are on
    /// and have it, if it is not declared.
    #[schemars(length(min = 1))]
    pub standards: Option<BTreeSet<String>>,
    /// With which values it is checked, by the names of its parameters.
    pub parameters: Option<BTreeMap<String, Parameter>>,
    /// Why it has these values: letters, digits, spaces, `-` and `_`.
    pub last_update_reason: Option<String>,
}

aws_enum! {
    /// Whether a control is on.
    Status {
        Enabled = "ENABLED",
        Disabled = "DISABLED",
    }
}

aws_enum! {
    /// Whose value a parameter has.
    ValueType {
        Default = "DEFAULT",
        Custom = "CUSTOM",
    }
}

/// The value of a parameter, of the type that the control's page in the Security Hub User Guide names.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameter {
    /// `DEFAULT` for AWS's own value, without another one here; `CUSTOM` otherwise, which need not be said.
    pub value_type: Option<ValueType>,
    /// Yes or no.
    pub boolean: Option<bool>,
    /// A number.
    pub double: Option<f64>,
    /// One of several words.
    #[serde(rename = "enum")]
    pub word: Option<String>,
    /// Some of several words.
    pub enum_list: Option<BTreeSet<String>>,
    /// A whole number.
    pub integer: Option<i32>,
    /// Whole numbers.
    pub integer_list: Option<BTreeSet<i32>>,
    /// A text.
    pub string: Option<String>,
    /// Texts.
    pub string_list: Option<BTreeSet<String>>,
}

impl Parameter {
    /// The value, without what need not be said; `None` for AWS's own.
    pub fn value(&self) -> Option<Self> {
        let value = Self { value_type: None, ..self.clone() };
        (self.value_type != Some(ValueType::Default)).then_some(value)
    }
}

/// What is there of the controls of a Region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Whether Security Hub is on.
    pub is_on: bool,
    /// The standards that are on.
    pub standards: BTreeSet<String>,
    /// Those that are declared, and Security Hub does not have.
    pub unknown: BTreeSet<String>,
    /// Those that are declared, and the Region does not have.
    pub unavailable: BTreeSet<String>,
    /// Those that are declared, and those that are otherwise than AWS has them.
    pub controls: BTreeMap<String, Control>,
}

/// A control.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// What it is in each standard that is on and has it.
    pub associations: BTreeMap<String, Association>,
    /// Its values that are not AWS's own.
    pub parameters: BTreeMap<String, Parameter>,
    /// Why it has them.
    #[serde(default)]
    pub last_update_reason: Option<String>,
}

impl Control {
    /// Whether it is as AWS has it.
    pub fn is_usual(&self) -> bool {
        self.parameters.is_empty()
            && self.associations.values().all(|one| one.status == Status::Enabled)
    }
}

/// A control in a standard.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Association {
    /// Whether it is on.
    pub status: Status,
    /// Why.
    #[serde(default)]
    pub updated_reason: Option<String>,
}

/// The writes.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Switches a control on or off.
    Set {
        /// Which.
        control: String,
        /// On or off.
        status: Status,
        /// Why.
        #[serde(default)]
        updated_reason: Option<String>,
        /// In which standards; none for all that are on by then and have it.
        standards: BTreeSet<String>,
    },
    /// Gives parameters of a control values.
    Parameters {
        /// Which.
        control: String,
        /// The values; none for AWS's own.
        parameters: BTreeMap<String, Option<Parameter>>,
        /// Why.
        #[serde(default)]
        last_update_reason: Option<String>,
    },
}

/// What the controls need, and how they are.
macro_rules! sample {
    ($control:literal) => {
        concat!(
            r#"
[s3.bucket.config]
bucket   = "config-${account.id}"
services = ["config"]

[config.recorder]
role_arn       = ""
recording      = true
s3_bucket_name = "${s3.bucket.config.bucket}"

[securityhub.hub]
enabled = true

[securityhub.standards]
standards = ["aws-foundational-security-best-practices/v/1.0.0", "cis-aws-foundations-benchmark/v/5.0.0"]
"#,
            $control
        )
    };
}

pub const SAMPLES: [&str; 2] = [
    sample!(
        r#"
[securityhub.control]
exclusive           = true
under_administrator = "report"

[securityhub.control.controls."IAM.6"]
association_status = "DISABLED"
updated_reason     = "The root user has no credentials (central root access)"

[securityhub.control.controls."IAM.7"]
parameters         = { MinimumPasswordLength = { integer = 14 }, RequireSymbols = { boolean = false }, MaxPasswordAge = { value_type = "DEFAULT" } }
last_update_reason = "As our own rules have it"

[securityhub.control.controls."CloudWatch.16"]
parameters = { minRetentionTime = { enum = "400" } }
"#
    ),
    sample!(
        r#"
[securityhub.control]
exclusive           = false
under_administrator = "enforce"

[securityhub.control.controls."IAM.6"]
association_status = "DISABLED"
updated_reason     = "Looked at by the other standard"
standards          = ["cis-aws-foundations-benchmark/v/5.0.0"]

[securityhub.control.controls."IAM.7"]
parameters         = { MinimumPasswordLength = { integer = 16 }, MaxPasswordAge = { integer = 60 } }
last_update_reason = "Longer is better"
"#
    ),
];

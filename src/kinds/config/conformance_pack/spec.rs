//! What is declared of a conformance pack.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A conformance pack: many rules of AWS Config, and actions that repair what they find, from one
/// template.
///
/// Packs need a recorder: declare `config.recorder`. A pack's own rules belong to the pack, and are nobody
/// else's to change. evenkeel makes a pack that is not there, brings it to the declared template, and
/// never deletes one: its results would go with it.
///
/// **AWS never tells which template a pack has.** evenkeel therefore leaves a mark, the tag
/// `evenkeel:template`, with a digest of the template that it gave AWS and the time at which AWS took it.
/// A pack without the mark, or that somebody has put again since, has a template that nobody knows, and
/// is drift. The mark is as good as the tags of packs: who may put packs and tag them could forge it. Of a
/// template in S3, the mark is of its address and not of what is stored there: give another
/// version another name. Lines of a template may end in either way, and JSON may be written in any order;
/// beside that, a template is compared as a text. AWS takes some minutes to make a pack, which is
/// `waiting` until then.
///
/// Packs that AWS itself keeps (managed conformance packs) are told apart and left alone: they cannot be
/// declared, and neither sort becomes the other.
///
/// A pack without a declared template is compared by all else that is declared of it, and nothing of it
/// is written: AWS replaces a pack as a whole.
///
/// Source: AWS Config API Reference, `PutConformancePack`, `DescribeConformancePacks`,
/// `DescribeConformancePackStatus`; AWS Config Developer Guide, "Conformance Packs".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The pack's name: letters, digits and `-`, of which a letter is the first. It cannot be changed.
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[a-zA-Z][-a-zA-Z0-9]*$"))]
    pub conformance_pack_name: String,
    /// The template itself, in YAML or JSON, up to 51,200 bytes. Of CloudFormation's own references in
    /// braces, write the dollar sign twice. Plans show its digest.
    #[schemars(length(min = 1, max = 51200))]
    pub template_body: Option<String>,
    /// Where the template is in S3, in a bucket of the same Region, up to 300 KB.
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^s3://[^/]+/.+$"))]
    pub template_s3_uri: Option<String>,
    /// The document of Systems Manager that is the template. What it says is not looked at.
    pub template_ssm_document: Option<SsmDocument>,
    /// All parameters of the template, up to 60; {} for none. What a template takes for a parameter that is not
    /// given is not compared.
    pub input_parameters: Option<BTreeMap<String, String>>,
    /// The bucket in which Config keeps the template; "" for one of Config's own.
    #[schemars(length(max = 63))]
    pub delivery_s3_bucket: Option<String>,
    /// The folder in that bucket; "" for none.
    #[schemars(length(max = 1024))]
    pub delivery_s3_key_prefix: Option<String>,
    /// All tags of the pack; {} for none. Tags of AWS (`aws:…`) and evenkeel's mark are left alone.
    pub tags: Option<BTreeMap<String, String>>,
}

/// A document of Systems Manager.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SsmDocument {
    /// Its name; of another account's, its ARN.
    #[schemars(regex(pattern = r"^[a-zA-Z0-9_\-.:/]{3,200}$"))]
    pub name: String,
    /// Its version: a number, `$LATEST` or `$DEFAULT`. The latest of the day on which the pack is put, if
    /// none is declared.
    #[serde(default)]
    #[schemars(regex(pattern = r"^([$]LATEST|[$]DEFAULT|[1-9][0-9]*)$"))]
    pub version: Option<String>,
}

/// What packs need, and some of them.
macro_rules! sample {
    ($packs:literal) => {
        concat!(
            r#"
[s3.bucket.config]
bucket   = "config-${account.id}"
services = ["config"]

[config.recorder]
role_arn       = ""
recording      = true
s3_bucket_name = "${s3.bucket.config.bucket}"
"#,
            $packs
        )
    };
}

pub const SAMPLES: [&str; 2] = [
    sample!(
        r#"
[config.conformance_pack.keys]
conformance_pack_name = "access-keys"
input_parameters      = { MaxAge = "90" }
tags                  = { team = "security", purpose = "audit" }
template_body         = """
Parameters:
  MaxAge: {Type: String}
Resources:
  Keys:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: access-keys-rotated
      InputParameters: {maxAccessKeyAge: {Ref: MaxAge}}
      Source: {Owner: AWS, SourceIdentifier: ACCESS_KEYS_ROTATED}
"""
"#
    ),
    sample!(
        r#"
[s3.bucket.packs]
bucket = "awsconfigconforms-${account.id}"

[config.conformance_pack.keys]
conformance_pack_name  = "access-keys"
input_parameters       = {}
delivery_s3_bucket     = "${s3.bucket.packs.bucket}"
delivery_s3_key_prefix = "packs"
tags                   = { team = "core" }
template_body          = """
Resources:
  Password:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: password-policy
      Source: {Owner: AWS, SourceIdentifier: IAM_PASSWORD_POLICY}
"""

[config.conformance_pack.more]
template_body = '{"Resources": {"Root": {"Type": "AWS::Config::ConfigRule", "Properties": {"ConfigRuleName": "root-mfa", "Source": {"Owner": "AWS", "SourceIdentifier": "ROOT_ACCOUNT_MFA_ENABLED"}}}}}'
"#
    ),
];

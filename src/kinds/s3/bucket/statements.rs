//! The statements that a bucket policy must have.
//!
//! Sources: S3 User Guide, "Security best practices" (TLS); CloudTrail User Guide, "Amazon S3 bucket
//! policy for CloudTrail"; AWS Config Developer Guide, "Permissions for the Amazon S3 bucket";
//! CloudWatch Logs User Guide, "Logs sent to Amazon S3"; GuardDuty User Guide, "Exporting findings";
//! S3 User Guide, "Enabling server access logging"; ELB User Guide, "Enable access logs"; Macie User
//! Guide, "Storing findings". All of these let whoever delivers write below a prefix of one's own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::spec::{Service, Spec};
use super::tls;
use crate::kinds::merged;
use crate::policy_document::Required;

/// The fields of the spec that the bucket policy answers for.
pub const FIELDS: [&str; 8] = [
    "services",
    "service_prefixes",
    "source_accounts",
    "organization_id",
    "require_tls",
    "min_tls_version",
    "extra_policy_statements",
    "forbid_foreign_access",
];

/// What the statements are about.
struct About<'a> {
    partition: &'a str,
    bucket: String,
    prefixes: BTreeMap<Service, String>,
    accounts: Vec<String>,
    organization: Option<&'a str>,
}

/// The statements that the spec asks for in an account, in a fixed order.
pub fn required(partition: &str, account: &str, spec: &Spec) -> Vec<Required> {
    merged::required(made(partition, account, spec), spec.extra_policy_statements.as_ref())
}

/// The statements of evenkeel's own making.
fn made(partition: &str, account: &str, spec: &Spec) -> Vec<Value> {
    let bucket = format!("arn:{partition}:s3:::{}", spec.bucket);
    let accounts = match &spec.source_accounts {
        Some(accounts) => accounts.iter().map(ToString::to_string).collect(),
        None => vec![account.to_owned()],
    };
    let place = About {
        partition,
        prefixes: spec.service_prefixes.clone().unwrap_or_default(),
        bucket,
        accounts,
        organization: spec.organization_id.as_deref(),
    };
    let mut statements = Vec::new();
    if spec.require_tls == Some(true) {
        statements.push(tls::deny_plain(&place.bucket));
    }
    if let Some(version) = spec.min_tls_version {
        statements.push(tls::deny_old(&place.bucket, version));
    }
    let services = spec.services.clone().unwrap_or_default();
    for service in &services {
        match service {
            Service::Cloudtrail => statements.extend(place.cloudtrail()),
            Service::Config => statements.extend(place.config()),
            Service::Guardduty => statements.extend(place.guardduty(spec)),
            Service::S3AccessLogs => statements.push(place.s3_access_logs()),
            Service::Elb => statements.push(place.elb()),
            Service::Macie => statements.extend(place.macie()),
            Service::VpcFlowLogs | Service::Waf | Service::Route53Resolver => {}
        }
    }
    // These three share one way of delivery.
    let delivered = BTreeSet::from([Service::VpcFlowLogs, Service::Waf, Service::Route53Resolver]);
    let delivered: Vec<Service> = services.intersection(&delivered).copied().collect();
    if !delivered.is_empty() {
        statements.extend(place.log_delivery(&delivered));
    }
    statements
}

impl About<'_> {
    /// Where a service puts its files, its folders below that left out.
    fn root(&self, service: Service) -> String {
        match self.prefixes.get(&service).filter(|prefix| !prefix.is_empty()) {
            Some(prefix) => format!("{}/{prefix}", self.bucket),
            None => self.bucket.clone(),
        }
    }

    /// All that a service may write which makes no folder of accounts.
    fn objects(&self, service: Service) -> String {
        format!("{}/*", self.root(service))
    }

    fn logs(&self, service: Service, below: &str) -> Vec<String> {
        let root = self.root(service);
        let folder = |account: &String| format!("{root}/AWSLogs/{account}/{below}*");
        self.accounts.iter().map(folder).collect()
    }

    fn arns(&self, service: &str, resource: &str) -> Vec<String> {
        self.accounts
            .iter()
            .map(|account| format!("arn:{}:{service}:*:{account}:{resource}", self.partition))
            .collect()
    }

    fn cloudtrail(&self) -> [Value; 2] {
        let trails = self.arns("cloudtrail", "trail/*");
        let mut objects = self.logs(Service::Cloudtrail, "");
        let root = self.root(Service::Cloudtrail);
        objects.extend(
            self.organization.map(|organization| format!("{root}/AWSLogs/{organization}/*")),
        );
        [
            json!({
                "Sid": "AWSCloudTrailAclCheck", "Effect": "Allow",
                "Principal": { "Service": "cloudtrail.amazonaws.com" },
                "Action": "s3:GetBucketAcl", "Resource": self.bucket,
                "Condition": { "ArnLike": { "aws:SourceArn": trails } },
            }),
            json!({
                "Sid": "AWSCloudTrailWrite", "Effect": "Allow",
                "Principal": { "Service": "cloudtrail.amazonaws.com" },
                "Action": "s3:PutObject", "Resource": objects,
                "Condition": {
                    "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control" },
                    "ArnLike": { "aws:SourceArn": trails },
                },
            }),
        ]
    }

    fn config(&self) -> [Value; 3] {
        let check = |sid: &str, action: &str| {
            json!({
                "Sid": sid, "Effect": "Allow", "Principal": { "Service": "config.amazonaws.com" },
                "Action": action, "Resource": self.bucket,
                "Condition": { "StringEquals": { "AWS:SourceAccount": self.accounts } },
            })
        };
        [
            check("AWSConfigBucketPermissionsCheck", "s3:GetBucketAcl"),
            check("AWSConfigBucketExistenceCheck", "s3:ListBucket"),
            json!({
                "Sid": "AWSConfigBucketDelivery", "Effect": "Allow",
                "Principal": { "Service": "config.amazonaws.com" },
                "Action": "s3:PutObject", "Resource": self.logs(Service::Config, "Config/"),
                "Condition": { "StringEquals": {
                    "s3:x-amz-acl": "bucket-owner-full-control", "AWS:SourceAccount": self.accounts,
                } },
            }),
        ]
    }

    fn log_delivery(&self, services: &[Service]) -> [Value; 2] {
        let sources = self.arns("logs", "*");
        let folders: BTreeSet<String> =
            services.iter().flat_map(|service| self.logs(*service, "")).collect();
        [
            json!({
                "Sid": "AWSLogDeliveryAclCheck", "Effect": "Allow",
                "Principal": { "Service": "delivery.logs.amazonaws.com" },
                "Action": ["s3:GetBucketAcl", "s3:ListBucket"], "Resource": self.bucket,
                "Condition": {
                    "StringEquals": { "aws:SourceAccount": self.accounts },
                    "ArnLike": { "aws:SourceArn": sources },
                },
            }),
            json!({
                "Sid": "AWSLogDeliveryWrite", "Effect": "Allow",
                "Principal": { "Service": "delivery.logs.amazonaws.com" },
                "Action": "s3:PutObject", "Resource": folders,
                "Condition": {
                    "StringEquals": {
                        "s3:x-amz-acl": "bucket-owner-full-control",
                        "aws:SourceAccount": self.accounts,
                    },
                    "ArnLike": { "aws:SourceArn": sources },
                },
            }),
        ]
    }

    fn guardduty(&self, spec: &Spec) -> Vec<Value> {
        let from = json!({
            "StringEquals": { "aws:SourceAccount": self.accounts },
            "ArnLike": { "aws:SourceArn": self.arns("guardduty", "detector/*") },
        });
        let objects = self.objects(Service::Guardduty);
        let mut statements = vec![
            json!({
                "Sid": "AllowGuardDutyGetBucketLocation", "Effect": "Allow",
                "Principal": { "Service": "guardduty.amazonaws.com" },
                "Action": "s3:GetBucketLocation", "Resource": self.bucket, "Condition": from,
            }),
            json!({
                "Sid": "AllowGuardDutyPutObject", "Effect": "Allow",
                "Principal": { "Service": "guardduty.amazonaws.com" },
                "Action": "s3:PutObject", "Resource": objects, "Condition": from,
            }),
        ];
        if let Some(key) = spec.key() {
            statements.push(json!({
                "Sid": "DenyGuardDutyUnencrypted", "Effect": "Deny",
                "Principal": { "Service": "guardduty.amazonaws.com" },
                "Action": "s3:PutObject", "Resource": objects,
                "Condition": { "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } },
            }));
            // GuardDuty names the key by its ARN: any other name would deny its own key too.
            if !key.contains(":key/") {
                return statements;
            }
            statements.push(json!({
                "Sid": "DenyGuardDutyOtherKey", "Effect": "Deny",
                "Principal": { "Service": "guardduty.amazonaws.com" },
                "Action": "s3:PutObject", "Resource": objects,
                "Condition": { "StringNotEquals": {
                    "s3:x-amz-server-side-encryption-aws-kms-key-id": key,
                } },
            }));
        }
        statements
    }

    fn s3_access_logs(&self) -> Value {
        // S3 puts no `/` behind it: it is the beginning of each name.
        let prefix = self.prefixes.get(&Service::S3AccessLogs).map_or("", String::as_str);
        json!({
            "Sid": "S3ServerAccessLogs", "Effect": "Allow",
            "Principal": { "Service": "logging.s3.amazonaws.com" },
            "Action": "s3:PutObject", "Resource": format!("{}/{prefix}*", self.bucket),
            "Condition": {
                "StringEquals": { "aws:SourceAccount": self.accounts },
                "ArnLike": { "aws:SourceArn": format!("arn:{}:s3:::*", self.partition) },
            },
        })
    }

    fn elb(&self) -> Value {
        json!({
            "Sid": "ElbAccessLogs", "Effect": "Allow",
            "Principal": { "Service": "logdelivery.elasticloadbalancing.amazonaws.com" },
            "Action": "s3:PutObject", "Resource": self.logs(Service::Elb, ""),
        })
    }

    fn macie(&self) -> [Value; 2] {
        let mut sources = self.arns("macie2", "export-configuration:*");
        sources.extend(self.arns("macie2", "classification-job/*"));
        let from = json!({
            "StringEquals": { "aws:SourceAccount": self.accounts },
            "ArnLike": { "aws:SourceArn": sources },
        });
        [
            json!({
                "Sid": "AllowMacieGetBucketLocation", "Effect": "Allow",
                "Principal": { "Service": "macie.amazonaws.com" },
                "Action": "s3:GetBucketLocation", "Resource": self.bucket, "Condition": from,
            }),
            json!({
                "Sid": "AllowMaciePutObject", "Effect": "Allow",
                "Principal": { "Service": "macie.amazonaws.com" },
                "Action": "s3:PutObject", "Resource": self.objects(Service::Macie), "Condition": from,
            }),
        ]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn resources(prefixes: &Value, sid: &str) -> Value {
        let spec: Spec = serde_json::from_value(json!({
            "bucket": "logs", "service_prefixes": prefixes, "organization_id": "o-a1b2c3d4e5",
            "services": ["cloudtrail", "config", "vpc_flow_logs", "waf", "guardduty", "s3_access_logs",
                "elb", "macie"],
        }))
        .unwrap();
        let made = made("aws", "111122223333", &spec);
        made.iter().find(|one| one["Sid"] == sid).unwrap()["Resource"].clone()
    }

    #[test]
    fn a_service_writes_below_its_prefix_and_nowhere_else() {
        let arn = |below: &str| format!("arn:aws:s3:::logs/{below}");
        let none = json!({});
        let some = json!({
            "cloudtrail": "trails", "config": "a/b", "vpc_flow_logs": "flows", "guardduty": "findings",
            "s3_access_logs": "access/", "elb": "", "macie": "m",
        });
        let own = "AWSLogs/111122223333";
        for (sid, plain, prefixed) in [
            (
                "AWSCloudTrailWrite",
                vec![format!("{own}/*"), "AWSLogs/o-a1b2c3d4e5/*".to_owned()],
                vec![format!("trails/{own}/*"), "trails/AWSLogs/o-a1b2c3d4e5/*".to_owned()],
            ),
            (
                "AWSConfigBucketDelivery",
                vec![format!("{own}/Config/*")],
                vec![format!("a/b/{own}/Config/*")],
            ),
            // Two of a kind, one of which has no prefix.
            (
                "AWSLogDeliveryWrite",
                vec![format!("{own}/*")],
                vec![format!("{own}/*"), format!("flows/{own}/*")],
            ),
            ("ElbAccessLogs", vec![format!("{own}/*")], vec![format!("{own}/*")]),
        ] {
            let all =
                |below: &[String]| json!(below.iter().map(|one| arn(one)).collect::<Vec<_>>());
            assert_eq!(resources(&none, sid), all(&plain), "{sid}");
            assert_eq!(resources(&some, sid), all(&prefixed), "{sid}");
        }
        for (sid, prefixed) in [
            ("AllowGuardDutyPutObject", "findings/*"),
            ("S3ServerAccessLogs", "access/*"),
            ("AllowMaciePutObject", "m/*"),
        ] {
            assert_eq!(resources(&none, sid), json!(arn("*")), "{sid}");
            assert_eq!(resources(&some, sid), json!(arn(prefixed)), "{sid}");
        }
    }
}

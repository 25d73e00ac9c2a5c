//! ARNs of managed policies: what they look like, and which of them are one policy.
//!
//! Source: IAM User Guide, "IAM identifiers"; IAM API Reference, `CreatePolicy`, `PolicyName`: "Names
//! are not distinguished by case".

use super::spec::Spec;

/// The parts of `arn:PARTITION:iam::OWNER:policy/[PATH/]NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyArn<'a> {
    partition: &'a str,
    /// `aws` for AWS's own, or an account.
    owner: &'a str,
    name: &'a str,
}

impl<'a> PolicyArn<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", owner, resource] = parts.as_slice() else { return None };
        let name = resource.strip_prefix("policy/")?.rsplit('/').next()?;
        let is_owner = *owner == "aws"
            || (owner.len() == 12 && owner.bytes().all(|byte| byte.is_ascii_digit()));
        let is_partition = *partition == "aws" || partition.starts_with("aws-");
        (is_owner && is_partition && !name.is_empty()).then_some(Self { partition, owner, name })
    }

    /// Whether IAM lets a role of an account have it: AWS's own policies and the account's.
    pub fn is_for(self, partition: &str, account: &str) -> bool {
        self.partition == partition && (self.owner == "aws" || self.owner == account)
    }
}

/// Whether two ARNs stand for one policy, which has one name whatever its path and the case.
pub fn is_same(one: &str, other: &str) -> bool {
    one == other
        || match (PolicyArn::parse(one), PolicyArn::parse(other)) {
            (Some(one), Some(other)) => {
                (one.partition, one.owner) == (other.partition, other.owner)
                    && one.name.eq_ignore_ascii_case(other.name)
            }
            _ => false,
        }
}

/// What is wrong with the declared ARNs: the field, the problem and what to write.
pub fn problems(spec: &Spec) -> Vec<(&'static str, String, String)> {
    let mut problems = Vec::new();
    let boundary = spec.permissions_boundary.iter().filter(|arn| !arn.is_empty());
    let attached = spec.managed_policy_arns.iter().flatten();
    let all = boundary.map(|arn| ("permissions_boundary", arn));
    for (field, arn) in all.chain(attached.map(|arn| ("managed_policy_arns", arn))) {
        if PolicyArn::parse(arn).is_none() {
            let name = arn.rsplit(['/', ':']).next().unwrap_or_default();
            problems.push((
                field,
                format!("{arn:?} is not the ARN of a managed policy"),
                format!(
                    "write \"arn:${{partition}}:iam::aws:policy/{name}\" for a policy of AWS, or \
                     \"arn:${{partition}}:iam::${{account.id}}:policy/{name}\" for one of the account"
                ),
            ));
        }
    }
    let declared: Vec<&String> = spec.managed_policy_arns.iter().flatten().collect();
    for (at, one) in declared.iter().enumerate() {
        if let Some(other) = declared.iter().skip(at + 1).find(|other| is_same(one, other)) {
            problems.push((
                "managed_policy_arns",
                format!("to IAM {one} and {other} are one policy"),
                "keep the one that is spelt as the policy was made".to_owned(),
            ));
        }
    }
    let names: Vec<&String> = spec.inline_policies.iter().flatten().map(|(name, _)| name).collect();
    for (at, one) in names.iter().enumerate() {
        if let Some(other) = names.iter().skip(at + 1).find(|name| name.eq_ignore_ascii_case(one)) {
            problems.push((
                "inline_policies",
                format!("the names {one:?} and {other:?} differ by case alone"),
                "give one of them another name: IAM tells few names apart by case".to_owned(),
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_policy_is_said_with_the_right_spelling() {
        let right = [
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws-cn:iam::aws:policy/service-role/AWSConfigRole",
            "arn:aws:iam::111122223333:policy/team/readers",
        ];
        let wrong = [
            "ReadOnlyAccess",
            "arn:aws:iam::11112222:policy/a",
            "arn:aws:iam::111122223333:role/a",
            "arn:aws:s3:::policy/a",
            "arn:aws:iam::aws:policy/",
            "arn:iam::aws:policy/a",
        ];
        let of = |arn: &str| {
            let declared = Spec {
                managed_policy_arns: Some([arn.to_owned()].into()),
                permissions_boundary: Some(arn.to_owned()),
                ..Spec::default()
            };
            problems(&declared)
        };
        for arn in right {
            assert_eq!(of(arn), [], "{arn}");
        }
        for arn in wrong {
            assert_eq!(of(arn).len(), 2, "{arn}");
        }
        assert!(of("ReadOnlyAccess")[0].2.contains("iam::aws:policy/ReadOnlyAccess"));
    }

    #[test]
    fn a_policy_has_one_name_whatever_its_path_and_case() {
        let policy = |name: &str| format!("arn:aws:iam::111122223333:policy/{name}");
        assert!(is_same(&policy("readers"), &policy("Readers")));
        assert!(is_same(&policy("readers"), &policy("team/Readers")));
        assert!(!is_same(&policy("readers"), &policy("writers")));
        assert!(!is_same(&policy("readers"), "arn:aws:iam::aws:policy/readers"));
        let both = Spec {
            managed_policy_arns: Some([policy("readers"), policy("Readers")].into()),
            ..Spec::default()
        };
        assert_eq!(problems(&both).len(), 1);
    }

    #[test]
    fn a_role_has_policies_of_aws_and_of_its_account_alone() {
        let own = "111122223333";
        let is_for = |arn: &str| PolicyArn::parse(arn).is_some_and(|arn| arn.is_for("aws", own));
        assert!(is_for("arn:aws:iam::aws:policy/a"));
        assert!(is_for("arn:aws:iam::111122223333:policy/a"));
        assert!(!is_for("arn:aws:iam::999999999999:policy/a"));
        assert!(!is_for("arn:aws-cn:iam::aws:policy/a"));
    }
}

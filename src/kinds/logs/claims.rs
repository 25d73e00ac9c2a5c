//! What an item says of a log group by its name: a group can be declared by itself and in a sweep.

use crate::kinds::Claim;
use crate::kinds::kms::named::Named;

/// What both kinds claim.
pub const THING: &str = "log group";
/// What both kinds can declare of a group.
const RETENTION: &str = "retention";
const KEY: &str = "KMS key";
const PROTECTION: &str = "deletion protection";
/// In the place of a number of days.
const FOR_EVER: &str = "for ever";

/// What is declared of a group.
#[derive(Debug)]
pub struct Claimed<'a> {
    /// The group.
    pub log_group_name: &'a str,
    /// For how many days it keeps events; 0 for ever.
    pub retention_in_days: Option<u32>,
    /// Whether it may keep them for longer.
    pub keeps_longer: bool,
    /// Its key, by its ARN where that is known; "" for a key of AWS.
    pub kms_key_id: Option<&'a str>,
    /// Whether nobody can delete it.
    pub deletion_protection_enabled: Option<bool>,
}

impl Claimed<'_> {
    /// The same as claims.
    pub fn claims(&self) -> Vec<Claim> {
        let thing = || format!("the log group {}", self.log_group_name);
        let retention = self.retention_in_days.map(|days| match days {
            0 => Claim::setting(thing(), RETENTION, FOR_EVER),
            days if self.keeps_longer => Claim::at_least(thing(), RETENTION, days),
            days => Claim::setting(thing(), RETENTION, days),
        });
        let key = self.kms_key_id.map(|key| Claim::setting(thing(), KEY, key));
        let protection = self.deletion_protection_enabled;
        let protection = protection.map(|on| Claim::setting(thing(), PROTECTION, on));
        [retention, key, protection].into_iter().flatten().collect()
    }
}

/// A declared key by its ARN, so that two names of it are one.
pub fn key<'a>(declared: Option<&'a str>, found: Option<&'a Named>) -> Option<&'a str> {
    declared.map(|name| found.and_then(Named::arn).unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retention(days: u32, keeps_longer: bool) -> Option<Claim> {
        let claimed = Claimed {
            log_group_name: "a",
            retention_in_days: Some(days),
            keeps_longer,
            kms_key_id: None,
            deletion_protection_enabled: None,
        };
        claimed.claims().pop()
    }

    #[test]
    fn a_retention_agrees_with_what_both_can_have() {
        for (one, other, agree) in [
            ((365, true), (30, true), true),
            ((365, true), (400, false), true),
            ((365, true), (0, false), true),
            ((0, true), (30, true), true),
            ((365, true), (30, false), false),
            ((0, true), (30, false), false),
            ((30, false), (60, false), false),
        ] {
            let wish = |(days, longer)| {
                retention(days, longer).and_then(|claim| claim.setting).map(|(_, wish)| wish)
            };
            let both = wish(one).zip(wish(other));
            assert!(
                both.is_some_and(|(a, b)| a.agrees(&b) == agree && b.agrees(&a) == agree),
                "{one:?} {other:?}"
            );
        }
    }
}

//! The items of compliance frameworks that a kind helps to fulfil.

use std::collections::BTreeSet;

/// A compliance framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Framework {
    /// CIS AWS Foundations Benchmark v3.0.
    CisV3,
    /// CIS AWS Foundations Benchmark v5.0.
    CisV5,
    /// AWS Foundational Security Best Practices.
    Fsbp,
    /// The security pillar of AWS's Well-Architected framework.
    WellArchitected,
}

impl Framework {
    /// All of them, the newest benchmark first.
    pub const ALL: [Self; 4] = [Self::CisV5, Self::CisV3, Self::Fsbp, Self::WellArchitected];

    /// The short name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CisV3 => "cis-v3",
            Self::CisV5 => "cis-v5",
            Self::Fsbp => "fsbp",
            Self::WellArchitected => "wa-security",
        }
    }

    /// The name for readers.
    pub fn title(self) -> &'static str {
        match self {
            Self::CisV3 => "CIS AWS Foundations Benchmark v3.0",
            Self::CisV5 => "CIS AWS Foundations Benchmark v5.0",
            Self::Fsbp => "AWS Foundational Security Best Practices",
            Self::WellArchitected => "Well-Architected security pillar",
        }
    }
}

/// Ids of items, by framework: `1.7`, `IAM.15`, `SEC02-BP01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Controls {
    /// Of [`Framework::CisV3`].
    pub cis_v3: &'static [&'static str],
    /// Of [`Framework::CisV5`].
    pub cis_v5: &'static [&'static str],
    /// Of [`Framework::Fsbp`].
    pub fsbp: &'static [&'static str],
    /// Of [`Framework::WellArchitected`].
    pub well_architected: &'static [&'static str],
    /// The items of [`Framework::CisV5`] and [`Framework::Fsbp`], which plans name, that only some fields
    /// serve, and these fields. The others are of the whole object.
    pub by_fields: &'static [ByFields],
}

/// Items, and the fields that serve each of them.
pub type ByFields = (&'static [&'static str], &'static [&'static str]);

impl Controls {
    /// None at all, to begin with.
    pub const NONE: Self =
        Self { cis_v3: &[], cis_v5: &[], fsbp: &[], well_architected: &[], by_fields: &[] };

    /// Whether one of these fields serves an item; the fields of a field count for it.
    pub fn is_served(&self, id: &str, fields: &BTreeSet<String>) -> bool {
        let mut rows = self.by_fields.iter().filter(|(ids, _)| ids.contains(&id)).peekable();
        rows.peek().is_none()
            || rows.any(|(_, own)| {
                let first = |field: &str| {
                    field.split(['.', '[']).next().is_some_and(|first| own.contains(&first))
                };
                fields.iter().any(|field| first(field))
            })
    }

    /// The ids of one framework's items.
    pub fn of(&self, framework: Framework) -> &'static [&'static str] {
        match framework {
            Framework::CisV3 => self.cis_v3,
            Framework::CisV5 => self.cis_v5,
            Framework::Fsbp => self.fsbp,
            Framework::WellArchitected => self.well_architected,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kinds::registry;

    /// Whether a text is words and numbers, divided as `shape` is, in which `A`
    /// stands for some letters and `1` for some digits.
    fn has_shape(id: &str, shape: &str) -> bool {
        let mut plain = String::new();
        for letter in id.chars() {
            let sign = match letter {
                letter if letter.is_ascii_alphabetic() => 'A',
                '0'..='9' => '1',
                other => other,
            };
            if !plain.ends_with(sign) {
                plain.push(sign);
            }
        }
        plain == shape
    }

    #[test]
    fn what_serves_a_control_is_a_field_and_the_control_is_named() {
        for kind in registry::all() {
            let controls = kind.controls();
            let all: Vec<&str> = controls.cis_v5.iter().chain(controls.fsbp).copied().collect();
            let schema = kind.schema();
            for (ids, fields) in controls.by_fields {
                for id in *ids {
                    assert!(all.contains(id), "{}: {id}", kind.name());
                }
                for field in *fields {
                    // The state of a key is no field of a spec.
                    let is_field =
                        schema["properties"].get(field).is_some() || *field == "key_state";
                    assert!(is_field, "{}: {field}", kind.name());
                }
            }
        }
    }

    #[test]
    fn a_field_serves_its_own_controls_alone() {
        let controls = registry::find("s3.bucket").map(|kind| kind.controls()).unwrap();
        let served = |field: &str| {
            let fields = BTreeSet::from([field.to_owned()]);
            let ids = controls.fsbp.iter().filter(|id| controls.is_served(id, &fields));
            ids.copied().collect::<Vec<_>>()
        };
        assert_eq!(served("versioning"), ["S3.14"]);
        assert_eq!(served("public_access_block.block_public_acls"), ["S3.8", "CloudTrail.6"]);
        assert!(served("tags").is_empty());
    }

    #[test]
    fn controls_look_like_those_of_their_framework() {
        for kind in registry::all() {
            for framework in Framework::ALL {
                let shapes: &[&str] = match framework {
                    Framework::CisV3 | Framework::CisV5 => &["1.1", "1.1.1"],
                    Framework::Fsbp => &["A.1", "A1.1"],
                    Framework::WellArchitected => &["A1-A1"],
                };
                let ids = kind.controls().of(framework);
                for id in ids {
                    let right = shapes.iter().any(|shape| has_shape(id, shape));
                    assert!(right, "{}: {} {id}", kind.name(), framework.as_str());
                    assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id}");
                }
            }
        }
    }
}

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
    /// Controls of AWS Security Hub that are in other standards than [`Self::Fsbp`]: PCI DSS, NIST
    /// SP 800-53, the tagging standard, CIS.
    SecurityHub,
    /// The security pillar of AWS's Well-Architected framework.
    WellArchitected,
}

impl Framework {
    /// All of them, the newest benchmark first.
    pub const ALL: [Self; 5] =
        [Self::CisV5, Self::CisV3, Self::Fsbp, Self::SecurityHub, Self::WellArchitected];

    /// The short name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CisV3 => "cis-v3",
            Self::CisV5 => "cis-v5",
            Self::Fsbp => "fsbp",
            Self::SecurityHub => "security-hub",
            Self::WellArchitected => "wa-security",
        }
    }

    /// The name for readers.
    pub fn title(self) -> &'static str {
        match self {
            Self::CisV3 => "CIS AWS Foundations Benchmark v3.0",
            Self::CisV5 => "CIS AWS Foundations Benchmark v5.0",
            Self::Fsbp => "AWS Foundational Security Best Practices",
            Self::SecurityHub => "Other Security Hub controls",
            Self::WellArchitected => "Well-Architected security pillar",
        }
    }
}

/// Ids of items, by framework: `1.7`, `IAM.15`, `SEC02-BP01`.
///
/// A field serves an item when what the item's check looks at is what the field sets: `S3.17` asks
/// for a KMS key, whichever it is. `control/items.toml` has the items that there are, with the
/// sources, and which control checks which requirement of CIS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Controls {
    /// Of [`Framework::CisV3`].
    pub cis_v3: &'static [&'static str],
    /// Of [`Framework::CisV5`].
    pub cis_v5: &'static [&'static str],
    /// Of [`Framework::Fsbp`].
    pub fsbp: &'static [&'static str],
    /// Of [`Framework::SecurityHub`].
    pub security_hub: &'static [&'static str],
    /// Of [`Framework::WellArchitected`].
    pub well_architected: &'static [&'static str],
    /// The items of [`Framework::CisV5`] and of Security Hub, which plans name, that only some fields
    /// serve, and these fields. The others are of the whole object.
    pub by_fields: &'static [ByFields],
}

/// Items, and the fields that serve each of them.
pub type ByFields = (&'static [&'static str], &'static [&'static str]);

impl Controls {
    /// None at all, to begin with.
    pub const NONE: Self = Self {
        cis_v3: &[],
        cis_v5: &[],
        fsbp: &[],
        security_hub: &[],
        well_architected: &[],
        by_fields: &[],
    };

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
            Framework::SecurityHub => self.security_hub,
            Framework::WellArchitected => self.well_architected,
        }
    }
}

#[cfg(test)]
mod tests;

//! The items of compliance frameworks that a kind helps to fulfil.

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
}

impl Controls {
    /// None at all, to begin with.
    pub const NONE: Self = Self { cis_v3: &[], cis_v5: &[], fsbp: &[], well_architected: &[] };

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

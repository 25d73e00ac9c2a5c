//! The list of all kinds. A new kind is one file and one line here.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Scope;
use super::erased::{DynKind, erase};
use super::shapes::{Inspect, Whole};
use super::{cloudtrail, config, ec2, iam, kms, logs, s3};
use crate::baseline::catalog::{Catalog, KindInfo};

static KINDS: LazyLock<Vec<Box<dyn DynKind>>> = LazyLock::new(|| {
    vec![
        erase::<iam::role::Role>(),
        erase::<Whole<iam::password_policy::PasswordPolicy>>(),
        erase::<Whole<iam::account_alias::AccountAlias>>(),
        erase::<kms::key::Key>(),
        erase::<kms::key_rotation::KeyRotation>(),
        erase::<Whole<s3::account_public_access_block::AccountPublicAccessBlock>>(),
        erase::<s3::bucket::Bucket>(),
        erase::<logs::log_group::LogGroup>(),
        erase::<cloudtrail::trail::Trail>(),
        erase::<config::recorder::ConfigRecorder>(),
        erase::<ec2::ebs_encryption::EbsEncryption>(),
        erase::<ec2::default_security_group::DefaultSecurityGroup>(),
        erase::<Inspect<iam::root_user::RootUser>>(),
        erase::<Whole<ec2::snapshot_block_public_access::SnapshotBlockPublicAccess>>(),
    ]
});

/// Where each kind stands in the list.
static PLACES: LazyLock<HashMap<&'static str, usize>> =
    LazyLock::new(|| KINDS.iter().zip(0..).map(|(kind, place)| (kind.name(), place)).collect());

/// All kinds, in the order in which their changes are preferably applied.
pub fn all() -> &'static [Box<dyn DynKind>] {
    &KINDS
}

/// Where a kind stands in that order.
pub fn place(name: &str) -> Option<usize> {
    PLACES.get(name).copied()
}

/// A kind by its name.
pub fn find(name: &str) -> Option<&'static dyn DynKind> {
    place(name).map(|place| KINDS[place].as_ref())
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    Catalog::new(
        KINDS
            .iter()
            .map(|kind| KindInfo {
                not_state: kind.not_state(),
                name: kind.name(),
                identity: kind.identity(),
                regional: kind.scope() == Scope::Regional,
                schema: Box::new(|| kind.schema()),
                check: Box::new(|spec| kind.check(spec)),
                governs: Box::new(|spec| kind.governs(spec, None)),
            })
            .collect(),
    )
});

/// All kinds, as the baseline language sees them.
pub fn catalog() -> &'static Catalog {
    &CATALOG
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::kinds::describe::{fields, sample_specs};

    #[test]
    fn every_name_is_there_once_and_finds_its_kind() {
        assert_eq!(PLACES.len(), KINDS.len());
        for kind in all() {
            assert_eq!(find(kind.name()).unwrap().name(), kind.name());
            let known = catalog().find(kind.name()).unwrap();
            assert_eq!(known.name, kind.name());
        }
        assert!(find("iam.nothing").is_none() && catalog().find("iam.nothing").is_none());
    }

    #[test]
    fn names_are_paths() {
        for kind in all() {
            let module = format!("::kinds::{}::", kind.name().replace('.', "::"));
            assert!(kind.path().contains(&module), "{} is in {}", kind.name(), kind.path());
        }
    }

    #[test]
    fn what_comes_before_is_there_and_stands_before() {
        for (kind, own) in all().iter().zip(0..) {
            for earlier in kind.after() {
                let place = place(earlier);
                assert!(place.is_some(), "{} comes after {earlier}, which is no kind", kind.name());
                assert!(place < Some(own), "{} must stand below {earlier}", kind.name());
            }
        }
    }

    /// A field that stands in no sample is never exercised by the property tests.
    #[test]
    fn every_field_stands_in_a_sample() {
        let mut missing = Vec::new();
        for kind in all() {
            let mut seen = BTreeSet::new();
            for spec in kind.samples().iter().flat_map(|sample| sample_specs(kind.as_ref(), sample))
            {
                collect(&[], &spec, &mut seen);
            }
            for field in fields(kind.as_ref()) {
                let parts: Vec<&str> = field.path.split('.').collect();
                if !seen.iter().any(|path| is_it(path, &parts)) {
                    missing.push(format!("{} {}", kind.name(), field.path));
                }
            }
        }
        assert!(missing.is_empty(), "these stand in no sample:\n{}", missing.join("\n"));
    }

    /// Whether a path is that of a field, in which `NAME` stands for any name.
    fn is_it(path: &[String], field: &[&str]) -> bool {
        path.len() == field.len()
            && path
                .iter()
                .zip(field)
                .all(|(part, wanted)| part == wanted || wanted.trim_end_matches("[]") == "NAME")
    }

    /// The paths of all that a value holds, `[]` behind the name of a list.
    fn collect(prefix: &[String], value: &Value, paths: &mut BTreeSet<Vec<String>>) {
        match value {
            Value::Object(map) => {
                for (name, inner) in map {
                    let path = [prefix, std::slice::from_ref(name)].concat();
                    collect(&path, inner, paths);
                    paths.insert(path);
                }
            }
            Value::Array(entries) => {
                let mut path = prefix.to_vec();
                if let Some(last) = path.last_mut() {
                    last.push_str("[]");
                }
                entries.iter().for_each(|entry| collect(&path, entry, paths));
            }
            _ => {}
        }
    }
}

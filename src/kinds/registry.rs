//! The list of all kinds. A new kind is one file and one line here.

use std::sync::LazyLock;

use super::Scope;
use super::erased::{DynKind, erase};
use super::shapes::{Inspect, Whole};
use super::{cloudtrail, config, ec2, iam, kms, s3};
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
        erase::<cloudtrail::trail::Trail>(),
        erase::<config::recorder::ConfigRecorder>(),
        erase::<ec2::ebs_encryption::EbsEncryption>(),
        erase::<ec2::default_security_group::DefaultSecurityGroup>(),
        erase::<Inspect<iam::root_user::RootUser>>(),
    ]
});

/// All kinds, in the order in which their changes are preferably applied.
pub fn all() -> &'static [Box<dyn DynKind>] {
    &KINDS
}

/// A kind by its name.
pub fn find(name: &str) -> Option<&'static dyn DynKind> {
    KINDS.iter().find(|kind| kind.name() == name).map(AsRef::as_ref)
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    Catalog::new(
        KINDS
            .iter()
            .map(|kind| KindInfo {
                name: kind.name(),
                identity: kind.identity(),
                regional: kind.scope() == Scope::Regional,
                schema: Box::new(|| kind.schema()),
                check: Box::new(|spec| kind.check(spec)),
                governs: Box::new(|spec| kind.governs(spec)),
            })
            .collect(),
    )
});

/// All kinds, as the baseline language sees them.
pub fn catalog() -> &'static Catalog {
    &CATALOG
}

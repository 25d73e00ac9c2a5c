//! The list of all kinds. A new kind is one file and one line here.

use std::sync::LazyLock;

use super::erased::{DynKind, erase};
use super::iam;

static KINDS: LazyLock<Vec<Box<dyn DynKind>>> =
    LazyLock::new(|| vec![erase::<iam::password_policy::PasswordPolicy>()]);

/// All kinds, in the order in which their changes are preferably applied.
pub fn all() -> &'static [Box<dyn DynKind>] {
    &KINDS
}

/// A kind by its name.
pub fn find(name: &str) -> Option<&'static dyn DynKind> {
    KINDS.iter().find(|kind| kind.name() == name).map(AsRef::as_ref)
}

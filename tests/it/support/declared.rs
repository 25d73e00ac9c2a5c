//! What a test declares: items below a header, in the file `b.toml` of an account.

use super::{Account, Run};

/// A baseline in mode enforce for one Region; what follows it stands from line 8 on.
pub const HEADER: &str =
    "schema = 1\n\n[baseline]\nname = \"test\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\n";
/// Applies all that is declared, whatever its risk and however much it is.
pub const APPLY: [&str; 7] = [
    "apply",
    "-b",
    "b.toml",
    "--yes",
    "--max-risk",
    "destructive",
    "--max-changes-per-account=1000",
];
/// The rules for passwords.
pub const POLICY: &str = "[iam.password_policy]\nminimum_password_length = 14\n";
/// A role.
pub const ROLE: &str = "[iam.role.audit]\ntrusted_account_ids = [\"${account.id}\"]\nmanaged_policy_arns = [\"arn:${partition}:iam::aws:policy/SecurityAudit\"]\n";

/// An account for which items are declared.
pub fn account(items: &str) -> Account {
    let account = super::emulator().account();
    account.declare(items);
    account
}

impl Account {
    /// Declares items in place of those that were declared.
    pub fn declare(&self, items: &str) {
        self.write("b.toml", &format!("{HEADER}{items}"));
    }

    /// Compares the account with what is declared.
    pub fn check(&self) -> Run {
        self.run(&["check", "-b", "b.toml"])
    }
}

//! `iam.account_alias`: the name in the account's sign-in address.

use aws_sdk_iam::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::{Setting, Write};
use crate::kinds::{
    Change, Controls, Cx, Object, ObserveError, Risk, Scope, Use, WriteCx, WriteError,
};

const LIST: Call = Call::new("iam", "ListAccountAliases");
const CREATE: Call = Call::new("iam", "CreateAccountAlias");
const DELETE: Call = Call::new("iam", "DeleteAccountAlias");

/// The alias of an account: the name that stands for its number in the sign-in address
/// `https://ALIAS.signin.aws.amazon.com/console`.
///
/// An account has one alias or none, and an alias belongs to one account of the partition. A new
/// alias takes the place of the old one, whose sign-in address stops working at once and whose
/// name anybody may then take.
///
/// Source: IAM API Reference, `CreateAccountAlias`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The alias: 3 to 63 lower-case letters, digits and single hyphens, not 12 digits, and no
    /// hyphen at either end.
    #[schemars(length(min = 3, max = 63), regex(pattern = r"^[a-z0-9](([a-z0-9]|-[a-z0-9])*)$"))]
    pub account_alias: String,
}

/// The kind.
pub struct AccountAlias;

impl Setting for AccountAlias {
    const NAME: &'static str = "iam.account_alias";
    const SCOPE: Scope = Scope::Global;
    const CONTROLS: Controls = Controls::NONE;
    const CALLS: &'static [Use<Alias>] =
        &[Use::read(LIST), Use::write(CREATE, everywhere), Use::undo(DELETE, everywhere)];
    const CLEAR: Option<Call> = Some(DELETE);
    const SAMPLES: &'static [&'static str] = &[
        r#"
[iam.account_alias]
account_alias = "acme-${account.id}"
"#,
        r#"
[iam.account_alias]
account_alias = "acme-payments-${account.id}"
"#,
    ];

    type Record = Alias;

    fn check(declared: &Alias) -> Vec<SpecProblem> {
        let alias = &declared.account_alias;
        if alias.len() == 12 && alias.bytes().all(|byte| byte.is_ascii_digit()) {
            return vec![SpecProblem::new(
                "account_alias",
                "an alias of 12 digits looks like an account id, which AWS refuses",
                "put a name in front, such as acme-123456789012",
            )];
        }
        Vec::new()
    }

    async fn read(cx: &Cx) -> Result<Object<Alias>, ObserveError> {
        let request = cx.client(Client::new).list_account_aliases();
        let answer = cx.read(LIST, "", request.send()).await?;
        let alias = answer.account_aliases().first();
        Ok(Object::only(alias.map(|alias| Alias { account_alias: alias.clone() })))
    }

    fn judge(
        change: Change<Write<Alias>>,
        now: Option<&Alias>,
        _then: &Alias,
    ) -> Change<Write<Alias>> {
        let Some(old) = now else { return change };
        change.risk(Risk::Disruptive).warn(format!(
            "the sign-in address https://{}.signin.aws.amazon.com/console stops working, and another account may take the name",
            old.account_alias
        ))
    }

    fn call(_then: &Alias) -> Call {
        CREATE
    }

    async fn put(cx: &WriteCx, then: &Alias) -> Result<(), WriteError> {
        let request =
            cx.client(Client::new).create_account_alias().account_alias(&then.account_alias);
        cx.send(CREATE, request.send()).await
    }

    async fn clear(cx: &WriteCx, now: &Alias) -> Result<(), WriteError> {
        let request =
            cx.client(Client::new).delete_account_alias().account_alias(&now.account_alias);
        cx.remove(DELETE, request.send(), &["NoSuchEntity"]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::shapes::Whole;
    use crate::kinds::{Facts, Kind};

    fn diff(now: Option<&str>) -> Vec<Change<Write<Alias>>> {
        let alias = |alias: &str| Alias { account_alias: alias.to_owned() };
        let facts = Facts::example(AccountAlias::NAME);
        Whole::<AccountAlias>::diff(&facts, &alias("acme"), &Object::only(now.map(alias)))
    }

    #[test]
    fn the_first_alias_hurts_nobody() {
        assert_eq!(diff(None)[0].risk, Risk::Safe);
        assert!(diff(Some("acme")).is_empty());
    }

    #[test]
    fn another_alias_breaks_the_old_address() {
        let changes = diff(Some("old"));
        assert_eq!(changes[0].risk, Risk::Disruptive);
        assert!(changes[0].warnings[0].contains("https://old.signin"));
    }
}

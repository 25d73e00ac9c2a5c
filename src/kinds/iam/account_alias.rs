//! `iam.account_alias`: the name in the account's sign-in address.

use aws_sdk_iam::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::{
    Change, Control, Cx, Drift, Facts, Kind, Object, ObserveError, Risk, Scope, Status, Undo, Use,
    WriteCx, WriteError, control,
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
pub struct Spec {
    /// The alias: 3 to 63 lower-case letters, digits and single hyphens, not 12 digits, and no
    /// hyphen at either end.
    #[schemars(length(min = 3, max = 63), regex(pattern = r"^[a-z0-9](([a-z0-9]|-[a-z0-9])*)$"))]
    pub account_alias: String,
}

/// The alias of an account that has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    account_alias: String,
}

/// The writes of this kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Sets the alias, in the place of the one that is there.
    Create {
        /// The new alias.
        alias: String,
    },
    /// Removes the alias; only to undo the first one.
    Delete {
        /// The alias that is there.
        alias: String,
    },
}

/// The kind.
pub struct AccountAlias;

impl Kind for AccountAlias {
    const NAME: &'static str = "iam.account_alias";
    const SCOPE: Scope = Scope::Global;
    const IDENTITY: Identity = Identity::Singleton;
    const CONTROLS: &'static [Control] = &[control("wa-security", "SEC01-BP01")];
    const CALLS: &'static [Use<Spec>] =
        &[Use::read(LIST), Use::write(CREATE, everywhere), Use::undo(DELETE)];
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

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let alias = &spec.account_alias;
        if alias.len() == 12 && alias.bytes().all(|byte| byte.is_ascii_digit()) {
            return vec![SpecProblem {
                field: "account_alias".to_owned(),
                message: "an alias of 12 digits looks like an account id, which AWS refuses"
                    .to_owned(),
                help: Some("put a name in front, such as acme-123456789012".to_owned()),
            }];
        }
        Vec::new()
    }

    fn calls(action: &Action) -> Vec<Call> {
        vec![match action {
            Action::Create { .. } => CREATE,
            Action::Delete { .. } => DELETE,
        }]
    }

    async fn observe(cx: &Cx, _spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let client = cx.client(Client::new);
        let answer = cx.read(LIST, "", client.list_account_aliases().send()).await?;
        Ok(vec![match answer.account_aliases().first() {
            Some(alias) => Object::present("", State { account_alias: alias.clone() }),
            None => Object::absent(""),
        }])
    }

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let now = object.state().map(|state| &state.account_alias);
        let mut drift = Drift::new();
        drift.compare("account_alias", now, Some(&spec.account_alias));
        if drift.is_empty() {
            return Vec::new();
        }
        let create = Action::Create { alias: spec.account_alias.clone() };
        let mut change = Change::new(create, drift);
        if let Some(old) = now {
            change = change.risk(Risk::Disruptive).warn(format!(
                "the sign-in address https://{old}.signin.aws.amazon.com/console stops working, and another account may take the name"
            ));
        }
        vec![change]
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        match action {
            Action::Create { alias } => {
                let request = client.create_account_alias().account_alias(alias);
                cx.write(CREATE, request.send()).await.map(drop).map_err(Into::into)
            }
            Action::Delete { alias } => {
                let request = client.delete_account_alias().account_alias(alias);
                cx.write(DELETE, request.send())
                    .await
                    .absent_if(&["NoSuchEntity"])
                    .map(drop)
                    .map_err(Into::into)
            }
        }
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        match (&before.status, action) {
            (Status::Present(state), _) => {
                Undo::By(vec![Action::Create { alias: state.account_alias.clone() }])
            }
            (Status::Absent, Action::Create { alias }) => {
                Undo::By(vec![Action::Delete { alias: alias.clone() }])
            }
            (Status::Absent, Action::Delete { .. }) => Undo::By(Vec::new()),
            (Status::Unknown(_) | Status::Skipped { .. }, _) => {
                Undo::Impossible("the former alias was not observed".to_owned())
            }
        }
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        Some(Spec { account_alias: object.state()?.account_alias.clone() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::names::{ItemName, Region};

    fn diff(now: Option<&str>) -> Vec<Change<Action>> {
        let facts = Facts {
            account: "111122223333".parse().unwrap(),
            partition: "aws".to_owned(),
            region: Region::new("us-east-1"),
            home_region: Region::new("us-east-1"),
            item: ItemName::singleton(AccountAlias::NAME),
        };
        let object = match now {
            Some(alias) => Object::present("", State { account_alias: alias.to_owned() }),
            None => Object::absent(""),
        };
        AccountAlias::diff(&facts, &Spec { account_alias: "acme".to_owned() }, &object)
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

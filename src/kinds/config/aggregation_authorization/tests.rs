#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::kinds::GrantClass;
use crate::kinds::shapes::part::{Action, State, Step};

fn spec(account: &str) -> Spec {
    Spec {
        authorized_account_id: account.to_owned(),
        authorized_aws_region: "eu-west-1".to_owned(),
        tags: Some(BTreeMap::from([("team".to_owned(), "security".to_owned())])),
    }
}

fn making(account: &str) -> Vec<Change<Action<Authorization>>> {
    let absent = Object::<State<Authorization>>::absent("x");
    Authorization::diff(&Facts::example(Authorization::NAME), &spec(account), &absent)
}

#[test]
fn one_that_is_given_lets_another_account_in_and_can_be_taken_back() {
    let changes = making("999988887777");
    assert_eq!(changes.len(), 1, "it is made with its tags: {changes:#?}");
    let grant = &changes[0].grants[0];
    assert_eq!(grant.class, GrantClass::Foreign);
    assert_eq!(grant.accounts, Some(BTreeSet::from(["999988887777".parse().unwrap()])));
    assert!(grant.what.contains("999988887777"), "{}", grant.what);
    let absent = Object::absent("x");
    let undo = Authorization::undo(changes[0].action.as_ref().unwrap(), &absent);
    let Undo::By(undo) = undo else { panic!("{undo:?}") };
    assert_eq!(Authorization::calls(&undo[0]), [DELETE]);
    assert!(matches!(Authorization::undo(&undo[0], &absent), Undo::Impossible(_)));
}

#[test]
fn an_account_may_be_let_in_by_itself() {
    let changes = making("111122223333");
    assert!(changes[0].grants.is_empty(), "{changes:#?}");
    assert!(matches!(changes[0].action.as_ref().unwrap().step, Step::Create(_)));
}

#[test]
fn the_account_and_the_region_together_tell_authorizations_apart() {
    let governed = |spec: &Spec| Authorization::governs(&json!(spec), None).unwrap();
    let elsewhere = Spec { authorized_aws_region: "us-east-1".to_owned(), ..spec("999988887777") };
    assert_ne!(governed(&spec("999988887777")), governed(&elsewhere));
    assert_eq!(governed(&spec("999988887777")), "999988887777 eu-west-1");
}

#[test]
fn what_aws_leaves_out_is_not_taken_for_another_one() {
    let whole = AggregationAuthorization::builder()
        .authorized_account_id("999988887777")
        .authorized_aws_region("eu-west-1");
    assert_eq!(keys(&whole.build()).unwrap(), ["999988887777", "eu-west-1"]);
    let half = AggregationAuthorization::builder().authorized_account_id("999988887777");
    assert!(keys(&half.build()).is_err());
}

#[test]
fn who_is_no_account_is_somebody_else_all_the_same() {
    let grant = &making("nobody")[0].grants[0];
    assert_eq!((grant.class, &grant.accounts), (GrantClass::Foreign, &None));
}

//! Events that come after a look has seen, or put right, what they tell of: whoever did it is named all the same, in
//! the history and in a notice.

use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};

use crate::controller::{Running, named, tell, watched};
use crate::notices::{QUEUE, told};
use crate::support::Account;

const OFF: &str = "ec2:DisableEbsEncryptionByDefault";
const ITEM: &str = "ec2.ebs_encryption";

/// An account whose calls become no events by themselves, a topic that is told of it, and a schedule.
fn account(mode: &str, schedule: &str) -> Account {
    let account = watched(mode);
    account.boto3(&format!(
        "boto3.client('events').remove_targets(Rule='calls', Ids=['queue'])\n\
         {QUEUE}\nsns = boto3.client('sns')\ntopic = sns.create_topic(Name='security')['TopicArn']\n\
         sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=arn)\nprint('null')"
    ));
    let fleet = account.read("evenkeel.toml").replace("0 0 0 1 1 *", schedule);
    let topic = format!("arn:aws:sns:eu-west-1:{}:security", account.id);
    let notify =
        format!("\n[notify.sns.security]\ntopic_arn = \"{topic}\"\nkinds = [\"{ITEM}\"]\n");
    account.write("evenkeel.toml", &format!("{fleet}{notify}"));
    account
}

/// The next notices.
fn letters(account: &Account) -> Vec<String> {
    for _ in 0..600 {
        let told = told(account);
        if !told.is_empty() {
            let text = |letter: &Value| letter["Message"].as_str().unwrap().to_owned();
            return told.iter().map(text).collect();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("nobody is told");
}

#[test]
fn who_did_what_was_put_right_before_their_event_came_is_named() {
    let account = account("enforce", "*/2 * * * * *");
    let mut controller = Running::start(&account);
    controller.next("run", |line| line["outcome"] == "in sync");
    assert!(letters(&account).concat().contains("put right"));
    // Of a look that began before this, nobody knows whether it saw it.
    controller.next("run", |line| line["causes"] == json!(["schedule"]));
    controller.next("run", |line| line["causes"] == json!(["schedule"]));
    account.boto3("boto3.client('ec2').disable_ebs_encryption_by_default()\nprint('null')");
    let done = Utc::now();
    let repaired = controller.next("run", |line| line["applied"] != 0);
    assert_eq!(repaired["causes"], json!(["schedule"]), "{repaired}");
    let unnamed = letters(&account).concat();
    assert!(unnamed.contains("put it right") && !unnamed.contains("user/"), "{unnamed}");
    assert!(!named(&account, ITEM).contains("user/"));

    let late = Utc::now() + chrono::TimeDelta::seconds(1);
    let before = done - chrono::TimeDelta::minutes(20);
    let calls = [("innocent", before), ("too-late", late), ("eve", done)];
    tell(&account, &calls.map(|(who, time)| (who, OFF, time, json!({}))));
    controller.next("run", |line| line["parts"].to_string().contains(ITEM));
    let said = named(&account, ITEM);
    assert!(said.contains("user/eve") && said.matches("user/").count() == 1, "{said}");
    let letter = letters(&account).concat();
    assert!(letter.contains("who may have changed it is known by now"), "{letter}");
    assert!(letter.contains("user/eve") && letter.matches("user/").count() == 1, "{letter}");
    let run = repaired["run"].as_str().unwrap();
    assert!(letter.contains(&format!("evenkeel show {run}")), "{letter}");
    controller.end();
}

#[test]
fn who_did_what_is_only_reported_is_named_once_their_event_comes() {
    let account = account("report", "0 0 0 1 1 *");
    let done = Utc::now();
    let mut controller = Running::start(&account);
    controller.next("run", |line| line["outcome"] == "drift");
    let unnamed = letters(&account).concat();
    assert!(unnamed.contains("not as declared") && !unnamed.contains("user/"), "{unnamed}");
    tell(&account, &[("eve", OFF, done, json!({}))]);
    controller.next("run", |line| line["parts"].to_string().contains(ITEM));
    assert!(named(&account, ITEM).contains("user/eve"));
    let letter = letters(&account).concat();
    assert!(letter.contains("user/eve"), "{letter}");
    controller.end();
}

#[test]
fn who_else_may_have_done_it_is_named_beside_who_is_named_already_and_not_who_cannot_have() {
    let account = account("report", "*/2 * * * * *");
    let mut controller = Running::start(&account);
    controller.next("run", |line| line["outcome"] == "drift");
    assert!(letters(&account).concat().contains("not as declared"));
    account.boto3("boto3.client('ec2').enable_ebs_encryption_by_default()\nprint('null')");
    let is_off = |line: &Value| line["drift"].to_string().contains(ITEM);
    controller.next("run", |line| line["causes"] == json!(["schedule"]) && !is_off(line));
    assert!(letters(&account).concat().contains("over"));
    controller.next("run", |line| line["causes"] == json!(["schedule"]));
    controller.next("run", |line| line["causes"] == json!(["schedule"]));
    let done = Utc::now();
    account.boto3("boto3.client('ec2').disable_ebs_encryption_by_default()\nprint('null')");
    controller.next("run", is_off);
    assert!(letters(&account).concat().contains("not as declared"));
    let on = "ec2:EnableEbsEncryptionByDefault";
    for (who, call, is_named) in [("innocent", on, false), ("ann", OFF, true), ("eve", OFF, true)] {
        tell(&account, &[(who, call, done, json!({}))]);
        controller.next("run", |line| line["parts"].to_string().contains(ITEM));
        let said = named(&account, ITEM);
        assert_eq!(said.contains(&format!("user/{who}")), is_named, "{said}");
        if is_named {
            let letter = letters(&account).concat();
            assert!(letter.contains(&format!("user/{who}")), "{letter}");
        }
    }
    let said = named(&account, ITEM);
    assert!(said.contains("user/ann") && said.contains("user/eve"), "{said}");
    // Nobody is told anew when an event comes again.
    tell(&account, &[("ann", OFF, done, json!({}))]);
    controller.next("run", |line| line["parts"].to_string().contains(ITEM));
    assert!(told(&account).is_empty());
    controller.end();
}

#[test]
fn who_called_before_a_look_of_the_controller_before_has_not_done_what_came_after_it() {
    let account = account("enforce", "*/2 * * * * *");
    let mut controller = Running::start(&account);
    controller.next("run", |line| line["outcome"] == "in sync");
    let before = Utc::now();
    std::thread::sleep(Duration::from_millis(1_100));
    controller.next("run", |line| line["causes"] == json!(["schedule"]));
    controller.next("run", |line| line["causes"] == json!(["schedule"]));
    controller.end();
    account.boto3("boto3.client('ec2').disable_ebs_encryption_by_default()\nprint('null')");
    let done = Utc::now();
    let mut controller = Running::start(&account);
    controller.next("run", |line| line["applied"] != 0);
    tell(&account, &[("innocent", OFF, before, json!({}))]);
    controller.next("run", |line| line["parts"].to_string().contains(ITEM));
    let said = named(&account, ITEM);
    assert!(said.contains("drift") && !said.contains("user/"), "{said}");
    tell(&account, &[("eve", OFF, done, json!({}))]);
    controller.next("run", |line| line["parts"].to_string().contains(ITEM));
    assert!(named(&account, ITEM).contains("user/eve"));
    controller.end();
}

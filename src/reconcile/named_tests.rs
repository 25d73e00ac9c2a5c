use serde_json::json;

use super::*;

const OURS: &str = "arn:aws:sns:eu-west-1:111122223333:alpha";

fn object(item: &str, spec: Value, observed: Value) -> ObjectPlan {
    serde_json::from_value(json!({
        "account": "111122223333", "region": "eu-west-1", "global": false, "item": item,
        "mode": "enforce", "controls": [], "verdict": {"is": "drifted"}, "spec": spec,
        "state_digest": "", "observed": observed, "changes": [],
    }))
    .unwrap()
}

fn there(id: &str, state: Value) -> Value {
    json!({"id": id, "status": "present", "state": state})
}

fn touches(object: &ObjectPlan, call: &str, asked: Value) -> bool {
    Named::of(&asked, &Value::Null, &Value::Null).may_touch(call, object, &own_ids(object))
}

fn topic() -> ObjectPlan {
    object("sns.topic.alpha", json!({"name": "alpha"}), there("alpha", json!({})))
}

#[test]
fn who_names_another_object_of_the_kind_has_not_touched_this_one() {
    let set = "sns.amazonaws.com:SetTopicAttributes";
    assert!(touches(&topic(), set, json!({"topicArn": OURS, "attributeName": "DisplayName"})));
    let other = format!("{OURS}-2");
    assert!(!touches(&topic(), set, json!({"topicArn": other, "attributeName": "alpha"})));
    // Nobody knows what it was about.
    assert!(touches(&topic(), set, Value::Null));
    assert!(touches(&topic(), set, json!({"attributeName": "DisplayName"})));
    // It says so in its resources, or its answer, where it does not in what was asked.
    let of = |resources: Value, answered: Value| {
        Named::of(&json!({"attributes": {}}), &resources, &answered).may_touch(set, &topic(), &[])
    };
    assert!(of(json!([{"ARN": OURS, "type": "AWS::SNS::Topic"}]), Value::Null));
    assert!(!of(json!([{"ARN": other}]), json!({"topicArn": OURS})));
    assert!(
        of(Value::Null, json!({"topicArn": OURS})) && !of(Value::Null, json!({"topicArn": other}))
    );
}

#[test]
fn tags_that_nobody_declares_are_no_cause() {
    let tag = "sns.amazonaws.com:TagResource";
    let asked = || json!({"resourceArn": OURS, "tags": [{"key": "a", "value": "b"}]});
    assert!(!touches(&topic(), tag, asked()));
    let tagged = json!({"name": "alpha", "tags": {"a": "c"}});
    let tagged = object("sns.topic.alpha", tagged, there("alpha", json!({})));
    assert!(touches(&tagged, tag, asked()));
}

#[test]
fn what_an_object_is_to_use_is_not_the_object() {
    let bucket = |name: &str| {
        object("s3.bucket.logs", json!({"bucket": name}), there(name, json!({"bucket": name})))
    };
    let put = "s3.amazonaws.com:PutBucketLogging";
    let asked = json!({
        "bucketName": "other", "Host": "other.s3.eu-west-1.amazonaws.com",
        "BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": ""}},
    });
    assert!(touches(&bucket("other"), put, asked.clone()) && !touches(&bucket("logs"), put, asked));
    let role =
        |name: &str| object("iam.role.a", json!({"role_name": name}), there(name, json!({})));
    let put = "iam.amazonaws.com:PutRolePolicy";
    let asked = json!({"roleName": "prod", "policyName": "audit", "policyDocument": "{}"});
    assert!(touches(&role("prod"), put, asked.clone()) && !touches(&role("audit"), put, asked));
}

#[test]
fn a_key_is_called_by_its_alias_its_id_and_the_arns_of_both() {
    let mut observed = there("alias/audit", json!({}));
    observed["label"] = json!("0f6c-1");
    let key = object("kms.key.audit", json!({"alias": "alias/audit"}), observed);
    let disable = "kms.amazonaws.com:DisableKey";
    for id in [
        "0f6c-1",
        "alias/audit",
        "arn:aws:kms:eu-west-1:111122223333:key/0f6c-1",
        "arn:aws:kms:eu-west-1:111122223333:alias/audit",
    ] {
        assert!(touches(&key, disable, json!({"keyId": id})), "{id}");
    }
    for id in ["0f6c-2", "alias/audit2", "arn:aws:kms:eu-west-1:111122223333:key/0f6c-2"] {
        assert!(!touches(&key, disable, json!({"keyId": id})), "{id}");
    }
    let moved = json!({"aliasName": "alias/audit", "targetKeyId": "0f6c-2"});
    assert!(touches(&key, "kms.amazonaws.com:UpdateAlias", moved));
}

#[test]
fn one_that_lies_deeper_and_one_of_several_names_are_found() {
    let rule = "config_rule_name";
    let rule = object("config.rule.a", json!({rule: "root-mfa"}), there("root-mfa", json!({})));
    let put =
        |name: &str| json!({"configRule": {"configRuleName": name, "source": {"owner": "AWS"}}});
    let call = "config.amazonaws.com:PutConfigRule";
    assert!(touches(&rule, call, put("root-mfa")) && !touches(&rule, call, put("other")));
    let group = object("ec2.default_security_group", json!({}), there("sg-1", json!({})));
    let asked = |id: &str| {
        json!({
            "groupId": id,
            "ipPermissions": {"items": [{"groups": {"items": [{"groupId": "sg-1"}]}}]},
        })
    };
    let call = "ec2.amazonaws.com:AuthorizeSecurityGroupIngress";
    assert!(touches(&group, call, asked("sg-1")) && !touches(&group, call, asked("sg-2")));
    let alarm = json!({"alarm_name": "root", "filter_name": "root", "log_group_name": "trail"});
    let alarm = object("cloudwatch.log_alarm.root", alarm, there("root", json!({})));
    let call = "monitoring.amazonaws.com:DisableAlarmActions";
    assert!(touches(&alarm, call, json!({"alarmNames": ["a", "root"]})));
    assert!(!touches(&alarm, call, json!({"alarmNames": ["a", "b"]})));
    // Of another service: all that it names is what the object uses.
    let call = "logs.amazonaws.com:PutMetricFilter";
    let asked = |filter: &str| json!({"filterName": filter, "logGroupName": "trail"});
    assert!(touches(&alarm, call, asked("root")) && !touches(&alarm, call, asked("mine")));
}

#[test]
fn what_there_is_one_of_is_touched_by_its_own_calls() {
    let only = |item: &str| object(item, json!({}), json!({"id": "", "status": "absent"}));
    let policy = only("iam.password_policy");
    let update = "iam.amazonaws.com:UpdateAccountPasswordPolicy";
    assert!(touches(&policy, update, json!({"minimumPasswordLength": 6})));
    let recorder = only("config.recorder");
    let stop = "config.amazonaws.com:StopConfigurationRecorder";
    assert!(touches(&recorder, stop, json!({"configurationRecorderName": "default"})));
    // A key of somebody else is not the root user's, and another key not the one that disks are encrypted with.
    let root = only("iam.root_user");
    let create = "iam.amazonaws.com:CreateAccessKey";
    assert!(touches(&root, create, Value::Null));
    assert!(!touches(&root, create, json!({"userName": "bob"})));
    let ebs =
        object("ec2.ebs_encryption", json!({"kms_key_id": "alias/disks"}), there("", json!({})));
    let disable = "kms.amazonaws.com:DisableKey";
    assert!(touches(&ebs, disable, json!({"keyId": "alias/disks"})));
    assert!(!touches(&ebs, disable, json!({"keyId": "alias/other"})));
}

/// Whatever the kind: an event of one of its own calls that names something else names nobody for a named
/// object, and one that names it does.
#[test]
fn all_kinds_with_names_tell_their_objects_apart() {
    for kind in registry::all() {
        let Identity::Named { field, .. } = kind.identity() else { continue };
        let item = format!("{}.a", kind.name());
        let object = object(&item, json!({field: "this-one"}), there("this-one", json!({})));
        for call in kind.events().iter().filter(|call| is_own(kind.as_ref(), call)) {
            // What the whole account has, each of its objects has.
            if call.contains("Tag") || thing(call).starts_with("account") {
                continue;
            }
            assert!(!touches(&object, call, json!({"name": "another"})), "{call}");
            assert!(!touches(&object, call, json!({field: "another"})), "{call}");
            assert!(touches(&object, call, json!({field: "this-one"})), "{call}");
            assert!(touches(&object, call, Value::Null), "{call}");
        }
    }
}

#[test]
fn who_names_an_id_that_aws_gave_it_or_a_part_of_it_has_touched_it() {
    let group = |id: &str| {
        let rule = json!({"rule": {"referenced_group_id": "sg-0ther"}});
        let state = json!({"group_id": id, "ingress": [rule], "egress": [], "used_by": []});
        object("ec2.default_security_group", json!({}), there("vpc-1", state))
    };
    let opens = "ec2.amazonaws.com:AuthorizeSecurityGroupIngress";
    let asked = |id: &str| json!({"groupId": id, "ipPermissions": {"items": [{"fromPort": 23}]}});
    assert!(touches(&group("sg-1"), opens, asked("sg-1")));
    assert!(!touches(&group("sg-1"), opens, asked("sg-0ther")), "a rule names that one");
    let logs = |ids: &[&str]| {
        let of = |id: &&str| json!({"flow_log_id": id, "log_destination": "arn:aws:s3:::logs"});
        let all: Vec<Value> = ids.iter().map(of).collect();
        object("ec2.flow_logs", json!({}), there("vpc-1", json!({"flow_logs": all})))
    };
    let deletes = "ec2.amazonaws.com:DeleteFlowLogs";
    let asked = json!({"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": "fl-1"}}});
    assert!(touches(&logs(&["fl-1", "fl-2"]), deletes, asked.clone()));
    assert!(!touches(&logs(&["fl-2"]), deletes, asked.clone()));
    // It is gone by now; a look before has seen it.
    let (told, null) = (Named::of(&asked, &Value::Null, &Value::Null), Value::Null);
    assert!(told.may_touch(deletes, &logs(&[]), &own_ids(&logs(&["fl-1"]))));
    // One that somebody else has there is none of ours, whether it is there still or not.
    let two = |theirs: &str| {
        let of = |id: &str, to: &str| json!({"flow_log_id": id, "log_destination": to});
        let logs = [of("fl-1", "arn:aws:s3:::logs"), of("fl-9", theirs)];
        let spec = json!({"traffic_type": "ALL", "log_destination": "arn:aws:s3:::logs"});
        object("ec2.flow_logs", spec, there("vpc-1", json!({"flow_logs": logs})))
    };
    assert_eq!(own_ids(&two("arn:aws:s3:::of-the-network-team")), ["fl-1"]);
    assert_eq!(own_ids(&two("arn:aws:s3:::logs")), ["fl-1", "fl-9"]);
    // Of another service, the same text says nothing.
    let other = Named::of(&json!({"groupId": "sg-1"}), &null, &null);
    assert!(!other.may_touch("iam.amazonaws.com:AddUserToGroup", &logs(&[]), &["sg-1".to_owned()]));
}

#[test]
fn what_a_call_has_made_is_told_by_its_answer() {
    let vpc = |id: &str| object("ec2.flow_logs", json!({}), there(id, json!({"flow_logs": []})));
    let asked = json!({"cidrBlock": "10.0.0.0/16", "ipv4IpamPoolId": "ipam-pool-1"});
    let answered = json!({
        "requestId": "4f5e", "vpc": {"vpcId": "vpc-1", "ownerId": "1", "dhcpOptionsId": "dopt-1"},
    });
    let call = "ec2.amazonaws.com:CreateVpc";
    for asked in [asked, json!({"cidrBlock": "10.0.0.0/16"}), Value::Null] {
        let told = Named::of(&asked, &Value::Null, &answered);
        assert!(told.may_touch(call, &vpc("vpc-1"), &[]), "{asked}");
        assert!(!told.may_touch(call, &vpc("vpc-2"), &[]), "{asked}");
        // Another service's object knows its VPCs.
        let logs = |vpc: &str| {
            let state = json!({"config": null, "vpcs": {vpc: {"standing": "without"}}});
            object("route53resolver.query_log_config.a", json!({"name": "a"}), there("a", state))
        };
        assert!(
            told.may_touch(call, &logs("vpc-1"), &[]) && !told.may_touch(call, &logs("vpc-2"), &[])
        );
    }
}

#[test]
fn whoever_calls_what_a_kind_only_watches_may_have_done_it_unless_it_was_another_part() {
    let state = json!({"filters": {"quiet": {}}, "ip_sets": [], "trusted_entity_sets": []});
    let spec = json!({"allowed_filters": {}});
    let suppressions = object("guardduty.suppressions", spec, there("", state));
    let create = "guardduty.amazonaws.com:CreateFilter";
    let of = |name: &str| {
        let asked = json!({"detectorId": "d", "name": name, "action": "ARCHIVE"});
        Named::of(&asked, &Value::Null, &json!({"name": name}))
    };
    let is_of = |named: &Named, call: &str, field: &str| {
        named.may_touch(call, &suppressions, &[])
            && !named.is_of_another_part(call, &suppressions, field)
    };
    assert!(is_of(&of("quiet"), create, "allowed_filters.quiet"));
    assert!(!is_of(&of("mine"), create, "allowed_filters.quiet"));
    assert!(is_of(&of("mine"), create, "allowed_filters"), "it names no part");
    let update = Named::of(
        &json!({"detectorId": "d", "ipSetId": "1f2e", "name": "new"}),
        &Value::Null,
        &Value::Null,
    );
    // The list may have had another name before.
    assert!(is_of(&update, "guardduty.amazonaws.com:UpdateIPSet", "allowed_ip_sets.office"));
    let stores = json!({"stores": {"main": {"status": "PENDING_DELETION"}}});
    let stores = object("cloudtrail.event_data_stores", json!({}), there("", stores));
    let arn = "arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/0f6c";
    let delete = "cloudtrail.amazonaws.com:DeleteEventDataStore";
    assert!(touches(&stores, delete, json!({"eventDataStore": arn})));
    let root = object("iam.root_user", json!({}), there("", json!({})));
    let asked =
        json!({"targetPrincipal": "1", "taskPolicyArn": {"arn": "arn:aws:iam::aws:policy/x"}});
    assert!(touches(&root, "sts.amazonaws.com:AssumeRoot", asked));
}

#[test]
fn what_aws_calls_an_object_is_remembered_when_it_has_gone() {
    let arn = "arn:aws:securityhub:eu-west-1:111122223333:insight/111122223333/custom/0f6c";
    let state = json!({"place": {"name": "critical", "arn": arn}, "parts": {}});
    let spec = || json!({"name": "critical"});
    let before = object("securityhub.insight.a", spec(), there("critical", state));
    let gone = json!({"id": "critical", "status": "absent"});
    let gone = object("securityhub.insight.a", spec(), gone);
    let delete = "securityhub.amazonaws.com:DeleteInsight";
    let told = |arn: &str| {
        let asked = json!({ "insightArn": arn });
        Named::of(&asked, &Value::Null, &asked).may_touch(delete, &gone, &own_ids(&before))
    };
    assert!(told(arn) && !told(&arn.replace("0f6c", "1f6c")));
    // The key behind an alias that was deleted.
    let mut key = there("alias/audit", json!({"key_id": "0f6c-1"}));
    key["label"] = json!("0f6c-1");
    let key = object("kms.key.audit", json!({"alias": "alias/audit"}), key);
    assert_eq!(own_ids(&key), ["0f6c-1"]);
}

#[test]
fn what_is_of_all_and_what_names_too_much_may_be_of_each() {
    let group = json!({"log_group_name": "app"});
    let group = object("logs.log_group.app", group, there("app", json!({})));
    let policy = json!({"policyName": "all", "policyType": "DATA_PROTECTION_POLICY"});
    assert!(touches(&group, "logs.amazonaws.com:PutAccountPolicy", policy));
    let alarm = json!({"alarm_name": "root", "filter_name": "root", "log_group_name": "trail"});
    let alarm = object("cloudwatch.log_alarm.root", alarm, there("root", json!({})));
    let call = "monitoring.amazonaws.com:DisableAlarmActions";
    let many = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("alarm-{number}")).collect();
        json!({ "alarmNames": names })
    };
    assert!(!touches(&alarm, call, many(MOST)) && touches(&alarm, call, many(MOST + 1)));
    // What stands beside many is kept.
    let ids: Vec<String> = (0..2 * MOST).map(|number| number.to_string()).collect();
    let rule = object("events.rule.r", json!({"name": "r"}), there("r", json!({})));
    let call = "events.amazonaws.com:RemoveTargets";
    assert!(touches(&rule, call, json!({"ids": ids, "rule": "r"})));
    assert!(!touches(&rule, call, json!({"ids": ids, "rule": "other"})));
}

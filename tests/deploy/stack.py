"""Makes what a CloudFormation template of `evenkeel deploy` says, call by call, with boto3.

The emulator has no CloudFormation. This knows the resources and functions that the templates use, and fails on
any other: so each property goes to the API that CloudFormation itself would call, and is checked there.
"""

import json
from typing import Any

import boto3

#: What `AWS::NoValue` leaves out.
NOTHING = object()


class Stack:
    """A stack in the account and Region of the session."""

    def __init__(self, session: boto3.Session, template: dict[str, Any], **parameters: str) -> None:
        self.session = session
        known = template.get("Parameters", {})
        missing = {name for name, it in known.items() if "Default" not in it} - parameters.keys()
        if missing or parameters.keys() - known.keys():
            raise ValueError(f"parameters: {missing or parameters.keys() - known.keys()}")
        identity = session.client("sts").get_caller_identity()
        self.refs: dict[str, str] = {
            "AWS::AccountId": identity["Account"],
            "AWS::Partition": identity["Arn"].split(":")[1],
            **{name: it["Default"] for name, it in known.items() if "Default" in it},
            **parameters,
        }
        self.attributes: dict[tuple[str, str], str] = {}
        self.conditions: dict[str, bool] = {}
        for name, condition in template.get("Conditions", {}).items():
            self.conditions[name] = self.filled(condition)
        self.resources = {name: it for name, it in template["Resources"].items()
                          if "Condition" not in it or self.conditions[it["Condition"]]}
        for name in self.resources:
            self._make(name)
        outputs = template.get("Outputs", {})
        self.outputs = {name: self.filled(output["Value"]) for name, output in outputs.items()}

    def _make(self, name: str) -> None:
        if name in self.refs:
            return
        resource = self.resources[name]
        kind = resource["Type"].removeprefix("AWS::").replace("::", "_").lower()
        properties = self.filled(resource["Properties"])
        self.refs[name], attributes = getattr(self, f"make_{kind}")(properties)
        self.attributes |= {(name, key): value for key, value in attributes.items()}

    def filled(self, value: Any) -> Any:
        """The value with its functions called."""
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value == {"Ref": "AWS::NoValue"}:
            return NOTHING
        if value.keys() == {"Fn::Equals"}:
            one, other = self.filled(value["Fn::Equals"])
            return one == other
        if value.keys() == {"Fn::Not"}:
            return not self.filled(value["Fn::Not"])[0]
        if value.keys() == {"Fn::If"}:
            condition, one, other = value["Fn::If"]
            return self.filled(one if self.conditions[condition] else other)
        if value.keys() == {"Ref"}:
            if value["Ref"] not in self.refs:
                self._make(value["Ref"])
            return self.refs[value["Ref"]]
        if value.keys() == {"Fn::GetAtt"}:
            name, attribute = value["Fn::GetAtt"]
            self._make(name)
            return self.attributes[name, attribute]
        if value.keys() == {"Fn::Sub"}:
            text = value["Fn::Sub"]
            for name, ref in self.refs.items():
                text = text.replace(f"${{{name}}}", ref)
            if "${" in text:
                raise ValueError(text)
            return text
        filled = {key: self.filled(each) for key, each in value.items()}
        return {key: each for key, each in filled.items() if each is not NOTHING}

    def make_events_eventbus(self, it: dict[str, Any]) -> tuple[str, dict[str, str]]:
        arn = self.session.client("events").create_event_bus(**it)["EventBusArn"]
        return it["Name"], {"Arn": arn}

    def make_events_eventbuspolicy(self, it: dict[str, Any]) -> tuple[str, dict[str, str]]:
        policy = {"Version": "2012-10-17", "Statement": [{**it["Statement"], "Sid": it["StatementId"]}]}
        client = self.session.client("events")
        client.put_permission(EventBusName=it["EventBusName"], Policy=json.dumps(policy))
        return it["StatementId"], {}

    def make_events_rule(self, it: dict[str, Any]) -> tuple[str, dict[str, str]]:
        client = self.session.client("events")
        targets = it.pop("Targets")
        arn = client.put_rule(**{**it, "EventPattern": json.dumps(it["EventPattern"])})["RuleArn"]
        bus = {"EventBusName": it["EventBusName"]} if "EventBusName" in it else {}
        answer = client.put_targets(Rule=it["Name"], Targets=targets, **bus)
        if answer["FailedEntryCount"]:
            raise ValueError(answer)
        return it["Name"], {"Arn": arn}

    def make_sqs_queue(self, it: dict[str, Any]) -> tuple[str, dict[str, str]]:
        client = self.session.client("sqs")
        name = it.pop("QueueName")
        texts = {key: json.dumps(value) if isinstance(value, dict) else str(value).lower() if isinstance(value, bool)
                 else str(value) for key, value in it.items()}
        url = client.create_queue(QueueName=name, Attributes=texts)["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return url, {"Arn": arn, "QueueName": name}

    def make_sqs_queuepolicy(self, it: dict[str, Any]) -> tuple[str, dict[str, str]]:
        for url in it["Queues"]:
            policy = json.dumps(it["PolicyDocument"])
            self.session.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return it["Queues"][0], {}

    def make_cloudwatch_alarm(self, it: dict[str, Any]) -> tuple[str, dict[str, str]]:
        self.session.client("cloudwatch").put_metric_alarm(AlarmName="dead-letters", **it)
        return "dead-letters", {}

    def make_iam_managedpolicy(self, it: dict[str, Any]) -> tuple[str, dict[str, str]]:
        document = json.dumps(it["PolicyDocument"], separators=(",", ":"))
        name = f"evenkeel-{len(self.refs)}"
        client = self.session.client("iam")
        made = client.create_policy(PolicyName=name, PolicyDocument=document, Description=it["Description"])
        return made["Policy"]["Arn"], {}

    def make_iam_role(self, it: dict[str, Any]) -> tuple[str, dict[str, str]]:
        client = self.session.client("iam")
        made = client.create_role(
            Path=it.get("Path", "/"), RoleName=it["RoleName"], Description=it["Description"],
            AssumeRolePolicyDocument=json.dumps(it["AssumeRolePolicyDocument"]),
        )
        for arn in it.get("ManagedPolicyArns", []):
            client.attach_role_policy(RoleName=it["RoleName"], PolicyArn=arn)
        for policy in it.get("Policies", []):
            client.put_role_policy(
                RoleName=it["RoleName"], PolicyName=policy["PolicyName"],
                PolicyDocument=json.dumps(policy["PolicyDocument"]),
            )
        return it["RoleName"], {"Arn": made["Role"]["Arn"]}

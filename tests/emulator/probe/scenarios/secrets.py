"""Secrets Manager, and the Lambda functions that rotate."""

import io
import json
import zipfile
from contextlib import suppress

from emulator.probe.trial import Trial


def functions(t: Trial) -> None:
    b = io.BytesIO()
    zz = zipfile.ZipFile(b, "w")
    zz.writestr("index.py", "def handler(e,c): return 1")
    zz.close()
    with suppress(Exception):
        t.client("iam").create_role(
            RoleName="lam",
            AssumeRolePolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                }
            ),
        )
    made = t(
        "lambda.CreateFunction",
        FunctionName="rot",
        Runtime="python3.12",
        Role=f"arn:aws:iam::{t.acct}:role/lam",
        Handler="index.handler",
        Code={"ZipFile": b.getvalue()},
    )
    t.made_fa = made.get("FunctionArn") or f"arn:aws:lambda:us-east-1:{t.acct}:function:rot"
    t.check("lambda.CreateFunction", "created", lambda: made.ok)
    got = t("lambda.ListFunctions")
    t.check("lambda.ListFunctions", "listed", lambda: [item["FunctionName"] for item in got.Functions] == ["rot"])
    t("lambda.GetPolicy", FunctionName="rot", expect="ResourceNotFoundException")
    t(
        "lambda.AddPermission",
        FunctionName="rot",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceAccount=t.acct,
    )
    got = t("lambda.GetPolicy", FunctionName="rot")
    t.check(
        "lambda.AddPermission GetPolicy",
        "statement",
        lambda: json.loads(got.Policy)["Statement"][0]["Principal"] == {"Service": "secretsmanager.amazonaws.com"},
    )


def secrets(t: Trial) -> None:
    t("secretsmanager.CreateSecret", Name="db", SecretString="x", Tags=[{"Key": "a", "Value": "b"}])
    got = t("secretsmanager.DescribeSecret", SecretId="db")
    t.check(
        "secretsmanager.CreateSecret DescribeSecret",
        "tags; no RotationEnabled",
        lambda: got.Tags == [{"Key": "a", "Value": "b"}] and (not got.get("RotationEnabled")),
    )
    t.check(
        "secretsmanager.DescribeSecret",
        "RotationEnabled absent when never configured",
        lambda: "RotationEnabled" not in got,
    )
    t(
        "secretsmanager.RotateSecret",
        SecretId="db",
        RotationLambdaARN=t.made_fa,
        RotationRules={"ScheduleExpression": "rate(30 days)", "Duration": "2h"},
        RotateImmediately=False,
    )
    got = t("secretsmanager.DescribeSecret", SecretId="db")
    t.check(
        "secretsmanager.RotateSecret",
        "enabled, Lambda",
        lambda: (got.RotationEnabled, got.RotationLambdaARN) == (True, t.made_fa),
    )
    t.check(
        "secretsmanager.RotateSecret",
        "schedule expression and duration kept",
        lambda: (got.RotationRules["ScheduleExpression"], got.RotationRules["Duration"]) == ("rate(30 days)", "2h"),
    )
    t(
        "secretsmanager.RotateSecret",
        SecretId="db",
        RotationLambdaARN=t.made_fa,
        RotationRules={"AutomaticallyAfterDays": 30},
        RotateImmediately=False,
    )
    got = t("secretsmanager.ListSecrets")
    t.check(
        "secretsmanager.ListSecrets RotateSecret",
        "days in list",
        lambda: got.SecretList[0]["RotationRules"]["AutomaticallyAfterDays"] == 30,
    )
    t("secretsmanager.CancelRotateSecret", SecretId="db")
    got = t("secretsmanager.DescribeSecret", SecretId="db")
    t.check("secretsmanager.CancelRotateSecret", "off", lambda: got.RotationEnabled is False)
    got = t("secretsmanager.GetResourcePolicy", SecretId="db")
    t.check(
        "secretsmanager.GetResourcePolicy", "none: member absent", lambda: got.ok and (not got.get("ResourcePolicy"))
    )
    t(
        "secretsmanager.PutResourcePolicy",
        SecretId="db",
        ResourcePolicy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{t.acct}:root"},
                        "Action": "secretsmanager:GetSecretValue",
                        "Resource": "*",
                    }
                ],
            }
        ),
        BlockPublicPolicy=True,
    )
    got = t("secretsmanager.GetResourcePolicy", SecretId="db")
    t.check(
        "secretsmanager.PutResourcePolicy GetResourcePolicy",
        "back",
        lambda: json.loads(got.ResourcePolicy)["Statement"][0]["Action"] == "secretsmanager:GetSecretValue",
    )
    t(
        "secretsmanager.PutResourcePolicy",
        SecretId="db",
        ResourcePolicy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"}],
            }
        ),
        BlockPublicPolicy=True,
        expect="PublicPolicyException",
    )
    t("secretsmanager.DeleteResourcePolicy", SecretId="db")
    got = t("secretsmanager.GetResourcePolicy", SecretId="db")
    t.check("secretsmanager.DeleteResourcePolicy", "gone", lambda: not got.get("ResourcePolicy"))
    t("secretsmanager.DeleteSecret", SecretId="db")
    got = t("secretsmanager.ListSecrets")
    t.check("secretsmanager.DeleteSecret", "not listed", lambda: got.SecretList == [])


SCENARIOS = [[functions, secrets]]

"""CloudWatch."""

from emulator.probe.trial import Trial


def alarms(t: Trial) -> None:
    al = dict(
        AlarmName="al",
        MetricName="m",
        Namespace="CISBenchmark",
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[f"arn:aws:sns:us-east-1:{t.acct}:alerts"],
        AlarmDescription="d",
        ActionsEnabled=True,
    )
    t("cloudwatch.PutMetricAlarm", Tags=[{"Key": "a", "Value": "b"}], **al)
    made = t("cloudwatch.DescribeAlarms", AlarmNames=["al"], AlarmTypes=["MetricAlarm"])
    t.check(
        "cloudwatch.PutMetricAlarm DescribeAlarms",
        "all members",
        lambda: all((made.MetricAlarms[0][k] == v for k, v in al.items())),
    )
    al2 = {k: v for k, v in al.items() if k not in ("AlarmDescription", "AlarmActions")}
    t("cloudwatch.PutMetricAlarm", **al2)
    made = t("cloudwatch.DescribeAlarms", AlarmNames=["al"])
    t.check(
        "cloudwatch.PutMetricAlarm",
        "overwrites the whole alarm",
        lambda: made.MetricAlarms[0].get("AlarmActions", []) == [] and "AlarmDescription" not in made.MetricAlarms[0],
    )
    t("cloudwatch.DisableAlarmActions", AlarmNames=["al"])
    made = t("cloudwatch.DescribeAlarms", AlarmNames=["al"])
    t.check("cloudwatch.DisableAlarmActions", "false", lambda: made.MetricAlarms[0]["ActionsEnabled"] is False)
    t("cloudwatch.EnableAlarmActions", AlarmNames=["al"])
    made = t("cloudwatch.DescribeAlarms", AlarmNames=["al"])
    t.check("cloudwatch.EnableAlarmActions", "true", lambda: made.MetricAlarms[0]["ActionsEnabled"] is True)
    aa = f"arn:aws:cloudwatch:us-east-1:{t.acct}:alarm:al"
    t("cloudwatch.TagResource", ResourceARN=aa, Tags=[{"Key": "k", "Value": "v"}])
    try:
        got = t.client("cloudwatch").list_tags_for_resource(ResourceARN=aa)["Tags"]
    except Exception:
        got = []
    t.check("cloudwatch.TagResource", "kept", lambda: {"Key": "k", "Value": "v"} in got)
    t("cloudwatch.SetAlarmState", AlarmName="al", StateValue="ALARM", StateReason="x")
    made = t("cloudwatch.DescribeAlarms", AlarmNames=["al"])
    t.check("cloudwatch.SetAlarmState", "ALARM", lambda: made.MetricAlarms[0]["StateValue"] == "ALARM")
    t("cloudwatch.DeleteAlarms", AlarmNames=["al"])
    made = t("cloudwatch.DescribeAlarms", AlarmNames=["al"])
    t.check("cloudwatch.DeleteAlarms", "gone", lambda: made.MetricAlarms == [])


SCENARIOS = [[alarms]]

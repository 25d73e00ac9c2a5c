"""Accounts and Regions are apart."""

from contextlib import suppress

from emulator.probe.trial import Trial


def accounts(t: Trial) -> None:
    i = t("sts.GetCallerIdentity")
    t.check("sts.GetCallerIdentity", "account of the key", lambda: i.Account == t.acct)
    i = t("sts.GetCallerIdentity", acct=t.member)
    t.check("sts.GetCallerIdentity", "another key, another account", lambda: i.Account == t.member)
    with suppress(Exception):
        t.client("sns", "us-east-1", t.member).create_topic(Name="only-member")
    listed = t("sns.ListTopics")
    t.check(
        "sns.ListTopics",
        "accounts are apart",
        lambda: not [got for got in listed.Topics if "only-member" in got["TopicArn"]],
    )
    listed = t("sns.ListTopics", region="eu-west-1")
    t.check("sns.ListTopics", "Regions are apart", lambda: listed.Topics == [])


SCENARIOS = [[accounts]]

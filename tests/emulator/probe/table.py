"""The table of docs/emulator.md, and the list of what falls short that it is made from."""

import json
from pathlib import Path

from emulator.probe.trial import Record

HERE = Path(__file__).parent
LACKING = HERE / "lacking.json"
DOCUMENT = HERE.parents[2] / "docs" / "emulator.md"
#: Services by family, and how many of the operations held, held in part and did not hold before the shelf.
FAMILIES: dict[str, tuple[tuple[str, ...], tuple[int, int, int]]] = {
    "Organizations, accounts, STS": (("organizations", "account", "sts"), (30, 6, 13)),
    "IAM, Access Analyzer": (("iam", "accessanalyzer"), (85, 12, 22)),
    "KMS, secrets, certificates": (("kms", "secretsmanager", "acm"), (38, 2, 0)),
    "S3": (("s3", "s3control"), (38, 1, 2)),
    "EC2, load balancers, network": (("ec2", "elb", "elbv2", "network-firewall", "route53resolver"), (73, 8, 36)),
    "CloudTrail, logs, alarms, events, queues": (
        ("cloudtrail", "logs", "cloudwatch", "events", "sns", "sqs"),
        (57, 7, 22),
    ),
    "Config, tags, Cloud Control": (("config", "resourcegroupstaggingapi", "cloudcontrol"), (24, 3, 17)),
    "GuardDuty, Security Hub, Macie, Inspector, Detective, Firewall Manager": (
        ("guardduty", "securityhub", "macie2", "inspector2", "detective", "fms"),
        (19, 13, 102),
    ),
    "WAF, Shield, CloudFront, API Gateway": (("wafv2", "shield", "cloudfront", "apigateway"), (18, 3, 12)),
    "Systems Manager, Backup": (("ssm", "backup"), (17, 8, 15)),
    "databases, streams, registries, functions": (
        ("rds", "dynamodb", "efs", "redshift", "opensearch", "elasticache", "kinesis", "ecr", "lambda"),
        (35, 0, 0),
    ),
}
#: What has been asked for since, and is not among the operations at first.
LATER = {
    "cloudcontrol": (
        "CreateResource",
        "DeleteResource",
        "GetResource",
        "GetResourceRequestStatus",
        "ListResources",
        "UpdateResource",
    ),
    "guardduty": ("ListInvitations",),
    "macie2": (
        "CreateAllowList",
        "CreateCustomDataIdentifier",
        "CreateFindingsFilter",
        "DeleteAllowList",
        "DeleteCustomDataIdentifier",
        "DeleteFindingsFilter",
        "GetAdministratorAccount",
        "GetAllowList",
        "GetCustomDataIdentifier",
        "ListAllowLists",
        "ListCustomDataIdentifiers",
        "ListFindingsFilters",
        "UpdateAllowList",
    ),
    "sqs": ("ChangeMessageVisibility", "DeleteMessage", "ReceiveMessage", "SendMessage"),
    "sts": ("GetCallerIdentity",),
}
BEGIN, END = "<!-- emulator-matrix -->", "<!-- /emulator-matrix -->"


def write(records: dict[str, Record], short: dict[str, list[str]]) -> None:
    """Writes both anew."""
    lines = (f"{json.dumps(name)}: {json.dumps(said, ensure_ascii=False)}" for name, said in short.items())
    LACKING.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    text = DOCUMENT.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    DOCUMENT.write_text(before + made(set(records), short) + after)


def made(operations: set[str], short: dict[str, list[str]]) -> str:
    """The table, between its marks."""
    services: dict[str, list[str]] = {}
    for operation in sorted(operations):
        services.setdefault(operation.partition(".")[0], []).append(operation)
    lines = ["| service | operations | hold | partly | not at all |", "| --- | --- | --- | --- | --- |"]
    for service, names in services.items():
        by = {
            word: [n.partition(".")[2] for n in names if short.get(n, ["yes"])[0] == word] for word in ("partly", "no")
        }
        whole = len(names) - len(by["partly"]) - len(by["no"])
        lines.append(f"| {service} | {len(names)} | {whole} | {', '.join(by['partly'])} | {', '.join(by['no'])} |")
    count = {word: sum(short.get(n, ["yes"])[0] == word for n in operations) for word in ("yes", "partly", "no")}
    lines.append(
        f"| **all** | **{len(operations)}** | **{count['yes']}** | **{count['partly']}** | **{count['no']}** |"
    )
    return "\n".join([BEGIN, *lines, "", *_families(operations, short), END])


def _families(operations: set[str], short: dict[str, list[str]]) -> list[str]:
    """Before and after, by family, and which operations were not counted before."""
    lines = [
        "| family | at first: hold | partly | not at all | now: hold | partly | not at all |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    total = [0] * 6
    for family, (services, before) in FAMILIES.items():
        verdicts = [short.get(name, ["yes"])[0] for name in operations if name.partition(".")[0] in services]
        row = [*before, *(verdicts.count(word) for word in ("yes", "partly", "no"))]
        total = [one + more for one, more in zip(total, row, strict=True)]
        lines.append(f"| {family} | {' | '.join(map(str, row))} |")
    later = "; ".join(f"{service} {', '.join(names)}" for service, names in LATER.items())
    count = sum(map(len, LATER.values()))
    all_of_them = f"| **all** | {' | '.join(f'**{number}**' for number in total)} |"
    return [*lines, all_of_them, "", f"Not among those at first are {count} that came later: {later}."]

"""The people in the demo of the controller, where its notices arrive, and who waits for what it says.

Usage: demo_controller.py hub URL FOLDER           a queue that is told of calls, a role for evenkeel, two users
       demo_controller.py delete-trail URL FOLDER  eve deletes the trail; says when it is there again
       demo_controller.py turn-off URL FOLDER      the user terraform turns default encryption off
       demo_controller.py encryption URL on|off    insists that the default encryption of disks is so
       demo_controller.py receive FOLDER           takes notices as Slack does, and keeps their texts
       demo_controller.py wait FILE WORD…          waits for the next line of a file that has all of the words
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

REGION = "eu-west-1"
# How long anybody waits for something that is to happen at once.
PATIENCE = 60


def client(url: str, service: str, keys: dict[str, str] | None = None):
    import boto3

    keys = keys or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=url, region_name=REGION, **keys)


def user(url: str, folder: Path, name: str) -> None:
    iam = client(url, "iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    (folder / f"{name}.json").write_text(json.dumps(keys))


def acting(url: str, folder: Path, name: str, service: str):
    return client(url, service, json.loads((folder / f"{name}.json").read_text()))


def hub(url: str, folder: Path) -> None:
    """What `evenkeel deploy` prints for a hub, in short: a rule that passes calls on to a queue."""
    sqs, events = client(url, "sqs"), client(url, "events")
    account = client(url, "sts").get_caller_identity()["Account"]
    queue = sqs.create_queue(QueueName="evenkeel-events")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{account}:evenkeel-events"
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    pattern = {"detail-type": ["AWS API Call via CloudTrail"]}
    events.put_rule(Name="evenkeel", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="evenkeel", Targets=[{"Id": "queue", "Arn": arn}])
    (folder / "queue").write_text(queue)
    session = client(url, "sts").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/evenkeel", RoleSessionName="controller"
    )["Credentials"]
    names = {
        "AWS_ACCESS_KEY_ID": "AccessKeyId",
        "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
        "AWS_SESSION_TOKEN": "SessionToken",
    }
    (folder / "evenkeel.env").write_text("".join(f"{name}={session[key]}\n" for name, key in names.items()))
    for name in ("eve", "terraform"):
        user(url, folder, name)


def is_logging(url: str, name: str) -> bool:
    cloudtrail = client(url, "cloudtrail")
    try:
        return bool(cloudtrail.get_trail_status(Name=name)["IsLogging"])
    except cloudtrail.exceptions.TrailNotFoundException:
        return False


def delete_trail(url: str, folder: Path) -> None:
    name = client(url, "cloudtrail").describe_trails()["trailList"][0]["Name"]
    acting(url, folder, "eve", "cloudtrail").delete_trail(Name=name)
    gone = time.monotonic()
    print(f"  eve deleted the trail {name}")
    while not is_logging(url, name):
        if time.monotonic() - gone > PATIENCE:
            sys.exit(f"the trail {name} did not come back")
        time.sleep(0.02)
    print(f"  {name} is back, and logs: {time.monotonic() - gone:.1f} seconds after it was deleted")


def turn_off(url: str, folder: Path) -> None:
    acting(url, folder, "terraform", "ec2").disable_ebs_encryption_by_default()
    print("  terraform turned the default encryption of disks off")


def encryption(url: str, wanted: str) -> None:
    is_on = client(url, "ec2").get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    if is_on != (wanted == "on"):
        sys.exit(f"the default encryption of disks is not {wanted}")
    print(f"  the default encryption of disks is {wanted}")


def receive(folder: Path) -> None:
    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with (folder / "notices").open("a") as notices:
                notices.write(json.dumps(body["text"]) + "\n")
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Nothing is printed but what the demo shows."""

    server = HTTPServer(("127.0.0.1", 0), Taking)
    print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


def wait(file: Path, words: list[str]) -> None:
    """Each wait begins behind the line that the one before has found."""
    place = file.with_name(file.name + ".at")
    at = int(place.read_text()) if place.exists() else 0
    until = time.monotonic() + PATIENCE
    lines: list[str] = []
    while time.monotonic() < until:
        # The last one may not be whole yet.
        lines = file.read_text().split("\n")[:-1] if file.exists() else []
        for number, line in enumerate(lines[at:], at + 1):
            if all(word in line for word in words):
                place.write_text(str(number))
                show(json.loads(line))
                return
        time.sleep(0.05)
    sys.exit(f"{file.name} did not say {' and '.join(words)}:\n" + "\n".join(lines[at:]))


def show(said: dict | str) -> None:
    """A notice as it is, and a line of the log without what a reader of the demo need not see."""
    if isinstance(said, str):
        print("\n".join(f"  | {line}" for line in said.splitlines()))
        return
    wanted = ("event", "call", "by", "parts", "causes", "drift", "applied", "held_back", "outcome", "on", "why")
    short = {key: said[key] for key in wanted if said.get(key) not in (None, [], {})}
    if "causes" in short and said["event"] == "run":
        causes = [one if isinstance(one, str) else one.get("call", "more") for one in short["causes"]]
        short["causes"] = sorted(set(causes))
    short.pop("held_back", None)
    print(f"  {json.dumps(short)}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["receive", folder]:
            receive(Path(folder))
        case ["wait", file, *words]:
            wait(Path(file), words)
        case ["encryption", url, wanted]:
            encryption(url, wanted)
        case [verb, url, folder]:
            {"hub": hub, "delete-trail": delete_trail, "turn-off": turn_off}[verb](url, Path(folder))

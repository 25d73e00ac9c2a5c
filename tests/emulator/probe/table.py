"""The table of docs/emulator.md, and the list of what falls short that it is made from."""

import json
from pathlib import Path

from emulator.probe.trial import Record

HERE = Path(__file__).parent
LACKING = HERE / "lacking.json"
DOCUMENT = HERE.parents[2] / "docs" / "emulator.md"
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
    return "\n".join([BEGIN, *lines, END])

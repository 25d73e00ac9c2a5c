"""Runs a command on a terminal: `terminal.py CONVERSATION COMMAND …`.

CONVERSATION is a JSON list: each entry has a text to wait for, what to type then, and, if anything happens before it is
typed, files to write with their texts. Prints the exit code and what the terminal showed as JSON.
"""

import json
import os
import pty
import sys


def main() -> None:
    conversation, command = json.loads(sys.argv[1]), sys.argv[2:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    shown = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # what Linux says when the other side has closed
            part = b""
        if not part:
            break
        shown += part
        if conversation and conversation[0][0].encode() in shown:
            _, answer, *meanwhile = conversation.pop(0)
            for name, text in (item for files in meanwhile for item in files.items()):
                with open(name, "w", encoding="utf-8") as file:
                    file.write(text)
            os.write(terminal, answer.encode())
    _, status = os.waitpid(pid, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), shown.decode(errors="replace")]))


if __name__ == "__main__":
    main()

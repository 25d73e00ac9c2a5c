"""Runs a command on a terminal: `terminal.py CONVERSATION COMMAND …`.

CONVERSATION is a JSON list of pairs: a text to wait for, and what to type then. Prints the exit code and what the
terminal showed as JSON.
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
            os.write(terminal, conversation.pop(0)[1].encode())
    _, status = os.waitpid(pid, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), shown.decode(errors="replace")]))


if __name__ == "__main__":
    main()

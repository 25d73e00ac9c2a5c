"""One call at a time: moto's state is not made for threads, and its work is pure Python, so this costs nothing.

Who has to wait, as a long poll of a queue does, gives the turn away meanwhile with `TURN.wait` and is woken by
`TURN.notify_all`.
"""

import threading

TURN = threading.Condition()

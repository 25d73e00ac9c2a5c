"""What each call does over and over, worked out once: XML, members of moto's objects, checks, the way to moto's handlers.

Every answer stays as it was to the byte; where something is unusual, the code that was there before is asked.
"""

from emulator.quick import members, xml


def apply() -> None:
    """Puts it in the place of what it replaces; called once, before the server starts."""
    xml.apply()
    members.apply()

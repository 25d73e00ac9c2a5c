"""Organizations, and what an organization decides in other services: see the package `organization`."""

from emulator.organization import (  # noqa: F401
    accounts,
    callers,
    effective,
    invitations,
    policies,
    resource_policy,
    root_credentials,
    root_features,
    root_sessions,
    services,
)

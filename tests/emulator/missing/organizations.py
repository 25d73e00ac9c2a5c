"""Organizations, and what an organization decides in other services: see the package `organization`."""

from emulator.organization import (  # noqa: F401
    accounts,
    callers,
    configuration,
    delegation,
    effective,
    invitations,
    on_behalf,
    owned,
    policies,
    resource_policy,
    root_credentials,
    root_features,
    root_sessions,
    services,
    tags,
)

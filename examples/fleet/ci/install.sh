#!/usr/bin/env bash
# Builds evenkeel from the one commit that this repository has agreed on. A commit's name is the
# digest of its content, so it does not matter who keeps the copy that it is cloned from.
set -euo pipefail
: "${EVENKEEL_REPOSITORY:?set this variable to where the source of evenkeel is cloned from, https://…}"
[[ ${EVENKEEL_COMMIT:-} =~ ^[0-9a-f]{40}$ ]] || {
  echo "EVENKEEL_COMMIT must be the full name of a commit, 40 hexadecimal digits" >&2
  exit 1
}
cargo install --locked --git "$EVENKEEL_REPOSITORY" --rev "$EVENKEEL_COMMIT" evenkeel

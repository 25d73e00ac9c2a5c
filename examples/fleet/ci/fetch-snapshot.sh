#!/usr/bin/env bash
# Fetches the newest snapshot of a branch as fleet.snapshot, or says how to take the first.
set -euo pipefail
branch=${1:?usage: ci/fetch-snapshot.sh BRANCH}
code=0
bash ci/fetch-artifact.sh fleet-snapshot "$branch" fleet.snapshot || code=$?
if [ "$code" -eq 66 ]; then
  echo "::error::There is no snapshot of the branch $branch yet, or it has expired. Take one: Actions, evenkeel, Run workflow on $branch (gh workflow run evenkeel.yml --ref $branch), then run this job again."
  exit 1
fi
exit "$code"

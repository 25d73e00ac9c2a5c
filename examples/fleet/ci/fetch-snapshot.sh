#!/usr/bin/env bash
# Fetches the newest snapshot that a workflow of this repository's own default branch has uploaded,
# as fleet.snapshot. A pull request, of a fork or not, could upload an artifact of the same name.
set -euo pipefail
name=${1:?usage: ci/fetch-snapshot.sh ARTIFACT BRANCH}
export BRANCH=${2:?usage: ci/fetch-snapshot.sh ARTIFACT BRANCH}
repository="repos/$GITHUB_REPOSITORY"

newest=$(
  gh api --paginate "$repository/actions/artifacts?name=$name&per_page=100" --jq '
    .artifacts[]
    | select(.expired | not)
    | select(.workflow_run.head_branch == env.BRANCH)
    | select(.workflow_run.head_repository_id == .workflow_run.repository_id)
    | "\(.created_at) \(.id)"' | sort | sed -n '$s/.* //p'
)
if [ -z "$newest" ]; then
  echo "::error::There is no snapshot of the branch $BRANCH yet, or it has expired. Take one: Actions, evenkeel, Run workflow on $BRANCH (gh workflow run evenkeel.yml --ref $BRANCH), then run this job again."
  exit 1
fi
gh api "$repository/actions/artifacts/$newest/zip" >snapshot.zip
unzip -o -q snapshot.zip fleet.snapshot
rm snapshot.zip

#!/usr/bin/env bash
# Fetches a file from the newest artifact of a name that a workflow of this repository's own branch
# has uploaded. A pull request, of a fork or not, could upload an artifact of the same name. Exits
# with 66 when there is none.
set -euo pipefail
usage="usage: ci/fetch-artifact.sh ARTIFACT BRANCH FILE"
name=${1:?$usage}
export BRANCH=${2:?$usage}
file=${3:?$usage}
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
  echo "There is no artifact $name of the branch $BRANCH, or it has expired." >&2
  exit 66
fi
gh api "$repository/actions/artifacts/$newest/zip" >artifact.zip
unzip -o -q artifact.zip "$file"
rm artifact.zip

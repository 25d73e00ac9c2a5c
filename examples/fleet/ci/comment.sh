#!/usr/bin/env bash
# Posts a file as a comment of a pull request, or updates our own comment that is there. Somebody
# else's comment that begins with our marker is not ours.
set -euo pipefail
file=${1:?usage: ci/comment.sh FILE NUMBER}
number=${2:?usage: ci/comment.sh FILE NUMBER}
repository="repos/$GITHUB_REPOSITORY"

id=$(
  gh api --paginate "$repository/issues/$number/comments?per_page=100" --jq '
    .[]
    | select(.user.login == "github-actions[bot]")
    | select(.body | startswith("<!-- evenkeel -->"))
    | .id' | sed -n 1p
)
if [ -n "$id" ]; then
  gh api --silent --method PATCH "$repository/issues/comments/$id" --field "body=@$file"
else
  gh api --silent --method POST "$repository/issues/$number/comments" --field "body=@$file"
fi

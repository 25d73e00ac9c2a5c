#!/bin/sh
# Posts a file as a note of the merge request, or updates the one that is there.
# Needs NOTES_TOKEN: a project access token with the scope "api".
set -eu
notes="$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
id=$(curl --fail --silent --header "PRIVATE-TOKEN: $NOTES_TOKEN" "$notes?per_page=100" |
  python3 -c 'import json, sys; print(next((n["id"] for n in json.load(sys.stdin) if n["body"].startswith("<!-- evenkeel -->")), ""))')
method=POST
[ -z "$id" ] || { method=PUT; notes="$notes/$id"; }
curl --fail --silent --request "$method" --header "PRIVATE-TOKEN: $NOTES_TOKEN" --data-urlencode "body@$1" "$notes" >/dev/null

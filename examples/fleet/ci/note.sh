#!/bin/sh
# Posts a file as a note of the merge request, or updates our own note that is there. Somebody
# else's note that begins with our marker is not ours.
#
# Needs NOTES_TOKEN; .gitlab-ci.yml says which, and who can read it.
set -eu
file=${1:?usage: ci/note.sh FILE}
notes="$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"

ask() {
  curl --fail --silent --show-error --header "PRIVATE-TOKEN: $NOTES_TOKEN" "$@"
}

me=$(ask "$CI_API_V4_URL/user" | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
id=
page=1
while [ -z "$id" ] && [ -n "$page" ]; do
  ask --output page.json "$notes?sort=asc&order_by=created_at&per_page=100&page=$page"
  found=$(python3 - "$me" <<'PYTHON'
import json, sys
notes = json.load(open("page.json", encoding="utf-8"))
ours = [note["id"] for note in notes
        if note["author"]["id"] == int(sys.argv[1]) and note["body"].startswith("<!-- evenkeel -->")]
print(ours[0] if ours else "", len(notes))
PYTHON
  )
  id=${found% *}
  # A page that is not full is the last.
  if [ "${found##* }" -eq 100 ]; then page=$((page + 1)); else page=; fi
done
rm -f page.json

method=POST
[ -z "$id" ] || { method=PUT; notes="$notes/$id"; }
ask --output /dev/null --request "$method" --data-urlencode "body@$file" "$notes"

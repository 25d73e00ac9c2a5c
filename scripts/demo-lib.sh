# What the demos share; sourced.

work=$(mktemp -d)
# What is started besides, and ends with the demo.
also=()

finish() {
  # The last one first.
  local place
  for ((place = ${#also[@]} - 1; place >= 0; place--)); do
    kill "${also[place]}" 2>/dev/null && wait "${also[place]}" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT

bold=$(tput bold 2>/dev/null || true) plain=$(tput sgr0 2>/dev/null || true)
title() { printf '\n%s── %s%s\n' "$bold" "$*" "$plain"; }

# Runs a command as a reader would type it, and insists on its exit code.
expect() {
  local want=$1 got=0
  shift
  printf '%s$ evenkeel %s%s\n' "$bold" "$*" "$plain"
  "$evenkeel" "$@" || got=$?
  printf '%s(exit code %s)%s\n' "$bold" "$got" "$plain"
  if [ "$got" != "$want" ]; then
    echo "the demo expected exit code $want" >&2
    exit 1
  fi
}

# Waits until a server has said in its log where it listens, and puts that into a variable.
where() {
  local found= log=$2
  for _ in $(seq 100); do
    found=$(sed -n 's/^listening on //p' "$log")
    [ -n "$found" ] && break
    sleep 0.2
  done
  [ -n "$found" ] || { cat "$log" >&2; exit 1; }
  printf -v "$1" %s "$found"
}

# Starts the emulator, and points the AWS settings at it.
start_emulator() {
  "$python" tests/emulator/server.py --port 0 >"$work/emulator.log" 2>&1 &
  also+=($!)
  local url
  where url "$work/emulator.log"
  export AWS_ENDPOINT_URL=$url AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  export AWS_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true EVENKEEL_AUDIT_LOG=$work/audit.jsonl
  unset AWS_PROFILE AWS_SESSION_TOKEN
}

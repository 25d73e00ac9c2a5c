# What the demos share; sourced.

work=$(mktemp -d)
emulator=

finish() {
  [ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true
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

# Starts the emulator, and points the AWS settings at it.
start_emulator() {
  "$python" tests/emulator/server.py --port 0 >"$work/emulator.log" 2>&1 &
  emulator=$!
  local url=
  for _ in $(seq 100); do
    url=$(sed -n 's/^listening on //p' "$work/emulator.log")
    [ -n "$url" ] && break
    sleep 0.2
  done
  [ -n "$url" ] || { cat "$work/emulator.log" >&2; exit 1; }
  export AWS_ENDPOINT_URL=$url AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  export AWS_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true EVENKEEL_AUDIT_LOG=$work/audit.jsonl
  unset AWS_PROFILE AWS_SESSION_TOKEN
}

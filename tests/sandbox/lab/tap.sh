# TAP of what runs in the lab machine, to $out/tap; read with `. ./tap.sh`.
# shellcheck shell=bash
out=/usr/local/out
count=0
exec 4>"$out/tap"

ok() { count=$((count + 1)); echo "ok $count - $1" >&4; }
not_ok() { count=$((count + 1)); echo "not ok $count - $1" >&4; shift; printf '%s\n' "$@" | sed 's/^/# /' >&4; }
# is NAME GOT WANTED
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got $2" "wanted $3"; fi; }
# like NAME TEXT PATTERN
like() { if grep -Eq -- "$3" <<<"$2"; then ok "$1"; else not_ok "$1" "$2" "wanted $3"; fi; }
# Last of all: the status says whether all held.
tap_end() { echo "1..$count" >&4; ! grep -q '^not ok' "$out/tap"; }

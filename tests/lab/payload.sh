# Shared by the payloads that run guests in the lab (L1); read with `. ./payload.sh` by a bash whose
# $job is the word before PASS and FAIL, in a folder with the file "inputs".
# Every step says what it shows; the first that does not hold ends the run with "$job: FAIL: ...".
# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the payloads
job=${job:?}
out=/usr/local/out
images=/var/lib/pavise
plans=/etc/pavise
append="console=ttyS0 quiet reboot=a panic=-1"
guests=()
export PATH=/usr/local/bin:$PATH
# shellcheck source=/dev/null # written by guest.sh
. ./inputs

finish() {
    stop_all
    cp -r logs "$out/" 2>/dev/null
    echo "$1" >"$out/result"
    echo "$1"
    [ "$1" = "$job: PASS" ]
    exit
}

fail() {
    finish "$job: FAIL: $*"
}

step() {
    echo
    echo "== $*"
}

stop_all() {
    for guest in "${guests[@]}"; do
        [ ! -d "/run/pavise/$guest" ] || pavise stop "$guest"
    done
    wait
    guests=()
}

# Of a verifier's list what failed, with its values; the whole list is in the results.
shorten() {
    awk '/^(pass|skipped) / { n[$1]++; quiet = 1; next } /^ / && quiet { next } { quiet = 0; print }
         END { if (n["pass"]) print "(" n["pass"] " checks passed, " n["skipped"] + 0 " skipped)" }'
}

# expect STATUS TEXT COMMAND...: the command ends with that status and prints that text.
expect() {
    local status=$1 text=$2 got
    shift 2
    "$@" >last.txt 2>&1
    got=$?
    shorten <last.txt
    [ "$got" = "$status" ] || fail "'$*' ended with status $got, expected $status"
    grep -qF -- "$text" last.txt || fail "'$*' did not say '$text'"
}

# refused NAME STATUS TEXT COMMAND...: the same, kept in the results with the status.
refused() {
    local name=$1
    shift
    expect "$@"
    { cat last.txt && echo "exit status $1"; } >"$out/refused-$name.txt"
}

# only_failed CHECK: the verifier's last list has that failure and no other.
only_failed() {
    local failed
    failed=$(sed -n 's/^fail *\([^:]*\):.*/\1/p' last.txt | paste -s -d ' ')
    [ "$failed" = "$1" ] || fail "failed: '$failed', expected '$1' alone"
}

make_folders() {
    mkdir -p "$images" "$plans" logs
    restorecon -RF "$images" "$plans"
}

# make_disk FILE TEXT
make_disk() {
    printf '%s\n' "$2" >"$1"
    truncate -s 1M "$1"
    restorecon -F "$1"
}

# start NAME OPTION...: in the background; returns when the guest runs.
start() {
    local name=$1
    shift
    guests+=("$name")
    pavise run "$name" "$@" --keep-logs "logs/$name" >"$name.txt" 2>&1 &
    for _ in $(seq 1200); do
        grep -q "^$name: running" "$name.txt" && { cat "$name.txt"; return; }
        kill -0 $! 2>/dev/null || break
        sleep 0.1
    done
    cat "$name.txt"
    fail "$name did not start"
}

# attest NAME FILE
attest() {
    pavise attest "$1" --nonce "$NONCE" -o "$2" --timeout 300 || fail "no evidence from $1"
    cp "$2" "$out/"
}

# flip OF PLAN PART: a plan of this host's making, one byte changed under the same hashes.
flip() {
    ./plan-flip "$plans/$1.plan" "$plans/$2.plan" "$3" "$SEED" || fail "plan-flip"
}

orderly_end() {
    local left
    step "orderly end: nothing left"
    stop_all
    left=$(find /run/pavise -mindepth 1 ! -path /run/pavise/pairs ! -name '.*')
    [ -z "$left" ] || fail "left in /run/pavise: $left"
    ! pgrep 'pavise-|swtpm' >/dev/null || fail "left processes: $(pgrep -a 'pavise-|swtpm')"
}

#!/bin/sh
# test_run_tests.sh: tests/run-tests must report what is planted here, and nothing else.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
runner=$here/../run-tests
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

# plant NAME: a test program made of the lines on standard input.
plant() {
    { echo '#!/bin/sh' && cat; } >"$work/$1"
    chmod +x "$work/$1"
}

# expect NAME STATUS PATTERN [ARGUMENT]...: run-tests with the arguments ends so, and says the pattern.
expect() {
    name=$1 want=$2 pattern=$3
    shift 3
    count=$((count + 1))
    status=0
    "$runner" "$@" >"$work/log" 2>&1 || status=$?
    if [ "$status" = "$want" ] && grep -q -e "$pattern" "$work/log" &&
        [ "$(grep -c '^[0-9]* passed, [0-9]* failed, [0-9]* skipped$' "$work/log")" = 1 ] &&
        tail -n 1 "$work/log" | grep -q '^[0-9]* passed'; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        echo "# status $status, wanted $want and: $pattern"
        sed 's/^/# /' "$work/log"
    fi
}

plant good <<'P'
echo '1..2'; echo 'ok 1 - first'; echo 'ok 2 - second'
P
plant late_plan <<'P'
echo 'ok 1 - first'; echo 'ok - second'; echo '1..2'
P
plant bad <<'P'
echo '1..2'; echo 'ok 1 - first'; echo 'the reason is 42'; echo 'not ok 2 - second thing'; exit 1
P
plant crash <<'P'
echo '1..1'; echo 'ok 1 - first'; kill -SEGV $$
P
plant quiet_exit <<'P'
echo '1..1'; echo 'ok 1 - first'; exit 3
P
plant endless <<'P'
# budget: 1
echo '1..1'; echo 'ok 1 - first'; sleep 60
P
plant orphan <<'P'
echo '1..1'; (sleep 61; :) & echo 'ok 1 - first'
P
plant short <<'P'
echo '1..3'; echo 'ok 1 - first'
P
plant long <<'P'
echo '1..1'; echo 'ok 1 - first'; echo 'ok 2 - second'
P
plant planless <<'P'
echo 'ok 1 - first'
P
plant skip_one <<'P'
echo '1..2'; echo 'ok 1 - first'; echo 'ok 2 - second # SKIP no TPM here'
P
plant skip_all <<'P'
echo '1..0 # SKIP no /dev/kvm here'
P
plant cmocka <<'P'
printf '%s\n' '1..2' 'ok 1 - first' '# SKIP no TPM here' 'not ok 2 # SKIP second' '# ok - group' '1..1' 'ok 1 - third'
P
plant cmocka_setup <<'P'
printf '%s\n' '1..2' 'not ok 0 - group [  FAILED  ] GROUP SETUP' '# ok - group'; exit 1
P
plant tap_env <<'P'
echo '1..1'; [ "$CMOCKA_MESSAGE_OUTPUT" = TAP ] && echo 'ok 1 - first'
P
# Each ends only when the other has begun.
plant meet_one <<P
# budget: 3
echo '1..1'; : >$work/one; until [ -e $work/two ]; do sleep 0.1; done; echo 'ok 1 - first'
P
plant meet_two <<P
# budget: 3
echo '1..1'; : >$work/two; until [ -e $work/one ]; do sleep 0.1; done; echo 'ok 1 - first'
P
cat >"$work/skips" <<'S'
# what this machine may skip
skip_one: no TPM
skip_all: no /dev/kvm
second: no TPM
S

echo '1..21'
expect 'two passes' 0 '^2 passed, 0 failed, 0 skipped$' "$work/good"
expect 'the plan may come last' 0 '^2 passed, 0 failed, 0 skipped$' "$work/late_plan"
expect 'a failure is named' 1 'failed: second thing' "$work/good" "$work/bad"
expect 'a failure is counted' 1 '^3 passed, 1 failed, 0 skipped$' "$work/good" "$work/bad"
expect 'a failure shows its output' 1 '| the reason is 42' "$work/bad"
expect 'a crash' 1 'failed: died of signal 11' "$work/good" "$work/crash"
expect 'a non-zero exit without a failed test' 1 'failed: exited with status 3' "$work/good" "$work/quiet_exit"
expect 'a budget overrun' 1 'failed: did not end within its budget of 1 s' "$work/good" "$work/endless"
expect 'what a program leaves running does not hold the run up' 0 '^1 passed, 0' "$work/orphan"
expect 'a short plan' 1 'failed: planned 3 tests and reported 1' "$work/good" "$work/short"
expect 'a long plan' 1 'failed: planned 1 tests and reported 2' "$work/good" "$work/long"
expect 'no plan' 1 'failed: printed no plan' "$work/good" "$work/planless"
expect 'an unlisted skip' 1 'failed: skipped and not on the list.*second: no TPM here' "$work/good" "$work/skip_one"
expect 'listed skips' 0 '^3 passed, 0 failed, 2 skipped$' --expected-skips "$work/skips" "$work/good" "$work/skip_one" "$work/skip_all"
expect 'cmocka: two plans and a skip' 0 '^2 passed, 0 failed, 1 skipped$' --expected-skips "$work/skips" "$work/cmocka"
expect 'cmocka: a group whose set-up failed' 1 'failed: group .*GROUP SETUP' "$work/cmocka_setup"
expect 'cmocka is told to print TAP' 0 '^1 passed' "$work/tap_env"
expect 'only skips is no success' 1 '^0 passed, 0 failed, 1 skipped$' --expected-skips "$work/skips" "$work/skip_all"
expect 'a program that is not there' 1 'cannot run .*absent' "$work/good" "$work/absent"
expect 'one at a time, but for a tier behind --jobs' 1 'FAIL  unit  meet_one' --tier unit "$work/meet_one" "$work/good" \
    --jobs 2 --tier lab "$work/meet_two"
rm -f "$work/one" "$work/two"
expect 'tiers, two at a time' 0 '^4 passed, 0 failed' --tier unit "$work/good" --jobs 2 --tier lab "$work/meet_one" "$work/meet_two"

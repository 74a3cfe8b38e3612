#!/bin/sh
# test_policy_docs.sh: every rule of the policy belongs to a tagged group, `; [wall.fd]`, in its paragraph,
# and docs/policy.md has a row for each tag and for nothing else.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
page=$here/docs/policy.md
status=0

echo "1..3"
# say NUMBER NAME FAULTS
say() {
    if [ -z "$3" ]; then echo "ok $1 - $2"; else
        echo "not ok $1 - $2"
        echo "$3" | sed 's/^/# /'
        status=1
    fi
}
untagged=$(awk '
    FNR == 1 || /^$/ { tag = "" }
    match($0, /^; \[[a-z.]+\]/) { tag = $2 }
    /^\(/ && tag == "" { print FILENAME ":" FNR ": " $0 }' "$here"/policy/selinux/*.cil)
say 1 "every rule stands under a tag" "$untagged"
tags=$(sed -n 's/^; \[\([a-z.]*\)\].*/\1/p' "$here"/policy/selinux/*.cil | sort)
twice=$(echo "$tags" | uniq -d)
say 2 "no tag stands for two groups" "$twice"
rows=$(sed -n 's/^| \([a-z][a-z.]*\) | .*/\1/p' "$page" | grep -vx tag | sort)
differ=$(printf '%s\n%s\n' "$tags" "$rows" | sort | uniq -c | awk '$1 != 2 { print $2 ": in one of the policy and docs/policy.md only" }')
say 3 "each tag has a row, each row a tag" "$differ"
exit $status

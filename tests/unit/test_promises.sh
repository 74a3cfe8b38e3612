#!/bin/sh
# Every numbered promise of SECURITY.md names at least one test, and each test named exists: a file,
# or FILE:NAME where NAME stands in that file.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
page=$here/SECURITY.md

exists() {
    file=${1%%:*}
    name=${1#*:}
    [ -f "$here/$file" ] || return 1
    [ "$name" = "$1" ] || grep -qF -- "$name" "$here/$file"
}

rows=$(grep -E '^\| (P|A)[0-9]+ \|' "$page")
echo "1..$(($(echo "$rows" | wc -l) + 1))"
n=0
echo "$rows" | {
    while IFS= read -r row; do
        n=$((n + 1))
        id=$(echo "$row" | cut -d '|' -f 2 | tr -d ' ')
        bad=
        # shellcheck disable=SC2016 # backticks of Markdown
        tests=$(echo "$row" | awk -F '|' '{ print $(NF - 1) }' | grep -o '`[^`]*`' | tr -d '`' | tr ' ' '?')
        [ -n "$tests" ] || bad="names no test"
        for t in $tests; do
            t=$(echo "$t" | tr '?' ' ')
            exists "$t" || bad="$bad; no such test: $t"
        done
        if [ -z "$bad" ]; then echo "ok $n - $id"; else echo "not ok $n - $id: $bad"; fi
    done
    n=$((n + 1))
    twice=$(echo "$rows" | cut -d '|' -f 2 | sort | uniq -d)
    if [ -z "$twice" ]; then echo "ok $n - numbers are unique"; else echo "not ok $n - numbers are unique: $twice"; fi
}

#!/bin/sh
# valgrind.sh TEST...: each cmocka test under valgrind; any error or definite leak fails.
set -eu
for t in "$@"; do
    echo "valgrind: $t"
    valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite "$t" >/dev/null
done
echo "valgrind: clean"

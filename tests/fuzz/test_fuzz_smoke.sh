#!/bin/sh
# Every fuzzer for a few seconds, over its committed corpus: seeds keep passing, harnesses build.
# budget: 600
exec "$(dirname "$0")/run.sh" 4

#!/bin/sh
# budget: 400
# test_images.sh: labels of images after a launcher was killed, and launchers that race for one image, in the
# enforcing lab (tests/sandbox/lab/images.sh says what; stand-ins play VMM and devices).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/sandbox/stage.sh
. "$here/stage.sh"
mkdir -p "$work/stage/var/lib/pavise/readonly"
"$build/tests/mkplan" "$work/payload/plan" 67108864 2
stage_run images.sh 180

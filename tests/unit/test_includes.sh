#!/bin/sh
# Who may include whom (docs/architecture.md, "Folders"): each folder names those it may reach into.
set -u
cd "$(dirname "$0")/../.." || exit 1

# folder: folders it may include besides itself (seccomp: the filters, generated while building)
rules='firmware: common
common: firmware
vmm: common firmware seccomp
devices: common firmware seccomp
sandbox: common firmware seccomp
attest: common firmware seccomp
cli: common sandbox attest seccomp
guest: common
image: common attest guest'

echo "1..$(($(echo "$rules" | wc -l) + 1))"
# Freestanding: of common only the header that is arithmetic and nothing else.
if grep -rn '#include "common/' firmware | grep -v '"common/checked.h"'; then
    echo "not ok 1 - the firmware takes only checked.h from common"
else
    echo "ok 1 - the firmware takes only checked.h from common"
fi
n=1
echo "$rules" | while IFS=: read -r folder allowed; do
    n=$((n + 1))
    # shellcheck disable=SC2086 # folders, one word each
    wrong=$(grep -rhoE '^#include "[a-z-]+/' --include='*.[chS]' "$folder" | sed 's/.*"//; s,/,,' | sort -u |
        grep -vxE "$folder$(printf '|%s' $allowed)")
    if [ -z "$wrong" ]; then
        echo "ok $n - $folder includes nothing it may not"
    else
        echo "not ok $n - $folder includes $(echo "$wrong" | tr '\n' ' ')"
        grep -rnE "^#include \"($(echo "$wrong" | paste -sd '|'))/" --include='*.[chS]' "$folder" | sed 's/^/# /'
    fi
done

#!/bin/sh
# apt-sources.sh: print this machine's own Debian sources, one "deb URI SUITE main" line each.
#
# The roots we build come from wherever this machine gets its packages: no archive is named in
# this project. Entries of others (a vendor's own suite) are left out.
set -eu

SUITE=bookworm

list_targets() {
    apt-get indextargets --format "deb \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" 'Created-By: Packages'
}

sources=$(list_targets | sort -u |
    awk -v s="$SUITE" '$4 == "main" && ($3 == s || $3 == s "-updates" || $3 == s "-security")')
if [ -z "$sources" ]; then
    echo "apt-sources: no entry for $SUITE main in this machine's apt sources; add Debian 12's archive to /etc/apt/sources.list.d" >&2
    exit 1
fi
printf '%s\n' "$sources"

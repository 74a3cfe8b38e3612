#!/usr/bin/env python3
"""coverage.py INFO: lines that the tests reach, by folder, from lcov's INFO; fails when one of the
verifier's folders or parsers stays below LEAST percent. Main files count like all others.

  --missing FOLDER   instead: the lines of that folder that nothing reached
"""
import collections
import os
import sys

LEAST = 90
# What reads and judges evidence, certificates, collateral, logs, images and policies …
FOLDERS = ["attest/appraise", "attest/collateral", "attest/eventlog", "attest/key", "attest/measure",
           "attest/measure/ovmf", "attest/measure/snp", "attest/measure/tdx", "attest/snp",
           "attest/tdx", "attest/tpm", "attest/x509"]
# … and in them, and beside them, what takes bytes apart: each alone.
PARSERS = ["attest/agent/answer.c", "attest/agent/wire.c", "attest/appraise/evidence.c",
           "attest/appraise/policy.c", "attest/appraise/policy_keys.c", "attest/collateral/form.c",
           "attest/collateral/collateral.c", "attest/measure/ovmf/image.c",
           "attest/measure/ovmf/table.c", "attest/measure/references.c",
           "attest/measure/references_value.c", "attest/measure/tdx/tdvf.c", "attest/quote/qgs.c",
           "attest/snp/cert_table.c", "attest/snp/report.c", "attest/snp/vek.c",
           "attest/tdx/pck.c", "attest/tdx/qe_identity.c", "attest/tdx/qe_report.c",
           "attest/tdx/quote.c", "attest/tdx/signed_json.c", "attest/tdx/tcb_info.c",
           "attest/tdx/tdreport.c", "attest/tpm/event_meaning.c", "attest/tpm/eventlog.c",
           "attest/tpm/key.c", "attest/tpm/pcrs.c", "attest/tpm/quote.c", "attest/x509/cert.c",
           "attest/x509/crl.c", "common/plan.c"]
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def read(path):
    """Source file, relative to the root: line: how often it ran. Programs that share a source file
    count together."""
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    name = None
    with open(path, encoding="utf-8") as f:
        for record in f:
            kind, _, value = record.strip().partition(":")
            if kind == "SF":
                name = os.path.relpath(value, ROOT)
            elif kind == "DA" and not name.startswith(".."):
                line, hits = value.split(",")[:2]
                lines[name][int(line)] += int(hits)
    return lines


def tell_missing(lines, folder):
    for name in sorted(lines):
        gone = [n for n, hits in sorted(lines[name].items()) if hits == 0]
        if os.path.dirname(name) == folder and gone:
            print("%s: %d of %d: %s" % (name, len(gone), len(lines[name]),
                                        " ".join(map(str, gone))))


def percent(hits):
    """Of the lines in a {line: hits}, those that ran; nothing of nothing is nothing."""
    return 100 * sum(1 for n in hits.values() if n > 0) / len(hits) if hits else 0.0


def main():
    lines = read(sys.argv[1])
    if len(sys.argv) == 4 and sys.argv[2] == "--missing":
        return tell_missing(lines, sys.argv[3])
    folders = collections.defaultdict(dict)
    for name, hits in lines.items():
        if not name.startswith(("tests/", "build/")):
            folders[os.path.dirname(name)].update({(name, n): h for n, h in hits.items()})
    low = 0
    for name, hits in sorted({**dict.fromkeys(FOLDERS, {}), **folders}.items()):
        bad = name in FOLDERS and percent(hits) < LEAST
        low += bad
        print("%-36s %5d lines %6.1f %%%s" % (name, len(hits), percent(hits),
                                             ": TOO LOW" if bad else ""))
    for name in PARSERS:
        bad = percent(lines.get(name, {})) < LEAST
        low += bad
        print("%-36s %5d lines %6.1f %%%s" % (name, len(lines.get(name, {})),
                                             percent(lines.get(name, {})),
                                             ": TOO LOW" if bad else ""))
    print("coverage: %d of %d folders and parsers of the verifier reach %d %% of lines" % (
        len(FOLDERS) + len(PARSERS) - low, len(FOLDERS) + len(PARSERS), LEAST))
    return low != 0


if __name__ == "__main__":
    sys.exit(main())

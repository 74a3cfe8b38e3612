#!/usr/bin/env python3
"""mutate_checks.py TEST ...: is every check of a verdict guarded by a test?

TEST are cmocka programs linked with a checks.o that obeys two variables (make check-mutants).
First each runs as it is, and notes every check made. Then, for each check in the list of
docs/PROTOCOL.checks, a failure of that check is turned into a pass, and at least one test has to
fail. Checks that were made but are not in the list, or the other way round, are errors as well.
"""
import collections
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIST = os.path.join(ROOT, "docs", "PROTOCOL.checks")
LIMIT = 300  # seconds for one test
KEYS = tempfile.TemporaryDirectory()  # RSA keys of the fakes: made by the first, read by the rest


def listed():
    """Ids of the list; of those for each PCR ("pcr.BANK.N") the form."""
    with open(LIST, encoding="utf-8") as f:
        return [line.split()[0] for line in f if re.match(
            r"  (freshness|(evidence|policy|agent|vtpm|ak|quote|log|reference|pcr|tee|snp|tdx|"
            r"collateral|host)\.[a-zA-Z0-9_.]+)(  |$)", line)]


def form(check):
    """The id as it is listed: one entry for all registers of a log."""
    check = re.sub(r"^(log\.replay\.rtmr)[0-3]$", r"\1N", check)
    return re.sub(r"\.(sha1|sha256|sha384|sha512)\.[0-9]+$", ".BANK.N", check)


def run(test, **variables):
    """The status of a test; 1 as soon as one of its cases has failed."""
    with subprocess.Popen([test], env={**os.environ, "PAVISE_FAKE_KEYS": KEYS.name, **variables},
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as p:
        watch = threading.Timer(LIMIT, p.kill)
        watch.start()
        failed = any("[  FAILED  ]" in line for line in p.stderr)
        if failed:
            p.kill()
        watch.cancel()
    return 1 if failed else p.returncode


def baseline(tests):
    """Which checks were made, which test saw which check fail, and how long each test takes."""
    made, failing, cost = set(), collections.defaultdict(set), {}
    with tempfile.TemporaryDirectory() as folder:
        for i, test in enumerate(tests):
            log = os.path.join(folder, str(i))
            start = time.monotonic()
            if run(test, PAVISE_CHECK_LOG=log) != 0:
                sys.exit("%s fails as it is: mend that first" % test)
            cost[test] = time.monotonic() - start
            if not os.path.exists(log):
                continue
            with open(log, encoding="utf-8") as f:
                for line in set(f):
                    status, check = line.split()
                    made.add(check)
                    if status == "F":
                        failing[check].add(test)
    return made, failing, cost


def guarded(check, tests):
    """The first of these tests that fails when the check cannot."""
    return next((t for t in tests if run(t, PAVISE_MUTE=check) != 0), None)


def main():
    tests, known = sys.argv[1:], listed()
    made, failing, cost = baseline(tests)
    forms = collections.defaultdict(set)
    for check in made:
        forms[form(check)].add(check)
    bad = 0
    for check in sorted(set(forms) - set(known)):
        print("not in docs/PROTOCOL.checks: " + check)
        bad += 1
    for check in sorted(set(known) - set(forms)):
        print("in docs/PROTOCOL.checks, and no test makes it: " + check)
        bad += 1

    def judge(check):
        """One id of a form speaks for all: they share their code."""
        for one in sorted(forms[check], key=lambda c: (not failing[c], c)):
            test = guarded(one, sorted(failing[one], key=cost.get))
            if test is not None:
                return check, test
        return check, None

    good = 0
    never = []  # a check that can only pass or be skipped: nothing to guard
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for check, test in pool.map(judge, [c for c in known if forms[c]]):
            if test is not None:
                good += 1
            elif not any(failing[c] for c in forms[check]):
                never.append(check)
            else:
                print("no test fails without the check " + check)
                bad += 1
    informs = set(told_only())
    for check in never:
        if check not in informs:
            print("no test makes this check fail: " + check)
            bad += 1
    print("checks: %d of %d guarded by a test" % (good, len(known) - len(set(never) & informs)))
    return bad != 0


def told_only():
    """Checks that the list marks as telling something and never failing: "(never fails)"."""
    with open(LIST, encoding="utf-8") as f:
        return [line.split()[0] for line in f if line.rstrip().endswith("(never fails)")]


if __name__ == "__main__":
    sys.exit(main())

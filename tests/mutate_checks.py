#!/usr/bin/env python3
"""mutate_checks.py TEST ...: is every check of a verdict guarded by a test?

TEST are cmocka programs linked with a checks.o that obeys variables (make check-mutants). First
each runs as it is, which tells the cases that see a check fail. Then, for each check in the list
of docs/PROTOCOL.checks, its failure is turned into a pass, and one of these cases has to fail.
Checks that were made but are not in the list, or the other way round, are errors as well.
"""
import collections
import concurrent.futures
import functools
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIST = os.path.join(ROOT, "docs", "PROTOCOL.checks")
LIMIT = 300  # seconds for one program
# Logs, and RSA keys of the fakes: made by the first program, read by the rest.
SCRATCH = tempfile.TemporaryDirectory()

Case = collections.namedtuple("Case", "test name")


class Baseline:
    """What the programs do as they are."""

    def __init__(self):
        self.made = set()  # ids of checks
        self.sees = collections.defaultdict(set)  # id: cases in which that check fails
        self.cost = collections.Counter()  # case: how many checks it makes

    def add(self, test, output):
        """The output of a program: names of cases, and between them the checks they make."""
        case = Case(test, "")
        for line in output:
            if m := re.match(r"\[ RUN      \] (\w+)", line):
                case = Case(test, m[1])
            elif m := re.match(r"([PFS]) ([\w.]+)$", line):
                self.made.add(m[2])
                self.cost[case] += 1
                if m[1] == "F":
                    self.sees[m[2]].add(case)


def listed():
    """Ids of the list (of those for each PCR, "pcr.BANK.N", the form), and whether each can fail:
    "(never fails)" marks what tells something and judges nothing."""
    with open(LIST, encoding="utf-8") as f:
        lines = [line.rstrip() for line in f if re.match(
            r"  (freshness|(evidence|policy|agent|vtpm|ak|quote|log|reference|pcr|tee|snp|tdx|"
            r"collateral|host)\.[a-zA-Z0-9_.]+)(  |$)", line)]
    return {line.split()[0]: not line.endswith("(never fails)") for line in lines}


def form(check):
    """The id as it is listed: one entry for all registers of a log."""
    check = re.sub(r"^(log\.replay\.rtmr)[0-3]$", r"\1N", check)
    return re.sub(r"\.(sha1|sha256|sha384|sha512)\.[0-9]+$", ".BANK.N", check)


def run(test, output=subprocess.DEVNULL, **variables):
    """How many cases of a program failed; negative if a signal ended it."""
    return subprocess.run([test], env={**os.environ, "PAVISE_FAKE_KEYS": SCRATCH.name,
                                       **variables},
                          stdout=output, stderr=subprocess.DEVNULL, timeout=LIMIT,
                          check=False).returncode


def observe(test):
    """The output of a program as it is, together with the checks made."""
    path = os.path.join(SCRATCH.name, os.path.basename(test) + ".log")
    with open(path, "a+", encoding="utf-8", errors="replace") as f:  # two write: at its end
        if run(test, f, PAVISE_CHECK_LOG=path) != 0:
            sys.exit("%s fails as it is: mend that first" % test)
        f.seek(0)
        return f.readlines()


@functools.lru_cache(None)
def passes_alone(case):
    """Or its failure would say nothing of a check."""
    return run(case.test, PAVISE_CASE=case.name) == 0


def guarded(base, checks):
    """Whether a case fails when a check cannot. One id of a form speaks for all: they share
    their code. Cases that make few checks are tried first."""
    tries = [(case, check) for check in sorted(checks) for case in base.sees[check] if case.name]
    return any(run(case.test, PAVISE_CASE=case.name, PAVISE_MUTE=check) > 0 and passes_alone(case)
               for case, check in sorted(tries, key=lambda t: (base.cost[t[0]], t)))


def judge(base, forms, can_fail, check):
    """What is wrong with a check of the list, or None."""
    if check not in forms:
        return "in docs/PROTOCOL.checks, and no test makes it"
    fails = any(base.sees[c] for c in forms[check])
    if not can_fail:
        return "said never to fail, and fails" if fails else None
    if not fails:
        return "no test makes this check fail"
    return None if guarded(base, forms[check]) else "no test fails without the check"


def main():
    base, known = Baseline(), listed()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for test, output in zip(sys.argv[1:], pool.map(observe, sys.argv[1:])):
            base.add(test, output)
        forms = collections.defaultdict(set)
        for check in base.made:
            forms[form(check)].add(check)
        wrong = {c: "not in docs/PROTOCOL.checks" for c in sorted(set(forms) - set(known))}
        wrong.update(zip(known, pool.map(
            lambda c: judge(base, forms, known[c], c), known)))
    wrong = {check: why for check, why in wrong.items() if why is not None}
    for check, why in wrong.items():
        print("%s: %s" % (why, check))
    judged = [check for check, can_fail in known.items() if can_fail]
    print("never fail, as documented: " + " ".join(c for c in known if c not in judged))
    print("checks: %d of %d guarded by a test" % (sum(c not in wrong for c in judged), len(judged)))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())

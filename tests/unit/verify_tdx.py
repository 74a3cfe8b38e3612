#!/usr/bin/env python3
# budget: 60
"""pavise-verify on TDX quotes, run as users run it: the platform is one of tests/tools/tdx_files (a
private root). Every refusal names its check and its status.
"""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
TIME = "2027-01-15T12:00:00Z"  # the certificates begin a year before 2027-01-15
MRTD = b"m".hex() * 48
DATA = b"d".hex() * 64
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, timeout=50)


class World:
    """A platform's files in one folder."""

    def __init__(self, folder):
        self.folder = folder
        r = run(os.path.join(BUILD, "tests", "tdx_files"), folder)
        if r.returncode != 0:
            raise RuntimeError(r.stderr)

    def at(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.at(name), "wb") as f:
            f.write(data if isinstance(data, bytes) else json.dumps(data).encode())
        return self.at(name)

    def quote(self, name="quote4.bin"):
        with open(self.at(name), "rb") as f:
            return f.read()

    def verify(self, *extra, quote=None, policy="permissive", root=True):
        args = [os.path.join(BUILD, "bin", "pavise-verify"), "tdx", "--time", TIME,
                "--quote", quote or self.at("quote4.bin")]
        args += ["--policy", policy] if policy else []
        args += ["--trust-root", self.at("root.pem")] if root else []
        return run(*args, *extra)

    def expect(self, name, status, text, *extra, **how):
        r = self.verify(*extra, **how)
        ok(r.returncode == status and text in r.stdout + r.stderr, name,
           "status %d\n%s%s" % (r.returncode, r.stdout, r.stderr))


def statuses(w):
    good = w.quote()
    changed = bytearray(good)
    changed[48 + 136] ^= 1  # MRTD
    w.expect("a good quote under a root that is given", 0, "simulated or private root")
    w.expect("no policy", 1, "fail    policy.given", policy=None)
    w.expect("a private root that nobody trusts", 1, "fail    tdx.root", root=False)
    w.expect("a changed measurement", 2, "fail    tdx.signature",
             quote=w.write("changed", bytes(changed)))
    w.expect("a cut quote", 3, "fail    tdx.form", quote=w.write("cut", good[:-1]))
    w.expect("a quote of SGX", 3, "not a TDX quote", quote=w.write("sgx", b"\3" + good[1:]))
    w.expect("collateral that a policy demands", 4, "fail    tdx.tcb_info", policy="recommended")
    none = w.write("none", b"hello")
    w.expect("collateral that is none", 3, "fail    tdx.collateral", "--collateral", none)
    w.expect("an event log that is none", 3, "fail    log.form", "--ccel", none)
    r = run(os.path.join(BUILD, "bin", "pavise-verify"), "tdx", "--policy", "none")
    ok(r.returncode == 64, "no quote", r.stderr)


def policies(w):
    file = {"format": "pavise-policy", "version": 0, "base": "permissive", "tee": "tdx",
            "require_nonce": False, "tdx": {"mrtd": [MRTD]}}
    w.expect("the reference value of a policy", 0, "pass    tdx.mrtd",
             policy=w.write("good.json", file))
    w.expect("no reference value", 0, "what was booted was not judged")
    file["tdx"] = {"mrtd": ["00" * 48]}
    w.expect("another reference value", 1, "fail    tdx.mrtd",
             policy=w.write("other.json", file))
    file["tdx"] = {"mr-td": [MRTD]}
    w.expect("a key that does not exist", 3, "mr-td", policy=w.write("typo.json", file))
    w.expect("what REPORTDATA must be", 0, "pass    tdx.binding", "--report-data", DATA)
    w.expect("what it is not", 2, "fail    tdx.binding", "--report-data", "00" * 64)
    w.expect("strict wants a nonce", 4, "fail    freshness", policy="strict")


def result(w):
    r = w.verify("--json", quote=w.at("quote5td15.bin"), policy="none")
    try:
        j = json.loads(r.stdout)
    except ValueError:
        ok(False, "the result as JSON", r.stdout + r.stderr)
        return
    claims = j["claims"]
    ok(r.returncode == 0 and j["verdict"].startswith("authentic, not appraised"),
       "policy none says what it is", r.stdout)
    ok(claims["tdx.mrtd"] == MRTD and claims["tdx.report_data"] == DATA and
       claims["tdx.trailing_bytes"] == "70" and "tdx.mrservicetd" in claims,
       "claims in hexadecimal", claims)
    skipped = [c for c in j["checks"] if c["status"] == "skipped"]
    ok(all(c["note"] for c in skipped), "every skipped check says why")


def main():
    with tempfile.TemporaryDirectory() as folder:
        w = World(folder)
        statuses(w)
        policies(w)
        result(w)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

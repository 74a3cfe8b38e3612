#!/usr/bin/env python3
"""`pavise collateral` as a program, on a simulated vendor's files: what it packs comes back, what
it checks it says in words, in JSON and in its exit status. Prints TAP."""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
NOW = "2027-01-15T08:00:00Z"
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def run(*args):
    return subprocess.run([os.path.join(BUILD, "bin", "pavise"), "collateral", *args],
                          capture_output=True, text=True, timeout=60)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def test_usage(d):
    good = d + "/good"
    for args, name in (
            ((), "no verb"), (("fetch", good), "an unknown verb"), (("list",), "no path"),
            (("pack", good), "pack without --out"), (("list", good, "--out", d + "/x"), "list --out"),
            (("list", good, "--time", NOW), "list --time"),
            (("pack", good, "--out", d + "/x", "--trust-root", d), "pack --trust-root"),
            (("check", good, "--time", "today"), "a time in words"),
            (("check", good, "--more"), "an unknown option")):
        r = run(*args)
        ok(r.returncode == 64 and r.stderr.startswith("pavise-collateral: "), name + ": usage", r)
    r = run("--help")
    ok(r.returncode == 0 and r.stdout.startswith("usage: pavise collateral"), "--help", r)
    ok(run("list", d + "/absent").returncode == 5, "a file that is not there")
    r = run("list", good + "/notes.txt")
    ok(r.returncode == 3 and "neither a bundle" in r.stderr, "a named file without collateral", r)


def test_list(d):
    r = run("list", d + "/good")
    ok(r.returncode == 0 and "TDX TCB info, FMSPC 00906ed50000, evaluation 17" in r.stdout
       and 'revocation list of "Intel SGX PCK Platform CA", 0 entries' in r.stdout, "list", r)
    ok("notes.txt: holds no collateral, left out" in r.stderr, "what is left out is named", r)
    j = json.loads(run("list", d + "/good", "--json").stdout)
    ok(j["format"] == "pavise-collateral-report" and len(j["parts"]) == 6, "list --json", j)
    ok(all(p["sha256"] == hashlib.sha256(read(d + "/good/" + p["origin"])).hexdigest()
           for p in j["parts"]), "digests are those of the files")
    ok("verdict" not in j and not any("answer" in p for p in j["parts"]), "list judges nothing")


def test_pack(d):
    out = d + "/bundle.json"
    r = run("pack", d + "/good", "--out", out, "--time", NOW)
    ok(r.returncode == 0, "pack", r)
    j = json.loads(read(out))
    ok(j["format"] == "pavise-collateral" and j["version"] == 0 and j["created"] == NOW,
       "the bundle is dated", j)
    for p in j["parts"]:
        data = p["text"].encode() if "text" in p else base64.b64decode(p["base64"])
        ok(data == read(d + "/good/" + p["origin"])
           and p["sha256"] == hashlib.sha256(data).hexdigest(),
           p["origin"] + " is in it byte for byte")
    a = run("check", d + "/good", "--time", NOW, "--trust-root", d + "/other/root.pem")
    b = run("check", out, "--time", NOW, "--trust-root", d + "/other/root.pem")
    ok(a.returncode == b.returncode == 0 and b.stdout == "bundle of %s\n" % NOW + a.stdout,
       "a bundle is worth what its files are", a.stdout + b.stdout + b.stderr)
    again = d + "/again.json"
    run("pack", out, d + "/good", "--out", again, "--time", NOW)
    ok(read(out) == read(again), "packed twice, nothing is in it twice")
    r = run("pack", d + "/other/form.json", "--out", again, "--time", NOW)
    r = run("check", again, "--time", NOW, "--trust-root", d + "/other/root.pem")
    ok(r.returncode == 0, "the JSON form of a quote's collateral", r)
    os.mkdir(d + "/empty")
    r = run("pack", d + "/empty", "--out", d + "/none.json")
    ok(r.returncode == 3 and not os.path.exists(d + "/none.json"), "nothing makes no bundle", r)
    text = read(out).replace(b'"sha256": "', b'"sha256": "00', 1)
    with open(again, "wb") as f:
        f.write(text)
    ok(run("list", again).returncode == 3, "a bundle with a wrong digest")


def test_check(d):
    root = ("--trust-root", d + "/other/root.pem")
    r = run("check", d + "/good", "--time", NOW, *root)
    ok(r.returncode == 0 and r.stdout.endswith("verdict: good (simulated or private root)\n"),
       "all good, under a root that the verdict names", r)
    r = run("check", d + "/good", "--time", NOW)
    ok(r.returncode == 2 and "neither the vendor's" in r.stdout, "a root that nobody trusts", r)
    r = run("check", d + "/good", "--time", "2027-02-01T00:00:01Z", *root)
    ok(r.returncode == 4 and "current from 2027-01-01T00:00:00Z to 2027-02-01T00:00:00Z only"
       in r.stdout, "expired: says since when", r)
    r = run("check", d + "/good/tcb_info.json", d + "/good/signing_chain.pem", "--time", NOW, *root)
    ok(r.returncode == 4 and "missing       TD_QE identity" in r.stdout
       and 'missing       revocation list of "Intel SGX Root CA"' in r.stdout, "missing parts", r)
    j = json.loads(run("check", d + "/good/tcb_info.json", "--time", NOW, "--json", *root).stdout)
    ok(j["parts"][0]["answer"] == "unproven" and len(j["missing"]) == 3 and j["exit_status"] == 4,
       "the same in JSON", j)
    r = run("check", d + "/good", d + "/other/revoking.der", "--time", NOW, *root)
    ok(r.returncode == 2 and "revoked by the list" in r.stdout, "a revoked signing certificate", r)
    r = run("check", d + "/other/sgx_tcb_info.json", "--time", NOW, *root)
    ok(r.returncode == 3 and 'another kind than "TDX"' in r.stderr, "TCB info of SGX", r)
    text = read(d + "/good/qe_identity.json").replace(b'"isvsvn":4', b'"isvsvn":3')
    with open(d + "/qe.json", "wb") as f:
        f.write(text)
    r = run("check", d + "/qe.json", d + "/good/signing_chain.pem", "--time", NOW, *root)
    ok(r.returncode == 2 and "not authentic qe.json" in r.stdout, "a number changed", r)
    r = run("check", d + "/good", "--time", NOW, "--trust-root", d + "/good/signing_chain.pem")
    ok(r.returncode == 3, "a root that is a chain", r)


def main():
    with tempfile.TemporaryDirectory() as d:
        subprocess.run([os.path.join(BUILD, "tests", "collateral_files"), d], check=True)
        test_usage(d)
        test_list(d)
        test_pack(d)
        test_check(d)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

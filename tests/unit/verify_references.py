#!/usr/bin/env python3
# budget: 120
"""pavise-verify with a policy that names a signed bundle of reference values: the bundle is made by
`pavise measure bundle`, the chip is one of tests/tools/snp_files (a private root). Prints TAP."""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
NONCE = bytes(range(32)).hex()
NOW, EXPIRY, LATER = "2027-06-01T00:00:00Z", "2027-06-02T00:00:00Z", "2027-06-02T00:00:01Z"
DIGEST, OTHER = "ab" * 48, "cd" * 48
GUEST_POLICY = "0x30000"
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, timeout=100)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else json.dumps(data).encode())
    return path


class World:
    def __init__(self, folder):
        self.folder = folder
        for name in ("owner", "stranger"):
            run("openssl", "genpkey", "-algorithm", "ed25519", "-out", self.at(name + ".pem"))
        os.mkdir(self.at("guest"))
        r = run(os.path.join(BUILD, "tests", "snp_files"), self.at("guest"), NONCE, DIGEST,
                GUEST_POLICY)
        if r.returncode != 0:
            raise RuntimeError(r.stderr)
        self.key = self.bundle("good.ref", self.item(DIGEST, GUEST_POLICY))

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def item(self, digest, policy=None):
        """What `measure snp --json` prints, as far as a bundle takes it."""
        snp = {"cpus": 1, **({"policy": policy} if policy else {})}
        name = "%s-%s.json" % (digest[:4], policy)
        return write(self.at(name), {"format": "pavise-measurement", "version": 0, "tee": "sev-snp",
                                     "snp": snp, "measurement": digest})

    def bundle(self, name, *items, key="owner", svn="3", until=EXPIRY):
        """Makes a bundle; the digest of its key."""
        measure = os.path.join(BUILD, "bin", "pavise-measure")
        r = run(measure, "bundle", "create", "--key", self.at(key + ".pem"), "--output",
                self.at(name), "--svn", svn, "--not-after", until, *items)
        if r.returncode != 0:
            raise RuntimeError(r.stderr)
        return run(measure, "bundle", "show", self.at(name), "--key-digest").stdout.strip()

    def policy(self, **changed):
        keys = {"format": "pavise-policy", "version": 0, "tee": "sev-snp", "snp": {},
                "references": "good.ref", "references_key": self.key, **changed}
        return write(self.at("policy.json"), {k: v for k, v in keys.items() if v is not None})

    def verify(self, kind="bundle", time=NOW, **changed):
        guest = self.at("guest")
        what = [os.path.join(guest, "evidence.json"), "--nonce", NONCE] if kind == "bundle" else [
            "--report", os.path.join(guest, "report.bin"), "--cert-table",
            os.path.join(guest, "table.bin")]
        if kind == "snp":
            changed = {"require_nonce": False, **changed}
        r = run(os.path.join(BUILD, "bin", "pavise-verify"), kind, *what, "--policy",
                self.policy(**changed), "--trust-root", os.path.join(guest, "root.pem"), "--time",
                time, "--json")
        checks = json.loads(r.stdout)["checks"] if r.stdout else []
        return r, {c["id"]: c for c in checks}


def affirms(world):
    for kind in ("bundle", "snp"):
        r, checks = world.verify(kind)
        ok(r.returncode == 0 and checks["reference.bundle"]["status"] == "pass" and
           checks["snp.measurement"]["status"] == "pass" and
           "ab" * 2 in checks["snp.measurement"]["note"], "affirms a value of the bundle: " + kind,
           r.stdout + r.stderr)
    r, checks = world.verify(min_svn=3)
    ok(r.returncode == 0, "affirms the least version", r.stdout)
    r, checks = world.verify(time=EXPIRY)
    ok(r.returncode == 0, "affirms up to the last second", r.stdout)
    world.bundle("any.ref", world.item(DIGEST))
    r, checks = world.verify(references="any.ref")
    ok(r.returncode == 0, "affirms a value without a guest policy", r.stdout)


def refuses(world):
    stranger = world.bundle("stranger.ref", world.item(DIGEST, GUEST_POLICY), key="stranger")
    world.bundle("other.ref", world.item(OTHER, GUEST_POLICY))
    world.bundle("policy.ref", world.item(DIGEST, "0xb0000"))
    with open(world.at("good.ref"), encoding="utf-8") as f:
        changed = json.load(f)
    changed["signed"] = changed["signed"].replace('"svn":3', '"svn":4')
    write(world.at("changed.ref"), changed)
    # name, status, checks that fail, how
    rows = (
        ("a stranger's bundle", 2, {"reference.bundle"}, {"references": "stranger.ref"}),
        ("another key pinned", 2, {"reference.bundle"}, {"references_key": stranger}),
        ("a changed bundle", 2, {"reference.bundle"}, {"references": "changed.ref"}),
        ("an expired bundle", 4, {"reference.bundle"}, {"time": LATER}),
        ("an old firmware", 1, {"reference.bundle"}, {"min_svn": 4}),
        ("a measurement that is not in it", 1, {"snp.measurement"}, {"references": "other.ref"}),
        ("another guest policy", 1, {"snp.measurement"}, {"references": "policy.ref"}),
    )
    for name, status, failing, how in rows:
        for kind in ("bundle", "snp"):
            r, checks = world.verify(kind, **how)
            bad = {i for i, c in checks.items() if c["status"] == "fail"}
            skipped = checks.get("snp.measurement", {}).get("status") == "skipped"
            ok(r.returncode == status and bad == failing and
               skipped == ("reference.bundle" in failing), "refuses %s: %s" % (name, kind),
               "status %d, failed %s: %s" % (r.returncode, bad, r.stderr))
    malformed = (
        ("a bundle that is none", {"references": "policy.json"}, "unknown key"),
        ("no key", {"references_key": None}, "references_key"),
        ("a short key", {"references_key": "00"}, "references_key"),
        ("a key without bundle", {"references": None, "snp": {"measurements": [DIGEST]}},
         "references"),
        ("a version without bundle", {"references": None, "references_key": None, "min_svn": 1,
                                      "snp": {"measurements": [DIGEST]}}, "references"),
        ("an empty path", {"references": ""}, "empty"),
        ("a version of 33 bits", {"min_svn": 1 << 32}, "min_svn"),
        ("a bundle beside measurements", {"snp": {"measurements": [DIGEST]}}, "exactly one"),
        ("a bundle beside a plan", {"plan": "x"}, "exactly one"),
        ("a bundle for plain machines", {"tee": "none", "snp": None}, "references"),
    )
    for name, how, part in malformed:
        r, _ = world.verify(**how)
        ok(r.returncode == 3 and r.stdout == "" and part in r.stderr, "refuses " + name,
           "status %d: %s%s" % (r.returncode, r.stdout, r.stderr))
    r, _ = world.verify(references="none.ref")
    ok(r.returncode == 5 and "none.ref" in r.stderr, "refuses a bundle that is not there", r.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        affirms(world)
        refuses(world)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# budget: 400
"""What identifies a launch, end to end on the platform model (simulated SEV-SNP): `pavise measure snp`
writes plan and ID block, the owner signs it (id_sign), `pavise run` launches under it or names what the
simulated firmware refuses, and `pavise verify snp` judges the report by who signed and by what policy the
guest was launched with. The guest is the real firmware with a kernel of a few instructions.
"""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
REPORT_DATA = b"m".ljust(64, b"\0").hex()  # what snp_report asks for
AFFIRMING = "verdict: affirming (simulated or private root)"
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def run(program, *args):
    return subprocess.run([os.path.join(BUILD, program)] + [str(a) for a in args], capture_output=True,
                          text=True, timeout=100)


def need(program, *args):
    r = run(program, *args)
    if r.returncode != 0:
        raise RuntimeError("%s: status %d: %s%s" % (program, r.returncode, r.stdout, r.stderr))
    return r.stdout


class World:
    """A simulated chip, plans and ID blocks in one folder."""

    def __init__(self, folder):
        self.folder = folder
        need("bin/pavise-psp-sim", "init", "--state", self.at("chip"))
        need("bin/pavise-psp-sim", "root", "--state", self.at("chip"), "-o", self.at("root.pem"))
        self.measure("good")
        self.measure("other", append="other")
        self.measure("debug", policy="b0000")
        need("bin/pavise-measure", "plain", "--firmware",
             os.path.join(BUILD, "firmware/pavise-fw-plain.bin"), "--kernel",
             os.path.join(BUILD, "tests/guests/fakekernel.bin"), "--memory", "192M", "--no-vtpm",
             "--plan", self.at("plain.plan"))
        self.keys = self.sign("good", "author")
        self.sign("other")
        self.sign("debug")

    def at(self, name):
        return os.path.join(self.folder, name)

    def measure(self, name, append="quiet", policy="30000"):
        need("bin/pavise-measure", "snp", "--firmware",
             os.path.join(BUILD, "firmware/pavise-fw-snp.bin"), "--kernel",
             os.path.join(BUILD, "tests/guests/fakekernel.bin"), "--append", append, "--memory", "192M",
             "--no-vtpm", "--policy", policy, "--plan", self.at(name + ".plan"), "--id-block",
             self.at(name + ".block"))

    def sign(self, name, *author):
        lines = need("tests/id_sign", self.at(name + ".block"), self.at(name + ".auth"), *author)
        return dict(line.split() for line in lines.splitlines())

    def changed(self, source, name, at, size=None):
        """A copy with the byte at `at` flipped, or cut or filled to `size`."""
        with open(self.at(source), "rb") as f:
            data = bytearray(f.read())
        if size is None:
            data[at] ^= 1
        else:
            data = (data + bytes(size))[:size]
        with open(self.at(name), "wb") as f:
            f.write(data)
        return name

    def report(self, name, *identity):
        """Launches; the report is NAME.report."""
        return run("tests/snp_report", self.at("chip"), self.at(name + ".plan"), 1, 192,
                   self.at(name + ".report"), *[self.at(i) for i in identity])

    def verify(self, name, **rules):
        """A policy that says nothing more than `rules` is the recommended one."""
        policy = {"format": "pavise-policy", "version": 0, "tee": "sev-snp", "plan": name + ".plan",
                  "snp": rules}
        with open(self.at("policy.json"), "w", encoding="ascii") as f:
            json.dump(policy, f)
        return run("bin/pavise-verify", "snp", "--report", self.at(name + ".report"), "--policy",
                   self.at("policy.json"), "--cert-table", self.at("chip/certs.bin"), "--trust-root",
                   self.at("root.pem"), "--report-data", REPORT_DATA)

    def launch(self, plan="good.plan", tee="snp", *more):
        args = ["identity", "--plan", self.at(plan), "--memory", "192M", "--isolation", "degraded",
                "--no-vtpm", "--run-dir", self.at("run"), "--tee", tee]
        if tee == "snp":
            args += ["--platform", "sim", "--sim-state", self.at("chip")]
        return run("bin/pavise-run", *args, *more)


def judged(r, status, check, state):
    return r.returncode == status and any(line.split(":")[0].split() == [state, check]
                                          for line in r.stdout.splitlines())


def test_signers(w):
    r = w.report("good", "good.block", "good.auth")
    ok(r.returncode == 0, "a guest is launched under the ID block of its owner and author", r.stdout)
    signed = {"id_key_digests": [w.keys["id"]], "author_key_digests": [w.keys["author"]]}
    r = w.verify("good", **signed)
    ok(judged(r, 0, "snp.id_key", "pass") and judged(r, 0, "snp.author_key", "pass") and
       AFFIRMING in r.stdout, "the verifier affirms it for a policy that names both keys", r.stdout)
    r = w.verify("good", **dict(signed, id_key_digests=[w.keys["author"]]))
    ok(judged(r, 1, "snp.id_key", "fail"), "not for one that names another owner's key", r.stdout)
    r = w.verify("good", **dict(signed, author_key_digests=[w.keys["id"]]))
    ok(judged(r, 1, "snp.author_key", "fail"), "nor for one that names another author's", r.stdout)
    r = w.report("good")
    ok(r.returncode == 0, "the same plan is launched without an ID block", r.stdout)
    r = w.verify("good", **signed)
    ok(judged(r, 1, "snp.id_key", "fail") and judged(r, 1, "snp.author_key", "fail") and
       judged(r, 1, "snp.measurement", "pass"), "and is refused for want of a signature alone", r.stdout)


def test_debug(w):
    r = w.report("debug", "debug.block", "debug.auth")
    ok(r.returncode == 0, "a guest is launched with a policy that lets the host debug it", r.stdout)
    r = w.verify("debug")
    ok(judged(r, 1, "snp.debug", "fail") and judged(r, 1, "snp.measurement", "pass") and
       judged(r, 1, "snp.guest_policy", "pass"),
       "the verifier refuses it by its recommended rules, whatever else holds", r.stdout)
    r = w.verify("debug", allow_debug=True)
    ok(judged(r, 0, "snp.debug", "pass") and AFFIRMING in r.stdout,
       "only a policy that allows debugging affirms it", r.stdout)


def refusal(w, name, status, said, r):
    errors = r.stderr.strip().splitlines()
    left = os.listdir(w.at("run")) if os.path.isdir(w.at("run")) else []
    ok(r.returncode == status and errors and said in errors[-1] and left in ([], [".pairs"]), name,
       "status %d, wanted %d\n%s\nleft: %s" % (r.returncode, status, r.stderr, left))


def test_run(w):
    def identity(block, auth):
        return ("--id-block", w.at(block), "--id-auth", w.at(auth))

    r = w.launch("good.plan", "snp", *identity("good.block", "good.auth"))
    ok(r.returncode == 0 and "powered off" in r.stderr, "pavise run launches under an ID block", r.stderr)
    for name, plan, block, auth, status, said in (
            ("an ID block of another launch", "good.plan", "other.block", "other.auth", 2,
             "the launch digest is not the one the ID block expects"),
            ("a block that was changed", "good.plan", w.changed("good.block", "svn", 84), "good.auth",
             2, "BAD_SIGNATURE"),
            ("a signature that was changed", "good.plan", "good.block",
             w.changed("good.auth", "signature", 0x41), 2, "a signature of the ID block does not hold"),
            ("an author's signature that was changed", "good.plan", "good.block",
             w.changed("good.auth", "author", 0x681), 2, "a signature of the ID block does not hold"),
            ("another's signature", "good.plan", "good.block", "other.auth", 2, "BAD_SIGNATURE"),
            ("an algorithm that is none", "good.plan", "good.block",
             w.changed("good.auth", "algorithm", 0), 3, "INVALID_PARAM"),
            ("an ID block for another guest policy", "good.plan", "debug.block", "debug.auth", 3,
             "id_block: policy 0xb0000, the plan's is 0x30000"),
            ("an ID block that is too short", "good.plan", w.changed("good.block", "short", 0, 95),
             "good.auth", 3, "id-block: 95 bytes, not 96"),
            ("id-auth that is too long", "good.plan", "good.block",
             w.changed("good.auth", "long", 0, 4097), 3, "id-auth: 4097 bytes, not 4096"),
            ("an empty ID block", "good.plan", w.changed("good.block", "empty", 0, 0), "good.auth", 3,
             "id-block: 0 bytes, not 96")):
        refusal(w, "pavise run refuses " + name, status, said,
                w.launch(plan, "snp", *identity(block, auth)))
    refusal(w, "pavise run refuses an ID block that nobody signed", 64, "go together",
            w.launch("good.plan", "snp", "--id-block", w.at("good.block")))
    refusal(w, "pavise run refuses id-auth of no ID block", 64, "go together",
            w.launch("good.plan", "snp", "--id-auth", w.at("good.auth")))
    refusal(w, "pavise run refuses an ID block for a plain machine", 64, "add --tee snp",
            w.launch("plain.plan", "none", *identity("good.block", "good.auth")))
    refusal(w, "pavise run refuses a folder as ID block", 64, "not a regular file",
            w.launch("good.plan", "snp", *identity("", "good.auth")))


def unusable(w):
    r = w.report("good")
    if r.returncode != 5:
        return None
    if "cannot hold address bit" in r.stdout:
        return "this host's KVM cannot hold the C-bit"
    return r.stdout.strip()


def main():
    with tempfile.TemporaryDirectory(prefix="pavise-") as folder:
        w = World(folder)
        reason = unusable(w)
        if reason is not None:
            print("1..0 # SKIP " + reason)
            return 0
        test_signers(w)
        test_debug(w)
        test_run(w)
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())

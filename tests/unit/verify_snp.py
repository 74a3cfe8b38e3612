#!/usr/bin/env python3
# budget: 120
"""pavise-verify on an SEV-SNP guest, run as users run it: the chip is one of tests/tools/snp_files
(a private root), the plan is made by pavise-measure. Every refusal names its check and its status.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests"))
import fake_images  # noqa: E402
import measure_ref  # noqa: E402

BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
NONCE = bytes(range(32)).hex()
TIME = "2027-06-01T00:00:00Z"  # the chip's certificates begin a year before 2027-01-15
PRIVATE = "verdict: affirming (simulated or private root)\n"
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
    """Plan, policy and a guest's files in one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.digest = self.measure("good.plan")
        self.policy = {"format": "pavise-policy", "version": 0, "tee": "sev-snp",
                       "plan": "good.plan", "snp": {"min_tcb": {"snp": 23}}}
        self.policy_path = write(self.at("policy.json"), self.policy)
        self.guest("guest", NONCE, self.digest, "0x30000")

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def measure(self, plan, cpus=2, initrd=None, firmware=None, max_cpus=None):
        firmware = firmware or fake_images.firmware_snp()
        r = run(os.path.join(BUILD, "bin", "pavise-measure"), "snp", "--firmware",
                write(self.at("fw"), firmware), "--kernel",
                write(self.at("k"), fake_images.bzimage()), "--initrd",
                write(self.at("rd"), initrd or fake_images.initrd()), "--append", "console=ttyS0",
                "--cpus", str(cpus), "--plan", self.at(plan),
                *(["--max-cpus", str(max_cpus)] if max_cpus else []))
        if r.returncode != 0:
            raise RuntimeError(r.stderr)
        with open(self.at(plan), "rb") as f:
            return measure_ref.measure(f.read(), cpus).hex()

    def guest(self, name, nonce, digest, policy):
        os.mkdir(self.at(name))
        r = run(os.path.join(BUILD, "tests", "snp_files"), self.at(name), nonce, digest, policy)
        if r.returncode != 0:
            raise RuntimeError(r.stderr)

    def evidence(self, guest="guest"):
        with open(self.at(guest, "evidence.json"), "rb") as f:
            return json.load(f)

    def bundle(self, *extra, guest="guest", evidence=None, policy=None, nonce=NONCE, root="guest",
               time=TIME):
        args = ["bundle", self.at(guest, "evidence.json") if evidence is None else evidence]
        args += ["--policy", policy or self.policy_path] if policy != "" else []
        args += ["--nonce", nonce] if nonce else []
        args += ["--trust-root", self.at(root, "root.pem")] if root else []
        args += ["--time", time] if time else []
        return run(os.path.join(BUILD, "bin", "pavise-verify"), *args, *extra)

    def changed(self, **snp):
        top = {k: snp.pop(k) for k in list(snp) if k in ("plan", "tee", "require_nonce")}
        policy = {**self.policy, **top, "snp": {**self.policy["snp"], **snp}}
        return write(self.at("p.json"), {k: v for k, v in policy.items() if v is not None})


def affirms(world):
    r = world.bundle()
    ok(r.returncode == 0 and r.stdout.endswith(PRIVATE) and "fail " not in r.stdout and
       "pass    snp.measurement: what the plan's files lead to, cpus 2\n        have %s\n"
       % world.digest in r.stdout, "affirms a guest of a trusted private root, and says so",
       r.stdout + r.stderr)
    ok("skipped vtpm.present: host-vtpm (untrusted by the guest owner): present" in r.stdout,
       "labels the host's vTPM", r.stdout)
    listed = world.changed(plan=None, measurements=["00" * 48, world.digest])
    r = world.bundle(policy=listed)
    ok(r.returncode == 0 and "a reference value of the policy" in r.stdout,
       "affirms a measurement that the policy lists", r.stdout + r.stderr)
    bare = write(world.at("bare.json"), {**world.evidence(), "tee": {
        k: v for k, v in world.evidence()["tee"].items() if k != "cert_table"}})
    r = world.bundle("--vek", world.at("guest", "vek.der"), "--chain",
                     world.at("guest", "chain.pem"), evidence=bare)
    ok(r.returncode == 0 and "skipped snp.certs" in r.stdout,
       "takes the certificates from options", r.stdout + r.stderr)
    r = world.bundle(evidence=bare)
    ok(r.returncode == 4 and "fail    snp.chain.vek: no VEK certificate" in r.stdout and
       r.stdout.endswith("verdict: collateral missing or expired\n"),
       "says which certificate is missing", r.stdout + r.stderr)


def refuses(world):
    verdicts = {1: "refused by policy", 2: "not authentic", 4: "collateral missing or expired"}

    def attempt(name, status, part, *extra, **how):
        r = world.bundle(*extra, **how)
        ok(r.returncode == status and "fail    %s: " % part in r.stdout and
           r.stdout.endswith("verdict: %s\n" % verdicts[status]), "refuses " + name,
           r.stdout + r.stderr)
        return r

    r = attempt("a private root that nobody trusts", 1, "snp.root", root=None)
    ok("simulated or private root, none of AMD's" in r.stdout, "names the private root", r.stdout)
    world.guest("other", NONCE, world.digest, "0x30000")
    attempt("another root than the trusted one", 2, "snp.root", root="other")
    attempt("another chip's certificate", 2, "snp.chain.vek", "--vek",
            world.at("other", "vek.der"))
    attempt("a report replayed for another nonce", 2, "freshness", nonce="ff" * 32)
    fresh = {**world.evidence(), "nonce": "ff" * 32}
    attempt("a report under another nonce", 2, "snp.binding", nonce="ff" * 32,
            evidence=write(world.at("fresh.json"), fresh))
    attempt("no policy", 1, "policy.given", policy="")
    attempt("no nonce", 1, "freshness", nonce=None)
    attempt("an expired chain", 4, "snp.validity", time="2047-01-01T00:00:00Z")
    attempt("a chain that is not yet valid", 4, "snp.validity", time="2020-01-01T00:00:00Z")
    world.guest("debug", NONCE, world.digest, "0xb0000")
    r = attempt("a guest launched for debugging", 1, "snp.debug", guest="debug", root="debug")
    ok("fail    snp.guest_policy: launched with another guest policy than the plan's\n"
       "        have 0xb0000\n        need 0x30000\n" in r.stdout,
       "names both guest policies", r.stdout)
    attempt("a TCB below the minimum", 1, "snp.tcb.minimum",
            policy=world.changed(min_tcb={"microcode": 201}))
    attempt("another VMPL", 1, "snp.vmpl", policy=world.changed(vmpl=1))
    attempt("other host data", 1, "snp.host_data", policy=world.changed(host_data="00" * 32))
    plain = {"format": "pavise-policy", "version": 0, "tee": "none", "banks": ["sha256"],
             "reference": {"pcrs": {"sha256": {str(i): "00" * 32 for i in range(8)}}}}
    attempt("a policy for plain machines", 1, "tee.evidence",
            policy=write(world.at("plain.json"), plain))


def other_plans(world):
    """The demonstration's cases: what was launched is not what the files say."""
    initrd, firmware = bytearray(fake_images.initrd()), bytearray(fake_images.firmware_snp())
    initrd[-1] ^= 1
    firmware[-1] ^= 1
    for name, how in (("another initrd", {"initrd": bytes(initrd)}), ("one vCPU more", {"cpus": 3}),
                      ("one flipped firmware byte", {"firmware": bytes(firmware)})):
        digest = world.measure("other.plan", **how)
        r = world.bundle(policy=world.changed(plan="other.plan"))
        text = "fail    snp.measurement: the launch digest is none of the 1 that the plan's " \
               "files lead to\n        have %s\n        need %s\n" % (world.digest, digest)
        ok(r.returncode == 1 and text in r.stdout and digest != world.digest,
           "names both measurements for " + name, text + r.stdout + r.stderr)


def any_number(world):
    """A plan that leaves its processors open: each of its digests, and no other."""
    digests = {n: world.measure("any.plan", cpus=n, max_cpus=64) for n in (1, 3, 64)}
    policy = world.changed(plan="any.plan")
    for n, digest in digests.items():
        world.guest("guest%d" % n, NONCE, digest, "0x30000")
        r = world.bundle(guest="guest%d" % n, root="guest%d" % n, policy=policy)
        ok(r.returncode == 0 and "pass    snp.measurement: what the plan's files lead to, cpus %d\n"
           % n in r.stdout, "affirms a guest of %d processors" % n, r.stdout + r.stderr)
    r = world.bundle(policy=policy)
    ok(r.returncode == 1 and "none of the 64 that the plan's files lead to" in r.stdout,
       "refuses the guest of a plan with other limits", r.stdout + r.stderr)


def report_alone(world):
    def snp(*args):
        return run(os.path.join(BUILD, "bin", "pavise-verify"), "snp", "--report",
                   world.at("guest", "report.bin"), "--time", TIME, *args)

    vek, chain = world.at("guest", "vek.der"), world.at("guest", "chain.pem")
    root = ("--trust-root", world.at("guest", "root.pem"))
    r = snp("--vek", vek, "--chain", chain, *root)
    ok(r.returncode == 1 and "fail    policy.given" in r.stdout and
       "next give --policy FILE|strict|recommended|permissive|none\n" in r.stdout,
       "a report without a policy is refused, with the hint", r.stdout + r.stderr)
    r = snp("--vek", vek, "--chain", chain, *root, "--policy", "none")
    ok(r.returncode == 0 and "skipped snp.debug: policy none: not judged\n" in r.stdout and r.stdout.endswith(
        "verdict: authentic, not appraised (simulated or private root)\n"),
       "policy none asks for authenticity alone", r.stdout + r.stderr)
    r = snp("--cert-table", world.at("guest", "table.bin"))
    ok(r.returncode == 1 and "fail    snp.root" in r.stdout,
       "a report of a private root is refused without --trust-root", r.stdout + r.stderr)
    with open(world.at("guest", "report.bin"), "rb") as f:
        report = f.read()
    table = ("--cert-table", world.at("guest", "table.bin"))
    data = ("--report-data", report[0x50:0x90].hex())
    r = snp(*table, *root, "--policy", world.policy_path, *data)
    ok(r.returncode == 0 and r.stdout.endswith(PRIVATE),
       "a report, appraised against a policy", r.stdout + r.stderr)
    r = snp(*table, *root, "--policy", world.policy_path)
    ok(r.returncode == 1 and "fail    freshness" in r.stdout,
       "a policy that wants freshness wants REPORT_DATA", r.stdout + r.stderr)
    r = snp(*table, *root, "--policy", "recommended", *data)
    ok(r.returncode == 0 and "skipped snp.measurement" in r.stdout and r.stdout.endswith(
        "verdict: affirming (simulated or private root; no reference values: what was booted was "
        "not judged)\n"), "the recommended policy without reference values", r.stdout + r.stderr)
    r = snp(*table, *root, "--policy", "strict", *data)
    ok(r.returncode == 4 and "fail    snp.measurement: the policy demands" in r.stdout and
       "next give with --crl or --collateral AMD's current revocation list of Genoa\n" in r.stdout,
       "the strict policy wants reference values and a revocation list", r.stdout + r.stderr)
    r = snp(*table, *root, "--policy", "strict", *data, "--crl", world.at("guest", "good.crl"))
    ok(r.returncode == 1 and "pass    snp.revocation" in r.stdout,
       "a revocation list that names none of the chain", r.stdout + r.stderr)
    r = snp(*table, *root, "--policy", "none", "--crl", world.at("guest", "good.crl"),
            "--crl", world.at("guest", "revoking.crl"))
    ok(r.returncode == 2 and "fail    snp.revocation" in r.stdout and
       "        component ASK\n" in r.stdout, "a list that revokes the ASK", r.stdout + r.stderr)
    r = world.bundle("--crl", world.at("guest", "revoking.crl"))
    ok(r.returncode == 2 and "fail    snp.revocation" in r.stdout,
       "the same for a bundle", r.stdout + r.stderr)
    later = ("snp", "--report", world.at("guest", "later.bin"), *table, *root, "--policy", "none",
             "--time", TIME)
    verify = os.path.join(BUILD, "bin", "pavise-verify")
    r = run(verify, *later, "--json")
    ok(r.returncode == 1 and json.loads(r.stdout)["claims"]["snp.version"] == "6",
       "a report of a later version is shown and refused", r.stdout + r.stderr)
    r = run(verify, *later, "--allow-report-version", "6")
    ok(r.returncode == 0, "--allow-report-version takes it", r.stdout + r.stderr)
    r = run(verify, *later, "--allow-report-version", "7")
    ok(r.returncode == 1, "--allow-report-version of another one does not", r.stdout + r.stderr)
    r = snp(*table, *root, "--policy", "recommended", "--nonce", NONCE)
    ok(r.returncode == 2 and "fail    freshness: another nonce" in r.stdout and
       "need %s\n" % (NONCE + "00" * 32) in r.stdout, "a nonce stands in REPORT_DATA, padded",
       r.stdout + r.stderr)
    r = snp(*table, *root, "--policy", world.policy_path, "--report-data", "00" * 64)
    ok(r.returncode == 2 and "fail    snp.binding" in r.stdout, "other REPORT_DATA is refused",
       r.stdout + r.stderr)


def result_form(world):
    with open(os.path.join(ROOT, "docs", "verify-result.schema.json")) as f:
        schema = json.load(f)
    item = schema["properties"]["checks"]["items"]["properties"]
    short = {**world.evidence(), "tee": {**world.evidence()["tee"], "report": "AAAA"}}
    for name, how, status in (
            ("good", {}, 0), ("untrusted", {"root": None}, 1), ("expired", {"time": TIME.replace(
                "2027", "2050")}, 4),
            ("short", {"evidence": write(world.at("short.json"), short)}, 3)):
        r = world.bundle("--json", **how)
        j = json.loads(r.stdout)
        bad = [c for c in j["checks"] if not re.match(item["id"]["pattern"], c["id"]) or
               c["status"] not in item["status"]["enum"] or not set(c) <= set(item) or
               not {"id", "status", "note"} <= set(c) or
               ("failure" in c and c["failure"] not in item["failure"]["enum"])]
        ids = [c["id"] for c in j["checks"]]
        ok(r.returncode == status == j["exit_status"] and not bad and len(ids) == len(set(ids)) and
           set(j) == set(schema["required"]) and
           j["verdict"] in schema["properties"]["verdict"]["enum"] and
           (j["verdict"] == "affirming (simulated or private root)") == (status == 0),
           "--json keeps its schema: %s evidence" % name, "%s %s" % (bad, r.stdout))


def bad_files(world):
    def attempt(name, status, part, *extra, **how):
        r = world.bundle(*extra, **how)
        lines = r.stderr.splitlines()
        ok(r.returncode == status and len(lines) == 1 and part in lines[0], "refuses " + name,
           "status %d: %s%s" % (r.returncode, r.stdout, r.stderr))

    attempt("an unknown key in \"snp\"", 3, "allow_debgu", policy=world.changed(allow_debgu=False))
    attempt("a policy without reference", 3, "exactly one", policy=world.changed(plan=None))
    attempt("a plan and a list", 3, "exactly one",
            policy=world.changed(measurements=[world.digest]))
    with open(world.at("good.plan"), "rb") as f:
        plan = bytearray(f.read())
    plan[plan.index(fake_images.initrd()) + 5] ^= 1
    write(world.at("odd.plan"), bytes(plan))
    attempt("a plan that disagrees with itself", 3, "odd.plan",
            policy=world.changed(plan="odd.plan"))
    attempt("a root that is no certificate", 3, "neither PEM nor DER", "--trust-root",
            write(world.at("x.pem"), b"x"), root=None)
    attempt("a root that is a chain", 3, "ARK alone", "--trust-root",
            world.at("guest", "chain.pem"), root=None)
    attempt("a missing chain", 5, "absent", "--chain", world.at("absent"))
    tee = world.evidence()["tee"]
    for name, part, changes in (("provider", "provider", {"provider": "cloud"}),
                                ("type", "type", {"type": "sev"}),
                                ("base64", "report", {"report": "A"}),
                                ("key", "extra", {"extra": 1})):
        odd = {**world.evidence(), "tee": {**tee, **changes}}
        r = world.bundle(evidence=write(world.at("odd.json"), odd))
        ok(r.returncode == 3 and re.search("fail    evidence.form: .*" + part, r.stdout),
           "calls evidence malformed: an odd tee " + name, r.stdout + r.stderr)
    attempt("an odd time", 64, "time", "--time", "tomorrow")
    attempt("--report for a bundle", 64, "bundle", "--report", "x")
    for args in (["snp"], ["snp", "--report", "x", "more"], ["snp", "--report", "x", "--nonce",
                                                           "00" * 15],
                 ["snp", "--report", "x", "--quote", "y"],
                 ["snp", "--report", "x", "--report-data", "00"]):
        r = run(os.path.join(BUILD, "bin", "pavise-verify"), *args)
        ok(r.returncode == 64 and len(r.stderr.splitlines()) == 1, "refuses " + " ".join(args[:4]),
           r.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        affirms(world)
        refuses(world)
        other_plans(world)
        any_number(world)
        report_alone(world)
        result_form(world)
        bad_files(world)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

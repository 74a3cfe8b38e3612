#!/usr/bin/env python3
"""pavise-verify as a program, on evidence of a real (software) TPM: the image is measured by an
H-CRTM sequence, the events are extended as the log says, the TPM quotes; no virtual machine.
Then everything that must not be affirmed. Prints TAP.
# budget: 180
"""
import base64
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import fake_images  # noqa: E402
import pcr_ref  # noqa: E402
import swtpm  # noqa: E402

BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
NONCE = bytes(range(32))
# SubjectPublicKeyInfo of P-256's base point: a valid key whose owner everybody is.
AGENT_KEY = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d81"
    "2deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def run(program, *args):
    return subprocess.run([os.path.join(BUILD, "bin", program), *args], capture_output=True,
                          text=True, timeout=60)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else json.dumps(data).encode())
    return path


def binding(nonce, key, ak):
    out = b"pavise-evidence-v1"
    for tag, part in ((1, nonce), (2, key), (3, hashlib.sha256(ak).digest())):
        out += struct.pack(">BI", tag, len(part)) + part
    return hashlib.sha256(out).digest()


def b64(data):
    return base64.b64encode(data).decode()


class World:
    """Files, plan and policy in one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.fw, self.kernel = fake_images.firmware(), fake_images.bzimage()
        self.initrd, self.cmdline = fake_images.initrd(), b"console=ttyS0"
        self.log = self.measure("good.plan", self.fw)
        self.policy = {"format": "pavise-policy", "version": 0, "tee": "none",
                       "plan": "good.plan", "cpus": [1, 2], "memory": ["512M", "1G"],
                       "pci_slots": [2], "banks": ["sha256", "sha384"], "require_nonce": True}
        self.policy_path = write(self.at("policy.json"), self.policy)

    def at(self, name):
        return os.path.join(self.folder, name)

    def measure(self, plan, firmware):
        r = run("pavise-measure", "plain", "--firmware", write(self.at("fw"), firmware),
                "--kernel", write(self.at("kernel"), self.kernel), "--initrd",
                write(self.at("initrd"), self.initrd), "--append", self.cmdline.decode(),
                "--plan", self.at(plan), "--log", self.at("log"), "--cpus", "2")
        if r.returncode != 0:
            raise RuntimeError(r.stderr)
        with open(self.at("log"), "rb") as f:
            return f.read()

    def evidence(self, tpm, kind):
        handle, ak = tpm.make_ak(kind)
        quote, signature = tpm.quote(handle, binding(NONCE, AGENT_KEY, ak),
                                     {"sha256": range(8), "sha384": range(8)})
        tpm.flush(handle)
        values = pcr_ref.pcrs(pcr_ref.events(
            self.fw, self.kernel, self.initrd, self.cmdline, 64, 512 << 20, 2, 2,
            pcr_ref.acpi_digests(self.log)))
        return {"format": "pavise-evidence", "version": 0, "nonce": NONCE.hex(),
                "tee": {"type": "none"},
                "agent": {"name": "pavise-agent", "public_key": b64(AGENT_KEY)},
                "vtpm": {"placement": "host", "ak_public": b64(ak), "quote": b64(quote),
                         "signature": b64(signature), "pcrs": values},
                "event_log": b64(self.log), "host_claims": {"vm": "test", "isolation": "none"}}

    def verify(self, evidence, *extra, policy=None, nonce=NONCE.hex()):
        args = ["bundle", write(self.at("evidence.json"), evidence)]
        args += ["--policy", policy or self.policy_path] if policy != "" else []
        args += ["--nonce", nonce] if nonce else []
        return run("pavise-verify", *args, *extra)


def good(world, tpm):
    """Quotes of every scheme; the last evidence is returned."""
    evidence = None
    for kind in ("rsassa", "rsapss", "ecdsa"):
        evidence = world.evidence(tpm, kind)
        r = world.verify(evidence)
        ok(r.returncode == 0 and "\nverdict: affirming (plain VM: the host and its vTPM are "
           "trusted)\n" in r.stdout and "fail " not in r.stdout and
           "have cpus 2, memory 512M, pci_slots 2" in r.stdout,
           "affirms a %s quote" % kind, r.stdout + r.stderr)
    return evidence


def agent(world, tpm):
    """The agent's own code on the same TPM."""
    tpm.release()
    r = subprocess.run([os.path.join(BUILD, "tests", "agent_once"), tpm.path,
                        write(world.at("good.log"), world.log), NONCE.hex()],
                       capture_output=True, text=True, timeout=60)
    v = world.verify(r.stdout.encode()) if r.returncode == 0 else r
    ok(v.returncode == 0 and "\nverdict: affirming" in v.stdout,
       "affirms what the agent answers", r.stderr + v.stdout + v.stderr)


def result_form(world, evidence):
    with open(os.path.join(ROOT, "docs", "verify-result.schema.json")) as f:
        schema = json.load(f)
    item = schema["properties"]["checks"]["items"]["properties"]
    for name, changed, status in (("good", evidence, 0), ("malformed", {"format": "x"}, 3),
                                  ("bare", {k: v for k, v in evidence.items()
                                            if k not in ("vtpm", "event_log")}, 1)):
        r = world.verify(changed, "--json")
        j = json.loads(r.stdout)
        bad = [c for c in j["checks"] if not re.match(item["id"]["pattern"], c["id"]) or
               c["status"] not in item["status"]["enum"] or not set(c) <= set(item) or
               not {"id", "status", "note"} <= set(c) or
               (c["status"] == "fail") != ("failure" in c)]
        ok(r.returncode == status == j["exit_status"] and not bad and
           set(j) == set(schema["required"]) and
           j["verdict"] in schema["properties"]["verdict"]["enum"],
           "--json keeps its schema: %s evidence" % name, "%s %s" % (bad, r.stdout))


def not_affirmed(world, evidence):
    def attempt(name, status, part, changed=None, **how):
        r = world.verify(changed if changed is not None else evidence, **how)
        last = {1: "verdict: refused by policy", 2: "verdict: not authentic"}[status]
        ok(r.returncode == status and "fail    %s: " % part in r.stdout and
           r.stdout.endswith(last + "\n"),
           "does not affirm " + name, r.stdout + r.stderr)

    attempt("without a policy", 1, "policy.given", policy="")
    attempt("without reference values, strictly", 1, "reference.pcrs", policy="strict")
    attempt("without a nonce, strictly", 1, "freshness", policy="strict", nonce=None)
    r = world.verify(evidence, policy="recommended", nonce=None)
    ok(r.returncode == 0 and "skipped freshness: no --nonce given" in r.stdout and
       "\nverdict: affirming (no reference values: what was booted was not judged)\n" in r.stdout,
       "says what the recommended policy does not judge", r.stdout + r.stderr)
    r = world.verify(evidence, policy="none")
    ok(r.returncode == 0 and "skipped policy.given: none, as asked for" in r.stdout and
       "skipped log.events: policy none: not judged" in r.stdout and
       r.stdout.endswith("verdict: authentic, not appraised\n"),
       "policy none asks for authenticity alone", r.stdout + r.stderr)
    attempt("without a nonce", 1, "freshness", nonce=None)
    attempt("another nonce", 2, "freshness", nonce="00" * 32)
    lax = write(world.at("lax.json"), {**world.policy, "require_nonce": False})
    r = world.verify(evidence, policy=lax, nonce=None)
    ok(r.returncode == 0 and "skipped freshness: no --nonce given" in r.stdout,
       "a policy may do without a nonce, and the result says so", r.stdout + r.stderr)
    alone = write(world.at("alone.json"), {**world.policy, "cpus": [1]})
    attempt("a machine the policy does not allow", 1, "reference.machine", policy=alone)
    for field in ("quote", "signature", "ak_public"):
        data = bytearray(base64.b64decode(evidence["vtpm"][field]))
        data[len(data) // 2] ^= 1
        changed = {**evidence, "vtpm": {**evidence["vtpm"], field: b64(bytes(data))}}
        r = world.verify(changed)
        ok(r.returncode in (2, 3) and "affirming" not in r.stdout, "does not affirm another " +
           field, r.stdout + r.stderr)
    pcrs = json.loads(json.dumps(evidence["vtpm"]["pcrs"]))
    pcrs["sha384"]["4"] = "00" * 48
    attempt("a PCR value that was not quoted", 2, "quote.pcr_digest",
            {**evidence, "vtpm": {**evidence["vtpm"], "pcrs": pcrs}})
    pinned = write(world.at("pin.json"), {**world.policy, "ak_sha256": ["00" * 32]})
    attempt("a key that is not pinned", 2, "ak.provenance", policy=pinned)


def changed_firmware(world, evidence):
    """The sentence a relying party reads when the firmware is not the one measured."""
    other = bytearray(world.fw)
    other[-1] ^= 1
    world.measure("other.plan", bytes(other))
    policy = write(world.at("other.json"), {**world.policy, "plan": "other.plan"})
    r = world.verify(evidence, policy=policy)
    pcr = evidence["vtpm"]["pcrs"]["sha256"]["0"]
    want = pcr_ref.pcrs([(0, pcr_ref.digests(bytes(other))),
                         (0, pcr_ref.digests(pcr_ref.version_text(world.fw))),
                         (0, pcr_ref.digests(bytes(4)))])["sha256"]["0"]
    text = "fail    pcr.sha256.0: PCR 0 (sha256) differs: it measures the firmware image and its " \
           "version\n        have %s\n        need %s\n" % (pcr, want)
    ok(r.returncode == 1 and text in r.stdout, "names PCR 0 and both values for other firmware",
       text + r.stdout + r.stderr)


def bad_files(world, evidence):
    def attempt(name, status, part, changed=None, **how):
        r = world.verify(evidence if changed is None else changed, **how)
        lines = r.stderr.splitlines()
        ok(r.returncode == status and len(lines) == 1 and part in lines[0], "refuses " + name,
           "status %d: %s%s" % (r.returncode, r.stdout, r.stderr))

    def policy(**changes):
        merged = {**world.policy, **changes}
        return write(world.at("p.json"), {k: v for k, v in merged.items() if v is not None})

    for name, part, changed in (("garbage", "line 1", b"garbage"),
                                ("an unknown key", "extra", {**evidence, "extra": 1}),
                                ("another version", "version", {**evidence, "version": 1})):
        r = world.verify(changed)
        ok(r.returncode == 3 and re.search("fail    evidence.form: .*" + part, r.stdout) and
           r.stdout.endswith("verdict: malformed\n"), "calls evidence malformed: " + name,
           r.stdout + r.stderr)
    attempt("empty evidence", 3, "empty", b"")
    attempt("a missing policy", 5, "policy", policy=world.at("absent"))
    attempt("garbage as policy", 3, "line 1", policy=write(world.at("g.json"), b"{"))
    attempt("an unknown key in a policy", 3, "requre_nonce", policy=policy(requre_nonce=True))
    attempt("a policy without plan or reference", 3, "exactly one", policy=policy(plan=None))
    attempt("a policy without banks", 3, "banks", policy=policy(banks=None))
    attempt("a policy with an odd size", 3, "memory", policy=policy(memory=["much"]))
    attempt("a policy with a machine its plan forbids", 3, "cpus", policy=policy(cpus=[65]))
    attempt("a missing plan", 5, "plan", policy=policy(plan="absent"))
    with open(world.at("good.plan"), "rb") as f:
        plan = f.read()
    write(world.at("cut.plan"), plan[:-4096])
    attempt("a cut plan", 3, "plan", policy=policy(plan="cut.plan"))
    changed = bytearray(plan)
    changed[plan.index(world.initrd) + 5] ^= 1
    write(world.at("changed.plan"), bytes(changed))
    attempt("a plan that disagrees with itself", 3, "hash page",
            policy=policy(plan="changed.plan"))
    for args in (["bundle"], ["bundle", "a", "b"], ["bundel", "a"], ["bundle", "a", "--no"],
                 ["bundle", "a", "--nonce", "12"], ["bundle", "a", "--polic", "none"],
                 ["bundle", "a", "--policy", "none", "--policy=none"],
                 ["bundle", "a", "--report-data", "00" * 64], ["bundle", "a", "--json=1"],
                 ["bundle", "a", "--policy"], ["tpm", "--quote", "q"], ["tdx", "--report", "r"],
                 ["--json", "bundle", "a"], []):
        r = run("pavise-verify", *args)
        ok(r.returncode == 64 and len(r.stderr.splitlines()) == 1, "refuses " + " ".join(args),
           r.stderr)
    r = run("pavise-verify", "bundle", world.at("absent"), "--policy", world.policy_path)
    ok(r.returncode == 5 and len(r.stderr.splitlines()) == 1, "refuses missing evidence", r.stderr)
    r = run("pavise-verify", "--help")
    ok(r.returncode == 0 and "usage:" in r.stdout, "has --help", r.stderr)


def main():
    if shutil.which("swtpm") is None:
        print("1..0 # SKIP no swtpm on this machine")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        tpm = swtpm.Swtpm(folder, world.fw)
        try:
            extends = pcr_ref.events(world.fw, world.kernel, world.initrd, world.cmdline, 64,
                                     512 << 20, 2, 2, pcr_ref.acpi_digests(world.log))
            for pcr, digest in extends[1:]:  # the first is the image: measured by the H-CRTM
                tpm.extend(pcr, digest)
            evidence = good(world, tpm)
            agent(world, tpm)
        finally:
            tpm.close()
        result_form(world, evidence)
        not_affirmed(world, evidence)
        changed_firmware(world, evidence)
        bad_files(world, evidence)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

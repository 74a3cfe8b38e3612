#!/usr/bin/env python3
"""pavise-verify on quotes of a software TPM, run as users run it: keys of every scheme, every form
in which a file may hold a key, a signature and PCR values, an event log that the TPM was extended
by, certificates made with openssl; then what must not be affirmed. Prints TAP.
# budget: 180
"""
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import swtpm  # noqa: E402

BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
IMAGE = b"an image that the H-CRTM measures"
NONCE = bytes(range(24))
BANKS = {"sha256": 0x0B, "sha384": 0x0C}
QUOTED = {"sha256": list(range(8)), "sha384": [0, 7]}
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True,
                          timeout=60).stdout


class World:
    def __init__(self, folder, tpm):
        self.folder, self.tpm = folder, tpm
        spec = b"Spec ID Event03\0" + struct.pack("<IBBBBIHHHHB", 0, 0, 2, 0, 2, 2, 0x0B, 32, 0x0C,
                                                  48, 0)
        self.events = []
        self.log = struct.pack("<II20xI", 0, 3, len(spec)) + spec
        self.values = {bank: [bytes(hashlib.new(bank).digest_size)] * 8 for bank in BANKS}
        self.event(0, 3, b"StartupLocality\0\4", None)
        for bank in BANKS:
            self.values[bank][0] = bytes(len(self.values[bank][0]) - 1) + b"\4"
        self.event(0, 0x80000010, b"HCRTM", IMAGE, extend=False)
        self.event(4, 0xD, b"kernel\0", b"what was booted")
        for pcr in range(8):
            self.event(pcr, 4, bytes(4), bytes(4))

    def event(self, pcr, kind, data, measured, extend=True):
        start = len(self.log)
        self.log += struct.pack("<III", pcr, kind, 2)
        digests = {}
        for bank, alg in BANKS.items():
            digest = bytes(hashlib.new(bank).digest_size)
            if measured is not None:
                digest = hashlib.new(bank, measured).digest()
                self.values[bank][pcr] = hashlib.new(bank, self.values[bank][pcr] + digest).digest()
            digests[bank] = digest
            self.log += struct.pack("<H", alg) + digest
        self.log += struct.pack("<I", len(data)) + data
        self.events.append((start, len(self.log)))
        if measured is not None and extend:
            self.tpm.extend(pcr, digests)

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else json.dumps(data).encode())
        return path

    def verify(self, ak, quote, signature, *args, policy="recommended", nonce=NONCE):
        args = ["--ak", self.write("ak", ak), "--quote", self.write("quote", quote),
                "--signature", self.write("signature", signature), *args]
        args += ["--policy", policy] if policy else []
        args += ["--nonce", nonce.hex()] if nonce else []
        return subprocess.run([os.path.join(BUILD, "bin", "pavise-verify"), "tpm", *args, "--json"],
                              capture_output=True, text=True, timeout=60)

    def pcrs_json(self):
        return {bank: {str(n): self.values[bank][n].hex() for n in numbers}
                for bank, numbers in QUOTED.items()}

    def pcrs_raw(self):
        return b"".join(self.values[bank][n] for bank, numbers in QUOTED.items() for n in numbers)


def spki(area):
    """SubjectPublicKeyInfo of a TPMT_PUBLIC, in DER, put together here."""
    def tlv(tag, body):
        n = len(body)
        size = bytes([n]) if n < 128 else bytes([0x82]) + struct.pack(">H", n)
        return bytes([tag]) + size + body
    if area[:2] == b"\0\x23":
        point = b"\4" + area[22:54] + area[56:88]
        algorithm = bytes.fromhex("06072a8648ce3d020106082a8648ce3d030107")
        return tlv(0x30, tlv(0x30, algorithm) + tlv(3, b"\0" + point))
    modulus = area[-256:]
    key = tlv(0x30, tlv(2, b"\0" + modulus) + tlv(2, b"\1\0\1"))
    return tlv(0x30, tlv(0x30, bytes.fromhex("06092a864886f70d0101010500")) + tlv(3, b"\0" + key))


def failures(r):
    return [c["id"] for c in json.loads(r.stdout)["checks"] if c["status"] == "fail"]


def raw_signature(kind, signature):
    if kind != "ecdsa":
        return signature[6:]
    n = struct.unpack_from(">H", signature, 4)[0]
    return signature[6:6 + n].rjust(32, b"\0") + signature[8 + n:].rjust(32, b"\0")


def every_key(world):
    pcrs = world.write("pcrs", world.pcrs_json())
    raw = world.write("raw", world.pcrs_raw())
    log = world.write("log", world.log)
    for kind in ("ecdsa", "rsassa", "rsapss"):
        handle, area = world.tpm.make_ak(kind)
        quote, signature = world.tpm.quote(handle, NONCE, QUOTED)
        world.tpm.flush(handle)
        r = world.verify(area, quote, signature, "--pcrs", pcrs, "--event-log", log)
        ok(r.returncode == 0, kind + ": quote, values and event log", r.stdout + r.stderr)
        pem = openssl("pkey", "-pubin", "-inform", "DER", data=spki(area))
        forms = [("TPM2B", struct.pack(">H", len(area)) + area,
                  struct.pack(">H", len(quote)) + quote, signature),
                 ("public key, DER", spki(area), quote, signature),
                 ("public key, PEM", pem, quote, signature),
                 ("signature alone", area, quote, raw_signature(kind, signature))]
        if kind != "rsapss":
            forms.append(("public key and signature alone", pem, quote,
                          raw_signature(kind, signature)))
        for name, a, q, s in forms:
            r = world.verify(a, q, s, "--pcrs", raw)
            ok(r.returncode == 0, kind + ": " + name, r.stdout + r.stderr)
        pinned = {"format": "pavise-policy", "version": 0, "base": "recommended",
                  "tpm": {"ak_sha256": [hashlib.sha256(spki(area)).hexdigest()],
                          "require_provenance": True, "pcrs": {
                              "sha256": {"4": ["00" * 32, world.values["sha256"][4].hex()]}}},
                  "event_log": {"require": True, "pcrs": "0xff"}}
        r = world.verify(area, quote, signature, "--pcrs", pcrs, "--event-log", log,
                         policy=world.write("policy", pinned))
        ok(r.returncode == 0 and json.loads(r.stdout)["verdict"] == "affirming",
           kind + ": a policy that pins key and PCR 4", r.stdout + r.stderr)
    return area, quote, signature


def refusals(world, area, quote, signature):
    pcrs = world.write("pcrs", world.pcrs_json())
    log = world.write("log", world.log)
    cases = [
        ("another nonce", 2, "quote.binding", dict(nonce=NONCE[:-1] + b"x")),
        ("no policy", 1, "policy.given", dict(policy=None)),
        ("strict: no nonce", 1, "freshness", dict(policy="strict", nonce=None)),
        ("strict: nobody vouches for the key", 1, "ak.provenance", dict(policy="strict")),
        ("strict: no reference values", 1, "reference.pcrs", dict(policy="strict")),
    ]
    for name, status, check, how in cases:
        r = world.verify(area, quote, signature, "--pcrs", pcrs, "--event-log", log, **how)
        ok(r.returncode == status and check in failures(r), name, r.stdout + r.stderr)
    r = world.verify(area, quote, signature, policy="none", nonce=None)
    ok(r.returncode == 0 and json.loads(r.stdout)["verdict"].startswith("authentic"),
       "policy none: authentic, not appraised", r.stdout + r.stderr)
    changed = world.pcrs_json()
    changed["sha384"]["7"] = "11" * 48
    r = world.verify(area, quote, signature, "--pcrs", world.write("changed", changed))
    ok(r.returncode == 2 and failures(r) == ["quote.pcr_digest"], "one PCR changed", r.stdout)
    bad = bytearray(world.log)
    bad[-40] ^= 1
    (a, b), (c, d) = world.events[2], world.events[7]  # both of PCR 4
    order = world.log[:a] + world.log[c:d] + world.log[b:c] + world.log[a:b] + world.log[d:]
    for name, data in (("a digest of the log changed", bytes(bad)), ("events re-ordered", order)):
        r = world.verify(area, quote, signature, "--pcrs", pcrs, "--event-log",
                         world.write("badlog", data))
        ok(r.returncode == 2 and any(f.startswith("log.replay.") for f in failures(r)), name,
           r.stdout)
    tail = world.write("tail", world.log + b"no event at all")
    r = world.verify(area, quote, signature, "--pcrs", pcrs, "--event-log", tail)
    ok(r.returncode == 3 and failures(r) == ["log.form"], "an opaque tail is refused", r.stdout)
    r = world.verify(area, quote, signature, "--pcrs", pcrs, "--event-log", tail,
                     policy="permissive")
    ok(r.returncode == 0, "and under permissive reported", r.stdout)


def certificates(world, area, quote, signature):
    """A root, and a certificate of the key: openssl puts the TPM's key in by -force_pubkey."""
    at = lambda name: os.path.join(world.folder, name)  # noqa: E731
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", at("root.key"), "-out", at("root.pem"), "-subj", "/CN=Test root", "-days",
            "30")
    world.write("key.pem", openssl("pkey", "-pubin", "-inform", "DER", data=spki(area)))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            at("other.key"), "-out", at("ak.csr"), "-subj", "/CN=Test AK")
    cert = openssl("x509", "-req", "-in", at("ak.csr"), "-CA", at("root.pem"), "-CAkey",
                   at("root.key"), "-force_pubkey", at("key.pem"), "-days", "30",
                   "-set_serial", "1")
    pcrs = world.write("pcrs", world.pcrs_json())
    root = ("--trust-root", at("root.pem"))
    r = world.verify(cert, quote, signature, "--pcrs", pcrs, *root)
    ok(r.returncode == 0 and "ak.provenance" not in failures(r), "the key as a certificate under "
       "a root", r.stdout + r.stderr)
    r = world.verify(area, quote, signature, "--pcrs", pcrs, *root, "--chain",
                     world.write("chain.pem", cert))
    ok(r.returncode == 0, "the key as a public area, its certificate beside it",
       r.stdout + r.stderr)
    r = world.verify(cert, quote, signature, "--pcrs", pcrs, *root, "--time",
                     "2001-01-01T00:00:00Z")
    ok(r.returncode == 4 and failures(r) == ["ak.provenance"], "a certificate not yet valid",
       r.stdout)
    r = world.verify(area, quote, signature, "--pcrs", pcrs, *root)
    ok(r.returncode == 4, "a root, and no certificate of the key", r.stdout)


if shutil.which("swtpm") is None:
    print("1..0 # SKIP no swtpm on this machine")
    sys.exit(0)
with tempfile.TemporaryDirectory() as where:
    tpm = swtpm.Swtpm(where, IMAGE)
    try:
        here = World(where, tpm)
        last = every_key(here)
        refusals(here, *last)
        certificates(here, *last)
    finally:
        tpm.close()
print("1..%d" % count)
sys.exit(failed != 0)

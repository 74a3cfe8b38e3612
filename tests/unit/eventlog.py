#!/usr/bin/env python3
"""pavise-eventlog as a program: logs written here, replayed here a second time, in both forms and
with every kind of end; then the captured logs. Prints TAP.
# budget: 60
"""
import glob
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

from json_schema import conforms

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
VECTORS = os.environ.get("PAVISE_VECTORS", os.path.join(ROOT, "..", "shared", "vectors"))
SCHEMA = json.load(open(os.path.join(ROOT, "docs", "eventlog.schema.json"), encoding="utf-8"))
ALG = {"sha1": 4, "sha256": 0x0B, "sha384": 0x0C}
NO_ACTION, SEPARATOR, IPL, VARIABLE, GPT, IMAGE = 3, 4, 0xD, 0x80000001, 0x80000006, 0x80000003
GLOBAL = bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def skip(name, why):
    global count
    count += 1
    print("ok %d - %s # SKIP %s" % (count, name, why))


def run(*args):
    return subprocess.run([os.path.join(BUILD, "bin", "pavise-eventlog"), *args],
                          capture_output=True, text=True, timeout=60)


def legacy(pcr, kind, data, digest=None):
    digest = hashlib.sha1(data).digest() if digest is None else digest
    return struct.pack("<II", pcr, kind) + digest + struct.pack("<I", len(data)) + data


class Log:
    def __init__(self, banks):
        self.banks = banks
        self.values = {bank: {} for bank in banks}
        spec = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 105, 2, len(banks))
        for bank in banks:
            spec += struct.pack("<HH", ALG[bank], hashlib.new(bank).digest_size)
        self.bytes = legacy(0, NO_ACTION, spec + b"\0", bytes(20))

    def add(self, pcr, kind, data, measured=None):
        event = struct.pack("<III", pcr, kind, len(self.banks))
        for bank in self.banks:
            digest = hashlib.new(bank, data if measured is None else measured).digest()
            event += struct.pack("<H", ALG[bank]) + digest
            if kind != NO_ACTION and pcr < 24:
                old = self.values[bank].get(pcr, bytes(len(digest)))
                self.values[bank][pcr] = hashlib.new(bank, old + digest).digest()
        self.bytes += event + struct.pack("<I", len(data)) + data
        return self


def variable(name, data):
    return (GLOBAL + struct.pack("<QQ", len(name), len(data)) + name.encode("utf-16-le") + data)


def shown(path):
    r = run(path, "--json")
    return r, json.loads(r.stdout) if r.stdout else {}


def hexed(log, names):
    return {bank: {names % n: v.hex() for n, v in values.items()}
            for bank, values in log.values.items()}


def forms(folder):
    path = os.path.join(folder, "log")
    log = Log(["sha256", "sha384"])
    log.add(7, VARIABLE, variable("SecureBoot", b"\1"))
    log.add(7, SEPARATOR, bytes(4)).add(8, IPL, b"grub_cmd: x=\xff\x1b\\\0", b"x=\xff\x1b\\")
    log.add(4, IMAGE, bytes(3)).add(5, 0x1234, b"?").add(9, IPL, b"/boot/vmlinuz\0", b"the kernel")
    for end, kind in ((b"", "exact"), (bytes(9), "zeros"), (b"\xff" * 9, "ones")):
        open(path, "wb").write(log.bytes + end)
        r, j = shown(path)
        ok(r.returncode == 0 and j["end"]["kind"] == kind and
           j["replay"] == hexed(log, "PCR %d") and conforms(j, SCHEMA) is None,
           "a crypto-agile log, its end %s" % kind, r.stderr or conforms(j, SCHEMA))
    e = {x["index"]: x for x in j["events"]}
    ok(e[1]["meaning"] == {"kind": "variable", "text": "SecureBoot", "text_cut": False,
                           "guid": "8be4df61-93ca-11d2-aa0d-00e098032b8c", "data_size": "0x1",
                           "value": "0x1"} and j["secure_boot"] == "on",
       "a UEFI variable, and Secure Boot", e[1])
    ok(e[3]["meaning"]["text"] == "grub_cmd: x=\\xff\\x1b\\\\" and e[3]["digest_of"] == "part",
       "what could drive a terminal is escaped", e[3])
    ok(e[4]["meaning"] == {"kind": "malformed"} and e[5]["type_name"] is None and
       e[6]["digest_of"] == "opaque" and e[1]["digest_of"] == "data",
       "a structure that does not parse, an unknown type and an opaque digest are told", j["events"])
    text = run(path).stdout
    ok("\x1b" not in text and "PCR 8" in text and all(
        v.hex() in text for values in log.values.values() for v in values.values()),
       "the text has every replayed value")
    log.bytes += struct.pack("<III", 1, IPL, 0) + b"and more"
    open(path, "wb").write(log.bytes)
    r, j = shown(path)
    ok(r.returncode == 3 and j["end"]["kind"] == "opaque" and j["replay"] == hexed(log, "PCR %d")
       and "number of digests" in j["end"]["cause"] and j["end"]["size"] == 20,
       "bytes that are no event end the log, what stands before is shown", r.stderr)


def other_logs(folder):
    path = os.path.join(folder, "log")
    log = Log(["sha384"])
    log.add(1, SEPARATOR, bytes(4)).add(4, IPL, b"x\0", b"x").add(0xFFFFFFFF, IPL, b"no register")
    open(path, "wb").write(log.bytes + b"\xff" * 100)
    r, j = shown(path)
    want = {"sha384": {"RTMR%d" % (n - 1): v.hex() for n, v in log.values["sha384"].items()}}
    ok(j["registers"] == "rtmr" and j["replay"] == want and conforms(j, SCHEMA) is None,
       "a CC log's registers are RTMRs", r.stderr)
    data = b"firmware"
    open(path, "wb").write(legacy(0, 8, data))
    r, j = shown(path)
    first = hashlib.sha1(bytes(20) + hashlib.sha1(data).digest()).hexdigest()
    ok(j["form"] == "legacy" and j["replay"] == {"sha1": {"PCR 0": first}}, "a legacy log", j)
    log = Log(["sha256"])
    log.add(0, NO_ACTION, b"StartupLocality\0\4").add(0, 8, b"v")
    open(path, "wb").write(log.bytes)
    value = hashlib.sha256(bytes(31) + b"\4" + hashlib.sha256(b"v").digest()).hexdigest()
    ok(shown(path)[1]["replay"] == {"sha256": {"PCR 0": value}}, "StartupLocality begins PCR 0")
    open(path, "wb").write(b"no log at all, but some text that is longer than an event")
    ok(run(path).returncode == 3 and run(path + ".absent").returncode == 5 and
       run().returncode == 64 and run("--bogus", path).returncode == 64,
       "exit statuses of what is no log, no file, no argument, no option")
    help_text = run("--help")
    ok(help_text.returncode == 0 and "usage:" in help_text.stdout, "--help")


def captured():
    logs = sorted(glob.glob(os.path.join(VECTORS, "tpm", "eventlogs", "*.bin")))
    if not logs:
        skip("captured logs", "no test vectors at " + VECTORS)
        return
    expected = json.load(open(os.path.join(VECTORS, "expected.json"), encoding="utf-8"))
    for path in logs:
        name = os.path.basename(path)[:-4]
        want = expected.get("tpm/eventlogs/" + name)
        r, j = shown(path)
        good = want is None or {
            bank: {"PCR " + n: v for n, v in values.items()}
            for bank, values in want["pcrs"].items()} == j["replay"]
        ok(r.returncode == 0 and good and conforms(j, SCHEMA) is None, "captured: " + name,
           r.stderr or conforms(j, SCHEMA))


with tempfile.TemporaryDirectory() as where:
    forms(where)
    other_logs(where)
captured()
print("1..%d" % count)
sys.exit(failed != 0)

#!/usr/bin/env python3
"""`pavise measure bundle` as a program: what it takes into a bundle, what openssl says of the
signature, and what is refused. Prints TAP."""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import fake_images  # noqa: E402
import fake_uefi  # noqa: E402

BIN = os.path.join(os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build")), "bin")
KEYS = {"ed25519": ["-algorithm", "ed25519"],
        "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]}
# Plans that serve 1 to 64 processors.
SIZES = {"any": ("snp", "--max-cpus", "64"), "td": ("tdx",)}
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def run(*args):
    return subprocess.run([os.path.join(BIN, "pavise-measure"), *args], capture_output=True,
                          text=True, timeout=60)


def openssl(*args):
    return subprocess.run(["openssl", *args], capture_output=True, timeout=60)


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def prepare(folder):
    """Keys, plans and measurements; their paths by name."""
    files = {"folder": folder}
    for name, how in KEYS.items():
        files[name] = os.path.join(folder, name + ".pem")
        openssl("genpkey", *how, "-out", files[name])
    files["encrypted"] = os.path.join(folder, "encrypted.pem")
    openssl("pkey", "-in", files["p384"], "-aes256", "-passout", "pass:secret", "-out",
            files["encrypted"])
    kernel = write(folder, "k", fake_images.bzimage())
    plain = write(folder, "fw-plain", fake_images.firmware())
    snp = write(folder, "fw-snp", fake_images.firmware_snp())
    for name, kind, firmware in (("plain", "plain", plain), ("snp", "snp", snp)):
        files[name + ".plan"] = os.path.join(folder, name + ".plan")
        r = run(kind, "--firmware", firmware, "--kernel", kernel, "--vcpus", "2", "--plan",
                files[name + ".plan"], "--json")
        files[name + ".json"] = write(folder, name + ".json", r.stdout.encode())
    ovmf = write(folder, "OVMF.fd", fake_uefi.ovmf())
    r = run("snp", "--vmm", "qemu", "--firmware", ovmf, "--vcpus", "3", "--vcpu-sig", "1", "--json")
    files["qemu.json"] = write(folder, "qemu.json", r.stdout.encode())
    r = run("tdx", "--vmm", "qemu", "--firmware", write(folder, "TDVF.fd", fake_uefi.tdvf()),
            "--json")
    files["tdx.json"] = write(folder, "tdx.json", r.stdout.encode())
    td = write(folder, "fw-tdx", fake_images.firmware_tdx())
    for name, args in SIZES.items():
        files[name + ".plan"] = os.path.join(folder, name + ".plan")
        files[name + ".args"] = [args[0], "--firmware", td if name == "td" else snp, "--kernel",
                                 kernel, *args[1:], "--json"]
        run(*files[name + ".args"], "--plan", files[name + ".plan"])
    files["out"] = os.path.join(folder, "out.ref")
    return files


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def signs(files):
    for kind in ("ed25519", "p384"):
        r = run("bundle", "create", "--key", files[kind], "--output", files["out"], files["snp.plan"])
        outer = load(files["out"])
        folder = files["folder"]
        text = write(folder, "text", outer["signed"].encode())
        signature = write(folder, "signature", base64.b64decode(outer["signature"]))
        key = write(folder, "key.der", base64.b64decode(outer["key"]))
        check = ["pkeyutl", "-verify", "-rawin"] if kind == "ed25519" else None
        v = openssl(*(check + ["-pubin", "-keyform", "DER", "-inkey", key, "-in", text, "-sigfile",
                               signature] if check else
                      ["dgst", "-sha384", "-verify", key, "-keyform", "DER", "-signature",
                       signature, text]))
        ok(r.returncode == 0 and v.returncode == 0, "openssl verifies a bundle of " + kind,
           r.stderr + v.stderr.decode())
        public = openssl("pkey", "-in", files[kind], "-pubout", "-outform", "DER").stdout
        digest = run("bundle", "show", files["out"], "--key-digest").stdout.strip()
        ok(digest == hashlib.sha384(public).hexdigest(), "key digest of " + kind, digest)


def collects(files):
    made = {name: load(files[name + ".json"]) for name in ("plain", "snp", "qemu", "tdx")}
    r = run("bundle", "create", "--key", files["ed25519"], "--output", files["out"], "--svn", "1",
            "--not-after", "2031-01-31T12:00:00Z", "--cpus", "1,2", "--memory", "512M,1G",
            "--pci-slots", "2,3", files["plain.plan"], files["snp.plan"], files["plain.json"],
            files["snp.json"], files["qemu.json"], files["tdx.json"], "--value", "tdx:" + "ab" * 48)
    shown = run("bundle", "show", files["out"])
    j = json.loads(run("bundle", "show", files["out"], "--json").stdout)
    values = j["values"]
    ok(r.returncode == 0 and len(values) == 8 + 6 and j["svn"] == 1 and
       j["not_after"] == "2031-01-31T12:00:00Z" and
       len(shown.stdout.splitlines()) == 2 + len(values), "takes all kinds", r.stderr)
    machines = {(v["cpus"], v["memory"], v["pci_slots"]) for v in values[:8]}
    ok(len(machines) == 8 and len({v["pcrs"]["sha256"]["1"] for v in values[:8]}) == 8,
       "predicts every machine of a plain plan", machines)
    same = [v for v in values[:8] if v["pcrs"] == made["plain"]["pcrs"]]
    ok(len(same) == 1 and (same[0]["cpus"], same[0]["memory"]) == (2, 512 << 20) and
       values[9]["pcrs"] == made["plain"]["pcrs"], "as `measure plain` does", same)
    snp = made["snp"]["measurement"], made["qemu"]["measurement"]
    ok([values[i]["measurement"] for i in (8, 10, 11)] == [snp[0], snp[0], snp[1]] and
       values[8]["policy"] == values[10]["policy"] == "0x30000" and "policy" not in values[11] and
       [values[i]["cpus"] for i in (8, 10, 11)] == [2, 2, 3], "launch digests", values[8:12])
    ok(values[12]["mrtd"] == made["tdx"]["mrtd"] and values[13]["mrtd"] == "ab" * 48 and
       values[8]["label"] == "snp.plan" and values[13]["label"] == "given", "MRTDs and labels")
    again = files["out"] + "2"
    for path in (files["out"], again):
        run("bundle", "create", "--key", files["ed25519"], "--output", path, files["snp.plan"])
    with open(files["out"], "rb") as a, open(again, "rb") as b:
        ok(a.read() == b.read(), "the same values and Ed25519 key give the same file")


def sizes(files):
    """One signed bundle for every size: 1 to 64 processors, and memory where it is measured."""
    r = run("bundle", "create", "--key", files["p384"], "--output", files["out"], "--cpus", "1-64",
            "--memory", "512M,5G", files["any.plan"], files["td.plan"], files["plain.plan"])
    j = json.loads(run("bundle", "show", files["out"], "--json").stdout or '{"values": []}')
    values = {tee: [v for v in j["values"] if v["tee"] == tee] for tee in ("sev-snp", "tdx", "none")}
    ok(r.returncode == 0 and [len(v) for v in values.values()] == [64, 128, 128] and
       os.path.getsize(files["out"]) < 1 << 20, "one bundle of 64 processors and 2 sizes of memory",
       r.stderr)
    snp = {v["cpus"]: v["measurement"] for v in values["sev-snp"]}
    one = {n: json.loads(run(*files["any.args"], "--cpus", str(n)).stdout)["measurement"]
           for n in range(1, 65)}
    ok(snp == one and len(set(snp.values())) == 64, "each launch digest is that of measure snp")
    td = {(v["cpus"], v["memory"], v["pci_slots"]): v for v in values["tdx"]}
    ok(len(td) == 128 and len({v["mrtd"] for v in td.values()}) == 1 and
       len({v["rtmr1"] for v in td.values()}) == 1 and len({v["rtmr0"] for v in td.values()}) == 128,
       "one MRTD and one RTMR 1, an RTMR 0 for each machine")
    wrong = []
    for n in (1, 2, 63, 64):
        for memory in (512, 5120):
            m = json.loads(run(*files["td.args"], "--cpus", str(n), "--memory",
                               "%dM" % memory).stdout)
            v = td[(n, memory << 20, 2)]
            wrong += [(n, memory)] if any(m[k] != v[k] for k in ("mrtd", "rtmr0", "rtmr1")) else []
    ok(not wrong, "each trust domain is that of measure tdx", wrong)
    ok(len({v["pcrs"]["sha384"]["1"] for v in values["none"]}) == 128 and
       len({v["pcrs"]["sha384"]["0"] for v in values["none"]}) == 1,
       "a plain machine's size is in PCR 1 alone")
    run("bundle", "create", "--key", files["p384"], "--output", files["out"], files["any.plan"])
    j = json.loads(run("bundle", "show", files["out"], "--json").stdout)
    ok({v["cpus"]: v["measurement"] for v in j["values"]} == one,
       "without --cpus all that the plan serves")
    measured = write(files["folder"], "td.json", run(*files["td.args"]).stdout.encode())
    r = run("bundle", "create", "--key", files["p384"], "--output", files["out"], "--svn", "1", measured)
    j = json.loads(run("bundle", "show", files["out"], "--json").stdout)
    ok({**td[(1, 512 << 20, 2)], "label": "td.json"} == j["values"][0],
       "takes the output of measure tdx", r.stderr)
    shown = run("bundle", "show", files["out"]).stdout
    ok("1 cpus, 512 MiB, 2 PCI slots, with RTMR 0 RTMR 1" in shown, "shows the machine", shown)


def refuses(files):
    def attempt(name, status, part, *args):
        path = os.path.join(files["folder"], "none")
        r = run("bundle", *[path if a == "OUT" else a for a in args])
        lines = r.stderr.splitlines()
        ok(r.returncode == status and len(lines) == 1 and part in lines[0] and r.stdout == "" and
           not os.path.exists(path), "refuses " + name,
           "status %d: %s%s" % (r.returncode, r.stdout, r.stderr))

    create = ["create", "--output", "OUT", "--key"]
    value = ["--svn", "1", "--value", "snp:" + "00" * 48]
    for name in ("p256", "rsa", "encrypted"):
        attempt("a key: " + name, 3, "key", *create, files[name], *value)
    attempt("a file that is no key", 3, "PEM", *create, files["tdx.json"], *value)
    attempt("a key that is not there", 5, "key", *create, files["folder"] + "/no", *value)
    good = [*create, files["ed25519"]]
    attempt("no key", 64, "needs", "create", "--output", "OUT", *value)
    attempt("no output", 64, "needs", "create", "--key", files["p384"], *value)
    attempt("no values", 64, "no values", *good, "--svn", "1")
    attempt("no version", 64, "--svn", *good, files["tdx.json"])
    attempt("a version that is not the plan's", 64, "version 1", *good, "--svn", "2",
            files["snp.plan"])
    attempt("a version that is none", 64, "svn", *good, "--svn", "-1", files["snp.plan"])
    attempt("an expiry that is none", 64, "not-after", *good, *value, "--not-after", "tomorrow")
    attempt("a value of no kind", 64, "snp:", *good, "--svn", "1", "--value", "00" * 48)
    attempt("a short value", 64, "48 bytes", *good, "--svn", "1", "--value", "snp:00")
    attempt("an empty list", 64, "cpus", *good, "--cpus", "1,,2", files["plain.plan"])
    for name, cpus in (("a list of 257", ",".join("1" * 257)), ("a range of 257", "0-256"),
                       ("a range behind 200 numbers", "1," * 200 + "1-57"),
                       ("a range that goes backwards", "64-1"), ("half a range", "1-"),
                       ("a range of three", "1-2-3"), ("a range beyond the most", "1-257")):
        attempt(name, 64, "cpus", *good, "--cpus", cpus, files["plain.plan"])
    attempt("a range of memory", 64, "memory", *good, "--memory", "512M-1G", files["plain.plan"])
    attempt("more than 1024 values", 64, "1024", *good,
            *(["--svn", "1"] + [files["tdx.json"]] * 1025))
    for name in ("any.plan", "td.plan"):
        attempt("processors that %s does not serve" % name, 64, "cpus", *good, "--cpus", "64-65",
                files[name])
        attempt("no processors of " + name, 64, "cpus", *good, "--cpus", "0", files[name])
    attempt("a machine the plan forbids", 64, "cpus", *good, "--cpus", "65", files["plain.plan"])
    attempt("other JSON", 3, "neither", *good, write(files["folder"], "j", b'{"format": "x"}'))
    attempt("noise", 3, "noise", *good, write(files["folder"], "noise", bytes(100)))
    attempt("a measurement without values", 3, "pcrs", *good, write(
        files["folder"], "short", b'{"format": "pavise-measurement", "tee": "none", "machine": {}}'))
    attempt("a verb", 64, "create or show", "sign")
    attempt("two files to show", 64, "show", "show", "a", "b")
    run("bundle", "create", "--key", files["p384"], "--output", files["out"], *value)
    outer = load(files["out"])
    outer["signed"] = outer["signed"].replace('"svn":1', '"svn":2')
    changed = write(files["folder"], "changed", json.dumps(outer).encode())
    attempt("a changed bundle", 2, "signed", "show", changed)
    attempt("a bundle that is none", 3, "tdx.json", "show", files["tdx.json"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        files = prepare(folder)
        for part in (signs, collects, sizes, refuses):
            part(files)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

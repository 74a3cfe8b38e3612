#!/usr/bin/env python3
"""`pavise measure snp --vmm qemu` as a program: digests against tests/fake_uefi.py, which knows the
documents only, the search, and what is refused. Prints TAP."""
import json
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import fake_uefi as uefi  # noqa: E402
import measure_ref  # noqa: E402

BIN = os.path.join(os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build")), "bin")
VECTORS = os.environ.get("PAVISE_VECTORS", os.path.join(ROOT, "..", "shared", "vectors"))
KERNEL, RAMDISK = bytes(range(256)) * 17, b"initrd" * 999
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def run(*args):
    return subprocess.run([os.path.join(BIN, "pavise-measure"), "snp", "--vmm", "qemu", *args],
                          capture_output=True, text=True, timeout=60)


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def digest(image, **how):
    return measure_ref.digest_of(uefi.ovmf_pages(image, **how)).hex()


# name, arguments, what they mean, with a kernel
LAUNCHES = (
    ("1 cpu", ["--vcpus", "1", "--vcpu-type", "EPYC"], {"signature": 0x800F12}, None),
    ("--cpus", ["--cpus", "2", "--vcpu-type", "EPYC-v4"], {"cpus": 2, "signature": 0x800F12}, None),
    ("4 cpus", ["--vcpus", "4", "--vcpu-type", "EPYC-Milan-v2"], {"cpus": 4, "signature": 0xA00F11},
     None),
    ("Rome", ["--vcpus", "1", "--vcpu-type", "EPYC-Rome"], {"signature": 0x830F10}, None),
    ("Genoa", ["--vcpus", "1", "--vcpu-type", "EPYC-Genoa-v1"], {"signature": 0xA10F10}, None),
    ("Turin", ["--vcpus", "1", "--vcpu-type", "EPYC-Turin"], {"signature": 0xB00F00}, None),
    ("small letters", ["--vcpus", "2", "--vcpu-type", "epyc-rome-v2", "--append", ""],
     {"cpus": 2, "signature": 0x830F10}, None),
    ("a signature", ["--vcpus", "1", "--vcpu-sig", "0x00b00f21"], {"signature": 0xB00F21}, None),
    ("features", ["--vcpus", "3", "--vcpu-sig", "800f12", "--guest-features", "0x21"],
     {"cpus": 3, "signature": 0x800F12, "features": 0x21}, None),
    ("512 cpus", ["--vcpus", "512", "--vcpu-sig", "1"], {"cpus": 512, "signature": 1}, None),
    ("a kernel", ["--vcpus", "1", "--vcpu-sig", "1"], {"signature": 1}, (KERNEL, b"", "")),
    ("an empty kernel", ["--vcpus", "1", "--vcpu-sig", "1"], {"signature": 1}, (b"", b"", "")),
    ("kernel, initrd, command line", ["--vcpus", "2", "--vcpu-sig", "1"],
     {"cpus": 2, "signature": 1}, (KERNEL, RAMDISK, "console=ttyS0 quiet")),
)


def kernel_arguments(folder, parts):
    if parts is None:
        return []
    args = ["--kernel", write(folder, "k", parts[0])]
    args += ["--initrd", write(folder, "rd", parts[1])] if parts[1] else []
    return args + (["--append", parts[2]] if parts[2] else [])


def agrees(folder):
    image = uefi.ovmf()
    seen = set()
    for name, args, how, kernel in LAUNCHES:
        if kernel:
            how = {**how, "hashes": uefi.kernel_hashes(*kernel)}
        r = run("--firmware", write(folder, "fw", image), *args, *kernel_arguments(folder, kernel),
                "--json", "--explain")
        j = json.loads(r.stdout or "{}")
        want = digest(image, **how)
        pages = list(uefi.ovmf_pages(image, **how))
        ok(j.get("measurement") == want and len(j["steps"]) == len(pages) and
           j["steps"][-1]["digest"] == want and
           [int(s["gpa"], 16) for s in j["steps"]] == [p[1] for p in pages] and
           (j["files"]["kernel"] is not None) == (kernel is not None) and j["vmm"] == "qemu",
           "digest: " + name, r.stderr or want)
        seen.add(j.get("measurement"))
    ok(len(seen) == len(LAUNCHES), "they all differ", len(seen))
    large = uefi.ovmf(size=(3 << 20) + 5 * uefi.PAGE)
    r = run("--firmware", write(folder, "large", large), "--vcpus", "1", "--vcpu-sig", "1")
    ok(digest(large, signature=1) in r.stdout, "digest: an image hashed by several threads",
       r.stdout + r.stderr)


def from_digest(folder):
    """The digest after the firmware stands for the firmware's pages, wherever they are."""
    image = uefi.ovmf()
    path = write(folder, "fw", image)
    whole = json.loads(run("--firmware", path, "--vcpus", "2", "--vcpu-sig", "1", "--json").stdout)
    tail = write(folder, "tail", image[-uefi.PAGE:])
    r = run("--firmware", tail, "--firmware-digest", whole["firmware_digest"], "--vcpus", "2",
            "--vcpu-sig", "1")
    ok(r.stdout.splitlines()[-1:] == ["measurement " + whole["measurement"]],
       "goes on from a digest", r.stdout + r.stderr)
    twice = entries(other=(uefi.RESET, u32(0x12345678)))
    r = run("--firmware", write(folder, "twice", uefi.ovmf(entries=twice)), "--vcpus", "2",
            "--vcpu-sig", "1")
    ok(digest(uefi.ovmf(entries=twice), cpus=2, signature=1) in r.stdout,
       "of two entries the one nearest to the end counts", r.stdout + r.stderr)
    after = [s for s in json.loads(run("--firmware", path, "--vcpus", "1", "--vcpu-sig", "1",
             "--json", "--explain").stdout)["steps"] if s["what"] == "firmware"][-1]["digest"]
    ok(after == whole["firmware_digest"], "says which digest that is")


# name, what was launched, with a kernel, further arguments, what must be said
SEARCHES = (
    ("cpus", {"cpus": 7, "signature": 0xA00F11}, False, [], "7 cpus, signature 0x00a00f11 "),
    ("features", {"cpus": 2, "signature": 0x830F10, "features": 0x221}, False, [], "0x221"),
    ("a kernel", {"cpus": 3, "signature": 0xA10F10, "hashes": True}, True, [],
     "with kernel hashes"),
    ("no kernel", {"cpus": 3, "signature": 0xA10F10}, True, [], "without kernel hashes"),
    ("an old host", {"cpus": 5, "signature": 0xB00F21, "fpu": False}, False, [], "6.9"),
    ("what is given", {"cpus": 64, "signature": 0x123, "features": 0x8001}, False,
     ["--vcpu-sig", "123", "--guest-features", "8001"], "64 cpus, signature 0x00000123"),
    ("many", {"cpus": 200, "signature": 0x800F12}, False, ["--vcpus", "256"], "200 cpus"),
)


def searches(folder):
    image = uefi.ovmf()
    path = write(folder, "fw", image)
    kernel = (KERNEL, RAMDISK, "quiet")
    for name, how, given, more, said in SEARCHES:
        if how.get("hashes"):
            how = {**how, "hashes": uefi.kernel_hashes(*kernel)}
        args = ["--firmware", path, "--search", "--expect", digest(image, **how), *more]
        args += kernel_arguments(folder, kernel if given else None)
        r, j = run(*args), run(*args, "--json")
        ok(r.returncode == 0 and said in r.stdout and r.stdout.startswith("match ") and
           json.loads(j.stdout)["match"]["snp"]["cpus"] == how["cpus"], "finds " + name,
           r.stdout + r.stderr)
    missed = ({"cpus": 65, "signature": 0x800F12}, []), ({"cpus": 1, "signature": 0xA00F11},
              ["--vcpu-type", "EPYC"]), ({"signature": 0x800F12, "features": 0x21},
              ["--guest-features", "1"]), ({"signature": 0x800F12, "features": 0x3}, [])
    for how, more in missed:
        r = run("--firmware", path, "--search", "--expect", digest(image, **how), *more, "--json")
        ok(r.returncode == 1 and json.loads(r.stdout)["match"] is None and
           "combinations tried" in r.stderr and len(r.stderr.splitlines()) == 1,
           "finds nothing: %s %s" % (how, more), r.stdout + r.stderr)


def u32(*values):
    return struct.pack("<%dI" % len(values), *values)


def entries(**changed):
    values = {"reset": (uefi.RESET, u32(uefi.AP_EIP)), "sev": (uefi.SEV, u32(1024)),
              "area": (uefi.HASHES, u32(*uefi.AREA))}
    values.update(changed)
    return [v for v in values.values() if v]


def patched(offset, data, image=None):
    image = bytearray(image or uefi.ovmf())
    image[len(image) + offset:len(image) + offset + len(data)] = data
    return bytes(image)


def many(n):
    return [(0x800000 + 0x1000 * i, 0x1000, 1) for i in range(n)]


BAD_IMAGES = (
    ("a page and a half", uefi.ovmf()[:6144], "multiple"),
    ("noise", bytes(uefi.noise(9, 8192)), "no OVMF"),
    ("a footer and nothing else", bytes(4096 - 48) + uefi.FOOTER + bytes(32), "GUIDed table of 0"),
    ("a table longer than the file", patched(-50, b"\xff\xff"), "GUIDed table of 65535"),
    ("a table that ends in an entry", patched(-50, struct.pack("<H", 18 + 40)), "wrong length"),
    ("an entry of no length", patched(-68, b"\0\0"), "wrong length"),
    ("an entry of 17 bytes", patched(-68, b"\x11\0"), "wrong length"),
    ("an entry beyond the table", patched(-68, b"\xff\0"), "wrong length"),
    ("no reset vector", uefi.ovmf(entries=entries(reset=None)), "reset vector"),
    ("a short reset vector", uefi.ovmf(entries=entries(reset=(uefi.RESET, b"abc"))), "of 3 bytes"),
    ("no metadata", uefi.ovmf(entries=entries(sev=None)), "SEV metadata"),
    ("a short area", uefi.ovmf(entries=entries(area=(uefi.HASHES, b"1234"))), "of 4 bytes"),
    ("metadata behind the end", uefi.ovmf(entries=entries(sev=(uefi.SEV, u32(8)))), "out of bounds"),
    ("metadata before the file", uefi.ovmf(entries=entries(sev=(uefi.SEV, u32(0xFFFFFFFF)))),
     "out of bounds"),
    ("another magic", uefi.ovmf(magic=b"BSEV"), "ASEV"),
    ("version 2", uefi.ovmf(version=2), "version 2"),
    ("no section", uefi.ovmf(sections=()), "0 sections"),
    ("65 sections", uefi.ovmf(sections=many(65)), "65 sections"),
    ("a count of 2^32 - 1", uefi.ovmf(count=0xFFFFFFFF), "sections"),
    ("a length below its sections", uefi.ovmf(length=16 + 12 * 6 - 1), "out of bounds"),
    ("a length beyond the file", uefi.ovmf(length=1025), "out of bounds"),
    ("a section of type 5", uefi.ovmf(sections=((0x800000, 0x1000, 5),)), "unknown"),
    ("an empty section", uefi.ovmf(sections=((0x800000, 0, 1),)), "empty"),
    ("a section of half a page", uefi.ovmf(sections=((0x800000, 0x800, 1),)), "whole pages"),
    ("a section at half a page", uefi.ovmf(sections=((0x800800, 0x1000, 1),)), "whole pages"),
    ("a section over the image", uefi.ovmf(sections=((0xFFFFC000, 0x2000, 1),)), "image"),
    ("a section that wraps", uefi.ovmf(sections=((0xFFFFF000, 0xFFFFF000, 1),)), "image"),
    ("two sections that overlap", uefi.ovmf(sections=((0x800000, 0x2000, 1), (0x801000, 0x1000, 2))),
     "overlap"),
    ("512 MiB of sections", uefi.ovmf(sections=((0x800000, 0x20000000, 1),)), "makes sense"),
    ("two sections for hashes",
     uefi.ovmf(sections=((0x800000, 0x1000, 16), (0x801000, 0x1000, 16))), "makes sense"),
)


def refuses(folder):
    def attempt(name, status, part, *args):
        r = run(*args)
        lines = r.stderr.splitlines()
        ok(r.returncode == status and len(lines) == 1 and part in lines[0] and r.stdout == "",
           "refuses " + name, "status %d: %s%s" % (r.returncode, r.stdout, r.stderr))

    cpu = ["--vcpus", "1", "--vcpu-sig", "1"]
    for name, image, part in BAD_IMAGES:
        attempt(name, 3, part, "--firmware", write(folder, "bad", image), *cpu)
    kernel = ["--kernel", write(folder, "k", KERNEL)]
    for name, status, part, image in (
            ("a kernel without a section", 64, "no section", uefi.ovmf(sections=many(1))),
            ("a kernel without an area", 3, "no room", uefi.ovmf(area=None)),
            ("a kernel and a small area", 3, "no room", uefi.ovmf(area=(0x810000, 175))),
            ("a kernel and an area across the end", 3, "no room",
             uefi.ovmf(sections=((0x810000, 0x1000, 16),), area=(0x810F60, 0x400)))):
        attempt(name, status, part, "--firmware", write(folder, "fw", image), *cpu, *kernel)
        if status == 3:
            ok(run("--firmware", write(folder, "fw", image), *cpu).returncode == 0,
               "but takes the image alone")
    good = ["--firmware", write(folder, "good", uefi.ovmf())]
    expect = "00" * 48
    for name, args in (
            ("no processors", ["--vcpus", "0", "--vcpu-sig", "1"]),
            ("4097 processors", ["--vcpus", "4097", "--vcpu-sig", "1"]),
            ("no number", ["--vcpu-sig", "1"]),
            ("no signature", ["--vcpus", "1"]),
            ("two signatures", [*cpu, "--vcpu-type", "EPYC"]),
            ("an unknown model", ["--vcpus", "1", "--vcpu-type", "EPYC-Milan-v9"]),
            ("a processor that is no model", ["--vcpus", "1", "--vcpu-type", "host (Genoa)"]),
            ("a wide signature", ["--vcpus", "1", "--vcpu-sig", "100000000"]),
            ("features that are none", [*cpu, "--guest-features", "x"]),
            ("a short digest", [*cpu, "--firmware-digest", "00"]),
            ("a digest that is none", [*cpu, "--firmware-digest", "x" * 96]),
            ("a search for nothing", [*cpu, "--search"]),
            ("an expectation alone", [*cpu, "--expect", expect]),
            ("an explained search", ["--search", "--expect", expect, "--explain"]),
            ("an initrd without kernel", [*cpu, "--initrd", "x"]),
            ("a command line without kernel", [*cpu, "--append", "x"]),
            ("a plan", [*cpu, "--plan", "x"]), ("a guest policy", [*cpu, "--policy", "30000"]),
            ("an ID block", [*cpu, "--id-block", "x"]), ("memory", [*cpu, "--memory", "1G"]),
            ("another VMM", [*cpu, "--vmm", "ec2"]),
            ("a page order", [*cpu, "--page-order", "single"])):
        attempt(name, 64, "", *good, *args)
    attempt("no firmware", 64, "needed", *cpu)
    attempt("a firmware that is not there", 5, "none", "--firmware", folder + "/none", *cpu)


def upstream():
    """Cases that were captured elsewhere; EC2's, GCE's and SVSM's are other launches."""
    folder = os.path.join(VECTORS, "measure", "snp")
    if not os.path.exists(os.path.join(folder, "cases.json")):
        global count
        count += 1
        print("ok %d - cases of other calculators # SKIP no test vectors at %s" % (count, folder))
        return
    with tempfile.TemporaryDirectory() as temporary:
        empty = write(temporary, "empty", b"")
        with open(os.path.join(folder, "cases.json"), encoding="utf-8") as f:
            cases = json.load(f)
        for case in cases:
            if case["mode"] not in ("snp", "snp-ovmf-hash") or case.get("vmm_type") in ("ec2", "gce"):
                continue
            args = ["--firmware", os.path.join(folder, case["ovmf"]),
                    "--vcpus", str(case.get("vcpus", 1)), "--vcpu-sig", case.get("vcpu_sig") or "1"]
            for key, option in (("guest_features", "--guest-features"), ("append", "--append"),
                                ("snp_ovmf_hash", "--firmware-digest")):
                args += [option, case[key]] if case.get(key) is not None else []
            for key in ("kernel", "initrd"):
                name = case.get(key)
                args += ["--" + key, empty if name == "(empty file)" else
                         os.path.join(folder, name)] if name else []
            r = run(*args, "--json")
            want = case.get("digest")
            key = "measurement" if case["mode"] == "snp" else "firmware_digest"
            got = json.loads(r.stdout)[key] if r.returncode == 0 else None
            ok(got == want, "case " + case["name"], r.stderr or got)


def main():
    for part in (agrees, from_digest, searches, refuses):
        with tempfile.TemporaryDirectory() as folder:
            part(folder)
    upstream()
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

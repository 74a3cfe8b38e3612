#!/usr/bin/env python3
"""`pavise measure tdx --vmm qemu` as a program: MRTD against tests/fake_uefi.py, which knows the documents
only, and what is refused. Prints TAP."""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import fake_uefi as uefi  # noqa: E402

BIN = os.path.join(os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build")), "bin")
VECTORS = os.environ.get("PAVISE_VECTORS", os.path.join(ROOT, "..", "shared", "vectors"))
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def run(*args):
    return subprocess.run([os.path.join(BIN, "pavise-measure"), "tdx", "--vmm", "qemu",
                           *args], capture_output=True,
                          text=True, timeout=60)


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


ONE = ((0, 0x1000, 0xFFFFF000, 0x1000, uefi.BFV, 1),)
# name, sections, how the image is made
IMAGES = (
    ("every type", uefi.TD_SECTIONS, {}),
    ("found by its offset", uefi.TD_SECTIONS, {"legacy": True}),
    ("one section", ONE, {}),
    ("a volume that is not measured", ((0, 0x1000, 0xFFFFF000, 0x1000, uefi.BFV, 0),), {}),
    ("a volume given later", ONE + ((0, 0x1000, 0x1000, 0x1000, uefi.CFV, 2),), {}),
    ("a longer descriptor", ONE, {"length": 16 + 32 + 16}),
    ("64 sections", ONE + tuple((0, 0, 0x1000 * n, 0x1000, uefi.TEMP, 0) for n in range(63)),
     {"at": 4096}),
    ("the order of the sections", tuple(reversed(uefi.TD_SECTIONS)), {}),
)


def agrees(folder):
    for name, sections, how in IMAGES:
        image = uefi.tdvf(sections=sections, **how)
        path = write(folder, "fw", image)
        for order, two in (("single", False), ("two-pass", True)):
            r = run("--firmware", path, "--page-order", order, "--json", "--explain")
            j = json.loads(r.stdout or "{}")
            want = uefi.mrtd(image, sections, two)
            ok(j.get("mrtd") == want and j["steps"][-1]["digest"] == want and
               j["page_order"] == order and len(j["sections"]) == len(sections),
               "%s, %s" % (name, order), r.stderr or want)
    r = run("--firmware", path)
    ok(r.stdout.splitlines()[-1] == "mrtd " + uefi.mrtd(image, sections), "single is the default")
    lines = run("--firmware", path, "--explain").stdout.splitlines()
    ok(lines[-4].split()[3] == lines[-1].split()[1], "explains down to the MRTD", lines[-3:])


def golden(folder):
    """A page measured, another not: computed by another calculator from the module's ABI."""
    page = bytes(range(256)) * 16
    image = bytearray(uefi.tdvf(sections=((0, 0x1000, 0xFFFFF000, 0x1000, uefi.BFV, 1),
                                          (0, 0, 0x809000, 0x1000, uefi.TEMP, 0))))
    image[:4096] = page
    r = run("--firmware", write(folder, "fw", bytes(image)))
    ok("14ec74131df1cfef14ae147c746411a1dfc09b242c8f2c2bf29d2879732f88ec7e54676660e809c9676e1b2ee2c"
       "ca8f8" in r.stdout, "a golden value", r.stdout + r.stderr)


def with_section(*section):
    return uefi.tdvf(sections=ONE + (section,))


BAD_IMAGES = (
    ("few bytes", b"TDVF" * 4, "too short"),
    ("noise", bytes(8192), "no TDX metadata"),
    ("an offset behind the end", bytes(8192 - 32) + b"\xff" * 32, "out of bounds"),
    ("an entry of 3 bytes", uefi.tdvf(entry=b"123"), "no TDX metadata"),
    ("metadata before the file", uefi.tdvf(entry=b"\xff\xff\xff\x7f"), "no TDX metadata"),
    ("metadata behind the end", uefi.tdvf(entry=b"\x0f\0\0\0"), "no TDX metadata"),
    ("another magic", uefi.tdvf(magic=b"TDVG"), "no TDX metadata"),
    ("version 2", uefi.tdvf(version=2), "version 1"),
    ("no section", uefi.tdvf(sections=()), "0 sections"),
    ("65 sections", uefi.tdvf(sections=ONE * 65, at=4096), "65 sections"),
    ("a count of 2^32 - 1", uefi.tdvf(count=0xFFFFFFFF), "sections"),
    ("a length that is not theirs", uefi.tdvf(length=17), "out of bounds"),
    ("a length beyond the file", uefi.tdvf(length=1025), "out of bounds"),
    ("a table cut off", uefi.tdvf(count=63, length=16 + 32 * 63), "out of bounds"),
    ("no volume", uefi.tdvf(sections=((0, 0, 0x1000, 0x1000, uefi.TEMP, 0),)), "0 BFV"),
    ("two lists of resources", uefi.tdvf(sections=ONE + ((0, 0, 0, 0x1000, uefi.TD_HOB, 0),
                                                         (0, 0, 0x2000, 0x1000, uefi.TD_HOB, 0))),
     "2 TD_HOB"),
    ("a gigabyte", with_section(0, 0, 0, 1 << 30, uefi.TEMP, 0), "1024 MiB"),
    ("type 9", with_section(0, 0, 0, 0x1000, 9, 0), "type 9"),
    ("attribute 4", with_section(0, 0, 0, 0x1000, uefi.TEMP, 4), "attribute"),
    ("bytes behind the file", with_section(0x2FFF, 2, 0, 0x1000, uefi.CFV, 0), "outside the file"),
    ("bytes that wrap", with_section(0xFFFFFFFF, 2, 0, 0x1000, uefi.CFV, 0), "outside the file"),
    ("a volume without bytes", with_section(0, 0, 0, 0x1000, uefi.CFV, 0), "no bytes"),
    ("memory with bytes", with_section(0, 8, 0, 0x1000, uefi.TEMP, 0), "has bytes"),
    ("information with an address", with_section(0, 0, 0x1000, 0, uefi.INFO, 0), "address"),
    ("an empty section", with_section(0, 0, 0, 0, uefi.TEMP, 0), "empty"),
    ("half a page", with_section(0, 0, 0, 0x800, uefi.TEMP, 0), "whole pages"),
    ("an address inside a page", with_section(0, 0, 0x800, 0x1000, uefi.TEMP, 0), "whole pages"),
    ("an address beyond the space", with_section(0, 0, 1 << 52, 0x1000, uefi.TEMP, 0), "beyond"),
    ("a size that wraps", with_section(0, 0, 0x1000, (1 << 64) - 0x1000, uefi.TEMP, 0), "beyond"),
    ("more bytes than memory", with_section(0, 0x1001, 0, 0x1000, uefi.CFV, 0), "smaller"),
    ("an overlap", with_section(0, 0, 0xFFFFF000, 0x1000, uefi.TEMP, 0), "overlaps"),
    ("a measured list of resources", with_section(0, 0, 0, 0x1000, uefi.TD_HOB, 1), "makes up"),
    ("a measured payload of the VMM", with_section(0, 0, 0, 0x1000, uefi.PAYLOAD, 1), "makes up"),
)


def refuses(folder):
    def attempt(name, status, part, *args):
        r = run(*args)
        lines = r.stderr.splitlines()
        ok(r.returncode == status and len(lines) == 1 and part in lines[0] and "mrtd" not in
           r.stdout, "refuses " + name, "status %d: %s%s" % (r.returncode, r.stdout, r.stderr))

    for name, image, part in BAD_IMAGES:
        attempt(name, 3, part, "--firmware", write(folder, "bad", image), "--json")
    attempt("no firmware", 64, "needed")
    good = ["--firmware", write(folder, "good", uefi.tdvf())]
    attempt("another order", 64, "two-pass", *good, "--page-order", "twice")
    for option in (["--vcpus", "1"], ["--kernel", "x"], ["--xfam", "e7"], ["--search"],
                   ["--policy", "1"], ["--append", "x"]):
        attempt("an option of other machines: " + option[0], 64, "only", *good, *option)


def upstream():
    path = os.path.join(VECTORS, "measure", "mrtd", "tdvf-small.fd")
    global count
    if not os.path.exists(path):
        count += 1
        print("ok %d - an image of another calculator # SKIP no test vectors at %s" % (count, path))
        return
    with open(os.path.join(VECTORS, "expected.json"), encoding="utf-8") as f:
        want = json.load(f)["measure/mrtd/tdvf-small"]
    for order, key in (("single", "single_pass"), ("two-pass", "two_pass")):
        r = run("--firmware", path, "--page-order", order)
        ok(r.stdout.splitlines()[-1:] == ["mrtd " + want[key]], "an image of another calculator, " +
           order, r.stdout + r.stderr)


def main():
    for part in (agrees, golden, refuses):
        with tempfile.TemporaryDirectory() as folder:
            part(folder)
    upstream()
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

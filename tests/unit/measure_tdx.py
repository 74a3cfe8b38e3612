#!/usr/bin/env python3
"""`pavise measure tdx` as a program: MRTD against tests/measure_ref.py, RTMR 0 and 1 against
tests/pcr_ref.py, the plan against docs/PROTOCOL.plan, its refusals. Prints TAP."""
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import fake_images  # noqa: E402
import measure_ref  # noqa: E402
import pcr_ref  # noqa: E402

BIN = os.path.join(os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build")), "bin")
RESET_PAGE = 0xFFFFF000
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


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


def golden():
    """From the module's ABI, by another calculator."""
    page = bytes(range(256)) * 16
    ok(measure_ref.mrtd_of([]).hex() == hashlib.sha384().hexdigest(), "golden: no page")
    ok(measure_ref.mrtd_of([(0, page, False)]).hex() ==
       "8f3e9a8aca6784eab874f7aa4dda5d49104a88047f1f86695ef2a88f5691a90e34aac48ce45ffa1f5a23c7d62980"
       "d570", "golden: one page that is not measured")
    ok(measure_ref.mrtd_of([(RESET_PAGE, page, True), (0x809000, page, False)]).hex() ==
       "14ec74131df1cfef14ae147c746411a1dfc09b242c8f2c2bf29d2879732f88ec7e54676660e809c9676e1b2ee2cc"
       "a8f8", "golden: one page measured, one not")


FIRST = dict(seed=1, cpus=1, memory=512, slots=2, max_cpus=64, initrd=True, cmdline="console=ttyS0",
             xfam="e7", tpm=True, size=12288)
# Each row differs from the first in one thing; and which of MRTD, RTMR 0 and RTMR 1 tell.
CONFIGURATIONS = (
    ("the first", {}, ""),
    ("2 cpus", {"cpus": 2}, "0"),
    ("64 cpus", {"cpus": 64}, "0"),
    ("less memory", {"memory": 256}, "0"),
    ("memory above 4 GiB", {"memory": 5120}, "0"),
    ("no slots", {"slots": 0}, "0"),
    ("16 slots", {"slots": 16}, "0"),
    ("at most 256 cpus", {"max_cpus": 256}, "m0"),
    ("no initrd", {"initrd": False}, "m01"),
    ("no command line", {"cmdline": ""}, "m01"),
    ("the longest command line", {"cmdline": "a" * 2047}, "m01"),
    ("other features", {"xfam": "3"}, ""),
    ("all features", {"xfam": "6dbe7"}, ""),
    ("no vTPM", {"tpm": False}, "m0"),
    ("other files", {"seed": 2}, "m01"),
    ("a larger image", {"size": 65536}, "m"),
)


def inputs(c):
    return (fake_images.firmware_tdx(c["seed"], c["size"]), fake_images.bzimage(c["seed"]),
            fake_images.initrd(c["seed"]) if c["initrd"] else b"", c["cmdline"].encode())


def arguments(folder, c):
    fw, kernel, rd, _ = inputs(c)
    args = ["tdx", "--firmware", write(folder, "fw", fw), "--kernel", write(folder, "k", kernel),
            "--append", c["cmdline"], "--cpus", str(c["cpus"]), "--memory", "%dM" % c["memory"],
            "--pci-slots", str(c["slots"]), "--max-cpus", str(c["max_cpus"]), "--xfam", c["xfam"],
            "--plan", os.path.join(folder, "plan"), "--log", os.path.join(folder, "log"), "--json",
            "--explain"]
    return args + (["--initrd", write(folder, "rd", rd)] if rd else []) + (
        [] if c["tpm"] else ["--no-vtpm"])


def agree(folder):
    first = None
    for name, change, tells in CONFIGURATIONS:
        c = {**FIRST, **change}
        args = arguments(folder, c)
        r = run(*args)
        if r.returncode != 0:
            ok(False, name, r.stderr)
            continue
        got, plan, log = (json.loads(r.stdout), read(os.path.join(folder, "plan")),
                          read(os.path.join(folder, "log")))
        pages = measure_ref.td_pages_of(plan)
        want = [measure_ref.mrtd_of(pages).hex(), *check_rtmrs(name, c, got, log)]
        ok(got["mrtd"] == want[0], name + ": both computations of MRTD agree",
           "have %s\nneed %s" % (got["mrtd"], want[0]))
        check_plan(name, c, plan, got)
        check_steps(name, got, pages)
        again = run(*args)
        ok(again.stdout == r.stdout and read(os.path.join(folder, "plan")) == plan,
           name + ": the same again")
        first = first or want
        changed = "".join(k for k, a, b in zip("m01", first, want) if a != b)
        ok(changed == tells, name + ": changes what it must", "%s, not %s" % (changed, tells))


def check_rtmrs(name, c, got, log):
    want = pcr_ref.rtmrs(pcr_ref.rtmr_events(
        *inputs(c), c["max_cpus"], c["memory"] << 20, c["cpus"], c["slots"], c["tpm"],
        pcr_ref.acpi_digests(log)))
    ok([got["rtmr0"], got["rtmr1"]] == want, name + ": both computations of RTMR 0 and 1 agree",
       "have %s %s\nneed %s" % (got["rtmr0"], got["rtmr1"], want))
    logged = [(pcr - 1, d["sha384"]) for pcr, _, d, _ in pcr_ref.parse_log(log)]
    ok(pcr_ref.rtmrs(logged) == want, name + ": the log replays to them", logged)
    return want


def check_plan(name, c, plan, got):
    fw, kernel, rd, cmdline = inputs(c)
    header = struct.unpack_from("<8sIIQQIIQQQ32sQQI12s", plan, 0)
    ram = pcr_ref.min_ram(kernel, rd, cmdline)
    want = (b"PVPLAN01", 3, 9 if rd else 8, len(plan), ram, c["max_cpus"], 0, 0xFFFFFFF0, 0, 0,
            bytes(32), 1 << 28, int(c["xfam"], 16), 48, bytes(12))
    ok(header == want, name + ": header of the plan", "have %s\nneed %s" % (header, want))
    regions = [struct.unpack_from("<QQQII", plan, 128 + 32 * i) for i in range(header[2])]
    data = [plan[r[1]:r[1] + r[2]] if r[1] else None for r in regions]
    hashes = pcr_ref.hash_page(kernel, rd, cmdline, c["max_cpus"], c["tpm"], 3)
    launched = [(0x100000, len(fw), 1, fw), (0x110000, 0x70000, 9, None),
                (0x180000, 4096, 2, hashes), (0x186000, 4096, 11, None),
                (RESET_PAGE, 4096, 10, fw[-4096:])]
    have = [(r[0], r[2], r[3], d) for r, d in zip(regions, data)]
    ok(have[:5] == launched, name + ": what is launched, in order", [r[:3] for r in have])
    shared = [r[2:] for r in have[5:]]
    ok(shared == [(3, None), (4, kernel)] + ([(5, rd)] if rd else []) + [(6, cmdline + b"\0")],
       name + ": what is staged behind it", [r[:3] for r in have[5:]])
    ok(got["plan"] == {"size": len(plan), "min_ram": ram, "max_cpus": c["max_cpus"],
                       "require_tpm": c["tpm"]} and
       got["machine"] == {"cpus": c["cpus"], "memory": c["memory"] << 20, "pci_slots": c["slots"],
                          "tpm": c["tpm"]} and
       got["tdx"] == {"attributes": "0x10000000", "xfam": "0x" + c["xfam"], "gpaw": 48, "svn": 1},
       name + ": says what it says", got["plan"])


def check_steps(name, got, pages):
    digest, good = hashlib.sha384(), len(got["steps"]) == len(pages)
    for step, page in zip(got["steps"], pages):
        digest.update(measure_ref.mrtd_blocks(*page))
        good = good and (step["digest"] == digest.hexdigest() and
                         int(step["gpa"], 16) == page[0] and
                         step["type"] == ("add+extend" if page[2] else "add"))
    measured = sum(page[2] for page in pages)
    ok(good and got["pages"] == {"added": len(pages), "measured": measured},
       name + ": every page explained and counted", got["pages"])


def differ(folder):
    """Each byte of what is launched, and the order, is in MRTD: the plan's file, changed."""
    args = arguments(folder, FIRST)
    want = json.loads(run(*args).stdout)["mrtd"]
    plan = read(os.path.join(folder, "plan"))
    pages = measure_ref.td_pages_of(plan)
    swapped = [pages[1], pages[0]] + pages[2:]
    for name, changed in (("two pages swapped", swapped), ("one page less", pages[:-1]),
                          ("a page not measured", [pages[0][:2] + (False,)] + pages[1:]),
                          ("zeros measured", [p[:2] + (True,) for p in pages])):
        ok(measure_ref.mrtd_of(changed).hex() != want, "another MRTD: " + name)


def image(**how):
    return fake_images.firmware_tdx(**how)


def with_word(data, offset, value):
    return data[:offset] + struct.pack("<I", value) + data[offset + 4:]


BAD_IMAGES = (
    ("an image of a plain machine", fake_images.firmware(), "variant"),
    ("an image of SEV-SNP", fake_images.firmware_snp(), "variant"),
    ("no waiting loop", with_word(image(), 48, 0), "processors"),
    ("a waiting loop outside", with_word(image(), 48, 12288), "processors"),
    ("no sites", with_word(image(), 56, 0), "sites"),
    ("a site of SEV-SNP", with_word(image(), 3076, 1), "kind"),
    ("a site without a TDCALL", with_word(image(), 2048, 0), "kind"),
    ("two last sites", image(sites=((2048, 6), (2056, 6))), "last"),
    ("two sites out of order", image(sites=((2056, 5), (2048, 5))), "order"),
    ("half a page", image()[:-2048], "truncated"),
    ("reserved bytes", with_word(image(), 60, 1), "reserved"),
)


def refuses(folder):
    none = os.path.join(folder, "none")
    good = {"--firmware": write(folder, "fw", image()), "--kernel":
            write(folder, "k", fake_images.bzimage()), "--plan": none}

    def attempt(name, status, part, *extra, **replace):
        changed = {**good, **{"--" + k: v for k, v in replace.items()}}
        args = [a for k, v in changed.items() if v is not None for a in (k, v)]
        r = run("tdx", *args, *extra)
        lines = r.stderr.splitlines()
        ok(r.returncode == status and len(lines) == 1 and part in lines[0] and r.stdout == "" and
           not os.path.exists(none), "refuses " + name,
           "status %d: %s%s" % (r.returncode, r.stdout, r.stderr))

    for name, data, part in BAD_IMAGES:
        attempt(name, 3, part, firmware=write(folder, "bad", data))
    attempt("no firmware", 64, "needed", firmware=None)
    attempt("no kernel", 64, "--vmm qemu", kernel=None)
    attempt("no processors", 64, "cpus", "--cpus", "0")
    attempt("more processors than the plan allows", 64, "max-cpus", "--cpus", "3", "--max-cpus", "2")
    attempt("too little memory", 64, "needs", "--memory", "64M")
    attempt("an odd memory size", 64, "2 MiB", "--memory", "513M")
    for xfam, why in (("e6", "without x87"), ("1", "without SSE"), ("ef", "an unknown bit"),
                      ("e3", "AVX-512 without AVX"), ("47", "a part of AVX-512"),
                      ("807", "half of CET"), ("20007", "half of AMX")):
        attempt("features: " + why, 64, "xfam", "--xfam", xfam)
    attempt("features that are none", 64, "hexadecimal", "--xfam", "avx")
    for option in (("--policy", "30000"), ("--id-block", none), ("--page-order", "single")):
        attempt("an option of other guests: " + option[0], 64, "only", *option)


def reads(folder):
    """For people: with and without a plan and the explanation."""
    args = ["tdx", "--firmware", write(folder, "fw", image()), "--kernel",
            write(folder, "k", fake_images.bzimage())]
    plain, told = run(*args), run(*args, "--explain")
    mrtd = [line.split()[1] for line in plain.stdout.splitlines() if line.startswith("mrtd ")]
    steps = [line.split() for line in told.stdout.splitlines() if " 0x" in line]
    steps = [line for line in steps if line[0].isdigit()]
    ok(plain.returncode == 0 and len(mrtd) == 1 and len(steps) == 3 + 112 + 3 and
       steps[-1][3] == mrtd[0] and steps[-1][4:] == ["reset", "page", "0"],
       "explains every page down to MRTD", told.stdout[-800:] + plain.stderr)
    ok("118 pages are added before the launch, 6 of them measured" in plain.stdout and
       plain.stdout.splitlines()[-1].startswith("rtmr 1 "), "counts the pages", plain.stdout)


def main():
    golden()
    for part in (agree, differ, refuses, reads):
        with tempfile.TemporaryDirectory() as folder:
            part(folder)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""pavise-measure as a program: its values against tests/pcr_ref.py, its plan against
docs/PROTOCOL.plan, its refusals. Prints TAP."""
import json
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import fake_images  # noqa: E402
import pcr_ref  # noqa: E402

BIN = os.path.join(os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build")), "bin")
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


def agree(folder):
    """Several machines and inputs: PCRs, hash page and plan agree with the second computation."""
    for n, (seed, initrd, cmdline, max_cpus, memory, cpus, slots) in enumerate((
            (1, True, "console=ttyS0", 64, "512M", 1, 2),
            (1, False, "", 64, "138M", 1, 0),
            (2, True, "a" * 2047, 256, "3G", 256, 16),
            (3, True, "x y", 4, "5G", 3, 1))):
        fw, kernel = fake_images.firmware(seed), fake_images.bzimage(seed)
        rd = fake_images.initrd(seed) if initrd else b""
        args = ["plain", "--firmware", write(folder, "fw", fw), "--kernel",
                write(folder, "k", kernel), "--append", cmdline, "--max-cpus", str(max_cpus),
                "--memory", memory, "--cpus", str(cpus), "--pci-slots", str(slots), "--json",
                "--log", os.path.join(folder, "log"), "--plan", os.path.join(folder, "plan")]
        if initrd:
            args += ["--initrd", write(folder, "rd", rd)]
        r = run(*args)
        if r.returncode != 0:
            ok(False, "configuration %d" % n, r.stderr)
            continue
        got = json.loads(r.stdout)
        size = int(memory[:-1]) << (20 if memory[-1] == "M" else 30)
        log = read(os.path.join(folder, "log"))
        want = pcr_ref.pcrs(pcr_ref.events(fw, kernel, rd, cmdline.encode(), max_cpus, size, cpus,
                                           slots, pcr_ref.acpi_digests(log)))
        ok(got["pcrs"] == want, "configuration %d: PCR values agree" % n,
           json.dumps({"have": got["pcrs"], "need": want}, indent=1))
        check_plan(n, read(os.path.join(folder, "plan")), fw, kernel, rd, cmdline.encode(),
                   max_cpus, got)
        first = read(os.path.join(folder, "plan"))
        again = run(*args)
        ok(again.stdout == r.stdout and read(os.path.join(folder, "plan")) == first,
           "configuration %d: the same again" % n)


def check_plan(n, plan, fw, kernel, rd, cmdline, max_cpus, got):
    magic, tee, regions, size, ram, cpus, zero, rip, rsp, cr3 = struct.unpack_from(
        "<8sIIQQIIQQQ", plan, 0)
    entry, table, stack = struct.unpack_from("<III", fw, 20)
    header = (magic, tee, size, ram, cpus, zero, rip, rsp, cr3)
    ok(header == (b"PVPLAN01", 1, len(plan), pcr_ref.min_ram(kernel, rd, cmdline), max_cpus, 0,
                  0x100000 + entry, 0x110000 + stack, 0x100000 + table) and
       got["plan"]["min_ram"] == ram, "configuration %d: plan header" % n, header)
    want = {1: (0x100000, fw), 3: (0x181000, None), 4: (128 << 20, kernel),
            2: (0x180000, pcr_ref.hash_page(kernel, rd, cmdline, max_cpus, True))}
    at = pcr_ref.align((128 << 20) + len(kernel), 2 << 20)
    if rd:
        want[5] = (at, rd)
        at = pcr_ref.align(at + len(rd), 2 << 20)
    want[6] = (at, cmdline + b"\0")
    have = {}
    for i in range(regions):
        gpa, offset, length, kind, _ = struct.unpack_from("<QQQII", plan, 128 + 32 * i)
        have[kind] = (gpa, None if kind == 3 else plan[offset:offset + length])
    ok(have == want, "configuration %d: plan regions" % n,
       {k: (hex(v[0]), want.get(k) == v) for k, v in have.items()})


def refuses(folder):
    good = {"--firmware": write(folder, "fw", fake_images.firmware()),
            "--kernel": write(folder, "k", fake_images.bzimage()),
            "--initrd": write(folder, "rd", b"initrd"), "--plan": os.path.join(folder, "none")}

    def attempt(name, status, part, *extra, **replace):
        changed = {**good, **{"--" + k: v for k, v in replace.items()}}
        args = [a for k, v in changed.items() if v is not None for a in (k, v)]
        r = run("plain", *args, *extra)
        lines = r.stderr.splitlines()
        ok(r.returncode == status and len(lines) == 1 and part in lines[0] and r.stdout == "" and
           not os.path.exists(good["--plan"]), "refuses " + name,
           "status %d: %s%s" % (r.returncode, r.stdout, r.stderr))

    fw, kernel = fake_images.firmware(), fake_images.bzimage()
    bad = lambda data: write(folder, "bad", data)  # noqa: E731
    attempt("a missing firmware", 5, "firmware", firmware=os.path.join(folder, "absent"))
    attempt("an empty firmware", 3, "empty", firmware=bad(b""))
    attempt("a cut firmware", 3, "truncated", firmware=bad(fw[:4096]))
    attempt("a firmware of another machine", 3, "variant",
            firmware=bad(fake_images.firmware(variant=2)))
    attempt("garbage as firmware", 3, "magic", firmware=bad(b"x" * 8192))
    attempt("a missing kernel", 5, "kernel", kernel=os.path.join(folder, "absent"))
    attempt("an empty kernel", 3, "empty", kernel=bad(b""))
    attempt("garbage as kernel", 3, "no bzImage", kernel=bad(os.urandom(4096)))
    attempt("a cut kernel", 3, "truncated", kernel=bad(kernel[:len(kernel) // 2]))
    attempt("a kernel of an old protocol", 3, "protocol",
            kernel=bad(kernel[:0x206] + b"\x0b\x02" + kernel[0x208:]))
    attempt("a kernel without 64-bit entry", 3, "64-bit",
            kernel=bad(kernel[:0x236] + b"\0\0" + kernel[0x238:]))
    attempt("a kernel that wants too much room", 3, "128 MiB",
            kernel=bad(fake_images.bzimage(init_size=200 << 20)))
    attempt("a folder as kernel", 3, "regular", kernel=folder)
    attempt("an empty initrd", 3, "empty", initrd=bad(b""))
    attempt("a missing initrd", 5, "initrd", initrd=os.path.join(folder, "absent"))
    attempt("a plan in no folder", 5, "plan", plan=os.path.join(folder, "no", "plan"))
    attempt("no firmware", 64, "needed", firmware=None)
    attempt("no plan", 64, "needed", plan=None)
    attempt("a long command line", 64, "2047", "--append", "a" * 2048)
    attempt("an unknown option", 64, "option", "--kernle", "x")
    attempt("an odd memory size", 64, "2 MiB", "--memory", "513M")
    attempt("a memory size that is none", 64, "size", "--memory", "lots")
    attempt("a size beyond all bounds", 64, "large", "--memory", "99999999999999999999G")
    attempt("too little memory", 64, "needs", "--memory", "64M")
    attempt("no processors", 64, "cpus", "--cpus", "0")
    attempt("more processors than the plan", 64, "allows", "--cpus", "5", "--max-cpus", "4")
    attempt("too many slots", 64, "slots", "--pci-slots", "17")
    attempt("an extra word", 64, "unexpected", "snp")
    r = run("--help")
    ok(r.returncode == 0 and "usage:" in r.stdout and r.stderr == "", "has --help", r.stderr)
    r = run("tdx")
    ok(r.returncode == 64, "refuses an unknown machine", r.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        agree(folder)
    with tempfile.TemporaryDirectory() as folder:
        refuses(folder)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

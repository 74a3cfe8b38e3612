#!/usr/bin/env python3
"""`pavise measure snp` as a program: its digest against tests/measure_ref.py, its plan against
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
import measure_ref  # noqa: E402
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


# name, seed of the files, processors, memory, initrd, command line, policy, changes of the image;
# each row differs from the first in one thing, and the last column says whether that is measured.
CONFIGURATIONS = (
    ("1 cpu", 1, 1, "512M", True, "console=ttyS0", "30000", {}, True),
    ("2 cpus", 1, 2, "512M", True, "console=ttyS0", "30000", {}, True),
    ("4 cpus", 1, 4, "512M", True, "console=ttyS0", "30000", {}, True),
    ("8 cpus", 1, 8, "512M", True, "console=ttyS0", "30000", {}, True),
    ("256 cpus", 1, 256, "512M", True, "console=ttyS0", "30000", {}, True),
    ("less memory", 1, 1, "256M", True, "console=ttyS0", "30000", {}, False),
    ("memory above 4 GiB", 1, 1, "5G", True, "console=ttyS0", "30000", {}, False),
    ("no initrd", 1, 1, "512M", False, "console=ttyS0", "30000", {}, True),
    ("no command line", 1, 1, "512M", True, "", "30000", {}, True),
    ("the longest command line", 1, 1, "512M", True, "a" * 2047, "30000", {}, True),
    ("one character more", 1, 1, "512M", True, "console=ttyS0 ", "30000", {}, True),
    ("no SMT", 1, 1, "512M", True, "console=ttyS0", "0x20000", {}, False),
    ("debugging allowed", 1, 1, "512M", True, "console=ttyS0", "B0000", {}, False),
    ("other files", 2, 1, "512M", True, "console=ttyS0", "30000", {}, True),
    ("another entry", 1, 1, "512M", True, "console=ttyS0", "30000", {"entry": 1028}, True),
    ("another size", 1, 1, "512M", True, "console=ttyS0", "30000", {"size": 65536}, True),
)


def arguments(folder, row):
    _, seed, cpus, memory, initrd, cmdline, policy, image, _ = row
    args = ["snp", "--firmware", write(folder, "fw", fake_images.firmware_snp(seed, **image)),
            "--kernel", write(folder, "k", fake_images.bzimage(seed)), "--append", cmdline,
            "--cpus", str(cpus), "--memory", memory, "--policy", policy,
            "--plan", os.path.join(folder, "plan"), "--id-block", os.path.join(folder, "id"),
            "--json", "--explain"]
    if initrd:
        args += ["--initrd", write(folder, "rd", fake_images.initrd(seed))]
    return args


def agree(folder):
    seen = {}
    for row in CONFIGURATIONS:
        name = row[0]
        args = arguments(folder, row)
        r = run(*args)
        if r.returncode != 0:
            ok(False, name, r.stderr)
            continue
        got, plan = json.loads(r.stdout), read(os.path.join(folder, "plan"))
        pages = measure_ref.pages_of(plan)
        want = measure_ref.digest_of(pages).hex()
        ok(got["measurement"] == want, name + ": both computations agree",
           "have %s\nneed %s" % (got["measurement"], want))
        check_plan(row, plan, got)
        check_steps(name, got["steps"], pages)
        block = bytes.fromhex(want) + bytes(32) + struct.pack("<IIQ", 1, 1, int(row[6], 16))
        ok(read(os.path.join(folder, "id")) == block, name + ": ID block")
        again = run(*args)
        ok(again.stdout == r.stdout and read(os.path.join(folder, "plan")) == plan,
           name + ": the same again")
        first = seen.setdefault("first", want)
        if row[8]:
            ok(want not in seen, name + ": a digest of its own", want)
        else:
            ok(want == first, name + ": is not measured", want)
        seen[want] = name


def check_plan(row, plan, got):
    name, seed, cpus, _, initrd, cmdline, policy, image, _ = row
    fw, kernel = fake_images.firmware_snp(seed, **image), fake_images.bzimage(seed)
    rd = fake_images.initrd(seed) if initrd else b""
    cmdline = cmdline.encode()
    entry, table, stack = struct.unpack_from("<III", fw, 20)
    ap_entry, = struct.unpack_from("<I", fw, 48)
    header = struct.unpack_from("<8sIIQQIIQQQQQIIQ32s", plan, 0)
    want = (b"PVPLAN01", 2, 9 if rd else 8, len(plan), pcr_ref.min_ram(kernel, rd, cmdline), cpus,
            cpus, 0x100000 + entry, 0x110000 + stack, (0x100000 + table) | 1 << 51,
            int(policy, 16), 1, 51, 0, 0x100000 + ap_entry, bytes(32))
    ok(header == want, name + ": plan header", "have %s\nneed %s" % (header, want))
    page = bytearray(pcr_ref.hash_page(kernel, rd, cmdline, cpus, True))
    struct.pack_into("<I", page, 256 + 12, 2)  # variant of the record
    at = pcr_ref.align((128 << 20) + len(kernel), 2 << 20)
    regions = [(1, 0x100000, len(fw), fw), (9, 0x110000, 448 << 10, None),
               (2, 0x180000, 4096, bytes(page)), (7, 0x182000, 4096, None),
               (8, 0x183000, 4096, None), (3, 0x181000, 4096, None),
               (4, 128 << 20, len(kernel), kernel)]
    if rd:
        regions.append((5, at, len(rd), rd))
        at = pcr_ref.align(at + len(rd), 2 << 20)
    regions.append((6, at, len(cmdline) + 1, cmdline + b"\0"))
    have = []
    for i in range(header[2]):
        gpa, offset, length, kind, _ = struct.unpack_from("<QQQII", plan, 128 + 32 * i)
        have.append((kind, gpa, length, plan[offset:offset + length] if offset else None))
    ok(have == regions, name + ": plan regions",
       "\n".join("%u %x %x" % r[:3] for r in have))
    ok(got["plan"]["size"] == len(plan) and got["snp"]["cpus"] == cpus and
       got["tee"] == "sev-snp" and int(got["snp"]["policy"], 16) == int(policy, 16),
       name + ": what it says of the plan", got["snp"])


TYPES = {1: "NORMAL", 2: "VMSA", 3: "ZERO", 5: "SECRETS", 6: "CPUID"}


def check_steps(name, steps, pages):
    digest, good = bytes(48), len(steps) == len(pages)
    for have, (kind, gpa, page) in zip(steps, pages):
        digest = measure_ref.extend(digest, kind, gpa, page)
        good = good and (have["type"], int(have["gpa"], 16), have["digest"]) == (
            TYPES[kind], gpa, digest.hex())
    ok(good, name + ": every step explained")


# Offsets in the VMSA of every field that the plan's start state sets.
REGISTERS = (0x000, 0x002, 0x010, 0x012, 0x072, 0x092, 0x0D0, 0x148, 0x150, 0x158, 0x160, 0x168,
             0x170, 0x178, 0x1D8, 0x268, 0x3B0, 0x3E8, 0x408, 0x410)


def differ(folder):
    """The digest is of every page, its place, its type, the order and every register."""
    r = run(*arguments(folder, CONFIGURATIONS[1]))
    plan = read(os.path.join(folder, "plan"))
    want, pages = json.loads(r.stdout)["measurement"], measure_ref.pages_of(plan)

    def unlike(changed, name):
        ok(measure_ref.digest_of(changed).hex() != want, "another digest: " + name)

    good = True
    for i, (kind, gpa, page) in enumerate(pages):
        changed = list(pages)
        changed[i] = (kind, gpa + 4096, page)
        good = good and measure_ref.digest_of(changed).hex() != want
        if page is not None:
            changed[i] = (kind, gpa, bytes([page[0] ^ 1]) + page[1:])
            good = good and measure_ref.digest_of(changed).hex() != want
    ok(good, "another digest: any page changed or moved")
    unlike(pages[1:2] + pages[:1] + pages[2:], "two pages swapped")
    unlike(pages[:-2] + pages[:-3:-1], "first and second processor swapped")
    unlike(pages[:-1], "a processor less")
    unlike(pages[:-1] + pages[-2:-1], "the second processor starts like the first")
    unlike(pages[:4] + pages[5:], "a page left out")
    unlike(pages[:4] + pages[3:], "a page added twice")
    cpuid = [i for i, p in enumerate(pages) if p[0] == 6][0]
    unlike(pages[:cpuid] + [(5, pages[cpuid][1], None)] + pages[cpuid + 1:], "a type changed")
    for offset in REGISTERS:
        kind, gpa, page = pages[-2]
        page = page[:offset] + bytes([page[offset] ^ 0x80]) + page[offset + 1:]
        unlike(pages[:-2] + [(kind, gpa, page), pages[-1]], "VMSA field 0x%03x" % offset)


# Golden digests of the SEV-SNP firmware ABI's definition, by an independent calculator.
GOLDEN = (
    ((3, 0, None),
     "70c0ecaab9608f14ebf8ac6f0f07bcd8728f4e2ab30382b539b4de4de904ca9f"
     "8ebdf4b2cd3cd84dd996bd55dd794676"),
    ((1, 0x1000, bytes(range(256)) * 16),
     "2cf84d09c742e20481335ec3eb21d25649eedf73d7661175ce1a0349b41a57f9"
     "b883ba4cec1def201baa18d3842de7f2"),
)


def golden():
    digest = bytes(48)
    for n, (page, want) in enumerate(GOLDEN):
        digest = measure_ref.extend(digest, *page)
        ok(digest.hex() == want, "reference: golden digest %s" % "AB"[n], digest.hex())


def image(**changes):
    return fake_images.firmware_snp(**changes)


def with_word(data, offset, value):
    return data[:offset] + struct.pack("<I", value) + data[offset + 4:]


# What is wrong with the image, its bytes, a part of the message.
BAD_IMAGES = (
    ("a plain image", fake_images.firmware(), "variant"),
    ("an entry of further processors in the header", image(ap_entry=63), "further"),
    ("an entry of further processors behind the end", image(ap_entry=12288), "further"),
    ("no sites", image(sites=()), "sites"),
    ("a table in the header", with_word(image(), 52, 60), "sites"),
    ("a table behind the end", with_word(image(), 52, 12288 - 36), "sites"),
    ("a table that wraps", with_word(image(), 56, 0x20000000), "sites"),
    ("a table at an odd place", with_word(image(), 52, 3074), "sites"),
    ("a site across pages", image(sites=((4093, 1),)), "straddles"),
    ("a site behind the end", with_word(image(sites=((2048, 1),)), 3072, 12285), "outside"),
    ("a site at 4 GiB - 1", with_word(image(sites=((2048, 1),)), 3072, 0xFFFFFFFF), "outside"),
    ("a site in the header", with_word(image(sites=((2048, 1),)), 3072, 60), "outside"),
    ("a site in the table", with_word(image(sites=((2048, 1),)), 3072, 3076), "outside"),
    ("two sites out of order", image(sites=((2056, 1), (2048, 1))), "order"),
    ("a site twice", image(sites=((2048, 1), (2048, 1))), "order"),
    ("two last sites", image(sites=((2048, 4), (2056, 4))), "last"),
    ("a site of no kind", with_word(image(), 3076, 5), "kind"),
    ("a site of another kind", with_word(image(), 3076, 2), "kind"),
    ("a last site that is a PVALIDATE", with_word(image(), 3076, 4), "kind"),
    ("reserved bytes", with_word(image(), 60, 1), "reserved"),
)


def refuses(folder):
    none = os.path.join(folder, "none")
    good = {"--firmware": write(folder, "fw", image()), "--kernel":
            write(folder, "k", fake_images.bzimage()), "--plan": none}

    def attempt(name, status, part, *extra, **replace):
        changed = {**good, **{"--" + k: v for k, v in replace.items()}}
        args = [a for k, v in changed.items() if v is not None for a in (k, v)]
        r = run("snp", *args, *extra)
        lines = r.stderr.splitlines()
        ok(r.returncode == status and len(lines) == 1 and part in lines[0] and r.stdout == "" and
           not os.path.exists(none), "refuses " + name,
           "status %d: %s%s" % (r.returncode, r.stdout, r.stderr))

    for name, data, part in BAD_IMAGES:
        attempt(name, 3, part, firmware=write(folder, "bad", data))
    attempt("no firmware", 64, "needed", firmware=None)
    attempt("no kernel", 64, "needed", kernel=None)
    attempt("no processors", 64, "cpus", "--cpus", "0")
    attempt("too many processors", 64, "cpus", "--cpus", "257")
    attempt("too little memory", 64, "needs", "--memory", "64M")
    attempt("an odd memory size", 64, "2 MiB", "--memory", "513M")
    attempt("a policy without bit 17", 64, "bit 17", "--policy", "10000")
    attempt("a policy with reserved bits", 64, "bits 26", "--policy", "4030000")
    attempt("a policy that is none", 64, "hexadecimal", "--policy", "-1")
    attempt("an empty policy", 64, "hexadecimal", "--policy", "0x")
    attempt("a policy of 17 digits", 64, "hexadecimal", "--policy", "1" * 17)
    attempt("more processors than the plan serves", 64, "max-cpus", "--cpus", "5", "--max-cpus", "4")
    attempt("a plan for no processors", 64, "max-cpus", "--max-cpus", "0")
    for option, value in (("--pci-slots", "1"), ("--log", none), ("--xfam", "e7")):
        attempt("an option of plain machines: " + option, 64, "tdx", option, value)
    r = run("plain", "--firmware", good["--firmware"], "--kernel", good["--kernel"], "--plan", none)
    ok(r.returncode == 3 and "variant" in r.stderr, "refuses an SEV-SNP image as plain", r.stderr)
    for option in (("--policy", "30000"), ("--explain",), ("--id-block", none)):
        r = run("plain", "--firmware", "x", "--kernel", "x", "--plan", none, *option)
        ok(r.returncode == 64 and "snp" in r.stderr, "plain refuses " + option[0], r.stderr)


def sizes(folder):
    """One plan for 1 to 64 processors: the same file whatever the number, a digest for each."""
    args = ["snp", "--firmware", write(folder, "fw", image()), "--kernel",
            write(folder, "k", fake_images.bzimage()), "--max-cpus", "64", "--json", "--plan",
            os.path.join(folder, "plan")]
    plans, digests, wrong = set(), set(), []
    for cpus in range(1, 65):
        r = run(*args, "--cpus", str(cpus))
        j, plan = json.loads(r.stdout or "{}"), read(os.path.join(folder, "plan"))
        plans.add(plan)
        digests.add(j.get("measurement"))
        if (j.get("measurement") != measure_ref.measure(plan, cpus).hex() or
                j["snp"]["cpus"] != cpus or j["snp"]["any_cpus"] is not True or
                j["pages"] != {"added": 118, "vmsas": cpus}):
            wrong.append((cpus, r.stdout, r.stderr))
    ok(not wrong, "both computations agree for 1 to 64 processors", wrong[:1])
    ok(len(plans) == 1 and len(digests) == 64, "one plan, 64 digests", (len(plans), len(digests)))
    cpus, = struct.unpack_from("<I", plans.pop(), 36)
    ok(cpus == 0, "the plan leaves the number open", cpus)


def reads(folder):
    """For people: with and without a plan and the explanation."""
    args = ["snp", "--firmware", write(folder, "fw", image()), "--kernel",
            write(folder, "k", fake_images.bzimage())]
    plain, told = run(*args), run(*args, "--explain")
    last = plain.stdout.splitlines()[-1:]
    ok(plain.returncode == 0 and len(last) == 1 and last[0].startswith("measurement ") and
       len(last[0].split()[1]) == 96, "measures without a plan", plain.stderr)
    lines = [line.split() for line in told.stdout.splitlines() if " 0x" in line]
    lines = [line for line in lines if line[0].isdigit()]
    ok(told.stdout.splitlines()[-1:] == last and len(lines) == 3 + 112 + 1 + 2 + 1 and
       lines[-1][1] == "VMSA" and lines[-1][3] == last[0].split()[1],
       "explains every page down to the measurement", told.stdout[-500:])
    r = run(*args, "--no-vtpm", "--json")
    ok(r.returncode == 0 and json.loads(r.stdout)["plan"]["require_tpm"] is False,
       "allows a guest without vTPM", r.stderr)


def main():
    golden()
    for part in (agree, differ, refuses, sizes, reads):
        with tempfile.TemporaryDirectory() as folder:
            part(folder)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

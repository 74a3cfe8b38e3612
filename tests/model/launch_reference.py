#!/usr/bin/env python3
# budget: 400
"""Three computations of a launch digest, with no code in common, over a table of configurations: that of
`pavise measure snp`, that of tests/measure_ref.py (from the definitions alone), and that of the simulated
secure processor while pavise-vmm-sim executes the plan. They agree; and when one page, the order or one
register of the plan differs, the launched digest is another one, which the reference computes again.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests"))
import measure_ref  # noqa: E402

BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
MEASUREMENT = slice(0x90, 0xC0)  # of a report
count = failed = 0

# processors, MiB, initrd, command line, policy
CONFIGURATIONS = (
    (1, 192, 0, None, "30000"), (2, 192, 0, None, "30000"), (4, 192, 1, "quiet", "30000"),
    (8, 256, 5000, "quiet", "30000"), (1, 512, 3 << 20, "quiet", "B0000"),
    (2, 1024, 4097, "console=ttyS0 " * 18, "30137"),
)

# The plan's header and region table (docs/PROTOCOL.plan).
RIP, RSP, CR3, AP_RIP, REGIONS, REGION_SIZE = 40, 48, 56, 88, 128, 32


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def run(program, *args):
    return subprocess.run([os.path.join(BUILD, program)] + [str(a) for a in args], capture_output=True,
                          text=True, timeout=100)


class World:
    def __init__(self, folder):
        self.folder = folder
        if run("bin/pavise-psp-sim", "init", "--state", self.at("chip")).returncode != 0:
            raise RuntimeError("pavise-psp-sim init failed")

    def at(self, name):
        return os.path.join(self.folder, name)

    def measure(self, cpus, memory, initrd, append, policy, *more):
        """(digest, bytes of the plan); more: further options"""
        more = list(more)
        if initrd:
            with open(self.at("initrd"), "wb") as f:
                f.write(bytes((i * 7 + 1) & 0xFF for i in range(initrd)))
            more += ["--initrd", self.at("initrd")]
        if append is not None:
            more += ["--append", append]
        r = run("bin/pavise-measure", "snp", "--json", "--no-vtpm", "--firmware",
                os.path.join(BUILD, "firmware/pavise-fw-snp.bin"), "--kernel",
                os.path.join(BUILD, "tests/guests/fakekernel.bin"), "--cpus", cpus, "--memory",
                "%dM" % memory, "--policy", policy, "--plan", self.at("plan"), *more)
        if r.returncode != 0:
            raise RuntimeError(r.stderr)
        with open(self.at("plan"), "rb") as f:
            return json.loads(r.stdout)["measurement"], f.read()

    def launch(self, plan, cpus, memory):
        """(digest that the simulated processor reports or None, what was said)"""
        with open(self.at("plan"), "wb") as f:
            f.write(plan)
        r = run("tests/snp_report", self.at("chip"), self.at("plan"), cpus, memory, self.at("report"))
        if r.returncode != 0:
            return None, r
        with open(self.at("report"), "rb") as f:
            return f.read()[MEASUREMENT].hex(), r


def agree(w):
    for c in CONFIGURATIONS:
        cpus, memory, initrd, append, policy = c
        predicted, plan = w.measure(*c)
        reference = measure_ref.measure(plan).hex()
        launched, r = w.launch(plan, cpus, memory)
        ok(predicted == reference == launched,
           "cpus %u, %u MiB, initrd %u, command line %u, policy %s: measure, reference and launch agree"
           % (cpus, memory, initrd, len(append or ""), policy),
           "measure   %s\nreference %s\nlaunch    %s\n%s" % (predicted, reference, launched, r.stdout))


def any_number(w):
    """One plan for 1 to 64 processors: what is launched follows the number."""
    plans = set()
    for cpus in (1, 2, 3):
        predicted, plan = w.measure(cpus, 192, 5000, "quiet", "30000", "--max-cpus", 64)
        plans.add(plan)
        reference = measure_ref.measure(plan, cpus).hex()
        launched, r = w.launch(plan, cpus, 192)
        ok(predicted == reference == launched and len(plans) == 1,
           "%u of 1 to 64 processors: measure, reference and launch of one plan agree" % cpus,
           "measure   %s\nreference %s\nlaunch    %s\n%s" % (predicted, reference, launched, r.stdout))


def with_word(plan, offset, change):
    value, = struct.unpack_from("<Q", plan, offset)
    return plan[:offset] + struct.pack("<Q", change(value)) + plan[offset + 8:]


def region(plan, index):
    at = REGIONS + REGION_SIZE * index
    return plan[at:at + REGION_SIZE]


def index_of(plan, kind):
    for i in range(struct.unpack_from("<I", plan, 12)[0]):
        if struct.unpack_from("<QQQII", region(plan, i))[3] == kind:
            return i
    raise ValueError("no region of kind %u" % kind)


def exchanged(plan, kind1, kind2):
    """The same pages at the same places, two kinds of them launched in the other order."""
    first, second = region(plan, index_of(plan, kind1)), region(plan, index_of(plan, kind2))
    return plan.replace(first, b"X" * REGION_SIZE).replace(second, first).replace(
        b"X" * REGION_SIZE, second)


def flipped(plan, kind):
    """The last bit of such a region changed."""
    _, offset, size, _, _ = struct.unpack_from("<QQQII", region(plan, index_of(plan, kind)))
    offset += size - 1
    return plan[:offset] + bytes([plan[offset] ^ 1]) + plan[offset + 1:]


FIRMWARE, HASH_PAGE, CPUID, SECRETS, ZERO = 1, 2, 7, 8, 9


def differ(w):
    """Whether the guest gets far does not matter: the digest is of its launch."""
    cpus, memory = 2, 192
    _, plan = w.measure(cpus, memory, 5000, "quiet", "30000")
    first, r = w.launch(plan, cpus, memory)
    seen = {first}
    for name, changed in (
            ("one bit of the image's last page", flipped(plan, FIRMWARE)),
            ("one bit of the hash page", flipped(plan, HASH_PAGE)),
            ("CPUID page and secrets page in the other order", exchanged(plan, CPUID, SECRETS)),
            ("the hash page before the zeros", exchanged(plan, HASH_PAGE, ZERO)),
            ("the first processor's RSP", with_word(plan, RSP, lambda v: v - 16)),
            ("the first processor's RIP", with_word(plan, RIP, lambda v: v + 1)),
            ("every processor's CR3", with_word(plan, CR3, lambda v: v + 4096)),
            ("the second processor's RIP", with_word(plan, AP_RIP, lambda v: v + 1))):
        reference = measure_ref.measure(changed).hex()
        launched, r = w.launch(changed, cpus, memory)
        ok(changed != plan and launched not in seen and launched == reference,
           name + " differs: so does the launched digest, and the reference follows",
           "reference %s\nlaunch    %s\nseen %s\n%s" % (reference, launched, sorted(map(str, seen)),
                                                      r.stdout))
        seen.add(launched)


def main():
    with tempfile.TemporaryDirectory(prefix="pavise-") as folder:
        w = World(folder)
        _, r = w.launch(w.measure(*CONFIGURATIONS[0])[1], 1, 192)
        if r.returncode == 5:
            print("1..0 # SKIP " + ("this host's KVM cannot hold the C-bit"
                                    if "cannot hold address bit" in r.stdout else r.stdout.strip()))
            return 0
        agree(w)
        any_number(w)
        differ(w)
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())

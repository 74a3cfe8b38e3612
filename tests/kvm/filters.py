#!/usr/bin/env python3
# budget: 120
"""Every thread of every process of a running VM has its filters: real VMs, plain and on the platform
model (simulated SEV-SNP and TDX), started by `pavise run --isolation degraded`, looked at in /proc while
the guest halts. Prints TAP.
"""
import ctypes
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
# Programs that are set up and then narrowed have two; what serves as it was set up has one.
FILTERS = {"pavise-vmm": 2, "pavise-dev": 2, "pavise-quote": 1, "pavise-psp-sim": 1, "pavise-tdx-sim": 1}
CPUS = 2
TIMEOUT = 60  # seconds until a guest runs
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def need(program, *args):
    r = subprocess.run([os.path.join(BUILD, "bin", program), *map(str, args)], capture_output=True,
                       text=True, timeout=100, check=False)
    if r.returncode != 0:
        raise RuntimeError("%s: status %d: %s%s" % (program, r.returncode, r.stdout, r.stderr))


def halting_kernel(folder):
    """The fake kernel with another first instruction at its 64-bit entry (file offset 0x600, see
    tests/guests/fakekernel): hlt; jmp to it. No interrupt is enabled there."""
    with open(os.path.join(BUILD, "tests", "guests", "fakekernel.bin"), "rb") as f:
        kernel = bytearray(f.read())
    kernel[0x600:0x603] = b"\xf4\xeb\xfd"
    path = os.path.join(folder, "kernel")
    with open(path, "wb") as f:
        f.write(kernel)
    return path


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
        return [int(c) for c in f.read().split()]


def field(status, name):
    for line in status.splitlines():
        if line.startswith(name + ":"):
            return line.split(None, 1)[1]
    return ""


def threads(pid):
    """Of each thread: mode of seccomp, number of filters."""
    found = []
    for path in sorted(glob.glob("/proc/%d/task/[0-9]*/status" % pid)):
        with open(path, encoding="utf-8") as f:
            status = f.read()
        found.append((field(status, "Seccomp"), field(status, "Seccomp_filters"),
                      field(status, "NoNewPrivs")))
    return found


def name_of(pid):
    # The first argument: the jail has no path, and comm is cut at 15 characters.
    with open("/proc/%d/cmdline" % pid, "rb") as f:
        return os.path.basename(f.read().split(b"\0")[0]).decode()


def log_of(run_dir):
    for path in glob.glob(os.path.join(run_dir, "*", "vmm.log")):
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    return ""


def runs(launcher, run_dir):
    """Has the firmware handed over to the kernel that halts?"""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end and launcher.poll() is None:
        if "hands over" in log_of(run_dir):
            return True
        time.sleep(0.05)
    return False


# What degraded isolation lacks on some host: `pavise audit vm` may say so, and nothing more.
LACKS = {"vm.defences", "label.task", "policy.enforcing", "policy.permissive", "fd.labels", "limits.cgroup",
         "landlock.domain"}


def audit(run_dir, kind):
    """What `pavise audit vm` says of the running VM that is not for want of SELinux or cgroups."""
    r = subprocess.run([os.path.join(BUILD, "bin", "pavise-audit-live"), "vm", kind, "--run-dir", run_dir, "--json"],
                       capture_output=True, text=True, timeout=60, check=False)
    if not r.stdout:
        return r.stderr
    return [(q["id"], q["findings"]) for q in json.loads(r.stdout)["questions"] if q["open"] and q["id"] not in LACKS]


def look_at(folder, kind, extra):
    """Starts a VM, and says of each of its processes: program, threads; and what the audit of running VMs
    finds. Or why it does not run."""
    run_dir, disk = os.path.join(folder, "run-" + kind), os.path.join(folder, "disk-" + kind)
    for name in (disk, disk + "-ro"):
        with open(name, "wb") as f:
            f.truncate(1 << 20)
    launcher = subprocess.Popen(
        [os.path.join(BUILD, "bin", "pavise-run"), kind, "--plan", os.path.join(folder, kind + ".plan"),
         "--memory", "192M", "--cpus", str(CPUS), "--isolation", "degraded", "--no-vtpm", "--run-dir",
         run_dir, "--disk", disk, "--disk", disk + "-ro,readonly", *extra],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        if not runs(launcher, run_dir):
            launcher.terminate()
            return None, launcher.communicate()[1], None
        pavise_launch = children(launcher.pid)[0]
        return [(name_of(pid), threads(pid)) for pid in children(pavise_launch)], "", audit(run_dir, kind)
    finally:
        launcher.terminate()
        launcher.communicate()


def check(folder, kind, extra, programs):
    seen, said, findings = look_at(folder, kind, extra)
    if seen is None and "cannot hold address bit" in said:
        print("ok %d - %s # SKIP this host's KVM cannot hold the C-bit" % (count + 1, kind))
        return 1
    ok(seen is not None and sorted(n for n, _ in seen) == sorted(programs),
       "%s: %s" % (kind, " ".join(programs)), said or seen)
    for program, found in seen or []:
        # Of a VMM one more where KVM keeps a worker of its own in the process (Linux 6.14).
        good = len(found) in ((1 + CPUS, 2 + CPUS) if program == "pavise-vmm" else (1,))
        wanted = ("2", str(FILTERS.get(program)), "1")
        ok(good and all(t == wanted for t in found),
           "%s: %s: %s on every thread" % (kind, program, "two filters" if wanted[1] == "2" else "one filter"),
           found)
    ok(findings == [], "%s: the audit of running VMs finds it as its manifest says" % kind, findings)
    return 0


def unusable():
    if os.geteuid() != 0:
        return "not root: pavise-launch is root's"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "no usable /dev/kvm"
    # landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)
    if ctypes.CDLL(None).syscall(444, None, 0, 1) < 1:
        return "needs Landlock"
    return None


def main():
    reason = unusable()
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    skipped = 0
    with tempfile.TemporaryDirectory(prefix="pavise-") as folder:
        kernel = halting_kernel(folder)
        for kind in ("plain", "snp", "tdx"):
            need("pavise-measure", kind, "--firmware", os.path.join(
                BUILD, "firmware", "pavise-fw-%s.bin" % kind), "--kernel", kernel, "--memory", "192M",
                 "--vcpus", CPUS, "--no-vtpm", "--plan", os.path.join(folder, kind + ".plan"))
        for kind, simulator in (("snp", "psp"), ("tdx", "tdx")):
            need("pavise-%s-sim" % simulator, "init", "--state", os.path.join(folder, "state-" + kind))
        devices = ["pavise-dev"] * 3  # two disks, vsock
        check(folder, "plain", [], ["pavise-vmm"] + devices)
        for kind, others in (("snp", ["pavise-psp-sim"]), ("tdx", ["pavise-tdx-sim", "pavise-quote"])):
            skipped += check(folder, kind, ["--tee", kind, "--platform", "sim", "--sim-state",
                                            os.path.join(folder, "state-" + kind)],
                             ["pavise-vmm"] + devices + others)
    print("1..%d" % (count + skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

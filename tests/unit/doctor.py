#!/usr/bin/env python3
"""pavise-doctor as a program, on the machine of this test: both outputs say the same, keep their
form, and fit the exit status. Which things are there is the machine's business. Prints TAP.
# budget: 60
"""
import json
import os
import re
import subprocess

from json_schema import conforms

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
SCHEMA = json.load(open(os.path.join(ROOT, "docs", "doctor.schema.json"), encoding="utf-8"))
KINDS = ["plain", "snp", "tdx", "sim"]
LINE = re.compile(r"  (found|missing|unknown) +([a-z0-9-]+)( \(advised\))?: (.*)")
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


def doctor(*args, user=None):
    return subprocess.run([os.path.join(BUILD, "bin", "pavise-doctor"), *args], user=user,
                          capture_output=True, text=True, timeout=30,
                          extra_groups=None if user is None else [])


def agree(name, args, judged, shown, user=None):
    """Runs both forms and compares them with each other and with the exit status."""
    text, js = doctor(*args, user=user), doctor(*args, "--json", user=user)
    try:
        j = json.loads(js.stdout)
    except ValueError:
        ok(False, name, js.stdout + js.stderr)
        return None
    fault = conforms(j, SCHEMA)
    if fault is None and (j["judged"] != judged or sorted(j["ready"]) != sorted(shown)):
        fault = "judged or shown: other kinds than asked for"
    for kind in shown if fault is None else []:
        rows = [r for r in j["rows"] if kind in r["kinds"] and r["required"]]
        if j["ready"][kind] != all(r["state"] == "found" for r in rows) or not rows:
            fault = "ready.%s is not what its rows say" % kind
        if not re.search("^%s: %s" % (kind, "ready" if j["ready"][kind] else "not ready: "),
                         text.stdout, re.M):
            fault = "no verdict on %s in the text" % kind
    if fault is None and (j["good"] != all(j["ready"][k] for k in judged)
                          or not text.returncode == js.returncode == (0 if j["good"] else 1)):
        fault = "exit status %d, good %s" % (text.returncode, j["good"])
    lines = [m.groups() for m in map(LINE.fullmatch, text.stdout.splitlines()) if m]
    rows = [(r["state"], r["id"], None if r["required"] else " (advised)") for r in j["rows"]]
    if fault is None and [line[:3] for line in lines] != rows:
        fault = "text and JSON differ"
    for line, row in zip(lines, j["rows"]):
        if fault is None and line[0] != "found" and row["fix"] not in line[3]:
            fault = row["id"] + ": the line names no fix"
    ok(fault is None, name, "%s\n%s%s" % (fault, text.stdout, text.stderr))
    return j


everything = agree("without a kind all are shown and plain decides", [], ["plain"], KINDS)
for k in KINDS:
    agree(k + " alone", [k], [k], [k])
agree("two kinds", ["sim", "plain"], ["plain", "sim"], ["plain", "sim"])
degraded = agree("degraded isolation", ["--isolation", "degraded"], ["plain"], KINDS)

states = {r["id"]: r for r in everything["rows"]}
relaxed = {r["id"]: r for r in degraded["rows"]}
have = os.path.exists("/sys/fs/selinux/enforce")
ok(have or (states["selinux"]["state"] == "missing" and states["selinux"]["required"] and
            "--isolation degraded" in states["selinux"]["fix"] and not everything["good"]),
   "no SELinux: missing, and how to do without", states["selinux"])
ok({i for i in states if states[i]["required"] != relaxed[i]["required"]} ==
   {"cgroup-v2", "selinux", "selinux-mcs", "lsm-self-attr", "selinux-policy", "selinux-walls", "selinux-labels",
    "sim-policy", "sim-labels"}, "degraded isolation makes these rows advice, and no others")
ok((states["kvm-device"]["state"] == "found") == os.access("/dev/kvm", os.R_OK | os.W_OK),
   "/dev/kvm is found where it opens", states["kvm-device"])

try:
    doctor("--help", user=65534)
    closed = ""
except PermissionError:
    closed = "not root" if os.geteuid() != 0 else "other users may not enter the build folder"
if closed:
    skip("without root the same form", closed)
    skip("what only root can see is unknown", closed)
else:
    other = agree("without root the same form", ["plain"], ["plain"], ["plain"], user=65534)
    row = next(r for r in other["rows"] if r["id"] == "kvm-device")
    shut = os.path.exists("/dev/kvm") and not os.stat("/dev/kvm").st_mode & 0o006
    ok(row["state"] == "unknown" or not shut, "what only root can see is unknown", row)



def needed_caps(path):
    """What a file of the sources lists as { KVM_CAP_NAME, "NAME" }."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as source:
        return set(re.findall(r'\{ KVM_CAP_(\w+), "\1" \}', source.read()))


ok(needed_caps("vmm/vm.c") == needed_caps("cli/doctor/probe_kvm.c") != set(),
   "the doctor asks KVM for what the VMM will ask for")

for bad in (["bogus"], ["--isolation", "none"], ["--nonsense"], ["plain", "snp", ""]):
    r = doctor(*bad)
    ok(r.returncode == 64 and not r.stdout and r.stderr, "usage: " + " ".join(bad), r.stderr)
r = doctor("--help")
ok(r.returncode == 0 and r.stdout.startswith("usage: pavise doctor"), "--help")
broken = json.loads(json.dumps(everything))
broken["rows"][0]["state"] = "perhaps"
ok(conforms(broken, SCHEMA) == "$.rows[0].state", "the schema test can fail")
print("1..%d" % count)
raise SystemExit(failed > 0)

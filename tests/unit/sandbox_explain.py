#!/usr/bin/env python3
"""pavise sandbox explain prints every row of every table, and no other. Prints TAP."""
import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build")), "bin",
                       "pavise-sandbox")
TABLES = os.path.join(ROOT, "sandbox", "seccomp")
count = 0


def ok(good, name):
    global count
    count += 1
    print("%s %d - %s" % ("ok" if good else "not ok", count, name))


def run(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, check=False)


def rows(table):
    with open(os.path.join(TABLES, table), encoding="utf-8") as f:
        return [tuple(line.split(None, 2)) for line in f.read().splitlines()
                if line and line[0] != "#"]


tables = sorted(n[:-len(".table")] for n in os.listdir(TABLES) if n.endswith(".table"))
shown = json.loads(run("explain", "--json").stdout)
ok(sorted(r["role"] for r in shown["roles"]) == tables, "every table is a role")
for role in shown["roles"]:
    have = [(r["call"], r["condition"], r["reason"]) for r in role["rows"]]
    ok(have == rows(role["role"] + ".table") and have, role["role"] + ": its rows, in their order")
    text = run("explain", role["role"])
    ok(text.returncode == 0 and all(reason in text.stdout for _, _, reason in have) and
       text.stdout.splitlines()[-1] == "  any other call: the process is killed",
       role["role"] + ": as text")
stacked = {r["role"]: r["first"] for r in shown["roles"] if "first" in r}
ok(stacked == {"vmm-main": "vmm-setup", "vmm-vcpu": "vmm-setup", "vmm-confidential-vcpu": "vmm-setup",
               "vmm-sim-vcpu": "vmm-sim-setup", "dev-blk": "dev-setup", "dev-vsock": "dev-setup"},
   "the filter of set-up is below those of VMM and devices")
for role, first in sorted(stacked.items()):
    text = run("explain", role).stdout
    at = [text.find(reason) for table in (first, role) for _, _, reason in rows(table + ".table")]
    ok(-1 not in at and text.find(first + ":") < text.find("On top of that") < text.find(role + ":"),
       role + ": both filters, in the order of their installation")
    both = json.loads(run("explain", role, "--json").stdout)
    ok(sorted(r["role"] for r in both["roles"]) == sorted((role, first)), role + ": both, as JSON")
listed = run("explain")
ok([line.split()[0] for line in listed.stdout.splitlines()] ==
   [r["role"] for r in shown["roles"]], "without a role: all of them")
for args, words in ((["explain", "nobody"], "nobody: no such role"), ([], "say what to do"),
                    (["explain", "dev-blk", "psp-sim"], "one role at a time"),
                    (["explain", "--all"], "unknown option")):
    r = run(*args)
    ok(r.returncode == 64 and words in r.stderr and r.stdout == "", "refused: " + words)
print("1..%d" % count)

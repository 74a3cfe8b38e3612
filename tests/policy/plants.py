#!/usr/bin/env python3
"""plants.py make MODULE.cil... >PLANTS: for each assertion of the modules and each permission that it
forbids, an allow rule that violates it, a line each. More rules may be added below.
plants.py check LOG PLANTS MODULE.cil...: whether the compiler's log of a build with them (secilc -v -v,
each module a file NAME/cil) has under each assertion the rules planted for it, and every rule of the
file under some assertion. Prints what is missing; status 1 when something is."""
import collections
import os
import re
import sys

import cil

NEVER = ("neverallow", "neverallowx")


def assertions(paths):
    """(module, form) of each, macros expanded."""
    forms = {p: cil.read(p) for p in paths}
    macros = {}
    for top in forms.values():
        macros.update(cil.macros_of(top))
    for path, top in forms.items():
        for form in cil.rules(top, macros):
            if form[0] in NEVER:
                yield os.path.basename(path).removesuffix(".cil"), form


def plants_for(form):
    """The rules that violate it."""
    source, target = form[1], form[2]
    if form[0] == "neverallowx":
        kind = form[3][1]
        yield f"(allowx {source} {target} (ioctl {kind} (0x8933)))"
        return
    kind, permissions = form[3]
    if permissions[0] in ("all", "not"):
        yield f"(allow {source} {target} ({kind} {cil.text(permissions)}))"
        return
    for permission in permissions:
        yield f"(allow {source} {target} ({kind} ({permission})))"


def key(module, form):
    kind = form[3][1] if form[0] == "neverallowx" else form[3][0]
    return (module, form.line, form[1], form[2], kind)


FAILED = re.compile(r"neverallowx? check failed at .*/([^/]+)/cil:(\d+)$")
RULE = re.compile(r"\s+\((neverallow|neverallowx) (\S+) (\S+) \((ioctl )?(\S+) ")
CULPRIT = re.compile(r"\s+allowx? at .*/plants/cil:(\d+)$")


def caught(log):
    """For each assertion that failed, the lines of PLANTS that it names."""
    found = collections.defaultdict(set)
    place = now = None
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            if m := FAILED.search(line):
                place, now = (m[1], int(m[2])), None
            elif place and (m := RULE.match(line)):
                now, place = (*place, m[2], m[3], m[5]), None
            elif now and (m := CULPRIT.match(line)):
                found[now].add(int(m[1]))
    return found


def make(paths):
    for module, form in assertions(paths):
        for rule in plants_for(form):
            print(rule)


def check(log, plants, paths):
    with open(plants, encoding="utf-8") as file:
        lines = collections.defaultdict(list)
        for number, line in enumerate(file, 1):
            lines[line.strip()].append(number)
    found = caught(log)
    bad = total = 0
    for module, form in assertions(paths):
        for rule in plants_for(form):
            total += 1
            if not any(n in found[key(module, form)] for n in lines[rule]):
                bad += 1
                print(f"# {module}.cil:{form.line}: {cil.text(form)[:160]}\n#   lets through: {rule}")
    named = set().union(*found.values()) if found else set()
    for rule, numbers in lines.items():
        if rule.startswith("(") and not named.intersection(numbers):
            bad += 1
            print(f"# no assertion refuses {rule}")
    print(f"# {total} rules planted for {len(set(key(m, f) for m, f in assertions(paths)))} assertions")
    if total < 100:
        bad += 1
        print("# too few to be all")
    return bad


def main():
    if sys.argv[1] == "make":
        make(sys.argv[2:])
        return 0
    return check(sys.argv[2], sys.argv[3], sys.argv[4:]) != 0


if __name__ == "__main__":
    sys.exit(main())

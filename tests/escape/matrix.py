#!/usr/bin/env python3
"""matrix.py RESULTS SECURITY OUT

Judges the escape suite: RESULTS holds RUN.log of each run of tests/escape/lab/run.sh, with lines
`escape ROLE CLASS ID done|stopped|unsealed WHY`. Prints TAP, the matrix and a last line; writes matrix.txt and
matrix.json to OUT. SECURITY.md's table of what one layer alone stops has to say what the runs say."""
import json
import os
import re
import sys

LAYERS = ["label", "seccomp", "landlock", "namespaces", "ids", "capabilities", "descriptors", "limits"]
RUNS = ["control", "on"] + LAYERS
ROLES = ["vmm", "vcpu", "blk", "vsock", "quote", "vtpm", "launcher", "root"]
LEAST = 60
LINE = re.compile(r"^escape (\w+) ([\w-]+) ([\w-]+) (done|stopped|unsealed) ?(.*)$")
BEGIN, END = "<!-- one layer: begin -->", "<!-- one layer: end -->"


def read_run(path):
    """{(id, role): (state, why)}, {id: class} of a run; empty when it did not take place."""
    results, classes, victim = {}, {}, None
    if not os.path.exists(path):
        return results, classes, victim
    with open(path, errors="replace") as file:
        for line in file:
            found = LINE.match(line.rstrip("\n"))
            if found:
                role, group, name, state, why = found.groups()
                results[name, role] = (state, why)
                classes[name] = group
            words = line.split()
            if words[:2] == ["escape", "victim"]:
                victim = len(words) == 4 and words[2] == words[3]
    return results, classes, victim


def read_documented(path):
    """{attempt: layer} of the table between the two marks."""
    with open(path) as file:
        text = file.read()
    if BEGIN not in text or END not in text:
        return {}
    table = {}
    for row in text.split(BEGIN)[1].split(END)[0].splitlines():
        cells = [c.strip() for c in row.strip("|").split("|")]
        if len(cells) == 3 and cells[0] in LAYERS:
            for name in re.findall(r"`([\w-]+)`", cells[1]):
                table[name] = cells[0] if name not in table else table[name] + "+" + cells[0]
    return table


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, name, problems):
        self.count += 1
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for problem in problems[:60]:
            print(f"# {problem}")
        self.failed += bool(problems)


def through(runs, run, name):
    return sorted((role for (other, role), (state, _) in runs[run].items() if other == name and state == "done"),
                  key=ROLES.index)


def matrix_lines(runs, classes, names):
    width = max(len(name) for name in names) + 2
    yield " " * width + "".join(f"{run[:9]:<10}" for run in RUNS)
    group = None
    for name in names:
        if classes[name] != group:
            group = classes[name]
            yield f"[{group}]"
        cells = ("X" if through(runs, run, name) else "." if runs[run] else "?" for run in RUNS)
        roles = sorted({role for run in LAYERS for role in through(runs, run, name)}, key=ROLES.index)
        yield f"{name:<{width}}" + "".join(f"{cell:<10}" for cell in cells) + " ".join(roles)


def main():
    results, security, out = sys.argv[1:]
    tap = Tap()
    runs, classes, victims = {}, {}, {}
    for run in RUNS:
        runs[run], found, victims[run] = read_run(os.path.join(results, run + ".log"))
        classes.update(found)
    names = list(classes)
    everything = set().union(*runs.values())
    if not everything:
        print("Bail out! no results")
        return 1
    tap.check("every role tried everything in every run",
              [f"{run}: {role} {name}: not tried" for run in RUNS for name, role in sorted(everything - set(runs[run]))])
    tap.check("every process was sealed as far as the run says",
              [f"{run}: {role} {name}: {why}" for run in RUNS for (name, role), (state, why) in runs[run].items()
               if state == "unsealed"])
    tap.check("control: with no layer every attempt is done",
              [f"{role} {name}: {state} {why}" for (name, role), (state, why) in runs["control"].items()
               if state != "done"])
    tap.check("with all layers none is",
              [f"{role} {name}" for (name, role), (state, _) in runs["on"].items() if state == "done"])
    tap.check("the other VM lives on where the layers hold",
              [] if victims["on"] else ["its VMM is gone"])
    tap.check(f"at least {LEAST} attempts", [] if len(names) >= LEAST else [f"{len(names)}"])

    alone = {name: "+".join(layer for layer in LAYERS if through(runs, layer, name)) for name in names
             if any(through(runs, layer, name) for layer in LAYERS) and not through(runs, "on", name)}
    documented = read_documented(security)
    tap.check("what one layer alone stops is what SECURITY.md says",
              [f"{name}: {alone.get(name, 'two or more')} here, {documented.get(name, 'not listed')} there"
               for name in names if alone.get(name) != documented.get(name)] +
              [f"{name}: listed, but no attempt" for name in documented if name not in classes])
    print(f"1..{tap.count}")

    lines = list(matrix_lines(runs, classes, names))
    for line in lines:
        print("# " + line)
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "matrix.txt"), "w") as file:
        file.write("\n".join(lines) + "\n")
    with open(os.path.join(out, "matrix.json"), "w") as file:
        json.dump([{"attempt": name, "class": classes[name], "layer": alone.get(name),
                    "roles": sorted({role for other, role in everything if other == name}, key=ROLES.index),
                    "through": {run: through(runs, run, name) for run in RUNS}} for name in names], file, indent=1)
        file.write("\n")
    open_ways = sum(bool(through(runs, "on", name)) for name in names)
    print(f"escape: {len(names)} attempts, {len(names) - len(alone) - open_ways} stopped by two or more layers, "
          f"{len(alone)} by one, {open_ways} through")
    return 1 if tap.failed or open_ways else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Does matrix.py see what the escape suite is for? Made-up results of 60 attempts by two roles, right ones first, then
each with one thing wrong."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import matrix  # noqa: E402

NAMES = [f"try-{n}" for n in range(60)]
ALONE = ("try-7", "label")


def results(folder, change=None, victim=True, leave_out=None):
    """change: {(run, role, name): state} that is otherwise than it should be."""
    for run in matrix.RUNS:
        if run == leave_out:
            continue
        lines = []
        for role in ("vmm", "vtpm"):
            for name in NAMES:
                done = run == "control" or (name, run) == ALONE
                state = (change or {}).get((run, role, name), "done" if done else "stopped")
                if state:
                    lines.append(f"escape {role} files {name} {state} {'' if done else 'Operation not permitted'}")
            lines.append("escape end")
        lines.append(f"escape victim 12 {12 if victim else ''}")
        with open(os.path.join(folder, run + ".log"), "w") as file:
            file.write("\n".join(lines) + "\n")


def judge(documented="| label | `try-7` | a reason |", **made):
    with tempfile.TemporaryDirectory() as folder:
        security = os.path.join(folder, "SECURITY.md")
        with open(security, "w") as file:
            file.write(f"{matrix.BEGIN}\n| layer | attempts | why |\n|---|---|---|\n{documented}\n{matrix.END}\n")
        results(folder, **made)
        run = subprocess.run([os.path.join(HERE, "matrix.py"), folder, security, os.path.join(folder, "out")],
                             capture_output=True, text=True, check=False)
        return run.returncode, run.stdout, run.stdout.strip().splitlines()[-1]


def main():
    count = failed = 0

    def check(name, good, shown=""):
        nonlocal count, failed
        count += 1
        failed += not good
        print(f"{'ok' if good else 'not ok'} {count} - {name}")
        if not good:
            print("\n".join("# " + line for line in shown.splitlines()))

    status, text, last = judge()
    check("right results are", status == 0 and "not ok" not in text, text)
    check("and counted", last == "escape: 60 attempts, 59 stopped by two or more layers, 1 by one, 0 through", last)
    for name, made in {
            "one role got through with all layers": {"change": {("on", "vtpm", "try-3"): "done"}},
            "one attempt is not done without layers": {"change": {("control", "vmm", "try-3"): "stopped"}},
            "one attempt was not tried in one run": {"change": {("ids", "vmm", "try-3"): ""}},
            "one process was not sealed": {"change": {("ids", "vmm", "try-3"): "unsealed"}},
            "one run did not take place": {"leave_out": "limits"},
            "the other VM is gone": {"victim": False},
            "one more attempt that one layer alone stops": {"change": {("seccomp", "vmm", "try-4"): "done"}},
            "the list names another layer": {"documented": "| seccomp | `try-7` | a reason |"},
            "the list names one too many": {"documented": "| label | `try-7` `try-8` | a reason |"},
            "the list is empty": {"documented": ""},
    }.items():
        status, text, _ = judge(**made)
        check(f"refused: {name}", status == 1 and text.count("not ok") >= 1, text)
    _, _, last = judge(change={("on", "vtpm", "try-3"): "done"})
    check("what got through is counted", last.endswith("1 through"), last)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

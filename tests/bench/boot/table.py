#!/usr/bin/env python3
"""table.py DIR: what tests/bench/boot/run.sh left there, as medians and as ratios against microvm.

A ratio is the median of the ratios within the rounds: what slows this machine down for a minute slows
the boots of one round alike. In brackets the ratio of the least times: what else runs only adds, so this
one says more where least and most are far apart. Shares are of the machine's whole life, which ends
with the guest's power-off right after its first line.
"""
import pathlib
import re
import statistics
import sys

KINDS = {
    "microvm": "QEMU microvm, no vTPM",
    "plain-no-vtpm": "pavise plain, no vTPM",
    "plain": "pavise plain",
    "snp": "pavise SEV-SNP, simulated",
    "tdx": "pavise TDX, simulated",
}
PHASES = ("launcher", "load", "firmware", "kernel")
LINE = re.compile(r"timing: (VMM \w+|[\w-]+) +([0-9.]+) s +[0-9.]+ %")
PAGES = re.compile(r"timing: pages encrypted by the launch: ([0-9]+)")


def read_times(folder):
    times = {}
    for line in (folder / "times").read_text().splitlines():
        number, kind, us = line.split()
        times.setdefault(kind, {})[number] = int(us) / 1e6
    return times


def shares(text):
    """Of one boot: launcher, launch (the VMM makes the machine, loads and measures), firmware, kernel."""
    seconds = {phase: float(s) for phase, s in LINE.findall(text)}
    load, firmware = seconds["launch"], seconds["firmware"]
    kernel = seconds["guest"] - firmware
    parts = (seconds["all"] - load - firmware - kernel, load, firmware, kernel)
    return [100 * part / seconds["all"] for part in parts]


def median_shares(folder, kind, rounds):
    boots = [shares((folder / f"{kind}.{number}.txt").read_text()) for number in rounds]
    return [statistics.median(column) for column in zip(*boots)]


def pages(folder, kind):
    found = PAGES.search((folder / f"{kind}.1.txt").read_text())
    return int(found.group(1)) if found else 0


def ratio(times, kind):
    return statistics.median(times[kind][n] / times["microvm"][n] for n in times["microvm"])


def least_ratio(times, kind):
    return min(times[kind].values()) / min(times["microvm"].values())


def main():
    folder = pathlib.Path(sys.argv[1])
    times = read_times(folder)
    print(f"{'to init in the lab':27} {'median':>8} {'least':>8} {'most':>8}  of microvm    "
          + " ".join(f"{phase:>9}" for phase in PHASES) + f" {'pages':>6}")
    for kind, name in KINDS.items():
        seconds = times[kind].values()
        row = f"{name:27} {statistics.median(seconds):6.2f} s {min(seconds):6.2f} s {max(seconds):6.2f} s"
        row += f" {ratio(times, kind):5.2f} ({least_ratio(times, kind):.2f})"
        if kind != "microvm":
            row += "   " + " ".join(f"{share:7.1f} %" for share in median_shares(folder, kind, times[kind]))
            row += f" {pages(folder, kind):6}"
        print(row)
    ratios = ", ".join(
        f"{kind} {ratio(times, kind):.2f} ({least_ratio(times, kind):.2f})" for kind in KINDS if kind != "microvm"
    )
    print(f"bench boot: of microvm's time: {ratios} (snp and tdx simulated; {len(times['microvm'])} rounds)")


main()

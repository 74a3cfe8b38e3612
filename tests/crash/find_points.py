#!/usr/bin/env python3
"""find_points.py: which calls of some object files lead out of them, and what is needed to stop there.

  find_points.py calls --left-out FILE [--by-hand NAME]... --calls OUT.S --wrap OUT.wrap OBJECT...
      OUT.S: a trampoline for each function that these objects call and none of them defines (their
      relocations say so); OUT.wrap: the linker's options that lead the calls there. NAME is wrapped,
      but the program brings its own __wrap_NAME.

  find_points.py points --left-out FILE --program PROGRAM --out OUT OBJECT...
      A line for each call in the linked PROGRAM that goes through a trampoline:
      OFFSET FUNCTION-CALLED FILE:LINE FUNCTION, where OFFSET is its return address in the program.
      As many as there are relocations in the objects, or this fails: no call is missed.
"""
import argparse
import collections
import fnmatch
import os
import re
import subprocess
import sys

# Relocations of calls, and of jumps that are calls (the psABI for x86-64, table 4.9).
CALL_RELOCATIONS = ("R_X86_64_PLT32",)


def run(*argv, text=None):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, input=text, encoding="utf-8").stdout


def read_left_out(path):
    with open(path) as file:
        lines = [line.split(None, 1) for line in file if line.strip() and not line.startswith("#")]
    for line in lines:
        if len(line) != 2:
            sys.exit(f"{path}: {line[0]}: left out without a reason")
    return [pattern for pattern, _ in lines]


def defined_in(objects):
    return {line.split()[-1] for line in run("nm", "--defined-only", *objects).splitlines() if " " in line}


def outside_calls(objects, left_out):
    """Function -> number of calls; only those that none of the objects defines."""
    defined = defined_in(objects)
    calls = collections.Counter()
    for line in run("readelf", "-rW", *objects).splitlines():
        fields = line.split()
        if len(fields) < 5 or fields[2] not in CALL_RELOCATIONS or fields[4] in defined:
            continue
        if fields[4].startswith("."):
            continue  # a function of the same object, by its section
        if not any(fnmatch.fnmatchcase(fields[4], pattern) for pattern in left_out):
            calls[fields[4]] += 1
    return calls


def write_calls(options):
    names = sorted(outside_calls(options.objects, read_left_out(options.left_out)))
    with open(options.calls, "w") as file:
        file.write('#include "tests/crash/trampoline.h"\n')
        file.writelines(f"POINT {name}\n" for name in names if name not in options.by_hand)
        file.write('\t.section .note.GNU-stack,"",@progbits\n')
    with open(options.wrap, "w") as file:
        file.writelines(f"--wrap={name}\n" for name in names)


def linked_calls(program, ours):
    """(return address, function) of each call of a trampoline by functions of ours (a compiler's library
    may be linked in, too). A jump to one would be a tail call, whose return address is another
    function's: the objects are compiled without."""
    found = []
    waiting = None
    inside = False
    for line in run("objdump", "-d", "--no-show-raw-insn", program).splitlines():
        parts = re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)", line)
        if not parts:
            symbol = re.match(r"([0-9a-f]+) <(.*)>:$", line)
            if symbol and waiting:  # a call that does not return, at the end of its function
                found.append((int(symbol.group(1), 16), waiting))
                waiting = None
            if symbol:
                inside = symbol.group(2) in ours
            continue
        if waiting:
            found.append((int(parts.group(1), 16), waiting))
            waiting = None
        target = re.search(r"<__wrap_(\w+)>$", parts.group(3))
        if target and inside and parts.group(2).startswith("j"):
            sys.exit(f"{program}: {line.strip()}: a tail call, whose place would not be known")
        if target and inside and parts.group(2) == "call":
            waiting = target.group(1)
    return found


def places(program, addresses):
    """FILE:LINE FUNCTION of each call: of inlined functions the innermost that is no C library's header."""
    text = "\n".join(hex(address - 1) for address in addresses)
    frames = []
    for line in run("addr2line", "-a", "-i", "-f", "-e", program, text=text).splitlines():
        if line.startswith("0x"):
            frames.append([])
        else:
            frames[-1].append(line)
    for lines in frames:
        pairs = list(zip(lines[1::2], lines[0::2]))
        where, function = next((pair for pair in pairs if not pair[0].startswith("/usr/")), pairs[-1])
        where = re.sub(r" \(discriminator.*", "", where)
        yield os.path.relpath(where) if where.startswith("/") else where, function


def write_points(options):
    calls = outside_calls(options.objects, read_left_out(options.left_out))
    found = linked_calls(options.program, defined_in(options.objects))
    linked = collections.Counter(name for _, name in found)
    for name in sorted(set(calls) | set(linked)):
        if calls[name] != linked[name]:
            sys.exit(f"{options.program}: {name}: {calls[name]} calls in the objects, {linked[name]} in the program")
    with open(options.out, "w") as file:
        for (address, name), (where, function) in zip(found, places(options.program, [a for a, _ in found])):
            file.write(f"{address:x} {name} {where} {function}\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("calls", "points"))
    parser.add_argument("--left-out", required=True)
    parser.add_argument("--by-hand", action="append", default=[])
    for name in ("--calls", "--wrap", "--program", "--out"):
        parser.add_argument(name)
    parser.add_argument("objects", nargs="+")
    options = parser.parse_args()
    (write_calls if options.what == "calls" else write_points)(options)


if __name__ == "__main__":
    main()

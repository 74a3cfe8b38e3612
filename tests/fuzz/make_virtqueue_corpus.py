#!/usr/bin/env python3
"""Writes the seeds of fuzz_virtqueue: rings that are right, and rings that are nearly right.

usage: make_virtqueue_corpus.py DIRECTORY
The input format is at the top of fuzz_virtqueue.c.
"""
import os
import struct
import sys

GPA = 0x10000
NEXT, WRITE, INDIRECT = 1, 2, 4
LOG2_SIZE = 2
SIZE = 1 << LOG2_SIZE
DESC, AVAIL, USED, DATA = 0, 16 * SIZE, 16 * SIZE + 16, 16 * SIZE + 64


def seed(descs, heads, idx=None, base=0, data=b"\x08" + bytes(31)):
    """One input: descs are (gpa, size, flags, next), heads the available entries."""
    ram = bytearray(DATA) + data
    for i, d in enumerate(descs):
        struct.pack_into("<QIHH", ram, DESC + 16 * i, *d)
    idx = base + len(heads) if idx is None else idx
    struct.pack_into("<HH", ram, AVAIL, 0, idx & 0xFFFF)
    for i, head in enumerate(heads):
        struct.pack_into("<H", ram, AVAIL + 4 + 2 * ((base + i) % SIZE), head)
    prefix = struct.pack("<BBHHHH", LOG2_SIZE, 0, base, DESC, AVAIL, USED)
    return prefix + bytes(ram)


SEEDS = {
    "request": seed([(GPA + DATA, 16, NEXT, 1), (GPA + 0x1000, 512, NEXT | WRITE, 2),
                     (GPA + 0x1200, 1, WRITE, 0)], [0]),
    "two-chains": seed([(GPA + DATA, 16, 0, 0), (GPA + DATA, 16, WRITE, 0)], [0, 1]),
    "full-ring": seed([(GPA + DATA + i, 1, NEXT, i + 1) for i in range(SIZE - 1)]
                      + [(GPA + DATA, 1, WRITE, 0)], [0, 1, 2, 3]),
    "wrapping-base": seed([(GPA + DATA, 16, 0, 0)], [0, 0], base=0xFFFF),
    "loop": seed([(GPA + DATA, 16, NEXT, 1), (GPA + DATA, 16, NEXT, 0)], [0]),
    "indirect": seed([(GPA + DATA, 16, INDIRECT, 0)], [0]),
    "outside": seed([(GPA + 0x4000, 16, WRITE, 0)], [0]),
    "index-jump": seed([(GPA + DATA, 16, 0, 0)], [0], idx=SIZE + 1),
    # The device's writes land in the available ring and the table.
    "overlap": seed([(GPA + DESC, 16 * SIZE + 16, WRITE, 0)], [0]),
}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, content in SEEDS.items():
        with open(os.path.join(sys.argv[1], name), "wb") as f:
            f.write(content)


if __name__ == "__main__":
    main()

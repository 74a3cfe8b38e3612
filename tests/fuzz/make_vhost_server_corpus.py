#!/usr/bin/env python3
"""Writes the seeds of fuzz_vhost_server: whole set-ups, as a front end sends them.

usage: make_vhost_server_corpus.py DIRECTORY
The input format is at the top of fuzz_vhost_server.c.
"""
import os
import struct
import sys

RAM = 65536
VERSION, NEED_REPLY = 1, 8
SEALED = 0x10


def message(request, payload=b"", fds=0, flags=NEED_REPLY, control=0):
    """One message as one piece of the input."""
    wire = struct.pack("<III", request, VERSION | flags, len(payload)) + payload
    return bytes([control | fds, len(wire)]) + wire


def u64(value):
    return struct.pack("<Q", value)


def state(index, num):
    return struct.pack("<II", index, num)


FEATURES = 1 << 32 | 1 << 30 | 1 << 9
SETUP = b"".join([
    message(1, flags=0), message(15, flags=0), message(16, u64(1 << 3 | 1 << 9), flags=0),
    message(3), message(24, struct.pack("<III", 0, 60, 0) + bytes(60), flags=0),
    message(5, struct.pack("<II4Q", 1, 0, 0, RAM, 0, 0), fds=1),
    message(12, u64(0), fds=1), message(13, u64(0), fds=1), message(14, u64(0), fds=1)])
START = b"".join([
    message(2, u64(FEATURES), control=SEALED), message(8, state(0, 16)), message(10, state(0, 0)),
    message(9, struct.pack("<II4Q", 0, 0, 0x1000, 0x3000, 0x2000, 0)), message(18, state(0, 1))])
STOP = message(11, state(0, 0), flags=0) + message(18, state(0, 0))

SEEDS = {
    "setup": SETUP,
    "run": SETUP + START + STOP + START,
    "two-regions": message(5, struct.pack("<II8Q", 2, 0, 0, 4096, 0, 0, 1 << 32, 8192, 1 << 20,
                                          4096), fds=2, flags=0),
    "queues": message(17, flags=0) + message(12, u64(2), fds=1, flags=0),
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

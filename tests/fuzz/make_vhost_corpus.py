#!/usr/bin/env python3
"""Writes the seeds of fuzz_vhost: the answers of good back ends to a device's whole life, in the
order fuzz_vhost.c asks. usage: make_vhost_corpus.py FOLDER"""
import pathlib
import struct
import sys

GET_FEATURES, SET_OWNER, SET_MEM_TABLE, GET_PROTOCOL, GET_CONFIG = 1, 3, 5, 15, 24
SET_FEATURES, NUM, ADDR, BASE, GET_BASE, KICK, ENABLE = 2, 8, 9, 10, 11, 12, 18
CONFIG_BIT, ACK_BIT = 1 << 9, 1 << 3


def answer(request, payload):
    return struct.pack("<III", request, 5, len(payload)) + payload


def u64(request, value):
    return answer(request, struct.pack("<Q", value))


def life(acknowledged):
    told = (lambda request: u64(request, 0)) if acknowledged else (lambda request: b"")
    protocol = CONFIG_BIT | (ACK_BIT if acknowledged else 0)
    return b"".join([
        u64(GET_FEATURES, 1 << 32 | 1 << 30),
        u64(GET_PROTOCOL, protocol),
        told(SET_OWNER),
        answer(GET_CONFIG, struct.pack("<III", 0, 60, 0) + bytes(60)),
        told(SET_MEM_TABLE), told(KICK), told(SET_FEATURES),
        told(NUM), told(BASE), told(ADDR), told(ENABLE),
        answer(GET_BASE, struct.pack("<II", 0, 7)),
        told(ENABLE),
    ])


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
(folder / "acknowledged").write_bytes(life(True))
(folder / "unacknowledged").write_bytes(life(False))

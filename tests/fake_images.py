#!/usr/bin/env python3
"""Makes small stand-ins for the files that `pavise measure` reads: a firmware image whose header
keeps every rule of firmware/layout.h (its code would not run) and a bzImage whose setup header
keeps every rule of the boot protocol (Linux Documentation/arch/x86/boot.rst).

usage: fake_images.py FOLDER [SEED]      writes fw.bin, bzImage and initrd there
"""
import os
import random
import struct
import sys

VERSION = "pavise test firmware, plain, SVN 1".encode("utf-16-le") + b"\0\0"


def firmware(seed=1, size=8192, variant=1):
    body = bytearray(random.Random(seed).randbytes(size))
    version_offset, note_offset = 512, size - 64
    body[version_offset:version_offset + len(VERSION)] = VERSION
    header = struct.pack("<8s10I16x", b"PVFW0001", variant, 1, size, 1024, 4096, 0x70000,
                         version_offset, len(VERSION), note_offset, 64)
    body[:len(header)] = header
    return bytes(body)


# PVALIDATE, RMPADJUST, VMGEXIT, and an RMPADJUST that is the last one.
SITES = {1: b"\xf2\x0f\x01\xff", 2: b"\xf3\x0f\x01\xfe", 3: b"\xf3\x0f\x01\xd9",
         4: b"\xf3\x0f\x01\xfe"}
TDCALL = b"\x66\x0f\x01\xcc"


def firmware_snp(seed=1, size=12288, entry=1024, ap_entry=1040,
                 sites=((2048, 1), (2056, 2), (2064, 3), (4092, 3), (8192, 4)), table=3072):
    """An SEV-SNP image: as above, with a waiting loop and a table of instruction sites."""
    body = bytearray(firmware(seed, size, 2))
    struct.pack_into("<I", body, 24 - 4, entry)
    struct.pack_into("<III", body, 48, ap_entry, table, len(sites))
    for n, (offset, kind) in enumerate(sites):
        body[offset:offset + 4] = SITES[kind]
        struct.pack_into("<II", body, table + 8 * n, offset, kind)
    return bytes(body[:size])


def firmware_tdx(seed=1, size=12288, sites=((2048, 5), (2056, 5), (4092, 5), (8192, 6)), table=3072):
    """A TDX image: the same with TDCALLs, the last of them in the last page but not at its end."""
    body = bytearray(firmware(seed, size, 3))
    struct.pack_into("<III", body, 48, 1040, table, len(sites))
    for n, (offset, kind) in enumerate(sites):
        body[offset:offset + 4] = TDCALL
        struct.pack_into("<II", body, table + 8 * n, offset, kind)
    return bytes(body[:size])


def bzimage(seed=1, size=40960, init_size=4 << 20):
    k = bytearray(random.Random(seed + 1000).randbytes(size))
    setup_sects = 3
    setup = (setup_sects + 1) * 512
    k[0x1f1:0x264] = bytes(0x264 - 0x1f1)
    k[0x1f1] = setup_sects
    struct.pack_into("<I", k, 0x1f4, (size - setup) // 16)   # syssize
    struct.pack_into("<H", k, 0x1fe, 0xAA55)
    k[0x200:0x202] = b"\xeb\x6a"                              # header ends at 0x26c
    k[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", k, 0x206, 0x20F)
    k[0x211] = 1                                              # loaded high
    struct.pack_into("<I", k, 0x22c, 0x7fffffff)              # initrd_addr_max
    struct.pack_into("<I", k, 0x230, 0x200000)                # kernel_alignment
    k[0x234] = 1
    struct.pack_into("<H", k, 0x236, 0x7f)                    # xloadflags
    struct.pack_into("<I", k, 0x238, 2047)                    # cmdline_size
    struct.pack_into("<II", k, 0x248, 1024, size - setup - 2048)
    struct.pack_into("<Q", k, 0x258, 0x1000000)               # pref_address
    struct.pack_into("<I", k, 0x260, init_size)
    return bytes(k)


def initrd(seed=1, size=5000):
    return random.Random(seed + 2000).randbytes(size)


def write_all(folder, seed=1):
    for name, data in (("fw.bin", firmware(seed)), ("bzImage", bzimage(seed)),
                       ("initrd", initrd(seed))):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)


if __name__ == "__main__":
    write_all(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)

#!/usr/bin/env python3
"""PCR values of a plain machine, RTMR 0 and 1 of a trust domain, computed a second time: from docs/PROTOCOL.measure,
docs/PROTOCOL.plan and the structures of firmware/layout.h alone, with nothing but the standard
library. The ACPI tables are the firmware's business (its own tests take them apart): their two
digests come from the log that `pavise measure --log` wrote; all else is computed here.
"""
import hashlib
import struct

BANKS = {"sha256": (0x0B, 32), "sha384": (0x0C, 48)}
EV_NO_ACTION = 3
MIB = 1 << 20
STAGING, STAGING_ALIGN = 128 * MIB, 2 * MIB


def digests(data):
    return {bank: hashlib.new(bank, data).digest() for bank in BANKS}


def align(value, to):
    return (value + to - 1) // to * to


def boot_block(memory, cpus, slots, tpm=True):
    low = min(memory, 3 << 30)
    ram = [(0, 0xA0000), (MIB, low - MIB)]
    if memory > low:
        ram.append((4 << 30, memory - low))
    block = struct.pack("<8sIIIIII", b"PVBOOT01", 1344, int(tpm), len(ram), cpus, slots, 0)
    for i in range(16):
        block += struct.pack("<QQ", *(ram[i] if i < len(ram) else (0, 0)))
    for i in range(256):
        block += struct.pack("<I", i if i < cpus else 0)
    return block + bytes(32)


def min_ram(kernel, initrd, cmdline):
    """Staged files, then private copies of kernel and initrd, each 2 MiB aligned."""
    end = STAGING
    for size in (len(kernel), len(initrd), len(cmdline) + 1, len(kernel), len(initrd)):
        end = align(end + size, STAGING_ALIGN)
    return end


def hash_record(kernel, initrd, cmdline, max_cpus, require_tpm, variant=1):
    record = struct.pack("<8sIIQQQQII", b"PVHASH01", 256, variant, len(kernel), len(initrd),
                         len(cmdline) + 1, min_ram(kernel, initrd, cmdline), max_cpus,
                         int(require_tpm))
    for data in (kernel, initrd, cmdline + b"\0"):
        record += hashlib.sha384(data).digest()
    return record + bytes(56)


def guid(text):
    a, b, c, d, e = text.split("-")
    return (bytes.fromhex(a)[::-1] + bytes.fromhex(b)[::-1] + bytes.fromhex(c)[::-1] +
            bytes.fromhex(d) + bytes.fromhex(e))


def hash_page(kernel, initrd, cmdline, max_cpus, require_tpm, variant=1):
    table = guid("9438d606-4f22-4cc9-b479-a793d411fd21") + struct.pack("<H", 168)
    for name, data in (("97d02dd8-bd20-4c94-aa78-e7714d36ab2a", cmdline + b"\0"),
                       ("44baf731-3a2f-4bd7-9af1-41e29169781d", initrd),
                       ("4de79437-abd2-427f-b835-d5b172d2045b", kernel)):
        table += guid(name) + struct.pack("<H", 50) + hashlib.sha256(data).digest()
    page = table.ljust(256, b"\0") + hash_record(kernel, initrd, cmdline, max_cpus, require_tpm,
                                                 variant)
    return page.ljust(4096, b"\0")


def version_text(firmware):
    offset, size = struct.unpack_from("<II", firmware, 32)
    return firmware[offset:offset + size]


def parse_log(log):
    """The events behind the Spec ID event: (pcr, type, {bank: digest}, data)."""
    size = struct.unpack_from("<I", log, 28)[0]
    at, events = 32 + size, []
    names = {alg: (bank, n) for bank, (alg, n) in BANKS.items()}
    while at < len(log):
        pcr, kind, count = struct.unpack_from("<III", log, at)
        at += 12
        found = {}
        for _ in range(count):
            bank, n = names[struct.unpack_from("<H", log, at)[0]]
            found[bank] = log[at + 2:at + 2 + n]
            at += 2 + n
        n = struct.unpack_from("<I", log, at)[0]
        events.append((pcr, kind, found, log[at + 4:at + 4 + n]))
        at += 4 + n
    return events


def acpi_digests(log):
    found = [d for _, _, d, data in parse_log(log) if data == b"pavise-acpi"]
    if len(found) != 1:
        raise ValueError("%d pavise-acpi events in the log" % len(found))
    return found[0]


def events(firmware, kernel, initrd, cmdline, max_cpus, memory, cpus, slots, acpi):
    """(PCR, digests) of every extend, in order."""
    out = [(0, digests(firmware)), (0, digests(version_text(firmware))),
           (1, digests(boot_block(memory, cpus, slots))), (1, acpi),
           (1, digests(hash_record(kernel, initrd, cmdline, max_cpus, True)))]
    out += [(i, digests(bytes(4))) for i in range(8)]
    out.append((4, digests(kernel)))
    if initrd:
        out.append((4, digests(initrd)))
    out.append((5, digests(cmdline)))
    return out


def pcrs(extends):
    values = {bank: [bytes(n)] * 8 for bank, (_, n) in BANKS.items()}
    for bank, (_, n) in BANKS.items():
        values[bank][0] = bytes(n - 1) + b"\x04"
        for pcr, digest in extends:
            values[bank][pcr] = hashlib.new(bank, values[bank][pcr] + digest[bank]).digest()
    return {bank: {str(i): v.hex() for i, v in enumerate(values[bank])} for bank in BANKS}


def rtmr_events(firmware, kernel, initrd, cmdline, max_cpus, memory, cpus, slots, tpm, acpi):
    """(RTMR, SHA-384) of every extend of a trust domain's firmware, in order."""
    def sha384(data):
        return hashlib.sha384(data).digest()

    out = [(0, sha384(version_text(firmware))), (0, sha384(boot_block(memory, cpus, slots, tpm))),
           (0, acpi["sha384"]), (0, sha384(hash_record(kernel, initrd, cmdline, max_cpus, tpm, 3))),
           (0, sha384(bytes(4))), (1, sha384(bytes(4))), (1, sha384(kernel))]
    if initrd:
        out.append((1, sha384(initrd)))
    out.append((1, sha384(cmdline)))
    return out


def rtmrs(extends):
    values = [bytes(48)] * 2
    for rtmr, digest in extends:
        values[rtmr] = hashlib.sha384(values[rtmr] + digest).digest()
    return [v.hex() for v in values]

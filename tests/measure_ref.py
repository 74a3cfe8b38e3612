#!/usr/bin/env python3
"""The launch digest of an SEV-SNP plan and the MRTD of a TDX plan, computed a second time: from
docs/PROTOCOL.plan, the PAGE_INFO structure of the SEV-SNP firmware ABI and the TDX Module ABI, not
from the code that `pavise measure` uses.

usage: measure_ref.py PLAN [CPUS]   prints the digest; CPUS for a plan that serves any number
"""
import hashlib
import struct
import sys

PAGE = 4096
NORMAL, VMSA, ZERO, SECRETS, CPUID = 1, 2, 3, 5, 6
VMSA_GPA = 0xFFFFFFFFF000
# Region type of the plan: page type of the launch.
LAUNCHED = {1: NORMAL, 2: NORMAL, 7: CPUID, 8: SECRETS, 9: ZERO}


def extend(digest, kind, gpa, page=None):
    """The digest after one more page."""
    contents = hashlib.sha384(page).digest() if kind in (NORMAL, VMSA) else bytes(48)
    info = struct.pack("<48s48sHBBBBBBQ", digest, contents, 0x70, kind, 0, 0, 0, 0, 0, gpa)
    assert len(info) == 0x70
    return hashlib.sha384(info).digest()


def digest_of(pages):
    """pages: (type, gpa, bytes or None) in order."""
    digest = bytes(48)
    for kind, gpa, page in pages:
        digest = extend(digest, kind, gpa, page)
    return digest


def vmsa(rip, rsp, cr3, features):
    page = bytearray(PAGE)

    def segment(offset, selector, attributes, limit):
        struct.pack_into("<HHIQ", page, offset, selector, attributes, limit, 0)

    for offset in (0x000, 0x020, 0x030, 0x040, 0x050):
        segment(offset, 0x18, 0xC93, 0xFFFFFFFF)
    segment(0x010, 0x10, 0xA9B, 0xFFFFFFFF)
    segment(0x070, 0, 0x82, 0)
    segment(0x090, 0, 0x8B, 0x67)
    for offset, value in ((0x0D0, 0x1D00), (0x148, 0x60), (0x150, cr3), (0x158, 0x80000031),
                          (0x160, 0x400), (0x168, 0xFFFF0FF0), (0x170, 2), (0x178, rip),
                          (0x1D8, rsp), (0x268, 0x0007040600070406), (0x3B0, features),
                          (0x3E8, 1)):
        struct.pack_into("<Q", page, offset, value)
    struct.pack_into("<I", page, 0x408, 0x1F80)
    struct.pack_into("<H", page, 0x410, 0x37F)
    return bytes(page)


def pages_of(plan, any_cpus=None):
    """Every page of an SEV-SNP launch: (type, gpa, bytes or None), in order."""
    (magic, tee, count, size, _, _, cpus, rip, rsp, cr3, _, features, _, _,
     ap_rip) = struct.unpack_from("<8sIIQQIIQQQQQIIQ", plan, 0)
    if magic != b"PVPLAN01" or tee != 2 or size != len(plan):
        raise ValueError("not a plan of an SEV-SNP guest")
    if cpus == 0:
        cpus = any_cpus
    pages = []
    for i in range(count):
        gpa, offset, length, kind, _ = struct.unpack_from("<QQQII", plan, 128 + 32 * i)
        if kind not in LAUNCHED:
            continue
        for at in range(0, length, PAGE):
            page = plan[offset + at:offset + at + PAGE] if LAUNCHED[kind] == NORMAL else None
            pages.append((LAUNCHED[kind], gpa + at, page))
    for cpu in range(cpus):
        pages.append((VMSA, VMSA_GPA, vmsa(ap_rip if cpu else rip, rsp, cr3, features)))
    return pages


# Region type of the plan: has bytes, is extended.
TD_LAUNCHED = {1: (True, True), 2: (True, True), 9: (False, False), 10: (True, True),
               11: (False, True)}


def td_pages_of(plan):
    """Every page that is added to a trust domain: (gpa, bytes, extended), in order."""
    magic, tee, count, size = struct.unpack_from("<8sIIQ", plan, 0)
    if magic != b"PVPLAN01" or tee != 3 or size != len(plan):
        raise ValueError("not a plan of a trust domain")
    pages = []
    for i in range(count):
        gpa, offset, length, kind, _ = struct.unpack_from("<QQQII", plan, 128 + 32 * i)
        if kind not in TD_LAUNCHED:
            continue
        has_bytes, extended = TD_LAUNCHED[kind]
        for at in range(0, length, PAGE):
            page = plan[offset + at:offset + at + PAGE] if has_bytes else bytes(PAGE)
            pages.append((gpa + at, page, extended))
    return pages


def mrtd_blocks(gpa, page, extended):
    """What one page puts into MRTD: TDH.MEM.PAGE.ADD, then TDH.MR.EXTEND of its chunks."""
    out = struct.pack("<16sQ104x", b"MEM.PAGE.ADD", gpa)
    for at in range(0, PAGE if extended else 0, 256):
        out += struct.pack("<16sQ104x", b"MR.EXTEND", gpa + at) + page[at:at + 256]
    return out


def mrtd_of(pages):
    digest = hashlib.sha384()
    for page in pages:
        digest.update(mrtd_blocks(*page))
    return digest.digest()


def measure(plan, any_cpus=None):
    tee, = struct.unpack_from("<I", plan, 8)
    return mrtd_of(td_pages_of(plan)) if tee == 3 else digest_of(pages_of(plan, any_cpus))


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as f:
        print(measure(f.read(), int(sys.argv[2]) if len(sys.argv) > 2 else None).hex())

"""Small stand-ins for OVMF and TDVF images: tables and metadata as EDK2 lays them out, the rest
noise. Also what they measure, computed from the documents: the SEV-SNP firmware ABI, QEMU's order
of a launch, the TDX module's PAGE.ADD and MR.EXTEND."""
import hashlib
import random
import struct
import uuid

import measure_ref

PAGE = 4096
RESET, HASHES, SEV, TDX, FOOTER = (uuid.UUID(text).bytes_le for text in (
    "00f771de-1a7e-4fcb-890e-68c77e2fb44e", "7255371f-3a3b-4b04-927b-1da6efa8d454",
    "dc886566-984a-4798-a75e-5585a7bf67cc", "e47a6535-984a-4798-865e-4685a7bf8ec2",
    "96b582de-1fb2-45f7-baea-a366c55a082d"))
TABLE, CMDLINE, INITRD, KERNEL = (uuid.UUID(text).bytes_le for text in (
    "9438d606-4f22-4cc9-b479-a793d411fd21", "97d02dd8-bd20-4c94-aa78-e7714d36ab2a",
    "44baf731-3a2f-4bd7-9af1-41e29169781d", "4de79437-abd2-427f-b835-d5b172d2045b"))

SEC_MEM, SECRETS, CPUID, SVSM_CAA, HASHES_SECTION = 1, 2, 3, 4, 16
SECTIONS = ((0x800000, 0x3000, SEC_MEM), (0x80D000, 0x1000, SECRETS), (0x80E000, 0x1000, CPUID),
            (0x80F000, 0x1000, SVSM_CAA), (0x810000, 0x2000, HASHES_SECTION),
            (0x820000, 0x1000, SEC_MEM))
AP_EIP, AREA = 0x00809A5F, (0x810FC0, 0x400)


def guided(entries):
    """The table with its footer: (GUID, data) from the one nearest to the footer on."""
    body = b"".join(data + struct.pack("<H", len(data) + 18) + guid
                    for guid, data in reversed(entries))
    return body + struct.pack("<H", len(body) + 18) + FOOTER


def noise(seed, size):
    return bytearray(random.Random(seed).randbytes(size))


def sev_metadata(sections, version=1, magic=b"ASEV", length=None, count=None):
    body = b"".join(struct.pack("<III", *s) for s in sections)
    return struct.pack("<4sIII", magic, 16 + len(body) if length is None else length, version,
                       len(sections) if count is None else count) + body


def ovmf(seed=1, size=3 * PAGE, sections=SECTIONS, ap=AP_EIP, area=AREA, entries=None, at=1024,
         **metadata):
    image = noise(seed, size)
    if entries is None:
        entries = [(RESET, struct.pack("<I", ap)), (SEV, struct.pack("<I", at))]
        entries += [(HASHES, struct.pack("<II", *area))] if area else []
    data = sev_metadata(sections, **metadata)
    image[size - at:size - at + len(data)] = data
    table = guided(entries)
    image[size - 32 - len(table):size - 32] = table
    return bytes(image)


def kernel_hashes(kernel, initrd, cmdline):
    def entry(guid, data):
        return guid + struct.pack("<H", 50) + hashlib.sha256(data).digest()
    return (TABLE + struct.pack("<H", 168) + entry(CMDLINE, cmdline.encode() + b"\0") +
            entry(INITRD, initrd) + entry(KERNEL, kernel) + bytes(8))


def vmsa(eip, signature, features, fpu=True):
    page = bytearray(PAGE)

    def segment(offset, attributes, limit=0xFFFF, selector=0, base=0):
        struct.pack_into("<HHIQ", page, offset, selector, attributes, limit, base)
    for offset in (0x00, 0x20, 0x30, 0x40, 0x50):
        segment(offset, 0x93)
    segment(0x10, 0x9B, selector=0xF000, base=eip & 0xFFFF0000)
    segment(0x60, 0)
    segment(0x70, 0x82)
    segment(0x80, 0)
    segment(0x90, 0x8B)
    for offset, value in ((0xD0, 0x1000), (0x148, 0x40), (0x158, 0x10), (0x160, 0x400),
                          (0x168, 0xFFFF0FF0), (0x170, 2), (0x178, eip & 0xFFFF),
                          (0x268, 0x0007040600070406), (0x310, signature), (0x3B0, features),
                          (0x3E8, 1)):
        struct.pack_into("<Q", page, offset, value)
    if fpu:
        struct.pack_into("<I", page, 0x408, 0x1F80)
        struct.pack_into("<H", page, 0x410, 0x37F)
    return bytes(page)


def ovmf_pages(image, sections=SECTIONS, cpus=1, signature=0, features=1, hashes=None, ap=AP_EIP,
               area=AREA, fpu=True):
    """Every page that QEMU adds: (type, gpa, bytes or None), in order."""
    base = (1 << 32) - len(image)
    for at in range(0, len(image), PAGE):
        yield measure_ref.NORMAL, base + at, image[at:at + PAGE]
    for gpa, size, kind in sections:
        if kind == HASHES_SECTION and hashes:
            content = bytes(area[0] % PAGE) + hashes
            content += bytes(size - len(content))
        for at in range(0, size, PAGE):
            if kind == HASHES_SECTION and hashes:
                yield measure_ref.NORMAL, gpa + at, content[at:at + PAGE]
            else:
                yield ({SECRETS: measure_ref.SECRETS, CPUID: measure_ref.CPUID}
                       .get(kind, measure_ref.ZERO), gpa + at, None)
    for cpu in range(cpus):
        yield (measure_ref.VMSA, measure_ref.VMSA_GPA,
               vmsa(ap if cpu else 0xFFFFFFF0, signature, features, fpu))


BFV, CFV, TD_HOB, TEMP, PERM, PAYLOAD, PARAM, INFO = range(8)
# Offset in the file, bytes there, address, bytes in memory, type, attributes.
TD_SECTIONS = ((0, 0x1800, 0xFFFFD000, 0x2000, BFV, 1), (0x1800, 0x800, 0xFFFFC000, 0x1000, CFV, 0),
               (0, 0, 0x810000, 0x2000, TEMP, 0), (0, 0, 0x809000, 0x1000, TD_HOB, 0),
               (0, 0, 0x900000, 0x4000, PERM, 2), (0, 0, 0x820000, 0x1000, TEMP, 1),
               (0x2000, 0x100, 0x1000000, 0x1000, PAYLOAD, 1), (0, 0, 0, 0, INFO, 0))


def tdvf(seed=1, size=3 * PAGE, sections=TD_SECTIONS, at=1024, legacy=False, version=1,
         magic=b"TDVF", length=None, count=None, entry=None):
    image = noise(seed, size)
    body = b"".join(struct.pack("<IIQQII", *s) for s in sections)
    head = struct.pack("<4sIII", magic, 16 + len(body) if length is None else length, version,
                       len(sections) if count is None else count)
    image[size - at:size - at + 16 + len(body)] = head + body
    if legacy:
        struct.pack_into("<I", image, size - 32, size - at)
    else:
        table = guided([(RESET, bytes(4)), (TDX, struct.pack("<I", at) if entry is None else entry)])
        image[size - 32 - len(table):size - 32] = table
    return bytes(image)


def mrtd(image, sections=TD_SECTIONS, two_pass=False):
    h = hashlib.sha384()

    def add(gpa):
        h.update(struct.pack("<16sQ104x", b"MEM.PAGE.ADD", gpa))

    def extend(gpa, page):
        for at in range(0, PAGE, 256):
            h.update(struct.pack("<16sQ104x", b"MR.EXTEND", gpa + at) + page[at:at + 256])

    for offset, raw, gpa, size, kind, attributes in sections:
        if kind in (PERM, INFO) or attributes & 2:
            continue
        content = image[offset:offset + raw] + bytes(size - raw)
        pages = [(gpa + at, content[at:at + PAGE]) for at in range(0, size, PAGE)]
        measured = attributes & 1
        for where, page in pages:
            add(where)
            if measured and not two_pass:
                extend(where, page)
        if measured and two_pass:
            for where, page in pages:
                extend(where, page)
    return h.hexdigest()

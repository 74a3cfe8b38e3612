#!/usr/bin/env python3
"""Writes the seeds of fuzz_ovmf and fuzz_tdvf. usage: make_uefi_corpus.py CORPUS-FOLDER"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import fake_uefi as uefi  # noqa: E402

# Zeros in place of noise: small inputs are changed where it matters.
uefi.noise = lambda seed, size: bytearray(size)
root = pathlib.Path(sys.argv[1])
tail = ((0x800000, 0x1000, uefi.SEC_MEM), (0x801000, 0x1000, uefi.HASHES_SECTION))
for name, image in (
        ("ovmf/sections", uefi.ovmf(size=4096, at=400)[-420:]),
        ("ovmf/hashes", uefi.ovmf(size=4096, at=260, sections=tail, area=(0x801C00, 0x400))[-280:]),
        ("ovmf/no_area", uefi.ovmf(size=4096, at=260, sections=tail, area=None)[-280:]),
        ("tdvf/sections", uefi.tdvf(at=500)),
        ("tdvf/legacy", uefi.tdvf(at=500, legacy=True)),
        ("tdvf/small", uefi.tdvf(size=512, at=300, sections=(
            (0, 0x100, 0xFFFFF000, 0x1000, uefi.BFV, 1), (0, 0, 0x1000, 0x1000, uefi.TEMP, 1))))):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image)

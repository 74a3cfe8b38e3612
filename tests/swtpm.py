#!/usr/bin/env python3
"""A software TPM for tests, spoken to in raw TPM 2.0 commands: what a launcher, a firmware and
an agent do with it, without any of them. Big endian throughout (TPM 2.0 Part 3)."""
import os
import socket
import struct
import subprocess
import time

CTRL_INIT, CTRL_SHUTDOWN = 2, 3
CTRL_HASH_START, CTRL_HASH_DATA, CTRL_HASH_END = 6, 7, 8
RC_RETRY = 0x922  # "not started, send it again": a part of the protocol, not a fault
ALGS = {"sha256": 0x0B, "sha384": 0x0C}
# fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign
AK_ATTRIBUTES = 0x50072
AUTH = struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0)


def sized(data):
    return struct.pack(">H", len(data)) + data


def ecc_template():
    return struct.pack(">HHIHHHHHHHH", 0x23, 0x0B, AK_ATTRIBUTES, 0, 0x10, 0x18, 0x0B, 3, 0x10, 0,
                       0)


def rsa_template(scheme):
    return struct.pack(">HHIHHHHHIH", 1, 0x0B, AK_ATTRIBUTES, 0, 0x10, scheme, 0x0B, 2048, 0, 0)


TEMPLATES = {"ecdsa": ecc_template(), "rsassa": rsa_template(0x14), "rsapss": rsa_template(0x16)}


class Swtpm:
    """Starts swtpm in folder; measures image as an H-CRTM sequence, then Startup(CLEAR)."""

    def __init__(self, folder, image):
        data = self.path = os.path.join(folder, "tpm")
        ctrl = data + ".ctrl"
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + folder, "--ctrl",
             "type=unixio,path=" + ctrl, "--server", "type=unixio,path=" + data],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.control_socket = self.connect(ctrl)
        self.control(CTRL_INIT, struct.pack(">I", 0))
        self.control(CTRL_HASH_START)
        for i in range(0, len(image), 4096):
            part = image[i:i + 4096]
            self.control(CTRL_HASH_DATA, struct.pack(">I", len(part)) + part)
        self.control(CTRL_HASH_END)
        self.socket = self.connect(data)
        self.command(0x8001, 0x144, struct.pack(">H", 0))

    def connect(self, path):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(60)
        for _ in range(200):
            try:
                s.connect(path)
                return s
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError("swtpm does not answer at " + path)

    def control(self, code, payload=b""):
        self.control_socket.sendall(struct.pack(">I", code) + payload)
        result = struct.unpack(">I", self.control_socket.recv(4))[0]
        if result != 0:
            raise RuntimeError("swtpm control %d: error %#x" % (code, result))

    def receive(self, n):
        data = b""
        while len(data) < n:
            part = self.socket.recv(n - len(data))
            if not part:
                raise RuntimeError("swtpm closed")
            data += part
        return data

    def command(self, tag, code, payload):
        for _ in range(20):
            self.socket.sendall(struct.pack(">HII", tag, 10 + len(payload), code) + payload)
            _, size, result = struct.unpack(">HII", self.receive(10))
            body = self.receive(size - 10)
            if result != RC_RETRY:
                break
        if result != 0:
            raise RuntimeError("TPM command %#x: error %#x" % (code, result))
        return body

    def extend(self, pcr, digests):
        payload = struct.pack(">I", pcr) + AUTH + struct.pack(">I", len(digests))
        for bank, digest in digests.items():
            payload += struct.pack(">H", ALGS[bank]) + digest
        self.command(0x8002, 0x182, payload)

    def make_ak(self, kind):
        """(handle, TPMT_PUBLIC) of a fresh primary key in the endorsement hierarchy."""
        payload = struct.pack(">I", 0x4000000B) + AUTH + sized(struct.pack(">HH", 0, 0))
        payload += sized(TEMPLATES[kind]) + sized(b"") + struct.pack(">I", 0)
        body = self.command(0x8002, 0x131, payload)
        handle, _, n = struct.unpack_from(">IIH", body)
        return handle, body[10:10 + n]

    def quote(self, handle, extra, pcrs):
        """(TPMS_ATTEST, TPMT_SIGNATURE) over {bank: [PCR, …]}."""
        selection = struct.pack(">I", len(pcrs))
        for bank, numbers in pcrs.items():
            bits = sum(1 << n for n in numbers)
            selection += struct.pack(">HB", ALGS[bank], 3) + bits.to_bytes(3, "little")
        body = self.command(0x8002, 0x158, struct.pack(">I", handle) + AUTH + sized(extra) +
                            struct.pack(">H", 0x10) + selection)
        size, n = struct.unpack_from(">IH", body)
        return body[6:6 + n], body[6 + n:4 + size]

    def flush(self, handle):
        """Frees one of the few places for loaded keys."""
        self.command(0x8001, 0x165, struct.pack(">I", handle))

    def release(self):
        """Leaves the TPM to another program at self.path."""
        self.socket.close()
        self.control_socket.close()

    def close(self):
        try:
            self.control(CTRL_SHUTDOWN)
        except (OSError, RuntimeError):
            pass
        self.process.terminate()
        self.process.wait(10)

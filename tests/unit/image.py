#!/usr/bin/env python3
# budget: 240
"""pavise image as a program: images that are the same from the same files and are what
docs/PROTOCOL.image says (computed here once more, from the document), every hostile tar refused by
name, keys that are wrapped only for evidence that holds, kernels held against guest/kernel.config.
Prints TAP."""
import ctypes
import ctypes.util
import hashlib
import hmac
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import verify  # noqa: E402  (its world: evidence of a software TPM that is affirmed)

ROOT, BUILD, ok = verify.ROOT, verify.BUILD, verify.ok
BLOCK = 4096


def image(*args, env=None):
    return subprocess.run([os.path.join(BUILD, "bin", "pavise-image"), *args], capture_output=True,
                          text=True, timeout=120, env=env)


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


def refused(name, r, status, *texts):
    ok(r.returncode == status and r.stderr.count("\n") == 1 and
       all(t in r.stderr for t in texts), name, "%d %s" % (r.returncode, r.stderr))


class Builder:
    def __init__(self, folder):
        self.folder = folder
        self.n = 0

    def at(self, name):
        return os.path.join(self.folder, name)

    def build(self, root, *args, env=None, agent=None):
        self.n += 1
        out = self.at("image%d" % self.n)
        return out, image("build", "--root", root, "--agent",
                          agent or os.path.join(BUILD, "bin", "pavise-init"), "-o", out, *args,
                          env=env)

    def tar(self, members, name="hostile.tar"):
        """members: (TarInfo fields, content) in this order."""
        path = self.at(name)
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as t:
            for fields, content in members:
                info = tarfile.TarInfo(fields["name"])
                for key, value in fields.items():
                    setattr(info, key, value)
                info.size = len(content)
                t.addfile(info, io.BytesIO(content))
        return path


def file(name, content=b"x", **fields):
    return dict(name=name, mode=0o755, **fields), content


def special(name, kind, **fields):
    return dict(name=name, type=kind, **fields), b""


INIT = file("sbin/init")


# ---- what an image is, from docs/PROTOCOL.image ----------------------------------------------


def tree(data, salt):
    """dm-verity, version 1: (root hash, the levels' bytes, top first)."""
    def digests(blocks):
        return [hashlib.sha256(salt + blocks[i:i + BLOCK]).digest()
                for i in range(0, len(blocks), BLOCK)]

    levels = []
    hashes = digests(data)
    while len(hashes) > 1:
        level = b"".join(hashes)
        level += b"\0" * (-len(level) % BLOCK)
        levels.insert(0, level)
        hashes = digests(level)
    return hashes[0], b"".join(levels)


def cpio(data):
    """newc: a list of (name, header fields, content)."""
    out, at = [], 0
    while True:
        if data[at:at + 6] != b"070701":
            raise ValueError("no header at %d" % at)
        f = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name = data[at + 110:at + 110 + f[11] - 1].decode()
        body = (at + 110 + f[11] + 3) & ~3
        at = (body + f[6] + 3) & ~3
        if name == "TRAILER!!!":
            return out
        out.append((name, f, data[body:body + f[6]]))


def words(cmdline):
    return dict(w.split("=", 1) for w in cmdline.split() if w.startswith("pavise."))


def sound(b, root):
    out, r = b.build(root, "--run", "/bin/a", "--append", "console=ttyS0")
    ok(r.returncode == 0, "builds", r.stderr)
    disk, line = read(out, "disk.img"), read(out, "cmdline").decode()
    w = words(line)
    size = int(w["pavise.root_blocks"]) * BLOCK
    salt = bytes.fromhex(w["pavise.root_salt"])
    top, levels = tree(disk[:size], salt)
    ok(top.hex() == w["pavise.root_hash"], "the root hash is that of the document", line)
    ok(disk[size:] == levels, "behind the root stands its hash tree and nothing else")
    ok(salt == hashlib.sha256(b"pavise-image-salt-v1" + disk[:size]).digest(),
       "the salt is derived from the root")
    ok(line.startswith("console=ttyS0 pavise.") and "\n" not in line and
       w["pavise.run"] == "/bin/a" and len(w) == 4, "the command line has its words", line)
    entries = cpio(read(out, "initrd.cpio"))
    names = [e[0] for e in entries]
    ok(names == sorted(names) and {"init", "bin/pavise-agent", "dev", "proc", "root", "sys"} <=
       set(names), "the initrd has its files, sorted", names)
    ok(all(e[1][5] == 0 and e[1][2] == e[1][3] == 0 for e in entries) and
       len({e[1][0] for e in entries}) == len(entries),
       "no times, owners or equal inodes in the initrd")
    ok(dict((e[0], e[2]) for e in entries)["init"] == read(BUILD, "bin", "pavise-init"),
       "its first process is pavise-init")
    j = json.loads(read(out, "image.json"))
    ok(all(j[n]["sha256"] == hashlib.sha256(read(out, n)).hexdigest() and
           j[n]["size"] == len(read(out, n)) for n in ("disk.img", "initrd.cpio")) and
       j["cmdline"] == line and j["disk.img"]["root_hash"] == top.hex(),
       "image.json says what was made", j)
    return out


# ---- the same bytes --------------------------------------------------------------------------


def same(one, two):
    return all(read(one, n) == read(two, n)
               for n in ("disk.img", "initrd.cpio", "cmdline", "image.json"))


def fill(folder, names):
    """The same tree, made in the order of names."""
    for name in names:
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(hashlib.sha512(name.encode()).digest() * 999)
        os.chmod(path, 0o755)
    os.symlink("/bin/a", os.path.join(folder, "bin", "absolute"))
    os.link(os.path.join(folder, "bin", "a"), os.path.join(folder, "bin", "a-too"))


def reproducible(b):
    names = ["bin/a", "bin/b", "etc/c", "usr/lib/d", "z"]
    one, two = b.at("one"), b.at("elsewhere/two")
    fill(one, names)
    fill(two, names[::-1])
    os.utime(os.path.join(two, "bin/a"), (1, 1))
    first = sound(b, one)
    args = ("--run", "/bin/a", "--append", "console=ttyS0")
    env = dict(os.environ, SOURCE_DATE_EPOCH="12345", TZ="Asia/Tokyo", LC_ALL="C")
    old = os.umask(0o077)
    out, r = b.build(two, *args, env=env)
    os.umask(old)
    ok(r.returncode == 0 and same(first, out),
       "the same files in another place, order, time, environment: the same bytes", r.stderr)
    with open(os.path.join(two, "z"), "ab") as f:
        f.write(b"!")
    out, _ = b.build(two, *args)
    ok(words(read(out, "cmdline").decode())["pavise.root_hash"] !=
       words(read(first, "cmdline").decode())["pavise.root_hash"], "one byte more: another root hash")
    members = [special("./", tarfile.DIRTYPE)] + [
        special(n, tarfile.DIRTYPE, mode=0o755) for n in ("./bin", "./etc", "usr", "usr/lib/")]
    members += [file("./bin/a", b"a" * 70000, uid=5, gid=6, mtime=99, uname="somebody"),
                special("bin/link", tarfile.SYMTYPE, linkname="/etc/../bin/a"),
                special("bin/hard", tarfile.LNKTYPE, linkname="./bin/a"), file("etc/\u00fc", b"c")]
    tar = b.tar(members, "good.tar")
    one, r = b.build(tar, *args)
    with open(tar, "rb") as f, open(tar + ".gz", "wb") as g:
        g.write(subprocess.run(["gzip", "-c"], stdin=f, capture_output=True).stdout)
    two, s = b.build(tar + ".gz", *args)
    ok(r.returncode == 0 and s.returncode == 0 and same(one, two),
       "a tar, packed or not: the same bytes", r.stderr + s.stderr)
    listing = subprocess.run(["unsquashfs", "-lln", os.path.join(one, "disk.img")],
                             capture_output=True, text=True).stdout
    ok(re.search(r"^-rwxr-xr-x 5/6 +70000 1970-01-01 00:00 .*bin/a$", listing, re.M) and
       re.search(r"bin/link -> /etc/../bin/a$", listing, re.M) and
       re.search(r"5/6 +70000 .*bin/hard$", listing, re.M) and
       all(re.search("/%s$" % d, listing, re.M) for d in ("dev", "proc", "run", "sys", "tmp")),
       "owners, links and the folders that a guest needs", listing)
    out, r = b.build(tar, *args, "--all-root", "--salt", "11" * 32, "--data-key-id", "22" * 32)
    listing = subprocess.run(["unsquashfs", "-lln", os.path.join(out, "disk.img")],
                             capture_output=True, text=True).stdout
    w = words(read(out, "cmdline").decode()) if r.returncode == 0 else {}
    ok("5/6" not in listing and w.get("pavise.root_salt") == "11" * 32 and
       w.get("pavise.data") == "22" * 32 and
       tree(read(out, "disk.img")[:int(w["pavise.root_blocks"]) * BLOCK], b"\x11" * 32)[0].hex() ==
       w["pavise.root_hash"], "--all-root, --salt and --data-key-id do what they say", r.stderr)


# ---- hostile tars ----------------------------------------------------------------------------


def patched_size(path, size):
    """The first member claims that many bytes (base 256, as GNU tar writes large sizes)."""
    data = bytearray(read(path))
    data[124:136] = b"\x80" + size.to_bytes(11, "big")
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    with open(path, "wb") as f:
        f.write(data)
    return path


def hostile(b):
    kinds = tarfile
    table = [
        ("..", [file("../etc/passwd")], ("../etc/passwd", "..")),
        (".. inside", [file("a/../../b")], ("a/../../b", "..")),
        ("an absolute path", [file("/etc/passwd")], ("/etc/passwd", "absolute")),
        ("an absolute hard link", [file("a"), special("b", kinds.LNKTYPE, linkname="/etc/passwd")],
         ("member b", "hard link")),
        ("a hard link out of the root",
         [file("a"), special("b", kinds.LNKTYPE, linkname="../a")], ("member b", "hard link")),
        ("a hard link to nothing", [special("b", kinds.LNKTYPE, linkname="a"), file("a")],
         ("member b", "hard link")),
        ("a hard link to a symbolic one",
         [special("s", kinds.SYMTYPE, linkname="/etc/shadow"),
          special("b", kinds.LNKTYPE, linkname="s")], ("member b", "hard link")),
        ("a block device", [special("dev/sda", kinds.BLKTYPE)], ("dev/sda", "device")),
        ("a character device", [special("dev/mem", kinds.CHRTYPE)], ("dev/mem", "device")),
        ("a FIFO", [special("f", kinds.FIFOTYPE)], ("member f", "FIFO")),
        ("one name twice", [file("etc/a"), file("./etc//a")], ("etc/a", "two of this name")),
        ("a file through a symbolic link",
         [special("up", kinds.SYMTYPE, linkname="/"), file("up/etc/passwd")],
         ("up/etc", "no folder")),
        ("a file below a file", [file("a"), file("a/b")], ("a/b", "no folder")),
        ("a folder after what is in it", [file("a/b"), special("a", kinds.DIRTYPE)],
         ("member a:", "comes after")),
        ("a name of 256 bytes", [file("n" * 256)], ("nnn", "too long")),
        ("an owner that is no number of one", [file("a", uid=1 << 33)], ("member a", "owner")),
        ("dev as a file", [file("dev")], ("member dev", "folder")),
        ("no program to start", [file("etc/a")], ("/sbin/init", "--run")),
    ]
    for name, members, texts in table:
        members = members if name == "no program to start" else members + [INIT]
        out, r = b.build(b.tar(members))
        refused("refused: %s" % name, r, 3, *texts)
        if os.path.exists(out):
            ok(False, "nothing is left of %s" % out)
    _, r = b.build(b.tar([INIT, file("big", b"z" * 5000)]), "--limit", "5K")
    ok(r.returncode == 0, "files within the limit", r.stderr)
    _, r = b.build(b.tar([INIT, file("big", b"z" * 5120)]), "--limit", "5K")
    refused("refused: files beyond the limit", r, 3, "member big", "--limit")
    for size in (1 << 40, 1 << 62, (1 << 63) - 1):
        _, r = b.build(patched_size(b.tar([file("sbin/init"), file("b")]), size))
        refused("refused: a member of %d bytes" % size, r, 3)
    path = b.tar([INIT, file("b", b"z" * 100000)])
    with open(path, "r+b") as f:
        f.truncate(50000)
    refused("refused: a tar that is cut", b.build(path)[1], 3)
    for name, data in (("empty", b""), ("noise", os.urandom(4096)), ("zeros", bytes(10240))):
        refused("refused: a file of %s" % name,
                b.build(verify.write(b.at("no.tar"), data))[1], 3)


def planted_folder(b):
    folder = b.at("planted")
    fill(folder, ["bin/a"])
    os.mkfifo(os.path.join(folder, "pipe"))
    refused("refused: a FIFO in a folder", b.build(folder, "--run", "/bin/a")[1], 3, "member pipe")


def usage(b):
    good = b.tar([INIT])
    for name, args, status in (
            ("no agent", ("build", "--root", good, "-o", b.at("u")), 64),
            ("no root there", ("build", "--root", b.at("none"), "--agent", "/bin/sh", "-o",
                               b.at("u")), 64),
            ("a folder that is there", ("build", "--root", good, "--agent", "/bin/sh", "-o",
                                        b.folder), 64),
            ("an agent that is no program", ("build", "--root", good, "--agent", good, "-o",
                                             b.at("u")), 3),
            ("modules that are none", ("build", "--root", good, "--agent", "/bin/sh", "--modules",
                                       b.folder, "-o", b.at("u")), 64),
            ("words of ours", ("build", "--root", good, "--agent", "/bin/sh", "--append",
                               "pavise.run=/x", "-o", b.at("u")), 64),
            ("a quote", ("build", "--root", good, "--agent", "/bin/sh", "--append", "a=\"b c\"",
                         "-o", b.at("u")), 64),
            ("a path with a blank", ("build", "--root", b.tar([file("a b")], "blank.tar"), "--agent",
                                     "/bin/sh", "--run", "/a b", "-o", b.at("u")), 64),
            ("an unknown verb", ("dance",), 64), ("no verb", (), 64)):
        refused("usage: %s" % name, image(*args), status)
        if os.path.exists(b.at("u")):
            ok(False, "nothing is left")
    r = subprocess.run([os.path.join(BUILD, "bin", "pavise-init")], capture_output=True, text=True)
    ok(r.returncode == 64 and "first process" in r.stderr, "pavise-init is for guests alone", r)
    r = image("--help")
    ok(r.returncode == 0 and "check-config" in r.stdout, "has --help")


def linked_agent(b):
    """A dynamic program comes with its loader and libraries."""
    out, r = b.build(b.tar([INIT]), agent=os.path.join(BUILD, "bin", "pavise-agent"))
    names = [e[0] for e in cpio(read(out, "initrd.cpio"))] if r.returncode == 0 else []
    ok(any("libcrypto.so.3" in n for n in names) and "lib64/ld-linux-x86-64.so.2" in names,
       "an agent comes with its libraries", r.stderr)


# ---- keys ------------------------------------------------------------------------------------


def extract(salt, ikm):
    return hmac.new(salt, ikm, hashlib.sha256).digest()


def expand(prk, info, n):
    out, last, i = b"", b"", 1
    while len(out) < n:
        last = hmac.new(prk, last + info + bytes([i]), hashlib.sha256).digest()
        out, i = out + last, i + 1
    return out[:n]


def gcm_open(key, nonce, aad, sealed):
    """AES-256-GCM by libcrypto; None when the tag does not hold."""
    c = ctypes.CDLL(ctypes.util.find_library("crypto"))
    for f in (c.EVP_CIPHER_CTX_new, c.EVP_aes_256_gcm):
        f.restype = ctypes.c_void_p
    ctx, n = ctypes.c_void_p(c.EVP_CIPHER_CTX_new()), ctypes.c_int()
    out = ctypes.create_string_buffer(64)
    c.EVP_DecryptInit_ex(ctx, ctypes.c_void_p(c.EVP_aes_256_gcm()), None, key, nonce)
    c.EVP_DecryptUpdate(ctx, None, ctypes.byref(n), aad, len(aad))
    c.EVP_DecryptUpdate(ctx, out, ctypes.byref(n), sealed[:-16], len(sealed) - 16)
    c.EVP_CIPHER_CTX_ctrl(ctx, 0x11, 16, sealed[-16:])  # EVP_CTRL_AEAD_SET_TAG
    good = c.EVP_DecryptFinal_ex(ctx, ctypes.byref(out, len(sealed) - 16), ctypes.byref(n)) == 1
    c.EVP_CIPHER_CTX_free(ctx)
    return out.raw[:len(sealed) - 16] if good else None


def unwrap(wrapped):
    """docs/PROTOCOL.key, for the recipient whose private key is 1: what both sides reach is then
    the sender's own point."""
    base = verify.AGENT_KEY[-65:]
    header, enc, sealed = wrapped[:8], wrapped[8:73], wrapped[73:]
    kem, hpke = b"KEM\x00\x10", b"HPKE\x00\x10\x00\x01\x00\x02"

    def le(suite, salt, label, ikm):
        return extract(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)

    def lx(suite, prk, label, info, n):
        return expand(prk, n.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, n)

    shared = lx(kem, le(kem, b"", b"eae_prk", enc[1:33]), b"shared_secret", enc + base, 32)
    context = b"\0" + le(hpke, b"", b"psk_id_hash", b"") + le(hpke, b"", b"info_hash",
                                                              b"pavise-data-key-v1")
    secret = le(hpke, shared, b"secret", b"")
    return gcm_open(lx(hpke, secret, b"key", context, 32),
                    lx(hpke, secret, b"base_nonce", context, 12), header, sealed)


def data_keys(b):
    key = b.at("data.key")
    r = image("data-key", "-o", key)
    want = expand(extract(bytes(32), read(key)), b"pavise-data-key-id-v1", 32).hex()
    ok(r.returncode == 0 and r.stdout.strip() == want and len(read(key)) == 32 and
       os.stat(key).st_mode & 0o777 == 0o600, "a key for its owner alone, and its id", r.stderr)
    ok(image("data-key", "--id", key).stdout.strip() == want, "the id of a key")
    before = read(key)
    refused("never over a key that is there", image("data-key", "-o", key), 64, "new file")
    ok(read(key) == before, "and it is still there")
    refused("a key of 31 bytes", image("data-key", "--id", verify.write(b.at("short"), b"k" * 31)),
            3)
    return key


def wrap_keys(b, world, evidence):
    key = data_keys(b)
    good = verify.write(world.at("ev.json"), evidence)
    swapped = dict(evidence, agent={"name": "pavise-agent", "public_key": evidence["agent"]
                                    ["public_key"][:-8] + "AAAAAAA="})
    out = world.at("wrapped")

    def wrap(*extra, ev=good, nonce=verify.NONCE.hex(), policy=world.policy_path):
        if os.path.exists(out):
            os.unlink(out)
        return image("wrap-key", "--evidence", ev, "--policy", policy, "--nonce", nonce, "--key",
                     key, "-o", out, *extra)

    for create in (False, True):
        r = wrap(*["--create"] * create)
        wrapped = read(out) if r.returncode == 0 else b""
        ok(len(wrapped) == 121 and wrapped[:8] == b"PVK0\0\0\0" + bytes([create]) and
           "for the agent" in r.stdout and unwrap(wrapped) == read(key),
           "a key wrapped for the agent, as the document says%s" % (", to create" * create),
           r.stdout + r.stderr)
    changed = bytearray(wrapped)
    changed[7] ^= 1
    ok(unwrap(bytes(changed)) is None, "its flag is authenticated")
    for name, r, status in (
            ("another nonce", wrap(nonce="ab" * 32), 2),
            ("another agent's key", wrap(ev=verify.write(world.at("sw.json"), swapped)), None),
            ("a policy that it breaks", wrap(policy="strict"), 1),
            ("a policy that does not say what may be booted", wrap(policy="permissive"), 1),
            ("a policy that judges nothing", wrap(policy="none"), 1),
            ("text that is no evidence", wrap(ev=verify.write(world.at("t.json"), b"{}")), 3)):
        ok(r.returncode != 0 and (status is None or r.returncode == status) and
           "no key was wrapped" in r.stderr and not os.path.exists(out),
           "no key for evidence with %s" % name, "%d %s" % (r.returncode, r.stderr))
    refused("options of verify only after --", wrap("stray"), 64, "--")
    r = wrap("--", "--time", "not-a-time")
    ok(r.returncode == 64 and "pavise-verify: time" in r.stderr, "options after -- are the verifier's",
       r.stderr)


def keys(b):
    if shutil.which("swtpm") is None:
        ok(True, "keys # SKIP no swtpm on this machine")
        return
    import pcr_ref
    import swtpm
    with tempfile.TemporaryDirectory() as folder:
        world = verify.World(folder)
        tpm = swtpm.Swtpm(folder, world.fw)
        try:
            extends = pcr_ref.events(world.fw, world.kernel, world.initrd, world.cmdline, 64,
                                     512 << 20, 2, 2, pcr_ref.acpi_digests(world.log))
            for pcr, digest in extends[1:]:
                tpm.extend(pcr, digest)
            evidence = world.evidence(tpm, "ecdsa")
        finally:
            tpm.close()
        wrap_keys(b, world, evidence)


# ---- kernels ---------------------------------------------------------------------------------


def check_config(b):
    fragment = read(ROOT, "guest", "kernel.config").decode()
    ok(image("check-config", "--print").stdout == fragment, "prints guest/kernel.config")
    rows = re.findall(r"^(?:# )?(CONFIG_\w+)(?:=(y)| is not set)$", fragment, re.M)

    def check(text, *args):
        return image("check-config", *args, verify.write(b.at("config"), text.encode()))

    r = check(fragment)
    ok(r.returncode == 0 and "%d of %d options" % (len(rows), len(rows)) in r.stdout and
       len(rows) >= 70, "the fragment itself is good", r.stdout + r.stderr)
    ok(check("\n".join("%s=y" % n for n, y in rows if y)).returncode == 0,
       "what a kernel does not name is not set")
    every = True
    for name, y in rows:
        broken = re.sub(r"^(# )?%s\b.*$" % name, "# %s is not set" % name if y else name + "=m",
                        fragment, flags=re.M)
        r = check(broken, "--json")
        j = json.loads(r.stdout)
        wrong = [o["option"] for o in j["options"] if not o["good"]]
        every = every and r.returncode == 1 and wrong == [name] and not j["good"]
    ok(every, "each of %d options is checked, alone and by name" % len(rows))
    schema = json.loads(read(ROOT, "docs", "check-config.schema.json"))
    item = schema["properties"]["options"]["items"]
    ok(set(j) == set(schema["required"]) == set(schema["properties"]) and
       all(set(o) == set(item["required"]) == set(item["properties"]) and
           re.search(item["properties"]["option"]["pattern"], o["option"]) and
           o["wanted"] in item["properties"]["wanted"]["enum"] and o["reason"]
           for o in j["options"]), "its JSON is what the schema says", r.stdout[:500])
    built = re.sub("=y$", "=m", fragment, flags=re.M)
    ok(check(built).returncode == 1 and check(built, "--allow-modules").returncode == 0 and
       check(fragment.replace("# CONFIG_MODULES is not set", "CONFIG_MODULES=y"),
             "--allow-modules").returncode == 0 and
       check(fragment.replace("# CONFIG_MODULES is not set", "CONFIG_MODULES=y")).returncode == 1,
       "modules do only where they are allowed")
    r = check("CONFIG_SQUASHFS=y\nCONFIG_SQUASHFS=m\n")
    refused("an option twice", r, 3, "CONFIG_SQUASHFS", "twice")
    refused("a file without options", check("hello\n"), 3)
    refused("a packed file", check("CONFIG_A=y\n\0"), 3, "unpack")


def main():
    with tempfile.TemporaryDirectory() as folder:
        b = Builder(folder)
        reproducible(b)
        hostile(b)
        planted_folder(b)
        linked_agent(b)
        usage(b)
        keys(b)
        check_config(b)
    print("1..%d" % verify.count)
    return verify.failed != 0


if __name__ == "__main__":
    sys.exit(main())

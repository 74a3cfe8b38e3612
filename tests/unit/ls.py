#!/usr/bin/env python3
"""pavise-ls and pavise-inspect against launchers that are played here: good ones, and every way to
break the answer. Prints TAP.
# budget: 90
"""
import copy
import json
import os
import socket
import struct
import subprocess
import tempfile
import threading

from json_schema import conforms

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
LS = json.load(open(os.path.join(ROOT, "docs", "ls.schema.json"), encoding="utf-8"))
STATUS = json.load(open(os.path.join(ROOT, "docs", "status.schema.json"), encoding="utf-8"))
MAGIC, DESCRIBE, OK, NOT_READY = 0x314C5650, 4, 0x101, 0x103
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def run(verb, *args):
    more = ["--no-reclaim"] if verb == "ls" else []
    return subprocess.run([os.path.join(BUILD, "bin", "pavise-" + verb), *args, *more, "--run-dir", run_dir],
                          capture_output=True, text=True, timeout=60)


def status(name):
    return {"format": "pavise-status", "version": 0, "name": name,
            "uuid": "01234567-89ab-4cde-8f01-23456789abcd", "phase": "running", "isolation": "degraded",
            "missing": ["labels", "records"], "pair": "c1,c1023", "tee": "snp", "simulated": True, "vtpm": True,
            "cpus": 2, "memory": 64 << 20, "uptime": 3723, "launcher": 4711,
            "processes": [{"name": "vmm", "pid": 4712, "uid": 1879048192, "label": "none",
                           "limits": {"file_size": 4 << 20, "descriptors": 64, "threads": 18},
                           "cgroup": {"memory": 80 << 20, "tasks": 20}}],
            "cgroup": {"memory": 100 << 20, "tasks": 60},
            "disks": [{"path": "/var/lib/pavise/a b.img", "readonly": True, "size": 1 << 20}]}


def record(size, kind=OK, magic=MAGIC, b=0):
    return struct.pack("<IIII", magic, kind, size, b)


def answer(text):
    data = text if isinstance(text, bytes) else json.dumps(text).encode()
    return record(len(data)) + data


class Launcher:
    """Answers each request with the same message; None: never."""

    def __init__(self, name, message):
        self.folder = os.path.join(run_dir, name)
        os.mkdir(self.folder)
        self.path = os.path.join(self.folder, "control.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.message, self.clients = message, []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.clients.append(client)
            if client.recv(64) == struct.pack("<IIII", MAGIC, DESCRIBE, 0, 0) and self.message is not None:
                client.send(self.message)
            if self.message is not None:
                client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A thread in accept() is woken by shutdown alone.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        if os.path.exists(self.path):
            os.unlink(self.path)
        os.rmdir(self.folder)


def listed():
    r = run("ls", "--json")
    j = json.loads(r.stdout)
    return r, j, {vm["name"]: vm for vm in j["vms"]}


def nothing_there():
    missing = subprocess.run([os.path.join(BUILD, "bin", "pavise-ls"), "--no-reclaim", "--run-dir", run_dir + "/none"],
                             capture_output=True, text=True, timeout=60)
    ok((missing.returncode, missing.stdout, missing.stderr) == (0, "", ""), "no run directory: no VM", missing)
    r = run("ls")
    ok((r.returncode, r.stdout, r.stderr) == (0, "", ""), "an empty one: no VM", r)
    r, j, _ = listed()
    ok(r.returncode == 0 and j["vms"] == [] and conforms(j, LS) is None, "the same as JSON", r)
    r = run("inspect", "web")
    ok(r.returncode == 6 and r.stderr.count("\n") == 1 and "no such VM" in r.stderr, "inspect of no VM", r)
    for args in (["extra"], ["--nonsense"]):
        ok(run("ls", *args).returncode == 64, "ls %s" % args[0])
    for args in ([], ["a", "b"], ["../web"], ["a", "--nonsense"]):
        ok(run("inspect", *args).returncode == 64, "inspect %s" % " ".join(args))
    not_a_folder = subprocess.run([os.path.join(BUILD, "bin", "pavise-ls"), "--no-reclaim", "--run-dir", "/dev/null"],
                                  capture_output=True, text=True, timeout=60)
    ok(not_a_folder.returncode == 5 and not_a_folder.stderr.count("\n") == 1, "a run directory that is none")


def not_ours():
    """A run directory that others may enter is not reclaimed, and not listed."""
    os.chmod(run_dir, 0o755)
    r = subprocess.run([os.path.join(BUILD, "bin", "pavise-ls"), "--run-dir", run_dir], capture_output=True, text=True,
                       timeout=60)
    os.chmod(run_dir, 0o700)
    ok(r.returncode == 5 and not r.stdout and r.stderr.count("\n") == 1, "what cannot be reclaimed is said", r)


def good_ones():
    required = dict(status("api"), isolation="required", missing=[], tee="none", simulated=False, phase="starting",
                    uptime=0)
    with Launcher("web", answer(status("web"))), Launcher("api", answer(required)):
        r = run("ls")
        lines = r.stdout.splitlines()
        ok(r.returncode == 0 and len(lines) == 3 and lines[0].split()[:2] == ["NAME", "PHASE"], "two VMs", r)
        ok(lines[1].split() == ["api", "starting", "required", "c1,c1023", "2", "64M", "none", "-", "4711"],
           "the row of a VM that starts", lines[1])
        ok(lines[2].split() == ["web", "running", "degraded:", "no", "labels,", "records", "c1,c1023", "2", "64M",
                                "snp", "(simulated)", "1:02:03", "4711"], "what degraded isolation lacks", lines[2])
        r, j, vms = listed()
        ok(r.returncode == 0 and conforms(j, LS) is None and [vm["name"] for vm in j["vms"]] == ["api", "web"]
           and vms["web"] == {"name": "web", "state": "answers", "status": status("web")}, "as JSON", r.stdout)
        r = run("inspect", "web")
        for text in ("isolation:   degraded: no labels, records\n", "tee:         snp (simulated): protects nothing\n",
                     "disk 0:      /var/lib/pavise/a b.img, 1048576 bytes, read-only\n", "launcher:    pid 4711\n",
                     "process:     vmm, pid 4712, uid 1879048192, label none; at most 4194304 bytes a file, "
                     "64 descriptors, 18 threads, 83886080 bytes of memory, 20 tasks\n",
                     "limits:      104857600 bytes of memory, 60 tasks\n", "uptime:      3723 s\n"):
            ok(r.returncode == 0 and text in r.stdout, "inspect: " + text.strip(), r.stdout + r.stderr)
        r = run("inspect", "web", "--json")
        j = json.loads(r.stdout)
        ok(j == status("web") and conforms(j, STATUS) is None, "inspect --json keeps its schema", conforms(j, STATUS))
        ok(conforms(dict(j, phase="gone"), STATUS) == "$.phase", "the schema test can fail")


def junk():
    os.mkdir(os.path.join(run_dir, ".pairs"))
    os.mkdir(os.path.join(run_dir, "Upper Case"))
    os.mkdir(os.path.join(run_dir, "x\n\x1b[2Jy"))
    open(os.path.join(run_dir, "file"), "w", encoding="utf-8").close()
    os.symlink("/", os.path.join(run_dir, "link"))
    r = run("ls")
    ok((r.returncode, r.stdout, r.stderr) == (0, "", ""), "what is no VM's folder is not shown", r)
    os.mkdir(os.path.join(run_dir, "soon"))
    dead = Launcher("dead", None)
    dead.listener.shutdown(socket.SHUT_RDWR)
    dead.listener.close()
    os.mkdir(os.path.join(run_dir, "stream"))
    other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    other.bind(os.path.join(run_dir, "stream", "control.sock"))
    other.listen(1)
    with Launcher("silent", None), Launcher("early", record(0, NOT_READY)):
        r, j, vms = listed()
        ok({n: vm["state"] for n, vm in vms.items()} ==
           {"soon": "no-socket", "dead": "dead", "silent": "silent", "early": "silent", "stream": "malformed"}
           and conforms(j, LS) is None and r.returncode == 3, "every other state has its word", r.stdout)
        text = run("ls").stdout
        ok("dead: pavise ls reclaims it" in text and text.count("\n") == 6, "and a sentence", text)
        r = run("inspect", "silent")
        ok(r.returncode == 6 and "not answered" in r.stderr, "inspect waits three seconds", r)
    os.unlink(dead.path)
    os.unlink(os.path.join(run_dir, "stream", "control.sock"))
    os.unlink(os.path.join(run_dir, "file"))
    os.unlink(os.path.join(run_dir, "link"))
    for folder in os.listdir(run_dir):
        os.rmdir(os.path.join(run_dir, folder))


def changed(path, value):
    s = copy.deepcopy(status("web"))
    at = s
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return s


def broken():
    good = json.dumps(status("web")).encode()
    yield "no text at all", record(0)
    yield "less than a record", record(0)[:15]
    yield "another magic", record(len(good), magic=1) + good
    yield "another type", record(len(good), kind=7) + good
    yield "a size that is not the text's", record(len(good) + 1) + good
    yield "a size of four billion", record(0xFFFFFFFF) + good
    yield "a second number", record(len(good), b=1) + good
    yield "more than any description", answer(b" " * 65536 + good)
    yield "no JSON", answer(good[:-1])
    yield "a list", answer(b"[" + good + b"]")
    yield "a key twice", answer(good[:-1] + b', "name": "web"}')
    yield "a NUL", answer(good.replace(b"c1,c1023", b"c1\0c1023"))
    yield "depth", answer(b'{"format":' * 3000)
    for key in status("web"):
        if key != "cgroup":
            yield "no " + key, answer(changed([key], None))
        yield key + " of another type", answer(changed([key], {"a": 1}))
    rows = [(["version"], 1), (["name"], "other"), (["phase"], "gone"), (["isolation"], "none"), (["tee"], "sgx"),
            (["missing"], ["walls"]), (["missing"], ["labels", "labels"]), (["missing"], [1]),
            (["isolation"], "required"), (["cpus"], -1), (["cpus"], 1 << 32), (["memory"], 1.5), (["launcher"], 1 << 31),
            (["pair"], "c" * 16), (["uuid"], "\x1b[2J"), (["extra"], 1), (["simulated"], 0),
            (["processes"], [status("web")["processes"][0]] * 33), (["disks"], [status("web")["disks"][0]] * 17),
            (["processes", 0], 1), (["disks", 0], []), (["processes", 0, "label"], "a\nb"),
            (["processes", 0, "label"], "x" * 256), (["processes", 0, "name"], "\u00e9"),
            (["processes", 0, "limits"], {}), (["processes", 0, "extra"], 1),
            (["disks", 0, "path"], "/a\x1b]0;title\x07"), (["disks", 0, "size"], "1"), (["disks", 0, "readonly"], None),
            (["cgroup"], {"memory": 1}), (["cgroup", "memory"], -1), (["processes", 0, "cgroup", "swap"], 1)]
    for path, value in rows:
        yield "%s: %.40r" % (".".join(map(str, path)), value), answer(changed(path, value))


def hostile():
    for name, message in broken():
        with Launcher("web", message):
            r, text = run("ls"), run("inspect", "web")
            printable = all(c == "\n" or " " <= c <= "~" for c in r.stdout + r.stderr + text.stdout + text.stderr)
            ok(r.returncode == 3 and r.stdout.count("\n") == 2 and text.returncode in (3, 70) and not text.stdout
               and text.stderr.count("\n") == 1 and printable, "refused: " + name, [r, text])


with tempfile.TemporaryDirectory() as run_dir:
    nothing_there()
    not_ours()
    good_ones()
    junk()
    hostile()
print("1..%d" % count)
raise SystemExit(failed != 0)

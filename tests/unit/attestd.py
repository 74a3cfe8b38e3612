#!/usr/bin/env python3
# budget: 120
"""pavise attestd, run as operators run it, with launchers and guests that this script plays. What is
asked and answered is held against docs/openapi.json: every answer is one the file promises, and every
promise but 500 (the host's own fault) has been seen."""
import array
import json
import os
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
ATTESTD = os.path.join(BUILD, "bin", "pavise-attestd")
NONCE = bytes(range(32)).hex()
API = json.load(open(os.path.join(ROOT, "docs", "openapi.json")))
CONTROL, AGENT = 0x314C5650, 0x50564130
count = failed = 0
seen = set()


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name), flush=True)
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


class Launcher:
    """The control socket of one VM and the guest behind it. `how` names what the guest does."""

    def __init__(self, folder, name, how):
        os.makedirs(os.path.join(folder, name))
        self.how, self.requests, self.held = how, [], []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(os.path.join(folder, name, "control.sock"))
        self.socket.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            s, _ = self.socket.accept()
            threading.Thread(target=self.client, args=(s,), daemon=True).start()

    def client(self, s):
        while True:
            m = s.recv(16)
            if len(m) != 16:
                return
            _, kind, _, _ = struct.unpack("=4I", m)
            if kind == 3:
                # Degraded, without labels and audit records.
                s.send(struct.pack("=4I", CONTROL, 0x101, 2, 2 | 5 << 8 if self.how == "degraded" else 1))
            elif self.how in ("busy", "starting"):
                s.send(struct.pack("=4I", CONTROL, 0x102 if self.how == "busy" else 0x103, 0, 0))
            else:
                ours, theirs = socket.socketpair()
                s.sendmsg([struct.pack("=4I", CONTROL, 0x101, 0, 0)],
                          [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))])
                theirs.close()
                threading.Thread(target=self.guest, args=(ours,), daemon=True).start()

    def guest(self, s):
        head = s.recv(16, socket.MSG_WAITALL)
        _, kind, ident, size = struct.unpack(">4I", head)
        nonce = s.recv(size, socket.MSG_WAITALL)
        self.requests.append((kind, nonce.hex()))
        evidence = json.dumps({"nonce": nonce.hex(), "host_claims": "mine", "collateral": 1})
        answer = {"good": evidence, "degraded": evidence,
                  "not-json": "evidence?", "error": "no report\x1b[31m"}.get(self.how)
        if self.how == "silent":
            self.held.append(s)
            return
        if self.how == "flood":
            try:
                while True:
                    s.sendall(bytes(1 << 16))
            except OSError:
                return
        if self.how == "huge":
            s.sendall(struct.pack(">4I", AGENT, 2, ident, 0x7fffffff))
            self.held.append(s)
            return
        if answer is None:
            s.close()
            return
        body = answer.encode()
        stale = struct.pack(">4I", AGENT, 2, ident ^ 1, 5) + b"stale"
        frame = struct.pack(">4I", AGENT, 3 if self.how == "error" else 2, ident, len(body)) + body
        for piece in (stale, frame[:7], frame[7:20], frame[20:]):
            s.sendall(piece)
            time.sleep(0.02)
        self.held.append(s)


class Server:
    def __init__(self, folder, *options):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.folder = folder
        self.process = subprocess.Popen(
            [ATTESTD, "--listen", "127.0.0.1:%d" % self.port, "--cert", os.path.join(folder, "cert.pem"),
             "--key", os.path.join(folder, "key.pem"), "--run-dir", os.path.join(folder, "run"),
             "--isolation", "degraded"] + list(options),
            stdout=subprocess.PIPE, stderr=open(os.path.join(folder, "log"), "ab"), text=True)
        self.greeting = self.process.stdout.readline()

    def context(self, **kinds):
        c = ssl.create_default_context(cafile=os.path.join(self.folder, "cert.pem"))
        for k, v in kinds.items():
            setattr(c, k, v)
        return c

    def connect(self, context=None):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return (context or self.context()).wrap_socket(s, server_hostname="localhost")

    def ask(self, method, path, body=b"", context=None, template=None):
        """(status, headers, body), held against the OpenAPI file when template names a path of it."""
        s = self.connect(context)
        s.sendall(b"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" %
                  (method.encode(), path.encode(), len(body)) + body)
        data = b""
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            data += piece
        s.close()
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        headers = {k.lower(): v for k, v in (x.split(": ", 1) for x in lines[1:])}
        if template:
            judge(template, status, headers, rest)
        return status, headers, rest

    def evidence(self, name, body=None, method="POST"):
        body = json.dumps({"nonce": NONCE}).encode() if body is None else body
        return self.ask(method, "/v1/vms/%s/evidence" % name, body, template="/v1/vms/{name}/evidence")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def judge(template, status, headers, body):
    """An answer that the file does not promise, or in another form, is a failure of its own."""
    method = next(iter(API["paths"][template]))
    promised = API["paths"][template][method]["responses"]
    seen.add((template, str(status)))
    problem = None
    try:
        j = json.loads(body)
    except ValueError:
        j, problem = None, "not JSON"
    if str(status) not in promised:
        problem = "a status that is not promised"
    elif headers.get("content-type") != "application/json":
        problem = "content type"
    elif j is not None and "$ref" in promised[str(status)]:
        schema = API["components"]["schemas"]["Error"]["properties"]["error"]
        if list(j) != ["error"] or set(j["error"]) != set(schema["required"]) or \
                j["error"]["code"] not in schema["properties"]["code"]["enum"]:
            problem = "not the form of an error"
        if status in (429, 503) and int(headers.get("retry-after", 0)) < 1:
            problem = "no Retry-After"
        if status == 405 and headers.get("allow") != method.upper():
            problem = "no Allow"
    if problem:
        ok(False, "%s %d is what openapi.json promises" % (template, status), "%s: %r" % (problem, body[:200]))


def error_code(answer):
    return (answer[0], json.loads(answer[2]).get("error", {}).get("code"))


def test_evidence(server, guests):
    status, headers, body = server.evidence("good")
    j = json.loads(body)
    ok(status == 200 and j["nonce"] == NONCE, "evidence for the nonce that was sent", body)
    ok(guests["good"].requests[-1] == (1, NONCE), "the guest is told the nonce and nothing else",
       guests["good"].requests)
    ok(j["host_claims"] == {"vm": "good", "isolation": "required"}, "host_claims are the host's own", body)
    lacking = json.loads(server.evidence("degraded")[2])
    ok(lacking["host_claims"] == {"vm": "degraded", "isolation": "degraded", "missing": ["labels", "records"]},
       "they say what degraded isolation lacks", lacking)
    ok(j.get("collateral") == {"kind": "test"}, "collateral comes with it, the guest's own does not", body)
    ok(headers["connection"] == "close" and headers["cache-control"] == "no-store", "nobody keeps it", headers)


def test_guests(server):
    table = [("none", (404, "no-such-vm")), ("busy", (503, "busy")), ("starting", (503, "busy")),
             ("not-json", (502, "guest-failed")), ("error", (502, "guest-failed")),
             ("dead", (502, "guest-failed")), ("flood", (502, "guest-failed")),
             ("huge", (504, "guest-timeout")), ("silent", (504, "guest-timeout"))]
    for name, want in table:
        got = server.evidence(name)
        # On a busy machine the time is up before a flood has reached its bound in bytes.
        late = name == "flood" and error_code(got) == (504, "guest-timeout")
        ok((error_code(got) == want or late) and b"\x1b" not in got[2], "a guest that is %s: %d %s" % ((name,) + want),
           got[2])


def test_requests(server):
    long_name = "a" * 33
    table = [(b"", "an empty body"), (b"{", "cut short"), (b"[]", "no object"), (b"{}", "no nonce"),
             (b'{"nonce":1}', "a number"), (b'{"nonce":"00"}', "a short nonce"),
             (b'{"nonce":"%s"}' % (b"0" * 130), "a long nonce"), (b'{"nonce":"%s"}' % (b"g" * 32), "no hex"),
             (b'{"nonce":"%s","report_data":"00"}' % NONCE.encode(), "another key"),
             (b'{"nonce":"%s","nonce":"%s"}' % (NONCE.encode(), NONCE.encode()), "a key twice")]
    for body, name in table:
        got = server.evidence("good", body)
        ok(error_code(got) == (400, "malformed"), "refused: %s" % name, got[2])
    ok(error_code(server.evidence("good", b" " * 5000)) == (413, "too-large"), "refused: a large body")
    ok(error_code(server.evidence("good", b"", "GET")) == (405, "wrong-method"), "refused: GET")
    ok(error_code(server.ask("POST", "/v1/health", template="/v1/health")) == (405, "wrong-method"),
       "health is not POSTed")
    ok(server.ask("GET", "/v1/health", template="/v1/health")[2] == b'{"status":"ok"}', "health")
    ok(error_code(server.evidence(long_name)) == (404, "no-such-vm"), "a name that no VM can have")
    for path in ("/", "/v1/vms/good", "/v1/vms/../good/evidence", "/v1/vms/%2e%2e/evidence", "/v1/vms//evidence",
                 "/v1/vms/Good/evidence", "/v1/vms/good/evidence/", "/v1/vms/%s/evidence" % ("a" * 400)):
        got = server.ask("POST", path, b"{}")
        ok(error_code(got) == (404, "no-such-path"), "no such path: %s" % path[:30], got)


def test_protocol(server):
    for name, data in (("no HTTP", b"\x00\x01\x02\r\n\r\n"), ("endless headers", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000),
                       ("a huge body", b"POST /v1/health HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")):
        s = server.connect()
        try:
            s.sendall(data)
            answer = s.recv(100)
        except OSError:
            answer = b""
        s.close()
        ok(answer == b"" or b" 4" in answer[:13] or b" 5" in answer[:13], "%s is refused" % name, answer)
    s = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    s.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
    try:
        plain = s.recv(100)
    except OSError:
        plain = b""
    ok(b"HTTP" not in plain, "no plain HTTP", plain)
    try:
        server.connect(server.context(maximum_version=ssl.TLSVersion.TLSv1_2)).close()
        ok(False, "no TLS 1.2")
    except (ssl.SSLError, OSError):
        ok(True, "no TLS 1.2")
    ok(server.ask("GET", "/v1/health")[0] == 200, "and it goes on serving")


def test_processes(server):
    children = open("/proc/%d/task/%d/children" % (server.process.pid, server.process.pid)).read().split()
    status = dict(line.split(":\t", 1) for line in open("/proc/%s/status" % children[0]) if ":\t" in line)
    caps = [status[k].strip() for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
    ok(len(children) == 1 and status["Uid"].split() == ["65534"] * 4, "the network side is another user", status)
    ok(all(int(c, 16) == 0 for c in caps), "no capability", caps)
    ok(status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1", "filtered, no new privileges")
    ours = dict(line.split(":\t", 1) for line in open("/proc/%d/status" % server.process.pid) if ":\t" in line)
    ok(int(ours["CapEff"], 16) == 0 and ours["Seccomp"].strip() == "2", "so is the side that reaches launchers", ours)
    fds = os.listdir("/proc/%d/fd" % server.process.pid)
    links = [os.readlink("/proc/%d/fd/%s" % (server.process.pid, f)) for f in fds]
    ok(not any("key.pem" in x or "cert.pem" in x for x in links), "which holds no key", links)


def test_limits(folder):
    server = Server(folder, "--rate", "60", "--burst", "3", "--connections", "12", "--timeout", "2")
    codes = [server.ask("GET", "/v1/health", template="/v1/health")[0] for _ in range(6)]
    ok(codes[:3] == [200] * 3 and codes[-1] == 429, "a client that asks too often must wait", codes)
    raw = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(10)]
    time.sleep(0.5)
    closed = sum(1 for s in raw if select.select([s], [], [], 0)[0] and s.recv(1) == b"")
    ok(closed == 2, "at most 8 connections of one client", closed)
    for s in raw:
        s.close()
    time.sleep(1.5)
    ok(server.ask("GET", "/v1/health")[0] == 200, "and when it has waited it is served")
    ok(server.stop() == 0, "SIGTERM ends it with status 0")


def test_clients(folder):
    server = Server(folder, "--client-ca", os.path.join(folder, "cert.pem"))
    try:
        got = server.ask("GET", "/v1/health")
        ok(False, "without a certificate nobody is served", got)
    except (OSError, IndexError, ValueError):
        ok(True, "without a certificate nobody is served")
    context = server.context()
    context.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
    ok(server.ask("GET", "/v1/health", context=context)[0] == 200, "with one of --client-ca, who has it")
    server.stop()


def test_deadline(folder):
    """A connection lives for --timeout and 30 seconds more: too long to wait for; an idle one ends sooner."""
    server = Server(folder, "--timeout", "1")
    s = server.connect()
    s.sendall(b"POST /v1/vms/good/evidence HTTP/1.1\r\n")
    started = time.time()
    try:
        rest = s.recv(100)
    except OSError:
        rest = b""
    ok(time.time() - started < 19 and b"200" not in rest, "half a request is not waited for", rest)
    parent = server.process.pid
    child = open("/proc/%d/task/%d/children" % (parent, parent)).read().split()[0]
    os.kill(parent, signal.SIGKILL)
    server.process.wait(10)
    for _ in range(50):
        if not os.path.exists("/proc/%s" % child):
            break
        time.sleep(0.1)
    ok(not os.path.exists("/proc/%s" % child), "the network side ends with its parent")


def refused(status, text, *options):
    r = subprocess.run([ATTESTD] + list(options), capture_output=True, text=True, timeout=20)
    lines = r.stderr.strip().split("\n")
    ok(r.returncode == status and text in r.stderr and r.stdout == "", "refused with %d: %s" % (status, " ".join(
        os.path.basename(o) for o in options)[:70]), "%d %s" % (r.returncode, lines))


def test_options(folder):
    at = lambda name: os.path.join(folder, name)  # noqa: E731
    other = at("other.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other],
                   check=True, capture_output=True)
    open(at("text"), "w").write("no certificate\n")
    base = ["--cert", at("cert.pem"), "--key", at("key.pem")]
    listen = ["--listen", "127.0.0.1:0"]
    degraded = ["--isolation", "degraded"]
    refused(64, "needs --listen", *base)
    refused(64, "unknown", "--port", "1")
    for bad in ("localhost:1", "127.0.0.1", "::1:8443", ":1", "127.0.0.1:x"):
        refused(64, "--listen", "--listen", bad, *base, *degraded)
    refused(64, "root is what it must not be", *listen, *base, "--user", "root")
    refused(64, "no such user", *listen, *base, "--user", "no-such-user-here")
    refused(64, "at least 1", *listen, *base, "--rate", "0")
    refused(64, "not required or degraded", *listen, *base, "--isolation", "none")
    refused(5, "cannot be opened", *listen, "--cert", at("missing"), "--key", at("key.pem"), *degraded)
    refused(3, "not the key of --cert", *listen, "--cert", at("cert.pem"), "--key", other, *degraded)
    refused(3, "--cert", *listen, "--cert", at("text"), "--key", at("key.pem"), *degraded)
    refused(3, "--client-ca", *listen, *base, *degraded, "--client-ca", at("text"))
    refused(3, "--key", *listen, "--cert", at("cert.pem"), "--key", at("cert.pem"), *degraded)
    refused(3, "collateral", *listen, *base, *degraded, "--collateral", at("text"))
    if not os.path.exists("/sys/fs/selinux/enforce"):
        refused(5, "isolation", *listen, *base)


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP root is needed: attestd gives its rights up itself")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", os.path.join(folder, "key.pem"), "-out", os.path.join(folder, "cert.pem"),
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        run = os.path.join(folder, "run")
        os.mkdir(run)
        guests = {how: Launcher(run, how, how) for how in
                  ("good", "degraded", "busy", "starting", "not-json", "error", "dead", "flood", "huge", "silent")}
        collateral = os.path.join(folder, "collateral.json")
        open(collateral, "w").write('{"kind": "test"}')
        server = Server(folder, "--timeout", "2", "--rate", "60000", "--burst", "1000", "--collateral", collateral)
        ok(server.greeting == "attestd: serving on 127.0.0.1:%d (isolation degraded)\n" % server.port,
           "it says when it serves", server.greeting)
        for test in (lambda: test_evidence(server, guests), lambda: test_guests(server),
                     lambda: test_requests(server), lambda: test_protocol(server), lambda: test_processes(server)):
            test()
        server.stop()
        test_limits(folder)
        test_clients(folder)
        test_deadline(folder)
        test_options(folder)
        promised = {(path, s) for path, p in API["paths"].items() for s in next(iter(p.values()))["responses"]}
        missing = promised - seen - {(p, "500") for p in API["paths"]} - {("/v1/vms/{name}/evidence", "429")}
        ok(not missing and seen <= promised, "openapi.json and the server agree", "%s %s" % (missing, seen - promised))
        if failed:
            print("# " + open(os.path.join(folder, "log")).read()[-2000:].replace("\n", "\n# "))
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())

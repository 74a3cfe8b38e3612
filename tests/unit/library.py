#!/usr/bin/env python3
# budget: 240
"""libpavise-attest as others use it: installed, found by pkg-config, linked shared and static by a
program that knows the public header only (tests/tools/library_user.c). Prints TAP.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PAVISE_BUILD", os.path.join(ROOT, "build"))
HEADER = os.path.join(ROOT, "attest", "pavise-attest.h")
LIB = os.path.join(BUILD, "lib", "libpavise-attest.so.0")
NOW = "1800000000"  # within the validity of the certificates of tests/tools/snp_files
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good and why:
        print("# " + str(why).strip().replace("\n", "\n# "))


def run(*args, **more):
    return subprocess.run(args, capture_output=True, text=True, timeout=120, **more)


def declared():
    with open(HEADER, encoding="utf-8") as f:
        return set(re.findall(r"^[a-z].*?\b(pavise_[a-z_]+)\(", f.read(), re.M))


def symbols():
    r = run("nm", "-D", "--defined-only", LIB)
    seen = {line.split()[2].split("@")[0] for line in r.stdout.splitlines()
            if line.split()[1] == "T"}
    ok(seen == declared() and len(seen) > 15, "what the library shows is what the header declares",
       "%s %s" % (seen ^ declared(), r.stderr))
    r = run("nm", "-g", "--defined-only", os.path.join(BUILD, "lib/static/libpavise-attest.a"))
    seen = {line.split()[2] for line in r.stdout.splitlines() if len(line.split()) == 3}
    ok(seen == declared(), "the static library shows no more", seen ^ declared())
    r = run("nm", "--undefined-only", LIB)
    calls = {line.split()[-1].split("@")[0] for line in r.stdout.splitlines()}
    outside = {"fopen", "open", "open64", "socket", "connect", "system", "popen", "printf", "puts",
               "time", "getenv", "fork", "execve", "exit", "stdout", "stderr", "__printf_chk"}
    ok(not calls & outside, "the library opens, prints and asks for nothing", calls & outside)
    # Without threads' own data or locks: there is nothing to lock.
    r = run("size", "-A", LIB)
    sizes = dict(re.findall(r"^(\.\w+)\s+(\d+)", r.stdout, re.M))
    ok(int(sizes.get(".data", "0")) <= 16 and int(sizes.get(".bss", "0")) <= 16,
       "the library has no state of its own", r.stdout)


def install(folder):
    r = run("make", "-s", "-C", ROOT, "O=" + BUILD, "DESTDIR=" + folder, "PREFIX=/usr", "install")
    there = [os.path.join(folder, "usr", p) for p in (
        "include/pavise-attest.h", "lib/libpavise-attest.so.0", "lib/libpavise-attest.so",
        "lib/libpavise-attest.a", "lib/pkgconfig/pavise-attest.pc")]
    ok(r.returncode == 0 and all(os.path.exists(p) for p in there), "make install",
       r.stdout + r.stderr)


def flags(folder, *more):
    env = {**os.environ, "PKG_CONFIG_PATH": os.path.join(folder, "usr/lib/pkgconfig"),
           "PKG_CONFIG_SYSROOT_DIR": folder, "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1",
           "PKG_CONFIG_ALLOW_SYSTEM_LIBS": "1"}
    r = run("pkg-config", "--cflags", "--libs", *more, "pavise-attest", env=env)
    ok(r.returncode == 0, "pkg-config " + " ".join(more), r.stderr)
    return r.stdout.split()


def users(folder):
    source = os.path.join(ROOT, "tests", "tools", "library_user.c")
    strict = ["cc", "-std=c11", "-Wall", "-Wextra", "-Wstrict-prototypes", "-Werror", "-o"]
    made = []
    for name, how in (("shared", flags(folder)),
                      ("static", ["-Wl,-Bstatic", "-lpavise-attest", "-Wl,-Bdynamic", "-ljansson",
                                  "-lcrypto", "-I" + folder + "/usr/include",
                                  "-L" + folder + "/usr/lib"])):
        path = os.path.join(folder, name)
        r = run(*strict, path, source, *how)
        ok(r.returncode == 0, "a program builds with the public header alone: " + name,
           r.stdout + r.stderr)
        made.append(path)
    with open(os.path.join(folder, "x.cc"), "w", encoding="utf-8") as f:
        f.write("#include <pavise-attest.h>\nint main() { return !pavise_attest_version(); }\n")
    if shutil.which("c++"):
        r = run("c++", "-Wall", "-Werror", "-o", os.path.join(folder, "x"),
                os.path.join(folder, "x.cc"), *flags(folder))
        ok(r.returncode == 0, "and in C++", r.stderr)
    return made


def judge(folder, program):
    guest = os.path.join(folder, "guest")
    env = {**os.environ, "LD_LIBRARY_PATH": os.path.join(folder, "usr/lib")}

    def attempt(policy, *nonce, now=NOW):
        files = [os.path.join(guest, f) for f in ("report.bin", "table.bin", "root.pem")]
        return run(program, *files, policy, now, *nonce, env=env)

    name = os.path.basename(program) + ": "
    r = attempt("recommended")
    start = r.stdout.find("{\n")
    ok(r.returncode == 0 and "\nverdict affirming (simulated or private root; no ref" in r.stdout
       and "refused 9 of 9 wrong calls\n" in r.stdout and "\nall " in r.stdout and
       "\na verifier says the same 3 of 3 times\n" in r.stdout and
       "\ncheck 0 snp.signature: " in r.stdout and "not all" not in r.stdout and
       json.loads(r.stdout[start:])["exit_status"] == 0,
       name + "affirms a report", r.stdout + r.stderr)
    r = attempt("strict", "n" * 32)
    ok(r.returncode == 2 and "\ncheck 1 freshness: " in r.stdout, name + "another nonce", r.stdout)
    r = attempt("none")
    ok(r.returncode == 0 and "\nverdict authentic, not appraised (" in r.stdout,
       name + "policy none", r.stdout)
    r = attempt("none", now="1")
    ok(r.returncode == 4 and "\ncheck 1 snp.validity: " in r.stdout, name + "another time",
       r.stdout)
    digest = '{"format": "pavise-policy", "version": 0, "base": "recommended",' \
             '"snp": {"measurements": ["%s"]}}'
    r = attempt(digest % ("ab" * 48))
    ok(r.returncode == 0 and "\nverdict affirming (simulated or private root)\n" in r.stdout,
       name + "a policy of one's own", r.stdout)
    r = attempt(digest % ("00" * 48))
    ok(r.returncode == 1 and "\ncheck 1 snp.measurement: " in r.stdout,
       name + "another measurement", r.stdout)
    r = attempt(digest % "00")
    ok(r.returncode == 3 and r.stdout.startswith("error 3 policy.snp"),
       name + "a malformed policy", r.stdout)


def main():
    with tempfile.TemporaryDirectory() as folder:
        symbols()
        install(folder)
        os.mkdir(os.path.join(folder, "guest"))
        r = run(os.path.join(BUILD, "tests", "snp_files"), os.path.join(folder, "guest"),
                "00" * 32, "ab" * 48, "0x30000")
        ok(r.returncode == 0, "a guest's files are made", r.stderr)
        for program in users(folder):
            judge(folder, program)
    print("1..%d" % count)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

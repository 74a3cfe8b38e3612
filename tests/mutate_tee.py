#!/usr/bin/env python3
"""mutate_tee.py --accepted FILE --test TEST ... SOURCE ...: would the tests see a wrong launch?

Each SOURCE is changed on a copy, one change at a time, made mechanically from its syntax tree:

  call    a call is deleted: its value becomes zero (calls that only log are left alone)
  swap    two calls of adjacent statements change places
  value   the lowest bit of a constant (literal, macro, enumerator, true, false) is flipped, in
          functions and in tables

The copy is compiled and linked into the TESTs that hold that source, which are run until one fails
or hangs. Before that each TEST runs unchanged, as many at a time as later, and so does a copy of
each SOURCE without a change: where one fails or is slow, everything would be caught, so nothing is
counted. A change that does not compile is none. One that no test sees is a survivor: it counts as
wrong unless FILE lists it with the reason why it changes nothing. A listed one that is caught, or
is not made any more, is wrong as well. --only PATTERN: of all changes those whose name has it.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

LIMIT = 20      # seconds for one program, after which it hangs
CPU_LIMIT = 4   # of the processor's: a busy machine does not make an endless loop of a test
ROUNDS = 3      # of the unchanged tests
PATIENCE = 4    # an unchanged test takes at most this part of LIMIT
LOGS = {"vm_log"}
NO_CHANGE, ALIVE, CAUGHT, HANGS = range(4)
SHOWN = 90  # characters of a change in its name

Edit = collections.namedtuple("Edit", "start end text")
Mutant = collections.namedtuple("Mutant", "name edits")


def shorten(text):
    return re.sub(r"\s+", " ", text.strip())[:SHOWN].rstrip()


class Source:
    """One file, the changes that can be made to it, and how it is built."""

    def __init__(self, path, tests):
        self.path = path
        with open(path, "rb") as f:
            self.text = f.read()
        self.compile, self.links = self.commands(tests)
        self.mutants = []
        self.names = collections.Counter()
        self.current = None  # file of the syntax tree's last location: it is printed on change only
        self.seen = set()

    def commands(self, tests):
        """What make would run if the file were newer: how to compile it, how to link each test."""
        out = subprocess.run(["make", "-n", "-W", self.path, *tests], check=True,
                             capture_output=True, text=True).stdout
        argv = [shlex.split(line) for line in out.splitlines()
                if re.match(r"\S*(gcc|cc|clang)\S* ", line)]
        compile_ = next(a for a in argv if self.path in a)
        links = {a[a.index("-o") + 1]: a for a in argv if "-c" not in a}
        mine = {t: links[t] for t in tests if t in links}
        if not mine:
            sys.exit("mutants: %s: no test holds it" % self.path)
        return compile_, mine

    def add(self, function, kind, text, edits):
        key = "%s:%s %s %s" % (self.path, function, kind, shorten(text))
        self.names[key] += 1
        self.mutants.append(Mutant("%s #%d" % (key, self.names[key]), edits))

    def place(self, node):
        """Where a node lies in the file: (start, end), or None inside a macro's expansion."""
        begin, end = node["range"]["begin"], node["range"]["end"]
        if "offset" not in begin or "offset" not in end:
            return None
        return begin["offset"], end["offset"] + end["tokLen"]

    def slice(self, place):
        return self.text[place[0]:place[1]].decode()

    def follow(self, where):
        """Keeps track of the file that locations are in."""
        for part in (where, where.get("spellingLoc"), where.get("expansionLoc")):
            if part and "file" in part:
                self.current = part["file"]

    def walk(self, node, function=None):
        kind = node.get("kind")
        for where in (node.get("loc"), node.get("range", {}).get("begin"),
                      node.get("range", {}).get("end")):
            if where:
                self.follow(where)
            if where is not node.get("loc"):
                continue
            if kind == "FunctionDecl":
                body = node.get("inner") and node["inner"][-1].get("kind") == "CompoundStmt"
                function = node["name"] if body and self.current == self.path else None
            elif kind == "VarDecl" and function is None and self.current == self.path:
                function = node["name"]  # a table
        if function:
            self.visit(node, function)
        for child in node.get("inner", []):
            self.walk(child, function)

    def visit(self, node, function):
        kind = node.get("kind")
        if kind == "CallExpr":
            self.delete(node, function)
        elif kind == "CompoundStmt":
            calls = [self.only_call(s) for s in node.get("inner", [])]
            for first, second in zip(calls, calls[1:]):
                self.swap(first, second, function)
        elif kind == "IntegerLiteral":
            self.flip(node, function, "(%s ^ 1)")
        elif kind == "DeclRefExpr" and node["referencedDecl"]["kind"] == "EnumConstantDecl":
            self.flip(node, function, "((__typeof__(%s))(%s ^ 1))")

    def callee(self, call):
        node = call["inner"][0]
        while node.get("kind") != "DeclRefExpr" and node.get("inner"):
            node = node["inner"][0]
        return node.get("referencedDecl", {}).get("name", "?")

    def delete(self, call, function):
        place, kind = self.place(call), call["type"]["qualType"]
        a_struct = kind.startswith("struct") and "*" not in kind
        if place is None or self.callee(call) in LOGS or a_struct:
            return
        value = "((void)0)" if kind == "void" else "0"
        self.add(function, "call", self.slice(place), [Edit(*place, value)])

    def only_call(self, node):
        """The call of a statement `call`, `x = call` or `if (…) x = call`; None: it has none."""
        while True:
            kind, inner = node.get("kind"), node.get("inner", [])
            if kind == "CallExpr":
                return node if self.callee(node) not in LOGS else None
            if kind == "IfStmt" and len(inner) == 2:
                node = inner[1]
            elif kind == "BinaryOperator" and node.get("opcode") == "=":
                node = inner[1]
            elif kind in ("ImplicitCastExpr", "CStyleCastExpr", "ParenExpr") and inner:
                node = inner[-1]
            elif kind == "DeclStmt" and len(inner) == 1 and inner[0].get("init"):
                node = inner[0]["inner"][-1]
            else:
                return None

    def swap(self, first, second, function):
        if first is None or second is None:
            return
        a, b = self.place(first), self.place(second)
        if a is None or b is None or self.slice(a) == self.slice(b):
            return
        self.add(function, "swap", "%s <-> %s" % (self.callee(first), self.callee(second)),
                 [Edit(*a, self.slice(b)), Edit(*b, self.slice(a))])

    def flip(self, node, function, form):
        begin = node["range"]["begin"]
        begin = begin.get("expansionLoc", begin)
        place = begin["offset"], begin["offset"] + begin["tokLen"]
        text = self.slice(place)
        if place in self.seen or not re.match(r"([A-Z0-9][A-Za-z0-9_]*|true|false)$", text):
            return
        if re.match(r"\s*\(", self.text[place[1]:place[1] + 8].decode(errors="replace")):
            return  # a macro with arguments: what it is given is changed by itself
        self.seen.add(place)
        line = self.text[self.text.rfind(b"\n", 0, place[0]) + 1:self.text.find(b"\n", place[1])]
        self.add(function, "value", "%s in %s" % (text, shorten(line.decode())),
                 [Edit(*place, form.replace("%s", text))])

    def find(self):
        includes = [a for a in self.compile if a.startswith(("-I", "-D"))]
        tree = subprocess.run(["clang", "-Xclang", "-ast-dump=json", "-fsyntax-only", "-w",
                               "-std=gnu17", *includes, self.path], check=True,
                              capture_output=True).stdout
        self.walk(json.loads(tree))

    def changed(self, mutant):
        text = self.text
        for e in sorted(mutant.edits, reverse=True):
            text = text[:e.start] + e.text.encode() + text[e.end:]
        return text


def run(program):
    """A program's exit status, None when it hangs."""
    child = subprocess.Popen(["prlimit", "--cpu=%d" % CPU_LIMIT, program], start_new_session=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    try:
        code = child.wait(LIMIT)
    except subprocess.TimeoutExpired:
        code = None
    try:
        os.killpg(child.pid, signal.SIGKILL)  # what it left behind as well
    except ProcessLookupError:
        pass
    child.wait()
    return None if code in (-signal.SIGXCPU, -signal.SIGKILL) else code


def time_of(program):
    """How many seconds an unchanged test takes; None: it fails, or has no time to spare."""
    start = time.monotonic()
    code = run(program)
    took = time.monotonic() - start
    if code != 0:
        print("mutants: %s fails without a change (%s)" % (program, code))
    elif took > LIMIT / PATIENCE:
        print("mutants: %s took %.1f s without a change: the machine is too busy" % (program, took))
    return took if code == 0 and took <= LIMIT / PATIENCE else None


def fate(source, mutant, folder):
    """NO_CHANGE (does not compile), ALIVE, CAUGHT or HANGS."""
    copy, obj = os.path.join(folder, "copy.c"), os.path.join(folder, "copy.o")
    program = os.path.join(folder, "test")
    original = source.compile[source.compile.index("-o") + 1]
    with open(copy, "wb") as f:
        f.write(source.changed(mutant))
    argv = [a for a in source.compile if not a.startswith(("-W", "-O", "-MM", "-MP"))]
    argv = [copy if a == source.path else obj if a == original else a for a in argv]
    if subprocess.run([*argv, "-w", "-O1"], capture_output=True, check=False).returncode != 0:
        return NO_CHANGE
    for link in source.links.values():
        argv = [obj if a == original else a for a in link]
        argv[argv.index("-o") + 1] = program
        subprocess.run(argv, check=True, capture_output=True)
        code = run(program)
        if code != 0:
            return HANGS if code is None else CAUGHT
    return ALIVE


def judge(job):
    source, mutant = job
    with tempfile.TemporaryDirectory() as folder:
        return mutant.name, fate(source, mutant, folder)


def accepted(path):
    """Name to reason."""
    with open(path, encoding="utf-8") as f:
        lines = [line.rstrip("\n") for line in f if line.strip() and not line.startswith("#")]
    return dict(line.split("\t", 1) for line in lines)


def try_all(jobs, pool):
    """Name to fate, of the changes that compile."""
    fates = {}
    for number, (name, what) in enumerate(pool.map(judge, jobs), 1):
        if what != NO_CHANGE:
            fates[name] = what
        if number % 50 == 0:
            print("mutants: %d of %d changes tried" % (number, len(jobs)), flush=True)
    return fates


def report(fates, reasons, listed_in):
    """Prints what survived; how much of it is wrong."""
    survivors = [name for name, what in fates.items() if what == ALIVE]
    wrong = 0
    for name in survivors:
        wrong += name not in reasons
        print("survivor: %s\t%s" % (name, reasons.get(name, "NO TEST SEES IT")))
    for name in sorted(set(reasons) - set(survivors)):
        wrong += 1
        print("listed in %s and %s: %s" % (listed_in, "caught" if name in fates else "not made",
                                           name))
    counted = [name for name in fates if fates[name] != ALIVE or name not in reasons]
    caught = [name for name in counted if fates[name] != ALIVE]
    print("mutants: %d more change nothing; %d of the caught hang" %
          (len(fates) - len(counted), sum(what == HANGS for what in fates.values())))
    print("mutants: %d of %d caught" % (len(caught), len(counted)))
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--accepted", required=True)
    parser.add_argument("--test", action="append", required=True)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("sources", nargs="+")
    args = parser.parse_args()
    reasons = {name: why for name, why in accepted(args.accepted).items()
               if name.split(":")[0] in args.sources and re.search(args.only, name)}
    subprocess.run(["make", "--no-print-directory", *args.test], check=True,
                   stdout=subprocess.DEVNULL)
    sources = [Source(path, args.test) for path in args.sources]
    for source in sources:
        source.find()
    jobs = [(s, m) for s in sources for m in s.mutants if re.search(args.only, m.name)]
    if args.list:
        print("\n".join(m.name for _, m in jobs))
        return 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        times = list(pool.map(time_of, args.test * ROUNDS))
        if None in times:
            return 1
        quickest = sorted(args.test, key=lambda test: times[args.test.index(test)])
        for source in sources:
            source.links = {t: source.links[t] for t in quickest if t in source.links}
        for name, what in list(pool.map(judge, [(s, Mutant(s.path, [])) for s in sources])):
            if what != ALIVE:
                print("mutants: a copy of %s without a change does not pass" % name)
                return 1
        fates = try_all(jobs, pool)
    return 1 if report(fates, reasons, args.accepted) else 0


if __name__ == "__main__":
    sys.exit(main())

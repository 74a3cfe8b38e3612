"""CIL read as far as these tests need it: lists with the line they start on, macros expanded.
cil.py base ROOT >FILE: all modules of the base policy below ROOT, without file contexts."""
import bz2
import glob
import re
import sys


class Node(list):
    """A list of words and lists; line: where it starts."""
    line = 0


TOKEN = re.compile(r'[()]|"[^"]*"|[^\s()"]+')


def read(path):
    """The forms of a file."""
    top = Node()
    stack = [top]
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            for token in TOKEN.findall(text.split(";")[0]):
                if token == "(":
                    node = Node()
                    node.line = number
                    stack[-1].append(node)
                    stack.append(node)
                elif token == ")":
                    stack.pop()
                else:
                    stack[-1].append(token)
    if len(stack) != 1:
        raise ValueError(f"{path}: parentheses")
    return top


def text(form):
    """The form as CIL again."""
    return form if isinstance(form, str) else "(" + " ".join(text(f) for f in form) + ")"


def put(form, names):
    """The form with the arguments of a macro's call in it."""
    if isinstance(form, str):
        return names.get(form, form)
    node = Node(put(f, names) for f in form)
    node.line = form.line
    return node


def macros_of(forms):
    return {f[1]: f for f in forms if f[0] == "macro"}


def rules(forms, macros):
    """Every statement as it takes effect: those of macros where they are called, with the line that
    they have in the macro."""
    for form in forms:
        if form[0] == "optional":
            yield from rules(form[2:], macros)
        elif form[0] == "call":
            macro = macros[form[1]]
            names = dict(zip((p[1] for p in macro[2]), form[2] if len(form) > 2 else []))
            yield from rules([put(f, names) for f in macro[3:]], macros)
        elif form[0] != "macro":
            yield form


def print_base(root):
    for path in sorted(glob.glob(f"{root}/var/lib/selinux/default/active/modules/100/*/cil")):
        with open(path, "rb") as file:
            module = file.read()
        if module.startswith(b"BZh"):
            module = bz2.decompress(module)
        for line in module.decode("utf-8").splitlines():
            if not line.lstrip().startswith("(filecon "):
                print(line)


if __name__ == "__main__" and len(sys.argv) == 3 and sys.argv[1] == "base":
    print_base(sys.argv[2])

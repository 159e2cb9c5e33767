"""The documents of the repository: every command line and every block of configuration in them.

A command stands in a fenced block (```sh, ```console), in a block without a language or an indented one where a line
begins with a program, or as `code` within a sentence. In a ```console block "$ " marks the commands; the other lines
are what they print."""

import dataclasses
import os
import re
import shutil
import subprocess

from .harness import ROOT

# It describes earlier versions.
NOT_READ = ("CHANGELOG.md",)

# Programs of others that documents may name, whether or not they are installed here.
OTHERS = {"apt", "apt-get", "certbot", "cmake", "ctest", "dig", "haproxy", "journalctl", "kdig", "logrotate", "nginx", "ninja",
          "openssl", "postconf", "postfix", "postqueue", "postsuper", "python3", "systemctl", "systemd-analyze",
          "systemd-sysusers", "ufw"}
# Commands of srs-relay with verbs of their own, which sentences name without its first word: `queue why`.
GROUPS = ("queue", "srs", "dkim")
ORDERS = ("retry", "hold", "release", "drop", "bounce")  # and these with `all`
SHELLS = ("sh", "bash", "shell", "console")
FENCE = re.compile(r"(?ms)^([ ]*)```(\w*)\n(.*?)^\1```[ ]*$")
CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
HERE_DOCUMENT = re.compile(r"<<-?\s*'?(\w+)'?")


@dataclasses.dataclass(frozen=True)
class Command:
    path: str
    line: int
    text: str
    printed: tuple = ()

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its first line."""
    path: str
    line: int
    language: str
    text: str


def paths():
    """All documents, and the examples of configurations, whose comments name commands."""
    listed = subprocess.run(["git", "ls-files", "*.md", "config/*.toml"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.split() if path not in NOT_READ]


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def blocks_of(path, text):
    return [Block(path, text.count("\n", 0, found.start()) + 2, found[2], found[3]) for found in FENCE.finditer(text)]


def commands_of(path, text):
    """In the order of the document."""
    found = []
    for block in blocks_of(path, text):
        if block.language == "console":
            found += console_commands(block)
        elif block.language in SHELLS:
            found += whole_commands(block.path, block.line, block.text.splitlines())
        elif not block.language:
            found += [Command(path, number, line.strip())
                      for number, line in enumerate(block.text.splitlines(), block.line) if is_command(line)]
    # Fenced blocks are blanked, so that line numbers stay; so are the examples of configurations between comments.
    rest = FENCE.sub(lambda fence: re.sub(r"[^\n]", "", fence[0]), text)
    if path.endswith(".toml"):
        rest = re.sub(r"(?m)^[^#\n]*", "", rest).replace("#", " ")
    else:
        found += [Command(path, number, line.strip()) for number, line in indented(rest) if is_command(line)]
    for code in CODE.finditer(rest):
        command = " ".join(code[1].split())
        if "\n\n" not in code[1] and is_command(command):
            found.append(Command(path, rest.count("\n", 0, code.start()) + 1, command))
    return sorted(found, key=lambda command: command.line)


def indented(text):
    """(number, line) of blocks of code that are indented by four, behind an empty line."""
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        is_code = re.match(r" {4}\S", line) and (not before.strip() or before.startswith("    "))
        if is_code:
            yield number, line
        before = line if is_code or not line.strip() else "text"


def console_commands(block):
    found = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            found.append(Command(block.path, number, line[2:]))
        elif found and line.strip():
            last = found.pop()
            found.append(dataclasses.replace(last, printed=(*last.printed, line.strip())))
    return found


def whole_commands(path, first, lines):
    """A command goes on until the shell has all of it: a loop, a here-document, a line that ends in a backslash."""
    found, part, began = [], [], first
    for number, line in enumerate(lines, first):
        if not part:
            began = number
        part.append(line)
        if is_whole(part):
            text = "\n".join(part)
            if re.sub(r"(?m)^\s*#.*$", "", text).strip():
                found.append(Command(path, began, text))
            part = []
    if part:
        found.append(Command(path, began, "\n".join(part)))
    return found


def is_whole(lines):
    if lines[-1].endswith("\\"):
        return False
    for here in HERE_DOCUMENT.finditer("\n".join(lines)):
        if here[1] not in lines:
            return False
    if len(lines) == 1 and re.fullmatch(r"[\w./ -]*(#.*)?", lines[0]) and not re.match(r"\s*(for|if|while|case)\b", lines[0]):
        return True
    return subprocess.run(["bash", "-n"], input="\n".join(lines), capture_output=True, text=True, check=False).returncode == 0


def is_command(text):
    """Whether a piece of code begins with a program. The name of a program alone is none, except for a script."""
    words = text.split()
    if len(words) > 1 and words[0] == "sudo":
        return True
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    if not words:
        return False
    program = words[0].removeprefix("./")
    if re.fullmatch(r"scripts/[a-z0-9_-]+", program):
        path = os.path.join(ROOT, program)
        return not os.path.exists(path) or os.access(path, os.X_OK)  # else it is a file that scripts read
    if re.fullmatch(r"build/\w+/bin/\w+", program):
        return True
    if len(words) == 1 or words[1] == "=":
        return False
    if program in ("srs-relay", *OTHERS) or program in GROUPS and re.fullmatch("[a-z]+", words[1]):
        return True
    return program in ORDERS and words[1] == "all" or shutil.which(program) is not None

"""Stands in for programs that would build or measure for minutes: checks that their arguments name things
that exist, and does nothing.

cmake and ctest: presets, folders, labels and names of tests; ninja: targets; a test program: the cases of its filter;
python3: arguments of the script or module, names of the tests. The last has a process of its own, and so runs as

  stand_in.py ARGUMENTS of python3 …         exit code 0: the real one would begin"""

import argparse
import contextlib
import fnmatch
import functools
import glob
import io
import json
import os
import re
import runpy
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Names of targets, by the function of CMake that makes them.
MAKERS = {"add_executable": "{}", "add_custom_target": "{}", "relay_test": "{}_test", "relay_fuzz": "fuzz_{}",
          "relay_bench": "{}_bench", "relay_bench_program": "{}"}


class Refused(Exception):
    pass


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


@functools.cache
def lists():
    """(folder, text) of each CMakeLists.txt."""
    return [(os.path.dirname(path), text_of(path)) for base in ("relay", "srs", "tests")
            for path in glob.glob(os.path.join(ROOT, base, "**/CMakeLists.txt"), recursive=True)]


@functools.cache
def targets():
    """name -> folder of its sources."""
    found = {"all": ROOT, "help": ROOT}
    for folder, text in lists():
        for maker, name in re.findall(r"(?m)^\s*(\w+)\(([\w-]+)", text):
            if maker in MAKERS:
                found[MAKERS[maker].format(name)] = folder
    return found


@functools.cache
def labels():
    words = {"unit"}
    for _, text in lists():
        words.update(re.findall(r"(?m)^\s*relay_test\((\w+)", text))
        for some in re.findall(r'LABELS ("[^"]*"|[\w ]+)', text):
            words.update(re.findall(r"\w+", some))
    return words


@functools.cache
def test_names():
    return {name for _, text in lists() for made in re.findall(r"relay_test\((\w+)|add_test\(NAME (\w+)", text)
            for name in made if name}


@functools.cache
def presets(kind):
    return {preset["name"] for preset in json.loads(text_of(os.path.join(ROOT, "CMakePresets.json")))[kind]
            if not preset.get("hidden")}


def expect(name, known, what):
    if name not in known:
        raise Refused(f"{what} {name}: there is none; there are {', '.join(sorted(known))}")


def expect_folder(path):
    """Of a build: build/PRESET."""
    base, name = os.path.split(os.path.normpath(path))
    if base != "build":
        raise Refused(f"{path} is no folder of a preset")
    expect(name, presets("configurePresets"), "preset")


def arguments(words, *options):
    """A parser that takes no more than this; all that it takes twice is a list."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for option in options:
        parser.add_argument(*option[0], **option[1])
    return parser.parse_args(words)


def cmake(words):
    taken = arguments(words, (["--preset"], {}), (["--build"], {"action": "store_true"}), (["--install"], {}))
    if taken.install:
        return expect_folder(taken.install)
    return expect(taken.preset, presets("buildPresets" if taken.build else "configurePresets"), "preset")


def ninja(words):
    taken = arguments(words, (["-C"], {"dest": "folder", "required": True}), (["-t"], {"dest": "tool", "nargs": 2}),
                      (["targets"], {"nargs": "*"}))
    expect_folder(taken.folder)
    known = targets()
    for name in taken.targets:
        expect(name, known, "target")


def ctest(words):
    taken = arguments(words, (["--test-dir"], {}), (["-L"], {"dest": "label"}), (["-LE"], {"dest": "label_not"}),
                      (["-R"], {"dest": "name"}), (["-E"], {"dest": "name_not"}), (["-j"], {"type": int}),
                      (["--output-on-failure"], {"action": "store_true"}))
    if taken.test_dir:
        expect_folder(taken.test_dir)
    if taken.label and not any(re.search(taken.label, label) for label in labels()):
        raise Refused(f"no test has a label {taken.label}")
    if taken.name and not any(re.search(taken.name, name) for name in test_names()):
        raise Refused(f"no test is called {taken.name}")


def program(name, words):
    """One of ours, which was built."""
    known = targets()
    expect(name, known, "program")
    for word in words:
        option, _, value = word.partition("=")
        if option == "--gtest_filter":
            expect_case(value, known[name])
        elif option.startswith("--"):
            sources = glob.glob(os.path.join(known[name], "**/*.cpp"), recursive=True)
            if not any(f'"{option}"' in text_of(path) for path in sources):
                raise Refused(f"{name} knows no {option}")


def expect_case(pattern, folder):
    cases = set()
    for path in glob.glob(os.path.join(folder, "**/*.cpp"), recursive=True):
        cases.update(".".join(found) for found in re.findall(r"\bTEST(?:_F|_P)?\((\w+),\s*(\w+)\)", text_of(path)))
    if not any(fnmatch.fnmatchcase(case, one) for one in pattern.partition("-")[0].split(":") for case in cases):
        raise Refused(f"no case of {os.path.relpath(folder, ROOT)} is called {pattern}")


class Parsed(BaseException):
    """Past everything that catches exceptions."""


def parse_only(path, words):
    """Runs a script of Python until it has looked at its arguments, with all checks of the function that does."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_end(self, *args, **options):
        taken = parse(self, *args, **options)
        caller = sys._getframe(1)
        if caller.f_code.co_name in ("main", "<module>"):
            raise Parsed

        def returned(frame, event, value):
            if frame is caller and event == "return" and value is not None:  # None: by an exception
                sys.setprofile(None)
                raise Parsed

        sys.setprofile(returned)
        return taken

    argparse.ArgumentParser.parse_args = parse_and_end
    sys.argv = [path, *words]
    sys.path.insert(0, os.path.dirname(path))
    try:
        runpy.run_path(path, run_name="__main__")
    except Parsed:
        return
    raise Refused(f"{path} did not look at its arguments")


def python3(words):
    if words[:1] == ["-W"]:
        words = words[2:]
    if words[:1] != ["-m"]:
        return parse_only(os.path.join(ROOT, words[0]), words[1:])
    module, words = words[1], words[2:]
    sys.path.insert(0, ROOT)
    os.chdir(ROOT)
    if module == "unittest":
        import unittest  # here, because nobody else waits for it
        loader = unittest.TestLoader()
        if loader.loadTestsFromNames([word for word in words if word != "-v"]).countTestCases() == 0 or loader.errors:
            raise Refused("".join(loader.errors) or "no tests")
    elif module == "tests.guard":  # it ends what the script begins
        parse_only(os.path.join(ROOT, words[0]), words[1:])
    elif module == "tests.system.demo":
        arguments(words, (["--once"], {"action": "store_true"}))
    elif module == "tests.system":
        for name in (word for word in words if re.fullmatch("[a-z_]+", word)):
            expect(name, {os.path.basename(path)[5:-3] for path in glob.glob("tests/system/test_*.py")}, "module")
        from tests.system import __main__ as modules
        parse_only(modules.__file__, words)
    else:
        raise Refused(f"python3 -m {module} is not known here")


def refusal(name, words):
    """Why a program would not begin with these arguments, or an empty text; not for python3."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            {"cmake": cmake, "ninja": ninja, "ctest": ctest}.get(name, functools.partial(program, name))(words)
    except Refused as why:
        return f"{name}: {why}"
    except SystemExit:  # of the parser of arguments
        return said.getvalue()
    return ""


if __name__ == "__main__":
    try:
        python3(sys.argv[1:])
    except Refused as refused:
        sys.exit(f"python3: {refused}")

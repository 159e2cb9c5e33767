"""Every command in the documents is run, and every block of configuration is checked.

A command that nothing here knows is a failure: it is in no list, or it is mistyped. What the documents leave to the
reader (`ID`, `FILE`, a path below /etc) is filled in by `FILLED_IN` of documents_world.py; all else is run as it is
written, in a folder of rehearsal.py. Campaigns, benchmarks and builds only look at their arguments; `SLICES` says where
CI runs them in a small size, and `NOT_HERE` and `NOT_IN_CI` what does not run at all, and why."""

import json
import os
import re
import socket
import tomllib
import unittest

from . import documents
from .documents_world import SRS, World
from .harness import Relay
from .rehearsal import NOT_HERE, NOT_IN_CI, SLICES


# One command each, and each of them wrong.
MADE_UP = (
    "Say `srs-relay frobnicate now`.",
    "Say\n`srs-relay\nqueue why --loud 01JD7Z`.",
    "`queue frobnicate all`",
    "`srs-relay queue why 01AAAAAAAA`",
    "`srs-relay resolve nobody@example.org`",
    "`srs-relay queue hold all`",
    "`hold all --now`",
    "`scripts/frobnicate`",
    "`scripts/campaign kill --dead 5`",
    "`scripts/campaign frobnicate`",
    "`scripts/bench growth odours`",
    "`scripts/bench compare`",
    "`scripts/fuzz dots --tme 10`",
    "`scripts/demo --twice`",
    "`build/dev/bin/frobnicate_test`",
    "`build/dev/bin/base_test --gtest_filter=Frob.*`",
    "`build/release/bin/simulate --wolds 1`",
    "`ctest -L frobnication`",
    "`cmake --preset frobnicate`",
    "`ninja -C build/dev frobnicate_test`",
    "`python3 -m tests.system frobnicate`",
    "`/usr/bin/python3 -m unittest tests.system.test_forward.Forwarding.test_nothing`",
    "`certbot renew --quiet`",
    "`sudo frobnicate --all`",
    "`grep root /etc/passwd`",
    "`sudo tee /srv/frobnicate`",
    "```sh\nfrobnicate\n```",
    "```\npostfix reload\n```",
    "Text.\n\n    srs-relay frobnicate now\n",
    "```sh\nfor a in 1; do\n  srs-relay frobnicate $a\ndone\n```",
    "```console\n$ srs-relay --version\nversion of another program\n```",
)
RIGHT = (
    "`scripts/fuzz dots --time 10`",
    "`status`, `[srs] domain`, `file = \"x\"`, `srs-relay.socket`, `scripts/release-names`",
    "```toml\nsrs-relay = 1\n```",
    "```console\n$ srs-relay queue show 01JD7Z\nFrom: ann@sender.example\n```",
)


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(cls)
        cls.all = [command for path in documents.paths() for command in documents.commands_of(path, documents.text_of(path))]

    def test_every_command_of_the_documents_is_done(self):
        commands = {}
        for command in self.all:
            commands.setdefault(command.text if "\n" in command.text else re.sub(r"\s+#.*", "", command.text), command)
        self.assertGreater(len(commands), 80)
        # README and deploy.md together are a first installation.
        first = ("README.md", "docs/deploy.md")
        for command in sorted(commands.values(), key=lambda command: command.path not in first):
            with self.subTest(str(command)):
                self.assertEqual(self.world.fault_of(command), "")
        self.assert_installed()
        # An entry for a command that no document names would hide a missing one.
        noted = {line.partition(" ")[0] for line in self.world.rehearsal.only_noted()}
        self.assertEqual(noted, set(NOT_HERE))

    def assert_installed(self):
        """The files that the commands of README and deploy.md have made."""
        etc = os.path.join(self.world.folder, "etc/srs-relay")
        self.assertTrue(os.path.exists(os.path.join(etc, "srs-relay.toml")))
        for name, mode in (("secrets", 0o750), ("secrets/srs-2026b", 0o600), ("secrets/dkim-rsa.pem", 0o600),
                           ("secrets/dkim-ed25519.pem", 0o600), ("tls", 0o750), ("tls/privkey.pem", 0o640)):
            self.assertEqual(oct(os.stat(os.path.join(etc, name)).st_mode & 0o777), oct(mode), name)

    def test_ci_runs_what_only_looks_at_its_arguments(self):
        named = {" ".join(found) for command in self.all
                 for found in re.findall(r"(scripts/(?:campaign|bench))(?: --\w+ \S+)* ([a-z][a-z0-9-]*)", command.text)}
        named |= {found for command in self.all for found in re.findall(r"scripts/[a-z-]+", command.text)}
        for name in sorted(named - {"scripts/campaign", "scripts/bench"}):
            with self.subTest(name):
                path, words = SLICES.get(name, ("", ""))
                reason = NOT_IN_CI.get(name) or NOT_IN_CI.get(name.partition(" ")[0])
                self.assertTrue(path or reason, "neither in SLICES nor in NOT_IN_CI")
                self.assertIn(words, path and documents.text_of(path))
        self.assertEqual(set(SLICES) - named, set(), "no document names it")

    def test_words_that_select_mail_are_understood(self):
        section = documents.text_of("docs/queue.md").partition("## Which copies")[2].partition("\n## ")[0]
        cells = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
        words = [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]
        self.assertGreater(len(words), 15)
        usual = {"-KEY:VALUE": "-to:gmail.example"}
        for word in words:
            with self.subTest(word):
                listed = self.world.relay.cli("queue", "list", *usual.get(word, word).split())
                self.assertIn(listed.returncode, (0, 5), listed.stderr)
        self.assertEqual(self.world.relay.cli("queue", "list", "too:gmail.example").returncode, 2)

    def test_options_of_the_verbs_are_theirs(self):
        rows = re.findall(r"(?m)^\| `(\w+)` \| (.*)$", documents.text_of("docs/queue.md").partition("\n## ")[0])
        options = [(verb, option) for verb, does in rows for option in re.findall(r"`(--\w+)", does)]
        self.assertGreater(len(options), 6)
        for verb, option in [*options, ("list", "--frobnicate")]:
            with self.subTest(verb=verb, option=option):
                helped = self.world.relay.cli("queue", verb, "--help", check=True).stdout
                self.assertEqual(f" {option} " in helped, option != "--frobnicate")

    def test_a_request_to_the_control_socket_is_answered(self):
        text = documents.text_of("docs/queue.md").partition("## On the control socket")[2]
        requests = re.findall(r'`(\{"v":1,"verb":[^`]*\})`', text)
        self.assertEqual(len(requests), 1)
        end = re.search(r'until `(\{"v":1,"exit":0\})`', text)[1]
        for request, is_right in ((requests[0], True), (requests[0].replace("queue.list", "queue.frobnicate"), False)):
            with self.subTest(request), socket.socket(socket.AF_UNIX) as control, control.makefile("r", encoding="utf-8") as answer:
                control.settimeout(20)
                control.connect(self.world.relay.path("control.sock"))
                control.sendall(request.encode() + b"\n")
                said = [json.loads(line) for line in answer]
                self.assertEqual(said[-1] == json.loads(end), is_right, said)

    def faults_of(self, text, path="made up"):
        found = documents.commands_of(path, text)
        return found, [fault for fault in map(self.world.fault_of, found) if fault]

    def test_what_is_made_up_is_noticed(self):
        for text in MADE_UP:
            with self.subTest(text):
                found, faults = self.faults_of(text)
                self.assertEqual((len(found), len(faults)), (1, 1), (found, faults))

    def test_what_is_right_is_not(self):
        for text in RIGHT:
            with self.subTest(text):
                self.assertEqual(self.faults_of(text)[1], [])


class Configurations(unittest.TestCase):
    """Blocks of configuration, each in a configuration that has what it leaves out."""

    @classmethod
    def setUpClass(cls):
        aliases = {"info": "me@mail.example"}
        cls.relay = Relay(1, hostname="mx1.relay.example", domain="example.org", srs=SRS, aliases=aliases, tls=True)
        cls.addClassCleanup(cls.relay.remove)

    def complaints(self, text):
        relay = self.relay
        relay.config = {}
        text = text.replace("/etc/srs-relay/secrets", relay.folder).replace("10.0.0.5", "127.0.0.1")  # an address of this host
        for name in re.findall(re.escape(relay.folder) + r"/([\w-]+)", text):
            with open(os.open(relay.path(name), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
                f.write("q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua")
        relay.configure(**tomllib.loads(text))
        checked = relay.cli("check")
        return "" if checked.returncode == 0 else checked.stderr

    def test_every_block_passes_the_check(self):
        seen = 0
        for path in documents.paths():
            before = ""
            for block in documents.blocks_of(path, documents.text_of(path)):
                if block.language != "toml" or path == "README.md":  # which test_check.py checks as it is
                    continue
                with self.subTest(f"{path}:{block.line}"):
                    # One that begins with a key goes on where the last one ended.
                    whole = block.text if re.match(r"\s*(#|\[)", block.text) else before + block.text
                    self.assertEqual(self.complaints(whole), "")
                before, seen = block.text, seen + 1
        self.assertGreater(seen, 4)

    def test_a_mistake_is_noticed(self):
        self.assertIn("proxi", self.complaints('[[listener]]\naddress = ["10.0.0.5:25"]\nproxi = ["10.0.0.0/28"]\n'))


if __name__ == "__main__":
    unittest.main()

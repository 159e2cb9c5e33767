"""`check` and `serve` agree: an error of one is an error of the other, and everything else is a warning in
`check`, `status`, `reload` and the log."""

import contextlib
import datetime
import json
import os
import pwd
import re
import shutil
import sqlite3
import subprocess
import unittest

from .harness import BINARY, MESSAGE, ROOT, Relay, Sink, scratch_folder, wait_for


def write(relay, name, text, mode=0o600):
    path = relay.path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w" if isinstance(text, str) else "wb") as f:
        f.write(text)
    os.chmod(path, mode)


def tables(**changes):
    """These, merged into the configuration."""
    return lambda relay: relay.configure(**changes)


def domains(*more):
    """Those that are there, and more."""
    return lambda relay: relay.configure(domain=relay.settings()["domain"] + list(more))


def append(relay, text):
    with open(relay.path("relay.toml"), "a", encoding="utf-8") as f:
        f.write("\n" + text)


def make_certificate(relay, name, host, date=None, days=90):
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj",
               "/CN=" + host, "-keyout", relay.path(name + ".key"), "-out", relay.path(name + ".crt")]
    subprocess.run((["faketime", date] if date else []) + command, check=True, capture_output=True)
    os.chmod(relay.path(name + ".key"), 0o600)


def own_certificate(host, date=None):
    def change(relay):
        make_certificate(relay, "tls", host, date)
    return change


def ec_key(relay):
    pem = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                         check=True, capture_output=True).stdout
    write(relay, "rsa.pem", pem)


def other_key(relay):
    make_certificate(relay, "other", relay.hostname)
    shutil.copy(relay.path("other.key"), relay.path("tls.key"))


def queue_folder(mode):
    def change(relay):
        os.mkdir(relay.path("queue"))
        os.chmod(relay.path("queue"), mode)
    return change


def aliases(**more):
    """Besides those that are there."""
    def change(relay):
        relay.aliases.update(more)
        relay.write_config()
    return change


def alias_map(source):
    """One that the domain has beside its aliases."""
    def change(relay):
        domain, = relay.settings()["domain"]
        relay.configure(domain=[{**domain, "aliases": [source]}])
    return change


def alias_file(content):
    return several(lambda relay: write(relay, "aliases", content), alias_map("file:aliases"))


def several(*changes):
    def change(relay):
        for one in changes:
            one(relay)
    return change


def newer_queue(relay):
    os.makedirs(relay.path("queue"), mode=0o700, exist_ok=True)
    os.chmod(relay.path("queue"), 0o700)
    with contextlib.closing(sqlite3.connect(relay.path("queue/queue.db"))) as queue:
        queue.execute("PRAGMA user_version = 9999")
    os.chmod(relay.path("queue/queue.db"), 0o600)


# Faults that a start refuses: (name, changes, words of the reason).
REFUSED = [
    ("a key that is not known", tables(queue2={}), "unknown key"),
    ("no TOML", lambda r: append(r, "[[["), "error"),
    ("TLS key of another certificate", other_key, "tls.key"),
    ("garbage as certificate", lambda r: write(r, "tls.crt", "x"), "no usable certificate chain"),
    ("garbage as TLS key", lambda r: write(r, "tls.key", "x"), "no usable private key"),
    ("TLS key that others can read", lambda r: os.chmod(r.path("tls.key"), 0o644), "mode 0644"),
    ("garbage as DKIM key", lambda r: write(r, "rsa.pem", "x"), "not an unencrypted private key"),
    ("DKIM key of another kind", ec_key, "neither an RSA nor an Ed25519 key"),
    ("DKIM key that is not there", lambda r: os.remove(r.path("rsa.pem")), "No such file"),
    ("garbage as ARC key", several(lambda r: write(r, "arc.pem", "x"),
                                   tables(arc={"domain": "relay.test", "selector": "a", "file": "arc.pem"})), "arc: "),
    ("a weak SRS secret", lambda r: write(r, "srs.key", "secretsecretsecret"), "sample value"),
    ("no SRS secret", lambda r: os.remove(r.path("srs.key")), "No such file"),
    ("aliases in a circle", aliases(a="b@fwd.test", b="a@fwd.test"), "leads back to itself"),
    ("a bad pattern", domains({"name": "x.test", "pattern": [{"match": "(", "to": "a@b.test"}]}), "regular expression"),
    ("a Postfix map", alias_file("info@fwd.test me@dest.test\n"), "write `info: me@dest.test` instead"),
    ("a Postfix map by its kind", alias_map("hash:/etc/postfix/virtual"), "a Postfix map; name a text file"),
    ("a compiled map", alias_file(b"\x00\x06\x15\x61"), "not a text file"),
    ("authorities that are none", several(lambda r: write(r, "ca.pem", "x"), tables(outbound={"ca_file": "ca.pem"})),
     "no usable certificate authorities"),
    ("authorities that are not there", tables(outbound={"ca_file": "ca.pem"}), "ca.pem"),
    ("no trust anchor", tables(dns={"trust_anchor": "root.key"}), "root.key"),
    ("a queue folder of others", queue_folder(0o777), "can be written to by others"),
    ("a queue folder in none", tables(queue={"store": "sqlite:no/such/queue.db"}), "cannot make"),
    ("a queue that is none", lambda r: write(r, "queue/queue.db", "x" * 5000), "file is not a database"),
    ("a short queue that is none", lambda r: write(r, "queue/queue.db", "x"), "file is not a database"),
    ("a queue of a newer program", newer_queue, "it was written by a newer srs-relay"),
    ("a store that is not known", tables(queue={"store": "postgres://db.test/queue"}),
     'queue.store: takes a URL of sqlite, not of "postgres"'),
    ("a file with a host", tables(queue={"store": "sqlite://queue/queue.db"}), 'has no host "queue"'),
    ("a folder as queue", tables(queue={"store": "sqlite:queue/"}), "cannot open"),
    ("a log file that is a folder", several(lambda r: os.mkdir(r.path("logs")), tables(log={"file": "logs"})), "log"),
    ("a log file below a file", tables(log={"file": "srs.key/log"}), "log"),
    ("a control socket in none", tables(control={"socket": "no/such/control.sock"}), "control socket"),
    ("a control socket that is a file", lambda r: write(r, "control.sock", "x"), "is not a socket"),
    ("a control socket with too long a name", tables(control={"socket": "x" * 200}), "too long"),
    ("an address of another host", lambda r: r.configure(listener=[{"address": f"192.0.2.1:{r.port}"}]),
     "cannot listen on 192.0.2.1"),
    ("[rewrite] in a hosted organisation", tables(rewrite={"domain": "x.fwd.test"}), "rewrite"),
]

# Configurations that start: (name, changes, words of the warning).
WARNED = [
    ("an expired certificate", own_certificate("mx.fwd.test", "2020-01-01"), "tls.crt expired on 2020-03-31"),
    ("a certificate of tomorrow", own_certificate("mx.fwd.test", "2099-01-01"), "is not valid before 2099"),
    ("a certificate of another name", own_certificate("www.fwd.test"), "is for www.fwd.test, not for mx.fwd.test"),
    ("Ed25519 alone", tables(dkim=[{"domain": "relay.test", "keys": [
        {"selector": name, "file": "ed25519.pem"} for name in ("ed25519", "e2")]}]), "Ed25519 alone"),
    ("a folder of others", lambda r: os.chmod(r.folder, 0o777), "has mode 0777"),
    ("a host name of nobody", tables(hostname="localhost"), "nobody can look up localhost"),
    ("a tag that nothing has", tables(defaults={"tag": "@"}), 'no name has "@" in it'),
    ("two sources of a family", tables(outbound={"source": ["127.0.0.1", "127.0.0.2"]}),
     "nothing leaves from 127.0.0.1"),
    ("an SRS domain of a customer", tables(srs={"domain": "srs.fwd.test"}), "the organisation of fwd.test"),
    ("an include without a file", tables(include=["conf.d/typo.toml", "conf.d/*.toml"]),
     "include: there is no conf.d/typo.toml"),
    ("an alias file with a mark", alias_file("\ufeffinfo: me@dest.test\n"), "byte order mark"),
    ("a key with a domain", aliases(**{"info@fwd.test": "me@dest.test"}), 'write what stands before the @'),
    ("an alias twice", alias_file("user: me@dest.test\n"), 'alias "user"@fwd.test is not used'),
    ("a target that is not there", aliases(team=["a@dest.test", "usre@fwd.test"]), "did you mean user@fwd.test?"),
    ("a catch-all that goes round", aliases(**{"*": "all@fwd.test"}), "which goes round: 550 5.4.6"),
    ("a target here", aliases(here="me@mx.fwd.test"), "leads back to this host"),
    ("a group that is not there", domains({"name": "x.test", "pattern": [{"match": "(.*)-x", "to": "a+${n}@dest.test"}]}),
     'no group "n"'),
    ("a domain mapped to itself", domains({"name": "x.test", "map_to": "x.test"}), "x.test is mapped to x.test"),
]


class Agreement(unittest.TestCase):
    def relay(self, change):
        relay = Relay(1, tls=True)
        self.addCleanup(relay.remove)
        change(relay)
        return relay

    def starts(self, relay):
        """True when it does; its reason otherwise."""
        try:
            relay.start()
        except AssertionError as refused:
            return str(refused)
        self.assertEqual(relay.stop(), 0)
        return True

    def test_what_a_start_refuses_is_an_error(self):
        for name, change, words in REFUSED:
            with self.subTest(name):
                relay = self.relay(change)
                checked = relay.cli("check")
                self.assertEqual(checked.returncode, 1, checked.stderr)
                self.assertIn(words, checked.stderr)
                self.assertRegex(checked.stdout, r"^[1-9]\d* error")
                why = self.starts(relay)
                self.assertIsNot(why, True, "check refuses it, and it starts")
                self.assertIn(words, why)

    def test_everything_else_is_a_warning(self):
        for name, change, words in WARNED:
            with self.subTest(name):
                relay = self.relay(change)
                checked = relay.cli("check")
                self.assertEqual(checked.returncode, 0, checked.stderr)
                self.assertIn(words, checked.stderr)
                self.assertIn("warning[", checked.stderr)
                self.assertNotIn("error[", checked.stderr)
                self.assertEqual(relay.cli("check", "--strict").returncode, 1)
                found = [json.loads(line) for line in relay.cli("--json", "check").stdout.splitlines()]
                self.assertEqual({f["severity"] for f in found[:-1]}, {"warning"})
                self.assertTrue(any(words in f["text"] + f.get("hint", "") for f in found[:-1]), found)
                self.assertEqual(found[-1]["errors"], 0)
                self.assertEqual(found[-1]["warnings"], len(found) - 1)
                self.assertIs(self.starts(relay), True, "check passes it, and it does not start")

    def test_every_mistake_is_told_in_one_run(self):
        relay = self.relay(several(lambda r: write(r, "tls.crt", "x"), lambda r: write(r, "ca.pem", "x"),
                                   tables(outbound={"ca_file": "ca.pem"}), aliases(team="usre@fwd.test")))
        said = relay.cli("check").stderr
        for words in ("no usable certificate chain", "no usable certificate authorities", "leads to usre@fwd.test"):
            self.assertIn(words, said)

    def test_problems_stand_where_they_are(self):
        relay = self.relay(lambda r: write(r, "rsa.pem", "x"))
        said = relay.cli("check").stderr
        self.assertRegex(said, r"relay\.toml:\d+:\d+: error\[E040\]: dkim\.keys\.file: .*rsa\.pem: not an "
                               r"unencrypted private key in PEM form\n +\d+ \| file = \"rsa\.pem\"\n")
        self.assertIn("`srs-relay dkim new` makes one", said)

    def test_an_unknown_store_is_told_at_its_name(self):
        said = self.relay(tables(queue={"store": "postgres://db.test/queue"})).cli("check").stderr
        self.assertRegex(said, r'relay\.toml:\d+:9: error\[E011\]: queue\.store: takes a URL of sqlite, not of "postgres"\n'
                               r' +\d+ \| store = "postgres://db\.test/queue"\n +\| {9}\^')


class WhileItRuns(unittest.TestCase):
    def relay(self, **options):
        relay = Relay(1, tls=True, config={"defaults": {"postmaster": "ops@dest.test"}}, **options)
        self.addCleanup(relay.remove)
        return relay

    def warnings(self, relay):
        return json.loads(relay.cli("--json", "status").stdout)["warnings"]

    def test_check_passes_beside_the_daemon(self):
        relay = self.relay().start()
        checked = relay.cli("check", "--strict")
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        self.assertEqual(self.warnings(relay), [])
        self.assertNotIn("warning", relay.cli("status").stdout)

    def test_warnings_stand_in_status_log_and_reload(self):
        relay = self.relay()
        aliases(team=["a@dest.test", "usre@fwd.test"])(relay)
        relay.start()
        words = "team@fwd.test leads to usre@fwd.test, which takes no mail"
        wait_for(lambda: self.warnings(relay), what="the review")
        warning, = self.warnings(relay)
        self.assertIn(words, warning["text"])
        self.assertEqual((warning["check"], warning["hint"]), ("alias-target", "did you mean user@fwd.test?"))
        self.assertTrue(warning["file"].endswith("relay.toml") and warning["line"] > 0)
        self.assertRegex(relay.cli("status").stdout, r"(?m)^warning .*relay\.toml:\d+:\d+: " + words)
        logged, = relay.events("config_warning")
        self.assertIn(words, logged["problem"])
        reloaded = relay.cli("reload")
        self.assertEqual(reloaded.returncode, 0)
        self.assertIn(words, reloaded.stdout)
        self.assertTrue(reloaded.stdout.endswith("applied\n"))
        aliases(team=["a@dest.test", "user@fwd.test"])(relay)
        self.assertNotIn("warning", relay.cli("reload").stdout)
        self.assertEqual(self.warnings(relay), [])

    def test_a_certificate_that_is_renewed_is_not_warned_of_any_more(self):
        relay = self.relay()
        make_certificate(relay, "tls", relay.hostname, "2020-01-01")
        relay.start()
        self.assertIn("expired on 2020-03-31", self.warnings(relay)[0]["text"])
        make_certificate(relay, "tls", relay.hostname)
        self.assertIn("expired on", self.warnings(relay)[0]["text"])  # the old one is in use
        self.assertNotIn("expired", relay.cli("reload").stdout)
        self.assertEqual(self.warnings(relay), [])

    def test_a_reload_refuses_what_a_start_refuses(self):
        relay = self.relay().start()
        other_key(relay)
        refused = relay.cli("reload")
        self.assertEqual(refused.returncode, 4)
        self.assertIn("tls.key", refused.stderr + refused.stdout)
        self.assertEqual(relay.stop(), 0)


class Secrets(unittest.TestCase):
    def test_a_secret_that_is_gone_is_missed_until_it_is_back(self):
        sink = Sink().start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port)
        self.addCleanup(relay.remove)
        relay.start()
        relay.send(MESSAGE)
        wait_for(lambda: sink.messages, what="delivery")
        memory = relay.path("queue/srs-secrets")
        wait_for(lambda: os.path.exists(memory), what="the memory of secrets")
        self.assertEqual(os.stat(memory).st_mode & 0o777, 0o600)
        with open(relay.path("srs.key"), encoding="ascii") as f:
            secret = f.read()
        with open(memory, encoding="utf-8") as f:
            self.assertNotIn(secret, f.read())
        relay.stop()

        # A rotation that forgets the old one.
        write(relay, "new.key", "q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua")
        relay.configure(srs={"secret": [{"id": "n", "file": "new.key"}]})
        for _ in range(2):  # and not only at the first start without it
            checked = relay.cli("check")
            self.assertEqual(checked.returncode, 0)
            self.assertIn('secret "k" was valid at the last start and is gone', checked.stderr)
            relay.start()
            wait_for(lambda: "is gone" in relay.cli("status").stdout, what="the review")
            relay.stop()
        bounced_to = sink.messages[0].mail_from
        self.assertNotEqual(relay.cli("srs", "decode", bounced_to).returncode, 0)

        until = datetime.date.fromisoformat(re.search(r"verify_until = (\d{4}-\d\d-\d\d)", checked.stderr).group(1))
        relay.configure(srs={"secret": [{"id": "n", "file": "new.key"},
                                        {"id": "k", "file": "srs.key", "verify_until": until}]})
        self.assertNotIn("is gone", relay.cli("check").stderr)
        self.assertEqual(relay.cli("srs", "decode", bounced_to).returncode, 0)

    def test_a_reload_tells_as_well(self):
        relay = Relay(1)
        self.addCleanup(relay.remove)
        relay.start()
        wait_for(lambda: os.path.exists(relay.path("queue/srs-secrets")), what="the memory of secrets")
        write(relay, "srs.key", "q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua")
        self.assertIn("has other content now", relay.cli("reload").stdout)


@unittest.skipIf(os.getuid() != 0, "needs root")
class AsRoot(unittest.TestCase):
    def test_files_that_the_service_cannot_read_are_named(self):
        relay = Relay(1)
        self.addCleanup(relay.remove)
        nobody = pwd.getpwnam("nobody")
        os.mkdir(relay.path("queue"), 0o700)
        os.chmod(relay.folder, 0o755)
        for name in ("queue", "srs.key", "rsa.pem"):
            os.chown(relay.path(name), nobody.pw_uid, nobody.pw_gid)
        os.chown(relay.path("ed25519.pem"), 0, nobody.pw_gid)
        os.chmod(relay.path("ed25519.pem"), 0o640)
        self.assertNotIn("cannot read", relay.cli("check").stderr)
        os.chown(relay.path("rsa.pem"), 0, 0)
        checked = relay.cli("check")
        self.assertEqual(checked.returncode, 0)
        self.assertRegex(checked.stderr, r"relay\.toml:\d+:\d+: warning\[E050\]: nobody, whom the service runs as, "
                                         r"cannot read .*/rsa\.pem: Permission denied")
        # They print the same as for an error of their own.
        as_nobody = subprocess.run([BINARY, "-c", relay.path("relay.toml"), "check"], capture_output=True,
                                   text=True, user="nobody", group=nobody.pw_gid, extra_groups=[])
        if "cannot execute" not in as_nobody.stderr:
            self.assertEqual(as_nobody.returncode, 1)
            self.assertIn("cannot read", as_nobody.stderr)


class InTheDns(unittest.TestCase):
    def test_targets_elsewhere_and_records_of_ours_are_asked_for(self):
        # Not below .test, which libunbound knows not to be there.
        from .nameserver import Nameserver
        dns = Nameserver({"good.example": ["@ 60 IN MX 10 mx", "mx 60 IN A 192.0.2.7"],
                          "null.example": ["@ 60 IN MX 0 ."],
                          "ours.example": ["@ 60 IN MX 10 mx.fwd.test."],
                          "relay.example": ["@ 60 IN MX 10 mx.fwd.test.", '@ 60 IN TXT "v=spf1 mx -all"'],
                          ".": ["keep 60 IN A 192.0.2.1"]}).start()
        self.addCleanup(dns.stop)
        relay = Relay(1, srs="relay.example", config={"route": [{"match": "routed.example", "via": ["smtp://192.0.2.9:25"]}]},
                      aliases={"a": "me@good.example", "b": "me@null.example", "c": "me@ours.example", "d": "me@gone.example",
                               "e": "me@routed.example"},
                      dns=dns.port)
        self.addCleanup(relay.remove)
        self.assertNotIn("leads to", relay.cli("check").stderr)
        checked = relay.cli("check", "--dns")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        for words in ("b@fwd.test leads to null.example: mail for it fails",
                      "c@fwd.test leads to ours.example: mail for it fails, as mail for ours.example loops back to this host",
                      "d@fwd.test leads to gone.example: mail for it fails",
                      "dkim: rsa._domainkey.relay.example is not in the DNS"):
            self.assertIn(words, checked.stderr)
        for words in ("good.example:", "routed.example:", "no usable MX"):
            self.assertNotIn(words, checked.stderr)


class Documents(unittest.TestCase):
    def test_nothing_speaks_against_the_configuration_of_the_readme(self):
        folder = scratch_folder(self)
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
            text = "\n".join(re.findall(r"```toml\n(.*?)```", f.read(), re.S))
        self.assertIn("[[dkim]]", text)
        self.assertIn("[tls]", text)
        for name in ("secrets", "tls"):
            os.mkdir(os.path.join(folder, name), 0o700)
        text = text.replace("/etc/srs-relay", folder)
        hostname = re.search(r'hostname = "(.*)"', text).group(1)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", "/CN=" + hostname,
                        "-keyout", f"{folder}/tls/privkey.pem", "-out", f"{folder}/tls/fullchain.pem"],
                       check=True, capture_output=True)
        os.chmod(f"{folder}/tls/privkey.pem", 0o600)
        with open(os.path.join(folder, "relay.toml"), "w", encoding="utf-8") as f:
            f.write(text + f'[queue]\nstore = "sqlite:{folder}/queue.db"\n[control]\nsocket = "{folder}/sock"\n')
        with open(os.open(folder + "/secrets/srs-2026b", os.O_WRONLY | os.O_CREAT, 0o600), "w",
                  encoding="ascii") as f:
            f.write("q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua")
        for kind in ("rsa", "ed25519"):
            subprocess.run([BINARY, "dkim", "new", "--domain", "srs.relay.example", "--selector", kind, "--type", kind,
                            "--out", f"{folder}/secrets/dkim-{kind}.pem"], check=True, capture_output=True)
        checked = subprocess.run([BINARY, "check", "--strict", folder + "/relay.toml"], capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stderr, checked.stdout), (0, "", "0 errors, 0 warnings\n"))


class HugeFiles(unittest.TestCase):
    def test_a_million_aliases_are_checked_in_seconds(self):
        relay = Relay(1)
        self.addCleanup(relay.remove)
        alias_file("".join(f"name{i}: someone{i}@mail{i % 100}.test\n" for i in range(1_000_000)))(relay)
        self.assertEqual(relay.cli("check").returncode, 0)  # its patience is a minute

    def test_a_million_mistakes_are_counted(self):
        relay = Relay(1)
        self.addCleanup(relay.remove)
        alias_file("".join(f"name{i} someone{i}@mail.test\n" for i in range(1_000_000)))(relay)
        checked = relay.cli("check")
        self.assertEqual(checked.returncode, 1)
        self.assertLess(len(checked.stderr), 1 << 20)
        self.assertIn("999000 more of what is wrong is not shown", checked.stderr)


if __name__ == "__main__":
    unittest.main()

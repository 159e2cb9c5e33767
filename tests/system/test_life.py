"""The life of a running relay: reloads, output for the operator, the end."""

import json
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import threading
import time
import unittest

from . import toml
from .control import ask, status
from .harness import BINARY, MESSAGE, Relay, Sink, changed_by_sanitizers, free_port, scratch_folder, wait_for


def many_aliases(relay, count):
    """A file that takes a while to read."""
    with open(relay.path("many.aliases"), "w", encoding="ascii") as f:
        f.writelines(f"alias{n}: target{n}@dest.test\n" for n in range(count))
    relay.config["domain"] = [{"name": relay.domain, "aliases": ["file:many.aliases"], "alias": relay.aliases}]


def session(port):
    s = smtplib.SMTP("127.0.0.1", port, timeout=10)
    s.ehlo("c.test")
    return s


def accepts(port):
    try:
        session(port).quit()
        return True
    except OSError:
        return False


class Running(unittest.TestCase):
    config = {}
    tls = False

    def setUp(self):
        self.sink = Sink().start()
        self.addCleanup(self.sink.stop)
        self.relay = Relay(self.sink.port, config=dict(self.config))
        self.addCleanup(self.relay.remove)
        self.relay.start()

    def write(self, **tables):
        self.relay.config.update(tables)
        self.relay.write_config()

    def reload(self):
        return ask(self.relay, "reload")

    def reloaded(self, **tables):
        """The answer to a reload that is to be applied."""
        self.write(**tables)
        code, (answer,) = self.reload()
        self.assertEqual((code, answer["applied"]), (0, True), answer)
        return answer


class Reloads(Running):
    def test_what_needs_a_restart_is_told_until_it_is_done(self):
        for _ in range(2):
            self.assertEqual(self.reloaded(threads=1)["needs_restart"], ["threads"])
            self.assertEqual(status(self.relay)["needs_restart"], ["threads"])
        self.assertIn("takes effect at the next start: threads", self.relay.cli("status").stdout)
        self.assertEqual(self.reloaded(threads=2)["needs_restart"], [])
        self.assertEqual(status(self.relay)["needs_restart"], [])

    def test_another_store_needs_a_restart_and_an_unknown_one_is_refused(self):
        self.assertEqual(self.reloaded(queue={"store": "sqlite:queue/other.db"})["needs_restart"], ["queue.store"])
        self.write(queue={"store": "postgres://db.test/queue"})
        code, (answer,) = self.reload()
        self.assertEqual((code, answer["applied"]), (4, False), answer)
        self.assertRegex(answer["problems"][0], r'relay\.toml:\d+:9: .*takes a URL of sqlite, not of "postgres"')
        self.assertEqual(status(self.relay)["needs_restart"], ["queue.store"])
        same = "sqlite://" + os.path.abspath(self.relay.path("queue/queue.db"))
        self.assertEqual(self.reloaded(queue={"store": same})["needs_restart"], [])

    def test_tls_comes_and_goes(self):
        plain = session(self.relay.port)
        self.assertFalse(plain.has_extn("starttls"))
        self.relay.tls = True
        self.relay.make_certificate()
        self.assertEqual(self.reloaded()["needs_restart"], [])
        self.relay.send(MESSAGE, tls=True)
        offered = session(self.relay.port)
        self.assertTrue(offered.has_extn("starttls"))
        self.relay.tls = False
        self.reloaded()
        self.assertFalse(session(self.relay.port).has_extn("starttls"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.assertEqual(offered.starttls(context=context)[0], 220)  # it was offered
        self.assertEqual(offered.ehlo()[0], 250)

    def test_another_certificate_is_taken(self):
        def served():
            s = session(self.relay.port)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            s.starttls(context=context)
            return s.sock.getpeercert(binary_form=True)

        self.relay.tls = True
        self.relay.make_certificate()
        self.reloaded()
        before = served()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=other",
                        "-keyout", self.relay.path("b.key"), "-out", self.relay.path("b.crt")],
                       check=True, capture_output=True)
        os.chmod(self.relay.path("b.key"), 0o600)
        self.reloaded(tls={"cert": "b.crt", "key": "b.key"})
        self.assertNotEqual(served(), before)

    def test_addresses_come_and_go_and_sessions_stay(self):
        old, new = self.relay.port, free_port()
        stays = session(old)
        both = [f"127.0.0.1:{old}", f"127.0.0.1:{new}"]
        self.assertEqual(self.reloaded(listener=[{"address": both}])["needs_restart"], [])
        self.assertTrue(accepts(old) and accepts(new))
        self.reloaded(listener=[{"address": both[1]}])
        wait_for(lambda: not accepts(old), what="the old address to close")
        self.assertTrue(accepts(new))
        self.assertEqual(stays.noop()[0], 250)
        # From one address to all of this port, and back.
        self.reloaded(listener=[{"address": f"0.0.0.0:{new}"}])
        wait_for(lambda: accepts(new), what="the address to be there")
        self.reloaded(listener=[{"address": both[1]}])
        wait_for(lambda: accepts(new), what="the address to be there")

    def test_an_address_that_is_taken_changes_nothing(self):
        self.relay.aliases["new"] = ["fresh@dest.test"]
        self.write(listener=[{"address": [f"127.0.0.1:{self.relay.port}", f"127.0.0.1:{self.sink.port}"]}])
        code, (answer,) = self.reload()
        self.assertEqual((code, answer["applied"]), (4, False))
        self.assertIn(f"cannot listen on 127.0.0.1:{self.sink.port}: Address already in use", answer["problems"][0])
        with self.assertRaises(smtplib.SMTPResponseException):
            self.relay.send(MESSAGE, to=["new@fwd.test"])

    def test_the_log_goes_on_in_another_file(self):
        os.mkdir(self.relay.path("queue/logs"))
        self.assertEqual(self.reloaded(log={"file": "queue/logs/relay.log"})["needs_restart"], [])
        name = self.relay.send(MESSAGE)

        def lines():
            with open(self.relay.path("queue/logs/relay.log"), encoding="utf-8") as f:
                return f.read()
        wait_for(lambda: name in lines(), what="the line")
        self.assertNotIn(name, self.relay.log_text())
        os.rename(self.relay.path("queue/logs/relay.log"), self.relay.path("queue/logs/relay.log.1"))
        self.reload()
        name = self.relay.send(MESSAGE.replace(b"<1@", b"<2@"))
        wait_for(lambda: name in lines(), what="the line in the new file")
        del self.relay.config["log"]
        self.reloaded()
        name = self.relay.send(MESSAGE.replace(b"<1@", b"<3@"))
        wait_for(lambda: name in self.relay.log_text(), what="the line on stderr")

    def test_a_signal_opens_the_log_anew(self):
        os.mkdir(self.relay.path("queue/logs"))
        path = self.relay.path("queue/logs/relay.log")
        self.reloaded(log={"file": "queue/logs/relay.log"})
        os.rename(path, path + ".1")
        before = self.relay.send(MESSAGE)

        def said(name):
            with open(name, encoding="utf-8") as f:
                return f.read()
        wait_for(self.relay.is_empty, what="the delivery")
        wait_for(lambda: '"attempt"' in said(path + ".1"), what="the lines in the file that was moved away")
        self.assertIn(before, said(path + ".1"))
        self.relay.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: os.path.exists(path), what="the new file")
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o640)
        after = self.relay.send(MESSAGE.replace(b"<1@", b"<2@"))
        wait_for(lambda: after in said(path), what="the line in the new file")
        self.assertNotIn(after, said(path + ".1"))
        self.assertNotIn(before, said(path))

    def test_a_folder_that_was_not_named_at_start_needs_a_restart(self):
        if self.relay.events("started")[0]["landlock"] == 0:
            self.skipTest("this kernel has no Landlock")
        other = Relay(1)  # for its folder
        self.addCleanup(other.remove)
        with open(other.path("far.aliases"), "w", encoding="ascii") as f:
            f.write("far: far@dest.test\n")
        aliases = {"name": self.relay.domain, "aliases": ["file:" + other.path("far.aliases")]}
        self.write(domain=[aliases])
        code, (answer,) = self.reload()
        self.assertEqual(code, 4)
        self.assertIn("needs a restart", answer["problems"][0])
        self.write(domain=[{"name": self.relay.domain, "alias": self.relay.aliases}], log={"file": other.path("log2")})
        code, (answer,) = self.reload()
        self.assertEqual(code, 4)
        self.assertIn("needs a restart", answer["problems"][0])
        self.relay.send(MESSAGE)  # nothing has changed
        del self.relay.config["log"]
        self.write(domain=[aliases])
        self.relay.stop()
        self.relay.start()
        self.relay.send(MESSAGE, to=["far@fwd.test"])

    def test_files_that_change_meanwhile_are_read_again(self):
        count = 30_000
        for attempt in range(8):  # until the relay was slow enough, or we quick enough
            count *= 2
            many_aliases(self.relay, count)
            self.relay.write_config()
            ended = []

            def reload():
                answer = self.reload()
                ended.append((time.monotonic(), answer))
            reloading = threading.Thread(target=reload)
            reloading.start()
            time.sleep(0.15)  # the file is read by now, and the aliases are not
            name = f"late{attempt}"
            self.relay.aliases[name] = [f"{name}@dest.test"]
            self.relay.write_config()
            written = time.monotonic()
            reloading.join()
            (at, answer), = ended
            self.assertEqual(answer[0], 0, answer)
            if at > written + 0.1:  # more than the answer takes from the relay to us
                break
        self.assertGreater(at, written + 0.1)
        self.relay.send(MESSAGE, to=[f"{name}@fwd.test"])

    def test_text_that_its_parser_does_not_survive_ends_nothing(self):
        for text in ("[[[[x", "x = [}", "a = 2026-01-01T:", "a \u0618= 1", "a = 1\"\u00b5\""):
            with open(self.relay.path("relay.toml"), "w", encoding="utf-8") as f:
                f.write(text)
            code, (answer,) = self.reload()
            self.assertEqual((code, answer["applied"]), (4, False), text)
            self.assertRegex(answer["problems"][0], r"relay\.toml:1:\d+: error\[E001\]: not TOML: ")
            self.assertIn(self.relay.cli("check").returncode, range(1, 128), text)
            self.relay.send(MESSAGE)
        wait_for(lambda: len(self.sink.messages) == 5, what="what was sent meanwhile")
        self.relay.write_config()
        self.assertEqual(self.reloaded()["needs_restart"], [])

    def test_a_file_that_is_being_written_is_read_when_it_is_whole(self):
        config = self.relay.path("relay.toml")
        with open(config, encoding="utf-8") as f:
            whole = f.read()
        for half in ("", whole[:len(whole) // 2] + "\n[[["):
            for _ in range(20):  # until we were quick enough ourselves
                answers = []
                with open(config, "w", encoding="utf-8") as f:
                    f.write(half)
                    f.flush()
                    began = time.monotonic()
                    reloading = threading.Thread(target=lambda: answers.append(self.reload()))
                    reloading.start()
                    time.sleep(0.05)
                    f.seek(0)
                    f.truncate()
                    f.write(whole)
                took = time.monotonic() - began
                reloading.join()
                if took < 0.09:
                    break
            self.assertLess(took, 0.09)
            self.assertEqual(answers[0][0], 0, answers)

    def test_two_at_once_are_both_answered(self):
        many_aliases(self.relay, 60_000)
        self.relay.write_config()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.reload())) for _ in range(6)]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        waits = []
        while any(thread.is_alive() for thread in threads):
            asked = time.monotonic()
            status(self.relay)
            waits.append(time.monotonic() - asked)
        for thread in threads:
            thread.join()
        self.assertEqual([(code, answer["applied"]) for code, (answer,) in answers], [(0, True)] * 6)
        self.assertLessEqual(len(self.relay.events("reload")), 3)
        self.assertLess(max(waits), max(0.5, (time.monotonic() - began) / 4))

    def test_one_under_way_does_not_hold_up_the_end(self):
        many_aliases(self.relay, 200_000)
        self.relay.write_config()
        answers = []
        reloading = threading.Thread(target=lambda: answers.append(self.reload()))
        reloading.start()
        time.sleep(0.3)
        began = time.monotonic()
        self.assertEqual(self.relay.stop(), 0)
        took = time.monotonic() - began
        reloading.join()
        code, (answer,) = answers[0]
        self.assertEqual((code, answer["applied"]), (4, False))
        self.assertIn("shutting down", answer["problems"][0])
        self.assertLess(took, 1.0)

    def test_the_log_says_who(self):
        self.reload()
        self.relay.process.send_signal(signal.SIGHUP)
        found = wait_for(lambda: len(self.relay.events("reload")) >= 2 and self.relay.events("reload"), what="two reloads")
        self.assertIn(f"(uid {os.getuid()}, pid {os.getpid()})", found[0]["asked_by"][0])
        self.assertEqual(found[1]["asked_by"], ["a signal"])
        ask(self.relay, "queue.pause", filter=["mx:x.test"], reason="test")
        admin = self.relay.events("admin")[-1]
        self.assertEqual((admin["uid"], admin["pid"]), (os.getuid(), os.getpid()))


class GivenSockets(unittest.TestCase):
    """Sockets that somebody opens for us, as systemd does."""

    def setUp(self):
        self.sink = Sink().start()
        self.addCleanup(self.sink.stop)
        self.relay = Relay(self.sink.port)
        self.addCleanup(self.relay.remove)
        self.socket = socket.create_server(("127.0.0.1", self.relay.port))
        self.addCleanup(self.socket.close)

    def start(self):
        number = self.socket.fileno()
        self.relay.log = open(self.relay.path("log"), "ab")
        since = self.relay.log.tell()
        self.relay.process = subprocess.Popen(
            ["bash", "-c", f'exec 3<&{number}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve -c "$1"', BINARY,
             self.relay.path("relay.toml")], pass_fds=(number,), stderr=self.relay.log, stdin=subprocess.DEVNULL)
        wait_for(lambda: self.relay.events("started", since) or self.relay.process.poll() is not None, what="the start")
        return self.relay.process.poll()

    def test_a_listener_without_an_address_stands_for_them(self):
        self.relay.config["listener"] = [{"public": "192.0.2.1"}]
        self.relay.write_config()
        self.assertIsNone(self.start(), self.relay.log_text())
        self.assertTrue(accepts(self.relay.port))
        self.assertEqual(ask(self.relay, "reload")[0], 0)
        self.assertTrue(accepts(self.relay.port))
        # Another address is an error of the reload, too.
        self.relay.config["listener"] = [{"address": [f"127.0.0.1:{self.relay.port}", f"127.0.0.1:{free_port()}"]}]
        self.relay.write_config()
        code, (answer,) = ask(self.relay, "reload")
        self.assertEqual(code, 4)
        self.assertIn("systemd opens our sockets, but none for", answer["problems"][0])
        self.assertTrue(accepts(self.relay.port))

    def test_one_for_both_families_has_the_settings_of_its_listener_for_both(self):
        self.socket.close()
        try:
            self.socket = socket.create_server(("::", self.relay.port), family=socket.AF_INET6, dualstack_ipv6=True)
        except OSError as error:
            self.skipTest(f"no IPv6: {error}")
        self.addCleanup(self.socket.close)
        self.relay.config["listener"] = [{"max_size": "1MiB", "proxy": ["127.0.0.8"]}]
        self.relay.write_config()
        self.assertIsNone(self.start(), self.relay.log_text())
        for host in ("127.0.0.1", "::1"):
            with smtplib.SMTP(host, self.relay.port, timeout=30) as s:
                s.ehlo()
                self.assertEqual(s.esmtp_features["size"], str(1 << 20), host)
        with socket.create_connection(("127.0.0.1", self.relay.port), 30, ("127.0.0.8", 0)) as balancer:
            balancer.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n")
            self.assertTrue(balancer.recv(100).startswith(b"220 "))

    def test_a_restart_on_the_same_socket_refuses_no_connection(self):
        """A client that connects while no relay runs waits in the backlog; a client in a session hears
        421."""
        self.assertIsNone(self.start(), self.relay.log_text())
        over, sent, wrong = threading.Event(), [], []

        def send_on(client):
            number = 0
            while not over.is_set():
                number += 1  # also after a 421: it may have been the answer to QUIT
                mark = b"<%d.%d@" % (client, number)
                try:
                    self.relay.send(MESSAGE.replace(b"<1@", mark))
                    sent.append(mark)
                except smtplib.SMTPConnectError as e:
                    if e.smtp_code != 421:
                        wrong.append(repr(e))
                except smtplib.SMTPResponseException as e:
                    if e.smtp_code != 421:
                        wrong.append(repr(e))
                except smtplib.SMTPServerDisconnected:
                    pass  # smtplib hides the 421 behind it
                except OSError as e:  # refused, or reset
                    wrong.append(repr(e))
        threads = [threading.Thread(target=send_on, args=(client,)) for client in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            enough = len(sent) + 8
            wait_for(lambda: len(sent) >= enough, timeout=60, what="mail")
            self.assertEqual(self.relay.stop(), 0)
            self.assertIsNone(self.start(), self.relay.log_text())
        enough = len(sent) + 8
        wait_for(lambda: len(sent) >= enough, timeout=60, what="mail after the last restart")
        over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        wait_for(self.relay.is_empty, timeout=60, what="an empty queue")
        contents = [message.content for message in self.sink.messages]
        for mark in sent:
            self.assertEqual(sum(mark in content for content in contents), 1, mark)

    def test_a_difference_is_an_error_of_the_start(self):
        self.relay.config["listener"] = [{"address": f"127.0.0.1:{free_port()}"}]
        self.relay.write_config()
        self.assertEqual(self.start(), 4)
        self.assertIn(f"systemd has a socket for 127.0.0.1:{self.relay.port}", self.relay.log_text())

    def test_without_any_a_listener_needs_an_address(self):
        self.relay.config["listener"] = [{"public": "192.0.2.1"}]
        self.relay.write_config()
        with self.assertRaisesRegex(AssertionError, "systemd has opened no socket for us"):
            self.relay.start()


class Commands(Running):
    def cli(self, *words, config=None, env=None):
        return subprocess.run([BINARY, "-c", config or self.relay.path("relay.toml"), *words], capture_output=True,
                              text=True, timeout=60, env=dict(os.environ, **(env or {})))

    def write_text(self, text):
        with open(self.relay.path("relay.toml"), "w", encoding="utf-8") as f:
            f.write(text)

    def test_the_daemon_answers_whatever_is_wrong_with_the_file(self):
        def with_secret(**source):
            return toml.text_of({**good, "srs": {**good["srs"], "secret": [{"id": "k", **source}]}})
        good = self.relay.settings()
        broken = {
            "no TOML": toml.text_of(good) + "\noops\n",
            "a credential": with_secret(credential="srs"),
            "no secret": with_secret(file="gone.key"),
            "nothing else": "[control]\nsocket = \"control.sock\"\n",
            "not even a beginning": "= = =\n[control] # here\nsocket = \"control.sock\"\n[[[[\n",
        }
        for what, text in broken.items():
            with self.subTest(what):
                self.write_text(text)
                found = self.cli("status")
                self.assertEqual(found.returncode, 0, found.stderr)
                self.assertEqual(self.cli("queue", "list").returncode, 0)

    def test_the_socket_alone_does(self):
        path = self.relay.path("control.sock")
        self.write_text("")
        self.assertEqual(self.cli("status", config="/nowhere/relay.toml", env={"SRS_RELAY_SOCKET": path}).returncode, 0)
        self.assertEqual(self.cli("--socket", path, "status", config="/nowhere/relay.toml").returncode, 0)
        # The option wins.
        self.assertEqual(self.cli("--socket", path, "status", env={"SRS_RELAY_SOCKET": "/nowhere/c.sock"}).returncode, 0)

    def test_who_finds_nobody_is_told_why_he_looked_there(self):
        for words in ([], ["--json"]):
            found = self.cli(*words, "--timeout", "5", "status", config="/nowhere/relay.toml")
            self.assertEqual(found.returncode, 3)
            said = json.loads(found.stdout)["error"] if words else found.stderr
            self.assertIn("/run/srs-relay/control.sock", said)
            self.assertIn("the default, for cannot read /nowhere/relay.toml", said)

    def test_exit_codes_and_errors_in_json(self):
        bad = self.relay.path("bad.toml")
        with open(bad, "w", encoding="utf-8") as f:
            f.write("hostname = 1\n")
        message = self.relay.path("message")
        with open(message, "wb") as f:
            f.write(MESSAGE)
        verify = ["verify", message, "--ip", "192.0.2.1", "--mail-from", "a@b.test", "--helo", "b.test"]
        cases = [
            (0, None, ["status"]), (2, None, ["stauts"]), (2, None, ["queue", "list", "nonsense"]),
            (5, None, ["queue", "why", "01JD7ZABCDEFGHJKMNPQRSTVWX"]), (7, None, ["queue", "hold", "all"]),
            (1, None, ["resolve", "nobody@fwd.test"]), (10, None, ["srs", "decode", "x@relay.test"]),
            (11, None, ["srs", "decode", "SRS0=abcdefgh=AA=sender.test=ann@relay.test"]),
            (4, bad, ["resolve", "a@b.test"]), (4, bad, ["srs", "decode", "a@b.test"]), (4, bad, verify),
            (1, bad, ["check"]), (5, None, ["verify", "/nowhere", *verify[2:]]),
            (2, None, ["dkim", "new", "--domain", "d.test", "--selector", "..", "--out", "/nowhere/key"]),
            (1, None, ["dkim", "new", "--domain", "d.test", "--selector", "s", "--out", "/nowhere/key"]),
            (3, "/nowhere/relay.toml", ["status"]),
        ]
        for code, config, words in cases:
            with self.subTest(" ".join(words)):
                self.assertEqual(self.cli(*words, config=config).returncode, code)
                as_json = self.cli("--json", *words, config=config)
                self.assertEqual(as_json.returncode, code)
                lines = [json.loads(line) for line in as_json.stdout.splitlines()]
                self.assertTrue(lines and all(line["v"] == 1 for line in lines), as_json)
                self.assertEqual(as_json.stderr, "")


    def test_the_next_hop_is_kept_and_nothing_is_delivered(self):
        for number in range(3):
            self.relay.send(MESSAGE.replace(b"<1@", b"<%d@" % number))
        wait_for(lambda: len(self.sink.messages) == 3 and self.relay.is_empty(), what="delivery")
        found = wait_for(lambda: status(self.relay)["connections_kept"] and status(self.relay), what="an idle session")
        self.assertEqual(found["deliveries"], 0)
        self.assertRegex(self.cli("status").stdout, r"deliveries 0 \(\d+ connections kept\)")

    @unittest.skipIf(os.getuid() != 0, "needs root to become somebody else")
    def test_who_has_no_permission_is_told_by_the_exit_code(self):
        # A copy: the way to the program may be closed to others.
        folder = scratch_folder(self, 0o755)
        program = shutil.copy(BINARY, folder)
        path = self.relay.path("control.sock")
        os.chmod(self.relay.folder, 0o711)
        new_key = ["dkim", "new", "--domain", "d.test", "--selector", "s", "--out", os.path.join(folder, "key")]
        for words in (["--socket", path, "status"], ["--socket", path, "queue", "list"], new_key):
            for form in ([], ["--json"]):
                with self.subTest(" ".join(form + words)):
                    found = subprocess.run([program, *form, *words], capture_output=True, text=True, timeout=60,
                                           user="nobody", group="nogroup", extra_groups=[])
                    self.assertEqual(found.returncode, 77, found)
                    said = json.loads(found.stdout)["error"] if form else found.stderr
                    self.assertIn("ermission", said)
        self.assertEqual(self.cli("status").returncode, 0)


class Secrets(unittest.TestCase):
    def test_each_of_them_may_be_a_credential_or_a_variable(self):
        relay = Relay(1, tls=True)
        self.addCleanup(relay.remove)
        os.mkdir(relay.path("credentials"), 0o700)
        for name in ("ed25519.pem", "srs.key", "tls.key"):
            os.rename(relay.path(name), relay.path("credentials/" + name))
        with open(relay.path("rsa.pem"), encoding="ascii") as f:
            rsa = f.read()
        with open(relay.path("tls.crt"), encoding="ascii") as f:
            certificate = f.read()
        os.remove(relay.path("rsa.pem"))
        relay.config.update({
            "srs": {"domain": relay.srs, "secret": [{"id": "k", "credential": "srs.key"}]},
            "dkim": [{"domain": relay.srs, "keys": [{"selector": "ed25519", "credential": "ed25519.pem"},
                                                    {"selector": "rsa", "env": "RSA_KEY"}]}],
            "arc": {"domain": relay.srs, "selector": "rsa", "env": "RSA_KEY"},
            "auth": {"verify": True},
            "tls": {"cert": {"env": "CERTIFICATE"}, "key": {"credential": "tls.key"}}})
        relay.write_config()
        names = {"CREDENTIALS_DIRECTORY": relay.path("credentials"), "RSA_KEY": rsa, "CERTIFICATE": certificate}
        os.environ.update(names)
        try:
            relay.start()
        finally:
            for name in names:
                del os.environ[name]
        s = session(relay.port)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.assertEqual(s.starttls(context=context)[0], 220)
        self.assertEqual(s.sock.getpeercert(binary_form=True), ssl.PEM_cert_to_DER_cert(certificate))
        self.assertEqual(ask(relay, "reload")[0], 0)
        self.assertEqual(relay.cli("status").returncode, 0)  # which has none of them
        self.assertEqual(relay.cli("check").returncode, 1)


class HostTroubles(unittest.TestCase):
    def test_too_little_room_is_told_at_start_and_at_each_refusal(self):
        relay = Relay(1, config={"queue": {"min_free": "1000000GiB"}})
        self.addCleanup(relay.remove)
        relay.start()
        self.assertEqual(relay.events("disk")[0]["level"], "warning")
        before = relay.cli("--json", "status")
        self.assertEqual(before.returncode, 1)
        self.assertEqual([t["of"] for t in json.loads(before.stdout)["troubles"]], ["disk"])
        with self.assertRaises(smtplib.SMTPResponseException) as refused:
            relay.send(MESSAGE)
        self.assertEqual(refused.exception.smtp_code, 452)
        self.assertEqual(relay.events("rejected")[-1]["level"], "warning")
        after = relay.cli("status")
        self.assertEqual(after.returncode, 1)
        self.assertRegex(after.stdout, r"TROUBLE disk: .*min_free.*\(1 times since the start\)")

    def test_a_dead_resolver_is_told(self):
        relay = Relay(1, verify=True, config={"dns": {"forward_to": [f"127.0.0.1@{free_port()}"]},
                                              "auth": {"timeout": "2s"}})
        self.addCleanup(relay.remove)
        relay.start()
        self.assertEqual(relay.cli("status").returncode, 0)
        codes = []

        def send(number):  # of .test the resolver itself knows that nobody is there
            domain = f"s{number}.nowhere.example"
            try:
                relay.send(MESSAGE.replace(b"sender.test", domain.encode()), sender="ann@" + domain)
                codes.append(250)
            except smtplib.SMTPResponseException as e:
                codes.append(e.smtp_code)
        threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(codes, [451] * 8)
        found = relay.cli("--json", "status")
        self.assertEqual(found.returncode, 1, found.stdout)
        self.assertIn("dns", [t["of"] for t in json.loads(found.stdout)["troubles"]])


class Ends(Running):
    def stop_took(self):
        began = time.monotonic()
        self.assertEqual(self.relay.stop(), 0)
        return time.monotonic() - began

    @changed_by_sanitizers("leaks are looked for at the end")
    def test_an_idle_relay_ends_at_once(self):
        time.sleep(2)  # the start's own work is done
        self.assertLess(self.stop_took(), 0.2)

    @changed_by_sanitizers("leaks are looked for at the end")
    def test_so_it_does_with_kept_connections_and_idle_clients(self):
        clients = [session(self.relay.port) for _ in range(20)]
        self.relay.send(MESSAGE)
        wait_for(lambda: self.sink.messages, what="delivery")
        time.sleep(0.5)
        self.assertLess(self.stop_took(), 0.2)
        for client in clients:
            client.sock.settimeout(5)
            self.assertIn(b"421", client.sock.recv(1000))

    def test_who_was_still_sending_sees_an_orderly_end(self):
        """Octets that arrive at a closed socket are answered with RST, which may take our reply away."""
        ends = []

        def talk(s):
            s.settimeout(10)
            text, last = b"", b""
            try:
                while b"421" not in text:
                    for _ in range(6):  # sends more often than it reads
                        s.sendall(b"NOOP\r\n")
                        time.sleep(0.01)
                    text += s.recv(4096)
                while last := s.recv(4096):
                    text += last
                ends.append((b"421 " in text, "FIN"))
            except OSError as e:
                ends.append((b"421 " in text, repr(e)))

        sockets = [socket.create_connection(("127.0.0.1", self.relay.port)) for _ in range(10)]
        threads = [threading.Thread(target=talk, args=(s,)) for s in sockets]
        for thread in threads:
            thread.start()
        time.sleep(0.3)  # not so long that they hear "Too many commands"
        self.relay.process.send_signal(signal.SIGTERM)
        self.relay.process.wait(timeout=60)
        for thread in threads:
            thread.join()
        for s in sockets:
            s.close()
        self.assertEqual(ends, [(True, "FIN")] * 10)


if __name__ == "__main__":
    unittest.main()

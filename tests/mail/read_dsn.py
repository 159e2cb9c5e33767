"""The recorded DSNs as Python's mail parser reads them: an independent opinion on RFC 3464."""

import email
import email.policy
import pathlib
import unittest

GOLDEN = pathlib.Path(__file__).parent / "golden"


def read(name):
    raw = (GOLDEN / name).read_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    return message, list(message.iter_parts())


class ReadDsn(unittest.TestCase):
    def check_form(self, name, status_type="message/delivery-status"):
        message, parts = read(name)
        self.assertEqual(message.get_content_type(), "multipart/report")
        self.assertEqual(message.get_param("report-type"), "delivery-status")
        self.assertEqual(message["Auto-Submitted"], "auto-replied")
        self.assertEqual([p.get_content_type() for p in parts],
                         ["text/plain", status_type, "text/rfc822-headers"])
        for part in [message, *parts]:
            self.assertEqual(part.defects, [])
        blocks = parts[1].get_payload()
        return message, parts, blocks

    def test_failed(self):
        message, parts, blocks = self.check_form("failed.eml")
        self.assertEqual(len(blocks), 2)
        self.assertEqual(blocks[0]["Reporting-MTA"], "dns;mx.fwd.example")
        self.assertEqual(blocks[1]["Action"], "failed")
        self.assertEqual(blocks[1]["Status"], "5.1.1")
        self.assertEqual(blocks[1]["Final-Recipient"], "rfc822;info@fwd.example")
        self.assertIn("550", blocks[1]["Diagnostic-Code"])
        self.assertEqual(message["To"].addresses[0].addr_spec, "ann@sender.example")
        self.assertEqual(message["In-Reply-To"], "<1@sender.example>")
        self.assertIn("Subject: Hello", parts[2].get_payload())

    def test_delayed(self):
        _, _, blocks = self.check_form("delayed.eml")
        self.assertEqual(blocks[1]["Action"], "delayed")
        self.assertEqual(blocks[1]["Status"], "4.7.1")
        self.assertIsNotNone(blocks[1]["Will-Retry-Until"])

    def test_several(self):
        _, _, blocks = self.check_form("several.eml")
        self.assertEqual(len(blocks), 3)
        self.assertEqual(blocks[1]["Remote-MTA"], "dns;mx.mail.example")
        self.assertEqual(blocks[2]["Status"], "5.4.7")
        self.assertIsNone(blocks[2]["Diagnostic-Code"])

    def test_expired(self):
        _, _, blocks = self.check_form("expired.eml")
        self.assertEqual(blocks[1]["Status"], "5.4.7")
        self.assertIsNone(blocks[1]["Diagnostic-Code"])

    def test_mixed(self):
        """RFC 3464 §2.3.3: what became of it is said of each recipient."""
        message, _, blocks = self.check_form("mixed.eml")
        self.assertEqual([b["Action"] for b in blocks[1:]], ["failed", "failed", "failed", "delayed"])
        self.assertEqual([b["X-Scope"] is not None for b in blocks[1:]], [False, False, True, False])
        self.assertEqual(message["Subject"], "Undelivered Mail Returned to Sender")

    def test_partial(self):
        _, parts, blocks = self.check_form("partial.eml")
        self.assertEqual(blocks[1]["X-Scope"], "one of several mailboxes")
        first = " ".join(parts[0].get_content().split()).split(". ")[1]
        self.assertIn("one of several mailboxes", first)

    def test_three_copies(self):
        message, _, blocks = self.check_form("three_copies.eml")
        self.assertEqual(len(blocks), 2)
        self.assertEqual(blocks[1]["Diagnostic-Code"], "smtp; 550 5.2.1 mailbox closed")
        self.assertEqual(message.as_string().count("<three@fwd.example>"), 1)

    def test_same_local_part(self):
        _, _, blocks = self.check_form("same_local_part.eml")
        self.assertEqual(" ".join(blocks[1]["Diagnostic-Code"].split()),
                         "smtp; 550 5.1.1 <info@fwd.example>: user info unknown at [hidden]")

    def test_part_2_of_2(self):
        _, parts, blocks = self.check_form("part_2_of_2.eml")
        self.assertIn("part 2 of 2", parts[0].get_content())
        self.assertEqual(len(blocks), 3)

    def test_postmaster(self):
        message, _, blocks = self.check_form("postmaster.eml")
        self.assertEqual(message["To"].addresses[0].addr_spec, "ops@fwd.example")
        self.assertEqual(blocks[1]["Final-Recipient"], "rfc822;me@mail.example")

    def test_international(self):
        message, _, blocks = self.check_form("international.eml")
        self.assertIn("jürgen", (GOLDEN / "international.eml").read_text("utf-8"))
        self.assertEqual(blocks[1]["Original-Recipient"],
                         r"utf-8;gr\x{FC}\x{DF}e\x{2B}a@fwd.example")


if __name__ == "__main__":
    unittest.main()

"""Postfix that verifies addresses, one for each form of the question: its sender and its cache are settings
of the whole program. Each has a port that asks about senders and one that asks about recipients.
"""

import concurrent.futures
import os

from tests.bench import peers

from ..harness import free_port

FORGETFUL = {"address_verify_map": "", "address_verify_positive_expire_time": "1s",
             "address_verify_positive_refresh_time": "1s", "address_verify_negative_expire_time": "1s",
             "address_verify_negative_refresh_time": "1s"}
SETTINGS = {
    "null": {"address_verify_sender": "<>"},
    "double-bounce": {},
    "rotating": {"address_verify_sender_ttl": "3600s"},
    "postmaster": {"address_verify_sender": "postmaster@mx.hop.test"},
    "uncached": {"address_verify_sender": "<>", **FORGETFUL},
}


class OneForm(peers.Postfix):
    """Asks at `relay_port` about `ours`, our domains, from one of `hosts` by chance."""

    def __init__(self, folder, sink_port, relay_port, ours, hosts, form):
        super().__init__(folder, sink_port, "none")
        self.relay_port, self.ours, self.hosts, self.form = relay_port, ours, hosts, form
        self.recipients_port = free_port()

    def settings(self):
        known = ", ".join(f"{{ {domain} = here }}" for domain in self.ours)
        hosts = ", ".join(f"{self.service(host)}:[127.0.0.1]:{self.relay_port}" for host in self.hosts)
        return {**super().settings(), "myhostname": "mx.hop.test", "relay_domains": " ".join(("hop.test", *self.ours)),
                "transport_maps": f"pipemap:{{ inline:{{ {known} }}, randmap:{{ {hosts} }} }}",
                "unverified_sender_reject_code": "550", "unverified_recipient_reject_code": "550",
                "address_verify_map": "btree:$data_directory/verify_cache",
                "address_verify_poll_count": "8", "address_verify_poll_delay": "1s", "smtpd_error_sleep_time": "0",
                "smtpd_hard_error_limit": "1000", "smtpd_junk_command_limit": "1000", **SETTINGS[self.form]}

    @staticmethod
    def service(host):
        return "from-" + host.replace(".", "-")

    def services(self):
        first, *services = super().services()
        return services + [
            "verify unix - - n - 1 verify",
            first + " -o smtpd_sender_restrictions=reject_unverified_sender",
            f"{self.recipients_port} inet n - n - - smtpd -o smtpd_recipient_restrictions=reject_unverified_recipient",
            *(f"{self.service(host)} unix - - n - - smtp -o smtp_bind_address={host}" for host in self.hosts)]


class AskingPostfix:
    """All forms; what asks about recipients is called "for-" and the name of its form."""

    forms = (*SETTINGS, *("for-" + form for form in SETTINGS))

    def __init__(self, folder, *arguments):
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        self.all = [OneForm(os.path.join(folder, form), *arguments, form) for form in SETTINGS]
        self.ports = {one.form: one.port for one in self.all}
        self.ports.update({"for-" + one.form: one.recipients_port for one in self.all})

    def start(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(OneForm.start, self.all))
        return self

    def stop(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(OneForm.stop, self.all))

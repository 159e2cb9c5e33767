"""Exim as the next hop, its ACLs asking the doorman at every step."""

import os

from tests.bench import peers

from . import hop


class EximHop(hop.Hop, peers.Exim):
    name = "exim"
    log_files = ("log/mainlog", "log/paniclog")
    complaints_of = (r"protocol (synchronization )?error|[Ss]yntax error|unexpected disconnection|"
                     r"SMTP (command|data|session|incoming data) timeout|lost incoming|panic|"
                     r"too many (nonmail|syntax or protocol)")

    def __init__(self, folder, sink_port, terms, doorman, certificate):
        super().__init__(folder, sink_port, "none")
        self.adopt(terms, doorman, certificate)

    def configuration(self):
        here = os.path.dirname(os.path.abspath(__file__))
        return self.filled_in(os.path.join(here, "exim.conf"), {
            "DOORMAN": str(self.doorman.port), "OPTIONS": "\n".join(self.options()), "ENCRYPTED": self.encrypted()})

    def options(self):
        terms = self.terms
        options = [f"{name} = {value}" for name, value in terms.settings.items()]
        if terms.recipients:
            options.append(f"recipients_max = {terms.recipients}")
        if terms.messages:
            options.append(f"smtp_accept_max_per_connection = {terms.messages}")
        if terms.connections:
            options.append(f"smtp_accept_max_per_host = {terms.connections}")
        return options + self.tls_options()

    def tls_options(self):
        if self.terms.tls == hop.NONE:
            return ["tls_advertise_hosts ="]
        key, certificate = self.certificate
        self.own(key)
        options = ["tls_advertise_hosts = *", f"tls_privatekey = {key}", f"tls_certificate = {certificate}"]
        if self.terms.tls in (hop.CERTIFICATE, hop.CERTIFICATE_REQUIRED):
            options += ["tls_verify_hosts = *", f"tls_verify_certificates = {certificate}"]
        return options

    def encrypted(self):
        if self.terms.tls not in (hop.REQUIRED, hop.CERTIFICATE_REQUIRED):
            return ""
        return "deny !encrypted = *\n    message = 530 5.7.0 Must issue a STARTTLS command first"

"""Postfix as the next hop. It has no limit of messages a connection: the policy service says 421 instead."""

from tests.bench import peers

from . import hop, mix


class PostfixHop(hop.Hop, peers.Postfix):
    name = "postfix"
    log_files = ("mail.log",)
    complaints_of = (r"improper command pipelining|[Nn]on-SMTP command|NON-SMTP|PREGREET|COMMAND PIPELINING|"
                     r"[Bb]are (newline|LF)|BARE NEWLINE|nested MAIL|out of sequence|unexpected|"
                     r"lost connection after (MAIL|RCPT|DATA|RSET|BDAT)|timeout after|fatal:|panic:")

    def __init__(self, folder, sink_port, terms, doorman, certificate):
        super().__init__(folder, sink_port, "none")
        self.adopt(terms, doorman, certificate)
        self.postscreen = "postscreen_greet_wait" in terms.settings

    def settings(self):
        policy = f"check_policy_service inet:127.0.0.1:{self.doorman.port}"
        settings = {**super().settings(), "myhostname": "mx." + mix.DOMAIN, "relay_domains": mix.DOMAIN,
                    "smtpd_recipient_restrictions": policy, "smtpd_tls_loglevel": "1"}
        if self.terms.recipients:
            settings["smtpd_recipient_limit"] = str(self.terms.recipients)
        if self.terms.connections:
            settings["smtpd_client_connection_count_limit"] = str(self.terms.connections)
        if self.terms.messages:
            settings.update(smtpd_delay_reject="no", smtpd_sender_restrictions=policy)
        return {**settings, **self.tls_settings(), **{name: value.replace("@POLICY", policy)
                                                      for name, value in self.terms.settings.items()}}

    def tls_settings(self):
        if self.terms.tls == hop.NONE:
            return {}
        if self.terms.tls == hop.CERTIFICATE:
            raise NotImplementedError("Postfix demands certificates only of clients that must use TLS")
        key, certificate = self.certificate
        may = self.terms.tls == hop.OFFERED
        demand = self.terms.tls == hop.CERTIFICATE_REQUIRED
        return {"smtpd_tls_security_level": "may" if may else "encrypt", "smtpd_tls_key_file": key,
                "smtpd_tls_cert_file": certificate, "smtpd_tls_CAfile": certificate,
                "smtpd_tls_req_ccert": "yes" if demand else "no"}

    def services(self):
        services = super().services() + ["verify unix - - n - 1 verify"]
        if self.postscreen:
            services[0] = f"{self.port} inet n - n - 1 postscreen"
            services += ["smtpd pass - - n - - smtpd", "dnsblog unix - - n - 0 dnsblog",
                         "tlsproxy unix - - n - 0 tlsproxy"]
        return services

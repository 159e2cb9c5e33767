"""A filter of OpenSMTPD (smtpd-filters(7)) that asks the doorman: python3 smtpd_filter.py PORT"""

import socket
import sys

STAGES = {"connect": "connect", "helo": "helo", "ehlo": "helo", "mail-from": "mail", "data": "data", "commit": "dot"}


def main(port):
    connection = socket.create_connection(("127.0.0.1", port))
    answers = connection.makefile("r", encoding="utf-8")

    def ask(question):
        connection.sendall((question + "\n").encode())
        return answers.readline().strip()

    senders = {}  # session -> reverse-path
    for line in sys.stdin:
        if line.startswith("config|ready"):
            for phase in (*STAGES, "rcpt-to"):
                print("register|filter|smtp-in|" + phase)
            print("register|ready", flush=True)
        if not line.startswith("filter|"):
            continue
        _, _, _, _, phase, session, token, *values = line.rstrip("\n").split("|")
        if phase == "rcpt-to":
            said = ask(f"rcpt {senders[session]} {values[0]}")
            said = ask("at rcpt") if said == "ok" else said
        else:
            if phase == "mail-from":
                senders[session] = values[0] or "<>"
            said = ask("at " + STAGES[phase])
        print(f"filter-result|{session}|{token}|" + ("proceed" if said == "ok" else "reject|" + said), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))

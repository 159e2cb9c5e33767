// The remote sends anything. Each recipient ends in one state, and our commands are valid SMTP.
#include "relay/smtp/client_machine.hpp"
#include "relay/smtp/dot_stuffer.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;
using Step = smtp::ClientMachine::Step;

namespace {

void check_output(const std::string& said) {
  require(said.empty() || said.ends_with("\r\n"), "whole lines are said");
  for (std::size_t i = 0; i < said.size(); ++i) {
    require(said[i] != '\n' || (i > 0 && said[i - 1] == '\r'), "no bare LF is said");
    require(said[i] != '\0', "no NUL is said");
  }
}

smtp::ClientTransaction transaction() {
  return {.reverse_path = mail::ReversePath(*mail::Mailbox::parse("srs0=x@fwd.example")),
          .recipients = {*mail::Mailbox::parse("a@x.example"), *mail::Mailbox::parse("b@x.example"),
                         *mail::Mailbox::parse("\"c d\"@x.example")},
          .size = 100,
          .eight_bit = true,
          .needs_smtputf8 = false};
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  smtp::ClientMachine machine("mx.fwd.example", smtp::TlsUse::IfOffered);
  int begun = 0;
  bool under_way = false;
  const auto settle = [&] {
    for (int turn = 0; turn < 10; ++turn) {
      check_output(machine.take_output());
      if (machine.step() == Step::StartTls) {
        machine.tls_started();
      } else if (machine.step() == Step::Content) {
        machine.content_sent();
      } else if (machine.step() == Step::Done) {
        require(machine.verdicts().size() == 3, "a verdict for each recipient");
        for (const auto& verdict : machine.verdicts()) {
          require(verdict.kind != mail::OutcomeKind::Delivered || verdict.code / 100 == 2,
                  "delivered is what the remote said");
          require(!verdict.protocol_error ||
                      (verdict.kind == mail::OutcomeKind::Deferred && !machine.reusable()),
                  "out of step: nobody fails for it, and the connection ends");
        }
        under_way = false;
        if (!machine.reusable() || begun >= 3) return;
        machine.begin(transaction());
        under_way = true;
        ++begun;
      } else if (machine.step() == Step::Ready) {
        if (begun >= 3) return;
        machine.begin(transaction());
        under_way = true;
        ++begun;
      } else {
        return;
      }
    }
  };
  fuzz::in_pieces(input, [&](std::string_view piece) {
    if (machine.step() != Step::Read) return;
    machine.feed(piece);
    settle();
  });
  if (machine.step() == Step::Closed && under_way) {
    require(machine.verdicts().size() == 3, "a verdict for each recipient at a broken end");
  }
}

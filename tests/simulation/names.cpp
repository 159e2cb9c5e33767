// Words for the enumerators that traces show.
#include "tests/simulation/mood.hpp"
#include "tests/simulation/witness.hpp"
#include "tests/simulation/world.hpp"

namespace relay::simulation {

std::string_view name(Step step) {
  switch (step) {
    case Step::Connect:
      return "connect";
    case Step::Banner:
      return "banner";
    case Step::Ehlo:
      return "EHLO";
    case Step::StartTls:
      return "STARTTLS";
    case Step::Handshake:
      return "handshake";
    case Step::Mail:
      return "MAIL";
    case Step::Rcpt:
      return "RCPT";
    case Step::Data:
      return "DATA";
    case Step::Dot:
      return "dot";
    case Step::Reset:
      return "RSET";
    case Step::Quit:
      return "QUIT";
    case Step::Other:
      return "other";
  }
  return "";
}

std::string_view name(Breach breach) {
  switch (breach) {
    case Breach::BeforeBanner:
      return "spoke before the banner";
    case Breach::BeforeReply:
      return "spoke on before a reply it had to wait for";
    case Breach::UnknownCommand:
      return "unknown command";
    case Breach::LineTooLong:
      return "line too long";
    case Breach::BareLineFeed:
      return "bare line feed";
    case Breach::MailWithoutHello:
      return "MAIL without EHLO";
    case Breach::MailInTransaction:
      return "MAIL inside a transaction";
    case Breach::ParameterNotOffered:
      return "parameter that was not offered";
    case Breach::RcptWithoutMail:
      return "RCPT without MAIL";
    case Breach::DataWithoutRcpt:
      return "DATA without an accepted RCPT";
    case Breach::TlsNotOffered:
      return "STARTTLS that was not offered";
    case Breach::TlsTwice:
      return "STARTTLS inside TLS";
    case Breach::TlsInTransaction:
      return "STARTTLS inside a transaction";
    case Breach::ClearTextAfterStartTls:
      return "clear text after STARTTLS";
    case Breach::AfterQuit:
      return "spoke after QUIT";
    case Breach::StatedLimit:
      return "more than EHLO said it would take";
    case Breach::ContentForNobody:
      return "content without a recipient";
  }
  return "";
}

std::string_view name(Incident::What what) {
  switch (what) {
    case Incident::What::HostReach:
      return "a host's reach";
    case Incident::What::HostCrash:
      return "a host crashes";
    case Incident::What::HostHeals:
      return "a host heals";
    case Incident::What::DnsFails:
      return "DNS fails";
    case Incident::What::DnsHeals:
      return "DNS heals";
    case Incident::What::DomainMoves:
      return "a domain moves";
    case Incident::What::SpoolFails:
      return "the store fails";
    case Incident::What::SpoolHeals:
      return "the store heals";
    case Incident::What::Verb:
      return "a verb";
    case Incident::What::Pause:
      return "a pause";
    case Incident::What::Resume:
      return "a resume";
    case Incident::What::Reload:
      return "a reload";
    case Incident::What::Crash:
      return "the process crashes";
    case Incident::What::Restart:
      return "the process restarts";
    case Incident::What::WallJumps:
      return "the wall clock jumps";
    case Incident::What::LoopStalls:
      return "a loop stalls";
    case Incident::What::AllHeals:
      return "everything heals";
  }
  return "";
}

}  // namespace relay::simulation

// Words for what traces show.
#include "tests/simulation/mood.hpp"
#include "tests/simulation/witness.hpp"

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

}  // namespace relay::simulation

#include "relay/smtp/server_machine.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace relay::smtp {

namespace {

/// The recipient may be sent again in another transaction (RFC 5321 §4.5.3.1.10).
Reply too_many(std::string_view text) { return {452, {4, 5, 3}, text}; }

Reply too_many_errors() { return {421, {4, 7, 0}, "Too many errors"}; }

Reply closing() { return {421, {4, 7, 0}, "Closing the connection"}; }

}  // namespace

const Reply* reply_in(const Action& action) {
  return std::visit(
      [](const auto& a) -> const Reply* {
        if constexpr (requires { a.reply; }) return &a.reply;
        return nullptr;
      },
      action);
}

Reply ServerMachine::banner() const {
  return Reply::plain(220, fmt::format("{} ESMTP srs-relay", options_.hostname));
}

Action ServerMachine::turn_away(Reply reply) {
  turned_away_ = true;
  return Respond{std::move(reply)};
}

Action ServerMachine::on_line_without_service(std::string_view line) {
  if (verb_of(line) == Verb::Quit) return shut_down(Reply(221, {2, 0, 0}, "Bye"));
  if (++junk_ > kTurnedAwayCommands) return shut_down(closing());
  return Respond{Reply(503, {5, 5, 1}, "No service for you, say QUIT")};
}

Action ServerMachine::on_line(std::string_view line, bool more_buffered) {
  if (looks_like_other_protocol(line)) {
    return shut_down(Reply(421, {4, 7, 0}, "This is an SMTP server"));
  }
  if (turned_away_) return on_line_without_service(line);
  auto command = parse_command(line);
  if (more_buffered && must_end_group(command ? verb_of(line) : command.error().verb)) {
    return shut_down(Reply(421, {4, 7, 0}, "Improper use of pipelining"));
  }
  if (!command) return on_refusal(std::move(command.error()));
  if (auto* hello = std::get_if<Hello>(&*command)) return on_hello(std::move(*hello));
  if (auto* mail = std::get_if<MailFrom>(&*command)) return on_mail(std::move(*mail));
  if (auto* rcpt = std::get_if<RcptTo>(&*command)) return on_rcpt(std::move(*rcpt));
  if (auto* named = std::get_if<NameClient>(&*command)) return on_name_client(std::move(*named));
  return on_simple(std::get<Simple>(*command).verb);
}

Action ServerMachine::on_overlong_line() {
  end_transaction();
  return Close{Reply(500, {5, 5, 2}, "Line too long"), closing()};
}

Action ServerMachine::on_bare_line_end() {
  if (turned_away_) return on_line_without_service({});
  return error(Reply(500, {5, 5, 2}, "Lines end in CR LF"));
}

Action ServerMachine::on_refusal(Refusal refusal) {
  if (refusal.verb == Verb::Bdat) {
    // A chunk of content follows, which must never be read as commands.
    end_transaction();
    return Close{std::move(refusal.reply), closing()};
  }
  return error(std::move(refusal.reply));
}

Action ServerMachine::on_hello(Hello hello) {
  end_transaction();
  const bool again = !helo_.empty();
  helo_ = std::move(hello.name);
  esmtp_ = hello.extended;
  Reply reply = esmtp_ ? greeting() : Reply::plain(250, options_.hostname);
  return again ? junk(std::move(reply)) : Action(Respond{std::move(reply)});
}

Reply ServerMachine::greeting() const {
  std::vector<std::string> lines{options_.hostname, "PIPELINING",
                                 fmt::format("SIZE {}", options_.max_size)};
  if (options_.offer_starttls && !options_.tls_active) lines.emplace_back("STARTTLS");
  lines.emplace_back("ENHANCEDSTATUSCODES");
  lines.emplace_back("8BITMIME");
  lines.emplace_back("SMTPUTF8");
  if (options_.offer_naming) {
    lines.push_back(fmt::format("XCLIENT {}", kXclientAttributes));
    lines.push_back(fmt::format("XFORWARD {}", kXforwardAttributes));
  }
  return Reply::multiline(250, lines);
}

Action ServerMachine::on_mail(MailFrom mail) {
  if (helo_.empty()) return sequence_error("Say HELO or EHLO first");
  if (options_.require_tls && !options_.tls_active) {
    return error(Reply(530, {5, 7, 0}, "Say STARTTLS first"));  // RFC 3207 §4
  }
  if (transaction_) return sequence_error("A transaction is already open");
  if (mail.has_parameters && !esmtp_) {
    return error(Reply(555, {5, 5, 4}, "Parameters need EHLO"));
  }
  if (mail.declared_size > options_.max_size) {
    return error(Reply(552, {5, 3, 4}, "Message exceeds the size limit"));
  }
  transaction_.emplace();
  transaction_->number = ++transactions_begun_;
  transaction_->envelope.reverse_path = std::move(mail.reverse_path);
  transaction_->envelope.body = mail.body;
  transaction_->envelope.smtputf8 = mail.smtputf8;
  transaction_->envelope.declared_size = mail.declared_size;
  return Respond{Reply(250, {2, 1, 0}, "Sender ok")};
}

Action ServerMachine::on_rcpt(RcptTo rcpt) {
  if (!transaction_) return sequence_error("MAIL first");
  if (rcpt.eight_bit && !transaction_->envelope.smtputf8) {
    return error(Reply(553, {5, 6, 7}, "This address needs SMTPUTF8"));
  }
  if (transaction_->closed) return put_off(too_many("Too many recipients were refused"));
  if (put_off_ >= many_put_off()) return put_off(too_many("Too many recipients were put off"));
  if (transaction_->envelope.forward_paths.size() >= options_.max_recipients ||
      transaction_->asked >= options_.max_recipients + kSpareRecipients) {
    return put_off(too_many("Too many recipients"));
  }
  ++transaction_->asked;
  checking_ = rcpt.forward_path;
  return CheckRecipient{std::move(rcpt.forward_path)};
}

Action ServerMachine::on_recipient(std::optional<Reply> refusal) {
  auto asked = std::exchange(checking_, std::nullopt);
  // An answer without a question is a programming error; it must not add a recipient.
  if (!transaction_ || !asked) return sequence_error("MAIL first");
  if (refusal && refusal->code() == 421) return shut_down(std::move(*refusal));
  if (refusal && refusal->code() < 500) return put_off(std::move(*refusal));
  if (refusal) {
    if (++errors_ <= options_.max_errors) return Respond{std::move(*refusal)};
    // The first refusal over the limit does not end the session, nor does any further one where
    // recipients were accepted: the message still goes to those, so that a mailing list is not
    // stopped by its dead subscribers.
    const bool has_recipients = !transaction_->envelope.forward_paths.empty();
    if (errors_ > options_.max_errors + 1 && !has_recipients) return shut_down(too_many_errors());
    transaction_->closed = true;
    return put_off(too_many("Too many recipients were refused"));
  }
  transaction_->envelope.forward_paths.push_back(std::move(*asked));
  return Respond{Reply(250, {2, 1, 5}, "Recipient ok")};
}

std::uint32_t ServerMachine::many_put_off() const {
  return std::max(kManyPutOff, 2 * options_.max_recipients);
}

Action ServerMachine::put_off(Reply reply) {
  transaction_->put_off = true;
  if (++put_off_ > kFlood * many_put_off()) return junk(std::move(reply));
  return Respond{std::move(reply)};
}

Action ServerMachine::on_data() {
  if (!transaction_) return sequence_error("MAIL and RCPT first");
  if (transaction_->envelope.forward_paths.empty()) {
    Reply reply(554, {5, 5, 1}, "No valid recipients");
    // With PIPELINING, DATA is sent before the client learns that all recipients were answered 4xx:
    // the first such DATA is no error.
    const bool again = std::exchange(transaction_->data_refused, true);
    if (transaction_->put_off && !again) return Respond{std::move(reply)};
    return error(std::move(reply));
  }
  return ReadContent{Reply::plain(354, "End data with <CR><LF>.<CR><LF>")};
}

Action ServerMachine::on_content_end(const EndOfDataReply& reply) {
  end_transaction();
  if (reply.reply().code() == 421) return Close{reply.reply(), std::nullopt};
  if (reply.reply().code() >= 500) {
    // The verdict on the message is sent even when it exhausts the error budget.
    if (++errors_ > options_.max_errors) return Close{reply.reply(), too_many_errors()};
    return Respond{reply.reply()};
  }
  if (reply.reply().positive()) errors_ = junk_ = put_off_ = 0;
  return Respond{reply.reply()};
}

Action ServerMachine::on_content_cut(Reply refusal) {
  end_transaction();
  return Close{std::move(refusal), closing()};
}

Action ServerMachine::on_name_client(NameClient named) {
  if (transaction_) return sequence_error("Not within a transaction");
  return named;
}

Action ServerMachine::on_client_named(std::optional<Reply> refusal) {
  if (refusal && refusal->code() == 421) return shut_down(std::move(*refusal));
  if (refusal) return error(std::move(*refusal));
  return Respond{Reply(250, {2, 0, 0}, "Ok")};
}

Action ServerMachine::on_starttls() {
  if (options_.tls_active) return sequence_error("TLS is already active");
  if (!options_.offer_starttls) return error(Reply(502, {5, 5, 1}, "Command not implemented"));
  if (helo_.empty()) return sequence_error("Say EHLO first");
  end_transaction();
  return BeginTls{Reply(220, {2, 0, 0}, "Ready to start TLS")};
}

Action ServerMachine::on_tls_unavailable() {
  return junk(Reply(454, {4, 7, 0}, "TLS not available now, too many handshakes"));
}

Action ServerMachine::on_simple(Verb verb) {
  switch (verb) {
    case Verb::Data:
      return on_data();
    case Verb::StartTls:
      return on_starttls();
    case Verb::Quit:
      return shut_down(Reply(221, {2, 0, 0}, "Bye"));
    case Verb::Help:
      return junk(Reply(214, {2, 0, 0}, "See RFC 5321"));
    case Verb::Vrfy:
      // RFC 5321 §7.3: 250 and 550 would answer those who collect addresses.
      return junk(Reply(252, {2, 5, 0}, "Cannot verify the user, send mail and see"));
    case Verb::Rset: {
      // After a recipient heard 4xx, RSET is normal: the client will try again later.
      const bool excused = transaction_ && transaction_->put_off;
      end_transaction();
      Reply reply(250, {2, 0, 0}, "Ok");
      return excused ? Action(Respond{std::move(reply)}) : junk(std::move(reply));
    }
    default:
      return junk(Reply(250, {2, 0, 0}, "Ok"));
  }
}

Action ServerMachine::shut_down(Reply reply) {
  end_transaction();
  return Close{std::move(reply), std::nullopt};
}

Action ServerMachine::error(Reply reply) {
  if (++errors_ > options_.max_errors) return shut_down(too_many_errors());
  return Respond{std::move(reply)};
}

Action ServerMachine::junk(Reply reply) {
  if (++junk_ > options_.max_junk) return shut_down(Reply(421, {4, 7, 0}, "Too many commands"));
  return Respond{std::move(reply)};
}

Action ServerMachine::sequence_error(std::string_view text) {
  return error(Reply(503, {5, 5, 1}, text));
}

}  // namespace relay::smtp

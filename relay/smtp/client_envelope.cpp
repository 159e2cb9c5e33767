#include "relay/smtp/client_envelope.hpp"

#include <algorithm>
#include <utility>

namespace relay::smtp {

namespace {

constexpr mail::EnhancedStatus kTooBig{5, 3, 4};
constexpr mail::EnhancedStatus kNoSmtputf8{5, 6, 7};  // RFC 6531 §3.5

Verdict incapable(mail::EnhancedStatus status, std::string text) {
  Verdict verdict =
      local_verdict(mail::OutcomeKind::Failed, mail::Stage::MailFrom, status, std::move(text));
  verdict.by_capability = true;
  return verdict;
}

bool is_utf8_sender(const ClientTransaction& transaction) {
  const auto& sender = transaction.reverse_path;
  return !sender.is_null() && sender.mailbox().is_utf8();
}

}  // namespace

std::string mail_line(const ClientTransaction& transaction, const Extensions& offered) {
  std::string line = "MAIL FROM:<" + transaction.reverse_path.to_string() + ">";
  if (offered.size) line += " SIZE=" + std::to_string(transaction.size);
  // An 8-bit body goes unchanged even to a 7-bit server: conversion would break its signatures.
  if (offered.eight_bit_mime && transaction.eight_bit) line += " BODY=8BITMIME";
  const bool utf8 = transaction.needs_smtputf8 || is_utf8_sender(transaction) ||
                    std::ranges::any_of(transaction.recipients, &mail::Mailbox::is_utf8);
  if (offered.smtputf8 && utf8) line += " SMTPUTF8";
  return line;
}

std::optional<Verdict> unsendable(const ClientTransaction& transaction,
                                  const mail::Mailbox& recipient, const Extensions& offered) {
  if (offered.max_size && transaction.size > *offered.max_size) {
    return incapable(kTooBig, "message is larger than the server accepts");
  }
  const bool utf8 =
      transaction.needs_smtputf8 || is_utf8_sender(transaction) || recipient.is_utf8();
  if (utf8 && !offered.smtputf8) {
    return incapable(kNoSmtputf8, "server does not support SMTPUTF8");
  }
  return std::nullopt;
}

}  // namespace relay::smtp

// A DSN to be changed by each test.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "relay/mail/dsn.hpp"
#include "tests/support/golden.hpp"

namespace relay::mail {

inline const base::WallTime kDsnNow{std::chrono::milliseconds(1'795'500'000'000)};

inline Mailbox dsn_mailbox(const std::string& text) { return *Mailbox::parse(text); }

/// Refused by the next hop.
inline DsnRecipient refused(const std::string& alias, const std::string& target) {
  DsnRecipient made{.kind = DsnKind::Failed,
                    .original = ForwardPath(dsn_mailbox(alias)),
                    .target = dsn_mailbox(target),
                    .attempt = {}};
  made.attempt.at = kDsnNow - std::chrono::seconds(5);
  made.attempt.host = "mx.mail.example";
  made.attempt.address = "192.0.2.9";
  made.attempt.stage = Stage::RcptTo;
  made.attempt.code = 550;
  made.attempt.status = {5, 1, 1};
  made.attempt.text = "5.1.1 <" + target + ">: no such user";
  return made;
}

/// Greylisted.
inline DsnRecipient delayed(const std::string& alias, const std::string& target) {
  DsnRecipient made = refused(alias, target);
  made.kind = DsnKind::Delayed;
  made.end = End::None;
  made.retry_until = kDsnNow + std::chrono::hours(119);
  made.attempt.code = 451;
  made.attempt.status = {4, 7, 1};
  made.attempt.text = "4.7.1 greylisted";
  return made;
}

/// Never reached.
inline DsnRecipient expired(const std::string& alias, const std::string& target) {
  DsnRecipient made = refused(alias, target);
  made.end = End::Expired;
  made.attempt.code = 0;
  made.attempt.stage = Stage::Connect;
  made.attempt.status = {4, 4, 1};
  made.attempt.text = "connection refused";
  return made;
}

/// Of one recipient, with ids that count upwards.
inline DsnRequest dsn_request() {
  return {.new_id =
              [next = std::uint8_t{0}]() mutable {
                return MessageId::make(kDsnNow, {1, 0, 0, 0, 0, 0, 0, 0, 0, next++});
              },
          .original_id = MessageId::make(kDsnNow, {2}),
          .reporting_host = *Domain::parse("mx.fwd.example"),
          .addressee = dsn_mailbox("ann@sender.example"),
          .now = kDsnNow,
          .arrived_at = kDsnNow - std::chrono::hours(1),
          .original_header =
              "From: Ann <ann@sender.example>\r\nTo: info@fwd.example\r\n"
              "Subject: Hello\r\nMessage-ID: <1@sender.example>\r\n",
          .hide_targets = true,
          .recipients = {refused("info@fwd.example", "me@mail.example")}};
}

/// The one DSN of a request that fits into one.
inline std::string dsn_text(const DsnRequest& request) { return build_dsns(request).at(0).content; }

inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

inline void expect_golden(const std::string& name, const std::string& text) {
  support::expect_golden("tests/mail/golden/" + name, text);
}

/// Seven bits, CRLF only, no line over 998 octets, none of a delivery status that is spaces only.
inline void expect_sound(const std::string& text) {
  std::size_t length = 0;
  bool blank = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) >= 0x80U || text[i] == '\0') FAIL() << "octet at " << i;
    if (text[i] == '\n') {
      ASSERT_TRUE(i > 0 && text[i - 1] == '\r');
      ASSERT_LE(length, 999U);
      ASSERT_FALSE(blank && length > 1) << "a line of spaces at " << i;
      length = 0;
      blank = true;
      continue;
    }
    if (text[i] == '\r') {
      if (text[i + 1] != '\n') FAIL() << "CR at " << i;
    } else if (text[i] != ' ') {
      blank = false;
    }
    ++length;
  }
}

}  // namespace relay::mail

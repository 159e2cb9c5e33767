// A message, its signatures good and odd, and the keys of x.example: "r" RSA, "e" Ed25519.
#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/auth/dkim/signature_maker.hpp"
#include "tests/auth/dkim/judged.hpp"
#include "tests/auth/dkim/recorded_resolver.hpp"
#include "tests/auth/dkim/test_signer.hpp"

namespace relay::auth::dkim {

inline const std::string kMessage =
    "From: Ann <ann@x.example>\r\nTo: bob@y.example\r\nSubject: Is dinner\r\n  ready?\r\n"
    "Date: Tue, 24 Nov 2026 03:00:00 +0000\r\nMessage-ID: <1@x.example>\r\n\r\n"
    "Hi.\r\n\r\nWe  lost the game. \r\n\r\n\r\n";

inline constexpr const char* kTags =
    "v=1; a=rsa-sha256; c=relaxed/relaxed; d=x.example; s=r; h=From:To:Subject:Date";

/// With the tag replaced, or added.
inline std::string tags_with(const std::string& name, const std::string& value) {
  std::string tags;
  bool replaced = false;
  for (const auto part : split_value(kTags, ';')) {
    const bool here = part.starts_with(name + "=");
    replaced = replaced || here;
    tags += here ? name + "=" + value : std::string(part);
    tags += "; ";
  }
  return replaced ? tags.substr(0, tags.size() - 2) : tags + name + "=" + value;
}

inline std::string changed(std::string message, const std::string& part,
                           const std::string& instead) {
  const std::size_t at = message.rfind(part);
  EXPECT_NE(at, std::string::npos) << part;
  return message.replace(at, part.size(), instead);
}

class Verifier : public testing::Test {
 protected:
  Verifier() {
    dns_.set("r._domainkey.x.example", {{rsa_.dns_record()}});
    dns_.set("e._domainkey.x.example", {{ed25519_.dns_record()}});
  }

  /// Our own signature, as the signer makes it.
  std::string by_us(const PrivateKey& key, const std::string& selector,
                    const std::string& message = kMessage) const {
    BodyHashes hashes;
    const std::size_t whole = hashes.want(Canon::Relaxed);
    hashes.update(body_of(message));
    hashes.finish();
    const auto fields = mail::readable_fields(message);
    return make_signature_field({.domain = "x.example",
                                 .selector = selector,
                                 .body_hash = hashes.digest(whole),
                                 .now_unix = kTestNow,
                                 .fields = fields},
                                key) +
           message;
  }

  mail::DkimVerdict only_verdict(const std::string& message, std::int64_t now = kTestNow) {
    const auto verdicts = judged(message, dns_, now);
    EXPECT_THAT(verdicts, testing::SizeIs(1));
    return verdicts.empty() ? mail::DkimVerdict() : verdicts.front();
  }

  /// Of a message signed with the RSA key and these tags.
  mail::DkimVerdict verdict_with(const std::string& name, const std::string& value) {
    return only_verdict(signed_with(kMessage, rsa_, tags_with(name, value)));
  }

  mail::DkimVerdict verdict_with_record(const std::string& record,
                                        const std::string& tags = kTags) {
    dns_.set("r._domainkey.x.example", {{record}});
    return only_verdict(signed_with(kMessage, rsa_, tags));
  }

  const PrivateKey rsa_ = test_key("rsa");
  const PrivateKey ed25519_ = test_key("ed25519");
  RecordedResolver dns_;
};

}  // namespace relay::auth::dkim

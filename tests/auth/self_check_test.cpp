// Our own signatures and seals as our verifier sees them. The maker makes them; the check must see
// every way in which they could be wrong.
#include "relay/auth/self_check.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/auth/arc/sealer.hpp"
#include "relay/auth/dkim/signature_maker.hpp"
#include "tests/auth/dkim/test_signer.hpp"

namespace relay::auth {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::int64_t kNow = 1'795'500'000;
const std::string kBodyHash(32, 'h');

enum class Seal { None, First, Next, AfterAFailure };

struct HeaderCase {
  const char* name;
  std::string block;
};

const std::vector<HeaderCase> kHeaders = {
    {"Plain", "From: ann@sender.example\r\nTo: bob@fwd.example\r\nSubject: x\r\n"},
    {"Folded",
     "From: Ann\r\n  <ann@sender.example>\r\nSubject:\r\n\tof\r\n   many \t lines  \r\nX-Y: z\r\n"},
    {"EightBit", "From: \xc3\x84nn <ann@sender.example>\r\nSubject: \xe9\xff\x80 raw\r\n"},
    {"Duplicates",
     "From: a@b.example\r\nSubject: 1\r\nFROM: c@d.example\r\nsubject : 2\r\nSubject: 3\r\n"},
    {"SignedBefore",
     "DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=x; h=from; bh=AA==; b=AA==\r\n"
     "From: ann@sender.example\r\nList-Id: <a.b>\r\n"},
    {"NoField", ""},
    {"NoneReadable", "this is no field\r\nFrom: ann@sender.example\r\nnor this\r\n"},
};

PublishedKey published(const std::string& selector, const dkim::PrivateKey& key) {
  return {"fwd.example", selector, *dkim::parse_key_record(key.dns_record())};
}

/// Everything that fault_in() is asked about, to be changed at will.
struct Made {
  std::string arc, dkim, header;
  std::string body_hash = kBodyHash;
  std::vector<PublishedKey> signers;
  std::optional<PublishedKey> sealer;

  std::optional<SelfCheckFault> fault() const {
    return fault_in(
        {.arc_fields = arc, .dkim_fields = dkim, .header_block = header, .body_hash = body_hash},
        signers, sealer);
  }

  /// "" when everything holds.
  std::string problem() const {
    const auto found = fault();
    return found ? found->problem : "";
  }
};

std::string seal_over(const std::string& block, const dkim::PrivateKey& key,
                      mail::ArcResult chain) {
  const arc::SealOrder order{.results = "mx.fwd.example; dmarc=pass header.from=sender.example",
                             .chain = chain,
                             .body_hash = kBodyHash,
                             .now_unix = kNow};
  return arc::make_set(mail::readable_fields(block), order, {"fwd.example", "a", key}).value();
}

Made made(const std::string& header, const dkim::PrivateKey& key, Seal seal) {
  Made all{.header = header};
  if (seal == Seal::Next || seal == Seal::AfterAFailure) {
    all.header = seal_over(header, key, mail::ArcResult::None) + header;
  }
  const auto fields = mail::readable_fields(all.header);
  all.dkim = dkim::make_signature_field({.domain = "fwd.example",
                                         .selector = "s",
                                         .body_hash = kBodyHash,
                                         .now_unix = kNow,
                                         .expires_unix = kNow + 604'800,
                                         .fields = fields},
                                        key);
  all.signers = {published("s", key)};
  if (seal == Seal::None) return all;
  const auto chain = seal == Seal::First  ? mail::ArcResult::None
                     : seal == Seal::Next ? mail::ArcResult::Pass
                                          : mail::ArcResult::Fail;
  all.arc = seal_over(all.dkim + all.header, key, chain);
  all.sealer = published("a", key);
  return all;
}

/// Another letter in the value of b= of the topmost field `name`.
void damage(std::string& fields, const std::string& name) {
  const std::size_t value = fields.find("\tb=", fields.find(name + ":")) + 12;
  fields[value] = fields[value] == 'A' ? 'B' : 'A';
}

class SelfCheck : public testing::TestWithParam<std::tuple<std::size_t, dkim::KeyType, Seal>> {
 protected:
  static const dkim::PrivateKey& key() {
    static const auto rsa = dkim::test_key("rsa");
    static const auto ed25519 = dkim::test_key("ed25519");
    return std::get<1>(GetParam()) == dkim::KeyType::Rsa ? rsa : ed25519;
  }

  bool sealed() const { return std::get<2>(GetParam()) != Seal::None; }

  Made made_ = made(kHeaders.at(std::get<0>(GetParam())).block, key(), std::get<2>(GetParam()));
};

TEST_P(SelfCheck, PassesWhatWasMade) { EXPECT_EQ(made_.problem(), ""); }

TEST_P(SelfCheck, SeesAnotherHeader) {
  made_.header = "From: evil@foe.example\r\n" + made_.header;
  EXPECT_EQ(made_.problem(), "DKIM-Signature: signature did not verify");
}

TEST_P(SelfCheck, SeesAnotherBody) {
  made_.body_hash[7] ^= 1;
  EXPECT_EQ(made_.problem(), "DKIM-Signature: body hash does not match");
  made_.dkim.clear();
  made_.signers.clear();
  EXPECT_EQ(made_.problem(), sealed() ? "ARC-Message-Signature: body hash does not match" : "");
}

TEST_P(SelfCheck, SeesADamagedSignature) {
  damage(made_.dkim, "DKIM-Signature");
  EXPECT_THAT(made_.problem(), StartsWith("DKIM-Signature: "));
  EXPECT_EQ(made_.fault()->domain, "fwd.example");
  EXPECT_EQ(made_.fault()->selector, "s");
}

TEST_P(SelfCheck, SeesAnotherKey) {
  static const auto other_rsa = *dkim::PrivateKey::generate(dkim::KeyType::Rsa);
  static const auto other_ed25519 = *dkim::PrivateKey::generate(dkim::KeyType::Ed25519);
  const auto& other = key().type() == dkim::KeyType::Rsa ? other_rsa : other_ed25519;
  const auto right = made_;
  made_.signers = {published("s", other)};
  EXPECT_EQ(made_.problem(), "DKIM-Signature: signature did not verify");
  made_.signers = {published("t", key())};
  EXPECT_EQ(made_.problem(), "DKIM-Signature: another key is named");
  made_.signers.front().record.key.clear();
  EXPECT_NE(made_.problem(), "");
  made_ = right;
  if (!sealed()) return;
  made_.sealer = published("a", other);
  EXPECT_EQ(made_.problem(), "ARC-Message-Signature: signature did not verify");
  EXPECT_EQ(made_.fault()->selector, "a");
  made_.sealer = published("b", key());
  EXPECT_EQ(made_.problem(), "ARC-Message-Signature: another key is named");
}

TEST_P(SelfCheck, SeesADamagedSet) {
  if (!sealed()) return;
  const auto right = made_;
  damage(made_.arc, "ARC-Seal");
  EXPECT_THAT(made_.problem(), StartsWith("ARC-Seal: "));
  made_ = right;
  damage(made_.arc, "ARC-Message-Signature");
  EXPECT_THAT(made_.problem(), StartsWith("ARC-Message-Signature: "));
  made_ = right;
  made_.arc.replace(made_.arc.find("dmarc=pass"), 10, "dmarc=fail");
  EXPECT_EQ(made_.problem(), "ARC-Seal: signature did not verify") << "it covers the results";
  made_ = right;
  made_.arc.resize(made_.arc.find("ARC-Authentication-Results"));
  EXPECT_EQ(made_.problem(), "ARC set: not an ARC set");
}

TEST_P(SelfCheck, SeesWhatIsMissingOrTooMuch) {
  const auto right = made_;
  made_.signers.push_back(published("second", key()));
  EXPECT_EQ(made_.problem(), "DKIM-Signature: missing");
  EXPECT_EQ(made_.fault()->selector, "second");
  made_ = right;
  made_.signers.clear();
  EXPECT_EQ(made_.problem(), "unknown DKIM-Signature");
  made_ = right;
  made_.sealer.reset();
  EXPECT_EQ(made_.problem(), sealed() ? "unknown seal" : "");
}

TEST_P(SelfCheck, SeesAChainThatWasPulledApart) {
  if (std::get<2>(GetParam()) != Seal::Next) return;
  made_.header.replace(made_.header.find("ARC-Seal:"), 9, "ARC-Deal:");
  EXPECT_THAT(made_.problem(), StartsWith("ARC-Seal: "));
}

std::string name_of_case(const testing::TestParamInfo<SelfCheck::ParamType>& info) {
  constexpr std::array kSeals = {"", "Sealed", "SealedAgain", "AfterAFailure"};
  const auto& [header, key, seal] = info.param;
  return std::string(kHeaders.at(header).name) + (key == dkim::KeyType::Rsa ? "Rsa" : "Ed25519") +
         kSeals.at(static_cast<std::size_t>(seal));
}

INSTANTIATE_TEST_SUITE_P(
    Everything, SelfCheck,
    testing::Combine(testing::Range(std::size_t{0}, kHeaders.size()),
                     testing::Values(dkim::KeyType::Rsa, dkim::KeyType::Ed25519),
                     testing::Values(Seal::None, Seal::First, Seal::Next, Seal::AfterAFailure)),
    name_of_case);

/// The first line of the header would go on with our field: no signature survives that.
TEST(SelfCheckSeam, SeesAHeaderThatBeginsInsideAField) {
  const Made all =
      made(" goes on\r\nFrom: ann@sender.example\r\n", dkim::test_key("rsa"), Seal::None);
  EXPECT_THAT(all.problem(), HasSubstr("DKIM-Signature: "));
}

}  // namespace
}  // namespace relay::auth

// An address that we made leads back; any other does not.
#include "srs/srs.hpp"

#include "srs/explanation.hpp"
#include "tests/fuzz/oracle.hpp"

using relay::fuzz::require;

namespace {

constexpr std::int64_t kNow = 1'795'500'000;

const srs::Rewriter& rewriter(srs::Format format) {
  const auto make = [](srs::Format wanted) {
    srs::Options options;
    options.format = wanted;
    options.classic_hash_length = 12;
    options.classic_hash_min = 12;
    return srs::Rewriter(*srs::KeyRing::make({{"k", "q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua", {}}}),
                         "srs.example.net", options);
  };
  static const srs::Rewriter strong = make(srs::Format::Strong);
  static const srs::Rewriter classic = make(srs::Format::Classic);
  return format == srs::Format::Strong ? strong : classic;
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  const auto address = srs::parse_address(input);
  if (!address || address->domain.find('=') != std::string::npos) return;  // no domain at all
  for (const auto format : {srs::Format::Strong, srs::Format::Classic}) {
    const auto& r = rewriter(format);
    if (const auto made = r.forward(*address, kNow)) {
      require(made->local_part.size() <= srs::kMaxLocalPart, "64 octets at most");
      const auto back = r.reverse(*made, kNow);
      if (back) {
        const bool first = made->local_part.starts_with("SRS0");
        require(!first || back->address == *address, "SRS0 leads back to the sender");
      }
    }
    // The key is secret, so the fuzzer can only guess at 40 bits or more.
    srs::Address guess{address->local_part, "srs.example.net"};
    require(!r.reverse(guess, kNow), "a guess does not decode");
    srs::explain(r, guess, kNow);
    const auto token = r.make_token(*address, kNow);
    require(r.reverse(token.address, kNow)->token == token.token, "a token leads back");
  }
}

#include "relay/review/remembered_secrets.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <new>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "relay/base/text.hpp"
#include "relay/forward/names_of_ours.hpp"

namespace relay::review {

namespace {

constexpr std::string_view kWhat = "srs-relay: this SRS secret was valid at the last start";
constexpr std::size_t kShownOctets = 16;
constexpr std::int64_t kDay = 86'400;
constexpr std::string_view kClassicBefore = "classic-before";

std::string digest_of(const forward::SrsSecret& secret) {
  const std::string_view key = secret.secret.reveal();
  std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(kWhat.data()), kWhat.size(), octets.data(),
           &size) == nullptr) {
    throw std::bad_alloc();
  }
  std::string hex;
  for (std::size_t i = 0; i < kShownOctets; ++i) hex += fmt::format("{:02x}", octets[i]);
  return hex;
}

std::int64_t seconds_of(base::WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::int64_t end_of(const RememberedSecret& secret, const forward::Srs& srs, std::int64_t now) {
  return (secret.signs ? now : secret.made_until) + srs.max_age_days * kDay;
}

bool is_there(const std::vector<RememberedSecret>& secrets, const std::string& digest) {
  return std::ranges::find(secrets, digest, &RememberedSecret::digest) != secrets.end();
}

/// Removes the first word of the line and returns it.
std::string_view word_of(std::string_view& line) {
  const std::size_t blank = std::min(line.find(' '), line.size());
  const std::string_view taken = line.substr(0, blank);
  line.remove_prefix(std::min(blank + 1, line.size()));
  return taken;
}

std::optional<std::int64_t> parse_second(std::string_view word) {
  std::int64_t second = 0;
  const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), second);
  if (error != std::errc() || rest != word.data() + word.size()) return std::nullopt;
  return second;
}

std::optional<RememberedSecret> parse_secret(std::string_view line) {
  RememberedSecret secret;
  secret.digest = word_of(line);
  const auto until = parse_second(word_of(line));
  const std::string_view use = word_of(line);
  secret.signs = use == "signed";
  secret.id = line;
  const bool good =
      secret.digest.size() == 2 * kShownOctets && until && (secret.signs || use == "verified");
  if (!good) return std::nullopt;
  secret.made_until = *until;
  return secret;
}

std::optional<ClassicBefore> parse_classic_before(std::string_view line) {
  ClassicBefore before;
  const auto at = parse_second(word_of(line));
  if (!at) return std::nullopt;
  before.upgraded_at = *at;
  while (!line.empty()) before.digests.emplace_back(word_of(line));
  return before;
}

std::vector<RememberedSecret> present(const forward::Srs& srs) {
  std::vector<RememberedSecret> secrets;
  for (const forward::SrsSecret& secret : srs.secrets) {
    secrets.push_back({.id = secret.id, .digest = digest_of(secret)});
  }
  return secrets;
}

}  // namespace

std::vector<RememberedSecret> remember(const std::vector<RememberedSecret>& before,
                                       const forward::Srs& srs, base::WallTime now) {
  const std::int64_t second = seconds_of(now);
  std::vector<RememberedSecret> after;
  for (std::size_t i = 0; i < srs.secrets.size(); ++i) {
    const forward::SrsSecret& secret = srs.secrets[i];
    if (secret.verify_until && *secret.verify_until < second) continue;
    RememberedSecret one{
        .id = secret.id, .digest = digest_of(secret), .made_until = second, .signs = i == 0};
    // A secret that has stopped signing at this start made addresses until now. For the others
    // nothing changes, so that the file need not be written again.
    const auto known = std::ranges::find(before, one.digest, &RememberedSecret::digest);
    const bool has_ended = known != before.end() && known->signs && !one.signs;
    if (known != before.end() && !has_ended) one.made_until = known->made_until;
    after.push_back(std::move(one));
  }
  const auto there = present(srs);
  for (const RememberedSecret& old : before) {
    if (is_there(there, old.digest) || end_of(old, srs, second) <= second) continue;
    after.push_back({.id = old.id,
                     .digest = old.digest,
                     .made_until = old.signs ? second : old.made_until,
                     .signs = false});
  }
  return after;
}

std::vector<Missed> missed(const std::vector<RememberedSecret>& remembered, const forward::Srs& srs,
                           base::WallTime now) {
  const std::int64_t second = seconds_of(now);
  const auto there = present(srs);
  std::vector<Missed> gone;
  for (const RememberedSecret& secret : remembered) {
    const std::int64_t end = end_of(secret, srs, second);
    if (is_there(there, secret.digest) || end <= second) continue;
    gone.push_back({secret, base::WallTime(std::chrono::seconds(end))});
  }
  return gone;
}

ClassicBefore classic_before(const SecretMemory& memory, const forward::Srs& srs, bool had_queue,
                             base::WallTime now) {
  ClassicBefore before = memory.classic_before.value_or(ClassicBefore());
  const std::int64_t second = seconds_of(now);
  if (memory.classic_before) {
    before.upgraded_at = std::min(before.upgraded_at, second);
    return before;
  }
  if (!had_queue) return before;
  before.upgraded_at = second;
  const auto known = memory.secrets.empty() ? present(srs) : memory.secrets;
  for (const RememberedSecret& secret : known) before.digests.push_back(secret.digest);
  return before;
}

void recall_classic(forward::Srs& srs, const ClassicBefore& before) {
  for (forward::SrsSecret& secret : srs.secrets) {
    const bool is_open = !secret.classic && secret.scheme == srs::Scheme::Native;
    if (!is_open || std::ranges::find(before.digests, digest_of(secret)) == before.digests.end()) {
      continue;
    }
    secret.classic_until = before.upgraded_at + srs.max_age_days * kDay;
  }
}

std::string text_of(const SecretMemory& memory) {
  std::string text =
      "# SRS secrets at the last start: keyed digest, last use, what it was, id. `srs-relay "
      "check`\n"
      "# warns of those that are missed. In front: when secrets without `classic = true` ceased to "
      "take\n"
      "# classic tags (0: they never did), but for addresses that were under way; and which did.\n";
  if (memory.classic_before) {
    text += fmt::format("{} {}", kClassicBefore, memory.classic_before->upgraded_at);
    for (const std::string& digest : memory.classic_before->digests) text += ' ' + digest;
    text += '\n';
  }
  for (const RememberedSecret& secret : memory.secrets) {
    std::string id;
    base::append_printable(id, secret.id);
    text += fmt::format("{} {} {} {}\n", secret.digest, secret.made_until,
                        secret.signs ? "signed" : "verified", id);
  }
  return text;
}

SecretMemory parse_remembered(std::string_view text) {
  SecretMemory memory;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with(kClassicBefore)) {
      word_of(line);
      if (auto before = parse_classic_before(line)) memory.classic_before = std::move(*before);
    } else if (auto secret = parse_secret(line)) {
      memory.secrets.push_back(std::move(*secret));
    }
  }
  return memory;
}

}  // namespace relay::review

#include "relay/auth/results/believed.hpp"

#include <algorithm>
#include <array>

#include "relay/auth/results/parser.hpp"
#include "relay/base/text.hpp"

namespace relay::auth::results {

namespace {

using mail::SpfResult;

constexpr std::array kSpfResults = {SpfResult::None,     SpfResult::Neutral,  SpfResult::Pass,
                                    SpfResult::Fail,     SpfResult::SoftFail, SpfResult::TempError,
                                    SpfResult::PermError};

std::optional<SpfResult> spf_result(std::string_view text) {
  if (text == "hardfail") return SpfResult::Fail;  // an obsolete name (RFC 8601 §2.7.2)
  const auto found =
      std::ranges::find_if(kSpfResults, [&](SpfResult one) { return mail::name_of(one) == text; });
  if (found == kSpfResults.end()) return std::nullopt;
  return *found;
}

/// The domain in the only property of this name; "" without one, or with more than one.
std::string domain_of(const Result& result, std::string_view ptype, std::string_view name) {
  std::string found;
  for (const Property& property : result.properties) {
    if (property.ptype != ptype || property.name != name) continue;
    if (!found.empty()) return {};
    found = domain_in(property.value).value_or("");
  }
  return found;
}

void take_spf(const Result& result, std::string_view name, std::optional<BelievedSpf>& into) {
  const auto found = spf_result(result.result);
  std::string domain = domain_of(result, "smtp", name);
  if (found && !domain.empty() && !into) into = BelievedSpf{*found, std::move(domain)};
}

}  // namespace

Believed believed_results(const mail::Header& header, std::size_t fields,
                          std::string_view authserv_id) {
  Believed believed;
  std::vector<std::string> contradicted;
  for (std::size_t i = 0; i < std::min(fields, header.fields().size()); ++i) {
    const mail::HeaderField& field = header.fields()[i];
    if (!base::equal_ignoring_case(field.name, "Authentication-Results")) continue;
    const auto id = authserv_id_of(field.value);
    const auto read = parse_results_leniently(field.value);
    if (!id || !read || !base::equal_ignoring_case(*id, authserv_id)) continue;
    for (const Result& result : read->results) {
      if (result.method == "spf") {
        take_spf(result, "mailfrom", believed.mail_from);
        take_spf(result, "helo", believed.helo);
      } else if (result.method == "dmarc") {
        auto& names = result.result == "pass" ? believed.passed : contradicted;
        names.push_back(domain_of(result, "header", "from"));
      }
    }
  }
  std::erase_if(believed.passed, [&](const std::string& author) {
    return author.empty() || std::ranges::find(contradicted, author) != contradicted.end();
  });
  return believed;
}

}  // namespace relay::auth::results

#include "relay/auth/arc/sealed_verdict.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "relay/auth/results/parser.hpp"
#include "relay/base/text.hpp"

namespace relay::auth::arc {

namespace {

bool covers_from(const ArcSet& set) {
  return std::ranges::any_of(set.signature_tags.names, [](const std::string& name) {
    return base::equal_ignoring_case(name, "From");
  });
}

/// The single dmarc result; nullopt when there is none, or more than one.
std::optional<results::Result> dmarc_result(const ArcSet& set) {
  const auto numbered = numbered_results(set.results.value);
  if (!numbered) return std::nullopt;
  const auto read = results::parse_results_leniently(numbered->results);
  if (!read || std::ranges::count(read->results, "dmarc", &results::Result::method) != 1) {
    return std::nullopt;
  }
  return *std::ranges::find(read->results, "dmarc", &results::Result::method);
}

bool is_from(const results::Property& property) {
  return property.ptype == "header" && property.name == "from";
}

}  // namespace

bool newest_set_vouches_for(const Chain& chain, std::string_view author) {
  if (chain.sets().empty() || !covers_from(chain.sets().back())) return false;
  const auto dmarc = dmarc_result(chain.sets().back());
  if (!dmarc || dmarc->result != "pass") return false;
  const auto from = std::ranges::find_if(dmarc->properties, is_from);
  // A domain by RFC 8601 §2.7.2 and RFC 7489 §11.1; but Zoho writes "<ann@sender.example>".
  return from != dmarc->properties.end() && results::domain_in(from->value) == author &&
         std::ranges::count_if(dmarc->properties, is_from) == 1;
}

bool newest_set_vouches_for(const mail::Header& header, std::string_view author) {
  return newest_set_vouches_for(Chain::collect(header.fields()), author);
}

}  // namespace relay::auth::arc

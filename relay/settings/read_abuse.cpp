// [[dns_list]], [abuse], [greylist] and [rates]: by which mail is put off or refused.
#include "relay/base/text.hpp"
#include "relay/settings/abuse.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/read_sections.hpp"
#include "relay/settings/units.hpp"

namespace relay::settings {

namespace {

constexpr std::size_t kMaxLists = 32;
// In front of the zone an IPv6 address takes 32 hexadecimal digits and as many dots.
constexpr std::size_t kMaxZone = 253 - 64;

void read_zone(Section& section, DnsList& list) {
  std::optional<mail::Domain> zone;
  section.domain("zone", zone);
  if (!section.has("zone")) {
    section.problem("zone", ProblemCode::Missing, "says which list, as \"zen.list.example\"");
  }
  if (!zone) return;
  list.zone = zone->folded();
  if (list.zone.size() > kMaxZone) {
    section.problem("zone", ProblemCode::Value, "too long: no address fits before it");
  }
}

}  // namespace

void read_dns_lists(Section& root, std::vector<DnsList>& lists) {
  for (Section& section : root.tables("dns_list")) {
    DnsList list;
    read_zone(section, list);
    section.choice("kind", list.allows, {{"block", false}, {"allow", true}});
    section.number("weight", list.weight, 1, 1000);
    std::vector<std::string> answers;
    section.texts("answers", answers);
    for (const std::string& text : answers) {
      if (const auto range = parse_list_answers(text)) {
        list.answers.push_back({range->first, range->second});
      } else {
        section.problem("answers", ProblemCode::Value, range.error());
      }
    }
    section.finish();
    lists.push_back(std::move(list));
    if (lists.size() == kMaxLists + 1) {
      section.problem("zone", ProblemCode::Value,
                      "more than " + std::to_string(kMaxLists) + " lists");
    }
  }
}

void read_greylist(Section& root, Greylist& greylist) {
  auto section = root.table("greylist");
  if (!section) return;
  section->boolean("enabled", greylist.enabled);
  section->duration("delay", greylist.delay);
  section->duration("retry_window", greylist.retry_window);
  section->duration("remember", greylist.remember);
  section->number("trusted_after", greylist.trusted_after, 1, 1'000'000);
  section->rate("new_per_network", greylist.new_per_network);
  if (greylist.retry_window <= greylist.delay) {
    section->problem("retry_window", ProblemCode::Value, "must be longer than delay");
  }
  section->finish();
}

void read_abuse(Section& root, Abuse& abuse) {
  auto section = root.table("abuse");
  if (!section) return;
  section->number("dns_list_refuse", abuse.dns_list_refuse, 1, 1'000'000);
  section->choice("dns_list_at", abuse.dns_list_at,
                  {{"connect", DnsListStage::Connect}, {"rcpt", DnsListStage::Recipient}});
  section->finish();
}

void read_rates(Section& root, Rates& rates) {
  auto section = root.table("rates");
  if (!section) return;
  section->rate("per_client", rates.per_client);
  section->rate("per_network", rates.per_network);
  section->rate("per_alias", rates.per_alias);
  section->rate("per_sender_domain", rates.per_sender_domain);
  section->rate("per_signature", rates.per_signature);
  section->rate("per_target", rates.per_target);
  section->rate("unknown", rates.unknown);
  section->finish();
}

}  // namespace relay::settings

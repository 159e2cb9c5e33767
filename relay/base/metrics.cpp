#include "relay/base/metrics.hpp"

#include <set>
#include <stdexcept>
#include <string>

#include "relay/base/text.hpp"

namespace relay::base {

namespace {

constexpr std::string_view kPrefix = "srs_relay_";
constexpr std::string_view kCounterEnd = "_total";

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (is_alpha(c) && lower(c) == c) || is_digit(c) || c == '_';
  });
}

[[noreturn]] void refuse(std::string_view name, const char* why) {
  throw std::logic_error("metric " + std::string(name) + ": " + why);
}

void check_name(const Series& series) {
  if (!series.name.starts_with(kPrefix) || !is_word(series.name)) {
    refuse(series.name, "names are srs_relay_ and lower-case words");
  }
  if ((series.kind == MetricKind::Counter) != series.name.ends_with(kCounterEnd)) {
    refuse(series.name, "counters, and nothing else, end in _total");
  }
  if (series.help.empty()) refuse(series.name, "says nothing of itself");
  for (const auto& [label, value] : series.labels) {
    if (!is_word(label)) refuse(series.name, "labels are lower-case words");
    if (value.empty()) refuse(series.name, "a label has fewer values than its enumeration");
  }
}

}  // namespace

void Registry::add(const Metric& metric) {
  std::set<std::vector<std::pair<std::string_view, std::string_view>>> seen;
  metric.visit([&](const Series& series) {
    check_name(series);
    if (!seen.insert(series.labels).second) refuse(series.name, "two label values are the same");
  });
  if (!metrics_.emplace(metric.name(), &metric).second) refuse(metric.name(), "is there already");
}

void Registry::visit(const SeriesVisitor& visitor) const {
  for (const auto& [name, metric] : metrics_) metric->visit(visitor);
}

}  // namespace relay::base

#include "tests/auth/spf/json_zone.hpp"

#include <set>

#include "tests/auth/spf/run_check.hpp"

namespace relay::auth::spf {

namespace json = boost::json;
using fakes::InstantResolver;

namespace {

std::string joined(const json::value& strings) {
  std::string whole;
  for (const auto& part : strings.as_array()) whole += part.as_string();
  return whole;
}

std::optional<InstantResolver::Type> type_named(std::string_view name) {
  using Type = InstantResolver::Type;
  if (name == "A") return Type::A;
  if (name == "AAAA") return Type::Aaaa;
  if (name == "MX") return Type::Mx;
  if (name == "TXT") return Type::Txt;
  if (name == "PTR") return Type::Ptr;
  if (name == "CNAME") return Type::Cname;
  return std::nullopt;
}

/// A name whose server is silent, but for the types of which the zone has records all the same.
void fail_all(InstantResolver& zone, std::string_view name, const json::object& records) {
  std::set<InstantResolver::Type> answered;
  for (const auto& [type, value] : records) {
    if (const auto known = type_named(type)) answered.insert(*known);
  }
  for (const auto type : InstantResolver::kAllTypes) {
    const bool answers = answered.contains(type) || answered.contains(InstantResolver::Type::Cname);
    if (!answers) zone.fail(name, type);
  }
}

void add_record(InstantResolver& zone, std::string_view name, InstantResolver::Type type,
                const json::value& value) {
  using Type = InstantResolver::Type;
  switch (type) {
    case Type::A:
    case Type::Aaaa:
      zone.add_address(name, boost::asio::ip::make_address(std::string(value.as_string())));
      break;
    case Type::Mx:
      zone.add_mx(name, value.as_array().at(0).to_number<std::uint16_t>(),
                  value.as_array().at(1).as_string());
      break;
    case Type::Txt:
      zone.add_txt(name, joined(value));
      break;
    case Type::Ptr:
      zone.add_ptr(name, value.as_string());
      break;
    case Type::Cname:
      zone.add_cname(name, value.as_string());
      break;
  }
}

}  // namespace

std::string text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

void fill(InstantResolver& zone, const json::object& names) {
  for (const auto& [name, value] : names) {
    const json::object& entry = value.as_object();
    zone.add_name(name);
    const json::object& records_by_type = entry.at("records").as_object();
    if (entry.contains("timeout") && entry.at("timeout").as_bool()) {
      fail_all(zone, name, records_by_type);
    }
    if (const json::value* types = entry.if_contains("timeout_types")) {
      for (const auto& type : types->as_array()) {
        if (const auto known = type_named(type.as_string())) zone.fail(name, *known);
      }
    }
    for (const auto& [type, records] : records_by_type) {
      // One suite writes a failing name as a record of these "types".
      if (type == "TIMEOUT" || type == "SERVFAIL") fail_all(zone, name, records_by_type);
      const auto known = type_named(type);
      if (!known) continue;  // SPF, type 99: never used (RFC 7208 §3.1)
      for (const auto& record : records.as_array()) add_record(zone, name, *known, record);
    }
  }
}

Query query_of(const json::object& test) {
  return {.client = boost::asio::ip::make_address(text(test, "ip")),
          .helo = text(test, "helo"),
          .mail_from = sender(text(test, "mailfrom")),
          .receiver = text(test, "receiver"),
          .explain = true};
}

}  // namespace relay::auth::spf

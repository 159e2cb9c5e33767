#include "relay/app/srs_verbs.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "srs/explanation.hpp"

namespace relay::app {

namespace json = boost::json;

namespace {

int exit_for(srs::ReverseError error) {
  switch (error) {
    case srs::ReverseError::Forged:
      return kSrsForged;
    case srs::ReverseError::Expired:
    case srs::ReverseError::Future:
      return kSrsExpired;
    default:
      return kSrsMalformed;
  }
}

int finish(bool as_json, json::object o, const std::string& text, int exit, std::string& out) {
  o["v"] = 1;
  out = as_json ? json::serialize(o) : text;
  return exit;
}

int encode(const srs::Address& address, const srs::Rewriter& rewriter, std::int64_t now, bool json,
           std::string& out) {
  const auto made = rewriter.forward(address, now);
  if (made) {
    const std::string text = srs::to_string(*made);
    return finish(json, {{"result", text}}, text, 0, out);
  }
  if (made.error() == srs::ForwardError::TooLong) {
    const std::string text = srs::to_string(rewriter.make_token(address, now).address);
    return finish(json, {{"result", text}, {"stored", true}}, text, 0, out);
  }
  const std::string why(srs::describe(made.error()));
  return finish(json, {{"error", why}}, "error: " + why, kSrsMalformed, out);
}

int decode(const srs::Address& address, const srs::Rewriter& rewriter, std::int64_t now, bool json,
           std::string& out) {
  const auto back = rewriter.reverse(address, now);
  if (!back) {
    const std::string why(srs::describe(back.error()));
    return finish(json, {{"error", why}}, "error: " + why, exit_for(back.error()), out);
  }
  std::string text = srs::to_string(back->address);
  if (back->family == srs::Family::Token) text = "token " + back->token;
  if (back->family == srs::Family::Message) text = "message " + back->token;
  return finish(json, {{"result", text}}, text, 0, out);
}

int explain(const std::string& input, const srs::Address& address, const srs::Rewriter& rewriter,
            std::int64_t now, bool json, std::string& out) {
  const auto found = srs::explain(rewriter, address, now);
  const std::string family = found.family ? std::string(srs::describe(*found.family)) : "";
  json::object o{{"address", input},
                 {"srs", found.is_srs},
                 {"verdict", found.verdict},
                 {"reason", found.reason}};
  std::string text = fmt::format("{}\n  verdict    {} ({})", input, found.verdict, found.reason);
  if (found.is_srs) {
    o["hop"] = found.hop;
    text += fmt::format("\n  hop        SRS{}", found.hop);
  }
  if (found.family) {
    o["family"] = family;
    o["key"] = found.key_id;
    o["recovered"] = found.recovered;
    text += fmt::format("\n  family     {}\n  key        {}", family, found.key_id);
    if (found.age_days) text += fmt::format("\n  age        {} days", *found.age_days);
    text += fmt::format("\n  recovered  {}", found.recovered);
  }
  if (found.age_days) o["age_days"] = *found.age_days;
  const auto reversed = rewriter.reverse(address, now);
  return finish(json, std::move(o), text, reversed ? 0 : exit_for(reversed.error()), out);
}

}  // namespace

int srs_line(const std::string& action, const std::string& address, const srs::Rewriter& rewriter,
             std::int64_t now_unix, bool json, std::string& out) {
  const auto read = srs::parse_address(address);
  if (!read) {
    return finish(json, {{"error", "not an address"}}, "error: not an address", kSrsMalformed, out);
  }
  if (action == "encode") return encode(*read, rewriter, now_unix, json, out);
  if (action == "digest") {
    const std::string text = rewriter.digest(*read);
    return finish(json, {{"result", text}}, text, 0, out);
  }
  if (action == "decode") return decode(*read, rewriter, now_unix, json, out);
  return explain(address, *read, rewriter, now_unix, json, out);
}

}  // namespace relay::app

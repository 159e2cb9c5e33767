// `srs-relay verify`: reads the files that the command line names, verifies, prints.
#include <fstream>
#include <iostream>
#include <iterator>

#include <boost/asio/ip/address.hpp>
#include <boost/json/serialize.hpp>

#include "relay/app/commands.hpp"
#include "relay/app/complaint.hpp"
#include "relay/app/policies.hpp"
#include "relay/app/secret_memory.hpp"
#include "relay/app/verify.hpp"
#include "relay/mail/header.hpp"
#include "relay/settings/problem.hpp"

namespace relay::app {

namespace {

constexpr std::size_t kMaxOctets = std::size_t{256} << 20U;

std::optional<std::string> read_all(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& in = path == "-" ? std::cin : file;
  std::string text;
  for (char block[65536]; in && text.size() <= kMaxOctets;) {
    in.read(block, sizeof(block));
    text.append(block, static_cast<std::size_t>(in.gcount()));
  }
  if (text.size() > kMaxOctets || (path != "-" && !file.eof())) return std::nullopt;
  return text;
}

/// Files of this system have bare line feeds, which were CRLF during transmission. Whether a file
/// is one of these is shown by its first line; a CRLF further down ends a line there as well.
std::string with_crlf(std::string text) {
  const auto first = text.find('\n');
  if (first == std::string::npos || (first > 0 && text[first - 1] == '\r')) return text;
  std::string out;
  out.reserve(text.size() + text.size() / 32);
  for (const char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

/// The arrival as the command line describes it; the error is a sentence.
std::expected<StoredMessage, std::string> arrival_of(const Invocation& call) {
  StoredMessage message;
  boost::system::error_code error;
  message.client = boost::asio::ip::make_address(call.client, error);
  if (error) return std::unexpected("--ip: not an IP address: " + call.client);
  const auto sender = mail::parse_reverse_path('<' + call.mail_from + '>');
  if (!sender) {
    return std::unexpected("--mail-from: " + std::string(mail::describe(sender.error())));
  }
  message.sender = *sender;
  message.helo = call.helo;
  if (!call.recipient.empty()) {
    const auto recipient = mail::parse_forward_path('<' + call.recipient + '>');
    if (!recipient) {
      return std::unexpected("--to: " + std::string(mail::describe(recipient.error())));
    }
    message.recipient = *recipient;
  }
  return message;
}

}  // namespace

int verify(const Invocation& call) {
  auto message = arrival_of(call);
  if (!message) return complain(call.json, message.error(), kExitUsage);
  auto content = read_all(call.words.front());
  if (!content) return complain(call.json, "cannot read " + call.words.front(), kExitNotFound);
  message->content = with_crlf(std::move(*content));
  std::optional<std::string> world;
  if (!call.zone_file.empty()) {
    world = read_all(call.zone_file);
    if (!world) return complain(call.json, "cannot read " + call.zone_file, kExitNotFound);
  }
  auto read = load_and_recall(call.config);
  if (!read) {
    return complain(call.json, read.error());
  }
  const auto policies = make_policies(read->loaded.settings);
  if (!policies) return complain(call.json, policies.error());
  auto lookups = OfflineLookups::open(*read->loaded.settings, std::move(world));
  if (!lookups) return complain(call.json, "dns: " + lookups.error(), kExitNegative);
  const Verification found = verify_message(*policies, **lookups, *message);
  std::cout << (call.json ? boost::json::serialize(to_json(found)) + '\n' : to_text(found));
  if (!found.refusal) return kExitOk;
  return found.refusal->code() < 500 ? kExitTemporary : kExitNegative;
}

}  // namespace relay::app

#include "tests/simulation/content_reader.hpp"

namespace relay::simulation {

bool ContentReader::take(std::string_view line) {
  if (line == ".") return true;
  if (line.starts_with('.')) line.remove_prefix(1);
  octets_ += line.size() + 2;
  if (in_body_) {
    body_hash_ = text_hash("\r\n", text_hash(line, body_hash_));
    return false;
  }
  in_body_ = line.empty();
  constexpr std::string_view kField = "Message-ID: <";
  if (message_id_.empty() && line.starts_with(kField)) {
    line.remove_prefix(kField.size());
    message_id_ = line.substr(0, line.find('@'));
  }
  return false;
}

}  // namespace relay::simulation

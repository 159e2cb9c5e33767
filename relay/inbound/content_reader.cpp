#include "relay/inbound/content_reader.hpp"

#include <memory>
#include <utility>

#include "relay/auth/results/forged.hpp"

namespace relay::inbound {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

/// There is text before the first empty line, and none of it is a field.
bool is_headless(const mail::Header& header) {
  return header.fields().empty() && !header.block().empty();
}

}  // namespace

void ContentReader::take(std::string_view content) {
  if (header_) return body_hashes_.update(content);
  const std::size_t known = header_block_.size();
  header_block_ += content;
  // Content that begins with the empty line has a header without fields.
  const bool no_fields = header_block_.starts_with(kLineEnd);
  const std::size_t search_from = known < 3 ? 0 : known - 3;
  const std::size_t end = no_fields ? 0 : header_block_.find("\r\n\r\n", search_from);
  if (end == std::string::npos) return;
  const std::size_t octets = no_fields ? 0 : end + kLineEnd.size();
  header_block_.resize(octets);
  complete_header();
  if (headless_) body_hashes_.update(kLineEnd);  // the empty line belongs to the body
  body_hashes_.update(content.substr(octets + kLineEnd.size() - known));
}

void ContentReader::complete_header() {
  const auto came = std::make_shared<const mail::Header>(std::exchange(header_block_, {}));
  const mail::HeaderPtr kept = without_forged(came);
  if (kept != came) replaced_octets_ = came->block().size();
  // No line is a header field: our own fields go in front, and all of the text must be the body.
  headless_ = is_headless(*kept);
  header_ = is_headless(*came) ? std::make_shared<const mail::Header>("") : came;
  auth::MessageCheck* const check = on_header_ ? on_header_(*header_) : nullptr;
  if (check != nullptr) check->on_header(*header_, body_hashes_);
  if (headless_) body_hashes_.update(kept->block());
  if (kept != came) header_ = kept;
}

mail::HeaderPtr ContentReader::without_forged(mail::HeaderPtr header) const {
  for (const std::string& id : authserv_ids_) {
    if (id.empty()) continue;
    std::size_t removed = 0;
    std::string kept = auth::results::without_forged(header->block(), id, &removed);
    if (removed > 0) header = std::make_shared<const mail::Header>(std::move(kept));
  }
  return header;
}

void ContentReader::end() {
  if (!header_) complete_header();
  body_hashes_.finish();
}

std::string_view ContentReader::joint() const {
  if (headless_) return kLineEnd;
  if (header_->preamble().empty()) return {};
  return header_->preamble().starts_with("From ") ? "X-Mailbox-Line: " : "X-Leading-Line:\r\n";
}

}  // namespace relay::inbound

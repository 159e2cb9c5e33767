#include "relay/base/pem.hpp"

#include <optional>
#include <string>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "relay/base/secret.hpp"

namespace relay::base {

namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

struct Block {
  std::string_view label;
  std::string_view body;  ///< base64 in lines, perhaps after header fields of RFC 1421
};

/// Where `marker` stands at the beginning of a line; npos if nowhere.
std::size_t find_line(std::string_view text, std::string_view marker) {
  for (std::size_t at = text.find(marker); at != std::string_view::npos;
       at = text.find(marker, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') return at;
  }
  return std::string_view::npos;
}

/// Takes the first block off `text`.
std::optional<Block> next_block(std::string_view& text) {
  const std::size_t begin = find_line(text, kBegin);
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin + kBegin.size());
  const std::size_t label_end = text.find(kDashes);
  if (label_end == std::string_view::npos) return std::nullopt;
  const std::string_view label = text.substr(0, label_end);
  text.remove_prefix(label_end + kDashes.size());
  const std::size_t end = find_line(text, kEnd);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view body = text.substr(0, end);
  text.remove_prefix(end + kEnd.size());
  if (!text.starts_with(label)) return std::nullopt;
  return Block{label, body};
}

/// The body without its line ends.
Secret in_one_line(std::string_view body) {
  std::string line;
  line.reserve(body.size());  // growing would leave copies behind in freed memory
  for (const char c : body) {
    if (c != '\r' && c != '\n' && c != ' ' && c != '\t') line += c;
  }
  return Secret(std::move(line));
}

/// Decodes base64 that stands in one line; empty when it is malformed.
Secret decoded(std::string_view base64) {
  std::string octets(base64.size() / 4 * 3, '\0');
  const int size = base64.size() % 4 != 0
                       ? -1
                       : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()),
                                         reinterpret_cast<const unsigned char*>(base64.data()),
                                         static_cast<int>(base64.size()));
  Secret all(std::move(octets));
  if (size <= 0) return {};
  const std::size_t padding = base64.size() - base64.find_last_not_of('=') - 1;
  return Secret(std::string(all.reveal().substr(0, static_cast<std::size_t>(size) - padding)));
}

}  // namespace

std::shared_ptr<evp_pkey_st> private_key_of(std::string_view pem) {
  while (const auto block = next_block(pem)) {
    if (!block->label.ends_with("PRIVATE KEY")) continue;  // such as "EC PARAMETERS"
    if (block->body.contains(':')) break;                  // header fields: the key is encrypted
    const Secret line = in_one_line(block->body);
    const Secret octets = decoded(line.reveal());
    const auto* at = reinterpret_cast<const unsigned char*>(octets.reveal().data());
    if (EVP_PKEY* key =
            d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(octets.reveal().size()))) {
      return {key, EVP_PKEY_free};
    }
    break;
  }
  ERR_clear_error();
  return nullptr;
}

}  // namespace relay::base

#include "relay/auth/body_hash.hpp"

#include <array>
#include <cstring>
#include <stdexcept>

#include <openssl/evp.h>

namespace relay::auth {

namespace {

constexpr std::size_t kBlockOctets = 4096;

bool is_wsp(char c) { return c == ' ' || c == '\t'; }

/// True when relaxing would change nothing inside `part`: no tab and no two spaces in a row.
/// Without an early exit, so that the compiler makes vector code of it; most lines are plain.
bool is_plain(std::string_view part) {
  const char* octets = part.data();
  unsigned char odd = 0;
  for (std::size_t i = 0; i + 1 < part.size(); ++i) {
    const bool tab = octets[i] == '\t';
    const bool two = octets[i] == ' ' && octets[i + 1] == ' ';
    odd = static_cast<unsigned char>(odd | static_cast<unsigned char>(tab | two));
  }
  return odd == 0;
}

/// Fetched once: the implicit lookup behind EVP_sha256() takes a lock each time.
const EVP_MD* sha256() {
  static EVP_MD* const kMethod = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kMethod;
}

}  // namespace

void RelaxedBodyHash::FreeContext::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

RelaxedBodyHash::RelaxedBodyHash() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL offers no SHA-256");
  }
}

RelaxedBodyHash::RelaxedBodyHash(RelaxedBodyHash&&) noexcept = default;
RelaxedBodyHash& RelaxedBodyHash::operator=(RelaxedBodyHash&&) noexcept = default;
RelaxedBodyHash::~RelaxedBodyHash() = default;

void RelaxedBodyHash::update(std::string_view octets) {
  if (octets.empty()) return;
  if (pending_cr_) {
    pending_cr_ = false;
    if (octets.front() == '\n') {
      ++pending_crlfs_;
      pending_space_ = false;
      octets.remove_prefix(1);
    } else {
      emit("\r");
    }
  }
  while (!octets.empty()) {
    const std::size_t cr = octets.find('\r');
    line_part(octets.substr(0, cr));
    if (cr == std::string_view::npos) return;
    if (cr + 1 == octets.size()) {
      pending_cr_ = true;
      return;
    }
    const bool line_end = octets[cr + 1] == '\n';
    if (line_end) {
      ++pending_crlfs_;
      pending_space_ = false;
    } else {
      emit("\r");
    }
    octets.remove_prefix(cr + (line_end ? 2 : 1));
  }
}

std::string RelaxedBodyHash::finish() {
  if (pending_cr_) emit("\r");
  // A body ends with exactly one CRLF, whatever it came with; an empty one stays empty.
  if (any_) append("\r\n");
  hash(block_);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1) {
    throw std::runtime_error("OpenSSL failed to finish a SHA-256");
  }
  return {digest.begin(), digest.begin() + size};
}

/// Takes octets of one line: the whole of it, or what a chunk holds of it.
void RelaxedBodyHash::line_part(std::string_view part) {
  while (!part.empty() && is_wsp(part.front())) {
    pending_space_ = true;
    part.remove_prefix(1);
  }
  if (part.empty()) return;
  bool space_behind = false;
  while (is_wsp(part.back())) {
    space_behind = true;
    part.remove_suffix(1);
  }
  if (is_plain(part)) {
    emit(part);
  } else {
    squeeze(part);
  }
  pending_space_ = space_behind;
}

/// Emits the words of `part` with one space between them. `part` has no white space at its ends.
void RelaxedBodyHash::squeeze(std::string_view part) {
  while (true) {
    const std::size_t end = part.find_first_of(" \t");
    emit(part.substr(0, end));
    if (end == std::string_view::npos) return;
    part.remove_prefix(part.find_first_not_of(" \t", end));
    pending_space_ = true;
  }
}

/// Appends octets that are certain to stay, after the line ends and the space kept back before.
void RelaxedBodyHash::emit(std::string_view octets) {
  for (; pending_crlfs_ > 0; --pending_crlfs_) append("\r\n");
  if (pending_space_) append(" ");
  pending_space_ = false;
  append(octets);
  any_ = true;
}

void RelaxedBodyHash::append(std::string_view octets) {
  if (block_.size() + octets.size() > kBlockOctets) {
    hash(block_);
    block_.clear();
    if (octets.size() >= kBlockOctets) {
      hash(octets);
      return;
    }
  }
  if (block_.capacity() < kBlockOctets) block_.reserve(kBlockOctets);
  block_.append(octets);
}

void RelaxedBodyHash::hash(std::string_view octets) {
  if (octets.empty()) return;
  if (EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) != 1) {
    throw std::runtime_error("OpenSSL failed to continue a SHA-256");
  }
}

}  // namespace relay::auth

// sign_messages KEY.pem DOMAIN SELECTOR FROM TO: every file of the folder FROM, with a signature
// field in front, into the folder TO. The message is fed to the hash in odd pieces, as a network
// would.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/auth/dkim/signature_maker.hpp"
#include "relay/mail/header.hpp"
#include "tests/support/read_file.hpp"

namespace {

namespace fs = std::filesystem;
using namespace relay;

std::string signed_copy(const std::string& message, const auth::dkim::PrivateKey& key,
                        const std::string& domain, const std::string& selector) {
  const std::size_t header = mail::header_length(message).value_or(message.size());
  auth::dkim::BodyHashes hashes;
  const std::size_t whole = hashes.want(auth::dkim::Canon::Relaxed);
  const std::string_view all = message;
  const std::string_view body = header + 2 <= all.size() ? all.substr(header + 2) : "";
  for (std::size_t at = 0, piece = 1; at < body.size(); at += piece, piece = piece * 3 % 997) {
    hashes.update(body.substr(at, piece));
  }
  const auto fields = mail::readable_fields(all.substr(0, header));
  hashes.finish();
  return auth::dkim::make_signature_field({.domain = domain,
                                           .selector = selector,
                                           .body_hash = hashes.digest(whole),
                                           .now_unix = 1'795'500'000,
                                           .expires_unix = 4'102'444'800,  // the year 2100
                                           .fields = fields},
                                          key) +
         message;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const auto key = auth::dkim::PrivateKey::parse(support::read_file(argv[1]));
  if (!key) {
    std::fprintf(stderr, "%s\n", key.error().c_str());
    return 1;
  }
  for (const auto& entry : fs::directory_iterator(argv[4])) {
    std::ofstream(fs::path(argv[5]) / entry.path().filename(), std::ios::binary)
        << signed_copy(support::read_file(entry.path()), *key, argv[2], argv[3]);
  }
  std::printf("%s\n", key->dns_record().c_str());
}

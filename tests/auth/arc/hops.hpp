// Hops that seal: chains as honest hosts make them, for tests that then spoil them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/auth/arc/sealer.hpp"

namespace relay::auth::arc {

/// The key of tests/auth/dkim/data/rsa.pem under this name.
SealingKey sealing_key(const std::string& domain = "hop.example",
                       const std::string& selector = "s1");

/// Its line in a zone.
std::string key_line(const SealingKey& key);

/// The set that `key` puts on `message`; "" when it must not.
std::string set_for(const std::string& message, const SealingKey& key, mail::ArcResult chain);

/// `message` with a valid set whose results are these, and whose message signature covers `names`.
std::string sealed_with(const std::string& message, const std::string& results,
                        const std::vector<std::string>& names = {"From", "To", "Subject"},
                        const SealingKey& key = sealing_key());

/// `message` with `count` valid sets, all by `key`.
std::string sealed(std::string message, unsigned count, const SealingKey& key = sealing_key());

/// A plain message without ARC fields.
std::string plain_message();

/// The header of `message` as raw fields, to be spoiled; joined() puts them together again.
std::vector<std::string> fields_of(const std::string& message);
std::string joined(const std::vector<std::string>& fields, const std::string& message);

/// With the first `old_text` replaced; throws when there is none: a mistake of the test.
std::string replaced(std::string text, std::string_view old_text, std::string_view new_text);

/// The newest set signed once more by `key`, after somebody has changed a tag of its message
/// signature.
std::string signed_again(const std::string& message, const SealingKey& key);

}  // namespace relay::auth::arc

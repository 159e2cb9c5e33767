// Files of which systemd makes our credentials.
#pragma once

#include <filesystem>
#include <string>

namespace relay::app {

/// The file that srs-relay.service names for this credential (LoadCredential=,
/// LoadCredentialEncrypted=), read from the units below `root`. "": none that is known here.
std::filesystem::path source_of_credential(const std::filesystem::path& root,
                                           const std::string& name);

}  // namespace relay::app

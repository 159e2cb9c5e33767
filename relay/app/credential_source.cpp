#include "relay/app/credential_source.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "relay/app/systemd_unit.hpp"

namespace relay::app {

namespace {

namespace fs = std::filesystem;

constexpr const char* kServiceUnit = "srs-relay.service";

// Where a source without a folder is looked for (systemd.exec(5)).
constexpr std::array<std::string_view, 3> kStores = {"etc", "run", "usr/lib"};

fs::path in_store(const fs::path& root, std::string_view store, const std::string& name) {
  for (const std::string_view folder : kStores) {
    const fs::path file = root / folder / store / name;
    std::error_code ignored;
    if (fs::exists(file, ignored)) return file;
  }
  return {};
}

/// `value`: "NAME:FILE", "NAME:FOLDER", which makes a credential NAME_FILE of each file there, or
/// "NAME". "" if it is about another credential, or is written with specifiers.
fs::path source_in(const std::string& value, const fs::path& root, std::string_view store,
                   const std::string& name) {
  const std::size_t colon = value.find(':');
  const std::string id = value.substr(0, colon);
  const std::string text = colon == std::string::npos ? id : value.substr(colon + 1);
  if (text.empty() || value.find('%') != std::string::npos) return {};
  const fs::path given(text);
  if (id == name) return given.is_absolute() ? given : in_store(root, store, text);
  std::error_code ignored;
  if (!name.starts_with(id + '_') || !fs::is_directory(given, ignored)) return {};
  return given / name.substr(id.size() + 1);
}

}  // namespace

fs::path source_of_credential(const fs::path& root, const std::string& name) {
  const auto settings = settings_of_unit(root, kServiceUnit);
  if (!settings) return {};
  fs::path plain;
  fs::path encrypted;
  for (const auto& [key, value] : *settings) {
    const bool is_encrypted = key == "LoadCredentialEncrypted";
    if (!is_encrypted && key != "LoadCredential") continue;
    fs::path& source = is_encrypted ? encrypted : plain;
    auto named = source_in(value, root, is_encrypted ? "credstore.encrypted" : "credstore", name);
    if (value.empty() || !named.empty()) source = std::move(named);
  }
  return plain.empty() ? encrypted : plain;
}

}  // namespace relay::app

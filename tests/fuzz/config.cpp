// A configuration is whole or refused, with every problem in its place.
#include <fstream>

#include <unistd.h>

#include "relay/settings/file_stamp.hpp"
#include "relay/settings/loader.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

RELAY_FUZZ_TARGET(input) {
  if (input.find("include") != input.npos || input.find("file") != input.npos) return;
  static const std::string path = "/tmp/srs-relay-fuzz-" + std::to_string(::getpid()) + ".toml";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << input;
  const auto loaded = settings::load(path);
  if (loaded) {
    require(!loaded->settings->hostname.empty(), "what loads has a host name");
    require(!loaded->settings->listeners.empty(), "and somewhere to listen");
    return;
  }
  require(!loaded.error().empty(), "a refusal has a reason");
  for (const auto& problem : loaded.error()) {
    const std::string line = settings::render(problem);
    require(!line.empty() && line.size() < 100'000, "that can be printed");
  }
}

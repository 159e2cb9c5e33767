// power_cut [--images N] [--seed S] [--failures N]: prints one line; exit 0 when no promise was
// broken. RELAY_SABOTAGE names a disk that breaks one: lying_disk.hpp.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/controls/sabotage.hpp"
#include "tests/powercut/explorer.hpp"
#include "tests/powercut/lying_disk.hpp"

int main(int argc, char** argv) {
  using namespace relay::powercut;
  std::uint64_t wanted = 10'000;
  std::uint64_t seed = 1;
  std::uint64_t enough = UINT64_MAX;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const auto value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--images") wanted = value;
    if (name == "--seed") seed = value;
    if (name == "--failures") enough = value;
  }
  Remembering* const remembering = lying_disk(relay::controls::sabotage_asked_for());
  if (remembering == nullptr) {
    std::fputs("power-cut: RELAY_SABOTAGE names no disk\n", stderr);
    return 2;
  }
  Verdict all;
  std::uint64_t lives = 0;
  while (all.images < wanted) {
    const Recording recording = record_workload(seed + lives, remembering);
    Explorer explorer(recording, seed + lives, remembering);
    const std::uint64_t share = std::min<std::uint64_t>(wanted - all.images, 50'000);
    const Verdict one = explorer.explore(share, enough);
    ++lives;
    all.add(one);
    if (!all.good()) break;
  }
  std::printf(
      "power-cut: seed %llu, %llu images of %llu moments in %llu lives and %llu second lives: "
      "%llu acknowledged copies lost, %llu ends or orders undone, %llu DSNs and %llu tokens lost, "
      "%llu damaged, %llu refused\n",
      static_cast<unsigned long long>(seed), static_cast<unsigned long long>(all.images),
      static_cast<unsigned long long>(all.moments), static_cast<unsigned long long>(lives),
      static_cast<unsigned long long>(all.second_lives), static_cast<unsigned long long>(all.lost),
      static_cast<unsigned long long>(all.undone), static_cast<unsigned long long>(all.dsns_lost),
      static_cast<unsigned long long>(all.tokens_lost),
      static_cast<unsigned long long>(all.damaged), static_cast<unsigned long long>(all.unopened));
  if (!all.example.empty()) std::printf("%s\n", all.example.c_str());
  return all.good() ? 0 : 1;
}

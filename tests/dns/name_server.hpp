// An authoritative name server (nsd) on loopback, for as long as the object lives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

namespace relay::dns {

class NameServer {
 public:
  /// The program, or nothing where it is not installed.
  static std::optional<std::filesystem::path> find();

  /// Serves `zone` as example.org on a free port, `reverse` as 2.0.192.in-addr.arpa when given, and
  /// SERVFAIL for everything in broken.example.
  /// Returns when it answers; throws std::runtime_error when it does not within thirty seconds.
  NameServer(const std::filesystem::path& program, const std::string& zone,
             const std::string& reverse = {});
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  /// "127.0.0.1@5353", as UnboundOptions::forward_to takes it.
  std::string address() const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  void write_files(const std::string& zone, const std::string& reverse) const;
  void start(const std::filesystem::path& program);
  bool comes_up();
  bool answers() const;

  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

/// A UDP port on loopback that takes questions and never answers.
class BlackHole {
 public:
  BlackHole();
  ~BlackHole();
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;

  std::string address() const;

 private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace relay::dns

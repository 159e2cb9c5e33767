// Key material. Cannot be printed or logged, and is wiped on destruction (guarantee "Secrets stay
// secret").
#pragma once

#include <string>
#include <string_view>

namespace relay::base {

class Secret {
 public:
  Secret() = default;

  explicit Secret(std::string octets) : octets_(std::move(octets)) {}

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret& other) = default;
  Secret& operator=(const Secret& other);
  ~Secret();

  /// The only access to the octets; the name makes each use easy to find in review.
  std::string_view reveal() const { return octets_; }

  bool empty() const { return octets_.empty(); }

 private:
  void wipe() noexcept;

  std::string octets_;
};

}  // namespace relay::base

#include "tests/controls/sabotage.hpp"

#include <cstdlib>

namespace relay::controls {

std::string_view sabotage_asked_for() {
  const char* const named = std::getenv("RELAY_SABOTAGE");
  return named != nullptr ? named : kNoSabotage;
}

namespace {

class SignsEverything final : public ports::Signer {
 public:
  explicit SignsEverything(ports::Signer& below) : below_(below) {}

  std::string domain_for(const std::string& from_domain) const override {
    return below_.domain_for(from_domain);
  }

  base::Task<std::expected<ports::Signatures, ports::SignError>> sign(
      ports::SignRequest request) override {
    request.unsigned_dkim = false;
    request.own_message = true;
    return below_.sign(std::move(request));
  }

 private:
  ports::Signer& below_;
};

}  // namespace

std::unique_ptr<ports::Signer> sabotaged(std::string_view sabotage, ports::Signer& below) {
  if (sabotage == "laundering-allowed") return std::make_unique<SignsEverything>(below);
  return nullptr;
}

}  // namespace relay::controls

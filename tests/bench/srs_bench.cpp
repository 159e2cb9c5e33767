// The cost of rewriting a sender, and of finding the way back. The floor is one HMAC-SHA256 with a
// key that is ready.
#include <array>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/params.h>

#include "srs/srs.hpp"
#include "tests/bench/turns.hpp"

namespace {

using relay::bench::take_turns;

constexpr std::int64_t kNow = 1'795'500'000;

srs::Rewriter rewriter(const std::string& domain) {
  return {*srs::KeyRing::make({{"b", "q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua", {}},
                               {"a", "Hx2Lq9TfZc4RvB7mWk1YsDp6NjUe8Ga3", {}}}),
          domain};
}

class HmacFloor {
 public:
  HmacFloor() {
    const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> method(
        EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
    context_.reset(EVP_MAC_CTX_new(method.get()));
    std::string digest = "SHA256";
    const std::array<OSSL_PARAM, 2> parameters = {
        OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0), OSSL_PARAM_construct_end()};
    const std::string key(32, 'k');
    demand(EVP_MAC_init(context_.get(), reinterpret_cast<const unsigned char*>(key.data()),
                        key.size(), parameters.data()));
  }

  void operator()(std::string_view octets) {
    std::array<unsigned char, 32> tag{};
    std::size_t size = 0;
    demand(EVP_MAC_init(context_.get(), nullptr, 0, nullptr));
    demand(EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(octets.data()),
                          octets.size()));
    demand(EVP_MAC_final(context_.get(), tag.data(), &size, tag.size()));
    benchmark::DoNotOptimize(tag);
  }

 private:
  static void demand(int result) {
    if (result != 1) throw std::runtime_error("OpenSSL failed");
  }

  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context_{nullptr, EVP_MAC_CTX_free};
};

void forward(benchmark::State& state, const srs::Address& sender) {
  const srs::Rewriter ours = rewriter("relay.example");
  const std::string text = srs::to_string(sender);
  HmacFloor floor;
  take_turns(
      state, text.size(),
      [&] {
        auto made = ours.forward(sender, kNow);
        if (!made) state.SkipWithError("refused");
        benchmark::DoNotOptimize(made);
      },
      [&] { floor(text); });
}

void reverse(benchmark::State& state, const srs::Address& sender) {
  const srs::Rewriter ours = rewriter("relay.example");
  const srs::Address made = *ours.forward(sender, kNow);
  const std::string text = srs::to_string(made);
  HmacFloor floor;
  take_turns(
      state, text.size(),
      [&] {
        auto found = ours.reverse(made, kNow);
        if (!found) state.SkipWithError("refused");
        benchmark::DoNotOptimize(found);
      },
      [&] { floor(text); });
}

/// Every key is tried, and the classic formats as well.
void refuse_forged(benchmark::State& state) {
  const srs::Rewriter ours = rewriter("relay.example");
  srs::Address forged = *ours.forward({"bounces", "sender.example"}, kNow);
  forged.local_part[5] = forged.local_part[5] == 'a' ? 'b' : 'a';
  const std::string text = srs::to_string(forged);
  HmacFloor floor;
  take_turns(
      state, text.size(),
      [&] {
        auto found = ours.reverse(forged, kNow);
        if (found) state.SkipWithError("taken");
        benchmark::DoNotOptimize(found);
      },
      [&] { floor(text); });
}

void make_token(benchmark::State& state) {
  const srs::Rewriter ours = rewriter("relay.example");
  const srs::Address sender{std::string(60, 'x'), "a.sender.example"};
  const std::string text = srs::to_string(sender);
  HmacFloor floor;
  take_turns(
      state, text.size(), [&] { benchmark::DoNotOptimize(ours.make_token(sender, kNow)); },
      [&] { floor(text); });
}

srs::Address plain() { return {"bounces+4711", "lists.sender.example"}; }

srs::Address from_another_relay() {
  return *rewriter("b.example").forward({"ann", "a.example"}, kNow);
}

RELAY_BENCH(forward, srs0, plain());
RELAY_BENCH(forward, srs1, from_another_relay());
RELAY_BENCH(reverse, srs0, plain());
RELAY_BENCH(reverse, srs1, from_another_relay());
BENCHMARK(refuse_forged)->UseManualTime();
BENCHMARK(make_token)->UseManualTime();

}  // namespace

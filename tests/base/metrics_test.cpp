#include "relay/base/metrics.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace relay::base {
namespace {

enum class Fruit : std::uint8_t { Apple, Pear };
enum class Size : std::uint8_t { Small, Middle, Big };

constexpr std::array<double, 3> kBounds{0.5, 1, 10};

using FruitLabel = Label<Fruit, 2>;
using SizeLabel = Label<Size, 3>;

/// As a room declares them.
struct Metrics {
  Counter sold{"srs_relay_sold_total", "Sold."};
  Gauge there{"srs_relay_there", "In the shop."};
  CounterFamily<FruitLabel> eaten{"srs_relay_eaten_total", "Eaten.", {"fruit", {"apple", "pear"}}};
  GaugeFamily<FruitLabel, SizeLabel> kept{"srs_relay_kept",
                                          "Kept.",
                                          {"fruit", {"apple", "pear"}},
                                          {"size", {"small", "middle", "big"}}};
  Histogram<kBounds> weight{"srs_relay_weight_kilograms", "Weight."};
  HistogramFamily<kDurationBounds, FruitLabel> ripening{
      "srs_relay_ripening_seconds", "Time.", {"fruit", {"apple", "pear"}}};
};

/// Enough to print a page: everything stands in the series.
std::string page(const Registry& registry) {
  std::string out;
  registry.visit([&](const Series& series) {
    std::string labels;
    for (const auto& [name, value] : series.labels) labels += fmt::format(" {}={}", name, value);
    out += fmt::format("{}{} ", series.name, labels);
    if (const auto* count = std::get_if<std::uint64_t>(&series.value)) {
      out += fmt::format("{}\n", *count);
    } else if (const auto* level = std::get_if<std::int64_t>(&series.value)) {
      out += fmt::format("{}\n", *level);
    } else {
      const auto& histogram = std::get<HistogramReading>(series.value);
      for (std::size_t i = 0; i < histogram.bounds.size(); ++i) {
        out += fmt::format("≤{}:{} ", histogram.bounds[i], histogram.at_most[i]);
      }
      out += fmt::format("sum:{} count:{}\n", histogram.sum, histogram.count());
    }
  });
  return out;
}

TEST(Metrics, ShowEverySeriesByNameAndThenByLabelValue) {
  Metrics metrics;
  Registry registry;
  registry.add(metrics.there);
  registry.add(metrics.sold);
  registry.add(metrics.kept);
  registry.add(metrics.weight);
  registry.add(metrics.eaten);
  metrics.sold.add();
  metrics.sold.add(4);
  metrics.there.set(7);
  metrics.there.subtract(9);
  metrics.there.add();
  metrics.eaten.at(Fruit::Pear).add(2);
  metrics.kept.at(Fruit::Apple, Size::Big).set(3);
  metrics.kept.at(Fruit::Pear, Size::Small).add(-4);
  for (const double weight : {0.1, 0.5, 0.6, 10.0, 11.0}) metrics.weight.observe(weight);
  EXPECT_EQ(page(registry),
            "srs_relay_eaten_total fruit=apple 0\n"
            "srs_relay_eaten_total fruit=pear 2\n"
            "srs_relay_kept fruit=apple size=small 0\n"
            "srs_relay_kept fruit=apple size=middle 0\n"
            "srs_relay_kept fruit=apple size=big 3\n"
            "srs_relay_kept fruit=pear size=small -4\n"
            "srs_relay_kept fruit=pear size=middle 0\n"
            "srs_relay_kept fruit=pear size=big 0\n"
            "srs_relay_sold_total 5\n"
            "srs_relay_there -1\n"
            "srs_relay_weight_kilograms ≤0.5:2 ≤1:3 ≤10:4 sum:22.2 count:5\n");
}

TEST(Metrics, TakeDurationsInSeconds) {
  Metrics metrics;
  metrics.ripening.at(Fruit::Pear).observe(std::chrono::milliseconds(1500));
  const auto reading = metrics.ripening.at(Fruit::Pear).value();
  EXPECT_DOUBLE_EQ(reading.sum, 1.5);
  EXPECT_EQ(reading.at_most[4], 0U);  // half a second
  EXPECT_EQ(reading.at_most[5], 1U);  // two seconds
  EXPECT_EQ(metrics.ripening.at(Fruit::Apple).value().count(), 0U);
}

TEST(Metrics, LoseNothingThatManyThreadsCount) {
  constexpr int kThreads = 8;
  constexpr std::uint64_t kTimes = 20'000;
  Metrics metrics;
  Registry registry;
  registry.add(metrics.sold);
  registry.add(metrics.weight);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&metrics, t] {
        for (std::uint64_t i = 0; i < kTimes; ++i) {
          metrics.sold.add();
          metrics.there.add(t % 2 == 0 ? 1 : -1);
          metrics.eaten.at(i % 2 == 0 ? Fruit::Apple : Fruit::Pear).add();
          metrics.weight.observe(1.0);
        }
      });
    }
    for (int i = 0; i < 100; ++i) page(registry);  // a reader disturbs nobody
  }
  EXPECT_EQ(metrics.sold.value(), kThreads * kTimes);
  EXPECT_EQ(metrics.there.value(), 0);
  EXPECT_EQ(metrics.eaten.at(Fruit::Apple).value(), kThreads * kTimes / 2);
  EXPECT_EQ(metrics.weight.value().count(), kThreads * kTimes);
  EXPECT_DOUBLE_EQ(metrics.weight.value().sum, static_cast<double>(kThreads * kTimes));
}

TEST(Metrics, NeverShareACacheLine) {
  EXPECT_GE(alignof(CounterCell), kCacheLine);
  EXPECT_EQ(sizeof(CounterCell), kCacheLine);
  EXPECT_EQ(sizeof(GaugeCell) % kCacheLine, 0U);
  EXPECT_EQ(alignof(Histogram<kBounds>), kCacheLine);
  EXPECT_TRUE(std::atomic<double>::is_always_lock_free);
  EXPECT_TRUE(std::atomic<std::uint64_t>::is_always_lock_free);
}

TEST(Metrics, RefuseAnEnumeratorOutsideTheirLabel) {
  Metrics metrics;
  EXPECT_THROW(metrics.eaten.at(static_cast<Fruit>(2)).add(), std::out_of_range);
}

TEST(Registry, RefusesNamesThatPrometheusWouldNotKnow) {
  Registry registry;
  const auto refuses = [&](std::string_view name, std::string_view help = "Help.") {
    EXPECT_THROW(registry.add(Counter(name, help)), std::logic_error) << name;
  };
  refuses("sold_total");
  refuses("srs_relay_sold");
  refuses("srs_relay_Sold_total");
  refuses("srs_relay_sold-out_total");
  refuses("srs_relay_sold_total", "");
  EXPECT_THROW(registry.add(Gauge("srs_relay_there_total", "Help.")), std::logic_error);
}

TEST(Registry, RefusesANameThatIsTaken) {
  const Counter one("srs_relay_sold_total", "Sold.");
  const Counter two("srs_relay_sold_total", "Sold.");
  Registry registry;
  registry.add(one);
  EXPECT_THROW(registry.add(two), std::logic_error);
}

TEST(Registry, RefusesLabelValuesThatAreMissingOrTheSame) {
  Registry registry;
  const CounterFamily<SizeLabel> short_of("srs_relay_a_total", "A.", {"size", {"small", "big"}});
  const CounterFamily<FruitLabel> twice("srs_relay_b_total", "B.", {"fruit", {"pear", "pear"}});
  EXPECT_THROW(registry.add(short_of), std::logic_error);
  EXPECT_THROW(registry.add(twice), std::logic_error);
}

}  // namespace
}  // namespace relay::base

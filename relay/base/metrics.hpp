// What the program counts and measures, with names in Prometheus style. Every room declares a
// `struct Metrics` of these types beside the code that counts; the composition root puts them into
// a Registry. Nothing here knows an output format: readers visit the series and print them
// themselves.
//
// Writing takes no lock and is safe on any thread: one relaxed atomic operation. A reader may see
// one number slightly earlier than another.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace relay::base {

/// Each number has a cache line of its own, so that two threads writing two numbers do not slow
/// each other down.
inline constexpr std::size_t kCacheLine = 64;

enum class MetricKind { Counter, Gauge, Histogram };

/// What a histogram holds. `at_most[i]` counts values up to bounds[i]; the last one counts all.
struct HistogramReading {
  std::span<const double> bounds;
  std::vector<std::uint64_t> at_most;
  double sum = 0;

  std::uint64_t count() const { return at_most.back(); }
};

/// One number with its name and labels, or one histogram.
struct Series {
  std::string_view name;
  std::string_view help;
  MetricKind kind = MetricKind::Counter;
  std::vector<std::pair<std::string_view, std::string_view>> labels;  ///< name, value
  std::variant<std::uint64_t, std::int64_t, HistogramReading> value;
};

using SeriesVisitor = std::function<void(const Series&)>;

/// Only grows.
class alignas(kCacheLine) CounterCell {
 public:
  static constexpr MetricKind kKind = MetricKind::Counter;

  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }

  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down.
class alignas(kCacheLine) GaugeCell {
 public:
  static constexpr MetricKind kKind = MetricKind::Gauge;

  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }

  void add(std::int64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }

  void subtract(std::int64_t n = 1) noexcept { value_.fetch_sub(n, std::memory_order_relaxed); }

  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Bounds for durations, in seconds: from a local write to the longest wait for a reply.
inline constexpr std::array<double, 10> kDurationBounds{0.001, 0.005, 0.02, 0.1, 0.5,
                                                        2,     10,    60,   300, 1800};

/// `kBounds` is a std::array of double, rising; a value belongs to the first bound that is not
/// below it.
template <const auto& kBounds>
class alignas(kCacheLine) HistogramCell {
 public:
  static constexpr MetricKind kKind = MetricKind::Histogram;
  static_assert(std::ranges::is_sorted(kBounds));

  void observe(double value) noexcept {
    const auto bucket = std::ranges::lower_bound(kBounds, value) - kBounds.begin();
    buckets_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  /// In seconds.
  void observe(std::chrono::nanoseconds span) noexcept {
    observe(std::chrono::duration<double>(span).count());
  }

  HistogramReading value() const {
    HistogramReading reading{.bounds = kBounds, .at_most = {}};
    std::uint64_t so_far = 0;
    for (const auto& bucket : buckets_) {
      so_far += bucket.load(std::memory_order_relaxed);
      reading.at_most.push_back(so_far);
    }
    reading.sum = sum_.load(std::memory_order_relaxed);
    return reading;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<double> sum_{0};
};

/// A named number or histogram for a Registry. Names and help texts are literals.
class Metric {
 public:
  Metric(std::string_view name, std::string_view help) : name_(name), help_(help) {}

  Metric(const Metric&) = delete;
  Metric& operator=(const Metric&) = delete;
  virtual ~Metric() = default;

  std::string_view name() const { return name_; }

  /// Every series, in the order of the label values.
  virtual void visit(const SeriesVisitor& visitor) const = 0;

 protected:
  std::string_view help() const { return help_; }

 private:
  std::string_view name_;
  std::string_view help_;
};

/// One number without labels: `sessions.add()`.
template <class Cell>
class Single final : public Metric, public Cell {
 public:
  using Metric::Metric;

  void visit(const SeriesVisitor& visitor) const override {
    visitor({name(), help(), Cell::kKind, {}, Cell::value()});
  }
};

/// A label whose values are the enumerators of Enum, which count from 0 without gaps. So the number
/// of series is fixed: no input from outside can create one.
template <class Enum, std::size_t N>
struct Label {
  using Value = Enum;
  static constexpr std::size_t kSize = N;

  std::string_view name;
  std::array<std::string_view, N> values;
};

/// One number for each combination of label values: `outcomes.at(Outcome::Deferred).add()`.
template <class Cell, class... Labels>
class Family final : public Metric {
 public:
  Family(std::string_view name, std::string_view help, Labels... labels)
      : Metric(name, help), labels_(std::move(labels)...) {}

  Cell& at(typename Labels::Value... values) { return cells_.at(index(values...)); }

  const Cell& at(typename Labels::Value... values) const { return cells_.at(index(values...)); }

  void visit(const SeriesVisitor& visitor) const override {
    for (std::size_t i = 0; i < kSize; ++i) {
      Series series{name(), help(), Cell::kKind, {}, cells_[i].value()};
      std::size_t rest = i;
      std::size_t block = kSize;
      const auto add = [&](const auto& label) {
        block /= label.values.size();
        series.labels.emplace_back(label.name, label.values[rest / block]);
        rest %= block;
      };
      std::apply([&](const auto&... label) { (add(label), ...); }, labels_);
      visitor(series);
    }
  }

 private:
  static constexpr std::size_t kSize = (Labels::kSize * ... * 1);

  static std::size_t index(typename Labels::Value... values) {
    std::size_t at = 0;
    ((at = at * Labels::kSize + static_cast<std::size_t>(values)), ...);
    return at;
  }

  std::tuple<Labels...> labels_;
  std::array<Cell, kSize> cells_{};
};

using Counter = Single<CounterCell>;
using Gauge = Single<GaugeCell>;
template <const auto& kBounds>
using Histogram = Single<HistogramCell<kBounds>>;

template <class... Labels>
using CounterFamily = Family<CounterCell, Labels...>;
template <class... Labels>
using GaugeFamily = Family<GaugeCell, Labels...>;
template <const auto& kBounds, class... Labels>
using HistogramFamily = Family<HistogramCell<kBounds>, Labels...>;

/// All metrics. Filled before the threads start; from then on visiting is safe on any thread.
class Registry {
 public:
  /// `metric` must outlive the registry. Throws std::logic_error for a name that is taken or does
  /// not begin with srs_relay_, for a counter that does not end in _total, and for a label value
  /// that is missing or there twice: programming errors, which every start would show.
  void add(const Metric& metric);

  /// In the order of names, then of label values.
  void visit(const SeriesVisitor& visitor) const;

 private:
  std::map<std::string_view, const Metric*> metrics_;
};

}  // namespace relay::base

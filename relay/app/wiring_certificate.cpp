#include "relay/app/wiring_certificate.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <expected>
#include <memory>
#include <utility>

#include "relay/settings/files.hpp"

namespace relay::app {

namespace {

constexpr std::array<int, 5> kMarks{14, 7, 3, 1, 0};
// For failures without a change of the files: no descriptor left, a folder that was not accessible.
constexpr std::chrono::minutes kTryAgain{1};

std::expected<std::shared_ptr<const net::TlsContext>, std::string> read(
    const net::TlsFiles& files) {
  // Demands the same permissions as a start.
  if (auto chain = settings::read_file(files.chain); !chain) {
    return std::unexpected(chain.error().text);
  }
  if (auto key = settings::read_secret_file(files.key); !key) {
    return std::unexpected(key.error().text);
  }
  auto context = net::TlsContext::server(files);
  if (!context) return std::unexpected(context.error());
  return std::make_shared<const net::TlsContext>(std::move(*context));
}

}  // namespace

std::optional<int> expiry_mark(const net::CertificateFacts& certificate, base::WallTime now) {
  const auto left = certificate.ends - now;
  const auto last_third = (certificate.ends - certificate.begins) / 3;
  std::optional<int> reached;
  for (const int days : kMarks) {
    const std::chrono::days mark(days);
    if (left <= mark && mark <= last_third) reached = days;
  }
  return reached;
}

void CertificateWatch::watch(net::TlsFiles files, const std::function<void()>& publish) {
  const std::lock_guard lock(mutex_);
  if (publish) publish();
  files_ = std::move(files);
  tried_.reset();
  last_.reset();
  trouble_.clear();
}

void CertificateWatch::look(base::WallTime now) {
  const std::lock_guard lock(mutex_);
  if (files_.chain.empty()) return;
  const Stamps seen{.chain = settings::FileStamp::of(files_.chain),
                    .key = settings::FileStamp::of(files_.key)};
  // Both files may be written one after the other: wait until neither has changed for one call.
  const bool is_settled = std::exchange(last_, seen) == seen;
  const bool is_due = !trouble_.empty() && now >= again_at_;
  if (is_settled && (tried_ != seen || is_due)) {
    // The stamps were taken before the files are read: the next call notices changes in between.
    tried_ = seen;
    take(now);
  }
  tell_expiry(now);
}

void CertificateWatch::take(base::WallTime now) {
  auto next = read(files_);
  again_at_ = now + kTryAgain;
  if (!next) {
    if (std::exchange(trouble_, next.error()) == next.error()) return;
    log_.write(std::move(base::Event("certificate", now, base::Severity::Warning)
                             .text("problem", next.error())
                             .text("consequence", "the one read before stays in use")));
    return;
  }
  trouble_.clear();
  const bool is_new = !(*next)->has_certificate_of(*published_.get());
  published_.publish(*next);
  const auto facts = (*next)->certificate();
  if (!is_new || !facts) return;
  log_.write(std::move(base::Event("certificate", now)
                           .text("file", files_.chain.string())
                           .text("ends", base::rfc3339(facts->ends))
                           .list("names", facts->names)));
}

void CertificateWatch::tell_expiry(base::WallTime now) {
  const auto facts = published_.get()->certificate();
  const auto mark = facts ? expiry_mark(*facts, now) : std::nullopt;
  if (!mark) return;
  if (ending_ == facts->ends && told_mark_ <= *mark) return;
  ending_ = facts->ends;
  told_mark_ = *mark;
  base::Event event(*mark == 0 ? "certificate_expired" : "certificate_expires", now,
                    base::Severity::Warning);
  event.text("file", files_.chain.string()).text("ends", base::rfc3339(facts->ends));
  const auto left = std::chrono::floor<std::chrono::hours>(facts->ends - now);
  event.number("hours_left", std::max<std::int64_t>(0, left.count()));
  log_.write(std::move(event));
}

std::string CertificateWatch::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace relay::app

#include "relay/app/wiring_certificate.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <expected>
#include <memory>
#include <string_view>
#include <utility>

#include "relay/app/credential_source.hpp"
#include "relay/settings/files.hpp"
#include "relay/settings/tls.hpp"

namespace relay::app {

namespace {

constexpr const char* kChainKey = "tls.cert";
constexpr const char* kKeyKey = "tls.key";
constexpr std::array<int, 5> kMarks{14, 7, 3, 1, 0};
// For failures without a change of the files: no descriptor left, a folder that was not accessible.
constexpr std::chrono::minutes kTryAgain{1};

bool has(const std::vector<std::string>& keys, std::string_view key) {
  return std::ranges::find(keys, key) != keys.end();
}

std::optional<CredentialCopy> copy_of(const base::KeyText& part, const char* key,
                                      const std::filesystem::path& root) {
  if (part.credential.empty()) return std::nullopt;
  return CredentialCopy{key, part.file, source_of_credential(root, part.credential)};
}

/// Renaming and rights change no content.
bool same_content(const settings::FileStamp& a, const settings::FileStamp& b) {
  return a.error == b.error && a.device == b.device && a.node == b.node && a.size == b.size &&
         a.written_ns == b.written_ns;
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

std::optional<WatchedCertificate> to_be_watched(const std::optional<settings::Tls>& tls,
                                                const std::filesystem::path& root) {
  if (!tls) return std::nullopt;
  WatchedCertificate watched{.files = {.chain = tls->certificate.file, .key = tls->key.file},
                             .name = tls->certificate.name};
  if (auto copy = copy_of(tls->certificate, kChainKey, root)) watched.copies.push_back(*copy);
  if (auto copy = copy_of(tls->key, kKeyKey, root)) watched.copies.push_back(*copy);
  return watched;
}

void CertificateWatch::watch(std::optional<WatchedCertificate> certificate,
                             const std::function<void()>& publish) {
  const std::lock_guard lock(mutex_);
  if (publish) publish();
  watched_ = std::move(certificate);
  tried_.reset();
  last_.reset();
  trouble_.clear();
  blocked_.clear();
  outdated_.clear();
  sources_at_ = {};
}

void CertificateWatch::look(base::WallTime now) {
  const std::lock_guard lock(mutex_);
  if (!watched_) return;
  if (!watched_->files.chain.empty() && !watched_->files.key.empty()) look_at_files(now);
  if (now >= sources_at_) look_at_sources(now);
  tell_expiry(now);
}

void CertificateWatch::look_at_files(base::WallTime now) {
  const Stamps seen{.chain = settings::FileStamp::of(watched_->files.chain),
                    .key = settings::FileStamp::of(watched_->files.key)};
  // Both files may be written one after the other: wait until neither has changed for one call.
  const bool is_settled = std::exchange(last_, seen) == seen;
  const bool is_due = !trouble_.empty() && now >= again_at_;
  if (is_settled && (tried_ != seen || is_due)) {
    // The stamps were taken before the files are read: the next call notices changes in between.
    tried_ = seen;
    take(now);
  }
}

/// Whether the source has another text than the copy had when it was made. A source that cannot be
/// seen tells nothing: its folder may be root's.
bool CertificateWatch::is_outdated(const CredentialCopy& copy) {
  const auto source = settings::FileStamp::of(copy.source);
  if (copy.source.empty() || source.error != 0) return false;
  const auto made = settings::FileStamp::of(copy.copy);
  Baseline& first = baselines_.try_emplace(copy.key, made, source).first->second;
  // systemd can make new copies while we run (RefreshOnReload=).
  if (!same_content(first.copy, made)) first = {made, source};
  return !same_content(first.source, source) || source.written_ns > made.written_ns;
}

void CertificateWatch::look_at_sources(base::WallTime now) {
  sources_at_ = now + kTryAgain;
  std::vector<std::string> outdated;
  for (const CredentialCopy& copy : watched_->copies) {
    if (!is_outdated(copy)) continue;
    outdated.push_back(copy.key);
    if (has(outdated_, copy.key)) continue;
    log_.write(std::move(base::Event("certificate", now, base::Severity::Warning)
                             .text("problem", copy.key + ": " + copy.source.string() +
                                                  " is newer than the credential made of it")
                             .text("consequence", "it is taken at the next start")));
  }
  outdated_ = std::move(outdated);
}

std::expected<std::shared_ptr<const net::TlsContext>, CertificateWatch::Failure>
CertificateWatch::read(const net::TlsFiles& files, std::uint32_t late_messages) {
  // Demands the same permissions as a start.
  if (auto chain = settings::read_file(files.chain); !chain) {
    return std::unexpected(Failure{chain.error().text});
  }
  if (auto key = settings::read_secret_file(files.key); !key) {
    return std::unexpected(Failure{key.error().text});
  }
  auto context = net::TlsContext::server(files);
  if (!context) return std::unexpected(Failure{context.error(), true});
  return std::make_shared<const net::TlsContext>(
      std::move(*context).allowing_late_messages(late_messages));
}

void CertificateWatch::note(const Failure& failure, base::WallTime now) {
  std::string problem = failure.text;
  blocked_.clear();
  if (failure.was_read && watched_->copies.size() == 1) {
    // The other part is newer, and this one's source may be hidden from us.
    const std::string& key = watched_->copies.front().key;
    blocked_.push_back(key);
    problem += ": " + key + " is a credential, and is taken anew at the next start only";
  }
  const auto check = [&](const char* key, const std::filesystem::path& file) {
    if (failure.was_read || bounds_.may_read(file)) return;
    blocked_.emplace_back(key);
    problem += ": " + file.string() + kOutOfBounds;
  };
  check(kChainKey, watched_->files.chain);
  check(kKeyKey, watched_->files.key);
  if (std::exchange(trouble_, problem) == problem) return;
  log_.write(std::move(base::Event("certificate", now, base::Severity::Warning)
                           .text("problem", problem)
                           .text("consequence", "the one read before stays in use")));
}

void CertificateWatch::take(base::WallTime now) {
  auto next = read(watched_->files, published_.get()->late_messages());
  again_at_ = now + kTryAgain;
  if (!next) {
    note(next.error(), now);
    return;
  }
  trouble_.clear();
  blocked_.clear();
  const bool is_new = !(*next)->has_certificate_of(*published_.get());
  published_.publish(*next);
  const auto facts = (*next)->certificate();
  if (!is_new || !facts) return;
  log_.write(std::move(base::Event("certificate", now)
                           .text("file", watched_->name)
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
  event.text("file", watched_->name).text("ends", base::rfc3339(facts->ends));
  const auto left = std::chrono::floor<std::chrono::hours>(facts->ends - now);
  event.number("hours_left", std::max<std::int64_t>(0, left.count()));
  log_.write(std::move(event));
}

std::string CertificateWatch::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

std::vector<std::string> CertificateWatch::needs_restart() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  for (const char* key : {kChainKey, kKeyKey}) {
    if (has(outdated_, key) || has(blocked_, key)) keys.emplace_back(key);
  }
  return keys;
}

}  // namespace relay::app

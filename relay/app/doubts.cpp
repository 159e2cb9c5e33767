#include "relay/app/doubts.hpp"

#include <cstring>
#include <filesystem>

#include "relay/app/secret_memory.hpp"
#include "relay/app/service_user.hpp"
#include "relay/app/wiring_parts.hpp"
#include "relay/delivery/address_policy.hpp"
#include "relay/review/review.hpp"
#include "relay/settings/file_stamp.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

review::Subject subject_of(const Policies& policies, base::WallTime now) {
  return {.settings = *policies.settings,
          .forwarding = *policies.settings,
          .planner = *policies.inbound->planner,
          .signing = *policies.signing,
          .now = now,
          .own = delivery::own_addresses(*policies.delivery)};
}

/// Files that do not exist are left out: they are not a matter of permissions.
std::vector<review::Unreadable> unreadable_files(const settings::Settings& settings) {
  std::vector<review::Unreadable> found;
  const auto user = service_user(settings.queue.path);
  if (!user) return found;
  auto files = settings.named_files;
  files.push_back({settings.queue.path, {}});
  files.push_back({secret_memory_path(settings), {}});
  std::error_code ignored;
  std::erase_if(files,
                [&](const auto& file) { return !std::filesystem::exists(file.path, ignored); });
  std::vector<std::string> paths;
  for (const settings::NamedFile& file : files) paths.push_back(file.path);
  const auto errors = errors_of_reading(*user, paths);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (errors[i] != 0)
      found.push_back({files[i].path, files[i].at, user->name, std::strerror(errors[i])});
  }
  return found;
}

}  // namespace

std::vector<settings::Problem> doubts_about(const Policies& policies, base::WallTime now) {
  review::Subject subject = subject_of(policies, now);
  subject.unreadable = unreadable_files(*policies.settings);
  subject.remembered = read_secret_memory(*policies.settings).secrets;
  return review::review(subject);
}

std::vector<settings::Problem> doubts_about_certificate(const Policies& policies,
                                                        const net::TlsContext* certificate,
                                                        base::WallTime now) {
  const auto facts = certificate != nullptr ? certificate->certificate() : std::nullopt;
  if (!facts) return {};
  review::Subject subject = subject_of(policies, now);
  subject.certificate = {.begins = facts->begins,
                         .ends = facts->ends,
                         .names = facts->names,
                         .is_for_host_name = certificate->is_for(policies.settings->hostname)};
  return review::review(subject, "certificate");
}

}  // namespace relay::app

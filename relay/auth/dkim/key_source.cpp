#include "relay/auth/dkim/key_source.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace relay::auth::dkim {

std::expected<FetchedKey, KeyProblem> select_key_records(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  FetchedKey fetched;
  bool revoked = false;
  std::optional<KeyRecordError> error;
  for (const std::string& text : texts) {
    auto record = parse_key_record(text);
    if (!record) {
      if (!error) error = record.error();
    } else if (record->revoked()) {
      revoked = true;
    } else if (fetched.records.size() < kMaxKeyRecords) {
      fetched.records.push_back(std::move(*record));
    }
  }
  if (!fetched.records.empty()) return fetched;
  if (revoked) return std::unexpected(KeyProblem{.temporary = false, .text = "key is revoked"});
  const std::string_view why = error ? describe(*error) : "no key record";
  return std::unexpected(KeyProblem{.temporary = false, .text = std::string(why)});
}

base::Task<std::expected<FetchedKey, KeyProblem>> fetch_key(ports::Resolver& resolver,
                                                            std::string selector,
                                                            std::string domain,
                                                            base::Deadline deadline) {
  auto answer = co_await resolver.txt(selector + "._domainkey." + domain, deadline);
  if (answer) co_return select_key_records(std::move(answer->records));
  const bool temporary = ports::is_temporary(answer.error());
  std::string text = "key lookup: ";
  text += ports::describe(answer.error());
  co_return std::unexpected(KeyProblem{.temporary = temporary, .text = std::move(text)});
}

}  // namespace relay::auth::dkim

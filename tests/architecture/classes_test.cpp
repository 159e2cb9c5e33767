// No class is larger than can be held in one's head; and the rule sees those that hide.
#include "tests/architecture/classes.hpp"

#include <gmock/gmock.h>

namespace relay::architecture {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

/// A definition of `lines` lines that begins with `head`.
std::string definition(const std::string& head, int lines) {
  std::string text = head + " {\n";
  for (int i = 2; i < lines; ++i) text += "  f();\n";
  return text + "}\n";
}

std::string in_namespace(const std::string& text) {
  return "namespace relay::inbound {\n" + text + "}  // namespace relay::inbound\n";
}

const Source kHeader{"relay/inbound/session.hpp",
                     in_namespace("class Session {\n public:\n  void run();\n};\n")};

TEST(Classes, AreSmallEnoughInEverySource) {
  const auto sources = all_sources();
  EXPECT_THAT(large_classes(sources), IsEmpty());
  EXPECT_GT(lines_by_class(sources).at("relay/inbound/Session"), 200);
}

// The negative control: in each file alone the class is small.
TEST(Classes, AreFoundInFilesOfOtherNames) {
  const std::string part = in_namespace(definition("void Session::run()", 246));
  const std::vector<Source> two{
      kHeader, {"relay/inbound/session.cpp", part}, {"relay/inbound/greeting.cpp", part}};
  EXPECT_THAT(large_classes(two), ElementsAre(HasSubstr("relay/inbound/Session has 502 lines")));
  EXPECT_THAT(large_classes({two[0], two[1]}), IsEmpty());
}

TEST(Classes, HaveTheHelpersOfTheirFiles) {
  const std::string text =
      in_namespace(definition("int helper()", 90) + definition("void Session::run()", 8));
  EXPECT_THAT(lines_by_class({kHeader, {"relay/inbound/session.cpp", text}}),
              ElementsAre(Pair("relay/inbound/Session", 6 + 100)));
}

TEST(Classes, HaveTheirLinesInFilesOfOthersAndOthersHaveTheFile) {
  const std::string text = in_namespace(definition("void Session::run()", 30) +
                                        definition("void Acceptor::admit()", 50));
  EXPECT_THAT(lines_by_class({kHeader, {"relay/inbound/acceptor.cpp", text}}),
              UnorderedElementsAre(Pair("relay/inbound/Session", 6 + 30),
                                   Pair("relay/inbound/Acceptor", 82)));
}

TEST(Classes, IncludeTheClassesInsideThem) {
  const std::string text = in_namespace(definition("struct Session::Part", 10) +
                                        definition("int Session::Part::size() const", 10) +
                                        definition("Session::Part::Part() : size_(0)", 10));
  EXPECT_THAT(lines_by_class({kHeader, {"relay/inbound/part.cpp", text}}),
              ElementsAre(Pair("relay/inbound/Session", 6 + 32)));
}

TEST(Classes, OfOneSourceAreNotThoseOfAnother) {
  const std::string text = in_namespace(definition("struct Cursor", 10));
  EXPECT_THAT(lines_by_class({{"relay/inbound/a.cpp", text}, {"relay/inbound/b.cpp", text}}),
              UnorderedElementsAre(Pair("relay/inbound/a.cpp/Cursor", 12),
                                   Pair("relay/inbound/b.cpp/Cursor", 12)));
}

TEST(Classes, AreKnownByEveryKindOfDefinition) {
  const std::vector<std::string> heads{
      "Session::Session(int a)\n    : a_{a}",
      "Session::~Session()",
      "std::expected<Reply::Line, Error> Session::next(std::span<const Reply> said) const",
      "Reply::Line Session::next()",
      "std::function<void(Reply)> Session::next()",
      "bool Session::operator==(const Session& other) const",
      "int Session::operator()(int a)",
      "template <class T>\nvoid Session::take(T what)",
      "class Session::Waiting"};
  for (const std::string& head : heads) {
    const std::string text = in_namespace(definition(head, 20));
    const auto lines = lines_by_class({{"relay/inbound/other.cpp", text}});
    EXPECT_THAT(lines, ElementsAre(Pair("relay/inbound/Session", testing::Ge(20)))) << head;
  }
}

TEST(Classes, AreNotWhatOnlyNamesThem) {
  const std::string text = in_namespace("class Session;\nconst Session kOne = Session::make();\n" +
                                        definition("int number_of(Session::Part part)", 10) +
                                        definition("enum class Kind", 10));
  EXPECT_THAT(lines_by_class({{"relay/inbound/other.cpp", text}}), IsEmpty());
}

}  // namespace
}  // namespace relay::architecture

#include "core/bundle.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/publications.hpp"

namespace fanfare::core {
namespace {

using testing::ElementsAre;

std::vector<std::string> data_of(const Bundle& bundle) {
  std::vector<std::string> data;
  bundle.for_each([&data](const PublicationPtr& one) { data.push_back(one->data); });
  return data;
}

TEST(BundleTest, HoldsItsPublicationsInTheirOrder) {
  const BundlePtr one = Bundle::of(publication("/a", "1"));
  const BundlePtr three = one->with(publication("/b", "2"))->with(publication("/a", "3"));
  EXPECT_THAT(data_of(*one), ElementsAre("1"));
  EXPECT_THAT(data_of(*three), ElementsAre("1", "2", "3"));
  EXPECT_EQ(three->size(), 3U);
  EXPECT_EQ(three->last().data, "3");
}

TEST(BundleTest, CountsDataAndNames) {
  const BundlePtr bundle = Bundle::of(publication("/abc", "12345"))->with(publication("/d", "6"));
  EXPECT_EQ(bundle->bytes(), 4U + 5U + 2U + 1U);
}

TEST(BundleTest, SessionsThatGotTheSamePublicationsShareOneNode) {
  BundleRoot root;
  const PublicationPtr first = publication("/a", "1");
  const PublicationPtr second = publication("/a", "2");
  const BundlePtr mine = root.bundle_of(first);
  const BundlePtr yours = root.bundle_of(first);
  EXPECT_EQ(mine, yours);
  EXPECT_EQ(mine->with(second), yours->with(second));
}

TEST(BundleTest, SessionsThatGotDifferentPublicationsDoNot) {
  BundleRoot root;
  const PublicationPtr first = publication("/a", "1");
  const PublicationPtr second = publication("/a", "1");
  const BundlePtr mine = root.bundle_of(first);
  const BundlePtr yours = root.bundle_of(second);
  EXPECT_NE(mine, yours);
  const PublicationPtr third = publication("/a", "3");
  EXPECT_NE(mine->with(third), yours->with(third));
}

TEST(BundleTest, ARowCanForkAndBothEndsKeepTheirOwn) {
  const BundlePtr start = Bundle::of(publication("/a", "1"));
  const BundlePtr left = start->with(publication("/a", "left"));
  const BundlePtr right = start->with(publication("/a", "right"));
  EXPECT_THAT(data_of(*left), ElementsAre("1", "left"));
  EXPECT_THAT(data_of(*right), ElementsAre("1", "right"));
}

TEST(BundleTest, TheSharedNodeIsMadeAnewAfterEverybodyHasLetItGo) {
  const BundlePtr start = Bundle::of(publication("/a", "1"));
  const PublicationPtr second = publication("/a", "2");
  start->with(second).reset();
  const BundlePtr again = start->with(second);
  EXPECT_THAT(data_of(*again), ElementsAre("1", "2"));
}

TEST(BundleTest, AnOlderBranchThatGoesLeavesTheNewerOneFindable) {
  const BundlePtr start = Bundle::of(publication("/a", "1"));
  BundlePtr older = start->with(publication("/a", "2"));
  const PublicationPtr third = publication("/a", "3");
  const BundlePtr newer = start->with(third);
  older.reset();
  EXPECT_EQ(start->with(third), newer);
}

TEST(BundleTest, FormsAreMadeOnce) {
  const BundlePtr bundle = Bundle::of(publication("/a", "1"));
  int made = 0;
  const auto make = [&made](std::string& form) {
    ++made;
    form = "form";
  };
  const std::string* const first = &bundle->form(2, make);
  EXPECT_EQ(&bundle->form(2, make), first);
  EXPECT_EQ(*first, "form");
  EXPECT_EQ(made, 1);
}

TEST(BundleTest, EachFormIsItsOwn) {
  const BundlePtr bundle = Bundle::of(publication("/a", "1"));
  for (std::size_t i = 0; i < Bundle::kForms; ++i) {
    bundle->form(i, [i](std::string& form) { form = std::to_string(i); });
  }
  EXPECT_EQ(bundle->form(0, [](std::string&) { FAIL() << "made twice"; }), "0");
  EXPECT_EQ(bundle->form(3, [](std::string&) { FAIL() << "made twice"; }), "3");
}

// A million destructors inside each other would need some 100 MB of stack.
TEST(BundleTest, ALongRowIsTakenApartWithoutRecursion) {
  const PublicationPtr one = publication("/a", "1");
  const PublicationPtr other = publication("/a", "2");
  BundlePtr row = Bundle::of(one);
  for (int i = 0; i < 1'000'000; ++i) row = row->with(i % 2 == 0 ? other : one);
  EXPECT_EQ(row->size(), 1'000'001U);
  row.reset();
  EXPECT_EQ(one.use_count(), 1);
  EXPECT_EQ(other.use_count(), 1);
}

TEST(BundleTest, TakingARowApartStopsWhereSomebodyStillStands) {
  const PublicationPtr second = publication("/a", "2");
  BundlePtr row = Bundle::of(publication("/a", "1"))->with(second);
  const BundlePtr kept = row;
  for (int i = 0; i < 10; ++i) row = row->with(publication("/a", "more"));
  row.reset();
  EXPECT_THAT(data_of(*kept), ElementsAre("1", "2"));
  const PublicationPtr third = publication("/a", "3");
  EXPECT_EQ(kept->with(third)->size(), 3U);
}

TEST(BundleTest, ARowThatIsTooLongIsCutOnceForAll) {
  BundlePtr row = Bundle::of(publication("/a", std::string(10, '1')));
  for (const char* data : {"2222222222", "3333333333", "4"}) {
    row = row->with(publication("/a", data));
  }
  const auto& [first, rest] = row->split(25);
  EXPECT_THAT(data_of(*first), ElementsAre("1111111111", "2222222222"));
  EXPECT_THAT(data_of(*rest), ElementsAre("3333333333", "4"));
  EXPECT_EQ(&row->split(25), &row->split(25));
}

TEST(BundleTest, TheFirstPartIsNeverEmpty) {
  const BundlePtr row = Bundle::of(publication("/a", std::string(100, '1')));
  const auto& [first, rest] = row->split(25);
  EXPECT_EQ(first->size(), 1U);
  EXPECT_EQ(rest, nullptr);
}

TEST(BundleRootTest, GivesItsPublicationBackWhenTheTurnIsOver) {
  BundleRoot root;
  const PublicationPtr one = publication("/a", "1");
  root.bundle_of(one).reset();
  EXPECT_EQ(one.use_count(), 2);
  root.reset();
  EXPECT_EQ(one.use_count(), 1);
}

}  // namespace
}  // namespace fanfare::core

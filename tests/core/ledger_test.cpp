#include "core/ledger.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fault.hpp"
#include "support/seed.hpp"

namespace fanfare::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LedgerTest : public ::testing::Test {
 protected:
  static RealmPtr realm(std::string id, std::size_t memory_max = LedgerLimits::kNone) {
    Realm realm;
    realm.id = RealmId(std::move(id));
    realm.limits.realm_memory_max = memory_max;
    return std::make_shared<const Realm>(realm);
  }

  /// Somebody with a name, who writes down what he is told, and goes.
  class Visitor final : public Holder {
   public:
    Visitor(LedgerTest& test, std::string name, std::string_view address, RealmShare& share)
        : Holder(test.ledger_->address(address), share), test_(test), name_(std::move(name)) {}
    ~Visitor() override = default;
    std::size_t unfinished = 0;

   private:
    void give_way(const Disconnect& why) noexcept override {
      test_.told_.push_back(name_ + ": " + std::string(why.reason));
      test_.visitors_.erase(name_);  // destroys it
    }
    [[nodiscard]] std::size_t unfinished_bytes() const noexcept override { return unfinished; }
    LedgerTest& test_;
    std::string name_;
  };

  void use(const LedgerLimits& limits) { ledger_ = std::make_unique<Ledger>(turn_, limits); }
  Visitor& visitor(const std::string& name, std::string_view address = "192.0.2.1") {
    return visitor(name, address, site_);
  }
  Visitor& visitor(const std::string& name, std::string_view address, const RealmPtr& its_realm) {
    auto made = std::make_unique<Visitor>(*this, name, address, ledger_->realm(its_realm));
    return *(visitors_[name] = std::move(made));
  }
  void end_turns() {
    while (!tasks_.empty()) {
      for (base::Task& task : std::exchange(tasks_, {})) task();
    }
  }

  RealmPtr site_ = realm("site");
  std::deque<base::Task> tasks_;
  std::vector<std::string> told_;
  base::Turn turn_{[this](base::Task task) { tasks_.push_back(std::move(task)); }};
  std::unique_ptr<Ledger> ledger_ = std::make_unique<Ledger>(turn_, LedgerLimits{});
  std::map<std::string, std::unique_ptr<Visitor>> visitors_;
};

TEST_F(LedgerTest, CountsWhatIsKeptUntilItIsGone) {
  visitor("a").set_own(1000);
  visitor("b").set_own(5000);
  visitor("b2", "192.0.2.2").set_shared(700);
  EXPECT_EQ(ledger_->bytes(), 6000U);
  EXPECT_EQ(ledger_->queued_bytes(), 700U);
  EXPECT_EQ(visitors_["a"]->address().bytes(), 6000U);
  visitors_["a"]->add_own(-300);
  EXPECT_EQ(ledger_->bytes(), 5700U);
  visitors_.clear();
  EXPECT_EQ(ledger_->bytes(), 0U);
  EXPECT_EQ(ledger_->queued_bytes(), 0U);
}

TEST_F(LedgerTest, CountsPublicationsOnceForAll) {
  ledger_->realm(site_);
  base::ByteShare kept(site_->use->publications);
  kept.set(900);
  EXPECT_EQ(ledger_->bytes(), 900U);
  kept.set(0);
  EXPECT_EQ(ledger_->bytes(), 0U);
}

TEST_F(LedgerTest, WhoHoldsMostOfAnAddressGivesWayAndOtherAddressesDoNot) {
  use({.address_memory_max = 100'000});
  visitor("other", "192.0.2.9").set_own(90'000);
  visitor("small").set_own(3'000);
  visitor("hoarder").set_own(80'000);
  visitor("newcomer").set_own(20'000);
  end_turns();
  EXPECT_THAT(told_, ElementsAre("hoarder: address_memory_max is reached"));
}

#ifdef FANFARE_FAULTS
TEST_F(LedgerTest, ATurnThatThrowsDoesNotEndItsWatch) {
  use({.address_memory_max = 100'000});
  base::faults::throw_at_place("somebody who had to wait");
  visitor("small").set_own(30'000);
  visitor("hoarder").set_own(80'000);
  end_turns();
  EXPECT_STREQ(base::faults::thrown_at(), "somebody who had to wait");
  EXPECT_THAT(told_, ElementsAre("hoarder: address_memory_max is reached"));
  base::faults::throw_at(0);
}
#endif

TEST_F(LedgerTest, AmongAboutEqualsWhoHasHeldLongestGivesWay) {
  use({.memory_max = 100'000});
  for (const char* name : {"1", "2", "3", "4"}) visitor(name, name).set_own(30'000);
  end_turns();
  EXPECT_THAT(told_, ElementsAre("1: memory_max is reached"));
}

TEST_F(LedgerTest, TheRealmThatHasMostGivesWayWithItsHeaviestThoughOthersHaveAHeavierOne) {
  use({.memory_max = 200'000});
  const RealmPtr other = realm("other");
  visitor("honest", "a", other).set_own(40'000);
  for (int i = 0; i < 20; ++i) visitor(std::to_string(i), std::to_string(i)).set_own(9'000);
  end_turns();
  EXPECT_THAT(told_, testing::Each(testing::HasSubstr("memory_max is reached")));
  EXPECT_TRUE(visitors_.contains("honest"));
  EXPECT_LE(ledger_->bytes(), 180'000U);
}

TEST_F(LedgerTest, ARealmOverItsOwnShareGivesWayAlone) {
  const RealmPtr small = realm("small", 50'000);
  visitor("rich", "a").set_own(1'000'000);
  visitor("1", "b", small).set_own(30'000);
  visitor("2", "c", small).set_own(30'000);
  end_turns();
  EXPECT_THAT(told_, ElementsAre("1: realm_memory_max is reached"));
}

TEST_F(LedgerTest, WhatWaitsForPeersIsShedWhereMostWaits) {
  use({.queued_bytes_max = 100'000});
  const RealmPtr other = realm("other");
  visitor("honest", "a", other).set_shared(20'000);
  for (int i = 0; i < 10; ++i) visitor(std::to_string(i), std::to_string(i)).set_shared(9'000);
  end_turns();
  EXPECT_TRUE(visitors_.contains("honest"));
  EXPECT_LE(ledger_->queued_bytes(), 90'000U);
}

TEST_F(LedgerTest, WhoHoldsMostOfWhatHasNotEndedGivesWay) {
  visitor("reader").set_own(900'000);
  Visitor& writer = visitor("writer");
  writer.set_own(100'000);
  writer.unfinished = 90'000;
  ledger_->shed_unfinished();
  end_turns();
  EXPECT_THAT(told_, ElementsAre("writer: incoming_bytes_max is reached"));
}

TEST_F(LedgerTest, NobodyGivesWayForLittleAndThenNewcomersAreToldTheLimit) {
  use({.memory_max = 10'000});
  for (int i = 0; i < 20; ++i) visitor(std::to_string(i)).set_own(600);
  end_turns();
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(ledger_->full_limit(visitors_["1"]->address(), ledger_->realm(site_)), "memory_max");
}

TEST_F(LedgerTest, SheddingManyDoesNotMakeALongTurn) {
  use({.memory_max = 10'000'000});
  for (int i = 0; i < 5000; ++i) visitor(std::to_string(i), std::to_string(i)).set_own(4'000);
  while (!tasks_.empty()) {
    for (base::Task& task : std::exchange(tasks_, {})) task();
    EXPECT_LE(turn_.spent(), base::Turn::kWorkMax);
  }
  EXPECT_LE(ledger_->bytes(), 9'000'000U);
}

TEST_F(LedgerTest, AHolderThatMovesTakesItsBytesAlong) {
  Visitor& moving = visitor("a");
  moving.set_own(5'000);
  moving.set_shared(1'000);
  const AddressPtr before = ledger_->address("192.0.2.1");
  moving.move_to(ledger_->address("192.0.2.2"), ledger_->realm(realm("other")));
  EXPECT_EQ(before->bytes(), 0U);
  EXPECT_EQ(moving.address().bytes(), 5'000U);
  EXPECT_EQ(ledger_->realm(site_).own, 0U);
  EXPECT_EQ(ledger_->bytes(), 5'000U);
}

/// Goal: no order of changes makes a sum differ from its parts. Method: 20,000 random changes of 30
/// holders in 4 addresses and 3 realms, with limits so small that somebody often gives way.
TEST_F(LedgerTest, AgreesWithAPlainSumUnderAnyOrderOfChanges) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("FANFARE_SEED=" + std::to_string(seed));
  Dice dice(seed);
  use({.memory_max = 1'000'000, .address_memory_max = 500'000, .queued_bytes_max = 400'000});
  const std::vector<RealmPtr> realms{site_, realm("two"), realm("three", 300'000)};
  for (int step = 0; step < 20'000; ++step) {
    const std::string name = std::to_string(dice.below(30));
    const std::string address = std::to_string(dice.below(4));
    if (!visitors_.contains(name)) visitor(name, address, dice.of(realms));
    Visitor& one = *visitors_[name];
    const std::size_t bytes = dice.below(2) << dice.below(19);
    switch (dice.below(5)) {
      case 0:
        one.set_shared(bytes);
        break;
      case 1:
        one.move_to(ledger_->address(address), ledger_->realm(dice.of(realms)));
        break;
      case 2:
        visitors_.erase(name);
        break;
      default:
        one.set_own(bytes);
        break;
    }
    if (dice.one_in(3)) end_turns();
    std::size_t own = 0;
    std::size_t shared = 0;
    for (const auto& [key, each] : visitors_) {
      own += each->own_bytes();
      shared += each->shared_bytes();
    }
    ASSERT_EQ(ledger_->bytes(), own);
    ASSERT_EQ(ledger_->queued_bytes(), shared);
    if (tasks_.empty()) {
      ASSERT_LE(own, 1'000'000U + 30 * Holder::kHeavyBytes);
    }
  }
}

}  // namespace
}  // namespace fanfare::core

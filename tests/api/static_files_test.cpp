#include "api/static_files.hpp"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api_requests.hpp"
#include "base/fault.hpp"
#include "base/mailbox.hpp"
#include "wire/json/json.hpp"

namespace fanfare::api {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// One worker, whose mail is read when the background has nothing left to do.
class StaticFilesTest : public ::testing::Test, protected core::Courier {
 protected:
  StaticFilesTest() { std::filesystem::create_directories(folder_ / "below"); }
  ~StaticFilesTest() override {
    background_.stop();
    std::filesystem::remove_all(folder_);
  }

  void write(std::string_view name, std::string_view bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  /// Asks, and leaves it to others to wait for the answer.
  void ask(StaticFiles& files, std::string_view name, std::optional<wire::http1::Response>& answer,
           std::string_view headers = "") {
    files.handle(request("GET", "/", "", headers), name, {*this, core::WorkerIndex(0)},
                 [&answer](wire::http1::Response response) { answer = std::move(response); });
  }
  wire::http1::Response get(std::string_view name, std::string_view headers = "") {
    return get_from(files_, name, headers);
  }
  wire::http1::Response get_from(StaticFiles& files, std::string_view name,
                                 std::string_view headers = "") {
    std::optional<wire::http1::Response> answer;
    ask(files, name, answer, headers);
    read_mail();
    EXPECT_TRUE(answer) << name;
    return answer.value_or(wire::http1::Response{});
  }
  std::string body(std::string_view name) { return std::string(get(name).content()); }

  /// Until the background has done what it was asked for, and the worker has read of it.
  void read_mail() {
    std::promise<void> done;
    ASSERT_TRUE(background_.submit([&done] { done.set_value(); }));
    done.get_future().wait();
    std::vector<base::Task> mail;
    mailbox_.take_all(mail);
    for (base::Task& task : mail) task();
  }
  /// Lets the time pass after which a file is looked at again, and that look happen.
  void look_again(std::string_view name) {
    clock_.advance(FolderCache::kLookInterval);
    get(name);
  }

  void post(core::WorkerIndex /*to*/, base::Task task) noexcept override {
    mailbox_.put(std::move(task));
  }
  void at_turn_end(base::Task task) noexcept override { task(); }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      ("fanfare-static-" + std::to_string(::getpid()) + "-" +
       ::testing::UnitTest::GetInstance()->current_test_info()->name());
  const std::string library_ = StaticFiles::browser_library().name;
  base::ManualClock clock_;
  base::Mailbox mailbox_;
  base::Background background_;
  StaticFiles files_{folder_.string(), background_, clock_};
};

TEST_F(StaticFilesTest, ServesTheLibraryToPagesOfEveryOrigin) {
  const auto response = get(library_);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.content(), StartsWith("var Faye="));
  EXPECT_EQ(header_of(response, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(header_of(response, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(header_of(response, "Cross-Origin-Resource-Policy"), "cross-origin");
  EXPECT_EQ(header_of(response, "Cache-Control"), "public, max-age=31536000, immutable");
}

TEST_F(StaticFilesTest, OldNamesLeadToTheLibraryAndAreNotPinned) {
  for (const auto* name : {"faye-browser-min.js", "faye-browser.js", "client.js"}) {
    const auto response = get(name);
    EXPECT_EQ(response.content(), body(library_)) << name;
    EXPECT_THAT(header_of(response, "Cache-Control"), Not(HasSubstr("immutable")));
  }
}

TEST_F(StaticFilesTest, ServesWhatTheOperatorPutsThereByteForByte) {
  const std::string bytes("a\0\r\n\xff", 5);
  write("mine.js", bytes);
  EXPECT_EQ(body("mine.js"), bytes);
  write("mine.js", "newer and longer");
  look_again("mine.js");
  EXPECT_EQ(body("mine.js"), "newer and longer");
  std::filesystem::remove(folder_ / "mine.js");
  look_again("mine.js");
  EXPECT_EQ(get("mine.js").status, 404);
}

TEST_F(StaticFilesTest, TheOperatorsFileGoesFirstWhileItIsThere) {
  write(library_, "instead");
  EXPECT_EQ(body(library_), "instead");
  EXPECT_EQ(body("client.js"), "instead");
  std::filesystem::remove(folder_ / library_);
  look_again(library_);
  EXPECT_THAT(body(library_), StartsWith("var Faye="));
}

TEST_F(StaticFilesTest, ServesNothingButPlainFilesOfThatOneFolder) {
  write("below/secret.txt", "secret");
  write(".hidden", "secret");
  write("sp ace", "secret");
  for (const auto* name : {"", ".", "..", "../x", "below", "below/secret.txt", ".hidden", "sp ace",
                           "/etc/passwd", "..%2fx", "a\\b", "nothing.js"}) {
    EXPECT_EQ(get(name).status, 404) << name;
  }
  EXPECT_EQ(get(std::string("mine.js\0x", 9)).status, 404);
  EXPECT_EQ(get(std::string(129, 'a')).status, 404);
}

TEST_F(StaticFilesTest, AnswersNotModifiedToWhoHasTheFile) {
  const std::string tag = header_of(get(library_), "ETag");
  EXPECT_EQ(tag.front(), '"');
  const std::string bare = tag.substr(1, tag.size() - 2);
  for (const std::string& known : {tag, "W/" + tag, bare, "\"other\", " + tag, std::string("*")}) {
    const auto response = get(library_, "If-None-Match: " + known + "\r\n");
    EXPECT_EQ(response.status, 304) << known;
    EXPECT_EQ(response.content(), "");
    EXPECT_EQ(header_of(response, "ETag"), tag);
  }
  EXPECT_EQ(get(library_, "If-None-Match: \"other\"\r\n").status, 200);
}

TEST_F(StaticFilesTest, ATagIsTheFiles) {
  write("a.js", "one");
  const std::string tag = header_of(get("a.js"), "ETag");
  write("a.js", "three");
  look_again("a.js");
  EXPECT_NE(header_of(get("a.js"), "ETag"), tag);
}

TEST_F(StaticFilesTest, ListsWhatIsThereWithWhatPagesPin) {
  write("mine.js", "alert(1)");
  write(".hidden", "x");
  const auto response = get("integrity.json");
  const auto parsed = wire::json::validate(response.content());
  ASSERT_TRUE(parsed);
  EXPECT_THAT(std::string(response.content()), HasSubstr(StaticFiles::browser_library().integrity));
  EXPECT_THAT(std::string(response.content()),
              HasSubstr(R"({"name":"mine.js","integrity":"sha384-)"));
  EXPECT_THAT(std::string(response.content()), Not(HasSubstr("hidden")));
  EXPECT_EQ(header_of(response, "Access-Control-Allow-Origin"), "*");
}

TEST_F(StaticFilesTest, WorksWithoutAFolderAndWithOneThatIsNotThere) {
  for (const auto* folder : {"", "/nonexistent"}) {
    StaticFiles files(folder, background_, clock_);
    EXPECT_EQ(get_from(files, library_).status, 200);
    EXPECT_EQ(get_from(files, "mine.js").status, 404);
    EXPECT_EQ(get_from(files, "integrity.json").status, 200);
  }
}

TEST_F(StaticFilesTest, AnswersGetHeadAndPostAlike) {
  for (const auto* method : {"GET", "HEAD", "POST"}) {  // as Faye's server does
    std::optional<wire::http1::Response> answer;
    files_.handle(request(method, "/"), library_, {*this, core::WorkerIndex(0)},
                  [&answer](wire::http1::Response response) { answer = std::move(response); });
    read_mail();
    EXPECT_EQ(answer->status, 200) << method;
  }
}

// ---- without touching the disk where others would wait for it

/// Keeps the background busy for as long as it lives.
class BusyBackground {
 public:
  explicit BusyBackground(base::Background& background) {
    EXPECT_TRUE(background.submit([this] {
      begun_.set_value();
      ended_.get_future().wait();
    }));
    begun_.get_future().wait();
  }
  void end() { ended_.set_value(); }

 private:
  std::promise<void> begun_;
  std::promise<void> ended_;
};

TEST_F(StaticFilesTest, AnswersLaterWhatMemoryDoesNotKnowAndTheRestAtOnce) {
  write("known.js", "known");
  write("new.js", "new");
  get("known.js");
  BusyBackground busy(background_);
  std::optional<wire::http1::Response> later;
  std::optional<wire::http1::Response> at_once;
  ask(files_, "new.js", later);
  ask(files_, "known.js", at_once);
  EXPECT_FALSE(later);
  ASSERT_TRUE(at_once);
  EXPECT_EQ(at_once->content(), "known");
  busy.end();
  read_mail();
  ASSERT_TRUE(later);
  EXPECT_EQ(later->content(), "new");
}

TEST_F(StaticFilesTest, ServesWhatItHasWhileAFileIsLookedAtAgain) {
  write("a.js", "old");
  get("a.js");
  get("integrity.json");
  write("a.js", "newer");
  clock_.advance(FolderCache::kLookInterval);
  BusyBackground busy(background_);
  for (const auto* name : {"a.js", "integrity.json"}) {
    std::optional<wire::http1::Response> answer;
    ask(files_, name, answer);
    EXPECT_TRUE(answer) << name;
  }
  busy.end();
  read_mail();
  EXPECT_EQ(body("a.js"), "newer");
  EXPECT_THAT(body("integrity.json"), HasSubstr(integrity_of("newer")));
}

TEST_F(StaticFilesTest, AsksTheDiskForAFileAtMostOnceASecond) {
  write("a.js", "old");
  get("a.js");
  write("a.js", "newer");
  for (int i = 0; i < 9; ++i) {
    clock_.advance(base::Duration(100));
    EXPECT_EQ(body("a.js"), "old");
  }
}

TEST_F(StaticFilesTest, AnswersShareTheBytes) {
  write("a.js", "bytes");
  EXPECT_EQ(get("a.js").shared_body, get("a.js").shared_body);
  EXPECT_EQ(get(library_).shared_body, get("client.js").shared_body);
}

TEST_F(StaticFilesTest, SaysSoWhenTooManyFilesAreBeingLookedFor) {
  BusyBackground busy(background_);
  std::vector<std::optional<wire::http1::Response>> answers(base::Background::kWaitingMax + 1);
  for (std::size_t i = 0; i < answers.size(); ++i) ask(files_, "n" + std::to_string(i), answers[i]);
  ASSERT_TRUE(answers.back());
  EXPECT_EQ(answers.back()->status, 503);
  EXPECT_THAT(answers.back()->body, HasSubstr("try again"));
  EXPECT_FALSE(answers.front());
  busy.end();
  background_.stop();
  std::vector<base::Task> mail;
  mailbox_.take_all(mail);
  for (base::Task& task : mail) task();
}

TEST_F(StaticFilesTest, NeitherWaitsForNorListsWhatIsNoFile) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo.js").c_str(), 0600), 0);
  std::filesystem::create_symlink("loop.js", folder_ / "loop.js");
  write("large.js", std::string(FolderCache::kFileBytesMax + 1, 'x'));
  for (const auto* name : {"fifo.js", "loop.js", "large.js"}) {
    EXPECT_EQ(get(name).status, 404) << name;
    EXPECT_THAT(body("integrity.json"), Not(HasSubstr(name)));
  }
}

#ifdef FANFARE_FAULTS
/// What is owed to the asker belongs to his thread, and is never destroyed in the background.
TEST_F(StaticFilesTest, AnAnswerThatTheBackgroundLosesIsDroppedOnTheThreadThatAsked) {
  std::thread::id dropped_on;
  const auto note = [&dropped_on](const int*) { dropped_on = std::this_thread::get_id(); };
  const int debt = 0;
  std::unique_ptr<const int, decltype(note)> owed(&debt, note);
  base::faults::throw_at_place("a file that is looked for");
  files_.handle(request("GET", "/", "", ""), "client.js", {*this, core::WorkerIndex(0)},
                [owed = std::move(owed)](const wire::http1::Response& /*response*/) {
                  ADD_FAILURE() << "nobody knows the answer";
                });
  read_mail();
  EXPECT_EQ(dropped_on, std::this_thread::get_id());
  base::faults::throw_at(0);
  EXPECT_EQ(get("client.js").status, 200) << "the next one is answered";
}
#endif

}  // namespace
}  // namespace fanfare::api

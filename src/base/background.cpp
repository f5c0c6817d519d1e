#include "base/background.hpp"

#include <utility>
#include <vector>

#include "base/caught.hpp"

namespace fanfare::base {

Background::Background(std::size_t waiting_max)
    : waiting_max_(waiting_max), thread_([this] { run(); }) {}

bool Background::submit(Task&& work) noexcept {
  if (is_stopping_) return false;
  if (waiting_.fetch_add(1) >= waiting_max_) {
    waiting_.fetch_sub(1);
    return false;
  }
  put(std::move(work));
  return true;
}

void Background::put(Task work) noexcept {
  if (mailbox_.put(std::move(work))) has_mail_.release();
}

void Background::stop() {
  if (!thread_.joinable()) return;
  is_stopping_ = true;
  put([] {});  // so that it looks up
  thread_.join();
  std::vector<Task> left;
  mailbox_.take_all(left);
}

void Background::run() noexcept {
  std::vector<Task> mail;
  while (!is_stopping_) {
    has_mail_.acquire();
    mailbox_.take_all(mail);
    for (Task& work : mail) {
      // What is not begun goes back into the mailbox, for the thread that stops us to destroy.
      if (is_stopping_) {
        put(std::move(work));
      } else {
        run_one(work);
      }
    }
    mail.clear();
  }
}

void Background::run_one(Task& work) noexcept {
  waiting_.fetch_sub(1);
  try {
    work();
  } catch (...) {
    report_caught("work in the background");
  }
  work = {};
}

}  // namespace fanfare::base

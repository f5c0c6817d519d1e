#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "core/publication.hpp"

namespace fanfare::core {

class Bundle;
using BundlePtr = boost::intrusive_ptr<Bundle>;

/// A row of publications that leave together. Bundles form a tree: each is its predecessor and one
/// publication more. Sessions to which the same publications came in one loop turn stand at the
/// same node, so whatever is made of it (a frame, a compressed frame) is made once for all of them.
/// That is what makes publications that meet cheap: one send carries them all, and finding the
/// shared bytes is one pointer comparison a delivery.
///
/// Threads: one worker's; the count is not atomic. Ownership: shared by the sessions, and by the
/// connections that could not write all of it yet.
class Bundle : public boost::intrusive_ref_counter<Bundle, boost::thread_unsafe_counter> {
 public:
  /// How many forms the protocols and transports may keep in a bundle, each under a number of its
  /// own.
  static constexpr std::size_t kForms = 4;

  /// A bundle of one. `kept` is where the bytes of it, and of those that follow it, are counted; it
  /// must outlive them.
  static BundlePtr of(const PublicationPtr& publication, std::size_t* kept = nullptr) {
    return BundlePtr(new Bundle(nullptr, {}, publication, kept));
  }
  /// The same of a row, which is not empty.
  static BundlePtr of_row(std::vector<PublicationPtr> row, std::size_t* kept = nullptr);
  ~Bundle();
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;

  /// This bundle and `publication` after it. While one publication is delivered, every session at
  /// this node gets the same answer.
  BundlePtr with(const PublicationPtr& publication);

  [[nodiscard]] const Publication& last() const noexcept { return *publication_; }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  /// Bytes of all data and channel names: close to what the bundle takes on a wire.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// Calls `visit(const PublicationPtr&)` from the oldest to the newest.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    if (size_ == 1) return visit(publication_);  // nearly always
    for (const Bundle* bundle : path()) {
      for (const PublicationPtr& publication : bundle->before_) visit(publication);
      visit(bundle->publication_);
    }
  }

  /// This row in two, the first as long as `bytes_max` allows, but never empty; the second may be
  /// null. Cut once for all sessions at this node: `bytes_max` is always the same.
  struct Halves;
  const Halves& split(std::size_t bytes_max);

  /// The form kept under `number`, made by `make(std::string&)` when first asked for.
  template <typename Make>
  const std::string& form(std::size_t number, Make&& make) {
    std::string& form = forms_[number];
    if (form.empty()) {
      make(form);
      count(static_cast<std::ptrdiff_t>(form.capacity()));
    }
    return form;
  }

 private:
  Bundle(BundlePtr previous, std::vector<PublicationPtr> before, const PublicationPtr& publication,
         std::size_t* kept);
  [[nodiscard]] std::vector<const Bundle*> path() const;
  void count(std::ptrdiff_t bytes) noexcept {
    if (kept_ != nullptr) *kept_ += static_cast<std::size_t>(bytes);  // or less: it wraps
  }
  [[nodiscard]] std::ptrdiff_t base_bytes() const noexcept;

  std::size_t* kept_;
  BundlePtr previous_;
  std::vector<PublicationPtr> before_;  // in a row that was made at once: all but the last
  PublicationPtr publication_;
  // The child asked for last; it clears this when it goes. One is enough: see with().
  Bundle* latest_child_ = nullptr;
  std::size_t bytes_;
  std::uint32_t size_;
  std::unique_ptr<Halves> halves_;
  std::array<std::string, kForms> forms_;
};

struct Bundle::Halves {
  BundlePtr first;
  BundlePtr rest;
};

/// Where every row begins: hands out the bundle of one publication, the same to everyone who asks
/// while it is being delivered.
class BundleRoot {
 public:
  /// `kept` is where the bytes of all bundles are counted; null for nowhere.
  explicit BundleRoot(std::size_t* kept = nullptr) : kept_(kept) {}

  BundlePtr bundle_of(const PublicationPtr& publication) {
    if (!latest_ || &latest_->last() != publication.get()) latest_ = Bundle::of(publication, kept_);
    return latest_;
  }
  /// Gives the memory back when the turn is over.
  void reset() noexcept { latest_.reset(); }

 private:
  std::size_t* kept_;
  BundlePtr latest_;
};

}  // namespace fanfare::core

#include "core/publication.hpp"

#include <utility>

namespace fanfare::core {
namespace {

// The count of references, and what the allocator puts around the four parts.
constexpr std::size_t kOverhead = 64;

}  // namespace

PublicationPtr make_publication(const Realm& realm, ChannelName channel, std::string data,
                                std::string ext) {
  auto made =
      std::make_shared<Publication>(Publication{std::move(channel), std::move(data), std::move(ext),
                                                base::ByteShare(realm.use->publications)});
  made->kept.set(sizeof(Publication) + kOverhead + made->channel.text().capacity() +
                 made->data.capacity() + made->ext.capacity());
  return made;
}

}  // namespace fanfare::core

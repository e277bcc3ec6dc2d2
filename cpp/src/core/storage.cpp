// Storages: allocation, foreign memory, resizing.
#include "d2lcore/storage.h"

#include <algorithm>
#include <cstring>

#include "core/allocator.h"

namespace d2l {

StoragePtr StoragePtr::allocate(int64_t nbytes) {
  char* data = nbytes ? static_cast<char*>(d2l::allocate(nbytes)) : nullptr;
  Storage* s = new (d2l::allocate(sizeof(Storage))) Storage;
  s->data = data;
  s->nbytes = nbytes;
  s->inference = InferenceMode::enabled();
  return StoragePtr(s);
}

StoragePtr StoragePtr::borrow(void* data, int64_t nbytes, bool writable, void (*release)(void*),
                              void* owner) {
  Storage* s = new (d2l::allocate(sizeof(Storage))) Storage;
  s->data = static_cast<char*>(data);
  s->nbytes = nbytes;
  s->writable = writable;
  s->release = release;
  s->owner = owner;
  s->inference = InferenceMode::enabled();
  return StoragePtr(s);
}

void StoragePtr::destroy(Storage* s) {
  if (s->release) {
    s->release(s->owner);
  } else if (s->nbytes) {
    d2l::deallocate(s->data, s->nbytes);
  }
  s->~Storage();
  d2l::deallocate(s, sizeof(Storage));
}

void StoragePtr::resize(int64_t nbytes) {
  if (nbytes == s_->nbytes) return;
  check(!s_->release && s_->pins == 0, "Trying to resize storage that is not resizable");
  char* data = nbytes ? static_cast<char*>(d2l::allocate(nbytes)) : nullptr;
  if (data && s_->data) std::memcpy(data, s_->data, std::min(nbytes, s_->nbytes));
  if (s_->nbytes) d2l::deallocate(s_->data, s_->nbytes);
  s_->data = data;
  s_->nbytes = nbytes;
}

}  // namespace d2l

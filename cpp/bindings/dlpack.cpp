// DLPack: tensors exchanged with other libraries as capsules, and tensors over Python buffers.
//
// The one idea: what goes out holds its storage (never a tensor, whose handles belong to the GIL),
// so its deleter may be called by any thread; what comes in is checked in full before the capsule
// is marked as used, and the first tensor over it owns it. The structs are those of dlpack.h 1.1
// (https://github.com/dmlc/dlpack, Apache-2.0).
#include "dlpack.h"

#include "d2lcore/ops.h"
#include "sequence.h"

namespace d2l::py {
namespace {

constexpr int32_t kCpu = 1;
enum Kind : uint8_t { kInt = 0, kUint = 1, kFloat = 2, kBfloat = 4, kComplex = 5, kBool = 6 };

struct DLDevice {
  int32_t type, id;
};
struct DLDataType {
  uint8_t kind, bits;
  uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};
struct Legacy {
  DLTensor tensor;
  void* context;
  void (*deleter)(Legacy*);
};
struct Versioned {
  static constexpr uint64_t kReadOnly = 1, kCopied = 2;
  uint32_t major, minor;
  void* context;
  void (*deleter)(Versioned*);
  uint64_t flags;
  DLTensor tensor;
};

template <class M>
inline constexpr const char* kName = "dltensor";
template <>
inline constexpr const char* kName<Versioned> = "dltensor_versioned";
template <class M>
inline constexpr const char* kUsed = "used_dltensor";
template <>
inline constexpr const char* kUsed<Versioned> = "used_dltensor_versioned";

DLDataType type_of(DType t) {
  const auto bits = static_cast<uint8_t>(8 * itemsize(t));
  const Kind kind = t == DType::Bool       ? kBool
                    : t == DType::UInt8    ? kUint
                    : t == DType::BFloat16 ? kBfloat
                    : is_complex(t)        ? kComplex
                    : is_floating(t)       ? kFloat
                                           : kInt;
  return {kind, bits, 1};
}
DType dtype_of(DLDataType type) {
  check<BufferError>(type.lanes == 1, "from_dlpack: vectors of {} lanes are not supported",
                     static_cast<int64_t>(type.lanes));
  for (int i = 0; i < kDTypeCount; ++i) {
    const DLDataType one = type_of(static_cast<DType>(i));
    if (one.kind == type.kind && one.bits == type.bits) return static_cast<DType>(i);
  }
  fail<BufferError>("from_dlpack: unsupported data type (code {}, {} bits)",
                    static_cast<int64_t>(type.kind), static_cast<int64_t>(type.bits));
}

// What an exported struct keeps alive, and the struct itself.
template <class M>
struct Exported {
  StoragePtr storage;
  int64_t shape[kMaxDims], strides[kMaxDims];
  M managed;
};
template <class M>
void delete_exported(M* m) {
  auto* e = static_cast<Exported<M>*>(m->context);
  --e->storage->pins;
  delete e;
}

// A capsule that nobody used deletes what it holds.
template <class M>
void destroy_capsule(PyObject* capsule) {
  if (!PyCapsule_IsValid(capsule, kName<M>)) return;
  auto* m = static_cast<M*>(PyCapsule_GetPointer(capsule, kName<M>));
  if (m->deleter) m->deleter(m);
}

template <class M>
PyObject* export_as(const Tensor& t, uint64_t flags) {
  auto* e = new Exported<M>{t.storage(), {}, {}, {}};
  for (int i = 0; i < t.dim(); ++i) {
    e->shape[i] = t->shape[i];
    e->strides[i] = t->shape[i] < 2 ? 1 : t->strides[i];
  }
  M& m = e->managed;
  if constexpr (std::is_same_v<M, Versioned>) {
    m.major = 1;
    m.minor = 0;
    m.flags = flags | (t.storage()->writable ? 0 : Versioned::kReadOnly);
  }
  m.context = e;
  m.deleter = delete_exported<M>;
  m.tensor = {t.storage()->data ? t.data() : nullptr,
              {kCpu, 0},
              static_cast<int32_t>(t.dim()),
              type_of(t.dtype()),
              e->shape,
              e->strides,
              0};
  ++t.storage()->pins;
  PyObject* capsule = PyCapsule_New(&m, kName<M>, destroy_capsule<M>);
  if (!capsule) delete_exported(&m);
  return owned(capsule).release();
}

// _to_dlpack(tensor, versioned, copied)
PyObject* to_dlpack(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    check<TypeError>(n == 3 && is_tensor(args[0]), "to_dlpack() expects a Tensor");
    const Tensor& t = tensor_of(args[0]);
    const bool versioned = PyObject_IsTrue(args[1]) == 1, copied = PyObject_IsTrue(args[2]) == 1;
    if (versioned) return export_as<Versioned>(t, copied ? Versioned::kCopied : 0);
    check<BufferError>(t.storage()->writable,
                       "Can't export a read-only tensor to a consumer of DLPack before 1.0, which "
                       "has no way to say so");
    return export_as<Legacy>(t, 0);
  });
}

// The geometry that a foreign tensor claims, checked.
struct Claim {
  Dims shape, strides;
  DType dtype;
  int64_t nbytes;
  char* data;
};
Claim read(const DLTensor& d) {
  check<BufferError>(d.device.type == kCpu,
                     "from_dlpack: unsupported device type {}: d2lcore computes on the CPU only",
                     static_cast<int64_t>(d.device.type));
  check<BufferError>(d.ndim >= 0 && d.ndim <= static_cast<int32_t>(kMaxDims),
                     "from_dlpack: tensors have at most {} dimensions, got {}", kMaxDims,
                     static_cast<int64_t>(d.ndim));
  check<BufferError>(d.ndim == 0 || d.shape, "from_dlpack: the tensor has no shape");
  Claim c{{}, {}, dtype_of(d.dtype), 0, nullptr};
  bool empty = false;
  for (int i = 0; i < d.ndim; ++i) {
    check<BufferError>(d.shape[i] >= 0, "from_dlpack: negative extent {}", d.shape[i]);
    c.shape.push_back(d.shape[i]);
    empty = empty || d.shape[i] == 0;
  }
  checked_numel(c.shape);
  if (!d.strides) {
    c.strides = contiguous_strides(c.shape);
  } else {
    for (int i = 0; i < d.ndim; ++i) {
      check<BufferError>(
          d.strides[i] >= 0 || d.shape[i] <= 1,
          "from_dlpack: at least one stride of the given tensor is negative, and "
          "tensors with negative strides are not currently supported. Make a copy of "
          "it first.");
      c.strides.push_back(d.strides[i] < 0 ? 1 : d.strides[i]);
    }
  }
  int64_t last = empty ? 0 : 1;
  bool overflow = false;
  for (int i = 0; i < d.ndim && !empty; ++i) {
    int64_t reach;
    overflow |= __builtin_mul_overflow(c.shape[i] - 1, c.strides[i], &reach);
    overflow |= __builtin_add_overflow(last, reach, &last);
  }
  overflow |= __builtin_mul_overflow(last, itemsize(c.dtype), &c.nbytes);
  check<BufferError>(!overflow, "from_dlpack: sizes {} and strides {} overflow", c.shape,
                     c.strides);
  check<BufferError>(c.nbytes == 0 || d.data, "from_dlpack: the tensor has no memory");
  c.data = static_cast<char*>(d.data) + d.byte_offset;
  return c;
}

// Bools are bytes of 0 and 1; where foreign memory holds others, its truth values are copied.
Tensor clean(Tensor t) {
  if (t.dtype() != DType::Bool || t.numel() == 0) return t;
  const Tensor bytes = raw_view(t, t.shape(), t.strides(), t.offset(), DType::UInt8);
  return item(amax(bytes, {}, false)).to_int() <= 1 ? t : ne(bytes, d2l::wrap(0));
}

template <class M>
void release_managed(void* managed) {
  auto* m = static_cast<M*>(managed);
  m->deleter(m);
}
// Without a deleter nobody keeps the struct: it is not touched again.
void release_nothing(void*) {}

template <class M>
PyObject* import_from(PyObject* capsule) {
  auto* m = static_cast<M*>(PyCapsule_GetPointer(capsule, kName<M>));
  bool writable = true;
  if constexpr (std::is_same_v<M, Versioned>) {
    check<BufferError>(m->major <= 1, "from_dlpack: unsupported DLPack version {}.{}",
                       static_cast<int64_t>(m->major), static_cast<int64_t>(m->minor));
    writable = !(m->flags & Versioned::kReadOnly);
  }
  const Claim c = read(m->tensor);
  succeed(PyCapsule_SetName(capsule, kUsed<M>));
  auto* release = m->deleter ? release_managed<M> : release_nothing;
  StoragePtr storage = StoragePtr::borrow(c.data, c.nbytes, writable, release, m);
  return wrap(clean(from_storage(std::move(storage), c.shape, c.strides, 0, c.dtype)));
}

// _from_dlpack(capsule)
PyObject* from_dlpack(PyObject*, PyObject* capsule) {
  return guarded([&] {
    if (PyCapsule_IsValid(capsule, kName<Versioned>)) return import_from<Versioned>(capsule);
    check(PyCapsule_IsValid(capsule, kName<Legacy>),
          "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed "
          "only once, so you might have already constructed a tensor from it once.");
    return import_from<Legacy>(capsule);
  });
}

// The last tensor over a buffer lets go of it, in whatever thread.
void release_buffer(void* buffer) {
  if (!Py_IsInitialized()) return;
  const PyGILState_STATE state = PyGILState_Ensure();
  auto* view = static_cast<Py_buffer*>(buffer);
  PyBuffer_Release(view);
  delete view;
  PyGILState_Release(state);
}

// _frombuffer(buffer, dtype, count, offset)
PyObject* frombuffer(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    DType dtype;
    int64_t count, offset;
    check<TypeError>(
        n == 4 && as_dtype(args[1], dtype) && as_int(args[2], count) && as_int(args[3], offset),
        "frombuffer(): expected a buffer, a torch.dtype and two ints");
    check<ValueError>(PyObject_CheckBuffer(args[0]),
                      "object does not implement Python buffer protocol.");
    auto* view = new Py_buffer{};
    if (PyObject_GetBuffer(args[0], view, PyBUF_WRITABLE) < 0) {
      PyErr_Clear();
      if (PyObject_GetBuffer(args[0], view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        delete view;
        fail("could not retrieve buffer from object");
      }
    }
    const int64_t length = view->len, size = itemsize(dtype);
    StoragePtr storage =
        StoragePtr::borrow(view->buf, length, !view->readonly, release_buffer, view);
    check<ValueError>(length > 0 && count != 0,
                      "both buffer length ({}) and count ({}) must not be 0", length, count);
    check<ValueError>(
        offset >= 0 && offset < length,
        "offset ({} bytes) must be non-negative and no greater than buffer length ({} "
        "bytes) minus 1",
        offset, length);
    const int64_t rest = length - offset;
    check<ValueError>(count > 0 || rest % size == 0,
                      "buffer length ({} bytes) after offset ({} bytes) must be a multiple of "
                      "element size ({})",
                      rest, offset, size);
    if (count < 0) count = rest / size;
    check<ValueError>(count <= rest / size,
                      "requested buffer length ({} * {} bytes) after offset ({} bytes) must not be "
                      "greater than actual buffer length ({} bytes)",
                      count, size, offset, length);
    // A storage begins where its first element lies.
    storage->data += offset;
    storage->nbytes = count * size;
    const Dims shape{count}, strides{1};
    if (!storage->writable) warn_read_only("buffer");
    return wrap(clean(from_storage(std::move(storage), shape, strides, 0, dtype)));
  });
}

// What copies and pickles are made of (d2lcore/_tensor.py): the bytes of a whole storage as a
// tensor, an identity for it, and views of such bytes.
PyObject* storage_bytes(PyObject*, PyObject* o) {
  return guarded([&] {
    check<TypeError>(is_tensor(o), "expected a Tensor");
    const StoragePtr& s = tensor_of(o).storage();
    const Dims shape{s->nbytes}, strides{1};
    return wrap(from_storage(s, shape, strides, 0, DType::UInt8));
  });
}
PyObject* storage_key(PyObject*, PyObject* o) {
  return guarded([&] {
    check<TypeError>(is_tensor(o), "expected a Tensor");
    return owned(PyLong_FromVoidPtr(tensor_of(o).storage().get())).release();
  });
}
// _view_of_bytes(bytes, dtype, shape, strides, offset), the last three in elements
PyObject* view_of_bytes(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    DType dtype;
    std::vector<int64_t> shape, strides;
    int64_t offset;
    check<TypeError>(n == 5 && is_tensor(args[0]) && as_dtype(args[1], dtype) &&
                         as_ints(args[2], shape) && as_ints(args[3], strides) &&
                         as_int(args[4], offset),
                     "expected a Tensor, a torch.dtype, a shape, strides and an offset");
    return wrap(from_storage(tensor_of(args[0]).storage(), shape, strides, offset, dtype));
  });
}

template <class F>
PyCFunction function(F f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}

PyMethodDef functions[] = {{"_to_dlpack", function(to_dlpack), METH_FASTCALL, nullptr},
                           {"_from_dlpack", from_dlpack, METH_O, nullptr},
                           {"_frombuffer", function(frombuffer), METH_FASTCALL, nullptr},
                           {"_storage_bytes", storage_bytes, METH_O, nullptr},
                           {"_storage_key", storage_key, METH_O, nullptr},
                           {"_view_of_bytes", function(view_of_bytes), METH_FASTCALL, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

void make_exchange(PyObject* module) { succeed(PyModule_AddFunctions(module, functions)); }

}  // namespace d2l::py

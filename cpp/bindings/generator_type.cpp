// torch.Generator.
#include <cstring>
#include <random>

#include "tensor_type.h"
#include "types.h"

namespace d2l::py {

PyTypeObject* generator_type = nullptr;

namespace {

Generator& generator_of(PyObject* self) {
  return *reinterpret_cast<GeneratorObject*>(self)->generator;
}

PyObject* generator_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guarded([&] {
    static const char* names[] = {"device", nullptr};
    PyObject* device = nullptr;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Generator", const_cast<char**>(names),
                                     &device)) {
      throw PythonError();
    }
    check<TypeError>(!device || is_device(device),
                     "Generator(): argument 'device' must be a device");
    Ref o = owned(type->tp_alloc(type, 0));
    auto* g = reinterpret_cast<GeneratorObject*>(o.get());
    g->generator = new Generator;
    g->owns = true;
    return o.release();
  });
}

void generator_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  auto* g = reinterpret_cast<GeneratorObject*>(self);
  if (g->owns) delete g->generator;
  type->tp_free(self);
  Py_DECREF(type);
}

// Any int of 64 bits, negative ones as PyTorch remaps them.
uint64_t seed_from(PyObject* o) {
  check(PyLong_Check(o), "manual_seed expected a long, but got {}", Py_TYPE(o)->tp_name);
  const unsigned long long mask = PyLong_AsUnsignedLongLongMask(o);
  int overflow = 0;
  PyLong_AsLongLongAndOverflow(o, &overflow);
  if (overflow > 0) {
    PyLong_AsUnsignedLongLong(o);
    if (!PyErr_Occurred()) overflow = 0;
    PyErr_Clear();
  }
  check<ValueError>(overflow == 0, "Overflow when unpacking long long");
  return mask;
}

PyObject* manual_seed(PyObject* self, PyObject* seed) {
  return guarded([&] {
    generator_of(self).set_seed(seed_from(seed));
    Py_INCREF(self);
    return self;
  });
}
PyObject* reseed(PyObject* self, PyObject*) {
  return guarded([&] {
    std::random_device device;
    const uint64_t seed = (static_cast<uint64_t>(device()) << 32 | device()) >> 11;
    generator_of(self).set_seed(seed);
    return PyLong_FromUnsignedLongLong(seed);
  });
}
PyObject* initial_seed(PyObject* self, PyObject*) {
  return PyLong_FromUnsignedLongLong(generator_of(self).initial_seed());
}

// The state as a byte tensor: PyTorch's layout (the twister's legacy structure and the kept
// normals).
constexpr int64_t kStateBytes = 5056;
PyObject* get_state(PyObject* self, PyObject*) {
  return guarded([&] {
    const Generator::State s = generator_of(self).state();
    Tensor t = empty(Dims{kStateBytes}, DType::UInt8);
    char* p = t.data();
    std::memset(p, 0, kStateBytes);
    auto put = [&](int64_t at, auto value) { std::memcpy(p + at, &value, sizeof value); };
    put(0, s.seed);
    put(8, static_cast<int32_t>(s.left));
    put(12, static_cast<int32_t>(s.seeded));
    put(16, static_cast<uint64_t>(s.next));
    for (int i = 0; i < Generator::kWords; ++i) put(24 + 8 * i, static_cast<uint64_t>(s.words[i]));
    // normal_x, normal_y, normal_rho, whether they are valid, then the float32 pair.
    put(24 + 8 * Generator::kWords + 8, s.normal);
    put(24 + 8 * Generator::kWords + 24, static_cast<int32_t>(s.has_normal));
    return wrap(std::move(t));
  });
}
PyObject* set_state(PyObject* self, PyObject* state) {
  return guarded([&] {
    check<TypeError>(is_tensor(state), "expected a torch.ByteTensor, but got {}",
                     Py_TYPE(state)->tp_name);
    const Tensor& t = tensor_of(state);
    check<TypeError>(t.dtype() == DType::UInt8, "RNG state must be a torch.ByteTensor");
    check(t.numel() == kStateBytes && t.is_contiguous(),
          "Expected a CPUGeneratorImplState of size {} but found the input RNG state size to be {}",
          kStateBytes, t.numel());
    Generator::State s{};
    const char* p = t.data();
    auto get = [&]<class T>(int64_t at, T zero) {
      std::memcpy(&zero, p + at, sizeof zero);
      return zero;
    };
    s.seed = get(0, uint64_t{});
    s.left = get(8, int32_t{});
    s.next = static_cast<int32_t>(get(16, uint64_t{}));
    for (int i = 0; i < Generator::kWords; ++i) {
      s.words[i] = static_cast<uint32_t>(get(24 + 8 * i, uint64_t{}));
    }
    s.normal = get(24 + 8 * Generator::kWords + 8, double{});
    s.has_normal = get(24 + 8 * Generator::kWords + 24, int32_t{}) != 0;
    generator_of(self).set_state(s);
    Py_INCREF(self);
    return self;
  });
}
// A generator of its own in the same state.
PyObject* clone_state(PyObject* self, PyObject*) {
  return guarded([&] {
    Ref o = owned(generator_type->tp_alloc(generator_type, 0));
    auto* g = reinterpret_cast<GeneratorObject*>(o.get());
    g->generator = new Generator(generator_of(self));
    g->owns = true;
    return o.release();
  });
}
// For copy and pickle: the class, no arguments, the state.
PyObject* reduce(PyObject* self, PyObject*) {
  Ref state = owned(get_state(self, nullptr));
  if (!state) return nullptr;
  return Py_BuildValue("(O()O)", Py_TYPE(self), state.get());
}
PyObject* get_device(PyObject*, void*) { return cpu_device(); }

PyObject* generator_repr(PyObject* self) {
  return PyUnicode_FromFormat("<torch._C.Generator object at %p>", static_cast<void*>(self));
}

PyMethodDef methods[] = {
    {"manual_seed", manual_seed, METH_O, "Sets the seed; returns the generator."},
    {"seed", reseed, METH_NOARGS, "Sets a seed from the system's entropy and returns it."},
    {"initial_seed", initial_seed, METH_NOARGS, "The seed it was last given."},
    {"get_state", get_state, METH_NOARGS, "The state as a tensor of bytes."},
    {"set_state", set_state, METH_O, "Restores a state that get_state() gave."},
    {"clone_state", clone_state, METH_NOARGS, "Returns a new generator in the same state."},
    {"__reduce__", reduce, METH_NOARGS, "What copy and pickle keep."},
    {"__setstate__", set_state, METH_O, "Restores a state that get_state() gave."},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef getset[] = {{"device", get_device, nullptr, "The CPU.", nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace

void make_generator(PyObject* module) {
  PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(generator_new)},
                         {Py_tp_dealloc, reinterpret_cast<void*>(generator_dealloc)},
                         {Py_tp_repr, reinterpret_cast<void*>(generator_repr)},
                         {Py_tp_methods, methods},
                         {Py_tp_getset, getset},
                         {Py_tp_doc, const_cast<char*>("A source of random numbers (MT19937).")},
                         {0, nullptr}};
  PyType_Spec spec = {"d2lcore.Generator", sizeof(GeneratorObject), 0, Py_TPFLAGS_DEFAULT, slots};
  Ref type = owned(PyType_FromSpec(&spec));
  generator_type = reinterpret_cast<PyTypeObject*>(type.get());
  succeed(PyObject_SetAttrString(module, "Generator", type.get()));
  Ref o = owned(generator_type->tp_alloc(generator_type, 0));
  auto* g = reinterpret_cast<GeneratorObject*>(o.get());
  g->generator = &default_generator();
  g->owns = false;
  succeed(PyObject_SetAttrString(module, "default_generator", o.get()));
  type.release();
}

}  // namespace d2l::py

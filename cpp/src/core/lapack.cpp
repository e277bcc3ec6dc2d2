// The provider of the process, empty until somebody fills it in.
#include "core/lapack.h"

namespace d2l {

Lapack lapack_provider;

}  // namespace d2l

// Adding rows: schema and C++ function must agree.
#include "core/op_table.h"

namespace d2l {

void OpTable::insert(const char* schema, OpRow row, const Check* checks, size_t count) {
  row.schema = parse_schema(schema);
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!checks[i].accepts) continue;
    const size_t n = static_cast<size_t>(checks[i].params);
    check<ValueError>(
        at + n <= row.schema.params.size() && checks[i].accepts(&row.schema.params[at]),
        "op table: parameter {} of the C++ function does not fit the schema {}",
        static_cast<int64_t>(i), schema);
    at += n;
  }
  check<ValueError>(at == row.schema.params.size(),
                    "op table: the C++ function takes {} parameters, the schema more: {}",
                    static_cast<int64_t>(at), schema);
  rows_.push_back(std::move(row));
}

}  // namespace d2l

// The text of a model. What was read, written and read again is the same.

#include "fuzz.hpp"

#include <orderproc/model_file.hpp>

#include <string>

using namespace orderproc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const parsed_model read = parse_model(fuzz::text_of(data, size));
    ORDERPROC_EXPECT(read.errors.size() <= parsed_order::errors_max);
    ORDERPROC_EXPECT(read.ok() == (read.syntax.line == 0 && read.errors.empty()));
    ORDERPROC_EXPECT(read.ok() == describe_errors(read).empty());
    if (!read.ok()) {
        ORDERPROC_EXPECT(read.syntax.line == 0 || read.errors.empty());
        for (const field_error& it : read.errors) {
            ORDERPROC_EXPECT(it.pointer.starts_with('#') && !it.code.empty());
        }
        return 0;
    }
    const std::string written = to_json(*read.orders, *read.statuses);
    ORDERPROC_EXPECT(written.size() <= model_text_size_max);
    const parsed_model again = parse_model(written);
    ORDERPROC_EXPECT(again.ok());
    ORDERPROC_EXPECT(again.orders->rules() == read.orders->rules());
    ORDERPROC_EXPECT(check_successor(*read.orders, *again.orders).has_value());
    ORDERPROC_EXPECT(check_successor(*read.statuses, *again.statuses).has_value());
    ORDERPROC_EXPECT(to_json(*again.orders, *again.statuses) == written);
    return 0;
}

#include <orderproc/testing/storage_cases.hpp>

#include <orderproc/reader.hpp>

#include <orderproc/memory.hpp>

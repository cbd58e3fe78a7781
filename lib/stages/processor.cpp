#include <orderproc/processor.hpp>

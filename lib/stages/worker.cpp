#include <orderproc/worker.hpp>

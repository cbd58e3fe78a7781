#include <orderproc/timestamp.hpp>

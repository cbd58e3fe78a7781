#include <orderproc/json.hpp>

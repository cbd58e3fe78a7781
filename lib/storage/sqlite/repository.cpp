#include <orderproc/sqlite.hpp>

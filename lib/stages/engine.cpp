#include <orderproc/engine.hpp>

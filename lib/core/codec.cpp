#include <orderproc/codec.hpp>

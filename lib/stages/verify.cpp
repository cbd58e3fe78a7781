#include <orderproc/verify.hpp>

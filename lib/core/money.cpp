#include <orderproc/money.hpp>

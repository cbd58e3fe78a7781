#include <orderproc/order.hpp>

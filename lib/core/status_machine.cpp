#include <orderproc/status_machine.hpp>
